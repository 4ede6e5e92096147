"""Stores to test: an SQLite file and a database of the tests' own PostgreSQL, alike."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clo_desktop.store import Store, open_store
from tests.store import postgres

PLACES = ["sqlite", "postgresql"]
SERVER = os.environ.get("CLO_TEST_POSTGRES")
"""The administrator's address of a server to use instead of one of the tests' own."""

_numbers = itertools.count()


@pytest.fixture(scope="session")
def cluster() -> postgres.Server:
    """The PostgreSQL of this test run. Skips where none is installed; fails there in CI."""
    if SERVER:
        return postgres.Server(SERVER)
    if postgres.programs() is None:
        if os.environ.get("CI"):
            pytest.fail(postgres.ABSENT + "; in CI it must be present")
        pytest.skip(postgres.ABSENT)
    return postgres.shared()


@pytest.fixture
def database(cluster: postgres.Server) -> Iterator[str]:
    """The administrator's address of an empty database on the server."""
    name = f"t_{os.getpid()}_{next(_numbers)}"
    yield cluster.create(name)
    cluster.drop(name)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "workspace.clo")
    return str(request.getfixturevalue("database"))


@pytest.fixture
def opened(place: str) -> Iterator[Callable[[], Store]]:
    """Opens the place, as often as wanted; all are closed afterwards."""
    stores: list[Store] = []

    def again() -> Store:
        stores.append(open_store(place, patience=0.2))
        return stores[-1]

    yield again
    for store in stores:
        store.close()


@pytest.fixture
def store(opened: Callable[[], Store]) -> Store:
    return opened()
