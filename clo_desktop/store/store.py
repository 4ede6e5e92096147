"""The store: where deals are kept between sessions."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import books, records
from clo_desktop.store.connection import (
    address,
    claim,
    connect,
    let_go,
    reading,
    ready_of,
    spoken,
    translating,
    writing,
)
from clo_desktop.store.local import backups, header, keys
from clo_desktop.store.local.manner import Manner, Ready
from clo_desktop.store.migrate import migrate
from clo_desktop.store.records import DealSummary, ImportRecord
from clo_desktop.store.schema import assets
from engine.asset import Asset
from engine.terms import Book

PATIENCE = 10.0
"""Seconds a locked database is waited for."""


class Store:
    """Deals, their books and the history of imports, in one database. Made by `open_store`.

    Every method is one transaction and raises Refused with a sentence where the database cannot do it.
    """

    def __init__(self, engine: sa.Engine, notice: str = "") -> None:
        self._engine = engine
        ready = ready_of(engine)
        self._held = header.hold_open(ready.file) if ready is not None else None
        self.notice = notice
        """What a person should know about the opening, as a sentence; empty for nothing."""

    @property
    def name(self) -> str:
        """The file's path, or the server's address without the password."""
        return spoken(self._engine.url)

    @property
    def file(self) -> Ready | None:
        """The workspace file with its key and why it may only be read, if so; None for a server."""
        return ready_of(self._engine)

    @property
    def recovery_key(self) -> str:
        """The key of an encrypted file, for paper; empty for one that is not encrypted."""
        ready = self.file
        return keys.recovery_text(ready.key) if ready is not None and ready.key is not None else ""

    def back_up(self) -> backups.Backup:
        """Back up the file now. Raises Refused where there is none or it cannot be."""
        ready = self.file
        if ready is None:
            raise Refused(f"{self.name} is a server; its backups are made there.", code="backup")
        return backups.make(ready.file, ready.key, "asked")

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
        let_go(self._engine)
        if self._held is not None:
            header.let_go(self._held)
            self._held = None

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


def open_store(where: str | Path, *, patience: float = PATIENCE, manner: Manner = Manner()) -> Store:  # noqa: B008 frozen
    """The store at a file path or an SQLAlchemy URL, created or migrated where needed.

    A locked database is waited for `patience` seconds; `manner` says how a file is opened. Raises Refused with a
    sentence for a file that is no workspace or whose key is missing or wrong, a folder that cannot be written, a locked
    or damaged database and one of a newer application.
    """
    engine = connect(address(where), patience, manner)
    notice = ""
    try:
        with translating(engine):
            claim(engine)
            migrate(engine)
        ready = ready_of(engine)
        if manner.daily and ready is not None and not ready.is_new and not ready.reading_only:
            try:
                backups.make_daily(ready.file, ready.key)
            except Refused as reason:  # the day's work must not wait for it
                notice = reason.message
    except BaseException:
        let_go(engine)
        raise
    return Store(engine, notice)
