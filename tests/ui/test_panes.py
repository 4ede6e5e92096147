"""The panes of positions, tests, imports and deals, filled from the demo deal."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMessageBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import resources
from clo_desktop.dialogs.porter import DEMO_DEAL, DEMO_FILE
from clo_desktop.faults import Fault, Severity
from clo_desktop.look import formats
from clo_desktop.look.formats import THIN
from clo_desktop.panes.collateral import positions_frame
from clo_desktop.panes.compliance import frames as tests_pane
from clo_desktop.panes.deals import rail_line
from clo_desktop.panes.imports import faults_frame
from clo_desktop.tables.empty import EmptyState
from clo_desktop.window import Window
from clo_desktop.work.desk import Imported
from clo_desktop.work.standing import DealState
from engine.asset import COLUMNS
from engine.compliance import TestResult


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


def button(pane: QWidget, text: str) -> QPushButton:
    return next(b for b in pane.findChildren(QPushButton) if b.text() == text)


def footing(window: Window, name: str) -> str:
    table = window.collateral.table
    assert table.footer is not None
    return table.footer.text(table.frame.index[name])


def click_test(window: Window, number: int) -> TestResult:
    """Chooses a test and asks for its rows, as Enter on it does."""
    window.compliance.table.select_keys([float(number)])
    window.compliance.table.row_activated.emit(float(number))
    assert window.session.compliance is not None
    return next(r for r in window.session.compliance.results if r.number == number)


# -- Collateral -------------------------------------------------------------------------------------------------------


def test_that_collateral_shows_every_position_with_every_column(harbor: Window) -> None:
    book = harbor.session.book
    assert book is not None
    table = harbor.collateral.table
    assert table.model.rowCount() == len(book.deal.holdings)
    assert set(table.frame.index) == {"held_par", "z_spread", *(c.name for c in COLUMNS)}
    assert harbor.windowTitle() == f"{DEMO_DEAL} – CLO Desktop"


def test_that_the_footer_is_par_weighted_and_follows_the_filter(harbor: Window) -> None:
    book = harbor.session.book
    assert book is not None
    positions = list(book.positions())

    def expected(chosen: list[tuple[float, float | None]]) -> str:
        known = [(par, price) for par, price in chosen if price is not None]
        par = np.array([p for p, _ in known])
        return formats.text("price", float(np.dot(par, [v for _, v in known]) / par.sum()))

    assert footing(harbor, "held_par") == formats.text("money", book.deal.par)
    assert footing(harbor, "market_value") == expected([(par, a.market_value) for a, par in positions])
    harbor.collateral.table.set_filter("market_value", "<95")
    low = [(par, a.market_value) for a, par in positions if a.market_value is not None and a.market_value < 95]
    assert 0 < len(low) < len(positions)
    table = harbor.collateral.table
    assert table.model.rowCount() == len(low)
    assert footing(harbor, "market_value") == expected(low)
    assert footing(harbor, "held_par") == formats.text("money", sum(par for par, _ in low))
    assert table.footer is not None
    assert table.footer.count_text() == f"{len(low)} of {len(positions)}"


def test_that_each_column_set_can_be_shown(harbor: Window) -> None:
    table = harbor.collateral.table
    assert table.column_sets == ("Summary", "Terms", "Ratings", "Flags", "All")
    seen = {}
    for name in table.column_sets:
        table.show_set(name)
        seen[name] = table.visible_columns()
        assert seen[name][0] == "asset_id"
        assert "held_par" in seen[name]
    assert len(seen["All"]) == len(COLUMNS) + 2  # with par and z-spread
    assert "moodys_rating" in seen["Ratings"]
    assert "cov_lite" in seen["Flags"]


def test_that_the_status_bar_sums_what_is_selected(harbor: Window, qtbot: QtBot) -> None:
    book = harbor.session.book
    assert book is not None
    chosen = book.deal.holdings[:3]
    harbor.collateral.table.select_keys([h.asset_id for h in chosen])
    par = formats.figure(sum(h.par for h in chosen), 0)
    qtbot.waitUntil(lambda: harbor.selected.text().startswith(f"3 selected: par {par}"))
    assert "price" in harbor.selected.text()
    assert "spread" in harbor.selected.text()


def test_that_a_test_narrows_collateral_to_the_rows_that_count(harbor: Window) -> None:
    book, done = harbor.session.book, harbor.session.compliance
    assert book is not None
    assert done is not None
    result = click_test(harbor, 29)
    table = harbor.collateral.table
    members = {a.asset_id for a, counts in zip(done.pool.assets, result.members, strict=True) if counts}
    shown = {table.model.key_at(row) for row in range(table.model.rowCount())}
    assert shown == members
    assert 0 < len(members) < len(book.deal.holdings)
    everything = button(harbor.collateral, "Show all positions")
    assert everything.isVisible()
    everything.click()
    assert table.model.rowCount() == len(book.deal.holdings)
    assert not everything.isVisible()


def test_that_escape_in_the_table_leaves_the_test_as_well(harbor: Window, qtbot: QtBot) -> None:
    click_test(harbor, 29)
    everything = button(harbor.collateral, "Show all positions")
    assert everything.isVisible()
    qtbot.keyClick(harbor.collateral.table.grid, Qt.Key.Key_Escape)
    assert harbor.collateral.table.model.rowCount() == len(harbor.collateral.table.frame)
    assert not everything.isVisible()


def test_that_a_test_and_the_filter_row_narrow_together(harbor: Window) -> None:
    click_test(harbor, 29)
    both = harbor.collateral.table
    narrowed = both.model.rowCount()
    both.set_filter("market_value", "<98")
    assert 0 < both.model.rowCount() < narrowed
    both.set_filter("market_value", "")
    assert both.model.rowCount() == narrowed
    assert button(harbor.collateral, "Show all positions").isVisible()


def test_that_a_missing_value_is_an_en_dash() -> None:
    frame = positions_frame(None)
    assert len(frame) == 0
    assert formats.text("price", None) == "–"


# -- Compliance -------------------------------------------------------------------------------------------------------


def test_that_compliance_has_a_row_a_test_and_says_how_many_fail(harbor: Window) -> None:
    done = harbor.session.compliance
    assert done is not None
    pane = harbor.compliance
    assert pane.table.model.rowCount() == len(done.results) == 37
    assert f"{DEMO_DEAL} as of 2025-03-31: 37 tests, 1 fails." in pane._head.text()
    frame = tests_pane.tests_frame(done)
    words = [frame.value(i, frame.index["outcome"]) for i in range(len(frame))]
    assert words.count("fail") == 1
    assert set(words) <= {"pass", "near", "fail", "maintained"}


def test_that_a_chosen_test_is_explained_with_its_figures(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("compliance")
    harbor.compliance.table.select_keys([29.0])
    detail = harbor.compliance._detail
    qtbot.waitUntil(lambda: detail.text().startswith("Test 29"))
    done = harbor.session.compliance
    assert done is not None
    result = next(r for r in done.results if r.number == 29)
    assert f"{formats.with_unit('share', result.result)} against at most" in detail.text()
    assert formats.text("money", result.numerator) in detail.text()
    assert f"over {int(result.members.sum())} positions" in detail.text()
    assert button(harbor.compliance, "Show the rows that count").isEnabled()


def test_that_every_test_can_be_explained_and_shown(harbor: Window) -> None:
    done = harbor.session.compliance
    assert done is not None
    for result in done.results:
        harbor.compliance.table.select_keys([float(result.number)])
        harbor.compliance._tell(None)
        assert harbor.compliance._detail.text().startswith(f"Test {result.number}, {result.name}: ")
        assert "nan" not in harbor.compliance._detail.text()
        harbor.session.members_wanted.emit(result)
        assert harbor.collateral.table.model.rowCount() == int(result.members.sum())


def test_that_the_chosen_test_stays_after_an_import_of_the_same_deal(harbor: Window, qtbot: QtBot) -> None:
    harbor.compliance.table.select_keys([29.0])
    harbor.session.files.import_file(resources.path(DEMO_FILE), DEMO_DEAL)
    idle(harbor, qtbot)
    assert harbor.compliance.table.selected_keys() == [29.0]


def test_that_tests_of_another_deal_do_not_stand_beside_new_positions(harbor: Window, qtbot: QtBot) -> None:
    seen: list[int] = []
    harbor.session.book_changed.connect(lambda book: seen.append(harbor.compliance.table.model.rowCount()))
    harbor.session.files.import_file(resources.path(DEMO_FILE), "Twin")
    idle(harbor, qtbot)
    assert harbor.session.deal == "Twin"
    assert seen == [0]
    assert harbor.compliance.table.model.rowCount() == 37


# -- Imports ----------------------------------------------------------------------------------------------------------


def _outcome(*, imported: bool, deal: str = DEMO_DEAL, asset: str = "") -> Imported:
    faults = (
        Fault(Severity.WARNING, "All Assets", "AO26", "Market Value", "0.01", "Odd.", asset),
        Fault(Severity.WARNING, "All Assets", "AO26", "Market Value", "0.01", "Odd in another way.", asset),
        Fault(Severity.ERROR if not imported else Severity.WARNING, "Reference Table", "", "", "", "Missing."),
    )
    return Imported(deal, imported, 2, 2, 1e6, 0.0, faults, "book.xlsx")


def test_that_every_fault_of_an_import_has_its_row(harbor: Window) -> None:
    harbor.session.imported.emit(_outcome(imported=False))
    table = harbor.imports.table
    assert table.model.rowCount() == 3
    assert harbor.imports.head.text().startswith("book.xlsx was not imported, nothing was changed: 1 error")
    assert harbor.docks["imports"].windowTitle() == "Import report (3)"
    frame = faults_frame(_outcome(imported=False))
    assert [frame.value(i, frame.index["place"]) for i in range(3)] == [
        "All Assets!AO26",
        "All Assets!AO26",
        "Reference Table",
    ]


def test_that_a_fault_leads_to_its_asset(harbor: Window) -> None:
    book = harbor.session.book
    assert book is not None
    asset = book.deal.holdings[5].asset_id
    harbor.collateral.table.set_filter("market_value", "<1")
    harbor.session.imported.emit(_outcome(imported=True, asset=asset))
    harbor.imports.table.row_activated.emit(2.0)
    assert harbor.collateral.table.selected_keys() == [asset]
    assert not harbor.docks["collateral"].visibleRegion().isEmpty()


def test_that_a_fault_without_an_asset_copies_its_place_for_excel(harbor: Window) -> None:
    harbor.session.imported.emit(_outcome(imported=False, asset="LX1"))
    harbor.imports.table.row_activated.emit(1.0)
    assert QGuiApplication.clipboard().text() == "'All Assets'!AO26"
    assert "was copied" in harbor.statusBar().currentMessage()


def test_that_a_refused_import_shows_its_report(harbor: Window, qtbot: QtBot, shared: Path) -> None:
    harbor.session.files.import_file(shared / "data/mag17/damaged/02_text_in_numeric.xlsx", "MAG17")
    idle(harbor, qtbot)
    assert not harbor.docks["imports"].visibleRegion().isEmpty()
    assert harbor.imports.table.model.rowCount() >= 13
    assert harbor.session.deal == DEMO_DEAL


def test_that_a_clean_import_says_so(harbor: Window) -> None:
    harbor.session.imported.emit(Imported(DEMO_DEAL, True, 2, 2, 1e6, 0.0, (), "clean.xlsx"))
    assert harbor.imports.table.empty.label.text() == "clean.xlsx had no faults."
    assert harbor.docks["imports"].windowTitle() == "Import report"


# -- Deals ------------------------------------------------------------------------------------------------------------


def test_that_the_rail_has_a_line_a_deal_and_the_open_one_is_current(harbor: Window, qtbot: QtBot) -> None:
    harbor.session.files.import_file(resources.path(DEMO_FILE), "Twin")
    idle(harbor, qtbot)
    rail = harbor.deals.list
    assert [rail.item(i).text().splitlines()[0] for i in range(rail.count())] == [DEMO_DEAL, "Twin"]
    assert rail.currentItem().text().startswith("Twin")
    rail.itemClicked.emit(rail.item(0))
    idle(harbor, qtbot)
    assert harbor.session.deal == DEMO_DEAL
    assert rail.currentItem().text().startswith(DEMO_DEAL)


def test_that_a_state_that_arrives_does_not_move_the_current_deal(harbor: Window, qtbot: QtBot) -> None:
    harbor.session.files.import_file(resources.path(DEMO_FILE), "Twin")
    idle(harbor, qtbot)
    harbor.deals.list.setCurrentRow(0)
    harbor.session.deals_changed.emit()
    assert harbor.deals.list.currentRow() == 0


def test_that_delete_in_the_rail_asks_first(harbor: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    answer = [QMessageBox.StandardButton.No]

    def question(_parent: object, _title: str, text: str) -> QMessageBox.StandardButton:
        asked.append(text)
        return answer[0]

    monkeypatch.setattr(QMessageBox, "question", question)
    harbor.deals.list.setCurrentRow(0)
    qtbot.keyClick(harbor.deals.list, Qt.Key.Key_Delete)
    idle(harbor, qtbot)
    assert harbor.session.deal == DEMO_DEAL
    answer[0] = QMessageBox.StandardButton.Yes
    qtbot.keyClick(harbor.deals.list, Qt.Key.Key_Delete)
    idle(harbor, qtbot)
    assert harbor.session.deals == ()
    assert harbor.windowTitle() == "CLO Desktop"
    assert len(asked) == 2
    assert all(text.startswith(f"Delete {DEMO_DEAL} from the workspace, with its snapshots") for text in asked)
    assert all("cannot be brought back" in text for text in asked)
    assert harbor.collateral.table.model.rowCount() == 0
    assert harbor.compliance.table.model.rowCount() == 0


def test_that_a_rail_line_tells_failures_or_the_smallest_cushion_and_the_age() -> None:
    day = dt.date(2026, 1, 10)
    state = DealState("X", dt.date(2026, 1, 1), 10, 1e8, "USD", "fail", None, 2)
    assert rail_line(state, day) == "2 tests fail · 9 d old"
    assert rail_line(DealState("X", day, 1, 1.0, "USD", "fail", None, 1), day) == "1 test fails · today"
    assert rail_line(DealState("X", None, 1, 1.0, "USD", "fail", None, 1), day) == "1 test fails"
    assert rail_line(DealState("X", None, 1, 1.0, "USD"), day) == ""
    old = DealState("X", dt.date(2016, 1, 1), 1, 1.0, "USD")
    assert rail_line(old, day) == f"3{THIN}662 d old"


# -- nothing there yet ------------------------------------------------------------------------------------------------


def test_that_empty_panes_say_what_to_do_with_the_button_to_do_it(
    empty: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: (asked.append(a[1]), ([], ""))[1])
    for name in ("deals", "collateral", "compliance", "inbox", "matrix", "imports"):
        empty.go_to(name)
        pane = empty.docks[name].widget()
        (state,) = [e for e in pane.findChildren(EmptyState) if e.isVisible()]
        assert len(state.label.text()) > 20
        assert state.button.text() == "Import…"
        state.button.click()
    assert asked == ["Import workbook"] * 6
    empty.go_to("cashflows")
    (state,) = [e for e in empty.cash_flows.findChildren(EmptyState) if e.isVisible()]
    assert state.button.text() == "Run"
    state.button.click()
    assert empty.run_pane.state.text() == "No deal is open; choose one in the deal list."
