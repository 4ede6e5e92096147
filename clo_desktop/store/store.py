"""The store: where deals are kept between sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import books, records
from clo_desktop.store.connection import address, claim, connect, reading, spoken, translating, writing
from clo_desktop.store.merge import NO_CHOICES, Choices, merge
from clo_desktop.store.migrate import migrate
from clo_desktop.store.records import DealSummary, ImportRecord
from clo_desktop.store.schema import assets
from engine.asset import Asset
from engine.terms import Book

if TYPE_CHECKING:
    from clo_desktop.store.server.people import People

PATIENCE = 10.0
"""Seconds a locked database is waited for."""


class Store:
    """Deals, their books and the history of imports, in one database. Made by `open_store`.

    Every method is one transaction and raises Refused with a sentence where the database cannot do it.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        """The file's path, or the server's address without the password."""
        return spoken(self._engine.url)

    @property
    def is_server(self) -> bool:
        """Whether others work in it too, each with rights of their own."""
        return self._engine.dialect.name != "sqlite"

    def people(self) -> People:
        """The register of the server, over a connection of its own. Raises Refused for a file."""
        from clo_desktop.store.server.people import People  # a file needs no driver of a server

        if not self.is_server:
            raise Refused(f"{self.name} is a file, which has no people; open a shared server.", code="no-server")
        return People(self._engine)

    def deals(self) -> tuple[DealSummary, ...]:
        """All deals at a glance, by name."""
        with reading(self._engine) as on:
            return records.summaries(on)

    def load(self, name: str) -> Book:
        """The book of the deal `name`. Raises Refused naming the known deals."""
        with reading(self._engine) as on:
            book = books.load_book(on, name)
            if book is None:
                raise self._unknown(on, name)
            return book

    def save(self, book: Book, record: ImportRecord | None = None) -> None:
        """Write `book`, replacing the deal of its name and updating the asset master, and note the import if it is one.

        All or nothing.
        """
        with writing(self._engine) as on:
            books.save_book(on, book, dt.datetime.now(dt.UTC))
            if record is not None:
                records.add_import(on, record)

    def edit(self, base: Book, mine: Book, choices: Choices = NO_CHOICES) -> Book:
        """Write what was changed from `base` to `mine` into the deal as it is stored now; the book that is stored then.

        What others changed meanwhile is kept: cells are joined three ways. Raises Clashing, with the cells both
        changed, where `choices` do not say whose to keep; Refused where the deal is gone. Then nothing is written.
        """
        if base.deal.name != mine.deal.name:
            raise ValueError("a deal is not renamed by an edit")
        with writing(self._engine) as on:
            theirs = books.load_book(on, base.deal.name, to_change=True)
            if theirs is None:
                raise self._unknown(on, base.deal.name)
            joined = merge(base, mine, theirs, choices)
            books.save_book(on, joined, dt.datetime.now(dt.UTC))
            return joined

    def version(self, name: str) -> int:
        """How often the deal `name` was stored with a change. Raises Refused naming the known deals."""
        with reading(self._engine) as on:
            found = books.find_deal(on, name)
            if found is None:
                raise self._unknown(on, name)
            return int(found["version"])

    def delete(self, name: str) -> None:
        """Remove the deal `name`; its assets and the history of imports stay. Raises Refused naming the known deals."""
        with writing(self._engine) as on:
            if not books.delete_deal(on, name):
                raise self._unknown(on, name)

    def assets(self) -> Mapping[str, Asset]:
        """The whole asset master, of all deals, by identifier."""
        with reading(self._engine) as on:
            ids = sorted(on.scalars(sa.select(assets.c.asset_id)))
            found = {a.asset_id: a for a in books.load_assets(on, ids)}
        return {key: found[key] for key in ids}

    def imports(self) -> tuple[ImportRecord, ...]:
        """All imports, the newest first."""
        with reading(self._engine) as on:
            return records.all_imports(on)

    def close(self) -> None:
        """Let go of the database; the store is of no use afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @staticmethod
    def _unknown(on: sa.Connection, name: str) -> Refused:
        known = [deal.name for deal in records.summaries(on)]
        if not known:
            return Refused(f'There is no deal "{name}": the workspace is empty; import a workbook.', code="no-deal")
        return Refused(f'There is no deal "{name}"; the deals are: {", ".join(known)}.', code="no-deal")


def open_store(where: str | Path, *, patience: float = PATIENCE) -> Store:
    """The store at a file path or an SQLAlchemy URL, created or migrated where needed.

    A locked database is waited for `patience` seconds. Raises Refused with a sentence for a file that is no workspace,
    a folder that cannot be written, a locked or damaged database and one of a newer application.
    """
    engine = connect(address(where), patience)
    try:
        with translating(engine):
            claim(engine)
            migrate(engine)
    except BaseException:
        engine.dispose()
        raise
    return Store(engine)
