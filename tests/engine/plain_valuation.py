"""Slow reference of note valuation: lists, loops, bisection; written from the formulas, not from the engine."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class PlainNote:
    """Flows after settlement. zero: day -> continuous zero rate of its own curve, time actual/365 from `as_of`."""

    settlement: dt.date
    days: Sequence[dt.date]
    amounts: Sequence[float]
    forwards: Sequence[float]
    as_of: dt.date
    discount: Callable[[dt.date], float]

    def worth_at_yield(self, rate: float, frequency: float) -> float:
        """sum CF / (1 + y/m)^(m t), t actual/365."""
        total = 0.0
        for day, amount in zip(self.days, self.amounts, strict=True):
            years = (day - self.settlement).days / 365
            total += amount / (1 + rate / frequency) ** (frequency * years)
        return total

    def worth_at_street_yield(self, rate: float, months: int) -> float:
        """sum CF / (1 + y/m)^n, n periods of `months` counted as a street yield counts them."""
        periods, total, at = 0.0, 0.0, self.settlement
        for i, (day, amount) in enumerate(zip(self.days, self.amounts, strict=True)):
            periods += periods_back(at, day, months) if i == 0 else periods_on(at, day, months)
            total += amount / (1 + rate * months / 12) ** periods
            at = day
        return total

    def worth_at_margin(self, margin: float) -> float:
        """sum CF x prod 1/(1 + (f + DM) tau), tau actual/360."""
        factor, total, at = 1.0, 0.0, self.settlement
        for day, amount, forward in zip(self.days, self.amounts, self.forwards, strict=True):
            factor /= 1 + (forward + margin) * (day - at).days / 360
            total += amount * factor
            at = day
        return total

    def worth_at_spread(self, spread: float) -> float:
        """Quarterly zero rates plus the spread, from the curve's day; over the same at settlement."""
        total = sum(a * self._factor(day, spread) for day, a in zip(self.days, self.amounts, strict=True))
        return total / self._factor(self.settlement, spread)

    def _factor(self, day: dt.date, spread: float) -> float:
        quarters = 4 * (day - self.as_of).days / 365
        if quarters == 0:
            return 1.0
        zero = 4 * (self.discount(day) ** (-1 / quarters) - 1)
        return (1 + (zero + spread) / 4) ** -quarters


def months_moved(day: dt.date, months: int) -> dt.date:
    """The same day of another month, or that month's last."""
    month = day.year * 12 + day.month - 1 + months
    first = dt.date(month // 12, month % 12 + 1, 1)
    following = dt.date((month + 1) // 12, (month + 1) % 12 + 1, 1)
    return min(first + (day.day - 1) * DAY, following - DAY)


def periods_back(start: dt.date, day: dt.date, months: int) -> float:
    n = 0
    while months_moved(day, -(n + 1) * months) >= start:
        n += 1
    late, early = months_moved(day, -n * months), months_moved(day, -(n + 1) * months)
    return n + (late - start).days / (late - early).days


def periods_on(start: dt.date, day: dt.date, months: int) -> float:
    n = 0
    while months_moved(start, (n + 1) * months) <= day:
        n += 1
    early, late = months_moved(start, n * months), months_moved(start, (n + 1) * months)
    return n + (day - early).days / (late - early).days


def bisected(falling: Callable[[float], float], target: float, low: float, high: float) -> float:
    """The x at which a falling function is `target`."""
    assert falling(low) >= target >= falling(high)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > target else (low, middle)
    return (low + high) / 2


def irr(flows: Sequence[tuple[dt.date, float]], low: float = -0.9999, high: float = 100.0) -> float:
    """Rate at which dated flows, the first of them paid, are worth nothing."""

    def worth(rate: float) -> float:
        return math.fsum(a * (1 + rate) ** (-(day - flows[0][0]).days / 365) for day, a in flows)

    return bisected(worth, 0.0, low, high)
