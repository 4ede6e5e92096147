"""What the server refuses a person stays in the outbox, with the server's reason, and is sent when it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from clo_desktop.store import open_store
from clo_desktop.store.sync.copies import State
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing
from engine.terms import Book, Deal, Tranche
from tests.store.postgres import Server

BASE = Book(Deal("Deal", tranches=(Tranche("A", 100.0, 100.0),)))
SECRET = "staple-battery-correct"


@pytest.fixture
def person(database: str, cluster: Server) -> Iterator[tuple[str, Callable[[str], None]]]:
    """The address of someone who may change everything, and a way to grant and revoke."""
    with open_store(database) as store:
        store.save(BASE)
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    role = f"person_{name}"
    with psycopg.connect(database, autocommit=True) as on:

        def carry_out(statement: str) -> None:
            on.execute(statement.replace("PERSON", role).encode())

        carry_out(f"CREATE ROLE PERSON LOGIN PASSWORD '{SECRET}'")
        carry_out("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PERSON")
        carry_out("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO PERSON")
        yield cluster.address(str(name), role, SECRET), carry_out
        carry_out("DROP OWNED BY PERSON")
        carry_out("DROP ROLE PERSON")


def test_that_the_push_of_someone_demoted_is_refused_and_kept(
    person: tuple[str, Callable[[str], None]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    address, carry_out = person
    with open_store(address) as remote, open_store(tmp_path_factory.mktemp("laptop") / "copy.clo") as local:
        syncing = Syncing(FileShelf(local), StoreServer(remote))
        syncing.pull()
        for value in (1.0, 2.0):
            book = local.load("Deal")
            tranche = replace(book.deal.tranches[0], price=value)
            local.edit(book, replace(book, deal=replace(book.deal, tranches=(tranche,))))
        carry_out("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM PERSON")
        [outcome] = syncing.sync()
        assert (outcome.sent, outcome.waiting) == (0, 2)
        assert len(outcome.refused) == 1
        assert "ask for the right to write there" in outcome.refused[0]
        [standing] = syncing.shelf.standings()
        assert [op.state for op in standing.waiting] == [State.REFUSED, State.WAITING]
        assert remote.load("Deal") == BASE
        assert local.load("Deal").deal.tranches[0].price == 2.0
        [outcome] = syncing.sync()  # in the background it is not tried again and again
        assert outcome.waiting == 2
        carry_out("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO PERSON")
        [outcome] = syncing.sync(again=True)
        assert (outcome.sent, outcome.waiting) == (2, 0)
        assert remote.load("Deal") == local.load("Deal")
