"""What the server refuses a person stays in the outbox, with the server's reason, and is sent when it may be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.store.server.people import People, people_at
from clo_desktop.store.sync.copies import State
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing
from engine.terms import Book, Deal, Tranche
from tests.store.postgres import ADMIN, PASSWORD, Server

BASE = Book(Deal("Deal", tranches=(Tranche("A", 100.0, 100.0),)))
SECRET = "staple-battery-correct"


@pytest.fixture
def people(cluster: Server, served: str) -> Iterator[People]:
    with people_at(cluster.address(served, ADMIN, PASSWORD)) as people:
        people.step_up(PASSWORD)
        yield people


@pytest.fixture
def mia(served: str, people: People) -> str:
    """A manager to whom the deal is assigned for writing."""
    email = f"mia.{served}@desk.example".replace("_", "-")
    people.create(email, "Mia", "manager", SECRET)
    return email


@pytest.fixture
def remote(cluster: Server, served: str, mia: str, people: People) -> Iterator[Store]:
    """The server, as Mia."""
    with open_store(cluster.address(served, ADMIN, PASSWORD)) as store:
        store.save(BASE)
    people.assign(mia, "Deal", "write")
    with open_store(cluster.address(served, mia, SECRET)) as store:
        yield store


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "copy.clo") as store:
        yield store


@pytest.fixture
def syncing(remote: Store, local: Store) -> Syncing:
    syncing = Syncing(FileShelf(local), StoreServer(remote))
    syncing.pull()
    for value in (1.0, 2.0):
        book = local.load("Deal")
        tranche = replace(book.deal.tranches[0], price=value)
        local.edit(book, replace(book, deal=replace(book.deal, tranches=(tranche,))))
    return syncing


def states(syncing: Syncing) -> list[State]:
    [standing] = syncing.shelf.standings()
    return [op.state for op in standing.waiting]


def test_that_the_push_of_someone_demoted_is_refused_and_kept(
    syncing: Syncing, remote: Store, local: Store, people: People, mia: str
) -> None:
    people.assign(mia, "Deal", "read")  # demoted while the connection is open
    [outcome] = syncing.sync()
    assert (outcome.sent, outcome.waiting) == (0, 2)
    assert outcome.refused == ("You may read Deal but not change it; an admin can assign it to you.",)
    assert states(syncing) == [State.REFUSED, State.WAITING]
    assert remote.load("Deal") == BASE
    assert local.load("Deal").deal.tranches[0].price == 2.0
    [outcome] = syncing.sync()  # in the background it is not tried again and again
    assert outcome.waiting == 2
    people.assign(mia, "Deal", "write")
    [outcome] = syncing.sync(again=True)
    assert (outcome.sent, outcome.waiting) == (2, 0)
    assert remote.load("Deal") == local.load("Deal")


def test_that_a_deal_that_is_taken_from_a_person_is_kept_and_said(
    syncing: Syncing, local: Store, people: People, mia: str
) -> None:
    people.assign(mia, "Deal", None)
    [outcome] = syncing.sync()
    assert "not assigned to you" in outcome.gone
    assert states(syncing) == [State.REFUSED, State.REFUSED]
    assert local.load("Deal").deal.tranches[0].price == 2.0
    people.assign(mia, "Deal", "write")
    [outcome] = syncing.sync(again=True)
    assert (outcome.sent, outcome.waiting, outcome.gone) == (2, 0, "")


def test_that_a_server_that_takes_no_changes_just_now_is_no_refusal(
    syncing: Syncing, remote: Store, cluster: Server, served: str, mia: str
) -> None:
    with cluster.connect(served) as on:
        on.execute(f'ALTER ROLE "{mia}" SET default_transaction_read_only = on'.encode())
    remote._engine.dispose()
    with pytest.raises(Refused):
        syncing.sync()
    assert states(syncing) == [State.SENT, State.WAITING]  # and asked about, before anything else
    with cluster.connect(served) as on:
        on.execute(f'ALTER ROLE "{mia}" RESET default_transaction_read_only'.encode())
    remote._engine.dispose()
    [outcome] = syncing.sync()
    assert (outcome.sent, outcome.waiting) == (2, 0)
