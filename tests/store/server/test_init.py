"""Facts about making a server ready."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from alembic import command

from clo_desktop.faults import Refused
from clo_desktop.store import open_store, schema
from clo_desktop.store.connection import address, connect
from clo_desktop.store.migrate import _config
from clo_desktop.store.server import rules
from clo_desktop.store.server.init import driver, initialise, text
from engine.terms import Account
from tests.store.postgres import ADMIN, PASSWORD, Server
from tests.store.server.world import World, book


def everything(on: psycopg.Connection[Any]) -> list[Any]:
    """The catalogue of what init makes, as text."""
    queries = (
        "SELECT nspname, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1",
        "SELECT relname, relkind, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) a),"
        " relrowsecurity FROM pg_class c JOIN pg_namespace n"
        " ON n.oid = relnamespace WHERE nspname IN ('clo', 'sec', 'audit') ORDER BY 1",
        "SELECT attrelid::regclass::text, attname, attacl::text FROM pg_attribute"
        " WHERE attacl IS NOT NULL ORDER BY 1, 2",
        "SELECT oid::regprocedure::text, prosrc, proacl::text, proconfig::text FROM pg_proc"
        " WHERE pronamespace::regnamespace::text IN ('clo', 'sec', 'audit') ORDER BY 1",
        "SELECT tablename, policyname, cmd, roles::text, qual, with_check FROM pg_policies ORDER BY 1, 2",
        "SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2",
        "SELECT datacl::text FROM pg_database WHERE datname = current_database()",
    )
    return [on.execute(query.encode()).fetchall() for query in queries]


def test_that_an_empty_database_is_made_ready_and_the_same_again_changes_nothing(
    cluster: Server, database: str
) -> None:
    url = address(cluster.address(database))
    made = initialise(url)
    assert (made.before, made.after) == (None, schema.HEAD)
    with cluster.connect(database) as on:
        first = everything(on)
        names = {row[0] for row in on.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'clo\\_%'")}
    assert names == {*rules.READERS, "clo_owner", "clo_audit", "clo_roleadmin"}
    assert initialise(url).before == schema.HEAD
    with cluster.connect(database) as on:
        assert everything(on) == first


def test_that_making_a_server_ready_again_keeps_its_data_and_people(own_world: World) -> None:
    initialise(address(own_world.server.address(own_world.database)))
    with open_store(own_world.address("mia")) as store:
        assert store.load("mine") == book("mine")


def test_that_init_mends_what_was_weakened(own_world: World) -> None:
    with own_world.administrator() as on:
        before = everything(on)
        on.execute("CREATE POLICY more ON clo.holdings USING (true); GRANT ALL ON clo.holdings TO clo_viewer, PUBLIC")
        on.execute("ALTER TABLE clo.holdings DISABLE ROW LEVEL SECURITY; DROP TRIGGER stamp ON clo.deals")
        assert everything(on) != before
        initialise(address(own_world.server.address(own_world.database)))
        assert everything(on) == before


def test_that_an_init_that_fails_leaves_nothing_behind(
    cluster: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("power cut")

    monkeypatch.setattr(rules, "statements", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        initialise(address(cluster.address(database)))
    with cluster.connect(database) as on:
        query = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('clo', 'sec', 'audit', 'crypto')"
        assert on.execute(query).fetchone() == (0,)


def test_that_a_server_of_an_older_format_is_upgraded_by_init_only(own_world: World) -> None:
    with own_world.administrator() as on:
        on.execute("UPDATE clo.alembic_version SET version_num = '0001'")
    with pytest.raises(Refused, match=r"has the format 0001 .* an administrator upgrades it") as refused:
        open_store(own_world.address("mia"))
    assert refused.value.code == "older"


def test_that_init_upgrades_a_server_of_the_first_format_and_keeps_its_deals(cluster: Server, database: str) -> None:
    url = address(cluster.address(database))
    engine = connect(url, 5.0)
    with engine.begin() as on:
        raw = driver(on)
        raw.execute(text("1_roles.sql"))
        raw.execute("SET LOCAL search_path = clo")
        raw.execute("SET LOCAL ROLE clo_owner")
        command.upgrade(_config(on), "0001")
        raw.execute(
            "INSERT INTO deals (name, currency, version, updated_at) VALUES ('old', 'EUR', 7, now());"
            "INSERT INTO accounts (deal_id, position, number, name, interest, principal)"
            " SELECT id, 0, 1, 'Collection', 1, 2 FROM deals"
        )
    engine.dispose()
    made = initialise(url)
    assert (made.before, made.after) == ("0001", schema.HEAD)
    with open_store(cluster.address(database)) as store:
        assert [(deal.name, deal.currency) for deal in store.deals()] == [("old", "EUR")]
        assert store.load("old").deal.accounts == (Account(1, "Collection", 1.0, 2.0),)


def test_that_a_server_of_a_newer_format_is_refused_by_init_too(own_world: World) -> None:
    with own_world.administrator() as on:
        on.execute("UPDATE clo.alembic_version SET version_num = '9999'")
    for act in (
        lambda: open_store(own_world.address("mia")),
        lambda: initialise(address(own_world.server.address(own_world.database))),
    ):
        with pytest.raises(Refused, match="newer CLO Desktop"):
            act()


def test_that_only_a_superuser_makes_a_server_ready(own_world: World) -> None:
    with pytest.raises(Refused, match="only a superuser of the server may prepare it"):
        initialise(address(own_world.address("ada")))


def test_that_a_person_the_server_knows_is_not_registered_twice(cluster: Server, served: str) -> None:
    with pytest.raises(Refused, match=f"knows {ADMIN} already"):
        initialise(address(cluster.address(served)), administrator=ADMIN, password=PASSWORD)


def test_that_a_weak_password_of_the_administrator_is_refused_before_anything_is_done(
    cluster: Server, database: str
) -> None:
    with pytest.raises(Refused, match="fewer than 12 characters"):
        initialise(address(cluster.address(database)), administrator="new@desk.example", password="short")


# Rules


def test_that_every_table_of_the_store_has_a_rule() -> None:
    covered = {rule.table for rule in rules.rules(schema.metadata)}
    assert {f"clo.{name}" for name in schema.metadata.tables} <= covered


def test_that_a_table_that_no_rule_covers_is_refused() -> None:
    stray = sa.Table("stray", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    with pytest.raises(LookupError, match="no rule says who may read and write the table stray"):
        rules.rule_of(stray)


def test_that_a_row_beneath_a_row_of_a_deal_obeys_the_deal() -> None:
    data = sa.MetaData()
    sa.Table("deals", data, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "orders",
        data,
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("deal", sa.Integer, sa.ForeignKey("deals.id")),
    )
    rows = sa.Table(
        "order_rows",
        data,
        sa.Column("of", sa.Text, sa.ForeignKey("orders.key"), primary_key=True),
        sa.Column("side", sa.Text),
    )
    read, insert, *_ = rules.rule_of(rows).policies
    readable = '("of") IN (SELECT "key" FROM clo."orders" WHERE "deal" = ANY ((SELECT sec.readable())::int[]))'
    assert read.seen == readable
    assert insert.made == readable.replace("readable", "writable")


def test_that_rows_with_an_owner_are_changed_by_their_owner_only() -> None:
    data = sa.MetaData()
    table = sa.Table(
        "library",
        data,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("name", sa.Text),
    )
    rule = rules.rule_of(table)
    assert {policy.command: policy.groups for policy in rule.policies} == {
        "SELECT": rules.READERS,
        "INSERT": rules.WORKERS,
        "UPDATE": rules.WORKERS,
        "DELETE": rules.WORKERS,
    }
    assert all("owner = session_user" in (policy.seen or policy.made) for policy in rule.policies)
    assert rule.updatable == ("name",)
