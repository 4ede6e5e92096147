"""How the store reaches its database: the SQLite file with the settings that keep it safe, or a server.

SQLite needs its settings per connection and an explicit BEGIN; what a server needs stands in `server.transport`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event

from clo_desktop.faults import Refused
from clo_desktop.store.audit import seals
from clo_desktop.store.audit.hand import signing
from clo_desktop.store.local import driver, opening
from clo_desktop.store.local.header import APPLICATION_ID
from clo_desktop.store.local.manner import AS_NAMED, Manner, Ready
from clo_desktop.store.refusals import no_right, refusal
from clo_desktop.store.schema import HEAD
from clo_desktop.store.server import transport

_WRITES: Final = "clo_writes"
_READY: Final = "clo_ready"


def address(where: str | Path) -> sa.URL:
    """The database at a path or an SQLAlchemy URL. Raises Refused for what is neither."""
    if isinstance(where, Path) or "://" not in where:
        return sa.URL.create("sqlite", database=str(Path(where).expanduser().absolute()))
    try:
        url = transport.address(where)
    except sa.exc.ArgumentError as reason:
        raise Refused("The address of the database cannot be read; it looks like postgresql://host/name.") from reason
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url


def connect(url: sa.URL, patience: float, manner: Manner = AS_NAMED) -> sa.Engine:
    """An engine on `url`; a lock held by someone else is waited for `patience` seconds.

    manner  how a file is opened; nothing of it concerns a server

    Raises Refused for a file that does not pass the checks of `opening`.
    """
    if url.get_backend_name() == "sqlite":
        ready = opening.prepare(Path(url.database or ""), manner, int(HEAD))
        make = partial(driver.connect, ready.file, ready.key, salt=ready.salt, reading=bool(ready.reading_only))
        engine = sa.create_engine(
            url, creator=make, module=driver.module(ready.key is not None), execution_options={_READY: ready}
        )
        event.listen(engine, "connect", lambda raw, _record: _settle(raw, patience))
        event.listen(engine, "begin", _begin)
        signing(engine)
        return engine
    try:
        if url.get_backend_name() == "postgresql":
            return transport.engine(url, patience)
        raise Refused(f"{spoken(url)}: this application speaks to PostgreSQL and SQLite only.", code="address")
    except (sa.exc.NoSuchModuleError, ImportError) as reason:
        raise Refused(f"{spoken(url)}: this application speaks to PostgreSQL and SQLite only.") from reason


def ready_of(engine: sa.Engine) -> Ready | None:
    """The file behind an engine, as it passed the checks; None for a server."""
    found: Ready | None = engine.get_execution_options().get(_READY)
    return found


def let_go(engine: sa.Engine) -> None:
    """Close every connection and let go of the file; the engine is of no use afterwards."""
    engine.dispose()
    ready = ready_of(engine)
    if ready is not None:
        ready.release()


def spoken(url: sa.URL) -> str:
    """How a sentence names the database: the file's path, or the server without the password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    # `URL.set` takes None for "as it was", and would leave the password in
    plain = url._replace(drivername=url.get_backend_name(), password=None).set(query={})
    return plain.render_as_string(hide_password=False)


def _settle(raw: Any, patience: float) -> None:
    """Settings of one SQLite connection. None of them changes the file."""
    raw.isolation_level = None  # no BEGIN of the driver's own: it would leave half a migration behind
    for setting in (
        f"busy_timeout = {int(patience * 1000)}",
        "foreign_keys = ON",
        "synchronous = FULL",
        "cell_size_check = ON",
        "trusted_schema = ON",  # the triggers of the audit call functions of ours, which read and change nothing
        "recursive_triggers = ON",  # or REPLACE would delete rows without a word to the audit
        "journal_size_limit = 67108864",
        "cache_size = -32768",  # KiB: an import with its audit would not fit into the usual 2 MB, and be written twice
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
    ready = ready_of(engine)
    if ready is None:
        return
    name = spoken(engine.url)
    with raw_connection(engine) as raw:
        mark = driver.value(raw, "PRAGMA application_id")
        empty = not driver.value(raw, "SELECT count(*) FROM sqlite_master")
        if mark != APPLICATION_ID and not (mark == 0 and empty):
            raise Refused(
                f"{name} is a database of another application; choose another file or a new name.", code="no-workspace"
            )
        if driver.value(raw, "PRAGMA quick_check(1)") != "ok":
            raise Refused(f"{name} is damaged; `clo restore` puts a backup in its place.", code="damaged")
        if not ready.reading_only:
            raw.execute("PRAGMA journal_mode = WAL").close()


def mark(on: sa.Connection) -> None:
    """Mark an SQLite file as ours and of this format, inside the transaction that makes or changes its tables."""
    if on.dialect.name == "sqlite":
        on.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        on.exec_driver_sql(f"PRAGMA user_version = {int(HEAD)}")


@contextmanager
def raw_connection(engine: sa.Engine) -> Iterator[driver.Raw]:
    """The driver's own connection to the SQLite file, for what is no SQL of the store."""
    pooled = engine.raw_connection()
    try:
        yield pooled.driver_connection
    finally:
        pooled.close()


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that sees one state of the database throughout."""
    options: dict[str, Any] = {} if engine.dialect.name == "sqlite" else {"isolation_level": "REPEATABLE READ"}
    with translating(engine), engine.execution_options(**options).begin() as on:
        yield on


@contextmanager
def writing(engine: sa.Engine, deal: str = "") -> Iterator[sa.Connection]:
    """A transaction that writes all or nothing. Raises Refused where a file may only be read, with the reason.

    deal  the deal that is written, for the sentence of who may not
    """
    ready = ready_of(engine)
    if ready is not None and ready.reading_only:
        raise Refused(f"{ready.reading_only}; nothing was saved.", code="read-only")
    with translating(engine, deal), engine.execution_options(**{_WRITES: True}).begin() as on:
        yield on
    seals.soon(engine)


@contextmanager
def translating(engine: sa.Engine, deal: str = "") -> Iterator[None]:
    """What goes wrong in the database becomes a sentence. deal  what was written, where it was one."""
    try:
        yield
    except driver.errors(sa.exc.DBAPIError, sa.exc.TimeoutError) as reason:
        refused = refusal(reason, spoken(engine.url))
        if refused.code == "rights" and engine.url.username:
            refused = no_right(spoken(engine.url), engine.url.username, _role(engine), deal)
        raise refused from reason


def _role(engine: sa.Engine) -> str:
    """The role of whoever is signed in on a server; empty where it cannot be told."""
    with contextlib.suppress(sa.exc.SQLAlchemyError), engine.connect() as on:
        asked = sa.text("SELECT role FROM sec.users WHERE email = session_user")
        return str(on.scalar(asked) or "")
    return ""
