"""Somebody signed in on a shared server: the desk there, who it is, and the proof that it is still the same. No Qt."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from clo_desktop import paths
from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.store.local import recovery
from clo_desktop.store.passwords import hashed, matches
from clo_desktop.store.server.people import People, Person
from clo_desktop.store.server.signing import SignIn
from clo_desktop.work.desk import Desk

T = TypeVar("T")

STEP_UP: Final = 270.0
"""Seconds for which a password that was said again holds here; the server's five minutes, and a margin."""

TRIES: Final = 5
"""Wrong passwords, while the server does not answer, after which nobody is let in here without it."""


class Membership:
    """The desk of one signed-in person. Not thread-safe: it is used in the database lane.

    person    who it is and what they may do, as known last
    slip_key  what encrypts what this person has not stored yet; None where nothing could
    """

    def __init__(self, asked: SignIn, desk: Desk, people: People) -> None:
        self.desk = desk
        self.where = asked.kept
        self.name = asked.name
        self.person: Person = people.me()
        self._people: People | None = people
        self.slip_key = recovery.key_from(paths.unsaved_folder(), self.where, asked.password)
        self._stepped: float | None = None
        self._wrong = 0
        self._hash = ""
        self._closed = False
        with contextlib.suppress(Refused):  # a password that our rules would not allow is asked of the server only
            self._hash = hashed(asked.password)

    @property
    def stepped_up(self) -> bool:
        """Whether the password was said again a moment ago, so that it need not be asked for."""
        return self._stepped is not None and time.monotonic() - self._stepped < STEP_UP

    def look(self) -> Person:
        """Reads anew who it is. Raises Refused, with a code of `seat.OUT` for somebody who is no longer let in."""
        self.person = self._again(lambda people: people.me())
        return self.person

    def ask(self, what: Callable[[People], T]) -> T:
        """Asks the register something. A connection that was lost is made anew first; nothing is done twice."""
        people = self._again(lambda people: (people.me(), people)[1])
        try:
            return what(people)
        except Refused as refused:
            if refused.code == "step-up":
                self._stepped = None
            raise

    def prove(self, password: str) -> None:
        """Says the password again. Raises Refused for a wrong one, and after too many.

        While the server does not answer, the password is compared with the one that was signed in with.
        """
        try:
            self._again(lambda people: people.step_up(password))
        except Refused as refused:
            if refused.code != "no-server" or not self._hash:
                raise
            self._prove_here(password)
        else:
            self._stepped, self._wrong = time.monotonic(), 0

    def _prove_here(self, password: str) -> None:
        if self._wrong >= TRIES:
            raise Refused(
                f"Too many wrong passwords, and {self.name} cannot be reached; try again once it answers.",
                code="locked-out",
            )
        if not matches(password, self._hash):
            self._wrong += 1
            raise Refused("That is not your password; type it again.", code="wrong-password")
        self._wrong = 0

    def change_password(self, password: str) -> None:
        """A new password of one's own. Raises Refused; code "step-up" where the present one has to be said first."""
        self.ask(lambda people: people.change_password(password))
        self._hash = hashed(password)
        self.slip_key = recovery.key_from(paths.unsaved_folder(), self.where, password)

    def close(self) -> None:
        """Lets go of both connections; nothing of the person is left."""
        if self._people is not None:
            self._people.close()
        self._hash = ""
        self._closed = True
        self.desk.close()

    def _again(self, what: Callable[[People], T]) -> T:
        """What may be asked twice; the second time over a new connection, where the first one was lost."""
        if self._closed:
            raise Refused(f"You are signed out of {self.name}; sign in again.", code="signed-out")
        if self._people is not None:
            try:
                return what(self._people)
            except Refused as refused:
                if refused.code not in ("no-server", "database"):
                    raise
            self._people.close()
            self._people = self._stepped = None
        self._people = self.desk.store.people()
        return what(self._people)


def sign_in(asked: SignIn, report: Progress = silent, unsent: Path | None = None) -> Membership:
    """Signs in and opens the desk there. Raises Refused with a sentence, Cancelled when `report` says so.

    unsent  the folder where edits are kept while the server does not answer; None: they are refused then

    A wrong user and a wrong password are refused in the same words.
    """
    asked = asked.checked()
    report(0.1, f"Connecting to {asked.name}")
    desk = Desk(asked.whole)
    try:
        report(0.6, "Reading what you may do")
        people = desk.store.people()
        try:
            made = Membership(asked, desk, people)
            if unsent is not None:
                _keep_unsent(desk, unsent)
            report(0.9, "Signed in")
        except BaseException:
            people.close()
            raise
    except BaseException:
        desk.close()
        raise
    return made


def _keep_unsent(desk: Desk, folder: Path) -> None:
    """What an earlier window left unsent must not keep anybody out."""
    try:
        desk.keep_unsent(folder)
    except Refused as refused:
        desk.store.notice = f"Changes that were not sent wait on this computer and cannot be read: {refused.message}"
