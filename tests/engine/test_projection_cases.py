"""Rules of classes and fees beyond the worked cases (those: test_validation_cases), through a run of the deal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import dates
from engine.loans import columns as col
from engine.validation.harness import chained_forwards, deal_inputs, given_flows, run_deal
from tests.engine.builders import day
from tests.engine.plain_inputs import small_document


def test_that_a_class_that_may_not_defer_is_owed_its_shortfall_with_interest_at_its_coupon(
    cases: dict[str, Any],
) -> None:
    given, expected = cases["LIA-1"]["inputs"], cases["LIA-1"]["expected"]
    p1, p2 = given["p1"], given["p2"]
    document = small_document(["D"], [{"pay_interest": {"classes": ["D"]}}], [])
    payments = [day(p1["end"]), day(p2["end"]), day("2017-01-18")]
    days = [(end - begin).days for begin, end in ((day(p1["start"]), payments[0]), payments[:2])]
    accrual = [(p["index"] + given["spread"]) * n / 360 for p, n in zip((p1, p2), days, strict=True)]
    inputs = deal_inputs(
        document,
        ["D", "SUB"],
        payments,
        day(p1["start"]),
        balance={"D": given["balance"]},
        accrual={"D": np.array([*accrual, 0.0])},
        performing=1e9,
    )
    flows = given_flows([{col.INTEREST: p1["cash_for_interest"]}, {col.INTEREST: 1e6}, {}])
    result = run_deal(document, inputs, flows).result
    assert result.unpaid[0, 0] == pytest.approx(expected["p1"]["next_def_beg"])
    assert result.deferred[0, 0] == 0.0
    late = expected["p1"]["next_def_beg"] + expected["p2"]["def_int_accrued"]
    assert result.interest[1, 0] == pytest.approx(expected["p2"]["int_accrued"] + late)
    assert result.unpaid[1, 0] == 0.0


def test_that_a_fee_of_which_nothing_is_paid_is_owed_on(cases: dict[str, Any]) -> None:
    given, expected = cases["FEE-1"]["inputs"], cases["FEE-1"]["expected"]
    junior = given["junior_fee"]
    start, end = (day(on) for on in given["period"])
    fraction = dates.year_fraction(dates.serial(start), dates.serial(end), dates.THIRTY_360)
    document = small_document(["A"], [{"pay_fee": {"fees": ["junior"]}}], [])
    inputs = deal_inputs(
        document,
        ["A", "SUB"],
        [end, day("2016-10-18")],
        start,
        performing=given["end_basis"],
        opening_basis=given["beg_basis"],
        fee_percent={"junior": junior["pct"]},
        fee_basis={"junior": "average"},
        fee_fraction={"junior": fraction},
        fee_interest={"junior": (junior["index"] + junior["spread"]) * fraction},
        fee_unpaid={"junior": junior["unpaid"]},
    )
    run = run_deal(document, inputs)
    unpaid = run.result.fee_unpaid[0, document.fee_ids.index("junior")]
    assert unpaid == pytest.approx(junior["unpaid"] + expected["junior"])


def test_that_the_workbook_s_curve_of_the_cases_is_case_yc_1(cases: dict[str, Any]) -> None:
    case = cases["YC-1"]
    nodes = {int(m): r for m, r in case["inputs"]["nodes_months_rate"].items()}
    rate = chained_forwards(nodes, day(case["inputs"]["asof"]))
    for text, expected in case["expected"]["spot_rate"].items():
        on, tenor = text.split(",")
        assert rate(day(on), int(tenor[:-1])) == pytest.approx(expected, abs=1e-12)
