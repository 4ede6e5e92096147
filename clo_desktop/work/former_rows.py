"""Rows of the former model's scenario parameters (name, parameter, value, period) from a workbook, a CSV or an SQLite
file, each with where it stands. No Qt.
"""

from __future__ import annotations

import csv
import datetime as dt
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.sheets.grid import Grids, address, same

CODE: Final = "import"
MOST_ROWS: Final = 200_000
_MOST_BYTES: Final = 50_000_000

Value = str | float | bool | dt.date | None

HEADS: Final = {
    "name": ("name", "scenario", "scenario name", "scenario_name", "mag scenario"),
    "parameter": ("parameter", "parameter name", "parameter_name", "param", "field"),
    "value": ("value", "parameter value", "parameter_value", "amount"),
    "period": ("period", "period number", "period_number", "period no", "date", "month"),
}
"""What each column may be called; the period may be missing."""

_NEEDED: Final = ("name", "parameter", "value")
_SQLITE: Final = b"SQLite format 3\0"
_WORDS: Final = "the columns name, parameter, value and, where values change, period"


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter of one scenario; `where` is its place in the file, values as they stand there."""

    where: str
    name: Value
    parameter: Value
    value: Value
    period: Value


def rows_of(path: Path) -> tuple[Row, ...]:
    """Every row of the first table that has the columns. Raises Refused for a file that has none, or cannot be read."""
    try:
        if not path.is_file():
            raise Refused(f"{path.name} is not there or is no file; choose a workbook, CSV or SQLite file.", code=CODE)
        if path.stat().st_size > _MOST_BYTES:
            raise Refused(f"{path.name} is larger than {_MOST_BYTES // 1_000_000} MB; split it.", code=CODE)
        with path.open("rb") as file:
            start = file.read(16)
        if start == _SQLITE:
            found = _of_sqlite(path)
        elif path.suffix.lower() in (".xlsx", ".xlsm", ".xls"):
            found = _of_workbook(path)
        else:
            found = _of_csv(path)
    except OSError as error:
        raise Refused(f"{path.name} cannot be read ({error.strerror or error}).", code=CODE) from error
    if found is None:
        raise Refused(f"{path.name} has no table of scenario parameters; it needs {_WORDS}.", code=CODE)
    if not found:
        raise Refused(f"{path.name} has the columns of scenario parameters but no row under them.", code=CODE)
    if len(found) > MOST_ROWS:
        raise Refused(f"{path.name} has more than {MOST_ROWS:,} rows of scenarios; split it.", code=CODE)
    return tuple(found)


def _columns(heads: Sequence[object]) -> dict[str, int] | None:
    """Which column is what; None where one that is needed is missing."""
    folded = [same(head) for head in heads]
    found = {what: next((folded.index(name) for name in names if name in folded), -1) for what, names in HEADS.items()}
    return None if any(found[what] < 0 for what in _NEEDED) else found


def _row(where: str, cells: Sequence[Value], columns: dict[str, int]) -> Row | None:
    """The row of some cells; None where all that count are blank."""
    took = {what: cells[k] if 0 <= k < len(cells) else None for what, k in columns.items()}
    took = {what: (v.strip() or None) if isinstance(v, str) else v for what, v in took.items()}
    return None if all(v is None for v in took.values()) else Row(where, **took)


def _kept(rows: Iterator[Row | None]) -> list[Row]:
    return [row for row in rows if row is not None]


def _of_csv(path: Path) -> list[Row] | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is no text; save it as CSV in UTF-8.", code=CODE) from error
    if "\0" in text:
        raise Refused(f"{path.name} is no text; save it as CSV in UTF-8.", code=CODE)
    first = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(",;\t", key=first.count))
    try:
        columns = _columns(next(reader, []))
        if columns is None:
            return None
        return _kept(_row(f"line {reader.line_num}", cells, columns) for cells in reader)
    except csv.Error as error:
        raise Refused(f"{path.name}, line {reader.line_num}: this is no CSV ({error}).", code=CODE) from error


def _of_workbook(path: Path) -> list[Row] | None:
    grids = Grids(path)
    for name in grids.sheet_names:
        sheet = grids.sheet(name)
        for top, heads in enumerate(sheet.rows[:20]):
            if (columns := _columns(heads)) is not None:
                return _kept(
                    _row(f"{name}!{address(k, columns['parameter'])}", [_plain(cell) for cell in cells], columns)
                    for k, cells in enumerate(sheet.rows[top + 1 :], start=top + 1)
                )
    return None


def _plain(cell: object) -> Value:
    """A cell as a value; what Excel could not compute as the text that it shows."""
    if isinstance(cell, dt.datetime):
        return cell.date()
    return cell if cell is None or isinstance(cell, str | float | int | bool | dt.date) else str(cell)


def _of_sqlite(path: Path) -> list[Row] | None:
    """Read only: a file beside it (a log of somebody who has it open) is not touched either."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as on:
            on.execute("PRAGMA trusted_schema = OFF")
            tables = [name for (name,) in on.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1")]
            for table in tables:
                quoted = '"' + table.replace('"', '""') + '"'
                heads = [row[1] for row in on.execute(f"PRAGMA table_info({quoted})")]
                if (columns := _columns(heads)) is not None:
                    found = on.execute(f"SELECT * FROM {quoted} LIMIT {MOST_ROWS + 1}")  # a quoted name
                    return _kept(
                        _row(f"{table}, row {k}", [_plain(cell) for cell in cells], columns)
                        for k, cells in enumerate(found, start=1)
                    )
    except sqlite3.Error as error:
        raise Refused(f"{path.name} is damaged or no SQLite file ({error}); open a backup of it.", code=CODE) from error
    return None
