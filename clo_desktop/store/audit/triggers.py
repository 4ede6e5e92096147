"""The audit of a workspace file: the triggers that are made from the schema.

Every table of the schema is audited. A line is an HMAC over its fields and the HMAC of the line before; a change of the
data, its line and its place in the chain are one transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import sqlalchemy as sa

from clo_desktop.store import schema
from clo_desktop.store.audit.secrets import CHANGED, is_secret

_PLACE: Final = "(SELECT trail FROM audit_trail), (SELECT max(seq) FROM audit_logs)"
"""Which chain a line joins, and where."""

INSERT: Final = "INSERT INTO audit_logs (resource_type, resource_id, line)"

TOLD: Final = f"clo_told({_PLACE}, :act, :kind, :resource, :details, NULL)"
"""A line that no trigger writes."""

_REFUSE: Final = "SELECT RAISE(ABORT, 'the audit is only added to')"


def audited() -> tuple[sa.Table, ...]:
    """The tables whose changes are written down: all. Raises ValueError for one whose rows have no single key."""
    for table in schema.metadata.sorted_tables:
        if len(table.primary_key) != 1:
            raise ValueError(f"the rows of {table.name} have no key of one column, so they cannot be audited")
    return tuple(schema.metadata.sorted_tables)


def key_of(table: sa.Table) -> str:
    """The column that tells the rows apart."""
    [key] = table.primary_key
    return str(key.name)


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
    if "deal_id" in table.c:
        return f"(SELECT deals.name FROM deals WHERE deals.id = {at}deal_id)"
    return f"{at}deal" if "deal" in table.c else "NULL"


def resource_of(table: sa.Table, side: str = "") -> str:
    """SQL of how a person names the row: its deal, and what it is known by in the deal."""
    at = f"{side}." if side else f"{_quoted(table.name)}."
    if table is schema.deals:
        return f"{at}name"
    known = table.info.get("known_by", (key_of(table),))
    natural = " || ' ' || ".join(f"coalesce({at}{_quoted(name)}, '')" for name in known)
    deal = deal_of(table, side)
    return f"'' || {natural}" if deal == "NULL" else f"coalesce({deal} || ' / ', '') || {natural}"


def line_call(table: sa.Table, act: str, side: str = "") -> str:
    """SQL of the line about a whole row."""
    key = f"{side}.{_quoted(key_of(table))}" if side else _quoted(key_of(table))
    about = f"'{act}', '{table.name}', {resource_of(table, side)}, {deal_of(table, side)}, {key}"
    return f"clo_line({_PLACE}, {about}, {row_call(table, side).removeprefix('clo_row(')}"


def _change_call(table: sa.Table) -> str:
    about = f"'{table.name}', {resource_of(table, 'NEW')}, {deal_of(table, 'NEW')}, NEW.{_quoted(key_of(table))}"
    return f"clo_change({_PLACE}, {about}, {row_call(table, 'OLD')}, {_changed_row(table)})"


def triggers_of(table: sa.Table) -> Iterator[tuple[str, str]]:
    """The triggers of a table by name, without the words CREATE TRIGGER."""
    name, on, key = table.name, _quoted(table.name), _quoted(key_of(table))
    differs = " OR ".join(f"OLD.{_quoted(c.name)} IS NOT NEW.{_quoted(c.name)}" for c in table.columns)

    def written(side: str, call: str) -> str:
        return f"{INSERT} VALUES ('{name}', {resource_of(table, side)}, {call}); END"

    yield f"audit_{name}_insert", f"AFTER INSERT ON {on} BEGIN {written('NEW', line_call(table, 'insert', 'NEW'))}"
    yield (
        f"audit_{name}_update",
        f"AFTER UPDATE ON {on} WHEN {differs} BEGIN"
        f" SELECT RAISE(ABORT, 'the key of a row never changes') WHERE OLD.{key} IS NOT NEW.{key};"
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
    return {name: f"CREATE TRIGGER {name} {text}" for name, text in found.items()}


def present(on: sa.Connection) -> Mapping[str, str]:
    """The triggers and views the file has, by name, as the statements that made them."""
    rows = on.exec_driver_sql("SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'view')")
    return {row.name: row.sql for row in rows}
