"""Trades on a copy of the deal: what they do to holdings and cash, and what is refused with row and remedy."""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import replace

import pytest

from engine.asset import Asset
from engine.terms import Account, Book, Deal, Holding
from engine.trades import Branch, Ideas, Side, Trade, TradeError, cash_ladder, settled, swap, traded
from engine.trades.ledger import assets_by_key, post

ASSETS = {
    i: Asset(asset_id=i, issuer_id=i, market_value=mark)
    for i, mark in (("A", 98.0), ("B", None), ("C", 0.01), ("D", 80.0))
}
BOOK = Book(
    Deal(
        "Small",
        holdings=(Holding("A", 3e6), Holding("B", 1_234_567.89), Holding("C", 1e6)),
        accounts=(Account(1, "Payment", 1.0, 2.0), Account(2, "Collection", 5.0, 1e6)),
    ),
    ASSETS,
)
BUY, SELL = Side.BUY, Side.SELL


def said(*trades: Trade) -> str:
    with pytest.raises(TradeError) as told:
        traded(BOOK, trades)
    return str(told.value)


def test_that_a_purchase_adds_par_and_takes_cash_at_its_price() -> None:
    after = traded(BOOK, [Trade(BUY, "D", 2e6, 81.5)])
    assert after.deal.holdings == (*BOOK.deal.holdings, Holding("D", 2e6))
    assert after.deal.principal_cash == pytest.approx(1e6 - 1.63e6)
    assert after.deal.account(2).interest == 5.0
    assert after.deal.account(1) == BOOK.deal.account(1)


def test_that_a_sale_in_full_takes_the_holding_away_to_the_last_cent() -> None:
    after = traded(BOOK, [Trade(SELL, "B", 1_234_567.888, 90.0)])
    assert [h.asset_id for h in after.deal.holdings] == ["A", "C"]
    assert after.deal.principal_cash == pytest.approx(1e6 + 1_234_567.888 * 0.9)


def test_that_the_book_itself_is_left_as_it_was() -> None:
    before = copy.deepcopy(BOOK)
    traded(BOOK, [Trade(SELL, "A", 3e6, 99.0), Trade(BUY, "D", 1e6, 80.0)])
    assert before == BOOK


def test_that_what_is_bought_in_a_list_may_be_sold_later_in_it_and_keeps_its_place() -> None:
    after = traded(BOOK, [Trade(SELL, "A", 3e6, 99.0), Trade(BUY, "A", 5e5, 98.0), Trade(BUY, "D", 1e6, 80.0)])
    assert after.deal.holdings[0] == Holding("A", 5e5)
    assert traded(after, [Trade(SELL, "D", 1e6, 80.0)]).deal.holdings == after.deal.holdings[:-1]


def test_that_ids_are_found_whatever_their_case_and_blanks() -> None:
    assert traded(BOOK, [Trade(SELL, " a ", 1e6, 99.0)]).deal.holdings[0] == Holding("A", 2e6)


def test_that_a_new_asset_may_be_bought_and_comes_with_the_book() -> None:
    new = Asset(asset_id="NEW", issuer_id="N")
    after = traded(BOOK, [Trade(BUY, "NEW", 1e6, 99.0)], [new])
    assert after.assets["NEW"] is new
    assert "NEW" not in BOOK.assets
    assert after.deal.holdings[-1] == Holding("NEW", 1e6)


def test_that_a_deal_without_a_collection_account_gets_one() -> None:
    bare = replace(BOOK, deal=replace(BOOK.deal, accounts=()))
    assert traded(bare, [Trade(SELL, "A", 1e6, 99.0)]).deal.principal_cash == pytest.approx(9.9e5)


def test_that_a_sale_without_a_price_is_made_at_the_asset_s_own() -> None:
    fill = post(BOOK.deal, assets_by_key(ASSETS.values()), [Trade(SELL, "A", 1e6)]).fills[0]
    assert fill.at_mark
    assert fill.cash == pytest.approx(9.8e5)


def test_that_the_same_trade_at_another_row_is_the_same_trade() -> None:
    assert Trade(BUY, "A", 1e6, 99.0, row=3) == Trade(BUY, "A", 1e6, 99.0, row=9)


def test_that_a_swap_for_the_same_cash_leaves_the_cash_as_it_is() -> None:
    after = traded(BOOK, swap("A", "D", 1e6, 98.0, 80.0, same_cash=True))
    assert after.deal.principal_cash == pytest.approx(1e6)
    assert after.deal.holdings[-1].par == pytest.approx(1.225e6)


@pytest.mark.parametrize(
    ("trade", "words"),
    [
        (Trade(BUY, "Z", 1e6, 99.0), "'Z' is not in the asset master; correct the id"),
        (Trade(BUY, "", 1e6, 99.0), "the asset is missing"),
        (Trade(BUY, "A", 1e6), "a purchase needs a price; write it in percent of par, such as 99.5"),
        (Trade(SELL, "A", 3.5e6, 99.0), "only 2,999,999.00 of it is held; sell less"),
        (Trade(SELL, "D", 1e6, 99.0), "none of it is held; sell less"),
        (Trade(SELL, "B", 1e6), "B has no price of its own; write one"),
        (Trade(SELL, "C", 1e6), "C has no price of its own; write one"),
        (Trade(BUY, "A", 1e6, 9950.0), "the price 9,950 is above 200 % of par; write it in percent of par"),
        (Trade(BUY, "A", 1e6, -1.0), "the price -1 is not more than zero"),
        (Trade(BUY, "A", 1e6, 0.0), "the price 0 is not more than zero"),
        (Trade(BUY, "A", 1e6, 0.995), "looks like a fraction of par; write it in percent of par, such as 99.5"),
        (Trade(BUY, "A", 1e6, float("nan")), "the price is no number"),
        (Trade(BUY, "A", 0.0, 99.0), "the par 0 is not more than zero"),
        (Trade(BUY, "A", -5.0, 99.0), "the par -5 is not more than zero; the side says"),
        (Trade(BUY, "A", float("inf"), 99.0), "the par is no number"),
        (Trade(BUY, "A", 1e15, 99.0), "is above 1,000,000,000,000"),
    ],
)
def test_that_a_trade_that_cannot_be_is_refused_with_its_row_and_a_remedy(trade: Trade, words: str) -> None:
    message = said(Trade(SELL, "A", 1.0, 99.0), trade)
    assert message.startswith("Row 2: ")
    assert words in message
    assert message.rstrip().endswith(".")


def test_that_every_wrong_row_is_told_and_a_file_s_own_row_counts() -> None:
    with pytest.raises(TradeError) as told:
        traded(BOOK, [Trade(BUY, "Z", 1e6, 99.0, row=7), Trade(BUY, "A", 1e6, None, row=9)])
    assert [(p.row, p.column) for p in told.value.problems] == [(7, "asset_id"), (9, "price")]
    assert "1 more row is wrong too" in str(told.value)


def test_that_the_cash_ladder_shows_the_day_on_which_cash_runs_out() -> None:
    early, late = dt.date(2026, 4, 3), dt.date(2026, 4, 20)
    trades = [Trade(SELL, "A", 3e6, 100.0, late), Trade(BUY, "D", 2e6, 100.0, early)]
    ledger = post(BOOK.deal, assets_by_key(ASSETS.values()), trades)
    rungs = cash_ladder(1e6, ledger.fills)
    assert [(r.day, r.flow, r.balance) for r in rungs] == [(early, -2e6, -1e6), (late, 3e6, 2e6)]
    assert ledger.cash == 2e6


def test_that_what_has_not_settled_by_a_day_does_not_count_in_the_settled_view() -> None:
    early, late = dt.date(2026, 4, 3), dt.date(2026, 4, 20)
    trades = [Trade(SELL, "A", 1e6, 99.0, late), Trade(BUY, "D", 2e6, 80.0, early), Trade(SELL, "A", 5e5, 99.0)]
    assert settled(trades, early) == trades[1:]
    assert settled(trades, late) == trades


# --- ideas -------------------------------------------------------------------------------------------------------

FIRST, SECOND = Trade(BUY, "A", 1e6, 99.0), Trade(SELL, "B", 1e6, 98.0)


def test_that_undo_and_redo_go_any_depth_and_back() -> None:
    idea = Branch("one")
    states = [idea]
    for i in range(50):
        states.append(states[-1].add(Trade(BUY, "A", 1e6 + i, 99.0)))
    back = states[-1]
    for state in reversed(states[:-1]):
        back = back.undo()
        assert back.trades == state.trades
    assert back.undo() == back
    for state in states[1:]:
        back = back.redo()
        assert back.trades == state.trades
    assert back.redo() == back


def test_that_a_new_step_forgets_what_was_undone_and_the_same_trades_are_no_step() -> None:
    idea = Branch("one").add(FIRST).add(SECOND).undo()
    assert idea.put(idea.trades) is idea
    other = idea.add(SECOND, FIRST)
    assert other.redo() == other
    assert other.undo().trades == (FIRST,)


def test_that_branches_stand_side_by_side_each_with_its_own_history() -> None:
    ideas = Ideas().changed(Branch("Idea 1").add(FIRST))
    ideas = ideas.branch("with a sale")
    ideas = ideas.changed(ideas.current.add(SECOND))
    ideas = ideas.fresh()
    assert [b.name for b in ideas.branches] == ["Idea 1", "with a sale", "Idea 2"]
    assert [len(b.trades) for b in ideas.branches] == [1, 2, 0]
    assert ideas.switch("with a sale").current.undo().undo().trades == ()
    assert ideas.switch("Idea 1").current.trades == (FIRST,)


def test_that_a_dropped_branch_leaves_the_others_and_the_last_is_only_emptied() -> None:
    ideas = Ideas().branch("b").fresh("c").switch("b")
    assert ideas.drop("Idea 1").current.name == "b"
    assert ideas.drop("b").current.name == "c"
    assert Ideas().drop("Idea 1") == Ideas()


def test_that_a_name_that_is_taken_or_not_there_is_refused() -> None:
    ideas = Ideas().branch("b")
    with pytest.raises(ValueError, match="branch 'b' already"):
        ideas.branch("b")
    with pytest.raises(ValueError, match="no branch 'x'; branches: Idea 1, b"):
        ideas.switch("x")
    assert ideas.rename("d").current.name == "d"
