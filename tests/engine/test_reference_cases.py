"""The reference of a deal's run pays what the worked cases say (spec: engine 13). Whole deal: test_reference_whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.loans import columns as col
from engine.waterfall.document import Document
from engine.waterfall.language import read_document
from tests.engine import reference_deal
from tests.engine.plain_inputs import FEES, plain_inputs, pool_flows, serial, small_document
from tests.engine.reference_deal import Outcome
from tests.engine.reference_proxies import ccc_excess, days_360

DEALS = ("MAG6", "MAG8", "MAG12", "MAG15")  # the deals the cases step through
NOBODY = np.zeros((400, 0))


def run(document: Document, classes: list[str], days: list[int], *rows: dict[int, float], **inputs: Any) -> Outcome:
    """The deal over given flows of the pool, and a date more for the redemption; without watched loans."""
    n_dates, days = len(days), [*days, days[-1] + 90]
    flows, lane = pool_flows(len(days), *rows), inputs.pop("lane", {})
    rates = inputs.pop("rates", (0.0, 0.0))
    given = plain_inputs(document, classes, days, **inputs)
    outcome = reference_deal.run(document, given, flows, NOBODY, ([], []), lane, rates)
    return Outcome(outcome.rows[:n_dates])


# --- the nine real priorities of payments ------------------------------------------------------------------------


@pytest.fixture(scope="session")
def real_waterfalls(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "cases" / "mag_waterfalls.json").read_text(encoding="utf-8"))["deals"]


def real_document(deal: dict[str, Any], given: dict[str, Any]) -> Document:
    """The deal's own lists of steps; the tests' figures are inputs, those of interest coverage are met."""
    rated = [c for c in deal["classes"] if c != "SUB"]
    tests: dict[str, Any] = {}
    inputs: dict[str, Any] = {}
    for test, row in given["tests"].items():
        met = row["type"] == "IC"
        figures = {"num": 1e12, "den": 1.0} if met else row
        for part in ("num", "den"):
            inputs[f"{test}_{part}".replace("-", "_")] = {"label": f"{test} {part}", "default": figures[part]}
        last = rated[-1] if test == "DIV" else test.split("_")[1]
        tests[test] = {
            "type": "diversion" if test == "DIV" else row["type"].lower(),
            "classes": rated[: rated.index(last) + 1],
            "trigger": 1.0 if met else row["trig"],
            "numerator": f"input.{test}_num".replace("-", "_"),
            "denominator": f"input.{test}_den".replace("-", "_"),
        }
    lists = dict(deal["waterfalls"])
    if "branch" in lists["principal"][-1]:  # nothing is left after it; the reader wants an unconditional last step
        lists["principal"] = [*lists["principal"], {"run": {"waterfall": "nps"}}]
    return read_document(
        {
            "wdl": 1,
            "name": "real",
            "classes": {c: {"interest_on_deferred": False} for c in rated} | {"SUB": {"kind": "equity"}},
            "fees": FEES,
            "inputs": inputs,
            "tests": tests,
            "waterfalls": lists,
        }
    )


@pytest.mark.parametrize("phase", ["reinvestment", "post", "acceleration"])
@pytest.mark.parametrize("deal", DEALS)
def test_that_a_real_priority_of_payments_pays_what_the_case_says(
    cases: dict[str, Any], real_waterfalls: dict[str, Any], deal: str, phase: str
) -> None:
    given, expected = cases[f"WDL-{deal}-{phase}"]["inputs"], cases[f"WDL-{deal}-{phase}"]["expected"]
    document = real_document(real_waterfalls[deal], given)
    share = given["reinvest_share_of_principal"]
    outcome = run(
        document,
        list(document.class_ids),
        [20000],
        before=20000,
        interest=given["interest"],
        principal=given["principal"],
        balance=given["balances"],
        deferred=given["deferred"],
        accrual={c: due / given["balances"][c] for c, due in given["interest_due"].items()},
        fee_unpaid=given["fees_due"],
        triggers={t.id: t.trigger for t in document.tests},
        reinvesting=np.array([phase == "reinvestment"] * 2),
        accelerated=phase == "acceleration",
        policy_base=("all", "all"),
        policy_share=(share, share),
        hurdle_value=-given["equity_threshold"],
        manager_share=given["manager_share"],
    )
    row = outcome.rows[0]
    made = {f"fee.{f}": paid for f, paid in row.fee_paid.items()}
    for c in document.class_ids:
        names = ("interest", "deferred", "principal") if c == "SUB" else ("int", "def", "prin")
        for name, kind in zip(names, (row.interest, row.deferred_paid, row.principal), strict=True):
            made[f"{c}.{name}"] = kind[c]
    cash = {"diverted": "Interest diverted", "reinvested": "Reinvested", "notes_pot": "Payment of notes"}
    made |= {name: row.cash[of] for name, of in cash.items()} | {"incentive": row.incentive}
    assert {name: paid for name, paid in made.items() if abs(paid) > 1e-6} == pytest.approx(expected, abs=1e-4)
    assert row.cash["Carried forward"] == pytest.approx(0.0, abs=1e-6)


# --- classes, fees, incentive fee, tests -------------------------------------------------------------------------


def test_that_a_class_that_defers_does_so_as_case_lia_1_says(cases: dict[str, Any]) -> None:
    given, expected = cases["LIA-1"]["inputs"], cases["LIA-1"]["expected"]
    p1, p2 = given["p1"], given["p2"]
    start, middle, end = serial(p1["start"]), serial(p1["end"]), serial(p2["end"])
    coupons = [(p["index"] + given["spread"]) for p in (p1, p2)]
    document = small_document(
        ["D"],
        [{"pay_interest": {"classes": ["D"]}}, {"pay_deferred": {"classes": ["D"]}}],
        [{"pay_principal": {"classes": ["D"]}}],
    )
    cash = expected["p2"]["int_paid"] + expected["p2"]["def_int_paid"] + p2["cash_for_deferred"]
    outcome = run(
        document,
        ["D", "SUB"],
        [middle, end],
        {col.INTEREST: p1["cash_for_interest"]},
        {col.INTEREST: cash, col.SCHEDULED: p2["principal"]},
        before=start,
        performing=1e12,
        balance={"D": given["balance"]},
        accrual={"D": [coupons[0] * (middle - start) / 360, coupons[1] * (end - middle) / 360, 0.0]},
        deferrable={"D": "always"},
    )
    for row, figures in zip(outcome.rows, (expected["p1"], expected["p2"]), strict=True):
        assert row.due["D"] == pytest.approx(figures["int_accrued"])
        assert row.on_deferred["D"] == pytest.approx(figures["def_int_accrued"])
        assert row.interest["D"] == pytest.approx(figures["int_paid"] + figures["def_int_paid"])
        assert row.deferred_paid["D"] == pytest.approx(figures["def_prin_paid"])
        assert row.principal["D"] == pytest.approx(figures["prin_paid"])
        assert row.balance["D"] == pytest.approx(figures["end_bal"])
        assert row.deferred["D"] == pytest.approx(figures["next_def_beg"])


def test_that_fees_accrue_as_case_fee_1_says(cases: dict[str, Any]) -> None:
    given, expected = cases["FEE-1"]["inputs"], cases["FEE-1"]["expected"]
    start, end = (serial(on) for on in given["period"])
    actual, thirty = (end - start) / 360, days_360(start, end) / 360
    base, junior, trustee = given["base_fee"], given["junior_fee"], given["trustee"]
    outcome = run(
        small_document(["A"], [{"pay_fee": {"fees": list(FEES)}}], []),
        ["A", "SUB"],
        [end],
        before=start,
        performing=given["end_basis"],
        opening_basis=given["beg_basis"],
        fee_percent={"trustee": trustee["pct"], "base": base["pct"], "junior": junior["pct"]},
        fee_fixed={"trustee": trustee["fixed_pa"]},
        fee_basis={"junior": "average"},
        fee_fraction={"trustee": thirty, "base": actual, "junior": thirty},
        fee_unpaid={"junior": junior["unpaid"]},
        fee_interest={"junior": (junior["index"] + junior["spread"]) * thirty},
    )
    row = outcome.rows[0]
    assert {f: row.fee_accrued[f] for f in expected} == pytest.approx(expected)
    assert row.fee_unpaid["junior"] == pytest.approx(junior["unpaid"] + expected["junior"])


def test_that_the_incentive_fee_is_that_of_case_inc_1(cases: dict[str, Any]) -> None:
    given = cases["INC-1"]["inputs"]
    rows = cases["INC-1"]["expected"]["rows"]
    days = [serial(on) for on, _ in given["distributable"]]
    before = serial(given["history"][-1][0])
    grown = sum(a * (1 + given["hurdle"]) ** ((before - serial(on)) / 365) for on, a in given["history"])
    outcome = run(
        small_document(["A"], [], []),
        ["A", "SUB"],
        days,
        *({col.INTEREST: cash} for _, cash in given["distributable"]),
        before=before,
        hurdle=given["hurdle"],
        manager_share=given["share"],
        hurdle_value=grown,
    )
    for row, expected in zip(outcome.rows, rows, strict=True):
        assert row.thresholds["irr", given["hurdle"]] == pytest.approx(expected["threshold"])
        assert row.incentive == pytest.approx(expected["incentive_fee"], abs=1e-6)
        assert row.interest["SUB"] == pytest.approx(expected["to_sub"])


def cured(test: tuple[float, float, float], interest: float, principal: float, *steps: str) -> Outcome:
    """One date of class A with steps in the interest waterfall (i:) or the principal waterfall (p:)."""
    kinds: dict[str, Any] = {
        "cure": {"cure": {"tests": ["OC"]}},
        "par": {"divert": {"test": "DIV", "share": 1.0, "amount": "par_cure"}},
        "paydown": {"divert": {"test": "DIV", "share": 1.0, "amount": "paydown_cure"}},
    }
    chosen = {where: [kinds[s[2:]] for s in steps if s[0] == where] for where in "ip"}
    terms = {"trigger": test[2], "classes": ["A"], "numerator": str(test[0])}
    tests = {"OC": {"type": "oc"} | terms, "DIV": {"type": "diversion"} | terms}
    return run(
        small_document(["A"], chosen["i"], chosen["p"], tests=tests),
        ["A", "SUB"],
        [20000],
        interest=interest,
        principal=principal,
        balance={"A": test[1]},
        triggers={"OC": test[2], "DIV": test[2]},
    )


def paid_by(outcome: Outcome, type_: str) -> list[float]:
    return [line.paid for line in outcome.rows[0].log if line.type == type_]


def test_that_cures_are_those_of_case_oc_1(cases: dict[str, Any]) -> None:
    given, expected = cases["OC-1"]["inputs"], cases["OC-1"]["expected"]
    test = (given["numerator"], given["denominator"], given["trigger"])
    plenty, partial = 10 * test[1], given["interest_cure_paid"]
    assert cured(test, 0.0, 0.0).rows[0].tests["OC"].ratio == pytest.approx(expected["ratio"])
    assert paid_by(cured(test, plenty, 0.0, "i:cure"), "cure") == pytest.approx([expected["interest_cure"]])
    assert paid_by(cured(test, 0.0, plenty, "p:cure"), "cure") == pytest.approx([expected["principal_cure"]])
    after = paid_by(cured(test, partial, plenty, "i:cure", "p:cure"), "cure")
    assert after == pytest.approx([partial, expected["principal_cure_after_partial_interest"]])
    diversion = expected["reinvestment_diversion_amount_corrected(T*Den-Num)"]
    assert paid_by(cured(test, plenty, 0.0, "i:par"), "divert") == pytest.approx([diversion])
    legacy = expected["reinvestment_diversion_amount_legacy"]
    assert paid_by(cured(test, plenty, 0.0, "i:paydown"), "divert") == pytest.approx([legacy])


@pytest.mark.parametrize(("covers", "retired"), [(1.5e6, 75e6), (0.9e6, 112.5e6)])
def test_that_the_interest_coverage_cure_retires_senior_notes_until_the_interest_is_saved(
    covers: float, retired: float
) -> None:
    # A 100m at 1 %, B 50m at 2 %: 2.0m due; 1.5m covers 1.2 times only 1.25m, so 0.75m must be saved (spec 6.2)
    tests = {"IC": {"type": "ic", "classes": ["A", "B"], "trigger": 1.2, "numerator": str(covers)}}
    outcome = run(
        small_document(["A", "B"], [{"cure": {"tests": ["IC"]}}], [], tests=tests),
        ["A", "B", "SUB"],
        [20000],
        interest=1e9,
        balance={"A": 100e6, "B": 50e6},
        accrual={"A": 0.01, "B": 0.02},
        triggers={"IC": 1.2},
    )
    assert paid_by(outcome, "cure") == pytest.approx([retired])


def test_that_the_excess_of_ccc_is_that_of_case_ccc_1(cases: dict[str, Any]) -> None:
    given, expected = cases["CCC-1"]["inputs"], cases["CCC-1"]["expected"]
    loans = sorted(given["ccc"], key=lambda row: -row[2])
    balances = [row[1] for row in loans]
    bucket = [(i, row[2] / 100) for i, row in enumerate(loans)]
    limit = given["limit"] * given["collateral_principal_amount"]
    assert ccc_excess(limit, (bucket, []), balances) == pytest.approx(expected["haircut"])
    assert ccc_excess(limit, ([], bucket), balances) == pytest.approx(expected["haircut"])
    assert ccc_excess(25e6, (bucket, []), balances) == pytest.approx(9e6 * 0.45 + 5e6 * 0.30)
