"""A server made ready for CLO Desktop: roles, schemas, tables, functions, rights. The same again for an upgrade.

Everything happens in one transaction of a superuser, so a server is ready or as it was. The SQL stands in
resources/server, in the order of its numbers; tables come from the migrations, rights on them from `rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import psycopg
import sqlalchemy as sa

import resources
from clo_desktop.faults import Refused
from clo_desktop.store import migrate, schema
from clo_desktop.store.audit import server as audit
from clo_desktop.store.connection import connect, spoken, translating
from clo_desktop.store.passwords import COST_ON_SERVER, check_new, hashed
from clo_desktop.store.server import rules

OLDEST: Final = 15
"""The oldest version of PostgreSQL that this is tested on."""

BEFORE_TABLES: Final = {"1_roles.sql": None}
AFTER_TABLES: Final = {
    "2_rights.sql": "clo_owner",
    "3_people.sql": "clo_roleadmin",
    "4_database.sql": None,
    "5_copies.sql": "clo_owner",
}
"""The scripts, each with the role that runs it and owns what it makes; None is the superuser who signed in."""

FURTHER: Final[tuple[Callable[[sa.Connection], object], ...]] = (
    partial(audit.apply, others=(rules.REGISTER,), may_read=rules.ADMIN),
)
"""What other parts of the store put on a server, as a superuser, once tables and rights stand; run again every time."""

_ONE_AT_A_TIME: Final = 0x434C4F31


@dataclass(frozen=True, slots=True)
class Made:
    """What `initialise` did: the format before (None on an empty database) and after, and the administrator it made."""

    name: str
    before: str | None
    after: str
    administrator: str | None


def initialise(url: sa.URL, *, administrator: str | None = None, password: str = "") -> Made:
    """Make or upgrade everything on the database at `url`, for which it needs a superuser.

    administrator  e-mail address of a first administrator to register, with `password`

    Raises Refused where the server is too old, the user is no superuser, or the database was made by a newer version.
    """
    if administrator is not None:
        check_new(password)
    engine = connect(url, 60.0)
    name = spoken(url)
    try:
        with translating(engine), engine.begin() as on:
            check_server(on, name)
            raw = driver(on)
            raw.execute("SELECT pg_advisory_xact_lock(%s)", (_ONE_AT_A_TIME,))
            _run(raw, BEFORE_TABLES)
            raw.execute("SET LOCAL search_path = clo")
            before = migrate.revision(on)
            with _as(raw, "clo_owner"):
                migrate.upgrade(on, name)
            _run(raw, AFTER_TABLES)
            with _as(raw, "clo_owner"):
                found = rules.rules(schema.metadata)
                for statement in rules.statements(found):
                    raw.execute(statement)
                groups = ", ".join(rules.WORKERS)
                raw.execute(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA clo TO {groups}")
            for further in FURTHER:
                further(on)
            if administrator is not None:
                put_administrator(raw, administrator, password)
        return Made(name, before, schema.HEAD, administrator)
    finally:
        engine.dispose()


def text(script: str) -> bytes:
    """A script of resources/server; bytes, since the driver takes no text that is made at run time."""
    return resources.path(f"server/{script}").read_bytes()


def _run(raw: psycopg.Connection[Any], scripts: Mapping[str, str | None]) -> None:
    for script, owner in scripts.items():
        with _as(raw, owner):
            raw.execute(text(script))


def driver(on: sa.Connection) -> psycopg.Connection[Any]:
    """The driver's own connection beneath; it shares the transaction."""
    raw = on.connection.driver_connection
    assert isinstance(raw, psycopg.Connection)
    return raw


def put_administrator(raw: psycopg.Connection[Any], person: str, password: str) -> None:
    """Register an administrator as a superuser may, before there is one. Raises Refused where the server knows it."""
    known = raw.execute("SELECT FROM pg_roles WHERE rolname = %s", (person,)).fetchone()
    if known is not None:
        raise Refused(f"The server knows {person} already; leave --admin out, or name another person.", code="person")
    hash_ = hashed(password, COST_ON_SERVER)
    verifier = verifier_of(raw, person, password)
    raw.execute("SELECT sec.put_person(%s, '', 'admin', %s, %s)", (person, verifier, hash_))


def verifier_of(raw: psycopg.Connection[Any], person: str, password: str) -> str:
    """What the server keeps instead of the password, made here so that the password need not travel."""
    return raw.pgconn.encrypt_password(password.encode(), person.encode(), b"scram-sha-256").decode()


def check_server(on: sa.Connection, name: str) -> None:
    """Raises Refused for a server that is too old or encoded otherwise, and for someone who is no superuser of it."""
    version = int(on.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10000
    if version < OLDEST:
        raise Refused(f"{name} is PostgreSQL {version}; CLO Desktop needs {OLDEST} or newer.", code="server-version")
    if on.exec_driver_sql("SHOW is_superuser").scalar_one() != "on":
        raise Refused(
            f"{name}: only a superuser of the server may prepare it; sign in as one, for example postgres.",
            code="no-superuser",
        )
    if on.exec_driver_sql("SHOW server_encoding").scalar_one() != "UTF8":
        raise Refused(f"{name} is not encoded in UTF-8; create the database with ENCODING 'UTF8'.", code="encoding")


@contextmanager
def _as(raw: psycopg.Connection[Any], role: str | None) -> Iterator[None]:
    if role is not None:
        raw.execute(f"SET LOCAL ROLE {role}".encode())
    yield
    raw.execute("RESET ROLE")
