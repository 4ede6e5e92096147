"""Rules of coverage tests and waterfalls on one date, beyond the worked cases (those: test_validation_cases)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import cash
from engine.validation.harness import Run, excess_of_ccc, pay
from engine.validation.kinds.waterfalls import FEES, as_document, date_state, payments
from engine.waterfall import read_document
from tests.engine.builders import template

ALL_DEALS = ("MAG6", "MAG7", "MAG8", "MAG9", "MAG11", "MAG12", "MAG14", "MAG15", "MAG16")


@pytest.fixture(scope="session")
def real_waterfalls(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "data" / "cases" / "mag_waterfalls.json").read_text(encoding="utf-8"))["deals"]


@pytest.mark.parametrize("phase", ["reinvestment", "post", "acceleration"])
def test_that_the_shipped_template_of_2014_pays_what_case_mag15_says(cases: dict[str, Any], phase: str) -> None:
    data = template("us-2014-pari-passu-b")
    case = cases[f"WDL-MAG15-{phase}"]
    run = pay(data, ["A", "B-1", "B-2", "C", "D", "E", "SUB"], date_state(case["inputs"], data["tests"]))
    made = {name: value for name, value in payments(run).items() if abs(value) > 1e-6}
    assert made == pytest.approx(case["expected"], abs=1e-4)


@pytest.mark.parametrize("deal", ALL_DEALS)
def test_that_each_of_the_nine_real_waterfalls_is_a_valid_document(real_waterfalls: dict[str, Any], deal: str) -> None:
    assert read_document(as_document(deal, real_waterfalls[deal])).class_ids == tuple(real_waterfalls[deal]["classes"])


# --- single rules ------------------------------------------------------------------------------------------------


def date(terms: dict[str, Any], from_interest: list[Any], from_principal: list[Any], **state: Any) -> Run:
    """A date of classes A and B: given steps, then the equity from interest and the notes from principal."""
    rest = {"pay_equity": {"equity": "SUB"}}
    due: list[Any] = [{"pay_fee": {"fees": ["trustee"]}}, {"pay_interest": {"classes": ["A", "B"]}}]
    notes = [{"pay_principal": {"classes": [c]}} for c in ("A", "B")]
    data = {
        "wdl": 1,
        "name": "one",
        "classes": {"A": {}, "B": {}, "SUB": {"kind": "equity"}},
        "fees": {"trustee": FEES["trustee"]},
        "tests": terms,
        "waterfalls": {
            "interest": [*from_interest, rest],
            "principal": [*from_principal, {"run": {"waterfall": "nps"}}],
            "nps": [*notes, rest],
            "acceleration": [*due, *notes, rest],
        },
    }
    plain: dict[str, Any] = {"interest": 0.0, "principal": 0.0, "balance": {}, "due": {}, "fees": {}, "tests": {}}
    return pay(data, ["A", "B", "SUB"], plain | {"phases": set()} | state)


CURE: dict[str, Any] = {"cure": {"tests": ["OC"]}}


def coverage(
    test: tuple[float, float, float], from_interest: list[Any], from_principal: list[Any], **in_hand: float
) -> Run:
    """A date with one OC test over class A."""
    terms = {"OC": {"type": "oc", "classes": ["A"], "trigger": test[2]}}
    return date(terms, from_interest, from_principal, balance={"A": test[1]}, tests={"OC": test}, **in_hand)


def test_that_a_test_that_was_cured_needs_no_second_cure(cases: dict[str, Any]) -> None:
    given = cases["OC-1"]["inputs"]
    run = coverage((given["numerator"], given["denominator"], given["trigger"]), [CURE, CURE], [], interest=1e9)
    assert run.log(0, "paid") > 0.0
    assert run.log(1, "due") == pytest.approx(0.0, abs=1e-6)


def test_that_partial_cures_of_both_kinds_of_cash_bring_the_ratio_to_its_trigger(cases: dict[str, Any]) -> None:
    given = cases["OC-1"]["inputs"]
    numerator, denominator, trigger = (given[name] for name in ("numerator", "denominator", "trigger"))
    partial = given["interest_cure_paid"]
    run = coverage((numerator, denominator, trigger), [CURE], [CURE], interest=partial, principal=1e9)
    assert run.log(0, "paid") == pytest.approx(partial)
    z = run.log(2, "paid")
    assert (numerator - z) / (denominator - partial - z) == pytest.approx(trigger, abs=1e-12)


def test_that_a_test_exactly_at_its_trigger_passes() -> None:
    assert coverage((440e6, 400e6, 1.1), [CURE], [], interest=1e9).log(0, "due") == 0.0


def test_that_a_test_cured_from_interest_asks_nothing_of_principal_also_below_par() -> None:
    # at a trigger below par principal can only retire everything: a speck of rounding must not ask for that
    run = coverage((268262956.91, 333628989.24, 0.95), [CURE], [CURE], interest=1e9, principal=1e9)
    assert run.log(2, "due") == 0.0


@pytest.mark.parametrize(("covers", "retired"), [(1.5e6, 75e6), (0.9e6, 112.5e6)])
def test_that_the_interest_coverage_cure_retires_senior_notes_until_the_interest_is_saved(
    covers: float, retired: float
) -> None:
    # A 100m at 1 % a period, B 50m at 2 %: due 2.0m; 1.5m covers 1.2 times only 1.25m, so 0.75m must be saved; 0.9m
    # leaves 1.25m to save: all of A and 12.5m of B
    run = date(
        {"IC": {"type": "ic", "classes": ["A", "B"], "trigger": 1.2}},
        [{"cure": {"tests": ["IC"]}}],
        [],
        interest=1e9,
        balance={"A": 100e6, "B": 50e6},
        due={"A": 1e6, "B": 1e6},
        tests={"IC": (covers, 2e6, 1.2)},
    )
    assert run.log(0, "paid") == pytest.approx(retired)


def test_that_the_excess_of_ccc_is_the_lowest_priced_and_is_carried_at_its_price(cases: dict[str, Any]) -> None:
    case = cases["CCC-1"]
    loans = [(str(i), float(balance), float(price)) for i, balance, price in case["inputs"]["ccc"]]
    collateral, limit = case["inputs"]["collateral_principal_amount"], case["inputs"]["limit"]
    assert excess_of_ccc(collateral, limit, loans)[1] == pytest.approx(case["expected"]["haircut"])
    assert excess_of_ccc(39e6, 1.0, loans)[1] == 0.0
    # 14m of excess: the whole of L4 and 5m of L3
    assert excess_of_ccc(25e6, 1.0, loans)[1] == pytest.approx(9e6 * 0.45 + 5e6 * 0.30)


def test_that_interest_in_hand_below_nothing_is_paid_to_nobody_and_carried() -> None:
    steps = [{"pay_fee": {"fees": ["trustee"]}}, {"pay_interest": {"classes": ["A"]}}]
    run = date({}, steps, [], interest=-5e4, balance={"A": 1e8}, due={"A": 1e6}, fees={"trustee": 1e4})
    assert run.result.fee_paid[0].sum() == run.result.interest[0].sum() == 0.0
    assert run.shown(cash.CARRIED) == -5e4
