"""Snapshots of tests and ideas of trades survive, with their deal and not longer."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import IdeaRow, Store, schema
from tests.store.any_book import large_book
from tests.store.histories import LATER, NOON, POOL, SNAPSHOT, TEST, an_idea


@pytest.fixture
def deal(store: Store) -> Store:
    store.save(large_book("Deal", 2))
    return store


def test_that_snapshots_come_back_as_they_were_stored_the_oldest_first(deal: Store) -> None:
    before = replace(SNAPSHOT, as_of=dt.date(2025, 12, 31), tests=())
    assert deal.put_snapshot("Deal", SNAPSHOT) is None
    assert deal.put_snapshot("Deal", before) is None
    assert deal.snapshots("Deal") == (before, SNAPSHOT)


def test_that_a_snapshot_of_the_same_date_replaces_and_says_when_the_other_was_taken(deal: Store) -> None:
    deal.put_snapshot("Deal", SNAPSHOT)
    newer = replace(SNAPSHOT, taken_at=LATER, tests=(replace(TEST, result=0.3),))
    assert deal.put_snapshot("Deal", newer) == NOON
    assert deal.snapshots("Deal") == (newer,)


def test_that_a_figure_that_is_not_finite_is_missing_in_a_snapshot(deal: Store) -> None:
    deal.put_snapshot("Deal", replace(SNAPSHOT, tests=(replace(TEST, result=math.inf, cushion=math.nan),)))
    (kept,) = deal.snapshots("Deal")
    assert kept.tests == (replace(TEST, result=None, cushion=None),)


def test_that_snapshots_and_ideas_outlive_an_import_of_the_deal_and_go_with_the_deal(deal: Store) -> None:
    deal.put_snapshot("Deal", SNAPSHOT)
    deal.save_ideas("Deal", [an_idea()])
    deal.save(large_book("Deal", 3))
    assert deal.snapshots("Deal") == (SNAPSHOT,)
    assert [i.name for i in deal.ideas("Deal")] == ["Idea 1"]
    deal.delete("Deal")
    with deal._engine.begin() as on:
        for name in ("snapshots", "snapshot_tests", "ideas", "idea_rows", "idea_assets", "idea_pools"):
            assert on.execute(sa.select(sa.func.count()).select_from(schema.metadata.tables[name])).scalar() == 0, name


def test_that_an_import_and_its_snapshot_are_stored_together_or_not_at_all(store: Store) -> None:
    with pytest.raises(Refused):
        store.save(large_book("Deal", 2), snapshot=replace(SNAPSHOT, readings="half\ud800"))
    assert store.deals() == ()


def test_that_ideas_come_back_as_they_were_typed_the_oldest_first(deal: Store, opened: Callable[[], Store]) -> None:
    ideas = [an_idea(), an_idea("k2", "Second", note="why", author="ann", is_open=False, rows=(), created_at=LATER)]
    stored = deal.save_ideas("Deal", ideas)
    assert [i.version for i in stored] == [1, 1]
    assert stored == tuple(replace(i, version=1) for i in ideas)
    assert opened().ideas("Deal") == stored


def test_that_an_idea_is_changed_in_its_place_and_others_stay(deal: Store) -> None:
    one, two = deal.save_ideas("Deal", [an_idea(), an_idea("k2", "Second")])
    changed = replace(one, rows=(IdeaRow("Buy", "LX2", "5m"),), changed_at=LATER, assets=())
    (stored,) = deal.save_ideas("Deal", [changed])
    assert stored.version == 2
    assert {i.key: i for i in deal.ideas("Deal")} == {"k1": stored, "k2": two}


def test_that_an_idea_somebody_else_changed_is_stored_beside_theirs(deal: Store) -> None:
    (mine,) = deal.save_ideas("Deal", [an_idea()])
    (theirs,) = deal.save_ideas("Deal", [replace(mine, note="theirs")])
    (kept,) = deal.save_ideas("Deal", [replace(mine, note="mine")])
    assert kept.key != theirs.key
    assert {(i.name, i.note) for i in deal.ideas("Deal")} == {("Idea 1", "theirs"), ("Idea 1 (mine)", "mine")}


def test_that_deleting_an_idea_leaves_no_pool_that_none_was_made_on(deal: Store) -> None:
    other = replace(POOL, book_hash="another", positions={})
    deal.save_ideas("Deal", [an_idea(), an_idea("k2", "Second", pool=other)])
    deal.save_ideas("Deal", [], gone=["k2", "never there"])
    assert [i.key for i in deal.ideas("Deal")] == ["k1"]
    with deal._engine.begin() as on:
        assert on.execute(sa.select(schema.idea_pools.c.book_hash)).scalars().all() == [POOL.book_hash]


@pytest.mark.parametrize("ask", [Store.snapshots, Store.ideas, lambda s, d: s.save_ideas(d, [])])
def test_that_a_deal_that_is_not_there_is_refused_with_the_known_ones(
    deal: Store, ask: Callable[[Store, str], object]
) -> None:
    with pytest.raises(Refused, match="the deals are: Deal"):
        ask(deal, "gone")
