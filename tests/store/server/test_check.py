"""`clo server check` proves what holds and says what does not."""

from __future__ import annotations

import itertools

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store.connection import address
from clo_desktop.store.server.check import check
from tests.store.postgres import Server
from tests.store.server.mutations import MUTATIONS
from tests.store.server.world import World

_numbers = itertools.count(1000)

KNOWN = {"fsync is off; it should be on"}
"""What is wrong with the server of the tests, on purpose: nothing on it outlives the run."""


def complaints(world: World) -> list[str]:
    found = check(address(world.server.address(world.database)))
    return [said for checked in found for said in checked.breaches if said not in KNOWN]


def test_that_a_server_as_it_was_made_keeps_every_promise(own_world: World) -> None:
    gone = own_world.email("gone")  # the world's own disagreement: deactivated in the register alone
    assert complaints(own_world) == [
        f"{gone} may sign in, against the register",
        f"{gone} is in the groups ['clo_manager'], against the register (manager)",
    ]


def test_that_a_database_that_is_not_prepared_is_refused(cluster: Server, database: str) -> None:
    with pytest.raises(Refused, match="is not prepared; run `clo server init`"):
        check(address(cluster.address(database)))


def test_that_a_database_that_is_not_there_is_told_from_a_network_fault(cluster: Server) -> None:
    with pytest.raises(Refused, match="the server has no database of that name") as refused:
        check(address(cluster.address("nowhere")))
    assert refused.value.code == "no-database"


@pytest.mark.long
def test_that_every_weakness_is_named(own_world: World) -> None:
    before = complaints(own_world)
    unnoticed = []
    for mutation in MUTATIONS:
        with own_world.copy(next(_numbers)) as weak, weak.administrator() as on:
            on.execute(mutation.sql(mutation.statements, weak))
            if complaints(weak) == before:
                unnoticed.append(mutation.name)
            if mutation.undo:
                on.execute(mutation.sql(mutation.undo, weak))
    assert unnoticed == []
