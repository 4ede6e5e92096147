"""What may be typed next into a filter: fields, comparisons, values of the positions held. No Qt."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from clo_desktop.figures import percent
from engine.asset import COLUMNS, Column, Kind
from engine.pool import Pool, fold, is_numeric
from engine.ratings import MOODYS, SP

_LEX: Final = re.compile(
    r"""\s*(?:
      (?P<quoted>'[^']*'?|"[^"]*"?)
    | (?P<bracket>\[[^\]]*\]?)
    | (?P<op><=|>=|!=|<>|=|<|>)
    | (?P<mark>[(),])
    | (?P<word>[^\s(),<>=!'"\[\]]+)
    )""",
    re.VERBOSE,
)
_PLAIN: Final = re.compile(r"[^\W\d][\w&+.-]*$")
_WORDS: Final = frozenset({"and", "or", "not", "in", "between", "is", "missing"})
_MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Option:
    """What may be put in: the text, and what stands beside it in the list."""

    text: str
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Suggestions:
    """Options for the word from `start` to `end` of the text.

    typed  whether a part of that word is there already
    hint   what may stand here where it is no list: the range of a number
    """

    start: int
    end: int
    options: tuple[Option, ...]
    typed: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class _Word:
    kind: str
    text: str
    start: int


class Completer:
    """Completes filters over the positions of a pool; `sets` are the names that may follow IN."""

    def __init__(self, pool: Pool, sets: Iterable[str] = ()) -> None:
        self._pool = pool
        self._sets = tuple(sets)
        self._values: dict[str, tuple[Option, ...]] = {}

    def suggest(self, text: str, cursor: int) -> Suggestions:
        """What may stand at the cursor, best first."""
        words = _words(text[:cursor])
        partial = ""
        start = cursor
        if words and not text[:cursor][-1:].isspace() and words[-1].kind in ("word", "quoted", "bracket"):
            last = words.pop()
            partial, start = last.text, last.start
        options, hint = self._expected(words)
        found = _fitting(options, partial)
        end = cursor
        if partial and partial[0] in "'\"[":  # what closes a quoted word goes with it
            closing = "]" if partial[0] == "[" else partial[0]
            end += text[cursor : cursor + 1] == closing and not (len(partial) > 1 and partial.endswith(closing))
        return Suggestions(start, end, found[:_MOST], bool(partial), hint)

    def _expected(self, words: Sequence[_Word]) -> tuple[tuple[Option, ...], str]:
        """What may follow these words."""
        state, column, depth = "field", None, 0
        for word in words:
            low = word.text.casefold() if word.kind == "word" else ""
            if state == "field":
                if low == "not":
                    continue
                if word.text == "(" and word.kind == "mark":
                    depth += 1
                    continue
                column, state = _field(word), "operator"
            elif state == "operator":
                if word.kind == "op":
                    state = "value"
                elif low == "in":
                    state = "list"
                elif low == "between":
                    state = "low"
                elif low == "is":
                    state = "missing"
                elif low in ("and", "or"):
                    state = "field"  # a flag stands alone
                elif word.text == ")":
                    depth, state = max(depth - 1, 0), "join"
                elif low != "not":
                    return (), ""
            elif state in ("value", "high"):
                state = "join"
            elif state == "missing":
                state = "missing" if low == "not" else "join"
            elif state == "low":
                state = "to"
            elif state == "to":
                state = "high"
            elif state == "list":
                state = "member" if word.text == "(" else "join"
            elif state == "member":
                state = "next"
            elif state == "next":
                state = "member" if word.text == "," else "join"
            elif word.text == ")":
                depth = max(depth - 1, 0)
            else:
                state = "field"
        return self._options(state, column, depth)

    def _options(self, state: str, column: Column | None, depth: int) -> tuple[tuple[Option, ...], str]:
        joins = (Option("and", "both hold"), Option("or", "one holds"), *([Option(")")] if depth else []))
        if state == "field":
            return (*_FIELDS, Option("not", "what does not hold")), ""
        if state in ("value", "low", "high", "member"):
            return (self._of(column), self._range(column)) if column is not None else ((), "")
        if state == "operator":
            if column is None:
                return (), ""
            if column.kind is Kind.FLAG:
                return (*joins, Option("=", "Yes or No")), ""
            ordered = is_numeric(column)
            comparisons = [Option("="), Option("!=", "is not")]
            if ordered:
                rating = column.kind in (Kind.MOODYS, Kind.SP)
                comparisons += [
                    Option(">", "worse than" if rating else "above"),
                    Option(">=", "or worse" if rating else "from"),
                    Option("<", "better than" if rating else "below"),
                    Option("<=", "or better" if rating else "up to"),
                    Option("between", "… and …"),
                ]
            return (*comparisons, Option("in", "(a, b) or a named set"), Option("is missing")), ""
        if state == "list":
            return (Option("(", "a list"), *(Option(name, "set") for name in self._sets)), ""
        fixed = {
            "missing": (Option("missing"), Option("not missing")),
            "to": (Option("and"),),
            "next": (Option(",", "another"), Option(")", "end of the list")),
        }
        return fixed.get(state, joins), ""

    def _of(self, column: Column | None) -> tuple[Option, ...]:
        """The values of a column, those of most positions first; ratings from best to worst."""
        if column is None:
            return ()
        if column.name not in self._values:
            self._values[column.name] = self._values_of(column)
        return self._values[column.name]

    def _values_of(self, column: Column) -> tuple[Option, ...]:
        if column.kind is Kind.FLAG:
            return Option("Yes"), Option("No")
        if is_numeric(column) and column.kind not in (Kind.MOODYS, Kind.SP):
            return ()
        counts: Counter[str] = Counter()
        spelled: dict[str, str] = {}
        for asset in self._pool.assets:
            value = getattr(asset, column.name)
            if value is not None:
                spelled.setdefault(fold(str(value)), str(value))
                counts[fold(str(value))] += 1
        if column.kind in (Kind.MOODYS, Kind.SP):
            scale = MOODYS if column.kind is Kind.MOODYS else SP
            return tuple(Option(r, _held(counts[fold(r)])) for r in scale)
        most = sorted(counts, key=lambda key: (-counts[key], key))
        return tuple(Option(quoted(spelled[key]), _held(counts[key])) for key in most)

    def _range(self, column: Column | None) -> str:
        """From which to which figure the positions have it."""
        if column is None or not is_numeric(column) or column.kind in (Kind.MOODYS, Kind.SP):
            return ""
        if column.kind is Kind.DATE:
            found = [v for a in self._pool.assets if (v := getattr(a, column.name)) is not None]
            return f"{column.title} runs from {min(found)} to {max(found)}; write it as 2031-06-30." if found else ""
        values = self._pool.numbers(column.name)
        values = values[np.isfinite(values)]
        if not values.size:
            return f"No position has a figure for {column.title}."
        low, high = float(values.min()), float(values.max())
        if column.kind in (Kind.RATE, Kind.SHARE):
            return f"{column.title} runs from {percent(low)} to {percent(high)}; write 5% or 0.05."
        return f"{column.title} runs from {low:,.6g} to {high:,.6g}."


def quoted(text: str) -> str:
    """A value as a filter takes it: in quotes where it is more than one plain word."""
    if _PLAIN.match(text) and text.casefold() not in _WORDS:
        return text
    return f'"{text}"' if "'" in text else f"'{text}'"


def _held(count: int) -> str:
    return f"{count} held" if count else ""


def _words(text: str) -> list[_Word]:
    found: list[_Word] = []
    at = 0
    while match := _LEX.match(text, at):
        kind = match.lastgroup or ""
        found.append(_Word(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


def _field(word: _Word) -> Column | None:
    name = word.text.strip("[]'\"")
    return _BY_NAME.get(fold(name))


def _fitting(options: Sequence[Option], partial: str) -> tuple[Option, ...]:
    """Those that begin with what is typed, then those one of whose words does, then those that hold it."""
    typed = partial.strip("'\"[]").casefold()
    if not typed:
        return tuple(options)
    ranked: list[tuple[int, int, Option]] = []
    for place, option in enumerate(options):
        text, beside = option.text.strip("'\"").casefold(), option.beside.casefold()
        words = re.split(r"[\W_]+", f"{text} {beside}")
        if text.startswith(typed):
            ranked.append((0, place, option))
        elif any(word.startswith(typed) for word in words):
            ranked.append((1, place, option))
        elif typed in text or typed in beside:
            ranked.append((2, place, option))
    return tuple(option for _, _, option in sorted(ranked, key=lambda row: row[:2]))


def _names() -> dict[str, Column]:
    found: dict[str, Column] = {}
    for column in COLUMNS:
        for name in (column.name, column.header, column.title, *column.aliases):
            found.setdefault(fold(name), column)
    return found


_BY_NAME: Final = _names()
_FIELDS: Final = tuple(
    Option(c.name, "" if fold(c.title) == fold(c.name.replace("_", " ")) else c.title)
    for c in sorted(COLUMNS, key=lambda c: len(c.name))  # of those that begin alike the shortest is meant most often
)
