"""Rules of classes and fees beyond the worked cases (those: test_validation_cases), through the deal's kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import collateral as col
from engine import dates
from engine.validation.harness import chained_forwards, given_flows, run_deal
from tests.engine.builders import day
from tests.engine.small_deals import small_document


def test_that_a_class_that_may_not_defer_is_owed_its_shortfall_with_interest_at_its_coupon(
    cases: dict[str, Any],
) -> None:
    given = cases["LIA-1"]["inputs"]
    p1, p2 = given["p1"], given["p2"]
    document = small_document(["D"], [{"pay_interest": {"classes": ["D"]}}], [])
    flows = given_flows([{col.INTEREST: p1["cash_for_interest"]}, {col.INTEREST: 1e6}, {}])
    result = run_deal(
        document,
        ["D", "SUB"],
        [day(p1["end"]), day(p2["end"]), day("2017-01-18")],
        flows,
        lambda _day, _tenor: p2["index"],
        accrual_start=day(p1["start"]),
        balance={"D": given["balance"]},
        margin={"D": given["spread"]},
        opening={"current_index": p1["index"], "performing": 1e9},
    )
    expected = cases["LIA-1"]["expected"]
    assert result.unpaid[0, 0] == pytest.approx(expected["p1"]["next_def_beg"])
    assert result.deferred[0, 0] == 0.0
    late = expected["p1"]["next_def_beg"] + expected["p2"]["def_int_accrued"]
    assert result.interest[1, 0] == pytest.approx(expected["p2"]["int_accrued"] + late)
    assert result.unpaid[1, 0] == 0.0


def test_that_a_fee_of_which_nothing_is_paid_is_owed_on(cases: dict[str, Any]) -> None:
    given, expected = cases["FEE-1"]["inputs"], cases["FEE-1"]["expected"]
    junior = given["junior_fee"]
    document = small_document(["A"], [{"pay_fee": {"fees": ["junior"]}}], [])
    result = run_deal(
        document,
        ["A", "SUB"],
        [day(given["period"][1]), day("2016-10-18")],
        given_flows([{}, {}]),
        lambda _day, _tenor: 0.0,
        accrual_start=day(given["period"][0]),
        fees={
            "percent": np.array([0.0, 0.0, junior["pct"]]),
            "average": np.array([False, False, True]),
            "day_count": np.array([dates.THIRTY_360, dates.THIRTY_360, dates.THIRTY_360]),
            "unpaid": np.array([0.0, 0.0, junior["unpaid"]]),
            "bears_interest": np.array([False, False, True]),
            "interest_spread": np.array([0.0, 0.0, junior["spread"]]),
            "opening_basis": given["beg_basis"],
        },
        opening={"performing": given["end_basis"], "current_index": junior["index"]},
    )
    assert result.fee_unpaid[0, 2] == pytest.approx(junior["unpaid"] + expected["junior"])


def test_that_the_workbook_s_curve_of_the_cases_is_case_yc_1(cases: dict[str, Any]) -> None:
    case = cases["YC-1"]
    nodes = {int(m): r for m, r in case["inputs"]["nodes_months_rate"].items()}
    rate = chained_forwards(nodes, day(case["inputs"]["asof"]))
    for text, expected in case["expected"]["spot_rate"].items():
        on, tenor = text.split(",")
        assert rate(day(on), int(tenor[:-1])) == pytest.approx(expected, abs=1e-12)
