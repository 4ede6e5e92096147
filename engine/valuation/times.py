"""Years from settlement to each payment, as yields count them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine import dates

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def actual(settlement: int, days: Ints, year: float = 365.0) -> Floats:
    """float64[n]: calendar days over the days of a year."""
    return np.asarray((days - settlement) / year)


def stepwise(settlement: int, days: Ints, day_count: int, accrual_start: int) -> Floats:
    """float64[n]: fractions by a day count, added up from payment to payment.

    The first is the period's fraction less what has accrued at settlement (ISMA rule 251 as pricing libraries apply
    it to rolled payment dates; cases FIX-1, AMORT-1).
    """
    if days.size == 0:
        return np.zeros(0)
    first = dates.year_fraction(accrual_start, int(days[0]), day_count) - dates.year_fraction(
        accrual_start, settlement, day_count
    )
    later = [dates.year_fraction(int(a), int(b), day_count) for a, b in itertools.pairwise(days)]
    return np.cumsum([first, *later])


def stepwise_icma(settlement: int, days: Ints, periods: Sequence[tuple[int, int]]) -> Floats:
    """As `stepwise` for actual/actual ICMA (case FIX-3).

    periods  the regular coupon period of each payment, unadjusted
    """
    made: list[float] = []
    at = settlement
    for day, (start, end) in zip(days.tolist(), periods, strict=True):
        if not made:
            fraction = dates.year_fraction_icma(start, day, start, end)
            fraction -= dates.year_fraction_icma(start, settlement, start, end)
        else:
            fraction = dates.year_fraction_icma(at, day, start, end)
        made.append(float(fraction))
        at = day
    return np.cumsum(made) if made else np.zeros(0)


def street(settlement: int, days: Ints, months: int) -> Floats:
    """float64[n]: whole periods and a part of one, in years (spec 4.5, case LIA-2).

    To the first payment, periods of `months` are counted back from it until settlement; the part is actual days over
    the actual days of the period in which settlement falls. Between payments they are counted forward, so that a
    payment date rolled by two days is two days more.
    """
    made: list[float] = []
    at = settlement
    for day in days.tolist():
        made.append(_periods_back(at, day, months) if not made else _periods_on(at, day, months))
        at = day
    return np.cumsum(made) * (months / 12.0) if made else np.zeros(0)


def _periods_back(start: int, day: int, months: int) -> float:
    whole = 0
    while (before := int(dates.add_months(day, -(whole + 1) * months, False))) >= start:
        whole += 1
    at = int(dates.add_months(day, -whole * months, False))
    return whole + (at - start) / (at - before)


def _periods_on(start: int, day: int, months: int) -> float:
    whole = 0
    while (after := int(dates.add_months(start, (whole + 1) * months, False))) <= day:
        whole += 1
    at = int(dates.add_months(start, whole * months, False))
    return whole + (day - at) / (after - at)
