"""The audit on a PostgreSQL server: put in place by `apply`, looked over by `breaches`.

The statements are in resources/server/audit.sql. `apply` is run by the administrator who sets the server up, after the
tables were made or changed; the schemas and roles of the server must be there.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import sqlalchemy as sa

import resources
from clo_desktop.store import schema
from clo_desktop.store.audit.anchors import Anchor
from clo_desktop.store.audit.secrets import CHANGED, is_withheld

DATA: Final = "clo"
"""The schema of the deals."""

UNAUDITED: Final = frozenset({"alembic_version"})
"""Tables of the data that are no data."""

_SIDES: Final = {"insert": ("after", "new_rows"), "delete": ("before", "old_rows")}
"""Which side of a change its lines tell, and what the statement's rows are called."""

_EACH: Final = {
    "insert": "REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT",
    "update": "FOR EACH ROW",
    "delete": "REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT",
}


@dataclass(frozen=True, slots=True)
class Audited:
    """A table whose changes are written down."""

    schema: str
    name: str
    keys: tuple[str, ...]
    known_by: tuple[str, ...]
    secrets: tuple[str, ...]

    @property
    def sql(self) -> str:
        return f"{_quoted(self.schema)}.{_quoted(self.name)}"

    @property
    def arguments(self) -> tuple[str, str, str]:
        """What the triggers are told."""
        return ",".join(self.keys), ",".join(self.known_by), ",".join(self.secrets)


def apply(
    on: sa.Connection, *, data: str = DATA, others: Sequence[str] = (), may_read: str = "true"
) -> tuple[Audited, ...]:
    """Put the audit in place, or bring it up to date; what it has written stays. The tables that are audited.

    data      schema of the deals; others  further schemas whose tables are audited
    may_read  SQL condition on who of the administrators may read the lines
    Raises ValueError for a table without a key, whose rows could not be told apart.
    """
    for statement in _statements(data, may_read):
        on.exec_driver_sql(statement.replace("%", "%%"))  # the driver would look for parameters
    found = tuple(tables(on, (data, *others)))
    for home in (data, *others):
        on.exec_driver_sql(f"GRANT USAGE ON SCHEMA {_quoted(home)} TO clo_audit")
    for table in found:
        for statement in (*_readable(table), *_triggers(table)):
            on.exec_driver_sql(statement)
    return found


def make_roles(on: sa.Connection) -> None:
    """The roles the statements name, where they are missing; `clo server init` makes them with all their rights."""
    for role in ("clo_audit", "clo_viewer", "clo_analyst", "clo_manager", "clo_admin"):
        on.exec_driver_sql(  # roles are shared by all databases of a server: another may make them in this moment
            f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;"
            " END $$"
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@cache
def _text() -> str:
    return resources.path("server/audit.sql").read_text(encoding="utf-8")


def _statements(data: str, may_read: str) -> Iterator[str]:
    """The script in parts that are run one after the other: the recording function once an event."""
    head, template, tail = re.split(r"(?<=;\n\n)(?=-- The lines of one statement|-- The line of an updated)", _text())
    named = {"{data}": _quoted(data), "{may_read}": may_read, "{changed}": CHANGED}
    yield _filled(head, named)
    for event, (side, rows) in _SIDES.items():
        yield _filled(template, {"{event}": event, "{side}": side, "{rows}": rows, **named})
    yield _filled(tail, named)


def _filled(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def tables(on: sa.Connection, schemas: Sequence[str]) -> Iterator[Audited]:
    """The tables of these schemas, all of which are audited. Raises ValueError for one without a key."""
    looked_up = sa.text(
        """SELECT n.nspname AS schema, c.relname AS name,
            (SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::int[], a.attnum::int)) FROM pg_index i
                JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                WHERE i.indrelid = c.oid AND i.indisprimary) AS keys,
            (SELECT array_agg(a.attname::text) FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname = ANY (:schemas) ORDER BY 1, 2"""
    )
    for row in on.execute(looked_up, {"schemas": list(schemas)}):
        if row.name in UNAUDITED or "unaudited" in getattr(schema.metadata.tables.get(row.name), "info", ()):
            continue
        if not row.keys:
            raise ValueError(f"table {row.schema}.{row.name} has no primary key, so its rows cannot be audited")
        keys = tuple(row.keys)
        yield Audited(
            row.schema,
            row.name,
            keys,
            known_by(row.name, keys, row.columns),
            tuple(sorted(c for c in row.columns if is_withheld(c))),
        )


def known_by(table: str, keys: tuple[str, ...], columns: Sequence[str]) -> tuple[str, ...]:
    """The columns by which a person knows a row: those the schema names, an e-mail or a name, or else its key."""
    declared = schema.metadata.tables.get(table)
    if declared is not None and "known_by" in declared.info:
        return tuple(declared.info["known_by"])
    return next(((name,) for name in ("email", "name") if name in columns), keys)


def _readable(table: Audited) -> Iterator[str]:
    """The audit reads the rows itself, for the names of deals and to compare rows with lines."""
    yield f"GRANT SELECT ON {table.sql} TO clo_audit"
    yield f"DROP POLICY IF EXISTS audit_reads ON {table.sql}"
    yield f"CREATE POLICY audit_reads ON {table.sql} FOR SELECT TO clo_audit USING (true)"


def _triggers(table: Audited) -> Iterator[str]:
    arguments = ", ".join("'" + text.replace("'", "''") + "'" for text in table.arguments)
    for event, each in _EACH.items():
        yield f"DROP TRIGGER IF EXISTS audit_{event} ON {table.sql}"
        yield (
            f"CREATE TRIGGER audit_{event} AFTER {event.upper()} ON {table.sql} {each}"
            f" EXECUTE FUNCTION audit.record_{event}({arguments})"
        )
        # also where a superuser says session_replication_role = replica
        yield f"ALTER TABLE {table.sql} ENABLE ALWAYS TRIGGER audit_{event}"
    moved = " OR ".join(f"OLD.{_quoted(key)} IS DISTINCT FROM NEW.{_quoted(key)}" for key in table.keys)
    for name, when in (
        ("audit_truncate", f"BEFORE TRUNCATE ON {table.sql} FOR EACH STATEMENT"),
        ("audit_key", f"BEFORE UPDATE ON {table.sql} FOR EACH ROW WHEN ({moved})"),
    ):
        yield f"DROP TRIGGER IF EXISTS {name} ON {table.sql}"
        yield f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION audit.refuse()"
        yield f"ALTER TABLE {table.sql} ENABLE ALWAYS TRIGGER {name}"


# The head


def head(on: sa.Connection) -> Anchor | None:
    """The head of the chain; for administrators."""
    row = on.exec_driver_sql("SELECT trail, pos, link FROM audit.state()").one()
    return Anchor(str(row.trail), row.pos, row.link, dt.datetime.now(dt.UTC)) if row.pos else None


def link_at(on: sa.Connection, pos: int) -> str | None:
    """The link at a place of the chain."""
    return on.execute(sa.text("SELECT audit.link_at(:pos)"), {"pos": pos}).scalar()


# Is it in place?


def breaches(on: sa.Connection, *, data: str = DATA, others: Sequence[str] = ()) -> Iterator[str]:
    """What of the audit is not as `apply` makes it, a sentence each: triggers, functions, protection of the tables."""
    yield from _missing_triggers(on, data, others)
    yield from _altered_functions(on, data)
    yield from _open_tables(on)


def _missing_triggers(on: sa.Connection, data: str, others: Sequence[str]) -> Iterator[str]:
    there = {
        (row.schema, row.table, row.trigger): row
        for row in on.execute(
            sa.text(
                """SELECT n.nspname AS schema, c.relname AS table, t.tgname AS trigger, t.tgenabled::text AS enabled,
                    p.proname AS function, f.nspname AS home, encode(t.tgargs, 'escape') AS arguments
                FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace f ON f.oid = p.pronamespace
                WHERE NOT t.tgisinternal AND n.nspname = ANY (:schemas)"""
            ),
            {"schemas": [data, *others, "audit"]},
        )
    }

    def fault(where: tuple[str, str, str], function: str, arguments: Sequence[str] = ()) -> str | None:
        row = there.get(where)
        spoken = f"{where[0]}.{where[1]}"
        if row is None:
            return f"Trigger {where[2]} of {spoken} is missing."
        if row.enabled != "A":
            return f"Trigger {where[2]} of {spoken} is not always on."
        told = row.arguments.split("\\000")[:-1]
        if (row.home, row.function) != ("audit", function) or told != list(arguments):
            return f"Trigger {where[2]} of {spoken} was altered."
        return None

    wanted: list[tuple[tuple[str, str, str], str, Sequence[str]]] = []
    for table in tables(on, (data, *others)):
        wanted += [
            ((table.schema, table.name, f"audit_{event}"), f"record_{event}", table.arguments) for event in _EACH
        ]
        wanted += [((table.schema, table.name, f"audit_{name}"), "refuse", ()) for name in ("truncate", "key")]
    wanted += [(("audit", name, "append_only"), "refuse", ()) for name in ("audit_logs", "chain", "key")]
    yield from (said for one in wanted if (said := fault(*one)) is not None)


def _altered_functions(on: sa.Connection, data: str) -> Iterator[str]:
    """The functions of the server whose text is not the one that ships with this application."""
    shipped: dict[str, str] = {}
    for part in _statements(data, "true"):
        for found in re.finditer(
            r"CREATE (?:OR REPLACE )?FUNCTION audit\.(\w+)\(.*?\nAS (\$\w+\$)(.*?)\2", part, re.DOTALL
        ):
            shipped[found[1]] = found[3]
    running = {
        row.proname: row
        for row in on.execute(
            sa.text(
                """SELECT p.proname, p.prosrc, r.rolname, p.proconfig
                FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
                WHERE p.pronamespace = to_regnamespace('audit')"""
            )
        )
    }
    for name, text in shipped.items():
        row = running.get(name)
        if row is None:
            yield f"Function audit.{name} is missing."
        elif row.prosrc != text or row.rolname != "clo_audit" or "search_path=pg_catalog, pg_temp" not in row.proconfig:
            yield f"Function audit.{name} is not the one of this application; look at it, then run `clo server init`."


def _open_tables(on: sa.Connection) -> Iterator[str]:
    rows = on.execute(
        sa.text(
            """SELECT c.relname AS name, c.relrowsecurity AS guarded, r.rolname AS owner,
                EXISTS (SELECT FROM aclexplode(c.relacl) a LEFT JOIN pg_roles g ON g.oid = a.grantee
                    WHERE a.grantee <> c.relowner
                    AND NOT (c.relname = 'audit_logs' AND g.rolname = 'clo_admin' AND a.privilege_type = 'SELECT')
                ) AS open
            FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner
            WHERE c.relnamespace = to_regnamespace('audit') AND c.relkind = 'r'"""
        )
    )
    for row in rows:
        if not row.guarded:
            yield f"Row-level security of audit.{row.name} is off."
        if row.owner != "clo_audit":
            yield f"Table audit.{row.name} belongs to {row.owner} and not to clo_audit."
        if row.open:
            yield f"Table audit.{row.name} is open to roles that must not touch it."
