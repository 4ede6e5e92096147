"""The loan kernels against the plain reference over random pools and lanes, and what must hold for any pool."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.loans import columns as col
from engine.loans import detail
from engine.loans.coupons import load
from engine.loans.tape import opening
from tests.engine.builders import day
from tests.engine.loan_worlds import CALENDAR, FAR, World, quarters, run, worlds

LASTS = st.sampled_from([day("2026-01-03"), day("2031-07-03"), FAR])


@given(worlds(), LASTS)
@settings(max_examples=80)
def test_that_the_kernel_is_the_reference_for_any_pool_and_lane(world: World, last: dt.date) -> None:
    ends = quarters(last)
    flows, _ = world.run(ends)
    scale = max(1.0, sum(lot.par for lot in world.lots) / 1e6)
    for lane in range(world.lanes):
        expected = sum(world.expected(ends, lane, i) for i in range(len(world.lots)))
        np.testing.assert_allclose(flows[:-1, :, lane], expected[:-1], rtol=0, atol=1e-5 * scale)


@given(worlds(most=4), LASTS)
@settings(max_examples=25)
def test_that_shared_nodes_give_what_nodes_of_each_loan_give(world: World, last: dt.date) -> None:
    ends = quarters(last)
    flows, watched = world.run(ends, watched=np.arange(len(world.lots)))
    apart, watched_apart = world.run(ends, watched=np.arange(len(world.lots)), factorised=False)
    scale = sum(lot.par for lot in world.lots)
    np.testing.assert_allclose(flows, apart, rtol=1e-9, atol=1e-9 * scale)
    np.testing.assert_allclose(watched, watched_apart, rtol=1e-9, atol=1e-9 * scale)


@given(worlds(most=4), LASTS)
@settings(max_examples=25)
def test_that_watched_balances_are_what_the_flows_leave_of_each_loan(world: World, last: dt.date) -> None:
    ends = quarters(last)
    chosen = np.arange(len(world.lots))[::-1]
    flows, watched = world.run(ends, watched=chosen)
    unwatched, _ = world.run(ends)
    scale = sum(lot.par for lot in world.lots)
    np.testing.assert_allclose(flows, unwatched, rtol=1e-9, atol=1e-9 * scale)
    for place, i in enumerate(chosen):
        lot = world.lots[i]
        for lane in range(world.lanes):
            expected = world.expected(ends, lane, i)[:-1]
            change = expected[:, [col.CAPITALISED, col.DRAWN]].sum(axis=1)
            change -= expected[:, [col.DEFAULTED, col.SCHEDULED, col.UNSCHEDULED, col.SOLD]].sum(axis=1)
            start = 0.0 if lot.asset.defaulted else lot.par
            np.testing.assert_allclose(watched[:, place, lane], start + np.cumsum(change), atol=1e-6 + 1e-11 * scale)


@given(worlds())
@settings(max_examples=25)
def test_that_par_and_draws_are_principal_sales_and_defaults_and_defaults_are_recoveries_and_losses(
    world: World,
) -> None:
    flows, _ = world.run(quarters(FAR))
    total = flows.sum(axis=0)
    start = opening(world.tape())
    scale = start.performing + start.defaulted
    gone = total[col.SCHEDULED] + total[col.UNSCHEDULED] + total[col.DEFAULTED] + total[col.SOLD]
    assert gone == pytest.approx(start.performing + total[col.CAPITALISED] + total[col.DRAWN], rel=1e-9, abs=1e-6)
    resolved = total[col.RECOVERIES] + total[col.LOSS]
    assert resolved == pytest.approx(total[col.DEFAULTED] + start.defaulted, rel=1e-9, abs=1e-6)
    # all that was marked or left out is gone in the end
    assert start.marked + total[col.MARKED] == pytest.approx(0.0, abs=1e-9 * scale)
    assert start.haircut + total[col.HAIRCUT] == pytest.approx(0.0, abs=1e-9 * scale)
    if world.recover:
        assert total[col.RECOVERIES] == pytest.approx(total[col.CLAIM] + start.carrying, rel=1e-9, abs=1e-6)


@given(worlds(most=4, lanes=3), LASTS, st.integers(0, 2), st.integers(1, 40))
@settings(max_examples=25)
def test_that_a_scenario_has_the_same_bits_alone_and_in_any_lane(
    world: World, last: dt.date, lane: int, width: int
) -> None:
    tape = world.tape()
    loaded = load(world.laid_out(tape, quarters(last), watched=np.array([0])), tape, world.fixings, CALENDAR)
    rates = world.rates()
    flows, watched = run(loaded, rates)
    alone, watched_alone = run(loaded, rates[:, :, [lane]])
    many, watched_many = run(loaded, rates[:, :, (np.arange(width) + lane) % 3])
    for k in (0, width - 1):
        whose = (k + lane) % 3
        assert many[:, :, k].tobytes() == flows[:, :, whose].tobytes()
        assert watched_many[:, :, k].tobytes() == watched[:, :, whose].tobytes()
    assert alone[:, :, 0].tobytes() == flows[:, :, lane].tobytes()
    assert watched_alone[:, :, 0].tobytes() == watched[:, :, lane].tobytes()


@given(worlds(most=4), LASTS)
@settings(max_examples=25)
def test_that_the_flows_of_the_assets_are_those_of_the_pool(world: World, last: dt.date) -> None:
    ends = quarters(last)
    tape = world.tape()
    layout, rates = world.laid_out(tape, ends), world.rates()
    flows, _ = run(load(layout, tape, world.fixings, CALENDAR), rates)
    found = detail.loan_flows(layout, tape, world.fixings, rates, CALENDAR)
    scale = sum(lot.par for lot in world.lots)
    np.testing.assert_allclose(found.sum(axis=0), flows[:, :, 0], rtol=1e-9, atol=1e-9 * scale)
    for i in range(len(world.lots)):
        np.testing.assert_allclose(found[i, :-1], world.expected(ends, 0, i)[:-1], atol=1e-6 + 1e-12 * scale)


@given(worlds(most=2))
@settings(max_examples=25)
def test_that_the_record_of_an_asset_rolls_from_its_par_to_nothing(world: World) -> None:
    ends = quarters(FAR)
    tape = world.tape()
    layout, rates = world.laid_out(tape, ends), world.rates()
    record = detail.asset_flows(layout, tape, world.fixings, rates, CALENDAR)
    for i, lot in enumerate(world.lots):
        mine = record.of(i)
        assert (np.diff(mine.payment) > 0).all()
        start = 0.0 if lot.asset.defaulted else lot.par
        assert mine.opening[0] == pytest.approx(start)
        assert mine.opening[1:] == pytest.approx(mine.closing[:-1], abs=1e-6)
        assert mine.closing[-1] == pytest.approx(0.0, abs=1e-6 * max(1.0, lot.par / 1e6))
        assert mine.default_balance[-1] == pytest.approx(0.0, abs=1e-6 * max(1.0, lot.par / 1e6))
        rows = world.reference(i, 0)
        cash = sum(r.interest + r.scheduled + r.unscheduled + r.recoveries + r.proceeds - r.drawn for r in rows)
        assert mine.total.sum() == pytest.approx(cash, rel=1e-9, abs=1e-5)
