"""The frozen data of a table: columns as arrays, text as codes. No Qt.

One Frame is made (off the GUI thread, where it is large) and never changed; an edit makes a new one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clo_desktop.look import formats
from clo_desktop.look.formats import Show
from engine import asset, ratings
from engine.asset import Kind

RATINGS: Final = frozenset({Kind.MOODYS.value, Kind.SP.value})


class Total(StrEnum):
    """What the footer says of a column."""

    SUM = "sum"
    AVERAGE = "average"  # weighted by the frame's weight, where it has one
    DISTINCT = "distinct"
    YES = "yes"  # how many rows are flagged
    NONE = "none"


class Mark(IntEnum):
    """A sign in the corner of a cell."""

    NONE = 0
    STALE = 1  # older than it should be
    ODD = 2  # look at it
    BAD = 3  # wrong
    CHANGED = 4  # differs from what it is compared with


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    kind       a value of :class:`engine.asset.Kind` or :class:`clo_desktop.look.formats.Show`
    unit       overrides the unit of the kind in the header; "" for none
    tip        what the column means, for the tool tip of the header
    kind_from  of a MIXED column: the column that names each row's kind
    total      what the footer says; None: by kind
    widest     px at most when the column is fitted; 0: as any other
    """

    name: str
    title: str
    kind: str
    unit: str | None = None
    tip: str = ""
    kind_from: str = ""
    editable: bool = False
    total: Total | None = None
    widest: int = 0

    def header(self, currency: str = "") -> str:
        own = "" if self.kind == Show.MIXED and self.unit is None else self.unit
        return formats.header(self.title, self.kind, currency, own)

    @property
    def footing(self) -> Total:
        if self.total is not None:
            return self.total
        if self.kind == Kind.MONEY:
            return Total.SUM
        if self.kind in (Kind.COUNT, Show.MIXED, Show.CUSHION, Show.OUTCOME, Kind.DATE):
            return Total.NONE
        if formats.is_number(self.kind):
            return Total.AVERAGE
        return Total.YES if self.kind == Kind.FLAG else Total.DISTINCT


def asset_columns(names: Iterable[str] | None = None) -> tuple[Column, ...]:
    """Columns of the asset master: all in the workbook's order, or those named in the order given."""
    chosen = asset.COLUMNS if names is None else [asset.COLUMN_BY_NAME[name] for name in names]
    return tuple(Column(c.name, c.title, c.kind.value, tip=c.header) for c in chosen)


class Frame:
    """Rows of a table, by column.

    Numbers are float64 with NaN, dates datetime64[D] with NaT, flags int8 (0, 1, -1 missing), everything else codes
    (int32, -1 missing) into sorted distinct texts; ratings are sorted by rank, unknown ones after the known.
    `weight` names the column averages are weighted by (par). `marks` are :class:`Mark` values per row of a column,
    `whole` the unshortened texts of one, for tooltips.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        data: Mapping[str, Iterable[Any]],
        *,
        key: str,
        weight: str = "",
        currency: str = "",
        marks: Mapping[str, NDArray[np.uint8]] | None = None,
        whole: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """`data` holds one sequence per column name, all of one length; ValueError where they are not."""
        self.columns = tuple(columns)
        self.key = key
        self.weight = weight
        self.currency = currency
        self.marks = dict(marks or {})
        self.whole = dict(whole or {})
        self.index = {column.name: i for i, column in enumerate(self.columns)}
        self._arrays: dict[str, NDArray[Any]] = {}
        self._texts: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}
        self._rows_by_key: dict[Hashable, int] | None = None
        for column in self.columns:
            self._take(column, data[column.name])
        lengths = {len(a) for a in (*self._arrays.values(), *self.marks.values())}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        if key not in self.index or (weight and not formats.is_number(self.column(weight).kind)):
            raise ValueError("the key must be a column and the weight a numeric column")
        self._length = lengths.pop() if lengths else 0

    @classmethod
    def of_records(cls, columns: Sequence[Column], records: Iterable[object], *, key: str, **more: Any) -> Frame:
        """One row per record, each column read from the attribute of its name."""
        rows = list(records)
        return cls(columns, {c.name: [getattr(r, c.name) for r in rows] for c in columns}, key=key, **more)

    def __len__(self) -> int:
        return self._length

    def column(self, name: str) -> Column:
        return self.columns[self.index[name]]

    def array(self, name: str) -> NDArray[Any]:
        """The stored array of a column: values, or codes where it is text. Read-only."""
        return self._arrays[name]

    def texts(self, name: str) -> tuple[str, ...]:
        """The distinct texts of a text column, in sort order."""
        return self._texts[name]

    def folded(self, name: str) -> tuple[str, ...]:
        """The distinct texts, case folded."""
        if name not in self._folded:
            self._folded[name] = tuple(text.casefold() for text in self._texts[name])
        return self._folded[name]

    def is_text(self, name: str) -> bool:
        return name in self._texts

    def missing(self, name: str) -> NDArray[np.bool_]:
        """Which rows of a column are missing."""
        array = self._arrays[name]
        if array.dtype.kind == "f":
            return np.asarray(np.isnan(array))
        if array.dtype.kind == "M":
            return np.asarray(np.isnat(array))
        return np.asarray(array < 0)

    def value(self, row: int, column: int) -> Any:
        """The value of a cell as a Python object; None where missing."""
        name = self.columns[column].name
        array = self._arrays[name]
        texts = self._texts.get(name)
        stored = array[row]
        if texts is not None:
            return texts[stored] if stored >= 0 else None
        if array.dtype.kind == "f":
            number = float(stored)
            return None if number != number else number
        if array.dtype.kind == "M":
            return stored.item()
        return bool(stored) if stored >= 0 else None

    def kind(self, row: int, column: int) -> str:
        """The kind of a cell: the column's, or of a MIXED column the row's."""
        of = self.columns[column]
        if of.kind != Show.MIXED or not of.kind_from:
            return of.kind
        return self.value(row, self.index[of.kind_from]) or of.kind

    def text(self, row: int, column: int) -> str:
        """What a cell shows."""
        kind, value = self.kind(row, column), self.value(row, column)
        if self.columns[column].kind == Show.MIXED:
            return formats.with_unit(kind, value, self.currency)
        return formats.text(kind, value)

    def mark(self, row: int, column: int) -> Mark:
        marks = self.marks.get(self.columns[column].name)
        return Mark.NONE if marks is None else Mark(int(marks[row]))

    def key_of(self, row: int) -> Hashable:
        """The key of a row."""
        found: Hashable = self.value(row, self.index[self.key])
        return found

    def row_of(self, key: Hashable) -> int:
        """The row of a key, -1 where there is none."""
        return self._by_key().get(key, -1)

    def rows_of(self, other: Frame, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Where rows of another frame are in this one, by key; -1 for those that are gone."""
        if other is self:
            return rows
        by_key = self._by_key()
        return np.fromiter((by_key.get(other.key_of(int(r)), -1) for r in rows), np.int32, len(rows))

    def _by_key(self) -> dict[Hashable, int]:
        if self._rows_by_key is None:
            self._rows_by_key = {self.key_of(row): row for row in range(len(self))}
        return self._rows_by_key

    def order(self, keys: Sequence[tuple[str, bool]]) -> NDArray[np.int32]:
        """Row permutation sorted by (column name, descending) keys, first key first; stable, missing always last."""
        found = np.arange(len(self), dtype=np.int32)
        for name, descending in reversed(keys):
            found = found[np.argsort(self._sort_key(name, descending)[found], kind="stable")]
        return found.astype(np.int32, copy=False)

    def _sort_key(self, name: str, descending: bool) -> NDArray[Any]:
        array = self._arrays[name]
        if array.dtype.kind == "f":
            return -array if descending else array
        if array.dtype.kind == "M":
            days = array.astype(np.int64)
            return np.where(np.isnat(array), np.iinfo(np.int64).max, -days if descending else days)
        # codes of few texts and flags sort by radix as int16, several times faster
        narrow = array.astype(np.int16) if len(self._texts.get(name, ())) < 32_000 else array
        last = np.iinfo(narrow.dtype).max
        return np.where(narrow < 0, last, -narrow if descending else narrow).astype(narrow.dtype, copy=False)

    def _take(self, column: Column, data: Iterable[Any]) -> None:
        kind = column.kind
        if formats.is_number(kind):
            # a list with None becomes NaN
            array: NDArray[Any] = np.array(data if isinstance(data, np.ndarray) else list(data), dtype=np.float64)
        elif kind == Kind.DATE:
            array = np.array(data if isinstance(data, np.ndarray) else list(data), dtype="datetime64[D]")
        elif kind == Kind.FLAG:
            if isinstance(data, np.ndarray) and data.dtype.kind in "bi":
                array = data.astype(np.int8)
            else:
                array = np.array([-1 if formats.missing(v) else int(bool(v)) for v in data], dtype=np.int8)
        else:
            array = self._encode(column, list(data))
        array.flags.writeable = False
        self._arrays[column.name] = array

    def _encode(self, column: Column, data: list[Any]) -> NDArray[np.int32]:
        distinct = [v for v in dict.fromkeys(data) if not formats.missing(v) and v != ""]
        words = {v: v if isinstance(v, str) else str(v) for v in distinct}
        if column.kind in RATINGS:
            texts = sorted(set(words.values()), key=lambda t: (ratings.rank(t) or 99, t))
        else:
            texts = sorted(set(words.values()), key=lambda t: (t.casefold(), t))
        place = {text: i for i, text in enumerate(texts)}
        code = {value: place[word] for value, word in words.items()}
        self._texts[column.name] = tuple(texts)
        return np.fromiter((code.get(v, -1) for v in data), np.int32, len(data))


def days(value: dt.date) -> int:
    """Days since 1970-01-01, as datetime64[D] counts them."""
    return (value - dt.date(1970, 1, 1)).days
