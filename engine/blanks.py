"""Terms beside their labels: what the deal says, what is assumed where it is silent, and that it was assumed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine import dates
from engine.terms import Book, Deal, lookup, number


class StructureError(ValueError):
    """The deal lacks what a projection cannot do without; the text says what and where to enter it."""


@dataclass(slots=True)
class Reader:
    """Reads terms of a deal; what it had to assume is kept in `assumed`."""

    deal: Deal
    defaults: Mapping[str, Any]
    assumed: list[str] = field(default_factory=list)

    def number(self, blocks: tuple[str, ...], label: str, default: float, unit: str = "") -> float:
        """The number beside `label` in the first block that has it, else `default`, noted."""
        for block in blocks:
            found = number(getattr(self.deal, block), label)
            if found is not None:
                return found
        self.assumed.append(f"{label} {shown(default, unit)}")
        return default

    def text(self, label: str, default: str) -> str:
        found = lookup(self.deal.cash_flow_inputs, label)
        if found is None:
            self.assumed.append(f"{label} {default}")
            return default
        return str(found).strip().upper()

    def date(self, label: str, default: dt.date) -> dt.date:
        found = self.deal.date(label)
        if found is not None:
            return found
        self.assumed.append(f"{label} {default.isoformat()}")
        return default


def shown(value: float, unit: str) -> str:
    """An assumed figure in words; unit %: a fraction."""
    return f"{value * 100:.4g} %" if unit == "%" else f"{value:,.10g}{unit}"


def says_yes(deal: Deal, label: str) -> bool:
    """Whether the CLO Inputs say yes; silence is no."""
    return lookup(deal.clo_inputs, label) in (True, "TRUE", "Yes", "YES", 1.0)


def figure(deal: Deal, label: str, usual: float) -> float:
    """A figure of the CLO Inputs; a date counts as its serial."""
    found = lookup(deal.clo_inputs, label)
    if isinstance(found, dt.date):
        return float(dates.serial(found))
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else usual


def whole_number(deal: Deal, label: str, usual: int) -> int:
    """A whole number of the "Deal Dates" block; zero is zero."""
    found = number(deal.dates, label)
    return usual if found is None else int(found)


def first_given(*found: float | None) -> float | None:
    return next((value for value in found if value is not None), None)


def pool_rate(book: Book, reader: Reader, label: str, cell: str, default: float, unit: str = "%") -> float:
    """The pool-wide assumption (the table's last ALL row; the first entry where it is a vector), else the assumed."""
    found = tabled(book, "ALL", cell)
    if found is not None:
        return found
    reader.assumed.append(f"{label} {shown(default, unit)}")
    return default


def tabled(book: Book, target: str, cell: str) -> float | None:
    """What the assumption table's last row of a target says; of a vector its first entry."""
    vectors = {name.strip().upper(): values for name, values in book.reference.vectors}
    for row in reversed(book.reference.assumptions):
        value = getattr(row, cell)
        if row.target.strip().upper() != target or value is None:
            continue
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
        entries = vectors.get(str(value).strip().upper())
        if entries:
            return float(entries[0] or 0.0)
    return None


def vector_notes(book: Book) -> list[str]:
    """What the assumption table takes from vectors, in words."""
    names = {name.strip().upper() for name, _ in book.reference.vectors}
    words = {"prepay": "CPR", "default": "CDR", "severity": "severity"}
    made = []
    for row in book.reference.assumptions:
        for cell, word in words.items():
            value = getattr(row, cell)
            if isinstance(value, str) and value.strip().upper() in names:
                only = " (its first entry)" if row.target.strip().upper() == "REINVEST" else ""
                made.append(f"The {word} of {row.target} follows the vector {value}{only}.")
    return made
