"""Joining two changes of one deal, cell by cell: what both started from, mine, and theirs.

Cells that only one side changed are taken without a question. A cell that both changed differently is a clash, and so
is a row that one side changed and the other took out: a person decides, and until then nothing is joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import schema
from clo_desktop.store.cells import Row
from clo_desktop.store.delta import Delta, RowChange, TableDelta, delta_of, same, same_row
from clo_desktop.store.rows import Key, Rows, book_of, keyed, plain, rows_of
from engine.asset import Asset
from engine.terms import Book


class Side(StrEnum):
    """Whose value a person keeps."""

    MINE = "mine"
    THEIRS = "theirs"


@dataclass(frozen=True, slots=True)
class Place:
    """A cell: its table, the natural key of its row, its column. No column: the whole row."""

    table: str
    key: Key
    column: str | None = None

    def __str__(self) -> str:
        row = ", ".join(_plainly(part) for part in self.key[:-1])
        if self.key[-1]:
            row += f" (number {self.key[-1] + 1} of this name)"
        return " · ".join(filter(None, (_plainly(self.table), row, _plainly(self.column) if self.column else "")))


@dataclass(frozen=True, slots=True)
class Clash:
    """What both sides changed: the cell, or the row (then a value is the row, and None: it was taken out)."""

    place: Place
    base: Any
    mine: Any
    theirs: Any


class Clashing(Refused):
    """Two changes of one deal that a person must join. `theirs` is the deal as it is stored now."""

    def __init__(self, deal: str, clashes: Sequence[Clash], theirs: Book, message: str = "") -> None:
        some = "; ".join(str(clash.place) for clash in clashes[:3]) + ("; …" if len(clashes) > 3 else "")
        super().__init__(
            message
            or f"{deal} was changed by someone else in the same cells ({some}); choose which values to keep, nothing"
            " was saved yet.",
            code="clash",
        )
        self.deal = deal
        self.clashes = tuple(clashes)
        self.theirs = theirs


Choices = Mapping[Place, Side]

NO_CHOICES: Final[Choices] = {}


class Always(Mapping[Place, Side]):
    """The same choice for every clash."""

    def __init__(self, side: Side) -> None:
        self.side = side

    def __getitem__(self, place: Place) -> Side:
        return self.side

    def __iter__(self) -> Iterator[Place]:
        return iter(())

    def __len__(self) -> int:
        return 0


def merge(base: Book, mine: Book, theirs: Book, choices: Choices = NO_CHOICES) -> Book:
    """`theirs` with what was changed from `base` to `mine`.

    choices  which side to keep where both changed the same. Raises Clashing where that is not said for every clash;
    symmetric: who is "mine" and who "theirs" makes no difference but for the order of rows that both added.
    """
    return apply(delta_of(base, mine), theirs, choices)


def apply(delta: Delta, theirs: Book, choices: Choices = NO_CHOICES, master: Iterable[Asset] = ()) -> Book:
    """`theirs` with the changes of `delta`; a change that is there already is no second one.

    master  assets off their list as they are stored now, so that one which `delta` puts on the list is compared too

    Raises Clashing as `merge` does.
    """
    rows = rows_of(theirs)
    rows[schema.assets] += [plain(asset) for asset in master if asset.asset_id not in theirs.assets]
    clashes: list[Clash] = []
    for table in rows:
        if table.name in delta:
            rows[table] = _join(table, delta[table.name], rows[table], choices, clashes)
    if clashes:
        raise Clashing(theirs.deal.name, clashes, theirs)
    _list_what_is_held(rows)
    return book_of(rows)


def _join(
    table: sa.Table, delta: TableDelta, theirs: Iterable[Row], choices: Choices, clashes: list[Clash]
) -> list[Row]:
    stored = keyed(table, theirs)
    joined: dict[Key, Row | None] = dict(stored)
    for change in delta.rows:
        others = stored.get(change.key)
        if table is schema.assets and others is None:
            others = change.was  # an asset off a deal's list is still in the master
        joined[change.key] = _join_row(table, change, others, choices, clashes)
    order = _order(delta.before, delta.after, tuple(stored)) if delta.after else list(joined)
    return [row for key in order if (row := joined.get(key)) is not None]


def _join_row(
    table: sa.Table, change: RowChange, theirs: Row | None, choices: Choices, clashes: list[Clash]
) -> Row | None:
    base, mine = change.was, change.now
    if same_row(mine, theirs) or same_row(base, theirs):
        return mine
    if mine is None or theirs is None:  # taken out by one, changed by the other
        place = Place(table.name, change.key)
        if place not in choices:
            clashes.append(Clash(place, base, mine, theirs))
        return mine if choices.get(place) is Side.MINE else theirs
    row: Row = {}
    for column in theirs:
        was = (base or {}).get(column)
        ours, others = mine[column], theirs[column]
        if same(ours, others) or (base is not None and same(was, others)):
            row[column] = ours
        elif base is not None and same(was, ours):
            row[column] = others
        else:
            place = Place(table.name, change.key, column)
            if place not in choices:
                clashes.append(Clash(place, was, ours, others))
            row[column] = ours if choices.get(place) is Side.MINE else others
    return row


def _order(base: Sequence[Key], mine: Sequence[Key], theirs: Sequence[Key]) -> list[Key]:
    """All keys in an order both would know again: that of whoever changed it, the other's new rows after their
    neighbours. Theirs where both changed it."""
    kept = set(base) & set(mine) & set(theirs)
    before, ours, others = ([key for key in keys if key in kept] for keys in (base, mine, theirs))
    first, second = (mine, theirs) if before == others and before != ours else (theirs, mine)
    order = list(first)
    present = set(order)
    after: Key | None = None
    for key in second:
        if key not in present:
            order.insert(order.index(after) + 1 if after is not None else 0, key)
            present.add(key)
        after = key
    return order


def _list_what_is_held(rows: Rows) -> None:
    """An asset that one side took off the list while the other bought it stays on the list."""
    listed = {row["asset_id"] for row in rows[schema.deal_assets]}
    known = {row["asset_id"] for row in rows[schema.assets]}
    for row in rows[schema.holdings]:
        if row["asset_id"] not in listed and row["asset_id"] in known:
            rows[schema.deal_assets].append({"asset_id": row["asset_id"]})
            listed.add(row["asset_id"])


def _plainly(part: Any) -> str:
    if isinstance(part, dt.date):
        return part.isoformat()
    return str(part).replace("_", " ")
