"""Results of compliance: immutable records of tests with cushions, reasons and contributions."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from engine.compliance.completed import Filled
from engine.compliance.plan import Plan
from engine.compliance.readings import Readings
from engine.compliance.standing import Outcome
from engine.pool import Flags, Floats, Pool


@dataclass(frozen=True, slots=True, eq=False)
class TestResult:
    """One test. Result, threshold and cushion share a unit (`kind`); numerator and denominator are money or factors.

    cushion   room to the limit: threshold - result (MAX) or result - threshold (MIN); negative where it fails
    members   bool[n]  the positions that count
    amounts   float64[n]  what each adds to the numerator (for a largest test: par of the name that is largest)
    limit_source  "deal", "override", "schedule", "computed" or "catalogue"
    reading   the deal's choices among readings that bear on the figure, in words
    cushion_par  the cushion in par: what may be bought with cash in hand before the limit is met (negative: what has
              to go). Of a share or coverage: any par that counts; of an average: par at the most adverse figure held.
              None where no holding could break the limit or the figure is no sum of par
    cushion_names  the same in obligors of average size
    empty     an average of no assets at all: it passes, and result and cushion say nothing
    """

    __test__ = False

    number: int
    name: str
    kind: str
    direction: str
    result: float
    threshold: float
    limit_source: str
    outcome: Outcome
    numerator: float
    denominator: float
    cushion: float
    comment: str
    wording: str
    previous: float | None
    members: Flags
    amounts: Floats
    aggregate: str = ""
    reading: str = ""
    cushion_par: float | None = None
    cushion_names: float | None = None
    empty: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Compliance:
    """All tests of a deal at one date.

    plan    what the figures were made by: reckons any other par and cash
    filled  ratings and recovery rates that were blank and derived, each with its rule path
    """

    deal: str
    as_of: dt.date | None
    readings: Readings
    pool: Pool
    cash: float
    performing_par: float
    results: tuple[TestResult, ...]
    notes: tuple[str, ...] = ()
    plan: Plan | None = None
    filled: tuple[Filled, ...] = ()

    @property
    def collateral_principal_amount(self) -> float:
        return self.performing_par + self.cash

    def result(self, test: int) -> TestResult:
        return next(r for r in self.results if r.number == test)

    def moves(self, test: int) -> Floats:
        """float64[n]: what each position moves the result by: result - result if it were not held (exact, its par gone
        and nothing paid for it). Positive: it raises the result. NaN where there would be no result without it."""
        found = self.result(test)
        if self.plan is None:
            raise ValueError("These results were not made by a plan.")
        with np.errstate(invalid="ignore"):
            return np.asarray(found.result - self.plan.without(test, self.pool.par, self.cash))

    def movers(self, test: int, count: int = 10) -> tuple[tuple[int, float], ...]:
        """The positions (by place in the pool) that move the result most, with what they move it by, most first."""
        moved = self.moves(test)
        size = np.where(np.isfinite(moved), np.abs(moved), 0.0)
        order = np.argsort(-size, kind="stable")[:count]
        return tuple((int(i), float(moved[i])) for i in order if size[i] > 0.0)
