"""Rules of compliance on small pools: limits, outcomes, edges, and what no change of form may alter."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.asset import Asset
from engine.compliance import MARKET, WORKBOOK, Compliance, Outcome, evaluate, read_catalogue, readings_named
from engine.compliance.diversity import diversity_points, diversity_score
from engine.pool import Pool
from engine.terms import Account, Deal, TestLimit
from tests.engine.builders import ROOT

RAW = yaml.safe_load((ROOT / "resources" / "compliance" / "catalogue.yaml").read_text(encoding="utf-8"))
CATALOGUE = read_catalogue(RAW)
INPUTS = (
    ("Current LIBOR", 0.005),
    ("Weighted Average Spread", 0.044),
    ("WARF Factor", 67.0),
    ("WARF Threshold", 2740.0),
    ("JR OC Denominator", 1e6),
    ("WAS Factor", 0.0006),
    ("WARR Threshold", 0.44),
)


def asset(number: int, **values: Any) -> Asset:
    plain: dict[str, Any] = {
        "issuer_id": f"O{number}",
        "bond_loan": "LOAN",
        "seniority": "Senior Secured",
        "moodys_category": "Moody's Senior Secured Loan",
        "sp_priority_category": "Senior Secured Loan",
        "coupon_type": "FLOAT",
        "payment_frequency": 4,
        "coupon_spread": 0.04,
        "index_floor": 0.01,
        "coupon": 0.05,
        "index_name": "3M Libor",
        "country": "USA",
        "moodys_industry": "Retail",
        "sp_industry": "Retailers",
        "moodys_rating": "B1",
        "moodys_rating_warf": "B2",
        "sp_issuer_rating": "B",
        "moodys_recovery_rate": 0.45,
        "facility_size": 5e8,
        "wal": 5.0,
        "market_value": 99.0,
        "maturity": dt.date(2022, 1, 1),
    }
    return Asset(asset_id=f"A{number}", **(plain | values))


GIVEN = {46: 0.03, 47: 0.9}  # limits that only a deal's table gives
ALL = tuple(
    TestLimit(number, d.name, d.direction, GIVEN.get(number, d.limit.number))
    for number, d in sorted(CATALOGUE.definitions.items())
    if number <= 54 and number != 45  # 45 needs a list of the deal
)


def judge(
    lots: list[tuple[Asset, float]], *, cash: float = 0.0, limits: Any = ALL, readings: Any = WORKBOOK, **deal: Any
):
    made = Deal("small", accounts=(Account(2, "Collection", 0.0, cash),), limits=tuple(limits), quality_inputs=INPUTS)
    return evaluate(replace(made, **deal), Pool(lots), CATALOGUE, readings)


def one(number: int, lots: list[tuple[Asset, float]], **limit: Any) -> Any:
    direction = CATALOGUE.definitions[number].direction
    cash = limit.pop("cash", 0.0)
    return judge(lots, cash=cash, limits=[TestLimit(number, "", direction, **limit)]).result(number)


# --- limits and outcomes -----------------------------------------------------------------------------------------


def test_that_a_limit_is_inclusive_and_one_cent_more_fails() -> None:
    rest = (asset(1), 487_500_000.0)
    at = one(11, [rest, (asset(0, dip=True), 12_500_000.0)], threshold=0.025)
    assert (at.outcome, at.cushion) == (Outcome.PASS, 0.0)
    over = one(11, [rest, (asset(0, dip=True), 12_500_000.01)], threshold=0.025)
    assert over.outcome is Outcome.FAIL
    assert over.cushion < 0


def test_that_a_minimum_is_inclusive_and_one_cent_less_fails() -> None:
    bond = {"bond_loan": "BOND"}
    at = one(1, [(asset(0), 450_000_000.0), (asset(1, **bond), 50_000_000.0)], threshold=0.90)
    under = one(1, [(asset(0), 449_999_999.99), (asset(1, **bond), 50_000_000.01)], threshold=0.90)
    assert (at.outcome, under.outcome) == (Outcome.PASS, Outcome.FAIL)


def test_that_a_failing_test_is_maintained_only_when_not_worse_than_its_baseline() -> None:
    lots = [(asset(0, country="Canada"), 30.0), (asset(1), 70.0)]
    assert one(14, lots, threshold=0.2, previous=0.31).outcome is Outcome.MAINTAINED
    assert one(14, lots, threshold=0.2, previous=0.30).outcome is Outcome.MAINTAINED
    assert one(14, lots, threshold=0.2, previous=0.29).outcome is Outcome.FAIL
    assert one(14, lots, threshold=0.2).outcome is Outcome.FAIL
    assert one(14, lots, threshold=0.2, previous=0.0).outcome is Outcome.FAIL
    assert one(14, lots, threshold=0.3, previous=0.1).outcome is Outcome.PASS
    assert one(33, lots, threshold=0.5, previous=0.44).outcome is Outcome.MAINTAINED
    assert one(33, lots, threshold=0.5, previous=0.46).outcome is Outcome.FAIL
    assert "0.31" in one(14, lots, threshold=0.2, previous=0.31).comment


def test_that_an_override_beats_every_other_limit_and_zero_is_no_override() -> None:
    lots = [(asset(0), 1e6)]
    assert (one(36, lots, threshold=1.0, override=2000.0).threshold, one(36, lots).limit_source) == (2000.0, "computed")
    assert one(14, lots, threshold=0.2, override=0.0).limit_source == "deal"
    assert one(14, lots).limit_source == "catalogue"


def test_that_a_number_the_catalogue_does_not_have_is_noted_and_not_faked() -> None:
    found = judge([(asset(0), 1.0)], limits=[TestLimit(60, "Emerging", "MAX", 0.125), TestLimit(14, "", "MAX", 0.2)])
    assert [r.number for r in found.results] == [14]
    assert any("60" in note and "Emerging" in note for note in found.notes)


def test_that_readings_are_named_and_unknown_ones_refused() -> None:
    assert readings_named(None) is WORKBOOK
    assert readings_named(" Market ") is MARKET
    with pytest.raises(KeyError):
        readings_named("other")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"aggregate": "sum"}, "Test 14 .*sum"),
        ({"direction": "UP"}, "Test 14 .*UP"),
        ({"where": "nosuch = 1"}, "Test 14 .*nosuch"),
        ({"limit": "high"}, "Test 14 "),
        ({"limit": None}, "Test 14 "),
        ({"kind": "percent"}, "Test 14 .*percent"),
        ({"aggregate": "largest"}, "Test 14 .*key"),
        ({"aggregate": "average"}, "Test 14 .*measure"),
        ({"aggregate": "average", "measure": "beauty"}, "Test 14 .*beauty"),
        ({"aggregate": "largest", "key": "beauty"}, "Test 14 .*beauty"),
        ({"weight": "beauty"}, "Test 14 .*beauty"),
        ({"colour": "red"}, "Test 14 .*colour"),
        ({"number": 15}, "Test 15 .*twice"),
        ({"limit": {"base": "x"}}, "Test 14 .*base"),
        ({"limit": {"formula": "input(14)"}}, "Test 14 .*label"),
        ({"limit": {"formula": "__import__('os')"}}, "Test 14 .*__import__"),
        ({"limit": {"formula": "result(14)"}}, "Test 14 .*own result"),
        ({"limit": {"formula": "result(999)"}}, "Test 14 .*999"),
        ({"limit": {"schedule": {"soon": 0.1}}}, "Test 14 .*date"),
        ({"aggregate": "formula"}, "Test 14 .*formula"),
        ({"reading": ["beauty"]}, "Test 14 .*beauty"),
        ({"rank": 0}, "Test 14 .*rank"),
    ],
)
def test_that_a_wrong_catalogue_is_refused_naming_the_test(change: dict[str, Any], says: str) -> None:
    rows = [row | (change if row["number"] == 14 else {}) for row in RAW["tests"]]
    with pytest.raises(ValueError, match=says):
        read_catalogue(RAW | {"tests": rows})


# --- small pools -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("obligors", [0, 1, 3, 5])
@pytest.mark.parametrize("cash", [0.0, 10.0, -5.0, -1000.0])
@pytest.mark.parametrize("readings", [WORKBOOK, MARKET])
def test_that_small_pools_without_fixed_or_dip_and_with_any_cash_have_results(
    obligors: int, cash: float, readings: Any
) -> None:
    found = judge([(asset(i), 100.0) for i in range(obligors)], cash=cash, readings=readings)
    assert len(found.results) == len(ALL)
    for r in found.results:
        assert np.isfinite(r.result) or r.denominator <= 0.0, r.number
        assert np.isfinite(r.threshold), r.number
        assert isinstance(r.outcome, Outcome)
    assert found.result(3).result == 0.0  # there is no sixth obligor
    assert found.result(5).result == 0.0
    assert found.result(34).outcome is Outcome.PASS
    assert any("negative" in note for note in found.notes) is (cash < 0)


def test_that_the_sixth_largest_obligor_is_the_sixth_and_dip_is_left_out() -> None:
    lots = [(asset(i), 10.0 - i) for i in range(7)] + [(asset(9, dip=True), 55.0)]
    total = sum(par for _, par in lots)
    assert one(3, lots).result == pytest.approx(5.0 / total)
    assert one(4, lots).result == pytest.approx(10.0 / total)
    assert one(5, lots).result == pytest.approx(55.0 / total)
    assert one(4, lots).comment == "O0"


def test_that_a_concentration_fails_where_more_cash_is_owed_than_held() -> None:
    lots = [(asset(0, country="Canada"), 80.0)]
    assert one(14, lots, cash=-100.0).outcome is Outcome.FAIL
    assert one(14, lots, cash=-80.0).outcome is Outcome.FAIL
    assert one(9, lots, cash=-100.0).outcome is Outcome.PASS  # none of it is none of it


def test_that_defaulted_assets_leave_the_denominator_and_the_tests_that_say_so() -> None:
    lots = [(asset(0), 80.0), (asset(1, defaulted=True, country="Canada", cov_lite=True), 20.0)]
    assert one(14, lots).result == 0.0
    assert one(29, lots).result == pytest.approx(20.0 / 80.0)  # the workbook lists cov-lite with the defaulted
    market = judge(lots, readings=MARKET)
    assert market.result(29).result == 0.0


def test_that_a_missing_price_of_a_defaulted_asset_counts_for_nothing_in_the_junior_coverage() -> None:
    dead = asset(0, defaulted=True, market_value=None, moodys_recovery_rate=0.4)
    assert one(38, [(dead, 1e6), (asset(1), 1e6)], cash=5e5).result == pytest.approx(1.5)
    deferring = asset(0, piking=True, moodys_recovery_rate=0.3)
    assert one(38, [(deferring, 1e6)]).result == pytest.approx(0.3)
    priced = [(asset(0, defaulted=True, market_value=50.0, moodys_recovery_rate=0.4), 1e6)]
    assert one(38, priced).result == pytest.approx(0.5)
    assert judge(priced, readings=MARKET).result(38).result == pytest.approx(0.4)


def test_that_an_unrated_asset_has_the_worst_factor_and_a_missing_recovery_is_said() -> None:
    assert one(36, [(asset(0, moodys_rating_warf="NR"), 1.0)]).result == 10_000.0
    found = one(33, [(asset(0, moodys_recovery_rate=None), 50.0), (asset(1), 50.0)])
    assert found.result == pytest.approx(0.45)
    assert found.comment == "1 of 2 assets has no Moody's recovery rate and is left out"


def test_that_assets_without_a_rating_are_counted_in_the_comment_and_the_notes() -> None:
    lots = [(asset(0, moodys_rating_warf=None), 1.0), (asset(1, moodys_rating_warf="NR"), 1.0), (asset(2), 1.0)]
    found = judge(lots)
    said = "2 of 3 assets have no WARF rating and count at factor 10,000"
    assert found.result(36).comment.startswith(said)
    assert f"Tests 36 and 54: {said}." in found.notes
    rated = judge([(asset(2), 1.0)])
    assert rated.notes == ()
    assert "factor 10,000" not in rated.result(36).comment
    dead = judge([(asset(0, moodys_rating_warf=None, defaulted=True), 1.0), (asset(2), 1.0)])
    assert not any("WARF" in note for note in dead.notes)  # the test leaves it out


def test_that_a_missing_column_is_said_and_its_average_is_called_no_figure() -> None:
    found = judge([(asset(i, wal=None, moodys_recovery_rate=None, coupon_spread=None), 1.0) for i in range(2)])
    assert found.result(35).comment == "2 of 2 assets have no WAL: the result is no figure"
    assert "Test 35: 2 of 2 assets have no WAL: the result is no figure." in found.notes
    assert found.result(33).comment.startswith("2 of 2 assets have no Moody's recovery rate")
    some = judge([(asset(0, coupon_spread=None, coupon=None), 1.0), (asset(1), 1.0)])
    said = "1 of 2 assets has no spread or coupon and is left out"
    assert some.result(32).comment.startswith(said)
    assert f"Tests 32, 39 and 46: {said}." in some.notes


def test_that_a_blank_in_what_a_condition_or_key_reads_is_noted_and_a_blank_flag_is_not() -> None:
    found = judge([(asset(0, moodys_rating=None, sp_industry=None, cov_lite=None), 1.0), (asset(1), 1.0)])
    assert "1 of 2 assets has no “Moody's Rating-21”: test 7 judges it without it." in found.notes
    assert "1 of 2 assets has no “S&P Industry”: tests 25, 26 and 27 judge it without it." in found.notes
    assert not any("Cov-Lite" in note for note in found.notes)


def test_that_defaulted_assets_without_price_or_rate_are_said_in_the_junior_coverage() -> None:
    found = judge([(asset(0, defaulted=True, market_value=None), 1.0), (asset(1), 1.0)])
    assert "1 defaulted or deferring asset lacks the price or recovery rate and counts for nothing" in (
        found.result(38).comment
    )
    assert any(note.startswith("Test 38: 1 defaulted") for note in found.notes)
    priced = judge([(asset(0, defaulted=True, market_value=0.0), 1.0), (asset(1), 1.0)])
    assert "defaulted" not in priced.result(38).comment


# --- what no change of form may alter ----------------------------------------------------------------------------

CHOICES: dict[str, list[Any]] = {
    "issuer_id": ["P", "Q", "R", "S", "T"],
    "country": ["USA", "Canada", "Netherlands", "Germany", "Luxembourg", "Cayman Islands", "Ireland"],
    "moodys_industry": ["Retail", "Banking", "Chemicals"],
    "sp_industry": ["Retailers", "Banks", "Chemicals"],
    "moodys_rating": ["Ba3", "B3", "Caa1", "NR", None],
    "moodys_rating_warf": ["Ba3", "B3", "Caa1", "NR"],
    "sp_issuer_rating": ["BB", "CCC", "NR"],
    "coupon_type": ["FLOAT", "FIXED"],
    "payment_frequency": [2, 4],
    "defaulted": [False, False, True],
    "dip": [None, True],
    "cov_lite": [None, True],
    "bond_loan": ["LOAN", "BOND"],
    "facility_size": [1e8, 3e8, None],
    "wal": [None, 3.0, 6.5],
    "unfunded_amount": [None, 10.0],
}


@st.composite
def pools(draw: st.DrawFn) -> list[tuple[Asset, float]]:
    n = draw(st.integers(1, 7))
    industry = {i: draw(st.sampled_from(CHOICES["moodys_industry"])) for i in CHOICES["issuer_id"]}
    lots = []
    for i in range(n):
        values = {name: draw(st.sampled_from(options)) for name, options in CHOICES.items()}
        values["moodys_industry"] = industry[values["issuer_id"]]  # one industry an obligor
        lots.append((asset(i, **values), draw(st.floats(1e3, 1e7))))
    return lots


def results(found: Compliance) -> dict[int, float]:
    return {r.number: r.result for r in found.results}


@given(pools(), st.floats(0.0, 1e6), st.floats(1.0, 1e8))
@settings(max_examples=50)
def test_that_more_cash_lowers_every_concentration(lots: Any, cash: float, more: float) -> None:
    before, after = judge(lots, cash=cash), judge(lots, cash=cash + more)
    for r in before.results:
        if CATALOGUE.definitions[r.number].aggregate in ("share", "largest") and r.direction == "MAX":
            now = after.result(r.number).result
            assert now <= r.result
            assert now < r.result or r.result == 0.0 or before.collateral_principal_amount == 0.0 or more < 1e-9 * cash


@given(pools(), st.floats(0.1, 0.9), st.sampled_from([WORKBOOK, MARKET]))
@settings(max_examples=50)
def test_that_a_holding_in_two_lines_changes_nothing(lots: Any, share: float, readings: Any) -> None:
    (first, par), *rest = lots
    first = replace(first, unfunded_amount=None)  # an amount of the facility is counted a line
    whole = judge([(first, par), *rest], readings=readings)
    twin = replace(first, asset_id="twin")
    split = judge([(first, par * share), *rest, (twin, par * (1 - share))], readings=readings)
    assert results(split) == pytest.approx(results(whole), rel=1e-9, abs=1e-12)


@given(pools(), st.randoms(use_true_random=False), st.sampled_from([WORKBOOK, MARKET]))
@settings(max_examples=50)
def test_that_the_order_of_holdings_changes_nothing(lots: Any, random: Any, readings: Any) -> None:
    shuffled = list(lots)
    random.shuffle(shuffled)
    assert results(judge(shuffled, readings=readings)) == pytest.approx(
        results(judge(lots, readings=readings)), rel=1e-12, abs=1e-15
    )


@given(pools(), st.floats(1e-3, 1e3))
@settings(max_examples=50)
def test_that_the_size_of_the_deal_changes_no_share_and_no_average(lots: Any, scale: float) -> None:
    plain, scaled = judge(lots, cash=5e5), judge([(a, par * scale) for a, par in lots], cash=5e5 * scale)
    for r in plain.results:
        if r.number not in (12, 35, 37, 38):  # an amount not of par; rounded; rounded; over an input
            assert scaled.result(r.number).result == pytest.approx(r.result, rel=1e-9, abs=1e-12), r.number


# --- diversity ---------------------------------------------------------------------------------------------------


def test_that_the_diversity_score_is_moody_s_table_entry_by_entry(shared: Path) -> None:
    with (shared / "data" / "reference" / "moodys_diversity_score.csv").open(encoding="utf-8") as file:
        rows = [(float(a), float(b)) for a, b in list(csv.reader(file))[1:]]
    assert len(rows) == 201
    for low, score in rows:
        middle = 0.0 if low == 0.0 else low + 0.05
        assert diversity_points(np.array([middle]), WORKBOOK)[0] == pytest.approx(score, abs=1e-12), middle


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        *((0.0, 0.0), (0.04, 0.0), (0.05, 0.0), (0.06, 0.1), (0.15, 0.2), (0.95, 1.0), (1.05, 1.0), (1.06, 1.05)),
        *((2.0, 1.5), (4.0, 2.3333), (5.0, 2.6667), (6.0, 3.0), (19.95, 5.0), (20.0, 5.0), (20.1, 5.0), (500.0, 5.0)),
    ],
)
def test_that_units_are_rounded_to_tenths_halves_to_even_before_the_table(units: float, expected: float) -> None:
    assert diversity_points(np.array([units]), WORKBOOK)[0] == pytest.approx(expected, abs=1e-12)


def test_that_diversity_of_equal_obligors_is_their_number_while_each_has_its_industry() -> None:
    lots = [(asset(i, moodys_industry=f"I{i}"), 5.0) for i in range(9)]
    score, shares = diversity_score(Pool(lots), np.ones(9, dtype=bool), WORKBOOK)
    assert score == pytest.approx(9.0)
    assert shares == pytest.approx(np.ones(9))
    together = [(asset(i), 5.0) for i in range(9)]
    assert diversity_score(Pool(together), np.ones(9, dtype=bool), WORKBOOK)[0] == pytest.approx(3.75)
