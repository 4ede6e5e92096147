"""The people of the shared server for the window: read and administered in the database lane."""

from __future__ import annotations

import secrets
import string
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from clo_desktop.faults import Refused
from clo_desktop.work import rights
from clo_desktop.work.lanes import DATABASE, Task
from clo_desktop.work.session import Session

if TYPE_CHECKING:
    from clo_desktop.store.server.people import People, Person
    from clo_desktop.work.membership import Membership

T = TypeVar("T")
Failed = Callable[[Refused], object]

_LETTERS: Final = "".join(c for c in string.ascii_letters + string.digits if c not in "0O1lI")  # told apart on paper
_GROUPS, _GROUP = 4, 5


@dataclass(frozen=True, slots=True)
class Listed:
    """Everybody of the server, the sessions each has open by e-mail address, and the names of the deals."""

    people: tuple[Person, ...] = ()
    sessions: Counter[str] = field(default_factory=Counter)
    deals: tuple[str, ...] = ()

    def find(self, email: str) -> Person | None:
        return next((person for person in self.people if person.email == email), None)


def new_password() -> str:
    """An initial password: four groups of letters and figures, about 116 bits."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)


class Register(QObject):
    """What administrators do with people. `listed` is what was read last.

    changed        the people were read anew, or nobody may read them any more
    password_made  carries the e-mail address and the initial password of a person, to be shown once
    step_up        the password has to be said again first: carries what to call then
    """

    changed = Signal()
    password_made = Signal(str, str)
    step_up = Signal(object)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._whose: Membership | None = None
        self.listed = Listed()
        session.seat.changed.connect(self._settle)

    @property
    def is_mine(self) -> bool:
        """Whether whoever is signed in may administer people."""
        return self._session.seat.membership is not None and not self._session.seat.why_not(rights.MANAGE)

    def refresh(self) -> None:
        """Reads the people anew."""
        who = self._session.seat.membership
        if who is None or not self.is_mine:
            return

        def work(people: People) -> Listed:
            sessions = Counter(s.email for s in people.sessions())
            return Listed(people.everybody(), sessions, tuple(d.name for d in who.desk.deals()))

        def done(found: Listed) -> None:
            if self._session.seat.membership is who:
                self.listed = found
                self.changed.emit()

        self._start(
            "List people", lambda: who.ask(work), done, lambda refused: self._session.refused.emit(refused.message)
        )

    def create(self, email: str, full_name: str, role: str) -> None:
        """A new person, with an initial password that is shown once."""
        password = new_password()
        self._act(
            f"Create {email}",
            lambda people: people.create(email, full_name, role, password),
            f"{email} may sign in as {role}.",
            lambda: self.password_made.emit(email.strip().lower(), password),
        )

    def reset_password(self, email: str) -> None:
        """Another initial password for someone who forgot theirs; it lifts a lock too."""
        password = new_password()
        self._act(
            f"Reset the password of {email}",
            lambda people: people.reset_password(email, password),
            f"{email} has a new password.",
            lambda: self.password_made.emit(email, password),
        )

    def set_role(self, email: str, role: str) -> None:
        self._act(f"Role of {email}", lambda people: people.set_role(email, role), f"{email} is {role} now.")

    def assign(self, email: str, wanted: dict[str, str | None]) -> None:
        """Assigns deals, each to "read" or "write", or (None) no more. One after the other; all that work are kept."""

        def work(people: People) -> None:
            for deal, access in wanted.items():
                people.assign(email, deal, access)

        self._act(f"Deals of {email}", work, f"The deals of {email} were assigned.")

    def set_active(self, email: str, active: bool) -> None:
        if active:
            self._act(f"Activate {email}", lambda people: people.activate(email), f"{email} may sign in again.")
        else:
            said = f"{email} is shut out; open sessions were ended."
            self._act(f"Deactivate {email}", lambda people: people.deactivate(email), said)

    def unlock(self, email: str) -> None:
        said = f"{email} may say the password again."
        self._act(f"Unlock {email}", lambda people: people.unlock(email), said)

    def end_sessions(self, email: str) -> None:
        said = f"The sessions of {email} were ended."
        self._act(f"End the sessions of {email}", lambda people: people.end_sessions(email), said)

    def change_password(self, present: str, password: str, done: Callable[[], object], failed: Failed) -> Task[None]:
        """A new password of one's own, after the present one was said."""
        who = self._session.seat.membership
        if who is None:
            raise Refused("Nobody is signed in; the password of a file is changed by File > Encryption.")

        def work() -> None:
            who.prove(present)
            who.change_password(password)

        return self._start("Change the password", work, lambda _nothing: done(), failed)

    def prove(self, password: str, done: Callable[[], object], failed: Failed) -> Task[None]:
        """Says the password again, for a step-up or to unlock the window."""
        who = self._session.seat.membership
        if who is None:
            raise Refused("Nobody is signed in.")
        return self._start("Check the password", lambda: who.prove(password), lambda _nothing: done(), failed)

    def _act(
        self, name: str, what: Callable[[People], object], said: str, then: Callable[[], object] | None = None
    ) -> None:
        """Does something that needs the password said again within five minutes, and lists the people anew."""
        who = self._session.seat.membership
        if who is None:
            raise Refused("People are administered on a shared server; open one from the File menu.")

        def again() -> None:
            self._act(name, what, said, then)

        if not who.stepped_up:
            self.step_up.emit(again)
            return

        def done(_answer: object) -> None:
            self._session.said.emit(said)
            if then is not None:
                then()
            self.refresh()

        def failed(refused: Refused) -> None:
            if refused.code == "step-up":
                self.step_up.emit(again)
                return
            self._session.refused.emit(refused.message)
            self.refresh()

        self._start(name, lambda: who.ask(what), done, failed)

    def _start(self, name: str, work: Callable[[], T], done: Callable[[T], object], failed: Failed) -> Task[T]:
        def refused(error: Exception) -> None:
            if not isinstance(error, Refused):
                raise error
            failed(error)

        return self._session.lanes.start(DATABASE, name, lambda _report: work(), done=done, failed=refused)

    def _settle(self) -> None:
        """Somebody else sits here, or may do something else."""
        who = self._session.seat.membership if self.is_mine else None
        if who is not self._whose:
            self._whose = who
            self.listed = Listed()
            self.changed.emit()
            self.refresh()
