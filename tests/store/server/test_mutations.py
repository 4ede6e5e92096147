"""The guards are guarded: a server weakened by one rule is noticed."""

from __future__ import annotations

import itertools

import pytest

from tests.store.server.mutations import MUTATIONS, Mutation
from tests.store.server.test_attacks import breaches
from tests.store.server.world import World

_numbers = itertools.count()


@pytest.mark.long
@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_that_a_weakened_server_is_noticed(world: World, mutation: Mutation) -> None:
    with world.copy(next(_numbers)) as weak, weak.administrator() as on:
        on.execute(mutation.sql(mutation.statements, weak))
        try:
            found = next(breaches(weak), None)
        finally:
            if mutation.undo:
                on.execute(mutation.sql(mutation.undo, weak))
    assert (found is None) == bool(mutation.redundant), found or "no attack got through"


def test_that_attacks_notice_enough_and_each_they_cannot_notice_says_why() -> None:
    assert sum(not mutation.redundant for mutation in MUTATIONS) >= 14
