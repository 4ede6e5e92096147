"""Evaluation of a deal's tests: where they stand, with the reasons, names and rooms that a manager asks for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.asset import Asset
from engine.compliance import gaps, own, parameters
from engine.compliance.catalogue import Catalogue, Definition
from engine.compliance.measures import TABLES_OF
from engine.compliance.plan import Plan, Reckoned
from engine.compliance.readings import Readings
from engine.compliance.results import Compliance, TestResult
from engine.compliance.rows import Average, Row, Score
from engine.compliance.standing import Outcome, Standing, stand
from engine.filter_values import unknown_values
from engine.pool import Floats, Pool
from engine.terms import Deal

_NONE: Final = "No such assets"


def plan_of(
    deal: Deal, pool: Pool, catalogue: Catalogue, readings: Readings, master: Iterable[Asset] | None = None
) -> Plan:
    """The deal's tests made ready for a universe of assets (its own, or also what it may buy); `master` as in Plan.

    Raises ValueError for inputs of the deal that cannot be read.
    """
    mine, refused = own.definitions(deal)
    numbers = [t.number for t in deal.limits]
    plan = Plan(deal, pool, catalogue, parameters.of_deal(readings, deal), numbers, mine, master)
    plan.refused.update(refused)
    return plan


def evaluate(
    deal: Deal, pool: Pool, catalogue: Catalogue, readings: Readings, master: Iterable[Asset] | None = None
) -> Compliance:
    """Every test of the deal's table, in its order, under the readings and the deal's own choices among them.

    master  the assets of the deal's whole master, held or not; None: the pool's.

    A test that the catalogue does not have, or whose inputs the deal lacks, is not faked: it is named in the notes, and
    so is what positions lack of what the tests read. Raises ValueError for inputs of the deal that cannot be read.
    """
    plan = plan_of(deal, pool, catalogue, readings, master)
    return judged(plan, plan.reckon(pool.par, deal.principal_cash), pool)


def judged(plan: Plan, reckoned: Reckoned, pool: Pool) -> Compliance:
    """The figures held against the deal's limits, in words too; `pool` holds the par that was reckoned."""
    standings, refused = stand(plan, reckoned)
    names = {limit.number: limit.name for limit in plan.deal.limits}
    notes = [f"Test {n} ({names[n]}) was not evaluated: {reason}." for n, reason in refused.items()]
    teller = _Teller(plan, reckoned, pool.par, _obligors(plan, pool.par))
    told = [teller.tell(standing) for standing in standings.values()]
    lacks: dict[str, list[int]] = {}
    for result, gap in told:
        if gap:
            lacks.setdefault(gap, []).append(result.number)
    for gap, numbers in lacks.items():
        named = gaps.tests_named(numbers)
        notes.append(f"{named[0].upper()}{named[1:]}: {gap}.")
    notes += _condition_notes(plan, tuple(standings))
    notes += _value_notes(plan)
    notes += gaps.of_filled(plan.filled, len(pool))
    if reckoned.cash < 0:
        notes.append("Principal cash is negative (unsettled purchases): it lowers the collateral principal amount.")
    return Compliance(
        deal=plan.deal.name,
        as_of=plan.as_of,
        readings=plan.readings,
        pool=pool,
        cash=reckoned.cash,
        performing_par=reckoned.performing_par,
        results=tuple(result for result, _ in told),
        notes=tuple(notes),
        plan=plan,
        filled=plan.filled,
    )


def _condition_notes(plan: Plan, numbers: tuple[int, ...]) -> list[str]:
    """What positions lack of what conditions read; of a universe the same whatever is held, so found once."""
    if numbers not in plan.kept:
        plan.kept[numbers] = gaps.of_conditions([plan.definitions[n] for n in numbers], plan.pool, plan.readings)
    found: list[str] = plan.kept[numbers]
    return found


def _value_notes(plan: Plan) -> list[str]:
    """Which tests of users count nothing since a value in their filter occurs nowhere; found once a plan."""
    if _value_notes not in plan.kept:
        plan.kept[_value_notes] = [
            f"Test {n} ({plan.definitions[n].name}) counts nothing: {'; '.join(u.words for u in unknown)}."
            for n, row in plan.rows.items()
            if n >= own.FIRST and not row.members.any()
            if (unknown := unknown_values(plan.definitions[n].population(plan.readings), plan.every, plan.basis.sets))
        ]
    found: list[str] = plan.kept[_value_notes]
    return found


def _obligors(plan: Plan, par: Floats) -> int:
    """Performing obligors held, affiliates as one."""
    held = plan.performing & (par != 0.0)
    return len(set(plan.keys("issuer_id")[held].tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class _Teller:
    """Puts standings into results; `obligors` is how many names the performing par is of."""

    plan: Plan
    reckoned: Reckoned
    par: Floats
    obligors: int

    def tell(self, standing: Standing) -> tuple[TestResult, str]:
        """The test's result and what positions lack."""
        definition = standing.definition
        row = self.plan.rows.get(definition.number)
        if row is None:
            members, amounts = np.zeros(self.par.size, dtype=np.bool_), np.zeros(self.par.size)
        else:
            members, amounts = row.members, row.amounts(self.par, self.reckoned.cash)
        gap = self._gap(definition, row, amounts)
        said = (self._named(definition, amounts), definition.note, gap, _maintained(standing))
        wording, reading = self._words(definition)
        par_room, names = self._room(standing, row)
        made = TestResult(
            number=definition.number,
            name=definition.name,
            kind=definition.kind,
            direction=standing.direction,
            result=standing.result,
            threshold=standing.threshold,
            limit_source=standing.source,
            outcome=standing.outcome,
            numerator=standing.numerator,
            denominator=standing.denominator,
            cushion=standing.cushion,
            comment=_NONE if standing.empty else "; ".join(filter(None, said)),
            wording=wording,
            previous=standing.limit.previous,
            members=members,
            amounts=amounts,
            aggregate=definition.aggregate,
            reading=reading,
            cushion_par=par_room,
            cushion_names=names,
            empty=standing.empty,
        )
        return made, gap

    def _named(self, definition: Definition, amounts: Floats) -> str:
        """The name that made a largest figure, as the asset master spells it, or where a denominator comes from."""
        if definition.aggregate == "coverage":
            if self.plan.input(definition.denominator) is None:
                return f"{definition.denominator} is not given; the sum of the rated notes is used"
            return ""
        if definition.aggregate not in ("largest", "top"):
            return ""
        counted = np.flatnonzero(amounts)
        if definition.aggregate == "top":
            return f"{len(set(self.plan.keys(definition.key)[counted].tolist()))} names"
        assets = self.plan.pool.assets
        spelled = (str(getattr(assets[i], definition.key) or "(blank)") for i in counted)
        if definition.key == "issuer_id":
            return " with ".join(dict.fromkeys(spelled))
        return next(spelled, "")

    def _gap(self, definition: Definition, row: Row | None, amounts: Floats) -> str:
        if isinstance(row, Average):
            held = self.par != 0.0
            return gaps.of_average(definition.measure, row.members & held, row.missing & held, self.plan.pool)
        return gaps.of_coverage(amounts, self.plan.pool) if definition.aggregate == "coverage" else ""

    def _words(self, definition: Definition) -> tuple[str, str]:
        """What counts, and the choices of the deal that bear on the figure; said once a plan."""
        kept = self.plan.kept
        if definition.number not in kept:
            reading = ". ".join(filter(None, (_reading(definition, self.plan.readings), self._tables(definition))))
            kept[definition.number] = _wording(definition, self.plan.readings), reading
        found: tuple[str, str] = kept[definition.number]
        return found

    def _tables(self, definition: Definition) -> str:
        """What of the reference tables behind a figure is not confirmed, or is the deal's own."""
        said = []
        for name in TABLES_OF.get(definition.measure, ()):
            table = self.plan.tables.get(name)
            if table is not None and table.unconfirmed:
                said.append(f"Table {name}, not confirmed: {table.unconfirmed}")
            if table is not None and table.overridden:
                own_keys = ", ".join("/".join(key) for key in table.overridden)
                said.append(f"Table {name}, the deal's own: {own_keys}")
        return ". ".join(said)

    def _room(self, standing: Standing, row: Row | None) -> tuple[float | None, float | None]:
        """The cushion in par and in obligors of average size."""
        threshold, sign = standing.threshold, standing.sign
        if row is None or standing.denominator <= 0.0 or not np.isfinite(standing.cushion):
            return None, None
        each = self.reckoned.performing_par / self.obligors if self.obligors else 0.0
        if isinstance(row, Score):
            mine = standing.result / max(row.diversity.names(self.par), 1)
            return None, standing.cushion / mine if mine > 0.0 else None
        if isinstance(row, Average):
            counted = row.members & ~row.missing & (self.par != 0.0)
            if not counted.any():
                return None, None
            worst = float(row.values[counted].min() if sign > 0 else row.values[counted].max())
            if sign * (threshold - worst) <= 0.0:
                return None, None
            room = (standing.numerator - threshold * standing.denominator) / (threshold - worst)
        elif standing.definition.aggregate in ("share", "largest", "top", "coverage", "excess"):
            room = standing.cushion * standing.denominator
        else:
            return None, None
        return room, room / each if each > 0.0 else None


def _maintained(standing: Standing) -> str:
    """How a failing test stands to its baseline."""
    if not standing.held:
        return ""
    before = f"{standing.limit.previous:.6g}"
    if standing.outcome is Outcome.MAINTAINED:
        return f"maintains or improves {before}"
    return f"not worse than {before}, but the deal's criteria do not allow that"


def _reading(definition: Definition, readings: Readings) -> str:
    keys = [*definition.reading, *(["affiliates"] if definition.key == "issuer_id" else [])]
    if not definition.reading or readings.defaulted == "excluded":
        keys.append("defaulted")
    wording = readings.wording
    return ". ".join(dict.fromkeys(text for key in keys if (text := wording[key])))


def _wording(definition: Definition, readings: Readings) -> str:
    """What counts, in the filter language; of a formula, the formula."""
    if definition.formula is not None:
        return definition.formula.text
    text = definition.population(readings).text
    if definition.listed:
        return f"{text + ' and ' if text else ''}listed under “{definition.listed}”"
    return text
