"""Expressions in words, as a reader of a listing sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.waterfall.expressions import (
    BINDS,
    COMPARISON,
    MINUS,
    NOT,
    Controlling,
    Expression,
    Function,
    Number,
    Reference,
    SumOver,
    Unary,
)

_SAYS: Final[Mapping[str, str]] = {
    "<": "is below",
    "<=": "is at most",
    ">": "is above",
    ">=": "is at least",
    "==": "is",
    "!=": "is not",
    "+": "plus",
    "-": "less",
    "*": "times",
    "/": "divided by",
    "and": "and",
    "or": "or",
}
_TIGHT: Final = 9


def words(of: Expression) -> str:
    """An expression in words: `Class A balance is above 0 and during the reinvestment period`."""
    return _worded(of)[0]


def _worded(of: Expression) -> tuple[str, int]:
    """Words, and how tightly they hold together."""
    if isinstance(of, Number):
        return _figure(of.value), _TIGHT
    if isinstance(of, Reference):
        return _reference(of.path), _TIGHT
    if isinstance(of, SumOver):
        return f"Class {', '.join(of.classes)} {_plain(of.figure)} together", _TIGHT
    if isinstance(of, Controlling):
        return f"Class {of.class_id} is the controlling class", COMPARISON
    if isinstance(of, Function):
        inner = [words(a) for a in of.arguments]
        if of.name == "if":
            return f"({inner[1]} if {inner[0]}, else {inner[2]})", _TIGHT
        if of.name == "abs":
            return f"the size of ({inner[0]})", _TIGHT
        which = "least" if of.name == "min" else "greatest"
        return f"the {which} of ({'; '.join(inner)})", _TIGHT
    if isinstance(of, Unary):
        inside, binds = _worded(of.operand)
        if of.operator == "-":
            return f"minus {inside if binds > MINUS else f'({inside})'}", MINUS
        if isinstance(of.operand, Controlling):
            return f"Class {of.operand.class_id} is not the controlling class", COMPARISON
        return f"not {inside if binds > NOT else f'({inside})'}", NOT
    power = BINDS[of.operator]
    (left, binds_left), (right, binds_right) = _worded(of.left), _worded(of.right)
    left = left if binds_left >= power else f"({left})"
    right = right if binds_right > power or (binds_right == power and power < NOT) else f"({right})"
    return f"{left} {_SAYS[of.operator]} {right}", power


def _figure(value: float) -> str:
    """A number as text; a small fraction as a percentage."""
    if 0.0 < abs(value) < 1.0:
        return f"{value * 100.0:.10g}%"
    return f"{value:,.10g}" if abs(value) < 1e15 else f"{value:g}"


def _plain(name: str) -> str:
    return name.replace("_", " ")


_PHASES: Final[Mapping[str, str]] = {
    "reinvestment": "during the reinvestment period",
    "post_reinvestment": "after the reinvestment period",
    "non_call": "during the non-call period",
    "redemption": "on redemption",
    "acceleration": "after acceleration",
    "event_of_default": "after an event of default",
    "first_period": "on the first payment date",
    "post_effective": "after the effective date",
}


def _reference(path: tuple[str, ...]) -> str:
    root, rest = path[0], path[1:]
    if root == "phase" and rest:
        return _PHASES.get(rest[0], f"in the phase {_plain(rest[0])}")
    if root == "class" and len(rest) == 2:
        return f"Class {rest[0]} {_plain(rest[1])}"
    if root == "test" and len(rest) == 2:
        verbs = {"pass": f"test {rest[0]} passes", "fail": f"test {rest[0]} fails"}
        return verbs.get(rest[1], f"{_plain(rest[1])} of test {rest[0]}")
    if root == "account" and rest:
        return f"balance of the account {_plain(rest[0])}"
    if root == "contribution" and rest:
        return f"contribution {_plain(rest[0])} owed"
    if root == "dates" and rest:
        return f"the {_plain(rest[0])} date" if rest[0] in ("closing", "effective") else f"the {_plain(rest[0])}"
    if root in ("pool", "equity", "fee", "input") and rest:
        return " ".join(map(_plain, path if root != "input" else rest))
    alone = {"cash": "the cash in hand", "basis": "the fee basis", "date": "the payment date", "index": "the index"}
    return alone.get(root, _plain(".".join(path)))
