"""Looks at a shared server every half minute: whether the open deal was changed, what one may do, whether it answers.

Edits that wait because the server did not answer are sent as soon as it does. Of a file it knows how many changes of
offline copies wait to be sent.

A hint that a deal was changed makes it look at once. A hint is never believed: the deal is read.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.work.lanes import DATABASE
from clo_desktop.work.seat import OUT
from clo_desktop.work.session import Session

if TYPE_CHECKING:
    from clo_desktop.store.server.people import Person
    from clo_desktop.store.sync.hints import Hints
    from clo_desktop.store.sync.syncing import Outcome

Stamp = tuple[int, int]

BEAT: Final = 30_000
"""Milliseconds between looks."""

_FIRST_PAUSE: Final = 1_000  # milliseconds before a server that did not answer is asked again; doubled each time


class Watch(QObject):
    """Of one session; at rest while a file is open.

    reached  the server began, or ceased, to answer: carries which
    waits    another number of changes waits
    sent     edits that had waited were sent: carries the Outcome of each deal
    """

    reached = Signal(bool)
    waits = Signal()
    sent = Signal(object)
    _heard = Signal(object)  # from the thread that listens

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._known: tuple[str, Stamp] | None = None  # the open deal, and what is shown of it
        self._asking = self._once_more = False
        self.answers = True
        self.waiting = self.refused = 0
        self._failed = 0  # looks in a row that were not answered
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)  # a server that is slow to answer is not asked again meanwhile
        self._timer.timeout.connect(self.look)
        self._hints: Hints | None = None
        self._heard.connect(self._hear, Qt.ConnectionType.QueuedConnection)
        session.leaving.connect(self._hush)
        session.seat.changed.connect(self._settle)
        session.book_changed.connect(self._forget)
        session.book_changed.connect(self.count)
        session.edited.connect(self.count)

    def count(self, _changed: object = None) -> None:
        """How many changes wait: in the outbox of a file, or because the server does not answer."""
        session = self._session
        if session.desk is None:
            self._wait(0)
        elif session.seat.membership is None:
            session.ask("Waiting changes", lambda desk, _report: desk.store.waiting, self._wait, quiet=True)
        elif (unsent := session.desk.unsent) is not None:
            if unsent.away and self.answers:
                self._failed = max(self._failed, 1)
                self._say(False)
                self._pause()
            self._wait(unsent.waiting, unsent.refused)

    def _wait(self, waiting: int, refused: int = 0) -> None:
        before, (self.waiting, self.refused) = (self.waiting, self.refused), (waiting, refused)
        if before != (waiting, refused):
            self.waits.emit()

    def hinted(self, deal: str) -> None:
        """Somebody says that a deal was changed."""
        if deal == self._session.deal:
            self._known = None
            self.look()

    def _hear(self, names: frozenset[str]) -> None:
        for name in names:
            self.hinted(name)

    def _listen(self) -> None:
        """Hears of changes within a second where somebody is signed in."""
        who = self._session.seat.membership
        if who is not None and self._hints is None:
            from clo_desktop.store.sync.hints import Hints  # a file needs none

            self._hints = Hints(who.desk.store, self._heard.emit)
            self._hints.start()

    def _hush(self, _desk: object = None) -> None:
        """The store is about to be closed: its listener ends first."""
        hints, self._hints = self._hints, None
        if hints is not None:
            hints.stop(1.0)

    def look(self) -> None:
        """Asks the server; quietly, when nothing else is under way."""
        who, deal, session = self._session.seat.membership, self._session.deal, self._session
        if who is None:
            return
        if self._asking:
            self._once_more = True  # what is under way may have looked before what it is asked for now
            return
        self._asking = True

        def work(_report: Progress) -> tuple[Person, Stamp | None, tuple[Outcome, ...]]:
            person = who.look()
            outcomes = who.desk.send_unsent()
            try:
                return person, None if deal is None else who.desk.store.stamp(deal), outcomes
            except Refused as refused:
                if refused.code != "no-deal":
                    raise
                return person, None, outcomes

        def done(found: tuple[Person, Stamp | None, tuple[Outcome, ...]]) -> None:
            self._failed = 0
            self._rest()
            if session.seat.membership is not who:
                return
            if who.desk.unsent is not None:
                who.desk.unsent.away = False
            self._say(True)
            self.count()
            if found[2]:
                self.sent.emit(found[2])
            session.seat.knows(found[0])
            if deal is None or session.deal != deal:
                return
            if found[1] is None:
                session.lost(deal)
            elif self._known != (deal, found[1]):
                self._known = (deal, found[1])
                session.reread()

        def failed(error: Exception) -> None:
            self._failed += 1
            self._rest()
            if not isinstance(error, Refused):
                raise error
            if session.seat.membership is not who:
                return
            if error.code in OUT:
                session.seat.sign_out()
                session.refused.emit(
                    f"You were signed out of {who.name}: an administrator has shut you out, or your password was"
                    " changed. Sign in again, or ask an administrator."
                )
                return
            if who.desk.unsent is not None:
                who.desk.unsent.away = True
            self._say(False)
            self.count()

        session.lanes.start(
            DATABASE, "Look at the server", work, done=done, failed=failed, cancelled=self._rest, quiet=True
        )

    def stop(self) -> None:
        """Looks no more."""
        self._timer.stop()
        self._hush()

    def _say(self, answers: bool) -> None:
        before, self.answers = self.answers, answers
        if before != answers:
            self.reached.emit(answers)

    def _rest(self) -> None:
        again, self._asking, self._once_more = self._once_more, False, False
        if self._session.seat.membership is None:
            return
        if again:
            self._timer.start(0)
        else:
            self._pause()

    def _pause(self) -> None:
        """The next look: soon after one that was not answered, later after several."""
        pause = _FIRST_PAUSE * 2 ** min(self._failed, 6) * random.uniform(0.7, 1.0)
        self._timer.start(round(min(BEAT, pause)) if self._failed else BEAT)

    def _settle(self) -> None:
        self._listen()
        if self._session.seat.membership is None:
            self._timer.stop()
            self.answers, self._failed = True, 0
        elif not self._timer.isActive() and not self._asking:
            self._timer.start(BEAT)

    def _forget(self, _book: object) -> None:
        self._known = None
