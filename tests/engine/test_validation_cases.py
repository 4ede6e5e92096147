"""Every worked case and every anchor that a kind is known for is met, with nothing left out unnoticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine import validation
from engine.validation import Report

NOT_COVERED = {
    "engine_cases.json": set(),
    "anchor_cases.json": {
        *("RATES-1", "MIGR-1"),
        *("LHP-CDF-p0.02-r0.1", "LHP-CDF-p0.05-r0.2", "LHP-EL-p0.05-r0.2-R0.4", "LHP-EL-p0.1-r0.3-R0.7"),
        *("HETERO-GAUSS-r0.05", "HETERO-GAUSS-r0.2", "HETERO-EQ-r0.2", "T-COPULA-LHP-nu4", "BENCH-DEAL"),
        *("JOINT-PD-0.02-0.05-0.2", "JOINT-PD-0.1-0.1-0.5"),
    },
}
LEGACY = {"engine_cases.json": {"YC-1", "AST-1", "POOL-1"}, "anchor_cases.json": set()}
FILES = tuple(NOT_COVERED)


@pytest.fixture(scope="module")
def reports(shared: Path) -> dict[str, Report]:
    found = {}
    for file in FILES:
        folder = shared / "data" / "cases"
        cases = validation.read_cases(json.loads((folder / file).read_text(encoding="utf-8")))
        named = validation.files_named(cases)
        files = {name: json.loads((folder / name).read_text(encoding="utf-8")) for name in named}
        found[file] = validation.validate(cases, files)
    return found


@pytest.mark.parametrize("file", FILES)
def test_that_no_figure_of_a_covered_case_is_missed(reports: dict[str, Report], file: str) -> None:
    failing = [(r.case.id, row) for r in reports[file].results for row in r.failing]
    assert failing == []
    assert reports[file].failed == ()


@pytest.mark.parametrize("file", FILES)
def test_that_exactly_the_known_cases_are_not_covered_or_legacy(reports: dict[str, Report], file: str) -> None:
    report = reports[file]
    assert {r.case.id for r in report.results if r.outcome == validation.NOT_COVERED} == NOT_COVERED[file]
    assert {r.case.id for r in report.results if r.outcome == validation.LEGACY} == LEGACY[file]


def test_that_legacy_loans_are_reproduced_and_their_corrected_recoveries_stand_beside(
    reports: dict[str, Report],
) -> None:
    case = next(r for r in reports["engine_cases.json"].results if r.case.id == "AST-1")
    rows = {row.path: row for row in case.rows}
    assert all(row.outcome == "pass" for row in case.rows)
    recovered, lost = rows["sum_recoveries"], rows["sum_loss"]
    assert recovered.corrected > recovered.expected
    # what is recovered later is lost no more
    assert recovered.corrected - recovered.expected == pytest.approx(lost.expected - lost.corrected)
    assert "after maturity" in recovered.reason


def test_that_every_row_of_the_workbook_s_curve_has_the_engine_s_own_figure(reports: dict[str, Report]) -> None:
    case = next(r for r in reports["engine_cases.json"].results if r.case.id == "YC-1")
    assert len(case.rows) == 22
    for row in case.rows:
        assert row.outcome == "legacy"
        assert row.computed is None
        assert row.corrected == pytest.approx(row.expected, abs=1.1e-3)
        assert row.reason
