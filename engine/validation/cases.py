"""Worked cases as data: what a file of cases may say, checked before anything runs.

Two shapes are known, each a mapping with a list `cases`: id, title, mode, inputs, expected, notes (worked cases of a
specification), and id, topic, tool, inputs, outputs, tolerance (anchors of other tools).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

MOST_CASES: Final = 10_000
DEEPEST: Final = 40
LARGEST: Final = 10**18
LEGACY: Final = "legacy"


class CaseError(ValueError):
    """The file, or one of its cases, is not what it should be; the text says where and what to change."""


@dataclass(frozen=True, slots=True)
class Case:
    """One worked case.

    mode       legacy: figures of the workbook's own model where the engine departs from it on purpose; anything else
               is to be met
    kind       which runner knows it, where the id does not say
    tolerance  absolute, of every figure; None: see compare.tolerance_of
    """

    id: str
    title: str
    mode: str
    inputs: Mapping[str, Any]
    expected: Any
    tolerance: float | None = None
    kind: str | None = None
    notes: str = ""

    @property
    def is_legacy(self) -> bool:
        return self.mode == LEGACY


@dataclass(frozen=True, slots=True)
class Library:
    """What a case may refer to: the other cases of its file, and data files that stand beside it, by name."""

    cases: Mapping[str, Case] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)

    def inputs(self, case_id: str) -> Mapping[str, Any]:
        if case_id not in self.cases:
            raise CaseError(f"refers to case {case_id}, which the file does not have")
        return self.cases[case_id].inputs

    def waterfall(self, reference: str) -> tuple[str, Mapping[str, Any]]:
        """A deal's waterfall: "file.json:DEAL" -> name and its classes and lists of steps."""
        file, _, deal = reference.partition(":")
        if file not in self.files:
            raise CaseError(f"refers to {file}, which is not beside the file of cases")
        deals = self.files[file].get("deals", {}) if isinstance(self.files[file], Mapping) else {}
        if deal not in deals:
            raise CaseError(f"refers to the waterfall {deal!r}, which {file} does not have")
        return deal, deals[deal]


def read_cases(data: Any) -> tuple[Case, ...]:
    """The cases of parsed JSON. Raises CaseError with one sentence naming the case and what to change."""
    if not isinstance(data, Mapping) or not isinstance(data.get("cases"), list):
        raise CaseError("The file has no list `cases`; each file of worked cases is a mapping with one.")
    rows = data["cases"]
    if not rows:
        raise CaseError("The file's list `cases` is empty; nothing would be validated.")
    if len(rows) > MOST_CASES:
        raise CaseError(f"The file has {len(rows):,} cases; at most {MOST_CASES:,} are run at once, so split it.")
    cases: dict[str, Case] = {}
    for place, row in enumerate(rows, start=1):
        case = _case(row, place)
        if case.id in cases:
            raise CaseError(f"Two cases have the id {case.id}; give each its own.")
        cases[case.id] = case
    return tuple(cases.values())


def _case(row: Any, place: int) -> Case:
    where = f"Case number {place}"
    if not isinstance(row, Mapping):
        raise CaseError(f"{where} is no mapping; a case has id, inputs and expected (or outputs).")
    case_id = row.get("id")
    if not isinstance(case_id, str) or not case_id.strip():
        raise CaseError(f"{where} has no id; give it one, as text.")
    where = f"Case {case_id}"
    if not isinstance(row.get("inputs"), Mapping):
        raise CaseError(f"{where} has no mapping `inputs`.")
    _check_values(row, where)
    expected = row.get("expected", row.get("outputs"))
    if not isinstance(expected, Mapping | list) or not expected:
        raise CaseError(f"{where} has nothing in `expected` (or `outputs`); there would be nothing to compare.")
    tolerance = row.get("tolerance")
    if tolerance is not None and not (is_number(tolerance) and math.isfinite(tolerance) and tolerance >= 0):
        raise CaseError(f"{where} has the tolerance {tolerance!r}; write a number of nought or more, or leave it out.")
    for key in ("title", "topic", "mode", "kind", "notes"):
        if not isinstance(row.get(key, ""), str):
            raise CaseError(f"{where} has a {key} that is no text.")
    return Case(
        id=case_id,
        title=str(row.get("title", row.get("topic", ""))),
        mode=str(row.get("mode", "reference")),
        inputs=row["inputs"],
        expected=expected,
        tolerance=tolerance,
        kind=row.get("kind"),
        notes=str(row.get("notes", "")),
    )


def _check_values(row: Any, where: str) -> None:
    """Refuses numbers no case has a use for, and mappings and lists nested beyond reason."""
    waiting: list[tuple[Any, int]] = [(row, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEEPEST:
            raise CaseError(f"{where} is nested deeper than {DEEPEST} levels.")
        if isinstance(value, Mapping):
            waiting += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        elif is_number(value) and not abs(value) <= LARGEST:
            raise CaseError(f"{where} has a number that is infinite, no number, or beyond {LARGEST:.0e}.")


def files_named(cases: tuple[Case, ...]) -> tuple[str, ...]:
    """Data files the cases refer to, by bare name; a name with a folder in it is left out, so nothing else is read."""
    found = {str(case.inputs["wdl"]).partition(":")[0] for case in cases if isinstance(case.inputs.get("wdl"), str)}
    return tuple(
        sorted(name for name in found if name and not set(name) & {"/", "\\", "\0"} and name.endswith(".json"))
    )


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
