"""Run settings and reference rows of the former system: what is JSON there becomes values here. No Qt."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.store import ReferenceTable
from clo_desktop.store.audit.secrets import is_secret
from clo_desktop.store.reference import check_name
from clo_desktop.work.former_assets import folded
from clo_desktop.work.former_files import Missed, Table

_KEYS: Final = (
    "key",
    "configkey",
    "settingkey",
    "settingname",
    "setting",
    "parameter",
    "parametername",
    "option",
    "name",
)
_VALUES: Final = ("value", "configvalue", "settingvalue", "parametervalue", "valuejson", "jsonvalue")
_JSON: Final = ("data", "json", "jsondata", "rowdata", "rowjson", "datajson", "row", "rows", "payload", "content",
                "record", "values", "value")  # fmt: skip
_NAMES: Final = ("tablename", "referencetype", "reftype", "datatype", "dataset", "category", "referencename",
                 "listname", "type", "name", "reference")  # fmt: skip
_DATES: Final = ("asof", "asofdate", "effectivedate", "validfrom", "effective", "datadate", "date", "updatedat",
                 "createdat")  # fmt: skip
_ROW_KEYS: Final = ("key", "rowkey", "code", "referencekey", "rowid")
_OF_THE_FILE: Final = frozenset({"id", "createdat", "updatedat", "createdby", "updatedby"})


def _named(table: Table, heads: tuple[str, ...]) -> int | None:
    known = {folded(name): at for at, name in reversed(list(enumerate(table.columns)))}
    return next((known[head] for head in heads if head in known), None)


def are_settings(table: Table) -> bool:
    """Whether a table holds run settings: keys with values, or columns under a name that says so."""
    name = folded(table.name)
    keyed = _named(table, _KEYS) is not None and _named(table, _VALUES) is not None
    return ("config" in name or "setting" in name) or (keyed and not is_reference(table))


def is_reference(table: Table) -> bool:
    """Whether a table holds reference rows: JSON with the name of its table, or a name that says so."""
    name = folded(table.name)
    if "config" in name or "setting" in name:
        return False
    json_at, name_at = _named(table, _JSON), _named(table, _NAMES)
    of_rows = json_at is not None and name_at is not None and folded(table.columns[json_at]) != "value"
    return name.startswith("ref") or "reference" in name or of_rows


def read_settings(table: Table) -> tuple[list[tuple[str, Any]], int, list[Missed]]:
    """The settings, how many rows they came from, and the rows that were not understood.

    A table with a key and a value is read as such. Of any other, a single row gives a setting a column; of several
    rows each is one setting, the row as an object.
    """
    key_at, value_at = _named(table, _KEYS), _named(table, _VALUES)
    found: dict[str, Any] = {}
    missed: list[Missed] = []
    used = 0
    whole = table.count
    for number, row in table.rows():
        if key_at is not None and value_at is not None:
            key = row[key_at].strip() if isinstance(row[key_at], str) else str(row[key_at] or "")
            given = [(key, row[value_at])]
        elif whole == 1:
            given = [(name, row[at]) for at, name in enumerate(table.columns) if folded(name) != "id"]
        else:
            named = {name: _value(row[at]) for at, name in enumerate(table.columns)}
            given = [(f"{table.name}/{next((v for v in row if v is not None), number)}", named)]
        wrong = [Missed(table.name, number, _shown(key, value), why) for key, value in given
                 if (why := _setting_fault(key, value, found))]  # fmt: skip
        missed += wrong
        refused = {one.what for one in wrong}
        for key, value in given:
            if _shown(key, value) not in refused:
                found[key] = _value(value)
        used += not wrong
    if key_at is not None and value_at is not None:
        missed += _unused(table, {key_at, value_at})
    return list(found.items()), used, missed


def _shown(key: str, value: Any) -> str:
    return key if is_secret(key) else f"{key} = {value!r:.60}"


def _setting_fault(key: str, value: Any, known: Mapping[str, Any]) -> str:
    if is_secret(key) or _holds_secret(value):
        return "it looks like a secret, which everybody could read here; keep it in the keyring of the computer."
    if key in known:
        return "the key is there twice; the first one was taken."
    return _name_fault(key, "key of the configuration") or _value_fault(value)


def _holds_secret(value: Any) -> bool:
    """Whether a value is an address with a password, or an object with a secret in it."""
    if isinstance(value, str):
        head, _, rest = value.partition("://")
        return bool(rest) and head.replace("+", "").isalnum() and ":" in rest.partition("@")[0] and "@" in rest
    return isinstance(value, dict) and any(is_secret(str(k)) or _holds_secret(v) for k, v in value.items())


def _name_fault(name: str, what: str) -> str:
    try:
        check_name(name, what)
    except Refused as refused:
        return refused.message
    return ""


def _value_fault(value: Any) -> str:
    try:
        text = json.dumps(_value(value), allow_nan=False, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        return "the value holds half a character; type it anew."
    except ValueError:
        return "the value is not finite; write a plain number."
    except TypeError:
        return "the value holds bytes; write text or JSON."
    return "the value holds a NUL character; type it anew." if "\\u0000" in text else ""


def _value(value: Any) -> Any:
    """A value as JSON has it: text that is JSON of an object, a list or a truth value is read as such."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text[:1] in ("{", "[") or text in ("true", "false", "null"):
        try:
            return json.loads(text, parse_constant=_not_finite)
        except (ValueError, RecursionError):
            return value
    return value


def _not_finite(name: str) -> Any:
    raise ValueError(name)


def read_reference(
    table: Table, source: str, today: dt.date
) -> tuple[list[ReferenceTable], int, list[Missed], list[str]]:
    """The reference tables, how many rows they came from, the rows that were not understood, and doubts.

    A table with a column of JSON is read by it, its rows under the names and dates that stand beside; any other gives
    its rows as they are. Rows without a date are dated `today`, which a doubt says.
    """
    json_at, name_at, date_at = _named(table, _JSON), _named(table, _NAMES), _named(table, _DATES)
    key_at = _named(table, _ROW_KEYS)
    found: dict[tuple[str, dt.date], list[Mapping[str, Any]]] = {}
    missed: list[Missed] = []
    used, undated = 0, 0
    for number, row in table.rows():
        name = table.name if json_at is None or name_at is None else str(row[name_at] or "").strip()
        day = None if date_at is None else _day(row[date_at])
        if json_at is None:
            objects: Any = [{n: row[at] for at, n in enumerate(table.columns) if folded(n) != "id"}]
        else:
            objects = _objects(row[json_at])
        why = _name_fault(name, "name of a reference table") or (objects if isinstance(objects, str) else "")
        why = why or next((w for one in objects for v in one.values() if (w := _value_fault(v))), "")
        if not why and date_at is not None and row[date_at] is not None and day is None:
            why = f"“{row[date_at]!r:.30}” is no date; write it as 2026-03-31."
        if why:
            missed.append(Missed(table.name, number, name, why))
            continue
        if json_at is not None and key_at is not None and row[key_at] is not None:
            objects = [{table.columns[key_at]: row[key_at], **one} for one in objects]
        undated += day is None
        found.setdefault((name, day or today), []).extend(objects)
        used += 1
    if json_at is not None:
        missed += _unused(table, {at for at in (json_at, name_at, date_at, key_at) if at is not None})
    doubts = []
    if undated:
        doubts.append(
            f"{table.name}: {undated:,} rows have no date; they were dated {today.isoformat()}, the day of import."
        )
    tables = [ReferenceTable(name, day, tuple(rows), source) for (name, day), rows in found.items()]
    return tables, used, missed, doubts


def _objects(value: Any) -> list[Mapping[str, Any]] | str:
    """The objects of a cell of JSON, or why there are none."""
    if not isinstance(value, str):
        return 'the cell holds no JSON; write an object such as {"code": 1}.'
    try:
        said = json.loads(value, parse_constant=_not_finite)
    except (ValueError, RecursionError) as error:
        return f"the cell is no JSON ({error}); correct it."
    rows = said if isinstance(said, list) else [said]
    if not all(isinstance(one, dict) for one in rows):
        rows = [{"value": said}]
    return rows


def _day(value: Any) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value).strip()[:10])
    except ValueError:
        return None


def _unused(table: Table, used: set[int]) -> list[Missed]:
    """Columns that hold something nobody reads."""
    missed = []
    for at, name in enumerate(table.columns):
        if at in used or folded(name) in _OF_THE_FILE:
            continue
        count = sum(row[0] is not None for _, row in table.rows([name]))
        if count:
            why = f"the column is not known; values in it that were not imported: {count:,}."
            missed.append(Missed(table.name, None, f"column {name}", why))
    return missed
