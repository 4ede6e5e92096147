"""Who sits at the window: whoever signed in on a shared server, and what they may do there; nobody where a file is
open, in which everything may be done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from clo_desktop import paths
from clo_desktop.faults import Refused
from clo_desktop.work import rights
from clo_desktop.work.lanes import DATABASE, Task

if TYPE_CHECKING:
    from clo_desktop.store.server.people import Person
    from clo_desktop.store.server.signing import SignIn
    from clo_desktop.work.membership import Membership
    from clo_desktop.work.session import Session


OUT: Final = frozenset({"sign-in", "not-registered"})
"""Codes with which a server says that a person who was signed in is no longer let in."""


class Seat(QObject):
    """The person of a session. Signs in and out in the database lane.

    changed     somebody signed in or out, or may do more or less than before; or another deal is open
    signed_out  nothing is open any more, and nothing of it may stay in sight
    """

    changed = Signal()
    signed_out = Signal()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._session = session
        self.membership: Membership | None = None
        self.person: Person | None = None
        session.book_changed.connect(lambda _book: self.changed.emit())

    def why_not(self, permission: str, deal: str | None = None) -> str:
        """Why this may not be done with a deal (None: the open one), as a sentence; empty where it may."""
        return rights.why_not(self.person, permission, deal or self._session.deal)

    def check(self, permission: str, deal: str | None = None) -> None:
        """Raises Refused where this may not be done with a deal (None: the open one)."""
        if why := self.why_not(permission, deal):
            raise Refused(why, code="rights")

    def sign_in(
        self, asked: SignIn, done: Callable[[], object], failed: Callable[[Refused | None], object]
    ) -> Task[Membership]:
        """Signs in to a server and opens it; `failed` has the refusal, None for a cancel.

        `done` is called once its deals are listed.
        """
        from clo_desktop.work.membership import sign_in  # a file needs no driver of a server

        def took(who: Membership) -> None:
            if task.cancelling:  # after the last moment at which it could be heard
                who.close()
                failed(None)
                return
            self._session.take(who.desk, who.where, who, done)

        def refused(error: Exception) -> None:
            if not isinstance(error, Refused):
                raise error
            failed(error)

        task = self._session.lanes.start(
            DATABASE,
            f"Sign in to {asked.name}",
            lambda report: sign_in(asked, report, paths.unsent_folder()),
            done=took,
            failed=refused,
            cancelled=lambda: failed(None),
        )
        return task

    def sign_out(self) -> None:
        """Stops what runs, closes what is open, and shows nothing of it any more."""
        self._session.leave()
        self.signed_out.emit()

    def take(self, who: Membership | None) -> None:
        """Somebody else sits here: None where a file is open, or nothing."""
        self.membership = who
        self.knows(who.person if who is not None else None)

    def knows(self, person: Person | None) -> None:
        """Takes the person as the server says it; what is offered follows."""
        before, self.person = self.person, person
        if before != person:
            self.changed.emit()
