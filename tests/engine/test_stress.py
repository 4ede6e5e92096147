"""Shocks to prices and ratings: what they change in the pool, and what they do to a deal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import ratings
from engine.assumptions import Assumptions
from engine.filter import FilterError
from engine.loans.vectors import Rule
from engine.stress import Shock, shocks_of, stressed
from engine.studies.grid import grid
from engine.studies.leave_out import leave_out
from engine.studies.measures import measure
from engine.studies.parameters import axis
from tests.engine.builders import harbor
from tests.engine.test_scenarios_together import demo

LOWEST_SHOWN = 21


def test_that_prices_are_multiplied_and_notches_added_where_several_shocks_choose_an_asset() -> None:
    asked = Assumptions(price_shock=-0.1, downgrade=1, shocks=(Shock("market_value > 0", -0.5, 2),))
    before = harbor()
    after = stressed(before, shocks_of(asked))
    for holding in before.deal.holdings:
        was, now = before.assets[holding.asset_id], after.assets[holding.asset_id]
        if was.market_value is None:
            assert now.market_value is None
            continue
        assert now.market_value == pytest.approx(was.market_value * 0.9 * 0.5)
        place = ratings.rank(was.moodys_rating or "NR")
        if place is None:
            assert now.moodys_rating == was.moodys_rating
        else:
            assert ratings.rank(now.moodys_rating or "") == max(min(place + 3, LOWEST_SHOWN), place)


@given(st.integers(0, 20))
@settings(max_examples=10)
def test_that_no_rating_is_ever_better_than_before(notches: int) -> None:
    before = harbor()
    after = stressed(before, (0.0, notches, ()))
    for holding in before.deal.holdings:
        was, now = before.assets[holding.asset_id], after.assets[holding.asset_id]
        for name in ("moodys_rating", "sp_issuer_rating", "moodys_rating_warf"):
            old, new = (ratings.rank(getattr(a, name) or "NR") for a in (was, now))
            assert (old is None) == (new is None)
            assert old is None or new is None or new >= old


def test_that_lower_ratings_and_prices_lower_the_coverage_together() -> None:
    model = demo()
    cushion = measure(model, f"cushion:{model.document.tests[0].id}")
    totals = model.totals(
        [Assumptions(), Assumptions(downgrade=2), Assumptions(downgrade=2, price_shock=-0.3)], coverage=True
    )
    plain, lowered, both = cushion.of(totals).tolist()
    assert both < lowered <= plain


def test_that_a_run_and_the_totals_of_many_agree_under_shocks() -> None:
    model = demo()
    asked = [
        Assumptions(cdr=0.03),
        Assumptions(cdr=0.03, price_shock=-0.25, downgrade=2),
        Assumptions(cdr=0.05, downgrade=1),
        Assumptions(cdr=0.01, price_shock=-0.25, downgrade=2),
    ]
    totals = model.totals(asked, threads=2, coverage=True)
    for k, one in enumerate(asked):
        run = model.run(one)
        assert totals.equity_irr()[k] == pytest.approx(run.equity_irr, abs=1e-12)
        assert run.assumptions == one


def test_that_a_rule_looks_at_the_pool_as_the_shocks_leave_it() -> None:
    model = demo()
    # today every price is above 50, after the shock none is
    rule = (Rule("market_value < 50", cdr=0.3),)
    calm = model.run(Assumptions(rules=rule))
    crash = model.run(Assumptions(rules=rule, price_shock=-0.6))
    assert (crash.equity_irr or -1.0) < (calm.equity_irr or -1.0)


@pytest.mark.parametrize("asked", [Assumptions(rules=(Rule("moodys_industry = Automotve", cdr=0.2),))])
def test_that_a_missing_industry_is_refused_with_the_nearest_that_is_there(asked: Assumptions) -> None:
    with pytest.raises(FilterError, match=r"none has the .* “Automotve”; write one that the deal has, such as “Automo"):
        demo().run(asked)
    shocked = Assumptions(shocks=(Shock("moodys_industry in (Automotve, Nothing)", -0.2),))
    with pytest.raises(FilterError, match="The shock “moodys_industry in"):
        demo().run(shocked)


def test_that_a_rule_of_figures_that_finds_nothing_is_fine() -> None:
    model = demo()
    plain, ruled = (model.run(Assumptions(rules=r)) for r in ((), (Rule("market_value < 1", cdr=0.9),)))
    assert np.array_equal(plain.result.cash, ruled.result.cash)


def test_that_shocks_are_parameters_of_a_grid_and_that_leaving_assets_out_knows_them() -> None:
    model = demo()
    found = grid(model, Assumptions(), [axis("price_shock=-30%,0"), axis("downgrade=0:2:3")], [measure(model, "irr")])
    assert found.values.shape == (1, 2, 3)
    assert found.values[0, 0, 2] < found.values[0, 1, 0]
    out = leave_out(model, Assumptions(price_shock=-0.3, downgrade=2))
    assert out.base_irr == pytest.approx(found.values[0, 0, 2], abs=1e-12)
    with pytest.raises(ValueError, match="do not fit"):
        axis("downgrade=0:2:9")


def test_that_shocks_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValueError, match="from -1 to 1"):
        Assumptions(price_shock=-1.2)
    with pytest.raises(ValueError, match="whole notches"):
        replace(Assumptions(), downgrade=21)
    with pytest.raises(ValueError, match="whole notches"):
        Shock("", 0.0, -1)
