"""The audit of a PostgreSQL server: what it writes, who can touch it, and what a superuser cannot do unseen.

The tables are small ones of the test's own, in the schema and with the roles of the server.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from clo_desktop.store.audit import server
from clo_desktop.store.audit.anchors import Anchor
from clo_desktop.store.audit.lines import Line, Wanted, lines
from clo_desktop.store.audit.verify import Verdict, verify
from clo_desktop.store.connection import address
from tests.store.postgres import Server

TABLES = """
CREATE SCHEMA clo;
CREATE TABLE clo.deals (id serial PRIMARY KEY, name text NOT NULL UNIQUE, version integer NOT NULL DEFAULT 1);
CREATE TABLE clo.assets (asset_id text PRIMARY KEY, issuer_name text, par_amount double precision, maturity date);
CREATE TABLE clo.holdings (id serial PRIMARY KEY, deal_id integer NOT NULL REFERENCES clo.deals, rank double precision,
    asset_id text NOT NULL, par double precision NOT NULL);
CREATE TABLE clo.people (id serial PRIMARY KEY, email text, hashed_password text, seen timestamptz);
CREATE TABLE clo.pairs (one integer, two integer, correlation double precision, document jsonb, PRIMARY KEY (one, two));
"""

ROWS = (
    "INSERT INTO clo.deals (name) VALUES ('Harbor 2024-1')",
    "INSERT INTO clo.assets VALUES ('LX1', 'Acme', 5e6, '2030-01-31'), ('LX2', NULL, 0.1::float8 + 0.2, NULL)",
    "INSERT INTO clo.holdings (deal_id, rank, asset_id, par) VALUES (1, 1, 'LX1', 1e6), (1, 2, 'LX2', 2e6)",
    "UPDATE clo.holdings SET par = par + 250000 WHERE asset_id = 'LX1'",
    'INSERT INTO clo.pairs VALUES (1, 2, 0.3, \'{"a": null, "b": [null, 1]}\')',
)


@pytest.fixture
def where(cluster: Server, database: str) -> str:
    """The superuser's address of an empty database."""
    return cluster.address(database)


@pytest.fixture
def admin(where: str) -> Iterator[sa.Engine]:
    """A superuser on a database whose audit is in place and has lines of five sealed transactions."""
    engine = sa.create_engine(address(where), isolation_level="AUTOCOMMIT")
    with engine.connect() as on:
        server.make_roles(on)
        on.exec_driver_sql(TABLES)
        server.apply(on)
        for statement in ROWS:
            on.exec_driver_sql(statement)
            seal(on)
    yield engine
    engine.dispose()


def seal(on: sa.Connection) -> Anchor:
    """As a client does after a commit; where another seals in this moment, that one or the next takes the lines."""
    row = on.exec_driver_sql("SELECT * FROM audit.seal()").one()
    return Anchor(str(row.trail), row.pos, row.link, dt.datetime.now(dt.UTC))


def run(engine: sa.Engine, *statements: str) -> None:
    with engine.connect() as on:
        for statement in statements:
            on.exec_driver_sql(statement)


def look(engine: sa.Engine, anchor: Anchor | None = None) -> Verdict:
    with engine.execution_options(isolation_level="REPEATABLE READ").connect() as on:
        return verify(on, anchor)


def written(engine: sa.Engine, wanted: Wanted | None = None) -> list[Line]:
    with engine.execution_options(isolation_level="REPEATABLE READ").connect() as on:
        return list(lines(on, wanted or Wanted()))


def kinds(verdict: Verdict) -> set[str]:
    return {breach.kind for breach in verdict.breaches}


# What is written


def test_that_an_untouched_audit_verifies(admin: sa.Engine) -> None:
    with admin.connect() as on:
        anchor = seal(on)
    verdict = look(admin, anchor)
    assert verdict.whole, verdict.breaches
    assert (verdict.lines, verdict.rows, verdict.pending, verdict.oldest) == (7, 6, 0, None)
    assert verdict.head is not None
    assert (verdict.head.pos, verdict.head.link) == (5, anchor.link)


def test_that_one_line_tells_who_what_where_and_the_changed_fields_only(admin: sa.Engine) -> None:
    before = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=5)
    [line] = written(admin, Wanted(action="update"))
    assert (line.user, line.resource_type, line.resource_id) == ("dba", "holdings", "Harbor 2024-1 / LX1")
    assert (line.deal, line.details["table"], line.details["id"]) == ("Harbor 2024-1", "holdings", 1)
    assert (line.before, line.after) == ({"par": 1000000}, {"par": 1250000})
    assert line.ip_address == "127.0.0.1"
    assert before < line.timestamp < dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)


def test_that_a_statement_over_many_rows_leaves_one_line_a_changed_row_of_one_transaction(admin: sa.Engine) -> None:
    run(admin, "UPDATE clo.holdings SET par = 1250000")  # one of the two has that already
    run(admin, "UPDATE clo.holdings SET rank = rank + 1", "UPDATE clo.holdings SET rank = rank")
    added = written(admin)[7:]
    assert sorted((line.resource_id, *line.after.items()) for line in added) == [
        ("Harbor 2024-1 / LX1", ("rank", 2)),
        ("Harbor 2024-1 / LX2", ("par", 1250000)),
        ("Harbor 2024-1 / LX2", ("rank", 3)),
    ]
    assert added[1].txid == added[2].txid != added[0].txid


def test_that_a_rolled_back_change_leaves_no_line_and_the_gap_in_the_numbers_is_no_breach(admin: sa.Engine) -> None:
    with admin.execution_options(isolation_level="READ COMMITTED").connect() as on:
        on.exec_driver_sql("DELETE FROM clo.holdings")
        on.rollback()
    run(admin, "DELETE FROM clo.holdings WHERE asset_id = 'LX2'", "SELECT audit.seal()")
    assert [line.seq for line in written(admin)] == [1, 2, 3, 4, 5, 6, 7, 10]
    assert look(admin).whole


def test_that_no_line_holds_a_password_and_a_new_one_is_a_change(admin: sa.Engine) -> None:
    run(
        admin,
        "INSERT INTO clo.people (email, hashed_password) VALUES ('ann@example.com', 'first-hash')",
        "UPDATE clo.people SET hashed_password = 'second-hash'",
        "UPDATE clo.people SET hashed_password = 'second-hash'",
        "DELETE FROM clo.people",
        "SELECT audit.seal()",
    )
    told = written(admin, Wanted(table="people"))
    assert [(line.action, line.before, line.after) for line in told] == [
        ("insert", {}, {"id": 1, "email": "ann@example.com"}),
        ("update", {}, {"hashed_password": "(changed)"}),
        ("delete", {"id": 1, "email": "ann@example.com"}, {}),
    ]
    assert "hash" not in json.dumps([[line.before, line.after] for line in told]).replace("hashed_password", "")
    assert look(admin).whole


def test_that_a_client_cannot_hide_a_small_change_behind_settings(admin: sa.Engine) -> None:
    run(admin, "INSERT INTO clo.people (email, seen) VALUES ('bob', '2026-01-01 00:00+00')")
    with admin.connect() as on:
        on.exec_driver_sql("SET extra_float_digits = -15")
        on.exec_driver_sql("SET TimeZone = 'Asia/Tokyo'")
        on.exec_driver_sql("UPDATE clo.holdings SET par = par + 1 WHERE asset_id = 'LX2'")
        on.exec_driver_sql("UPDATE clo.people SET seen = seen + interval '1 microsecond'")
        on.exec_driver_sql("RESET ALL")
    [*_, par, seen] = written(admin)
    assert (par.before, par.after) == ({"par": 2000000}, {"par": 2000001})
    assert seen.after == {"seen": "2026-01-01T00:00:00.000001+00:00"}
    assert look(admin).whole


def test_that_the_mac_is_hmac_sha256(admin: sa.Engine) -> None:
    with admin.connect() as on:
        inner = on.exec_driver_sql("SELECT inner_pad FROM audit.key").scalar_one()
        secret = bytes(b ^ 0x36 for b in inner)[:32]
        message, mac = on.exec_driver_sql(
            """SELECT jsonb_build_array(seq, "user", action, resource_type, resource_id,
                (extract(epoch FROM "timestamp") * 1000000)::bigint, ip_address, details, txid)::text, mac
            FROM audit.audit_logs WHERE seq = 6"""
        ).one()
    assert hmac.new(secret, message.encode(), hashlib.sha256).digest() == mac


def test_that_what_is_signed_part_by_part_is_what_is_checked_whatever_names_hold(admin: sa.Engine) -> None:
    odd = """E'Ü "quoted" \\\\ / \\n \\t \\u2028 \U0001f600, ], null'"""
    run(
        admin,
        f"INSERT INTO clo.deals (name) VALUES ({odd}), ('')",
        f"INSERT INTO clo.holdings (deal_id, asset_id, par) SELECT id, {odd}, 'Infinity' FROM clo.deals",
        "SET application_name = '\"'",
        "UPDATE clo.holdings SET rank = -0.0, par = 1e-300",
        'UPDATE clo.pairs SET document = \'{"b": {"c": null}}\'',
        "DELETE FROM clo.holdings",
        "DELETE FROM clo.pairs",
        "SELECT audit.seal()",
    )
    verdict = look(admin)
    assert verdict.whole, verdict.breaches
    assert verdict.lines == 7 + 2 + 3 + 5 + 1 + 5 + 1


def test_that_every_writer_is_sealed_though_many_seal_at_once_and_the_order_of_commits_is_another(
    admin: sa.Engine,
) -> None:
    with admin.execution_options(isolation_level="READ COMMITTED").connect() as slow:
        slow.exec_driver_sql("UPDATE clo.assets SET issuer_name = 'slow' WHERE asset_id = 'LX2'")

        def work(number: int) -> None:
            with admin.connect() as on:
                for i in range(20):
                    on.exec_driver_sql(f"INSERT INTO clo.assets (asset_id, par_amount) VALUES ('{number}-{i}', {i})")
                    seal(on)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        run(admin, "SELECT audit.seal()")
        assert look(admin).pending == 0
        slow.commit()
    verdict = look(admin)
    assert (verdict.pending, verdict.lines) == (1, 88)
    assert verdict.oldest is not None
    run(admin, "SELECT audit.seal()")
    verdict = look(admin)
    assert verdict.whole
    assert verdict.pending == 0


def test_that_an_open_transaction_that_sealed_keeps_nobody_from_writing(admin: sa.Engine) -> None:
    with admin.execution_options(isolation_level="READ COMMITTED").connect() as idle:
        run(admin, "UPDATE clo.deals SET version = 2")
        idle.exec_driver_sql("SELECT audit.seal()")  # holds the private row until it ends
        run(admin, "SET lock_timeout = '2s'", "UPDATE clo.deals SET version = 3", "SELECT audit.seal()")
        assert look(admin).pending == 2
        idle.rollback()
    run(admin, "SELECT audit.seal()")
    assert look(admin).pending == 0


def test_that_another_run_of_the_set_up_changes_nothing(admin: sa.Engine) -> None:
    with admin.connect() as on:
        anchor = seal(on)
        server.apply(on)
        assert seal(on).link == anchor.link
    assert look(admin, anchor).whole


# Who can touch it


@pytest.fixture
def manager(admin: sa.Engine, where: str) -> Iterator[sa.Engine]:
    """Someone of the group of managers, with rights on the data and a password of his own."""
    name = "m_" + str(address(where).database)
    run(
        admin,
        f"CREATE ROLE {name} LOGIN PASSWORD 'manager-word' IN ROLE clo_manager",
        f"GRANT USAGE ON SCHEMA clo TO {name}",
        f"GRANT ALL ON ALL TABLES IN SCHEMA clo TO {name}",
    )
    engine = sa.create_engine(address(where).set(username=name, password="manager-word"), isolation_level="AUTOCOMMIT")
    yield engine
    engine.dispose()
    run(admin, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_that_a_change_of_any_client_is_written_under_the_name_it_signed_in_with(
    admin: sa.Engine, manager: sa.Engine
) -> None:
    run(manager, "SET application_name = 'psql'", "UPDATE clo.deals SET version = 9", "SELECT audit.seal()")
    line = written(admin)[-1]
    assert (line.user, line.details["program"]) == (manager.url.username, "psql")
    assert look(admin).whole


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM audit.key",
        "SELECT * FROM audit.audit_logs",
        "SELECT * FROM audit.chain",
        "SELECT * FROM audit.head FOR UPDATE",
        "INSERT INTO audit.audit_logs SELECT 99, 'x', 'insert', 'a', 'b', now(), '', '{}', 1, ''",
        "UPDATE audit.audit_logs SET \"user\" = 'someone'",
        "DELETE FROM audit.audit_logs",
        "TRUNCATE audit.audit_logs",
        "SELECT audit.mac_of(l) FROM audit.audit_logs l",
        "SELECT audit.link_of(1, now(), '{}', '')",
        "SELECT * FROM audit.state()",
        "SELECT audit.live('clo', 'people')",
        "SELECT nextval('audit.line')",
        "ALTER TABLE clo.deals DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_update ON clo.deals",
        "SET session_replication_role = replica",
        "TRUNCATE clo.pairs",
        "CREATE TRIGGER mine BEFORE INSERT ON audit.audit_logs FOR EACH ROW EXECUTE FUNCTION audit.refuse()",
    ],
)
def test_that_a_manager_cannot_read_forge_change_or_switch_off(manager: sa.Engine, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match=r"permission denied|must be owner|would leave no audit"):
        run(manager, statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.audit_logs SET \"user\" = 'someone'",
        "DELETE FROM audit.audit_logs",
        "TRUNCATE audit.audit_logs",
        "UPDATE audit.chain SET link = ''",
        "DELETE FROM audit.chain",
        "UPDATE audit.key SET inner_pad = outer_pad",
        "TRUNCATE clo.holdings",
    ],
)
def test_that_even_the_owner_and_a_superuser_only_add(admin: sa.Engine, statement: str) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match=r"only added to|would leave no audit"):
        run(admin, statement)
    if "audit." in statement:
        with admin.execution_options(isolation_level="READ COMMITTED").connect() as on:
            on.exec_driver_sql("SET LOCAL ROLE clo_audit")
            with pytest.raises(sa.exc.ProgrammingError, match=r"only added to"):
                on.exec_driver_sql(statement)
    with pytest.raises(sa.exc.ProgrammingError, match=r"only added to|would leave no audit"):
        run(admin, "SET session_replication_role = replica", statement)


def test_that_the_key_of_a_row_never_changes(admin: sa.Engine) -> None:
    with pytest.raises(sa.exc.ProgrammingError, match="the key of a row of pairs never changes"):
        run(admin, "UPDATE clo.pairs SET two = 3")


def test_that_a_table_without_a_key_is_refused(admin: sa.Engine) -> None:
    run(admin, "CREATE TABLE clo.loose (a integer)")
    with admin.connect() as on, pytest.raises(ValueError, match=r"clo\.loose has no primary key"):
        server.apply(on)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("DROP TRIGGER audit_update ON clo.holdings", "audit_update of clo.holdings is missing"),
        ("ALTER TABLE clo.holdings DISABLE TRIGGER audit_delete", "audit_delete of clo.holdings is not always on"),
        (
            "ALTER TABLE audit.audit_logs DISABLE TRIGGER append_only",
            "append_only of audit.audit_logs is not always on",
        ),
        ("ALTER TABLE audit.chain DISABLE ROW LEVEL SECURITY", "Row-level security of audit.chain is off"),
        ("GRANT SELECT ON audit.key TO clo_manager", "audit.key is open"),
        ("GRANT INSERT ON audit.audit_logs TO clo_admin", "audit.audit_logs is open"),
        ("ALTER FUNCTION audit.record_update() OWNER TO CURRENT_USER", "audit.record_update is not the one"),
        (
            "CREATE OR REPLACE FUNCTION audit.record_update() RETURNS trigger LANGUAGE plpgsql"
            " AS 'BEGIN RETURN NULL; END'",
            "audit.record_update is not the one",
        ),
        (
            "DROP TRIGGER audit_insert ON clo.people; CREATE TRIGGER audit_insert AFTER INSERT ON clo.people"
            " FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()",
            "audit_insert of clo.people",
        ),
        ("CREATE TABLE clo.later (id serial PRIMARY KEY)", "audit_insert of clo.later is missing"),
        ("ALTER TABLE clo.people ADD api_token text", "audit_insert of clo.people was altered"),
    ],
)
def test_that_a_protection_that_is_gone_is_named(admin: sa.Engine, statement: str, says: str) -> None:
    run(admin, statement)
    verdict = look(admin) if "later" not in statement else None
    with admin.connect() as on:
        found = [b.says for b in verdict.breaches] if verdict is not None else list(server.breaches(on))
    assert any(says in one for one in found), found


# What someone with all rights cannot do unseen

OFF = "SET session_replication_role = replica"
OPEN = (
    OFF,
    "ALTER TABLE audit.audit_logs DISABLE TRIGGER ALL",
    "ALTER TABLE audit.chain DISABLE TRIGGER ALL",
    "ALTER TABLE audit.key DISABLE TRIGGER ALL",
)
SHUT = (
    "ALTER TABLE audit.audit_logs ENABLE ALWAYS TRIGGER append_only",
    "ALTER TABLE audit.chain ENABLE ALWAYS TRIGGER append_only",
    "ALTER TABLE audit.key ENABLE ALWAYS TRIGGER append_only",
    "RESET session_replication_role",
)


def tamper(*statements: str) -> Callable[[sa.Engine], None]:
    """With every trigger of the audit off while it happens, and on again afterwards."""
    return lambda admin: run(admin, *OPEN, *statements, *SHUT)


REWRITE = (
    "UPDATE audit.audit_logs SET \"user\" = 'someone else' WHERE seq = 6",
    "UPDATE audit.audit_logs l SET mac = audit.mac_of(l)",
    "UPDATE audit.chain c SET link = audit.link_of(1, sealed_at, seqs, '') WHERE pos = 1",
    *(
        "UPDATE audit.chain SET link = audit.link_of(pos, sealed_at, seqs,"
        f" (SELECT link FROM audit.chain WHERE pos = {n})) WHERE pos = {n + 1}"
        for n in range(1, 5)
    ),
    "UPDATE audit.head SET link = (SELECT link FROM audit.chain WHERE pos = 5)",
)

DRILLS = {
    "altered": (tamper("UPDATE audit.audit_logs SET \"user\" = 'someone else' WHERE seq = 6"), "line", False),
    "deleted": (tamper("DELETE FROM audit.audit_logs WHERE seq = 6"), "chain", False),
    "deleted with its link": (
        tamper("DELETE FROM audit.audit_logs WHERE seq = 6", "DELETE FROM audit.chain WHERE pos = 4"),
        "chain",
        False,
    ),
    "forged": (
        tamper("INSERT INTO audit.audit_logs SELECT 60, \"user\", action, resource_type, resource_id, \"timestamp\","
               " ip_address, details, txid, mac FROM audit.audit_logs WHERE seq = 6"),
        "line",
        False,
    ),
    "forged and sealed": (
        tamper("INSERT INTO audit.audit_logs SELECT 60, \"user\", action, resource_type, resource_id, \"timestamp\","
               " ip_address, details, txid + 100000, mac FROM audit.audit_logs WHERE seq = 6", "SELECT audit.seal()"),
        "line",
        False,
    ),
    "swapped": (
        tamper("UPDATE audit.audit_logs SET seq = 1000 WHERE seq = 4",
               "UPDATE audit.audit_logs SET seq = 4 WHERE seq = 5",
               "UPDATE audit.audit_logs SET seq = 5 WHERE seq = 1000"),
        "line",
        False,
    ),
    "dropped before its seal": (
        lambda admin: (
            run(admin, "UPDATE clo.deals SET version = 2"),
            tamper("DELETE FROM audit.audit_logs WHERE seq > 7")(admin),
            run(admin, "SELECT audit.seal()"),
        ),
        "rows",
        False,
    ),
    "tail cut and head rewound": (
        tamper("DELETE FROM audit.audit_logs WHERE seq = 7", "DELETE FROM audit.chain WHERE pos = 5",
               "UPDATE audit.head SET pos = 4, link = (SELECT link FROM audit.chain WHERE pos = 4)",
               "ALTER TABLE clo.pairs DISABLE TRIGGER audit_delete", "DELETE FROM clo.pairs",
               "ALTER TABLE clo.pairs ENABLE ALWAYS TRIGGER audit_delete"),
        "anchor",
        True,
    ),
    "rewritten with the stolen key": (tamper(*REWRITE), "anchor", True),
    "data changed with triggers off": (
        lambda admin: run(
            admin,
            "ALTER TABLE clo.holdings DISABLE TRIGGER ALL",
            "UPDATE clo.holdings SET par = 9e6 WHERE asset_id = 'LX2'",
            *(f"ALTER TABLE clo.holdings ENABLE ALWAYS TRIGGER audit_{e}" for e in ("insert", "update", "delete")),
            "ALTER TABLE clo.holdings ENABLE ALWAYS TRIGGER audit_truncate",
            "ALTER TABLE clo.holdings ENABLE ALWAYS TRIGGER audit_key",
        ),
        "rows",
        False,
    ),
}  # fmt: skip


@pytest.mark.parametrize("drill", DRILLS)
def test_that_tampering_is_seen(admin: sa.Engine, drill: str) -> None:
    with admin.connect() as on:
        anchor = seal(on)
    assert look(admin, anchor).whole
    what, kind, needs_anchor = DRILLS[drill]
    what(admin)
    seen = kinds(look(admin, anchor))
    assert kind in seen, seen
    if needs_anchor:
        assert look(admin).whole, "only the anchor can see this; else the drill is not the one it is named for"


def test_that_an_anchor_of_another_database_is_seen(admin: sa.Engine) -> None:
    with admin.connect() as on:
        anchor = seal(on)
    assert kinds(look(admin, replace(anchor, trail="another"))) == {"anchor"}


def test_that_a_change_hidden_between_two_lines_is_seen(admin: sa.Engine) -> None:
    run(admin, "ALTER TABLE clo.deals DISABLE TRIGGER audit_update", "UPDATE clo.deals SET version = 7")
    run(admin, "ALTER TABLE clo.deals ENABLE ALWAYS TRIGGER audit_update", "UPDATE clo.deals SET version = 8")
    run(admin, "SELECT audit.seal()")
    [breach] = look(admin).breaches
    assert (breach.kind, breach.says) == (
        "history",
        "Line 8: deals Harbor 2024-1: version was not what a line before says.",
    )


def test_that_a_server_without_audit_says_so(where: str) -> None:
    engine: Any = sa.create_engine(address(where))
    verdict = look(engine)
    engine.dispose()
    assert [b.says for b in verdict.breaches] == ["The server has no audit; run `clo server init`."]
