"""Hints that a deal was changed: soon, also after a time away, and never believed."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from clo_desktop.store import Store, open_store
from clo_desktop.store.sync.hints import CHANNEL, Hints
from engine.asset import Asset
from engine.terms import Book, Deal
from tests.store.postgres import ADMIN, PASSWORD, Server

WAIT = 20.0  # far more than is needed: a test ends as soon as the hint is there


class Heard:
    """What was heard, and when."""

    def __init__(self) -> None:
        self.changes: queue.Queue[tuple[frozenset[str], float]] = queue.Queue()
        self.reached: queue.Queue[bool] = queue.Queue()

    def listener(self, store: Store, poll: float = 1000.0) -> Hints:
        return Hints(store, lambda names: self.changes.put((names, time.monotonic())), self.reached.put, poll=poll)


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def listening(store: Store, heard: Heard) -> Iterator[Hints]:
    store.save(Book(Deal("Deal"), {"LX1": Asset(asset_id="LX1")}))
    hints = heard.listener(store, poll=0.2 if store._engine.dialect.name == "sqlite" else 1000.0)
    hints.start()
    assert heard.reached.get(timeout=WAIT)
    yield hints
    hints.stop()


def test_that_a_change_of_someone_else_is_heard(listening: Hints, heard: Heard, opened: Callable[[], Store]) -> None:
    other = opened()
    other.save(Book(Deal("Deal", currency="EUR"), {"LX1": Asset(asset_id="LX1")}))
    assert heard.changes.get(timeout=WAIT)[0] == {"Deal"}
    other.save(Book(Deal("Deal", currency="EUR"), {"LX1": Asset(asset_id="LX1", market_value=1.0)}))
    assert heard.changes.get(timeout=WAIT)[0] == {"Deal"}
    other.save(Book(Deal("New")))
    assert heard.changes.get(timeout=WAIT)[0] == {"New"}
    other.delete("Deal")
    assert heard.changes.get(timeout=WAIT)[0] == {"Deal"}


@pytest.fixture
def database(cluster: Server, served: str) -> str:
    """The administrator's address of a server."""
    return cluster.address(served, ADMIN, PASSWORD)


@pytest.fixture
def on_server(database: str) -> Iterator[Store]:
    with open_store(database) as store:
        store.save(Book(Deal("Deal")))
        yield store


def test_that_a_change_is_heard_within_a_second(on_server: Store, heard: Heard, database: str) -> None:
    hints = heard.listener(on_server)
    hints.start()
    assert heard.reached.get(timeout=WAIT)
    took = []
    with open_store(database) as other:
        for i in range(10):
            other.save(Book(Deal("Deal", currency=f"C{i}")))
            saved = time.monotonic()
            took.append(heard.changes.get(timeout=WAIT)[1] - saved)
    hints.stop()
    print(f"heard {min(took) * 1000:.0f} to {max(took) * 1000:.0f} ms after the save")
    assert sorted(took)[len(took) // 2] < 1.0


def test_that_a_forged_hint_changes_nothing(on_server: Store, heard: Heard, database: str) -> None:
    hints = heard.listener(on_server)
    hints.start()
    assert heard.reached.get(timeout=WAIT)
    with psycopg.connect(database, autocommit=True) as forger:
        for payload in ("1:99", "", "not a hint", "2147483648:x"):
            forger.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
    with open_store(database) as other:
        other.save(Book(Deal("Deal", currency="EUR")))
    assert heard.changes.get(timeout=WAIT)[0] == {"Deal"}  # the first that is heard is the true one
    hints.stop()
    assert heard.changes.empty()


def test_that_changes_missed_while_the_connection_was_lost_are_found(
    on_server: Store, heard: Heard, database: str, cluster: Server
) -> None:
    hints = heard.listener(on_server)
    hints.start()
    assert heard.reached.get(timeout=WAIT)
    with cluster.connect(on_server._engine.url.database or "") as administrator:
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    assert heard.reached.get(timeout=WAIT) is False
    with open_store(database) as other:
        other.save(Book(Deal("Deal", currency="EUR")))
    assert heard.changes.get(timeout=WAIT)[0] == {"Deal"}
    assert heard.reached.get(timeout=WAIT)
    hints.stop()


def test_that_any_other_client_is_heard_too(on_server: Store, heard: Heard, database: str) -> None:
    hints = heard.listener(on_server)
    hints.start()
    assert heard.reached.get(timeout=WAIT)
    with psycopg.connect(database) as other:
        other.execute("UPDATE clo.deals SET currency = 'GBP', version = 2 WHERE name = 'Deal'")
    assert heard.changes.get(timeout=WAIT)[0] == {"Deal"}
    hints.stop()


def test_that_a_hint_carries_a_number_and_a_version_only(on_server: Store, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with open_store(database) as other:
            other.save(Book(Deal("Deal", currency="secret"), {"LX1": Asset(asset_id="LX1", issuer_name="secret")}))
        said: list[Any] = [hint.payload for hint in listener.notifies(timeout=WAIT, stop_after=1)]
        known = listener.execute("SELECT id, version FROM clo.deals").fetchone()
    assert known is not None
    assert said == [f"{known[0]}:{known[1]}"]
