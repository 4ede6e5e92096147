"""Work in the two lanes: where callbacks come, how it is cancelled, what is left behind."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.work.lanes import DATABASE, ENGINE, Lanes, State, Task


@pytest.fixture
def lanes(qtbot: QtBot) -> Iterator[Lanes]:
    made = Lanes()
    yield made
    assert made.shutdown()


def slices(report: Progress) -> int:
    for i in range(2000):
        report(i / 2000, f"slice {i}")
        time.sleep(0.005)
    return 2000


def test_that_a_result_is_handed_over_on_the_gui_thread(lanes: Lanes, qtbot: QtBot) -> None:
    told: list[tuple[int, threading.Thread]] = []
    worker: list[threading.Thread] = []

    def work(report: Progress) -> int:
        worker.append(threading.current_thread())
        report(0.5, "half")
        return 7

    task = lanes.start(ENGINE, "seven", work, done=lambda v: told.append((v, threading.current_thread())))
    qtbot.waitUntil(lambda: bool(told))
    assert told == [(7, threading.main_thread())]
    assert worker[0] is not threading.main_thread()
    assert task.state is State.DONE
    assert task.fraction == 1.0


def test_that_a_failure_reaches_the_failed_callback(lanes: Lanes, qtbot: QtBot) -> None:
    told: list[Exception] = []

    def work(report: Progress) -> None:
        raise Refused("No.")

    task = lanes.start(DATABASE, "no", work, failed=told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], Refused)
    assert task.state is State.FAILED


def test_that_a_failure_nobody_asked_for_goes_to_the_excepthook(
    lanes: Lanes, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *what: seen.append(what[1]))

    def work(report: Progress) -> None:
        raise ValueError("lost")

    lanes.start(ENGINE, "lost", work)
    qtbot.waitUntil(lambda: bool(seen))
    assert str(seen[0]) == "lost"


def test_that_a_bad_callback_does_not_keep_others_from_being_told(
    lanes: Lanes, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "excepthook", lambda *what: None)
    told: list[int] = []

    def bad(_value: int) -> None:
        raise RuntimeError("bad")

    lanes.start(ENGINE, "one", lambda report: 1, done=bad)
    lanes.start(ENGINE, "two", lambda report: 2, done=told.append)
    qtbot.waitUntil(lambda: told == [2])


def test_that_a_running_task_stops_soon_after_it_is_cancelled(lanes: Lanes, qtbot: QtBot) -> None:
    told: list[str] = []
    task = lanes.start(ENGINE, "long", slices, cancelled=lambda: told.append("cancelled"))
    qtbot.waitUntil(lambda: task.fraction > 0.0)
    begun = time.monotonic()
    task.cancel()
    qtbot.waitUntil(lambda: bool(told))
    assert time.monotonic() - begun < 0.5
    assert task.state is State.CANCELLED


def test_that_a_waiting_task_is_cancelled_before_it_begins(lanes: Lanes, qtbot: QtBot) -> None:
    gate = threading.Event()
    told: list[str] = []
    lanes.start(ENGINE, "first", lambda report: gate.wait(5))
    second = lanes.start(ENGINE, "second", slices, cancelled=lambda: told.append("second"))
    second.cancel()
    gate.set()
    qtbot.waitUntil(lambda: told == ["second"])
    assert second.started is None


def test_that_each_lane_runs_one_task_at_a_time_and_the_lanes_run_side_by_side(lanes: Lanes, qtbot: QtBot) -> None:
    at_once: dict[str, int] = {ENGINE: 0, DATABASE: 0}
    most: dict[str, int] = {ENGINE: 0, DATABASE: 0}
    met = threading.Barrier(2, timeout=5)

    def work_in(lane: str, meet: bool) -> None:
        at_once[lane] += 1
        most[lane] = max(most[lane], at_once[lane])
        if meet:
            met.wait()
        time.sleep(0.02)
        at_once[lane] -= 1

    for lane in (ENGINE, DATABASE):
        for i in range(3):
            lanes.start(lane, f"{lane} {i}", lambda report, lane=lane, i=i: work_in(lane, i == 0))
    qtbot.waitUntil(lambda: lanes.idle)
    assert most == {ENGINE: 1, DATABASE: 1}


def test_that_the_timer_runs_only_while_something_is_under_way(lanes: Lanes, qtbot: QtBot) -> None:
    assert not lanes.watching
    lanes.start(ENGINE, "short", lambda report: None)
    assert lanes.watching
    qtbot.waitUntil(lambda: lanes.idle)
    assert not lanes.watching


def test_that_progress_and_time_left_are_plain_fields_of_the_task(lanes: Lanes, qtbot: QtBot) -> None:
    gate = threading.Event()

    def work(report: Progress) -> None:
        report(0.25, "path 25 of 100")
        gate.wait(5)

    task = lanes.start(ENGINE, "paths", work)
    qtbot.waitUntil(lambda: task.what == "path 25 of 100")
    left = task.seconds_left
    assert left is not None
    assert left == pytest.approx(3 * task.elapsed, rel=0.5)
    gate.set()
    qtbot.waitUntil(lambda: lanes.idle)
    assert task.seconds_left is None


def test_that_the_time_left_is_unknown_before_anything_is_done() -> None:
    task: Task[None] = Task(ENGINE, "nothing yet", lambda report: None)
    assert task.seconds_left is None
    assert task.elapsed == 0.0


def test_that_a_shut_down_lane_leaves_no_thread_and_takes_no_work(qtbot: QtBot) -> None:
    lanes = Lanes()
    told: list[object] = []
    task = lanes.start(ENGINE, "long", slices, done=told.append, cancelled=lambda: told.append("cancelled"))
    qtbot.waitUntil(lambda: task.fraction > 0.0)
    assert lanes.shutdown()
    assert not lanes.watching
    qtbot.waitUntil(lambda: not [t for t in threading.enumerate() if t.name.startswith("clo-")])
    assert told == []
    with pytest.raises(Refused, match="closing"):
        lanes.start(ENGINE, "late", slices)
