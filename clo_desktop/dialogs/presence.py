"""Whether a person is there: what is typed and pointed at in our windows, and what the system says about itself."""

from __future__ import annotations

import sys
from typing import Final

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QGuiApplication, QWindow

from clo_desktop.dialogs.system_signals import SystemSignals
from clo_desktop.work.lock import Lock

_SIGNS: Final = frozenset(
    {
        QEvent.Type.KeyPress,
        QEvent.Type.MouseButtonPress,
        QEvent.Type.MouseMove,
        QEvent.Type.Wheel,
        QEvent.Type.TabletMove,
        QEvent.Type.TouchBegin,
        QEvent.Type.TouchUpdate,
    }
)


class Presence(QObject):
    """Tells a lock that somebody is there, and that the system was locked or goes to sleep.

    Linux says so over D-Bus. Of Windows and macOS only the sleep is noticed, by the clocks of the lock.
    """

    def __init__(self, lock: Lock, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = lock
        self._listens = False
        self._system = SystemSignals(self)
        self._system.covered.connect(self.covered)
        self._system.sleeps.connect(self.sleeps)

    def begin(self) -> None:
        """Watches from now on; may be called again."""
        app = QGuiApplication.instance()
        if self._listens or not isinstance(app, QGuiApplication):
            return
        self._listens = True
        app.focusWindowChanged.connect(self._follow)
        self._follow(QGuiApplication.focusWindow())
        if sys.platform.startswith("linux"):
            self._system.begin()

    def end(self) -> None:
        """Watches no more."""
        app = QGuiApplication.instance()
        if self._listens and isinstance(app, QGuiApplication):
            app.focusWindowChanged.disconnect(self._follow)
            self._system.end()
            self._listens = False

    def _follow(self, window: QWindow | None) -> None:
        # on the window of the system, not on the application: a filter there would see every event of every widget
        if window is not None:
            window.removeEventFilter(self)
            window.installEventFilter(self)
            self._lock.touched()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if self._listens and event.type() in _SIGNS:
            self._lock.touched()
        return False

    def covered(self, active: bool) -> None:
        """The system's own screen lock came on, or went."""
        if active and self._lock.minutes:
            self._lock.lock("The screen of this computer was locked.")

    def sleeps(self, begins: bool) -> None:
        """The computer is about to sleep, or woke up."""
        if begins and self._lock.minutes:
            self._lock.lock("The computer was asleep.")
        self._lock.look()
