"""Cells of positions as a person types them: texts become values of the assets and par of the holdings. No Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.sheets import parse
from clo_desktop.sheets.assets import parse_cell
from clo_desktop.work.pad_rows import amount
from engine.asset import COLUMN_BY_NAME, COLUMNS, Column, Kind
from engine.terms import Book
from engine.trades.trade import LOWEST_PRICE

PAR: Final = "held_par"
"""The column of the positions that is the holding's par, not the asset's."""

EDITABLE: Final = frozenset({PAR, *(c.name for c in COLUMNS if c.kind is not Kind.ID)})
"""The columns of the positions that may be typed into."""

_NUMBER: Final = re.compile(r"[+\-−]?[\d.,]+$")


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed into a cell of a position; an empty text clears the cell."""

    asset_id: str
    column: str
    text: str


def title(column: str) -> str:
    return "Par" if column == PAR else COLUMN_BY_NAME[column].title


def words(cells: Sequence[Typed]) -> str:
    """What an edit is called: the cell, or how many there are."""
    if len(cells) == 1:
        return f"{title(cells[0].column)} of {cells[0].asset_id}"
    columns = {cell.column for cell in cells}
    of = f" of {title(next(iter(columns)))}" if len(columns) == 1 else ""
    return f"{len(cells)} cells{of}"


def value_of(cell: Typed) -> Any:
    """The value that the text of a cell spells, in the unit of its column's header: 3.75 of a spread (%) is 0.0375.

    Raises Refused with cell, reason and remedy for a text that is no such value, or blank where there must be one.
    """
    text = cell.text.strip().removeprefix("'")
    if cell.column not in EDITABLE:
        raise _refusal(cell, "The column cannot be typed into: it is worked out, or names the asset.")
    if cell.column == PAR:
        return _par(cell, text)
    column = COLUMN_BY_NAME[cell.column]
    if column.kind in _IN_PERCENT and _NUMBER.match(text):
        text = _with_percent(cell, column, text)
    found = parse_cell(column, text)
    if found.failed:
        raise _refusal(cell, _PERCENT if column.kind in _IN_PERCENT and _NUMBER.match(cell.text) else found.message)
    if found.value is None and column.required:
        raise _refusal(cell, "A position needs it: type a value.")
    if column.kind is Kind.PRICE and isinstance(found.value, float) and 0.0 < found.value <= LOWEST_PRICE:
        raise _refusal(
            cell, f"It looks like a fraction of par: type it in percent of par, such as {found.value * 100.0:g}."
        )
    return found.value


def _par(cell: Typed, text: str) -> float:
    """An amount, also as 2.5m or 250k."""
    try:
        par = amount(text.replace("−", "-"))
    except ValueError as error:
        raise _refusal(cell, f"{error}") from error
    if not par:
        raise _refusal(cell, "A position has a par: type an amount, or sell it in the trade pad.")
    return par


def _with_percent(cell: Typed, column: Column, text: str) -> str:
    """A number typed under a header in percent, with its sign; one that may be a fraction is asked for again."""
    found = parse.text_number(text, parse.ANY)
    fraction = 1.0 if column.kind is Kind.SHARE else 0.05
    if found is not None and 0.0 < abs(found[0]) < fraction:
        raise _refusal(
            cell, f"It may be {found[0] * 100.0:g} % or {found[0]:g} %: type {found[0] * 100.0:g} or {found[0]:g}%."
        )
    return f"{text}%"


_IN_PERCENT: Final = (Kind.RATE, Kind.SHARE)
_PERCENT: Final = "It is typed in percent, as the header says, such as 3.75 or 3.75%: correct it or clear the cell."


def _refusal(cell: Typed, why: str) -> Refused:
    shown = cell.text if len(cell.text) <= 40 else cell.text[:39] + "…"
    return Refused(f"{title(cell.column)} of {cell.asset_id}, “{shown}”: {why} Nothing was changed.", code="cell")


def with_cells(book: Book, cells: Iterable[Typed]) -> Book:
    """The book with these cells; all or none.

    Raises Refused for a text that is no value of its column, an asset the deal does not hold or does not list.
    """
    holdings = {h.asset_id: h for h in book.deal.holdings}
    assets = dict(book.assets)
    for cell in cells:
        value = value_of(cell)
        if cell.asset_id not in holdings or cell.asset_id not in assets:
            raise Refused(f"{book.deal.name} holds no {cell.asset_id}; nothing was changed.", code="no-asset")
        if cell.column == PAR:
            holdings[cell.asset_id] = replace(holdings[cell.asset_id], par=value)
        else:
            assets[cell.asset_id] = replace(assets[cell.asset_id], **{cell.column: value})
    return replace(book, deal=replace(book.deal, holdings=tuple(holdings.values())), assets=assets)
