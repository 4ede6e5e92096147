"""Single cells: numbers, rates, dates, flags and text."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.faults import Severity
from clo_desktop.sheets import parse
from clo_desktop.sheets.cells import escaped
from clo_desktop.sheets.findings import shown
from clo_desktop.sheets.grid import Cell, address
from clo_desktop.sheets.labels import free
from clo_desktop.sheets.preflight import Broken, column_number
from clo_desktop.sheets.safety import suspicion

CELLS: st.SearchStrategy[Cell] = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.text("0123456789.,%+-eE()LS xp/ ", max_size=14),
    st.floats(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.builds(Broken, st.text(max_size=5), st.booleans()),
)
RULES = [parse.MONEY, parse.BALANCE, parse.RATE, parse.SPREAD, parse.SHARE, parse.PRICE, parse.YEARS, parse.RATIO]


@given(CELLS, st.sampled_from(RULES))
def test_that_a_number_is_finite_and_in_range_or_missing_or_an_error(cell: Cell, rule: parse.Number) -> None:
    parsed = parse.number(cell, rule)
    if parsed.value is None:
        assert cell is None or isinstance(cell, str) or parsed.failed
    else:
        assert isinstance(parsed.value, float)
        assert math.isfinite(parsed.value)
        assert rule.low <= parsed.value <= rule.high
        assert isinstance(cell, float | str)
        assert not isinstance(cell, str) or parsed.severity is Severity.WARNING
    assert (parsed.severity is None) == (parsed.message == "")


@given(CELLS)
def test_that_no_cell_breaks_a_parser(cell: Cell) -> None:
    for read in (parse.date, parse.text, parse.flag, parse.identifier, free):
        parsed = read(cell)
        assert parsed.value is None or not parsed.failed
    parse.count(cell, (("4", ("quarterly",)),))
    parse.choice(cell, (("FLOAT", ("floating",)),))
    parse.rating(cell, lambda text: text if text == "B2" else None, "Moody's")
    assert "\n" not in shown(cell)


@given(st.floats(0, 1e12))
def test_that_money_written_with_groups_is_read_back(value: float) -> None:
    rounded = round(value, 2)
    parsed = parse.number(f"{rounded:,.2f}", parse.MONEY)
    assert parsed.value == rounded
    assert parsed.severity is Severity.WARNING


@given(st.decimals(-100, 100, places=4))
def test_that_a_rate_in_percent_is_the_fraction_exactly(points: Decimal) -> None:
    parsed = parse.number(f"{points}%", parse.RATE)
    assert parsed.value == float(points / 100)


@given(st.integers(10, 2000))
def test_that_basis_points_over_an_index_are_a_spread(points: int) -> None:
    for text in (f"L+{points}", f"S + {points}", f"SOFR+{points}bps", f"{points} bp"):
        parsed = parse.number(text, parse.SPREAD)
        assert parsed.value == pytest.approx(points / 10_000)
        assert parsed.severity is Severity.WARNING


@given(st.dates(dt.date(1901, 1, 1), dt.date(2199, 12, 31)))
def test_that_a_date_is_read_from_each_form_that_has_one_reading(day: dt.date) -> None:
    assert parse.date(day).value == day
    for form in ("%Y-%m-%d", "%d.%m.%Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y"):
        parsed = parse.date(day.strftime(form).zfill(10) if form == "%Y-%m-%d" else day.strftime(form))
        assert parsed.value == day, form
        assert parsed.severity is Severity.WARNING
    slashed = parse.date(day.strftime("%d/%m/%Y"))
    assert slashed.failed == (day.day <= 12 and day.day != day.month)


@given(st.integers(367, 73_000), st.booleans())
def test_that_a_serial_number_is_a_date_of_its_system(serial: int, is_1904: bool) -> None:
    origin = dt.date(1904, 1, 1) if is_1904 else dt.date(1899, 12, 30)
    parsed = parse.date(float(serial), date1904=is_1904)
    assert parsed.value == origin + dt.timedelta(days=serial)
    assert parsed.severity is Severity.WARNING


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, True, dt.date(2026, 1, 1), dt.time(1), "nan", "inf"])
def test_that_what_is_no_number_is_an_error(value: Cell) -> None:
    assert parse.number(value, parse.MONEY).failed


@pytest.mark.parametrize(
    "text", ["1,00", "6.98mm", "par", "68,842,395.08 USD", "1.2.3", "1,2345", "12,34,567", "$5", "1 000"]
)
def test_that_text_with_several_readings_is_an_error(text: str) -> None:
    assert parse.number(text, parse.MONEY).failed


@pytest.mark.parametrize("text", ["n/a", "NA", "none", "-", "N.A.", "—"])
def test_that_a_placeholder_is_missing_with_a_warning(text: str) -> None:
    parsed = parse.number(text, parse.MONEY)
    assert parsed.value is None
    assert parsed.severity is Severity.WARNING


def test_that_a_negative_in_parentheses_is_read_where_it_may_be_negative() -> None:
    assert parse.number("(1,234.50)", parse.BALANCE).value == -1234.5
    assert parse.number("(1,234.50)", parse.MONEY).failed


def test_that_a_price_in_percent_stays_in_percent_of_par() -> None:
    assert parse.number("98.25%", parse.PRICE).value == 98.25


def test_that_a_rate_above_one_says_how_to_type_it() -> None:
    assert parse.number(4.5, parse.RATE).message == "4.5 looks like percent: type 4.5% or 0.045."


def test_that_a_formula_without_a_value_and_an_excel_error_say_the_remedy() -> None:
    assert "save the workbook in Excel" in parse.number(Broken("=1/0", is_formula=True), parse.MONEY).message
    assert "#DIV/0!" in parse.text(Broken("#DIV/0!", is_formula=False)).message


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-x", "@SUM(A1)", "\t=1", "\rx", "\nx", "<b>x</b>", "a\x07b", "\u202eabc", "x'); DROP TABLE a;--",
     "../../etc/passwd", "C:\\x", "%s%n", "{0}", "${jndi:x}"],
)  # fmt: skip
def test_that_dangerous_text_is_kept_and_warned_about(text: str) -> None:
    parsed = parse.text(text)
    assert parsed.value == text.strip()
    assert parsed.severity is Severity.WARNING


@pytest.mark.parametrize(
    "text",
    ["O'REILLY AUTO; SERIES B", "AT&T (fka X) < 5%", "Health care", "50% owned", "Retailers (except food & drug)",
     "TL-B1", "A/B", "Moody’s Senior Secured loan", "ALTICE U.S. FINANCE I CORPORATION", "Électricité"],
)  # fmt: skip
def test_that_ordinary_text_is_not_suspected(text: str) -> None:
    assert suspicion(text) == ""


def test_that_text_like_an_escape_is_protected() -> None:
    assert escaped("_x0041_") == "_x005F_x0041_"
    assert escaped("a\x01b\r") == "a_x0001_b_x000D_"


@given(st.integers(0, 200_000), st.integers(0, 16_383))
def test_that_an_address_names_its_column(row: int, column: int) -> None:
    text = address(row, column)
    letters = text.rstrip("0123456789")
    assert column_number(letters) == column
    assert text == f"{letters}{row + 1}"
