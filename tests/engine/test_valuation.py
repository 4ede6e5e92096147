"""Notes alone: what a yield, margin or spread makes of flows, and back; against a plain reference."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import dates
from engine.curves import Curve
from engine.terms import CurveNode
from engine.valuation import irr, times, xirr, xirr_lanes, xnpv
from engine.valuation.alternatives import Outcome
from engine.valuation.calls import ClassCalls, Redemption
from engine.valuation.classes import ClassValue
from engine.valuation.conventions import MEASURES, convert
from engine.valuation.discounting import by_margin, by_yield, over_curve
from engine.valuation.equity import EquityValue
from engine.valuation.marks import Bucket, Marks
from engine.valuation.note import RATES, Note, Quote, Style, duration
from engine.valuation.rate_risk import RateRisk
from tests.engine import plain_valuation as plain

AS_OF = dt.date(2025, 3, 31)
CURVE = Curve.of_nodes(AS_OF, [CurveNode(1, 0.043), CurveNode(12, 0.039), CurveNode(60, 0.037), CurveNode(120, 0.041)])
TYPICAL = st.floats(0.0, 0.25)


@dataclass(frozen=True)
class World:
    note: Note
    plain: plain.PlainNote
    clean: float


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A note on quarterly dates, some rolled, that repays on any of them, or never in full."""
    settlement = AS_OF + draw(st.integers(0, 80)) * plain.DAY
    first = settlement + draw(st.integers(1, 95)) * plain.DAY
    n = draw(st.integers(1, 44))
    days = [plain.months_moved(first, 3 * k) + draw(st.sampled_from([0, 0, 1, 2])) * plain.DAY for k in range(n)]
    coupon = draw(st.floats(0.005, 0.12))
    claim, left = 1e8, 1e8
    amounts, principal = [], []
    for k in range(n):
        repaid = left * draw(st.sampled_from([0.0, 0.0, 0.1, 1.0])) if k < n - 1 else left * draw(st.floats(0.2, 1.0))
        amounts.append(left * coupon / 4 + repaid)
        principal.append(repaid)
        left -= repaid
    forwards = [draw(st.floats(-0.005, 0.08)) for _ in range(n)]
    note = Note(
        settlement=dates.serial(settlement),
        days=dates.serials(days),
        amounts=np.array(amounts)[:, None],
        principal=np.array(principal)[:, None],
        claim=claim,
        accrued=claim * draw(st.floats(0.0, 0.02)),
        forwards=np.array(forwards),
        months=3,
        curve=CURVE,
    )
    reference = plain.PlainNote(
        settlement, days, amounts, forwards, AS_OF, lambda day: CURVE.discount(dates.serial(day))
    )
    return World(note, reference, draw(st.floats(40.0, 115.0)))


def worth(of: World, style: Style, rate: float) -> float:
    if style is Style.MARGIN:
        return of.plain.worth_at_margin(rate)
    if style is Style.SPREAD:
        return of.plain.worth_at_spread(rate)
    if style is Style.STREET:
        return of.plain.worth_at_street_yield(rate, 3)
    return of.plain.worth_at_yield(rate, 4.0 if style is Style.QUARTERLY else 2.0)


# --- prices and rates ----------------------------------------------------------------------------------------------


@given(worlds(), TYPICAL, st.sampled_from(RATES))
def test_that_a_price_is_the_reference_s(of: World, rate: float, style: Style) -> None:
    price = of.note.price(Quote(style, rate))
    assert price is not None
    assert (price * 1e6 + of.note.accrued) == pytest.approx(worth(of, style, rate), rel=1e-12)


@given(worlds(), st.sampled_from(RATES))
def test_that_a_price_comes_back_from_its_rate_within_a_hundred_millionth(of: World, style: Style) -> None:
    rate = of.note.rate(style, of.clean)
    assume(rate is not None and -0.45 < rate < 9.0)
    assert rate is not None
    assert of.note.price(Quote(style, rate)) == pytest.approx(of.clean, abs=1e-8)


@given(worlds(), TYPICAL, st.sampled_from(RATES))
def test_that_a_rate_is_the_one_that_bisection_finds(of: World, rate: float, style: Style) -> None:
    clean = (worth(of, style, rate) - of.note.accrued) / 1e6
    found = of.note.rate(style, clean)
    assert found == pytest.approx(rate, abs=1e-10)
    assert found == pytest.approx(
        plain.bisected(lambda x: worth(of, style, x), clean * 1e6 + of.note.accrued, -0.2, 1.0), abs=1e-10
    )


@given(worlds(), TYPICAL, st.floats(1e-6, 0.2), st.sampled_from(RATES))
def test_that_a_price_falls_as_its_rate_rises(of: World, rate: float, more: float, style: Style) -> None:
    lower, higher = of.note.price(Quote(style, rate)), of.note.price(Quote(style, rate + more))
    assert lower is not None
    assert higher is not None
    assert higher < lower


@given(worlds(), TYPICAL)
def test_that_a_price_lies_between_nothing_and_all_flows_where_rates_are_positive(of: World, rate: float) -> None:
    worths = of.note.discounting(Style.QUARTERLY).worth(of.note.amounts, np.array([[rate]]))
    assert 0.0 < worths[0, 0] <= of.note.amounts.sum() * (1 + 1e-15)


@given(worlds(), worlds(), st.lists(st.floats(50.0, 110.0), min_size=1, max_size=5), st.sampled_from(RATES))
def test_that_lanes_are_what_each_flow_and_price_is_alone(
    of: World, other: World, prices: list[float], style: Style
) -> None:
    n = of.note.days.size
    second = np.resize(other.note.amounts[:, 0], n)
    both = replace(of.note, amounts=np.column_stack([of.note.amounts[:, 0], second, np.zeros(n)]))
    grid = np.repeat(np.array(prices)[:, None], 3, axis=1)
    found = both.rates(style, grid)
    alone = replace(of.note, amounts=second[:, None])
    for p, price in enumerate(prices):
        for lane, note in enumerate((of.note, alone)):
            expected = note.rate(style, price)
            # Newton starts from the rate of the price before, so the last bit may differ
            assert found[p, lane] == pytest.approx(math.nan if expected is None else expected, abs=1e-11, nan_ok=True)
        assert math.isnan(found[p, 2])


def test_that_flows_of_nothing_and_prices_of_nothing_have_no_rate() -> None:
    way = by_yield(np.array([0.25, 0.5]), 4.0)
    assert np.isnan(way.solve(np.zeros((2, 1)), np.array([[1.0]]))).all()
    assert np.isnan(way.solve(np.ones((2, 1)), np.array([[0.0], [-1.0], [np.nan]]))).all()
    assert np.isnan(way.solve(np.ones((2, 1)), np.array([[1e-300]]))).all()
    assert np.isnan(way.worth(np.ones((2, 1)), np.array([[-4.0]]))).all()
    assert np.isnan(by_yield(np.zeros(1), 4.0).solve(np.ones((1, 1)), np.ones((1, 1)))).all()


@pytest.mark.parametrize(("style", "value"), [(Style.PRICE, 0.0), (Style.PRICE, math.nan), (Style.MARGIN, 11.0)])
def test_that_a_quote_out_of_range_is_refused_with_the_unit(style: Style, value: float) -> None:
    with pytest.raises(ValueError, match=r"is 99.5 %|is 5 %"):
        Quote(style, value)


@given(st.floats(0.0, 0.08), st.floats(0.001, 0.1), st.integers(1, 40))
def test_that_a_floater_at_par_has_its_spread_as_margin(index: float, spread: float, n: int) -> None:
    days = np.array([dates.add_months(dates.serial(AS_OF), 3 * (k + 1), False) for k in range(n)])
    steps = np.diff(np.concatenate([[dates.serial(AS_OF)], days])) / 360.0
    forwards = index + 0.01 * np.sin(np.arange(n))
    flows = (forwards + spread) * steps
    flows[-1] += 1.0
    found = by_margin(forwards, steps).solve(flows[:, None], np.ones((1, 1)))[0, 0]
    assert found == pytest.approx(spread, abs=1e-12)


@given(st.floats(0.0, 0.2), st.integers(1, 40))
def test_that_a_par_bond_has_its_coupon_as_street_yield(coupon: float, n: int) -> None:
    days = np.array([dates.add_months(dates.serial(dt.date(2025, 1, 15)), 3 * (k + 1), False) for k in range(n)])
    years = times.street(dates.serial(dt.date(2025, 1, 15)), days, 3)
    assert years == pytest.approx((np.arange(n) + 1) / 4)
    flows = np.full(n, coupon / 4)
    flows[-1] += 1.0
    assert by_yield(years, 4.0).solve(flows[:, None], np.ones((1, 1)))[0, 0] == pytest.approx(coupon, abs=1e-12)


@given(worlds())
def test_that_no_spread_over_the_curve_is_the_curve_s_own_worth(of: World) -> None:
    for frequency in (0.0, 2.0, 4.0):
        way = over_curve(CURVE, of.note.settlement, of.note.days, frequency)
        worth_there = way.worth(of.note.amounts, np.zeros((1, 1)))[0, 0]
        own = sum(a * CURVE.discount(int(d)) for a, d in zip(of.note.amounts[:, 0], of.note.days, strict=True))
        assert worth_there == pytest.approx(own / CURVE.discount(of.note.settlement), rel=1e-12)


# --- risk ----------------------------------------------------------------------------------------------------------


@given(worlds(), st.floats(0.01, 0.2))
def test_that_durations_and_convexity_are_what_moving_the_rate_does(of: World, rate: float) -> None:
    clean = of.note.price(Quote(Style.QUARTERLY, rate))
    assert clean is not None
    risk, margin = of.note.risk(clean), of.note.rate(Style.MARGIN, clean)
    assert risk is not None
    assert margin is not None
    h = 1e-4
    low, here, high = (of.plain.worth_at_yield(rate + d, 4.0) for d in (-h, 0.0, h))
    assert risk.modified == pytest.approx((low - high) / (2 * h * here), rel=1e-5)
    assert risk.convexity == pytest.approx((low + high - 2 * here) / (h * h * here), rel=1e-3, abs=1e-4)
    assert risk.dv01 == pytest.approx((low - high) / 2, rel=1e-9)
    low, here, high = (of.plain.worth_at_margin(margin + d) for d in (-h, 0.0, h))
    assert risk.spread_duration == pytest.approx((low - high) / (2 * h * here), rel=1e-5)
    assert risk.cs01 == pytest.approx((low - high) / 2, rel=1e-9)


@given(worlds(), st.floats(0.0, 0.2))
def test_that_macaulay_lies_between_the_first_and_the_last_payment(of: World, rate: float) -> None:
    flows = of.note.amounts[:, 0]
    macaulay, convexity = duration(of.note.times, flows, rate, 4.0, of.plain.worth_at_yield(rate, 4.0))
    paying = of.note.times[flows > 0.0]
    assert paying[0] - 1e-9 <= macaulay <= paying[-1] + 1e-9
    assert convexity > 0.0


@given(worlds())
def test_that_the_average_life_is_the_mean_time_of_what_is_owed(of: World) -> None:
    wal = of.note.wal()
    assert wal is not None
    owed = 1e8
    repaid = of.note.principal[:, 0]
    weights = [*repaid.tolist(), owed - repaid.sum()]
    last = (of.plain.days[-1] - of.plain.settlement).days / 365
    years = [*((d - of.plain.settlement).days / 365 for d in of.plain.days), last]
    expected = math.fsum(w * t for w, t in zip(weights, years, strict=True)) / owed
    assert wal == pytest.approx(expected, rel=1e-10)
    assert 0.0 < wal <= last + 1e-9


def test_that_a_claim_of_nothing_has_no_average_life() -> None:
    note = Note(0, np.array([90]), np.zeros((1, 1)), np.zeros((1, 1)), 0.0, 0.0, np.zeros(1), 3, CURVE)
    assert note.wal() is None


# --- times ---------------------------------------------------------------------------------------------------------


@given(worlds(), st.sampled_from([1, 3, 6]))
def test_that_street_periods_are_the_reference_s(of: World, months: int) -> None:
    found = times.street(of.note.settlement, of.note.days, months) * 12 / months
    expected, at, total = [], of.plain.settlement, 0.0
    for i, day in enumerate(of.plain.days):
        total += plain.periods_on(at, day, months) if i else plain.periods_back(at, day, months)
        expected.append(total)
        at = day
    assert found == pytest.approx(expected, rel=1e-13)


def test_that_times_of_no_payment_are_none() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert times.street(0, none, 3).size == times.stepwise(0, none, 0, 0).size == times.stepwise_icma(0, none, []).size


# --- rates of return -----------------------------------------------------------------------------------------------

RETURNS = st.lists(st.floats(0.0, 3e5), min_size=2, max_size=60).filter(lambda paid: sum(paid) > 1e5)


@given(RETURNS, st.floats(2e5, 5e6))
def test_that_an_irr_reprices_to_zero_within_a_millionth_a_million(paid: list[float], cost: float) -> None:
    days = [AS_OF + 91 * k * plain.DAY for k in range(len(paid) + 1)]
    flows = [-cost, *paid]
    found = xirr(days, flows)
    lane = xirr_lanes([(days[0], -cost)], days[1:], np.array(paid)[:, None])[0]
    assume(found is not None and found > -0.9)
    assert found is not None
    assert abs(xnpv(found, days, flows)) <= 1e-6 * cost / 1e6 * max(1.0, (1.0 + found) ** -15)
    assert lane == pytest.approx(found, abs=1e-10)
    assert found == pytest.approx(plain.irr(list(zip(days, flows, strict=True))), abs=1e-9)


def test_that_without_a_change_of_sign_there_is_no_irr() -> None:
    days = [AS_OF, AS_OF + 91 * plain.DAY]
    for flows in ([-1.0, -2.0], [0.0, 0.0], [1.0, 2.0], []):
        assert xirr(days[: len(flows)], flows) is None
        assert irr(flows) is None


FREQUENCIES = st.sampled_from([0.0, 1.0, 2.0, 4.0, 12.0, math.inf])


@given(st.floats(-0.05, 0.3), FREQUENCIES, FREQUENCIES, st.floats(0.2, 5.0), st.floats(0.2, 5.0))
def test_that_a_converted_rate_comes_back(rate: float, m: float, other: float, years: float, counted: float) -> None:
    there = convert(rate, m, years, other, counted)
    assert convert(there, other, counted, m, years) == pytest.approx(rate, abs=1e-11)
    assert convert(rate, m, years, m, years) == pytest.approx(rate, abs=1e-12)


def test_that_a_rate_needs_time() -> None:
    with pytest.raises(ValueError, match="some time"):
        convert(0.05, 4.0, 1.0, 2.0, 0.0)


# --- conventions ---------------------------------------------------------------------------------------------------


def test_that_every_figure_has_a_unit_and_a_convention() -> None:
    identities = {"name", "class_id", "is_equity", "clean", "action", "on", "counted", "flows"}
    results = (ClassValue, EquityValue, Marks, RateRisk, ClassCalls, Redemption, Bucket, Outcome)
    named = set(itertools.chain.from_iterable([f.name for f in fields(result)] for result in results))
    assert named - identities <= set(MEASURES)
    assert set(MEASURES) <= named
    assert all(m.unit and m.convention and m.title for m in MEASURES.values())
