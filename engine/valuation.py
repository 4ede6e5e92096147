"""What dated cash flows are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from engine import dates


def xirr(days: Sequence[dt.date], amounts: Sequence[float], day_count: int = dates.ACT_365) -> float | None:
    """Annual rate at which dated flows are worth nothing, actual/365 (the spreadsheet's XIRR) or by another day count.

    None where there is no sign change, or no root between -99.99 % and 10,000 %.
    """
    flows = np.asarray(amounts, dtype=np.float64)
    years = _years(days, day_count)
    return _root(flows, lambda rate: float((flows * (1.0 + rate) ** -years).sum()))


def xnpv(rate: float, days: Sequence[dt.date], amounts: Sequence[float], day_count: int = dates.ACT_365) -> float:
    """Worth of dated flows on the first of the days at an annual rate."""
    flows = np.asarray(amounts, dtype=np.float64)
    return float((flows * (1.0 + rate) ** -_years(days, day_count)).sum())


def irr(amounts: Sequence[float]) -> float | None:
    """Rate a period at which flows at equal distances are worth nothing; None as for `xirr`."""
    flows = np.asarray(amounts, dtype=np.float64)
    periods = np.arange(flows.size)
    return _root(flows, lambda rate: float((flows * (1.0 + rate) ** -periods).sum()))


def _years(days: Sequence[dt.date], day_count: int) -> NDArray[np.float64]:
    """Years from the first day to each, negative for a day before it."""
    if not days:
        return np.zeros(0)
    first, found = dates.serial(days[0]), []
    for day in dates.serials(days).tolist():
        low, high = min(first, day), max(first, day)
        fraction = float(dates.year_fraction(low, high, day_count))
        found.append(fraction if day >= first else -fraction)
    return np.array(found)


def _root(flows: NDArray[np.float64], value: Callable[[float], float]) -> float | None:
    from scipy.optimize import brentq  # a third of a second to import; only asked for on a result

    if flows.size == 0 or not (flows.min() < 0.0 < flows.max()):
        return None
    low, high = -0.9999, 100.0
    if value(low) * value(high) > 0:
        return None
    return float(brentq(value, low, high, xtol=1e-13, rtol=1e-14, maxiter=300))
