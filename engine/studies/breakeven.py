"""The default rate at which each class loses, or earns nothing, or each test trips: all of them at once.

One scan over all rates brackets every change from holding to not holding; rounds of interior points then narrow all
brackets together, a block of scenarios a round (spec: performance 3). What holds need not hold below: where it changes
more than once, every crossing is found and told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.loans.columns import DEFAULTED
from engine.model import Model
from engine.projection import Totals
from engine.studies.grid import THREADS, Report, silent
from engine.studies.measures import claims, paid
from engine.valuation.classes import curve_of, value_classes
from engine.valuation.marks import marks
from engine.waterfall.document import class_id

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DOLLAR: Final = 1.0
"""Of principal and deferred interest; what is more and stays unpaid is a loss."""

TOLERANCE: Final = 1e-6
"""Width to which a break-even is narrowed: a hundredth of a basis point."""

SCAN: Final = 64
BLOCK: Final = 64
"""Scenarios of the scan, and about so many of a round."""

_MOST_CROSSINGS: Final = 40  # of one class; beyond them they are not told apart


class Target(StrEnum):
    FIRST_LOSS = "first-loss"
    YIELD_ZERO = "yield-zero"
    TEST = "test"


class Basis(StrEnum):
    """What the payments of a class are to reach for its yield to be nought.

    PRICE  its price with accrued interest: the deal's own price or margin; par where it has none
    PAR    balance with deferred interest; of the equity its balance
    COST   of the equity what was paid at closing less what it has had since; of notes par
    NAV    of the equity net asset value at the assets' marks; of notes their price
    """

    PRICE = "price"
    PAR = "par"
    COST = "cost"
    NAV = "nav"


@dataclass(frozen=True, slots=True)
class Crossing:
    """Between `low` and `high` what held changes; `breaks`: to not holding (else it holds again above)."""

    low: float
    high: float
    breaks: bool


@dataclass(frozen=True, slots=True)
class BreakEven:
    """The break-even of one class or test.

    cdr        the highest default rate, a year, up to which it holds at all rates tried; None: it never breaks
    at_once    it does not hold without any default either; cdr is 0 then
    multiple   cdr over the scenario's own default rate; None: there is none, or that rate is 0
    crossings  all changes, ascending; more than one: it is not monotone
    basis      what payments are held against, in words; "" where nothing is
    """

    name: str
    cdr: float | None
    at_once: bool
    multiple: float | None
    crossings: tuple[Crossing, ...]
    basis: str = ""

    @property
    def monotone(self) -> bool:
        return len(self.crossings) + self.at_once <= 1


@dataclass(frozen=True, slots=True, eq=False)
class BreakEvens:
    """All break-evens of a target.

    base        the scenario's own default rate
    tolerance   width of the crossings
    scenarios   how many were run
    """

    target: Target
    base: float
    tolerance: float
    scenarios: int
    found: tuple[BreakEven, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What a target looks at.

    short     float64[n_scenarios, n_names]: by how much it does not hold; 0 or below: it holds
    coverage  it needs the coverage tests
    bases     of each name, what its payments are held against; (): nothing
    """

    names: tuple[str, ...]
    short: Callable[[Totals], Floats]
    coverage: bool = False
    bases: tuple[str, ...] = ()


def watched(model: Model, target: Target, base: Assumptions, basis: Basis = Basis.PRICE) -> Watched:
    """The classes or tests of a target; `base` and `basis` for what yields count from.

    Raises ValueError where there is none.
    """
    tranches, ids = model.book.deal.tranches, class_ids(model)
    if target is Target.TEST:
        tests = tuple(test.id for test in model.document.tests)
        if not tests:
            raise ValueError(f"{model.book.deal.name} has no coverage test that could trip.")
        return Watched(tests, _tripped, coverage=True)
    rows = [k for k, t in enumerate(tranches) if t.current_balance > 0.0]
    if target is Target.FIRST_LOSS:
        rows = [k for k in rows if ids[k] != model.document.equity]
        return Watched(tuple(ids[k] for k in rows), lambda totals: totals.unpaid[:, rows] - DOLLAR)
    against = [_to_be_paid(model, base, basis, k) for k in rows]
    owed = np.array([amount for amount, _ in against]) - DOLLAR
    return Watched(
        tuple(ids[k] for k in rows),
        lambda totals: owed - paid(totals)[:, rows],
        bases=tuple(words for _, words in against),
    )


def _to_be_paid(model: Model, base: Assumptions, basis: Basis, k: int) -> tuple[float, str]:
    """Money that the payments of a class are to reach, and what it is, in words."""
    equity = class_ids(model)[k] == model.document.equity
    par = float(claims(model)[k]), "par"
    if basis is Basis.PAR or (basis is Basis.COST and not equity):
        return par
    if basis is Basis.COST:
        cost = -sum(amount for _, amount in model.history if amount < 0.0)
        received = sum(amount for _, amount in model.history if amount > 0.0)
        return max(cost - received, 0.0), f"cost of closing {cost:,.0f} less {received:,.0f} received"
    if basis is Basis.NAV and equity:
        found = marks(model)
        if found.nav is None or found.nav_price is None:
            raise ValueError("The equity has no net asset value: no asset has a price. Take another basis.")
        return max(found.nav, 0.0), f"net asset value {found.nav_price:,.2f}"
    value = value_classes(model.run(base), curve_of(model, base)).classes[k]
    if value.dirty is None or value.clean is None:
        return par
    accrued = f" and accrued {value.accrued:,.2f}" if value.accrued else ""
    return value.claim * value.dirty / 100.0, f"price {value.clean:,.2f}{accrued}"


def _tripped(totals: Totals) -> Floats:
    # a test that must be above its trigger fails at it, with a cushion of nothing
    below = np.maximum(-totals.cushion, np.finfo(np.float64).tiny)
    return np.where(np.isnan(totals.failed), -1.0, below)


def class_ids(model: Model) -> list[str]:
    """Ids of the classes, senior first, in the order of `Totals`."""
    return [class_id(t.name) for t in model.book.deal.tranches]


def scan_points(most: float = 1.0, count: int = SCAN) -> Floats:
    """Rates from 0 to `most`, denser where they are low: that is where deals break."""
    points = most * np.linspace(0.0, 1.0, count) ** 2
    points[-1] = most
    return points


@dataclass(slots=True)
class _Bracket:
    """A change of one name somewhere above `low` and up to `high`; `broken`: at `high` it does not hold."""

    name: int
    low: float
    high: float
    broken: bool


def break_even(
    model: Model,
    base: Assumptions,
    target: Target = Target.FIRST_LOSS,
    *,
    basis: Basis = Basis.PRICE,
    tolerance: float = TOLERANCE,
    threads: int = THREADS,
    report: Report = silent,
) -> BreakEvens:
    """Break-even default rates of every class (or test), from 0 to 100 % a year.

    The equity is left out of `first-loss`: it is owed nothing. `yield-zero`: everything a class is paid is less than
    what it is bought for, by `basis`. Raises ValueError as a run, and for a tolerance below 1e-12.
    """
    if tolerance < 1e-12:
        raise ValueError(f"A break-even is found to 1e-12 at best; {tolerance:g} is finer.")
    of = watched(model, target, base, basis)
    names = of.names
    ran = 0

    def run(rates: Sequence[float]) -> Flags:
        nonlocal ran
        cases = [replace(base, cdr=float(rate)) for rate in rates]
        ran += len(cases)
        return of.short(model.totals(cases, threads=threads, coverage=of.coverage)) > 0.0

    points = scan_points()
    report(0.0, "Looking for changes")
    seen = run(points.tolist())
    open_ = [b for k in range(len(names)) for b in _changes(k, points, seen[:, k])]
    closed: list[_Bracket] = []
    width = max((b.high - b.low for b in open_), default=0.0)
    first = width
    while open_:
        closed += [b for b in open_ if b.high - b.low <= tolerance]
        open_ = [b for b in open_ if b.high - b.low > tolerance]
        if not open_:
            break
        open_ = _narrowed(open_, run)
        width = max(b.high - b.low for b in open_)
        report(_share(first, width, tolerance), f"{ran:,} scenarios, within {width * 1e4:.3g} bp")
    own = model.rates(base)["cdr"]
    found = tuple(
        replace(
            _answer(name, bool(seen[0, k]), [b for b in closed if b.name == k], own),
            basis=of.bases[k] if of.bases else "",
        )
        for k, name in enumerate(names)
    )
    report(1.0, "Done")
    return BreakEvens(target, own, tolerance, ran, found)


def _share(first: float, width: float, tolerance: float) -> float:
    """How far the width has come on its way to the tolerance, each tenth of it as long as the one before."""
    whole = np.log(first / tolerance)
    return float(min(max(np.log(first / max(width, tolerance)) / whole, 0.0), 1.0)) if whole > 0.0 else 1.0


def _changes(name: int, points: Floats, broken: Flags) -> list[_Bracket]:
    at = np.flatnonzero(broken[1:] != broken[:-1])[:_MOST_CROSSINGS]
    return [_Bracket(name, float(points[i]), float(points[i + 1]), bool(broken[i + 1])) for i in at]


def _narrowed(brackets: Sequence[_Bracket], run: Callable[[Sequence[float]], Flags]) -> list[_Bracket]:
    """Every bracket by the same number of interior points; a bracket in which it changes more often falls apart."""
    inside = max(1, BLOCK // len(brackets))
    shares = np.arange(1, inside + 1) / (inside + 1)
    points = [[b.low + (b.high - b.low) * float(share) for share in shares] for b in brackets]
    seen = run([rate for row in points for rate in row]).reshape(len(brackets), inside, -1)
    made: list[_Bracket] = []
    for bracket, row, broken in zip(brackets, points, seen, strict=True):
        rates = np.array([bracket.low, *row, bracket.high])
        flags = np.array([not bracket.broken, *broken[:, bracket.name], bracket.broken])
        made += _changes(bracket.name, rates, flags)
    return made


def _answer(name: str, at_once: bool, brackets: Iterable[_Bracket], own: float) -> BreakEven:
    crossings = tuple(Crossing(b.low, b.high, b.broken) for b in sorted(brackets, key=lambda b: b.low))
    cdr = 0.0 if at_once else next((c.low for c in crossings if c.breaks), None)
    multiple = cdr / own if cdr is not None and own > 0.0 else None
    return BreakEven(name, cdr, at_once, multiple, crossings)


def cumulative_defaults(model: Model, base: Assumptions, rates: Sequence[float | None]) -> tuple[float | None, ...]:
    """Defaults over the run, present and reinvested assets, over the performing par at the start, at default rates."""
    made: list[float | None] = []
    for rate in rates:
        if rate is None:
            made.append(None)
            continue
        run = model.run(replace(base, cdr=rate))
        gone = run.collateral[:, DEFAULTED].sum() + run.result.reinvested_flows[:, DEFAULTED].sum()
        made.append(float(gone / run.inputs.performing) if run.inputs.performing > 0.0 else None)
    return tuple(made)


def curve(
    model: Model, base: Assumptions, rates: Sequence[float], *, threads: int = THREADS, report: Report = silent
) -> Floats:
    """float64[n_rates, n_classes]: share of each class's claim that stays unpaid at each default rate; NaN: no claim.

    Of the equity: what it gets in all over its balance.
    """
    totals = model.totals([replace(base, cdr=rate) for rate in rates], threads=threads, report=report)
    owed = claims(model)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.where(owed > 0.0, totals.unpaid / owed, np.nan)
        equity = class_ids(model).index(model.document.equity)
        shares[:, equity] = np.where(owed[equity] > 0.0, paid(totals)[:, equity] / owed[equity], np.nan)
    return shares
