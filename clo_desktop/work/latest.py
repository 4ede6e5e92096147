"""Work asked for again and again, as while a slider moves: what was asked for last is what is shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.work.lanes import ENGINE, Lanes, Task

PATIENCE: Final = 0.15
"""Seconds that work may have left from being asked for: what takes longer is stopped for what is asked for next."""

_GLANCE: Final = 4  # ms between looks at whether it has ended


class Latest(QObject):
    """One piece of work at a time in a lane. Asked for more meanwhile, the last one follows, the others never
    run; what is quick is not stopped, so that a moving slider is followed.

    refused  a sentence: the work could not be done
    stopped  somebody cancelled it, and nothing else was asked for
    """

    refused = Signal(str)
    stopped = Signal()

    def __init__(self, lanes: Lanes, name: str, parent: QObject | None = None, *, lane: str = ENGINE) -> None:
        super().__init__(parent)
        self._lanes, self._name, self._lane = lanes, name, lane
        self._next: tuple[Callable[[Progress], Any], Callable[[Any], object]] | None = None
        self.task: Task[Any] | None = None
        self._dropped = False
        self._glance = QTimer(self)
        self._glance.setSingleShot(True)
        self._glance.setInterval(_GLANCE)
        self._glance.timeout.connect(self._look)

    @property
    def idle(self) -> bool:
        return self.task is None and self._next is None

    def ask(self, work: Callable[[Progress], Any], done: Callable[[Any], object]) -> None:
        """`done` is called with what `work` returns, unless something else was asked for before it began."""
        self._next = (work, done)
        if self.task is None:
            self._begin()
        elif self.task.elapsed > PATIENCE:
            self.task.cancel()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._next = None
        if self.task is not None:
            self._dropped = True
            self.task.cancel()

    def _begin(self) -> None:
        assert self._next is not None
        (work, done), self._next = self._next, None
        self._dropped = False
        try:
            self.task = self._lanes.start(
                self._lane,
                self._name,
                work,
                done=lambda result: self._ended(lambda: done(result)),
                failed=self._failed,
                cancelled=self._cancelled,
            )
        except Refused:  # the window is closing
            return
        self._glance.start()

    def _ended(self, then: Callable[[], object] | None) -> None:
        self.task = None
        self._glance.stop()
        try:
            if then is not None:
                then()
        finally:
            if self._next is not None:
                self._begin()

    def _cancelled(self) -> None:
        wanted = self._next is None and not self._dropped
        self._ended(self.stopped.emit if wanted else None)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, Refused):
            self._ended(None)
            raise error
        self._ended(lambda: self.refused.emit(error.message))

    def _look(self) -> None:
        """Work of a few milliseconds need not wait for the next beat of the lanes."""
        task = self.task
        if task is None or not any(t is task for t in self._lanes.under_way):
            return
        if task.ended is not None:
            self._lanes.look()
        if self.task is not None:
            self._glance.start()
