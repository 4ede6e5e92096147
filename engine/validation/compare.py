"""Expected against computed, figure by figure."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from engine.validation.cases import is_number

PASS: Final = "pass"
FAIL: Final = "fail"
LEGACY: Final = "legacy"  # the workbook's figure, from which the engine departs on purpose: shown, not judged

RELATIVE: Final = 1e-11
FLOOR: Final = 1e-12
ZERO: Final = 1e-6
DOUBLE: Final = 1e-14


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the engine departs from a case's figure on purpose.

    corrected  the engine's own figure, None where it has none
    judged     the case's figure is still reproduced, by a switch, and compared
    """

    reason: str
    corrected: Any = None
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a runner computed.

    figures     of the shape of the case's expected part; more than that is not looked at, unless `whole`
    departures  path of a figure -> why the engine departs from it
    remarks     what a reader should know about the way it was computed
    whole       a computed figure that the case does not expect fails, unless it is nought
    """

    figures: Any
    departures: Mapping[str, Departure] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of a case. difference and tolerance are None where the figure is text or was not computed."""

    path: str
    expected: Any
    computed: Any
    difference: float | None
    tolerance: float | None
    outcome: str
    corrected: Any = None
    reason: str = ""


def tolerance_of(expected: float, given: float | None) -> float:
    """Absolute tolerance of a figure.

    The case's own, where it has one, but no finer than a double holds (1e-14 of the figure). Otherwise figures count
    as exact and are met to eleven digits (1e-11 of the figure, at least 1e-12); a nought to a millionth of its unit.
    """
    if given is not None:
        return max(given, DOUBLE * abs(expected))
    return max(RELATIVE * abs(expected), FLOOR) if expected else ZERO


def compare(expected: Any, answer: Answer, tolerance: float | None) -> tuple[Row, ...]:
    """Every figure of `expected` against the answer, depth first, in the case's order."""
    return tuple(_rows("", expected, answer.figures, answer, tolerance))


def _rows(path: str, expected: Any, computed: Any, answer: Answer, tolerance: float | None) -> Iterator[Row]:
    if isinstance(expected, Mapping):
        found = computed if isinstance(computed, Mapping) else {}
        for key, value in expected.items():
            yield from _rows(f"{path}.{key}" if path else str(key), value, found.get(key), answer, tolerance)
        if answer.whole:
            for key in found:
                if key not in expected and found[key]:
                    yield from _rows(f"{path}.{key}" if path else str(key), 0.0, found[key], answer, tolerance)
    elif isinstance(expected, list):
        items = list(computed) if isinstance(computed, list | tuple) else []
        if len(items) > len(expected):
            yield Row(f"{path} (how many)", len(expected), len(items), len(items) - len(expected), 0.0, FAIL)
        for i, value in enumerate(expected):
            yield from _rows(f"{path}[{i}]", value, items[i] if i < len(items) else None, answer, tolerance)
    else:
        yield _row(path, expected, computed, answer.departures.get(path), tolerance)


def _row(path: str, expected: Any, computed: Any, departure: Departure | None, tolerance: float | None) -> Row:
    difference: float | None = None
    allowed: float | None = None
    if is_number(expected):
        allowed = tolerance_of(expected, tolerance)
        if is_number(computed) and math.isfinite(computed):
            difference = float(computed - expected)
            met = abs(difference) <= allowed
        else:
            met = False
    else:
        met = type(computed) is type(expected) and bool(computed == expected)
    outcome = PASS if met else FAIL
    if departure is None:
        return Row(path, expected, computed, difference, allowed, outcome)
    if not departure.judged:
        outcome = LEGACY
    return Row(path, expected, computed, difference, allowed, outcome, departure.corrected, departure.reason)
