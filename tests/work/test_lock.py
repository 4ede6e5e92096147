"""When a window locks, by the clocks."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QApplication

from clo_desktop.work.lock import JUMP, PAUSE, STILL, TRIES, Lock


class Clocks:
    def __init__(self) -> None:
        self.wall, self.machine = 1_000_000.0, 50.0

    def pass_by(self, seconds: float, machine: float | None = None) -> None:
        self.wall += seconds
        self.machine += seconds if machine is None else machine


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def lock(qapp: QApplication, clocks: Clocks) -> Lock:
    made = Lock(wall=lambda: clocks.wall, machine=lambda: clocks.machine)
    made.set_minutes(10)
    made.stop()
    return made


def spend(lock: Lock, clocks: Clocks, seconds: int, *, busy: bool) -> None:
    for _ in range(0, seconds, 2):
        clocks.pass_by(2.0)
        if busy:
            lock.touched()
        lock.look()
        lock.stop()


def test_that_it_locks_after_its_minutes_without_anybody_and_not_before(lock: Lock, clocks: Clocks) -> None:
    said: list[str] = []
    lock.locked.connect(said.append)
    spend(lock, clocks, 3600, busy=True)
    spend(lock, clocks, 598, busy=False)
    assert not lock.is_locked
    spend(lock, clocks, 2, busy=False)
    assert lock.is_locked
    assert said == ["Nobody was here for 10 minutes."]
    lock.unlock()
    spend(lock, clocks, 598, busy=False)
    assert not lock.is_locked


@pytest.mark.parametrize(("wall", "machine"), [(JUMP + 3, 1.0), (8 * 3600, 2.0), (STILL + 1, STILL + 1)])
def test_that_a_sleep_locks_whether_the_machines_clock_stood_or_ran(
    lock: Lock, clocks: Clocks, wall: float, machine: float
) -> None:
    clocks.pass_by(wall, machine)
    lock.look()
    lock.stop()
    assert lock.is_locked


@pytest.mark.parametrize("wall", [-3600.0, JUMP - 1])
def test_that_a_clock_that_is_set_back_or_corrected_a_little_does_not_lock(
    lock: Lock, clocks: Clocks, wall: float
) -> None:
    clocks.pass_by(wall, 2.0)
    lock.look()
    spend(lock, clocks, 590, busy=False)
    assert not lock.is_locked


def test_that_it_never_locks_by_itself_where_that_is_switched_off(lock: Lock, clocks: Clocks) -> None:
    lock.set_minutes(0)
    clocks.pass_by(86_400, 1.0)
    lock.look()
    assert not lock.is_locked
    lock.lock("You locked it.")
    assert lock.is_locked


def test_that_wrong_passphrases_make_it_wait(lock: Lock, clocks: Clocks) -> None:
    lock.lock("x")
    for _ in range(TRIES - 1):
        lock.wrong()
    assert lock.waits == 0.0
    lock.wrong()
    assert lock.waits == PAUSE
    clocks.pass_by(PAUSE)
    assert lock.waits == 0.0
