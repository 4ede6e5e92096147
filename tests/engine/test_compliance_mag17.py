"""The real deal's 37 recorded results (spec compliance-risk 9.1) and both computed thresholds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from engine.compliance import WORKBOOK, Compliance, Outcome, evaluate, read_catalogue
from engine.pool import Pool
from engine.terms import Book
from tests.engine.builders import ROOT, mag17

RECORDED = {
    **{1: 0.97164, 2: 0.02836, 3: 0.012, 4: 0.01796, 5: 0.015, 6: 0.0045, 7: 0.02736, 8: 0.01119354200858},
    **{9: 0.0, 10: 0.0, 11: 0.025, 13: 0.0, 14: 0.10924502725558, 15: 0.041775703267, 16: 0.07396932398858},
    **{17: 0.06746932398858, 18: 0.03469354200858, 19: 0.02619354200858, 20: 0.00119940118, 21: 0.00119940118},
    **{22: 0.0315763808, 23: 0.0290763808, 24: 0.015, 25: 0.05853313400858, 26: 0.09242, 27: 0.10468568004},
    **{28: 0.0, 29: 0.204663123068, 30: 0.0, 31: 0.00345472034, 32: 0.04024391751557672, 33: 0.5013747075892746},
    **{34: 0.0, 35: 5.05, 36: 2575.698435111221, 37: 59.4399, 38: 1.0813148788927334},
}
WHO = {4: "FDC", 5: "TXU", 6: "SEDGEW", 19: "Netherlands", 21: "Germany", 23: "Luxembourg", 26: "Business equipment"}
IF_RUN = {40: 0.03236, 41: 0.02678, 43: 0.0, 49: 0.12796, 50: 0.11923, 51: 0.10846, 52: 0.07253, 53: 0.00424}


@pytest.fixture(scope="module")
def book(shared: Path) -> Book:
    return mag17(shared)


@pytest.fixture(scope="module")
def compliance(book: Book) -> Compliance:
    catalogue = read_catalogue(
        yaml.safe_load((ROOT / "resources" / "compliance" / "catalogue.yaml").read_text(encoding="utf-8"))
    )
    return evaluate(book.deal, Pool(book.positions()), catalogue, WORKBOOK)


def test_that_the_pool_is_195_assets_and_500m_with_cash(book: Book, compliance: Compliance) -> None:
    assert len(book.deal.holdings) == len(compliance.pool) == 195
    assert compliance.performing_par == pytest.approx(431_157_604.91528994, abs=1e-6)
    assert compliance.collateral_principal_amount == pytest.approx(500_000_000.0, abs=1e-6)


def test_that_all_37_tests_are_evaluated_in_the_deal_s_order(book: Book, compliance: Compliance) -> None:
    assert [r.number for r in compliance.results] == [limit.number for limit in book.deal.limits]
    assert {r.number for r in compliance.results} == set(RECORDED)
    assert compliance.notes == ()


@pytest.mark.parametrize("number", sorted(RECORDED))
def test_that_the_result_is_the_recorded_one(compliance: Compliance, number: int) -> None:
    assert compliance.result(number).result == pytest.approx(RECORDED[number], abs=1e-9)


def test_that_the_two_thresholds_that_depend_on_the_recovery_rate_are_computed(compliance: Compliance) -> None:
    for number, expected in ((32, 0.03936064400669714), (36, 3218.21054084814)):
        assert compliance.result(number).threshold == pytest.approx(expected, rel=1e-12)
        assert compliance.result(number).limit_source == "computed"


def test_that_the_deal_s_own_limit_beats_the_catalogue(compliance: Compliance) -> None:
    assert compliance.result(11).threshold == 0.025
    assert compliance.result(33).threshold == 0.455
    assert compliance.result(11).limit_source == compliance.result(33).limit_source == "deal"


def test_that_the_deal_passes_all_tests_and_the_dip_limit_exactly(compliance: Compliance) -> None:
    assert all(r.outcome is Outcome.PASS for r in compliance.results)
    assert compliance.result(11).cushion == 0.0


def test_that_the_largest_name_is_said(compliance: Compliance) -> None:
    for number, name in WHO.items():
        assert name.casefold() in compliance.result(number).comment.casefold()


def test_that_contributions_add_up_to_the_numerator(compliance: Compliance) -> None:
    for r in compliance.results:
        cash = compliance.cash if r.number in (1, 38) else 0.0
        assert r.amounts.sum() + cash == pytest.approx(r.numerator, rel=1e-12, abs=1e-6), r.number


@pytest.mark.parametrize("number", sorted(IF_RUN))
def test_that_tests_of_other_deals_have_the_known_results_on_this_pool(
    book: Book, compliance: Compliance, number: int
) -> None:
    from dataclasses import replace

    from engine.terms import TestLimit

    catalogue = read_catalogue(
        yaml.safe_load((ROOT / "resources" / "compliance" / "catalogue.yaml").read_text(encoding="utf-8"))
    )
    deal = replace(book.deal, limits=(TestLimit(number, "", "MAX"),))
    result = evaluate(deal, compliance.pool, catalogue, WORKBOOK).result(number)
    assert result.result == pytest.approx(IF_RUN[number], abs=5e-6)
    assert result.limit_source == "catalogue"
