"""A window on the demo deal, and nothing left behind by a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QStatusBar
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.app import leave_clipboard
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.look import theme
from clo_desktop.settings import Settings
from clo_desktop.window import Window
from clo_desktop.work import lanes
from clo_desktop.work.session import Session


@pytest.fixture(scope="session", autouse=True)
def clipboard_is_left_as_the_application_leaves_it() -> Iterator[None]:
    """Mime data of Python's left on the clipboard crash the interpreter when it ends."""
    yield
    if QApplication.instance() is not None:
        leave_clipboard()


@pytest.fixture(autouse=True)
def no_lane_stays_alive() -> Iterator[None]:
    """Fails a test that leaves a thread of the lanes behind."""
    yield
    until = time.monotonic() + 5.0
    while left := [t.name for t in threading.enumerate() if t.name.startswith("clo-")]:
        assert time.monotonic() < until, f"threads are left: {left}"
        time.sleep(0.01)


@pytest.fixture(autouse=True)
def lanes_do_not_rest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quiet work begins at once and lanes are looked at often; how smooth the window is, is tested as it is."""
    if request.module.__name__.rpartition(".")[2] != "test_window_smooth":
        monkeypatch.setattr(lanes, "_REST", 1)
        monkeypatch.setattr(lanes, "_BEAT", 10)


@pytest.fixture(autouse=True)
def unsaved_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where windows of a test keep what is not stored: nowhere near the user's."""
    monkeypatch.setattr(paths, "unsaved_folder", lambda: tmp_path / "unsaved")
    return tmp_path / "unsaved"


@pytest.fixture
def kept() -> list[Settings]:
    """The settings a window handed over when it closed."""
    return []


@pytest.fixture
def empty(qtbot: QtBot, qapp: QApplication, kept: list[Settings]) -> Iterator[Window]:
    """A window in which no workspace is open yet; it leaves no timer that goes on."""
    in_light(qapp)
    window = Window(Session(), Settings(theme="light"), kept.append)
    window.show()
    qtbot.waitExposed(window)
    yield window
    qtbot.waitUntil(lambda: window.cash_flows.filled)
    window.close()
    timers = [t for t in window.findChildren(QTimer) if t.isActive() and not t.isSingleShot()]
    assert [t for t in timers if not isinstance(t.parent(), QStatusBar)] == []  # Qt's own clears the message
    window.session.deleteLater()  # its connections would keep everything of the window alive
    window.deleteLater()
    in_light(qapp)


def in_light(app: QApplication) -> None:
    """The light theme, if it is not in use: dressing every widget anew takes a tenth of a second."""
    if theme.watcher().scheme != "light" or not theme.watcher().following:
        theme.apply(app, "light")


@pytest.fixture
def harbor(empty: Window, qtbot: QtBot, workspace: Path, warm: None) -> Window:
    """The window with the demo deal open, evaluated and projected."""
    session = empty.session
    session.open(workspace, lambda: session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=20_000)
    return empty
