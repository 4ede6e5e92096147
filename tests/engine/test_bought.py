"""The rating of what reinvestment buys: the rules that choose it, its place in the CCC excess, against plain Python."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import cash, pack, ratings
from engine.assumptions import Assumptions, Proxy
from engine.dates import from_serial
from engine.loans import columns as col
from engine.loans.vectors import Rule, Vector, ramp
from engine.model import Model
from engine.projection import Projection, choose_document
from engine.results import Result
from resources import library
from tests.engine import reference_deal
from tests.engine.builders import harbor
from tests.engine.reference_collateral import Stepped, chance, value_at
from tests.engine.reference_proxies import Rate, days_360

RATED = st.sampled_from(ratings.MOODYS)
SCALE = (*(0.001 * k for k in range(10)), 0.012, 0.015, 0.02, 0.03, 0.04, 0.05, 0.08, 0.12, 0.16, 0.25, 0.4)
"""A default rate a year of each rating, rising from Aaa to C."""


@cache
def demo() -> Model:
    book = harbor()
    return Model(book, choose_document(book, library.waterfalls()), library.assumed_terms())


def same(one: Result, other: Result) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def bought(p: Projection) -> float:
    return float(p.result.cash[:, cash.REINVESTED].sum())


# -- a rating by itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rating", ["Aaa", "B2", "B3"])
def test_that_a_rating_that_no_rule_chooses_and_no_test_counts_changes_nothing(rating: str) -> None:
    mix = (Proxy(0.3, 0.05, months=6.0), Proxy(0.7, 0.03, 0.01, 48.0))
    rules = (Rule("", cdr=0.05, lag=18.0), Rule("moodys_rating < Ba3", cpr=0.1))
    plain = demo().run(Assumptions(buys=mix))
    rated = demo().run(Assumptions(buys=tuple(replace(proxy, rating=rating) for proxy in mix)))
    assert same(plain.result, rated.result)
    # what has no rating takes the rates of the run, whatever the rules say
    ruled = demo().run(Assumptions(buys=mix, rules=rules))
    assert ruled.inputs.strategies[0].rates == ruled.inputs.strategies[1].rates == 0


@given(RATED, st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.floats(0.0, 1.0), st.sampled_from([0.0, 6.0, 12.0]))
@settings(max_examples=8)
def test_that_a_rule_that_says_what_the_run_says_changes_nothing(
    rating: str, cdr: float, cpr: float, severity: float, lag: float
) -> None:
    asked = Assumptions(cdr=cdr, cpr=cpr, severity=severity, lag=lag, buy_price=100.0, buys=(Proxy(1.0, 0.03),))
    rules = (Rule(f"spread = 3% and moodys_rating = {rating}", cdr=cdr, cpr=cpr, severity=severity, lag=lag),)
    rated = replace(asked, buys=(Proxy(1.0, 0.03, rating=rating),), rules=rules)
    one, other = demo().run(asked), demo().run(rated)
    assert other.inputs.strategies[0].rates == 1
    near = {"rel": 1e-9, "abs": 1e-3}
    if ratings.is_caa(rating):  # it is in the CCC excess, at par: lower prices bear more of it, and tests are no better
        assert (other.result.numerator <= one.result.numerator + 1e-3)[0].all()
    else:
        assert other.result.cash == pytest.approx(one.result.cash, **near)
        assert other.paid(other.equity) == pytest.approx(one.paid(one.equity), **near)


@given(st.lists(RATED, min_size=2, max_size=4, unique=True), st.sampled_from([98.0, 100.0]))
@settings(max_examples=8)
def test_that_what_is_rated_worse_never_gives_the_equity_more(found: list[str], price: float) -> None:
    rules = tuple(
        Rule(f"moodys_rating = {rating} and spread = 3.11%", cdr=SCALE[k], severity=0.5)
        for k, rating in enumerate(ratings.MOODYS)
    )
    found.sort(key=ratings.MOODYS.index)
    mixes = [(Proxy(1.0, 0.0311, rating=rating),) for rating in found]
    runs = [demo().run(Assumptions(buys=buys, buy_price=price, rules=rules, cdr=0.01)) for buys in mixes]
    lost = [float(run.result.reinvested_flows[:, col.DEFAULTED].sum()) / bought(run) for run in runs]
    equity = [float(run.paid(run.equity).sum()) for run in runs]
    assert all(a < b for a, b in pairwise(lost))
    assert all(a >= b for a, b in pairwise(equity))


# -- against the reference --------------------------------------------------------------------------------------------

BY_AGE = Vector((0.01, 0.03, 0.1, 0.05), 12, from_age=True)
MIXED = (
    Proxy(0.5, 0.033, months=36.0, rating="B1"),
    Proxy(0.2, 0.06, 0.01, 48.0, rating="Caa1"),
    Proxy(0.2, 0.09, months=60.0, rating="Caa3"),
    Proxy(0.1, 0.03, months=24.0),
)
RULES = (
    Rule("", cdr=0.02, cpr=Vector((0.1, 0.2, 0.05, 0.3)), lag=6.0),
    Rule("moodys_rating > B3", cdr=ramp(0.02, 0.14, 30), severity=Vector((0.4, 0.7), 7), lag=9.0),
    Rule("sp_issuer_rating <= CCC- and spread > 8% and market_value < 95", cpr=BY_AGE, severity=0.9),
    Rule("country = USA", cdr=0.9),
    Rule("moodys_rating = Caa1 and maturity > 2031-01-01", cpr=Vector((0.01, 0.004), 1, per_step=True)),
)


def annual(model: Model, said: Vector) -> tuple[Rate, Rate]:
    """A rate a year of each payment date that makes the probability of its period; and the value at its start."""
    p = model.run(Assumptions())
    days, values = [p.inputs.before, *p.inputs.days.tolist()], said.annual(model.structure.months_between)
    of = values if said.step == 0 else Stepped(values, said.step, model.structure.analysis)
    made: list[float] = []
    at: list[float] = []
    for i, (a, b) in enumerate(pairwise(days)):
        q = chance(of, i, from_serial(a), from_serial(b))
        made.append(1.0 - (1.0 - q) ** (360.0 / days_360(a, b)))
        at.append(value_at(of, i, from_serial(a)))
    return made, at


@pytest.mark.parametrize("shocked", [{}, {"price_shock": -0.1, "downgrade": 1}], ids=["base", "shocked"])
@pytest.mark.parametrize("price", [80.0, 99.5])
def test_that_a_mix_of_ratings_pays_what_the_reference_pays(price: float, shocked: dict[str, float]) -> None:
    model = demo().under(Assumptions(**shocked))  # type: ignore[arg-type]
    asked = Assumptions(cdr=0.03, cpr=0.15, severity=0.5, lag=3.0, buy_price=price, buys=MIXED, rules=RULES)
    p = model.run(asked)
    cheap = price < 95.0  # one rule more chooses what is bought
    assert [s.rates for s in p.inputs.strategies] == [1, 2, 3 if cheap else 2, 0]
    assert [s.lag for s in p.inputs.strategies] == [2, 3, 3, None]
    assert [s.low for s in p.inputs.strategies] == [False, True, True, False]
    vector_cpr, ramped, by_age = RULES[0].cpr, RULES[1].cdr, RULES[2].cpr
    severe = RULES[1].severity
    assert isinstance(vector_cpr, Vector)
    assert isinstance(ramped, Vector)
    assert isinstance(by_age, Vector)
    assert isinstance(severe, Vector)
    low = annual(model, ramped)[0]
    ruled = (
        (0.02, annual(model, vector_cpr)[0], 0.5),
        (low, annual(model, vector_cpr)[0], annual(model, severe)[1]),
        (low, annual(model, by_age)[0], 0.9),
    )
    _, bucket = pack.pack_bucket(model.pool, pack.haircuts(model.pool, model.structure))
    sides = [
        [(int(c), float(x)) for c, x in zip(row, prices, strict=True) if c >= 0]
        for row, prices in zip(bucket.loans, bucket.prices, strict=True)
    ]
    pool = model.collateral(asked)
    lane = {"price": price / 100.0, "severity": 0.5, "redemption": len(p.inputs.days) - 1.0}
    expected = reference_deal.run(
        model.document,
        p.inputs,
        pool.flows[:, :, 0],
        pool.watched[:, :-1, 0],
        sides,
        lane | {"sale_price": -1.0, "sale_price_of_bought": model.structure.sale_price},
        (0.03, 0.15),
        ruled,
    )
    assert len(expected.rows) == len(p.payment_dates)
    for i, row in enumerate(expected.rows):
        assert p.result.reinvested_flows[i] == pytest.approx(row.reinvested_flows, rel=1e-9, abs=1e-3), i
        for k, name in enumerate(cash.CASH_NAMES):
            if name in row.cash:
                assert p.result.cash[i, k] == pytest.approx(row.cash[name], rel=1e-9, abs=1e-3), (i, name)
    assert p.result.cash[:, cash.CCC_EXCESS].max() > 0.0
    assert p.sources == pytest.approx(p.uses, abs=0.01)
    notes = [note for note in p.structure.notes if "reinvestment buys is pooled" in note]
    assert len(notes) == cheap


# -- the CCC excess ---------------------------------------------------------------------------------------------------


def excess(buys: tuple[Proxy, ...], price: float, model: Model | None = None) -> np.ndarray:
    run = (model or demo()).run(Assumptions(buys=buys, buy_price=price, cdr=0.02))
    return run.result.cash[:, cash.CCC_EXCESS]


def test_that_caa1_counts_in_the_ccc_excess_at_the_price_it_was_bought_at_and_b3_does_not() -> None:
    b3, caa1 = ((Proxy(1.0, 0.05, rating=rating),) for rating in ("B3", "Caa1"))
    assert np.array_equal(excess(b3, 70.0), excess((Proxy(1.0, 0.05),), 70.0))
    cheap, dear, at_par = (excess(caa1, price) for price in (70.0, 90.0, 100.0))
    first = 1  # of the date on which something has been bought; the tests change what is bought later
    assert cheap[0] == dear[0] == at_par[0] == excess(b3, 70.0)[0]
    assert cheap[first] > dear[first] > at_par[first]
    # what is bought at par makes room for none and bears nothing, but pushes cheaper assets over the limit
    assert at_par[first] >= excess(b3, 100.0)[first]


def test_that_lanes_of_different_prices_do_not_mix() -> None:
    cases = [
        Assumptions(buys=buys, buy_price=price, cdr=cdr, rules=RULES)
        for buys in (MIXED, (Proxy(1.0, 0.03),), ())
        for price in (70.0, 94.9, 100.0)
        for cdr in (0.0, 0.08)
    ]
    together = demo().totals(cases, threads=2)
    for lane, case in enumerate(cases):
        alone = demo().totals([case])
        for mine, theirs in zip(together.arrays, alone.arrays, strict=True):
            assert np.array_equal(mine[lane], theirs[0], equal_nan=True)


# -- what cannot be used ----------------------------------------------------------------------------------------------


def test_that_shares_of_an_opening_balance_are_left_out_with_a_note() -> None:
    timing = Rule("", cdr=Vector((0.1, 0.1), 12, absolute=True))
    buys = (Proxy(1.0, 0.03, rating="B2"),)
    p = demo().run(Assumptions(buys=buys, rules=(timing,), cdr=0.02))
    assert [note for note in p.structure.notes if "The rule of all assets gives its default rate as shares" in note]
    assert p.inputs.strategies[0].rates == 0
    assert demo().run(Assumptions(rules=(timing,), cdr=0.02)).structure.notes == demo().structure.notes


@pytest.mark.parametrize("rating", ["D", "NR", "B", "b2", "12"])
def test_that_what_is_no_rating_of_moody_s_is_refused(rating: str) -> None:
    with pytest.raises(ValueError, match="one of Moody's scale, such as B2"):
        Proxy(1.0, 0.03, rating=rating)


def test_that_the_stand_in_matures_with_the_deal_at_the_latest() -> None:
    late = Rule("maturity > 2100-01-01", cdr=0.5)
    p = demo().run(Assumptions(buys=(Proxy(1.0, 0.03, months=600.0, rating="B2"),), rules=(late,)))
    assert p.inputs.strategies[0].rates == 0
    assert p.structure.stated_maturity < dt.date(2100, 1, 1)
