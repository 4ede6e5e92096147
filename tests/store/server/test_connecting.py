"""Facts about the way to the server: who proves what to whom, and what a connection remembers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.connection import address, connect
from clo_desktop.store.server import transport
from tests.store.postgres import Cluster, Server
from tests.store.server.world import SECRET, World

LOCAL = "postgresql://me@/name?host=/var/run/postgresql"


@pytest.fixture(scope="module")
def own(cluster: Server) -> Cluster:
    if not isinstance(cluster, Cluster):
        pytest.skip("a server named by CLO_TEST_POSTGRES has no authority of the tests' own")
    return cluster


# Who the server is


def test_that_a_connection_without_tls_is_refused(world: World, own: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match=r"pg_hba\.conf rejects connection"):
        psycopg.connect(world.address("vic", sslmode="disable", channel_binding=""))


def test_that_a_server_that_does_not_bind_the_proof_to_the_channel_is_refused(world: World, own: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="channel binding required"):
        psycopg.connect(
            host=str(own.folder),  # the local socket, where there is no TLS to bind to
            port=own.port,
            user=own.user,
            password=own.password,
            dbname=world.database,
            channel_binding="require",
        )


def test_that_a_server_of_another_authority_is_refused(world: World, own: Cluster, tmp_path: Path) -> None:
    wrong = own.authority(own.folder / "wrong.crt")
    with pytest.raises(Refused, match="could not prove who it is") as refused:
        open_store(world.address("vic", sslrootcert=str(wrong)))
    assert refused.value.code == "certificate"


def test_that_a_server_of_another_name_is_refused(world: World, own: Cluster) -> None:
    with pytest.raises(Refused, match="certificate has expired, has another name"):
        open_store(world.address("vic", host="127.0.0.1"))


def test_that_a_server_with_an_expired_certificate_is_refused(
    own: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = Cluster(own.folder.parent / "expired")
    other.make()
    other.certify(days=-1)
    other.start()
    try:
        with pytest.raises(Refused, match="certificate has expired") as refused:
            open_store(other.address("postgres"))
        assert other.password not in refused.value.message
    finally:
        other.stop("immediate")


def test_that_an_address_asks_for_proof_unless_it_says_otherwise() -> None:
    far = transport.settings(address("postgresql://me@far.example/name"), 5.0)
    assert (far["sslmode"], far["channel_binding"]) == ("verify-full", "require")
    assert far["options"] == "-c search_path=clo -c lock_timeout=5000"
    assert "sslmode" not in transport.settings(address(LOCAL), 5.0)
    said = transport.settings(address("postgresql://me@far.example/name?sslmode=require&connect_timeout=9"), 5.0)
    assert "sslmode" not in said
    assert "connect_timeout" not in said


def test_that_several_hosts_are_tried_for_the_one_that_may_be_written() -> None:
    url = address("postgresql://me:secret@one:5433,two/name?sslmode=require")
    assert url.query["host"] == ("one:5433", "two:5432")
    assert (url.username, url.password, url.database) == ("me", "secret", "name")
    assert transport.settings(url, 5.0)["target_session_attrs"] == "read-write"
    assert transport.settings(url, 5.0, reads=True)["target_session_attrs"] == "prefer-standby"
    assert "target_session_attrs" not in transport.settings(address("postgresql://one/name"), 5.0)


def test_that_a_dead_first_host_is_passed_over(world: World, own: Cluster) -> None:
    query = f"sslmode=verify-full&sslrootcert={own.ca}"
    who = world.email("vic").replace("@", "%40")
    where = f"postgresql://{who}:{SECRET}@localhost:1,localhost:{own.port}/{world.database}?{query}"
    with open_store(where) as store:
        assert [deal.name for deal in store.deals()] == ["mine"]


# Who one is


@pytest.mark.parametrize("who", ["vic", "nobody"])
def test_that_a_wrong_password_and_an_unknown_user_sound_alike(world: World, who: str) -> None:
    where = world.server.address(world.database, world.email(who), "not-the-password")
    with pytest.raises(Refused) as refused:
        open_store(where)
    said = refused.value.message.replace(world.email(who).replace("@", "%40"), "WHO")
    assert "WHO@" in said
    assert said.endswith("refused the sign-in; check the user name and the password.")


def test_that_a_server_that_is_not_prepared_is_refused(world: World, database: str) -> None:
    with pytest.raises(Refused, match="clo server init") as refused:
        open_store(world.server.address(database))
    assert refused.value.code == "not-prepared"


# What a connection remembers


@pytest.fixture
def engine(world: World) -> Iterator[sa.Engine]:
    made = connect(address(world.address("mia")), 5.0)
    yield made
    made.dispose()


def test_that_a_connection_forgets_everything_before_its_next_use(engine: sa.Engine) -> None:
    with engine.connect() as on:
        pid = on.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        on.exec_driver_sql("SET ROLE clo_manager")
        on.exec_driver_sql("SET search_path = pg_catalog")
        on.exec_driver_sql("SET clo.secret = 'left'")
        on.exec_driver_sql("LISTEN something")
        on.exec_driver_sql("DECLARE c CURSOR WITH HOLD FOR SELECT 1")
        on.exec_driver_sql("PREPARE p AS SELECT 1")
        on.commit()
    with engine.connect() as on:
        assert on.exec_driver_sql("SELECT pg_backend_pid()").scalar() == pid
        assert on.exec_driver_sql("SELECT current_user = session_user").scalar() is True
        assert on.exec_driver_sql("SHOW search_path").scalar() == "clo"
        assert on.exec_driver_sql("SELECT current_setting('clo.secret', true)").scalar() in (None, "")
        assert on.exec_driver_sql("SELECT count(*) FROM pg_listening_channels()").scalar() == 0
        assert on.exec_driver_sql("SELECT count(*) FROM pg_cursors").scalar() == 0
        assert on.exec_driver_sql("SELECT count(*) FROM pg_prepared_statements").scalar() == 0


def test_that_signing_out_ends_every_session(world: World) -> None:
    store = open_store(world.address("ann"))
    assert store.deals()
    store.close()
    query = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
    with world.administrator() as on:
        for _ in range(100):
            row = on.execute(query, (world.email("ann"),)).fetchone()
            if row == (0,):
                break
        assert row == (0,)


def test_that_a_connection_that_died_is_replaced_unnoticed(world: World, engine: sa.Engine) -> None:
    with engine.connect() as on:
        pid = on.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with world.administrator() as dba:
        dba.execute("SELECT pg_terminate_backend(%s, 1000)", (pid,))
    with engine.connect() as on:
        assert on.exec_driver_sql("SELECT count(*) FROM clo.deals").scalar() == 2


def test_that_rows_of_thousands_are_written_after_a_connection_was_used(world: World, engine: sa.Engine) -> None:
    for _ in range(3):  # prepared statements of a former use would be missing
        with engine.connect() as on:
            on.execute(sa.text("SELECT :n"), [{"n": n} for n in range(1)])
            statement = sa.text("UPDATE clo.holdings SET par = :par WHERE deal_id = :deal")
            on.execute(statement, [{"par": n, "deal": world.deals["mine"]} for n in range(200)])
            on.rollback()
