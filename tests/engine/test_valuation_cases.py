"""Anchors of notes and the workbook's risk measures: met, with what is departed from named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import resources
from engine import validation
from engine.validation import Report

FAMILIES = ("FIX", "FRN", "AMORT", "XIRR", "CMP", "CRV")
PACK: dict[str, Any] = json.loads(resources.path("validation/pack.json").read_text(encoding="utf-8"))


def of_file(folder: Path, name: str) -> Report:
    return validation.validate(validation.read_cases(json.loads((folder / name).read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def anchors(shared: Path) -> Report:
    return of_file(shared / "data" / "cases", "anchor_cases.json")


def test_that_every_anchor_of_notes_curves_and_rates_is_met_within_its_tolerance(anchors: Report) -> None:
    found = [r for r in anchors.results if r.case.id.split("-")[0] in FAMILIES]
    assert {r.case.id for r in found} == {
        *("FIX-1", "FIX-1U", "FIX-3", "FRN-AAA", "FRN-LOAN-FLOOR", "AMORT-1", "XIRR-1", "XIRR-2", "CMP-1", "CRV-1")
    }
    assert {r.outcome for r in found} == {validation.PASSED}
    assert all(row.outcome == "pass" for r in found for row in r.rows)


def test_that_the_workbook_s_measures_are_met_but_for_its_flat_margin(shared: Path) -> None:
    report = of_file(shared / "data" / "cases", "engine_cases.json")
    lia = next(r for r in report.results if r.case.id == "LIA-2")
    rows = {row.path: row for row in lia.rows}
    assert lia.outcome == validation.PASSED
    met = {path for path, row in rows.items() if row.outcome == "pass"}
    assert met == {
        *("yield_given_price", "wal", "mac_duration", "mod_duration"),
        "dm_given_price_corrected(YC-2 curve, dirty price)",
    }
    legacy = rows["dm_given_price_legacy"]
    assert "D-18" in legacy.reason
    assert legacy.corrected == pytest.approx(rows["dm_given_price_corrected(YC-2 curve, dirty price)"].expected)


def changed(case_id: str, **inputs: Any) -> str:
    row = next(row for row in PACK["cases"] if row["id"] == case_id)
    report = validation.validate(validation.read_cases({"cases": [row | {"inputs": row["inputs"] | inputs}]}))
    (result,) = report.results
    assert result.outcome == validation.FAILED
    return result.remarks[0]


@pytest.mark.parametrize(
    ("case_id", "inputs", "sentence"),
    [
        ("FIX-par", {"day_count": "30/365"}, "has the day count '30/365'"),
        ("FIX-par", {"frequency": "7M"}, "has the period '7M'"),
        ("FIX-par", {"payment": "Following Atlantis"}, "no calendar 'Atlantis'"),
        ("FIX-par", {"curve": "CRV-9"}, "refers to case CRV-9"),
        ("FIX-par", {"coupon": "six"}, "not usable"),
        ("AMORT-two", {"notionals": [100.0]}, "has 1 balances for 2 periods"),
        ("CMP-quarterly", {"from_": "every day"}, "another form"),
        ("CMP-quarterly", {"from_": "weekly Act/360 over 2026-01-15..2027-01-15"}, "compounding 'weekly'"),
        ("LIA-2-par", {"asof": "soon"}, "has 'soon' where an ISO date"),
    ],
)
def test_that_inputs_that_cannot_be_used_are_named(case_id: str, inputs: dict[str, Any], sentence: str) -> None:
    assert sentence in changed(case_id, **inputs)
