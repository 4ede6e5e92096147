"""A table of the output: named columns with units, each one array."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Cell = str | float | bool | dt.date | None


class Unit(StrEnum):
    """What the figures of a column are. The values are those of `asset.Kind`, where it has one."""

    MONEY = "money"  # in the deal's currency
    RATE = "rate"  # fraction a year
    SHARE = "share"  # fraction
    RATIO = "ratio"  # fraction, of coverage tests
    PRICE = "price"  # percent of par
    YEARS = "years"
    COUNT = "count"
    DATE = "date"
    FLAG = "flag"
    TEXT = "text"


_WORDS: Final = {
    Unit.RATE: "fraction a year",
    Unit.SHARE: "fraction",
    Unit.RATIO: "fraction",
    Unit.PRICE: "% of par",
    Unit.YEARS: "years",
    Unit.DATE: "date",
    Unit.FLAG: "yes/no",
}


TINY: Final = 1e-6
"""Money that is nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One column.

    values  float64 (missing: NaN), datetime64[D] (NaT), bool, or object of texts (None); read only
    adds    a sum over the rows means something
    """

    name: str
    unit: Unit
    values: NDArray[Any]
    adds: bool = False

    def cell(self, row: int) -> Cell:
        """A value as a Python object; None where missing."""
        value = self.values[row].item() if self.values.dtype != object else self.values[row]
        return None if value is None or value != value else value


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table by columns.

    name   unique within a run, without blanks;  tab: what an Excel report calls its sheet;  title: words
    """

    name: str
    tab: str
    title: str
    currency: str
    columns: tuple[Field, ...]

    def __len__(self) -> int:
        return len(self.columns[0].values)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def units(self) -> tuple[str, ...]:
        """The unit of every column in words; "" where there is none."""
        return tuple(self.currency if c.unit is Unit.MONEY else _WORDS.get(c.unit, "") for c in self.columns)

    @property
    def dates(self) -> NDArray[np.datetime64]:
        """datetime64[D, n_rows]: the payment dates. Raises KeyError for a table without."""
        return self["Payment date"]

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The array of a column. Raises KeyError naming the columns there are."""
        for column in self.columns:
            if column.name == name:
                return column.values
        raise KeyError(f"{self.name} has no column {name!r}; it has {', '.join(self.names)}")

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        for row in range(len(self)):
            yield tuple(column.cell(row) for column in self.columns)


def field(name: str, unit: Unit, values: Any, *, adds: bool = False) -> Field:
    """A column of anything array-like, made read only. Infinite figures are missing ones."""
    if unit is Unit.DATE:
        array = np.asarray(values).astype("datetime64[D]")
    elif unit is Unit.FLAG:
        array = np.array(values, dtype=np.bool_)
    elif unit is Unit.TEXT:
        array = np.empty(len(values), dtype=object)
        array[:] = list(values)
    else:
        array = np.array(values, dtype=np.float64)
        array[~np.isfinite(array)] = np.nan
    array.flags.writeable = False
    return Field(name, unit, array, adds)


def money(name: str, values: Any, *, adds: bool = True) -> Field:
    """A column of money; balances do not add up over dates."""
    return field(name, Unit.MONEY, values, adds=adds)


def balance(name: str, values: Any) -> Field:
    return money(name, values, adds=False)


def days(name: str, values: Sequence[dt.date | None]) -> Field:
    """A column of dates, None where missing."""
    made = np.array([np.datetime64("NaT") if day is None else np.datetime64(day) for day in values], "datetime64[D]")
    return field(name, Unit.DATE, made)


def before(opening: float, closing: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[n]: balances at the start of each date, of those after it."""
    return np.concatenate([[opening], closing[:-1]]) if closing.size else closing


def settled(balances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Balances without the rounding that is left of what is gone."""
    return np.where(np.abs(balances) < TINY, 0.0, balances)
