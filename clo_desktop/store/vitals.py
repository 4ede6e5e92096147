"""How the database of a store is: what a health check reads, and a log of slow statements.

Whatever cannot be read, or not by this person, is None.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import sqlite3
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event

from clo_desktop.store.local import backups
from clo_desktop.store.local.manner import Ready
from clo_desktop.store.schema import Moment

SLOW: Final = 0.5
"""Seconds above which a statement is slow."""

_SHOWN: Final = 300  # characters of a statement in the log

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """What an engine's statements took since it was made."""

    statements: int = 0
    slow: int = 0
    slowest: float = 0.0


_WATCHES: Final[WeakKeyDictionary[sa.Pool, Watch]] = WeakKeyDictionary()


def watching(engine: sa.Engine) -> None:
    """From now on statements are counted, and slow ones logged with their text and without their values."""
    watch = _WATCHES[engine.pool] = Watch()

    def before(_on: Any, _cursor: Any, _statement: str, _values: Any, context: Any, _many: bool) -> None:
        context.clo_began = time.perf_counter()

    def after(_on: Any, _cursor: Any, statement: str, _values: Any, context: Any, _many: bool) -> None:
        took = time.perf_counter() - context.clo_began
        watch.statements += 1
        watch.slowest = max(watch.slowest, took)
        if took > SLOW:
            watch.slow += 1
            _log.info("a statement took %.2f s: %s", took, " ".join(statement.split())[:_SHOWN])

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)


@dataclass(frozen=True, slots=True)
class Vitals:
    """The state of a database.

    ping               seconds that a trivial statement took
    server             version of PostgreSQL; empty for a file
    role               "primary" or "standby" of a server, "file" or "file, read only"
    lag                seconds a standby is behind
    pool               connections in use, and how many may be
    outbox             changes that wait to be sent, and the age of the oldest in seconds
    backup, backup_fault  the newest backup of a file, and why it does not open (empty: it does)
    pending, oldest    lines of the audit that wait for their seal, and the age of the oldest in seconds
    watch              statements of this process
    cipher             version of SQLCipher, of an encrypted file
    """

    ping: float
    server: str
    role: str
    lag: float | None
    pool: tuple[int, int] | None
    outbox: tuple[int, float | None] | None
    backup: backups.Backup | None
    backup_fault: str
    pending: int | None
    oldest: float | None
    watch: Watch
    cipher: str
    sqlite: str = sqlite3.sqlite_version


def read(on: sa.Connection, engine: sa.Engine, ready: Ready | None) -> Vitals:
    """The state of the database of a connection; `ready` is its file, None for a server."""
    began = time.perf_counter()
    on.execute(sa.text("SELECT 1")).scalar()
    ping = time.perf_counter() - began
    watch = _WATCHES.get(engine.pool) or Watch()
    outbox = outbox_of(on)
    if ready is not None:
        newest = next(iter(backups.listed(ready.file)), None)
        fault = _fault(newest.file, newest.file.stat().st_mtime, ready.key) if newest is not None else ""
        cipher = str(on.exec_driver_sql("PRAGMA cipher_version").scalar() or "") if ready.key is not None else ""
        role = "file, read only" if ready.reading_only else "file"
        return Vitals(ping, "", role, None, None, outbox, newest, fault, 0, None, watch, cipher)
    row = on.exec_driver_sql(
        "SELECT current_setting('server_version'), pg_is_in_recovery(),"
        " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8"
    ).one()
    pool = engine.pool
    used = (pool.checkedout(), pool.size() + 2) if isinstance(pool, sa.QueuePool) else None
    pending, oldest = _pending(on)
    role = "standby" if row[1] else "primary"
    lag = row[2] if row[1] else None
    return Vitals(ping, row[0].split()[0], role, lag, used, outbox, None, "", pending, oldest, watch, "")


def outbox_of(on: sa.Connection) -> tuple[int, float | None] | None:
    """Changes that wait to be sent, and the age of the oldest in seconds; None where the file keeps no copies."""
    if on.dialect.name != "sqlite" or not sa.inspect(on).has_table("outbox"):
        return None
    made = sa.column("made_at", Moment)
    count, first = on.execute(
        sa.select(sa.func.count(), sa.func.min(made, type_=Moment)).select_from(sa.table("outbox", made))
    ).one()
    return count, (dt.datetime.now(dt.UTC) - first).total_seconds() if first is not None else None


def _pending(on: sa.Connection) -> tuple[int | None, float | None]:
    """Of the server's audit, which administrators may ask."""
    allowed = on.exec_driver_sql(
        "SELECT has_function_privilege(to_regprocedure('audit.state()')::oid, 'EXECUTE')"
        " WHERE has_schema_privilege(to_regnamespace('audit')::oid, 'USAGE')"
    ).scalar()
    if not allowed:
        return None, None
    state = on.exec_driver_sql("SELECT pending, oldest, clock FROM audit.state()").one()
    return state.pending, (state.clock - state.oldest).total_seconds() if state.oldest is not None else None


@lru_cache(maxsize=8)
def _fault(file: Path, _changed: float, key: bytes | None) -> str:
    """What is wrong with a backup, looked at once for each state of the file."""
    with contextlib.suppress(OSError):
        return backups.fault_of(file, key) or ""
    return f"{file.name} cannot be read; look at the folder of the backups."
