"""Formulas of limits and results: arithmetic over the deal's inputs and the results of other tests.

    input('WARF Threshold') + recovery_over('factor', 0.43) * 100 * input('WARF Factor')
    max(0, years_until('WAL Test Date'))
    result(126) if given('S&P Monitor') else 0

Numbers, + - * / **, comparisons, and/or/not, x if condition else y, and the functions of `FUNCTIONS`. Nothing else is
a formula. A formula whose input the deal lacks has no value: :class:`Lacking` says what is missing.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any, Final, Protocol

import numpy as np

RECOVERY_TEST: Final = 33  # computed limits depend on its result (spec 1.4)


class FormulaError(ValueError):
    """The text is no formula; says what is wrong."""


class Lacking(Exception):
    """The deal lacks what the formula needs; the text names it."""


class Known(Protocol):
    """What a formula may ask for."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> float:
        """The value of one of FUNCTIONS. Raises Lacking."""


FUNCTIONS: Final[Mapping[str, str]] = {
    "input": "the number beside a label of the deal",
    "given": "1 where the deal has that label, else 0",
    "result": "the result of a test of the catalogue",
    "numerator": "the numerator of a test of the catalogue",
    "denominator": "the denominator of a test of the catalogue",
    "years_until": "years (of 365 days) from the analysis date to a date of the deal",
    "recovery_over": "Moody's recovery rate above a pivot, as far as it is allotted to 'spread' or 'factor'",
    "matrix_factor": "the highest WARF at the elected point of the quality matrix",
    "matrix_spread": "the lowest spread at the elected point of the quality matrix",
    "matrix_diversity": "the lowest diversity at the elected point of the quality matrix",
    "rated_notes": "principal and deferred interest of all classes but the equity",
    "principal_amount": "collateral principal amount: performing par and principal cash",
    "cash": "principal cash",
}


def _chosen(plain: Callable[[Sequence[Any]], Any], of_arrays: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """min or max of figures, some of which may be arrays (of many candidates at once)."""

    def choose(*figures: Any) -> Any:
        if any(isinstance(figure, np.ndarray) for figure in figures):
            return reduce(of_arrays, figures)
        return plain(figures)

    return choose


def _divided(top: Any, below: Any) -> Any:
    """top / below; of arrays NaN where a figure alone would raise ZeroDivisionError."""
    if isinstance(below, np.ndarray):
        return top / np.where(below == 0.0, np.nan, below)
    return top / below


_PLAIN: Final[Mapping[str, Callable[..., Any]]] = {
    "min": _chosen(min, np.minimum),
    "max": _chosen(max, np.maximum),
    "abs": abs,
    "round": round,
}
_BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: _divided,
    ast.Pow: operator.pow,
}
_COMPARED: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], bool]]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}

_Step = Callable[[Known], Any]


@dataclass(frozen=True, slots=True)
class Formula:
    """A checked formula. `tests` are the numbers of the tests whose results it uses."""

    text: str
    tests: tuple[int, ...]
    step: _Step

    def value(self, known: Known) -> float:
        """Raises Lacking where the deal lacks an input; a division by zero lacks its result too."""
        try:
            return float(self.step(known))
        except (ZeroDivisionError, OverflowError) as error:
            raise Lacking(f"a figure other than zero in {self.text}") from error


@cache
def parse(text: str) -> Formula:
    """The formula that `text` spells. Raises FormulaError."""
    try:
        tree = ast.parse(" ".join(text.split()), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"{text!r} is no formula: {error}") from error
    tests: set[int] = set()
    step = _step(tree, tests)
    return Formula(text, tuple(sorted(tests)), step)


def _step(node: ast.expr, tests: set[int]) -> _Step:
    """A function of what is known, for one node; collects the tests it uses."""
    if isinstance(node, ast.Constant):
        constant = node.value
        if isinstance(constant, bool) or not isinstance(constant, int | float):
            raise FormulaError(f"{constant!r} is no number; texts stand only within input('…') and its like.")
        return lambda _known: constant
    if isinstance(node, ast.UnaryOp):
        inner = _step(node.operand, tests)
        if isinstance(node.op, ast.USub):
            return lambda known: -inner(known)
        if isinstance(node.op, ast.Not):
            return lambda known: not inner(known)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        left, right, binary = _step(node.left, tests), _step(node.right, tests), _BINARY[type(node.op)]
        return lambda known: binary(left(known), right(known))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
        low, high = _step(node.left, tests), _step(node.comparators[0], tests)
        compared = _COMPARED[type(node.ops[0])]
        return lambda known: compared(low(known), high(known))
    if isinstance(node, ast.BoolOp):
        parts = [_step(value, tests) for value in node.values]
        joined = all if isinstance(node.op, ast.And) else any
        return lambda known: joined(part(known) for part in parts)
    if isinstance(node, ast.IfExp):
        test, then, otherwise = (_step(part, tests) for part in (node.test, node.body, node.orelse))
        return lambda known: then(known) if test(known) else otherwise(known)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
        return _call(node.func.id, node.args, tests)
    raise FormulaError(f"{ast.unparse(node)!r} has no place in a formula.")


def _call(name: str, arguments: list[ast.expr], tests: set[int]) -> _Step:
    if name in _PLAIN:
        plain, steps = _PLAIN[name], [_step(a, tests) for a in arguments]
        if not steps:
            raise FormulaError(f"{name}() needs figures.")
        return lambda known: plain(*(step(known) for step in steps))
    if name not in FUNCTIONS:
        raise FormulaError(f"There is no function {name}; functions: {', '.join(sorted([*FUNCTIONS, *_PLAIN]))}.")
    values: list[Any] = []
    for argument in arguments:
        if not isinstance(argument, ast.Constant):
            raise FormulaError(f"{name}() takes plain texts and numbers only.")
        values.append(argument.value)
    given = tuple(values)
    if name in ("result", "numerator", "denominator"):
        if len(given) != 1 or not isinstance(given[0], int):
            raise FormulaError(f"{name}() takes the number of one test.")
        tests.add(given[0])
    if name in ("input", "given", "years_until") and (len(given) != 1 or not isinstance(given[0], str)):
        raise FormulaError(f"{name}() takes the label of one input of the deal.")
    if name == "recovery_over" or name.startswith("matrix_"):
        tests.add(RECOVERY_TEST)
    sides = len(given) == 2 and given[0] in ("spread", "factor") and isinstance(given[1], int | float | str)
    if name == "recovery_over" and not sides:
        raise FormulaError("recovery_over() takes 'spread' or 'factor', and a pivot or the label of one.")
    return lambda known: known.call(name, given)
