"""Evaluation of a deal's tests: one function an aggregate, one pass over the column store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from engine.compliance import gaps
from engine.compliance.catalogue import Catalogue, ComputedLimit, Definition
from engine.compliance.measures import MEASURES, coverage_value, diversity_score
from engine.compliance.readings import Readings
from engine.pool import Flags, Floats, Pool
from engine.terms import Deal, TestLimit, lookup, number

RECOVERY_TEST: Final = 33  # the limits of 32, 36, 39 and 54 depend on its result (spec 1.4)

_AT_THE_LIMIT: Final = 1e-13
"""Relative distance that is rounding of a sum, not a breach: a cent on 500m is 2e-11 (limits are inclusive)."""


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    MAINTAINED = "maintained"  # fails, but is not worse than the baseline


@dataclass(frozen=True, slots=True, eq=False)
class TestResult:
    """One test. Result, threshold and cushion share a unit (`kind`); numerator and denominator are money or factors.

    cushion   room to the limit: threshold - result (MAX) or result - threshold (MIN); negative where it fails
    members   bool[n]  the positions that count
    amounts   float64[n]  what each adds to the numerator (for a largest test: par of the name that is largest)
    limit_source  "deal", "override", "computed" or "catalogue"
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


@dataclass(frozen=True, slots=True, eq=False)
class Compliance:
    """All tests of a deal at one date."""

    deal: str
    as_of: dt.date | None
    readings: Readings
    pool: Pool
    cash: float
    performing_par: float
    results: tuple[TestResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def collateral_principal_amount(self) -> float:
        return self.performing_par + self.cash

    def result(self, test: int) -> TestResult:
        return next(r for r in self.results if r.number == test)


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    result: float
    numerator: float
    denominator: float
    members: Flags
    amounts: Floats
    comment: str = ""
    gap: str = ""  # what positions lack


@dataclass(frozen=True, slots=True, eq=False)
class _Context:
    """What every aggregate may use."""

    deal: Deal
    pool: Pool
    readings: Readings
    catalogue: Catalogue
    cash: float
    performing: Flags
    performing_par: float
    index: float

    def population(self, definition: Definition) -> Flags:
        parameters = {"stated_maturity": self._stated_maturity(), "as_of": self.deal.analysis_date}
        mask = definition.where.mask(self.pool, self.catalogue.sets, parameters)
        return mask & self.performing if self.readings.defaulted == "excluded" else mask

    def _stated_maturity(self) -> dt.date | None:
        found = lookup(self.deal.quality_inputs, "Stated Maturity Date") or self.deal.date("Stated Maturity")
        return found if isinstance(found, dt.date) else None


def evaluate(deal: Deal, pool: Pool, catalogue: Catalogue, readings: Readings) -> Compliance:
    """Every test of the deal's table, in its order.

    A test whose number the catalogue does not have is not faked: it is named in the notes, and so is what positions
    lack of what the tests read.
    """
    performing = ~pool.flags("defaulted")
    context = _Context(
        deal=deal,
        pool=pool,
        readings=readings,
        catalogue=catalogue,
        cash=deal.principal_cash,
        performing=performing,
        performing_par=float(pool.par[performing].sum()),
        index=_current_index(deal),
    )
    notes: list[str] = []
    recovery = _measure(catalogue.definitions[RECOVERY_TEST], context).result
    results: list[TestResult] = []
    evaluated: list[Definition] = []
    lacks: dict[str, list[int]] = {}
    for limit in deal.limits:
        definition = catalogue.definitions.get(limit.number)
        if definition is None:
            notes.append(f"Test {limit.number} ({limit.name}) is not in the catalogue and was not evaluated.")
            continue
        measured = _measure(definition, context)
        results.append(_judge(definition, limit, context, recovery, measured))
        evaluated.append(definition)
        if measured.gap:
            lacks.setdefault(measured.gap, []).append(definition.number)
    for gap, numbers in lacks.items():
        named = gaps.tests_named(numbers)
        notes.append(f"{named[0].upper()}{named[1:]}: {gap}.")
    notes += gaps.of_conditions(evaluated, pool)
    if context.cash < 0:
        notes.append("Principal cash is negative (unsettled purchases): it lowers the collateral principal amount.")
    return Compliance(
        deal=deal.name,
        as_of=deal.analysis_date,
        readings=readings,
        pool=pool,
        cash=context.cash,
        performing_par=context.performing_par,
        results=tuple(results),
        notes=tuple(notes),
    )


def _current_index(deal: Deal) -> float:
    found = number(deal.quality_inputs, "Current LIBOR")
    return found if found is not None else deal.current_index or 0.0


# --- aggregates --------------------------------------------------------------------------------------------------


def _ratio(numerator: float, denominator: float) -> float:
    """The share. Of a denominator that is zero or negative (more owed than held) nothing is nothing, something is
    infinitely much: a limit from above fails."""
    if denominator > 0.0:
        return numerator / denominator
    return float(np.sign(numerator)) * float("inf") if numerator else 0.0


def _share(definition: Definition, context: _Context) -> _Measured:
    members = context.population(definition)
    weights = context.pool.numbers(definition.weight) if definition.weight else context.pool.par
    amounts = np.where(members, np.nan_to_num(weights, nan=0.0), 0.0)
    numerator = float(amounts.sum()) + (context.cash if definition.plus_cash else 0.0)
    denominator = context.performing_par + context.cash
    return _Measured(_ratio(numerator, denominator), numerator, denominator, members, amounts)


def _largest(definition: Definition, context: _Context) -> _Measured:
    """The k-th largest par by key; par descending, ties by key ascending. Fewer than k keys: zero."""
    members = context.population(definition)
    denominator = context.performing_par + context.cash
    nothing = _Measured(0.0, 0.0, denominator, members, np.zeros(len(context.pool)))
    if not members.any():
        return nothing
    keys, codes = context.pool.codes(definition.key)
    totals = np.bincount(codes[members], weights=context.pool.par[members], minlength=keys.size)
    present = np.unique(codes[members])
    order = present[np.lexsort((present, -totals[present]))]
    if order.size < definition.rank:
        return nothing
    chosen = int(order[definition.rank - 1])
    amounts = np.where(members & (codes == chosen), context.pool.par, 0.0)
    name = _spelled(context, definition.key, amounts)
    return _Measured(
        _ratio(float(totals[chosen]), denominator), float(totals[chosen]), denominator, members, amounts, name
    )


def _spelled(context: _Context, key: str, amounts: Floats) -> str:
    """The key as the asset master spells it."""
    place = int(np.argmax(amounts != 0.0))
    return str(getattr(context.pool.assets[place], key) or "(blank)")


def _average(definition: Definition, context: _Context) -> _Measured:
    members = context.population(definition)
    values = MEASURES[definition.measure](context.pool, context.index, context.readings)
    missing = members & np.isnan(values)
    amounts = np.where(members & ~missing, context.pool.par * np.nan_to_num(values, nan=0.0), 0.0)
    counted = context.performing if definition.over == "performing" else members
    denominator = float(context.pool.par[counted & ~missing].sum())
    numerator = float(amounts.sum())
    result = _ratio(numerator, denominator)
    if definition.measure == "wal" and context.readings.wal_decimals is not None:
        result = round(result, context.readings.wal_decimals)
    gap = gaps.of_average(definition.measure, members, missing, context.pool)
    return _Measured(result, numerator, denominator, members, amounts, gap=gap)


def _diversity(definition: Definition, context: _Context) -> _Measured:
    members = context.population(definition)
    score, amounts = diversity_score(context.pool, members, context.readings)
    return _Measured(score, score, 1.0, members, amounts)


def _coverage(definition: Definition, context: _Context) -> _Measured:
    """Cash and carrying values over the rated notes. Without the input: balances of all rated classes."""
    amounts = coverage_value(context.pool, context.readings)
    numerator = context.cash + float(amounts.sum())
    given = number(context.deal.quality_inputs, definition.denominator)
    comment = ""
    if given is None:
        given = sum(t.current_balance + t.deferred_balance for t in context.deal.tranches if not t.is_equity)
        comment = f"{definition.denominator} is not given; the sum of the rated notes is used"
    members = np.ones(len(context.pool), dtype=np.bool_)
    gap = gaps.of_coverage(amounts, context.pool)
    return _Measured(_ratio(numerator, given), numerator, given, members, amounts, comment, gap)


_AGGREGATES: Final[Mapping[str, Callable[[Definition, _Context], _Measured]]] = {
    "share": _share,
    "largest": _largest,
    "average": _average,
    "diversity": _diversity,
    "coverage": _coverage,
}


def _measure(definition: Definition, context: _Context) -> _Measured:
    return _AGGREGATES[definition.aggregate](definition, context)


# --- limits and outcomes -----------------------------------------------------------------------------------------


def _threshold(definition: Definition, limit: TestLimit, context: _Context, recovery: float) -> tuple[float, str]:
    """The limit that holds and where it comes from: override, computed, the deal's table, the catalogue."""
    if limit.override:
        return limit.override, "override"
    rule = definition.limit
    if isinstance(rule, ComputedLimit):
        computed = _computed(rule, context.deal, recovery)
        if computed is not None:
            return computed, "computed"
    if limit.threshold is not None:
        return limit.threshold, "deal"
    return (0.0 if isinstance(rule, ComputedLimit) else rule), "catalogue"


def _computed(rule: ComputedLimit, deal: Deal, recovery: float) -> float | None:
    """base + (recovery - pivot) x slope, or None where the deal lacks an input."""
    base = number(deal.quality_inputs, rule.base)
    pivot = number(deal.quality_inputs, rule.pivot) if isinstance(rule.pivot, str) else rule.pivot
    if rule.slope.input is None:
        slope: float | None = rule.slope.then if base is not None and base >= rule.slope.at_least else None
        slope = rule.slope.otherwise if slope is None else slope
    else:
        factor = number(deal.quality_inputs, rule.slope.input)
        slope = None if factor is None else factor * rule.slope.times
    if base is None or pivot is None or slope is None:
        return None
    return base + (recovery - pivot) * slope


def _judge(
    definition: Definition, limit: TestLimit, context: _Context, recovery: float, measured: _Measured
) -> TestResult:
    threshold, source = _threshold(definition, limit, context, recovery)
    direction = limit.direction.strip().upper() or definition.direction
    sign = 1.0 if direction == "MIN" else -1.0
    cushion = sign * (measured.result - threshold)
    if abs(cushion) <= _AT_THE_LIMIT * max(1.0, abs(threshold)):
        cushion = 0.0
    comment = "; ".join(filter(None, (measured.comment, measured.gap)))
    if cushion >= 0.0:
        outcome = Outcome.PASS
    elif not measured.members.any() and definition.aggregate == "average":
        outcome, comment = Outcome.PASS, "No such assets"
    elif limit.previous is not None and limit.previous > 0 and sign * (measured.result - limit.previous) >= 0.0:
        outcome = Outcome.MAINTAINED
        comment = "; ".join(filter(None, (comment, f"maintains or improves {limit.previous:.6g}")))
    else:
        outcome = Outcome.FAIL
    return TestResult(
        number=definition.number,
        name=definition.name,
        kind=definition.kind,
        direction=direction,
        result=measured.result,
        threshold=threshold,
        limit_source=source,
        outcome=outcome,
        numerator=measured.numerator,
        denominator=measured.denominator,
        cushion=cushion,
        comment=comment,
        wording=definition.where.text,
        previous=limit.previous,
        members=measured.members,
        amounts=measured.amounts,
    )
