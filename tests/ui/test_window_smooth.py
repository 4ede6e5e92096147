"""The event loop never stalls while work is under way, and Qt calls do not lose references."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.look import theme
from clo_desktop.settings import Settings
from clo_desktop.window import Window
from clo_desktop.work.session import Session
from engine.assumptions import Assumptions

LONGEST = 0.100  # seconds between two beats of a 10 ms timer


class Watchdog:
    """Measures the longest time the event loop did not come round."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer()
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = time.perf_counter()
        self.longest = max(self.longest, now - self._last)
        self._last = now

    def stop(self) -> float:
        """The longest stall in seconds, the time since the last beat included."""
        self._beat()
        self._timer.stop()
        return self.longest


def _stall(qtbot: QtBot, workspace: Path) -> float:
    """The longest stall of an import of the demo deal and a run of it, in a window that is new."""
    session = Session()
    window = Window(session, Settings(theme="light"), lambda settings: None)
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    session.open(workspace)
    qtbot.waitUntil(lambda: session.lanes.idle)
    watchdog = Watchdog()
    window.porter.import_demo()
    qtbot.waitUntil(lambda: session.lanes.idle, timeout=20_000)
    assert session.deal == DEMO_DEAL
    session.run(Assumptions(cdr=0.03))
    qtbot.waitUntil(lambda: session.lanes.idle and window.cash_flows.filled, timeout=20_000)
    stall = watchdog.stop()
    window.close()
    return stall


@pytest.mark.alone
@pytest.mark.usefixtures("warm", "qapp")
def test_that_the_event_loop_never_stalls_while_importing_and_running(qtbot: QtBot, tmp_path: Path) -> None:
    theme.apply(qtbot._request.getfixturevalue("qapp"), "light")
    stalls = []
    for attempt in range(3):  # another process may hold the machine: the best of three counts
        stalls.append(_stall(qtbot, tmp_path / f"{attempt}.clo"))
        if stalls[-1] < LONGEST:
            break
    assert min(stalls) < LONGEST, f"stalls of {', '.join(f'{s * 1000:.0f} ms' for s in stalls)}"


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None is immortal from Python 3.12 on")
def test_that_calls_into_qt_do_not_lose_references_of_none(qtbot: QtBot) -> None:
    """A binding that hands out a None it does not own ends the process after some ten thousand calls."""
    widget = QWidget()
    qtbot.addWidget(widget)
    before = sys.getrefcount(None)
    for _ in range(1000):
        widget.update()
        widget.setToolTip("")
    assert sys.getrefcount(None) > before - 200


def test_that_a_process_that_copied_from_a_table_ends_cleanly() -> None:
    script = """
from PySide6.QtWidgets import QApplication
app = QApplication([])
from clo_desktop.app import leave_clipboard
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
table = FrameTable(Frame((Column("id", "Id", "id"),), {"id": ["A", "B"]}, key="id"), name="Copied")
table.grid.selectAll()
table.copy()
assert "A" in app.clipboard().text()
leave_clipboard()
assert "A" in app.clipboard().text()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
