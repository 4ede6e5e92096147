"""Where sheets, headers and blocks may be, and what is said when they are not there."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openpyxl.workbook.defined_name import DefinedName

from clo_desktop.faults import Cancelled, Severity
from clo_desktop.sheets.read import read_book
from engine.terms import Book, Deal
from tests.sheets.sheets_samples import DEAL, INPUTS, asset, book, errors, only, written


def test_that_a_deals_sheet_is_found_without_blanks_and_case(tmp_path: Path) -> None:
    path = written(tmp_path)
    assert read_book(path, "SAMPLE1").book is not None


def test_that_the_only_inputs_sheet_is_taken_whatever_its_name(tmp_path: Path) -> None:
    reading = read_book(written(tmp_path), "Another Deal")
    assert reading.book is not None
    assert reading.book.deal.name == "Another Deal"


def test_that_several_deals_none_of_which_is_asked_for_are_listed(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook.create_sheet("Other Inputs")

    path = written(tmp_path, change)
    fault = only(read_book(path, "Third"))
    assert "“Sample 1 Inputs”, “Other Inputs”" in fault.message
    assert read_book(path, DEAL).book == book()


def test_that_other_sheets_are_ignored(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook.create_sheet("Run Model")["A1"] = "=1/0"
        workbook.create_sheet("Filter Sheet", 0).append(["#N/A"])

    assert read_book(written(tmp_path, change), DEAL).book == book()


def test_that_the_header_need_not_be_the_first_row(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["All Assets"]
        sheet.insert_rows(1, 4)
        sheet["A1"] = "Oak Asset Management"
        sheet["B2"] = "as of"
        sheet["C2"] = dt.date(2026, 3, 31)

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.faults == ()
    assert reading.book == book()


def test_that_headers_match_by_alias_case_blanks_and_apostrophe(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["All Assets"]
        names = {cell.value: cell for cell in sheet[1]}
        names["BLKRockID"].value = " LoanX id"
        names["Market Value"].value = "PRICE"
        names["Moody's Industry"].value = "Moody’s   industry "
        names["Cov-Lite"].value = "covenant lite"

    assert read_book(written(tmp_path, change), DEAL).book == book()


def test_that_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["All Assets"]
        for row in sheet.iter_rows():
            values = [cell.value for cell in row]
            for cell, value in zip(row, reversed(values), strict=True):
                cell.value = value

    assert read_book(written(tmp_path, change), DEAL).book == book()


def test_that_an_unknown_column_with_values_is_a_warning(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["All Assets"]
        sheet["BT1"] = "Trader's mood"
        sheet["BT3"] = "good"
        sheet["BU1"] = "empty column"
        sheet["BV2"] = 7

    reading = read_book(written(tmp_path, change), DEAL)
    assert [(f.severity, f.cell) for f in reading.faults] == [(Severity.WARNING, "BT1"), (Severity.WARNING, "BV1")]
    assert reading.book == book()


def test_that_a_missing_required_column_is_one_error(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"].delete_cols(8)

    fault = only(read_book(written(tmp_path, change), DEAL))
    assert (fault.severity, fault.column) == (Severity.ERROR, "Maturity")


def test_that_a_column_given_twice_is_an_error(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"]["BT1"] = "Price"

    assert errors(read_book(written(tmp_path, change), DEAL)) == [("All Assets", "BT1")]


def test_that_a_workbook_with_the_1904_date_system_has_the_same_dates(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook.epoch = CALENDAR_MAC_1904
        # a serial number without a date format
        workbook["All Assets"]["H2"].number_format = "General"
        workbook["All Assets"]["H2"].value = (dt.date(2029, 6, 30) - dt.date(1904, 1, 1)).days

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book == book()
    fault = only(reading)
    assert fault.cell == "H2"
    assert "2029-06-30" in fault.message


def test_that_blocks_are_found_by_title_without_named_ranges(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        for name in list(workbook.defined_names):
            del workbook.defined_names[name]

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.faults == ()
    assert reading.book == book()


def test_that_blocks_are_found_by_their_headers_without_names_and_titles(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        for name in list(workbook.defined_names):
            del workbook.defined_names[name]
        for sheet in (workbook[INPUTS],):
            sheet.delete_rows(1, 2)
            for row in range(1, 40):
                sheet.cell(row, 1).value = None

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    assert reading.book.deal.holdings == book().deal.holdings
    assert reading.book.deal.tranches == book().deal.tranches
    assert reading.book.deal.limits == book().deal.limits
    assert reading.book.deal.schedule == book().deal.schedule


def test_that_a_named_range_wins_over_the_title_and_may_be_anywhere(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook[INPUTS]
        sheet["D60"] = "BLKRockID"
        sheet["E60"] = "Par Amount"
        sheet["D61"], sheet["E61"] = "LX000003", 5.0
        sheet["D62"], sheet["E62"] = "LX000004", 6.0
        for row in range(2, 12):
            sheet.cell(row, 4).value = sheet.cell(row, 5).value = None
        workbook.defined_names["DealCollateral"] = DefinedName("DealCollateral", attr_text=f"'{INPUTS}'!$D$61:$E$62")
        sheet["R70"], sheet["S70"] = "WARF Factor", 68
        workbook.defined_names["QualityTestInputs"] = DefinedName(
            "QualityTestInputs", attr_text=f"'{INPUTS}'!$R$70:$S$70"
        )

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.faults == ()
    assert reading.book is not None
    assert [(h.asset_id, h.par) for h in reading.book.deal.holdings] == [("LX000003", 5.0), ("LX000004", 6.0)]
    assert reading.book.deal.quality_inputs == (("WARF Factor", 68.0),)


def test_that_a_name_of_the_sheets_own_and_a_range_with_the_headers_are_understood(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        del workbook.defined_names["Accounts"]
        sheet = workbook[INPUTS]
        sheet.defined_names["Accounts"] = DefinedName("Accounts", attr_text=f"'{INPUTS}'!$F$3:$I$5")
        workbook.defined_names["TestThresholds"] = DefinedName("TestThresholds", attr_text="#REF!")

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.faults == ()
    assert reading.book == book()


def test_that_rows_below_a_named_range_are_read_and_said(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook.defined_names["DealCollateral"] = DefinedName("DealCollateral", attr_text=f"'{INPUTS}'!$D$4:$E$9")

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book == book()
    assert only(reading).cell == "D10"


def test_that_blocks_below_each_other_do_not_run_into_each_other(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        for name in list(workbook.defined_names):
            del workbook.defined_names[name]
        sheet = workbook[INPUTS]
        for row in range(2, 10):
            for column in (28, 29):
                sheet.cell(row + 10, column - 10).value = sheet.cell(row, column).value
                sheet.cell(row, column).value = None

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    assert reading.book.deal.quality_inputs == book().deal.quality_inputs
    assert reading.book.deal.clo_inputs == book().deal.clo_inputs


def test_that_rows_of_the_liabilities_are_found_by_label(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook[INPUTS]
        rows = [[sheet.cell(row, column).value for column in range(36, 39)] for row in range(3, 18)]
        for row, values in enumerate(reversed(rows), start=3):
            for column, value in enumerate(values, start=36):
                sheet.cell(row, column).value = value

    assert read_book(written(tmp_path, change), DEAL).book == book()


def test_that_values_without_labels_in_the_clo_inputs_keep_their_meaning_by_place(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook[INPUTS]
        for row, (label, value) in enumerate([(None, 1.05), (None, 1.02), ("Current LIBOR", 0.04), (None, 3.0)], 3):
            sheet.cell(row, 28).value = label
            sheet.cell(row, 29).value = value

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    assert reading.book.deal.clo_inputs == (
        ("Interest diversion trigger", 1.05),
        ("Event of default trigger", 1.02),
        ("Current LIBOR", 0.04),
    )
    assert "AC6" in [f.cell for f in reading.warnings]


def test_that_the_deals_currency_comes_from_its_sheet_or_from_its_assets(tmp_path: Path) -> None:
    master = {"A1": asset("A1", currency="EUR")}
    content = Book(Deal("D", "EUR", holdings=book().deal.holdings[:0]), master)
    path = written(tmp_path, content=content)
    reading = read_book(path, "D")
    assert reading.book == content

    def change(workbook: Workbook) -> None:
        workbook[INPUTS]["AB20"] = "currency"
        workbook[INPUTS]["AC20"] = "gbp"

    named = read_book(written(tmp_path, change), DEAL)
    assert named.book is not None
    assert named.book.deal.currency == "GBP"
    assert named.book.deal.clo_inputs == book().deal.clo_inputs


def test_that_the_legacy_reference_table_is_read_by_its_columns(tmp_path: Path) -> None:
    """As far as it is public: no titles are known, the rates are in percent."""

    def change(workbook: Workbook) -> None:
        del workbook["Reference Table"]
        for name in [n for n, d in workbook.defined_names.items() if "Reference" in (d.attr_text or "")]:
            del workbook.defined_names[name]
        sheet = workbook.create_sheet("Reference Table")
        sheet["B3"], sheet["C3"] = dt.date(2002, 1, 1), "Tuesday"
        sheet["B4"], sheet["C4"] = dt.date(2002, 1, 21), "Monday"
        sheet["D3"], sheet["E3"], sheet["F3"], sheet["G3"] = "k", dt.date(2014, 12, 16), "3 MONTH LIBOR", 0.2426
        for column, name in enumerate(["Period", "QTR_CPR_1", "SA_CPR_1"], start=9):
            sheet.cell(2, column).value = name
        for row in (3, 4):
            sheet.cell(row, 9).value = row - 2
            sheet.cell(row, 10).value = 0.2 + row / 100
        sheet["R3"], sheet["S3"], sheet["T3"] = "BRS26Q358", dt.date(2006, 6, 30), 275000
        sheet["U3"], sheet["V3"] = "AAA", 0.907

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.faults == ()
    assert reading.book is not None
    data = reading.book.reference
    assert data.holidays == (dt.date(2002, 1, 1), dt.date(2002, 1, 21))
    assert data.fixings[0].rate == pytest.approx(0.002426)
    assert data.vectors == (("QTR_CPR_1", (0.23, 0.24)), ("SA_CPR_1", ()))
    assert data.sinks[0].amount == 275_000.0


def test_that_progress_is_told_and_may_cancel(tmp_path: Path) -> None:
    path = written(tmp_path)
    told: list[float] = []
    read_book(path, DEAL, report=lambda done, _what: told.append(done))
    assert told == sorted(told)
    assert told[-1] == 1.0

    def cancel(done: float, _what: str) -> None:
        if done > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        read_book(path, DEAL, report=cancel)
