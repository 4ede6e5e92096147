"""Worked cases of coverage tests and waterfalls; the nine real deals' priorities of payments."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import projection_kernel as pk
from engine.waterfall import kernel as wf
from engine.waterfall import read_document
from tests.engine.builders import pay, template
from tests.engine.reference_waterfall import Reference

FEES = {"trustee": "Trustee Fee", "admin": "Admin Fee", "base": "Base Manager Fee", "junior": "Junior Manager Fee"}
DEALS = ("MAG6", "MAG8", "MAG12", "MAG15")  # the deals the cases step through
ALL_DEALS = ("MAG6", "MAG7", "MAG8", "MAG9", "MAG11", "MAG12", "MAG14", "MAG15", "MAG16")
PHASES = ("reinvestment", "post", "acceleration")


@pytest.fixture(scope="session")
def real_waterfalls(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "cases" / "mag_waterfalls.json").read_text(encoding="utf-8"))["deals"]


def flat(items: list[dict[str, Any]], when: str | None = None) -> list[dict[str, Any]]:
    """Steps without `branch`: the branch's condition joins that of its steps."""
    made: list[dict[str, Any]] = []
    for item in items:
        if "branch" in item:
            branch = item["branch"]
            made += flat(branch["then"], branch["if"]) + flat(branch["else"], f"not {branch['if']}")
        else:
            both = " and ".join(part for part in (when, item.get("when")) if part)
            made.append({k: v for k, v in item.items() if k != "when"} | ({"when": both} if both else {}))
    return made


def as_document(name: str, deal: dict[str, Any]) -> dict[str, Any]:
    """A document of a real deal: its steps with classes, fees and tests declared (each test: its class and above)."""
    lists = {section: flat(items) for section, items in deal["waterfalls"].items()}
    rated = [c for c in deal["classes"] if c != "SUB"]
    used = {t for items in lists.values() for item in items for t in item.get("cure", {}).get("tests", ())}
    tests: dict[str, Any] = {}
    for test in sorted(used):
        kind, last = test.split("_")
        tests[test] = {"type": kind.lower(), "of": last, "classes": rated[: rated.index(last) + 1]}
    tests["DIV"] = {"type": "diversion", "classes": rated, "trigger": 1.0}
    return {
        "wdl": 1,
        "name": name,
        "classes": {c: {"kind": "equity"} if c == "SUB" else {} for c in deal["classes"]},
        "fees": FEES,
        "tests": tests,
        "waterfalls": lists,
    }


def state_of(case: dict[str, Any], tests: dict[str, Any]) -> dict[str, Any]:
    given = case["inputs"]
    figures: dict[str, tuple[float, float, float]] = {}
    for test, terms in tests.items():
        row = given["tests"].get(test)
        if row is None or row["type"] == "IC":  # the cases' IC tests need nothing
            figures[test] = (1e12, 1.0, 1.0)
        else:
            figures[test] = (row["num"], row["den"], row["trig"])
        assert terms["type"] != "ic" or row is None or row["cure"] == 0.0
    return {
        "interest": given["interest"],
        "principal": given["principal"],
        "balance": given["balances"],
        "deferred": given["deferred"],
        "due": given["interest_due"],
        "accrual": {c: due / given["balances"][c] for c, due in given["interest_due"].items()},
        "fees": given["fees_due"],
        "tests": figures,
        "phases": {"reinvestment", "acceleration"} & {given["phase"]},
        "policy": given["reinvest_share_of_principal"] * given["principal"],
        "diverted_share": given["reinvest_share_of_principal"],
        "hurdle": given["equity_threshold"],
        "manager_share": given["manager_share"],
    }


def figures(d: wf.Date, ids: list[str], fees: list[str]) -> dict[str, float]:
    """The kernel's payments under the names of the cases; zeros left out."""
    made = {f"fee.{f}": d.fee_paid[i] for i, f in enumerate(fees)}
    for i, c in enumerate(ids):
        if c == "SUB":
            made["SUB.interest"], made["SUB.principal"] = d.paid_interest[i], d.paid_principal[i]
        else:
            made[f"{c}.int"] = d.paid_interest[i] + d.paid_on_deferred[i]
            made[f"{c}.def"], made[f"{c}.prin"] = d.paid_deferred[i], d.paid_principal[i]
    made["diverted"], made["reinvested"] = d.registers[wf.DIVERTED], d.registers[wf.REINVESTED]
    made["incentive"], made["notes_pot"] = d.registers[wf.INCENTIVE], d.registers[wf.POT]
    return {name: float(value) for name, value in made.items() if abs(value) > 1e-6}


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("deal", DEALS)
def test_that_a_real_waterfall_pays_what_the_case_says(
    cases: dict[str, Any], real_waterfalls: dict[str, Any], deal: str, phase: str
) -> None:
    data = as_document(deal, real_waterfalls[deal])
    case = cases[f"WDL-{deal}-{phase}"]
    ids = real_waterfalls[deal]["classes"]
    left, d, _ = pay(data, ids, state_of(case, data["tests"]))
    assert figures(d, ids, list(FEES)) == pytest.approx(case["expected"], abs=1e-4)
    assert left == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("phase", PHASES)
def test_that_the_shipped_template_of_2014_pays_what_case_mag15_says(cases: dict[str, Any], phase: str) -> None:
    data = template("us-2014-pari-passu-b")
    ids = ["A", "B-1", "B-2", "C", "D", "E", "SUB"]
    case = cases[f"WDL-MAG15-{phase}"]
    _, d, _ = pay(data, ids, state_of(case, data["tests"]))
    assert figures(d, ids, list(FEES)) == pytest.approx(case["expected"], abs=1e-4)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("deal", DEALS)
def test_that_the_reference_pays_what_the_case_says(
    cases: dict[str, Any], real_waterfalls: dict[str, Any], deal: str, phase: str
) -> None:
    data = as_document(deal, real_waterfalls[deal])
    case = cases[f"WDL-{deal}-{phase}"]
    out = Reference(data, real_waterfalls[deal]["classes"], state_of(case, data["tests"])).run()
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


def test_that_case_wf_1_is_paid_line_by_line(cases: dict[str, Any], real_waterfalls: dict[str, Any]) -> None:
    case = cases["WF-1"]
    given = case["inputs"]
    data = as_document("MAG8", real_waterfalls["MAG8"])
    balance = dict.fromkeys("ABCDEF", 1e8)
    tests = dict.fromkeys(data["tests"], (1000000000000.0, 1.0, 1.0))
    cure = given["oc_interest_cure"]["D"]
    dues = given["interest_due_and_deferred"]
    repaid = dues["D"][1]  # deferred interest that is paid before the test
    tests["OC_D"] = (4e8, 4e8 + cure + repaid, 1.0)  # short of par by the cure: trigger 1
    tests["DIV"] = (6e8 - given["diversion_cure"] - cure, 6e8 + repaid, 1.0)
    state = blank(
        interest=given["income"],
        balance=balance,
        due={c: v[0] for c, v in dues.items()},
        deferred={c: v[1] for c, v in dues.items()},
        fees={f: given["fees"][name] for f, name in FEES.items()},
        tests=tests,
        phases={"reinvestment"},
    )
    _, d, labels = pay(data, real_waterfalls["MAG8"]["classes"], state)
    expected = case["expected"]
    for i, (_, due, paid, after) in enumerate(expected["steps"]):
        assert d.log[i, :2] == pytest.approx([due, paid]), labels[i]
        assert d.log[i, wf.CASH_AFTER] == pytest.approx(after), labels[i]
    assert d.registers[wf.FROM_INTEREST_TO_NOTES] == pytest.approx(expected["to_note_payment_sequence"])
    assert d.registers[wf.DIVERTED] == pytest.approx(expected["to_principal"])
    assert d.log[19, wf.DUE] == pytest.approx(expected["residual_to_equity_level"])


def test_that_pari_passu_classes_share_a_shortage_and_are_both_paid_in_a_surplus(cases: dict[str, Any]) -> None:
    case = cases["WF-2"]
    balances = case["inputs"]["balances"]
    step = {"pay_principal": {"classes": ["B-1", "B-2"], "alloc": "pro_rata"}}
    data = one_step("interest", [step], notes=("B-1", "B-2"))
    ids = ["B-1", "B-2", "SUB"]
    _, d, _ = pay(data, ids, blank(interest=case["inputs"]["available"], balance=balances))
    assert list(d.paid_principal[:2]) == pytest.approx(list(case["expected"]["paid"].values()))
    _, d, _ = pay(data, ids, blank(interest=70e6, balance=balances))
    rich = case["expected"]["if_available_70m"]
    assert list(d.paid_principal[:2]) == pytest.approx([rich["B-1"], rich["B-2"]])
    assert d.paid_interest[2] == pytest.approx(rich["left"])


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


def test_that_cures_and_the_diversion_are_those_of_case_oc_1(cases: dict[str, Any]) -> None:
    given, expected = cases["OC-1"]["inputs"], cases["OC-1"]["expected"]
    test = (given["numerator"], given["denominator"], given["trigger"])
    assert wf.ratio_of(*test[:2]) == pytest.approx(expected["ratio"])
    d = coverage(test, "interest", 1e9, ["cure", "cure"])
    assert d.log[0, wf.PAID] == pytest.approx(expected["interest_cure"])
    assert d.log[1, wf.DUE] == pytest.approx(0.0, abs=1e-6)  # cured is cured
    assert coverage(test, "principal", 1e9, ["cure"]).log[1, wf.PAID] == pytest.approx(expected["principal_cure"])
    d = coverage(test, "interest", 1e9, ["divert"])
    assert d.registers[wf.DIVERTED] == pytest.approx(expected["reinvestment_diversion_amount_corrected(T*Den-Num)"])
    d = coverage(test, "interest", 1e9, ["divert as pay-down"])
    assert d.registers[wf.DIVERTED] == pytest.approx(expected["reinvestment_diversion_amount_legacy"])


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
