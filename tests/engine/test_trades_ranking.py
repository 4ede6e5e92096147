"""Scores, marginal effects, largest sizes and bid lists: each against a full recomputation of the traded deal."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import study
from engine.compliance import Compliance, Outcome
from engine.filter import FilterError
from engine.terms import Book
from engine.trades import (
    Side,
    Trade,
    Trader,
    candidates_of,
    fit,
    largest,
    marginal,
    rank,
    rank_swaps,
    read_lines,
    swap,
    traded,
)
from resources import library
from tests.engine import trade_worlds as worlds
from tests.engine.builders import harbor, mag17

WEIGHTS = {32: 0.6, 36: 0.3, 38: 0.1}
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module")
def trader() -> Trader:
    return study.trader(harbor(), library.catalogue(), weights=WEIGHTS)


def quality_of(done: Compliance, weights: dict[int, float]) -> float:
    """The objective's definition, written out."""
    total = 0.0
    for number, weight in weights.items():
        r = done.result(number)
        total += weight * (r.threshold / r.result if r.direction == "MAX" else r.result / r.threshold)
    return 100.0 * total


def after(book: Book, *trades: Trade) -> Compliance:
    return study.comply(traded(book, list(trades)), library.catalogue())


def test_that_the_real_deal_s_objective_is_the_recorded_one(shared: Path) -> None:
    real = study.trader(mag17(shared), library.catalogue(), weights=WEIGHTS)
    assert real.figures.objective == pytest.approx(109.338385, abs=5e-7)


def test_that_the_objective_is_0_where_a_test_fails_and_the_quality_is_not(trader: Trader) -> None:
    deal = trader.book.deal
    tight = tuple(replace(row, threshold=0.001) if row.number == 4 else row for row in deal.limits)
    other = study.trader(replace(trader.book, deal=replace(deal, limits=tight)), library.catalogue(), weights=WEIGHTS)
    assert other.figures.objective == 0.0
    assert other.figures.quality == pytest.approx(trader.figures.quality)


@pytest.mark.parametrize("side", list(Side))
def test_that_a_score_is_the_change_of_the_objective_by_a_full_recomputation(trader: Trader, side: Side) -> None:
    found = rank(trader, side)
    book, catalogue = trader.book, library.catalogue()
    before = quality_of(study.comply(book, catalogue), WEIGHTS)
    assert len(found.rows) > 100
    for row in found.rows[::17]:
        done = after(book, Trade(side, row.asset.asset_id, row.par, row.price))
        assert row.score == pytest.approx(quality_of(done, WEIGHTS) - before, abs=1e-9)
        for number, change in row.changes.items():
            assert change == pytest.approx(
                done.result(number).result - trader.standings[number].result, rel=1e-9, abs=1e-9
            )
        fails = {r.number for r in done.results if r.outcome is Outcome.FAIL}
        assert set(row.breaks) <= fails


def test_that_the_ranking_stands_by_breaches_then_by_score(trader: Trader) -> None:
    rows = rank(trader, Side.BUY).rows
    keys = [(bool(r.breaks), -r.score) for r in rows]
    assert keys == sorted(keys)


def test_that_candidates_have_a_sound_price_and_the_filter_holds(trader: Trader) -> None:
    assets = trader.pool.assets
    for place in candidates_of(trader, Side.BUY, "wal < 5 and not cov_lite"):
        a = assets[place]
        assert a.market_value >= 75.0
        assert a.wal < 5
        assert not a.cov_lite
        assert not a.defaulted
    assert all(trader.par[p] > 0.0 for p in candidates_of(trader, Side.SELL))
    assert all(trader.par[p] == 0.0 for p in candidates_of(trader, Side.BUY, held=False))
    with pytest.raises(FilterError, match="no field"):
        rank(trader, Side.BUY, where="colour = red")


def test_that_weights_of_a_test_that_is_not_there_or_none_at_all_are_refused(trader: Trader) -> None:
    with pytest.raises(ValueError, match="Test 99 has a weight but no result"):
        rank(trader, Side.BUY, {99: 1.0})
    with pytest.raises(ValueError, match="There are no weights; give some"):
        rank(trader, Side.BUY, {})


@given(SEEDS)
@settings(max_examples=12)
def test_that_swaps_score_as_the_swapped_deal_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = {36: 0.5, 37: 0.3, 38: 0.2}
    world = study.trader(worlds.book(rng), library.catalogue(), weights=weights)
    sold, bought = candidates_of(world, Side.SELL), candidates_of(world, Side.BUY, floor=50.0)
    found = rank_swaps(world, sold, bought, size=7e5, same_cash=bool(seed % 2))
    before = quality_of(world.before, weights)
    for i in found.order[:: max(1, found.order.size // 6)]:
        one, other = world.pool.assets[found.sold[i]], world.pool.assets[found.bought[i]]
        pair = swap(
            one.asset_id, other.asset_id, found.par[i], one.market_value, other.market_value, same_cash=bool(seed % 2)
        )
        done = after(world.book, *pair)
        expected = quality_of(done, weights) - before
        assert found.score[i] == pytest.approx(expected, rel=1e-9, abs=1e-9)
        broken = any(
            r.outcome is Outcome.FAIL and world.standings[r.number].outcome is not Outcome.FAIL
            for r in done.results
            if r.number in world.standings
        )
        assert found.broken[i] or not broken


@pytest.mark.parametrize("side", list(Side))
def test_that_the_effect_of_a_million_of_each_asset_is_that_of_the_trade(trader: Trader, side: Side) -> None:
    table = marginal(trader, side)
    assert table.places.size > 200
    for i in range(0, table.places.size, 41):
        effect = trader.effect([Trade(side, table.assets[i].asset_id, table.par[i], table.price[i])])
        for k, number in enumerate(table.tests):
            change = effect.test(number).change
            assert table.changes[i, k] == pytest.approx(change, rel=1e-9, abs=1e-9)
        moved = effect.after.less(effect.before)
        for name, column in table.figures.items():
            assert column[i] == pytest.approx(moved[name], rel=1e-9, abs=1e-9)
        assert table.quality[i] == pytest.approx(moved["quality"], abs=1e-9)
        assert table.broken(i) == effect.breaks


# --- largest sizes -----------------------------------------------------------------------------------------------


@given(SEEDS, st.sampled_from(list(Side)), st.sampled_from([1.0, 1000.0, 250_000.0]))
@settings(max_examples=30)
def test_that_the_largest_size_passes_and_one_unit_more_fails(seed: int, side: Side, unit: float) -> None:
    rng = np.random.default_rng(seed)
    world = study.trader(worlds.book(rng), library.catalogue())
    asset_id = str(rng.choice([h.asset_id for h in world.book.deal.holdings]))
    trade = Trade(side, asset_id, 1.0, float(rng.choice([60.0, 99.0, 101.0])))
    found = largest(world, trade, unit=unit)
    if found.par > 0.0:
        assert world.effect([replace(trade, par=found.par)]).breaks == ()
    if found.stopped_by:
        more = math.floor(found.par / unit + 1e-9) * unit + unit
        most = world.par[world.place(asset_id)] if side is Side.SELL else math.inf
        effect = world.effect([replace(trade, par=min(more, most))])
        assert effect.breaks == found.stopped_by
    elif side is Side.SELL:
        assert found.par == world.par[world.place(asset_id)]


def test_that_the_largest_size_counts_what_other_trades_did_before(trader: Trader) -> None:
    ids = (h.asset_id for h in trader.book.deal.holdings)
    sizes = ((i, largest(trader, Trade(Side.BUY, i, 1.0, 99.0))) for i in ids)
    asset_id, alone = next((i, size) for i, size in sizes if size.par > 1e6)
    first = Trade(Side.BUY, asset_id, alone.par, 99.0)
    assert alone.stopped_by
    assert largest(trader, Trade(Side.BUY, asset_id, 1.0, 99.0), [first]).par <= 1000.0


# --- bid lists ---------------------------------------------------------------------------------------------------


def test_that_a_pasted_list_is_read_with_sizes_and_prices(trader: Trader) -> None:
    a, b, c = (trader.book.deal.holdings[i].asset_id for i in range(3))
    text = f"Name\tSize\tTalk\n{a}\t2.5mm\t98.5-99\n{b}  1,500,000  97\n\n{c.lower()} 3 99.25\nNothing Known\t1mm\n{a}"
    lines = read_lines(text, trader.assets.values())
    assert [(x.row, x.asset.asset_id if x.asset else None, x.size, x.price) for x in lines] == [
        (2, a, 2.5e6, 99.0),
        (3, b, 1.5e6, 97.0),
        (5, c, 3e6, 99.25),
        (6, None, 1e6, None),
        (7, a, None, None),
    ]
    assert "not in the asset master" in lines[3].problem


def test_that_a_name_of_several_assets_is_told_with_them_and_not_guessed(trader: Trader) -> None:
    twins = [replace(a, asset_id=f"T{i}", issue_name="TWIN CORP TL") for i, a in enumerate(trader.pool.assets[:2])]
    (line,) = read_lines("Twin Corp TL  2mm", twins)
    assert line.asset is None
    assert line.problem == "Twin Corp TL may be T0, T1; write the id."


def test_that_each_line_of_a_list_is_judged_as_its_trade(trader: Trader) -> None:
    ids = [a.asset_id for a in trader.pool.assets[::23]]
    lines = read_lines("\n".join(f"{i}\t{k + 1}mm\t{95 + k % 5}" for k, i in enumerate(ids)), trader.assets.values())
    for found, size in zip(fit(trader, lines), range(1, 99), strict=False):
        trade = Trade(Side.BUY, found.line.asset.asset_id, size * 1e6, found.price)
        effect = trader.effect([trade])
        assert found.fits == (not effect.breaks)
        assert found.breaks == effect.breaks
        assert found.largest == largest(trader, trade)
        assert found.fits == (found.largest.par >= found.par)
        change = effect.after.less(effect.before)
        for name, value in found.changes.items():
            assert value == pytest.approx(change[name], rel=1e-9, abs=1e-9)


def test_that_a_size_and_a_price_with_one_blank_between_are_both_read(trader: Trader) -> None:
    asset_id = next(iter(trader.assets.values())).asset_id
    (line,) = read_lines(f"{asset_id}  2mm 98.5", trader.assets.values())
    assert (line.size, line.price) == (2e6, 98.5)


def test_that_a_line_that_cannot_be_judged_says_why(trader: Trader) -> None:
    held = {h.asset_id for h in trader.book.deal.holdings}
    strange = next(a.asset_id for a in trader.pool.assets if a.asset_id not in held)
    lines = read_lines(f"{strange}\t1mm\t99\nwho?", trader.assets.values())
    sold = fit(trader, lines, Side.SELL)
    assert [f.fits for f in sold] == [None, None]
    assert sold[0].problem == "The deal does not hold it."
    assert "not in the asset master" in sold[1].problem
