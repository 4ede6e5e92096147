"""Expressions of the waterfall language: numbers, references, arithmetic, comparison. Data, never code."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, NoReturn

LONGEST: Final = 4000
"""Characters of an expression."""
DEEPEST: Final = 60
"""Levels of an expression; whoever walks the tree may recurse."""


class WaterfallError(ValueError):
    """The document is wrong; the text names the step and the remedy."""


@dataclass(frozen=True, slots=True)
class Number:
    value: float


@dataclass(frozen=True, slots=True)
class Reference:
    """A dotted name: ("cash",), ("class", "A-1", "balance"), ("phase", "reinvestment"), ("test", "OC_B", "pass")."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SumOver:
    """`classes(A-1, A-2).balance`: a figure of several classes added up."""

    classes: tuple[str, ...]
    figure: str


@dataclass(frozen=True, slots=True)
class Controlling:
    """`controlling == C`: whether class C is among the most senior classes outstanding."""

    class_id: str


@dataclass(frozen=True, slots=True)
class Unary:
    """`operator` is "-" or "not"."""

    operator: str
    operand: Expression


@dataclass(frozen=True, slots=True)
class Binary:
    """`operator` is one of + - * / < <= > >= == != and or."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True, slots=True)
class Function:
    """`name` is min, max (two or more arguments), abs (one) or if (condition, then, else)."""

    name: str
    arguments: tuple[Expression, ...]


Expression = Number | Reference | SumOver | Controlling | Unary | Binary | Function


_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:[0-9][0-9_]*(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?%?(?![\w.]))"
    r"|(?P<name>\w+(?:-\w+)*(?:\.\w+(?:-\w+)*)*)"
    r"|(?P<figure>(?<=\))\.\w+)"
    r"|(?P<operator><=|>=|==|!=|[-+*/<>(),]))"
)
BINDS: Final[Mapping[str, int]] = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!="), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
}
NOT: Final = 3
COMPARISON: Final = 4
MINUS: Final = 7
"""How tightly operators bind."""
_ARGUMENTS: Final[Mapping[str, tuple[int, int]]] = {"min": (2, 100), "max": (2, 100), "abs": (1, 1), "if": (3, 3)}
WORDS: Final = frozenset({"and", "or", "not", "true", "false", "classes", "controlling", *_ARGUMENTS})
"""Words of the grammar; nothing else may be called so."""


class _Token(NamedTuple):
    kind: str  # number, name, figure (`.balance` after a bracket), operator, end
    text: str
    place: int


def parse(text: str, where: str) -> Expression:
    """The expression that `text` says; `where` heads the message. Raises WaterfallError with the place and the remedy.

    Booleans are 1 and 0. From loose to tight: or, and, not, comparison, + and -, * and /, minus sign.
    """
    if len(text) > LONGEST:
        raise WaterfallError(f"{where}: an expression of {len(text)} characters is too long; give its parts `values`.")
    return _Parser(text, where).whole()


class _Parser:
    """Operator precedence over a list of tokens; every method returns an expression and its depth."""

    def __init__(self, text: str, where: str) -> None:
        self.text, self.where, self.at = text, where, 0
        self.tokens = list(self._tokens())

    def _tokens(self) -> Iterator[_Token]:
        place, end = 0, len(self.text.rstrip())
        while place < end:
            match = _TOKEN.match(self.text, place)
            if match is None:
                rest = self.text[place:].lstrip()
                remedy = "write == to compare" if rest.startswith("=") else "take it out"
                self.fail(f"{rest[:1]!r} is not understood; {remedy}", end - len(rest.rstrip()))
            kind = str(match.lastgroup)
            yield _Token(kind, match[kind], match.start(kind))
            place = match.end()
        yield _Token("end", "", end)

    def fail(self, what: str, place: int | None = None) -> NoReturn:
        at = self.tokens[self.at].place if place is None else place
        line = "".join(c if c.isprintable() else "?" for c in " ".join(self.text.split()))
        shown = line if len(line) <= 80 else f"{line[:77]}..."
        raise WaterfallError(f"{self.where}: cannot read `{shown}`, character {at + 1}: {what}.")

    @property
    def next(self) -> _Token:
        return self.tokens[self.at]

    def take(self, sign: str) -> bool:
        if self.next.kind == "operator" and self.next.text == sign:
            self.at += 1
            return True
        return False

    def need(self, sign: str, after: str) -> None:
        if not self.take(sign):
            self.fail(f"{sign!r} is missing after {after}")

    def whole(self) -> Expression:
        if self.next.kind == "end":
            raise WaterfallError(f"{self.where}: an expression is empty; write a number, a reference or a formula.")
        made, _ = self.expression(0, 1)
        if self.next.kind != "end":
            self.fail(f"{self.next.text!r} was not expected; write an operator between two values")
        return made

    def deep(self, level: int) -> int:
        if level > DEEPEST:
            self.fail(f"more than {DEEPEST} levels; give the parts a name under `values`")
        return level

    def expression(self, binds: int, level: int) -> tuple[Expression, int]:
        left, depth = self.prefix(self.deep(level))
        while (power := self._binding()) > binds:
            sign = self.next.text
            self.at += 1
            right, below = self.expression(power, level + 1)
            left, depth = Binary(sign, left, right), self.deep(max(depth, below) + 1)
            if power == COMPARISON and self._binding() == COMPARISON:
                self.fail("a comparison of a comparison; write `a < b and b < c`")
        return left, depth

    def _binding(self) -> int:
        token = self.next
        return BINDS.get(token.text, 0) if token.kind == "operator" or token.text in ("and", "or") else 0

    def prefix(self, level: int) -> tuple[Expression, int]:
        token = self.next
        if token.kind == "end":
            self.fail("the end of the text, where a value was expected")
        self.at += 1
        if token.kind == "number":
            return Number(self._number(token)), 1
        if token.kind == "operator":
            if token.text == "(":
                inner, depth = self.expression(0, level + 1)
                self.need(")", "the bracket")
                return inner, depth
            if token.text == "-":
                operand, depth = self.expression(MINUS, level + 1)
                return Unary("-", operand), self.deep(depth + 1)
            self.at -= 1
            self.fail(f"{token.text!r}, where a value was expected")
        return self._named(token, level)

    def _named(self, token: _Token, level: int) -> tuple[Expression, int]:
        name = token.text
        if name == "not":
            operand, depth = self.expression(NOT, level + 1)
            return Unary("not", operand), self.deep(depth + 1)
        if name in ("true", "false"):
            return Number(float(name == "true")), 1
        if name == "controlling":
            return self._controlling()
        if name == "classes":
            return self._sum(), 1
        if name in _ARGUMENTS:
            return self._function(name, level)
        if self.next == _Token("operator", "(", self.next.place):
            self.fail(f"there is no function {name!r}; there are {', '.join(_ARGUMENTS)}")
        if name in ("and", "or"):
            self.at -= 1
            self.fail(f"{name!r}, where a value was expected")
        if re.match(r"[0-9]", name):
            self.at -= 1
            self.fail(f"{name!r} is neither a number nor a name; write numbers like 1_000_000, 0.05 or 5%")
        return Reference(tuple(name.split("."))), 1

    def _number(self, token: _Token) -> float:
        value = float(token.text.rstrip("%").replace("_", "")) / (100.0 if token.text.endswith("%") else 1.0)
        if not math.isfinite(value):
            self.fail("the number is too large", token.place)
        return value

    def _id(self, after: str) -> str:
        token = self.next
        if token.kind not in ("name", "number") or "." in token.text or token.text.endswith("%"):
            self.fail(f"the id of a class is missing after {after}")
        self.at += 1
        return token.text

    def _controlling(self) -> tuple[Expression, int]:
        differs = self.take("!=")
        if not differs and not self.take("=="):
            self.fail("`controlling` stands only in `controlling == <class>`")
        made = Controlling(self._id("controlling =="))
        return (Unary("not", made), 2) if differs else (made, 1)

    def _sum(self) -> Expression:
        self.need("(", "classes")
        members = [self._id("classes(")]
        while self.take(","):
            members.append(self._id("the comma"))
        self.need(")", "the classes")
        figure = self.next
        if figure.kind != "figure":
            self.fail("write the figure after the bracket, as in classes(A, B).balance")
        self.at += 1
        return SumOver(tuple(members), figure.text[1:])

    def _function(self, name: str, level: int) -> tuple[Expression, int]:
        self.need("(", name)
        arguments, depth = [], 0
        while True:
            argument, below = self.expression(0, level + 1)
            arguments.append(argument)
            depth = max(depth, below)
            if not self.take(","):
                break
        self.need(")", f"the arguments of {name}")
        least, most = _ARGUMENTS[name]
        if not least <= len(arguments) <= most:
            wanted = f"{least}" if least == most else f"{least} or more"
            self.fail(f"{name} takes {wanted} arguments, not {len(arguments)}")
        return Function(name, tuple(arguments)), self.deep(depth + 1)


def references(of: Expression) -> Iterator[Reference | SumOver | Controlling]:
    """Everything an expression refers to, in reading order."""
    for node in nodes(of):
        if isinstance(node, Reference | SumOver | Controlling):
            yield node


def nodes(of: Expression) -> Iterator[Expression]:
    """The expression and all its parts, in reading order."""
    yield of
    for part in parts(of):
        yield from nodes(part)


def parts(of: Expression) -> tuple[Expression, ...]:
    """What an expression is made of, one level down."""
    if isinstance(of, Unary):
        return (of.operand,)
    if isinstance(of, Binary):
        return (of.left, of.right)
    return of.arguments if isinstance(of, Function) else ()


def constant(of: Expression) -> float | None:
    """The value of an expression that refers to nothing; None where it depends on the deal. May be infinite."""
    if isinstance(of, Number):
        return of.value
    values = [constant(part) for part in parts(of)]
    known = [v for v in values if v is not None]
    if not values or len(known) < len(values):
        return None
    return _value(of, known)


def _value(of: Expression, v: list[float]) -> float:
    if isinstance(of, Unary):
        return -v[0] if of.operator == "-" else float(not v[0])
    if isinstance(of, Function):
        if of.name == "if":
            return v[1] if v[0] else v[2]
        return {"min": min, "max": max}[of.name](v) if of.name != "abs" else abs(v[0])
    return float(_OPERATORS[of.operator](v[0], v[1])) if isinstance(of, Binary) else 0.0


_OPERATORS: Final[Mapping[str, Callable[[float, float], float]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: a / b if b else 0.0,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "and": lambda a, b: bool(a) and bool(b),
    "or": lambda a, b: bool(a) or bool(b),
}
