"""Several people at once on one server."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.connection import address, connect, writing
from clo_desktop.store.retries import retried
from tests.store.any_book import large_book
from tests.store.server.world import World

SECONDS = 15.0


def in_transaction(engine: sa.Engine, act: Callable[[sa.Connection], object]) -> None:
    """A transaction as the store makes them."""

    def once() -> None:
        with writing(engine) as on:
            act(on)

    retried(once)


@pytest.fixture
def engine(own_world: World) -> Iterator[Callable[[str], sa.Engine]]:
    made: list[sa.Engine] = []

    def again(who: str) -> sa.Engine:
        made.append(connect(address(own_world.address(who)), 5.0))
        return made[-1]

    yield again
    for each in made:
        each.dispose()


def together(*acts: Callable[[], None]) -> None:
    """Run all at once; what one raises is raised."""
    failed: list[BaseException] = []

    def guarded(act: Callable[[], None]) -> None:
        try:
            act()
        except BaseException as reason:
            failed.append(reason)

    threads = [threading.Thread(target=guarded, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


@pytest.mark.long
def test_that_no_reader_ever_sees_a_wrong_total_while_six_move_par(
    own_world: World, engine: Callable[[str], sa.Engine]
) -> None:
    deal = own_world.deals["mine"]
    engines = [engine("mia") for _ in range(3)]  # 8 connections a person at most
    with own_world.administrator() as on:
        keys = [r[0] for r in on.execute("SELECT asset_id FROM clo.holdings WHERE deal_id = %s", (deal,)).fetchall()]
        total = on.execute("SELECT sum(par) FROM clo.holdings WHERE deal_id = %s", (deal,)).fetchone()
    stop = time.monotonic() + SECONDS
    moved, seen, wrong = [0], [0], []
    change = sa.text("UPDATE clo.holdings SET par = par + :more WHERE deal_id = :deal AND asset_id = :asset")

    def move(on: sa.Engine, seed: int) -> None:
        drawn = random.Random(seed)
        while time.monotonic() < stop:
            one, two = sorted(drawn.sample(keys, 2))
            amount = drawn.randint(1, 1000)

            def act(tx: sa.Connection, one: str = one, two: str = two, amount: int = amount) -> None:
                tx.execute(change, {"more": amount, "deal": deal, "asset": one})
                tx.execute(change, {"more": -amount, "deal": deal, "asset": two})

            in_transaction(on, act)
            moved[0] += 1

    def read(on: sa.Engine) -> None:
        while time.monotonic() < stop:
            with on.connect() as tx:
                found = tx.exec_driver_sql(f"SELECT sum(par) FROM clo.holdings WHERE deal_id = {deal}").one()
            seen[0] += 1
            if tuple(found) != total:
                wrong.append(found)

    readers = [engine("vic"), engine("ann")]
    together(
        *(lambda n=n: move(engines[n // 2], n) for n in range(6)),  # type: ignore[misc]
        *(lambda on=on: read(on) for on in readers),  # type: ignore[misc]
    )
    assert wrong == []
    assert moved[0] >= 500
    assert seen[0] >= 500


def test_that_readers_of_an_import_see_none_of_it_or_all(own_world: World) -> None:
    counts: set[int] = set()
    done = threading.Event()
    waits: list[float] = []

    def import_deal() -> None:
        try:
            with open_store(own_world.address("ada")) as store:
                store.save(large_book("tape", 1000))
        finally:
            done.set()

    def read() -> None:
        with own_world.connect("ada", autocommit=True) as on:
            while not done.is_set():
                query = "SELECT count(*) FROM clo.holdings h JOIN clo.deals d ON d.id = h.deal_id WHERE d.name = 'tape'"
                row = on.execute(query).fetchone()
                counts.add(row[0] if row else -1)
            row = on.execute(query).fetchone()
            counts.add(row[0] if row else -1)

    def edit() -> None:
        with own_world.connect("mia", autocommit=True) as on:
            while not done.is_set():
                began = time.monotonic()
                on.execute("UPDATE clo.holdings SET par = par + 1 WHERE deal_id = %s", (own_world.deals["mine"],))
                waits.append(time.monotonic() - began)

    together(import_deal, read, edit)
    assert counts == {0, 1000}
    waits.sort()
    assert waits[len(waits) // 2] < 0.25


def test_that_an_idle_transaction_holds_up_nobody_on_another_deal(own_world: World) -> None:
    change = "UPDATE clo.holdings SET par = par + 1 WHERE deal_id = %s"
    with own_world.connect("max") as idle, own_world.connect("mia") as busy:
        idle.execute(change, (own_world.deals["foreign"],))
        busy.execute("SET lock_timeout = '1s'")
        assert busy.execute(change, (own_world.deals["mine"],)).rowcount == 3
        busy.commit()
        idle.rollback()


@pytest.mark.parametrize("isolation", ["READ COMMITTED", "REPEATABLE READ"])
def test_that_what_the_server_undid_is_done_again_whole_and_once(
    own_world: World, engine: Callable[[str], sa.Engine], isolation: str
) -> None:
    """Two take the same rows in opposite order: a deadlock in the one isolation, a conflict in the other."""
    deal = own_world.deals["mine"]
    first = threading.Barrier(2)
    tries: list[str] = []
    change = sa.text("UPDATE clo.holdings SET par = par + 1 WHERE deal_id = :deal AND asset_id = :asset")

    def act(order: tuple[str, str]) -> Callable[[sa.Connection], None]:
        met = False

        def work(on: sa.Connection) -> None:
            nonlocal met
            tries.append(order[0])
            on.execute(change, {"deal": deal, "asset": order[0]})
            if not met:
                met = True
                first.wait(10)
            on.execute(change, {"deal": deal, "asset": order[1]})

        return work

    engines = [engine("mia").execution_options(isolation_level=isolation) for _ in range(2)]
    with own_world.administrator() as on:
        query = "SELECT par FROM clo.holdings WHERE deal_id = %s ORDER BY asset_id"
        before = [row[0] for row in on.execute(query, (deal,)).fetchall()]
        together(
            lambda: in_transaction(engines[0], act(("mine-0", "mine-1"))),
            lambda: in_transaction(engines[1], act(("mine-1", "mine-0"))),
        )
        after = [row[0] for row in on.execute(query, (deal,)).fetchall()]
    assert len(tries) > 2
    assert [a - b for a, b in zip(after, before, strict=True)] == [2, 2, 0]


def test_that_a_refusal_is_not_tried_again(own_world: World, engine: Callable[[str], sa.Engine]) -> None:
    tries = []

    def work(on: sa.Connection) -> None:
        tries.append(1)
        on.exec_driver_sql("DELETE FROM clo.assets")

    with pytest.raises(Refused):
        in_transaction(engine("mia"), work)
    assert len(tries) == 1
