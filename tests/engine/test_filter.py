"""The filter language: grammar, order of ratings, missing values, errors with their place."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.asset import Asset
from engine.filter import FilterError, parse
from engine.pool import Pool

SETS = {"nordic": ("Sweden", "Norway"), "cheap": ("Leeds", "O'Hare Corp")}
PARAMETERS: dict[str, float | dt.date | None] = {
    "stated_maturity": dt.date(2030, 1, 1),
    "limit": 0.05,
    "unknown": None,
}


def asset(number: int, **values: Any) -> Asset:
    return Asset(asset_id=f"A{number}", **values)


POOL = Pool(
    [
        (asset(0, country="USA", moodys_rating="B1", market_value=99.0, coupon_spread=0.05, cov_lite=True), 10.0),
        (asset(1, country="Sweden", moodys_rating="Caa1", market_value=60.0, coupon_spread=0.04), 20.0),
        (asset(2, country=None, moodys_rating="NR", maturity=dt.date(2031, 6, 30), defaulted=True), 30.0),
        (asset(3, country="United Kingdom", moodys_rating="B3", issuer_name="O'Hare Corp", facility_size=2e8), 40.0),
        (asset(4, country="usa ", moodys_rating="Aaa", market_value=0.0, moodys_category="Moody’s Senior"), 50.0),
    ]
)


def chosen(text: str) -> list[int]:
    return [int(i) for i in np.flatnonzero(parse(text).mask(POOL, SETS, PARAMETERS))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("   ", [0, 1, 2, 3, 4]),
        ("country = USA", [0, 4]),
        ("COUNTRY = uSa", [0, 4]),
        ("country != USA", [1, 2, 3]),  # a missing country is not the USA
        ("country <> USA", [1, 2, 3]),
        ("country is missing", [2]),
        ("country is not missing", [0, 1, 3, 4]),
        ("not country is missing", [0, 1, 3, 4]),
        ("country = 'United Kingdom'", [3]),
        ('country = "United Kingdom"', [3]),
        ("country in (USA, 'United Kingdom')", [0, 3, 4]),
        ("country not in (USA, 'United Kingdom')", [1, 2]),
        ("country in nordic", [1]),
        ("issuer_name = 'O'Hare Corp'", [3]),
        ("issuer_name in cheap", [3]),
        ("moodys_category = 'Moody's Senior'", [4]),  # typographic and plain apostrophe are one
        ("[Issuer Name] is not missing", [3]),
        ("'Issuer Name' is not missing", [3]),
        ("moodys_rating >= Caa1", [1]),  # worse has the higher rank; not rated compares with nothing
        ("moodys_rating <= B1", [0, 4]),
        ("moodys_rating > B1", [1, 3]),
        ("moodys_rating between B1 and B3", [0, 3]),
        ("moodys_rating = b1", [0]),
        ("market_value < 70", [1, 4]),  # zero is a price, missing is none
        ("not market_value < 70", [0, 2, 3]),
        ("market_value between 60 and 99", [0, 1]),
        ("market_value not between 60 and 99", [2, 3, 4]),
        ("coupon_spread >= 5%", [0]),
        ("coupon_spread >= 5 %", [0]),
        ("coupon_spread >= 0.05", [0]),
        ("coupon_spread >= :limit", [0]),
        ("coupon_spread = 4e-2", [1]),
        ("facility_size = 200_000_000", [3]),
        ("maturity > 2031-06-29", [2]),
        ("maturity > :stated_maturity", [2]),
        ("maturity > :unknown", []),
        ("cov_lite", [0]),
        ("not cov_lite", [1, 2, 3, 4]),
        ("cov_lite = yes", [0]),
        ("cov_lite != yes", [1, 2, 3, 4]),
        ("cov_lite or defaulted and country = USA", [0]),
        ("defaulted or cov_lite and country = USA", [0, 2]),  # AND before OR
        ("(defaulted or cov_lite) and country = USA", [0]),
        ("not defaulted and not cov_lite", [1, 3, 4]),
        ("not (defaulted or cov_lite)", [1, 3, 4]),
        ("not not defaulted", [2]),
        ("NOT defaulted AND Country = USA OR Defaulted", [0, 2, 4]),
    ],
)
def test_that_a_filter_means_what_it_says(text: str, expected: list[int]) -> None:
    assert chosen(text) == expected


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("country", "a comparison such as"),
        ("country =", "ends where a value"),
        ("nosuch = 1", "no field 'nosuch' (position 1)"),
        ("cov_lite and nosuch", "(position 14)"),
        ("(cov_lite", "closing parenthesis"),
        ("cov_lite)", "At position 9"),
        ("country < USA", "no order"),
        ("moodys_rating > X9", "is no rating"),
        ("maturity > 2031-02-30", "is no date"),
        ("maturity > 5", "is no date"),
        ("market_value > cheap", "is none"),
        ("market_value between 1", "AND and the upper bound"),
        ("country in (USA", "closing parenthesis"),
        ("country in 5", "name of a set"),
        ("country is USA", "'missing'"),
        ("country = 'open", "Cannot read the filter at position"),
        ("and", "the name of a field"),
        ("cov_lite cov_lite", "At position 10"),
        ("country not USA", "comparison"),
    ],
)
def test_that_a_wrong_filter_is_refused_with_the_place_and_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert says in str(caught.value)


def test_that_unknown_sets_and_parameters_are_named_with_the_known_ones() -> None:
    with pytest.raises(FilterError, match=r"'far'.*cheap, nordic"):
        chosen("country in far")
    with pytest.raises(FilterError, match=":nowhere"):
        chosen("wal > :nowhere")


@given(st.text(max_size=40))
@settings(max_examples=300)
def test_that_any_text_is_a_filter_or_a_filter_error(text: str) -> None:
    with contextlib.suppress(FilterError):
        parse(text)


WORDS = ["country", "=", "!=", "<", "USA", "'x", "'", "(", ")", ",", "and", "or", "not", "in", "is", "missing", "%"]
WORDS += ["between", "5%", "1e400", "-", "2031-01-01", "2031-99-99", "wal", ":p", "[", "[wal]", "moodys_rating", "B1"]
WORDS += ["cov_lite", "1_", "٣", "٣٣٣٣-٠١-٠١", "maturity", "nordic"]


@given(st.lists(st.sampled_from(WORDS), max_size=9))
@settings(max_examples=600)
def test_that_any_row_of_words_of_the_language_is_a_filter_or_a_filter_error(words: list[str]) -> None:
    text = " ".join(words)
    try:
        mask = parse(text).mask(POOL, SETS, PARAMETERS)
    except FilterError:
        return
    assert mask.shape == (5,)
    assert mask.dtype == np.bool_


@pytest.mark.parametrize("text", ["(" * 20_000, "not " * 20_000 + "cov_lite", "(" * 20_000 + "cov_lite" + ")" * 20_000])
def test_that_a_filter_too_deep_to_read_is_a_filter_error(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


ATOMS = [
    *("cov_lite", "defaulted", "country = USA", "country is missing", "market_value < 70", "moodys_rating > B1"),
    *("maturity > :unknown", "country in nordic", "wal is missing"),
]


@st.composite
def trees(draw: st.DrawFn, depth: int = 4) -> tuple[str, np.ndarray]:
    """A filter text and what it must mean, built side by side."""
    kind = draw(st.sampled_from(["atom", "not", "and", "or"])) if depth else "atom"
    if kind == "atom":
        text = draw(st.sampled_from(ATOMS))
        return text, parse(text).mask(POOL, SETS, PARAMETERS)
    left, a = draw(trees(depth=depth - 1))
    if kind == "not":
        return f"not ({left})", ~a
    right, b = draw(trees(depth=depth - 1))
    return f"({left}) {kind} ({right})", (a & b) if kind == "and" else (a | b)


@given(trees())
@settings(max_examples=200)
def test_that_and_or_and_not_are_those_of_masks(tree: tuple[str, np.ndarray]) -> None:
    text, expected = tree
    assert (parse(text).mask(POOL, SETS, PARAMETERS) == expected).all()


@given(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=5), st.data())
def test_that_a_row_without_parentheses_is_an_or_of_ands(atoms: list[str], data: st.DataObject) -> None:
    joins = [data.draw(st.sampled_from(["and", "or"])) for _ in atoms[1:]]
    text = atoms[0] + "".join(f" {join} {atom}" for join, atom in zip(joins, atoms[1:], strict=True))
    masks = [parse(a).mask(POOL, SETS, PARAMETERS) for a in atoms]
    groups = [masks[0]]
    for join, mask in zip(joins, masks[1:], strict=True):
        if join == "and":
            groups[-1] = groups[-1] & mask
        else:
            groups.append(mask)
    assert (parse(text).mask(POOL, SETS, PARAMETERS) == np.logical_or.reduce(groups)).all()
