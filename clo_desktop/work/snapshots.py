"""The snapshots of the open deal's tests, and taking one, for the window."""

from __future__ import annotations

import datetime as dt

from PySide6.QtCore import QObject, Signal

from clo_desktop.store import Snapshot
from clo_desktop.work import history
from clo_desktop.work.session import Session


class Snapshots(QObject):
    """Lives on the GUI thread.

    found   `stored` and `ahead` are those of the open deal as it is now, the oldest first
    stored  the snapshots;  ahead: the tests at coming dates, while they are looked ahead to
    """

    found = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.stored: tuple[Snapshot, ...] = ()
        self.ahead: tuple[Snapshot, ...] = ()
        self._looks_ahead = False
        session.compliance_changed.connect(self._read)
        session.compliance_changed.connect(lambda _done: self._foresee())

    def of(self, as_of: dt.date | None) -> Snapshot | None:
        """The snapshot of a date."""
        return next((s for s in self.stored if s.as_of == as_of), None)

    def take(self) -> None:
        """Stores the tests of the open deal as they are now. Raises Refused where no deal is open."""
        self._session.act("Take snapshot", history.take, lambda taken: self._said(taken.words))

    def drop(self, as_of: dt.date) -> None:
        """Deletes the snapshot of a date."""
        self._session.act(
            "Delete snapshot",
            lambda desk, deal: history.drop(desk, deal, as_of),
            lambda _nothing: self._said(f"The snapshot of {as_of.isoformat()} was deleted."),
        )

    def look_ahead(self, on: bool) -> None:
        """Look ahead to the coming dates from now on, or no more."""
        self._looks_ahead = on
        self._foresee()

    def _said(self, words: str) -> None:
        self._session.said.emit(words)
        self._read(self._session.compliance)

    def _read(self, done: object) -> None:
        if done is None or self._session.book is None:
            self.stored = ()
            self.found.emit()
            return

        def came(stored: tuple[Snapshot, ...]) -> None:
            self.stored = stored
            self.found.emit()

        self._session.look(f"Snapshots of {self._session.deal}", history.trend, came)

    def _foresee(self) -> None:
        """What is ahead of the open deal, while that is wanted."""
        if self.ahead:
            self.ahead = ()
            self.found.emit()
        if not self._looks_ahead or self._session.compliance is None or self._session.book is None:
            return

        def came(ahead: tuple[Snapshot, ...]) -> None:
            if self._looks_ahead:
                self.ahead = ahead
                self.found.emit()

        self._session.look(f"Tests of {self._session.deal} at coming dates", history.ahead, came)
