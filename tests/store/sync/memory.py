"""A server and shelves in memory, with a network that loses acknowledgements: what the simulation runs on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random

from clo_desktop.faults import Refused
from clo_desktop.store.merge import NO_CHOICES, Choices, apply
from clo_desktop.store.sync.copies import Copy, Mark, Operation, empty
from clo_desktop.store.sync.server import Stored
from engine.terms import Book

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass
class MemoryServer:
    """One deal after another, each with its version; `applied` counts how often each change was carried out."""

    books: dict[str, Stored] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    name: str = "memory"

    def put(self, book: Book) -> None:
        version = self.books[book.deal.name].mark.version + 1 if book.deal.name in self.books else 1
        self.books[book.deal.name] = Stored(Mark(1, version, 0, 0), book)

    def marks(self, deal: str | None = None) -> dict[str, Mark]:
        return {name: stored.mark for name, stored in self.books.items() if deal in (None, name)}

    def load(self, deal: str) -> Stored | None:
        return self.books.get(deal)

    def applied(self, op_ids: Collection[str]) -> Mapping[str, int]:
        return {op_id: self.versions[op_id] for op_id in op_ids if op_id in self.versions}

    def apply(self, operation: Operation, choices: Choices = NO_CHOICES) -> Stored:
        if operation.op_id not in self.versions:
            theirs = self.books.get(operation.deal)
            self.put(apply(operation.delta, theirs.book if theirs else empty(operation.deal), choices))
            self.versions[operation.op_id] = self.books[operation.deal].mark.version
            self.times[operation.op_id] = self.times.get(operation.op_id, 0) + 1
        return self.books[operation.deal]

    def deleted(self, mark: Mark) -> dt.datetime | None:
        return None


@dataclass
class Lossy:
    """A server over a network: requests are lost, and so are answers to requests that were carried out."""

    server: MemoryServer
    chance: Random
    lost_answers: float = 0.15
    lost_requests: float = 0.05
    down: bool = False
    count: int = 0

    @property
    def name(self) -> str:
        return self.server.name

    def _reach(self) -> None:
        if self.down or self.chance.random() < self.lost_requests:
            raise Refused("The server cannot be reached; try again.", code="no-server")

    def marks(self, deal: str | None = None) -> dict[str, Mark]:
        self._reach()
        return self.server.marks(deal)

    def load(self, deal: str) -> Stored | None:
        self._reach()
        return self.server.load(deal)

    def applied(self, op_ids: Collection[str]) -> Mapping[str, int]:
        self._reach()
        return self.server.applied(op_ids)

    def apply(self, operation: Operation, choices: Choices = NO_CHOICES) -> Stored:
        self._reach()
        stored = self.server.apply(operation, choices)
        if self.chance.random() < self.lost_answers:
            self.count += 1
            raise Refused("The connection was lost; try again.", code="no-server")
        return stored

    def deleted(self, mark: Mark) -> dt.datetime | None:
        return self.server.deleted(mark)


@dataclass
class MemoryShelf:
    """Offline copies in memory."""

    copies: dict[str, Copy] = field(default_factory=dict)

    def copy(self, deal: str) -> Copy | None:
        return self.copies.get(deal)

    def put(self, copy: Copy) -> None:
        self.copies[copy.deal] = copy

    def change(self, deal: str, how: Callable[[Copy], Copy], *, seen: bool = True) -> Copy:
        self.copies[deal] = how(self.copies[deal])
        return self.copies[deal]

    def remove(self, deal: str) -> None:
        del self.copies[deal]
