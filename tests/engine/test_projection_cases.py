"""Worked cases of classes, fees, the incentive fee and a whole deal, through the deal's kernel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import collateral as col
from engine import dates
from engine import projection_kernel as pk
from engine.valuation import xirr
from engine.waterfall import kernel as wf
from tests.engine.builders import day, loan, run_loans
from tests.engine.small_deals import given_flows, run_deal, small_document, yc_1


def test_that_a_class_defers_its_shortfall_and_owes_interest_on_it_as_in_case_lia_1(cases: dict[str, Any]) -> None:
    given, expected = cases["LIA-1"]["inputs"], cases["LIA-1"]["expected"]
    p1, p2 = given["p1"], given["p2"]
    steps = [{"pay_interest": {"classes": ["D"]}}, {"pay_deferred": {"classes": ["D"]}}]
    document = small_document(["D"], steps, [])
    cash = expected["p2"]["int_paid"] + expected["p2"]["def_int_paid"] + p2["cash_for_deferred"]
    # the note payment sequence would pay deferred interest first: principal is given when it is the only thing left
    flows = given_flows([{col.INTEREST: p1["cash_for_interest"]}, {col.INTEREST: cash}, {}])
    result = run_deal(
        document,
        ["D", "SUB"],
        [day(p1["end"]), day(p2["end"]), day("2017-01-18")],
        flows,
        lambda _day, _tenor: p2["index"],
        accrual_start=day(p1["start"]),
        balance={"D": given["balance"]},
        margin={"D": given["spread"]},
        deferrable=("D",),
        opening={"current_index": p1["index"], "performing": 1e9},
    )
    assert result.interest[0, 0] == pytest.approx(expected["p1"]["int_paid"])
    assert result.deferred[0, 0] == pytest.approx(expected["p1"]["next_def_beg"])
    assert result.interest[1, 0] == pytest.approx(expected["p2"]["int_paid"] + expected["p2"]["def_int_paid"])
    assert result.deferred_paid[1, 0] == pytest.approx(expected["p2"]["def_prin_paid"])
    assert result.deferred[1, 0] == pytest.approx(expected["p2"]["def_end"])
    assert result.balance[1, 0] == given["balance"]
    assert (result.unpaid == 0.0).all()


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


def test_that_fees_accrue_as_in_case_fee_1(cases: dict[str, Any]) -> None:
    given, expected = cases["FEE-1"]["inputs"], cases["FEE-1"]["expected"]
    junior = given["junior_fee"]
    document = small_document(["A"], [{"pay_fee": {"fees": ["trustee", "base", "junior"]}}], [])
    result = run_deal(
        document,
        ["A", "SUB"],
        [day(given["period"][1]), day("2016-10-18")],
        given_flows([{}, {}]),
        lambda _day, _tenor: 0.0,
        accrual_start=day(given["period"][0]),
        fees={
            "percent": np.array([given["trustee"]["pct"], given["base_fee"]["pct"], junior["pct"]]),
            "fixed": np.array([given["trustee"]["fixed_pa"], 0.0, 0.0]),
            "average": np.array([False, False, True]),
            "day_count": np.array([dates.THIRTY_360, dates.ACT_360, dates.THIRTY_360]),
            "unpaid": np.array([0.0, 0.0, junior["unpaid"]]),
            "bears_interest": np.array([False, False, True]),
            "interest_spread": np.array([0.0, 0.0, junior["spread"]]),
            "opening_basis": given["beg_basis"],
        },
        opening={"performing": given["end_basis"], "current_index": junior["index"]},
    )
    assert result.fee_accrued[0] == pytest.approx([expected["trustee"], expected["base"], expected["junior"]])
    # nothing was paid: all is owed on, and the unpaid junior fee bears interest on what is unpaid now
    assert result.fee_unpaid[0, 2] == pytest.approx(junior["unpaid"] + expected["junior"])


def test_that_the_manager_shares_once_the_hurdle_is_met_as_in_case_inc_1(cases: dict[str, Any]) -> None:
    given, expected = cases["INC-1"]["inputs"], cases["INC-1"]["expected"]["rows"]
    payments = [day(on) for on, _ in given["distributable"]]
    closing = day(given["closing"])
    history = [(day(on), amount) for on, amount in given["history"]]
    grown = sum(a * (1 + given["hurdle"]) ** ((closing - on).days / 365) for on, a in history)
    result = run_deal(
        small_document(["A"], [], []),
        ["A", "SUB"],
        payments,
        given_flows([{col.INTEREST: cash} for _, cash in given["distributable"]]),
        lambda _day, _tenor: 0.0,
        accrual_start=day("2016-01-19"),
        policy={
            **{"hurdle": given["hurdle"], "manager_share": given["share"]},
            **{"hurdle_value": grown, "hurdle_day": dates.serial(closing)},
        },
    )
    for i, row in enumerate(expected):
        assert result.cash[i, pk.INCENTIVE_FEE] == pytest.approx(row["incentive_fee"], abs=1e-4)
        paid = result.interest[: i + 1, 1] + result.principal[: i + 1, 1]
        assert paid[i] == pytest.approx(row["to_sub"])
        flows = [a for _, a in history] + paid.tolist()
        assert xirr([d for d, _ in history] + payments[: i + 1], flows) == pytest.approx(row["irr"], abs=1e-9)


# --- a whole deal ------------------------------------------------------------------------------------------------


def test_that_the_reference_curve_of_the_whole_deal_is_case_yc_1(cases: dict[str, Any]) -> None:
    case = cases["YC-1"]
    nodes = {int(m): r for m, r in case["inputs"]["nodes_months_rate"].items()}
    rate = yc_1(nodes, day(case["inputs"]["asof"]))
    for text, expected in case["expected"]["spot_rate"].items():
        on, tenor = text.split(",")
        assert rate(day(on), int(tenor[:-1])) == pytest.approx(expected, abs=1e-12)


def deal_1(cases: dict[str, Any]) -> tuple[pk.Result, Any, tuple[str, ...]]:
    given = cases["DEAL-1"]["inputs"]
    as_of = day(given["asof"])
    nodes = {int(m): r for m, r in cases["YC-1"]["inputs"]["nodes_months_rate"].items()}
    rate = yc_1(nodes, as_of)
    closed = {*cases["CAL-1"]["inputs"]["holidays_2016"], *given["holidays_added"]}
    calendar = dates.Calendar(day(d) for d in closed)
    first = dates.serial(day(given["first_unadjusted"]))
    payments = [
        calendar.roll(dates.from_serial(dates.add_months(first, 3 * i, False)), "Following")
        for i in range(given["periods"] + 1)  # a date more than is run: what is bought does not mature on the last
    ]
    ends = [calendar.business_days_before(d, given["determination_bd"]) for d in payments]
    fixing = [calendar.business_days_before(d, 2) for d in [day(given["prev_payment"]), *payments[:-1]]]

    # the pool
    lots, vectors = [], []
    for i, a in enumerate(given["assets"]):
        lots.append(
            (
                loan(
                    f"L{i}",
                    maturity=day(a["maturity"]),
                    coupon=a["coupon"],
                    coupon_spread=a["spread"],
                    index_floor=a["floor"],
                    payment_frequency=a["freq"],
                    first_payment_date=day(a["first_pay"]),
                    dated_date=day(a["dated"]),
                    payment_eom=False,
                    business_day_convention="None",
                ),
                a["par"],
            )
        )
        vectors.append(((a["cpr"],), (a["cdr"],), (a["sev"],)))
    # what is unresolved at a loan's maturity is lost, as the case has it
    flows = run_loans(lots, as_of, ends, rate=rate, vectors=vectors, recover_after_maturity=False)

    fees, classes = given["fees"], given["classes"]
    tests: dict[str, Any] = {}
    for c, covered in (("A", ["A"]), ("B", ["A", "B"])):
        tests[f"OC_{c}"] = {"type": "oc", "of": c, "classes": covered}
        tests[f"IC_{c}"] = {"type": "ic", "of": c, "classes": covered}
    tests["DIV"] = {"type": "diversion", "classes": ["A", "B"], "trigger": given["diversion_trigger"]}
    tests["EOD"] = {"type": "eod", "classes": ["A"], "trigger": given["eod_trigger"]}
    senior = [{"pay_fee": {"fees": ["trustee"]}}, {"pay_fee": {"fees": ["base"]}}]
    interest = [
        *senior,
        {"pay_interest": {"classes": ["A"]}},
        {"cure": {"tests": ["OC_A", "IC_A"]}},
        {"pay_interest": {"classes": ["B"]}},
        {"pay_deferred": {"classes": ["B"]}},
        {"cure": {"tests": ["OC_B", "IC_B"]}},
        {"divert": {"test": "DIV", "share": 0.5, "amount": "par_cure"}, "when": "phase.reinvestment"},
        {"pay_fee": {"fees": ["junior"]}},
    ]
    principal = [
        *senior,
        {"pay_interest": {"classes": ["A"]}},
        {"cure": {"tests": ["OC_A", "IC_A"]}},
        {"cure": {"tests": ["OC_B", "IC_B"]}},
        {"reinvest": {"amount": "policy"}},
    ]
    document = small_document(
        ["A", "B"], interest, principal, tests=tests, before=senior, after=[{"pay_fee": {"fees": ["junior"]}}]
    )
    history = given["incentive"]["history"]
    closing = day(given["incentive"]["closing"])
    hurdle = given["incentive"]["hurdle"]
    re = given["reinvest"]
    result = run_deal(
        document,
        ["A", "B", "SUB"],
        payments,
        flows,
        rate,
        ends=ends,
        determination=fixing,
        accrual_start=day(given["prev_payment"]),
        reinvest_until=day("2017-04-18"),
        redemption=given["periods"] - 1,
        balance={c: terms[0] for c, terms in classes.items()},
        margin={c: terms[1] for c, terms in classes.items()},
        deferrable=("B",),
        triggers=(1.2, 1.2, 1.105, 1.1, given["diversion_trigger"], given["eod_trigger"]),
        fees={
            "percent": np.array([fees["Trustee"], fees["Base"], fees["Junior"]]),
            "senior": np.array([True, True, False]),
            "opening_basis": fees["beg_basis"],
        },
        policy={
            **{"pre_base": pk.ALL_PRINCIPAL, "price": re["price"], "spread": re["spread"], "floor": re["floor"]},
            **{"periods": re["maturity"] // 3, "cpr": re["cpr"], "cdr": re["cdr"], "severity": re["sev"]},
            **{"lag": re["lag"] // 3, "sale_price": given["liquidation_price"], "hurdle": hurdle},
            "hurdle_value": sum(a * (1 + hurdle) ** ((closing - day(d)).days / 365) for d, a in history),
            "hurdle_day": dates.serial(closing),
        },
        opening={
            "interest": given["collection_cash"]["interest"],
            "principal": given["collection_cash"]["principal"],
            "performing": sum(par for _, par in lots),
            "current_index": given["current_index"],
        },
        loan_par=np.array([par for _, par in lots]),
    )
    return result, payments, tuple(tests)


def test_that_a_whole_deal_of_nine_dates_is_case_deal_1(cases: dict[str, Any]) -> None:
    result, payments, tests = deal_1(cases)
    expected = cases["DEAL-1"]["expected"]["periods"]
    near = {"rel": 1e-9, "abs": 1e-4}
    for i, row in enumerate(expected):
        where = row["payment_date"]
        cash = result.cash[i]
        assert payments[i].isoformat() == where
        assert cash[pk.INDEX] == pytest.approx(row["index"], abs=1e-12), where
        assert cash[pk.INTEREST_PROCEEDS] == pytest.approx(row["interest_proceeds"], **near), where
        all_principal = cash[pk.PRINCIPAL_PROCEEDS] + cash[pk.SALE_PROCEEDS]
        assert all_principal == pytest.approx(row["principal_proceeds_before_diversion"], **near), where
        assert cash[pk.SALE_PROCEEDS] == pytest.approx(row["sold"], **near), where
        assert cash[pk.REINVESTED] == pytest.approx(row["reinvested"], **near), where
        assert cash[pk.NOTES_POT] == pytest.approx(row["to_notes"], **near), where
        for f, name in enumerate(("Trustee", "Base", "Junior")):
            assert result.fee_paid[i, f] == pytest.approx(row["fees_paid"][name], **near), (where, name)
        for c, name in enumerate("AB"):
            assert result.interest[i, c] == pytest.approx(row[name]["int"], **near), (where, name)
            assert result.principal[i, c] == pytest.approx(row[name]["prin"], **near), (where, name)
            ic = tests.index(f"IC_{name}")
            assert result.ratio[i, ic] == pytest.approx(row["ic"][name], rel=1e-9), (where, name)
            if not row["eod"]:  # on the last date the case's pool reads as empty, ours is not yet sold
                oc = tests.index(f"OC_{name}")
                assert result.numerator[i, oc] == pytest.approx(row["oc_num"], **near), where
                assert result.ratio[i, oc] == pytest.approx(row["oc"][name], rel=1e-9), (where, name)
        assert result.interest[i, 2] == pytest.approx(row["sub"]["int"], **near), where
        assert result.principal[i, 2] == pytest.approx(row["sub"]["prin"], **near), where
    assert result.phase[len(expected) - 1, wf.REDEMPTION]
