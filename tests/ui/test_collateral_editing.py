"""Typing into the positions, as in Excel; two windows on one workspace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.clash import ClashDialog
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.settings import Settings
from clo_desktop.store.merge import Side
from clo_desktop.window import Window
from clo_desktop.work.session import Session
from engine.terms import Book


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


def book_of(window: Window) -> Book:
    assert window.session.book is not None
    return window.session.book


def go(window: Window, row: int, column: str) -> str:
    """To a cell, by shown row and column; the asset's id."""
    table = window.collateral.table
    window.go_to("collateral")
    table.show_set("All")
    table.grid.set_current(table.model.index(row, table.frame.index[column]))
    return str(table.model.key_at(row))


def type_into(window: Window, qtbot: QtBot, text: str) -> None:
    """As a person does: F2, other text, Enter."""
    grid = window.collateral.table.grid
    qtbot.keyClick(grid, Qt.Key.Key_F2)
    editor = next(e for e in grid.viewport().findChildren(QLineEdit) if e.isVisible())
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    idle(window, qtbot)


@pytest.fixture
def refused(harbor: Window) -> list[str]:
    said: list[str] = []
    harbor.session.refused.connect(said.append)
    return said


def test_that_a_typed_price_is_stored_tested_projected_and_undone(harbor: Window, qtbot: QtBot) -> None:
    asset = go(harbor, 0, "market_value")
    before = book_of(harbor)
    run_before = harbor.session.projection
    type_into(harbor, qtbot, "91.25")
    after = book_of(harbor)
    assert after.assets[asset].market_value == 91.25
    assert harbor.session.desk is not None
    assert harbor.session.desk.fresh(DEMO_DEAL).assets[asset].market_value == 91.25
    table = harbor.collateral.table
    assert table.current_key() == asset
    assert table.frame.value(table.frame.row_of(asset), table.frame.index["market_value"]) == 91.25
    qtbot.waitUntil(lambda: harbor.session.projection is not None and harbor.session.projection is not run_before)
    harbor.edits.undo()
    idle(harbor, qtbot)
    assert book_of(harbor).assets[asset] == before.assets[asset]
    harbor.edits.redo()
    idle(harbor, qtbot)
    assert book_of(harbor).assets[asset].market_value == 91.25


def test_that_percent_columns_take_percent_as_their_header_says(harbor: Window, qtbot: QtBot) -> None:
    asset = go(harbor, 1, "coupon_spread")
    type_into(harbor, qtbot, "3.75")
    assert book_of(harbor).assets[asset].coupon_spread == 0.0375
    type_into(harbor, qtbot, "L+425")
    assert book_of(harbor).assets[asset].coupon_spread == 0.0425


def test_that_par_changes_the_holding_and_the_deal_rail(harbor: Window, qtbot: QtBot) -> None:
    asset = go(harbor, 2, "held_par")
    before = book_of(harbor).deal.par
    held = next(h.par for h in book_of(harbor).deal.holdings if h.asset_id == asset)
    type_into(harbor, qtbot, "1,000,000")
    assert book_of(harbor).deal.par == pytest.approx(before - held + 1_000_000.0, abs=1e-6)
    assert next(d.par for d in harbor.session.deals if d.name == DEMO_DEAL) == book_of(harbor).deal.par


@pytest.mark.parametrize(
    ("column", "text", "why"),
    [
        ("market_value", "9950", "a price is in percent of par"),
        ("market_value", "-1", "cannot be negative"),
        ("maturity", "soon", "is no date"),
        ("moodys_rating", "B9", "is no rating of Moody's scale"),
        ("held_par", "", "A position has a par"),
        ("held_par", "0", "A position has a par"),
        ("market_value", "0.985", "looks like a fraction of par: type it in percent of par, such as 98.5."),
        ("coupon_spread", "375", "It is typed in percent, as the header says, such as 3.75"),
        ("coupon_spread", "0.0375", "It may be 3.75 % or 0.0375 %: type 3.75 or 0.0375%."),
        ("moodys_recovery_rate", "0.45", "It may be 45 % or 0.45 %"),
        ("issuer_id", "", "A position needs it"),
        ("cov_lite", "maybe", "neither Yes nor No"),
    ],
)
def test_that_what_is_no_value_is_refused_with_cell_and_remedy_and_nothing_is_changed(
    harbor: Window, qtbot: QtBot, refused: list[str], column: str, text: str, why: str
) -> None:
    asset = go(harbor, 3, column)
    before = book_of(harbor)
    harbor.collateral.editing.paste(text) if text else harbor.collateral.editing.clear()
    idle(harbor, qtbot)
    [said] = refused
    assert why in said
    assert asset in said
    assert "Nothing was changed" in said
    assert book_of(harbor) is before


def test_that_a_block_is_pasted_as_one_step_and_its_copied_headers_are_passed_over(
    harbor: Window, qtbot: QtBot
) -> None:
    table = harbor.collateral.table
    first = go(harbor, 0, "market_value")
    grid = table.grid
    qtbot.keyClick(grid, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    second = str(table.model.key_at(1))
    QGuiApplication.clipboard().setText("Price (% of par)\n88.5\n77.25")
    titles = [table.frame.columns[table.frame.index["market_value"]].header(table.frame.currency)]
    QGuiApplication.clipboard().setText(f"{titles[0]}\n88.5\n77.25")
    qtbot.keyClick(grid, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    idle(harbor, qtbot)
    assert [book_of(harbor).assets[a].market_value for a in (first, second)] == [88.5, 77.25]
    assert harbor.edits.undo_name == "2 cells of Price"
    harbor.edits.undo()
    idle(harbor, qtbot)
    assert [book_of(harbor).assets[a].market_value for a in (first, second)] != [88.5, 77.25]


def test_that_one_bad_cell_of_a_block_refuses_all_of_it(harbor: Window, qtbot: QtBot, refused: list[str]) -> None:
    go(harbor, 0, "market_value")
    before = book_of(harbor)
    harbor.collateral.editing.paste("88.5\nninety")
    idle(harbor, qtbot)
    assert len(refused) == 1
    assert "ninety" in refused[0]
    assert book_of(harbor) is before


def test_that_a_block_that_does_not_fit_is_refused(harbor: Window, qtbot: QtBot, refused: list[str]) -> None:
    table = harbor.collateral.table
    go(harbor, table.model.rowCount() - 1, "market_value")
    harbor.collateral.editing.paste("88.5\n90")
    assert "do not fit" in refused[0]


def test_that_ctrl_d_fills_down_and_delete_clears(harbor: Window, qtbot: QtBot) -> None:
    grid = harbor.collateral.table.grid
    assets = [go(harbor, row, "market_value") for row in (2, 1, 0)][::-1]
    for _ in range(2):
        qtbot.keyClick(grid, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    price = book_of(harbor).assets[assets[0]].market_value
    qtbot.keyClick(grid, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    idle(harbor, qtbot)
    assert {book_of(harbor).assets[a].market_value for a in assets} == {price}
    go(harbor, 0, "sp_recovery_rating")
    qtbot.keyClick(grid, Qt.Key.Key_Delete)
    idle(harbor, qtbot)
    assert book_of(harbor).assets[assets[0]].sp_recovery_rating is None


def test_that_worked_out_columns_and_ids_are_not_typed_into(harbor: Window, refused: list[str]) -> None:
    for column in ("asset_id", "z_spread"):
        go(harbor, 0, column)
        harbor.collateral.editing.paste("X")
    assert [said.split(" cannot")[0] for said in refused] == ["Asset", "Z-spread"]


def test_that_scenarios_are_studied_on_the_edited_deal(harbor: Window, qtbot: QtBot) -> None:
    go(harbor, 0, "held_par")
    type_into(harbor, qtbot, "2.5m")
    assert book_of(harbor).deal.holdings[0].par == 2_500_000.0
    harbor.go_to("scenarios")
    qtbot.waitUntil(lambda: harbor.scenarios.idle and harbor.session.lanes.idle, timeout=20_000)
    assert harbor.scenarios._book is book_of(harbor)


# -- two windows ------------------------------------------------------------------------------------------------------


@pytest.fixture
def other(harbor: Window, qtbot: QtBot, workspace: Path) -> Iterator[Window]:
    """A second window on the same workspace, with the same deal open."""
    window = Window(Session(), Settings(theme="light"), lambda settings: None)
    window.show()
    session = window.session
    session.open(workspace, lambda: session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=20_000)
    yield window
    qtbot.waitUntil(lambda: window.cash_flows.filled)
    window.close()
    window.deleteLater()


def clash_of(qtbot: QtBot) -> ClashDialog:
    def found() -> list[ClashDialog]:
        return [w for w in QApplication.topLevelWidgets() if isinstance(w, ClashDialog) and w.isVisible()]

    qtbot.waitUntil(lambda: bool(found()), timeout=20_000)
    return found()[-1]


def test_that_two_windows_changing_different_cells_of_a_row_keep_both(
    harbor: Window, other: Window, qtbot: QtBot
) -> None:
    asset = go(harbor, 0, "market_value")
    type_into(harbor, qtbot, "91.25")
    go(other, 0, "coupon_spread")
    type_into(other, qtbot, "4.5")
    for window in (harbor, other):
        window.session.reread()
        idle(window, qtbot)
        found = book_of(window).assets[asset]
        assert (found.market_value, found.coupon_spread) == (91.25, 0.045)


def test_that_two_windows_changing_one_cell_are_asked_with_both_values(
    harbor: Window, other: Window, qtbot: QtBot
) -> None:
    asset = go(harbor, 0, "market_value")
    type_into(harbor, qtbot, "91.25")
    go(other, 0, "market_value")
    type_into(other, qtbot, "80")
    dialog = clash_of(qtbot)
    assert not dialog.store.isEnabled()
    row = [dialog.table.item(0, 0).text(), dialog.table.item(0, 1).text()]
    assert row[0] == f"{asset} · Price (% of par)"
    assert [b.text() for b in dialog._groups[0].buttons()] == ["80.000", "91.250"]
    assert book_of(other).assets[asset].market_value not in (80.0, 91.25)
    dialog.choose(0, Side.MINE)
    dialog.store.click()
    idle(other, qtbot)
    assert book_of(other).assets[asset].market_value == 80.0
    harbor.session.reread()
    idle(harbor, qtbot)
    assert book_of(harbor).assets[asset].market_value == 80.0


def test_that_a_dropped_change_leaves_theirs_and_shows_it(harbor: Window, other: Window, qtbot: QtBot) -> None:
    asset = go(harbor, 0, "market_value")
    type_into(harbor, qtbot, "91.25")
    go(other, 0, "market_value")
    type_into(other, qtbot, "80")
    clash_of(qtbot).reject()
    idle(other, qtbot)
    assert book_of(other).assets[asset].market_value == 91.25
