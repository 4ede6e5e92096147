"""Stores to test: an SQLite file and a database of the tests' own PostgreSQL, alike."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clo_desktop.store import Store, open_store
from clo_desktop.store.connection import address, connect
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
    """The name of an empty database on the server."""
    name = f"t_{os.getpid()}_{next(_numbers)}"
    cluster.create(name)
    yield name
    cluster.drop(name)


@pytest.fixture
def served(cluster: postgres.Server) -> Iterator[str]:
    """The name of a database made ready by `clo server init`; `postgres.ADMIN` is registered as its administrator."""
    name = f"t_{os.getpid()}_{next(_numbers)}"
    cluster.create(name, postgres.template(cluster))
    yield name
    cluster.drop(name)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be opened: a file, or a server by someone who may change everything."""
    if request.param == "sqlite":
        return str(tmp_path / "workspace.clo")
    cluster = request.getfixturevalue("cluster")
    return str(cluster.address(request.getfixturevalue("served"), postgres.ADMIN, postgres.PASSWORD))


@pytest.fixture
def as_owner(request: pytest.FixtureRequest, place: str) -> Callable[[str], None]:
    """Carries out SQL on the place with every right there is."""

    def carry_out(statement: str) -> None:
        url = place
        if "://" in place:
            url = request.getfixturevalue("cluster").address(request.getfixturevalue("served"))
        engine = connect(address(url), 5.0)
        with engine.begin() as on:
            on.exec_driver_sql(statement)
        engine.dispose()

    return carry_out


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
