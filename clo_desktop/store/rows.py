"""A book as rows and back, without a database: what the tables hold, each row known by its natural key.

A row here is what a person would call one: a cell that may hold any value is one entry, not the four columns of the
table. `to_columns` and `from_columns` go between the two.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.store import schema
from clo_desktop.store.cells import Row, join, split
from engine.asset import Asset
from engine.terms import (
    Account,
    Book,
    CashFlowAssumption,
    CurveNode,
    Deal,
    Fee,
    Fixing,
    Holding,
    ObjectiveWeight,
    PaymentDate,
    Reference,
    Sink,
    TestLimit,
    Tranche,
)

Rows = dict[sa.Table, list[Row]]
"""The rows of a book by table, in their order."""

Key = tuple[Any, ...]
"""The natural columns of a row and, last, how many rows before it have the same."""

BLOCKS: Final = ("current_dates", "dates", "quality_inputs", "cash_flow_inputs", "clo_inputs")
"""The label/value blocks: attributes of `Deal`."""

_CELLS: Final[dict[sa.Table, dict[str, str]]] = {
    schema.labelled_values: {"value": ""},
    schema.cash_flow_assumptions: {name: f"{name}_" for name in schema.ASSUMPTIONS},
}
"""The entries that are cells of any type, and the prefix of their columns."""

_OWN: Final = ("name", "currency", "original_index", "current_index")
"""The attributes of `Deal` that are columns of its own row."""


def rows_of(book: Book) -> Rows:
    """The deal's own row, the rows of its tables and the assets of its list."""
    deal, reference = book.deal, book.reference
    return {
        schema.deals: [{name: getattr(deal, name) for name in _OWN}],
        schema.assets: [plain(a) for a in book.assets.values()],
        schema.deal_assets: [{"asset_id": key} for key in book.assets],
        schema.holdings: _plain(deal.holdings),
        schema.tranches: _plain(deal.tranches),
        schema.fees: _plain(deal.fees),
        schema.accounts: _plain(deal.accounts),
        schema.test_limits: _plain(deal.limits),
        schema.objective_weights: _plain(deal.weights),
        schema.payment_dates: _plain(deal.schedule),
        schema.subordinated_payments: [{"date": d, "amount": a} for d, a in deal.subordinated_payments],
        schema.labelled_values: [
            {"block": block, "label": label, "value": value}
            for block in BLOCKS
            for label, value in getattr(deal, block)
        ],
        schema.holidays: [{"date": d} for d in reference.holidays],
        schema.fixings: _plain(reference.fixings),
        schema.vectors: [{"name": name, "entries": list(entries)} for name, entries in reference.vectors],
        schema.sinks: _plain(reference.sinks),
        schema.curve_nodes: _plain(reference.curve),
        schema.cash_flow_assumptions: _plain(reference.assumptions),
    }


def book_of(rows: Rows) -> Book:
    """The book that `rows_of` took apart."""

    def all_of(table: sa.Table, record: Any) -> tuple[Any, ...]:
        return tuple(record(**row) for row in rows.get(table, ()))

    [own] = rows[schema.deals]
    blocks: dict[str, Any] = dict.fromkeys(BLOCKS, ())
    for row in rows.get(schema.labelled_values, ()):
        blocks[row["block"]] += ((row["label"], row["value"]),)
    deal = Deal(
        **own,
        **blocks,
        holdings=all_of(schema.holdings, Holding),
        accounts=all_of(schema.accounts, Account),
        limits=all_of(schema.test_limits, TestLimit),
        weights=all_of(schema.objective_weights, ObjectiveWeight),
        subordinated_payments=all_of(schema.subordinated_payments, lambda date, amount: (date, amount)),
        schedule=all_of(schema.payment_dates, PaymentDate),
        tranches=all_of(schema.tranches, Tranche),
        fees=all_of(schema.fees, Fee),
    )
    reference = Reference(
        holidays=all_of(schema.holidays, lambda date: date),
        fixings=all_of(schema.fixings, Fixing),
        vectors=all_of(schema.vectors, lambda name, entries: (name, tuple(entries))),
        sinks=all_of(schema.sinks, Sink),
        curve=all_of(schema.curve_nodes, CurveNode),
        assumptions=all_of(schema.cash_flow_assumptions, CashFlowAssumption),
    )
    master = {row["asset_id"]: row for row in rows.get(schema.assets, ())}
    listed = [row["asset_id"] for row in rows.get(schema.deal_assets, ())]
    return Book(deal, {key: Asset(**master[key]) for key in listed}, reference)


def keyed(table: sa.Table, rows: Iterable[Row]) -> dict[Key, Row]:
    """The rows by their natural key, in their order."""
    names: tuple[str, ...] = table.info["known_by"]
    seen: dict[Key, int] = {}
    found: dict[Key, Row] = {}
    for row in rows:
        natural = tuple(row[name] for name in names)
        times = seen.get(natural, 0)
        seen[natural] = times + 1
        found[(*natural, times)] = row
    return found


def plain(record: Any) -> Row:
    """A record of scalars as a row; `dataclasses.asdict` copies deeply, which 300 assets would feel."""
    return _taken_apart(record.__class__)(record)


@functools.cache
def _taken_apart(record: type) -> Callable[[Any], Row]:
    """How a record of the class becomes a row; looked up once, for every save and merge takes whole deals apart."""
    names = tuple(f.name for f in dataclasses.fields(record))
    if len(names) == 1:
        return lambda one: {names[0]: getattr(one, names[0])}
    values = operator.attrgetter(*names)
    return lambda one: dict(zip(names, values(one), strict=True))


def _plain(records: Iterable[Any]) -> list[Row]:
    return [plain(record) for record in records]


def to_columns(table: sa.Table, row: Row) -> Row:
    """A row as the columns of its table."""
    cells = _CELLS.get(table, {})
    columns = {name: value for name, value in row.items() if name not in cells}
    for name, prefix in cells.items():
        columns |= split(row[name], prefix)
    return columns


def from_columns(table: sa.Table, columns: Mapping[str, Any]) -> Row:
    """The row that `to_columns` made columns of; what only the database needs (id, deal, rank, version) is left out."""
    cells = _CELLS.get(table, {})
    taken = {prefix + kind for prefix in cells.values() for kind in schema.CELL} | _HOUSEKEEPING
    row = {name: value for name, value in columns.items() if name not in taken}
    return row | {name: join(columns, prefix) for name, prefix in cells.items()}


_HOUSEKEEPING: Final = {"id", "deal_id", "rank", "version", "updated_at"}
