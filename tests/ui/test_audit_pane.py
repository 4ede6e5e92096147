"""The Audit pane: lines and filters, the history of a cell, verifying, exporting."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.panes.audit import AuditPane
from clo_desktop.store.audit import verify
from clo_desktop.tables.menus import cell_menu
from clo_desktop.window import Window
from engine.terms import Book


@pytest.fixture
def pane(harbor: Window, qtbot: QtBot) -> AuditPane:
    """The pane in sight, its lines read."""
    harbor.go_to("audit")
    qtbot.waitUntil(lambda: harbor.audit.table.model.rowCount() > 0)
    return harbor.audit


def column(pane: AuditPane, name: str) -> list[Any]:
    frame = pane.table.frame
    return [frame.value(int(row), frame.index[name]) for row in pane.table.model.rows]


def change_first_par(harbor: Window, qtbot: QtBot) -> str:
    """Stores another par of the first holding; its asset."""

    def other(book: Book) -> Book:
        first, *others = book.deal.holdings
        return replace(book, deal=replace(book.deal, holdings=(replace(first, par=first.par + 250_000.0), *others)))

    with qtbot.waitSignal(harbor.session.edited):
        harbor.session.change("Par", other, lambda before, after: None)
    assert harbor.session.book is not None
    return harbor.session.book.deal.holdings[0].asset_id


def test_that_without_a_workspace_the_pane_says_that_it_reads(empty: Window) -> None:
    assert empty.audit.table.empty.label.text() == "The audit is being read."


def test_that_a_new_workspace_says_what_will_stand_here(empty: Window, qtbot: QtBot, tmp_path: Path) -> None:
    empty.session.open(tmp_path / "new.clo")
    empty.go_to("audit")
    qtbot.waitUntil(lambda: empty.audit.table.empty.label.text().startswith("Nothing was changed yet."))
    assert empty.audit.head.text() == "0 lines."
    assert not empty.audit.export.isEnabled()


def test_that_a_change_appears_at_once_with_who_and_before_and_after(
    harbor: Window, pane: AuditPane, qtbot: QtBot
) -> None:
    rows = pane.table.model.rowCount()
    asset = change_first_par(harbor, qtbot)
    qtbot.waitUntil(lambda: pane.table.model.rowCount() == rows + 2)
    at = column(pane, "what").index(asset)
    assert column(pane, "kind")[at] == "Holdings"
    assert column(pane, "action")[at] == "changed"
    assert " → " in column(pane, "change")[at]


def test_that_the_results_of_a_snapshot_are_one_row_that_opens_and_closes(pane: AuditPane, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: any("results of a snapshot" in what for what in column(pane, "what")))
    at = next(i for i, what in enumerate(column(pane, "what")) if "results of a snapshot" in what)
    count, closed = int(column(pane, "what")[at].split()[1]), pane.table.model.rowCount()
    key = pane.table.frame.key_of(int(pane.table.model.rows[at]))
    pane.table.row_activated.emit(key)
    assert pane.table.model.rowCount() == closed + count
    assert column(pane, "kind")[at : at + count + 1] == ["Snapshot tests"] * (count + 1)
    assert "key" not in pane.table.visible_columns()
    pane.table.row_activated.emit(key)
    assert pane.table.model.rowCount() == closed


def test_that_nothing_is_read_while_the_pane_is_behind_another(harbor: Window, qtbot: QtBot) -> None:
    assert harbor.audit._asked == 0
    change_first_par(harbor, qtbot)
    qtbot.waitUntil(lambda: harbor.session.lanes.idle)
    assert harbor.audit._asked == 0
    harbor.go_to("audit")
    qtbot.waitUntil(lambda: "changed" in column(harbor.audit, "action"))


def test_that_the_fields_filter_in_the_database_and_everything_comes_back(pane: AuditPane, qtbot: QtBot) -> None:
    everything = pane.table.model.rowCount()
    pane.kind.setCurrentIndex(pane.kind.findText("Tranches"))
    pane.kind.activated.emit(pane.kind.currentIndex())
    qtbot.waitUntil(lambda: set(column(pane, "kind")) == {"Tranches"})
    pane.since.setText("2999-01-01")
    pane.since.editingFinished.emit()
    qtbot.waitUntil(lambda: pane.table.model.rowCount() == 0)
    assert pane.table.empty.label.text() == "No change is like that."
    qtbot.mouseClick(pane.everything, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pane.table.model.rowCount() == everything)
    assert (pane.kind.currentIndex(), pane.since.text()) == (0, "")
    assert not pane.everything.isEnabled()


def test_that_what_is_no_day_is_said_and_nothing_is_read(pane: AuditPane, qtbot: QtBot) -> None:
    pane.until.setText("tomorrow")
    with qtbot.waitSignal(pane._session.said, check_params_cb=lambda text: "tomorrow is no day" in text):
        pane.until.editingFinished.emit()


def test_that_the_menu_of_a_cell_in_collateral_leads_to_its_history(
    harbor: Window, pane: AuditPane, qtbot: QtBot
) -> None:
    asset = change_first_par(harbor, qtbot)
    table = harbor.collateral.table
    harbor.go_to("collateral")
    table.select_keys([asset])
    row = table.model.row_of(asset) if hasattr(table.model, "row_of") else int(table.grid.selected_rows()[0])
    table.grid.setCurrentIndex(table.model.index(row, table.frame.index["held_par"]))
    menu = cell_menu(table)
    [act] = [a for a in menu.actions() if a.text() == "History of this cell"]
    act.trigger()
    menu.deleteLater()
    qtbot.waitUntil(lambda: pane.head.text() == f"History of Par of {asset} in {DEMO_DEAL}: 2 lines.")
    assert column(pane, "action") == ["changed", "added"]
    assert not harbor.docks["audit"].visibleRegion().isEmpty()


def test_that_verifying_says_that_all_is_whole_or_what_is_wrong(pane: AuditPane, workspace: Path, qtbot: QtBot) -> None:
    qtbot.mouseClick(pane.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pane.verdict.text().startswith("The audit is whole."), timeout=20_000)
    qtbot.waitUntil(lambda: pane.check.text() == "Verify")
    with sqlite3.connect(workspace) as raw:
        text = raw.execute("SELECT sql FROM sqlite_master WHERE name = 'audit_holdings_update'").fetchone()[0]
        raw.execute("DROP TRIGGER audit_holdings_update")
        raw.execute("UPDATE holdings SET par = 1 WHERE id = 5")
        raw.execute(text)
    raw.close()
    qtbot.mouseClick(pane.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "was changed without a line: par is 1" in pane.verdict.text(), timeout=20_000)
    assert pane.verdict.text().startswith("The audit is NOT whole.")


def test_that_a_verification_can_be_cancelled(pane: AuditPane, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "_TURN", 1)
    qtbot.mouseClick(pane.check, Qt.MouseButton.LeftButton)
    assert pane.check.text() == "Cancel"
    qtbot.mouseClick(pane.check, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: pane.check.text() == "Verify" and pane.check.isEnabled())
    assert pane.verdict.isHidden()


def test_that_an_export_holds_what_the_fields_ask_for(pane: AuditPane, qtbot: QtBot, tmp_path: Path) -> None:
    pane.kind.setCurrentIndex(pane.kind.findText("Tranches"))
    pane.kind.activated.emit(pane.kind.currentIndex())
    qtbot.waitUntil(lambda: set(column(pane, "kind")) == {"Tranches"})
    file = tmp_path / "audit.json"
    with qtbot.waitSignal(pane._session.said, check_params_cb=lambda text: "were written to" in text):
        pane.export_to(file)
    told = json.loads(file.read_text(encoding="utf-8"))
    assert len(told["lines"]) == pane._looked.total > pane.table.model.rowCount()
    assert told["anchor"]["pos"] > len(told["lines"])
