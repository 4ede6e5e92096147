"""Ideas of trades, and what the pools looked like that they were made on.

The functions work inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import schema
from clo_desktop.store.cells import Row, storable
from engine.asset import COLUMN_BY_NAME, Asset, Kind


@dataclass(frozen=True, slots=True)
class PoolState:
    """What a pool looked like.

    book_hash       of the deal with its held assets and reference data
    inputs          hash of all of that but positions and cash: limits, readings, notes, curve
    principal_cash  in the deal's currency
    positions       by asset id: par in the deal's currency, and the hash of the asset's terms
    """

    book_hash: str
    as_of: dt.date | None
    principal_cash: float
    inputs: str
    positions: Mapping[str, tuple[float, str]]


@dataclass(frozen=True, slots=True)
class IdeaRow:
    """One trade, every cell as it was typed."""

    side: str = ""
    asset: str = ""
    par: str = ""
    price: str = ""
    settlement: str = ""


@dataclass(frozen=True, slots=True)
class StoredIdea:
    """An idea of trades.

    key      its identity, whatever its name;  version  counts its changes in the store, 0 before the first
    pool     what the pool looked like when its trades were changed last
    assets   those that only it knows;  is_open  whether the pad shows it
    author   None where it is not known; moments are aware (UTC)
    """

    key: str
    name: str
    rows: tuple[IdeaRow, ...]
    pool: PoolState
    created_at: dt.datetime
    changed_at: dt.datetime
    note: str = ""
    author: str | None = None
    assets: tuple[Asset, ...] = field(default=())
    version: int = 0
    is_open: bool = True


_HEAD: Final = ("key", "name", "note", "author", "created_at", "changed_at", "is_open")
_CELLS: Final = tuple(f.name for f in fields(IdeaRow))


def save_ideas(on: sa.Connection, deal_id: int, ideas: Iterable[StoredIdea]) -> tuple[StoredIdea, ...]:
    """Stores these ideas of a deal; the others stay as they are. In the same order as they are stored now.

    One that somebody else changed in the meantime is stored beside that one, under a new key: nothing is written over.
    """
    wanted = tuple(ideas)
    table = schema.ideas
    known = {
        row.key: row.version
        for row in on.execute(sa.select(table.c.key, table.c.version).where(table.c.deal_id == deal_id))
    }
    made = []
    for idea in wanted:
        there = known.get(idea.key)
        if there is not None and there != idea.version:
            same = next((i for i in load_ideas(on, deal_id) if i == replace(idea, version=i.version)), None)
            if same is not None:  # it was stored, and only the answer got lost
                made.append(same)
                continue
            copy = f"{idea.key}-{idea.version}-{there}"
            idea, there = replace(idea, key=copy, name=f"{idea.name} (mine)"), known.get(copy)
        pool = _pool(on, deal_id, idea.pool)
        [row] = storable(table, [{name: getattr(idea, name) for name in _HEAD}])
        row |= {"pool": pool, "version": (there or 0) + 1}
        if there is None:
            on.execute(sa.insert(table).values(deal_id=deal_id, **row))
        else:
            del row["key"]  # a name of a row is nobody's to change
            same_version = sa.and_(table.c.key == idea.key, table.c.version == there)
            if on.execute(sa.update(table).where(same_version).values(**row)).rowcount != 1:
                raise Refused(f"“{idea.name}” was stored by someone else just now; try again.", code="conflict")
        _put_rows(on, idea)
        made.append(replace(idea, version=row["version"]))
    _prune(on, deal_id)
    return tuple(made)


def _put_rows(on: sa.Connection, idea: StoredIdea) -> None:
    rows = [{"idea": idea.key, "position": i, **_cells(row)} for i, row in enumerate(idea.rows)]
    known = [{"idea": idea.key, "position": i, "described": described(asset)} for i, asset in enumerate(idea.assets)]
    for table, new in ((schema.idea_rows, rows), (schema.idea_assets, known)):
        mine = table.c.idea == idea.key
        stored = [dict(row) for row in on.execute(sa.select(table).where(mine).order_by(table.c.position)).mappings()]
        wanted = storable(table, new)
        same = next((i for i, pair in enumerate(zip(stored, wanted, strict=False)) if pair[0] != pair[1]), None)
        kept = min(len(stored), len(wanted)) if same is None else same
        if len(stored) > kept:
            on.execute(sa.delete(table).where(mine, table.c.position >= kept))
        if len(wanted) > kept:
            on.execute(sa.insert(table), wanted[kept:])


def _cells(row: IdeaRow) -> Row:
    return {name: getattr(row, name) for name in _CELLS}


def _pool(on: sa.Connection, deal_id: int, pool: PoolState) -> int:
    """The key of a pool's state, stored where it is new."""
    table = schema.idea_pools
    same = sa.and_(table.c.deal_id == deal_id, table.c.book_hash == pool.book_hash)
    key = on.execute(sa.select(table.c.id).where(same)).scalar()
    if key is not None:
        return int(key)
    head = {name: getattr(pool, name) for name in ("book_hash", "as_of", "principal_cash", "inputs")}
    [row] = storable(table, [head])
    made = on.execute(sa.insert(table).values(deal_id=deal_id, **row)).inserted_primary_key
    assert made is not None
    positions = [
        {"pool": int(made[0]), "position": i, "asset_id": asset, "par": par, "terms": terms}
        for i, (asset, (par, terms)) in enumerate(pool.positions.items())
    ]
    if positions:
        on.execute(sa.insert(schema.idea_pool_positions), storable(schema.idea_pool_positions, positions))
    return int(made[0])


def _prune(on: sa.Connection, deal_id: int) -> None:
    """Without the pools that no idea was made on."""
    pools, used = schema.idea_pools, sa.select(schema.ideas.c.pool)
    on.execute(sa.delete(pools).where(sa.and_(pools.c.deal_id == deal_id, pools.c.id.not_in(used))))


def load_ideas(on: sa.Connection, deal_id: int) -> tuple[StoredIdea, ...]:
    """The ideas of a deal, the oldest first."""
    table = schema.ideas
    pools = _load_pools(on, deal_id)
    rows: dict[str, list[IdeaRow]] = {}
    assets: dict[str, list[Asset]] = {}
    for row in _of_ideas(on, schema.idea_rows, deal_id, _CELLS):
        rows.setdefault(row[0], []).append(IdeaRow(*row[1:]))
    for row in _of_ideas(on, schema.idea_assets, deal_id, ("described",)):
        assets.setdefault(row[0], []).append(asset_of(row[1]))
    columns = [table.c[name] for name in (*_HEAD, "version")]
    ordered = sa.select(table.c.pool, *columns).where(table.c.deal_id == deal_id)
    return tuple(
        StoredIdea(
            **dict(zip((*_HEAD, "version"), values, strict=True)),
            rows=tuple(rows.get(values[0], ())),
            assets=tuple(assets.get(values[0], ())),
            pool=pools[pool],
        )
        for pool, *values in on.execute(ordered.order_by(table.c.created_at, table.c.key))
    )


def _of_ideas(on: sa.Connection, table: sa.Table, deal_id: int, names: Iterable[str]) -> Iterable[Any]:
    """The rows of a table that belong to the ideas of a deal, in their order, each led by the key of its idea."""
    ideas = schema.ideas
    return on.execute(
        sa.select(table.c.idea, *(table.c[name] for name in names))
        .join(ideas, ideas.c.key == table.c.idea)
        .where(ideas.c.deal_id == deal_id)
        .order_by(table.c.idea, table.c.position)
    )


def _load_pools(on: sa.Connection, deal_id: int) -> dict[int, PoolState]:
    pools, held = schema.idea_pools, schema.idea_pool_positions
    positions: dict[int, dict[str, tuple[float, str]]] = {}
    listed = (
        sa.select(held.c.pool, held.c.asset_id, held.c.par, held.c.terms)
        .join(pools, pools.c.id == held.c.pool)
        .where(pools.c.deal_id == deal_id)
        .order_by(held.c.pool, held.c.position)
    )
    for pool, asset, par, terms in on.execute(listed):
        positions.setdefault(pool, {})[asset] = (par, terms)
    heads = sa.select(pools.c.id, pools.c.book_hash, pools.c.as_of, pools.c.principal_cash, pools.c.inputs)
    return {
        row.id: PoolState(row.book_hash, row.as_of, row.principal_cash, row.inputs, positions.get(row.id, {}))
        for row in on.execute(heads.where(pools.c.deal_id == deal_id))
    }


def delete_ideas(on: sa.Connection, deal_id: int, keys: Iterable[str]) -> None:
    """Deletes ideas of a deal by their keys; one that is not there is deleted already."""
    table = schema.ideas
    on.execute(sa.delete(table).where(sa.and_(table.c.deal_id == deal_id, table.c.key.in_(list(keys)))))
    _prune(on, deal_id)


def described(asset: Asset) -> str:
    """What is known of an asset, as JSON; dates as ISO text."""
    known = {f.name: getattr(asset, f.name) for f in fields(asset) if getattr(asset, f.name) is not None}
    return json.dumps(known, ensure_ascii=False, default=lambda day: day.isoformat())


def asset_of(text: str) -> Asset:
    """The asset of `described`; a column that there is no longer is passed over."""
    known = {name: value for name, value in json.loads(text).items() if name in COLUMN_BY_NAME}
    for name, value in known.items():
        if COLUMN_BY_NAME[name].kind is Kind.DATE:
            known[name] = dt.date.fromisoformat(value)
    return Asset(**known)
