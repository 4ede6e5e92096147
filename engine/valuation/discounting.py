"""Flows and one number (a yield, a margin, a spread) to what they are worth, and back.

Lanes: amounts float64[n_dates, W], one column a scenario; rates and worths float64[P, W], one row a price. One lane
is a column of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.curves import Curve
from engine.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_YIELD: Final = 0
_MARGIN: Final = 1
_SPREAD: Final = 2

HIGHEST: Final = 100.0
"""Rates are sought up to 10,000 %."""


@dataclass(frozen=True, slots=True, eq=False)
class Discounting:
    """How a rate x discounts a payment k. Every factor falls as x rises, so a price has one rate.

    yield   (1 + x/m)^(-m t_k), continuous exp(-x t_k): first t, second unused
    margin  product over j <= k of 1/(1 + (f_j + x) tau_j): first f, second tau
    spread  (1 + (z_k + x)/m)^(-m t_k), continuous exp(-(z_k + x) t_k), over the same at settlement: first z, second t;
            start (z, t) of settlement

    frequency  m, compoundings a year; 0 continuous
    """

    kind: int
    frequency: float
    first: Floats
    second: Floats
    start: tuple[float, float] = (0.0, 0.0)

    def worth(self, amounts: Floats, rates: Floats) -> Floats:
        """float64[P, W]: worth at settlement of each lane at its rates."""
        return self.worth_and_slope(amounts, rates)[0]

    def worth_and_slope(self, amounts: Floats, rates: Floats) -> tuple[Floats, Floats]:
        """Worth, and its derivative to the rate; NaN at a rate that does not discount (1 + x/m <= 0)."""
        rates = np.ascontiguousarray(rates, dtype=np.float64)
        worths, slopes = np.empty_like(rates), np.empty_like(rates)
        fill_worth(
            self.kind, self.frequency, self.first, self.second, *self.start, _lanes(amounts), rates, worths, slopes
        )
        return worths, slopes

    def solve(self, amounts: Floats, worths: Floats) -> Floats:
        """float64[P, W]: the rate at which each lane is worth so much; NaN where no rate up to 10,000 % is."""
        worths = np.ascontiguousarray(worths, dtype=np.float64)
        rates = np.empty_like(worths)
        fill_rates(self.kind, self.frequency, self.first, self.second, *self.start, _lanes(amounts), worths, rates)
        return rates


def _lanes(amounts: Floats) -> Floats:
    return np.ascontiguousarray(amounts, dtype=np.float64)


def by_yield(times: Floats, frequency: float) -> Discounting:
    """One rate for all payments, compounded `frequency` times a year over `times` (years, float64[n])."""
    return Discounting(_YIELD, frequency, _lanes(times), np.zeros(times.size))


def by_margin(forwards: Floats, fractions: Floats) -> Discounting:
    """Forwards plus a margin, simple in each period (spec 4.5 corrected, D-18; case FRN-AAA).

    forwards   float64[n]  index of the period that ends on each payment
    fractions  float64[n]  actual/360, the first from settlement
    """
    return Discounting(_MARGIN, 0.0, _lanes(forwards), _lanes(fractions))


def over_curve(curve: Curve, settlement: int, days: Ints, frequency: float) -> Discounting:
    """A spread added to the zero rate of each payment's day, time actual/365 from the curve's day (case FIX-1).

    days  int64[n]  serials after settlement
    """
    on = np.concatenate([[settlement], days])
    years = (on - curve.as_of) / 365.0
    growth = np.array([curve.discount(int(day)) for day in on])
    zeros = np.zeros(on.size)
    ahead = years > 0.0
    if frequency == 0.0:
        zeros[ahead] = -np.log(growth[ahead]) / years[ahead]
    else:
        zeros[ahead] = frequency * (growth[ahead] ** (-1.0 / (frequency * years[ahead])) - 1.0)
    return Discounting(_SPREAD, frequency, zeros[1:].copy(), years[1:].copy(), (float(zeros[0]), float(years[0])))


def warm_up() -> None:
    """Compiles the kernels, or loads them from the cache."""
    one = np.ones((1, 1))
    by_yield(np.ones(1), 4.0).solve(one, by_yield(np.ones(1), 4.0).worth(one, 0.1 * one))


# --- kernels -----------------------------------------------------------------------------------------------------


@kernel
def fill_worth(
    kind: int,
    frequency: float,
    first: Floats,
    second: Floats,
    start_zero: float,
    start_time: float,
    amounts: Floats,
    rates: Floats,
    worths: Floats,
    slopes: Floats,
) -> None:
    """Worth of every lane at every rate, and its derivative (shapes: `Discounting`).

    worths, slopes  float64[P, W] (out)  NaN at a rate that does not discount
    """
    lowest = _lowest(kind, frequency, first, second, start_zero, start_time)
    for p in range(rates.shape[0]):
        for w in range(rates.shape[1]):
            worths[p, w], slopes[p, w] = np.nan, np.nan
            if rates[p, w] > lowest:
                worths[p, w], slopes[p, w] = _worth(
                    kind, frequency, first, second, start_zero, start_time, amounts, w, rates[p, w]
                )


@kernel
def fill_rates(
    kind: int,
    frequency: float,
    first: Floats,
    second: Floats,
    start_zero: float,
    start_time: float,
    amounts: Floats,
    worths: Floats,
    rates: Floats,
) -> None:
    """The rate of every lane at every worth: Newton on the logarithm of the worth within a shrinking bracket.

    rates  float64[P, W] (out)  NaN where the lane pays nothing, or no rate up to 10,000 % is worth so much
    """
    lowest = _lowest(kind, frequency, first, second, start_zero, start_time)
    for w in range(worths.shape[1]):
        x = 0.05
        for p in range(worths.shape[0]):
            rates[p, w] = np.nan
            target = worths[p, w]
            if not target > 0.0:
                continue
            low, high = lowest, HIGHEST
            at_high, _ = _worth(kind, frequency, first, second, start_zero, start_time, amounts, w, high)
            if not at_high <= target:
                continue
            found = False
            for _ in range(200):
                value, slope = _worth(kind, frequency, first, second, start_zero, start_time, amounts, w, x)
                if value == target:
                    found = slope < 0.0
                    break
                if value > target:
                    low = x
                else:
                    high = x
                step = np.nan
                if value > 0.0 and slope < 0.0:
                    step = x - np.log(value / target) * value / slope
                following = step if low < step < high else 0.5 * (low + high)
                found = slope < 0.0 and abs(following - x) <= 1e-15 * max(1.0, abs(x))
                x = following
                if found:
                    break
            # at the edge of what discounts nothing is worth more: no rate there is an answer
            if found and x - lowest > 1e-9:
                rates[p, w] = x
            else:
                x = 0.05


@kernel
def _lowest(kind: int, frequency: float, first: Floats, second: Floats, start_zero: float, start_time: float) -> float:
    """The rate down to which every factor is finite and positive; no lower than -1000 %."""
    lowest = -10.0
    if kind == 0:
        if frequency > 0.0:
            lowest = max(lowest, -frequency)
    elif kind == 1:
        for j in range(first.shape[0]):
            if second[j] > 0.0:
                lowest = max(lowest, -first[j] - 1.0 / second[j])
    elif frequency > 0.0:
        for j in range(first.shape[0]):
            lowest = max(lowest, -first[j] - frequency)
        if start_time > 0.0:
            lowest = max(lowest, -start_zero - frequency)
    return lowest


@kernel
def _worth(
    kind: int,
    frequency: float,
    first: Floats,
    second: Floats,
    start_zero: float,
    start_time: float,
    amounts: Floats,
    w: int,
    x: float,
) -> tuple[float, float]:
    """Worth of lane w at rate x, and its derivative."""
    value, slope = 0.0, 0.0
    if kind == 1:
        factor, log_slope = 1.0, 0.0
        for j in range(first.shape[0]):
            period = 1.0 + (first[j] + x) * second[j]
            factor /= period
            log_slope -= second[j] / period
            if amounts[j, w] != 0.0:
                part = amounts[j, w] * factor
                value += part
                slope += part * log_slope
        return value, slope
    if kind == 0:
        log_growth = x if frequency == 0.0 else frequency * np.log1p(x / frequency)
        growth_slope = 1.0 if frequency == 0.0 else 1.0 / (1.0 + x / frequency)
        for j in range(first.shape[0]):
            if amounts[j, w] != 0.0:
                part = amounts[j, w] * np.exp(-log_growth * first[j])
                value += part
                slope -= part * first[j] * growth_slope
        return value, slope
    start_log, start_slope = _spread_log(start_zero, start_time, frequency, x)
    for j in range(first.shape[0]):
        if amounts[j, w] != 0.0:
            log_factor, log_slope = _spread_log(first[j], second[j], frequency, x)
            part = amounts[j, w] * np.exp(log_factor - start_log)
            value += part
            slope += part * (log_slope - start_slope)
    return value, slope


@kernel
def _spread_log(zero: float, time: float, frequency: float, x: float) -> tuple[float, float]:
    """Logarithm of a payment's factor at a zero rate plus a spread, and its derivative."""
    if time <= 0.0:
        return 0.0, 0.0
    if frequency == 0.0:
        return -(zero + x) * time, -time
    return -frequency * time * np.log1p((zero + x) / frequency), -time / (1.0 + (zero + x) / frequency)
