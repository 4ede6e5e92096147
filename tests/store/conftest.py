"""Stores to test: an SQLite file always, and the PostgreSQL server that CLO_TEST_POSTGRES names, where it does."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from clo_desktop.store import Store, open_store
from clo_desktop.store.connection import address

SERVER = os.environ.get("CLO_TEST_POSTGRES")
PLACES = ["sqlite", *(["postgresql"] if SERVER else [])]


def _empty(url: str) -> None:
    engine = sa.create_engine(address(url))
    with engine.begin() as on:
        found = sa.MetaData()
        found.reflect(on)
        found.drop_all(on)
    engine.dispose()


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where an empty store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "workspace.clo")
    assert SERVER is not None
    _empty(SERVER)
    return SERVER


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
