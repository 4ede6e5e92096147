"""The shelf: ideas of the trade pad are stored as they change, and are there again after a restart."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from PySide6.QtCore import QObject, Signal

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.store import PoolState, StoredIdea
from clo_desktop.work import rights
from clo_desktop.work.desk import Desk
from clo_desktop.work.fingerprint import state_of
from clo_desktop.work.lanes import DATABASE
from clo_desktop.work.session import Session
from engine.terms import Book

_NO_DEAL: Final = "no-deal"


@dataclass(slots=True)
class _Shelf:
    """Of one deal: its ideas by key, and what of that the store does not have yet."""

    ideas: dict[str, StoredIdea]
    unsaved: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)

    @property
    def dirty(self) -> bool:
        return bool(self.unsaved or self.gone)


@dataclass(slots=True)
class _Batch:
    """One write that is under way; `stored` is what came of it."""

    deal: str
    ideas: tuple[StoredIdea, ...]
    gone: frozenset[str]
    stored: tuple[StoredIdea, ...] | None = None


class Shelf(QObject):
    """Lives on the GUI thread; writes in the database lane, one write at a time, always what is newest.

    changed  the ideas of the open deal are others
    moved    (old key, new key): somebody else had changed an idea, so that ours was stored beside it
    """

    changed = Signal()
    moved = Signal(str, str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._deals: dict[str, _Shelf] = {}
        self._batch: _Batch | None = None
        self._state: tuple[Book, PoolState] | None = None
        self._refused: list[tuple[str, StoredIdea]] = []  # when the workspace was closed
        self.failing = ""  # why the last write failed
        session.leaving.connect(self.flush)
        session.deals_changed.connect(self._forget)
        session.opened.connect(self._refused.clear)

    # -- what there is ------------------------------------------------------------------------------------------------

    def ideas(self, deal: str) -> tuple[StoredIdea, ...]:
        """The ideas of a deal, the oldest first; none before they were loaded."""
        shelf = self._deals.get(deal)
        return () if shelf is None else tuple(sorted(shelf.ideas.values(), key=lambda i: (i.created_at, i.key)))

    def idea(self, deal: str, key: str) -> StoredIdea | None:
        shelf = self._deals.get(deal)
        return None if shelf is None else shelf.ideas.get(key)

    def loaded(self, deal: str) -> bool:
        return deal in self._deals

    @property
    def unsaved(self) -> int:
        """How many ideas the store does not have as they are."""
        return sum(len(shelf.unsaved) for shelf in self._deals.values())

    def waiting(self) -> list[tuple[str, StoredIdea]]:
        """The ideas that the store does not have as they are, each with its deal; those that it refused to the last."""
        here = [
            (deal, shelf.ideas[key])
            for deal, shelf in self._deals.items()
            for key in sorted(shelf.unsaved)
            if key in shelf.ideas
        ]
        return here or list(self._refused)

    def load(self, deal: str, done: Callable[[], object]) -> None:
        """Reads the ideas of the open deal; `done` is called if it is open still."""

        def read(desk: Desk, name: str) -> tuple[tuple[StoredIdea, ...], Book, PoolState]:
            book = desk.book(name)
            return desk.store.ideas(name), book, state_of(book)

        def came(found: tuple[tuple[StoredIdea, ...], Book, PoolState]) -> None:
            ideas, book, state = found
            self._state = (book, state)
            if deal not in self._deals:
                self._deals[deal] = _Shelf({i.key: i for i in ideas})
            self.changed.emit()
            done()

        self._session.look(f"Ideas of {deal}", read, came)

    def state(self) -> PoolState:
        """What the pool of the open deal looks like now."""
        book = self._session.book
        assert book is not None
        if self._state is None or self._state[0] is not book:
            self._state = (book, state_of(book))
        return self._state[1]

    @property
    def why_not(self) -> str:
        """Why nothing is stored for whoever is signed in, as a sentence; empty where it is."""
        return self._session.seat.why_not(rights.KEEP)

    # -- changes ------------------------------------------------------------------------------------------------------

    def fresh(self, name: str) -> StoredIdea:
        """A new idea on the open deal as it is now; it is not on the shelf yet."""
        now, desk = dt.datetime.now(dt.UTC), self._session.desk
        author = None if desk is None else desk.store.person
        return StoredIdea(uuid.uuid4().hex, name, (), self.state(), now, now, author=author)

    def put(self, deal: str, idea: StoredIdea) -> None:
        """An idea as it is now; stored in the background."""
        shelf = self._deals.setdefault(deal, _Shelf({}))
        shelf.ideas[idea.key] = replace(idea, changed_at=dt.datetime.now(dt.UTC))
        if not self.why_not:
            shelf.unsaved.add(idea.key)
        self.changed.emit()
        self._write()

    def delete(self, deal: str, key: str) -> None:
        """Without that idea, in the store too."""
        shelf = self._deals.get(deal)
        if shelf is None or shelf.ideas.pop(key, None) is None:
            return
        shelf.unsaved.discard(key)
        if not self.why_not:
            shelf.gone.add(key)
        self.changed.emit()
        self._write()

    def _forget(self) -> None:
        """Deals that are gone took their ideas with them."""
        there = {d.name for d in self._session.deals}
        for deal in [d for d in self._deals if d not in there and d != self._session.deal]:
            del self._deals[deal]

    # -- writing ------------------------------------------------------------------------------------------------------

    def _next(self) -> _Batch | None:
        """What is to be written next."""
        for deal, shelf in self._deals.items():
            if shelf.dirty:
                ideas = tuple(shelf.ideas[key] for key in shelf.unsaved if key in shelf.ideas)
                return _Batch(deal, ideas, frozenset(shelf.gone))
        return None

    def _write(self) -> None:
        desk = self._session.desk
        batch = self._next() if self._batch is None else None
        if desk is None or batch is None:
            return
        self._batch = batch

        def work(_report: Progress) -> None:
            batch.stored = desk.store.save_ideas(batch.deal, batch.ideas, batch.gone)

        def done(_nothing: None) -> None:
            self._settle()
            self._write()

        def failed(error: Exception) -> None:
            self._batch = None
            if not isinstance(error, Refused):
                raise error
            if error.code == _NO_DEAL:
                self._deals.pop(batch.deal, None)
                self._write()
                return
            first, self.failing = not self.failing, error.message
            if first:  # once: the next change tries again
                self._session.refused.emit(f"The ideas of {batch.deal} are not stored yet: {error.message}")

        def cancelled() -> None:
            self._batch = None

        try:
            self._session.lanes.start(
                DATABASE,
                f"Store ideas of {batch.deal}",
                work,
                done=done,
                failed=failed,
                cancelled=cancelled,
                quiet=True,
            )
        except Refused:  # the window is closing: `flush` writes
            self._batch = None

    def _settle(self) -> None:
        """What was written is no longer unsaved, unless it changed meanwhile."""
        batch, self._batch = self._batch, None
        if batch is None or batch.stored is None:
            return
        self.failing = ""
        shelf = self._deals.get(batch.deal)
        if shelf is None:
            return
        shelf.gone -= batch.gone
        for asked, kept in zip(batch.ideas, batch.stored, strict=True):
            now = shelf.ideas.pop(asked.key, None)
            if now is None:  # deleted meanwhile
                shelf.gone |= {kept.key} if kept.key != asked.key else set()
                continue
            if now is asked:
                shelf.unsaved.discard(asked.key)
                shelf.ideas[kept.key] = kept
            else:
                shelf.unsaved.discard(asked.key)
                shelf.unsaved.add(kept.key)
                shelf.ideas[kept.key] = replace(now, key=kept.key, version=kept.version)
            if kept.key != asked.key:
                self._session.said.emit(f"Somebody else changed {asked.name}; yours was stored as {kept.name}.")
                self.moved.emit(asked.key, kept.key)

    def flush(self, desk: Desk) -> None:
        """Writes what is not stored yet, at once: the workspace is being closed. Then nothing is on the shelf."""
        self._settle()
        self._refused.clear()
        while (batch := self._next()) is not None:
            try:
                batch.stored = desk.store.save_ideas(batch.deal, batch.ideas, batch.gone)
            except Refused as refused:
                self.failing = refused.message
                if refused.code != _NO_DEAL:
                    self._refused += [(batch.deal, idea) for idea in batch.ideas]
                    self._session.refused.emit(f"Ideas of {batch.deal} could not be stored: {refused.message}")
                self._deals.pop(batch.deal)
                continue
            self._batch = batch
            self._settle()
        self._deals.clear()
        self._state = None
