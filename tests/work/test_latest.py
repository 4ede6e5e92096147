"""Work asked for again and again: the last wish is done, those between are not, what is quick is not stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.work.lanes import Lanes
from clo_desktop.work.latest import PATIENCE, Latest


@pytest.fixture
def latest(qtbot: QtBot) -> Iterator[Latest]:
    lanes = Lanes()
    yield Latest(lanes, "Study")
    lanes.shutdown()


def gated(gate: threading.Event, value: int, ran: list[int]) -> Callable[[Progress], int]:
    def work(report: Progress) -> int:
        gate.wait(5.0)
        ran.append(value)
        return value

    return work


def test_that_of_many_wishes_the_first_and_the_last_are_done(latest: Latest, qtbot: QtBot) -> None:
    gate, ran, told = threading.Event(), [], []
    for value in range(6):
        latest.ask(gated(gate, value, ran), told.append)
    gate.set()
    qtbot.waitUntil(lambda: latest.idle)
    assert ran == [0, 5]
    assert told == [0, 5]


def test_that_what_takes_long_is_stopped_for_the_next_wish(latest: Latest, qtbot: QtBot) -> None:
    told: list[str] = []

    def slow(report: Progress) -> str:
        for k in range(2000):
            report(k / 2000, "still")
            time.sleep(0.005)
        return "slow"

    latest.ask(slow, told.append)
    qtbot.waitUntil(lambda: latest.task is not None and latest.task.elapsed > PATIENCE)
    latest.ask(lambda report: "quick", told.append)
    qtbot.waitUntil(lambda: latest.idle, timeout=3000)
    assert told == ["quick"]


def test_that_a_refusal_is_told_and_the_next_wish_is_done(latest: Latest, qtbot: QtBot) -> None:
    told: list[str] = []
    latest.refused.connect(told.append)

    def refusing(report: Progress) -> None:
        raise Refused("The deal has no class Q.")

    latest.ask(refusing, told.append)
    latest.ask(lambda report: "done", told.append)
    qtbot.waitUntil(lambda: latest.idle)
    assert told == ["The deal has no class Q.", "done"]


def test_that_a_cancelled_wish_is_told_as_stopped_unless_another_follows(latest: Latest, qtbot: QtBot) -> None:
    told: list[str] = []
    latest.stopped.connect(lambda: told.append("stopped"))

    def waiting(report: Progress) -> None:
        while True:
            report(0.5, "waiting")
            time.sleep(0.002)

    latest.ask(waiting, told.append)
    qtbot.waitUntil(lambda: latest.task is not None and latest.task.elapsed > 0.0)
    assert latest.task is not None
    latest.task.cancel()
    qtbot.waitUntil(lambda: latest.idle)
    assert told == ["stopped"]
    latest.ask(waiting, told.append)
    latest.drop()
    qtbot.waitUntil(lambda: latest.idle)
    assert told == ["stopped"]


def test_that_nothing_is_told_of_what_was_dropped(latest: Latest, qtbot: QtBot) -> None:
    gate, ran, told = threading.Event(), [], []
    latest.ask(gated(gate, 1, ran), told.append)
    latest.ask(gated(gate, 2, ran), told.append)
    latest.drop()
    gate.set()
    qtbot.waitUntil(lambda: latest.idle)
    assert 2 not in ran


def test_that_quick_work_does_not_wait_for_the_beat_of_the_lanes(latest: Latest, qtbot: QtBot) -> None:
    took = []
    for _ in range(5):
        started = time.perf_counter()
        latest.ask(lambda report: None, lambda nothing, started=started: took.append(time.perf_counter() - started))
        qtbot.waitUntil(lambda: latest.idle)
    assert min(took) < 0.045  # a beat is 50 ms
