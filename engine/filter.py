"""The filter language: which positions are meant.

    not defaulted and country != USA
    moodys_rating > B3 and market_value between 60 and 80
    country in (Germany, 'United Kingdom') or maturity > 2031-06-30
    country in group_1                      (a named set)
    maturity > :stated_maturity             (a named parameter)
    wal is missing

AND binds before OR. Texts compare without case; ratings by rank (``<= B1`` is B1 or better). ``5%`` is 0.05. A
missing value satisfies no comparison; ``!=`` is the opposite of ``=``, so a missing country is not the USA. A flag
stands alone. A field is named by its column name, header, title or an alias; names with blanks go in square brackets.
"""

from __future__ import annotations

import datetime as dt
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

import numpy as np

from engine import dates, ratings
from engine.asset import COLUMNS, Column, Kind
from engine.pool import Flags, Floats, Pool, fold, is_numeric


class FilterError(ValueError):
    """The filter cannot be read; the text says where and what was expected."""


Sets = Mapping[str, tuple[str, ...]]
Parameters = Mapping[str, float | dt.date | None]


def _field_names() -> dict[str, Column]:
    names: dict[str, Column] = {}
    for column in COLUMNS:
        for name in (column.name, column.header, column.title, *column.aliases):
            names.setdefault(fold(name), column)
    return names


_FIELDS: Final = _field_names()
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<date>\d{4}-\d{2}-\d{2})
    | (?P<number>-?\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)(?P<percent>\s*%)?(?![A-Za-z])
    | (?P<quoted>'(?:[^']|'(?=\w))*'|"[^"]*")
    | (?P<bracket>\[[^\]]+\])
    | (?P<parameter>:[A-Za-z_]\w*)
    | (?P<op><=|>=|!=|<>|=|<|>)
    | (?P<mark>[(),])
    | (?P<word>[^\s(),<>=!'"\[\]]+)
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_DEEPEST: Final = 100
_WORDS: Final = {"and", "or", "not", "in", "between", "is", "missing"}


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class _Operand:
    """What a field is compared with: a text, a number (fraction for percent), or a parameter's name."""

    text: str
    number: float | None = None
    parameter: str | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. `text` is what the user wrote; `texts` the texts it compares a column with."""

    text: str
    root: _Node
    texts: tuple[tuple[Column, str], ...] = ()

    def mask(self, pool: Pool, sets: Sets | None = None, parameters: Parameters | None = None) -> Flags:
        """bool[n]: the positions meant. Raises FilterError for an unknown set or parameter."""
        return self.root.mask(pool, sets or {}, parameters or {})

    def chosen(self, pool: Pool, what: str) -> Flags:
        """`mask` for something that must mean somebody: `what` names it in the refusal.

        Raises FilterError where it chooses nobody because no position has a text that it asks for (a misspelt
        industry): a filter that simply finds nothing, such as one of prices, is fine.
        """
        mask = self.mask(pool)
        if not mask.any() and len(pool):
            for column, text in self.root.asked():
                known = sorted({str(v).strip() for a in pool.assets if (v := getattr(a, column.name)) is not None})
                if fold(text) not in map(fold, known):
                    near = get_close_matches(text, known, 1, 0.6) or known[:1]
                    raise FilterError(
                        f"{what} chooses no asset: none has the {column.title} “{text}”; write one that the deal has"
                        + (f", such as “{near[0]}”, or take it out." if near else ", or take it out.")
                    )
        return mask


class _Node(ABC):
    """A node of a parsed filter."""

    def asked(self) -> Iterator[tuple[Column, str]]:
        """The texts that a position must have, with the field each is of; not those that it must not have."""
        yield from ()

    @abstractmethod
    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        """bool[n]: the positions meant."""


@dataclass(frozen=True, slots=True)
class _All(_Node):
    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        return np.ones(len(pool), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _Not(_Node):
    inner: _Node

    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        return ~self.inner.mask(pool, sets, parameters)


@dataclass(frozen=True, slots=True)
class _Join(_Node):
    word: str
    parts: tuple[_Node, ...]

    def asked(self) -> Iterator[tuple[Column, str]]:
        for part in self.parts:
            yield from part.asked()

    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        combine = np.logical_and if self.word == "and" else np.logical_or
        made = self.parts[0].mask(pool, sets, parameters)
        for part in self.parts[1:]:
            made = combine(made, part.mask(pool, sets, parameters))
        return made


@dataclass(frozen=True, slots=True)
class _Flag(_Node):
    column: Column

    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        return pool.flags(self.column.name)


@dataclass(frozen=True, slots=True)
class _Missing(_Node):
    column: Column

    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        return np.array([getattr(a, self.column.name) is None for a in pool.assets], dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class _Compare(_Node):
    column: Column
    op: str
    operand: _Operand

    def asked(self) -> Iterator[tuple[Column, str]]:
        if self.op == "=" and not is_numeric(self.column) and self.column.kind is not Kind.FLAG:
            yield self.column, self.operand.text

    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        if self.op == "!=":
            return ~_Compare(self.column, "=", self.operand).mask(pool, sets, parameters)
        if not is_numeric(self.column):
            if self.column.kind is Kind.FLAG:
                raised = fold(self.operand.text) in ("YES", "TRUE", "1")
                return np.asarray(pool.flags(self.column.name) == raised, dtype=np.bool_)
            return np.asarray(pool.texts(self.column.name) == fold(self.operand.text), dtype=np.bool_)
        return _compare(pool.numbers(self.column.name), self.op, _number(self.column, self.operand, parameters))


@dataclass(frozen=True, slots=True)
class _In(_Node):
    column: Column
    members: tuple[_Operand, ...]
    set_name: str | None = None

    def asked(self) -> Iterator[tuple[Column, str]]:
        for member in self.members:
            yield from _Compare(self.column, "=", member).asked()

    def mask(self, pool: Pool, sets: Sets, parameters: Parameters) -> Flags:
        members = self.members
        if self.set_name is not None:
            if self.set_name not in sets:
                known = ", ".join(sorted(sets)) or "none"
                raise FilterError(f"The set {self.set_name!r} is not known; known sets: {known}.")
            members = tuple(_Operand(text) for text in sets[self.set_name])
        made = np.zeros(len(pool), dtype=np.bool_)
        for member in members:
            made |= _Compare(self.column, "=", member).mask(pool, sets, parameters)
        return made


def _compare(values: Floats, op: str, bound: float) -> Flags:
    with np.errstate(invalid="ignore"):
        if op == "=":
            return np.asarray(values == bound)
        if op == "<":
            return np.asarray(values < bound)
        if op == "<=":
            return np.asarray(values <= bound)
        if op == ">":
            return np.asarray(values > bound)
        return np.asarray(values >= bound)


def _number(column: Column, operand: _Operand, parameters: Parameters) -> float:
    """The operand on the column's scale: rank of a rating, serial of a date, NaN for a missing parameter."""
    if operand.parameter is not None:
        if operand.parameter not in parameters:
            raise FilterError(f"The parameter :{operand.parameter} is not known.")
        value = parameters[operand.parameter]
        if value is None:
            return np.nan
        return float(dates.serial(value)) if isinstance(value, dt.date) else float(value)
    if column.kind in (Kind.MOODYS, Kind.SP):
        place = ratings.rank(operand.text)
        if place is None:
            raise FilterError(f"{operand.text!r} is no rating; write for example B1 or B+.")
        return float(place)
    if column.kind is Kind.DATE:
        try:
            return float(dates.serial(dt.date.fromisoformat(operand.text)))
        except ValueError:
            raise FilterError(f"{operand.text!r} is no date; write it as 2031-06-30.") from None
    if operand.number is None:
        raise FilterError(f"{column.title} is a number; {operand.text!r} is none.")
    return operand.number


def parse(text: str) -> Filter:
    """The filter that `text` spells; an empty text means every position. Raises FilterError with the place."""
    if not text.strip():
        return Filter(text, _All())
    parser = _Parser(text)
    return Filter(text, parser.whole(), tuple(parser.texts))


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = self._split(text)
        self.i = 0
        self.depth = 0
        self.texts: list[tuple[Column, str]] = []

    @staticmethod
    def _split(text: str) -> list[_Token]:
        tokens: list[_Token] = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise FilterError(f"Cannot read the filter at position {at + 1}: {text[at : at + 12]!r}.")
            kind = match.lastgroup or ""
            if kind == "percent":
                tokens.append(_Token("percent", match.group("number"), match.start("number")))
            else:
                word = match.group(kind)
                lowered = word.lower()
                is_keyword = kind == "word" and lowered in _WORDS
                tokens.append(_Token(lowered if is_keyword else kind, word, match.start(kind)))
            at = match.end()
        return tokens

    def whole(self) -> _Node:
        node = self.joined("or")
        if self.i < len(self.tokens):
            raise self.trouble("the end, AND or OR")
        return node

    def joined(self, word: str) -> _Node:
        parts = [self.below(word)]
        while self.takes(word):
            parts.append(self.below(word))
        return parts[0] if len(parts) == 1 else _Join(word, tuple(parts))

    def below(self, word: str) -> _Node:
        return self.joined("and") if word == "or" else self.negated()

    def negated(self) -> _Node:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FilterError(f"The filter is nested more than {_DEEPEST} deep; write it simpler.")
        try:
            if self.takes("not"):
                return _Not(self.negated())
            if self.takes_mark("("):
                inner = self.joined("or")
                if not self.takes_mark(")"):
                    raise self.trouble("a closing parenthesis")
                return inner
            return self.condition()
        finally:
            self.depth -= 1

    def condition(self) -> _Node:
        column = self.field()
        if self.takes("is"):
            negative = self.takes("not")
            if not self.takes("missing"):
                raise self.trouble("'missing'")
            node: _Node = _Missing(column)
            return _Not(node) if negative else node
        negative = self.takes("not")
        if self.takes("in"):
            node = self.membership(column)
            return _Not(node) if negative else node
        if self.takes("between"):
            low = self.operand(column)
            if not self.takes("and"):
                raise self.trouble("AND and the upper bound")
            node = _Join("and", (_Compare(column, ">=", low), _Compare(column, "<=", self.operand(column))))
            return _Not(node) if negative else node
        token = self.peek()
        if token is not None and token.kind == "op":
            self.i += 1
            op = "!=" if token.text == "<>" else token.text
            if not is_numeric(column) and op not in ("=", "!="):
                raise FilterError(f"{column.title} has no order; compare it with = or !=.")
            return _Compare(column, op, self.operand(column))
        if column.kind is Kind.FLAG and not negative:
            return _Flag(column)
        raise self.trouble("a comparison such as = or >")

    def membership(self, column: Column) -> _Node:
        if not self.takes_mark("("):
            token = self.peek()
            if token is None or token.kind != "word":
                raise self.trouble("a list in parentheses or the name of a set")
            self.i += 1
            return _In(column, (), token.text)
        members = [self.operand(column)]
        while self.takes_mark(","):
            members.append(self.operand(column))
        if not self.takes_mark(")"):
            raise self.trouble("a closing parenthesis")
        return _In(column, tuple(members))

    def field(self) -> Column:
        token = self.peek()
        if token is None or token.kind not in ("word", "bracket", "quoted"):
            raise self.trouble("the name of a field")
        self.i += 1
        name = token.text[1:-1] if token.kind in ("bracket", "quoted") else token.text
        column = _FIELDS.get(fold(name))
        if column is None:
            raise FilterError(f"There is no field {name!r} (position {token.at + 1}).")
        return column

    def operand(self, column: Column) -> _Operand:
        token = self.peek()
        if token is None or token.kind not in ("word", "quoted", "number", "percent", "date", "parameter", "missing"):
            raise self.trouble(f"a value for {column.title}")
        self.i += 1
        if token.kind == "parameter":
            return _Operand(token.text, parameter=token.text[1:])
        if token.kind == "quoted":
            made = _Operand(token.text[1:-1])
        elif token.kind in ("number", "percent"):
            value = float(token.text.replace("_", ""))
            made = _Operand(token.text, value / 100.0 if token.kind == "percent" else value)
        else:
            made = _Operand(token.text)
        if is_numeric(column):
            _number(column, made, {})  # tells at once that it is no rating, date or number
        elif column.kind is not Kind.FLAG:
            self.texts.append((column, made.text))
        return made

    def peek(self) -> _Token | None:
        return self.tokens[self.i] if self.i < len(self.tokens) else None

    def takes(self, kind: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == kind:
            self.i += 1
            return True
        return False

    def takes_mark(self, mark: str) -> bool:
        token = self.peek()
        if token is not None and token.kind == "mark" and token.text == mark:
            self.i += 1
            return True
        return False

    def trouble(self, expected: str) -> FilterError:
        token = self.peek()
        if token is None:
            return FilterError(f"The filter ends where {expected} was expected.")
        return FilterError(f"At position {token.at + 1} stands {token.text!r} where {expected} was expected.")
