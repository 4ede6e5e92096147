"""What may be typed into the filter row and what it shows."""

from __future__ import annotations

import contextlib
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.query import BadQuery, hint, literal, parse
from engine.asset import Kind

VALUES: dict[str, list[object]] = {
    Kind.RATE: [0.05, 0.0325, 0.0, None, 0.07],
    Kind.PRICE: [98.5, 80.0, 90.0, None, 100.25],
    Kind.MONEY: [5e6, 1.25e6, 999_999.6, None, 0.0],
    Kind.DATE: [dt.date(2028, 6, 30), dt.date(2027, 1, 1), dt.date(2029, 12, 31), None, dt.date(1965, 3, 1)],
    Kind.FLAG: [True, False, None, True],
    Kind.MOODYS: ["Aaa", "B1", "B3", "Caa1", "NR", None, "Ca"],
    Kind.SP: ["AAA", "B+", "B-", "CCC+", "NR", None, "CCC-", "D"],
    Kind.TEXT: ["USA", "United Kingdom", "Canada", None, "Beverage, Food & Tobacco"],
}


def shown(kind: str, text: str) -> list[object]:
    column = Column("x", "Spread" if kind == Kind.RATE else "X", kind)
    values = VALUES[kind]
    frame = Frame([Column("id", "Id", Kind.COUNT), column], {"id": range(len(values)), "x": values}, key="id")
    found = parse(text, column)
    return values if found is None else [v for v, keep in zip(values, found(frame), strict=True) if keep]


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        (Kind.RATE, ">5", [0.07]),
        (Kind.RATE, ">=5", [0.05, 0.07]),
        (Kind.RATE, "≥5", [0.05, 0.07]),
        (Kind.RATE, ">=5%", [0.05, 0.07]),
        (Kind.RATE, ">=500bp", [0.05, 0.07]),
        (Kind.RATE, "<=7", [0.05, 0.0325, 0.0, 0.07]),
        (Kind.RATE, "=7", [0.07]),
        (Kind.RATE, "3.25", [0.0325]),
        (Kind.RATE, "3", [0.0325]),
        (Kind.RATE, "0", [0.0]),
        (Kind.RATE, "-", [None]),
        (Kind.RATE, "!-", [0.05, 0.0325, 0.0, 0.07]),
        (Kind.PRICE, "<=98.5", [98.5, 80.0, 90.0]),
        (Kind.PRICE, "80..90", [80.0, 90.0]),
        (Kind.PRICE, "90..80", [80.0, 90.0]),
        (Kind.PRICE, "98..", [98.5, 100.25]),
        (Kind.PRICE, "..85", [80.0]),
        (Kind.PRICE, "<85, >100", [80.0, 100.25]),
        (Kind.PRICE, "!=80", [98.5, 90.0, None, 100.25]),
        (Kind.MONEY, ">=5m", [5e6]),
        (Kind.MONEY, "1 250 000", [1.25e6]),
        (Kind.MONEY, "1000000", [999_999.6]),
        (Kind.MONEY, "5,000,000", [5e6]),
        (Kind.MONEY, ">=5,000,000", [5e6]),
        (Kind.MONEY, ">4,999,999.5", [5e6]),
        (Kind.MONEY, ">1,250,000", [5e6]),
        (Kind.MONEY, "1,250,000..5,000,000", [5e6, 1.25e6]),
        (Kind.MONEY, ">=5,000k", [5e6]),
        (Kind.MONEY, "5m,0", [5e6, 0.0]),
        (Kind.MONEY, "5,000,000, 0", [5e6, 0.0]),
        (Kind.MONEY, "5,000,000 or 0", [5e6, 0.0]),
        (Kind.PRICE, "<85,>100", [80.0, 100.25]),
        (Kind.PRICE, "80, 90", [80.0, 90.0]),
        (Kind.MONEY, "<−1", []),
        (Kind.DATE, ">2028", [dt.date(2029, 12, 31)]),
        (Kind.DATE, ">=2028", [dt.date(2028, 6, 30), dt.date(2029, 12, 31)]),
        (Kind.DATE, "2028-06", [dt.date(2028, 6, 30)]),
        (Kind.DATE, "<=2027-01-01", [dt.date(2027, 1, 1), dt.date(1965, 3, 1)]),
        (Kind.DATE, "2027..2028", [dt.date(2028, 6, 30), dt.date(2027, 1, 1)]),
        (Kind.DATE, "-", [None]),
        (Kind.FLAG, "yes", [True, True]),
        (Kind.FLAG, "N", [False]),
        (Kind.FLAG, "-", [None]),
        (Kind.MOODYS, ">=B3", ["Aaa", "B1", "B3"]),
        (Kind.MOODYS, "<=B3", ["B3", "Caa1", "Ca"]),
        (Kind.MOODYS, "<B3", ["Caa1", "Ca"]),
        (Kind.MOODYS, ">B3", ["Aaa", "B1"]),
        (Kind.MOODYS, "B..Caa", ["B1", "B3", "Caa1"]),
        (Kind.MOODYS, "B..CCC", ["B1", "B3", "Caa1"]),
        (Kind.MOODYS, "caa..b", ["B1", "B3", "Caa1"]),
        (Kind.MOODYS, "B", ["B1", "B3"]),
        (Kind.MOODYS, "b3", ["B3"]),
        (Kind.MOODYS, "=Caa1", ["Caa1"]),
        (Kind.MOODYS, "NR", ["NR"]),
        (Kind.MOODYS, "!=NR", ["Aaa", "B1", "B3", "Caa1", None, "Ca"]),
        (Kind.MOODYS, "NR, -", ["NR", None]),
        (Kind.SP, "B..CCC", ["B+", "B-", "CCC+", "CCC-"]),
        (Kind.SP, "<=CCC+", ["CCC+", "CCC-", "D"]),
        (Kind.SP, "<CCC", ["CCC-", "D"]),
        (Kind.SP, "B−", ["B-"]),
        (Kind.TEXT, "ca", ["Canada"]),
        (Kind.TEXT, "=usa", ["USA"]),
        (Kind.TEXT, "!=USA", ["United Kingdom", "Canada", None, "Beverage, Food & Tobacco"]),
        (Kind.TEXT, "!u", ["Canada", None, "Beverage, Food & Tobacco"]),
        (Kind.TEXT, "usa,canada", ["USA", "Canada"]),
        (Kind.TEXT, "usa or canada", ["USA", "Canada"]),
        (Kind.TEXT, "usa, canada", []),
        (Kind.TEXT, "beverage, food", ["Beverage, Food & Tobacco"]),
        (Kind.TEXT, "usa,beverage, food", ["USA", "Beverage, Food & Tobacco"]),
        (Kind.TEXT, "=Beverage, Food & Tobacco", ["Beverage, Food & Tobacco"]),
        (Kind.TEXT, "usa, ", ["USA"]),
        (Kind.TEXT, "!=USA, !=Canada", ["United Kingdom", None, "Beverage, Food & Tobacco"]),
        (Kind.TEXT, '"Beverage, Food"', ["Beverage, Food & Tobacco"]),
        (Kind.TEXT, "  ", VALUES[Kind.TEXT]),
        (Kind.TEXT, "-", [None]),
    ],
)
def test_what_a_query_shows(kind: str, text: str, wanted: list[object]) -> None:
    assert shown(kind, text) == wanted


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        (Kind.RATE, "abc", "is not a number: type one"),
        (Kind.RATE, ">", "must follow >"),
        (Kind.PRICE, ">5%", "leave out %"),
        (Kind.PRICE, ">5..6", "no > before it"),
        (Kind.PRICE, "..", "needs an end"),
        (Kind.PRICE, "99,5", "may be one number or two: type 99.5, or 99 or 5"),
        (Kind.PRICE, "<99,5", "may be one number or two"),
        (Kind.MONEY, "1,00", "may be one number or two"),
        (Kind.MONEY, ">1,0000,000", "may be one number or two"),
        (Kind.MONEY, "0,500", "may be one number or two"),
        (Kind.MONEY, "1,250,000,5", "may be one number or two"),
        (Kind.DATE, "tomorrow", "is not a date"),
        (Kind.DATE, "2028-13", "no day"),
        (Kind.DATE, "2027-02-30", "no day"),
        (Kind.FLAG, "maybe", "neither yes nor no"),
        (Kind.MOODYS, ">=Q9", "is not a rating"),
        (Kind.TEXT, ">5", "is text"),
    ],
)
def test_that_a_bad_query_says_what_is_wrong(kind: str, text: str, fault: str) -> None:
    with pytest.raises(BadQuery, match=fault):
        parse(text, Column("x", "X", kind))


@pytest.mark.parametrize("kind", VALUES)
def test_that_filtering_by_a_value_shows_the_rows_of_that_value(kind: str) -> None:
    column = Column("x", "X", kind)
    for value in VALUES[kind]:
        assert value in shown(kind, literal(column, value))
        assert value not in shown(kind, "!" + literal(column, value))


@given(st.text(max_size=12), st.sampled_from([*VALUES]))
def test_that_any_text_is_either_a_filter_or_a_bad_query(text: str, kind: str) -> None:
    with contextlib.suppress(BadQuery):
        assert all(value in VALUES[kind] for value in shown(kind, text))


@given(st.floats(0, 0.2), st.floats(0, 0.2))
def test_that_above_and_at_most_share_the_rows_between_them(value: float, limit: float) -> None:
    column = Column("x", "X", Kind.RATE)
    frame = Frame([column], {"x": [value]}, key="x")
    above, most = parse(f">{limit * 100:.6f}", column), parse(f"<={limit * 100:.6f}", column)
    assert above is not None
    assert most is not None
    assert above(frame)[0] != most(frame)[0]


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        (Kind.RATE, ">400", "X is in percent, 400 is 400 %. Basis points are typed as 400bp."),
        (Kind.RATE, ">4", ""),
        (Kind.RATE, ">900bp", ""),
        (Kind.PRICE, ">400", ""),
    ],
)
def test_that_a_percent_column_without_rows_says_its_unit(kind: str, text: str, told: str) -> None:
    column = Column("x", "X", kind)
    frame = Frame([column], {"x": VALUES[kind]}, key="x")
    found = hint(text, column, frame)
    assert found.endswith(told)
    assert bool(found) == bool(told)


@given(st.integers(0, 10**12))
def test_that_grouped_figures_are_one_number(number: int) -> None:
    column = Column("x", "X", Kind.MONEY)
    frame = Frame([column], {"x": [float(number)]}, key="x")
    grouped = parse(f"={number:,}", column)
    assert grouped is not None
    assert grouped(frame)[0]
