"""The worth of whole deals: the demo deal, and the real deal of 2016 under assumed terms."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import cash, dates, study
from engine.assumptions import Assumptions, RatePath
from engine.model import Model
from engine.terms import Book
from engine.valuation import xnpv
from engine.valuation.calls import CallTable, Costs, call_dates, to_calls
from engine.valuation.classes import ClassValue, curve_of, note_of, settlement_of, value_classes
from engine.valuation.equity import value_equity
from engine.valuation.marks import marks
from engine.valuation.note import RATES, Quote, Style
from engine.valuation.rate_risk import BUMP, rate_risk, together
from engine.valuation.whole import value_deal
from tests.engine import plain_valuation as plain
from tests.engine.builders import TEMPLATES, assumed_terms, document, harbor, mag17

DOCUMENTS = {name: document(name) for name in TEMPLATES}
TERMS = assumed_terms()
LOSING = Assumptions(cdr=0.12, severity=0.6)


def ready(book: Book) -> Model:
    return study.ready(book, DOCUMENTS, TERMS)


@pytest.fixture(scope="module")
def demo() -> Model:
    return ready(harbor())


@pytest.fixture(scope="module", params=["demo deal", "real deal under assumed terms"])
def model(request: pytest.FixtureRequest) -> Model:
    if request.param == "demo deal":
        return request.getfixturevalue("demo")
    shared: Path = request.getfixturevalue("shared")
    return ready(mag17(shared))


@pytest.fixture(scope="module")
def calls(model: Model) -> CallTable:
    return to_calls(model, Assumptions(cdr=0.02))


def classes(model: Model, assumptions: Assumptions, **quotes: Quote) -> dict[str, ClassValue]:
    projection = model.run(assumptions)
    return {c.class_id: c for c in value_classes(projection, curve_of(model, assumptions), quotes).classes}


# --- classes -------------------------------------------------------------------------------------------------------


def test_that_every_quote_of_every_class_comes_back(model: Model) -> None:
    projection = model.run(Assumptions(cdr=0.02))
    curve = curve_of(model, Assumptions())
    found = {c.class_id: c for c in value_classes(projection, curve).classes}
    for style in RATES:
        quotes = {name: Quote(style, getattr(c, style.value)) for name, c in found.items() if not c.is_equity}
        for again in value_classes(projection, curve, quotes).classes:
            assert again.clean == pytest.approx(found[again.class_id].clean, abs=1e-8)
            assert again.is_equity or again.quoted == style.value


def test_that_prices_are_what_a_plain_reference_makes_of_the_same_flows(model: Model) -> None:
    assumptions = Assumptions(cdr=0.03, rate_shift=0.005)
    projection, curve = model.run(assumptions), curve_of(model, assumptions)
    settlement = settlement_of(projection, None)
    forwards = projection.result.cash[:, cash.INDEX].tolist()
    for k, c in enumerate(value_classes(projection, curve).classes):
        note = plain.PlainNote(
            settlement,
            projection.payment_dates,
            projection.paid(k).tolist(),
            forwards,
            projection.as_of,
            lambda day: curve.discount(dates.serial(day)),
        )
        assert c.dirty is not None
        paid = c.dirty * c.claim / 100
        assert note.worth_at_margin(c.discount_margin or 0.0) == pytest.approx(paid, rel=1e-10)
        assert note.worth_at_spread(c.z_spread or 0.0) == pytest.approx(paid, rel=1e-10)
        assert note.worth_at_yield(c.yield_semi or 0.0, 2) == pytest.approx(paid, rel=1e-10)
        assert note.worth_at_street_yield(c.yield_street or 0.0, 3) == pytest.approx(paid, rel=1e-10)


def test_that_accrued_is_the_running_coupon_since_the_last_payment(demo: Model) -> None:
    for tranche, c in zip(demo.book.deal.tranches, classes(demo, Assumptions()).values(), strict=True):
        days = (demo.structure.analysis - demo.structure.accrual_start).days
        coupon = 0.0 if tranche.is_equity else demo.structure.current_index + (tranche.spread or 0.0)
        assert c.accrued == pytest.approx(100 * coupon * days / 360, abs=1e-12)
        assert c.dirty == pytest.approx((c.clean or 0.0) + (c.accrued or 0.0), abs=1e-12)


def test_that_a_settlement_after_payments_counts_what_comes_after_it(demo: Model) -> None:
    projection, curve = demo.run(Assumptions()), curve_of(demo, Assumptions())
    later = projection.payment_dates[2] + 10 * plain.DAY
    note = note_of(projection, 0, curve, later)
    assert note.days.size == len(projection.payment_dates) - 3
    assert note.claim == projection.result.balance[2, 0]
    coupon = projection.result.coupon[3, 0]
    assert note.accrued == pytest.approx(note.claim * coupon * 10 / 360)
    on_the_day = note_of(projection, 0, curve, projection.payment_dates[2])
    assert on_the_day.accrued == 0.0
    for day in (projection.as_of - plain.DAY, projection.payment_dates[-1]):
        with pytest.raises(ValueError, match="Settlement on"):
            note_of(projection, 0, curve, day)


def test_that_losses_are_told_with_what_was_deferred_before(demo: Model) -> None:
    found = classes(demo, LOSING)
    r = demo.run(LOSING).result
    k = list(found).index("E")
    assert found["E"].write_down == pytest.approx(r.balance[-1, k] + r.deferred[-1, k])
    assert found["E"].first_loss == demo.structure.schedule[-1].payment
    assert found["E"].deferred_peak == r.deferred[:, k].max()
    kept = np.diff(np.concatenate([[0.0], r.deferred[:, k]])) + r.deferred_paid[:, k]
    assert found["E"].deferred_total == pytest.approx(kept.sum())
    assert found["E"].uncovered is not None
    assert found["A-1"].first_loss is None
    assert found["A-1"].write_down == 0.0
    assert found["A-1"].uncovered is None


def test_that_a_junior_class_is_uncovered_no_later_than_its_senior(model: Model) -> None:
    found = [c for c in classes(model, Assumptions(cdr=0.3, severity=0.8)).values() if not c.is_equity]
    for senior, junior in itertools.pairwise(found):
        if senior.uncovered is not None:
            assert junior.uncovered is not None
            assert junior.uncovered <= senior.uncovered


def test_that_the_window_is_the_first_and_last_date_that_repays(model: Model) -> None:
    projection = model.run(Assumptions())
    for k, c in enumerate(value_classes(projection, curve_of(model, Assumptions())).classes):
        r = projection.result
        paying = np.flatnonzero(r.principal[:, k] + r.deferred_paid[:, k] > 1.0)
        if not c.is_equity:
            assert c.window_first == projection.payment_dates[paying[0]]
            assert c.window_last == projection.payment_dates[paying[-1]]


def test_that_a_class_without_a_price_has_no_price_and_keeps_its_life(demo: Model) -> None:
    bare = tuple(replace(t, price=None, discount_margin=None) for t in demo.book.deal.tranches)
    other = ready(replace(demo.book, deal=replace(demo.book.deal, tranches=bare)))
    for c in classes(other, Assumptions()).values():
        assert (c.clean, c.quoted, c.discount_margin, c.modified, c.cs01) == (None,) * 5
        assert c.is_equity or c.wal is not None


def test_that_a_repaid_class_has_no_measures(demo: Model) -> None:
    repaid = tuple(replace(t, current_balance=0.0) if t.name == "Class X" else t for t in demo.book.deal.tranches)
    c = classes(ready(replace(demo.book, deal=replace(demo.book.deal, tranches=repaid))), Assumptions())["X"]
    assert (c.clean, c.accrued, c.wal, c.write_down_share, c.factor) == (None, None, None, None, 0.0)


def test_that_a_quote_of_an_unknown_class_is_refused_with_those_there_are(demo: Model) -> None:
    with pytest.raises(ValueError, match="no class Z; it has X, A-1"):
        classes(demo, Assumptions(), Z=Quote(Style.PRICE, 99.0))


@settings(max_examples=15)
@given(st.floats(0.0, 0.3), st.floats(0.0, 0.4), st.floats(70.0, 105.0))
def test_that_a_lower_price_earns_more_under_any_scenario(cdr: float, cpr: float, price: float) -> None:
    model = ready(harbor())
    assumptions = Assumptions(cdr=cdr, cpr=cpr)
    dear, cheap = (classes(model, assumptions, D=Quote(Style.PRICE, p))["D"] for p in (price, price - 5.0))
    for style in RATES:
        high, low = getattr(cheap, style.value), getattr(dear, style.value)
        assert high is None or low is None or high > low


# --- calls ---------------------------------------------------------------------------------------------------------


def test_that_to_worst_is_the_minimum_over_maturity_and_calls(model: Model, calls: CallTable) -> None:
    assert [r.called for r in calls.redemptions] == [None, *call_dates(model, calls.settlement)]
    counted = [i for i, r in enumerate(calls.redemptions) if r.called is None or r.in_full]
    assert len(counted) > 10
    for c in calls.classes:
        yields = [c.yields[i] for i in counted if c.yields[i] is not None]
        margins = [c.margins[i] for i in counted if c.margins[i] is not None]
        assert c.worst_yield == min(yields)
        assert c.worst_margin == min(margins)
        lowest = [i for i in counted if c.yields[i] is not None and c.yields[i] <= c.worst_yield + 1e-12]
        assert c.worst_yield_on == calls.redemptions[lowest[0]].redeemed


def test_that_a_lane_of_a_call_is_the_deal_called_then(model: Model, calls: CallTable) -> None:
    for i in (0, 5, len(calls.redemptions) - 1):
        called = calls.redemptions[i].called
        assumptions = Assumptions(cdr=0.02, call_date=called)
        projection = model.run(assumptions)
        alone = value_classes(projection, curve_of(model, assumptions)).classes
        assert projection.payment_dates[-1] == calls.redemptions[i].redeemed
        for c, lane in zip(alone, calls.classes, strict=True):
            assert lane.clean == c.clean
            for stacked, one in (
                (lane.yields[i], c.yield_quarterly),
                (lane.margins[i], c.discount_margin),
                (lane.wals[i], c.wal),
            ):
                assert stacked == pytest.approx(one, abs=1e-11)


def test_that_no_call_is_counted_before_the_non_call_period_ends(demo: Model) -> None:
    days = call_dates(demo, demo.structure.analysis)
    assert demo.structure.no_call is not None
    assert min(days) >= demo.structure.no_call
    assert max(days) < demo.structure.schedule[-1].payment


def test_that_a_call_that_does_not_repay_the_notes_is_not_counted(demo: Model) -> None:
    cheap = Assumptions(sale_price=40.0)
    table = to_calls(demo, cheap, on=[demo.structure.schedule[8].payment])
    assert not table.redemptions[1].in_full
    # junior notes lose on such a call; it is shown and does not set the worst
    e = next(c for c in table.classes if c.class_id == "E")
    assert e.worst_yield == e.yields[0]


def test_that_costs_of_a_call_are_the_equity_s_first_and_then_the_most_junior_notes(demo: Model) -> None:
    day = demo.structure.schedule[10].payment
    free = to_calls(demo, Assumptions(), on=[day])
    equity, junior = free.notes[-1], free.notes[-2]
    row = int(np.searchsorted(equity.days, dates.serial(day)))
    held = float(equity.amounts[row, 1])
    dear = to_calls(demo, Assumptions(), on=[day], costs=Costs(fixed=held + 1e6))
    assert dear.notes[-1].amounts[row, 1] == pytest.approx(0.0, abs=1e-6)
    assert dear.notes[-2].amounts[row, 1] == pytest.approx(float(junior.amounts[row, 1]) - 1e6)
    assert dear.notes[-1].amounts[:, 0] == pytest.approx(equity.amounts[:, 0])  # to maturity nothing is called
    assert (free.redemptions[1].in_full, dear.redemptions[1].in_full) == (True, False)
    assert dear.redemptions[1].costs == pytest.approx(held + 1e6)
    sold = demo.run(Assumptions(call_date=day)).result.cash[-1, cash.SALE_PROCEEDS]
    share = to_calls(demo, Assumptions(), on=[day], costs=Costs(percent=0.5))
    assert share.redemptions[1].costs == pytest.approx(0.005 * sold)
    assert (share.redemptions[1].equity_irr or 0.0) < (free.redemptions[1].equity_irr or 0.0)


@pytest.mark.parametrize("style", RATES)
def test_that_the_price_to_worst_is_the_lowest_of_all_redemptions(calls: CallTable, style: Style) -> None:
    for k, c in enumerate(calls.classes):
        if c.class_id == "SUB":
            continue
        found = calls.worst_price(k, style, 0.06)
        each = [calls.notes[k].prices(style, np.full((1, len(calls.redemptions)), 0.06))[0, i]
                for i, r in enumerate(calls.redemptions) if r.called is None or r.in_full]  # fmt: skip
        assert found == min(each)


@pytest.mark.parametrize("costs", [(-1.0, 0.0), (0.0, 101.0), (math.nan, 0.0)])
def test_that_costs_out_of_range_are_refused(costs: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="Costs of a call"):
        Costs(*costs)


def test_that_the_best_redemption_earns_the_equity_most(calls: CallTable) -> None:
    earned = [r.equity_irr for r in calls.redemptions if (r.called is None or r.in_full) and r.equity_irr is not None]
    assert calls.best is not None
    assert calls.best.equity_irr == max(earned)


# --- equity --------------------------------------------------------------------------------------------------------


def test_that_returns_of_the_equity_reprice_its_flows(model: Model) -> None:
    projection, marked = model.run(Assumptions(cdr=0.02)), marks(model)
    original = projection.tranches[projection.equity].original_balance
    e = value_equity(projection, 60.0, marked)
    settled = settlement_of(projection, None)
    for found, per_100 in (
        (e.irr_at_price, 60.0),
        (e.irr_at_cost, projection.structure.equity_purchase_price * 100),
        (e.irr_at_par, 100.0),
        (e.irr_at_nav, marked.nav_price),
    ):
        assert found is not None
        assert per_100 is not None
        days = [settled, *(day for day, _ in e.distributions)]
        flows = [-original * per_100 / 100, *(paid for _, paid in e.distributions)]
        assert abs(xnpv(found, days, flows)) <= 1e-6 * max(1.0, -flows[0] / 1e6)
        assert found == pytest.approx(plain.irr(list(zip(days, flows, strict=True))), abs=1e-9)
    assert e.irr_since_closing == projection.equity_irr


def test_that_multiples_years_and_payback_are_the_flows_added_up(model: Model) -> None:
    projection = model.run(Assumptions())
    e = value_equity(projection, 80.0, marks(model))
    original = projection.tranches[projection.equity].original_balance
    past = sum(a for _, a in projection.equity_history if a > 0)
    ahead = sum(a for _, a in e.distributions)
    cost = -sum(a for _, a in projection.equity_history if a < 0)
    assert e.moic_at_price == pytest.approx(ahead / (0.8 * original))
    assert e.moic_since_closing == pytest.approx((past + ahead) / cost)
    assert sum(share for _, share in e.by_year) == pytest.approx((past + ahead) / original)
    assert sum(share for _, share in e.by_date) == pytest.approx(ahead / original)
    received = 0.0
    for day, amount in e.distributions:
        received += amount
        if received >= 0.8 * original:
            assert e.payback_at_price == day
            break
    else:
        assert e.payback_at_price is None
    assert e.incentive_fee == pytest.approx(projection.result.cash[:, cash.INCENTIVE_FEE].sum())


def test_that_an_equity_without_a_price_keeps_what_needs_none(demo: Model) -> None:
    e = value_equity(demo.run(Assumptions()), None, marks(demo))
    assert (e.irr_at_price, e.irr_to_date, e.moic_at_price, e.payback_at_price) == (None,) * 4
    assert e.irr_since_closing is not None


# --- marks ---------------------------------------------------------------------------------------------------------


def test_that_net_asset_value_and_coverage_are_added_up_by_hand(model: Model) -> None:
    m = marks(model)
    assets = sum((a.market_value or 0.0) / 100 * par for a, par in model.book.positions())
    notes = [t for t in model.book.deal.tranches if not t.is_equity]
    owed = sum(t.current_balance + t.deferred_balance for t in notes)
    principal = model.book.deal.account(2).principal
    assert m.market_value == pytest.approx(assets)
    assert m.nav == pytest.approx(assets + principal - owed)
    assert m.mvoc[-1][1] == pytest.approx((assets + principal) / owed)
    assert m.mvoc[0][1] == pytest.approx((assets + principal) / notes[0].current_balance)
    assert m.marked_on == model.structure.analysis
    ratios = [ratio for _, ratio in m.mvoc]
    assert ratios == sorted(ratios, reverse=True)


def test_that_an_asset_without_a_mark_is_named_and_counts_at_the_average(demo: Model) -> None:
    held = demo.book.deal.holdings[0]
    assets = {**demo.book.assets, held.asset_id: replace(demo.book.assets[held.asset_id], market_value=None)}
    m = marks(ready(replace(demo.book, assets=assets)), dt.date(2025, 3, 28))
    rest = [(a.market_value, par) for a, par in demo.book.positions() if a.asset_id != held.asset_id]
    average = sum((v or 0.0) * par for v, par in rest) / sum(par for _, par in rest)
    assert m.unmarked_par == held.par
    assert m.average_price == pytest.approx(average)
    assert m.market_value == pytest.approx(average / 100 * demo.book.deal.par)
    assert m.marked_on == dt.date(2025, 3, 28)
    none = {k: replace(a, market_value=None) for k, a in demo.book.assets.items()}
    blank = marks(ready(replace(demo.book, assets=none)))
    assert (blank.market_value, blank.nav, blank.nav_price, blank.mvoc) == (None, None, None, ())
    assert blank.unmarked_par == demo.book.deal.par


# --- the curve moved -----------------------------------------------------------------------------------------------


def test_that_effective_duration_is_what_a_shifted_scenario_shows_and_key_rates_add_up_to_it(demo: Model) -> None:
    base = Assumptions(cdr=0.02)
    found = rate_risk(demo, base, tenors=(12.0, 60.0))
    values = list(classes(demo, base).values())
    for k, (risk, c) in enumerate(zip(found, values, strict=True)):
        worths = []
        for shift in (-BUMP, BUMP):
            moved = replace(base, rate_shift=shift)
            note = note_of(demo.run(moved), k, curve_of(demo, moved))
            rate = np.array([[c.z_spread]])
            worths.append(float(note.discounting(Style.SPREAD).worth(note.amounts, rate)[0, 0]))
        paid = (c.dirty or 0.0) * c.claim / 100
        assert risk.effective_duration == pytest.approx((worths[0] - worths[1]) / (2 * BUMP * paid), abs=1e-4)
        assert risk.rate_dv01 == pytest.approx((risk.effective_duration or 0.0) * paid * 1e-4)
        if not c.is_equity and c.class_id != "E":  # what is junior does not move in line
            assert sum(years for _, years in risk.key_rates) == pytest.approx(risk.effective_duration, abs=2e-3)


def test_that_a_class_with_a_fixed_coupon_moves_with_the_curve_and_a_floating_one_hardly(demo: Model) -> None:
    fixed = tuple(
        replace(t, coupon_type="Fixed", spread=0.055) if t.name == "Class B" else t for t in demo.book.deal.tranches
    )
    book = replace(demo.book, deal=replace(demo.book.deal, tranches=fixed))
    found = {r.class_id: r for r in rate_risk(ready(book), Assumptions(), tenors=())}
    assert 4.0 < (found["B"].effective_duration or 0.0) < 7.0
    assert abs(found["A-1"].effective_duration or 9.0) < 0.2
    assert found["B"].key_rates == ()


def test_that_the_curve_of_a_scenario_is_moved_from_where_its_own_shifts_put_it(demo: Model) -> None:
    assert together((), ((3.0, 0.01),)) == ((3.0, 0.01),)
    both = together(((12.0, 0.01), (24.0, 0.03)), ((18.0, 0.001),))
    assert np.array(both) == pytest.approx(np.array([(12.0, 0.011), (18.0, 0.021), (24.0, 0.031)]))
    shifted = Assumptions(rates=RatePath(key_shifts=((12.0, 0.01), (60.0, -0.005))))
    found = {r.class_id: r for r in rate_risk(demo, shifted, tenors=(12.0, 60.0))}
    assert sum(years for _, years in found["A-1"].key_rates) == pytest.approx(found["A-1"].effective_duration, abs=2e-3)


# --- in one answer -------------------------------------------------------------------------------------------------


def test_that_everything_comes_in_one_answer_and_progress_only_grows(demo: Model) -> None:
    told: list[float] = []
    done = value_deal(demo, Assumptions(), to_worst=True, report=lambda fraction, _: told.append(fraction))
    assert done.calls is not None
    assert done.risks is None
    assert done.equity.price == done.valuation.classes[-1].clean
    assert told == sorted(told)
    assert told[-1] == 1.0
    bare = value_deal(demo, Assumptions())
    assert (bare.calls, bare.risks) == (None, None)
    assert bare.valuation == done.valuation
