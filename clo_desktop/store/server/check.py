"""Proof that a running server is as `clo server init` made it: each promise is looked up in the server's own catalogue.

A further promise is a function in `CHECKS`, or in `FURTHER` for another part of the store: it gets the connection of a
superuser and gives a sentence for each breach.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import psycopg
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import schema
from clo_desktop.store.audit import server as audit
from clo_desktop.store.connection import connect, spoken, translating
from clo_desktop.store.server import init, rules
from clo_desktop.store.server.transport import is_local

Connection = psycopg.Connection[Any]

OWNERS: Final = ("clo_owner", "clo_audit", "clo_roleadmin")
SCHEMAS: Final = ("clo", "sec", "audit")

_FUNCTION: Final = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)\.(\w+)\(.*?AS \$\$(.*?)\$\$", re.S)
_GRANT: Final = re.compile(r"^GRANT EXECUTE ON FUNCTION (sec\..*?)\s+TO (.*?);", re.S | re.M)


@dataclass(frozen=True, slots=True)
class Checked:
    """One promise and how it is broken; kept where there is no breach."""

    promise: str
    breaches: tuple[str, ...]


def check(url: sa.URL) -> tuple[Checked, ...]:
    """Every promise about the server at `url`, for which a superuser signs in. Raises Refused where none can."""
    engine = connect(url, 10.0)
    try:
        with translating(engine), engine.begin() as on:
            init.check_server(on, spoken(url))
            raw = init.driver(on)
            there = on.execute(
                sa.text("SELECT count(*) FROM pg_namespace WHERE nspname = ANY (:names)"), {"names": list(SCHEMAS)}
            )
            if there.scalar_one() != len(SCHEMAS):
                raise Refused(f"{spoken(url)} is not prepared; run `clo server init`.", code="not-prepared")
            raw.execute("SET LOCAL search_path = pg_catalog")
            found = [Checked(promise, tuple(look(raw))) for promise, look in CHECKS.items()]
            found += [Checked(promise, tuple(look(on))) for promise, look in FURTHER.items()]
            if not is_local(url):
                found.append(Checked(_TLS_HERE, tuple(_tls_here(raw))))
            return tuple(found)
    finally:
        engine.dispose()


def _format(on: Connection) -> Iterator[str]:
    if not _column(on, "SELECT to_regclass('clo.alembic_version')::text"):
        yield "there is no schema clo with tables; run `clo server init`"
        return
    found = _column(on, "SELECT version_num FROM clo.alembic_version")
    if found != [schema.HEAD]:
        yield f"the format is {found} and this application needs {schema.HEAD}; run `clo server init`"


def _owners(on: Connection) -> Iterator[str]:
    for name, login, strong, creates in on.execute(
        "SELECT rolname, rolcanlogin, rolsuper OR rolbypassrls OR rolcreatedb OR rolreplication, rolcreaterole"
        " FROM pg_roles WHERE rolname LIKE 'clo\\_%'"
    ).fetchall():
        if login:
            yield f"{name} may sign in"
        if strong or (creates and name != "clo_roleadmin"):
            yield f"{name} has powers over the server"
    for owner, member in on.execute(
        "SELECT o.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles o ON o.oid = a.roleid"
        " JOIN pg_roles m ON m.oid = a.member WHERE o.rolname = ANY (%s)",
        (list(OWNERS),),
    ).fetchall():
        yield f"{member} is a member of {owner}"


def _tables(on: Connection) -> Iterator[str]:
    for schema_, table, owner, secured in on.execute(
        "SELECT n.nspname, c.relname, r.rolname, c.relrowsecurity FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner"
        " WHERE n.nspname = ANY (%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
        (list(SCHEMAS),),
    ).fetchall():
        if not secured:
            yield f"{schema_}.{table} has no row-level security"
        if owner not in OWNERS:
            yield f"{schema_}.{table} belongs to {owner}"


def _policies(on: Connection) -> Iterator[str]:
    wanted = {
        (rule.table, policy.command, tuple(sorted(policy.groups)), _plain(policy.seen), _plain(policy.made))
        for rule in rules.rules(schema.metadata)
        for policy in rule.policies
    }
    found = {
        (
            f"{schema_}.{table}",
            command,
            tuple(sorted(groups)),
            _plain(seen),
            _plain(made),
        )
        for schema_, table, command, groups, seen, made, permissive in on.execute(
            "SELECT schemaname, tablename, cmd, roles, coalesce(qual, ''), coalesce(with_check, ''), permissive"
            " FROM pg_policies WHERE schemaname IN ('clo', 'sec')"
        ).fetchall()
    }
    for table, command, groups, *_ in sorted(wanted - found):
        yield f"{table}: the policy for {command} of {', '.join(groups)} is missing or another"
    for table, command, groups, *_ in sorted(found - wanted):
        if set(groups) <= set(OWNERS):  # as nobody can be one, nobody gets rows by it
            continue
        yield f"{table}: there is a policy for {command} of {', '.join(groups)} that is not ours"


def _plain(expression: str) -> str:
    """An expression without what PostgreSQL adds when it prints one: brackets, casts, names of schemas and tables."""
    text = expression.casefold().replace('"', "")
    text = re.sub(r"::(?:text|integer|int|name|boolean)(?:\[\])?|\bas \w+", "", text)
    text = re.sub(r"\b\w+\.(?=\w+\b(?!\())", "", text)  # of columns and tables, not of functions
    text = re.sub(r"= any \(?array\[(.*?)\]\)?|in \(('.*?')\)", r"one of \1\2", text)
    return re.sub(r"[\s()]", "", text)


def _grants(on: Connection) -> Iterator[str]:
    wanted: set[tuple[str, str, str]] = set()
    for rule in rules.rules(schema.metadata):
        if not rule.table.startswith("clo."):
            continue
        wanted |= {(rule.table, group, "SELECT") for group in rules.READERS}
        for policy in rule.policies:
            columns = {"INSERT": rule.insertable, "UPDATE": rule.updatable}.get(policy.command)
            for group in policy.groups:
                if policy.command == "DELETE":
                    wanted.add((rule.table, group, "DELETE"))
                wanted |= {(f"{rule.table}.{name}", group, policy.command) for name in columns or ()}
    held = {
        (name, grantee, privilege)
        for name, grantee, privilege in on.execute(
            "SELECT c.relnamespace::regnamespace || '.' || c.relname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type"
            " FROM pg_class c, aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
            " WHERE c.relnamespace = 'clo'::regnamespace AND c.relkind <> 'S' AND a.grantee <> c.relowner"
            " UNION ALL SELECT c.relnamespace::regnamespace || '.' || c.relname || '.' || t.attname,"
            " coalesce(r.rolname, 'PUBLIC'), a.privilege_type"
            " FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid, aclexplode(t.attacl) a"
            " LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE c.relnamespace = 'clo'::regnamespace"
        ).fetchall()
        if grantee not in OWNERS
    }
    for name, grantee, privilege in sorted(held - wanted):
        yield f"{grantee} may {privilege} {name}"
    for name, grantee, privilege in sorted(wanted - held):
        yield f"{grantee} may not {privilege} {name}"


def _register(on: Connection) -> Iterator[str]:
    """The tables of people: what is granted beyond reading, and the hashes."""
    for name, grantee, privilege in on.execute(
        "SELECT c.relname, coalesce(r.rolname, 'PUBLIC'), a.privilege_type FROM pg_class c,"
        " aclexplode(c.relacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE c.relnamespace = 'sec'::regnamespace AND c.relkind = 'r' AND a.grantee <> c.relowner"
        " AND coalesce(r.rolname, 'PUBLIC') <> ALL (%s)"
        " AND NOT (c.relname = 'assignments' AND a.privilege_type = 'SELECT' AND r.rolname = ANY (%s))",
        (list(OWNERS), list(rules.READERS)),
    ).fetchall():
        yield f"{grantee} may {privilege} sec.{name}"
    for grantee, column, privilege in on.execute(
        "SELECT coalesce(r.rolname, 'PUBLIC'), t.attname, a.privilege_type FROM pg_attribute t, aclexplode(t.attacl) a"
        " LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE t.attrelid = 'sec.users'::regclass"
        " AND coalesce(r.rolname, 'PUBLIC') <> ALL (%s)"
        " AND (t.attname = 'hashed_password' OR a.privilege_type <> 'SELECT')",
        (list(OWNERS),),
    ).fetchall():
        yield f"{grantee} may {privilege} sec.users.{column}"


def _functions(on: Connection) -> Iterator[str]:
    shipped = {
        (schema_, name): body
        for script in init.AFTER_TABLES
        for schema_, name, body in _FUNCTION.findall(init.text(script).decode())
    }
    found = set()
    for schema_, name, owner, settings, body, public in on.execute(
        "SELECT n.nspname, p.proname, r.rolname, coalesce(p.proconfig, '{}'), p.prosrc,"
        " EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee = 0)"
        " FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner"
        " WHERE n.nspname = ANY (%s) OR (p.prosecdef AND n.nspname <> 'pg_catalog')",
        (list(SCHEMAS),),
    ).fetchall():
        found.add((schema_, name))
        if "search_path=pg_catalog, pg_temp" not in settings:
            yield f"{schema_}.{name} has no search_path of its own"
        if owner not in OWNERS:
            yield f"{schema_}.{name} belongs to {owner}"
        if public:
            yield f"everybody may call {schema_}.{name}"
        if (schema_, name) in shipped and shipped[schema_, name] != body:
            yield f"{schema_}.{name} is not the function that ships with this application"
        if schema_ == "sec" and (schema_, name) not in shipped:
            yield f"{schema_}.{name} is a function that does not ship with this application"
    for schema_, name in sorted(shipped.keys() - found):
        yield f"{schema_}.{name} is missing"


def _callers(on: Connection) -> Iterator[str]:
    wanted: dict[str, set[str]] = {}
    for script in init.AFTER_TABLES:
        for functions, groups in _GRANT.findall(init.text(script).decode()):
            for function in re.findall(r"sec\.(\w+)\(", functions):
                wanted.setdefault(function, set()).update(re.findall(r"\w+", groups))
    for name, grantee in on.execute(
        "SELECT p.proname, coalesce(r.rolname, 'PUBLIC') FROM pg_proc p, aclexplode(p.proacl) a"
        " LEFT JOIN pg_roles r ON r.oid = a.grantee"
        " WHERE p.pronamespace = 'sec'::regnamespace AND a.grantee <> p.proowner"
    ).fetchall():
        if grantee not in wanted.get(name, set()):
            yield f"{grantee} may call sec.{name}"


def _triggers(on: Connection) -> Iterator[str]:
    wanted = {("clo.deals", "assign_maker"), ("clo.deals", "stamp"), ("clo.deals", "tell"), ("clo.assets", "tell")}
    wanted |= {(rule.table, "guard_version") for rule in rules.rules(schema.metadata) if rule.versioned}
    found = {
        (table, name)
        for table, name in on.execute(
            "SELECT c.relnamespace::regnamespace || '.' || c.relname, t.tgname FROM pg_trigger t"
            " JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A')"
        ).fetchall()
    }
    for table, name in sorted(wanted - found):
        yield f"the trigger {name} of {table} is missing or switched off"


def _everybody(on: Connection) -> Iterator[str]:
    """What PostgreSQL gives to PUBLIC by itself and this database must not."""
    for (what,) in on.execute(
        "SELECT a.privilege_type || ' on the database' FROM pg_database d,"
        " aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a"
        " WHERE d.datname = current_database() AND a.grantee = 0"
        " UNION ALL SELECT a.privilege_type || ' on the schema ' || n.nspname FROM pg_namespace n,"
        " aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a"
        " WHERE a.grantee = 0 AND n.nspname IN ('public', 'clo', 'sec', 'audit', 'crypto')"
        " UNION ALL SELECT 'USAGE on the language ' || l.lanname FROM pg_language l,"
        " aclexplode(coalesce(l.lanacl, acldefault('l', l.lanowner))) a"
        " WHERE a.grantee = 0 AND l.lanname NOT IN ('c', 'internal')"
        " UNION ALL SELECT DISTINCT 'EXECUTE on ' || p.proname FROM pg_proc p,"
        " aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a"
        " WHERE a.grantee = 0 AND p.pronamespace IN ('pg_catalog'::regnamespace, 'crypto'::regnamespace)"
        " AND (p.pronamespace = 'crypto'::regnamespace OR p.proname ~"
        " '^(lo_.*|lowrite|loread|pg_sleep.*|pg_advisory.*|pg_try_advisory.*|pg_terminate_backend|pg_cancel_backend"
        "|pg_logical_emit_message)$')"
    ).fetchall():
        yield f"everybody has {what}"


def _defaults(on: Connection) -> Iterator[str]:
    for owner in OWNERS:
        kept = on.execute(
            "SELECT 1 FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole WHERE r.rolname = %s"
            " AND d.defaclobjtype = 'f' AND d.defaclnamespace = 0"
            " AND NOT EXISTS (SELECT FROM aclexplode(d.defaclacl) a WHERE a.grantee = 0)",
            (owner,),
        ).fetchone()
        if kept is None:
            yield f"a new function of {owner} would be open to everybody"


def _people(on: Connection) -> Iterator[str]:
    for email, role, active, login, strong, groups in on.execute(
        "SELECT u.email, u.role, u.is_active, r.rolcanlogin,"
        " r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication,"
        " ARRAY(SELECT g.rolname::text FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
        " WHERE m.member = r.oid)"
        " FROM sec.users u LEFT JOIN pg_roles r ON r.rolname = u.email"
    ).fetchall():
        if login is None:
            yield f"{email} is registered and has no login role"
            continue
        if strong:
            yield f"{email} has powers over the server"
        if login != active:
            yield f"{email} {'may' if login else 'may not'} sign in, against the register"
        if groups != ([f"clo_{role}"] if active else []):
            yield f"{email} is in the groups {groups}, against the register ({role})"
    for (name,) in on.execute(
        "SELECT DISTINCT m.rolname FROM pg_auth_members a JOIN pg_roles g ON g.oid = a.roleid"
        " JOIN pg_roles m ON m.oid = a.member WHERE g.rolname = ANY (%s) AND m.rolname <> 'clo_roleadmin'"
        " AND m.rolcanlogin AND NOT EXISTS (SELECT FROM sec.users u WHERE u.email = m.rolname)"
        " AND NOT EXISTS (SELECT FROM pg_database d WHERE d.datname <> current_database() AND d.datallowconn"
        " AND has_database_privilege('clo_viewer', d.oid, 'CONNECT') AND d.datname NOT IN ('postgres', 'template1'))",
        (list(rules.READERS),),
    ).fetchall():
        yield f"{name} is in a group and not registered"


def _sign_in(on: Connection) -> Iterator[str]:
    for line, kind, method, error in on.execute(
        "SELECT line_number, type, auth_method, error FROM pg_hba_file_rules"
    ).fetchall():
        if error:
            yield f"pg_hba.conf line {line}: {error}"
        elif kind in ("host", "hostnossl", "hostnogssenc") and method != "reject":
            yield f"pg_hba.conf line {line}: {kind} lets connections in without TLS; write hostssl"
        elif method in ("trust", "password", "md5"):
            yield f"pg_hba.conf line {line}: {method} is no proof of who someone is; write scram-sha-256"


def _settings(on: Connection) -> Iterator[str]:
    wanted = {
        "ssl": ("on",),
        "password_encryption": ("scram-sha-256",),
        "log_parameter_max_length": ("0",),
        "log_parameter_max_length_on_error": ("0",),
        "log_min_error_statement": ("panic",),
        "log_statement": ("none", "ddl"),
        "row_security": ("on",),
        "fsync": ("on",),
        "full_page_writes": ("on",),
    }
    for name, value in on.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", (list(wanted),)):
        if value not in wanted[name]:
            yield f"{name} is {value}; it should be {' or '.join(wanted[name])}"


def _tls_here(on: Connection) -> Iterator[str]:
    if not _column(on, "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")[0]:
        yield "it is not encrypted"


_TLS_HERE: Final = "This very connection is encrypted"

CHECKS: Final[dict[str, Callable[[Connection], Iterator[str]]]] = {
    "The tables have the format of this application": _format,
    "Nobody signs in as an owner or is a member of one": _owners,
    "Every table has row-level security and a proper owner": _tables,
    "The policies are ours and no others": _policies,
    "Groups may do with tables what their role says": _grants,
    "People and assignments change by functions only": _register,
    "Functions are ours, with a search_path of their own, closed to everybody": _functions,
    "Each function is called by its groups only": _callers,
    "Triggers stand and are switched on": _triggers,
    "Everybody may do nothing": _everybody,
    "New functions are closed": _defaults,
    "Login roles agree with the register": _people,
    "Only TLS and SCRAM let anybody in": _sign_in,
    "The server keeps secrets out of its log and writes safely": _settings,
}


FURTHER: Final[dict[str, Callable[[sa.Connection], Iterator[str]]]] = {
    "every change of data and of the register is audited, and nobody can alter the audit": partial(
        audit.breaches, others=(rules.REGISTER,)
    ),
}
"""Promises of what `init.FURTHER` puts on a server."""


def _column(on: Connection, query: str) -> list[Any]:
    return [row[0] for row in on.execute(query.encode()).fetchall() if row[0] is not None]
