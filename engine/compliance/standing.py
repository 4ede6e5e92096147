"""Where tests stand: figure, limit, outcome and cushion, in numbers only: what a trade is judged by, many times."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from engine.compliance import limits, own
from engine.compliance.catalogue import Definition
from engine.compliance.formulas import Lacking
from engine.compliance.plan import Plan, Reckoned
from engine.terms import TestLimit

AT_THE_LIMIT: Final = 1e-13
"""Relative distance that is rounding of a sum, not a breach: a cent on 500m is 2e-11 (limits are inclusive)."""


class Outcome(StrEnum):
    PASS = "pass"
    FAIL = "fail"
    MAINTAINED = "maintained"  # fails, but is not worse than the baseline, and the deal's criteria allow that


@dataclass(frozen=True, slots=True)
class Standing:
    """One test of the deal's table.

    limit     the row of the deal's table, with the baseline that nothing overwrites (`previous`)
    cushion   threshold - result (MAX) or result - threshold (MIN)
    held      it fails but is not worse than the baseline, whether or not the criteria allow that
    empty     an average of nothing: there is no result to hold against the limit, and it passes
    """

    definition: Definition
    limit: TestLimit
    direction: str
    result: float
    numerator: float
    denominator: float
    threshold: float
    source: str
    outcome: Outcome
    cushion: float
    held: bool = False
    empty: bool = False

    @property
    def sign(self) -> float:
        """1 where more is better."""
        return 1.0 if self.direction == "MIN" else -1.0


def stand(plan: Plan, reckoned: Reckoned) -> tuple[dict[int, Standing], dict[int, str]]:
    """Every test of the deal's table by number, in its order, and why others are refused."""
    made: dict[int, Standing] = {}
    refused: dict[int, str] = {}
    for limit in plan.deal.limits:
        reason = _refused(plan, reckoned, limit)
        if reason is None:
            try:
                made[limit.number] = _one(plan, reckoned, limit)
            except Lacking as error:
                reason = f"it needs {error}"
        if reason is not None:
            refused[limit.number] = reason
    return made, refused


def _one(plan: Plan, reckoned: Reckoned, limit: TestLimit) -> Standing:
    definition = plan.definitions[limit.number]
    figure = reckoned.figures[limit.number]
    threshold, source = limits.holding(definition, limit, reckoned, plan.steps, plan.as_of)
    direction = limit.direction.strip().upper() or definition.direction
    sign = 1.0 if direction == "MIN" else -1.0
    cushion = sign * (figure.result - threshold)
    if abs(cushion) <= AT_THE_LIMIT * max(1.0, abs(threshold)):
        cushion = 0.0
    outcome, held, empty = Outcome.PASS, False, False
    if definition.aggregate == "average" and figure.denominator == 0.0:
        members = plan.rows[limit.number].members
        empty = not (members if reckoned.par is None else members & (reckoned.par != 0.0)).any()
    if cushion < 0.0 and not empty:
        outcome = Outcome.FAIL
        before = limit.previous
        if before is not None and before > 0.0 and sign * (figure.result - before) >= -AT_THE_LIMIT * before:
            held = True
            if plan.readings.may_maintain(definition.number, definition.aggregate):
                outcome = Outcome.MAINTAINED
    return Standing(
        definition,
        limit,
        direction,
        figure.result,
        figure.numerator,
        figure.denominator,
        threshold,
        source,
        outcome,
        cushion,
        held,
        empty,
    )


def _refused(plan: Plan, reckoned: Reckoned, limit: TestLimit) -> str | None:
    """Why a test is not evaluated, or None."""
    if limit.number in reckoned.refused:
        return reckoned.refused[limit.number]
    definition = plan.definitions.get(limit.number)
    if definition is None:
        label = f"; say under “Test {limit.number}” what it measures" if limit.number >= own.FIRST else ""
        return f"it is not in the catalogue{label}"
    asked = limit.direction.strip().upper()
    if definition.fixed and asked and asked != definition.direction:
        bound = {"MIN": "from below", "MAX": "from above"}
        return (
            f"the deal's table bounds it {bound.get(asked, asked)}, its meaning is a bound "
            f"{bound[definition.direction]}: correct the table"
        )
    return None
