"""Two lanes of one thread each for work that must not hold up the window.

"engine" runs kernels, "database" the store: each does its work in the order asked. (A grid's kernels run on several
threads; none uses numba's parallel layer.) No Qt object is touched off the GUI thread: a task has plain fields, and a
timer on the GUI side reads them and settles what ended.
"""

from __future__ import annotations

import concurrent.futures
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from clo_desktop.faults import Cancelled, Refused
from clo_desktop.progress import Progress

T = TypeVar("T")

ENGINE: Final = "engine"
DATABASE: Final = "database"
LANES: Final = (ENGINE, DATABASE)

_TURN: Final = 0.001  # seconds a thread may hold Python's lock while another waits; Python's own are five times as long
_REST: Final = 2  # beats without anything under way before quiet work begins
_BEAT: Final = 50  # ms between looks at what is under way
_TOO_EARLY: Final = 0.02  # fraction below which the time left is anybody's guess


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Task(Generic[T]):
    """One piece of work. The worker writes the fields, the GUI side reads them; each is one plain assignment.

    fraction  done so far, 0 to 1             what     what is being done, for people
    started   monotonic seconds, or None while it waits   ended  likewise, None until it ended
    """

    def __init__(self, lane: str, name: str, work: Callable[[Progress], T]) -> None:
        self.lane = lane
        self.name = name
        self.fraction = 0.0
        self.what = ""
        self.started: float | None = None
        self.ended: float | None = None
        self.state = State.WAITING
        self._work = work
        self._cancelled = False

    def cancel(self) -> None:
        """Ask it to stop: at its next report, or before it begins."""
        self._cancelled = True

    @property
    def cancelling(self) -> bool:
        return self._cancelled

    @property
    def elapsed(self) -> float:
        """Seconds it has been running; 0 while it waits."""
        if self.started is None:
            return 0.0
        return (self.ended if self.ended is not None else time.monotonic()) - self.started

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far, or None where it is too early to say."""
        if self.state is not State.RUNNING or self.fraction <= _TOO_EARLY:
            return None
        return self.elapsed * (1.0 - self.fraction) / self.fraction

    def report(self, fraction: float, what: str) -> None:
        """The progress handed to the work. Raises Cancelled once the task was cancelled."""
        self.fraction = min(max(fraction, 0.0), 1.0)
        self.what = what
        if self._cancelled:
            raise Cancelled

    def run(self) -> T:
        """Runs in the lane."""
        if self._cancelled:
            raise Cancelled
        self.started = time.monotonic()
        self.state = State.RUNNING
        try:
            return self._work(self.report)
        finally:
            self.ended = time.monotonic()


class _Flight:
    """A task with its future and what to call when it ends."""

    def __init__(
        self,
        task: Task[Any],
        future: Future[Any] | None,
        done: Callable[[Any], object] | None,
        failed: Callable[[Exception], object] | None,
        cancelled: Callable[[], object] | None,
        quiet: bool,
    ) -> None:
        self.task = task
        self.future = future  # None: not begun, because it is quiet or everything is held
        self.quiet = quiet
        self.done = done
        self.failed = failed
        self.cancelled = cancelled


class Lanes(QObject):
    """The two lanes. Lives on the GUI thread; every callback and signal comes there.

    changed  something began, went on or ended; carries nothing: read `under_way`
    settled  carries the task that ended, after its callback
    """

    changed = Signal()
    settled = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        sys.setswitchinterval(_TURN)  # the window's thread is asked for its turn by two others
        self._pools = {lane: ThreadPoolExecutor(1, thread_name_prefix=f"clo-{lane}") for lane in LANES}
        self._flights: list[_Flight] = []
        self._closed = False
        self._held = False
        self._rested = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT)
        self._timer.timeout.connect(self.look)

    def start(
        self,
        lane: str,
        name: str,
        work: Callable[[Progress], T],
        *,
        done: Callable[[T], object] | None = None,
        failed: Callable[[Exception], object] | None = None,
        cancelled: Callable[[], object] | None = None,
        quiet: bool = False,
    ) -> Task[T]:
        """Queue `work` in a lane and return its task; one of the three callbacks is called on the GUI thread.

        quiet  nobody waits for it: it begins when nothing else is under way, one such work at a time

        A failure nobody asked for goes to `sys.excepthook`. Raises Refused once the lanes were shut down.
        """
        if self._closed:
            raise Refused("The application is closing; start it again to run this.")
        task = Task(lane, name, work)
        future = None if quiet or self._held else self._pools[lane].submit(task.run)
        self._flights.append(_Flight(task, future, done, failed, cancelled, quiet))
        if not self._timer.isActive():
            self._timer.start()
        self.changed.emit()
        return task

    def hold(self) -> None:
        """What is started from now on begins at `release`: while the window fills, nothing else asks for the lock."""
        self._held = True

    def release(self) -> None:
        self._held = False
        if not self._closed:
            for flight in self._flights:
                if flight.future is None and not flight.quiet:
                    flight.future = self._pools[flight.task.lane].submit(flight.task.run)

    @property
    def under_way(self) -> tuple[Task[Any], ...]:
        """Tasks that wait or run, oldest first."""
        return tuple(flight.task for flight in self._flights)

    @property
    def idle(self) -> bool:
        return not self._flights

    @property
    def watching(self) -> bool:
        """Whether the timer runs: only while something is under way."""
        return self._timer.isActive()

    def cancel_all(self) -> None:
        for flight in self._flights:
            flight.task.cancel()

    def shutdown(self, patience: float = 5.0) -> bool:
        """Cancel everything and wait up to `patience` seconds; True when nothing is left running.

        Callbacks of what ended are not called: the window they belong to is going.
        """
        self._closed = True
        self._timer.stop()
        self.cancel_all()
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        # what was cancelled before it began never counts as done for `wait`
        begun = [flight.future for flight in self._flights if flight.future is not None]
        left = concurrent.futures.wait([f for f in begun if not f.cancelled()], timeout=patience).not_done
        self._flights = [flight for flight in self._flights if flight.future in left]
        return not left

    def look(self) -> None:
        """Settles what has ended, one task a turn of the event loop: at every beat, and at once for who calls it."""
        ended = next((f for f in self._flights if f.future is not None and f.future.done()), None)
        if ended is not None:
            self._flights.remove(ended)
            QTimer.singleShot(0, self, self._look_again)
            self._rested = 0
        elif self._flights and all(flight.quiet and flight.future is None for flight in self._flights):
            self._rested += 1  # what was settled last is still being painted
        if self._rested >= _REST and self._flights and self._flights[0].future is None:
            self._rested = 0
            first = self._flights[0]
            first.future = self._pools[first.task.lane].submit(first.task.run)
        if not self._flights:
            self._timer.stop()
        if ended is not None:
            try:
                self._settle(ended, ended.future)
            except Exception:
                # one bad callback must not keep the others from being told
                sys.excepthook(*sys.exc_info())
            self.settled.emit(ended.task)
        self.changed.emit()

    def _look_again(self) -> None:
        if self._flights and not self._closed:
            self.look()

    @staticmethod
    def _settle(flight: _Flight, future: Future[Any] | None) -> None:
        task = flight.task
        try:
            value = None if future is None else future.result()
        except (Cancelled, concurrent.futures.CancelledError):
            task.state = State.CANCELLED
            if flight.cancelled is not None:
                flight.cancelled()
            return
        except Exception as fault:
            task.state = State.FAILED
            if flight.failed is None:
                raise
            flight.failed(fault)
            return
        task.state = State.DONE
        task.fraction = 1.0
        if flight.done is not None:
            flight.done(value)
