"""What dated cash flows are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.jit import kernel


def xirr(days: Sequence[dt.date], amounts: Sequence[float], day_count: int = dates.ACT_365) -> float | None:
    """Annual rate at which dated flows are worth nothing, actual/365 (the spreadsheet's XIRR) or by another day count.

    None where there is no sign change, or no root between -99.99 % and 10,000 %.
    """
    return _root(np.asarray(amounts, dtype=np.float64), _years(days, day_count))


def xnpv(rate: float, days: Sequence[dt.date], amounts: Sequence[float], day_count: int = dates.ACT_365) -> float:
    """Worth of dated flows on the first of the days at an annual rate."""
    flows = np.asarray(amounts, dtype=np.float64)
    return float((flows * (1.0 + rate) ** -_years(days, day_count)).sum())


def irr(amounts: Sequence[float]) -> float | None:
    """Rate a period at which flows at equal distances are worth nothing; None as for `xirr`."""
    return _root(np.asarray(amounts, dtype=np.float64), np.arange(len(amounts), dtype=np.float64))


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


def _root(flows: NDArray[np.float64], years: NDArray[np.float64]) -> float | None:
    """The rate of `fill_irr` for one row of flows."""
    rate = np.empty(1)
    fill_irr(years, np.zeros(0), flows.reshape(-1, 1).copy(), rate)
    return None if np.isnan(rate[0]) else float(rate[0])


def xirr_lanes(
    past: Sequence[tuple[dt.date, float]], days: Sequence[dt.date], amounts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """XIRR (actual/365) of many flows on the same days, each after the same past.

    amounts  float64[n_days, W]
    Returns float64[W]; NaN as `xirr` returns None.
    """
    years = _years([*(day for day, _ in past), *days], dates.ACT_365)
    known = np.array([amount for _, amount in past], dtype=np.float64)
    rates = np.empty(amounts.shape[1])
    fill_irr(years, known, np.ascontiguousarray(amounts, dtype=np.float64), rates)
    return rates


@kernel
def fill_irr(
    years: NDArray[np.float64], past: NDArray[np.float64], amounts: NDArray[np.float64], rates: NDArray[np.float64]
) -> None:
    """Rate at which flows are worth nothing: Newton within a shrinking bracket, in x = ln(1 + rate).

    years    float64[n_past + n_days] from the first flow;  past float64[n_past];  amounts float64[n_days, W]
    rates    float64[W] (out)  NaN without a change of sign, or without a root between -99.99 % and 10,000 %
    """
    n_past, n_days = past.shape[0], amounts.shape[0]
    flows = np.empty(n_past + n_days)
    for w in range(rates.shape[0]):
        least, most = 0.0, 0.0
        for j in range(flows.shape[0]):
            flows[j] = past[j] if j < n_past else amounts[j - n_past, w]
            least, most = min(least, flows[j]), max(most, flows[j])
        rates[w] = np.nan
        if least >= 0.0 or most <= 0.0:
            continue
        low, high = np.log(1e-4), np.log(101.0)
        at_low, _ = _worth(low, years, flows)
        at_high, _ = _worth(high, years, flows)
        if at_low * at_high > 0.0:
            continue
        x = 0.1
        for _ in range(200):
            value, slope = _worth(x, years, flows)
            if value == 0.0:
                break
            if (value > 0.0) == (at_low > 0.0):
                low = x
            else:
                high = x
            step = x - value / slope if slope != 0.0 else low
            following = step if low < step < high else 0.5 * (low + high)
            if abs(following - x) <= 1e-15 * max(1.0, abs(x)):
                x = following
                break
            x = following
        rates[w] = np.exp(x) - 1.0


@kernel
def _worth(x: float, years: NDArray[np.float64], flows: NDArray[np.float64]) -> tuple[float, float]:
    """Worth of flows at ln(1 + rate) = x, and its slope in x."""
    value, slope = 0.0, 0.0
    for j in range(flows.shape[0]):
        if flows[j] != 0.0:
            part = flows[j] * np.exp(-x * years[j])
            value += part
            slope -= years[j] * part
    return value, slope
