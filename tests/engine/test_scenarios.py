"""What a scenario may say beyond plain rates, end to end: whole deals run under it, small ones and the demo deal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from engine import cash, dates
from engine.asset import Asset
from engine.assumptions import Assumptions, Proxy, RatePath
from engine.loans import columns as col
from engine.loans.events import Events, PikWindow, Sale
from engine.loans.vectors import Rule, Vector, ramp
from engine.model import Model
from engine.projection import Projection, choose_document
from engine.smallest import DEFAULTS, DOCUMENT
from engine.terms import Account, Book, CurveNode, Deal, Fixing, Holding, Reference, Tranche
from engine.terms import CashFlowAssumption as Line
from engine.waterfall.document import Document
from resources import library
from tests.engine.builders import day, harbor, with_input

ANALYSIS, CLOSING, MATURITY = day("2025-01-15"), day("2024-01-15"), day("2030-01-15")
PAR = 1e6
FLAT = (CurveNode(1.0, 0.04), CurveNode(120.0, 0.04))
STILL = Assumptions(cpr=0.0, cdr=0.0, reinvest=False)


def loan(asset_id: str, **changes: Any) -> Asset:
    """A quarterly loan of five years at 8 %, 30/360, that pays on the deal's own dates."""
    plain: dict[str, Any] = {
        **{"asset_id": asset_id, "issuer_id": asset_id, "maturity": day("2029-12-31"), "coupon_type": "FIXED"},
        **{"payment_frequency": 4, "coupon": 0.08, "first_payment_date": day("2024-03-31"), "payment_eom": True},
        **{"day_count": "30/360", "market_value": 100.0, "moodys_rating": "B1", "sp_issuer_rating": "B+"},
    }
    return Asset(**(plain | changes))


def small(*assets: Asset, reference: Reference | None = None, **changes: Any) -> Book:
    """A deal of one class and its equity over loans of a million each."""
    plain: dict[str, Any] = {
        "name": "small",
        "current_dates": (("Analysis date", ANALYSIS), ("Last Payment Date", ANALYSIS)),
        "dates": (
            *(("Closing Date", CLOSING), ("Stated Maturity", MATURITY), ("First Payment Date", day("2024-04-15"))),
            *(("Effective Date", CLOSING), ("Reinvestment End Date", CLOSING)),
            *(("Months Between Payments", 3.0), ("Determination Date", 5.0)),
        ),
        "holdings": tuple(Holding(a.asset_id, PAR) for a in assets),
        "accounts": (Account(2, "Collection", 0.0, 0.0),),
        "current_index": 0.04,
        "tranches": (
            Tranche("A", 0.6 * PAR * len(assets), 0.6 * PAR * len(assets), spread=0.01, oc_trigger=1.05),
            Tranche("SUB", 0.4 * PAR * len(assets), 0.4 * PAR * len(assets), is_equity=True),
        ),
    }
    deal = Deal(**(plain | changes))
    return Book(deal, {a.asset_id: a for a in assets}, reference or Reference(curve=FLAT))


def tabled(*rows: Line, vectors: Any = ()) -> Reference:
    return Reference(curve=FLAT, assumptions=rows, vectors=tuple(vectors))


def model(book: Book, document: Document = DOCUMENT) -> Model:
    return Model(book, document, DEFAULTS)


def run(book: Book, asked: Assumptions = STILL, document: Document = DOCUMENT) -> Projection:
    return model(book, document).run(asked)


def flow(p: Projection, column: int) -> list[float]:
    return p.collateral[:, column].tolist()


def of_assets(book: Book, asked: Assumptions, column: int) -> list[float]:
    """What each asset brings over the run."""
    flows = model(book).asset_flows(asked)
    return [float(flows.of(i).flows[:, column].sum()) for i in range(len(book.deal.holdings))]


@cache
def demo() -> Model:
    book = harbor()
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


# -- the assumption table ---------------------------------------------------------------------------------------------


def test_that_a_vector_of_the_table_named_for_all_holds_by_interest_date_and_its_last_entry_stays() -> None:
    book = small(loan("L"), reference=tabled(Line("ALL", "SLOW", 0.0), vectors=[("SLOW", (0.12, 0.20))]))
    p = run(book, Assumptions(reinvest=False))
    left, repaid = PAR, []
    for annual in (0.12, 0.20, 0.20):
        repaid.append(left * (1.0 - (1.0 - annual) ** 0.25))
        left -= repaid[-1]
    assert flow(p, col.UNSCHEDULED)[:3] == pytest.approx(repaid)
    assert p.structure.notes == ("The CPR of ALL follows the vector SLOW.",)


def test_that_a_default_column_of_rating_is_told_with_the_notes_of_the_run() -> None:
    p = run(small(loan("L"), reference=tabled(Line("ALL", 0.0, "RATING"))), Assumptions(reinvest=False))
    assert p.structure.notes == ("ALL defaults by its rating only in a simulation; here by the pool's default rate.",)


def test_that_a_row_of_a_single_asset_goes_before_all_and_before_every_rule_and_scenario() -> None:
    rows = (Line("ALL", 0.0, 0.0), Line("B", None, "HARD", 0.5))
    book = small(loan("A"), loan("B"), reference=tabled(*rows, vectors=[("HARD", (0.5,))]))
    defaulted = of_assets(book, Assumptions(reinvest=False), col.DEFAULTED)
    assert defaulted[0] == 0.0 < defaulted[1]
    other = Assumptions(cdr=0.01, rules=(Rule("", cdr=0.02),), reinvest=False)
    assert of_assets(book, other, col.DEFAULTED)[1] == pytest.approx(defaulted[1])


def test_that_a_scenario_s_lag_goes_before_that_of_all_and_after_that_of_an_asset() -> None:
    rows = (Line("ALL", 0.0, 0.2, 0.0, 6.0), Line("B", lag=0.0))
    book = small(loan("A"), loan("B"), reference=tabled(*rows))

    def first(asset: int, asked: Assumptions) -> int:
        flows = model(book).asset_flows(asked).of(asset)
        return int(flows.payment[np.flatnonzero(flows.flows[:, col.RECOVERIES])[0]])

    own, late = Assumptions(reinvest=False), Assumptions(lag=12.0, reinvest=False)
    assert first(0, late) - first(0, own) in range(180, 190)
    assert first(1, late) == first(1, own)


def test_that_reinvest_rows_of_the_table_are_of_what_is_bought_and_of_nothing_else() -> None:
    plain = demo().book
    rows = (*plain.reference.assumptions, Line("REINVEST", 0.0, "NONE"))
    reference = replace(plain.reference, assumptions=rows, vectors=(*plain.reference.vectors, ("NONE", (0.0,))))
    own = Model(replace(plain, reference=reference), demo().document, library.assumed_terms())
    p, before = own.run(Assumptions()), demo().run(Assumptions())
    assert p.result.reinvested_flows[:, [col.DEFAULTED, col.UNSCHEDULED]].sum() == 0.0
    assert before.result.reinvested_flows[:, col.DEFAULTED].sum() > 0.0
    n = min(len(p.payment_dates), len(before.payment_dates))
    assert np.array_equal(p.collateral[:n], before.collateral[:n])
    assert "The CDR of REINVEST follows the vector NONE (its first entry)." in p.structure.notes
    # a scenario's own rates are of both
    assert own.run(Assumptions(cdr=0.05)).result.reinvested_flows[:, col.DEFAULTED].sum() > 0.0


# -- rules by kind of asset -------------------------------------------------------------------------------------------


def test_that_rules_choose_by_rating_industry_and_price_and_later_ones_win() -> None:
    book = small(
        loan("A"),
        loan("B", moodys_rating="Caa1"),
        loan("C", moodys_industry="Automotive"),
        loan("D", market_value=70.0, moodys_rating="Caa2"),
    )
    rules = (
        Rule("moodys_rating > B3", cdr=0.10),
        Rule("moodys_industry = Automotive", cdr=0.05),
        Rule("market_value < 80", cdr=0.0),
    )
    asked = replace(STILL, rules=rules)
    found = of_assets(book, asked, col.DEFAULTED)
    assert (found[0], found[3]) == (0.0, 0.0)
    assert found[1] > found[2] > 0.0
    alone = of_assets(book, replace(STILL, cdr=0.10), col.DEFAULTED)
    assert found[1] == pytest.approx(alone[1])


def test_that_a_rule_may_be_a_ramp_and_a_rate_of_a_step() -> None:
    book = small(loan("L"))
    slow = run(book, replace(STILL, rules=(Rule("", cpr=ramp(0.0, 0.3, 24)),)))
    paid = np.array(flow(slow, col.UNSCHEDULED))
    shares = paid[1:10] / (PAR - np.concatenate([[0.0], np.cumsum(paid[1:9])]))
    assert (np.diff(shares[:8]) > 0.0).all()
    monthly = Vector((0.02,), step=1, per_step=True)
    annual = 1.0 - (1.0 - 0.02) ** 12
    of_step, of_year = (run(book, replace(STILL, rules=(Rule("", cpr=r),))) for r in (monthly, annual))
    assert flow(of_step, col.UNSCHEDULED) == pytest.approx(flow(of_year, col.UNSCHEDULED))


# -- events -----------------------------------------------------------------------------------------------------------


def test_that_a_sold_asset_leaves_on_its_day_for_its_price_and_pays_nothing_after() -> None:
    book = small(loan("A"), loan("B"))
    sold = run(book, replace(STILL, events=Events(sales={"A": Sale(day("2026-05-20"), 0.92)})))
    plain = run(book)
    row = next(i for i, d in enumerate(sold.payment_dates) if d == day("2026-07-15"))
    assert flow(sold, col.SOLD) == pytest.approx([PAR if i == row else 0.0 for i in range(len(sold.payment_dates))])
    assert sold.collateral[row, col.PROCEEDS] == pytest.approx(0.92 * PAR)
    par = sold.result.cash[:, cash.PERFORMING]
    assert (par[row - 1], par[row]) == (2 * PAR, PAR)
    got = sold.result.cash[row, cash.PRINCIPAL_PROCEEDS] - plain.result.cash[row, cash.PRINCIPAL_PROCEEDS]
    assert got == pytest.approx(0.92 * PAR)
    half = sold.collateral[row:, col.INTEREST].sum() / plain.collateral[row:, col.INTEREST].sum()
    assert half == pytest.approx(0.5)
    assert sold.collateral[:, col.LOSS].sum() == 0.0


REVOLVER = loan("R", unfunded_amount=400_000.0, commitment_fee=0.01)


def test_that_a_draw_is_paid_from_principal_and_bears_interest_instead_of_the_fee() -> None:
    book = small(loan("A"), REVOLVER)
    asked = replace(STILL, events=Events(draws={"R": ((day("2025-06-30"), 300_000.0),)}))
    drawn, plain = run(book, asked), run(book)
    row = next(i for i, d in enumerate(drawn.payment_dates) if d == day("2025-07-15"))
    assert drawn.collateral[row, col.DRAWN] == 300_000.0
    assert drawn.result.cash[row, cash.PRINCIPAL_PROCEEDS] - plain.result.cash[
        row, cash.PRINCIPAL_PROCEEDS
    ] == pytest.approx(-300_000.0)
    assert drawn.result.cash[row, cash.PERFORMING] == pytest.approx(2 * PAR + 300_000.0)
    more = drawn.collateral[row + 1, col.INTEREST] - plain.collateral[row + 1, col.INTEREST]
    assert more == pytest.approx(300_000.0 * (0.08 - 0.01) * 0.25)
    without = run(small(loan("A"), replace(REVOLVER, commitment_fee=None)))
    fee = plain.collateral[row, col.INTEREST] - without.collateral[row, col.INTEREST]
    assert fee == pytest.approx(400_000.0 * 0.01 * 0.25)
    # what was drawn is repaid
    assert drawn.collateral[:, col.SCHEDULED].sum() == pytest.approx(2 * PAR + 300_000.0)


def test_that_the_draw_rule_is_of_every_commitment_that_has_no_draws_of_its_own() -> None:
    book = small(REVOLVER, replace(REVOLVER, asset_id="Q"))
    p = run(book, replace(STILL, events=Events(draws={"R": ()}, draw_share=0.5, draw_months=7)))
    assert p.collateral[:, col.DRAWN].sum() == 200_000.0
    assert p.payment_dates[int(np.argmax(p.collateral[:, col.DRAWN]))] == day("2025-10-15")


def test_that_an_amended_maturity_repays_par_on_its_day() -> None:
    book = small(loan("A"), loan("B"))
    p = run(book, replace(STILL, events=Events(maturities={"A": day("2026-06-30")})))
    row = next(i for i, d in enumerate(p.payment_dates) if d == day("2026-07-15"))
    assert p.collateral[row, col.SCHEDULED] == PAR
    assert p.result.cash[row, cash.PERFORMING] == PAR


def test_that_an_asset_amended_beyond_the_deal_s_maturity_is_carried_as_long_dated() -> None:
    book = with_input(small(loan("A"), loan("B")), "Long-Dated Haircut", 0.3)
    made = model(book)
    plain = made.run(STILL)
    late = made.run(replace(STILL, events=Events(maturities={"A": day("2031-06-30")})))
    gap = plain.result.numerator[0, 0] - late.result.numerator[0, 0]
    assert gap == pytest.approx(0.3 * PAR)
    assert made.run(STILL).result.numerator[0, 0] == plain.result.numerator[0, 0]


def test_that_interest_deferred_in_a_window_is_capitalised_and_repaid_with_par() -> None:
    book = small(loan("A"))
    window = PikWindow(0.5, day("2025-06-01"), day("2025-12-31"))
    p = run(book, replace(STILL, events=Events(pik={"A": window})))
    rows = [i for i, d in enumerate(p.payment_dates) if d in (day("2025-07-15"), day("2025-10-15"), day("2026-01-15"))]
    added = p.collateral[:, col.CAPITALISED]
    assert np.flatnonzero(added).tolist() == rows
    assert added[rows[0]] == pytest.approx(0.5 * 0.02 * PAR)
    assert added[rows[1]] == pytest.approx(0.01 * (PAR + added[rows[0]]))
    assert p.collateral[rows[0], col.INTEREST] == pytest.approx(0.5 * 0.02 * PAR)
    assert p.collateral[:, col.SCHEDULED].sum() == pytest.approx(PAR + added.sum())


def test_that_what_is_sold_drawn_and_deferred_is_what_a_redemption_sells() -> None:
    book = small(loan("A"), loan("B"), REVOLVER)
    asked = Events(
        sales={"A": Sale(day("2025-05-20"), 0.9)},
        draws={"R": ((day("2025-06-30"), 300_000.0),)},
        pik={"B": PikWindow(1.0, None, day("2025-12-31"))},
    )
    p = run(book, replace(STILL, events=asked, call_date=day("2026-01-10")))
    grown = PAR * 1.02**4
    assert p.payment_dates[-1] == day("2026-01-15")
    assert p.result.cash[-1, cash.SALE_PROCEEDS] == pytest.approx(grown + PAR + 300_000.0)
    priced = run(book, replace(STILL, events=asked, call_date=day("2026-01-10"), sale_price=80.0))
    assert priced.result.cash[-1, cash.SALE_PROCEEDS] == pytest.approx(0.8 * (grown + PAR + 300_000.0))


def test_that_a_sold_asset_is_no_excess_of_ccc_any_more() -> None:
    book = small(loan("A"), loan("C", moodys_rating="Caa2", sp_issuer_rating="CCC", market_value=60.0))
    book = with_input(book, "CCC Asset Haircut Percent", 0.1)
    p = run(book, replace(STILL, events=Events(sales={"C": Sale(day("2025-12-20"), 0.6)})))
    excess = p.result.cash[:, cash.CCC_EXCESS]
    row = next(i for i, d in enumerate(p.payment_dates) if d == day("2026-01-15"))
    assert (excess[:row] > 0.25 * PAR).all()
    assert not excess[row:].any()


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (Events(sales={"Z": Sale(day("2026-05-20"), 0.9)}), "holds no asset Z; take it out of the sales"),
        (Events(maturities={"Z": day("2026-05-20")}), "out of the maturities"),
        (Events(pik={"Z": PikWindow()}), "out of the deferrals"),
        (Events(sales={"A": Sale(ANALYSIS, 0.9)}), "sale of A is on 2025-01-15; choose a day after"),
        (Events(draws={"A": ((day("2024-05-20"), 1.0),)}), "draw of A is on 2024-05-20"),
    ],
)
def test_that_an_event_that_cannot_happen_is_refused(events: Events, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        run(small(loan("A")), replace(STILL, events=events))


def test_that_two_scenarios_that_say_the_same_events_pay_the_same_and_others_do_not() -> None:
    made = model(small(loan("A"), loan("B")))

    def sale(price: float) -> Assumptions:
        return replace(STILL, events=Events(sales={"A": Sale(day("2026-05-20"), price)}))

    totals = made.totals([sale(0.9), sale(0.8), STILL, sale(0.9)])
    equity = totals.equity.sum(axis=1)
    assert equity[0] == equity[3]
    assert equity[0] - equity[1] > 0.05 * PAR
    assert equity[2] > equity[0]


# -- rates ------------------------------------------------------------------------------------------------------------


def index(path: RatePath, of: Model | None = None, **more: Any) -> Sequence[float]:
    return (of or demo()).run(Assumptions(rates=path, **more)).inputs.index.tolist()


def test_that_given_forwards_are_the_index_of_periods_that_they_are_fixed_for() -> None:
    given = RatePath(forwards=((day("2026-01-01"), 0.051), (day("2027-01-01"), 0.012)))
    made, plain = index(given), index(RatePath())
    fixed_on = [row.determination or row.payment for row in demo().structure.schedule]
    for on, mine, usual in zip(fixed_on, made, plain, strict=True):
        if on < day("2026-01-01"):
            assert mine == usual
        else:
            assert mine == (0.051 if on < day("2027-01-01") else 0.012)


def test_that_a_key_rate_shifts_its_stretch_and_every_key_the_whole() -> None:
    whole = RatePath(key_shifts=((1.0, 0.01), (240.0, 0.01)))
    assert index(whole) == pytest.approx(index(RatePath(), rate_shift=0.01), abs=1e-12)
    # beyond the key no zero rate moves, so that no forward of later years does
    made, plain = (np.array(index(p)) for p in (RatePath(key_shifts=((12.0, 0.01), (24.0, 0.0))), RatePath()))
    days = demo().run(Assumptions()).inputs.days - dates.serial(demo().structure.analysis)
    assert np.abs(made - plain)[1:5].min() > 0.0
    assert np.abs(made - plain)[days > 3 * 365].max() < 1e-12


def test_that_key_rates_move_also_the_flat_curve_of_a_deal_that_has_none() -> None:
    book = small(loan("A"), reference=Reference())
    keys = RatePath(key_shifts=((3.0, 0.0), (36.0, 0.01)))
    made = np.array(run(book, replace(STILL, rates=keys)).inputs.index)
    assert made[0] == 0.04
    assert (np.diff(made[:12]) > 0.0).all()
    assert made[-1] == pytest.approx(0.05, abs=3e-4)
    lifted = run(book, replace(STILL, rates=RatePath(key_shifts=((12.0, 0.01),)))).inputs.index
    assert lifted == pytest.approx(run(book, replace(STILL, rate_shift=0.01)).inputs.index, abs=1e-12)


def test_that_interpolations_differ_between_nodes_only_a_little() -> None:
    plain = np.array(index(RatePath()))
    for name in ("log-linear discount", "monotone convex"):
        made = np.array(index(RatePath(interpolation=name)))
        assert 0.0 < np.abs(made - plain).max() < 0.005
    with pytest.raises(ValueError, match="no interpolation 'spline'; known are linear zero"):
        index(RatePath(interpolation="spline"))


def test_that_no_forward_is_below_nought_when_floored() -> None:
    low, floored = (np.array(index(RatePath(floored=f), rate_shift=-0.05)) for f in (False, True))
    assert low[1:].min() < 0.0
    assert floored[1:].min() == 0.0
    assert np.array_equal(floored[1:], np.maximum(low, 0.0)[1:])


def test_that_a_rate_in_arrears_takes_the_fixings_of_the_past_and_the_curve_after() -> None:
    floating = loan("A", coupon_type="FLOAT", coupon_spread=0.0, index_name="SOFR compounded in arrears", coupon=None)
    start = ANALYSIS - dt.timedelta(days=30)
    known = tuple(Fixing(start + dt.timedelta(days=k), "SOFR", 0.10) for k in range(30))
    own = run(small(floating, reference=Reference(curve=FLAT)))
    past = run(small(floating, reference=Reference(curve=FLAT, fixings=known)))
    gap = past.collateral[:, col.INTEREST] - own.collateral[:, col.INTEREST]
    assert np.count_nonzero(np.abs(gap) > 1.0) <= 1
    assert gap[2:] == pytest.approx(np.zeros(gap.size - 2))


# -- what reinvestment buys -------------------------------------------------------------------------------------------


def test_that_a_proxy_of_the_deal_s_own_terms_and_its_halves_are_the_deal_s_own_terms() -> None:
    terms = demo().structure.reinvestment
    own = Proxy(1.0, terms.spread, terms.floor, terms.maturity_months)
    halves = replace(own, share=0.5), replace(own, share=0.5)
    plain = demo().run(Assumptions())
    for buys in ((own,), halves):
        made = demo().run(Assumptions(buys=buys))
        assert made.result.interest == pytest.approx(plain.result.interest, rel=1e-9, abs=1e-3)


def test_that_each_proxy_earns_its_spread_on_its_share_and_matures_in_its_time() -> None:
    buys = (Proxy(0.25, 0.02, months=12.0), Proxy(0.75, 0.06, months=60.0))
    p = demo().run(Assumptions(buys=buys, cdr=0.0, cpr=0.0))
    bought = p.result.cash[:, cash.REINVESTED] / p.structure.reinvestment.price
    first = p.inputs.strategies[0]
    fraction, at = first.fraction[1], p.inputs.index
    starts = p.inputs.strategies
    earned = bought[0] * fraction * (0.25 * starts[0].coupon[1] + 0.75 * starts[1].coupon[1])
    assert p.result.reinvested_flows[1, col.INTEREST] == pytest.approx(earned)
    assert starts[1].coupon[1] - starts[0].coupon[1] == pytest.approx(0.04)
    assert at.size > 4
    repaid = p.result.reinvested_flows[:, col.SCHEDULED]
    assert repaid[:4].sum() == 0.0
    assert repaid[4] == pytest.approx(0.25 * bought[0])


@pytest.mark.parametrize("shares", [(0.5, 0.4), (0.7, 0.7)])
def test_that_shares_of_what_is_bought_add_up_to_one(shares: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="add up to 1; these add up to"):
        Assumptions(buys=tuple(Proxy(share, 0.03) for share in shares))


# -- calls ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", [{"call_below": 1.0}, {"clean_up": 1.0}])
def test_that_a_call_rule_that_always_holds_calls_on_the_first_date_after_the_non_call_period(
    rule: dict[str, float],
) -> None:
    p = demo().run(Assumptions(**rule))
    free = demo().structure.no_call
    assert free is not None
    assert p.payment_dates[-1] == next(r.payment for r in demo().structure.schedule if r.payment >= free)
    assert p.result.phase[-1, cash.PHASES.index("redemption")]


def test_that_a_call_date_and_a_call_rule_call_on_the_earlier() -> None:
    both = demo().run(Assumptions(call_date=dt.date(2029, 1, 1), clean_up=1.0))
    assert both.payment_dates[-1] == demo().run(Assumptions(clean_up=1.0)).payment_dates[-1]
    early = demo().run(Assumptions(call_date=dt.date(2025, 12, 1), clean_up=1.0))
    assert early.payment_dates[-1] == next(d for d in both.payment_dates if d >= dt.date(2025, 12, 1))


# -- terms of the deal that no scenario changes -----------------------------------------------------------------------


def of_class(document: Document, **terms: Any) -> Document:
    return replace(document, classes=tuple(replace(c, **terms) if c.id == "A" else c for c in document.classes))


def test_that_a_class_steps_up_from_the_period_that_begins_on_or_after_the_day() -> None:
    p = run(
        small(loan("A")), document=of_class(DOCUMENT, step_ups=((day("2026-07-15"), 0.03), (day("2028-01-01"), 0.05)))
    )
    starts = [ANALYSIS, *p.payment_dates]
    margins = p.result.coupon[:, 0] - p.inputs.index[: len(p.payment_dates)]
    for begin, margin in zip(starts, margins, strict=False):
        usual = 0.01 if begin < day("2026-07-15") else 0.03 if begin < day("2028-01-01") else 0.05
        assert margin == pytest.approx(usual)


def test_that_the_index_of_a_class_stays_between_its_floor_and_cap() -> None:
    capped = run(small(loan("A")), replace(STILL, rate_shift=0.03), of_class(DOCUMENT, index_cap=0.045))
    assert capped.result.coupon[1:, 0].max() == pytest.approx(0.055)
    floored = run(small(loan("A")), replace(STILL, rate_shift=-0.03), of_class(DOCUMENT, index_floor=0.02))
    assert floored.result.coupon[1:, 0].min() == pytest.approx(0.03)


def test_that_purchased_interest_is_made_good_over_as_many_dates_as_it_needs() -> None:
    book = with_input(small(loan("A")), "Purchase Finance Accrued Interest", 35_000.0)
    financed, plain = run(book), run(small(loan("A")))
    moved = plain.result.cash[:, cash.INTEREST_PROCEEDS] - financed.result.cash[:, cash.INTEREST_PROCEEDS]
    assert moved.sum() == pytest.approx(35_000.0)
    assert np.count_nonzero(moved > 1e-6) >= 2
    assert financed.sources == pytest.approx(financed.uses, abs=0.01)


def test_that_idle_cash_earns_also_where_another_rate_path_gave_it_nothing() -> None:
    book = with_input(small(loan("A")), "Eligible Investments Spread", -0.05)
    book = replace(book, deal=replace(book.deal, accounts=(Account(2, "Collection", 0.0, 2e5),)))
    high = replace(STILL, rate_shift=0.05)
    kept = model(book)
    assert not kept.run(STILL).inputs.idle_yield.any()
    warm, fresh = kept.run(high), model(book).run(high)
    assert warm.inputs.idle_yield.any()
    assert np.array_equal(warm.result.cash, fresh.result.cash)
    assert np.array_equal(kept.totals([STILL, high]).equity[1], model(book).totals([high]).equity[0])


def test_that_haircuts_are_the_largest_that_applies_and_go_with_the_asset() -> None:
    assets = (
        loan("A", market_value=70.0),
        loan("B", piking=True, moodys_recovery_rate=0.4, market_value=90.0),
        loan("C", maturity=day("2031-06-30"), market_value=75.0),
        loan("D"),
    )
    book = small(*assets)
    for label, value in (("Discount Obligation Threshold", 0.8), ("Long-Dated Haircut", 0.3)):
        book = with_input(book, label, value)
    book = with_input(book, "Deferring Obligations At Recovery", "Yes")
    p = run(book, replace(STILL, events=Events(sales={"A": Sale(day("2025-06-20"), 0.7)}, pik={"B": PikWindow(0.0)})))
    whole = p.result.cash[:, cash.PERFORMING] + p.result.cash[:, cash.CARRYING_VALUE]
    left_out = whole[0] + p.result.cash[0, cash.PRINCIPAL_PROCEEDS] - p.result.numerator[0, 0]
    assert left_out == pytest.approx(PAR * (0.3 + 0.6 + 0.3))
    row = next(i for i, d in enumerate(p.payment_dates) if d == day("2025-07-15"))
    after = whole[row] + p.result.cash[row, cash.PRINCIPAL_PROCEEDS] - p.result.numerator[row, 0]
    assert after == pytest.approx(PAR * (0.6 + 0.3))


def test_that_a_maturity_off_the_payment_cycle_is_a_payment_date() -> None:
    book = small(loan("A"))
    book = with_input(book, "Stated Maturity", day("2030-02-28"), "dates")
    p = run(book)
    assert p.payment_dates[-2:] == (day("2030-01-15"), day("2030-02-28"))
    assert p.sources == pytest.approx(p.uses, abs=0.01)
