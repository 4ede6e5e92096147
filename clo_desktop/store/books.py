"""A book in rows and back: what is saved is what is loaded, in the same order (whole numbers come back as floats).

The functions work inside the caller's transaction.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import schema
from clo_desktop.store.cells import Row, join, split, storable
from engine.asset import COLUMNS, Asset
from engine.terms import (
    Account,
    Book,
    CashFlowAssumption,
    CurveNode,
    Deal,
    Fee,
    Fixing,
    Holding,
    Labelled,
    ObjectiveWeight,
    PaymentDate,
    Reference,
    Sink,
    TestLimit,
    Tranche,
)

BLOCKS: Final = ("current_dates", "dates", "quality_inputs", "cash_flow_inputs", "clo_inputs")
"""The label/value blocks: attributes of `Deal`."""

_BATCH: Final = 1000  # identifiers in one IN list; servers take at least 32,767 parameters

_T = TypeVar("_T")

_NAMES: Final = tuple(c.name for c in COLUMNS)


def _plain(record: Any) -> Row:
    """A record of scalars as a row; `dataclasses.asdict` copies deeply, which 300 assets would feel."""
    return {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}


def save_book(on: sa.Connection, book: Book, now: dt.datetime) -> None:
    """Write `book`, replacing the deal of its name; the assets of the master are inserted or brought up to date.

    Raises Refused where the deal holds an asset the book does not describe, where a value cannot be stored, or where
    someone else saved the deal in the same moment.
    """
    _check_assets(book)
    save_assets(on, book.assets.values())
    deal_id = _save_deal(on, book.deal, now)
    for table in schema.OF_DEAL:
        on.execute(sa.delete(table).where(table.c.deal_id == deal_id))
    for table, rows in _rows(book).items():
        if rows:
            on.execute(sa.insert(table), storable(table, ({"deal_id": deal_id, **row} for row in rows)))


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


def save_assets(on: sa.Connection, assets: Iterable[Asset]) -> None:
    """Insert new assets and update those that differ; the rest is not touched, so that a later audit stays short."""
    # in the order of the key, so that two who save at once wait for each other instead of blocking each other
    rows = sorted(storable(schema.assets, map(_plain, assets)), key=lambda row: str(row["asset_id"]))
    known = {a.asset_id: _plain(a) for a in load_assets(on, [row["asset_id"] for row in rows])}
    new = [row for row in rows if row["asset_id"] not in known]
    changed = [row for row in rows if row["asset_id"] in known and row != known[row["asset_id"]]]
    if new:
        on.execute(sa.insert(schema.assets), new)
    if changed:
        key = schema.assets.c.asset_id
        values: Row = {name: sa.bindparam(name) for name in _NAMES if name != key.name}
        statement = sa.update(schema.assets).where(key == sa.bindparam("the_asset")).values(values)
        on.execute(statement, [{"the_asset": row.pop(key.name), **row} for row in changed])


def load_assets(on: sa.Connection, ids: Sequence[str]) -> list[Asset]:
    """The assets of `ids` that the master has, in no particular order."""
    found: list[Asset] = []
    for start in range(0, len(ids), _BATCH):
        some = sa.select(schema.assets).where(schema.assets.c.asset_id.in_(ids[start : start + _BATCH]))
        found.extend(Asset(**dict(zip(_NAMES, row, strict=True))) for row in on.execute(some))
    return found


def _save_deal(on: sa.Connection, deal: Deal, now: dt.datetime) -> int:
    """Insert or update the row of the deal; its key."""
    values = {
        "name": deal.name,
        "currency": deal.currency,
        "original_index": deal.original_index,
        "current_index": deal.current_index,
        "updated_at": now,
    }
    [row] = storable(schema.deals, [values])
    deals = schema.deals
    known = on.execute(
        sa.select(deals.c.id, deals.c.version).where(deals.c.name == deal.name).with_for_update()
    ).first()
    if known is None:
        key = on.execute(sa.insert(deals).values(version=1, **row)).inserted_primary_key
        assert key is not None
        return int(key[0])
    # the absolute version in SET and WHERE: "version = version + 1" would hide that someone else was faster
    same = sa.and_(deals.c.id == known.id, deals.c.version == known.version)
    if on.execute(sa.update(deals).where(same).values(version=known.version + 1, **row)).rowcount != 1:
        raise Refused(f"Deal {deal.name} was saved by someone else just now; load it again and repeat the change.")
    return int(known.id)


def _rows(book: Book) -> dict[sa.Table, list[Row]]:
    """The rows of the deal's tables, parents first."""
    deal, reference = book.deal, book.reference
    vectors = reference.vectors
    return {
        schema.deal_assets: _numbered({"asset_id": key} for key in book.assets),
        schema.holdings: _numbered(map(_plain, deal.holdings)),
        schema.tranches: _numbered(map(_plain, deal.tranches)),
        schema.fees: _numbered(map(_plain, deal.fees)),
        schema.accounts: _numbered(map(_plain, deal.accounts)),
        schema.test_limits: _numbered(map(_plain, deal.limits)),
        schema.objective_weights: _numbered(map(_plain, deal.weights)),
        schema.payment_dates: _numbered(map(_plain, deal.schedule)),
        schema.subordinated_payments: _numbered({"date": d, "amount": a} for d, a in deal.subordinated_payments),
        schema.labelled_values: [
            {"block": block, **row} for block in BLOCKS for row in _numbered(_block_rows(getattr(deal, block)))
        ],
        schema.holidays: _numbered({"date": d} for d in reference.holidays),
        schema.fixings: _numbered(map(_plain, reference.fixings)),
        schema.vectors: _numbered({"name": name} for name, _ in vectors),
        schema.vector_entries: [
            {"vector": i, **row}
            for i, (_, entries) in enumerate(vectors)
            for row in _numbered({"value": value} for value in entries)
        ],
        schema.sinks: _numbered(map(_plain, reference.sinks)),
        schema.curve_nodes: _numbered(map(_plain, reference.curve)),
        schema.cash_flow_assumptions: _numbered(map(_assumption_row, reference.assumptions)),
    }


def _numbered(rows: Iterable[Row]) -> list[Row]:
    return [{"position": i, **row} for i, row in enumerate(rows)]


def _block_rows(block: Labelled) -> Iterable[Row]:
    return ({"label": label, **split(value)} for label, value in block)


def _assumption_row(assumption: CashFlowAssumption) -> Row:
    row: Row = {"target": assumption.target}
    for name in schema.ASSUMPTIONS:
        row |= split(getattr(assumption, name), f"{name}_")
    return row


def load_book(on: sa.Connection, name: str) -> Book | None:
    """The book of the deal called `name`, or None where there is no such deal."""
    found = on.execute(sa.select(schema.deals).where(schema.deals.c.name == name)).mappings().first()
    if found is None:
        return None
    key: int = found["id"]
    blocks = _load_blocks(on, key)
    deal = Deal(
        name=found["name"],
        currency=found["currency"],
        original_index=found["original_index"],
        current_index=found["current_index"],
        **blocks,
        holdings=_records(on, schema.holdings, key, Holding),
        accounts=_records(on, schema.accounts, key, Account),
        limits=_records(on, schema.test_limits, key, TestLimit),
        weights=_records(on, schema.objective_weights, key, ObjectiveWeight),
        subordinated_payments=_records(on, schema.subordinated_payments, key, lambda date, amount: (date, amount)),
        schedule=_records(on, schema.payment_dates, key, PaymentDate),
        tranches=_records(on, schema.tranches, key, Tranche),
        fees=_records(on, schema.fees, key, Fee),
    )
    return Book(deal, _load_listed_assets(on, key), _load_reference(on, key))


def _records(on: sa.Connection, table: sa.Table, deal_id: int, record: Callable[..., _T]) -> tuple[_T, ...]:
    """The rows of a deal in order, each made into a record by the names of its columns."""
    columns = [c for c in table.columns if c.name not in ("deal_id", "position")]
    names = [c.name for c in columns]
    ordered = sa.select(*columns).where(table.c.deal_id == deal_id).order_by(table.c.position)
    return tuple(record(**dict(zip(names, row, strict=True))) for row in on.execute(ordered))


def _load_listed_assets(on: sa.Connection, deal_id: int) -> dict[str, Asset]:
    listed = schema.deal_assets
    ordered = (
        sa.select(schema.assets)
        .join(listed, listed.c.asset_id == schema.assets.c.asset_id)
        .where(listed.c.deal_id == deal_id)
        .order_by(listed.c.position)
    )
    found = (Asset(**dict(zip(_NAMES, row, strict=True))) for row in on.execute(ordered))
    return {asset.asset_id: asset for asset in found}


def _load_blocks(on: sa.Connection, deal_id: int) -> dict[str, Labelled]:
    table = schema.labelled_values
    ordered = sa.select(table).where(table.c.deal_id == deal_id).order_by(table.c.block, table.c.position)
    blocks: dict[str, Labelled] = dict.fromkeys(BLOCKS, ())
    for row in on.execute(ordered).mappings():
        blocks[row["block"]] += ((row["label"], join(_named(row))),)
    return blocks


def _load_reference(on: sa.Connection, deal_id: int) -> Reference:
    entries: dict[int, list[float | None]] = {}
    table = schema.vector_entries
    ordered = (
        sa.select(table.c.vector, table.c.value)
        .where(table.c.deal_id == deal_id)
        .order_by(table.c.vector, table.c.position)
    )
    for vector, value in on.execute(ordered):
        entries.setdefault(vector, []).append(value)
    names = _records(on, schema.vectors, deal_id, lambda name: name)
    return Reference(
        holidays=_records(on, schema.holidays, deal_id, lambda date: date),
        fixings=_records(on, schema.fixings, deal_id, Fixing),
        vectors=tuple((name, tuple(entries.get(i, ()))) for i, name in enumerate(names)),
        sinks=_records(on, schema.sinks, deal_id, Sink),
        curve=_records(on, schema.curve_nodes, deal_id, CurveNode),
        assumptions=_records(on, schema.cash_flow_assumptions, deal_id, _assumption),
    )


def _assumption(target: str, **cells: Any) -> CashFlowAssumption:
    return CashFlowAssumption(target, **{name: join(cells, f"{name}_") for name in schema.ASSUMPTIONS})


def _named(row: Mapping[Any, Any]) -> Mapping[str, Any]:
    return {str(name): value for name, value in row.items()}


def delete_deal(on: sa.Connection, name: str) -> bool:
    """Remove the deal and its rows; the asset master stays. False where there is no such deal."""
    deals = schema.deals
    key = on.execute(sa.select(deals.c.id).where(deals.c.name == name).with_for_update()).scalar()
    if key is None:
        return False
    for table in schema.OF_DEAL:
        on.execute(sa.delete(table).where(table.c.deal_id == key))
    on.execute(sa.delete(deals).where(deals.c.id == key))
    return True
