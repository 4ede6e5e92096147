"""Rows of the former system's table of assets: its columns are those of the asset master, in any spelling. No Qt."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from clo_desktop.faults import Severity
from clo_desktop.sheets.assets import HEADERS, ID, parse_cell
from clo_desktop.sheets.grid import Cell
from clo_desktop.work.former_files import Missed, Table
from engine.asset import COLUMNS, NUMERIC, Column, Kind

_FEWEST: Final = 3
_BOOKKEEPING: Final = frozenset({"id", "rowid", "createdat", "updatedat", "createdby", "updatedby", "lastupdated"})
"""Columns of the former database about its own rows, which say nothing of an asset."""


def folded(name: str) -> str:
    """A name without case, blanks and signs: `moodys_industry` is "Moody's Industry"."""
    return re.sub(r"[^a-z0-9]", "", name.casefold())


_COLUMNS: Final[dict[str, Column]] = {
    **{folded(header): column for header, column in HEADERS.items()},
    **{folded(column.title): column for column in COLUMNS if folded(column.title) not in map(folded, HEADERS)},
    **{folded(column.name): column for column in COLUMNS},
    **{folded(column.header): column for column in COLUMNS},
}


def columns_of(table: Table) -> dict[int, Column] | None:
    """Which column of the table is what; None for a table that holds no assets."""
    found: dict[int, Column] = {}
    for at, name in enumerate(table.columns):
        column = _COLUMNS.get(folded(name))
        if column is not None and column not in found.values():
            found[at] = column
    return found if ID in found.values() and len(found) >= _FEWEST else None


def read(table: Table, columns: dict[int, Column]) -> tuple[dict[str, dict[str, Any]], list[Missed], list[str]]:
    """By identifier the values that the rows know; the rows that were not understood; what is worth a look.

    A row with one cell that cannot be read is left out whole: half an asset would count as if it were all.
    """
    assets: dict[str, dict[str, Any]] = {}
    first: dict[str, int] = {}
    missed: list[Missed] = []
    doubts: list[str] = []
    lost = dict.fromkeys((at for at in range(len(table.columns)) if at not in columns), 0)
    id_at = next(at for at, column in columns.items() if column is ID)
    for number, row in table.rows():
        for at in lost:
            lost[at] += row[at] is not None
        named = parse_cell(ID, _cell(ID, row[id_at]))
        key = named.value
        if not isinstance(key, str):
            why = named.message or "there is no identifier; fill it or delete the row."
            missed.append(Missed(table.name, number, f"{table.columns[id_at]} = {row[id_at]!r:.60}", why))
            continue
        values, wrong = _values(table, number, key, row, columns, doubts)
        if wrong:
            missed += wrong
        elif key in assets:
            same = "with the same values" if assets[key] == values else "with other values, and the first was taken"
            missed.append(Missed(table.name, number, key, f"it stands in row {first[key]:,} already, {same}."))
        else:
            assets[key], first[key] = values, number
    for at, count in lost.items():
        if count and folded(table.columns[at]) not in _BOOKKEEPING:
            why = f"the column is not known; values in it that were not imported: {count:,}."
            missed.append(Missed(table.name, None, f"column {table.columns[at]}", why))
    return assets, missed, doubts


def _values(
    table: Table, number: int, key: str, row: tuple[Any, ...], columns: dict[int, Column], doubts: list[str]
) -> tuple[dict[str, Any], list[Missed]]:
    values: dict[str, Any] = {}
    wrong: list[Missed] = []
    for at, column in columns.items():
        if column is ID:
            continue
        if isinstance(row[at], bytes):
            wrong.append(
                Missed(table.name, number, f"{key}, {table.columns[at]}", "the cell holds bytes; type a value.")
            )
            continue
        read_as = parse_cell(column, _cell(column, row[at]))
        if read_as.failed:
            wrong.append(Missed(table.name, number, f"{key}, {table.columns[at]} = {row[at]!r:.60}", read_as.message))
        elif read_as.value is not None:
            values[column.name] = read_as.value
        if read_as.severity is Severity.WARNING:
            doubts.append(f"{table.name}, row {number:,}: {key}, {table.columns[at]}: {read_as.message}")
    return values, wrong


def _cell(column: Column, value: Any) -> Cell:
    """A value of SQLite as a cell of a sheet: it has no dates and no truth values of its own, and types as it likes."""
    if isinstance(value, bytes):
        return repr(value)
    if isinstance(value, int):
        if column.kind in (Kind.ID, Kind.TEXT):
            return str(value)
        return bool(value) if column.kind is Kind.FLAG and value in (0, 1) else float(value)
    if isinstance(value, str):
        text = value.strip()
        if column.kind is Kind.DATE and re.fullmatch(r"\d{4}-\d\d-\d\d(?:[T ]00:00(?::00(?:\.0+)?)?)?", text):
            try:
                return dt.date.fromisoformat(text[:10])
            except ValueError:
                return text
        if column.kind in NUMERIC and re.fullmatch(r"[+-]?\d+(?:\.\d+)?", text):
            return float(text)
        return value if text else None
    if isinstance(value, float) and column.kind is Kind.ID and value.is_integer():
        return str(int(value))
    return value if value is None or isinstance(value, float) else str(value)
