"""The lines of the audit, read alike from a workspace file and from a server."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

BATCH: Final = 2000

_OF_SCENARIO: Final = {"scenario_versions": "@", "scenario_tags": ": "}
"""Tables whose rows are known by the key of a scenario and something else, and what stands between in words."""

_COLUMNS: Final = (
    "seq",
    "user",
    "action",
    "resource_type",
    "resource_id",
    "timestamp",
    "ip_address",
    "details",
    "txid",
    "mac",
)

READ_OF_FILE: Final = ("seq", "resource_type", "resource_id", "line")
"""What is read of a line of a file; of a server, every column."""


@dataclass(frozen=True, slots=True)
class Line:
    """One changed row: who did what to it, when (UTC, the server's clock) and from where.

    action       insert, update or delete; baseline where it was there before the audit or a migration changed it;
                 mended where triggers were put back
    resource_id  what a person calls the row: its deal and what it is known by in the deal
    details      table, id (the row's key), deal, before and after: the fields that changed; None is missing
    txid         number of the transaction; what was changed together has the same
    name         of a version or tag of a scenario, with the scenario's name: House@3 (`named`)
    """

    seq: int
    user: str
    action: str
    resource_type: str
    resource_id: str
    timestamp: dt.datetime
    ip_address: str
    details: Mapping[str, Any]
    txid: int
    mac: str
    name: str = ""

    @property
    def what(self) -> str:
        """What a person calls the row: `name` where resource_id has keys only."""
        return self.name or self.resource_id

    @property
    def deal(self) -> str | None:
        return self.details.get("deal")

    @property
    def before(self) -> Mapping[str, Any]:
        return self.details.get("before") or {}

    @property
    def after(self) -> Mapping[str, Any]:
        return self.details.get("after") or {}

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns that changed."""
        return tuple({**self.before, **self.after})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for; None asks for all. `until` is not included.

    asset  identifier: the asset's own row and what deals have of it
    field  a column that must have changed
    without  kinds that are left out
    """

    user: str | None = None
    deal: str | None = None
    table: str | None = None
    action: str | None = None
    asset: str | None = None
    field: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    without: tuple[str, ...] = ()


ALL: Final = Wanted()


def key_text(*values: Any) -> str:
    """A key of several columns as one text."""
    return json.dumps(values, ensure_ascii=False)


def table_of(on: sa.Connection) -> sa.TableClause:
    """Where the lines are."""
    home = None if on.dialect.name == "sqlite" else "audit"
    return sa.table("audit_logs", *map(sa.column, (*_COLUMNS, "line")), schema=home)


def lines(
    on: sa.Connection, wanted: Wanted = ALL, *, newest_first: bool = False, limit: int | None = None
) -> Iterator[Line]:
    """The lines that are asked for, in the order in which they were written or the newest first."""
    table = table_of(on)
    order = table.c.seq.desc() if newest_first else table.c.seq
    shown = [table.c[name] for name in (READ_OF_FILE if on.dialect.name == "sqlite" else _COLUMNS)]
    asked = sa.select(*shown).where(*_conditions(on, table, wanted)).order_by(order).limit(limit)
    for rows in on.execute(asked.execution_options(yield_per=BATCH)).partitions():
        for row in rows:
            yield line_of(row)


def named(on: sa.Connection, found: Sequence[Line]) -> tuple[Line, ...]:
    """Lines in which versions and tags of scenarios have the scenario's name, also of one that was deleted."""
    if not any(line.resource_type in _OF_SCENARIO for line in found):
        return tuple(found)
    names = {str(line.details.get("id")): line.resource_id for line in lines(on, Wanted(table="scenarios"))}

    def spoken(line: Line) -> Line:
        key, _, part = line.resource_id.partition(" ")
        mark = _OF_SCENARIO.get(line.resource_type)
        return line if mark is None or key not in names else replace(line, name=f"{names[key]}{mark}{part}")

    return tuple(map(spoken, found))


def count(on: sa.Connection, wanted: Wanted = ALL) -> int:
    """How many lines there are of those asked for."""
    table = table_of(on)
    return int(
        on.execute(sa.select(sa.func.count()).select_from(table).where(*_conditions(on, table, wanted))).scalar_one()
    )


def choices(on: sa.Connection) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The persons, deals and tables that the lines tell of."""
    table = table_of(on)
    found = []
    for column in (table.c.user, _told(on, table, "deal"), table.c.resource_type):
        rows = on.scalars(sa.select(column).where(column.is_not(None)).distinct())
        found.append(tuple(sorted(map(str, rows), key=str.casefold)))
    return found[0], found[1], found[2]


def _told(on: sa.Connection, table: sa.TableClause, *path: str) -> sa.ColumnElement[Any]:
    """An entry of the details as text."""
    if on.dialect.name == "sqlite":
        return sa.func.json_extract(table.c.details, "$" + "".join(f'."{part}"' for part in path))
    return sa.func.jsonb_extract_path_text(table.c.details, *path)


def _conditions(on: sa.Connection, table: sa.TableClause, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.user is not None:
        yield table.c.user == wanted.user
    if wanted.table is not None:
        yield table.c.resource_type == wanted.table
    if wanted.without:
        yield table.c.resource_type.not_in(wanted.without)
    if wanted.action is not None:
        yield table.c.action == wanted.action
    if wanted.since is not None:
        yield table.c.timestamp >= _moment(on, wanted.since)
    if wanted.until is not None:
        yield table.c.timestamp < _moment(on, wanted.until)
    of_asset = wanted.asset
    if of_asset is not None:
        own = sa.and_(table.c.resource_type == "assets", table.c.resource_id == of_asset)
        if wanted.deal is not None:
            named = f"{wanted.deal} / {of_asset}"
            of_deal = table.c.resource_id.startswith(f"{named} ", autoescape=True)  # a date may follow
            yield sa.or_(own, table.c.resource_id == named, of_deal)
        else:
            yield sa.or_(
                own,
                table.c.resource_id.endswith(f" / {of_asset}", autoescape=True),
                table.c.resource_id.contains(f" / {of_asset} ", autoescape=True),
            )
    elif wanted.deal is not None:
        yield _told(on, table, "deal") == wanted.deal
    if wanted.field is not None:
        yield sa.or_(*(_has(on, table, side, wanted.field) for side in ("before", "after")))


def _has(on: sa.Connection, table: sa.TableClause, side: str, field: str) -> sa.ColumnElement[bool]:
    if on.dialect.name == "sqlite":
        path = f'$.{side}."' + field.replace('"', "") + '"'
        return sa.func.json_type(table.c.details, path).is_not(None)
    return sa.func.coalesce(sa.func.jsonb_exists(sa.func.jsonb_extract_path(table.c.details, side), field), False)


def _moment(on: sa.Connection, moment: dt.datetime) -> Any:
    aware = moment.astimezone(dt.UTC)
    return aware.isoformat(timespec="microseconds") if on.dialect.name == "sqlite" else aware


def line_of(row: Any) -> Line:
    """A row of the table as a line."""
    found = row._mapping
    if "line" in found:  # a file: what a line says stands once, in the text that is signed
        found = json.loads(found["line"])
    moment, mac = found["timestamp"], found["mac"]
    if isinstance(moment, str):
        moment = dt.datetime.fromisoformat(moment)
    return Line(
        seq=row.seq,
        user=found["user"],
        action=found["action"],
        resource_type=row.resource_type,
        resource_id=row.resource_id,
        timestamp=moment.astimezone(dt.UTC),
        ip_address=found["ip_address"],
        details=found["details"],
        txid=found["txid"],
        mac=mac.hex() if isinstance(mac, bytes) else mac,
    )
