"""Results as plain data and as words."""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.work import plain, summary
from clo_desktop.work.desk import Desk, comply_with
from clo_desktop.work.history import snapshot_of
from clo_desktop.work.standing import outcome_word
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
    assert "CDR 15.00 %" in text


def test_that_an_average_of_no_assets_is_not_applicable_and_has_no_cushion(stocked: Path) -> None:
    book = Desk(stocked).book(DEAL)
    fixed = {asset.asset_id for asset in book.assets.values() if asset.coupon_type == "FIXED"}
    floating = tuple(h for h in book.deal.holdings if h.asset_id not in fixed)
    done = comply_with(replace(book, deal=replace(book.deal, holdings=floating)))
    coupon = next(r for r in done.results if r.name == "Weighted average fixed coupon")
    assert coupon.empty
    (line,) = (line for line in summary.compliance(done).splitlines() if coupon.name in line)
    assert re.search(r" – min +\d\.\d{3} % +–  not applicable +No such assets$", line), line
    (row,) = (row for row in plain.compliance(done)["tests"] if row["name"] == coupon.name)
    assert (row["outcome"], row["cushion"], row["applicable"]) == ("pass", None, False)
    assert outcome_word(coupon) == "not applicable"
    kept = snapshot_of(book, done, "taken").test(coupon.number)
    assert kept is not None
    assert (kept.result, kept.cushion) == (None, None)
