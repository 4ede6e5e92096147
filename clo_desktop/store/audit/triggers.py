"""The audit of a workspace file: the triggers that are made from the schema.

Every table of the schema is audited. A line is an HMAC over its fields and the HMAC of the line before; a change of the
data, its line and its place in the chain are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.store import schema
from clo_desktop.store.audit.lines import key_text
from clo_desktop.store.audit.secrets import CHANGED, is_secret
from clo_desktop.store.sync.tables import TRIGGERS

_PLACE: Final = "(SELECT trail FROM audit_trail), (SELECT max(seq) FROM audit_logs)"
"""Which chain a line joins, and where."""

INSERT: Final = "INSERT INTO audit_logs (resource_type, resource_id, line)"

TOLD: Final = f"clo_told({_PLACE}, :act, :kind, :resource, :details, NULL)"
"""A line that no trigger writes."""

_REFUSE: Final = "SELECT RAISE(ABORT, 'the audit is only added to')"


def audited() -> tuple[sa.Table, ...]:
    """The tables whose changes are written down: all but those that say why not (`info["unaudited"]`).

    Raises ValueError for one whose rows have no key.
    """
    found = tuple(table for table in schema.metadata.sorted_tables if "unaudited" not in table.info)
    for table in found:
        if not table.primary_key:
            raise ValueError(f"the rows of {table.name} have no key, so they cannot be audited")
    return found


def keys_of(table: sa.Table) -> tuple[str, ...]:
    """The columns that tell the rows apart."""
    return tuple(str(column.name) for column in table.primary_key)


def key_call(table: sa.Table, side: str = "") -> str:
    """SQL of what tells a row from the others: its key, or several columns as one text."""
    at = f"{side}." if side else ""
    columns = [at + _quoted(name) for name in keys_of(table)]
    return columns[0] if len(columns) == 1 else f"clo_key({', '.join(columns)})"


def key_in(table: sa.Table, row: Mapping[str, Any]) -> Any:
    """The same of a row in hand."""
    values = [row[name] for name in keys_of(table)]
    return values[0] if len(values) == 1 else key_text(*values)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _spec(table: sa.Table) -> str:
    """The columns as `clo_row` wants them."""
    kinds = {sa.Boolean: ":flag", sa.JSON: ":json"}
    return ",".join(c.name + next((k for t, k in kinds.items() if isinstance(c.type, t)), "") for c in table.columns)


def row_call(table: sa.Table, side: str = "") -> str:
    """SQL of a row as the audit writes it; `side` is NEW, OLD or nothing for a row of a query."""

    at = f"{side}." if side else ""
    values = ("NULL" if is_secret(c.name) else at + _quoted(c.name) for c in table.columns)
    return f"clo_row('{_spec(table)}', {', '.join(values)})"


def _changed_row(table: sa.Table) -> str:
    """SQL of the row as it is after an update, in which a secret says only that it changed."""
    values = [
        f"CASE WHEN OLD.{_quoted(c.name)} IS NOT NEW.{_quoted(c.name)} THEN '{CHANGED}' END"
        if is_secret(c.name)
        else f"NEW.{_quoted(c.name)}"
        for c in table.columns
    ]
    return f"clo_row('{_spec(table)}', {', '.join(values)})"


def deal_of(table: sa.Table, side: str = "") -> str:
    """SQL of the name of the deal that a row belongs to."""
    at = f"{side}." if side else f"{_quoted(table.name)}."
    if table is schema.deals:
        return f"{at}name"
    key = _deal_key(table, at)
    if key is not None:
        return f"(SELECT deals.name FROM deals WHERE deals.id = {key})"
    return f"{at}deal" if "deal" in table.c else "NULL"


def _deal_key(table: sa.Table, at: str) -> str | None:
    """SQL of the key of the deal, along the foreign keys that lead to it; None where none does."""
    for key in sorted(table.foreign_keys, key=lambda key: str(key.parent.name)):
        column, above = f"{at}{_quoted(key.parent.name)}", key.column.table
        if above is schema.deals:
            return column
        way = _deal_key(above, f"{_quoted(above.name)}.")
        if way is not None:
            return f'(SELECT {way} FROM "{above.name}" WHERE "{above.name}".{_quoted(key.column.name)} = {column})'
    return None


def resource_of(table: sa.Table, side: str = "") -> str:
    """SQL of how a person names the row: its deal, and what it is known by in the deal."""
    at = f"{side}." if side else f"{_quoted(table.name)}."
    if table is schema.deals:
        return f"{at}name"
    known = table.info.get("known_by", keys_of(table))
    natural = " || ' ' || ".join(f"coalesce({at}{_quoted(name)}, '')" for name in known)
    deal = deal_of(table, side)
    return f"'' || {natural}" if deal == "NULL" else f"coalesce({deal} || ' / ', '') || {natural}"


def line_call(table: sa.Table, act: str, side: str = "") -> str:
    """SQL of the line about a whole row."""
    about = f"'{act}', '{table.name}', {resource_of(table, side)}, {deal_of(table, side)}, {key_call(table, side)}"
    return f"clo_line({_PLACE}, {about}, {row_call(table, side).removeprefix('clo_row(')}"


def _change_call(table: sa.Table) -> str:
    about = f"'{table.name}', {resource_of(table, 'NEW')}, {deal_of(table, 'NEW')}, {key_call(table, 'NEW')}"
    return f"clo_change({_PLACE}, {about}, {row_call(table, 'OLD')}, {_changed_row(table)})"


def triggers_of(table: sa.Table) -> Iterator[tuple[str, str]]:
    """The triggers of a table by name, without the words CREATE TRIGGER."""
    name, on = table.name, _quoted(table.name)
    moved = " OR ".join(f"OLD.{_quoted(key)} IS NOT NEW.{_quoted(key)}" for key in keys_of(table))
    differs = " OR ".join(f"OLD.{_quoted(c.name)} IS NOT NEW.{_quoted(c.name)}" for c in table.columns)

    def written(side: str, call: str) -> str:
        return f"{INSERT} VALUES ('{name}', {resource_of(table, side)}, {call}); END"

    yield f"audit_{name}_insert", f"AFTER INSERT ON {on} BEGIN {written('NEW', line_call(table, 'insert', 'NEW'))}"
    yield (
        f"audit_{name}_update",
        f"AFTER UPDATE ON {on} WHEN {differs} BEGIN"
        f" SELECT RAISE(ABORT, 'the key of a row never changes') WHERE {moved};"
        f" {written('NEW', _change_call(table))}",
    )
    yield f"audit_{name}_delete", f"AFTER DELETE ON {on} BEGIN {written('OLD', line_call(table, 'delete', 'OLD'))}"


def wanted() -> Mapping[str, str]:
    """Every trigger by its name, as the statement that makes it."""
    found = {
        "audit_logs_update": f"BEFORE UPDATE ON audit_logs BEGIN {_REFUSE}; END",
        "audit_logs_delete": f"BEFORE DELETE ON audit_logs BEGIN {_REFUSE}; END",
        "audit_trail_update": f"BEFORE UPDATE ON audit_trail BEGIN {_REFUSE}; END",
        "audit_trail_delete": f"BEFORE DELETE ON audit_trail BEGIN {_REFUSE}; END",
    }
    for table in audited():
        found.update(triggers_of(table))
    return {name: f"CREATE TRIGGER {name} {text}" for name, text in found.items()} | TRIGGERS


def present(on: sa.Connection) -> Mapping[str, str]:
    """The triggers and views the file has, by name, as the statements that made them."""
    rows = on.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')")
    return {row.name: row.sql for row in rows}
