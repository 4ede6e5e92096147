"""What the store tells about deals and imports without loading a book."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields
from typing import Final

import sqlalchemy as sa

from clo_desktop.store import schema
from clo_desktop.store.cells import storable
from engine.terms import COLLECTION, Value, lookup


@dataclass(frozen=True, slots=True)
class DealSummary:
    """A deal at a glance. `assets` counts the holdings; `par` and `principal_cash` in the deal's currency."""

    name: str
    as_of: dt.date | None
    currency: str
    assets: int
    par: float
    principal_cash: float


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import that was saved. `imported_at` is aware (UTC); `warnings` counts the cells worth a look."""

    deal: str
    file_name: str
    sha256: str
    imported_at: dt.datetime
    assets: int
    holdings: int
    par: float
    warnings: int


_IMPORT_COLUMNS: Final = tuple(f.name for f in fields(ImportRecord))


def summaries(on: sa.Connection) -> tuple[DealSummary, ...]:
    """All deals by name."""
    deals, held, cash, cells = schema.deals, schema.holdings, schema.accounts, schema.labelled_values
    pars = {
        key: (count, par)
        for key, count, par in on.execute(
            sa.select(held.c.deal_id, sa.func.count(), sa.func.sum(held.c.par)).group_by(held.c.deal_id)
        )
    }
    principal: dict[int, float] = {}
    collection = sa.select(cash.c.deal_id, cash.c.principal).where(cash.c.number == COLLECTION)
    for key, amount in on.execute(collection.order_by(cash.c.deal_id, cash.c["rank"], cash.c.id)):
        principal.setdefault(key, amount)  # the first account of that number, as Deal.account has it
    dates: dict[int, list[tuple[str, Value]]] = {}
    current = sa.select(cells.c.deal_id, cells.c.label, cells.c.date).where(cells.c.block == "current_dates")
    for key, label, date in on.execute(current.order_by(cells.c.deal_id, cells.c["rank"], cells.c.id)):
        dates.setdefault(key, []).append((label, date))

    found: list[DealSummary] = []
    for key, name, currency in on.execute(sa.select(deals.c.id, deals.c.name, deals.c.currency)):
        as_of = lookup(tuple(dates.get(key, ())), "Analysis date")
        count, par = pars.get(key, (0, 0.0))
        found.append(
            DealSummary(
                name=name,
                as_of=as_of if isinstance(as_of, dt.date) else None,
                currency=currency,
                assets=count,
                par=par,
                principal_cash=principal.get(key, 0.0),
            )
        )
    # sorted here, since databases disagree on the order of text
    return tuple(sorted(found, key=lambda deal: (deal.name.casefold(), deal.name)))


def add_import(on: sa.Connection, record: ImportRecord) -> None:
    """Note an import. Raises TypeError where its moment has no time zone."""
    row = {name: getattr(record, name) for name in _IMPORT_COLUMNS}
    on.execute(sa.insert(schema.imports), storable(schema.imports, [row]))


def all_imports(on: sa.Connection) -> tuple[ImportRecord, ...]:
    """All imports, the newest first."""
    table = schema.imports
    newest_first = sa.select(*(table.c[name] for name in _IMPORT_COLUMNS)).order_by(
        table.c.imported_at.desc(), table.c.id.desc()
    )
    return tuple(ImportRecord(*row) for row in on.execute(newest_first))
