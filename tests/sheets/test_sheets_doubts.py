"""Values that are well-formed and do not fit: unknown texts, other currencies, matured assets, misplaced columns."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from clo_desktop.faults import Fault, Severity
from clo_desktop.sheets import parse
from clo_desktop.sheets.known import compared, is_known, known_values
from clo_desktop.sheets.read import Reading, read_book
from clo_desktop.sheets.safety import MAX_NAME, name_fault
from engine.asset import COLUMNS
from engine.terms import Book, Deal
from tests.sheets.sheets_samples import DEAL, INPUTS, asset, book, only, written

AT = {c.name: i + 1 for i, c in enumerate(COLUMNS)}
KNOWN = "currency country moodys_industry sp_industry moodys_category sp_priority_category seniority".split()


def reading_with(folder: Path, **columns: dict[int, object]) -> Reading:
    """The sample with cells of the asset master replaced: column=row -> value."""

    def change(workbook: Workbook) -> None:
        for name, values in columns.items():
            for row, value in values.items():
                workbook["All Assets"].cell(row, AT[name]).value = value

    return read_book(written(folder, change), DEAL)


def with_inputs(folder: Path, change: Callable[[Worksheet], None]) -> Reading:
    def both(workbook: Workbook) -> None:
        change(workbook[INPUTS])

    return read_book(written(folder, both), DEAL)


def warning(reading: Reading) -> Fault:
    fault = only(reading)
    assert fault.severity is Severity.WARNING
    assert reading.book is not None
    return fault


# --- unknown texts ---


@pytest.mark.parametrize(
    ("column", "value", "proposed"),
    [
        ("country", "Untied States", "“USA”, also called United States?"),
        ("country", "Luxemburg", "“Luxembourg”?"),
        ("country", "NL", "“Netherlands”?"),
        ("moodys_industry", "Helthcare & Pharmaceuticals", "“Healthcare & Pharmaceuticals”?"),
        ("sp_industry", "Helth care", "“Health care”?"),
        ("seniority", "SENIORISH", "do you mean"),
        ("seniority", "First Lien", "“Senior Secured”?"),
        ("moodys_category", "Senior Secured Loan", "“Moody's Senior Secured Loan”?"),
        ("moodys_category", "FOO", "correct it, or leave it if it is right."),
        ("sp_priority_category", "Second Lien Loan", "“Senior Unsecured Loan/Second Lien Loan”?"),
    ],
)
def test_that_an_unknown_text_is_warned_about_with_the_nearest_one(
    tmp_path: Path, column: str, value: str, proposed: str
) -> None:
    reading = reading_with(tmp_path, **{column: {3: value}})
    fault = warning(reading)
    assert fault.value == value
    assert fault.asset_id == "LX000002"
    assert f"“{value}” is no known" in fault.message
    assert proposed in fault.message
    assert reading.book is not None
    assert getattr(reading.book.assets["LX000002"], column) == value


def test_that_an_unknown_text_is_said_once_with_its_cells(tmp_path: Path) -> None:
    fault = warning(reading_with(tmp_path, country=dict.fromkeys(range(3, 9), "Untied States")))
    assert fault.cell == "V3"
    assert "(V3, V4, V5 and 3 more)" in fault.message


def test_that_each_distinct_unknown_text_is_said(tmp_path: Path) -> None:
    faults = reading_with(tmp_path, country={2: "Atlantis", 4: "Mu", 5: "Atlantis"}).faults
    assert [(f.cell, f.value) for f in faults] == [("V2", "Atlantis"), ("V4", "Mu")]


@given(st.sampled_from(KNOWN).flatmap(lambda c: st.tuples(st.just(c), st.sampled_from([*known_values(c).values]))))
def test_that_known_texts_are_known_in_any_case_and_with_any_apostrophe(pair: tuple[str, str]) -> None:
    column, key = pair
    value = known_values(column).values[key]
    for spelt in (value, value.upper(), value.replace("'", "’"), value.replace(" & ", ", and "), f" {value} "):
        assert is_known(column, spelt)


def test_that_every_proposal_is_itself_known() -> None:
    for column in KNOWN:
        known = known_values(column)
        assert all(compared(value) in known.values for value in known.spellings.values())
        assert not set(known.spellings) & set(known.values)


def test_that_an_industry_in_two_spellings_is_said(tmp_path: Path) -> None:
    reading = reading_with(
        tmp_path,
        moodys_industry={2: "Hotel, Gaming & Leisure", 3: "Hotel, Gaming, & Leisure", 4: "HOTEL, GAMING & LEISURE"},
    )
    fault = warning(reading)
    assert fault.cell == "R3"
    assert "count two industries" in fault.message


# --- currency, maturity, rates ---


def test_that_held_assets_of_another_currency_are_said_once(tmp_path: Path) -> None:
    fault = warning(reading_with(tmp_path, currency={3: "EUR", 5: "EUR"}))
    assert fault.cell == f"{_letters('currency')}3"
    assert fault.value == "EUR"
    assert "2 held assets" in fault.message
    assert "the deal is in USD" in fault.message


def test_that_a_deal_of_one_other_currency_and_case_are_no_fault(tmp_path: Path) -> None:
    assert reading_with(tmp_path, currency=dict.fromkeys(range(2, 10), "EUR")).faults == ()
    assert reading_with(tmp_path, currency={2: "usd", 3: None}).faults == ()


def test_that_the_currency_of_an_asset_that_is_not_held_does_not_matter(tmp_path: Path) -> None:
    content = Book(book().deal, {**book().assets, "LXX": asset("LXX", currency="EUR")}, book().reference)
    assert read_book(written(tmp_path, content=content), DEAL).faults == ()


def _letters(name: str) -> str:
    from openpyxl.utils import get_column_letter

    return str(get_column_letter(AT[name]))


@pytest.mark.parametrize(
    ("maturity", "defaulted", "said"),
    [
        (dt.date(2026, 3, 31), None, True),
        (dt.date(2020, 1, 1), None, True),
        (dt.date(2026, 4, 1), None, False),
        (dt.date(2020, 1, 1), "Yes", False),
    ],
)
def test_that_a_held_asset_matured_by_the_analysis_date_is_said_unless_defaulted(
    tmp_path: Path, maturity: dt.date, defaulted: str | None, said: bool
) -> None:
    reading = reading_with(tmp_path, maturity={2: maturity}, defaulted={2: defaulted})
    assert [f.cell for f in reading.faults] == (["H2"] if said else [])
    if said:
        assert "2026-03-31" in warning(reading).message


@pytest.mark.parametrize("column", ["coupon", "coupon_spread"])
@pytest.mark.parametrize(("value", "said"), [(-0.001, "is negative"), (-0.02, "is no rate")])
def test_that_a_negative_coupon_or_spread_is_said(tmp_path: Path, column: str, value: float, said: str) -> None:
    fault = warning(reading_with(tmp_path, **{column: {2: value}}))
    assert said in fault.message
    assert fault.cell == f"{_letters(column)}2"


def test_that_coupons_below_their_spreads_are_one_warning_where_they_are_most(tmp_path: Path) -> None:
    low = reading_with(tmp_path, coupon={2: 0.01, 3: 0.01, 4: 0.01, 5: 0.05})
    assert "3 of 4 floating assets" in warning(low).message
    assert "swapped" in warning(low).message
    assert reading_with(tmp_path, coupon={2: 0.01, 3: 0.01, 4: 0.05, 5: 0.05}).faults == ()
    assert reading_with(tmp_path, coupon={2: 0.01}).faults == ()


# --- the collateral, merged cells ---


def test_that_a_holding_without_par_amount_is_said(tmp_path: Path) -> None:
    def change(sheet: Worksheet) -> None:
        sheet["E4"] = 0

    fault = warning(with_inputs(tmp_path, change))
    assert (fault.cell, fault.asset_id) == ("E4", "LX000001")
    assert "par of 0" in fault.message


def test_that_a_deal_without_holdings_is_said_with_its_block(tmp_path: Path) -> None:
    fault = warning(read_book(written(tmp_path, content=Book(Deal(DEAL), book().assets)), DEAL))
    assert fault.sheet == INPUTS
    assert "holds nothing" in fault.message
    assert "Deal Collateral" in fault.message


def test_that_merged_cells_over_data_are_named(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"].merge_cells("AO3:AO5")
        workbook["All Assets"].merge_cells("D1:E1")  # of the headers: Tranche and Issuer ID are odd, but no data
        workbook[INPUTS].merge_cells("D2:E2")
        workbook[INPUTS].merge_cells("D4:D5")

    faults = [f for f in read_book(written(tmp_path, change), DEAL).faults if "merged" in f.message]
    assert [(f.sheet, f.cell) for f in faults] == [("All Assets", "AO3"), (INPUTS, "D4")]
    assert "AO3:AO5" in faults[0].message
    assert "D4:D5" in faults[1].message
    assert "unmerge" in faults[0].message


# --- misplaced columns ---


def test_that_swapped_rating_headers_are_led_by_one_error_a_column(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["All Assets"]
        for row in range(2, 10):
            sheet.cell(row, AT["sp_facility_rating"]).value = "BB-"
        one, other = sheet.cell(1, AT["moodys_rating"]), sheet.cell(1, AT["sp_facility_rating"])
        one.value, other.value = other.value, one.value

    faults = read_book(written(tmp_path, change), DEAL).faults
    assert [f.cell for f in faults[:2]] == ["AQ1", "BD1"]
    assert "8 of 8 cells of the column “S&P Facility Rating” are on no S&P's scale" in faults[0].message
    assert "8 are on Moody's scale: is the header right?" in faults[0].message
    assert "are on no Moody's scale" in faults[1].message
    assert len(faults) == 2 + 16  # the others are kept
    assert not any("Moody's's" in f.message for f in faults)


def test_that_half_a_column_in_error_is_not_led(tmp_path: Path) -> None:
    half = reading_with(tmp_path, moodys_rating=dict.fromkeys(range(2, 6), "?"))
    more = reading_with(tmp_path, moodys_rating=dict.fromkeys(range(2, 7), "?"))
    few = reading_with(tmp_path, coupon=dict.fromkeys(range(2, 4), "?"))
    assert (half.faults[0].cell, more.faults[0].cell) == ("AQ2", "AQ1")
    assert "header" not in "".join(f.message for f in few.faults)


# --- remedies ---


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        (375.0, parse.SPREAD, "375 looks like basis points: type 0.0375 or 3.75%."),
        (312.5, parse.RATE, "312.5 looks like basis points: type 0.03125 or 3.125%."),
        (3.75, parse.SPREAD, "3.75 looks like percent: type 3.75% or 0.0375."),
        (-3.75, parse.RATE, "-3.75 looks like percent: type -3.75% or -0.0375."),
        (45.0, parse.SHARE, "45 looks like percent: type 45% or 0.45."),
        (90.0, parse.LIMIT, "90 looks like percent: type 90% or 0.9."),
        (120.0, parse.RATIO, "120 looks like percent: type 120% or 1.2."),
    ],
)
def test_that_the_remedy_of_a_rate_out_of_range_is_accepted_next(
    value: float, rule: parse.Number, message: str
) -> None:
    assert parse.number(value, rule).message == message
    for typed in message.removesuffix(".").split("type ")[1].split(" or "):
        assert not parse.number(typed, rule).failed


@pytest.mark.parametrize(
    ("cell", "rule"),
    [(99.292, parse.SPREAD), (101.5, parse.RATE), (1e6, parse.RATE), ("375%", parse.SPREAD), (150.0, parse.SHARE)],
)
def test_that_what_cannot_be_a_percentage_is_told_what_the_column_wants(cell: str | float, rule: parse.Number) -> None:
    said = parse.number(cell, rule).message
    assert "is out of range; a " in said
    assert "such as 0." in said
    assert "type" not in said


def test_that_a_rating_off_scale_names_the_scale() -> None:
    assert "no rating of Moody's scale" in parse.rating("B9", lambda _: None, "Moody's").message
    assert "no rating of S&P's scale" in parse.rating("B9", lambda _: None, "S&P").message


# --- names of deals ---


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("x" * (MAX_NAME + 1), "shorter"),
        ("a\x00b", "hidden"),
        ("a\u202eb", "hidden"),
        ("a\nb", "hidden"),
        (" ", "name"),
    ],
)
def test_that_a_name_nobody_can_read_is_refused(name: str, said: str) -> None:
    assert said in name_fault(name)


@pytest.mark.parametrize("name", ["MAG17", "Ætna 2024-1 (Ltd.)", "x" * MAX_NAME, "東京 CLO"])
def test_that_an_ordinary_name_is_accepted(name: str) -> None:
    assert name_fault(name) == ""
