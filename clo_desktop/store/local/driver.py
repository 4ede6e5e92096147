"""Raw connections to a workspace file: sqlite3 for a plain one, SQLCipher for an encrypted one.

Both modules have one interface (DB-API with `backup`), but no common classes: this is the only place that chooses.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from clo_desktop.faults import Refused

Raw = Any
"""A connection of either module: sqlite3.Connection, or sqlcipher3.dbapi2.Connection."""

_LOG: Final = "-wal"
_INDEX: Final = "-shm"  # of the log; it is there while somebody has the file open


def module(encrypted: bool) -> ModuleType:
    """The DB-API module for a file. Raises Refused where SQLCipher is missing."""
    if not encrypted:
        return sqlite3
    try:
        from sqlcipher3 import dbapi2
    except ImportError as reason:
        raise Refused(
            "Encrypted workspaces need the package sqlcipher3, which is missing here; install the application anew.",
            code="no-cipher",
        ) from reason
    found: ModuleType = dbapi2  # the package has no types
    return found


def errors(*further: type[Exception]) -> tuple[type[Exception], ...]:
    """`further` and what the modules raise: SQLCipher's only where an encrypted file was opened."""
    loaded = sys.modules.get("sqlcipher3.dbapi2")
    return (*further, sqlite3.Error) if loaded is None else (*further, sqlite3.Error, loaded.Error)


def pragma_key(key: bytes, salt: bytes = b"") -> str:
    """SQLCipher's literal for a key (32 bytes), with the salt (16 bytes) for a file that is to be made."""
    return f"\"x'{key.hex()}{salt.hex()}'\""


def connect(
    file: Path, key: bytes | None = None, *, salt: bytes = b"", reading: bool = False, cipher: bool = False
) -> Raw:
    """A connection in autocommit mode; the caller begins transactions.

    key      of an encrypted file; with `salt` where the file is to be made
    cipher   SQLCipher's connection for a plain file too, for what only that can do
    reading  the file is not changed; nothing is made beside it where no write-ahead log lies there

    Raises what the module raises.
    """
    chosen = module(cipher or key is not None)
    if reading:
        log, index = (file.with_name(file.name + ending) for ending in (_LOG, _INDEX))
        in_use = index.exists() or (log.exists() and log.stat().st_size)
        how = "mode=ro" if in_use else "mode=ro&immutable=1"  # immutable: no lock, and nothing is made beside it
        target: str = f"{file.absolute().as_uri()}?{how}"
    else:
        target = str(file)
    raw: Raw = chosen.connect(target, isolation_level=None, check_same_thread=False, uri=reading)
    if key is not None:
        try:
            raw.execute("PRAGMA cipher_log_level = NONE").close()  # it would print to the terminal
            raw.execute(f"PRAGMA key = {pragma_key(key, salt)}").close()
        except BaseException:
            raw.close()
            raise
    return raw


@contextmanager
def connected(
    file: Path, key: bytes | None = None, *, salt: bytes = b"", reading: bool = False, cipher: bool = False
) -> Iterator[Raw]:
    """As `connect`, closed at the end."""
    raw = connect(file, key, salt=salt, reading=reading, cipher=cipher)
    try:
        yield raw
    finally:
        raw.close()


def value(raw: Raw, query: str) -> Any:
    """The first column of the first row; None where there is none."""
    row = raw.execute(query).fetchone()
    return row[0] if row is not None else None


def salt_of(raw: Raw) -> bytes:
    """The salt of the encrypted file of a connection, 16 bytes."""
    return bytes.fromhex(value(raw, "PRAGMA cipher_salt"))


def is_right_key(file: Path, key: bytes) -> bool:
    """Whether `key` opens the first page of `file`."""
    with connected(file, key, reading=True) as raw:
        try:
            value(raw, "SELECT count(*) FROM sqlite_master")
        except module(True).DatabaseError:
            return False
    return True


def tables(raw: Raw) -> dict[str, int]:
    """Every table with its number of rows."""
    names = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: value(raw, f'SELECT count(*) FROM "{name}"') for name in names}
