"""Price grids, buckets of the pool, yields of loans, and what the incentive fee costs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine import cash, study
from engine.assumptions import Assumptions
from engine.model import Model
from engine.outputs import bucket_table, spread_table
from engine.studies.grid import scenarios
from engine.studies.parameters import axis
from engine.studies.pricing import price_grid
from engine.valuation import xirr
from engine.valuation.classes import curve_of, value_classes
from engine.valuation.equity import value_equity
from engine.valuation.marks import marks, price_buckets
from engine.valuation.note import RATES, Quote, Style
from tests.engine.builders import TEMPLATES, assumed_terms, document, harbor

PRICES = (90.0, 97.5, 100.0, 103.0)


@cache
def demo() -> Model:
    return study.ready(harbor(), {name: document(name) for name in TEMPLATES}, assumed_terms())


@pytest.mark.parametrize("along", ["cdr=0,0.03,0.12", "shift=-0.01,0,0.02", "call=2028-01-18,2031-07-15"])
@pytest.mark.parametrize("style", RATES)
def test_that_a_cell_of_the_price_grid_is_the_valuation_of_its_scenario(along: str, style: Style) -> None:
    cells = axis(along)
    done = price_grid(demo(), Assumptions(), cells, style, PRICES)
    for k, case in enumerate(scenarios(demo(), Assumptions(), (cells,))):
        for row in (0, 3):
            quotes = {name: Quote(Style.PRICE, PRICES[row]) for name in done.class_ids}
            for c, value in enumerate(value_classes(demo().run(case), curve_of(demo(), case), quotes).classes):
                expected = getattr(value, style.value)
                assert done.figures[c, row, k] == pytest.approx(np.nan if expected is None else expected, nan_ok=True)


@pytest.mark.parametrize("style", RATES)
def test_that_prices_at_rates_give_the_rates_back(style: Style) -> None:
    rates = (0.01, 0.05, 0.09)
    cells = axis("cdr=0,0.05")
    prices = price_grid(demo(), Assumptions(), cells, style, rates, of_rates=True).figures
    for c, row, k in np.argwhere(prices > 0.0).tolist():
        again = price_grid(demo(), Assumptions(), cells, style, [float(prices[c, row, k])]).figures
        assert again[c, 0, k] == pytest.approx(rates[row], abs=1e-8)


def test_that_a_price_grid_refuses_what_is_no_price_and_a_price_for_a_price() -> None:
    with pytest.raises(ValueError, match="per 100"):
        price_grid(demo(), Assumptions(), axis("cdr=0,0.1"), Style.MARGIN, [0.0])
    with pytest.raises(ValueError, match="choose one of them"):
        price_grid(demo(), Assumptions(), axis("cdr=0,0.1"), Style.PRICE, [100.0])


def test_that_buckets_hold_the_whole_pool_once() -> None:
    found, pool = price_buckets(demo()), demo().pool
    prices = pool.numbers("market_value")
    assert sum(b.assets for b in found) == pool.par.size
    assert sum(b.par for b in found) == pytest.approx(pool.par.sum())
    assert sum(b.share for b in found) == pytest.approx(1.0)
    assert sum(b.market_value or 0.0 for b in found) == pytest.approx(marks(demo()).market_value)
    for b in found[1:7]:
        low, high = (float(part) for part in b.name.split(" to "))
        inside = (prices >= low) & (prices < high)
        assert b.assets == inside.sum()
        assert b.discount == pytest.approx((pool.par[inside] * (1.0 - prices[inside] / 100.0)).sum())
    table = bucket_table(demo())
    assert table["Par"].sum() == pytest.approx(pool.par.sum())


def test_that_assets_without_a_price_have_a_bucket_of_their_own() -> None:
    book = harbor()
    held = book.deal.holdings[0]
    without = replace(book.assets[held.asset_id], market_value=None)
    model = study.ready(
        replace(book, assets={**book.assets, held.asset_id: without}),
        {name: document(name) for name in TEMPLATES},
        assumed_terms(),
    )
    last = price_buckets(model)[-1]
    assert (last.name, last.assets, last.par) == ("no price", 1, held.par)
    assert last.market_value is None
    assert last.discount is None


def test_that_a_loan_s_yield_is_its_spread_over_rates_of_nought() -> None:
    table = spread_table(demo())
    spreads, yields = table["Z-spread"], table["Yield"]
    # the curve of the deal lies between 3 % and 5 %: yields are that much above spreads
    assert ((yields - spreads > 0.02) & (yields - spreads < 0.06)).all()
    order = np.argsort(table["Price"])
    assert np.corrcoef(table["Price"][order], yields[order])[0, 1] < 0.0


def test_that_the_incentive_fee_is_what_the_irr_lacks() -> None:
    case = Assumptions(cdr=0.0, cpr=0.3)
    run = demo().run(case)
    fees = run.result.cash[:, cash.INCENTIVE_FEE]
    found = value_equity(run, 60.0, marks(demo()))
    history = run.equity_history
    days = [*(d for d, _ in history), *run.payment_dates]
    before = xirr(days, [*(a for _, a in history), *(run.paid(run.equity) + fees).tolist()])
    assert found.irr_since_closing_before_fee == pytest.approx(before, abs=1e-12)
    assert found.incentive_fee_effect == pytest.approx((before or 0.0) - (run.equity_irr or 0.0), abs=1e-12)
    assert (found.incentive_fee_effect > 0.0) == (fees.sum() > 0.0)
    assert found.incentive_fee == pytest.approx(fees.sum())
    book = demo().pool.par.sum() + marks(demo()).principal_cash - marks(demo()).notes
    assert marks(demo()).book == pytest.approx(book)
