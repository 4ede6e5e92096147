"""What may be typed next into a filter, and tests of one's own while they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.work.completing import Completer, quoted
from clo_desktop.work.own_tests import Draft, draft_of, tried
from engine import filter as filters
from engine.asset import Asset
from engine.compliance import own
from engine.pool import Pool
from engine.terms import Book, Deal, Holding

ASSETS = (
    Asset(asset_id="A1", country="Germany", moodys_rating="B2", market_value=99.0, defaulted=False),
    Asset(asset_id="A2", country="United Kingdom", moodys_rating="Caa1", market_value=61.5, defaulted=True),
    Asset(asset_id="A3", country="Germany", moodys_rating="B2", market_value=88.0),
)
POOL = Pool([(a, 100.0) for a in ASSETS])
BOOK = Book(Deal("d", holdings=tuple(Holding(a.asset_id, 100.0) for a in ASSETS)), {a.asset_id: a for a in ASSETS})


def after(text: str) -> list[str]:
    return [o.text for o in Completer(POOL, ("group_1",)).suggest(text, len(text)).options]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("coun", "country"),
        ("country ", "="),
        ("country = ", "Germany"),
        ("country = uni", "'United Kingdom'"),
        ("country = 'uni", "'United Kingdom'"),
        ("country = Germany ", "and"),
        ("country = Germany and not def", "defaulted"),
        ("country in ", "("),
        ("country in gro", "group_1"),
        ("country in (Germany, ", "Germany"),
        ("country in (Germany ", ","),
        ("moodys_rating >= Caa", "Caa1"),
        ("market_value between 60 ", "and"),
        ("defaulted ", "and"),
        ("defaulted and (dip", "dip"),
        ("[Moody's rating] ", "="),
        ("wal is ", "missing"),
    ],
)
def test_that_what_may_come_next_is_offered_best_first(typed: str, first: str) -> None:
    assert after(typed)[0] == first


def test_that_values_are_those_held_most_first_and_ratings_by_rank() -> None:
    assert after("country = ") == ["Germany", "'United Kingdom'"]
    ratings = after("moodys_rating > ")
    assert ratings.index("B2") < ratings.index("Caa1")


def test_that_a_number_says_from_where_to_where_it_runs() -> None:
    found = Completer(POOL).suggest("market_value < ", 15)
    assert (found.options, found.hint) == ((), "Price runs from 61.5 to 99.")


def test_that_nothing_is_offered_after_what_is_no_field() -> None:
    assert after("nosuch = ") == []


@given(st.text(max_size=40), st.integers(0, 40))
def test_that_no_text_breaks_it(text: str, cursor: int) -> None:
    found = Completer(POOL).suggest(text, min(cursor, len(text)))
    assert 0 <= found.start <= found.end <= len(text) + 1


LETTERS = st.characters(exclude_characters="\"\n\r\t'", categories=["L", "N", "P", "Zs"])


@given(st.text(LETTERS, min_size=1, max_size=20))
def test_that_a_value_in_quotes_is_read_as_itself(value: str) -> None:
    pool = Pool([(Asset(asset_id="A", issuer_name=value), 1.0)])
    if value.strip():
        assert filters.parse(f"issuer_name = {quoted(value)}").mask(pool).tolist() == [True]


# -- tests of one's own -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "draft",
    [
        Draft(where="country = Germany"),
        Draft(),
        Draft(by="unfunded_amount", where="revolver"),
        Draft("largest", "issuer_id", 3, "cov_lite"),
        Draft("top", "country", 2),
        Draft("average", "floating_spread", where="coupon_type = FLOAT", limit=0.04, direction="MIN"),
    ],
)
def test_that_a_draft_is_read_back_from_the_text_it_is_stored_as(draft: Draft) -> None:
    assert draft_of(draft.name, draft.direction, draft.limit, draft.text) == draft


def test_that_a_draft_is_tried_in_the_deal_and_nothing_is_stored() -> None:
    found = tried(BOOK, Draft(where="country = Germany", limit=0.5))
    assert found.result is not None
    assert found.result.result == 1.0  # the defaulted one is not in the denominator
    assert found.result.outcome.value == "fail"
    assert BOOK.deal.limits == ()


def test_that_a_draft_that_cannot_be_read_says_why() -> None:
    assert tried(BOOK, Draft(where="kountry = 1")).says == "There is no field 'kountry' (position 1)."
    assert "known sets" in tried(BOOK, Draft(where="country in nosuch")).says


def test_that_a_name_is_suggested_in_the_titles_of_the_columns() -> None:
    assert Draft(where="moodys_rating >= Caa1").suggested == "Moody's rating >= Caa1"
    assert Draft("largest", "issuer_id", 3, "cov_lite").suggested == "3rd largest Obligor: Cov-lite"
    assert Draft("average", "wal").suggested == "Average WAL"


def test_that_a_test_is_written_anew_in_its_place_with_its_baseline() -> None:
    deal, number = own.with_test(BOOK.deal, "Germans", "MAX", 0.05, "country = Germany")
    deal, other = own.with_test(deal, "Dips", "MAX", 0.05, "dip")
    changed = own.changed_test(deal, number, "Germans and French", "MAX", 0.1, "country in (Germany, France)")
    assert [(t.number, t.name, t.threshold) for t in changed.limits] == [
        (number, "Germans and French", 0.1),
        (other, "Dips", 0.05),
    ]
    assert changed.quality_inputs == ((f"Test {number}", "country in (Germany, France)"), (f"Test {other}", "dip"))
    with pytest.raises(ValueError, match="has no test 14 of its own"):
        own.changed_test(deal, 14, "x", "MAX", 0.1, "dip")
