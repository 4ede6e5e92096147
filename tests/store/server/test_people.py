"""Facts about people of a shared server."""

from __future__ import annotations

from tests.store.server.world import World


def test_that_a_world_is_made(world: World) -> None:
    assert set(world.deals) == {"mine", "seen", "foreign"}
