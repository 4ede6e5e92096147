"""Deals of a server taken along in a file, and what waits on this computer to be sent: for the window, in the lanes."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject, Signal

from clo_desktop.faults import Cancelled, Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.store import open_store
from clo_desktop.store.delta import Delta, delta_of
from clo_desktop.store.local import files, vault
from clo_desktop.store.local.header import read_header
from clo_desktop.store.local.manner import Manner
from clo_desktop.store.merge import NO_CHOICES, Choices
from clo_desktop.store.sync.copies import NOWHERE, Operation
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Outcome, Syncing
from clo_desktop.work.desk import Desk
from clo_desktop.work.lanes import DATABASE, Task
from clo_desktop.work.session import Session

if TYPE_CHECKING:
    from clo_desktop.store.server.signing import SignIn
    from clo_desktop.work.membership import Membership

T = TypeVar("T")
Failed = Callable[[Refused | None], object]
"""Called with the refusal, None for a cancel."""


@dataclass(frozen=True, slots=True)
class Line:
    """How one deal stands.

    server   the address it was copied from; empty for a deal of the file's own
    waiting  changes that were made here and not sent;  gone  why the server has it no more, as a sentence
    theirs   what was changed on the server since; None: not asked
    """

    deal: str
    currency: str
    server: str = ""
    synchronised: dt.datetime | None = None
    waiting: tuple[Operation, ...] = ()
    gone: str = ""
    theirs: Delta | None = None


@dataclass(frozen=True, slots=True)
class TakenAlong:
    """What came of copying deals into a file. recovery_key  of a file that was made for it and is encrypted."""

    file: Path
    outcomes: tuple[Outcome, ...]
    recovery_key: str = ""


class Offline(QObject):
    """Of one session: the copies in its file, or the edits that wait for its server.

    changed    `lines` were read anew
    scenarios  what became of the libraries of scenarios when all was brought together, as a sentence; empty: nothing
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._who: Membership | None = None  # signed in for the copies of a file
        self.lines: tuple[Line, ...] = ()
        self.scenarios = ""
        session.leaving.connect(self._leave)

    @property
    def is_signed_in(self) -> bool:
        """Whether the server can be asked."""
        return self._session.seat.membership is not None or self._who is not None

    # -- taking along -------------------------------------------------------------------------------------------------

    def take(
        self, deals: Sequence[str], file: Path, manner: Manner, done: Callable[[TakenAlong], object], failed: Failed
    ) -> Task[TakenAlong]:
        """Copies deals of the open server into a file, which is made where there is none.

        Copies that are there already are brought up to date, and what was changed in them stays.
        """
        desk = self._session.open_desk()
        if self._session.seat.membership is None:
            raise Refused("Deals are taken along from a shared server; open one with File > Open server.")

        def work(report: Progress) -> TakenAlong:
            return _take(desk, deals, file, manner, report)

        return self._start("Copy deals", work, done, failed)

    # -- what waits ---------------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Reads how every deal stands, without the server."""

        def done(lines: tuple[Line, ...]) -> None:
            asked = {line.deal: line.theirs for line in self.lines}
            self.lines = tuple(replace(line, theirs=asked.get(line.deal)) for line in lines)
            self.changed.emit()

        self._session.ask("Offline copies", lambda desk, _report: _lines(desk), done)

    def sign_in(self, asked: SignIn, done: Callable[[], object], failed: Failed) -> Task[Membership]:
        """Signs in to the server of the copies of a file; what is open stays so, until `hang_up`."""
        from clo_desktop.work.membership import sign_in  # a file needs no driver of a server

        servers = sorted({line.server for line in self.lines if line.server})

        def work(report: Progress) -> Membership:
            who = sign_in(asked, report)
            if servers and who.desk.store.name not in servers:
                who.close()
                raise Refused(
                    f"The copies in this file are of {', '.join(servers)}; sign in there, as that person.",
                    code="address",
                )
            return who

        def signed_in(who: Membership) -> None:
            self.hang_up()
            self._who = who
            done()

        return self._start(f"Sign in to {asked.name}", work, signed_in, failed)

    def compare(self, done: Callable[[], object], failed: Failed) -> Task[tuple[Line, ...]]:
        """Asks the server what was changed there; nothing is brought together yet."""
        server = self._server()

        def work(report: Progress) -> tuple[Line, ...]:
            return _compared(self._session.open_desk(), server, report)

        def compared(lines: tuple[Line, ...]) -> None:
            self.lines = lines
            self.changed.emit()
            done()

        return self._start("Compare with the server", work, compared, failed)

    def synchronise(
        self,
        done: Callable[[tuple[Outcome, ...]], object],
        failed: Failed,
        deals: Sequence[str] | None = None,
        choices: Choices = NO_CHOICES,
    ) -> Task[tuple[tuple[Outcome, ...], str]]:
        """Brings deals (None: all) and the server together; what was refused before is tried again.

        choices  whose values to keep in one deal. What is not confirmed by the server waits on, whatever happens.
        With all deals the libraries of scenarios come together, too; `scenarios` says how.
        """
        server, desk = self._server(), self._session.open_desk()

        def work(report: Progress) -> tuple[tuple[Outcome, ...], str]:
            if desk.unsent is not None:
                return desk.send_unsent(deals, choices, again=True, report=report), ""
            syncing = Syncing(FileShelf(desk.store), server)
            try:
                outcomes = syncing.sync(deals, choices, again=True, report=report)
                return outcomes, syncing.exchange().words if deals is None else ""
            finally:
                desk.forget()

        def brought(found: tuple[tuple[Outcome, ...], str]) -> None:
            outcomes, self.scenarios = found
            self._others_are_known([outcome.deal for outcome in outcomes])
            moved = {outcome.deal for outcome in outcomes if outcome.pulled}
            self._session.deals = tuple(deal for deal in self._session.deals if deal.name not in moved)
            self._show()
            done(outcomes)

        def not_brought(refused: Refused | None) -> None:
            self._show()
            failed(refused)

        return self._start("Synchronise", work, brought, not_brought)

    def give(self, deal: str, done: Callable[[tuple[Outcome, ...]], object], failed: Failed) -> Task[Outcome]:
        """Gives the server a deal of the file's own, which is a copy from then on."""
        server, desk = self._server(), self._session.open_desk()

        def given(outcome: Outcome) -> None:
            self.scenarios = ""
            self._show()
            done((outcome,))

        return self._start(
            f"Give {deal}", lambda _report: Syncing(FileShelf(desk.store), server).give(deal), given, failed
        )

    def drop(self, deal: str) -> None:
        """Forgets the changes of a deal that wait; the deal is then as the server had it."""

        def work(desk: Desk, _report: Progress) -> int:
            if desk.unsent is not None:
                return desk.drop_unsent(deal)
            dropped = FileShelf(desk.store).drop(deal)
            desk.forget()
            return dropped

        def done(dropped: int) -> None:
            changes = "1 change was" if dropped == 1 else f"{dropped} changes were"
            self._session.said.emit(f"{changes} dropped; {deal} is as the server had it.")
            self._show()

        self._session.ask(f"Drop changes of {deal}", work, done)

    def hang_up(self) -> None:
        """Lets go of the server of a file's copies."""
        who, self._who = self._who, None
        if who is not None:
            with contextlib.suppress(Refused):  # of lanes that were shut down: the process ends
                self._session.beside("Sign out", who.close, lambda _nothing: None, lambda _refused: None)

    # -- helpers ------------------------------------------------------------------------------------------------------

    def _leave(self, _desk: Desk) -> None:
        """Another store is opened."""
        who, self._who = self._who, None
        if who is not None:
            who.close()
        self.lines = ()

    def _server(self) -> StoreServer:
        who = self._session.seat.membership or self._who
        if who is None:
            raise Refused("Nobody is signed in; sign in to the server of the copies first.", code="sign-in")
        return StoreServer(who.desk.store)

    def _others_are_known(self, deals: Sequence[str]) -> None:
        """What others changed in these deals came in."""
        self.lines = tuple(replace(line, theirs={}) if line.deal in deals else line for line in self.lines)

    def _show(self) -> None:
        """The window shows the deals as they are now."""
        session = self._session
        self.read()

        def listed() -> None:
            deal = session.deal
            if deal is None:
                return
            if deal in [d.name for d in session.deals]:
                session.reread()
            else:
                session.lost(deal)

        session.refresh(listed)

    def _start(self, name: str, work: Callable[[Progress], T], done: Callable[[T], object], failed: Failed) -> Task[T]:
        def refused(error: Exception) -> None:
            if not isinstance(error, Refused):
                raise error
            failed(error)

        return self._session.lanes.start(
            DATABASE, name, work, done=done, failed=refused, cancelled=lambda: failed(None)
        )


def _take(desk: Desk, deals: Sequence[str], file: Path, manner: Manner, report: Progress) -> TakenAlong:
    is_new = not file.exists()
    report(0.0, f"Opening {file.name}")
    try:
        with open_store(file, manner=replace(manner, alone=True)) as local:
            if local.file is not None and local.file.reading_only:
                raise Refused(f"{local.file.reading_only}; nothing was copied.", code="read-only")
            key, shelf = local.recovery_key if is_new else "", FileShelf(local)
            try:
                syncing = Syncing(shelf, StoreServer(desk.store))
                taken = TakenAlong(file, syncing.pull(deals, report), key)
                syncing.exchange(push=False)
                return taken
            finally:
                is_new = is_new and not shelf.standings()
    except (Refused, Cancelled):
        if is_new:  # nothing came: no empty file is left behind, and no key of it
            if file.exists() and (salt := read_header(file).salt):
                vault.forget(salt)
            files.remove(file)
        raise


def _lines(desk: Desk) -> tuple[Line, ...]:
    """The copies of a file and its own deals, or the deals of which edits wait for the server."""
    standings = desk.unsent.standings() if desk.unsent is not None else FileShelf(desk.store).standings()
    deals = {deal.name: deal.currency for deal in desk.deals()} if not desk.store.is_server else {}
    copied = [Line(s.deal, deals.get(s.deal, ""), s.server, s.pulled_at, s.waiting, s.gone) for s in standings]
    known = {line.deal for line in copied}
    return (*copied, *(Line(deal, currency) for deal, currency in deals.items() if deal not in known))


def _compared(desk: Desk, server: StoreServer, report: Progress = silent) -> tuple[Line, ...]:
    shelf = desk.unsent.shelf if desk.unsent is not None else FileShelf(desk.store)
    lines = _lines(desk)
    marks = server.marks()
    found: list[Line] = []
    for place, line in enumerate(lines):
        report(place / len(lines), f"Comparing {line.deal}")
        copy = shelf.copy(line.deal) if line.server == server.name else None
        if copy is None:
            found.append(line)
        elif copy.current and marks.get(line.deal) == copy.mark:
            found.append(replace(line, theirs={}))
        elif (stored := server.load(line.deal)) is not None:
            found.append(replace(line, theirs=delta_of(copy.base, stored.book)))
        elif copy.mark == NOWHERE:  # it is to be given to the server
            found.append(replace(line, theirs={}))
        else:
            gone = f"{line.deal} is not on the server any more, or not assigned to you."
            found.append(replace(line, gone=line.gone or gone))
    return tuple(found)
