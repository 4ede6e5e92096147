"""Two lanes of one thread each for work that must not hold up the window.

"engine" runs kernels, "database" the store. Two kernels at once abort the process, hence one engine lane. No Qt object
is touched off the GUI thread: a task has plain fields, and a timer on the GUI side reads them and settles what ended.
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
        future: Future[Any],
        done: Callable[[Any], object] | None,
        failed: Callable[[Exception], object] | None,
        cancelled: Callable[[], object] | None,
    ) -> None:
        self.task = task
        self.future = future
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
        self._pools = {lane: ThreadPoolExecutor(1, thread_name_prefix=f"clo-{lane}") for lane in LANES}
        self._flights: list[_Flight] = []
        self._closed = False
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT)
        self._timer.timeout.connect(self._look)

    def start(
        self,
        lane: str,
        name: str,
        work: Callable[[Progress], T],
        *,
        done: Callable[[T], object] | None = None,
        failed: Callable[[Exception], object] | None = None,
        cancelled: Callable[[], object] | None = None,
    ) -> Task[T]:
        """Queue `work` in a lane and return its task; one of the three callbacks is called on the GUI thread.

        A failure nobody asked for goes to `sys.excepthook`. Raises Refused once the lanes were shut down.
        """
        if self._closed:
            raise Refused("The application is closing; start it again to run this.")
        task = Task(lane, name, work)
        self._flights.append(_Flight(task, self._pools[lane].submit(task.run), done, failed, cancelled))
        if not self._timer.isActive():
            self._timer.start()
        self.changed.emit()
        return task

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
        futures = [flight.future for flight in self._flights if not flight.future.cancelled()]
        left = concurrent.futures.wait(futures, timeout=patience).not_done
        self._flights = [flight for flight in self._flights if flight.future in left]
        return not left

    def _look(self) -> None:
        ended = [flight for flight in self._flights if flight.future.done()]
        if ended:
            self._flights = [flight for flight in self._flights if flight not in ended]
        if not self._flights:
            self._timer.stop()
        for flight in ended:
            try:
                self._settle(flight)
            except Exception:
                # one bad callback must not keep the others from being told
                sys.excepthook(*sys.exc_info())
            self.settled.emit(flight.task)
        self.changed.emit()

    @staticmethod
    def _settle(flight: _Flight) -> None:
        task = flight.task
        try:
            value = flight.future.result()
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
