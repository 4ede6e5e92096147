"""Derived ratings and recovery rates: the real 195 assets, the rules one by one, and their paths (spec 5.2-5.6)."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ratings
from engine.asset import Asset
from engine.ratings import recovery
from engine.ratings.moodys import default_probability_rating, from_sp, moodys_rating, warf_rating
from engine.ratings.recovery import MOODYS_TABLE, moodys_recovery, sp_recovery
from engine.ratings.rules import Rules, Watch, months_between
from engine.ratings.sp import fitch_rating, sp_rating
from engine.terms import Book
from resources import library
from tests.engine.builders import mag17

AS_OF = dt.date(2026, 3, 31)
LOAN = {"bond_loan": "LOAN", "moodys_category": "Moody’s Senior Secured loan"}


def asset(**values: Any) -> Asset:
    return Asset(asset_id="A", **(LOAN | values))


@pytest.fixture(scope="module")
def book(shared: Path) -> Book:
    return mag17(shared)


def test_that_195_of_195_stored_ratings_and_recoveries_derive_from_their_inputs(book: Book) -> None:
    held, as_of = [a for a, _ in book.positions()], book.deal.analysis_date
    assert len(held) == 195
    for a in held:
        assert moodys_rating(a).value == a.moodys_rating, a.asset_id
        assert default_probability_rating(a, as_of=as_of).value == a.moodys_dpr, a.asset_id
        assert warf_rating(a, as_of=as_of).value == a.moodys_rating_warf, a.asset_id
        assert moodys_recovery(a, a.moodys_rating, a.moodys_dpr).value == a.moodys_recovery_rate, a.asset_id


def test_that_the_notches_as_coded_in_the_workbook_give_178_of_195(book: Book) -> None:
    swapped = Rules(warf=Watch(-1, 1, -2))
    held = [a for a, _ in book.positions()]
    same = [warf_rating(a, swapped, book.deal.analysis_date).value == a.moodys_rating_warf for a in held]
    assert sum(same) == 178


def test_that_a_path_reads_as_a_sentence_of_the_rule() -> None:
    negative = asset(moodys_issuer_rating="B1", moodys_issuer_outlook="Negative")
    assert warf_rating(negative).path == "issuer B1, negative outlook -1: B2"
    assert default_probability_rating(negative).path == "issuer B1"
    review = asset(moodys_facility_rating="Ba3", moodys_facility_outlook="Upgrade")
    assert moodys_rating(review).path == "facility Ba3, facility on review for upgrade +1: Ba2"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"moodys_facility_rating": "B1", "moodys_issuer_rating": "B3"}, "B1"),
        ({"moodys_facility_rating": "B1", "moodys_facility_outlook": "Downgrade"}, "B2"),
        ({"moodys_facility_rating": "NR", "moodys_issuer_rating": "B2"}, "B2"),
        ({"moodys_issuer_rating": "B2", "moodys_issuer_outlook": "Negative"}, "B3"),
        ({"moodys_issuer_rating": "B2", "moodys_issuer_outlook": "Downgrade"}, "B3"),
        ({"moodys_issuer_rating": "B2", "moodys_issuer_outlook": "Positive"}, "B2"),
        ({"moodys_senior_unsecured_rating": "Caa1"}, "B2"),
        ({"sp_facility_rating": "B+"}, "B3"),
        ({"moodys_category": "Other", "moodys_senior_unsecured_rating": "B2", "moodys_issuer_rating": "Ba3"}, "B2"),
        ({"moodys_category": "Other", "moodys_issuer_rating": "B2"}, "B3"),
        ({"moodys_category": "Other", "moodys_subordinate_rating": "Caa1"}, "B3"),
        ({"moodys_issuer_rating": "C", "moodys_issuer_outlook": "Negative"}, "C"),
        ({"moodys_facility_rating": "Aaa", "moodys_facility_outlook": "Upgrade"}, "Aaa"),
        ({}, None),
    ],
)
def test_that_moodys_rating_follows_the_first_rule_that_applies(values: dict[str, Any], expected: str | None) -> None:
    assert moodys_rating(asset(**values)).value == expected


@pytest.mark.parametrize(
    ("values", "default", "warf"),
    [
        ({"moodys_issuer_rating": "B1", "moodys_issuer_outlook": "Downgrade"}, "B2", "B3"),
        ({"moodys_issuer_rating": "B1", "moodys_facility_outlook": "Upgrade"}, "Ba3", "Ba3"),
        ({"moodys_issuer_rating": "B1", "moodys_issuer_outlook": "Negative"}, "B1", "B2"),
        ({"moodys_senior_unsecured_rating": "B3"}, "B3", "B3"),
        ({"moodys_senior_unsecured_rating": "B3", "moodys_issuer_outlook": "Negative"}, "B3", "Caa1"),
        ({"moodys_senior_secured_rating": "B1"}, "B2", "B2"),
        ({"moodys_credit_estimate": "B2", "moodys_credit_estimate_date": dt.date(2025, 9, 30)}, "B2", "B2"),
        ({"moodys_credit_estimate": "B2", "moodys_credit_estimate_date": dt.date(2025, 3, 31)}, "B3", "B3"),
        ({"moodys_credit_estimate": "B2", "moodys_credit_estimate_date": dt.date(2024, 12, 31)}, None, None),
        ({"moodys_credit_estimate": "B2"}, None, None),
        ({"dip": True, "moodys_facility_rating": "Ba3", "moodys_issuer_rating": "Caa3"}, "B1", "B1"),
        ({"dip": True, "moodys_issuer_rating": "Caa3"}, None, None),
        ({"bond_loan": "BOND", "sp_facility_rating": "BBB"}, "Baa3", "Baa3"),
        ({"sp_facility_rating": "BBB"}, "Ba1", "Ba1"),
    ],
)
def test_that_default_probability_and_warf_ratings_follow_their_rules(
    values: dict[str, Any], default: str | None, warf: str | None
) -> None:
    made = asset(**values)
    assert default_probability_rating(made, as_of=AS_OF).value == default
    assert warf_rating(made, as_of=AS_OF).value == warf


def test_that_an_old_estimate_is_named_in_the_path_of_what_came_instead() -> None:
    old = asset(
        moodys_credit_estimate="B2", moodys_credit_estimate_date=dt.date(2024, 1, 1), sp_senior_secured_rating="B"
    )
    found = default_probability_rating(old, as_of=AS_OF)
    assert (found.value, from_sp(old).value) == ("B3", "B3")
    gone = default_probability_rating(
        asset(moodys_credit_estimate="B2", moodys_credit_estimate_date=dt.date(2024, 1, 1)), as_of=AS_OF
    )
    assert gone.path == "credit estimate B2 is 26 months old and does not count; no rating speaks for one"


def test_that_what_is_unrated_stays_missing_unless_the_deal_deems_it_caa3() -> None:
    bare = asset()
    assert moodys_rating(bare).value is None
    deemed = Rules(unrated="deemed")
    assert (moodys_rating(bare, deemed).value, sp_rating(bare, deemed).value) == ("Caa3", "CCC-")
    assert "deemed" in warf_rating(bare, deemed).path


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"defaulted": True, "sp_issuer_rating": "B"}, "D"),
        ({"dip": True, "sp_facility_rating": "BB", "sp_issuer_rating": "D"}, "BB"),
        ({"sp_issuer_rating": "B", "sp_facility_rating": "BB"}, "B"),
        ({"sp_senior_secured_rating": "B"}, "B"),
        ({"sp_subordinated_rating": "BBB-"}, "BBB"),
        ({"sp_subordinated_rating": "B-"}, "B+"),
        ({"moodys_facility_rating": "Baa3"}, "BB+"),
        ({"moodys_facility_rating": "Ba3"}, "B"),
        ({"sp_issuer_rating": "NR"}, None),
    ],
)
def test_that_the_sp_rating_follows_its_rules(values: dict[str, Any], expected: str | None) -> None:
    assert sp_rating(asset(**values)).value == expected


def test_that_the_market_s_notches_for_secured_and_subordinated_ratings_are_parameters() -> None:
    market = Rules(sp_secured=-1, sp_subordinated=(1, 1))
    assert sp_rating(asset(sp_senior_secured_rating="B"), market).value == "B-"
    assert sp_rating(asset(sp_subordinated_rating="B-"), market).value == "B"


def test_that_fitch_s_rating_is_the_lower_of_the_two_issuer_ratings() -> None:
    both = fitch_rating(asset(moodys_issuer_rating="B1", sp_issuer_rating="B"))
    assert (both.value, both.path) == ("B", "the lower of Moody's issuer B1 and S&P issuer B: B")
    assert fitch_rating(asset(moodys_issuer_rating="Caa1")).value == "CCC+"
    assert fitch_rating(asset(moodys_issuer_rating="NR")).value is None


# --- recoveries --------------------------------------------------------------------------------------------------


def test_that_moodys_recovery_table_is_the_published_one(shared: Path) -> None:
    with (shared / "data" / "reference" / "moodys_recovery_rates.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    columns = {
        "senior secured loan": "senior_secured_loan_pct",
        "second lien or senior secured bond": "second_lien_first_lien_last_out_and_senior_secured_bond_pct",
        "other": "other_obligation_pct",
    }
    for notches, row in zip(range(2, -4, -1), rows, strict=True):
        for name, column in columns.items():
            assert MOODYS_TABLE[name, str(notches)] == float(row[column]) / 100
    assert dict(library.catalogue().tables["moodys_recovery"].entries) == pytest.approx(dict(MOODYS_TABLE))


@given(st.sampled_from(ratings.MOODYS), st.sampled_from(ratings.MOODYS))
def test_that_a_better_rated_loan_never_recovers_less(rating: str, default: str) -> None:
    def rate(of: str) -> float:
        found = moodys_recovery(asset(), of, default).value
        assert found is not None
        return found

    better = ratings.notched(rating, 1)
    assert better is not None
    assert rate(better) >= rate(rating)


def test_that_a_dip_loan_recovers_half_and_a_missing_rating_or_category_gives_none() -> None:
    assert moodys_recovery(asset(dip=True), None, None).value == 0.5
    assert moodys_recovery(asset(), "B1", None).value is None
    assert moodys_recovery(asset(moodys_category=None), "B1", "B1").value is None
    assert moodys_recovery(asset(), "NR", "B1").value is None


def test_that_first_lien_last_out_recovers_as_the_deal_says() -> None:
    last_out = asset(first_lien_last_out=True)
    assert moodys_recovery(last_out, "B1", "B1").value == 0.45
    assert moodys_recovery(last_out, "B1", "B1", Rules(last_out="second lien")).value == 0.35


def _sp(values: dict[str, Any], liability: str = "AAA", group: str = "A", senior: str = "") -> float | None:
    tables = library.catalogue().tables
    names = ("sp_recovery", "sp_recovery_by_type", "sp_recovery_junior")
    return sp_recovery(asset(**values), liability, *(tables[n].entries for n in names), group, senior).value


@pytest.mark.parametrize(
    ("rating", "aaa", "bb"),
    [("1+", 0.75, 0.92), ("1", 0.65, 0.90), ("2H", 0.60, 0.86), ("2L", 0.50, 0.79), ("3", 0.30, 0.59)],
)
def test_that_a_recovery_rating_counts_at_its_lowest_point(rating: str, aaa: float, bb: float) -> None:
    assert _sp({"sp_recovery_rating": rating}) == aaa
    assert _sp({"sp_recovery_rating": rating}, "BB") == bb


def test_that_every_recovery_rating_of_the_master_has_a_rate_for_every_class_of_notes() -> None:
    for rating in recovery._LOWEST_POINT:
        rates = [_sp({"sp_recovery_rating": rating}, liability) for liability in recovery.LIABILITIES]
        assert all(rate is not None for rate in rates)
        assert rates == sorted(rates), rating


def test_that_without_a_recovery_rating_type_group_and_senior_debt_decide() -> None:
    first = {"sp_priority_category": "Senior Secured Loan", "sp_recovery_rating": "NR"}
    assert (_sp(first), _sp(first, group="B"), _sp(first, "CCC", "C")) == (0.50, 0.39, 0.34)
    assert _sp(first | {"cov_lite": True}) == 0.41
    junior = {"sp_priority_category": "Senior Unsecured Loan/Second Lien Loan"}
    assert (_sp(junior), _sp(junior, senior="3H"), _sp(junior, senior="6")) == (0.18, 0.12, 0.0)
    assert _sp({"sp_priority_category": None}) is None


@given(st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)), st.integers(0, 60))
def test_that_whole_months_are_counted(day: dt.date, months: int) -> None:
    year, month = divmod(day.month - 1 + months, 12)
    if day.day <= 28:
        later = dt.date(day.year + year, month + 1, day.day)
        assert months_between(day, later) == months
        assert months_between(day, later - dt.timedelta(days=1)) == months - 1
