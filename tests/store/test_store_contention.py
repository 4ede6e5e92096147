"""Several people at one server at once: no edit is lost, and a transaction that lost is made again as a whole."""

from __future__ import annotations

import ast
import datetime as dt
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

import clo_desktop
from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store
from clo_desktop.store.delta import delta_of
from clo_desktop.store.merge import Always, Clashing, Side
from clo_desktop.store.retries import TRIES, retried
from clo_desktop.store.sync.copies import operation
from clo_desktop.store.sync.server import StoreServer
from engine.terms import Book, Deal, Fee, Tranche
from tests.store.any_book import large_book
from tests.store.postgres import ADMIN, PASSWORD, Server

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
EDITORS, EDITS = 8, 60
FIELD = Tranche("A", 100.0, 100.0, price=0.0)


@pytest.fixture
def server(cluster: Server, served: str) -> str:
    """The administrator's address of a server with one deal."""
    address = cluster.address(served, ADMIN, PASSWORD)
    with open_store(address) as store:
        store.save(Book(Deal("Deal", tranches=(FIELD,), fees=tuple(Fee(str(i)) for i in range(EDITORS)))))
    return address


def with_price(book: Book, value: float) -> Book:
    return replace(book, deal=replace(book.deal, tranches=(replace(book.deal.tranches[0], price=value),)))


def edit_once(store: Store, editor: int, value: float) -> tuple[float, int]:
    """One edit: the price all editors change becomes `value`, and the editor's own fee one higher.

    Gives the price it replaced, and how often another one was faster.
    """
    conflicts = 0
    book = store.load("Deal")
    while True:
        was = book.deal.tranches[0].price
        assert was is not None
        fees = list(book.deal.fees)
        fees[editor] = replace(fees[editor], fixed_amount=(fees[editor].fixed_amount or 0.0) + 1.0)
        mine = with_price(replace(book, deal=replace(book.deal, fees=tuple(fees))), value)
        try:
            store.edit(book, mine)
        except Clashing as clashing:  # an editor who looks at the other's price, and changes that one
            conflicts += 1
            book = clashing.theirs
        else:
            return was, conflicts


@pytest.mark.long
def test_that_of_8_editors_none_loses_an_edit(server: str) -> None:
    def edit(editor: int) -> tuple[dict[float, float], int]:
        replaced: dict[float, float] = {}
        conflicts = 0
        with open_store(server, patience=60.0) as store:
            for value in range(1 + editor * EDITS, 1 + (editor + 1) * EDITS):
                was, lost = edit_once(store, editor, float(value))
                replaced[was] = float(value)
                conflicts += lost
        return replaced, conflicts

    with ThreadPoolExecutor(EDITORS) as pool:
        done = list(pool.map(edit, range(EDITORS)))
    with open_store(server) as store:
        book = store.load("Deal")
    then = {was: value for replaced, _ in done for was, value in replaced.items()}
    price, chain = 0.0, 0
    while price in then:  # each edit replaced what another one had written: none was overwritten unseen
        price, chain = then[price], chain + 1
    assert chain == EDITORS * EDITS
    assert book.deal.tranches[0].price == price
    assert [fee.fixed_amount for fee in book.deal.fees] == [float(EDITS)] * EDITORS
    assert sum(lost for _, lost in done) > 0  # they did get in each other's way


_COUNTED = re.compile(r"(\w*version\w*)\s*=\s*(?:\w+\.)*\1\s*\+", re.I)


def _statements(path: Path) -> Iterator[str]:
    """The SQL of a file: the whole of it, or the strings of a module without its docstrings."""
    if path.suffix == ".sql":
        yield re.sub(r"--.*", "", path.read_text(encoding="utf-8"))
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value
        if isinstance(node, ast.keyword | ast.Dict):
            yield ast.unparse(node)


def test_that_no_statement_counts_a_version_up_in_the_database() -> None:
    """`SET version = version + 1` hides that someone was faster: the version that was read goes into SET and WHERE."""
    root = Path(clo_desktop.__file__).parent
    files = [*root.rglob("*.py"), *(root.parent / "resources").rglob("*.sql")]
    wrong = [(path.name, text[:80]) for path in files for text in _statements(path) if _counts(text)]
    assert wrong == []


def _counts(text: str) -> bool:
    by_column = re.search(r"version['\"]?\s*[:=]\s*\w+(?:\.\w+)*\.c\.version\s*\+", text)
    return bool(by_column or (re.search(r"\bset\b", text, re.I) and _COUNTED.search(text)))


def test_that_the_search_for_counted_versions_finds_them() -> None:
    assert _counts("UPDATE deals SET version = version + 1 WHERE id = 1")
    assert _counts("UPDATE deals SET name = 'x', version=deals.version+1")
    assert _counts("version=deals.c.version + 1")
    assert not _counts("version=known['version'] + 1")


@pytest.fixture
def failing(cluster: Server, served: str, server: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A trigger that fails the next changes of a deal with the state and as often as the table says."""
    with cluster.connect(served) as on:
        on.execute("SET search_path = clo")
        on.execute("CREATE SEQUENCE failed")
        on.execute("CREATE TABLE failing (times int, state text)")
        on.execute("INSERT INTO failing VALUES (0, '40001')")
        on.execute(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql"
            " SECURITY DEFINER SET search_path = clo AS $$ DECLARE f failing; BEGIN"
            " SELECT * INTO f FROM failing; IF nextval('failed') <= f.times THEN"  # a sequence survives the rollback
            " RAISE EXCEPTION 'could not serialize access or deadlock detected' USING ERRCODE = f.state; END IF;"
            " RETURN NEW; END $$"
        )
        on.execute("CREATE TRIGGER fail BEFORE UPDATE ON deals FOR EACH ROW EXECUTE FUNCTION fail()")
        yield on


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_that_a_transaction_that_lost_is_made_again_whole_and_applied_once(
    server: str, failing: psycopg.Connection[tuple[object, ...]], state: str
) -> None:
    failing.execute("UPDATE failing SET times = %s, state = %s", (TRIES - 1, state))
    with open_store(server) as store:
        book = store.load("Deal")
        change = operation("Deal", 1, delta_of(book, with_price(book, 7.0)), NOW)
        stored = StoreServer(store).apply(change)
        assert stored.book.deal.tranches[0].price == 7.0
        assert stored.mark.version == 2
        assert StoreServer(store).applied([change.op_id]) == {change.op_id: 2}
    assert failing.execute("SELECT last_value FROM failed").fetchone() == (TRIES,)


def test_that_it_is_given_up_after_five_times_with_nothing_written(
    server: str, failing: psycopg.Connection[tuple[object, ...]]
) -> None:
    failing.execute("UPDATE failing SET times = 100")
    with open_store(server) as store:
        book = store.load("Deal")
        with pytest.raises(Refused, match=r"changed .* in the same moment; nothing was saved"):
            store.edit(book, with_price(book, 7.0))
        assert store.load("Deal") == book
    assert failing.execute("SELECT last_value FROM failed").fetchone() == (TRIES,)


def test_that_nothing_else_is_tried_again(server: str, failing: psycopg.Connection[tuple[object, ...]]) -> None:
    failing.execute("UPDATE failing SET times = 100, state = '08006'")  # as when a connection is lost
    with open_store(server) as store:
        book = store.load("Deal")
        with pytest.raises(Refused):
            store.edit(book, with_price(book, 7.0))
    assert failing.execute("SELECT last_value FROM failed").fetchone() == (1,)


def test_that_tries_are_spread_and_not_more_than_five() -> None:
    pauses: list[float] = []
    tried: list[int] = []

    def lose() -> None:
        tried.append(1)
        raise Refused("Someone was faster.", code="conflict")

    with pytest.raises(Refused):
        retried(lose, pause=pauses.append)
    assert len(tried) == TRIES
    assert len(set(pauses)) == len(pauses) == TRIES - 1
    assert max(pauses) < 1.0


def test_that_readers_of_an_import_see_all_or_nothing_and_others_are_not_held_up(server: str) -> None:
    size = 1000
    seen: set[int] = set()
    waits: list[float] = []
    edited, done = threading.Semaphore(0), threading.Event()

    def watch() -> None:
        with open_store(server) as store:
            while not done.is_set():
                seen.add(next((deal.assets for deal in store.deals() if deal.name == "Large"), 0))

    def edit() -> None:
        with open_store(server, patience=60.0) as store:
            value = 0.0
            while not done.is_set():
                value += 1.0
                book = store.load("Deal")
                begun = time.monotonic()
                store.edit(book, with_price(book, value), Always(Side.MINE))
                waits.append(time.monotonic() - begun)
                edited.release()
                done.wait(0.02)

    with open_store(server) as other, other._engine.connect() as idle:
        idle.execute(sa.text("SELECT * FROM assets, deals")).all()  # left open, as by a sleeping laptop
        with ThreadPoolExecutor(3) as pool:
            tasks = [pool.submit(watch), pool.submit(watch), pool.submit(edit)]
            with open_store(server) as store:
                assert edited.acquire(timeout=60.0)  # the editor is at work before the import begins, and after it
                store.save(large_book("Large", size))
                assert edited.acquire(timeout=60.0)
                seen.add(next(deal.assets for deal in store.deals() if deal.name == "Large"))
            done.set()
            for task in tasks:
                task.result()
    assert seen <= {0, size}
    assert size in seen
    assert sorted(waits)[len(waits) // 2] < 1.0  # seconds; 0.25 on a machine that does nothing else
