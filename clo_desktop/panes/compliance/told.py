"""How a test came about, in words."""

from __future__ import annotations

from typing import Final

from clo_desktop.look import formats
from clo_desktop.look.icons import GLYPHS, outcome_of
from clo_desktop.panes.compliance.frames import aggregate
from clo_desktop.work.standing import outcome_word
from engine.compliance import TestResult


def reckoning(result: TestResult) -> str:
    """How a test came about, a line each: result and limit, outcome and cushion, parts, what counts, readings."""
    lines = [
        f"Test {result.number}, {result.name}: {_result(result)} against "
        f"{'at most' if result.direction == 'MAX' else 'at least'} "
        f"{formats.with_unit(result.kind, result.threshold)} ({_SOURCES[result.limit_source]}).",
        _cushion(result),
        _reckoned(result),
    ]
    if result.wording:
        lines.append(f"Counts: {result.wording}")
    if result.reading:
        lines.append(f"Reading: {result.reading}.")
    if result.comment and not result.empty:
        lines.append(f"Comment: {result.comment}.")
    return "\n".join(filter(None, lines))


def _result(result: TestResult) -> str:
    return formats.MISSING if result.empty else formats.with_unit(result.kind, result.result)


def _cushion(result: TestResult) -> str:
    """The outcome with its shape, and the room in the unit of the test, in par and in names."""
    if result.empty:
        return ""
    word = outcome_word(result)
    told = {"maintained": "Fails, maintained or improved"}.get(word, word.capitalize())
    room = [formats.with_unit(result.kind, result.cushion)]
    room += [] if result.cushion_par is None else [f"{formats.text('money', result.cushion_par)} of par"]
    if result.cushion_names is not None:
        room.append(f"{formats.figure(result.cushion_names, 1)} names of average size")
    return f"{GLYPHS[outcome_of(word)]} {told}; cushion {', '.join(room)}."


def _reckoned(result: TestResult) -> str:
    """From what the result was made."""
    over = formats.counted(int(result.members.sum()), "position")
    what = aggregate(result)
    if result.empty:
        return f"{result.comment}: there is nothing to hold against the limit."
    if what == "diversity":
        return f"{formats.figure(result.numerator, 2)} points over {over}."
    parts = f"{formats.text('money', result.numerator)} / {formats.text('money', result.denominator)}"
    if what == "average":
        return f"Weighted by par of {formats.text('money', result.denominator)}, over {over}{_average_room(result)}."
    if what == "formula":
        return "A formula over inputs of the deal and results of other tests."
    if what not in ("share", "largest", "top"):
        return f"{parts} over {over}."
    if what == "largest" and result.comment:
        mine = int((result.members & (result.amounts > 0.0)).sum())
        over = f"{formats.counted(mine, 'position')} of {result.comment}, the name in question among {over}"
    return f"{parts} over {over}."


def _average_room(result: TestResult) -> str:
    """The cushion of an average in par at the most adverse figure held."""
    if result.cushion_par is None:
        return ""
    par = formats.text("money", abs(result.cushion_par))
    if result.cushion >= 0.0:
        return f"; {par} par at the most adverse figure held may be added"
    return f"; {par} par at the most adverse figure held is too much"


_SOURCES: Final = {
    "deal": "the deal's table",
    "override": "override in the deal's table",
    "schedule": "scheduled in the deal's inputs",
    "computed": "computed from the deal's inputs and other results",
    "catalogue": "the catalogue's usual limit",
}
