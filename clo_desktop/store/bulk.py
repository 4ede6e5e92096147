"""Many rows in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from clo_desktop.store.cells import Row

_FEW: Final = 5
_MOST: Final = 5000  # rows in one statement: some megabytes


def insert(on: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, which all have the same columns, in their order.

    A server gets them as one JSON document a statement: its triggers run once a statement, not once a row.
    """
    if on.dialect.name != "postgresql" or len(rows) <= _FEW:
        on.execute(sa.insert(table), rows)
        return
    quote = on.dialect.identifier_preparer.quote
    names = ", ".join(quote(name) for name in rows[0])
    typed = ", ".join(f"{quote(name)} {table.c[name].type.compile(on.dialect)}" for name in rows[0])
    # json and not jsonb, which would make 0.0 of -0.0
    statement = sa.text(
        f"INSERT INTO {on.dialect.identifier_preparer.format_table(table)} ({names})"
        f" SELECT {names} FROM json_to_recordset(CAST(:rows AS json)) AS given({typed})"
    )
    for start in range(0, len(rows), _MOST):
        on.execute(statement, {"rows": json.dumps(rows[start : start + _MOST], default=str, ensure_ascii=False)})
