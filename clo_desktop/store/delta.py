"""What was changed between two states of a deal: cells, rows put in and taken out, order. It can be kept and sent.

As text it is JSON in which every value keeps its type, so a change that waits on one computer means the same on
another.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.store import schema
from clo_desktop.store.cells import Row
from clo_desktop.store.rows import Key, Rows, keyed, rows_of
from engine.terms import Book


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after; None: it was not there. The row is known by `key`."""

    key: Key
    was: Row | None
    now: Row | None

    def cells(self) -> dict[str, tuple[Any, Any]]:
        """The changed cells by column, each with its base and its new value; None for a row that was not there."""
        was, now = self.was or {}, self.now or {}
        columns = list(was or now)
        return {c: (was.get(c), now.get(c)) for c in columns if not (was and now and same(was[c], now[c]))}


@dataclass(frozen=True, slots=True)
class TableDelta:
    """The changed rows of a table, and the keys of all its rows in their order before and after."""

    rows: tuple[RowChange, ...]
    before: tuple[Key, ...] = ()
    after: tuple[Key, ...] = ()


Delta = Mapping[str, TableDelta]
"""What was changed, by table; a table that is not named was not. Empty: nothing was changed."""


def delta_of(base: Book, mine: Book) -> Delta:
    """What was changed from `base` to `mine`. An asset off the list is no change of the asset: the master keeps it."""
    was, now = rows_of(base), rows_of(mine)
    found = {table.name: _table(table, was[table], now[table]) for table in was if table is not schema.assets}
    found[schema.assets.name] = _assets(was[schema.assets], now[schema.assets], _named(found.values()))
    return {name: table for name, table in found.items() if table.rows or table.before != table.after}


def _table(table: sa.Table, base: Iterable[Row], mine: Iterable[Row]) -> TableDelta:
    was, now = keyed(table, base), keyed(table, mine)
    changes = (RowChange(key, was.get(key), now.get(key)) for key in was | now)
    rows = tuple(change for change in changes if not same_row(change.was, change.now))
    before, after = tuple(was), tuple(now)
    return TableDelta(rows, before, after) if rows or before != after else TableDelta(())


def _assets(base: Iterable[Row], mine: Iterable[Row], named: Set[str]) -> TableDelta:
    """Changed assets, and those as they are that changed rows name: whoever reads the change may not list them.

    Their order is that of the deal's list.
    """
    was, now = keyed(schema.assets, base), keyed(schema.assets, mine)
    changes = (RowChange(key, was.get(key), row) for key, row in now.items())
    return TableDelta(tuple(c for c in changes if c.key[0] in named or not same_row(c.was, c.now)))


def _named(tables: Iterable[TableDelta]) -> set[str]:
    rows = (change.now for table in tables for change in table.rows if change.now is not None)
    return {row["asset_id"] for row in rows if "asset_id" in row}


def same_row(a: Row | None, b: Row | None) -> bool:
    """Whether two rows of a table are the same in every cell, or both missing."""
    if a is None or b is None:
        return a is b
    if a != b:
        return False
    return _kinds(a) == _kinds(b) or all(same(a[column], b[column]) for column in a)


def _kinds(row: Row) -> dict[str, type]:
    return dict(zip(row, map(type, row.values()), strict=True))


def same(a: Any, b: Any) -> bool:
    """Equal and of one kind: TRUE is not 1 in a cell that may hold either."""
    return bool(a == b) and isinstance(a, bool) == isinstance(b, bool)


# As text


def to_text(delta: Delta) -> str:
    """The change as JSON. Raises ValueError for a number that is not finite."""
    return _dump({name: _table_out(table) for name, table in delta.items()})


def from_text(text: str) -> Delta:
    """The change that `to_text` wrote."""
    return {name: _table_in(table) for name, table in json.loads(text).items()}


def book_to_text(rows: Rows) -> str:
    """The rows of a book as JSON."""
    return _dump({table.name: [_row_out(row) for row in some] for table, some in rows.items()})


def book_from_text(text: str) -> Rows:
    """The rows that `book_to_text` wrote."""
    tables = schema.metadata.tables
    return {tables[name]: [_row_in(row) for row in some] for name, some in json.loads(text).items()}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _table_out(table: TableDelta) -> Any:
    written: dict[str, Any] = {"rows": [_change_out(change) for change in table.rows]}
    if table.before:
        written["before"] = [_out(key) for key in table.before]
    if table.after != table.before:
        written["after"] = [_out(key) for key in table.after]
    return written


def _table_in(written: Any) -> TableDelta:
    before = tuple(tuple(_in(key)) for key in written.get("before", ()))
    after = tuple(tuple(_in(key)) for key in written["after"]) if "after" in written else before
    return TableDelta(tuple(_change_in(change) for change in written["rows"]), before, after)


def _change_out(change: RowChange) -> Any:
    now = change.now
    if now is not None and change.was is not None:  # of a row that stays, the changed cells are enough
        now = {column: value for column, (_, value) in change.cells().items()}
    return [_out(change.key), _row_out(change.was), _row_out(now)]


def _change_in(written: Sequence[Any]) -> RowChange:
    key, was, now = tuple(_in(written[0])), _row_in(written[1]), _row_in(written[2])
    if was is not None and now is not None:
        now = {**was, **now}
    return RowChange(key, was, now)


def _row_out(row: Row | None) -> Any:
    return None if row is None else {column: _out(value) for column, value in row.items()}


def _row_in(written: Any) -> Any:
    return None if written is None else {column: _in(value) for column, value in written.items()}


_DATE: Final = "date"


def _out(value: Any) -> Any:
    if isinstance(value, dt.date):
        return {_DATE: value.isoformat()}
    if isinstance(value, list | tuple):
        return [_out(part) for part in value]
    return value


def _in(written: Any) -> Any:
    if isinstance(written, dict):
        return dt.date.fromisoformat(written[_DATE])
    if isinstance(written, list):
        return [_in(part) for part in written]
    return written
