"""The deal without each asset: lanes of pools beside a sale told as an event, asset by asset."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from engine.assumptions import Assumptions, Proxy
from engine.loans.events import Events, Sale
from engine.loans.vectors import Rule
from engine.model import Model
from engine.projection import choose_document
from engine.studies.leave_out import LeftOut, leave_out
from resources import library
from tests.engine.builders import harbor

CASES = (
    Assumptions(),
    Assumptions(cdr=0.06, severity=0.6, reinvest=False),
    Assumptions(
        lag=0.0,
        rate_shift=0.01,
        buy_price=80.0,
        buys=(Proxy(1.0, 0.06, rating="Caa1"),),
        rules=(Rule("moodys_rating > B3", cdr=0.08),),
    ),
)


@cache
def model() -> Model:
    book = harbor()
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


@cache
def left(case: int) -> LeftOut:
    return leave_out(model(), CASES[case])


def chosen() -> list[int]:
    """Some ordinary assets, and all kinds that are treated apart: CCC assets, cheap ones."""
    watched = model().watched_assets.tolist()
    cheap = np.argsort(model().pool.numbers("market_value"))[:2].tolist()
    return sorted({0, 17, 120, len(model().pool.assets) - 1, *watched[:3], *cheap})


@pytest.mark.parametrize("case", range(len(CASES)))
def test_that_an_asset_left_out_is_an_asset_sold_at_once(case: int) -> None:
    done = left(case)
    day = model().structure.analysis + dt.timedelta(days=1)
    assert done.asset_ids == tuple(a.asset_id for a in model().pool.assets)
    for i in chosen():
        sale = Events(sales={done.asset_ids[i]: Sale(day, float(done.price[i]))})
        slow = model().totals([_with(CASES[case], sale)])
        if model().pool.assets[i].defaulted:
            continue  # the event leaves an asset in default to its recovery
        for mine, theirs in zip(done.without.arrays, slow.arrays, strict=True):
            assert mine[i] == pytest.approx(theirs[0], rel=1e-10, abs=1e-3, nan_ok=True)
        assert done.irr[i] == pytest.approx(slow.equity_irr()[0], abs=1e-10, nan_ok=True)


def test_that_an_asset_in_default_is_resolved_at_its_price_at_once() -> None:
    done, assets = left(0), model().pool.assets
    defaulted = [i for i, asset in enumerate(assets) if asset.defaulted]
    assert defaulted
    for i in defaulted:
        assert done.price[i] == pytest.approx((assets[i].market_value or 0.0) / 100.0)
        # the same cash some dates earlier: nothing but time is won
        assert abs(done.earned[i]) < 1e-3
        assert done.without.equity[i].sum() == pytest.approx(done.whole.equity[0].sum(), rel=2e-3)


def _with(case: Assumptions, events: Events) -> Assumptions:
    return replace(case, events=events)


def test_that_nothing_left_out_is_the_plain_run() -> None:
    assert left(0).base_irr == pytest.approx(model().run(CASES[0]).equity_irr, abs=1e-9)
    plain = model().totals([CASES[0]])
    for mine, theirs in zip(left(0).whole.arrays, plain.arrays, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-12, abs=1e-6, nan_ok=True)


def test_that_what_an_asset_earns_is_what_the_irr_loses_without_it() -> None:
    done = left(0)
    base = done.base_irr
    assert base is not None
    assert done.earned == pytest.approx(base - done.irr)
    assert (done.earned > 0.0).any()
    assert (done.earned < 0.0).any()
    assert done.par.sum() == pytest.approx(model().book.deal.par)


def test_that_leaving_out_can_be_stopped() -> None:
    def stop(fraction: float, _what: str) -> None:
        if fraction > 0.3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        leave_out(model(), CASES[0], report=stop)
