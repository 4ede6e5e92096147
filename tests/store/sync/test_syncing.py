"""Deals copied from a server, changed offline and pushed back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from clo_desktop.faults import Cancelled, Refused
from clo_desktop.store import Store
from clo_desktop.store.merge import Always, Side
from clo_desktop.store.sync.copies import Deleted, State
from clo_desktop.store.sync.server import Stored, StoreServer
from clo_desktop.store.sync.syncing import Outcome, bring_together
from engine.asset import Asset
from engine.terms import Book, Deal, Fee, Holding, Tranche
from tests.store.sync.conftest import Laptop

Make = Callable[[], Laptop]
BASE = Book(
    Deal("Deal", tranches=(Tranche("A", 100.0, 100.0), Tranche("B", 50.0, 50.0)), holdings=(Holding("LX1", 5.0),)),
    {"LX1": Asset(asset_id="LX1", issue_name="Loan", market_value=99.0)},
)


def with_tranche(book: Book, at: int, **changes: Any) -> Book:
    tranches = list(book.deal.tranches)
    tranches[at] = replace(tranches[at], **changes)
    return replace(book, deal=replace(book.deal, tranches=tuple(tranches)))


def change(store: Store, at: int, **changes: Any) -> Book:
    book = store.load("Deal")
    return store.edit(book, with_tranche(book, at, **changes))


def price(store: Store, value: float, deal: str = "Deal") -> Book:
    book = store.load(deal)
    return store.edit(book, replace(book, assets={"LX1": replace(book.assets["LX1"], market_value=value)}))


def waiting(laptop: Laptop) -> list[tuple[State, str | None]]:
    [standing] = laptop.syncing.shelf.standings()
    return [(op.state, op.reason) for op in standing.waiting]


@pytest.fixture
def first(store: Store, laptop: Make) -> Laptop:
    store.save(BASE)
    made = laptop()
    made.syncing.pull(["Deal"])
    return made


def test_that_a_pulled_deal_is_the_server_s(store: Store, first: Laptop) -> None:
    assert first.store.load("Deal") == store.load("Deal") == BASE
    assert waiting(first) == []


def test_that_changes_made_offline_reach_the_server_and_another_copy(store: Store, first: Laptop, laptop: Make) -> None:
    second = laptop()
    second.syncing.pull()
    change(first.store, 0, spread=0.01)
    change(first.store, 1, spread=0.02)
    assert waiting(first) == [(State.WAITING, None)] * 2
    assert store.load("Deal") == BASE
    assert first.syncing.sync() == (Outcome("Deal", sent=2),)
    assert store.load("Deal") == first.store.load("Deal")
    assert second.syncing.sync() == (Outcome("Deal", pulled=True),)
    assert second.store.load("Deal") == store.load("Deal")


def test_that_pulling_keeps_changes_and_does_not_send_them(store: Store, first: Laptop) -> None:
    change(first.store, 0, spread=0.01)
    change(store, 1, spread=0.02)
    assert first.syncing.pull() == (Outcome("Deal", waiting=1, pulled=True),)
    assert [t.spread for t in first.store.load("Deal").deal.tranches] == [0.01, 0.02]
    assert [t.spread for t in store.load("Deal").deal.tranches] == [None, 0.02]


def test_that_a_cancel_between_two_changes_leaves_the_second_waiting(store: Store, first: Laptop) -> None:
    change(first.store, 0, spread=0.01)
    change(first.store, 1, spread=0.02)

    def stop(_fraction: float, what: str) -> None:
        if what.endswith("change 2 of 2"):
            raise Cancelled

    with pytest.raises(Cancelled):
        first.syncing.sync(report=stop)
    assert waiting(first) == [(State.WAITING, None)]
    assert [t.spread for t in store.load("Deal").deal.tranches] == [0.01, None]
    assert first.syncing.sync() == (Outcome("Deal", sent=1),)
    assert store.load("Deal") == first.store.load("Deal")


def test_that_a_change_sent_twice_is_applied_once(store: Store, first: Laptop) -> None:
    change(first.store, 0, spread=0.01)
    [standing] = first.syncing.shelf.standings()
    for _ in range(2):
        assert first.server.apply(standing.waiting[0]).mark.version == 2
    change(store, 0, spread=0.05)
    assert first.server.apply(standing.waiting[0]).book.deal.tranches[0].spread == 0.05
    assert store.version("Deal") == 3


def test_that_a_lost_answer_neither_loses_nor_repeats_a_change(store: Store, first: Laptop) -> None:
    change(first.store, 0, spread=0.01)
    first.server.lost = 1
    with pytest.raises(Refused, match="cannot be reached"):
        first.syncing.sync()
    assert waiting(first) == [(State.SENT, None)]
    change(first.store, 0, spread=0.02)  # of his own earlier change, which he does not know to be there
    assert first.syncing.sync() == (Outcome("Deal", sent=1),)
    assert store.load("Deal") == first.store.load("Deal")
    assert store.version("Deal") == 3
    assert waiting(first) == []


def test_that_a_cell_both_changed_waits_until_someone_chooses(store: Store, first: Laptop) -> None:
    change(store, 0, spread=0.05)
    change(first.store, 0, spread=0.01)
    change(first.store, 1, spread=0.02)
    [outcome] = first.syncing.sync()
    assert outcome.clashing is not None
    [clash] = outcome.clashing.clashes
    assert (str(clash.place), clash.base, clash.mine, clash.theirs) == ("tranches · A · spread", None, 0.01, 0.05)
    assert outcome.waiting == len(waiting(first)) == 2
    assert store.load("Deal").deal.tranches[0].spread == 0.05
    assert first.store.load("Deal").deal.tranches[0].spread == 0.01
    [outcome] = first.syncing.sync(choices={clash.place: Side.MINE})
    assert (outcome.clashing, outcome.waiting) == (None, 0)
    assert [t.spread for t in store.load("Deal").deal.tranches] == [0.01, 0.02]


@pytest.mark.parametrize("side", list(Side))
def test_that_a_deletion_on_the_server_asks_where_the_deal_was_changed_here(
    store: Store, first: Laptop, side: Side
) -> None:
    change(first.store, 0, spread=0.01)
    mine = first.store.load("Deal")
    store.delete("Deal")
    [outcome] = first.syncing.sync()
    assert isinstance(outcome.clashing, Deleted)
    assert "was deleted on the server" in outcome.clashing.message
    assert len(waiting(first)) == 1
    [outcome] = first.syncing.sync(choices=Always(side))
    assert outcome.clashing is None
    if side is Side.MINE:
        assert store.load("Deal") == first.store.load("Deal") == mine
        assert waiting(first) == []
    else:
        assert first.store.deals() == store.deals() == ()
        assert first.syncing.shelf.standings() == ()


def test_that_a_copy_of_a_deleted_deal_stays_and_says_so(store: Store, first: Laptop) -> None:
    store.delete("Deal")
    [outcome] = first.syncing.sync()
    assert "was deleted on the server" in outcome.gone
    assert first.store.load("Deal") == BASE


def test_that_a_deal_that_was_deleted_and_made_again_is_noticed(store: Store, first: Laptop) -> None:
    store.delete("Deal")
    store.save(with_tranche(BASE, 0, spread=0.07))
    assert first.syncing.sync() == (Outcome("Deal", pulled=True),)
    assert first.store.load("Deal").deal.tranches[0].spread == 0.07


def test_that_an_asset_changed_through_another_deal_is_pulled(store: Store, first: Laptop) -> None:
    store.save(replace(BASE, deal=replace(BASE.deal, name="Other")))
    price(store, 98.0, "Other")
    assert first.syncing.sync() == (Outcome("Deal", pulled=True),)
    assert first.store.load("Deal").assets["LX1"].market_value == 98.0


def test_that_an_asset_waiting_in_one_copy_is_not_hidden_by_another(store: Store, first: Laptop) -> None:
    store.save(replace(BASE, deal=replace(BASE.deal, name="Other")))
    first.syncing.pull()
    price(first.store, 97.0)
    book = store.load("Other")
    store.edit(book, with_tranche(book, 0, spread=0.03))
    first.syncing.pull(["Other"])
    assert first.store.load("Deal").assets["LX1"].market_value == 97.0
    first.syncing.sync()
    assert store.load("Other").assets["LX1"].market_value == 97.0
    assert first.store.load("Other") == store.load("Other")


def test_that_an_asset_changed_through_a_deal_of_the_file_alone_is_sent(store: Store, first: Laptop) -> None:
    first.store.save(replace(BASE, deal=replace(BASE.deal, name="Own")))
    price(first.store, 96.0, "Own")
    first.syncing.sync()
    assert store.load("Deal").assets["LX1"].market_value == 96.0


def test_that_an_asset_put_on_the_list_does_not_overwrite_the_server_s(store: Store, first: Laptop) -> None:
    other = Book(Deal("Other"), {"LX2": Asset(asset_id="LX2", market_value=90.0)})
    store.save(other)
    book = first.store.load("Deal")
    stale = Asset(asset_id="LX2", market_value=80.0)
    first.store.edit(book, replace(book, assets={**book.assets, "LX2": stale}))
    [outcome] = first.syncing.sync()
    assert outcome.clashing is not None
    [clash] = outcome.clashing.clashes
    assert (str(clash.place), clash.mine, clash.theirs) == ("assets · LX2 · market value", 80.0, 90.0)
    assert store.load("Other") == other
    [outcome] = first.syncing.sync(choices={clash.place: Side.THEIRS})
    assert outcome.waiting == 0
    assert first.store.load("Deal").assets["LX2"].market_value == store.load("Deal").assets["LX2"].market_value == 90.0


def test_that_a_deal_of_one_s_own_can_be_given_to_the_server(store: Store, first: Laptop) -> None:
    first.store.save(Book(Deal("New", fees=(Fee("Trustee"),))))
    assert first.syncing.give("New") == Outcome("New", sent=1)
    assert store.load("New") == first.store.load("New")
    with pytest.raises(Refused, match="has a deal New already"):
        first.syncing.give("New")


def test_that_giving_a_deal_with_another_value_of_a_known_asset_asks_whose_to_keep(store: Store, first: Laptop) -> None:
    price(store, 80.0)
    own = replace(BASE, deal=replace(BASE.deal, name="New"))
    first.store.save(own)
    given = first.syncing.give("New")
    assert given.clashing is not None
    assert (given.waiting, given.gone) == (1, "")
    [again] = first.syncing.sync(["New"], Always(Side.MINE))
    assert (again.sent, again.waiting) == (1, 0)
    assert store.load("New") == own


def test_that_a_deal_of_one_s_own_is_not_overwritten_by_a_pull(store: Store, laptop: Make) -> None:
    store.save(BASE)
    own = laptop()
    own.store.save(with_tranche(BASE, 0, spread=0.09))
    with pytest.raises(Refused, match="has a deal Deal of its own already"):
        own.syncing.pull()
    assert own.store.load("Deal").deal.tranches[0].spread == 0.09


def test_that_an_import_over_a_copy_is_a_change_like_any_other(store: Store, first: Laptop) -> None:
    first.store.save(with_tranche(BASE, 1, price=0.97))
    first.syncing.sync()
    assert store.load("Deal").deal.tranches[1].price == 0.97


def test_that_a_copy_with_unsent_changes_is_not_deleted_but_may_be_dropped(first: Laptop) -> None:
    change(first.store, 0, spread=0.01)
    with pytest.raises(Refused, match="1 change that was not sent"):
        first.store.delete("Deal")
    assert first.syncing.shelf.drop("Deal") == 1
    assert first.store.load("Deal") == BASE
    first.store.delete("Deal")
    assert first.syncing.shelf.standings() == ()


def test_that_a_deal_the_server_did_not_take_is_a_deal_of_the_file_again_when_its_changes_are_dropped(
    first: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Stored:
        raise Refused("You may not do this.", code="rights")

    own = Book(Deal("New", fees=(Fee("Trustee"),)))
    first.store.save(own)
    monkeypatch.setattr(first.server, "apply", refuse)
    assert first.syncing.give("New").refused == ("You may not do this.",)
    assert first.syncing.shelf.drop("New") == 1
    assert first.store.load("New") == own
    assert [standing.deal for standing in first.syncing.shelf.standings()] == ["Deal"]


def test_that_a_change_and_its_place_in_the_outbox_are_one_transaction(first: Laptop) -> None:
    def fail(_on: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("INSERT INTO outbox"):
            raise sa.exc.OperationalError(statement, {}, Exception("disk is full"))

    sa.event.listen(first.store._engine, "before_cursor_execute", fail)
    with pytest.raises(Refused, match="is full"):
        change(first.store, 0, spread=0.01)
    assert first.store.load("Deal") == BASE
    assert waiting(first) == []


def test_that_another_server_is_refused(first: Laptop, laptop: Make) -> None:
    other = StoreServer(laptop().store)
    with pytest.raises(Refused, match="name the server it was pulled from"):
        bring_together(first.syncing.shelf, other, "Deal")
