"""Edits of a server's deals that the server could not be told of: kept in a file on this computer until it can. No Qt.

The file holds offline copies of the edited deals, made by the first edit that found no server, and their outbox: an
edit that is kept here is flushed to the disk, survives the process, and is applied once by its identifier.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.store import Store, open_store
from clo_desktop.store.delta import delta_of
from clo_desktop.store.local import files, vault
from clo_desktop.store.local.header import read_header
from clo_desktop.store.local.manner import Manner
from clo_desktop.store.merge import NO_CHOICES, Choices
from clo_desktop.store.retries import sqlstate
from clo_desktop.store.sync import copies
from clo_desktop.store.sync.copies import Copy, Mark, State
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf, Standing
from clo_desktop.store.sync.syncing import READ_ONLY, Outcome, Syncing
from engine.terms import Book

_AWAY: Final = frozenset({"no-server", "busy"})
_MOST: Final = 20  # windows of one person on one server that are offline at once


class Unsent:
    """Of one person on one server. Used in the database lane; the plain fields may be read elsewhere.

    away      whether the server did not answer when it was spoken to last
    deals     those of which edits are kept here
    waiting   changes that are kept here, those that were refused included;  refused  of these, those
    """

    def __init__(self, server: StoreServer, folder: Path) -> None:
        self.away = False
        self.waiting = self.refused = 0
        self._server = server
        self._folder = folder
        self._name = f"unsent-{hashlib.sha256(server.name.encode()).hexdigest()[:16]}"
        self._store: Store | None = None
        self.deals: frozenset[str] = frozenset()

    @staticmethod
    def is_away(refused: Refused) -> bool:
        """Whether a refusal says that the server could not be told, and not that it does not allow it."""
        return refused.code in _AWAY or sqlstate(refused) == READ_ONLY

    def recover(self) -> None:
        """Take up what an earlier window of this person left unsent. Raises Refused where its file does not open."""
        faults = [fault for file in self._files() if file.exists() and (fault := self._hold(file))]
        self._count()
        if faults:
            raise faults[0]

    def holds(self, deal: str) -> bool:
        """Whether edits of this deal are kept here, so that it is read and edited here until they are sent."""
        return deal in self.deals

    def book(self, deal: str) -> Book:
        """The deal with the edits that wait."""
        return self._opened().load(deal)

    def edit(self, base: Book, mine: Book, choices: Choices = NO_CHOICES) -> Book:
        """As `Store.edit`, of a deal that is held here."""
        stored = self._opened().edit(base, mine, choices)
        self._count()
        return stored

    def keep(self, known: Book, mark: Mark, mine: Book, op_id: str, *, sent: bool) -> None:
        """Keep the first edit of a deal.

        known, mark  the deal as the server had it when it was read, and that state
        sent         whether the edit may have reached the server, under the identifier

        Raises Refused where it cannot be written.
        """
        deal, now = known.deal.name, dt.datetime.now(dt.UTC)
        state = State.SENT if sent else State.WAITING
        change = copies.Operation(op_id, deal, max(mark.version, 1), delta_of(known, mine), now, state)
        made = Copy(deal, self._server.name, known, mark, now, (change,), current=False)
        self.shelf.put(made)
        self._count()

    @property
    def shelf(self) -> FileShelf:
        """The copies of the file, which is made where there is none."""
        return FileShelf(self._opened())

    def standings(self) -> tuple[Standing, ...]:
        return FileShelf(self._store).standings() if self._store is not None else ()

    def send(
        self,
        deals: Iterable[str] | None = None,
        choices: Choices = NO_CHOICES,
        *,
        again: bool = False,
        report: Progress = silent,
    ) -> tuple[Outcome, ...]:
        """Bring what waits and the server together, and let go of deals of which nothing waits any more.

        Arguments as of `Syncing.sync`. Raises Refused where the server cannot be asked; everything that it has not
        confirmed is kept.
        """
        if self._store is None:
            return ()
        shelf = FileShelf(self._store)
        try:
            outcomes = Syncing(shelf, self._server).sync(deals, choices, again=again, report=report)
        finally:
            for standing in shelf.standings():
                self.release(standing.deal)
            self._count()
        return outcomes

    def drop(self, deal: str) -> int:
        """Forget the edits of a deal that wait; how many."""
        dropped = self.shelf.drop(deal)
        self.release(deal)
        self._count()
        return dropped

    def release(self, deal: str) -> None:
        """Read the deal from the server again, unless edits of it wait."""
        if self._store is not None:
            with contextlib.suppress(Refused):  # with the code "waiting": an edit came in between
                self._store.delete(deal)

    def close(self) -> None:
        """Let go of the file; it is removed where nothing waits in it."""
        store, self._store = self._store, None
        if store is None:
            return
        empty = not FileShelf(store).standings()
        file = store.file
        store.close()
        if empty and file is not None:
            salt = read_header(file.file).salt
            with contextlib.suppress(OSError):
                files.remove(file.file)
            if file.key is not None:
                vault.forget(salt)

    def _files(self) -> Iterator[Path]:
        for number in range(1, _MOST + 1):
            yield self._folder / (f"{self._name}.clo" if number == 1 else f"{self._name}-{number}.clo")

    def _opened(self) -> Store:
        """The file; one that another window holds, or that does not open, is passed over."""
        fault: Refused | None = None
        for file in self._files():
            if self._store is not None:
                break
            fault = self._hold(file) or fault
        if self._store is None:
            raise fault or Refused(f"All files in {self._folder} are in use; close other windows.", code="folder")
        return self._store

    def _hold(self, file: Path) -> Refused | None:
        """Open a file, unless one is open or another window has this one; why it does not open."""
        if self._store is not None:
            return None
        new = not file.exists()
        try:
            store = open_store(file, manner=Manner(alone=True, encrypt=new and vault.is_there()))
        except Refused as fault:
            return fault
        if store.file is not None and store.file.reading_only:
            store.close()
            return None
        if new:
            with contextlib.suppress(OSError):
                file.chmod(0o600)
        self._store = store
        return None

    def _count(self) -> None:
        found = self.standings()
        self.deals = frozenset(standing.deal for standing in found)
        self.waiting = sum(len(standing.waiting) for standing in found)
        self.refused = sum(len(standing.refused) for standing in found)
