"""The changes that a shared store has applied, by their identifiers: so that none is applied twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa

from clo_desktop.store import schema

_table = schema.applied_operations


def find(on: sa.Connection, op_ids: Collection[str]) -> dict[str, int]:
    """Which of the changes were applied, each with the version the deal had then."""
    found = sa.select(_table.c.op_id, _table.c.version).where(_table.c.op_id.in_(list(op_ids)))
    return {row.op_id: row.version for row in on.execute(found)}


def note(on: sa.Connection, op_id: str, deal: str, version: int, now: dt.datetime) -> None:
    """Note in the transaction of a change that it is applied."""
    on.execute(
        sa.insert(_table).values(
            op_id=op_id,
            owner=sa.literal_column("session_user") if on.dialect.name != "sqlite" else "local",
            deal=deal,
            version=version,
            applied_at=now,
        )
    )
