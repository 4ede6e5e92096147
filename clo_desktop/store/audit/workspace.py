"""The audit of a workspace file is put in place after every migration, and looked over at every opening."""

from __future__ import annotations

import json
import uuid
from typing import Any

import sqlalchemy as sa

from clo_desktop.store.audit import triggers
from clo_desktop.store.audit.hand import begin
from clo_desktop.store.audit.lines import lines
from clo_desktop.store.audit.replay import clean, replay


def is_here(on: sa.Connection) -> bool:
    """Whether the file has an audit: its format is one that does."""
    found = on.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'audit_trail'")
    return found.first() is not None


def trail_of(on: sa.Connection) -> str:
    """The name of the file's trail."""
    return str(on.exec_driver_sql("SELECT trail FROM audit_trail").scalar() or "")


def link_at(on: sa.Connection, pos: int) -> str | None:
    """The HMAC of a line, by its number."""
    return on.exec_driver_sql("SELECT mac FROM audit_logs WHERE seq = ?", (pos,)).scalar()


def take_down(on: sa.Connection) -> None:
    """Without the triggers, so that a migration may rebuild tables; `put_up` follows in the same transaction."""
    for name in triggers.present(on):
        if name.startswith("audit_") and not name.startswith(("audit_logs_", "audit_trail_")):
            on.exec_driver_sql(f'DROP TRIGGER "{name}"')


def put_up(on: sa.Connection) -> None:
    """The triggers, and a line for every row whose state no line tells: from before the audit, or migrated."""
    if not trail_of(on):
        on.execute(sa.text("INSERT INTO audit_trail VALUES (:trail)"), {"trail": str(uuid.uuid4())})
    begin(on)
    _mend(on)
    _baseline(on)


def altered(on: sa.Connection) -> list[str]:
    """The names of triggers and views that are missing, altered or not ours."""
    wanted, present = triggers.wanted(), triggers.present(on)
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def mend(on: sa.Connection) -> list[str]:
    """Put back triggers that another program took away or altered, and leave a line that says so. Their names."""
    found = altered(on)
    if found:
        _mend(on)
        _write(on, "mended", "audit_logs", "triggers", {"table": "audit_logs", "triggers": found})
    return found


def _mend(on: sa.Connection) -> None:
    wanted, present = triggers.wanted(), triggers.present(on)
    for name, text in present.items():
        if wanted.get(name) != text:
            kind = "VIEW" if text.lstrip().upper().startswith("CREATE VIEW") else "TRIGGER"
            on.exec_driver_sql(f"DROP {kind} " + '"' + name.replace('"', '""') + '"')
    for name, text in wanted.items():
        if present.get(name) != text:
            on.exec_driver_sql(text)


def _baseline(on: sa.Connection) -> None:
    known = replay(lines(on)).state
    for table in triggers.audited():
        order = ", ".join(f'"{key}"' for key in triggers.keys_of(table))
        row, resource, deal = triggers.row_call(table), triggers.resource_of(table), triggers.deal_of(table)
        rows = on.exec_driver_sql(f'SELECT {row}, {resource}, {deal} FROM "{table.name}" ORDER BY {order}').all()
        for text, named, of_deal in rows:
            now = json.loads(text)
            key = triggers.key_in(table, now)
            if known.get((table.name, json.dumps(key))) != clean(now):
                told = {"table": table.name, "id": key, "deal": of_deal, "after": now}
                _write(on, "baseline", table.name, named, told)


def _write(on: sa.Connection, act: str, kind: str, resource: str, details: dict[str, Any]) -> None:
    statement = f"{triggers.INSERT} VALUES (:kind, :resource, {triggers.TOLD})"
    text = json.dumps({name: value for name, value in details.items() if value is not None}, ensure_ascii=False)
    on.execute(sa.text(statement), {"act": act, "kind": kind, "resource": resource, "details": text})
