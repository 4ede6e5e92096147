"""Zero curve, forwards, and the table of projected fixings that the kernels read (spec: engine 3, corrected)."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.curve_shapes import Interpolation, daily_zeros
from engine.jit import kernel
from engine.terms import CurveNode, Fixing

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Zero rates on day nodes, actual/365 time, linear in the zero rate (cases YC-2, CRV-1). Another interpolation
    has a node on every day.

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
    def of_nodes(
        cls,
        as_of: dt.date,
        nodes: Iterable[CurveNode],
        shift: float = 0.0,
        *,
        frequency: float = 4.0,
        interpolation: Interpolation = Interpolation.LINEAR_ZERO,
    ) -> Curve:
        """From month nodes; `shift` moves every zero rate (fraction). Raises ValueError without nodes."""
        start = dates.serial(as_of)
        ordered = sorted({n.months: n.rate for n in nodes}.items())
        if not ordered:
            raise ValueError("a curve needs at least one node")
        days = np.array([_days_of(start, months) for months, _ in ordered], dtype=np.int64)
        zeros = np.array([rate + shift for _, rate in ordered], dtype=np.float64)
        if interpolation is not Interpolation.LINEAR_ZERO:
            later = days > 0
            if not later.any():
                raise ValueError(f"a curve that is {interpolation} needs a node after its first day")
            zeros = daily_zeros(days[later], zeros[later], frequency, interpolation)
            days = np.arange(1, zeros.size + 1, dtype=np.int64)
        return cls(start, days, zeros, frequency)

    def shifted(self, by: float | Mapping[float, float]) -> Curve:
        """The curve with its zero rates moved: all by one number, or by key rates.

        by  fractions; key rates: months -> shift, in a straight line between the keys, held before the first and
            after the last
        """
        if not isinstance(by, Mapping):
            return replace(self, zeros=self.zeros + by)
        if not by:
            return self
        keys = sorted((_days_of(self.as_of, months), shift) for months, shift in by.items())
        days = np.union1d(self.days, np.array([day for day, _ in keys if day > 0], dtype=np.int64)).astype(np.int64)
        # beyond the last node the last forward holds, so a key there would make a node that bends the curve
        days = days[days <= self.days[-1]]
        zeros = np.array([_zero(int(day), self.days, self.zeros) for day in days])
        zeros += np.interp(days, [day for day, _ in keys], [shift for _, shift in keys])
        return replace(self, days=days, zeros=zeros)

    @classmethod
    def flat(cls, as_of: dt.date, rate: float, shift: float = 0.0) -> Curve:
        """A flat curve whose three-month forwards are `rate` (actual/360), to the day count's last basis point."""
        return cls.of_nodes(as_of, [CurveNode(3.0, rate * 365.0 / 360.0)], shift)

    def discount(self, day: int) -> float:
        """Discount factor from the analysis date to a serial."""
        return float(discount_factor(day - self.as_of, self.days, self.zeros, self.frequency))

    def forward(self, start: int, tenor_months: int) -> float:
        """Simple actual/360 forward from `start` over `tenor_months` (0: overnight)."""
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

    def given(self, days: Sequence[int], rates: Sequence[float | None], tenor_months: int | None = None) -> FixingTable:
        """The table with given rates instead of the curve's: each from its day to the next one's, the last held.

        days   rising serials: of dates, or the determination dates of the periods that the rates are for
        rates  fractions; None: the curve's;  tenor_months: of this tenor only (its own row, exactly)
        Raises ValueError where the days do not rise or the tenor has no row.
        """
        if any(a >= b for a, b in itertools.pairwise(days)):
            raise ValueError("The days of given forward rates must rise; put them in order, each day once.")
        if tenor_months is not None and tenor_months not in self.tenors:
            known = ", ".join(str(t) for t in self.tenors)
            raise ValueError(f"There is no index of {tenor_months} months; known are {known}.")
        rows = [i for i, tenor in enumerate(self.tenors) if tenor_months in (None, tenor)]
        made = self.rates.copy()
        places = [min(max(day - self.first_day, 0), made.shape[1]) for day in days] + [made.shape[1]]
        for place, (rate, stop) in enumerate(zip(rates, places[1:], strict=True)):
            if rate is not None:
                made[rows, places[place] : stop] = rate
        return replace(self, rates=made)

    def with_history(self, fixings: Iterable[Fixing], before: int, family: str | None = None) -> FixingTable:
        """The table with past fixings on its days before the serial `before`, each held until the next one.

        family  of the index, as in `index_label` ("LIBOR", "TERM SOFR", "SOFR", ...); None: any
        """
        made = self.rates.copy()
        stop = min(max(before - self.first_day, 0), made.shape[1])
        by_row: dict[int, list[tuple[int, float]]] = {}
        for fixing in fixings:
            named, tenor = index_label(fixing.index)
            if tenor in self.tenors and (family is None or named == family):
                by_row.setdefault(self.tenors.index(tenor), []).append((dates.serial(fixing.date), fixing.rate))
        for row, found in by_row.items():
            for day, rate in sorted(found):
                made[row, min(max(day - self.first_day, 0), stop) : stop] = rate
        return replace(self, rates=made)

    def floored(self, at: float = 0.0) -> FixingTable:
        """The table with no rate below `at`."""
        return replace(self, rates=np.maximum(self.rates, at))


_FAMILIES = ("TERM SOFR", "SOFR", "LIBOR", "EURIBOR", "SONIA", "ESTR", "PRIME")


def index_label(name: str) -> tuple[str, int | None]:
    """Family and tenor in months of an index: "3 MONTH LIBOR" is LIBOR and 3, "SOFR" is SOFR and 0 (overnight).

    A family that is not known is the name without its tenor; None where nothing says the tenor.
    """
    text = " ".join(name.upper().split())
    match = re.search(r"\b(\d+)\s*-?\s*M(?:O|ONTHS?)?\b", text)
    family = next((f for f in _FAMILIES if f in text), None)
    if family == "SOFR" and match is not None:
        family = "TERM SOFR"  # only the term rate has one
    if match is not None:
        tenor: int | None = int(match.group(1))
    else:
        tenor = 0 if family in ("SOFR", "SONIA", "ESTR") else None
    rest = text if match is None else text[: match.start()] + text[match.end() :]
    return family or " ".join(rest.split()), tenor


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
    j = np.searchsorted(node_days, t_days, side="left")
    if j >= node_days.shape[0]:
        return zeros[node_days.shape[0] - 1]
    w = (t_days - node_days[j - 1]) / (node_days[j] - node_days[j - 1])
    return zeros[j - 1] + w * (zeros[j] - zeros[j - 1])


@kernel
def forward_rate(
    start: int, tenor_months: int, as_of: int, node_days: NDArray[np.int64], zeros: Floats, frequency: float
) -> float:
    """(P(d1)/P(d2) - 1) / tau, tau actual/360; a tenor of 0 is overnight."""
    end = dates.add_months(start, tenor_months, False) if tenor_months > 0 else start + 1
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
