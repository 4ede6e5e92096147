"""When the window locks: after minutes without a person, when the system locks or sleeps, or when it is asked to.

Times are those of the clock on the wall: a timer that counts running seconds forgets the night a laptop slept through.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

BEAT: Final = 2_000
"""Milliseconds between looks at the clocks."""

JUMP: Final = 10.0
"""Seconds by which the wall's clock may run ahead of the machine's before that is a sleep."""

TRIES: Final = 5
"""Wrong passphrases in a row after which it waits."""

PAUSE: Final = 60.0
"""Seconds it waits then."""

STILL: Final = 120.0
"""Seconds between two looks that mean a sleep where the machine's clock runs on in it."""


class Lock(QObject):
    """Whether the window is locked. `touched` is called whenever a person types or points.

    locked    carries why, as a sentence
    unlocked  the person proved who it is
    """

    locked = Signal(str)
    unlocked = Signal()

    def __init__(
        self,
        parent: QObject | None = None,
        wall: Callable[[], float] = time.time,
        machine: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(parent)
        self._wall, self._machine = wall, machine
        self._minutes = 0
        self._touched = wall()
        self._looked = wall(), machine()
        self.is_locked = False
        self._tries = 0
        self._shut_until = 0.0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(BEAT)
        self._timer.timeout.connect(self.look)

    @property
    def minutes(self) -> int:
        """Minutes without a person until it locks, and whether a sleep locks at all; 0: only when asked to."""
        return self._minutes

    def set_minutes(self, minutes: int) -> None:
        self._minutes = minutes
        self._touched = self._wall()
        self._looked = self._wall(), self._machine()
        if minutes:
            self._timer.start()
        else:
            self._timer.stop()

    def touched(self) -> None:
        """Somebody is there."""
        self._touched = self._wall()

    def look(self) -> None:
        """Compares the clocks; at every beat, and whenever the system says that it woke up."""
        before, self._looked = self._looked, (self._wall(), self._machine())
        wall, machine = self._looked[0] - before[0], self._looked[1] - before[1]
        if not self._minutes:
            return
        if wall - machine > JUMP or wall > STILL:
            self.lock("The computer was asleep.")
        elif self._looked[0] - self._touched >= self._minutes * 60:
            self.lock(f"Nobody was here for {self._minutes} minutes.")
        elif self._looked[0] < self._touched:  # the clock was set back
            self._touched = self._looked[0]
        self._timer.start()

    def wrong(self) -> None:
        """What was typed to unlock was wrong, and nobody else counts."""
        self._tries += 1
        if self._tries % TRIES == 0:
            self._shut_until = self._wall() + PAUSE

    @property
    def waits(self) -> float:
        """Seconds until it may be tried again."""
        return max(self._shut_until - self._wall(), 0.0)

    def lock(self, why: str) -> None:
        """Locks; nothing happens where it is locked already."""
        if not self.is_locked:
            self.is_locked = True
            self.locked.emit(why)

    def unlock(self) -> None:
        """Lets the person in, who has proved to be the same."""
        self._tries = 0
        self.touched()
        if self.is_locked:
            self.is_locked = False
            self.unlocked.emit()

    def stop(self) -> None:
        """Looks no more."""
        self._timer.stop()
