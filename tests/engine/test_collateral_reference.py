"""The loan kernel against the plain reference over random loans, and what must hold for any loan."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import calendars
from engine import collateral as col
from engine.asset import Asset
from engine.terms import Sink
from engine.validation.harness import run_loans
from tests.engine import reference_collateral as ref
from tests.engine.builders import day

ANALYSIS = day("2024-02-14")
HOLIDAYS = calendars.us_holidays(2014, 2045)
CLOSED = frozenset(HOLIDAYS)
FAR = day("2042-12-31")  # every flow of every loan below comes before


def rate(on: dt.date, tenor: int) -> float:
    """An index that wanders, falls below zero for a while, and is never a tie in its fifth decimal."""
    years = (on - ANALYSIS).days / 365
    return 0.0312345678 - 0.012 * years + 0.0016 * years**2 + 0.000123 * tenor


ANNUAL = st.sampled_from([0.0, 0.02, 0.2, 0.6, 1.0]) | st.floats(0.0, 1.0, width=32)
VECTORS = st.lists(ANNUAL, min_size=1, max_size=5).map(tuple)


@st.composite
def lots(draw: st.DrawFn, number: int) -> tuple[Asset, float, tuple[tuple[dt.date, float], ...]]:
    """A loan with its par and, now and then, a sink table with dates on and off its cycle."""
    frequency = draw(st.sampled_from([1, 2, 4, 12]))
    months = 12 // frequency
    first = draw(st.dates(day("2015-01-01"), day("2025-06-30")))
    floating = draw(st.booleans())
    asset = Asset(
        asset_id=f"L{number}",
        issuer_id=f"L{number}",
        maturity=draw(st.dates(day("2024-01-10"), day("2034-12-31"))),
        coupon_type="FLOAT" if floating else "FIXED",
        payment_frequency=frequency,
        coupon_spread=draw(st.floats(0.0, 0.08)),
        credit_spread_adjustment=draw(st.none() | st.just(0.0011)),
        index_floor=draw(st.none() | st.floats(0.0, 0.04)),
        index_cap=draw(st.none() | st.floats(0.041, 0.06)),
        index_name=draw(st.sampled_from([None, "1M Term SOFR", "3M Term SOFR"])),
        coupon=draw(st.floats(0.0, 0.12)),
        dated_date=draw(st.none() | st.just(first - dt.timedelta(days=40))),
        first_payment_date=first,
        day_count=draw(st.sampled_from(["ACTUAL/360", "ACTUAL/365", "ACTUAL/ACTUAL", "30/360", "30/360EU"])),
        business_day_convention=draw(st.sampled_from([None, "None", "Following", "Mod Following", "Previous"])),
        payment_eom=draw(st.booleans()),
        amortization_type=draw(st.sampled_from([None, "Bullet", "Scheduled"])),
        piking=draw(st.booleans()),
        defaulted=draw(st.sampled_from([False, False, False, True])),
        market_value=draw(st.none() | st.floats(0.0, 110.0)),
        moodys_recovery_rate=draw(st.none() | st.floats(0.0, 0.6)),
    )
    cycle = [ref.add_months(first, k * months, bool(asset.payment_eom)) for k in range(240 // months)]
    days = draw(st.lists(st.sampled_from(cycle) | st.dates(day("2024-01-01"), day("2035-01-01")), max_size=4))
    days = [d for d in days if d <= asset.maturity]
    sinks = tuple((d, draw(st.floats(1.0, 1e6))) for d in sorted(set(days)))
    return asset, draw(st.floats(1000.0, 1e8)), sinks


@dataclass
class World:
    """Loans under assumptions."""

    lots: list[tuple[Asset, float, tuple[tuple[dt.date, float], ...]]]
    vectors: list[tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]]
    lag: float
    amortisation: float
    recover: bool

    def kernel(self, ends: list[dt.date], order: list[int] | None = None, **more: Any) -> np.ndarray:
        places = list(range(len(self.lots))) if order is None else order
        return run_loans(
            [self.lots[i][:2] for i in places],
            ANALYSIS,
            ends,
            rate=rate,
            holidays=HOLIDAYS,
            sinks=[Sink(asset.asset_id, d, amount) for asset, _, table in self.lots for d, amount in table],
            vectors=[self.vectors[i] for i in places],
            lag_months=self.lag,
            amortisation=self.amortisation,
            recover_after_maturity=self.recover,
            **more,
        )

    def rows(self, i: int) -> list[ref.Row]:
        asset, par, sinks = self.lots[i]
        cpr, cdr, severity = self.vectors[i]
        terms = ref.Terms(
            asset, par, cpr, cdr, severity, self.lag, self.amortisation, sinks, CLOSED, 0.02, self.recover
        )
        return ref.rows(terms, ANALYSIS, rate)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    n = draw(st.integers(1, 3))
    return World(
        [draw(lots(i)) for i in range(n)],
        [(draw(VECTORS), draw(VECTORS), draw(VECTORS)) for _ in range(n)],
        draw(st.integers(0, 12)),
        draw(st.sampled_from([0.0, 0.01, 0.05, 0.3])),
        draw(st.booleans()),
    )


def quarters(last: dt.date) -> list[dt.date]:
    ends, k = [], 0
    while not ends or ends[-1] < last:
        ends.append(ref.add_months(day("2024-04-03"), 3 * k))
        k += 1
    return ends


@given(worlds(), st.sampled_from([day("2026-01-03"), day("2031-07-03"), FAR]))
@settings(max_examples=150)
def test_that_the_kernel_is_the_reference_for_any_loan(world: World, last: dt.date) -> None:
    ends = quarters(last)
    flows = world.kernel(ends)
    for i in range(len(world.lots)):
        expected = np.array(ref.gather(world.rows(i), ends))
        scale = max(1.0, world.lots[i][1] / 1e6)
        np.testing.assert_allclose(flows[i, :-1], expected[:-1], rtol=0, atol=1e-6 * scale)


@given(worlds())
@settings(max_examples=50)
def test_that_par_is_principal_and_defaults_and_defaults_are_recoveries_and_losses(world: World) -> None:
    flows = world.kernel(quarters(FAR))
    for i, (asset, par, _) in enumerate(world.lots):
        total = flows[i].sum(axis=0)
        performing = 0.0 if asset.defaulted else par
        assert total[col.SCHEDULED] + total[col.UNSCHEDULED] + total[col.DEFAULTED] == pytest.approx(
            performing + total[col.CAPITALISED], abs=0.01
        )
        resolved = total[col.RECOVERIES] + total[col.LOSS]
        assert resolved == pytest.approx(total[col.DEFAULTED] + par - performing, abs=0.01)
        if not asset.defaulted and world.recover:
            assert total[col.RECOVERIES] == pytest.approx(total[col.CLAIM], abs=0.01)
        assert (flows[i][:, [c for c in range(col.N_FLOWS) if c != col.LOSS]] >= -1e-9).all()


@given(worlds(), st.floats(0.0, 1.0))
@settings(max_examples=25)
def test_that_recoveries_are_what_the_severity_leaves(world: World, severity: float) -> None:
    world.vectors = [(cpr, cdr, (severity,)) for cpr, cdr, _ in world.vectors]
    world.recover = True
    flows = world.kernel(quarters(FAR)).sum(axis=1)
    for i, (asset, _, _) in enumerate(world.lots):
        if not asset.defaulted:
            expected = (1 - severity) * flows[i, col.DEFAULTED]
            assert flows[i, col.RECOVERIES] == pytest.approx(expected, abs=0.01)


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_that_the_order_of_loans_and_the_cuts_between_calls_change_not_one_bit(world: World, random: Any) -> None:
    ends = quarters(day("2028-01-03"))
    whole = world.kernel(ends)
    order = list(range(len(world.lots)))
    random.shuffle(order)
    shuffled = world.kernel(ends, order)
    assert all(shuffled[place].tobytes() == whole[i].tobytes() for place, i in enumerate(order))
    cuts = sorted(random.choices(range(len(world.lots) + 1), k=random.randint(0, 3)))
    assert world.kernel(ends, cuts=cuts).tobytes() == whole.tobytes()


@given(lots(0), VECTORS, VECTORS, VECTORS, st.floats(0.1, 0.9))
@settings(max_examples=25)
def test_that_a_loan_held_in_two_lots_pays_what_it_pays_in_one(
    lot: tuple[Asset, float, Any], cpr: Any, cdr: Any, severity: Any, share: float
) -> None:
    ends = quarters(day("2036-01-03"))
    asset, par, sinks = lot
    one = World([lot], [(cpr, cdr, severity)], 6, 0.01, True).kernel(ends)[0]
    halves: Any = [(asset, par * share, sinks), (asset, par * (1 - share), ())]
    two = World(halves, [(cpr, cdr, severity)] * 2, 6, 0.01, True).kernel(ends).sum(axis=0)
    np.testing.assert_allclose(two, one, atol=0.02, rtol=1e-9)
