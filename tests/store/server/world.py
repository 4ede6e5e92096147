"""A small world on a shared server: three deals, people of every role, rows of every table, to be attacked.

mine      Mia manages it; Ann (analyst) and Vic (viewer) may read it
seen      Mia may read it
foreign   Max manages it; nobody else but administrators knows it
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from psycopg import sql

from clo_desktop.store import ImportRecord, open_store, schema
from clo_desktop.store.passwords import hashed
from clo_desktop.store.server.init import verifier_of
from engine import terms
from engine.asset import Asset
from tests.store.any_book import large_book
from tests.store.postgres import ADMIN, PASSWORD, Server

SECRET: Final = "staple-battery-correct"
ROLES: Final = {
    "mia": "manager", "max": "manager", "ann": "analyst", "vic": "viewer", "gone": "manager", "eve": "admin",
}  # fmt: skip
DEALS: Final = ("mine", "seen", "foreign")
ASSIGNED: Final = (
    ("mia", "seen", "read"),
    ("ann", "mine", "read"),
    ("vic", "mine", "read"),
    ("gone", "mine", "write"),
    ("gone", "foreign", "write"),
)
"""Beyond what their makers are assigned to."""

LOOSE: Final = "LOOSE"
"""An asset of the master that no deal lists."""


@dataclasses.dataclass(frozen=True)
class World:
    server: Server
    database: str
    tag: str
    deals: dict[str, int]

    def email(self, who: str) -> str:
        return ADMIN if who == "ada" else f"{who}.{self.tag}@desk.example"

    def address(self, who: str, **query: str) -> str:
        word = PASSWORD if who == "ada" else SECRET
        return self.server.address(self.database, self.email(who), word, **query)

    def connect(self, who: str, **more: Any) -> psycopg.Connection[Any]:
        """The driver's own connection with the credentials of `who`, nothing of the application's."""
        return psycopg.connect(self.address(who), options="-c search_path=clo", **more)

    def administrator(self) -> psycopg.Connection[Any]:
        """The superuser of the server."""
        return psycopg.connect(self.server.address(self.database), autocommit=True, options="-c search_path=clo")

    @contextmanager
    def copy(self, number: int) -> Iterator[World]:
        """The same world in a database of its own. The people are the same roles of the server."""
        name = f"{self.database}_{number}"
        self.server.create(name, self.database)
        yield dataclasses.replace(self, database=name)
        self.server.drop(name)


@functools.cache
def _hash() -> str:
    return hashed(SECRET, 10)


def make(server: Server, database: str, number: int) -> World:
    """Populate `database`, a copy of the template."""
    world = World(server, database, f"{os.getpid()}-{number}", {})
    with world.administrator() as on:  # as `clo server init --admin` does; that administrators can is tested
        for who, role in ROLES.items():
            verifier = verifier_of(on, world.email(who), SECRET)
            on.execute(
                "SELECT sec.put_person(%s, %s, %s, %s, %s)", (world.email(who), who.title(), role, verifier, _hash())
            )
    for maker, deals in (("mia", ("mine", "seen")), ("max", ("foreign",))):
        with open_store(world.address(maker)) as store:
            for deal in deals:
                store.save(
                    book(deal), ImportRecord(deal, f"{deal}.xlsx", "ab" * 32, dt.datetime.now(dt.UTC), 3, 3, 1.0, 0)
                )
    with world.administrator() as on:
        world.deals.update(dict(on.execute("SELECT name, id FROM clo.deals").fetchall()))
        for who, deal, access in ASSIGNED:
            on.execute(
                "INSERT INTO sec.assignments SELECT id, %s, %s FROM sec.users WHERE email = %s"
                " ON CONFLICT (user_id, deal_id) DO UPDATE SET access = excluded.access",
                (world.deals[deal], access, world.email(who)),
            )
        on.execute("INSERT INTO clo.assets (asset_id) VALUES (%s)", (LOOSE,))
        for table in schema.metadata.sorted_tables:
            for deal in world.deals.values():
                _stock(on, table, deal)
        # deactivated in the register alone, so that row-level security has to hold by itself
        on.execute("UPDATE sec.users SET is_active = false WHERE email = %s", (world.email("gone"),))
    return world


def book(deal: str) -> terms.Book:
    """A book with rows in every table, whose assets no other deal lists."""
    large = large_book(deal, 3)
    assets = {f"{deal}-{n}": Asset(asset_id=f"{deal}-{n}") for n in range(3)}
    day = dt.date(2012, 1, 1)
    return terms.Book(
        dataclasses.replace(
            large.deal,
            holdings=tuple(terms.Holding(key, 1_000_000.0) for key in assets),
            dates=(("Closing Date", day),),
            limits=(terms.TestLimit(1, "Class A OC", "MIN"),),
            weights=(terms.ObjectiveWeight(1, "Spread"),),
            subordinated_payments=((day, None),),
            fees=(terms.Fee("Trustee"),),
        ),
        assets,
        terms.Reference(
            holidays=(day,),
            fixings=(terms.Fixing(day, "3M", 0.01),),
            vectors=(("ramp", (None,)),),
            sinks=(terms.Sink("A", day, 1.0),),
            curve=(terms.CurveNode(3.0, 0.01),),
            assumptions=(terms.CashFlowAssumption("ALL"),),
        ),
    )


def of_deal(table: sa.Table) -> sql.Composable | None:
    """A condition, with the deal's number as its only parameter, for rows of a deal; None for tables without a deal."""
    if table.name == "deals":
        return sql.SQL("id = %s")
    keys = [key for key in table.foreign_key_constraints if key.referred_table is not table]
    for key in sorted(keys, key=lambda key: key.referred_table.name != "deals"):
        columns = sql.SQL(", ").join(map(sql.Identifier, key.column_keys))
        if key.referred_table.name == "deals":
            return columns + sql.SQL(" = %s")
        above = of_deal(key.referred_table)
        if above is not None:
            parents = sql.SQL(", ").join(sql.Identifier(element.column.name) for element in key.elements)
            parts = columns, parents, sql.Identifier(key.referred_table.name)
            return sql.SQL("({}) IN (SELECT {} FROM clo.{} WHERE ").format(*parts) + above + sql.SQL(")")
    return None


def _stock(on: psycopg.Connection[Any], table: sa.Table, deal: int) -> None:
    """A row of the deal in a table that the books above leave empty, each cell by its type."""
    condition = of_deal(table)
    if condition is None:
        return
    name = sql.Identifier(table.name)
    if on.execute(
        sql.SQL("SELECT 1 FROM clo.{} WHERE ").format(name) + condition + sql.SQL(" LIMIT 1"), (deal,)
    ).fetchone():
        return
    row: dict[str, Any] = {}
    for column in table.c:
        if column.nullable or (column.primary_key and column.name == "id") or column.server_default is not None:
            continue
        row[column.name] = _cell(on, column, deal)
    columns = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    on.execute(sql.SQL("INSERT INTO clo.{} ({}) VALUES ({})").format(name, columns, marks), list(row.values()))


def _cell(on: psycopg.Connection[Any], column: sa.Column[Any], deal: int) -> Any:
    for key in column.foreign_keys:
        above = of_deal(key.column.table)
        if key.column.table.name == "deals":
            return deal
        if above is not None:
            query = sql.SQL("SELECT {} FROM clo.{} WHERE ").format(
                sql.Identifier(key.column.name), sql.Identifier(key.column.table.name)
            )
            found = on.execute(query + above, (deal,)).fetchone()
            assert found is not None, column
            return found[0]
    if column.name == "owner":
        return ADMIN
    kind = getattr(column.type, "impl_instance", column.type).python_type
    samples: dict[type, Any] = {
        str: f"any {deal}", int: 1, float: 1.0, bool: True, dt.date: dt.date(2020, 1, 1),
        dt.datetime: dt.datetime(2020, 1, 1, tzinfo=dt.UTC), list: "[]", dict: "{}", bytes: b"x",
    }  # fmt: skip
    return samples[kind]
