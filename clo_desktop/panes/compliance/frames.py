"""The tests as a table: outcome, result, limit, cushion, and the order they stand in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from clo_desktop.look.formats import Show
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.query import Filter, Mask
from clo_desktop.work.standing import cushion, outcome_word, relative_cushion
from engine.asset import Kind
from engine.compliance import Compliance, TestResult

_COLUMNS: Final = (
    Column("number", "No.", Kind.COUNT.value, tip="Number in the catalogue"),
    Column("name", "Test", Kind.TEXT.value, widest=205),
    Column("outcome", "Outcome", Show.OUTCOME.value),
    Column("result", "Result", Show.MIXED.value, kind_from="kind"),
    Column("bound", "Is", Kind.TEXT.value, tip="≤: the result may not be above the limit; ≥: not below"),
    Column("threshold", "Limit", Show.MIXED.value, kind_from="kind"),
    Column("room", "Cushion", Show.MIXED.value, kind_from="kind", tip="Room to the limit, in the unit of the test"),
    Column(
        "cushion", "Cushion of limit", Show.CUSHION.value, tip="Room to the limit as a share of the limit", widest=126
    ),
    Column("cushion_par", "Cushion, par", Kind.MONEY.value, tip="What may be bought before the limit is met"),
    Column("cushion_names", "Cushion, names", Show.SCORE.value, tip="The same in obligors of average size"),
    Column("comment", "Comment", Kind.TEXT.value),
    Column("reading", "Reading", Kind.TEXT.value, tip="The deal's choices that bear on the figure"),
    Column("numerator", "Numerator", Kind.MONEY.value),
    Column("denominator", "Denominator", Kind.MONEY.value),
    Column("source", "Limit from", Kind.TEXT.value),
    Column("kind", "Kind", Kind.TEXT.value),
)
_SHOWN: Final = (
    *("number", "name", "outcome", "result", "bound", "threshold", "room", "cushion", "cushion_par", "cushion_names"),
    "comment",
)
SETS: Final = {"Tests": _SHOWN, "All": tuple(c.name for c in _COLUMNS)}

_FIRST: Final = ("fail", "maintained", "near")
CHIPS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "all": ("All", ()),
    "failing": ("Failing", ("fail", "maintained")),
    "tight": ("Tight", ("near",)),
}
"""Words of each chip and the outcomes it shows; none: every test."""


def aggregate(result: TestResult) -> str:
    """What the test does with the positions: share, largest, top, average, diversity, coverage, formula…"""
    return result.aggregate


def in_order(results: Iterable[TestResult]) -> list[TestResult]:
    """What fails and what is near first, tightest on top; the others in the deal's order."""
    found = list(results)
    urgent = [r for r in found if outcome_word(r) in _FIRST]
    urgent.sort(key=lambda r: (_FIRST.index(outcome_word(r)), relative_cushion(r)))
    return urgent + [r for r in found if outcome_word(r) not in _FIRST]


def largest_only(result: TestResult) -> TestResult:
    """Of a largest test only the positions of the name that is largest; any other test as it is."""
    if aggregate(result) != "largest" or not (result.amounts > 0.0).any():
        return result
    return replace(result, name=f"{result.name} ({result.comment})", members=result.members & (result.amounts > 0.0))


def tests_frame(done: Compliance | None) -> Frame:
    """The tests as a table, in the order of `in_order`."""
    results = in_order(done.results) if done is not None else []
    data: dict[str, list[Any]] = {
        "number": [float(r.number) for r in results],
        "name": [r.name for r in results],
        "outcome": [outcome_word(r) for r in results],
        "result": [None if r.empty else r.result for r in results],
        "bound": ["≤" if r.direction == "MAX" else "≥" for r in results],
        "threshold": [r.threshold for r in results],
        "room": [cushion(r) for r in results],
        "cushion": [None if r.empty else relative_cushion(r) for r in results],
        "comment": [r.comment for r in results],
        "cushion_par": [r.cushion_par for r in results],
        "cushion_names": [r.cushion_names for r in results],
        "reading": [r.reading for r in results],
        "numerator": [r.numerator for r in results],
        "denominator": [r.denominator for r in results],
        "source": [r.limit_source for r in results],
        "kind": [r.kind for r in results],
    }
    return Frame(_COLUMNS, data, key="number")


def shown_by(chip: str) -> Filter | None:
    """The rows of the tests' table that a chip shows; None: every row."""
    words = CHIPS[chip][1]
    if not words:
        return None

    def passing(frame: Frame) -> Mask:
        place = frame.index["outcome"]
        return np.array([frame.value(row, place) in words for row in range(len(frame))], dtype=bool)

    return passing
