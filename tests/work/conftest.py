"""A session on a workspace of its own, and nothing left behind by a test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop.work.session import Session


@pytest.fixture(autouse=True)
def no_lane_stays_alive() -> Iterator[None]:
    """Fails a test that leaves a thread of the lanes behind."""
    yield
    until = time.monotonic() + 5.0
    while left := [t.name for t in threading.enumerate() if t.name.startswith("clo-")]:
        assert time.monotonic() < until, f"threads are left: {left}"
        time.sleep(0.01)


@pytest.fixture
def session(qtbot: QtBot, workspace: Path, warm: None) -> Iterator[Session]:
    """A session with the stocked workspace open and its rail evaluated; no deal is chosen."""
    made = Session()
    made.open(workspace)
    qtbot.waitUntil(lambda: made.lanes.idle, timeout=20_000)
    yield made
    made.close()
    assert made.lanes.idle
    assert not made.lanes.watching
