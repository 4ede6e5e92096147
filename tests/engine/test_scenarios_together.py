"""Everything that a scenario may say, at random and together, on the demo deal without and with every further term."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.assumptions import Assumptions, Proxy, RatePath
from engine.loans import columns as col
from engine.loans.events import Events, PikWindow, Sale
from engine.loans.vectors import Rule, Vector
from engine.model import Model
from engine.projection import choose_document
from engine.terms import CashFlowAssumption as Line
from resources import library
from tests.engine.builders import day, harbor, with_input


@cache
def demo() -> Model:
    book = harbor()
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


FEATURES = {
    "Purchase Finance Accrued Interest": 2_500_000.0,
    "Eligible Investments Spread": -0.002,
    "Discount Obligation Threshold": 0.9,
    "Long-Dated Haircut": 0.2,
    "Deferring Obligations At Recovery": "Yes",
    "Clean-Up Call Percent": 0.05,
}


@cache
def full_of_features() -> Model:
    """The demo deal with every term that it does not have, and a maturity off the payment cycle."""
    book = harbor()
    for label, value in FEATURES.items():
        book = with_input(book, label, value)
    book = with_input(book, "Stated Maturity", day("2037-05-29"), "dates")
    book = replace(book, deal=replace(book.deal, schedule=()))
    rows = (
        *book.reference.assumptions,
        Line("HBR000404", "QTR_CPR_1", "QTR_CDR_1", "QTR_SEV_1", 12.0),
        Line("REINVEST", 0.1, "QTR_CDR_1", None, 9.0),
    )
    book = replace(book, reference=replace(book.reference, assumptions=rows))
    document = choose_document(book, library.waterfalls())
    classes = tuple(
        replace(c, step_ups=((day("2028-01-01"), 0.03),), index_cap=0.05) if c.id == "D" else c
        for c in document.classes
    )
    return Model(book, replace(document, classes=classes), library.assumed_terms())


IDS = [h.asset_id for h in harbor().deal.holdings[:12]]
REVOLVERS = [a.asset_id for a, _ in harbor().positions() if a.unfunded_amount]
some_day = st.dates(dt.date(2025, 4, 1), dt.date(2033, 12, 31))
share = st.floats(0.0, 1.0)
rate = st.floats(0.0, 0.4)
vectors = st.builds(
    Vector,
    st.lists(rate, min_size=1, max_size=6).map(tuple),
    step=st.sampled_from([0, 1, 3, 12]),
    from_age=st.booleans(),
)
rules = st.builds(
    Rule,
    st.sampled_from(["", "moodys_rating > B3", "market_value < 95", "moodys_industry = Automotive", "not piking"]),
    cpr=st.none() | rate | vectors,
    cdr=st.none() | rate | vectors,
    severity=st.none() | rate,
    lag=st.none() | st.sampled_from([0.0, 6.0, 18.0]),
)
events = st.builds(
    Events,
    maturities=st.dictionaries(st.sampled_from(IDS), st.dates(dt.date(2025, 6, 1), dt.date(2040, 1, 1)), max_size=3),
    pik=st.dictionaries(st.sampled_from(IDS), st.builds(PikWindow, share, some_day, st.none() | some_day), max_size=3),
    sales=st.dictionaries(st.sampled_from(IDS), st.builds(Sale, some_day, st.floats(0.3, 1.1)), max_size=3),
    draws=st.dictionaries(
        st.sampled_from(REVOLVERS), st.lists(st.tuples(some_day, st.floats(1e4, 6e5)), max_size=2).map(tuple)
    ),
    draw_share=share,
    draw_months=st.integers(1, 30),
)
paths = st.builds(
    RatePath,
    key_shifts=st.sampled_from([(), ((12.0, 0.01), (60.0, -0.01)), ((36.0, -0.03),)]),
    interpolation=st.sampled_from(["linear zero", "log-linear discount", "monotone convex"]),
    forwards=st.sampled_from([(), ((day("2026-02-01"), 0.06), (day("2028-02-01"), -0.004))]),
    floored=st.booleans(),
)
buys = st.sampled_from(
    [
        (),
        (Proxy(1.0, 0.03, 0.01, 200.0),),
        (Proxy(0.3, 0.05, months=6.0), Proxy(0.7, 0.03, months=48.0)),
        (Proxy(0.3, 0.05, months=6.0, rating="Caa2"), Proxy(0.2, 0.04, rating="B2"), Proxy(0.5, 0.03, months=48.0)),
    ]
)
everything = st.builds(
    Assumptions,
    cpr=st.none() | rate,
    cdr=st.none() | rate,
    lag=st.none() | st.sampled_from([0.0, 12.0]),
    rate_shift=st.sampled_from([0.0, 0.01]),
    call_date=st.none() | st.dates(dt.date(2026, 1, 1), dt.date(2036, 1, 1)),
    call_below=st.none() | st.sampled_from([0.0, 0.01]),
    clean_up=st.none() | st.sampled_from([0.0, 0.2]),
    rates=paths,
    buys=buys,
    buy_price=st.none() | st.sampled_from([85.0, 101.0]),
    rules=st.lists(rules, max_size=3).map(tuple),
    events=st.none() | events,
    reinvest=st.booleans(),
    recover_after_maturity=st.booleans(),
)
deals = st.sampled_from([demo, full_of_features])


@given(deals, everything)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])
def test_that_sources_are_uses_on_every_date_under_any_scenario(of: Any, asked: Assumptions) -> None:
    p = of().run(asked)
    assert p.sources == pytest.approx(p.uses, abs=0.01)
    r = p.result
    assert np.isfinite(r.cash).all()
    for paid in (r.interest, r.deferred_paid, r.principal, r.balance, r.deferred, r.unpaid, r.fee_paid):
        assert paid.min() >= -1e-6
    # what the performing balance of the pool changes by is what its flows say
    flows = p.collateral
    change = flows[:, [col.CAPITALISED, col.DRAWN]].sum(axis=1) - flows[
        :, [col.DEFAULTED, col.SCHEDULED, col.UNSCHEDULED, col.SOLD]
    ].sum(axis=1)
    left = p.inputs.performing + np.cumsum(change)
    assert left.min() >= -0.01


@given(deals, st.lists(everything, min_size=1, max_size=3))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_that_totals_are_those_of_single_runs_under_any_scenarios(of: Any, asked: list[Assumptions]) -> None:
    totals = of().totals(asked)
    for lane, one in enumerate(asked):
        p = of().run(one)
        assert totals.interest[lane] == pytest.approx(p.result.interest.sum(axis=0), rel=1e-12, abs=1e-6)
        assert totals.principal[lane] == pytest.approx(p.result.principal.sum(axis=0), rel=1e-12, abs=1e-6)
        paid = p.paid(p.equity)
        assert totals.equity[lane, : paid.size] == pytest.approx(paid, rel=1e-12, abs=1e-6)
        assert not totals.equity[lane, paid.size :].any()


@given(everything)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
def test_that_what_was_run_before_changes_nothing(asked: Assumptions) -> None:
    book = full_of_features().book
    fresh = Model(book, full_of_features().document, library.assumed_terms())
    assert np.array_equal(full_of_features().run(asked).result.cash, fresh.run(asked).result.cash)
