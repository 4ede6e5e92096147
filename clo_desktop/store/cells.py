"""From Python values to columns and back, without loss: what cannot be kept exactly is refused, not bent."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store.schema import CELL
from engine.terms import Value

Row = dict[str, Any]

_LARGEST_COUNT: Final = 2**31 - 1


def _double(value: Any) -> float:
    if isinstance(value, bool | str):
        raise ValueError("is no number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("is no finite number")
    return number


def _integer(value: Any) -> int:
    if isinstance(value, bool | str):
        raise ValueError("is no number")
    number = int(value)
    if number != value:
        raise ValueError("is no whole number")
    if abs(number) > _LARGEST_COUNT:
        raise ValueError("is too large for a count")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is no text")
    if "\0" in value:
        raise ValueError("holds a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("holds half a character") from None
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is neither yes nor no")
    return value


def _date(value: Any) -> dt.date:
    # a datetime is a date to isinstance, but its time of day would be lost
    if not isinstance(value, dt.date) or isinstance(value, dt.datetime):
        raise ValueError("is no date")
    return value


def _numbers(value: Any) -> list[float | None]:
    return [None if v is None else _double(v) for v in value]


_STORED: Final[dict[type[sa.types.TypeEngine[Any]], Callable[[Any], Any]]] = {
    sa.Double: _double,
    sa.Integer: _integer,
    sa.Text: _text,
    sa.Boolean: _flag,
    sa.Date: _date,
    sa.JSON: _numbers,
}


def storable(table: sa.Table, rows: Iterable[Mapping[str, Any]]) -> list[Row]:
    """`rows` as they go into `table`: numbers as floats, everything checked against the type of its column.

    Raises Refused, naming table, row, column and value, where a database would lose or refuse it: not finite numbers,
    text with a NUL or half a character, a value of another type, none where there must be one.
    """
    checks = {c.name: (_STORED[type(c.type)], c.nullable) for c in table.columns if type(c.type) in _STORED}
    done: list[Row] = []
    for place, row in enumerate(rows, start=1):
        out = dict(row)
        for name, value in row.items():
            if name not in checks:
                continue
            check, may_miss = checks[name]
            if value is None:
                if may_miss:
                    continue
                raise _refusal(table, place, row, name, "the value is missing")
            try:
                out[name] = check(value)
            except ValueError as reason:
                raise _refusal(table, place, row, name, f"{value!r:.80} {reason}") from reason
            except (TypeError, OverflowError) as reason:
                raise _refusal(table, place, row, name, f"{value!r:.80} is no number that fits") from reason
        done.append(out)
    return done


def _refusal(table: sa.Table, place: int, row: Mapping[str, Any], column: str, what: str) -> Refused:
    """Names the row by what a person knows it by, or by its place counted from 1."""
    known_by = next((row[key] for key in ("asset_id", "name", "label", "target") if row.get(key)), None)
    which = repr(known_by) if known_by is not None else f"row {place}"
    where = f"{table.name.replace('_', ' ').capitalize()}, {which}, {column.replace('_', ' ')}"
    return Refused(f"{where}: {what} and cannot be stored; correct it and save again.", code="unstorable")


def split(value: Value, prefix: str = "") -> Row:
    """A cell as the four columns of `CELL`, at most one of them filled: ``{"date": ...}`` for a date."""
    if value is None:
        filled = ""
    elif isinstance(value, bool):
        filled = "flag"
    elif isinstance(value, str):
        filled = "text"
    elif isinstance(value, dt.date):
        filled = "date"
    else:
        filled = "number"
    return {prefix + name: value if name == filled else None for name in CELL}


def join(row: Mapping[str, Any], prefix: str = "") -> Value:
    """The cell that `split` took apart."""
    for name in CELL:
        value: Value = row[prefix + name]
        if value is not None:
            return value
    return None
