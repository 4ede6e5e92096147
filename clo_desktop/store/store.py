"""The store: where deals are kept between sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import books, records
from clo_desktop.store.connection import address, claim, connect, reading, spoken, translating, writing
from clo_desktop.store.merge import NO_CHOICES, Choices, merge
from clo_desktop.store.migrate import migrate
from clo_desktop.store.records import DealSummary, ImportRecord
from clo_desktop.store.retries import retried
from clo_desktop.store.schema import assets
from clo_desktop.store.sync import outbox
from engine.asset import Asset
from engine.terms import Book

PATIENCE = 10.0
"""Seconds a locked database is waited for."""


class Store:
    """Deals, their books and the history of imports, in one database. Made by `open_store`.

    Every method is one transaction and raises Refused with a sentence where the database cannot do it.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @property
    def is_server(self) -> bool:
        """Whether it is shared: a server and no file."""
        return self._engine.dialect.name != "sqlite"

    @property
    def name(self) -> str:
        """The file's path, or the server's address without the password."""
        return spoken(self._engine.url)

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

        All or nothing. Of an offline copy the change is put into the outbox, too.
        """
        with writing(self._engine) as on:
            now = dt.datetime.now(dt.UTC)
            with outbox.noting(on, book.deal.name, now):
                books.save_book(on, book, now)
            if record is not None:
                records.add_import(on, record)

    def edit(self, base: Book, mine: Book, choices: Choices = NO_CHOICES) -> Book:
        """Write what was changed from `base` to `mine` into the deal as it is stored now; the book that is stored then.

        What others changed meanwhile is kept: cells are joined three ways. Raises Clashing, with the cells both
        changed, where `choices` do not say whose to keep; Refused where the deal is gone. Then nothing is written.
        Where another transaction was faster it is done again on what that one wrote.
        """
        if base.deal.name != mine.deal.name:
            raise ValueError("a deal is not renamed by an edit")
        return retried(lambda: self._edit(base, mine, choices))

    def _edit(self, base: Book, mine: Book, choices: Choices) -> Book:
        with writing(self._engine) as on:
            theirs = books.load_book(on, base.deal.name, to_change=True)
            if theirs is None:
                raise self._unknown(on, base.deal.name)
            joined = merge(base, mine, theirs, choices)
            now = dt.datetime.now(dt.UTC)
            with outbox.noting(on, base.deal.name, now, theirs):
                books.save_book(on, joined, now)
            return joined

    def version(self, name: str) -> int:
        """How often the deal `name` was stored with a change. Raises Refused naming the known deals."""
        with reading(self._engine) as on:
            found = books.find_deal(on, name)
            if found is None:
                raise self._unknown(on, name)
            return int(found["version"])

    def delete(self, name: str) -> None:
        """Remove the deal `name`; its assets and the history of imports stay. Raises Refused naming the known deals.

        Of an offline copy only the copy is removed; refused while changes of it wait to be sent.
        """
        with writing(self._engine) as on:
            outbox.forget(on, name)
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

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A transaction that sees one state throughout, for what stands beside the deals (offline copies)."""
        with reading(self._engine) as on:
            yield on

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that writes all or nothing, as `reading`."""
        with writing(self._engine) as on:
            yield on

    @contextmanager
    def dedicated(self) -> Iterator[Any]:
        """The driver's own connection to a server, outside the pool and in autocommit, for what listens for long."""
        with translating(self._engine):
            on = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            raw = on.connection.driver_connection
            on.detach()
        try:
            yield raw
        finally:
            on.close()

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
