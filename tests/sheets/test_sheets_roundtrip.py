"""What is written is read again, identically."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from openpyxl import load_workbook

from clo_desktop.faults import Refused, Severity
from clo_desktop.sheets.read import read_book
from clo_desktop.sheets.write import write_book
from engine.asset import COLUMNS
from engine.terms import Book, Deal, Tranche
from tests.sheets.sheets_samples import DEAL, asset, book, books, written


def test_that_the_sample_deal_imports_without_a_fault(tmp_path: Path) -> None:
    reading = read_book(written(tmp_path), DEAL)
    assert reading.faults == ()
    assert reading.book == book()


# shrinking a whole book takes minutes; the message names what differs
QUICK = settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


@QUICK
@given(books())
def test_that_any_book_survives_export_and_import(generated: Book) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book.xlsx"
        write_book(generated, path)
        reading = read_book(path, generated.deal.name)
    assert [f for f in reading.faults if f.severity is Severity.ERROR] == []
    assert reading.book == generated


def test_that_the_real_deal_survives_export_and_import(shared: Path, tmp_path: Path) -> None:
    first = read_book(shared / "data/mag17/mag17_workbook.xlsx", "MAG17")
    assert first.book is not None
    write_book(first.book, tmp_path / "again.xlsx")
    second = read_book(tmp_path / "again.xlsx", "MAG17")
    assert second.book == first.book
    assert [(f.column, f.value) for f in second.faults] == [(f.column, f.value) for f in first.faults]


def test_that_text_like_a_formula_is_written_as_text(tmp_path: Path) -> None:
    evil = ["=1+1", "+1", "-1+2", "@SUM(A1)", "#N/A text", "_x0041_", "a\x01b", "a\rb", "=cmd|'/C calc'!A0"]
    master = {f"A{i}": asset(f"A{i}", issue_name=text) for i, text in enumerate(evil)}
    path = tmp_path / "evil.xlsx"
    write_book(Book(Deal("D"), master), path)
    sheet = load_workbook(path)["All Assets"]
    assert {sheet.cell(row, 2).data_type for row in range(2, 2 + len(evil))} <= {"s", "inlineStr"}
    again = read_book(path, "D").book
    assert again is not None
    assert [a.issue_name for a in again.assets.values()] == evil


def test_that_the_export_has_the_layout_of_the_real_workbook(shared: Path, tmp_path: Path) -> None:
    real_path = shared / "data/mag17/mag17_workbook.xlsx"
    reading = read_book(real_path, "MAG17")
    assert reading.book is not None
    write_book(reading.book, tmp_path / "export.xlsx")
    real, ours = load_workbook(real_path), load_workbook(tmp_path / "export.xlsx")
    assert ours.sheetnames == ["All Assets", "MAG17 Inputs"]
    headers = [cell.value for cell in ours["All Assets"][1]]
    assert headers == [c.header for c in COLUMNS]
    assert [h.strip() for h in headers[:70]] == [c.value.strip() for c in real["All Assets"][1]]
    for row in range(2, 49):
        for column in range(2, 53):
            wanted = real["Mag 17 Inputs"].cell(row, column).value
            # names are trimmed, and the gap above the one label of the CLO inputs is closed
            if isinstance(wanted, str) and wanted != "Payment " and column != 28:
                assert ours["MAG17 Inputs"].cell(row, column).value == wanted, (row, column)
    sheet = ours["All Assets"]
    assert sheet.freeze_panes == "B2"
    assert sheet.auto_filter.ref == "A1:BS196"
    assert sheet["Q2"].number_format == "#,##0.00"
    assert sheet["K2"].number_format == "0.00%"
    assert sheet["H2"].number_format == "mm/dd/yyyy"
    assert not [c.coordinate for s in ours for row in s for c in row if c.data_type in ("f", "e")]


def test_that_the_named_ranges_hold_the_data_of_their_blocks(tmp_path: Path) -> None:
    workbook = load_workbook(written(tmp_path))
    places = {name: defined.attr_text for name, defined in workbook.defined_names.items()}
    sheet = "'Sample 1 Inputs'"
    assert places["DealCollateral"] == f"{sheet}!$D$4:$E$11"
    assert places["Accounts"] == f"{sheet}!$F$4:$I$5"
    assert places["TestThresholds"] == f"{sheet}!$L$4:$Q$5"
    assert places["QualityTestInputs"] == f"{sheet}!$R$3:$S$4"
    assert places["ObjWeights"] == f"{sheet}!$V$4:$W$4"
    assert places["CFInputs"] == f"{sheet}!$X$4:$Y$5"
    assert places["PaySubNotes"] == f"{sheet}!$Z$4:$AA$5"
    assert places["CLOInputs"] == f"{sheet}!$AB$3:$AC$5"
    assert places["DateInputs"] == f"{sheet}!$AD$3:$AE$5"
    assert places["SinkSchedule"] == "'Reference Table'!$R$4:$T$4"


def test_that_many_classes_move_the_fees_and_nothing_is_lost(tmp_path: Path) -> None:
    classes = tuple(Tranche(f"Class {i}", 1e6 + i, 1e6) for i in range(15))
    content = Book(Deal("D", tranches=classes, fees=book().deal.fees), {"A1": asset("A1")})
    write_book(content, tmp_path / "many.xlsx")
    assert read_book(tmp_path / "many.xlsx", "D").book == content


def test_that_an_export_replaces_a_file_whole_or_not_at_all(tmp_path: Path) -> None:
    path = written(tmp_path)
    before = path.read_bytes()
    bad = Book(Deal("D"), {"A1": asset("A1", market_value=float("nan"))})
    with pytest.raises(Refused, match="not finite"):
        write_book(bad, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["deal.xlsx"]


def test_that_an_export_to_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be written"):
        write_book(book(), tmp_path / "absent" / "deal.xlsx")


def test_that_a_thousand_assets_are_written_and_read_within_seconds(tmp_path: Path) -> None:
    content = book(1000)
    begin = time.perf_counter()
    write_book(content, tmp_path / "large.xlsx")
    assert read_book(tmp_path / "large.xlsx", DEAL).book == content
    assert time.perf_counter() - begin < 15  # about 1.5 s on an idle machine
