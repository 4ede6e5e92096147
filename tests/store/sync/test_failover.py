"""The primary server is killed while someone works, and the standby takes over: nothing is lost, nothing done twice."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store, schema
from clo_desktop.store.connection import address
from clo_desktop.store.server.init import initialise
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing
from engine.terms import Book, Deal, Fee, Tranche
from tests.store import postgres
from tests.store.postgres import ADMIN, PASSWORD, Cluster

KILLED, PROMOTED, ENDED = 3.0, 6.0, 12.0  # seconds after the start


@dataclass
class Pair:
    """A primary and its synchronous standby, with a database that `clo server init` has made ready."""

    primary: Cluster
    standby: Cluster

    @property
    def address(self) -> str:
        """Both servers, as a client names them."""
        hosts = ",".join(f"{postgres.HOST}:{server.port}" for server in (self.primary, self.standby))
        person = ADMIN.replace("@", "%40")
        tls = f"sslmode=verify-full&sslrootcert={self.primary.ca}"
        return f"postgresql://{person}:{PASSWORD}@{hosts}/desk?{tls}"


@pytest.fixture
def pair() -> Iterator[Pair]:
    if postgres.programs() is None:
        pytest.skip(postgres.ABSENT)
    folder = Path(tempfile.mkdtemp(prefix="clo-pair-"))
    folder.chmod(0o711)  # the servers run as someone without rights
    primary, standby = Cluster(folder / "primary", {"fsync": "on"}), Cluster(folder / "standby")
    primary.make()
    primary.start()
    try:
        url = primary.create("desk")
        initialise(address(url), administrator=ADMIN, password=PASSWORD)
        _follow(primary, standby)
        try:
            yield Pair(primary, standby)
        finally:
            standby.stop("immediate")
    finally:
        if (primary.data / "postmaster.pid").exists():
            primary.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _follow(primary: Cluster, standby: Cluster) -> None:
    """Make the standby a copy that every commit waits for, and start it."""
    standby.settle(postgres._free_port(), primary.password)
    standby.ca = primary.ca
    source = primary.address("postgres", sslcert=str(primary.folder / "none"), application_name="standby")
    copy = primary.folder / "copy"
    address = source.replace("/postgres?", "/?")
    # a checkpoint is spread over minutes unless it is asked for at once
    primary.run("pg_basebackup", "-d", address, "-D", str(copy), "-R", "--no-sync", "--checkpoint=fast")
    standby.folder.mkdir(mode=0o700)
    user = postgres._user()
    if user:
        os.chown(standby.folder, user["user"], user["group"])
    copy.rename(standby.data)
    with (standby.data / "postgresql.conf").open("a") as out:
        out.write(f"port = '{standby.port}'\nunix_socket_directories = '{standby.folder}'\n")
    standby.start()
    with primary.connect() as on:
        on.execute("ALTER SYSTEM SET synchronous_standby_names = 'standby'")
        on.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while on.execute("SELECT sync_state FROM pg_stat_replication").fetchone() != ("sync",):
            assert time.monotonic() < deadline, "the standby does not follow"
            time.sleep(0.1)


@pytest.mark.long
def test_that_a_failover_loses_nothing_and_does_nothing_twice(pair: Pair, tmp_path: Path) -> None:
    base = Book(Deal("Deal", tranches=(Tranche("A", 1.0, 1.0, price=0.0),), fees=(Fee("Trustee", fixed_amount=0.0),)))
    with open_store(pair.address) as remote, open_store(tmp_path / "laptop.clo") as local:
        remote.save(base)
        syncing = Syncing(FileShelf(local), StoreServer(remote))
        syncing.pull()
        begun = time.monotonic()
        accident = threading.Thread(target=_accident, args=(pair, begun))
        accident.start()
        saves, longest = 0, 0.0
        refused: list[str] = []
        offline = threading.Event()
        pushing = threading.Thread(target=_push, args=(syncing, begun, refused, offline))
        pushing.start()
        while time.monotonic() - begun < ENDED:
            started = time.monotonic()
            saves += 1
            _edit(local, float(saves))  # acknowledged when it returns, whatever became of the server
            longest = max(longest, time.monotonic() - started)
            time.sleep(0.01)
        pushing.join()
        accident.join()
        assert offline.is_set()  # the accident was noticed
        deadline = time.monotonic() + 60
        while [len(s.waiting) for s in syncing.shelf.standings()] != [0]:
            assert time.monotonic() < deadline, "the outbox does not empty"
            try:
                syncing.sync()
            except Refused:
                time.sleep(0.2)
        stored = remote.load("Deal")
        with remote.reading() as on:
            applied = on.scalar(sa.select(sa.func.count()).select_from(schema.applied_operations))
            assert on.scalar(sa.text("SELECT inet_server_port()")) == pair.standby.port
        print(f"{saves} saves, longest {longest:.2f} s, offline answers {len(refused)}")
        assert (stored.deal.tranches[0].price, stored.deal.fees[0].fixed_amount) == (float(saves), float(saves))
        assert stored == local.load("Deal")
        assert applied == saves  # every change once
        assert remote.version("Deal") == 1 + saves


def _edit(store: Store, value: float) -> None:
    book = store.load("Deal")
    tranche, fee = replace(book.deal.tranches[0], price=value), replace(book.deal.fees[0], fixed_amount=value)
    store.edit(book, replace(book, deal=replace(book.deal, tranches=(tranche,), fees=(fee,))))


def _push(syncing: Syncing, begun: float, refused: list[str], offline: threading.Event) -> None:
    while time.monotonic() - begun < ENDED:
        try:
            [outcome] = syncing.sync()
            assert not outcome.refused, outcome.refused
        except Refused as reason:
            refused.append(reason.code)
            offline.set()
        time.sleep(0.02)


def _accident(pair: Pair, begun: float) -> None:
    time.sleep(KILLED - (time.monotonic() - begun))
    pair.primary.stop("immediate")
    time.sleep(max(0.0, PROMOTED - (time.monotonic() - begun)))
    pair.standby.run("pg_ctl", "-D", str(pair.standby.data), "-w", "promote")
