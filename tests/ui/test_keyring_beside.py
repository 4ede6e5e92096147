"""A keyring that takes its time holds up no window: it is asked beside it, and its answer comes when it comes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.store.local import vault
from clo_desktop.store.server.signing import SignIn
from clo_desktop.window import Window

MIA = SignIn("postgresql://nowhere.invalid/clo", "mia@desk.example")


class Slow:
    """A keyring whose service answers once it is let."""

    def __init__(self) -> None:
        self.free = threading.Event()
        self.asked_on: list[str] = []

    def get_password(self, service: str, username: str) -> str | None:
        self.asked_on.append(threading.current_thread().name)
        self.free.wait(20)
        return "staple-battery-correct"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Slow]:
    made = Slow()

    def system_keyring() -> Slow:
        made.asked_on.append(threading.current_thread().name)
        made.free.wait(20)
        return made

    monkeypatch.setattr(vault, "system_keyring", system_keyring)
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    yield made
    made.free.set()


def beats(qtbot: QtBot, milliseconds: int) -> int:
    """How often a timer of 10 ms comes round meanwhile: often, where the window goes on."""
    count: list[int] = []
    timer = QTimer()
    timer.timeout.connect(lambda: count.append(1))
    timer.start(10)
    qtbot.wait(milliseconds)
    return len(count)


def test_that_a_keyring_that_waits_leaves_the_sign_in_responsive(empty: Window, slow: Slow, qtbot: QtBot) -> None:
    empty._settings = replace(empty._settings, servers=(MIA.kept,), remembered=(MIA.kept,))
    started = time.monotonic()
    dialog = empty.gate.ask_server()
    assert time.monotonic() - started < 2.0
    assert beats(qtbot, 300) > 10
    assert not dialog.remembering.isEnabled()
    assert dialog.password.text() == ""
    slow.free.set()
    qtbot.waitUntil(lambda: dialog.password.text() == "staple-battery-correct" and dialog.remembering.isEnabled())
    assert dialog.remembering.isChecked()
    assert set(slow.asked_on) == {"keyring"}
    dialog.reject()


def test_that_what_was_typed_meanwhile_stays(empty: Window, slow: Slow, qtbot: QtBot) -> None:
    empty._settings = replace(empty._settings, servers=(MIA.kept,), remembered=(MIA.kept,))
    dialog = empty.gate.ask_server()
    qtbot.keyClicks(dialog.password, "typed by hand")
    slow.free.set()
    qtbot.waitUntil(dialog.remembering.isEnabled)
    qtbot.wait(50)
    assert dialog.password.text() == "typed by hand"
    dialog.reject()


def test_that_a_keyring_that_never_answers_does_not_keep_a_window_open(empty: Window, slow: Slow, qtbot: QtBot) -> None:
    empty._settings = replace(empty._settings, servers=(MIA.kept,), remembered=(MIA.kept,))
    empty.gate.ask_server().reject()
    own = empty.doorman.make(paths.default_workspace(), None)
    assert not own.by_keyring.isEnabled()
    assert "is being asked" in own.note.text()
    own.reject()
    started = time.monotonic()
    empty.close()
    assert time.monotonic() - started < 2.0
