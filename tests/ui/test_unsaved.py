"""What was typed and not stored when a window died is offered at the next start, and goes back to its place."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QInputDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.dialogs.own_test import OwnTestDialog
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.faults import Refused
from clo_desktop.store import Store
from clo_desktop.store.local import cipher
from clo_desktop.window import Window
from clo_desktop.work.pad_rows import Row
from clo_desktop.work.session import WINDOW
from tests.store.local.worlds import KEY

TRADE = Row("Buy", "HBR000001", "1000000", "99.5", "")


def die(window: Window, folder: Path) -> bytes:
    """Leaves what a window that dies now would leave, as a kill in its place would; what that holds."""
    window.unsaved.look()
    window.unsaved.settle()
    [file] = folder.glob("*.unsaved")
    mark, _, _ = file.stem.partition("-")
    shutil.copy(file, folder / f"{mark}-dead.copy")
    return file.read_bytes()


def start_again(window: Window, workspace: Path, qtbot: QtBot) -> None:
    """The workspace is opened as at a start, and the deal chosen; the copy of `die` lies there."""
    session = window.session
    session.open(workspace, lambda: session.choose(DEMO_DEAL))
    folder = paths.unsaved_folder()
    for file in folder.glob("*.copy"):
        file.rename(file.with_suffix(".unsaved"))
    qtbot.waitUntil(lambda: session.book is None, timeout=20_000)
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=20_000)


def question(window: Window, qtbot: QtBot) -> QMessageBox:
    def asked() -> list[QMessageBox]:
        boxes = window.findChildren(QMessageBox)
        return [box for box in boxes if box.isVisible() and box.windowTitle() == "Unsaved changes"]

    qtbot.waitUntil(lambda: len(asked()) == 1, timeout=10_000)
    return asked()[0]


def press(box: QMessageBox, words: str) -> None:
    next(b for b in box.findChildren(QPushButton) if b.text() == words).click()


def test_that_half_typed_assumptions_come_back_after_a_kill(
    harbor: Window, workspace: Path, unsaved_folder: Path, qtbot: QtBot
) -> None:
    field = harbor.run_pane.cdr
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "7.25")  # and no Enter
    die(harbor, unsaved_folder)
    start_again(harbor, workspace, qtbot)
    box = question(harbor, qtbot)
    assert box.text().startswith(f"1 unsaved change of {DEMO_DEAL} from ")
    assert "Default rate 7.25 %" in box.informativeText()
    assert field.value() != 7.25
    press(box, "Restore")
    qtbot.waitUntil(lambda: field.value() == 7.25)
    assert harbor.run_pane.stale.isVisibleTo(harbor.run_pane)  # nothing was run for it
    assert len(list(unsaved_folder.glob("*.unsaved"))) == 1  # that of this window: it is unsaved still


def test_that_levers_comparison_bids_trades_tests_and_notes_come_back(
    harbor: Window, workspace: Path, unsaved_folder: Path, qtbot: QtBot
) -> None:
    levers, pad = harbor.scenarios.levers, harbor.trades.pad
    levers.levers["cpr"].set_value(33.0)
    harbor.scenarios.keep()
    levers.levers["cdr"].set_value(4.5)
    harbor.trades.bids.text.setPlainText("HBR000109  2.5mm\nAcme Holdings  1mm")
    pad.type([TRADE])  # its cell is open still
    dialog = harbor.write_test(None)
    dialog.where.setText("country = Germany")
    note = harbor.trades.ask_note()
    note.setTextValue("Ask the desk first")
    die(harbor, unsaved_folder)
    note.reject()
    pad.type(None)
    harbor.trades.bids.text.clear()
    start_again(harbor, workspace, qtbot)
    box = question(harbor, qtbot)
    assert box.text().startswith("5 unsaved changes")
    press(box, "Restore")
    qtbot.waitUntil(lambda: bool(pad.rows))
    assert (levers.levers["cpr"].value, levers.levers["cdr"].value) == (33.0, 4.5)
    assert len(harbor.scenarios.compare.kept) == 1
    assert harbor.trades.bids.text.toPlainText() == "HBR000109  2.5mm\nAcme Holdings  1mm"
    assert pad.rows[0].asset == TRADE.asset
    qtbot.waitUntil(lambda: harbor.findChild(OwnTestDialog) is not None)
    again = [d for d in harbor.findChildren(OwnTestDialog) if d.isVisible()]
    assert [d.where.text() for d in again] == ["country = Germany"]
    qtbot.waitUntil(lambda: bool([d for d in harbor.trades.findChildren(QInputDialog) if d.isVisible()]))
    [asking] = [d for d in harbor.trades.findChildren(QInputDialog) if d.isVisible()]
    assert asking.textValue() == "Ask the desk first"
    asking.reject()
    again[0].reject()
    qtbot.waitUntil(lambda: harbor.session.lanes.idle, timeout=20_000)


def test_that_discarded_changes_are_gone_and_those_to_be_asked_about_later_stay(
    harbor: Window, workspace: Path, unsaved_folder: Path, qtbot: QtBot
) -> None:
    harbor.trades.bids.text.setPlainText("Acme Holdings  1mm")
    die(harbor, unsaved_folder)
    harbor.trades.bids.text.clear()
    start_again(harbor, workspace, qtbot)
    qtbot.keyClick(question(harbor, qtbot), Qt.Key.Key_Escape)
    assert len(list(unsaved_folder.glob("*-dead.unsaved"))) == 1
    start_again(harbor, workspace, qtbot)
    press(question(harbor, qtbot), "Discard")
    assert list(unsaved_folder.glob("*.unsaved")) == []
    assert harbor.trades.bids.text.toPlainText() == ""


def test_that_a_window_closed_in_the_ordinary_way_leaves_nothing(
    harbor: Window, unsaved_folder: Path, qtbot: QtBot
) -> None:
    harbor.trades.bids.text.setPlainText("Acme Holdings  1mm")
    qtbot.waitUntil(lambda: bool(list(unsaved_folder.glob("*.unsaved"))), timeout=1_000)  # by itself, in a second
    harbor.close()
    assert list(unsaved_folder.glob("*.unsaved")) == []


def test_that_ideas_the_store_refuses_outlive_the_window(
    harbor: Window,
    workspace: Path,
    unsaved_folder: Path,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_arguments: object) -> None:
        raise Refused("The disk is full; make room.", code="full")

    pad = harbor.trades.pad
    qtbot.waitUntil(lambda: pad.shelf.loaded(DEMO_DEAL), timeout=10_000)
    with monkeypatch.context() as broken:
        broken.setattr(Store, "save_ideas", refuse)
        pad.put([TRADE])
        pad.note("worth a call")
        qtbot.waitUntil(lambda: bool(pad.shelf.failing), timeout=10_000)
        harbor.session.leave()
        qtbot.waitUntil(lambda: harbor.session.lanes.idle, timeout=10_000)
    start_again(harbor, workspace, qtbot)
    box = question(harbor, qtbot)
    assert "Idea 1" in box.informativeText()
    press(box, "Restore")
    qtbot.waitUntil(lambda: bool(pad.rows), timeout=10_000)
    qtbot.waitUntil(lambda: pad.shelf.unsaved == 0, timeout=10_000)
    desk = harbor.session.desk
    assert desk is not None
    [idea] = desk.store.ideas(DEMO_DEAL)
    assert (idea.name, idea.rows[0].asset, idea.note) == ("Idea 1", TRADE.asset, "worth a call")


def test_that_an_encrypted_workspace_keeps_them_encrypted_and_asks_after_it_is_unlocked(
    empty: Window, workspace: Path, unsaved_folder: Path, qtbot: QtBot, warm: None
) -> None:
    cipher.encrypt(workspace, KEY)
    manner = replace(WINDOW, secret=KEY)
    session = empty.session
    session.open(workspace, lambda: session.choose(DEMO_DEAL), manner)
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=20_000)
    empty.trades.bids.text.setPlainText("Zebrafish Holdings  1mm")
    held = die(empty, unsaved_folder)
    assert b"Zebrafish" not in held
    empty.trades.bids.text.clear()
    session.leave()
    for file in unsaved_folder.glob("*.copy"):
        file.rename(file.with_suffix(".unsaved"))
    session.open(workspace)  # no key is at hand: it is asked for
    qtbot.waitUntil(lambda: session.lanes.idle, timeout=10_000)
    assert [box for box in empty.findChildren(QMessageBox) if box.windowTitle() == "Unsaved changes"] == []
    session.open(workspace, lambda: session.choose(DEMO_DEAL), manner)
    press(question(empty, qtbot), "Restore")
    qtbot.waitUntil(lambda: empty.trades.bids.text.toPlainText() == "Zebrafish Holdings  1mm", timeout=20_000)
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=20_000)


VICTIM = """
import sys
from pathlib import Path
from typing import Any
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from clo_desktop import paths
from clo_desktop.settings import Settings
from clo_desktop.window import Window
from clo_desktop.work.session import Session

app = QApplication([])
session = Session()
window = Window(session, Settings(), lambda settings: None)
window.show()
session.open(sys.argv[1], lambda: session.choose(sys.argv[2]))
typed = False

def look():
    global typed
    if session.book is not None and not typed:
        typed = True
        window.trades.bids.text.setPlainText("Acme Holdings  1mm")
        QTimer.singleShot(1000, lambda: print("a second later", flush=True))

timer = QTimer()
timer.timeout.connect(look)
timer.start(20)
app.exec()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a kill that cannot be caught is of POSIX")
def test_that_a_second_after_the_last_key_a_killed_process_has_lost_nothing(
    empty: Window, workspace: Path, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, warm: None
) -> None:
    monkeypatch.setattr(paths, "unsaved_folder", lambda: tmp_path / "home" / "unsaved")
    environment = {**os.environ, paths.HOME_VARIABLE: str(tmp_path / "home"), "QT_QPA_PLATFORM": "offscreen"}
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(workspace), DEMO_DEAL], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert victim.stdout is not None
    assert victim.stdout.readline() == "a second later\n"
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    session = empty.session
    session.open(workspace, lambda: session.choose(DEMO_DEAL))
    press(question(empty, qtbot), "Restore")
    qtbot.waitUntil(lambda: empty.trades.bids.text.toPlainText() == "Acme Holdings  1mm", timeout=10_000)
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=20_000)


def test_that_a_full_disk_is_one_sentence_and_the_next_change_stores_both(harbor: Window, qtbot: QtBot) -> None:
    session, pad = harbor.session, harbor.trades.pad
    desk = session.desk
    assert desk is not None
    qtbot.waitUntil(lambda: pad.shelf.loaded(DEMO_DEAL), timeout=10_000)
    said: list[str] = []
    session.refused.connect(said.append)
    full = [1]

    def no_room(raw: Any, *_: object) -> None:
        raw.execute(f"PRAGMA max_page_count = {full[0]}").fetchall()

    sa.event.listen(desk.store._engine, "checkout", no_room)
    pad.put([TRADE])
    pad.note("a long note " * 40_000)
    qtbot.waitUntil(lambda: bool(said), timeout=20_000)
    assert "nothing of this change was saved: make room and save again." in said[0]
    full[0] = 1_000_000
    pad.note("a short note")
    qtbot.waitUntil(lambda: pad.shelf.unsaved == 0, timeout=20_000)
    [idea] = desk.store.ideas(DEMO_DEAL)
    assert (idea.note, idea.rows[0].asset) == ("a short note", TRADE.asset)
