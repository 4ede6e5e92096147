"""Joining two changes of one deal, cell by cell: what both started from, mine, and theirs.

Cells that only one side changed are taken without a question. A cell that both changed differently is a clash, and so
is a row that one side changed and the other took out: a person decides, and until then nothing is joined.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import schema
from clo_desktop.store.cells import Row
from clo_desktop.store.rows import Key, Rows, book_of, keyed, rows_of
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

    def __init__(self, deal: str, clashes: Sequence[Clash], theirs: Book) -> None:
        some = "; ".join(str(clash.place) for clash in clashes[:3]) + ("; …" if len(clashes) > 3 else "")
        super().__init__(
            f"{deal} was changed by someone else in the same cells ({some}); choose which values to keep, nothing was"
            " saved yet.",
            code="clash",
        )
        self.deal = deal
        self.clashes = tuple(clashes)
        self.theirs = theirs


Choices = Mapping[Place, Side]

NO_CHOICES: Final[Choices] = {}


def merge(base: Book, mine: Book, theirs: Book, choices: Choices = NO_CHOICES) -> Book:
    """`theirs` with what was changed from `base` to `mine`.

    choices  which side to keep where both changed the same. Raises Clashing where that is not said for every clash;
    symmetric: who is "mine" and who "theirs" makes no difference but for the order of rows that both added.
    """
    was, ours, others = rows_of(base), rows_of(mine), rows_of(theirs)
    clashes: list[Clash] = []
    joined: Rows = {table: _join(table, was[table], ours[table], others[table], choices, clashes) for table in was}
    if clashes:
        raise Clashing(theirs.deal.name, clashes, theirs)
    _list_what_is_held(joined)
    return book_of(joined)


def _join(
    table: sa.Table,
    base: Iterable[Row],
    mine: Iterable[Row],
    theirs: Iterable[Row],
    choices: Choices,
    clashes: list[Clash],
) -> list[Row]:
    b, m, t = (keyed(table, rows) for rows in (base, mine, theirs))
    if table is schema.assets:  # an asset off a deal's list is still in the master
        m, t = t | b | m, m | b | t
    found: dict[Key, Row] = {}
    for key in _order(list(b), list(m), list(t)):
        row = _join_row(table, key, b.get(key), m.get(key), t.get(key), choices, clashes)
        if row is not None:
            found[key] = row
    return list(found.values())


def _join_row(
    table: sa.Table,
    key: Key,
    base: Row | None,
    mine: Row | None,
    theirs: Row | None,
    choices: Choices,
    clashes: list[Clash],
) -> Row | None:
    if _same_row(mine, theirs) or _same_row(base, theirs):
        return mine
    if _same_row(base, mine):
        return theirs
    if mine is None or theirs is None:  # taken out by one, changed by the other
        place = Place(table.name, key)
        if place not in choices:
            clashes.append(Clash(place, base, mine, theirs))
        return mine if choices.get(place) is Side.MINE else theirs
    row: Row = {}
    for column in theirs:
        was = (base or {}).get(column)
        ours, others = mine[column], theirs[column]
        if _same(ours, others) or (base is not None and _same(was, others)):
            row[column] = ours
        elif base is not None and _same(was, ours):
            row[column] = others
        else:
            place = Place(table.name, key, column)
            if place not in choices:
                clashes.append(Clash(place, was, ours, others))
            row[column] = ours if choices.get(place) is Side.MINE else others
    return row


def _same_row(a: Row | None, b: Row | None) -> bool:
    if a is None or b is None:
        return a is b
    return all(_same(a[column], b[column]) for column in a)


def _same(a: Any, b: Any) -> bool:
    """Equal and of one kind: TRUE is not 1 in a cell that may hold either."""
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def _order(base: list[Key], mine: list[Key], theirs: list[Key]) -> list[Key]:
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
