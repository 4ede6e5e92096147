"""How the store reaches its database: the SQLite file with the settings that keep it safe, or a server.

SQLite needs its settings per connection and an explicit BEGIN; what a server needs stands in `server.transport`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event

from clo_desktop.faults import Refused
from clo_desktop.store.refusals import refusal
from clo_desktop.store.server import transport

_APPLICATION_ID: Final = 0x434C4F44
"""Marks the file as ours, in SQLite's header: "CLOD"."""

_WRITES: Final = "clo_writes"


def address(where: str | Path) -> sa.URL:
    """The database at a path or an SQLAlchemy URL. Raises Refused for what is neither."""
    if isinstance(where, Path) or "://" not in where:
        return sa.URL.create("sqlite", database=str(Path(where).expanduser().absolute()))
    try:
        url = transport.address(where)
    except sa.exc.ArgumentError as reason:
        raise Refused("The address of the database cannot be read; it looks like postgresql://host/name.") from reason
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def connect(url: sa.URL, patience: float) -> sa.Engine:
    """An engine on `url`; a lock held by someone else is waited for `patience` seconds.

    Raises Refused where a file is needed and its folder cannot be made or the file is not SQLite's.
    """
    name = spoken(url)
    if url.get_backend_name() == "sqlite":
        _check_file(Path(url.database or ""), name)
        engine = sa.create_engine(url)
        event.listen(engine, "connect", lambda raw, _record: _settle(raw, patience))
        event.listen(engine, "begin", _begin)
        return engine
    try:
        if url.get_backend_name() == "postgresql":
            return transport.engine(url, patience)
        raise Refused(f"{name}: this application speaks to PostgreSQL and SQLite only.", code="address")
    except (sa.exc.NoSuchModuleError, ImportError) as reason:
        raise Refused(f"{name}: this application speaks to PostgreSQL and SQLite only.") from reason


def spoken(url: sa.URL) -> str:
    """How a sentence names the database: the file's path, or the server without the password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername=url.get_backend_name(), query={}).render_as_string(hide_password=True)


def _check_file(file: Path, name: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_dir():
            raise Refused(f"{name} is a folder; name a file in it.", code="no-workspace")
        if file.exists():
            with file.open("rb") as stream:
                start = stream.read(16)
            if start not in (b"", b"SQLite format 3\0"):
                raise Refused(
                    f"{name} is not a workspace of CLO Desktop; choose another file or a new name.",
                    code="no-workspace",
                )
    except OSError as reason:
        why = reason.strerror or str(reason)
        raise Refused(f"{name} cannot be opened ({why}); choose a folder you may write to.", code="folder") from reason


def _settle(raw: Any, patience: float) -> None:
    """Settings of one SQLite connection. None of them changes the file."""
    raw.isolation_level = None  # no BEGIN of the driver's own: it would leave half a migration behind
    for setting in (
        f"busy_timeout = {int(patience * 1000)}",
        "foreign_keys = ON",
        "synchronous = FULL",
        "cell_size_check = ON",
        "trusted_schema = OFF",
        "journal_size_limit = 67108864",
    ):
        raw.execute(f"PRAGMA {setting}").close()


def _begin(on: sa.Connection) -> None:
    # a writer takes the lock at once: a reader that turns writer half way cannot wait and fails
    writes = on.get_execution_options().get(_WRITES, False)
    on.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def claim(engine: sa.Engine) -> None:
    """Make sure an SQLite file is whole and ours (or empty), and turn its write-ahead log on; nothing on a server.

    Raises Refused for a damaged file and for a file of another application.
    """
    if engine.dialect.name != "sqlite":
        return
    name = spoken(engine.url)
    with raw_connection(engine) as raw:
        mark = raw.execute("PRAGMA application_id").fetchone()[0]
        empty = not raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if mark != _APPLICATION_ID and not (mark == 0 and empty):
            raise Refused(
                f"{name} is a database of another application; choose another file or a new name.", code="no-workspace"
            )
        if raw.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise Refused(f"{name} is damaged; open a backup of it.", code="damaged")
        raw.execute("PRAGMA journal_mode = WAL").close()


def mark(on: sa.Connection) -> None:
    """Mark a new SQLite file as ours, inside the transaction that creates its tables."""
    if on.dialect.name == "sqlite":
        on.exec_driver_sql(f"PRAGMA application_id = {_APPLICATION_ID}")


@contextmanager
def raw_connection(engine: sa.Engine) -> Iterator[sqlite3.Connection]:
    """The driver's own connection to the SQLite file, for what is no SQL of the store."""
    pooled = engine.raw_connection()
    try:
        raw = pooled.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        yield raw
    finally:
        pooled.close()


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees one state of the database throughout."""
    options: dict[str, Any] = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with translating(engine), engine.execution_options(**options).begin() as on:
        yield on


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that writes all or nothing."""
    with translating(engine), engine.execution_options(**{_WRITES: True}).begin() as on:
        yield on


@contextmanager
def translating(engine: sa.Engine) -> Iterator[None]:
    """What goes wrong in the database becomes a sentence."""
    try:
        yield
    except (sa.exc.DBAPIError, sa.exc.TimeoutError, sqlite3.Error) as reason:
        raise refusal(reason, spoken(engine.url)) from reason
