"""Worlds to attack."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator

import pytest

from tests.store import postgres
from tests.store.server import world as worlds

_numbers = itertools.count()


def _world(cluster: postgres.Server) -> Iterator[worlds.World]:
    number = next(_numbers)
    name = f"w_{os.getpid()}_{number}"
    cluster.create(name, postgres.template(cluster))
    yield worlds.make(cluster, name, number)
    cluster.drop(name)


@pytest.fixture(scope="session")
def world(cluster: postgres.Server) -> Iterator[worlds.World]:
    """A populated server; not to be changed for good: take `own_world`."""
    yield from _world(cluster)


@pytest.fixture
def own_world(cluster: postgres.Server) -> Iterator[worlds.World]:
    """A populated server with people of its own, to be changed."""
    yield from _world(cluster)
