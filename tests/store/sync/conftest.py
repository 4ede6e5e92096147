"""A server, an SQLite file and a PostgreSQL database alike, and workspace files that copy from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.store.merge import NO_CHOICES, Choices
from clo_desktop.store.sync.copies import Operation
from clo_desktop.store.sync.server import Stored, StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing


class LosingAnswers(StoreServer):
    """A server whose next answers to a change are lost, though it was applied."""

    lost = 0

    def apply(self, operation: Operation, choices: Choices = NO_CHOICES) -> Stored:
        stored = super().apply(operation, choices)
        if self.lost:
            self.lost -= 1
            raise Refused("The server cannot be reached; try again.", code="no-server")
        return stored


@dataclass
class Laptop:
    """A person's workspace file, and the way to the server."""

    store: Store
    server: LosingAnswers
    syncing: Syncing


@pytest.fixture
def laptop(tmp_path: Path, opened: Callable[[], Store]) -> Iterator[Callable[[], Laptop]]:
    """Makes another workspace file with a connection of its own to the server."""
    stores: list[Store] = []

    def make() -> Laptop:
        stores.append(open_store(tmp_path / f"laptop-{len(stores)}.clo"))
        server = LosingAnswers(opened())
        return Laptop(stores[-1], server, Syncing(FileShelf(stores[-1]), server))

    yield make
    for store in stores:
        store.close()
