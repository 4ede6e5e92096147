"""Many rows in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from clo_desktop.store.cells import Row

_FEW: Final = 5
_MOST: Final = {"postgresql": 5000, "sqlite": 100}
"""Rows in one statement: some megabytes for a server; for a file more gain nothing."""


def insert(on: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same columns, in their order.

    A server gets them as one JSON document a statement: its triggers run once a statement, not once a row. A file keeps
    what a statement changes so that it can be undone alone: for many rows at once, and not anew for each.
    """
    most = _MOST.get(on.dialect.name, 0)
    if not most or len(rows) <= _FEW:
        on.execute(sa.insert(table), rows)
        return
    put = _as_values if on.dialect.name == "sqlite" else _as_json
    for start in range(0, len(rows), most):
        put(on, table, rows[start : start + most])


def _into(on: sa.Connection, table: sa.Table, names: str) -> str:
    return f"INSERT INTO {on.dialect.identifier_preparer.format_table(table)} ({names})"


def _names(on: sa.Connection, row: Row) -> str:
    return ", ".join(map(on.dialect.identifier_preparer.quote, row))


def _as_json(on: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    names, quote = _names(on, rows[0]), on.dialect.identifier_preparer.quote
    typed = ", ".join(f"{quote(name)} {table.c[name].type.compile(on.dialect)}" for name in rows[0])
    # json and not jsonb, which would make 0.0 of -0.0
    statement = sa.text(
        f"{_into(on, table, names)} SELECT {names} FROM json_to_recordset(CAST(:rows AS json)) AS given({typed})"
    )
    on.execute(statement, {"rows": json.dumps(rows, default=str, ensure_ascii=False)})


def _as_values(on: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    stored = [(name, table.c[name].type.dialect_impl(on.dialect).bind_processor(on.dialect)) for name in rows[0]]
    values = [row[name] if store is None else store(row[name]) for row in rows for name, store in stored]
    one = f"({', '.join('?' * len(stored))})"
    # in the driver's words: to make a statement of SQLAlchemy with so many values takes longer than to carry it out
    on.exec_driver_sql(f"{_into(on, table, _names(on, rows[0]))} VALUES {', '.join([one] * len(rows))}", tuple(values))
