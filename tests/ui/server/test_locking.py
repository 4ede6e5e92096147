"""A locked window: nothing of a deal in sight, nothing lost, and only its person gets in."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from clo_desktop.store.local import vault
from clo_desktop.store.local.keys import Secret
from clo_desktop.store.local.manner import Manner
from clo_desktop.window import DEMO_DEAL, Window
from clo_desktop.work import workspace as files
from clo_desktop.work.desk import Desk
from clo_desktop.work.session import WINDOW
from tests.ui.server.conftest import SECRET, Enter, Office, idle

_CARD = QRect(-260, -180, 520, 360)  # the words of the lock, about the middle of the window


def seen(window: QWidget) -> set[int]:
    """The colours of a screenshot of a window, without the words of the lock in its middle."""
    image = window.grab().toImage()
    card = _CARD.translated(image.rect().center())
    return {
        image.pixel(x, y)
        for x in range(0, image.width(), 2)
        for y in range(0, image.height(), 2)
        if not card.contains(QPoint(x, y))
    }


def unlock(window: Window, qtbot: QtBot, password: str) -> None:
    screen = window.gate.screen
    screen.password.setText(password)
    qtbot.keyClick(screen.password, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not window.gate.is_locked or bool(screen.fault.text()), timeout=20_000)


def test_that_a_locked_window_shows_one_colour_and_no_title_and_its_person_gets_everything_back(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    window = enter("mia")
    window.go_to("collateral")
    book, before = window.session.book, len(seen(window))
    assert before > 20
    window.docks["run"].setFloating(True)
    dialog = window.write_test(None)
    dialog.setWindowTitle("typed")
    qtbot.waitExposed(dialog)
    window.actions_by_id["lock"].trigger()
    assert len(seen(window)) == 1
    assert DEMO_DEAL not in window.windowTitle()
    shown = [w for w in QApplication.topLevelWidgets() if w.isVisible()]
    assert shown == [window]
    qtbot.waitUntil(window.gate.screen.password.hasFocus)
    assert not window.statusBar().isVisible()
    assert not any(dock.widget().isVisible() for dock in window.docks.values())

    window.say_refused("What comes meanwhile waits.")
    window.actions_by_id["palette"].trigger()
    assert [w for w in QApplication.topLevelWidgets() if w.isVisible()] == [window]
    unlock(window, qtbot, "not-the-right-word")
    assert "not your password" in window.gate.screen.fault.text()
    assert len(seen(window)) == 1
    unlock(window, qtbot, SECRET)
    idle(window, qtbot)
    assert window.session.book is book
    assert window.windowTitle().startswith(DEMO_DEAL)
    assert dialog.isVisible()
    assert window.docks["run"].isVisible()
    qtbot.waitUntil(lambda: any(isinstance(w, QMessageBox) for w in QApplication.topLevelWidgets() if w.isVisible()))
    for box in QApplication.topLevelWidgets():
        if isinstance(box, QDialog):
            box.reject()
    window.docks["run"].setFloating(False)
    assert len(seen(window)) > 20


def test_that_five_wrong_passwords_lock_out_and_another_administrator_lets_in(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    window = enter("mia")
    window.gate.lock_now()
    for _ in range(5):
        unlock(window, qtbot, "not-the-right-word")
        window.gate.screen.fault.setText("")
    unlock(window, qtbot, SECRET)
    assert "Too many wrong passwords" in window.gate.screen.fault.text()
    assert window.gate.is_locked
    window.gate.screen.leaving.click()
    idle(window, qtbot)
    assert not window.gate.is_locked
    assert window.session.desk is None


def test_that_a_server_locks_by_itself_after_ten_minutes_and_a_file_does_not(
    enter: Enter, qtbot: QtBot, workspace: Path
) -> None:
    window = enter("vic")
    assert window.gate.lock.minutes == 10
    dialog = window.gate.ask_lock()
    dialog.server.setValue(3)
    dialog.button.click()
    assert window.gate.lock.minutes == 3
    assert window._settings.lock_server == 3
    window.session.open(workspace)
    idle(window, qtbot)
    assert window.gate.lock.minutes == 0
    assert window.session.seat.person is None


def test_that_the_systems_lock_and_sleep_lock(enter: Enter, qtbot: QtBot) -> None:
    window = enter("vic")
    for told in (window.gate.presence.covered, window.gate.presence.sleeps):
        told(False)
        assert not window.gate.is_locked
        told(True)
        assert window.gate.is_locked
        unlock(window, qtbot, SECRET)
        assert not window.gate.is_locked


def test_that_it_unlocks_with_the_password_of_the_sign_in_while_the_server_is_away(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    window = enter("vic")
    with office.server.connect() as on:
        on.execute(f'ALTER DATABASE "{office.database}" ALLOW_CONNECTIONS false'.encode())
        on.execute(b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (office.database,))
    window.gate.lock_now()
    unlock(window, qtbot, "not-the-right-word")
    assert window.gate.is_locked
    unlock(window, qtbot, SECRET)
    assert not window.gate.is_locked
    window.watch.look()
    qtbot.waitUntil(lambda: window.saved.text().startswith("Offline"), timeout=20_000)
    assert window.session.deal == DEMO_DEAL
    with office.server.connect() as on:
        on.execute(f'ALTER DATABASE "{office.database}" ALLOW_CONNECTIONS true'.encode())
    window.watch.look()
    qtbot.waitUntil(lambda: window.saved.text().startswith("Saved"), timeout=20_000)
    idle(window, qtbot)


# -- workspace files --------------------------------------------------------------------------------------------------


def test_that_a_plain_file_is_hidden_and_unlocked_by_whoever_is_there(harbor: Window, qtbot: QtBot) -> None:
    harbor.gate.lock_now()
    assert len(seen(harbor)) == 1
    assert not harbor.gate.screen.password.isVisible()
    harbor.gate.screen.button.click()
    assert not harbor.gate.is_locked


def test_that_an_encrypted_file_is_unlocked_with_its_passphrase(
    empty: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vault, "find", lambda salt: None)
    file, secret = tmp_path / "mine.clo", Secret(passphrase="four words of mine")
    Desk(file, Manner(secret=secret, encrypt=True)).close()
    empty.session.open(file, None, Manner(secret=secret, alone=WINDOW.alone))
    idle(empty, qtbot)
    empty.gate.lock_now()
    unlock(empty, qtbot, "four words of yours")
    assert empty.gate.is_locked
    unlock(empty, qtbot, "four words of mine")
    assert not empty.gate.is_locked
    empty.gate.lock_now()
    unlock(empty, qtbot, files.recovery_key(file, secret))
    assert not empty.gate.is_locked
