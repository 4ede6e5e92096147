"""Who may change what is of no deal on a shared server: with the driver alone, and as the application says it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import psycopg
import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Correlations, ReferenceTable, open_store
from clo_desktop.work import health
from clo_desktop.work.desk import Desk
from tests.store.server.world import World

TABLES = ("asset_correlations", "configuration", "reference_data")
INSERTS = {
    "asset_correlations": "(borrowers, packed, sha256, source, changed_by, changed_at, version)"
    " VALUES ('[]', '', '', 'x', {by}, now(), 1)",
    "configuration": "(key, value, changed_by, changed_at, version) VALUES ('k' || random(), '1', {by}, now(), 1)",
    "reference_data": "(name, as_of, rows, source, changed_by, changed_at, version)"
    " VALUES ('r' || random(), '2026-03-31', '[]', 'x', {by}, now(), 1)",
}
WRITERS = {
    "asset_correlations": ("mia", "eve"),
    "configuration": ("eve",),
    "reference_data": ("mia", "eve"),
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("who", ["vic", "ann", "mia", "eve", "gone"])
def test_that_those_who_may_write_it_and_nobody_in_anothers_name(world: World, table: str, who: str) -> None:
    def tried(statement: str) -> int | None:
        with world.connect(who) as on:
            try:
                return on.execute(statement).rowcount
            except psycopg.errors.InsufficientPrivilege:
                return None
            finally:
                on.rollback()

    insert = f"INSERT INTO clo.{table} {INSERTS[table]}"
    assert tried(insert.format(by="session_user")) == (1 if who in WRITERS[table] else None)
    assert tried(insert.format(by="'another'")) is None
    if who not in WRITERS[table]:
        assert tried(f"UPDATE clo.{table} SET changed_by = session_user, version = version + 1") in (None, 0)
        assert tried(f"DELETE FROM clo.{table}") in (None, 0)


def test_that_everybody_reads_and_a_viewer_is_refused_in_a_sentence(own_world: World) -> None:
    rates = ReferenceTable("Curves", dt.date(2026, 3, 31), ({"months": 3},), "agency")
    with open_store(own_world.address("mia")) as store:
        store.put_correlations(Correlations(("A", "B"), np.array([[1, 0.5], [0.5, 1]]), "model"))
        store.put_reference_table(rates)
        with pytest.raises(Refused):
            store.put_setting("rounds", 3)
        with pytest.raises(Refused):
            store.drop_reference_table("Curves", rates.as_of)
    with open_store(own_world.address("eve")) as store:
        store.put_setting("rounds", 3)
        store.put_correlations(Correlations(("A", "B"), np.array([[1, 0.6], [0.6, 1]]), "model"))
    with open_store(own_world.address("vic")) as store:
        assert store.get_asset_correlations("b", "A") == 0.6
        assert [one.value for one in store.configuration()] == [3]
        assert [one.rows for one in store.reference_tables()] == [rates.rows]
        for change in (
            lambda: store.put_setting("rounds", 4),
            lambda: store.put_correlations(Correlations(("A",), np.eye(1), "mine")),
            lambda: store.put_reference_table(rates.__class__("Curves", rates.as_of, (), "mine")),
        ):
            with pytest.raises(Refused):
                change()
    with open_store(own_world.address("gone")) as store:
        assert store.get_asset_correlations("A", "B") is None
        assert store.configuration() == ()


def test_that_health_of_a_server_tells_what_the_person_may_see(own_world: World) -> None:
    for who, sees in (("vic", False), ("eve", True)):
        desk = Desk(own_world.address(who))
        found = health.look(desk)
        desk.close()
        said = {line.name: line for line in found.lines}
        assert (found.figures["audit_pending"] is not None) is sees
        assert (said["Audit"].value == "only administrators see it") is not sees
        assert "primary" in said["Store"].value
        assert ":" not in said["Store"].value.split("//")[1].split("@")[0], "the address is shown without its password"
        assert said["PostgreSQL"].value[:2].isdigit()
        assert said["Replica lag"].state == health.OK
        assert found.figures["pool_in_use"] == 1.0
