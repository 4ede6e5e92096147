"""Plain data of a document read piece by piece: each is what it must be, or a WaterfallError says what to write."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from engine.waterfall.expressions import Binary, Expression, Function, Number, SumOver, Unary, WaterfallError, parse

_ID: Final = re.compile(r"\w+(-\w+)*")
MOST: Final = 500
"""Entries of a list or mapping of the document."""


def show(value: object) -> str:
    """A value of the document as a message quotes it: short, whatever it is."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple | set):
        return "a list"
    try:
        text = repr(value)
    except Exception:  # an integer of thousands of digits has no text
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else f"{text[:57]}..."


def mapping(where: str, value: object, known: Iterable[str] | None = None) -> dict[Any, Any]:
    """A mapping, empty where nothing stands; with `known`, of no other keys."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WaterfallError(f"{where}: {show(value)} stands where a mapping `key: value` must; write it so.")
    if len(value) > MOST:
        raise WaterfallError(f"{where}: {len(value)} entries are too many; {MOST} are the most.")
    if known is not None:
        words = tuple(known)
        unknown = [show(k) for k in value if k not in words]
        if unknown:
            hint = " A formula with commas within { } stands in quotes." if any(")" in u for u in unknown) else ""
            raise WaterfallError(f"{where} does not know {', '.join(unknown[:5])}; it knows {', '.join(words)}.{hint}")
    return dict(value)


def items(where: str, value: object) -> list[Any]:
    """A list, not empty."""
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        raise WaterfallError(f"{where}: {show(value)} stands where a list must; write [..] or lines that begin with -.")
    if not value:
        raise WaterfallError(f"{where}: the list is empty; write what belongs there or take it out.")
    if len(value) > MOST:
        raise WaterfallError(f"{where}: {len(value)} entries are too many; {MOST} are the most.")
    return list(value)


def identifier(where: str, value: object) -> str:
    """An id: letters, digits and underscores, joined by hyphens."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**6:
        return str(value)
    if not isinstance(value, str) or not _ID.fullmatch(value) or len(value) > 60:
        raise WaterfallError(
            f"{where}: {show(value)} is no id; write letters, digits, _ and - between them, in quotes if it is no text."
        )
    return value


def identifiers(where: str, value: object) -> tuple[str, ...]:
    """A list of ids, or one id; none twice."""
    found = tuple(identifier(where, v) for v in ([value] if isinstance(value, str | int) else items(where, value)))
    return once(where, found)


def once(where: str, ids: tuple[str, ...]) -> tuple[str, ...]:
    """The ids, each of which may stand once."""
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise WaterfallError(f"{where}: {', '.join(twice)} stands twice; name each once.")
    return ids


def entries(where: str, value: object, what: str) -> dict[str, Any]:
    """A mapping from ids; no two that read the same."""
    found: dict[str, Any] = {}
    for key, terms in mapping(where, value).items():
        made = identifier(f"{where}: {what}", key)
        if made in found:
            raise WaterfallError(f"{where}: {made} stands twice; name each {what} once.")
        found[made] = terms
    return found


def text(where: str, value: object) -> str:
    """A text of one line or more, not blank."""
    if not isinstance(value, str) or not value.strip() or not " ".join(value.split()).isprintable():
        raise WaterfallError(f"{where}: {show(value)} is no text; write some, in quotes if it looks like a number.")
    if len(value) > 500:
        raise WaterfallError(f"{where}: the text is {len(value)} characters long; 500 are the most.")
    return value.strip()


def word(where: str, value: object, known: Sequence[str]) -> str:
    """One of the words that the language knows there."""
    if not isinstance(value, str) or value not in known:
        raise WaterfallError(f"{where}: {show(value)} is none of {', '.join(known)}.")
    return value


def flag(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise WaterfallError(f"{where}: {show(value)} is neither true nor false.")
    return value


def whole(where: str, value: object, least: int, most: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise WaterfallError(f"{where}: {show(value)} is no whole number from {least} to {most}.")
    return value


def number(where: str, value: object, least: float = -1e15, most: float = 1e15, hint: str = "") -> float:
    """A finite number within bounds; text like 5% or 1_000_000 is one too."""
    if isinstance(value, str):
        made = parse(value, where)
        read = made.value if isinstance(made, Number) else None
        if isinstance(made, Unary) and isinstance(made.operand, Number):
            read = -made.operand.value
        if read is None:
            raise WaterfallError(f"{where}: {show(value)} is no number; a formula cannot stand here.")
    else:
        read = _finite(where, value)
    if not least <= read <= most:
        bounds = f"from {least:g} to {most:g}" if most < 1e15 else f"of at least {least:g}"
        raise WaterfallError(f"{where}: {show(value)} is no number {bounds}{hint and f'; {hint}'}.")
    return read


def _finite(where: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise WaterfallError(f"{where}: {show(value)} is no number; write one such as 0.05 or 5%.")
    try:
        read = float(value)
    except OverflowError:
        read = math.inf
    if not math.isfinite(read):
        raise WaterfallError(f"{where}: {show(value)} is no finite number; write the figure that is meant.")
    return read


def date(where: str, value: object) -> dt.date:
    """A date, or ISO text of one."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise WaterfallError(f"{where}: {show(value)} is no date; write it as 2021-04-20.") from None


def schedule(where: str, value: object, figure: str, least: float, most: float) -> tuple[tuple[dt.date, float], ...]:
    """A list of {from: date, <figure>: number}, dates rising."""
    found = []
    for place, entry in enumerate(items(where, value), start=1):
        here = f"{where} entry {place}"
        terms = mapping(here, entry, ("from", figure))
        if set(terms) != {"from", figure}:
            raise WaterfallError(f"{here}: write {{from: <date>, {figure}: <number>}}.")
        found.append((date(f"{here}, from", terms["from"]), number(f"{here}, {figure}", terms[figure], least, most)))
    for (before, _), (after, _) in pairwise(found):
        if after <= before:
            raise WaterfallError(f"{where}: {after} follows {before}; put the dates in rising order, each once.")
    return tuple(found)


class Expressions:
    """Reads expressions; a group named in `classes(...)` stands for its members."""

    def __init__(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        self.groups = groups

    def amount(self, where: str, value: object) -> Expression:
        """An expression: its text, or a number."""
        if isinstance(value, str):
            return self._expanded(where, parse(value, where))
        return Number(_finite(where, value))

    def condition(self, where: str, value: object) -> Expression:
        """An expression that is true or false; `true` and `false` may stand bare."""
        return Number(float(value)) if isinstance(value, bool) else self.amount(where, value)

    def classes(self, where: str, value: object) -> tuple[str, ...]:
        """Ids of classes, groups expanded; none twice."""
        return once(where, self._members(identifiers(where, value)))

    def _members(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(member for i in ids for member in self.groups.get(i, (i,)))

    def _expanded(self, where: str, made: Expression) -> Expression:
        if isinstance(made, SumOver):
            return SumOver(once(f"{where}, classes(..)", self._members(made.classes)), made.figure)
        if isinstance(made, Unary):
            return Unary(made.operator, self._expanded(where, made.operand))
        if isinstance(made, Binary):
            return Binary(made.operator, self._expanded(where, made.left), self._expanded(where, made.right))
        if isinstance(made, Function):
            return Function(made.name, tuple(self._expanded(where, a) for a in made.arguments))
        return made
