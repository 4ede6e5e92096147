"""Spreads in the Collateral pane, and the cash flows of an asset below it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from clo_desktop.panes.collateral import CollateralPane, positions_frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.window import Window
from engine.assumptions import Assumptions


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


def open_asset(window: Window, qtbot: QtBot, row: int = 3) -> str:
    """Enter on a position."""
    table = window.collateral.table
    table.grid.setCurrentIndex(table.model.index(row, 0))
    qtbot.keyClick(table.grid, Qt.Key.Key_Return)
    idle(window, qtbot)
    return str(table.model.key_at(row))


def flows_of(pane: CollateralPane) -> FrameTable:
    return pane.asset.table


def test_that_spreads_come_once_they_are_known(harbor: Window, qtbot: QtBot) -> None:
    idle(harbor, qtbot)
    book, spreads = harbor.session.book, harbor.session.spreads
    assert book is not None
    frame = harbor.collateral.table.frame
    shown = dict(zip([frame.key_of(r) for r in range(len(frame))], frame.array("z_spread").tolist(), strict=True))
    assert {a: z for a, z in shown.items() if not np.isnan(z)} == pytest.approx(dict(spreads))
    assert 0 < len(spreads) < len(frame)  # an asset in default has none
    assert np.isnan(positions_frame(book).array("z_spread")).all()


def test_that_enter_on_a_position_shows_its_cash_flows(harbor: Window, qtbot: QtBot) -> None:
    asset_id = open_asset(harbor, qtbot)
    pane, book = harbor.collateral, harbor.session.book
    assert book is not None
    assert not pane.asset.isHidden()
    assert asset_id in pane.asset.head.text()
    assert "CDR 2.00" in pane.asset.head.text()
    par = next(h.par for h in book.deal.holdings if h.asset_id == asset_id)
    assert flows_of(pane).frame.array("Opening balance")[0] == pytest.approx(par)
    assert [c.header("USD") for c in flows_of(pane).frame.columns][:4] == [
        *("Payment date", "Accrual begin", "Accrual end", "Coupon (%)"),
    ]


def test_that_the_cash_flows_of_an_asset_follow_the_next_run(harbor: Window, qtbot: QtBot) -> None:
    open_asset(harbor, qtbot)
    before = flows_of(harbor.collateral).frame.array("Defaulted").sum()
    harbor.session.run(Assumptions(cdr=0.2))
    idle(harbor, qtbot)
    assert flows_of(harbor.collateral).frame.array("Defaulted").sum() > before
    assert "CDR 20.00" in harbor.collateral.asset.head.text()


def test_that_escape_closes_the_cash_flows_and_the_next_run_leaves_them_closed(harbor: Window, qtbot: QtBot) -> None:
    open_asset(harbor, qtbot)
    pane = harbor.collateral
    flows_of(pane).grid.setFocus()
    qtbot.keyClick(flows_of(pane).grid, Qt.Key.Key_Escape)
    assert pane.asset.isHidden()
    harbor.session.run(Assumptions(cdr=0.1))
    idle(harbor, qtbot)
    assert pane.asset.isHidden()


def test_that_another_book_closes_the_cash_flows(harbor: Window, qtbot: QtBot) -> None:
    open_asset(harbor, qtbot)
    assert harbor.session.deal is not None
    harbor.session.choose(harbor.session.deal)
    idle(harbor, qtbot)
    assert harbor.collateral.asset.isHidden()


def test_that_the_tables_of_a_run_are_written_into_a_chosen_folder(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "csv"))
    harbor.actions_by_id["tables"].trigger()
    idle(harbor, qtbot)
    assert (tmp_path / "csv" / "class-A-1.csv").is_file()
    assert "tables of Harbor 2024-1 were written to" in harbor.statusBar().currentMessage()
