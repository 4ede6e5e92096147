"""Books in the database: what is saved is what is loaded, in the same order (whole numbers come back as floats).

Saving writes the rows that differ and no others, so that an audit says what was changed. The functions work inside the
caller's transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import schema
from clo_desktop.store.bulk import insert
from clo_desktop.store.cells import Row, storable
from clo_desktop.store.ranks import ranks_for
from clo_desktop.store.rows import Rows, book_of, from_columns, keyed, plain, rows_of, to_columns
from engine.asset import COLUMNS, Asset
from engine.terms import Book

_BATCH: Final = 1000  # identifiers in one IN list; servers take at least 32,767 parameters

_NAMES: Final = tuple(c.name for c in COLUMNS)


def save_book(on: sa.Connection, book: Book, now: dt.datetime) -> None:
    """Write `book`, replacing the deal of its name; the assets of the master are inserted or brought up to date.

    Raises Refused where the deal holds an asset the book does not describe, where a value cannot be stored, or where
    someone else saved the deal in the same moment.
    """
    _check_assets(book)
    rows = rows_of(book)
    rows.pop(schema.assets)
    # checked first, so that a value that cannot be kept is refused before anything is written
    [own] = storable(schema.deals, rows.pop(schema.deals))
    wanted = {table: storable(table, (to_columns(table, row) for row in some)) for table, some in rows.items()}
    known = find_deal(on, book.deal.name, to_change=True)
    deal_id = _insert_deal(on, own, now) if known is None else known["id"]
    update_assets = insert_assets(on, book.assets.values())
    changed = [_save_rows(on, table, deal_id, some) for table, some in wanted.items()]
    update_assets()  # last: on a server a manager may change the assets that a deal of theirs lists
    if known is not None and (any(changed) or own != {name: known[name] for name in own}):
        _update_deal(on, known, own, now)


def _check_assets(book: Book) -> None:
    unknown = sorted({h.asset_id for h in book.deal.holdings} - book.assets.keys())
    if unknown:
        named = ", ".join(unknown[:5]) + (" and others" if len(unknown) > 5 else "")
        raise Refused(
            f"Deal {book.deal.name} holds assets that are not in the asset master: {named}; add them and save again.",
            code="unknown-assets",
        )
    for key, asset in book.assets.items():
        if key != asset.asset_id:
            raise ValueError(f"asset {asset.asset_id!r} is filed under {key!r}")


def insert_assets(on: sa.Connection, assets: Iterable[Asset]) -> Callable[[], None]:
    """Insert new assets; what is returned updates those that differ. The rest is not touched.

    It raises Refused where someone else changed one of them in the same moment.
    """
    # in the order of the key, so that two who save at once wait for each other instead of blocking each other
    rows = sorted(storable(schema.assets, map(plain, assets)), key=lambda row: str(row["asset_id"]))
    known = _stored_assets(on, [row["asset_id"] for row in rows])
    new = [row | {"version": 1} for row in rows if row["asset_id"] not in known]
    changed = [
        (row, known[row["asset_id"]]["version"])
        for row in rows
        if row["asset_id"] in known and row != {name: known[row["asset_id"]][name] for name in _NAMES}
    ]
    if new:
        insert(on, schema.assets, new)
    return partial(_update_assets, on, changed)


def _update_assets(on: sa.Connection, changed: Sequence[tuple[Row, int]]) -> None:
    """`changed`: each asset with the version it was read at."""
    if not changed:
        return
    table = schema.assets
    # the absolute version in SET and WHERE: "version = version + 1" would hide that someone else was faster
    statement = (
        sa.update(table)
        .where(table.c.asset_id == sa.bindparam("the_asset"), table.c.version == sa.bindparam("the_version"))
        .values({name: sa.bindparam(name) for name in (*_NAMES, "version") if name != "asset_id"})
    )
    done = on.execute(
        statement,
        [
            {"the_asset": row.pop("asset_id"), "the_version": version, **row, "version": version + 1}
            for row, version in changed
        ],
    )
    if done.rowcount != len(changed):
        raise Refused(
            "Some of these assets were changed by someone else just now, or belong to deals you may only read;"
            " load the deal again and repeat the change.",
            code="conflict",
        )


def _stored_assets(on: sa.Connection, ids: Sequence[str]) -> dict[str, Mapping[Any, Any]]:
    found: dict[str, Mapping[Any, Any]] = {}
    for start in range(0, len(ids), _BATCH):
        some = sa.select(schema.assets).where(schema.assets.c.asset_id.in_(ids[start : start + _BATCH]))
        found |= {row["asset_id"]: row for row in on.execute(some).mappings()}
    return found


def load_assets(on: sa.Connection, ids: Sequence[str]) -> list[Asset]:
    """The assets of `ids` that the master has, in no particular order."""
    return [Asset(**{name: row[name] for name in _NAMES}) for row in _stored_assets(on, ids).values()]


def find_deal(on: sa.Connection, name: str, *, to_change: bool = False) -> Row | None:
    """The row of the deal called `name`, or None. `to_change`: nobody else may change it until the transaction ends.

    Raises Refused where it is to be changed and may only be read.
    """
    chosen = sa.select(schema.deals).where(schema.deals.c.name == name)
    found = on.execute(chosen.with_for_update() if to_change else chosen).mappings().first()
    if found is not None:
        return {str(column): value for column, value in found.items()}
    if to_change and on.execute(chosen).first() is not None:
        raise Refused(f"You may read {name} but not change it; an admin can assign it to you.", code="rights")
    return None


def _insert_deal(on: sa.Connection, own: Row, now: dt.datetime) -> int:
    key = on.execute(sa.insert(schema.deals).values(version=1, updated_at=now, **own)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _update_deal(on: sa.Connection, known: Row, own: Row, now: dt.datetime) -> None:
    deals = schema.deals
    same = sa.and_(deals.c.id == known["id"], deals.c.version == known["version"])
    values = {**own, "version": known["version"] + 1, "updated_at": now}
    if on.execute(sa.update(deals).where(same).values(values)).rowcount != 1:
        raise Refused(
            f"Deal {own['name']} was saved by someone else just now; load it again and repeat the change.",
            code="conflict",
        )


def _save_rows(on: sa.Connection, table: sa.Table, deal_id: int, wanted: Sequence[Row]) -> bool:
    """Make the deal's rows of a table those of `wanted`, touching only what differs; whether anything did."""
    stored = keyed(table, _stored_rows(on, table, deal_id))
    asked = keyed(table, wanted)
    ranks = ranks_for([stored[key]["rank"] if key in stored else None for key in asked])
    gone = [{"the_row": row["id"]} for key, row in stored.items() if key not in asked]
    new: list[Row] = []
    changed: list[Row] = []
    for (key, row), rank in zip(asked.items(), ranks, strict=True):
        full = row | {"rank": rank}
        if key not in stored:
            new.append(full | {"deal_id": deal_id})
        elif full != {name: stored[key][name] for name in full}:
            changed.append(full | {"the_row": stored[key]["id"]})
    this = table.c.id == sa.bindparam("the_row")
    if gone:
        on.execute(sa.delete(table).where(this), gone)
    if changed:
        names = [name for name in changed[0] if name != "the_row"]
        on.execute(sa.update(table).where(this).values({name: sa.bindparam(name) for name in names}), changed)
    if new:
        insert(on, table, new)
    return bool(gone or changed or new)


def _stored_rows(on: sa.Connection, table: sa.Table, deal_id: int) -> list[Row]:
    ordered = sa.select(table).where(table.c.deal_id == deal_id).order_by(table.c["rank"], table.c.id)
    return [{str(name): value for name, value in row.items()} for row in on.execute(ordered).mappings()]


def load_book(on: sa.Connection, name: str, *, to_change: bool = False) -> Book | None:
    """The book of the deal called `name`, or None where there is no such deal.

    `to_change`: nobody else may change the deal until the transaction ends.
    """
    own = find_deal(on, name, to_change=to_change)
    if own is None:
        return None
    key = own["id"]
    rows: Rows = {schema.deals: [from_columns(schema.deals, own)]}
    for table in schema.OF_BOOK:
        rows[table] = [from_columns(table, columns) for columns in _stored_rows(on, table, key)]
    listed = [row["asset_id"] for row in rows[schema.deal_assets]]
    rows[schema.assets] = [from_columns(schema.assets, row) for row in _stored_assets(on, listed).values()]
    return book_of(rows)


def versions_of_assets(on: sa.Connection, deal: int) -> int:
    """The versions of all assets that the book of a deal lists, added up."""
    listed = sa.select(schema.deal_assets.c.asset_id).where(schema.deal_assets.c.deal_id == deal)
    total = sa.func.coalesce(sa.func.sum(schema.assets.c.version), 0)
    return int(on.execute(sa.select(total).where(schema.assets.c.asset_id.in_(listed))).scalar_one())


def delete_deal(on: sa.Connection, name: str) -> bool:
    """Remove the deal and its rows; the asset master stays. False where there is no such deal."""
    known = find_deal(on, name, to_change=True)
    if known is None:
        return False
    for table in schema.OF_DEAL:
        on.execute(sa.delete(table).where(table.c.deal_id == known["id"]))
    on.execute(sa.delete(schema.deals).where(schema.deals.c.id == known["id"]))
    return True
