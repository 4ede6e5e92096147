"""Configuration and reference data: what is of no deal. The functions work inside the caller's transaction."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import signed
from clo_desktop.store.audit.secrets import is_secret
from clo_desktop.store.schema import configuration, reference_data

LONGEST: Final = 200
"""Characters of a key or of the name of a table."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One entry of the configuration; `value` is what JSON can hold."""

    key: str
    value: Any
    changed_by: str
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class ReferenceTable:
    """A dated table. `rows` are objects as JSON has them; `source` says where they come from, for people.

    changed_by, changed_at  who stored it and when; empty and None for one that is not stored yet
    """

    name: str
    as_of: dt.date
    rows: tuple[Mapping[str, Any], ...]
    source: str
    changed_by: str = ""
    changed_at: dt.datetime | None = None


def settings(on: sa.Connection) -> tuple[Setting, ...]:
    """The whole configuration, by key."""
    table = configuration
    found = on.execute(sa.select(table.c.key, table.c.value, table.c.changed_by, table.c.changed_at))
    return tuple(sorted((Setting(*row) for row in found), key=lambda one: one.key))


def setting(on: sa.Connection, key: str) -> Setting | None:
    """One entry; None where there is none."""
    table = configuration
    chosen = sa.select(table.c.key, table.c.value, table.c.changed_by, table.c.changed_at).where(table.c.key == key)
    row = on.execute(chosen).first()
    return None if row is None else Setting(*row)


def put_setting(on: sa.Connection, key: str, value: Any, by: str, now: dt.datetime) -> bool:
    """Store an entry; whether anything was different. Raises Refused for a secret and for what JSON cannot hold."""
    check_name(key, "key of the configuration")
    if is_secret(key):
        raise Refused(
            f"{key} looks like a secret, which everybody could read here; keep it in the keyring of the computer.",
            code="secret",
        )
    return signed.put(on, configuration, {"key": key}, {"value": _as_json(key, value)}, by, now)


def drop_setting(on: sa.Connection, key: str) -> bool:
    """Delete an entry; False where there is none."""
    return on.execute(sa.delete(configuration).where(configuration.c.key == key)).rowcount == 1


def tables(on: sa.Connection) -> tuple[ReferenceTable, ...]:
    """Every reference table, by name, the newest date first."""
    found = [_table(row) for row in on.execute(sa.select(reference_data)).mappings()]
    return tuple(sorted(found, key=lambda one: (one.name.casefold(), one.name, -one.as_of.toordinal())))


def table(on: sa.Connection, name: str, as_of: dt.date | None = None) -> ReferenceTable | None:
    """The table of a name that holds on a day (None: the newest); None where there is none."""
    data = reference_data
    chosen = sa.select(data).where(data.c.name == name).order_by(data.c.as_of.desc()).limit(1)
    if as_of is not None:
        chosen = chosen.where(data.c.as_of <= as_of)
    row = on.execute(chosen).mappings().first()
    return None if row is None else _table(row)


def put_table(on: sa.Connection, new: ReferenceTable, by: str, now: dt.datetime) -> bool:
    """Store a table in the place of that of its name and date; whether anything was different.

    Raises Refused for what JSON cannot hold.
    """
    check_name(new.name, "name of a reference table")
    rows = _as_json(new.name, [dict(row) for row in new.rows])
    key = {"name": new.name, "as_of": new.as_of}
    return signed.put(on, reference_data, key, {"rows": rows, "source": new.source}, by, now)


def drop_table(on: sa.Connection, name: str, as_of: dt.date) -> bool:
    """Delete the table of a name and date; False where there is none."""
    data = reference_data
    return on.execute(sa.delete(data).where(data.c.name == name, data.c.as_of == as_of)).rowcount == 1


def _table(row: Mapping[Any, Any]) -> ReferenceTable:
    rows: Sequence[Mapping[str, Any]] = row["rows"]
    return ReferenceTable(row["name"], row["as_of"], tuple(rows), row["source"], row["changed_by"], row["changed_at"])


def check_name(name: str, what: str) -> None:
    """Raises Refused for what is no name."""
    if not name.strip() or name != name.strip() or len(name) > LONGEST or not name.isprintable():
        raise Refused(
            f"“{name:.60}” is no {what}; write 1 to {LONGEST} printable characters without blanks around them.",
            code="name",
        )


def _as_json(name: str, value: Any) -> Any:
    """The value as it comes back. Raises Refused for what JSON cannot hold."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode()
        if "\\u0000" in text or "\0" in text:
            raise ValueError("a NUL character")
        return json.loads(text)
    except (TypeError, ValueError, RecursionError) as reason:
        raise Refused(
            f"{name}: the value cannot be kept as JSON ({reason}); numbers must be finite and texts whole.",
            code="unstorable",
        ) from reason
