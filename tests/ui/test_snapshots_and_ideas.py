"""The trend of a test over stored snapshots, and ideas of trades that are there again after a restart."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.faults import Refused
from clo_desktop.panes.trades.stored_dialog import StoredIdeasDialog
from clo_desktop.store import Store, StoredIdea
from clo_desktop.window import Window
from clo_desktop.work.desk import Desk
from clo_desktop.work.pad_rows import Row
from engine.terms import Deal


def settle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle and window.trades.pad.settled, timeout=20_000)


def stored(window: Window, qtbot: QtBot) -> tuple[StoredIdea, ...]:
    """What the workspace has."""
    settle(window, qtbot)
    assert window.session.desk is not None
    return window.session.desk.store.ideas(DEMO_DEAL)


def reopen(window: Window, workspace: Path, qtbot: QtBot) -> None:
    """As after a restart: the workspace is closed and opened, and the deal chosen."""
    settle(window, qtbot)
    session = window.session
    opened: list[bool] = []
    session.open(workspace, lambda: (session.choose(DEMO_DEAL), opened.append(True)))
    qtbot.waitUntil(lambda: bool(opened) and session.book is not None, timeout=20_000)
    settle(window, qtbot)
    qtbot.waitUntil(lambda: window.trades.pad.shelf.loaded(DEMO_DEAL), timeout=20_000)
    settle(window, qtbot)


@pytest.fixture
def yes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every question is answered with yes; the questions that were asked."""
    asked: list[str] = []

    def answer(_parent: Any, _title: str, question: str) -> QMessageBox.StandardButton:
        asked.append(question)
        return QMessageBox.StandardButton.Yes

    monkeypatch.setattr(QMessageBox, "question", answer)
    return asked


# --- snapshots -------------------------------------------------------------------------------------------------------


def other_date(desk: Desk, as_of: dt.date, **changed: Any) -> None:
    """A further snapshot, with other figures of test 29."""
    snapshot = desk.store.snapshots(DEMO_DEAL)[-1]
    tests = tuple(dataclasses.replace(t, **changed) if t.number == 29 else t for t in snapshot.tests)
    desk.store.put_snapshot(DEMO_DEAL, dataclasses.replace(snapshot, as_of=as_of, tests=tests))


def test_that_an_import_stores_a_snapshot_and_the_trend_begins_with_it(harbor: Window, qtbot: QtBot) -> None:
    settle(harbor, qtbot)
    pane = harbor.compliance
    pane.reveal(29)
    assert [s.origin for s in pane.snapshots.stored] == ["import"]
    qtbot.waitUntil(lambda: len(pane.trend.table.frame) == 1)
    assert pane.trend.head.text().startswith("One snapshot, of 2025-03-31")


def test_that_the_trend_has_result_limit_and_cushion_of_every_date_with_units(harbor: Window, qtbot: QtBot) -> None:
    settle(harbor, qtbot)
    assert harbor.session.desk is not None
    other_date(harbor.session.desk, dt.date(2024, 12, 31), result=0.61, threshold=0.62, cushion=0.01)
    harbor.session.comply()
    pane = harbor.compliance
    qtbot.waitUntil(lambda: len(pane.snapshots.stored) == 2)
    pane.reveal(29)
    qtbot.waitUntil(lambda: len(pane.trend.table.frame) == 2)
    done = harbor.session.compliance
    assert done is not None
    now = done.result(29)
    frame = pane.trend.table.frame
    shown = {c.name: [frame.value(i, frame.index[c.name]) for i in range(2)] for c in frame.columns}
    assert shown["as_of"] == [dt.date(2025, 3, 31), dt.date(2024, 12, 31)]
    assert shown["result"] == [now.result, 0.61]
    assert shown["change"][0] == pytest.approx(now.result - 0.61)
    assert shown["threshold"] == [now.threshold, 0.62]
    assert pane.trend.chart.title.text() == f"{now.name} (%)"
    (line,) = pane.trend.chart._lines
    assert line.values.tolist() == pytest.approx([61.0, now.result * 100.0])
    assert line.triggers.tolist() == pytest.approx([62.0, now.threshold * 100.0])
    pane.trend.table.grid.selectAll()
    pane.trend.table.copy()
    copied = QGuiApplication.clipboard().text().splitlines()
    assert copied[0].split("\t")[:3] == ["As of", "Outcome", "Result (%)"]
    assert copied[2].split("\t")[2] == "61"


def test_that_looking_ahead_goes_on_from_the_last_snapshot_and_can_neither_be_stored_nor_deleted(
    harbor: Window, qtbot: QtBot
) -> None:
    settle(harbor, qtbot)
    harbor.go_to("compliance")
    pane = harbor.compliance
    pane.reveal(35)  # the weighted average life runs down by itself
    qtbot.waitUntil(lambda: len(pane.trend.table.frame) == 1)
    pane.trend.ahead_button.click()
    qtbot.waitUntil(lambda: bool(pane.snapshots.ahead))
    settle(harbor, qtbot)
    frame = pane.trend.table.frame
    results = [frame.value(i, frame.index["result"]) for i in range(len(frame))]
    assert len(results) == 5
    assert results == sorted(results), "the latest first, and a life only runs down"
    stored, due = pane.trend.chart._lines
    assert np.isnan(stored.values).tolist() == [False, True, True, True, True]
    assert due.values.tolist() == results[::-1]
    assert "As the loans are due it stands at" in pane.trend.head.text()
    pane.trend.table.select_keys([frame.key_of(4)])
    qtbot.waitUntil(pane.trend.drop_button.isEnabled)
    pane.trend.table.select_keys([frame.key_of(0)])
    qtbot.waitUntil(lambda: not pane.trend.drop_button.isEnabled())
    assert harbor.session.desk is not None
    assert len(harbor.session.desk.store.snapshots(DEMO_DEAL)) == 1
    pane.trend.ahead_button.click()
    settle(harbor, qtbot)
    assert len(pane.trend.table.frame) == 1


def test_that_a_snapshot_of_the_same_date_is_replaced_after_it_was_said(
    harbor: Window, qtbot: QtBot, yes: list[str]
) -> None:
    settle(harbor, qtbot)
    pane = harbor.compliance
    before = pane.snapshots.stored[0].taken_at
    harbor.actions_by_id["snapshot"].trigger()
    qtbot.waitUntil(lambda: pane.snapshots.stored[0].taken_at != before)
    assert "There is a snapshot of 2025-03-31" in yes[0]
    assert [s.origin for s in pane.snapshots.stored] == ["asked"]
    assert "in the place of the one taken" in harbor.statusBar().currentMessage()


def test_that_without_a_snapshot_the_trend_says_what_to_do_and_does_it(
    harbor: Window, qtbot: QtBot, yes: list[str]
) -> None:
    settle(harbor, qtbot)
    pane = harbor.compliance
    pane.reveal(29)
    pane.drop_snapshot(dt.date(2025, 3, 31))
    qtbot.waitUntil(lambda: not pane.snapshots.stored)
    assert "no snapshot of this deal yet" in pane.trend._empty.label.text()
    pane.trend._empty.button.click()
    qtbot.waitUntil(lambda: len(pane.snapshots.stored) == 1)
    assert len(pane.trend.table.frame) == 1


def test_that_a_test_that_changed_since_the_snapshot_says_so(harbor: Window, qtbot: QtBot) -> None:
    settle(harbor, qtbot)
    assert harbor.session.desk is not None
    other_date(harbor.session.desk, dt.date(2025, 3, 31), result=0.5)
    harbor.session.comply()
    pane = harbor.compliance
    pane.reveal(29)
    qtbot.waitUntil(lambda: "which is in no snapshot" in pane.trend.head.text())


# --- ideas -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def ready(harbor: Window, qtbot: QtBot) -> Window:
    harbor.go_to("trades")
    qtbot.waitUntil(lambda: harbor.trades.pad.trader is not None, timeout=20_000)
    settle(harbor, qtbot)
    return harbor


def held(window: Window) -> str:
    assert window.session.book is not None
    return window.session.book.deal.holdings[0].asset_id


def test_that_an_idea_is_stored_as_it_is_typed_and_one_without_trades_is_not(ready: Window, qtbot: QtBot) -> None:
    pad = ready.trades.pad
    pad.fresh("Empty")
    pad.switch("Idea 1")
    pad.put([Row("Sell", held(ready), "1m", "99")])
    (idea,) = stored(ready, qtbot)
    assert (idea.name, [r.par for r in idea.rows], idea.pool) == ("Idea 1", ["1m"], pad.shelf.state())
    pad.undo()
    (idea,) = stored(ready, qtbot)
    assert idea.rows == ()


def test_that_ideas_side_by_side_survive_a_restart(ready: Window, workspace: Path, qtbot: QtBot) -> None:
    pad = ready.trades.pad
    pad.put([Row("Sell", held(ready), "1m", "99")])
    pad.branch("Deeper")
    pad.put([Row("Sell", held(ready), "2m", "98.5", "2025-05-05"), Row("Buy", "half typed")])
    pad.note("if it trades down")
    reopen(ready, workspace, qtbot)
    pad = ready.trades.pad
    assert [b.name for b in pad.ideas.branches] == ["Idea 1", "Deeper"]
    pad.switch("Deeper")
    assert pad.rows == (Row("Sell", held(ready), "2m", "98.5", "2025-05-05"), Row("Buy", "half typed"))
    assert pad.kept is not None
    assert pad.kept.note == "if it trades down"
    assert pad.since == ()


def test_that_what_is_not_written_yet_is_written_when_the_workspace_closes(
    ready: Window, workspace: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    pad = ready.trades.pad
    monkeypatch.setattr(pad.shelf, "_write", lambda: None)  # the lane had no turn
    pad.put([Row("Sell", held(ready), "1m", "99")])
    assert stored(ready, qtbot) == ()
    reopen(ready, workspace, qtbot)
    assert [b.name for b in pad.ideas.branches] == ["Idea 1"]
    assert pad.rows == (Row("Sell", held(ready), "1m", "99"),)


def test_that_a_write_that_fails_is_said_once_and_made_good_with_the_next(
    ready: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    ready.session.refused.connect(said.append)
    pad = ready.trades.pad

    def full(*_: Any) -> None:
        raise Refused("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save_ideas", full)
        pad.put([Row("Sell", held(ready), "1m", "99")])
        settle(ready, qtbot)
        pad.put([Row("Sell", held(ready), "2m", "99")])
        settle(ready, qtbot)
    assert len(said) == 1
    assert pad.shelf.unsaved == 1
    pad.put([Row("Sell", held(ready), "3m", "99")])
    (idea,) = stored(ready, qtbot)
    assert (idea.rows[0].par, pad.shelf.unsaved, pad.shelf.failing) == ("3m", 0, "")


def test_that_an_idea_on_a_changed_pool_says_what_changed_until_its_trades_change(ready: Window, qtbot: QtBot) -> None:
    pad = ready.trades.pad
    asset = held(ready)
    pad.put([Row("Sell", asset, "1m", "99")])
    settle(ready, qtbot)

    def smaller(deal: Deal) -> Deal:
        first, *others = deal.holdings
        return dataclasses.replace(deal, holdings=(dataclasses.replace(first, par=first.par - 5e5), *others))

    assert ready.session.desk is not None
    ready.session.desk.change(DEMO_DEAL, smaller)
    ready.session.choose(DEMO_DEAL)
    qtbot.waitUntil(lambda: bool(pad.since), timeout=20_000)
    settle(ready, qtbot)
    assert pad.since == (f"1 asset with another par: {asset}",)
    assert asset in ready.trades.since.text()
    pad.put([Row("Sell", asset, "2m", "99")])
    settle(ready, qtbot)
    assert pad.since == ()
    assert not ready.trades.since.isVisible()


def test_that_an_idea_put_aside_is_listed_renamed_opened_and_deleted(
    ready: Window, qtbot: QtBot, yes: list[str]
) -> None:
    pad = ready.trades.pad
    pad.put([Row("Sell", held(ready), "1m", "99")])
    pad.put_aside()
    assert [b.name for b in pad.ideas.branches] == ["Idea 2"]  # "Idea 1" is the name of the one that is stored
    assert pad.rows == ()
    (idea,) = stored(ready, qtbot)
    assert not idea.is_open
    dialog = StoredIdeasDialog(pad, DEMO_DEAL, ready.session.seat, ready)
    qtbot.addWidget(dialog)
    dialog.table.select_keys([idea.key])
    qtbot.waitUntil(lambda: "the same figures" in dialog.told.text())
    pad.rename_stored(idea.key, "Sold")
    with pytest.raises(Refused, match="Sold"):
        pad.fresh("Sold")
    dialog.open_chosen()
    assert [b.name for b in pad.ideas.branches] == ["Sold"]
    assert pad.rows == (Row("Sell", held(ready), "1m", "99"),)
    dialog.ask_delete()
    assert "Delete Sold with its 1 trade?" in yes[0]
    assert stored(ready, qtbot) == ()
    assert pad.rows == ()


def test_that_a_renamed_idea_stays_one_idea(ready: Window, qtbot: QtBot) -> None:
    pad = ready.trades.pad
    pad.put([Row("Sell", held(ready), "1m", "99")])
    (first,) = stored(ready, qtbot)
    pad.rename("Later")
    (idea,) = stored(ready, qtbot)
    assert (idea.key, idea.name, idea.created_at) == (first.key, "Later", first.created_at)


def test_that_ideas_do_not_follow_into_another_workspace(ready: Window, tmp_path: Path, qtbot: QtBot) -> None:
    pad = ready.trades.pad
    pad.put([Row("Sell", held(ready), "1m", "99")])
    settle(ready, qtbot)
    session = ready.session
    session.open(tmp_path / "other.clo")
    qtbot.waitUntil(lambda: session.where.endswith("other.clo") and session.lanes.idle, timeout=20_000)
    assert pad.shelf.ideas(DEMO_DEAL) == ()
    assert pad.rows == ()


def test_that_the_window_asks_before_it_closes_on_ideas_that_could_not_be_stored(
    ready: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def no(_parent: Any, _title: str, question: str) -> QMessageBox.StandardButton:
        asked.append(question)
        return QMessageBox.StandardButton.No

    def full(*_: Any) -> None:
        raise Refused("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "save_ideas", full)
        patch.setattr(QMessageBox, "question", no)
        ready.trades.pad.put([Row("Sell", held(ready), "1m", "99")])
        settle(ready, qtbot)
        assert not ready.close()
    assert asked[0].startswith("1 idea could not be stored: The disk is full.")
    ready.trades.pad.put([Row("Sell", held(ready), "2m", "99")])
    assert len(stored(ready, qtbot)) == 1
