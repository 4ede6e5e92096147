"""Two people change one deal: nothing of either is lost without a question."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clo_desktop.faults import Refused
from clo_desktop.store import Store, schema
from clo_desktop.store.merge import Choices, Clashing, Place, Side, merge
from clo_desktop.store.rows import Rows, book_of, keyed, rows_of
from engine.asset import Asset
from engine.terms import Book, Deal, Fee, Holding, Tranche
from tests.store.any_book import books

FIXED = {"id", "name", "asset_id"}  # of the deal and the master

MERGES = settings(deadline=None, suppress_health_check=list(HealthCheck))


def any_change(book: Book, chance: random.Random) -> Book:
    """The book with up to five cells changed, rows taken out, put in or moved."""
    rows = {table: [dict(row) for row in some] for table, some in rows_of(book).items()}
    for _ in range(chance.randrange(6)):
        table = chance.choice([t for t in rows if rows[t] and t is not schema.deal_assets] or [schema.deals])
        some = rows[table]
        place = chance.randrange(len(some))
        what = chance.random()
        master = table in (schema.deals, schema.assets)
        if what < 0.15 and not master:
            del some[place]
        elif what < 0.3 and not master:
            some.insert(chance.randrange(len(some) + 1), dict(some[place]))
        elif what < 0.4 and not master:
            some.append(some.pop(place))
        else:
            column = chance.choice([c for c in some[place] if not (master and c in FIXED) and c != "block"])
            some[place][column] = another(some[place][column], column, chance)
    held = {row["asset_id"] for row in rows[schema.deal_assets]}
    rows[schema.holdings] = [row for row in rows[schema.holdings] if row["asset_id"] in held]
    return book_of(rows)


def another(value: Any, column: str, chance: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, str):
        return value if column == "asset_id" else value + chance.choice("xyz")
    if isinstance(value, list):
        return [*value, float(chance.randrange(3))]
    if isinstance(value, int | float):
        return chance.choice([n for n in (1, 2, 3) if n != value])
    return value


def clashes_of(base: Book, mine: Book, theirs: Book, choices: Choices) -> tuple[Clashing | None, Book | None]:
    try:
        return None, merge(base, mine, theirs, choices)
    except Clashing as clashing:
        return clashing, None


def cells(rows: Rows) -> dict[Place, Any]:
    """The cells of the rows whose key is theirs alone: of twins nobody can say which was changed."""
    found: dict[Place, Any] = {}
    for table, some in rows.items():
        of_key = keyed(table, some)
        for key, row in of_key.items():
            if key[-1] == 0:
                found |= {Place(table.name, key, column): value for column, value in row.items()}
    return found


def twins(rows: Rows) -> set[tuple[str, Any]]:
    return {(table.name, key[:-1]) for table, some in rows.items() for key in keyed(table, some) if key[-1] > 0}


def check_merge(base: Book, seed: int) -> None:
    chance = random.Random(seed)
    mine, theirs = any_change(base, chance), any_change(base, chance)
    assert merge(base, mine, base) == mine
    assert merge(base, base, theirs) == theirs
    assert merge(base, mine, mine) == mine
    clashing, joined = clashes_of(base, mine, theirs, {})
    mirrored, _ = clashes_of(base, theirs, mine, {})
    assert (clashing is None) == (mirrored is None)
    if clashing is not None and mirrored is not None:
        assert {(c.place, str(c.mine)) for c in clashing.clashes} == {
            (c.place, str(c.theirs)) for c in mirrored.clashes
        }
        joined = merge(base, mine, theirs, {c.place: Side.MINE for c in clashing.clashes})
    assert joined is not None
    of_four = [rows_of(book) for book in (base, mine, theirs, joined)]
    several = set().union(*map(twins, of_four))
    was, ours, others, now = (
        {place: v for place, v in cells(rows).items() if (place.table, place.key[:-1]) not in several}
        for rows in of_four
    )
    for place, value in ours.items():  # mine won every clash: each cell I changed is as I left it
        if place not in was or was[place] != value:
            assert now[place] == value, place
    for place, value in others.items():  # and what they changed where I changed nothing is theirs
        if (place in was and was[place] != value and ours.get(place) == was[place]) or (
            place not in was and place not in ours
        ):
            assert now[place] == value, place


@settings(MERGES, max_examples=20)
@given(base=books(), seed=st.integers(0, 2**32))
def test_that_no_change_of_either_side_is_lost(base: Book, seed: int) -> None:
    check_merge(base, seed)


@pytest.mark.long
@settings(MERGES, max_examples=100, phases=[Phase.generate])
@given(base=books(), seed=st.integers(0, 2**32))
def test_that_no_change_is_lost_in_5000_merges(base: Book, seed: int) -> None:
    for i in range(50):
        check_merge(base, seed + i)


BASE = Book(
    Deal("Deal", tranches=(Tranche("A", 100.0, 100.0), Tranche("B", 50.0, 50.0)), fees=(Fee("Trustee"),)),
    {"LX1": Asset(asset_id="LX1", issue_name="Loan", market_value=99.0)},
)


def with_tranche(book: Book, at: int, **changes: Any) -> Book:
    tranches = list(book.deal.tranches)
    tranches[at] = dataclasses.replace(tranches[at], **changes)
    return dataclasses.replace(book, deal=dataclasses.replace(book.deal, tranches=tuple(tranches)))


def test_that_two_cells_of_one_row_are_joined_without_a_question(store: Store) -> None:
    store.save(BASE)
    store.edit(BASE, with_tranche(BASE, 0, spread=0.01))
    joined = store.edit(BASE, with_tranche(BASE, 0, price=0.99))
    assert joined.deal.tranches[0] == Tranche("A", 100.0, 100.0, spread=0.01, price=0.99)
    assert store.load("Deal") == joined


def test_that_one_cell_changed_by_both_asks_and_nothing_is_saved_until_it_is_answered(store: Store) -> None:
    store.save(BASE)
    theirs = store.edit(BASE, with_tranche(BASE, 1, spread=0.02))
    mine = with_tranche(BASE, 1, spread=0.03)
    with pytest.raises(Clashing, match=r"in the same cells \(tranches · B · spread\)") as asked:
        store.edit(BASE, mine)
    [clash] = asked.value.clashes
    assert (clash.base, clash.mine, clash.theirs) == (None, 0.03, 0.02)
    assert store.load("Deal") == theirs == asked.value.theirs
    kept = store.edit(BASE, mine, {clash.place: Side.MINE})
    assert kept.deal.tranches[1].spread == 0.03
    assert store.load("Deal") == kept


def test_that_a_row_taken_out_by_one_and_changed_by_the_other_asks(store: Store) -> None:
    store.save(BASE)
    without = dataclasses.replace(BASE, deal=dataclasses.replace(BASE.deal, tranches=BASE.deal.tranches[:1]))
    store.edit(BASE, without)
    with pytest.raises(Clashing) as asked:
        store.edit(BASE, with_tranche(BASE, 1, price=1.0))
    assert [str(c.place) for c in asked.value.clashes] == ["tranches · B"]
    kept = store.edit(BASE, with_tranche(BASE, 1, price=1.0), {asked.value.clashes[0].place: Side.MINE})
    assert [t.name for t in kept.deal.tranches] == ["A", "B"]


def test_that_an_asset_bought_by_one_and_delisted_by_the_other_stays_listed(store: Store) -> None:
    store.save(BASE)
    store.edit(BASE, dataclasses.replace(BASE, assets={}))
    bought = dataclasses.replace(BASE, deal=dataclasses.replace(BASE.deal, holdings=(Holding("LX1", 5.0),)))
    assert store.edit(BASE, bought).assets.keys() == {"LX1"}


def test_that_the_kind_of_a_cell_counts() -> None:
    def base(value: Any) -> Book:
        return Book(Deal("Deal", dates=(("label", value),)))

    joined = merge(base(1.0), base(True), base(1.0))
    assert joined.deal.dates[0][1] is True


def test_that_an_edit_of_a_deal_that_is_gone_is_refused(store: Store) -> None:
    with pytest.raises(Refused, match=r"the workspace is empty|no deal is assigned to you"):
        store.edit(BASE, with_tranche(BASE, 0, price=1.0))


def test_that_a_save_of_the_same_book_writes_nothing(store: Store) -> None:
    store.save(BASE)
    written: list[str] = []

    def listen(_on: Any, statement: Any, *_: Any) -> None:
        if str(statement).split()[0] in ("INSERT", "UPDATE", "DELETE"):
            written.append(str(statement))

    sa.event.listen(store._engine, "before_execute", listen)
    store.save(BASE)
    assert written == []
    assert store.version("Deal") == 1
    store.save(with_tranche(BASE, 0, price=1.0))
    assert [line.split("SET")[0].split()[1] for line in written] == ["tranches", "deals"]
    assert store.version("Deal") == 2


def test_that_a_row_put_in_between_writes_one_row(store: Store, counted: Callable[[], dict[str, int]]) -> None:
    fees = tuple(Fee(name) for name in "ABCD")
    store.save(Book(Deal("Deal", fees=fees)))
    before = counted()
    store.save(Book(Deal("Deal", fees=(fees[0], Fee("New"), *fees[1:]))))
    after = counted()
    assert {key: after[key] - before.get(key, 0) for key in after if after[key] > before.get(key, 0)} == {
        "INSERT fees": 1,
        "UPDATE deals": 1,
    }


@pytest.fixture
def counted(store: Store) -> Callable[[], dict[str, int]]:
    """How many rows were written, by verb and table."""
    found: dict[str, int] = {}

    def listen(_on: Any, clause: Any, many: Any, params: Any, _options: Any) -> None:
        verb = type(clause).__name__.upper()
        if verb in ("INSERT", "UPDATE", "DELETE"):
            name = f"{verb} {clause.table.name}"
            found[name] = found.get(name, 0) + max(len(many), 1)

    sa.event.listen(store._engine, "before_execute", listen)
    return lambda: dict(found)
