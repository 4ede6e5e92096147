"""Zero curve, forwards, and the table of projected fixings that the kernels read (spec: engine 3, corrected)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.jit import kernel
from engine.terms import CurveNode

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Zero rates on day nodes, actual/365 time, linear in the zero rate (cases YC-2, CRV-1).

    as_of      serial of the analysis date
    days       int64[n]    days from as_of, rising
    zeros      float64[n]  annual zero rates
    frequency  compoundings a year: 4 as the workbook has it; 0 continuous
    """

    as_of: int
    days: NDArray[np.int64]
    zeros: Floats
    frequency: float = 4.0

    @classmethod
    def of_nodes(cls, as_of: dt.date, nodes: Iterable[CurveNode], shift: float = 0.0) -> Curve:
        """From month nodes; `shift` moves every zero rate (fraction). Raises ValueError without nodes."""
        start = dates.serial(as_of)
        ordered = sorted({n.months: n.rate for n in nodes}.items())
        if not ordered:
            raise ValueError("a curve needs at least one node")
        days = [_days_of(start, months) for months, _ in ordered]
        zeros = [rate + shift for _, rate in ordered]
        return cls(start, np.array(days, dtype=np.int64), np.array(zeros, dtype=np.float64))

    @classmethod
    def flat(cls, as_of: dt.date, rate: float, shift: float = 0.0) -> Curve:
        """A flat curve whose three-month forwards are `rate` (actual/360), to the day count's last basis point."""
        return cls.of_nodes(as_of, [CurveNode(3.0, rate * 365.0 / 360.0)], shift)

    def discount(self, day: int) -> float:
        """Discount factor from the analysis date to a serial."""
        return float(discount_factor(day - self.as_of, self.days, self.zeros, self.frequency))

    def forward(self, start: int, tenor_months: int) -> float:
        """Simple actual/360 forward from `start` over `tenor_months`."""
        return float(forward_rate(start, tenor_months, self.as_of, self.days, self.zeros, self.frequency))


def _days_of(start: int, months: float) -> int:
    whole = int(months)
    end = int(dates.add_months(start, whole, False))
    return end - start + round((months - whole) * 365 / 12)


@dataclass(frozen=True, slots=True, eq=False)
class FixingTable:
    """Projected fixings a day.

    first_day  serial of column 0
    tenors     months of each row
    rates      float64[n_tenors, n_days]
    """

    first_day: int
    tenors: tuple[int, ...]
    rates: Floats

    def row(self, tenor_months: int) -> int:
        """The row of a tenor; a tenor that is not there: the nearest."""
        return int(np.argmin([abs(t - tenor_months) for t in self.tenors]))


def fixing_table(curve: Curve, first_day: int, last_day: int, tenors: Sequence[int] = (1, 3, 6, 12)) -> FixingTable:
    """Forwards of every tenor on every day from `first_day` to `last_day` (both included)."""
    rates = np.empty((len(tenors), last_day - first_day + 1), dtype=np.float64)
    fill_fixings(
        first_day, np.array(tenors, dtype=np.int64), curve.as_of, curve.days, curve.zeros, curve.frequency, rates
    )
    return FixingTable(first_day, tuple(tenors), rates)


@kernel
def _growth(zero: float, t_days: float, frequency: float) -> float:
    """What one unit discounts to over `t_days` at a zero rate."""
    if frequency == 0.0:
        return np.exp(-zero * t_days / 365.0)
    return (1.0 + zero / frequency) ** (-frequency * t_days / 365.0)


@kernel
def discount_factor(t_days: int, node_days: NDArray[np.int64], zeros: Floats, frequency: float) -> float:
    """P(t) for `t_days` days from the analysis date.

    node_days : int64[n]    days of the nodes, rising
    zeros     : float64[n]  zero rates
    frequency : compoundings a year, 0 continuous
    Before the first node the first zero rate holds; after the last, the last forward.
    """
    n = node_days.shape[0]
    last = node_days[n - 1]
    if t_days > last:
        at_last = _growth(zeros[n - 1], last, frequency)
        back = last - 91
        before = _growth(_zero(back, node_days, zeros), back, frequency)
        return at_last * (at_last / before) ** ((t_days - last) / 91.0)
    return _growth(_zero(t_days, node_days, zeros), t_days, frequency)


@kernel
def _zero(t_days: int, node_days: NDArray[np.int64], zeros: Floats) -> float:
    if t_days <= node_days[0]:
        return zeros[0]
    for j in range(1, node_days.shape[0]):
        if t_days <= node_days[j]:
            w = (t_days - node_days[j - 1]) / (node_days[j] - node_days[j - 1])
            return zeros[j - 1] + w * (zeros[j] - zeros[j - 1])
    return zeros[node_days.shape[0] - 1]


@kernel
def forward_rate(
    start: int, tenor_months: int, as_of: int, node_days: NDArray[np.int64], zeros: Floats, frequency: float
) -> float:
    """(P(d1)/P(d2) - 1) / tau, tau actual/360."""
    end = dates.add_months(start, tenor_months, False)
    p1 = discount_factor(start - as_of, node_days, zeros, frequency)
    p2 = discount_factor(end - as_of, node_days, zeros, frequency)
    return (p1 / p2 - 1.0) / ((end - start) / 360.0)


@kernel
def fill_fixings(
    first_day: int,
    tenors: NDArray[np.int64],
    as_of: int,
    node_days: NDArray[np.int64],
    zeros: Floats,
    frequency: float,
    rates: Floats,
) -> None:
    """rates : float64[n_tenors, n_days] (out)  forward of each tenor from each day."""
    for r in range(tenors.shape[0]):
        for j in range(rates.shape[1]):
            rates[r, j] = forward_rate(first_day + j, tenors[r], as_of, node_days, zeros, frequency)
