"""Rules of coverage tests and waterfalls beyond the worked cases; the nine real deals' priorities of payments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import projection_kernel as pk
from engine.validation.harness import pay
from engine.validation.kinds.waterfalls import FEES, as_document, date_state, payments
from engine.waterfall import kernel as wf
from engine.waterfall import read_document
from tests.engine.builders import template
from tests.engine.reference_waterfall import Reference

DEALS = ("MAG6", "MAG8", "MAG12", "MAG15")  # the deals the cases step through
ALL_DEALS = ("MAG6", "MAG7", "MAG8", "MAG9", "MAG11", "MAG12", "MAG14", "MAG15", "MAG16")
PHASES = ("reinvestment", "post", "acceleration")


@pytest.fixture(scope="session")
def real_waterfalls(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "cases" / "mag_waterfalls.json").read_text(encoding="utf-8"))["deals"]


@pytest.mark.parametrize("phase", PHASES)
def test_that_the_shipped_template_of_2014_pays_what_case_mag15_says(cases: dict[str, Any], phase: str) -> None:
    data = template("us-2014-pari-passu-b")
    ids = ["A", "B-1", "B-2", "C", "D", "E", "SUB"]
    case = cases[f"WDL-MAG15-{phase}"]
    _, d, _ = pay(data, ids, date_state(case["inputs"], data["tests"]))
    made = {name: value for name, value in payments(d, ids).items() if abs(value) > 1e-6}
    assert made == pytest.approx(case["expected"], abs=1e-4)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("deal", DEALS)
def test_that_the_reference_pays_what_the_case_says(
    cases: dict[str, Any], real_waterfalls: dict[str, Any], deal: str, phase: str
) -> None:
    data = as_document(deal, real_waterfalls[deal])
    case = cases[f"WDL-{deal}-{phase}"]
    out = Reference(data, real_waterfalls[deal]["classes"], date_state(case["inputs"], data["tests"])).run()
    expected = case["expected"]
    assert out.pot == pytest.approx(expected.get("notes_pot", 0.0), abs=1e-4)
    assert out.reinvested == pytest.approx(expected.get("reinvested", 0.0), abs=1e-4)
    assert out.principal["A"] == pytest.approx(expected["A.prin"], abs=1e-4)
    assert out.total() == pytest.approx(case["inputs"]["interest"] + case["inputs"]["principal"], abs=1e-4)


@pytest.mark.parametrize("deal", ALL_DEALS)
def test_that_each_of_the_nine_real_waterfalls_is_a_valid_document(real_waterfalls: dict[str, Any], deal: str) -> None:
    assert read_document(as_document(deal, real_waterfalls[deal])).class_ids == tuple(real_waterfalls[deal]["classes"])


# --- single rules ------------------------------------------------------------------------------------------------


def one_step(section: str, steps: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A document whose interest or principal list is `steps`."""
    rest = {"pay_equity": {"equity": "SUB"}}
    nps = [{"pay_principal": {"classes": [c]}} for c in more.get("notes", ("A", "B"))]
    lists = {"interest": [rest], "principal": [{"run": {"waterfall": "nps"}}], "nps": [*nps, rest]}
    lists["acceleration"] = [*nps, rest]
    lists[section] = [*steps, lists[section][-1]]
    return {
        "wdl": 1,
        "name": "one",
        "classes": dict.fromkeys(more.get("notes", ("A", "B"))) | {"SUB": {"kind": "equity"}},
        "fees": FEES,
        "tests": more.get("tests", {}),
        "waterfalls": lists,
    }


def blank(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"interest": 0.0, "principal": 0.0, "balance": {}, "due": {}, "fees": {}, "tests": {}}
    return plain | {"phases": set()} | changes


def coverage(test: tuple[float, float, float], source: str, cash: float, steps: list[str]) -> wf.Date:
    """Cures of one OC test from interest or principal."""
    kinds: dict[str, Any] = {
        "cure": {"cure": {"tests": ["OC"]}},
        "divert": {"divert": {"test": "DIV", "share": 1.0, "amount": "par_cure"}},
        "divert as pay-down": {"divert": {"test": "DIV", "share": 1.0, "amount": "paydown_cure"}},
    }
    tests = {"OC": {"type": "oc", "classes": ["A"], "trigger": 1.0}, "DIV": {"type": "diversion", "classes": ["A"]}}
    tests["DIV"]["trigger"] = 1.0
    data = one_step(source, [kinds[s] for s in steps], tests=tests)
    state = blank(balance={"A": test[1]}, tests={"OC": test, "DIV": test}) | {source: cash}
    return pay(data, ["A", "B", "SUB"], state)[1]


def test_that_a_test_that_was_cured_needs_no_second_cure(cases: dict[str, Any]) -> None:
    given = cases["OC-1"]["inputs"]
    d = coverage((given["numerator"], given["denominator"], given["trigger"]), "interest", 1e9, ["cure", "cure"])
    assert d.log[0, wf.PAID] > 0.0
    assert d.log[1, wf.DUE] == pytest.approx(0.0, abs=1e-6)


def test_that_a_partial_cure_from_interest_leaves_the_principal_cure_of_case_oc_1(cases: dict[str, Any]) -> None:
    given, expected = cases["OC-1"]["inputs"], cases["OC-1"]["expected"]
    test = (given["numerator"], given["denominator"], given["trigger"])
    data = one_step(
        "interest", [{"cure": {"tests": ["OC"]}}], tests={"OC": {"type": "oc", "classes": ["A"], "of": "A"}}
    )
    data["waterfalls"]["principal"].insert(0, {"cure": {"tests": ["OC"]}})
    state = blank(interest=given["interest_cure_paid"], principal=1e9, balance={"A": test[1]}, tests={"OC": test})
    _, d, labels = pay(data, ["A", "B", "SUB"], state)
    place = [i for i, label in enumerate(labels) if label.startswith("Cure")][1]
    assert d.log[place, wf.PAID] == pytest.approx(expected["principal_cure_after_partial_interest"])
    # substituted back, the ratio is the trigger
    y, z = given["interest_cure_paid"], d.log[place, wf.PAID]
    assert (test[0] - z) / (test[1] - y - z) == pytest.approx(test[2], abs=1e-12)


def test_that_a_test_exactly_at_its_trigger_passes() -> None:
    d = coverage((440e6, 400e6, 1.1), "interest", 1e9, ["cure"])
    assert d.log[0, wf.DUE] == 0.0


def test_that_the_interest_coverage_cure_retires_senior_notes_until_the_interest_is_saved() -> None:
    # A 100m at 1 % a period, B 50m at 2 %: due 2.0m; 1.5m covers 1.2 times only 1.25m, so 0.75m must be saved
    tests = {"IC": {"type": "ic", "classes": ["A", "B"], "trigger": 1.2}}
    data = one_step("interest", [{"cure": {"tests": ["IC"]}}], tests=tests)
    state = blank(interest=1e9, balance={"A": 100e6, "B": 50e6}, accrual={"A": 0.01, "B": 0.02})
    state["tests"] = {"IC": (1.5e6, 2e6, 1.2)}
    assert pay(data, ["A", "B", "SUB"], state)[1].log[0, wf.PAID] == pytest.approx(75e6)
    state["tests"] = {"IC": (0.9e6, 2e6, 1.2)}  # 1.25m to save: all of A and 12.5m of B
    assert pay(data, ["A", "B", "SUB"], state)[1].log[0, wf.PAID] == pytest.approx(112.5e6)


def test_that_the_excess_of_ccc_is_the_lowest_priced_and_is_carried_at_its_price(cases: dict[str, Any]) -> None:
    case = cases["CCC-1"]
    loans = sorted(case["inputs"]["ccc"], key=lambda row: -row[2])
    balances = np.array([row[1] for row in loans])
    prices = np.array([[row[2] / 100 for row in loans], [1.0] * 4])
    bucket = pk.Bucket(np.array([[0, 1, 2, 3], [-1, -1, -1, -1]]), prices)
    limit = case["inputs"]["limit"] * case["inputs"]["collateral_principal_amount"]
    assert pk.ccc_haircut(limit, balances, bucket) == pytest.approx(case["expected"]["haircut"])
    assert pk.ccc_haircut(39e6, balances, bucket) == 0.0
    # 14m of excess: the whole of L4 and 5m of L3
    assert pk.ccc_haircut(25e6, balances, bucket) == pytest.approx(9e6 * 0.45 + 5e6 * 0.30)
    # the larger of the two buckets counts, whichever agency's it is
    swapped = pk.Bucket(bucket.loans[::-1].copy(), bucket.prices[::-1].copy())
    assert pk.ccc_haircut(limit, balances, swapped) == pytest.approx(case["expected"]["haircut"])
