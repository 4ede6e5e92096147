"""Terms as plain data and back, to the last bit: what a scenario pack keeps of a deal. No Qt.

A record is a mapping of all its fields; a date is {"date": "2026-01-31"}. JSON writes a float with every digit that is
needed to read it again.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

Plain = Any

_DATE: Final = "date"


def plain(value: Any) -> Plain:
    """A record, sequence, mapping, date or figure as JSON takes it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dt.date):
        return {_DATE: value.isoformat()}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value


def record(of: Any, data: Plain, where: str = "") -> Any:
    """What `plain` wrote, as the type `of`. Raises ValueError naming the place for what is no such thing."""
    origin, inside = get_origin(of), get_args(of)
    if of is Any:
        return data
    if origin in (Union, types.UnionType):
        return _one_of(inside, data, where)
    if of is type(None):
        if data is not None:
            raise _unfit(where, "nothing", data)
        return None
    if is_dataclass(of):
        return _record(of, data, where)
    if origin is tuple:
        return _tuple(inside, data, where)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(data, dict):
            raise _unfit(where, "a mapping", data)
        return {key: record(inside[1], item, f"{where}.{key}") for key, item in data.items()}
    if of is dt.date:
        return _date(data, where)
    if of is float and isinstance(data, int) and not isinstance(data, bool):
        return data
    if type(data) is not of:
        raise _unfit(where, of.__name__, data)
    return data


@cache
def _hints(of: type) -> dict[str, Any]:
    return get_type_hints(of)


def _record(of: Any, data: Plain, where: str) -> Any:
    if not isinstance(data, dict):
        raise _unfit(where, of.__name__, data)
    hints = _hints(of)
    known = {f.name for f in fields(of)}
    if unknown := sorted(set(data) - known):
        raise ValueError(f"{where or of.__name__} has {unknown[0]}, which is not known here.")
    try:
        return of(
            **{name: record(hints[name], item, f"{where}.{name}" if where else name) for name, item in data.items()}
        )
    except TypeError as error:
        raise ValueError(f"{where or of.__name__} lacks something: {error}.") from error


def _tuple(inside: tuple[Any, ...], data: Plain, where: str) -> tuple[Any, ...]:
    if not isinstance(data, list):
        raise _unfit(where, "a list", data)
    if len(inside) == 2 and inside[1] is ...:
        return tuple(record(inside[0], item, f"{where}[{k}]") for k, item in enumerate(data, start=1))
    if len(data) != len(inside):
        raise _unfit(where, f"a list of {len(inside)}", data)
    return tuple(record(each, item, where) for each, item in zip(inside, data, strict=True))


def _one_of(kinds: tuple[Any, ...], data: Plain, where: str) -> Any:
    for kind in kinds:
        if kind is float and isinstance(data, bool):
            continue
        try:
            return record(kind, data, where)
        except ValueError:
            continue
    raise _unfit(where, " or ".join(getattr(kind, "__name__", str(kind)) for kind in kinds), data)


def _date(data: Plain, where: str) -> dt.date:
    if isinstance(data, dict) and set(data) == {_DATE} and isinstance(data[_DATE], str):
        try:
            return dt.date.fromisoformat(data[_DATE])
        except ValueError:
            pass
    raise _unfit(where, "a date", data)


def _unfit(where: str, wanted: str, data: Plain) -> ValueError:
    return ValueError(f"{where or 'the whole'} is to be {wanted}; {str(data)[:40]!r} stands there.")
