"""What is said of a bad cell, where, and what its value becomes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from openpyxl import Workbook

from clo_desktop.faults import Severity
from clo_desktop.sheets.read import read_book
from tests.sheets.sheets_samples import DEAL, INPUTS, book, errors, written


def test_that_a_required_blank_is_an_error_where_the_asset_is_held_and_a_warning_elsewhere(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"]["V2"] = None
        workbook["All Assets"]["V9"] = None
        workbook[INPUTS]["D11"] = None
        workbook[INPUTS]["E11"] = None

    reading = read_book(written(tmp_path, change), DEAL)
    assert [(f.severity, f.cell) for f in reading.faults] == [(Severity.ERROR, "V2"), (Severity.WARNING, "V9")]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"D12": "LX999999", "E12": 5}, [("error", "D12")]),
        ({"E12": 5}, [("error", "D12")]),
        ({"D12": "LX000001"}, [("error", "E12")]),
        ({"E4": -5}, [("error", "E4")]),
        ({"E4": "abc"}, [("error", "E4")]),
        ({"D12": "LX000001", "E12": 5}, [("warning", "D12")]),
        ({"D4": " lx000001 "}, [("warning", "D4")]),
        ({"F6": 12, "G6": "Margin", "H6": 1, "I6": 1}, [("warning", "F6")]),
        ({"F6": 2, "G6": "Collection", "H6": 1, "I6": 1}, [("error", "F6")]),
        ({"I5": None}, [("warning", "I5")]),
        ({"L6": 77, "M6": "New", "N6": "Max", "O6": 0.1}, [("warning", "L6")]),
        ({"L6": 2, "M6": "New", "N6": "about", "O6": 0.1}, [("error", "N6")]),
        ({"O4": 90}, [("error", "O4")]),
        ({"L6": 1, "M6": "Again", "N6": "Max"}, [("error", "L6")]),
        ({"K4": 4.3}, [("error", "K4")]),
        ({"AE3": "soon"}, [("error", "AE3")]),
        ({"AK5": "NA"}, [("error", "AK5")]),
        ({"AL4": "class a"}, [("error", "AL4")]),
        ({"AK12": 120}, [("error", "AK12")]),
        ({"AK16": "sometimes"}, [("error", "AK16")]),
        ({"AT4": "SOMETIMES"}, [("error", "AT4")]),
        ({"AG6": dt.date(2026, 1, 1)}, [("error", "AF6")]),
        ({"X6": "A Liquidation Price", "Y6": 1.0}, [("warning", "X6")]),
        ({"Y4": "4.5%"}, [("warning", "Y4")]),
        ({"Y4": "=1+1"}, [("error", "Y4")]),
    ],
)
def test_that_a_bad_cell_of_the_deals_sheet_is_named(
    tmp_path: Path, cells: dict[str, object], expected: list[tuple[str, str]]
) -> None:
    def change(workbook: Workbook) -> None:
        for cell, value in cells.items():
            workbook[INPUTS][cell] = value

    reading = read_book(written(tmp_path, change), DEAL)
    # rows below a named range are said too; that is another test's matter
    found = [(str(f.severity), f.cell) for f in reading.faults if "lie below the named range" not in f.message]
    assert found == expected
    assert (reading.book is None) == any(severity == "error" for severity, _ in expected)


@pytest.mark.parametrize(
    ("cell", "value", "severity"),
    [
        ("AO2", 4.0, "warning"),
        ("AO2", 151.0, "warning"),
        ("AO2", 60.0, "warning"),
        ("AO2", 80.0, None),
        ("AO2", -1.0, "error"),
        ("AO2", None, None),
        ("K2", 0.21, "warning"),
        ("K2", 3.75, "error"),
        ("K2", "L+375", "warning"),
        ("K2", "S+425", "warning"),
        ("K2", "L+3.75", "error"),
        ("K2", True, "error"),
        ("K2", dt.date(2026, 1, 1), "error"),
        ("AQ2", "B9", "error"),
        ("AQ2", "b2", None),
        ("AQ2", "nr", None),
        ("BD2", "SD", None),
        ("BD2", "Baa1", "error"),
        ("I2", "Floating", None),
        ("I2", "variable", "error"),
        ("AC2", "maybe", "error"),
        ("AC2", "y", "warning"),
        ("J2", 3, "error"),
        ("J2", "monthly", "warning"),
        ("H2", "31/12/2029", "warning"),
        ("H2", "03/04/2029", "error"),
        ("H2", "2029-02-30", "error"),
        ("AB2", 0, None),
        ("M2", 0, None),
        ("AN2", "1,000", "error"),
        ("BO2", "None", None),
        ("AM2", "x" * 4001, "error"),
        ("B2", "#REF!", "error"),
    ],
)
def test_that_a_cell_of_the_asset_master_is_judged(
    tmp_path: Path, cell: str, value: object, severity: str | None
) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"][cell] = value

    reading = read_book(written(tmp_path, change), DEAL)
    assert [(str(f.severity), f.cell) for f in reading.faults] == ([] if severity is None else [(severity, cell)])


def test_that_ratings_keep_nr_apart_from_blank_and_are_spelt_canonically(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["All Assets"]
        sheet["AU2"], sheet["AU3"], sheet["BD2"] = "nr", "CAA1", "bbb+"

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    first, second, *_ = reading.book.assets.values()
    assert (first.moodys_facility_rating, second.moodys_facility_rating) == ("NR", "Caa1")
    assert (first.sp_facility_rating, second.sp_facility_rating) == ("BBB+", None)


def test_that_a_blank_stays_missing_and_never_takes_the_value_of_the_row_above(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"]["AO3"] = None

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    assert reading.book.assets["LX000002"].market_value is None


@pytest.mark.parametrize(
    ("spelling", "country"),
    [
        ("UK", "United Kingdom"),
        ("great britain", "United Kingdom"),
        ("U.S.", "USA"),
        ("CAYMEN ISLANDS", "Cayman Islands"),
    ],
)
def test_that_countries_are_spelt_in_one_way(tmp_path: Path, spelling: str, country: str) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"]["V2"] = spelling

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    assert reading.book.assets["LX000001"].country == country


def test_that_lots_of_one_id_add_up(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook[INPUTS]["D12"], workbook[INPUTS]["E12"] = "lx000001", 10

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.book is not None
    assert reading.book.deal.holdings[0].par == book().deal.holdings[0].par + 10
    assert len(reading.book.deal.holdings) == 8
    assert any("E4, E12" in f.message for f in reading.faults)


def test_that_faults_come_in_sheet_and_cell_order(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"]["Z9"] = workbook["All Assets"]["AA2"] = workbook["All Assets"]["K2"] = "?"
        workbook[INPUTS]["E4"] = workbook[INPUTS]["AK5"] = "?"

    cells = [f.cell for f in read_book(written(tmp_path, change), DEAL).faults]
    assert cells == ["K2", "AA2", "Z9", "E4", "AK5"]


def test_that_a_bad_cell_of_the_reference_table_is_named(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        sheet = workbook["Reference Table"]
        sheet["B5"] = "some day"
        sheet["G4"] = 2.5
        sheet["J4"] = "high"
        sheet["T4"] = None
        sheet["AO4"] = 4.31

    reading = read_book(written(tmp_path, change), DEAL)
    assert errors(reading) == [("Reference Table", c) for c in ("G4", "J4", "T4", "AO4", "B5")]


def test_that_the_faults_of_a_row_name_its_asset(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        master, deal = workbook["All Assets"], workbook[INPUTS]
        master["K2"] = "?"  # an error
        master["A3"] = " lx000002 "  # the id itself is odd
        master["AO4"] = 151.0  # found after all rows are read
        master["A10"], master["B10"] = None, "a row without an id"
        master["BT1"], master["BT5"] = "Trader's mood", "good"  # a fault of the header
        deal["E5"] = "?"
        deal["D12"], deal["E12"] = "LX999999", 5.0  # held, not in the master
        deal["I4"] = "?"  # another block, beside the row of LX000001

    reading = read_book(written(tmp_path, change), DEAL)
    found = {(f.sheet, f.cell): f.asset_id for f in reading.faults if "below the named range" not in f.message}
    assert found == {
        ("All Assets", "BT1"): "",
        ("All Assets", "K2"): "LX000001",
        ("All Assets", "A3"): "LX000002",
        ("All Assets", "AO4"): "LX000003",
        ("All Assets", "A10"): "",
        (INPUTS, "I4"): "",
        (INPUTS, "E5"): "LX000002",
        (INPUTS, "D12"): "LX999999",
    }
    assert all("asset_id" not in f.as_json() for f in reading.faults)


def test_that_a_second_row_of_an_asset_names_it(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook["All Assets"]["A3"] = "LX000001"
        workbook[INPUTS]["D5"] = "LX000001"

    faults = read_book(written(tmp_path, change), DEAL).faults
    assert [(f.sheet, f.cell, f.asset_id) for f in faults] == [
        ("All Assets", "A3", "LX000001"),
        (INPUTS, "D5", "LX000001"),
    ]


def test_that_a_purchase_of_the_subordinated_notes_is_negative(tmp_path: Path) -> None:
    def change(workbook: Workbook) -> None:
        workbook[INPUTS]["AA4"] = -42_750_000.0

    reading = read_book(written(tmp_path, change), DEAL)
    assert reading.faults == ()
    assert reading.book is not None
    assert reading.book.deal.subordinated_payments == (
        (dt.date(2026, 1, 20), -42_750_000.0),
        (dt.date(2026, 4, 20), 5.5),
    )
