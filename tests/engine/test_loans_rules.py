"""Single rules of loans, each on a loan simple enough to reckon by hand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine import dates
from engine.asset import Asset
from engine.curves import FixingTable
from engine.loans import columns as col
from engine.loans.coupons import compound, load
from engine.loans.events import Events, PikWindow, Sale
from engine.loans.packing import index_terms, pack_tape
from engine.loans.tape import left_out, opening
from engine.loans.vectors import Vector
from engine.pool import Pool
from engine.terms import Book, Deal, Fixing, Reference
from tests.engine.builders import day
from tests.engine.loan_worlds import ANALYSIS, CALENDAR, FIXINGS, Lot, World, fixings_of, run

TERMS: Any = SimpleNamespace(current_index=0.02, analysis=ANALYSIS, calendar=CALENDAR, amortisation=0.0)
NOTHING = (Vector((0.0,)), Vector((0.0,)), Vector((0.0,)))


def plain(**changes: Any) -> Asset:
    """A fixed loan of 10 %, 30/360, quarterly on the 15th, its accrual begun on 15 January 2024."""
    terms: dict[str, Any] = {
        "asset_id": "L0",
        "maturity": day("2026-01-15"),
        "coupon_type": "FIXED",
        "payment_frequency": 4,
        "coupon": 0.10,
        "first_payment_date": day("2024-01-15"),
        "day_count": "30/360",
        "business_day_convention": "None",
    }
    return Asset(**(terms | changes))


def of(asset: Asset, cpr: float = 0.0, cdr: float = 0.0, severity: float = 0.0, **more: Any) -> Lot:
    vectors = [(Vector((cpr,)), Vector((cdr,)), Vector((severity,)))]
    return Lot(asset, 1000.0, vectors, **more)


def flows_of(lot: Lot, ends: list[dt.date], **world: Any) -> np.ndarray:
    flows, _ = World([lot], amortisation=0.0, **world).run(ends)
    return flows[:, :, 0]


ENDS = [day("2024-04-30"), day("2024-07-31"), day("2024-10-31"), day("2025-01-31")]


def test_that_a_draw_adds_to_the_balance_and_bears_interest_from_its_day_and_the_fee_falls() -> None:
    asset = plain(unfunded_amount=400.0, commitment_fee=0.01)
    flows = flows_of(of(asset, draws=((day("2024-05-30"), 100.0),)), [*ENDS, day("2026-12-31")])
    assert flows[1, col.DRAWN] == pytest.approx(100.0)
    assert flows[0, col.INTEREST] == pytest.approx(25.0 + 400 * 0.01 / 4)
    assert flows[1, col.INTEREST] == pytest.approx(25.0 + 100 * 0.10 * 45 / 360 + 0.01 * (400 / 4 - 100 * 45 / 360))
    assert flows[2, col.INTEREST] == pytest.approx(27.5 + 300 * 0.01 / 4)
    assert flows.sum(axis=0)[col.SCHEDULED] == pytest.approx(1100.0)


def test_that_no_more_than_the_commitment_is_drawn_and_what_is_prepaid_is_not_drawn() -> None:
    draws = ((day("2024-05-30"), 300.0), (day("2024-08-30"), 300.0))
    flows = flows_of(of(plain(unfunded_amount=400.0), cpr=1.0, draws=draws), ENDS)
    assert flows[:, col.DRAWN].sum() == 0.0
    flows = flows_of(of(plain(unfunded_amount=400.0), draws=draws), ENDS)
    assert flows[:, col.DRAWN].tolist() == [0.0, 300.0, 100.0, 0.0, 0.0]


def test_that_a_sale_between_dates_takes_the_balance_for_its_price_and_nothing_else() -> None:
    lot = of(plain(), sale=Sale(day("2024-05-30"), 0.97))
    flows = flows_of(lot, ENDS)
    assert flows[1, col.SOLD] == pytest.approx(1000.0)
    assert flows[1, col.PROCEEDS] == pytest.approx(970.0)
    assert flows[1:, [col.INTEREST, col.SCHEDULED, col.UNSCHEDULED]].sum() == 0.0
    accrued = flows_of(lot, ENDS, pays_accrued=True)
    assert accrued[1, col.INTEREST] == pytest.approx(1000 * 0.10 * 45 / 360)


def test_that_a_loan_sold_on_an_interest_date_still_pays_that_date() -> None:
    flows = flows_of(of(plain(), sale=Sale(day("2024-07-15"), 1.0)), ENDS)
    assert flows[1, col.INTEREST] == pytest.approx(25.0)
    assert flows[1, col.SOLD] == pytest.approx(1000.0)
    assert flows[2:].sum() == 0.0


def test_that_a_toggle_capitalises_its_share_within_its_window_and_tests_leave_that_out() -> None:
    window = PikWindow(0.5, day("2024-05-01"), day("2024-12-31"))
    flows = flows_of(of(plain(), pik=window), [*ENDS, day("2026-12-31")])
    assert flows[:, col.CAPITALISED].tolist()[:1] == [0.0]
    assert flows[1, col.CAPITALISED] == pytest.approx(12.5)
    assert flows[1, col.INTEREST] == pytest.approx(12.5)
    assert flows[2, col.CAPITALISED] == pytest.approx(0.5 * 0.025 * 1012.5)
    assert flows[3, col.CAPITALISED] == 0.0
    assert flows[1:3, col.HAIRCUT] == pytest.approx(flows[1:3, col.CAPITALISED])
    assert flows[:, col.HAIRCUT].sum() == pytest.approx(0.0, abs=1e-9)


def test_that_an_absolute_timing_defaults_its_share_of_the_opening_balance_and_no_more_than_there_is() -> None:
    timing = Vector((0.10, 0.0, 0.95), absolute=True)
    flows = flows_of(Lot(plain(), 1000.0, [(NOTHING[0], timing, NOTHING[2])]), ENDS, seen_with_payment=True)
    assert flows[:4, col.DEFAULTED] == pytest.approx([100.0, 0.0, 900.0, 0.0])
    yearly = Vector((0.10, 0.05), step=12, absolute=True)
    flows = flows_of(Lot(plain(), 1000.0, [(NOTHING[0], yearly, NOTHING[2])]), ENDS, seen_with_payment=True)
    assert flows[1:4, col.DEFAULTED] == pytest.approx([25.0, 25.0, 25.0])


def test_that_a_vector_with_a_step_changes_the_rate_within_a_period() -> None:
    # the entry of the second month begins 30 days of 30/360 after the analysis date, in the middle of the period
    vector = Vector((0.0, 0.0, 0.5), step=1)
    flows = flows_of(Lot(plain(), 1000.0, [(vector, NOTHING[1], NOTHING[2])]), ENDS)
    begun = dates.days_360(dates.serial(ANALYSIS), dates.serial(day("2024-04-15")))
    assert flows[0, col.UNSCHEDULED] == pytest.approx(1000 * (1 - 0.5 ** ((begun - 60) / 360)))
    assert flows[1, col.UNSCHEDULED] == pytest.approx((1000 - flows[0, col.UNSCHEDULED]) * (1 - 0.5**0.25))


def test_that_a_default_is_seen_when_its_accrual_starts_or_with_the_payment_it_costs() -> None:
    lot = of(plain(), cdr=0.04)
    early, late = flows_of(lot, ENDS), flows_of(lot, ENDS, seen_with_payment=True)
    assert early[0, col.DEFAULTED] == pytest.approx(late[:2, col.DEFAULTED].sum())
    assert early[:, col.INTEREST].tolist() == late[:, col.INTEREST].tolist()


def test_that_claims_come_at_the_month_end_after_the_lag_or_on_interest_dates_rounded_half_to_even() -> None:
    lot = Lot(plain(), 1000.0, [(NOTHING[0], Vector((0.04, 0.0)), Vector((0.5,)))])
    monthly = [dates.from_serial(dates.add_months(dates.serial(day("2024-02-29")), k, True)) for k in range(24)]
    flows = flows_of(lot, monthly, lag=5, month_ends=True)
    assert [monthly[i].isoformat() for i in np.flatnonzero(flows[:-1, col.RECOVERIES])] == ["2024-09-30"]
    for months, expected in ((5, "2024-10-31"), (0, "2024-04-30"), (1, "2024-04-30"), (8, "2025-01-31")):
        flows = flows_of(lot, monthly, lag=months)
        assert [monthly[i].isoformat() for i in np.flatnonzero(flows[:-1, col.RECOVERIES])] == [expected]


def test_that_the_recovery_of_a_matured_loan_still_comes_when_it_is_to_come_after_maturity() -> None:
    ends = [day("2026-01-31"), day("2027-12-31")]
    lost, kept = (flows_of(of(plain(), cdr=0.04, severity=0.4), ends, recover=r).sum(axis=0) for r in (False, True))
    assert kept[col.RECOVERIES] == pytest.approx(0.6 * kept[col.DEFAULTED])
    assert lost[col.RECOVERIES] < kept[col.RECOVERIES]
    assert lost[col.RECOVERIES] + lost[col.LOSS] == pytest.approx(lost[col.DEFAULTED])


def test_that_a_loan_in_default_recovers_its_price_after_the_lag_and_nobody_draws_it() -> None:
    asset = plain(defaulted=True, market_value=45.0, unfunded_amount=100.0, commitment_fee=0.01)
    flows = flows_of(of(asset, draws=((day("2024-05-30"), 100.0),)), ENDS, lag=6)
    assert flows[1, col.RECOVERIES] == pytest.approx(450.0)
    assert flows[1, col.LOSS] == pytest.approx(550.0)
    assert flows[:, [col.INTEREST, col.DRAWN]].sum() == 0.0
    assert flows_of(of(asset), ENDS, lag=0)[0, col.RECOVERIES] == pytest.approx(450.0)


def test_that_an_amended_maturity_replaces_the_one_of_the_asset_master() -> None:
    pool = Pool([(plain(), 1000.0)])
    for events, expected in ((Events(), "2026-01-15"), (Events(maturities={"L0": day("2028-01-15")}), "2028-01-15")):
        tape = pack_tape(pool, Book(Deal("d")), TERMS, FIXINGS, 6.0, events)
        assert dates.from_serial(tape.maturity[0]) == day(expected)


def test_that_loans_due_or_paid_once_or_dated_after_maturity_repay_their_par() -> None:
    due = flows_of(of(plain(maturity=day("2024-02-10"))), ENDS)
    assert due[0, col.SCHEDULED] == 1000.0
    once = plain(first_payment_date=day("2026-01-15"), dated_date=day("2024-03-15"))
    flows = flows_of(of(once), [day("2026-12-31")])
    assert flows[0, col.INTEREST] == pytest.approx(1000 * 0.10 * 660 / 360)
    odd = plain(maturity=day("2024-05-02"), dated_date=day("2024-06-01"), first_payment_date=day("2024-06-30"))
    flows = flows_of(of(odd, cdr=0.5), ENDS)
    assert flows[:, col.SCHEDULED].sum() == 1000.0
    assert flows[:, col.INTEREST].sum() == 0.0


def test_that_the_opening_is_what_the_flows_change() -> None:
    lots = [
        replace(of(plain()), price=0.9, haircut=0.2),
        replace(of(plain(asset_id="L1", defaulted=True, market_value=30.0))),
        replace(of(plain(asset_id="L2", pik_amount=100.0))),
    ]
    tape = World(lots).tape()
    start = opening(tape)
    assert start == pytest.approx((2000.0, 1000.0, 300.0, 900.0 + 1000.0, 200.0 + 100.0))
    assert left_out(tape)[0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("1M Term SOFR", (1, False, 0)),
        ("3 Month LIBOR", (3, False, 0)),
        (None, (6, False, 0)),
        ("Prime", (6, False, 0)),
        ("SOFR compounded in arrears", (0, True, 5)),
        ("Daily SOFR, 2 day lookback", (0, True, 2)),
    ],
)
def test_that_the_name_of_the_index_says_tenor_and_lookback(name: str | None, expected: tuple[int, bool, int]) -> None:
    assert index_terms(name, 6) == expected


def test_that_a_rate_compounds_on_business_days_at_the_rate_of_the_lookback() -> None:
    first, n = dates.serial(day("2024-03-04")), 40
    rates = 0.05 + 0.0001 * np.arange(n)
    growth = np.full(n + 1, np.nan)
    compound(rates, first, 2, CALENDAR.closed, CALENDAR.closed_from, growth)
    unit, at = 1.0, 0
    while at < n:
        step = 1
        while at + step < n and not dates.is_business(first + at + step, CALENDAR.closed, CALENDAR.closed_from):
            step += 1
        seen = dates.business_days_before(first + at, 2, CALENDAR.closed, CALENDAR.closed_from)
        unit *= 1 + rates[max(seen - first, 0)] * step / 360
        at += step
        assert growth[at] == pytest.approx(unit, rel=1e-14)


def test_that_a_loan_in_arrears_pays_the_compounded_rate_of_its_own_period() -> None:
    asset = plain(coupon_type="FLOAT", coupon_spread=0.03, index_name="SOFR compounded in arrears, 0 day lookback")
    asset = replace(asset, business_day_convention="Following")
    table = fixings_of(ANALYSIS, day("2027-12-31"))
    flat = FixingTable(table.first_day, (0,), np.full((1, table.rates.shape[1]), 0.05))
    flows = flows_of(of(asset), ENDS, fixings=flat)
    assert flows[0, col.INTEREST] == pytest.approx(1000 * 0.10 * 89 / 360)  # the running period has its coupon
    index = ((1 + 0.05 / 360) ** 91 - 1) * 360 / 91
    assert flows[1, col.INTEREST] == pytest.approx(1000 * (index + 0.03) * 90 / 360, rel=3e-4)


def test_that_a_running_period_without_a_coupon_takes_its_fixing_where_there_is_one() -> None:
    asset = plain(coupon=None, coupon_type="FLOAT", coupon_spread=0.03, index_name="3M Term SOFR")
    pool = Pool([(asset, 1000.0), (replace(asset, asset_id="L1", index_name="6M Term SOFR"), 1000.0)])
    reference = Reference(fixings=(Fixing(day("2024-01-12"), "3M TERM SOFR", 0.0533),))
    tape = pack_tape(pool, Book(Deal("d"), reference=reference), TERMS, FIXINGS, 6.0)
    assert tape.coupon == pytest.approx([0.0833, 0.05])


def test_that_an_empty_pool_has_no_flows() -> None:
    world = World([of(plain())])
    tape = world.tape()
    empty = type(tape)(*(a[:0] if not name.endswith("_start") else a[:1] for name, a in tape._asdict().items()))
    empty = empty._replace(vector_size=tape.vector_size, vector_step=tape.vector_step)
    empty = empty._replace(vector_from_age=tape.vector_from_age, vector_absolute=tape.vector_absolute)
    flows, watched = run(load(world.laid_out(empty, ENDS), empty, FIXINGS), world.rates())
    assert not flows.any()
    assert watched.shape == (4, 0, 1)
