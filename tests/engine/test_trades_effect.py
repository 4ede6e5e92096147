"""A list of trades against the resulting portfolio taken afresh, and many small trades against each by itself."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import study
from engine.compliance import Outcome, stand
from engine.terms import Book
from engine.trades import Effect, Side, Trade, Trader, quality, traded
from engine.trades.candidates import Candidates
from resources import library
from tests.engine import trade_worlds as worlds
from tests.engine.builders import harbor, mag17

SEEDS = st.integers(0, 2**32 - 1)
PAR = st.sampled_from(["cents", "round"])


def close(mine: float, other: float) -> bool:
    return mine == other or abs(mine - other) <= 1e-9 * max(1.0, abs(other))


def check_against_fresh(book: Book, trader: Trader, trades: list[Trade]) -> None:
    """The effect of the trades is the compliance of the resulting portfolio, made from nothing."""
    effect = trader.effect(trades)
    after = traded(book, trades)
    fresh = study.comply(after, library.catalogue())
    found = {t.number: t.after for t in effect.tests if t.after is not None}
    assert set(found) == {r.number for r in fresh.results}
    for r in fresh.results:
        mine = found[r.number]
        assert close(mine.result, r.result), (r.number, mine.result, r.result)
        assert close(mine.threshold, r.threshold), r.number
        assert close(mine.cushion, r.cushion), r.number
        assert close(mine.numerator, r.numerator), r.number
        if abs(r.cushion) > 1e-9 * max(1.0, abs(r.threshold)):
            assert mine.outcome == r.outcome, r.number
    assert close(effect.after.cash, after.deal.principal_cash)
    assert close(effect.after.par, after.deal.par)
    assert close(effect.after.principal_amount, fresh.collateral_principal_amount)


def check_lists(seed: int, worlds_: int, lists: int) -> None:
    for k in range(worlds_):
        rng = np.random.default_rng([seed, k])
        book = worlds.book(rng, market=bool(k % 2), deal_par="round" if k % 3 else "cents")
        kept = copy.deepcopy(book)
        trader = study.trader(book, library.catalogue())
        par = trader.par.tobytes()
        for _ in range(lists):
            check_against_fresh(book, trader, worlds.trades(rng, book))
        assert book == kept
        assert trader.par.tobytes() == par


def test_that_a_list_gives_what_the_resulting_portfolio_gives_afresh_and_the_base_stays_as_it_was() -> None:
    check_lists(1, worlds_=6, lists=12)


def test_that_lists_on_the_real_deal_give_what_the_resulting_portfolios_give_afresh(shared: Path) -> None:
    book = mag17(shared)
    trader = study.trader(book, library.catalogue())
    rng = np.random.default_rng(17)
    for _ in range(15):
        check_against_fresh(book, trader, worlds.trades(rng, book, most=12))


@pytest.mark.long
def test_that_two_thousand_lists_give_what_the_resulting_portfolios_give_afresh() -> None:
    check_lists(2, worlds_=40, lists=50)


@given(SEEDS, st.booleans(), PAR)
@settings(max_examples=40)
def test_that_many_small_trades_are_judged_as_each_by_itself_in_full(seed: int, market: bool, par: str) -> None:
    rng = np.random.default_rng(seed)
    trader = study.trader(worlds.book(rng, market=market, deal_par=par), library.catalogue())
    candidates = some_candidates(rng, trader, 24)
    judged = trader.batch.judge(candidates, trader.weights)
    for i in range(len(candidates)):
        reckoned = trader.plan.reckon(*candidates.pool(i, trader.par, trader.cash))
        standings, _ = stand(trader.plan, reckoned)
        for k, number in enumerate(judged.tests):
            if number not in standings:
                assert math.isnan(judged.results[i, k]) or math.isnan(judged.limits[i, k])
                continue
            mine = standings[number]
            assert close(judged.results[i, k], mine.result), (number, judged.results[i, k], mine.result)
            assert close(judged.limits[i, k], mine.threshold), number
            if abs(mine.cushion) > 1e-9 * max(1.0, abs(mine.threshold)):
                assert judged.fails[i, k] == (mine.outcome is Outcome.FAIL), number
        own = quality(standings, trader.weights)
        assert close(judged.quality[i], own) if own is not None else math.isnan(judged.quality[i])


def some_candidates(rng: np.random.Generator, trader: Trader, count: int) -> Candidates:
    """Up to three legs each: sales in part and in full, purchases of what is held and of what is not."""
    n = trader.par.size
    places = np.full((count, 3), -1, dtype=np.int64)
    deltas = np.zeros((count, 3))
    for i in range(count):
        for j, place in enumerate(rng.permutation(n)[: rng.integers(0, 4)]):
            places[i, j] = place
            held = trader.par[place]
            sells = held > 0.0 and rng.random() < 0.6
            deltas[i, j] = -held * rng.choice([1.0, 0.5]) if sells else rng.integers(1, 2000) * 1000.0
    return Candidates(places, deltas, rng.uniform(-2e6, 2e6, count))


@given(SEEDS)
@settings(max_examples=20)
def test_that_the_order_of_trades_does_not_matter_to_any_test(seed: int) -> None:
    rng = np.random.default_rng(seed)
    book = worlds.book(rng)
    ids = rng.permutation([h.asset_id for h in book.deal.holdings])[:4]
    held = {h.asset_id: h.par for h in book.deal.holdings}
    trades = [Trade(Side.SELL, str(i), held[str(i)] / 2, 98.0) for i in ids]
    trades += [Trade(Side.BUY, f"A{i}", 1e6, 99.0) for i in range(3)]
    trader = study.trader(book, library.catalogue())
    one, other = trader.effect(trades), trader.effect([trades[i] for i in rng.permutation(len(trades))])
    assert all(close(a.after.result, b.after.result) for a, b in zip(one.tests, other.tests, strict=True) if a.after)
    first, second = (traded(book, list(ts)).deal.holdings for ts in (trades, trades[::-1]))
    assert [h.asset_id for h in first] == [h.asset_id for h in second]
    assert [h.par for h in first] == pytest.approx([h.par for h in second], abs=1e-6)


def test_that_the_same_trades_give_the_same_numbers_to_the_last_bit() -> None:
    book = harbor()
    held = book.deal.holdings[3]
    trades = [Trade(Side.SELL, held.asset_id, held.par / 3, 97.3), Trade(Side.BUY, held.asset_id, 1e6, 99.1)]
    one, other = (study.trader(book, library.catalogue()).effect(trades) for _ in range(2))
    assert [t.after.result for t in one.tests if t.after] == [t.after.result for t in other.tests if t.after]
    assert one.after == other.after


def test_that_a_deal_without_holdings_may_buy_its_first_loan() -> None:
    book = harbor()
    bare = replace(book, deal=replace(book.deal, holdings=()))
    trader = study.trader(bare, library.catalogue())
    first = next(a.asset_id for a in book.assets.values() if not a.defaulted)
    check_against_fresh(bare, trader, [Trade(Side.BUY, first, 1e6, 99.0)])
    judged = trader.batch.judge(Candidates.single(np.array([trader.place(first)]), np.array([1e6]), np.array([99.0])))
    effect = trader.effect([Trade(Side.BUY, first, 1e6, 99.0)])
    for k, number in enumerate(judged.tests):
        assert close(judged.results[0, k], effect.test(number).after.result)


def test_that_all_holdings_may_be_sold() -> None:
    book = harbor()
    trader = study.trader(book, library.catalogue())
    check_against_fresh(book, trader, [Trade(Side.SELL, h.asset_id, h.par, 99.0) for h in book.deal.holdings])


def test_that_the_compliance_after_trades_has_the_rows_that_count() -> None:
    book = harbor()
    trader = study.trader(book, library.catalogue())
    trades = [Trade(Side.BUY, book.deal.holdings[5].asset_id, 9e6, 99.0)]
    after, effect = trader.after(trades), trader.effect(trades)
    for r in after.results:
        assert close(r.result, effect.test(r.number).after.result)
    assert after.pool.par.sum() == pytest.approx(book.deal.par + 9e6)
    assert after.result(8).amounts.sum() == pytest.approx(after.result(8).numerator, abs=1e-6)


def test_that_what_a_bought_asset_lacks_is_said() -> None:
    book = harbor()
    like = next(a for a in book.assets.values() if a.coupon_type == "FLOAT" and not a.defaulted)
    bare = replace(like, asset_id="BARE", wal=None)
    trader = study.trader(book, library.catalogue(), [bare])
    notes = trader.effect([Trade(Side.BUY, "BARE", 1e6, 60.0)]).notes
    assert "BARE has no WAL: averages leave it out." in notes
    assert any(note.startswith("More than 25 points from the price") for note in notes)


def test_that_a_test_that_fails_already_worsens_or_still_fails_and_is_not_called_broken() -> None:
    book = harbor()
    trader = study.trader(book, library.catalogue())
    assert trader.standings[29].outcome is Outcome.FAIL

    def bought(cov_lite: bool, par: float) -> Effect:
        held = next(h for h in book.deal.holdings if bool(book.assets[h.asset_id].cov_lite) is cov_lite)
        return trader.effect([Trade(Side.BUY, held.asset_id, par, 99.0)])

    worse, better = bought(True, 1e5).test(29), bought(False, 1e5).test(29)
    assert (worse.still_fails, worse.worsens, worse.breaks) == (True, True, True)
    assert (better.still_fails, better.worsens, better.breaks) == (True, False, False)
    large = bought(True, 60e6)
    assert 29 in large.worsens
    assert set(large.worsens) < set(large.breaks)


def test_that_no_trades_change_nothing() -> None:
    effect = study.trader(harbor(), library.catalogue()).effect([])
    assert effect.before == effect.after
    assert all(t.change == 0.0 and not t.breaks for t in effect.tests)
    assert effect.bundles == effect.ladder == effect.notes == ()


def test_that_buying_below_par_raises_the_principal_amount_by_the_discount() -> None:
    book = harbor()
    effect = study.trader(book, library.catalogue()).effect(
        [Trade(Side.BUY, book.deal.holdings[0].asset_id, 2e6, 95.0)]
    )
    change = effect.after.less(effect.before)
    assert change["par"] == pytest.approx(2e6)
    assert change["cash"] == pytest.approx(-1.9e6)
    assert change["principal_amount"] == pytest.approx(1e5)
    bought = effect.bundles[0]
    assert (bought.side, bought.count, bought.par, bought.price) == (Side.BUY, 1, 2e6, pytest.approx(95.0))


def test_that_the_first_fixed_loan_that_is_bought_is_judged_by_the_coupon_test() -> None:
    book = harbor()
    fixed = next(a for a in book.assets.values() if a.coupon_type == "FLOAT")
    fixed = replace(fixed, asset_id="FIXED1", coupon_type="FIXED", coupon=0.05)
    trader = study.trader(book, library.catalogue(), [fixed])
    assert all(h.asset_id != "FIXED1" for h in book.deal.holdings)
    effect = trader.effect([Trade(Side.BUY, "FIXED1", 1e6, 99.0)])
    assert effect.test(34).after.numerator - effect.test(34).before.numerator == pytest.approx(5e4)
    check_against_fresh(replace(book, assets={**book.assets, "FIXED1": fixed}), trader, list(effect.trades))
