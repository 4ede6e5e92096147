"""The validation inbox: what it finds, what a decision does, and that it holds while the value does (issue 4, 2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.asset import Asset
from engine.compliance import WORKBOOK, evaluate
from engine.compliance.affiliates import alike
from engine.compliance.inbox import Finding, decide, inbox, joined, read_doubts, withdraw
from engine.compliance.parameters import of_deal
from engine.pool import Pool
from engine.terms import Deal, TestLimit
from resources import library
from tests.engine.builders import mag17
from tests.engine.test_compliance_rules import asset

AS_OF = dt.date(2026, 3, 31)
DEAL = Deal("d", current_dates=(("Analysis date", AS_OF),))


def found(lots: list[tuple[Asset, float]], deal: Deal = DEAL) -> dict[str, Finding]:
    catalogue = library.catalogue()
    readings = of_deal(WORKBOOK, deal)
    rows = inbox(deal, Pool(lots), readings, catalogue.tables, library.doubts(), catalogue.sets)
    return {f.key: f for f in rows}


def plain(number: int, **values: Any) -> Asset:
    return asset(number, **({"issuer_name": f"{chr(65 + number) * 7} Works", "maturity": dt.date(2033, 1, 1)} | values))


def test_that_the_real_deal_s_odd_prices_and_hidden_families_are_found(shared: Path) -> None:
    book = mag17(shared)
    rows = found(list(book.positions()), book.deal)
    prices = {key: f.value for key, f in rows.items() if f.kind == "price"}
    assert sorted(prices.values()) == ["0", "0.01", "0.01", "48"]
    families = {f.value for f in rows.values() if f.kind == "affiliates"}
    assert families == {"ALTFIC, ALTICE", "TXU, TXU1", "ZAYO, ZAYOGR"}
    assert sum(key.startswith("senior-by-one-field") for key in rows) == 13
    assert not any(f.kind == "derivation" for f in rows.values())  # 195 of 195 derive


def test_that_a_clean_pool_has_an_empty_inbox() -> None:
    assert found([(plain(i), 1.0) for i in range(8)]) == {}


@pytest.mark.parametrize(
    ("price", "doubtful"), [(5.0, True), (5.01, True), (74.4, True), (74.6, False), (124.6, True), (151.0, True)]
)
def test_that_a_price_is_doubtful_when_impossible_or_far_from_its_peers(price: float, doubtful: bool) -> None:
    lots = [(plain(i, market_value=99.5), 1.0) for i in range(1, 8)]
    assert ("price A0" in found([(plain(0, market_value=price), 1.0), *lots])) is doubtful


def test_that_few_peers_and_a_missing_price_say_nothing() -> None:
    lots = [(plain(i, market_value=99.5), 1.0) for i in range(1, 4)]
    assert found([(plain(0, market_value=40.0), 1.0), *lots]) == {}
    assert found([(plain(0, market_value=None), 1.0)]) == {}


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (None, "without a date"),
        (dt.date(2025, 3, 1), "12 months: it counts moved"),
        (dt.date(2024, 12, 1), "15 months: it no longer counts"),
        (dt.date(2025, 6, 1), ""),
    ],
)
def test_that_estimates_are_told_by_their_age(day: dt.date | None, says: str) -> None:
    rows = found([(plain(0, moodys_credit_estimate="B2", moodys_credit_estimate_date=day), 1.0)])
    estimates = [f for f in rows.values() if f.kind == "estimate"]
    assert [says in f.says for f in estimates] == ([True] if says else [])


@pytest.mark.parametrize(
    ("values", "doubt"),
    [
        ({"index_name": None}, "floats-without-index"),
        ({"coupon_type": "FIXED", "index_floor": 0.01}, "fixed-with-floor"),
        ({"coupon_type": "FIXED", "index_floor": None, "coupon": None}, "fixed-without-coupon"),
        ({"piking": True}, "defers-but-may-not"),
        ({"pik_amount": 5.0}, "pik-balance-without-flag"),
        ({"defaulted": True, "current_pay": True, "date_of_default": AS_OF}, "defaulted-and-current-pay"),
        ({"date_of_default": AS_OF}, "default-date-without-default"),
        ({"defaulted": True}, "default-without-date"),
        ({"cov_lite": True}, "cov-lite-by-one-field"),
        ({"sp_priority_category": "Senior Secured Loan (Cov-Lite)/Senior Secured Bond"}, "not-cov-lite-by-one-field"),
        ({"moodys_category": "Moody’s Non-Senior Secured Loan"}, "senior-by-one-field"),
        ({"bond_loan": "BOND"}, "bond-as-loan"),
        ({"maturity": dt.date(2026, 3, 30), "wal": None}, "matured"),
        ({"unfunded_amount": 5.0}, "unfunded-term-loan"),
        ({"facility_size": 350.0}, "small-facility"),
        ({"wal": 6.9}, "life"),
    ],
)
def test_that_fields_that_contradict_each_other_are_found(values: dict[str, Any], doubt: str) -> None:
    rows = found([(plain(0, **values), 1.0)])
    assert set(rows) == {f"{doubt} A0"}
    assert rows[f"{doubt} A0"].says.startswith("A0 ")


def test_that_every_shipped_doubt_is_one_of_these() -> None:
    tested = test_that_fields_that_contradict_each_other_are_found.pytestmark[0].args[1]
    assert {d.id for d in library.doubts()} == {name for _, name in tested} - {"life"}


def test_that_an_obligor_in_several_industries_and_a_copied_column_are_found() -> None:
    lots = [(plain(0, issuer_id="X"), 1.0), (plain(1, issuer_id="X", moodys_industry="Banking"), 1.0)]
    assert list(found(lots)) == ["industries moodys_industry X"]
    assert found(lots)["industries moodys_industry X"].value == "Banking, Retail"
    implied = {"sp_facility_rating": "B", "moodys_rating": "Caa1", "moodys_rating_warf": "Caa1"}
    rated = [(plain(i, issuer_name=f"{i}", **implied), 1.0) for i in range(20)]
    assert list(found(rated)) == ["same sp_facility_rating sp_issuer_rating"]
    other = implied | {"sp_issuer_rating": "BB"}
    assert found([*rated, (plain(20, issuer_name="20", **other), 1.0)]) == {}


def test_that_a_doubt_that_is_no_filter_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"Doubt odd: .*kountry"):
        read_doubts({"doubts": [{"id": "odd", "where": "kountry = 1", "says": "x", "fields": []}]})


def test_that_a_price_decided_to_be_missing_counts_as_missing_until_it_changes() -> None:
    dead = plain(0, defaulted=True, market_value=0.01, date_of_default=AS_OF, moodys_recovery_rate=None)
    lots = [(dead, 100.0), (plain(1), 100.0)]
    deal = replace(DEAL, limits=(TestLimit(38, "", "MIN", 1.0),), quality_inputs=(("JR OC Denominator", 100.0),))
    decided = decide(deal, found(lots, deal)["price A0"], " Missing ")
    assert decided.clo_inputs == (("Decision price A0", "missing at 0.01"),)
    assert found(lots, decided)["price A0"].decided == "missing"

    def numerator(made: Deal, price: float) -> float:
        pool = Pool([(replace(dead, market_value=price), 100.0), lots[1]])
        return evaluate(made, pool, library.catalogue(), WORKBOOK).result(38).numerator

    assert numerator(deal, 0.01) == pytest.approx(100.01)
    assert numerator(decided, 0.01) == 100.0
    assert numerator(decided, 40.0) == 140.0  # another price: the decision has lapsed
    changed = [(replace(dead, market_value=3.0), 100.0), lots[1]]
    assert found(changed, decided)["price A0"].decided == ""


def test_that_a_decision_is_replaced_not_added_and_open_doubts_come_first() -> None:
    lots = [(plain(0, market_value=1.0), 1.0), (plain(1, market_value=2.0), 1.0)]
    once = decide(DEAL, found(lots)["price A0"], "missing")
    twice = decide(once, found(lots, once)["price A0"], "as it is")
    assert twice.clo_inputs == (("Decision price A0", "as it is at 1"),)
    assert list(found(lots, twice)) == ["price A1", "price A0"]
    with pytest.raises(ValueError, match=r"'maybe' is no decision .* missing, as it is"):
        decide(DEAL, found(lots)["price A0"], "maybe")


def test_that_affiliates_decided_to_be_one_count_as_one_and_are_no_longer_asked() -> None:
    lots = [(plain(0, issuer_id="ZAYO", issuer_name="Zayo Group LLC"), 60.0)]
    lots += [(plain(1, issuer_id="ZAYOGR", issuer_name="Zayo Group LLC (Zayo Capital Inc)"), 40.0)]
    key = "affiliates ZAYO+ZAYOGR"
    one = decide(DEAL, found(lots)[key], "one")
    assert one.clo_inputs == (("Affiliate ZAYOGR", "ZAYO"),)
    assert key not in found(lots, one)
    assert of_deal(WORKBOOK, one).affiliates == (("ZAYOGR", "ZAYO"),)
    two = decide(DEAL, found(lots)[key], "two")
    assert found(lots, two)[key].decided == "two"


def test_that_a_decision_is_withdrawn_and_the_doubt_is_open_again() -> None:
    lots = [(plain(0, market_value=1.0), 1.0)]
    decided = decide(DEAL, found(lots)["price A0"], "as it is")
    assert withdraw(decided, found(lots, decided)["price A0"]) == DEAL
    pair = [(plain(0, issuer_id="ZAYO", issuer_name="Zayo Group LLC"), 60.0)]
    pair += [(plain(1, issuer_id="ZAYOGR", issuer_name="Zayo Group LLC (Zayo Capital Inc)"), 40.0)]
    one = decide(DEAL, found(pair)["affiliates ZAYO+ZAYOGR"], "one")
    (joint,) = joined(one, Pool(pair))
    assert (joint.key, joint.decided, joint.asset_ids) == ("affiliates ZAYO+ZAYOGR", "one", ("A0", "A1"))
    assert withdraw(one, joint) == DEAL
    assert "affiliates ZAYO+ZAYOGR" in found(pair, withdraw(one, joint))


def test_that_a_stored_rating_decided_to_be_derived_is_derived_until_it_changes() -> None:
    odd = plain(0, moodys_rating_warf="Ba3", moodys_issuer_rating="B1", moodys_facility_rating="B1")
    lots = [(odd, 1.0)]
    key = "derived moodys_rating_warf A0"
    assert found(lots)[key].says == "A0 has Ba3 stored, the rules give B1 (issuer B1)."
    deal = replace(DEAL, limits=(TestLimit(36, "", "MAX", 3000.0),))
    decided = decide(deal, found(lots, deal)[key], "derived")

    def factor(made: Deal, stored: str) -> float:
        pool = Pool([(replace(odd, moodys_rating_warf=stored), 1.0)])
        return evaluate(made, pool, library.catalogue(), WORKBOOK).result(36).result

    assert (factor(deal, "Ba3"), factor(decided, "Ba3"), factor(decided, "Ba2")) == (1766.0, 2220.0, 1350.0)


@pytest.mark.parametrize(
    ("first", "second", "alike_"),
    [
        (("HEXCO", "Hexatron Pumps Inc"), ("HEXC2", "Hexatron Valves LLC"), True),
        (("AB1", "Northwind Traders Holdings LLC"), ("CD1", "Northwind Trader LLC"), True),
        (("CARTWO", "Cartwell Energy"), ("BRANSE", "Bransen Energy"), False),
        (("ON", "On Semiconductor"), ("ON2", "Ontario Water"), False),
        (("TXU", "Energy Future"), ("TXU1", "Texas Competitive"), True),
    ],
)
def test_that_near_identical_issuers_are_told_from_merely_similar_ones(
    first: tuple[str, str], second: tuple[str, str], alike_: bool
) -> None:
    assert bool(list(alike({first[0]: {first[1]}, second[0]: {second[1]}}))) is alike_
