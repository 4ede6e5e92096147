"""Rows that say who changed them last and when, and how often: those that no deal owns.

The functions work inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from clo_desktop.faults import Refused


def put(
    on: sa.Connection,
    table: sa.Table,
    key: Mapping[str, Any],
    values: Mapping[str, Any],
    by: str,
    now: dt.datetime,
) -> bool:
    """Make the row that has `key` (the only one where it is empty) hold `values`; whether anything was different.

    Raises Refused where someone else changed it in the same moment.
    """
    here = sa.and_(sa.true(), *(table.c[name] == value for name, value in key.items()))
    known = on.execute(sa.select(table).where(here)).mappings().first()
    said = {**values, "changed_by": by, "changed_at": now}
    if known is None:
        on.execute(sa.insert(table).values(**key, **said, version=1))
        return True
    if all(known[name] == value for name, value in values.items()):
        return False
    # the absolute version in SET and WHERE: "version = version + 1" would hide that someone else was faster
    same = sa.and_(here, table.c.version == known["version"])
    if on.execute(sa.update(table).where(same).values(**said, version=known["version"] + 1)).rowcount != 1:
        raise Refused(
            f"The {table.name.replace('_', ' ')} were changed by someone else just now, or are not yours to change; "
            "look at them again and repeat the change.",
            code="conflict",
        )
    return True
