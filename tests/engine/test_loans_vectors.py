"""Which rates each loan takes: numbers and vectors, by pool, by kind of asset, by asset, by scenario."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asset import Asset
from engine.assumptions import Assumptions
from engine.filter import FilterError
from engine.loans.vectors import RULED, Assigned, Base, Rule, Vector, assign, named, ramp, ruled, without
from engine.pool import Pool
from engine.terms import CashFlowAssumption as Line
from tests.engine.builders import loan

ASSETS = (
    loan("A", moodys_rating="B1", market_value=99.0),
    loan("B", moodys_rating="Caa1", market_value=70.0),
    loan("C", moodys_rating="B2", payment_frequency=12),
)
POOL = Pool((asset, 1e6) for asset in ASSETS)
MONTHS = np.array([3, 3, 1])
BASE = Base(cpr=0.2, cdr=0.02, severity=0.4, lag=6.0)


def rates_of(made: Assigned, name: str, scenario: Assumptions | None = None) -> list[list[float]]:
    """The values each loan runs with."""
    rates = made.rates_for([scenario or Assumptions()])
    return [rates[row, : len(made.vectors[row].values), 0].tolist() for row in getattr(made, name)]


def test_that_the_pool_s_numbers_hold_where_nothing_else_is_said() -> None:
    made = assign(POOL, MONTHS, BASE)
    assert rates_of(made, "cpr") == [[0.2]] * 3
    assert rates_of(made, "cdr") == [[0.02]] * 3
    assert rates_of(made, "severity") == [[0.4]] * 3
    assert made.lag.tolist() == [6.0] * 3


def test_that_later_rows_of_the_table_override_and_rows_of_assets_come_after_all() -> None:
    table = (Line("B", 0.3, lag=12.0), Line("ALL", 0.10, 0.01), Line("all", 0.12, lag=3.0), Line("REINVEST", 0.9, 0.9))
    made = assign(POOL, MONTHS, BASE, table=table)
    assert rates_of(made, "cpr") == [[0.12], [0.3], [0.12]]
    assert rates_of(made, "cdr") == [[0.01]] * 3
    assert made.lag.tolist() == [3.0, 12.0, 3.0]


def test_that_rules_choose_by_rating_price_and_industry_after_all_and_before_single_assets() -> None:
    rules = (
        Rule("moodys_rating > B3", cdr=0.10, severity=0.6),
        Rule("market_value < 80", cpr=0.0, lag=24.0),
        Rule("", severity=0.5),
    )
    made = assign(POOL, MONTHS, BASE, table=(Line("ALL", None, 0.03), Line("B", None, None, 0.7)), rules=rules)
    assert rates_of(made, "cdr") == [[0.03], [0.10], [0.03]]
    assert rates_of(made, "severity") == [[0.5], [0.7], [0.5]]
    assert rates_of(made, "cpr") == [[0.2], [0.0], [0.2]]
    assert made.lag.tolist() == [6.0, 24.0, 6.0]
    with pytest.raises(FilterError):
        assign(POOL, MONTHS, BASE, rules=(Rule("no such field = 3", cpr=0.1),))


def test_that_a_named_vector_is_of_interest_dates_unless_its_step_is_not_the_asset_s() -> None:
    vectors = (("QTR_CPR_1", (0.1, None, 0.3)), ("SOME", (0.1,)))
    made = assign(POOL, MONTHS, BASE, table=(Line("ALL", "qtr_cpr_1"),), vectors=vectors)
    assert rates_of(made, "cpr") == [[0.1, 0.0, 0.3]] * 3
    assert [made.vectors[row].step for row in made.cpr] == [0, 0, 3]
    assert named("SOME", (0.1,), 3).step == 0


def test_that_a_name_that_is_no_vector_is_refused_and_rating_is_noted() -> None:
    with pytest.raises(ValueError, match=r"prepayment rate of ALL is 'QTR'.*known: X"):
        assign(POOL, MONTHS, BASE, table=(Line("ALL", "QTR"),), vectors=(("X", (0.1,)),))
    made = assign(POOL, MONTHS, BASE, table=(Line("A", None, "Rating"), Line("A", None, "RATING")))
    assert rates_of(made, "cdr") == [[0.02]] * 3
    assert len(made.notes) == 1


def test_that_a_scenario_replaces_the_pool_s_rates_and_no_others() -> None:
    table = (Line("ALL", "QTR", "TIMING"), Line("B", 0.3, 0.05))
    vectors = (("QTR", (0.1, 0.2)), ("TIMING", (0.01, 0.02)))
    made = assign(POOL, MONTHS, BASE, table=table, vectors=vectors)
    scenario = Assumptions(cpr=0.5, severity=0.9)
    assert rates_of(made, "cpr", scenario) == [[0.5, 0.5], [0.3], [0.5, 0.5]]
    assert rates_of(made, "severity", scenario) == [[0.9]] * 3
    assert rates_of(made, "cdr", scenario) == [[0.01, 0.02], [0.05], [0.01, 0.02]]
    with pytest.raises(ValueError, match="default timing"):
        made.rates_for([Assumptions(cdr=0.1)])
    made = assign(POOL, MONTHS, BASE, table=table, vectors=vectors, replaced=("cdr",))
    assert rates_of(made, "cdr", Assumptions(cdr=0.1)) == [[0.1], [0.05], [0.1]]


def test_that_lanes_are_scenarios_in_their_order() -> None:
    made = assign(POOL, MONTHS, BASE)
    rates = made.rates_for([Assumptions(cdr=x) for x in (0.0, 0.1)] + [Assumptions()])
    assert rates.shape == (3, 1, 3)
    assert rates[made.cdr[0], 0].tolist() == [0.0, 0.1, 0.02]


def test_that_a_ramp_goes_in_a_straight_line_and_stays() -> None:
    made = ramp(0.02, 0.06, 4)
    assert made.step == 1
    assert made.values == pytest.approx((0.02, 0.03, 0.04, 0.05, 0.06))
    with pytest.raises(ValueError, match="at least one month"):
        ramp(0.0, 0.1, 0)


@given(st.floats(0.0, 0.5), st.sampled_from([1, 3, 6, 12]))
def test_that_rates_of_a_step_become_the_annual_rates_that_compound_to_them(rate: float, months: int) -> None:
    annual = Vector((rate,), step=months, per_step=True).annual(3)[0]
    assert (1 - annual) ** (months / 12) == pytest.approx(1 - rate)
    smm = named("SMM_1", (rate,), 3)
    assert smm.annual(3)[0] == pytest.approx(1 - (1 - rate) ** 12)
    own = Vector((rate,), per_step=True).annual(months)[0]
    assert (1 - own) ** (months / 12) == pytest.approx(1 - rate)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"values": ()}, "1 to 4095"), ({"values": (1.2,)}, "0 to 1"), ({"values": (0.1,), "step": -1}, "months")],
)
def test_that_a_vector_that_cannot_be_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Vector(**wrong)


def test_that_equal_vectors_are_one_row_beside_the_pool_s() -> None:
    rules = (Rule("asset_id = A", cpr=Vector((0.1, 0.2), step=3)), Rule("asset_id = B", cpr=Vector((0.1, 0.2), step=3)))
    made = assign(POOL, MONTHS, BASE, rules=rules)
    assert made.cpr[0] == made.cpr[1] != made.cpr[2]
    assert len(made.vectors) == 4


def test_that_a_pool_without_assets_has_rows_to_run_with() -> None:
    made = assign(Pool(()), np.zeros(0, dtype=np.int64), BASE)
    assert made.rates_for([Assumptions(cpr=0.1)]).shape == (3, 1, 1)


def test_that_a_tape_takes_rows_steps_and_lags() -> None:
    from tests.engine.loan_worlds import Lot, World

    world = World(
        [Lot(Asset(**{n: getattr(a, n) for n in Asset.__slots__}), 1e6, [(Vector((0.0,)),) * 3]) for a in ASSETS]
    )
    tape = assign(POOL, MONTHS, BASE, rules=(Rule("asset_id = B", cdr=ramp(0, 0.1, 12), lag=5.0),)).on(world.tape())
    assert tape.lag.tolist() == [2, 2, 6]
    assert tape.vector_step[tape.cdr].tolist() == [0, 1, 0]
    assert tape.vector_size[tape.cdr].tolist() == [1, 13, 1]


shares = st.none() | st.floats(0.0, 1.0)
any_rules = st.lists(st.builds(Rule, st.sampled_from(("", " ", "market_value < 90")), shares, shares, shares, shares))


@given(any_rules, st.sets(st.sampled_from(RULED)))
def test_that_rules_without_a_rate_say_it_no_more_and_the_rest_as_before(rules: list[Rule], names: set[str]) -> None:
    left = without(rules, names)
    assert all(getattr(rule, name) is None for rule in left for name in names)
    for name in set(RULED) - names:
        said = [(rule.where, value) for rule in rules if (value := getattr(rule, name)) is not None]
        still = [(rule.where, value) for rule in left if (value := getattr(rule, name)) is not None]
        assert still == said
    assert set(ruled(left)) == set(ruled(rules)) - names
