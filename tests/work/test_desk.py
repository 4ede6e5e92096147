"""The desk: import, replace, export, results, and what it says of files it cannot take."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import resources
from clo_desktop.faults import Cancelled, Refused
from clo_desktop.sheets.read import read_book
from clo_desktop.sheets.write import write_book
from clo_desktop.work.desk import Desk, comply_with, project_with, read_curve
from engine import cash
from engine.assumptions import Assumptions
from engine.terms import Book, CurveNode

DEAL = "Harbor 2024-1"
DEMO = resources.path("demo/harbor-2024-1.xlsx")


@pytest.fixture
def desk(workspace: Path) -> Desk:
    return Desk(workspace)


def _changed(book: Book, tmp_path: Path, *, price: float, name: str = DEAL) -> Path:
    """The deal's workbook with the price of its first asset changed."""
    asset = book.assets[book.deal.holdings[0].asset_id]
    assets = {**book.assets, asset.asset_id: replace(asset, market_value=price)}
    file = tmp_path / "changed.xlsx"
    write_book(replace(book, assets=assets, deal=replace(book.deal, name=name)), file)
    return file


def test_that_an_import_tells_what_was_stored(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "new.clo")
    told: list[float] = []
    outcome = desk.import_file(DEMO, f"  {DEAL} ", lambda fraction, what: told.append(fraction))
    book = desk.book(DEAL)
    assert outcome.imported
    assert (outcome.deal, outcome.file_name, outcome.path) == (DEAL, DEMO.name, DEMO)
    assert (outcome.assets, outcome.holdings) == (len(book.assets), len(book.deal.holdings))
    assert outcome.par == book.deal.par
    assert outcome.principal_cash == book.deal.principal_cash
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert [(r.deal, r.file_name, r.par) for r in desk.store.imports()] == [(DEAL, DEMO.name, outcome.par)]


def test_that_an_import_of_the_same_name_replaces_the_deal(desk: Desk, tmp_path: Path) -> None:
    before = desk.book(DEAL)
    first = before.deal.holdings[0].asset_id
    outcome = desk.import_file(_changed(before, tmp_path, price=91.25), DEAL)
    assert outcome.imported
    assert [d.name for d in desk.deals()] == [DEAL]
    assert desk.book(DEAL).assets[first].market_value == 91.25


def test_that_deals_share_the_asset_master(desk: Desk, tmp_path: Path) -> None:
    before = desk.book(DEAL)
    first = before.deal.holdings[0].asset_id
    desk.import_file(_changed(before, tmp_path, price=88.5, name="Twin"), "Twin")
    assert [d.name for d in desk.deals()] == [DEAL, "Twin"]
    assert desk.book(DEAL).assets[first].market_value == 88.5


def test_that_a_deleted_deal_is_gone_and_its_twin_stays(desk: Desk, tmp_path: Path) -> None:
    book = desk.book(DEAL)
    desk.import_file(_changed(book, tmp_path, price=88.5, name="Twin"), "Twin")
    desk.delete(DEAL)
    assert [d.name for d in desk.deals()] == ["Twin"]
    assert len(desk.book("Twin").deal.holdings) == len(book.deal.holdings)
    with pytest.raises(Refused, match="the deals are: Twin"):
        desk.book(DEAL)


@pytest.mark.parametrize("stop", ["begin", "middle", "Storing"])
def test_that_a_cancelled_import_writes_nothing(desk: Desk, tmp_path: Path, stop: str) -> None:
    before = desk.book(DEAL)
    file = _changed(before, tmp_path, price=91.25)

    def report(fraction: float, what: str) -> None:
        if stop == "begin" or what == stop or (stop == "middle" and fraction > 0.3):
            raise Cancelled

    for name in (DEAL, "Other"):
        with pytest.raises(Cancelled):
            desk.import_file(file, name, report)
    again = Desk(tmp_path / "workspace.clo")
    assert [d.name for d in again.deals()] == [DEAL]
    assert again.book(DEAL) == before
    assert len(again.store.imports()) == 1


def test_that_a_workbook_with_errors_changes_nothing(desk: Desk, shared: Path) -> None:
    before = desk.book(DEAL)
    outcome = desk.import_file(shared / "data/mag17/damaged/02_text_in_numeric.xlsx", DEAL)
    assert not outcome.imported
    assert outcome.errors > 0
    assert outcome.warnings > 0
    assert (outcome.assets, outcome.par) == (0, 0.0)
    assert desk.book(DEAL) is before
    assert len(desk.store.imports()) == 1


@pytest.mark.parametrize("name", ["", "   "])
def test_that_a_deal_without_a_name_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(Refused, match="needs a name"):
        desk.import_file(DEMO, name)


def test_that_an_exported_deal_is_read_as_the_same_records(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "out.xlsx"
    desk.export_file(DEAL, file)
    assert read_book(file, DEAL).book == desk.book(DEAL)


def test_that_nothing_is_exported_over_the_workspace_or_to_no_folder(desk: Desk, tmp_path: Path) -> None:
    before = Path(desk.store.name).read_bytes()
    for file, says in (
        (Path(desk.store.name), "no name of a workbook"),
        (tmp_path / "out.txt", "no name of a workbook"),
        (tmp_path / "folder that is new" / "out.xlsx", "no folder"),
    ):
        for write in (desk.export_file, desk.report_file):
            with pytest.raises(Refused, match=says):
                write(DEAL, file)
    assert Path(desk.store.name).read_bytes() == before
    assert not (tmp_path / "folder that is new").exists()


def test_that_an_import_tells_which_other_deals_hold_assets_it_changes(desk: Desk, tmp_path: Path) -> None:
    book = desk.book(DEAL)
    changed = dict(book.assets)
    first = book.deal.holdings[0].asset_id
    changed[first] = replace(changed[first], coupon_spread=0.0111)
    file = tmp_path / "copy.xlsx"
    write_book(replace(book, assets=changed, deal=replace(book.deal, name="Copy")), file)
    outcome = desk.import_file(file, "Copy")
    assert outcome.imported
    (warning,) = [f for f in outcome.faults if f.asset_id == first]
    assert DEAL in warning.message
    assert desk.book(DEAL).assets[first].coupon_spread == 0.0111


def test_that_a_place_that_cannot_be_written_is_refused_with_the_remedy(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "taken.xlsx").mkdir()
    for write in (desk.export_file, desk.report_file):
        with pytest.raises(Refused, match=r"taken\.xlsx cannot be written .*choose another"):
            write(DEAL, tmp_path / "taken.xlsx")


def test_that_results_follow_the_book_that_is_stored(desk: Desk, tmp_path: Path) -> None:
    before = desk.comply(DEAL)
    assert before.performing_par == comply_with(desk.book(DEAL)).performing_par
    book = desk.book(DEAL)
    lots = (replace(book.deal.holdings[0], par=book.deal.holdings[0].par + 1e6), *book.deal.holdings[1:])
    file = tmp_path / "more.xlsx"
    write_book(replace(book, deal=replace(book.deal, holdings=lots)), file)
    desk.import_file(file, DEAL)
    assert desk.comply(DEAL).performing_par == pytest.approx(before.performing_par + 1e6, abs=0.01)


def test_that_a_curve_of_ones_own_replaces_the_deals(desk: Desk, tmp_path: Path, warm: None) -> None:
    file = tmp_path / "curve.csv"
    file.write_text("tenor_months,rate\n1,0.01\n120,0.01\n", encoding="utf-8")
    own, flat = desk.project(DEAL), desk.project(DEAL, curve=file)
    assert flat.result.interest.sum() < own.result.interest.sum()
    assert desk.project(DEAL).result.interest.sum() == own.result.interest.sum()


def test_that_a_deal_is_made_ready_once_and_anew_when_it_changed(desk: Desk, tmp_path: Path, warm: None) -> None:
    own, hard = desk.project(DEAL), desk.project(DEAL, Assumptions(cdr=0.1))
    assert hard.structure is own.structure
    fresh = project_with(desk.book(DEAL), Assumptions(cdr=0.1))
    assert fresh.structure is not own.structure
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(hard.result, fresh.result, strict=True))
    book = desk.book(DEAL)
    lots = (*book.deal.holdings, replace(book.deal.holdings[0], par=1e6))
    write_book(replace(book, deal=replace(book.deal, holdings=lots)), tmp_path / "more.xlsx")
    desk.import_file(tmp_path / "more.xlsx", DEAL)
    assert desk.project(DEAL).result.cash[0, cash.PERFORMING] > own.result.cash[0, cash.PERFORMING]


def test_that_missing_terms_are_refused_in_the_engines_words(desk: Desk) -> None:
    book = desk.book(DEAL)
    with pytest.raises(Refused, match="No priority of payments fits") as refused:
        project_with(replace(book, deal=replace(book.deal, tranches=book.deal.tranches[:2], clo_inputs=())))
    assert refused.value.code == "terms"


def test_that_a_projection_can_be_cancelled(desk: Desk, warm: None) -> None:
    def report(fraction: float, what: str) -> None:
        if fraction > 0.5:
            raise Cancelled

    with pytest.raises(Cancelled):
        desk.project(DEAL, Assumptions(), report=report)


def test_that_a_curve_is_read_with_its_spare_column_and_a_mark_of_excel(tmp_path: Path) -> None:
    file = tmp_path / "curve.csv"
    file.write_bytes("\ufeffcurve,tenor_months,rate\nSOFR,1,0.05\n\nLIBOR,1,0.06\nSOFR,12,4.5e-2\n".encode())
    assert read_curve(file) == (CurveNode(1.0, 0.05), CurveNode(12.0, 0.045))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("tenor_months,rate\n1,0.05\n12,x\n", "line 3"),
        ("tenor_months,rate\n1,0.05\n\n\n12,4.5\n", "line 5: 12 months at 4.5; write 5 % as 0.05"),
        ("tenor_months,rate\n1,\n", "line 2"),
        ("tenor_months,rate\n1,nan\n", "line 2"),
        ("tenor_months,rate\n-1,0.05\n", "line 2"),
        ("tenor,yield\n1,0.05\n", "line 2: a curve needs the columns tenor_months and rate"),
        ("tenor_months,rate\n", "holds no curve"),
        ("", "holds no curve"),
    ],
)
def test_that_a_bad_curve_is_refused_with_the_line(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "curve.csv"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        read_curve(file)
    assert sentence in refused.value.message
    assert "curve.csv" in refused.value.message


def test_that_a_curve_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"tenor_months,rate\n\xff\xfe\n")
    for name, says in (("absent.csv", "cannot be read"), ("bytes.csv", "is no text")):
        with pytest.raises(Refused, match=says):
            read_curve(tmp_path / name)
