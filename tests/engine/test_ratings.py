"""Rating scales: ranks and factors against the reference tables (spec compliance-risk 5.1)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import ratings


def test_that_both_scales_have_21_ranks_and_the_same_letter_rank_on_either() -> None:
    assert [ratings.rank(r) for r in ratings.MOODYS] == list(range(1, 22))
    assert [ratings.rank(r) for r in ratings.SP] == [*range(1, 22), 22, 22]
    pairs = {"Aaa": "AAA", "Baa3": "BBB-", "Ba1": "BB+", "B3": "B-", "Caa1": "CCC+", "Ca": "CC", "C": "C"}
    assert all(ratings.rank(m) == ratings.rank(s) for m, s in pairs.items())


def test_that_the_rating_factors_are_the_published_ones(shared: Path) -> None:
    with (shared / "data" / "reference" / "moodys_rating_factors.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    known = {row[1]: float(row[2]) for row in rows if row[1] in ratings.MOODYS_RANK}
    assert len(known) >= 19
    for rating, factor in known.items():
        assert ratings.rating_factor(rating) == factor, rating


@pytest.mark.parametrize("text", ["", None, "NR", "WR", "B2 ", "b2"])
def test_that_what_is_not_a_canonical_rating_has_the_worst_factor(text: str | None) -> None:
    assert ratings.rating_factor(text) == 10_000.0


@given(st.sampled_from([*ratings.MOODYS, *ratings.SP]), st.sampled_from(["upper", "lower", "title"]))
def test_that_case_and_blanks_do_not_change_a_rank(rating: str, case: str) -> None:
    text = f" {getattr(rating, case)()} "
    parsed = ratings.parse_moodys(text) or ratings.parse_sp(text)
    assert parsed is not None
    assert ratings.rank(text) == ratings.rank(rating)


@given(st.text(max_size=6))
def test_that_any_text_has_a_rank_of_the_scale_or_none(text: str) -> None:
    place = ratings.rank(text)
    assert place is None or 1 <= place <= 22
    if place is None:
        assert ratings.parse_moodys(text) in (None, "NR")


def test_that_not_rated_has_no_rank() -> None:
    assert ratings.rank("NR") is None
    assert ratings.parse_moodys("nr") == "NR"
    assert ratings.parse_sp("sd") == "SD"


@given(st.sampled_from([*ratings.MOODYS, *ratings.SP]), st.sampled_from([str.upper, str.lower, str]))
def test_that_a_rating_of_either_agency_is_the_moody_s_one_of_its_rank(text: str, case: Callable[[str], str]) -> None:
    found = ratings.as_moodys(f" {case(text)} ")
    assert (found is None) == (text in ("D", "SD"))
    if found is not None:
        assert ratings.rank(found) == ratings.rank(case(text))
        assert ratings.rank(ratings.as_sp(found)) == ratings.rank(found)
        assert ratings.is_caa(found) == (ratings.MOODYS.index(found) > ratings.MOODYS.index("B3"))


@pytest.mark.parametrize("text", ["NR", "", "B4", "junk"])
def test_that_what_is_no_rating_is_none_of_moody_s(text: str) -> None:
    assert ratings.as_moodys(text) is None
