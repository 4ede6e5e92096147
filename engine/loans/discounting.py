"""Period discounting with quarterly compounding: what flows are worth at a spread (spec: engine 2.10, 4.5).

A flow is discounted period by period: (1 + r/4)^-n for the n quarters from one date to the next. Corrected (D-18): what
a spread is added to is the forward rate of the period, so that a spread of nothing gives the curve's discount factors.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.curves import Curve, discount_factor
from engine.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOWEST: Final = -1.5
HIGHEST: Final = 100.0
"""Rates and spreads are looked for between -150 % and 10,000 % a year."""


@kernel
def quarters(begin: int, end: int, backwards: bool) -> float:
    """Quarters between two serials: whole three-month steps and, of the step that is not whole, its share by days.

    backwards  steps are counted from the later day (the settlement period), otherwise from the earlier one
    """
    if end <= begin:
        return 0.0
    sign, origin, goal = (-1, end, begin) if backwards else (1, begin, end)
    steps, at = 0, origin
    while True:
        following = dates.add_months(origin, sign * 3 * (steps + 1), False)
        if (following - goal) * sign > 0:
            return steps + (goal - at) / (following - at)
        at = following
        steps += 1


@kernel
def fill_periods(begin: int, days: Ints, lengths: Floats) -> None:
    """lengths float64[n] (out): quarters of the periods that end on the days, the first beginning on `begin`."""
    before = begin
    for k in range(days.shape[0]):
        lengths[k] = quarters(before, days[k], k == 0)
        before = max(days[k], before)


@kernel
def fill_forwards(
    begin: int, days: Ints, lengths: Floats, as_of: int, node_days: Ints, zeros: Floats, frequency: float, out: Floats
) -> None:
    """out float64[n]: rate of each period, quarterly compounded, at which the curve discounts it."""
    before = discount_factor(begin - as_of, node_days, zeros, frequency)
    for k in range(days.shape[0]):
        after = discount_factor(days[k] - as_of, node_days, zeros, frequency)
        out[k] = 4.0 * ((before / after) ** (1.0 / lengths[k]) - 1.0) if lengths[k] > 0.0 else 0.0
        before = after


@kernel
def worth(spread: float, flows: Floats, lengths: Floats, forwards: Floats) -> tuple[float, float]:
    """Worth of flows at a spread over the forwards (over nothing: at a yield), and its slope."""
    value, slope, factor, tilt = 0.0, 0.0, 1.0, 0.0
    for k in range(flows.shape[0]):
        growth = 1.0 + (forwards[k] + spread) / 4.0
        factor *= growth ** -lengths[k]
        tilt += lengths[k] / 4.0 / growth
        value += flows[k] * factor
        slope -= flows[k] * factor * tilt
    return value, slope


@kernel
def solve(price: float, flows: Floats, lengths: Floats, forwards: Floats) -> float:
    """The spread at which flows are worth `price`: Newton within a shrinking bracket.

    NaN where there is none between LOWEST and HIGHEST, or nothing is to be paid for (a price or flows of nothing).
    """
    low, high = LOWEST, HIGHEST
    if not price > 0.0 or flows.shape[0] == 0:
        return np.nan
    above, below = worth(low, flows, lengths, forwards)[0], worth(high, flows, lengths, forwards)[0]
    if not (above > price > below):
        return np.nan
    spread = 0.05
    for _ in range(200):
        value, slope = worth(spread, flows, lengths, forwards)
        if value > price:
            low = spread
        else:
            high = spread
        step = spread - (value - price) / slope if slope != 0.0 else low
        following = step if low < step < high else 0.5 * (low + high)
        if abs(following - spread) <= 1e-15 * max(1.0, abs(spread)):
            return following
        spread = following
    return spread


def periods(begin: int, days: Ints, curve: Curve) -> tuple[Floats, Floats]:
    """Quarters and forwards of the periods that end on each of the days, float64[n] each."""
    lengths, forwards = np.empty(days.size), np.empty(days.size)
    fill_periods(begin, days, lengths)
    fill_forwards(begin, days, lengths, curve.as_of, curve.days, curve.zeros, curve.frequency, forwards)
    return lengths, forwards
