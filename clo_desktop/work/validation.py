"""Files of worked cases: read, run against the engine, told as text or as plain data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import resources
from clo_desktop import __version__
from clo_desktop.faults import Refused
from engine import validation
from engine.validation import CaseResult, Report, Row

PACK: Final = "validation/pack.json"
LARGEST_FILE: Final = 50 * 1024 * 1024

Plain = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Validated:
    """A file of cases and what came of it."""

    file_name: str
    report: Report

    @property
    def sentence(self) -> str | None:
        """What failed, in one sentence; None where nothing did."""
        failed = self.report.failed
        if not failed:
            return None
        ids = ", ".join(r.case.id for r in failed[:8]) + (" and others" if len(failed) > 8 else "")
        fail = "1 case fails" if len(failed) == 1 else f"{len(failed)} cases fail"
        return f"{fail} of {len(self.report.results)} in {self.file_name}: {_clean(ids)}."


def validate_file(path: Path | None, report: Callable[[float, str], None] = lambda _f, _w: None) -> Validated:
    """Runs a file of worked cases, or the project's own pack. Raises Refused for what is no such file.

    Data files that the cases name are read from the same folder, and from nowhere else.
    """
    file = resources.path(PACK) if path is None else path
    try:
        cases = validation.read_cases(_read(file))
    except validation.CaseError as error:
        raise Refused(f"{file.name} cannot be validated. {_clean(str(error))}", code="cases") from error
    beside = {name: file.parent / name for name in validation.files_named(cases)}
    files = {name: _read(other) for name, other in beside.items() if other.is_file()}
    return Validated(file.name, validation.validate(cases, files, report))


def _read(file: Path) -> Any:
    """Parsed JSON of a file, with standard numbers only."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise Refused(f"{file.name} is larger than {LARGEST_FILE // 2**20} MB; split it.", code="cases")
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"{file} cannot be read ({error.strerror or error}); check the name.", code="file") from error
    except UnicodeDecodeError as error:
        raise Refused(f"{file.name} is not UTF-8 text; save it as JSON in UTF-8.", code="cases") from error
    try:
        return json.loads(text, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Refused(f"{file.name} is not valid JSON: {error.msg} at {where}.", code="cases") from error
    except (ValueError, RecursionError) as error:
        said = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise Refused(f"{file.name} is not valid JSON: {said}.", code="cases") from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _clean(text: str) -> str:
    """Text of a file, safe to print on a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


# --- plain data --------------------------------------------------------------------------------------------------


def _value(value: Any) -> Any:
    """A computed figure as JSON has it: infinite and no number become null, structures are left out."""
    if isinstance(value, float):
        return float(value) if abs(value) < float("inf") else None
    return value if value is None or isinstance(value, str | bool | int) else str(value)


def _plain_row(row: Row) -> Plain:
    made: Plain = {
        "figure": row.path,
        "expected": _value(row.expected),
        "computed": _value(row.computed),
        "difference": _value(row.difference),
        "tolerance": _value(row.tolerance),
        "outcome": row.outcome,
    }
    if row.reason:
        made |= {"corrected": _value(row.corrected), "reason": row.reason}
    return made


def plain(done: Validated) -> Plain:
    """The report as data. Outcomes of cases: passed, failed, legacy, not covered; of figures: pass, fail, legacy."""
    return {
        "file": done.file_name,
        "version": __version__,
        "totals": {outcome: done.report.count(outcome) for outcome in validation.OUTCOMES},
        "figures": done.report.figures,
        "cases": [
            {
                "id": r.case.id,
                "title": r.case.title,
                "kind": r.kind,
                "mode": r.case.mode,
                "outcome": r.outcome,
                "remarks": list(r.remarks),
                "notes": r.case.notes,
                "figures": [_plain_row(row) for row in r.rows],
            }
            for r in done.report.results
        ],
    }


# --- text --------------------------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.12g}" if isinstance(value, float) else _clean(str(value))


def _case_lines(r: CaseResult) -> list[str]:
    lines = ["", f"{r.case.id}: {r.outcome}" + (f" · {r.case.title}" if r.case.title else "")]
    lines += [f"  {remark}" for remark in r.remarks]
    if r.rows:
        lines.append(f"  {'':40} {'Expected':>20} {'Computed':>20} {'Difference':>11} {'Tolerance':>10}  Outcome")
    said: set[str] = set()
    for row in r.rows:
        lines.append(
            f"  {row.path:40} {_shown(row.expected):>20} {_shown(row.computed):>20} "
            f"{'' if row.difference is None else f'{row.difference:.1e}':>11} "
            f"{'' if row.tolerance is None else f'{row.tolerance:.1e}':>10}  "
            f"{'FAIL' if row.outcome == 'fail' else row.outcome}"
            + (f"; corrected {_shown(row.corrected)}" if row.reason else "")
        )
        if row.reason and row.reason not in said:
            said.add(row.reason)
            lines.append(f"  {'':4}because {row.reason}")
    return [_clean(line) for line in lines]


def text(done: Validated) -> str:
    """Case by case: every figure with expected, computed, difference, tolerance, outcome; then the totals."""
    report = done.report
    lines = [f"{done.file_name} against CLO Desktop {__version__}"]
    for r in report.results:
        lines += _case_lines(r)
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in validation.OUTCOMES)
    cases = "1 case" if len(report.results) == 1 else f"{len(report.results)} cases"
    lines += ["", f"{cases}: {counts}; {report.figures:,} figures compared."]
    return "\n".join(lines)
