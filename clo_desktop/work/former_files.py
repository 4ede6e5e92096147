"""The former system's SQLite files: opened to read only, or a sentence why not. No Qt."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.store.local import driver
from clo_desktop.store.local.header import APPLICATION_ID

CODE: Final = "import"
MOST_BYTES: Final = 2_000_000_000
_PATIENCE: Final = 2.0  # seconds a lock is waited for
_LOG_BYTE: Final = 18  # of the header: 2 where changes go into a write-ahead log
START: Final = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Missed:
    """What was not understood: a row of a table (None: the whole table or column), what stands there, and why."""

    table: str
    row: int | None
    what: str
    why: str

    @property
    def words(self) -> str:
        place = self.table if self.row is None else f"{self.table}, row {self.row:,}"
        return f"{place}: {self.what}: {self.why}" if self.what else f"{place}: {self.why}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a file; its rows are read one by one, counted from 1 in the order they are stored."""

    on: sqlite3.Connection
    name: str
    columns: tuple[str, ...]

    @property
    def count(self) -> int:
        found = self.on.execute(f"SELECT count(*) FROM {quoted(self.name)}").fetchone()
        return int(found[0])

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[tuple[int, tuple[Any, ...]]]:
        """Each row with its number; `columns`: these only."""
        names = ", ".join(map(quoted, self.columns if columns is None else columns))
        yield from enumerate(self.on.execute(f"SELECT {names} FROM {quoted(self.name)}"), start=1)


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def opened(path: Path) -> Iterator[tuple[Table, ...]]:
    """The tables of a file, by name, as they stand at one moment. The file is not changed.

    Raises Refused for one that is missing, no SQLite file, encrypted, our own, damaged, or locked by another program.
    """
    _check(path)
    try:
        with closing(_connect(path)) as on:
            on.execute("PRAGMA trusted_schema = OFF")
            on.execute("PRAGMA cell_size_check = ON")
            on.text_factory = _text
            on.execute("BEGIN")
            if on.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID:
                raise Refused(
                    f"{path.name} is a workspace of CLO Desktop, not a database of the former system; open it with "
                    "File > Open workspace.",
                    code=CODE,
                )
            if on.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise _damaged(path)
            yield tuple(_tables(on))
    except sqlite3.OperationalError as error:
        if "locked" in str(error) or "unable to open" in str(error):
            raise Refused(
                f"{path.name} is in use by another program; close it there, or copy the file with that program's own "
                "backup, then import again.",
                code="locked",
            ) from error
        raise _damaged(path) from error
    except sqlite3.DatabaseError as error:
        raise _damaged(path) from error


def _connect(path: Path) -> sqlite3.Connection:
    """A connection that reads what is committed, and is refused while somebody else writes."""
    with path.open("rb") as file:
        has_log = file.read(_LOG_BYTE + 1)[_LOG_BYTE:] == b"\2"
    if has_log:
        made: sqlite3.Connection = driver.connect(path, reading=True)  # nothing is made beside it
        return made
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=_PATIENCE)


def _text(raw: bytes) -> str | bytes:
    """Text; what is none stays bytes, which every reader names instead of bending it."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw


def _damaged(path: Path) -> Refused:
    return Refused(f"{path.name} is damaged; import a backup of it.", code="damaged")


def _check(path: Path) -> None:
    try:
        if not path.is_file():
            raise Refused(f"{path.name} is not there or is no file; check its name.", code=CODE)
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(len(START))
    except OSError as error:
        raise Refused(
            f"{path.name} cannot be read ({error.strerror or error}); ask for the right to.", code=CODE
        ) from (error)
    if size > MOST_BYTES:
        raise Refused(f"{path.name} is larger than {MOST_BYTES // 1_000_000:,} MB; split it.", code=CODE)
    if not start:
        raise Refused(f"{path.name} is empty; choose one of the former system's databases.", code=CODE)
    if start != START:
        raise Refused(
            f"{path.name} is no SQLite file, or an encrypted one; choose one of the former system's databases.",
            code=CODE,
        )
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists() and journal.stat().st_size:
        raise Refused(
            f"{path.name} was left in the middle of a change ({journal.name} lies beside it); open it once with the "
            "program that wrote it, close it there, then import again.",
            code="locked",
        )


def _tables(on: sqlite3.Connection) -> Iterator[Table]:
    for (name,) in on.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
    ).fetchall():
        columns = tuple(row[1] for row in on.execute(f"PRAGMA table_info({quoted(name)})"))
        yield Table(on, name, columns)
