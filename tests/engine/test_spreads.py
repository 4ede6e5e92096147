"""Z-spreads against a plain reference over random pools, and the worked case of the discounting they rest on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import dates
from engine.curves import Curve
from engine.loans.discounting import periods, quarters, solve, worth
from engine.loans.spreads import promised_flows, z_spreads
from engine.loans.vectors import Vector
from engine.terms import CurveNode
from tests.engine import reference_collateral as ref
from tests.engine.builders import day, loan
from tests.engine.loan_worlds import ANALYSIS, CALENDAR, FIXINGS, Lot, World, worlds

NODES = ((1, 0.031), (3, 0.033), (12, 0.029), (36, 0.026), (84, 0.034), (120, 0.037))
CURVE = Curve.of_nodes(ANALYSIS, [CurveNode(months, rate) for months, rate in NODES])
FLAT = Curve.of_nodes(ANALYSIS, [CurveNode(3, 0.04)])
NOTHING = (Vector((0.0,)), Vector((0.0,)), Vector((0.0,)))

# --- the reference, plain and slow ---------------------------------------------------------------------------------


def plain_quarters(begin: dt.date, end: dt.date, *, backwards: bool) -> float:
    count = 0
    if backwards:
        while ref.add_months(end, -3 * (count + 1)) >= begin:
            count += 1
        last, further = ref.add_months(end, -3 * count), ref.add_months(end, -3 * (count + 1))
        return count + (last - begin) / (last - further)
    while ref.add_months(begin, 3 * (count + 1)) <= end:
        count += 1
    last, further = ref.add_months(begin, 3 * count), ref.add_months(begin, 3 * (count + 1))
    return count + (end - last) / (further - last)


def plain_worth(spread: float, flows: Sequence[tuple[dt.date, float]], curve: Curve) -> float:
    total, factor, before = 0.0, 1.0, ANALYSIS
    for on, amount in flows:
        n = plain_quarters(before, on, backwards=before == ANALYSIS)
        ratio = curve.discount(dates.serial(on)) / curve.discount(dates.serial(before))
        forward = 4 * (ratio ** (-1 / n) - 1)
        factor *= (1 + (forward + spread) / 4) ** -n
        total += factor * amount
        before = on
    return total


def plain_spread(price: float, flows: Sequence[tuple[dt.date, float]], curve: Curve) -> float:
    """By bisection; NaN where nothing between -150 % and 10,000 % will do."""
    low, high = -1.5, 100.0
    if not flows or not plain_worth(low, flows, curve) > price > plain_worth(high, flows, curve):
        return np.nan
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if plain_worth(middle, flows, curve) > price else (low, middle)
    return low


def plain_flows(world: World, i: int, curve: Curve) -> list[tuple[dt.date, float]]:
    """What a loan promises after the analysis date, by date."""
    with patch("tests.engine.loan_worlds.rate", lambda on, tenor: curve.forward(dates.serial(on), tenor)):
        rows = world.reference(i, 0)
    by_date: dict[dt.date, float] = {}
    for row in rows:
        cash = row.interest + row.scheduled + row.unscheduled + row.recoveries + row.proceeds - row.drawn
        by_date[row.date] = by_date.get(row.date, 0.0) + cash
    return [
        (on, cash) for on, cash in sorted(by_date.items()) if abs(cash) > 1e-9 * world.lots[i].par and on > ANALYSIS
    ]


def spreads_of(world: World, curve: Curve = CURVE) -> np.ndarray:
    prices = [np.nan if lot.asset.market_value is None else lot.asset.market_value for lot in world.lots]
    return z_spreads(world.tape(), curve, CALENDAR, np.array(prices), FIXINGS.tenors)


def spread_at(price: float, tape: Any, curve: Curve = CURVE) -> float:
    """The spread of the one loan of a tape."""
    return float(z_spreads(tape, curve, CALENDAR, np.array([price]), FIXINGS.tenors)[0])


def world_of(*lots: tuple[Any, float]) -> World:
    return World([Lot(asset, par, [NOTHING]) for asset, par in lots])


def promised(world: World) -> World:
    """The same pool without prepayments and defaults, beside a plain loan."""
    plain = Lot(loan("PLAIN", maturity=day("2029-06-29"), market_value=97.0), 1e6, [NOTHING])
    return replace(
        world, lots=[*(replace(lot, vectors=[NOTHING]) for lot in world.lots), plain], lag=0.0, pays_accrued=False
    )


# --- facts -------------------------------------------------------------------------------------------------------


@given(worlds(most=5))
@settings(max_examples=60)
def test_that_a_spread_is_what_the_reference_finds_by_bisection(world: World) -> None:
    world = promised(world)
    found = spreads_of(world)
    for i, lot in enumerate(world.lots):
        price = lot.asset.market_value
        if lot.asset.defaulted or not price or lot.par <= 0.0:
            assert np.isnan(found[i])
            continue
        flows = plain_flows(world, i, CURVE)
        expected = plain_spread(price / 100 * lot.par, flows, CURVE)
        if np.isnan(expected):
            assert np.isnan(found[i])
            continue
        # a price next to nothing is met to a thousandth of a cent
        assert plain_worth(found[i], flows, CURVE) == pytest.approx(price / 100 * lot.par, rel=1e-6, abs=1e-5)
        if min(cash for _, cash in flows) > 0.0:  # with draws to fund there may be several answers
            assert found[i] == pytest.approx(expected, rel=1e-7, abs=1e-9)


@given(worlds(most=5))
@settings(max_examples=20)
def test_that_prepayments_and_defaults_assumed_of_the_pool_do_not_move_spreads(world: World) -> None:
    assumed, plain = replace(world, lag=0.0, pays_accrued=False), promised(world)
    assumed = replace(assumed, lots=[*world.lots, replace(plain.lots[-1], vectors=world.lots[0].vectors)])
    np.testing.assert_array_equal(spreads_of(assumed), spreads_of(plain))


def test_that_a_loan_at_what_the_curve_makes_it_worth_has_no_spread() -> None:
    world = world_of((loan(maturity=day("2029-06-29")), 1e6))
    flows = promised_flows(world.tape(), CURVE, CALENDAR, FIXINGS.tenors)
    worth_now = sum(cash * CURVE.discount(int(on)) for on, cash in zip(flows.payment, flows.total, strict=True))
    assert z_spreads(world.tape(), CURVE, CALENDAR, np.array([worth_now / 1e6 * 100]), FIXINGS.tenors)[
        0
    ] == pytest.approx(0, abs=1e-12)


def test_that_a_floater_at_par_on_a_payment_date_pays_about_its_margin() -> None:
    """It accrues on actual days over 360, so a little more than its margin of 4 %."""
    start = ANALYSIS
    asset = loan(
        maturity=ref.add_months(start, 60), first_payment_date=start, dated_date=ref.add_months(start, -3),
        coupon=None, coupon_spread=0.04, index_floor=None, market_value=100.0, payment_eom=False,
        business_day_convention="None",
    )  # fmt: skip
    lot = World([Lot(asset, 1e6, [NOTHING])])
    tape = lot.tape()
    tape = tape._replace(coupon=np.array([FLAT.forward(dates.serial(start), 3) + 0.04]))
    found = spread_at(100.0, tape, FLAT)
    assert found == pytest.approx(0.04 * 365 / 360, abs=0.0004)


@given(st.floats(5.0, 120.0), st.floats(0.1, 20.0))
@settings(max_examples=40)
def test_that_a_lower_price_is_a_wider_spread(price: float, less: float) -> None:
    tape = world_of((loan(maturity=day("2029-06-29")), 1e6)).tape()
    both = [
        z_spreads(tape, CURVE, CALENDAR, np.array([p]), FIXINGS.tenors)[0] for p in (price, price * (1 - less / 100))
    ]
    assert both[0] < both[1]


@pytest.mark.parametrize(
    "changes",
    [{"market_value": None}, {"market_value": 0.0}, {"defaulted": True}, {"maturity": day("2024-01-15")}],
    ids=["without a price", "at nothing", "in default", "matured"],
)
def test_that_an_asset_without_anything_to_price_has_no_spread(changes: dict[str, Any]) -> None:
    other = {"maturity": day("2029-06-29")} | changes
    world = world_of((loan("L1", **other), 1e6), (loan("L2", maturity=day("2029-06-29")), 1e6))
    found = spreads_of(world)
    assert np.isnan(found[0])
    assert np.isfinite(found[1])


def test_that_the_size_of_a_position_does_not_move_its_spread() -> None:
    asset = loan(maturity=day("2030-06-28"), market_value=93.5)
    small, large = (spreads_of(world_of((asset, par)))[0] for par in (1e3, 1e9))
    assert small == pytest.approx(large, abs=1e-12)


def test_that_an_empty_pool_has_no_spreads() -> None:
    tape = world_of((loan(), 1e6)).tape()
    none = tape._replace(par=np.zeros(0))
    assert z_spreads(none, CURVE, CALENDAR, np.zeros(0), FIXINGS.tenors).size == 0


@given(st.dates(day("2020-01-01"), day("2030-12-31")), st.integers(1, 4000), st.booleans())
def test_that_quarters_are_counted_as_the_reference_counts_them(begin: dt.date, length: int, backwards: bool) -> None:
    end = begin + dt.timedelta(days=length)
    found = quarters(dates.serial(begin), dates.serial(end), backwards)
    assert found == pytest.approx(plain_quarters(begin, end, backwards=backwards), abs=1e-12)


def test_that_discounting_is_that_of_case_lia_2(cases: dict[str, Any]) -> None:
    case = cases["LIA-2"]
    given_, expected = case["inputs"], case["expected"]
    days = dates.serials(day(text) for text in given_["dates"])
    lengths, _ = periods(dates.serial(day(given_["asof"])), days, Curve.flat(day(given_["asof"]), 0.02))
    flows, zeros = np.array(given_["cashflows"]), np.array(expected["zero_rates"])
    price = given_["price"] * given_["current_balance"]
    assert solve(price, flows, lengths, np.zeros(8)) == pytest.approx(expected["yield_given_price"], abs=1e-12)
    assert solve(price, flows, lengths, zeros) == pytest.approx(expected["dm_given_price_legacy"], abs=1e-12)
    at_margin = worth(given_["input_dm"], flows, lengths, zeros)[0] / given_["current_balance"]
    assert at_margin == pytest.approx(expected["price_given_dm_legacy"], abs=1e-12)
