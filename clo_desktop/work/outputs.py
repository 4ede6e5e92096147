"""The tables of the output from a desk: of a run, of the assets, of their spreads; as data, and in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.figures import percent
from clo_desktop.work.desk import Desk
from engine.assumptions import Assumptions
from engine.outputs import Field, Table, Unit, asset_table, deal_tables, spread_table

_ASSET_COLUMNS: Final = (
    *("Payment date", "Coupon", "Opening balance", "Defaulted", "Interest", "Scheduled principal"),
    *("Unscheduled principal", "Recoveries", "Total cash", "Net loss", "Closing balance", "Default balance"),
)
_SPREAD_COLUMNS: Final = (
    *("Asset", "Z-spread", "Price", "Spread", "Floor", "Maturity", "Moody's rating", "Credit opinion", "Issue"),
)


def tables(
    desk: Desk, deal: str, assumptions: Assumptions | None = None, *, curve: Path | None = None
) -> tuple[Table, ...]:
    """Every table of a run of the deal. Raises Refused for terms that are missing."""
    with desk.ready(deal, curve=curve) as model:
        return deal_tables(model, model.run(assumptions or Assumptions()))


def assets(
    desk: Desk,
    deal: str,
    assumptions: Assumptions | None = None,
    *,
    asset: str | None = None,
    curve: Path | None = None,
) -> Table:
    """Cash flows of the deal's assets, or of one. Raises Refused for an asset that the deal does not hold."""
    with desk.ready(deal, curve=curve) as model:
        return asset_table(model, assumptions or Assumptions(), asset)


def spreads(desk: Desk, deal: str, *, curve: Path | None = None) -> Table:
    """Z-spreads of the deal's assets at their prices."""
    with desk.ready(deal, curve=curve) as model:
        return spread_table(model)


def chosen(found: Sequence[Table], name: str) -> Table:
    """The table of a name, or of a title's first words. Raises Refused naming what there is."""
    wanted = name.strip().casefold()
    for table in found:
        if wanted in (table.name.casefold(), table.tab.casefold()):
            return table
    known = ", ".join(table.name for table in found)
    raise Refused(f"There is no table {name!r}; there are {known}.", code="table")


# --- as data -----------------------------------------------------------------------------------------------------


def plain(table: Table) -> dict[str, Any]:
    """A table as JSON has it: a missing figure is null, dates are ISO."""
    columns = [{"name": name, "unit": unit} for name, unit in zip(table.names, table.units, strict=True)]
    rows = [[cell.isoformat() if isinstance(cell, dt.date) else cell for cell in row] for row in table.rows()]
    return {"table": table.name, "title": table.title, "currency": table.currency, "columns": columns, "rows": rows}


# --- in words ----------------------------------------------------------------------------------------------------

_DECIMALS: Final = {Unit.MONEY: 2, Unit.PRICE: 3, Unit.YEARS: 2, Unit.COUNT: 0}


def _shown(column: Field, row: int) -> str:
    cell = column.cell(row)
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        if column.unit in (Unit.RATE, Unit.SHARE, Unit.RATIO):
            return percent(cell, 3)
        return f"{cell:,.{_DECIMALS.get(column.unit, 2)}f}"
    return str(cell)


def words(table: Table, names: Sequence[str] | None = None) -> str:
    """A table in aligned columns, money in the deal's currency; those named, or all."""
    shown = [c for c in table.columns if names is None or c.name in names]
    if names is not None:
        shown.sort(key=lambda c: list(names).index(c.name))
    texts = [[c.name, *(_shown(c, row) for row in range(len(table)))] for c in shown]
    widths = [max(map(len, column)) for column in texts]
    lines = [f"{table.title}, money in {table.currency}"]
    for line in zip(*texts, strict=True):
        cells = (
            text.ljust(width) if c.unit in (Unit.TEXT, Unit.DATE) else text.rjust(width)
            for text, width, c in zip(line, widths, shown, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def listed(found: Sequence[Table]) -> str:
    """A line a table: its name and what it is."""
    width = max(len(table.name) for table in found)
    return "\n".join(f"{table.name:{width}}  {table.title}" for table in found)


def asset_words(table: Table) -> str:
    return words(table, ("Asset", *_ASSET_COLUMNS) if table.name == "assets" else _ASSET_COLUMNS)


def spread_words(table: Table) -> str:
    return words(table, _SPREAD_COLUMNS)
