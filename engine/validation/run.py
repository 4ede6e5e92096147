"""Cases in, report out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from numba.core.errors import NumbaError

import engine.validation.kinds  # noqa: F401  # registers every runner
from engine.validation.cases import Case, CaseError, Library
from engine.validation.compare import FAIL, Answer, Row, compare
from engine.validation.registry import KINDS, kind_of

PASSED: Final = "passed"
FAILED: Final = "failed"
LEGACY: Final = "legacy"
NOT_COVERED: Final = "not covered"
OUTCOMES: Final = (PASSED, FAILED, LEGACY, NOT_COVERED)

UNUSABLE: Final = (ArithmeticError, AttributeError, LookupError, NumbaError, TypeError, ValueError)
"""What a runner raises for inputs it cannot use."""


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case run.

    rows     every figure; empty where the case was not run
    remarks  how it was computed, or why it was not
    """

    case: Case
    kind: str | None
    outcome: str
    rows: tuple[Row, ...]
    remarks: tuple[str, ...]

    @property
    def failing(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.outcome == FAIL)


@dataclass(frozen=True, slots=True)
class Report:
    """Every case of a file, in the file's order."""

    results: tuple[CaseResult, ...]

    def count(self, outcome: str) -> int:
        return sum(r.outcome == outcome for r in self.results)

    @property
    def figures(self) -> int:
        """Figures that were compared."""
        return sum(row.outcome != LEGACY for r in self.results for row in r.rows)

    @property
    def failed(self) -> tuple[CaseResult, ...]:
        return tuple(r for r in self.results if r.outcome == FAILED)


def validate(
    cases: Sequence[Case],
    files: Mapping[str, Any] | None = None,
    report: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> Report:
    """Runs every case against the installed engine; none of them stops the others.

    files  parsed data files the cases refer to, by name
    """
    library = Library({case.id: case for case in cases}, files or {})
    results: list[CaseResult] = []
    for i, case in enumerate(cases):
        report(i / len(cases), case.id)
        results.append(run_case(case, library))
    return Report(tuple(results))


def run_case(case: Case, library: Library) -> CaseResult:
    name = kind_of(case)
    if name is None:
        if case.is_legacy:
            return CaseResult(case, None, LEGACY, (), ("not run: the engine has no counterpart",))
        said = f"the kind {case.kind!r} is unknown" if case.kind else "no kind is known for this id"
        return CaseResult(case, None, NOT_COVERED, (), (said,))
    try:
        made = KINDS[name](case, library)
    except CaseError as error:
        return CaseResult(case, name, FAILED, (), (f"could not be run: it {error}",))
    except KeyError as error:
        return CaseResult(case, name, FAILED, (), (f"could not be run: {error} is missing or unknown",))
    except UNUSABLE as error:
        said = "a text stands for a number" if isinstance(error, NumbaError) else str(error)
        return CaseResult(case, name, FAILED, (), (f"could not be run: its inputs are not usable ({said})",))
    answer = made if isinstance(made, Answer) else Answer(made)
    rows = compare(case.expected, answer, case.tolerance)
    if any(row.outcome == FAIL for row in rows):
        outcome = FAILED
    elif case.is_legacy:
        outcome = LEGACY
    else:
        # a case none of whose figures was judged has not passed
        outcome = PASSED if any(row.outcome != LEGACY for row in rows) else LEGACY
    return CaseResult(case, name, outcome, rows, answer.remarks)
