"""Tables of the output as sheets of an Excel report, named as the tables say ("Deal CF-A-1", "Collat CF-Assets")."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from engine.outputs import Table, Unit
from engine.outputs.table import Cell

_FORMS: Final = {
    Unit.MONEY: "money",
    Unit.RATE: "percent",
    Unit.SHARE: "percent",
    Unit.RATIO: "ratio",
    Unit.PRICE: "number",
    Unit.YEARS: "number",
    Unit.COUNT: "count",
    Unit.DATE: "date",
    Unit.FLAG: "text",
    Unit.TEXT: "text",
}
_IN_HEAD: Final = {Unit.PRICE: " (% of par)", Unit.YEARS: " (years)"}
_LONGEST: Final = 31  # characters of a sheet's name


class Sheet(NamedTuple):
    """One sheet: name, title, heads, the report's number formats, rows."""

    name: str
    title: str
    heads: tuple[str, ...]
    forms: tuple[str, ...]
    rows: Iterable[Sequence[str | float | dt.date | None]]


def sheets_of(tables: Iterable[Table], taken: Iterable[str]) -> Iterator[Sheet]:
    """A sheet a table, under names that Excel takes and that are not `taken`."""
    used = {name.casefold() for name in taken}
    for table in tables:
        name = _free(table.tab, used)
        used.add(name.casefold())
        yield Sheet(
            name,
            table.title,
            tuple(c.name + _IN_HEAD.get(c.unit, "") for c in table.columns),
            tuple(_FORMS[c.unit] for c in table.columns),
            ([_worded(cell) for cell in row] for row in table.rows()),
        )


def _worded(cell: Cell) -> str | float | dt.date | None:
    return cell if not isinstance(cell, bool) else "yes" if cell else "no"


def _free(tab: str, used: set[str]) -> str:
    plain = re.sub(r"[\[\]:*?/\\]", "-", tab)[:_LONGEST].strip("' ")
    name, count = plain, 1
    while name.casefold() in used:
        count += 1
        name = f"{plain[: _LONGEST - len(str(count)) - 1]} {count}"
    return name
