"""Results as plain data and as words."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.work import judging, plain, summary, told
from clo_desktop.work.desk import Desk
from engine.assumptions import Assumptions
from engine.compliance import Compliance
from engine.projection import Projection

DEAL = "Harbor 2024-1"


@pytest.fixture(scope="module")
def tests(stocked: Path) -> Compliance:
    return Desk(stocked).comply(DEAL)


@pytest.fixture(scope="module")
def flows(stocked: Path) -> Projection:
    return Desk(stocked).project(DEAL)


@given(st.floats())
def test_that_a_number_json_does_not_have_is_null(value: float) -> None:
    made = plain.finite(value)
    assert made == value if math.isfinite(value) else made is None


def test_that_results_are_json_without_infinities(tests: Compliance, flows: Projection) -> None:
    assert np.isinf(flows.result.ratio).any()  # a class that is repaid has no ratio
    for data in (plain.compliance(tests), plain.projection(flows)):
        assert json.loads(json.dumps(data, allow_nan=False)) == data


def test_that_plain_columns_have_one_figure_a_payment_date(flows: Projection) -> None:
    data = plain.projection(flows)
    dates = len(flows.payment_dates)
    for part in (data, *data["classes"], *data["fees"], *data["tests"]):
        for name, value in part.items():
            if isinstance(value, list) and value and isinstance(value[0], int | float | bool):
                assert len(value) == dates, name
    assert [c["name"] for c in data["classes"]] == [t.name for t in flows.tranches]
    assert data["equity_total"] == pytest.approx(sum(flows.paid(flows.equity)))


def test_that_the_summary_of_tests_has_a_line_a_test(tests: Compliance) -> None:
    lines = summary.compliance(tests).splitlines()
    assert lines[0].startswith(f"{DEAL} as of 2025-03-31: {len(tests.results)} tests, 1 fails (")
    assert sum("FAIL" in line for line in lines) == 1
    for result in tests.results:
        assert sum(line.startswith(f"{result.number:4d}  ") for line in lines) == 1


def test_that_the_summary_of_flows_names_classes_fees_tests_and_the_balance(flows: Projection) -> None:
    text = summary.projection(flows)
    for name in (*(t.name for t in flows.tranches), *(f.name[:20] for f in flows.structure.fees)):
        assert name in text
    for test in flows.document.tests:
        assert f"\n{test.id:8}" in text
    assert "largest difference on a date 0.000000" in text
    assert "nan" not in text
    assert "inf " not in text


def test_that_a_failing_coverage_test_is_told_with_its_first_date(stocked: Path) -> None:
    hard = Desk(stocked).project(DEAL, Assumptions(cdr=0.15, severity=0.7))
    text = summary.projection(hard)
    assert "fails first on 20" in text
    assert f"CDR {0.15:.2%}" in text


def test_that_an_average_of_no_assets_is_not_applicable_and_has_no_cushion(workspace: Path) -> None:
    desk = Desk(workspace)
    none = judging.add_test(
        desk, DEAL, "Nowhere", "MIN", 0.5, "average spread where country = USA and country = Canada"
    )
    held = judging.add_test(desk, DEAL, "Everywhere", "MIN", 0.5, "average spread")
    assert none is not None
    assert held is not None
    done = desk.comply(DEAL)
    (line,) = (line for line in summary.compliance(done).splitlines() if line.startswith(f" {none.number}  "))
    assert line.split()[2:] == ["–", "min", "50.000", "%", "–", "not", "applicable", "No", "such", "assets"]
    told_of = {row["number"]: row for row in plain.compliance(done)["tests"]}
    assert (told_of[none.number]["outcome"], told_of[none.number]["cushion"]) == ("pass", None)
    assert (told_of[held.number]["outcome"], told_of[held.number]["cushion"] < 0.0) == ("fail", True)
    reason = judging.why(desk, DEAL, none.number, 0)
    assert told.why_words(reason).splitlines()[0].endswith(": –, at least 50.000 %: not applicable")
    assert told.why_plain(reason)["cushion"] is None
