"""Which limit holds: override, the deal's schedule, a formula, the deal's table, the catalogue (spec 1.3)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Final

from engine.compliance.catalogue import Definition
from engine.compliance.formulas import Known, Lacking
from engine.terms import Deal, TestLimit

_STEP: Final = re.compile(r"limit\s+(\d+)\s+from\s+(\d{4}-\d{2}-\d{2})$", re.IGNORECASE)
"""A deal's label "Limit 35 from 2027-01-20" beside the limit from that day on."""

Steps = Mapping[int, tuple[tuple[dt.date, float], ...]]
"""The scheduled limits of a deal by test: (from this day on, limit) by date."""


def holding(
    definition: Definition, limit: TestLimit, known: Known, steps: Steps, as_of: dt.date | None
) -> tuple[float, str]:
    """The limit and where it comes from: "override", "schedule", "computed", "deal" or "catalogue".

    Raises Lacking where none of them gives one.
    """
    if limit.override:
        return limit.override, "override"
    scheduled = step(steps, definition.number, as_of)
    if scheduled is not None:
        return scheduled, "schedule"
    lacks = ""
    if definition.limit.formula is not None:
        try:
            return definition.limit.formula.value(known), "computed"
        except Lacking as error:  # the deal has not the inputs: its table says
            lacks = str(error)
    if limit.threshold is not None:
        return limit.threshold, "deal"
    usual = definition.limit.on(as_of)
    if usual is None:
        raise Lacking(f"a limit in the deal's table{', or ' + lacks if lacks else ''}")
    return usual, "catalogue"


def step(steps: Steps, number: int, as_of: dt.date | None) -> float | None:
    """The scheduled limit of a test on a day; None before its first step or without one."""
    found = None
    for start, limit in steps.get(number, ()):
        if as_of is not None and start <= as_of:
            found = limit
    return found


def steps_of(deal: Deal) -> Steps:
    """The deal's scheduled limits. Raises ValueError for a step that is no number or no date."""
    made: dict[int, list[tuple[dt.date, float]]] = {}
    for label, value in deal.quality_inputs:
        match = _STEP.match(label.strip())
        if match is None or value is None:
            continue
        try:
            start = dt.date.fromisoformat(match[2])
        except ValueError as error:
            raise ValueError(f"“{label}”: {match[2]} is no day; write it as 2027-01-20.") from error
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"“{label}” needs a number beside it, not {value!r}.")
        made.setdefault(int(match[1]), []).append((start, float(value)))
    return {number: tuple(sorted(found)) for number, found in made.items()}
