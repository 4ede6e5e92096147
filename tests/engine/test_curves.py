"""Curves against case YC-2 and an independent anchor; fixings are forwards."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import dates
from engine.curves import Curve, fixing_table
from engine.terms import CurveNode
from engine.valuation import xirr
from tests.engine.builders import day

AS_OF = day("2016-03-23")
NODES = st.dictionaries(
    st.sampled_from([1, 2, 3, 6, 12, 24, 36, 60, 84, 120, 240]), st.floats(0.0, 0.08), min_size=1, max_size=8
)


def curve_of(nodes: dict[Any, float], as_of: dt.date = AS_OF) -> Curve:
    return Curve.of_nodes(as_of, [CurveNode(float(m), r) for m, r in nodes.items()])


@given(st.floats(-0.01, 0.15), st.integers(0, 9000))
def test_that_a_flat_curve_forwards_its_rate_to_a_fifth_of_a_basis_point_per_percent(rate: float, after: int) -> None:
    curve = Curve.flat(AS_OF, rate)
    assert curve.forward(dates.serial(AS_OF) + after, 3) == pytest.approx(rate, abs=2e-5 + 2e-3 * abs(rate))


@given(NODES, st.integers(0, 12000))
def test_that_the_discount_factor_is_one_today_and_the_curve_meets_its_nodes(nodes: dict[int, float], on: int) -> None:
    curve = curve_of(nodes)
    start = dates.serial(AS_OF)
    assert curve.discount(start) == 1.0
    for months, rate in nodes.items():
        node = dates.add_months(start, months, False)
        assert curve.discount(node) == pytest.approx((1 + rate / 4) ** (-4 * (node - start) / 365), rel=1e-12)
    assert curve.discount(start + on) > 0.0


@given(st.lists(st.floats(0.0, 0.003), min_size=1, max_size=10), st.integers(0, 9000), st.integers(1, 400))
def test_that_rising_rates_discount_later_money_more(steps: list[float], on: int, later: int) -> None:
    months = [1, 3, 6, 12, 24, 36, 60, 84, 120, 240]
    total, nodes = 0.0, {}
    for m, step in zip(months, steps, strict=False):
        total += step
        nodes[m] = total
    curve = curve_of(nodes)
    start = dates.serial(AS_OF) + on
    assert curve.discount(start + later) <= curve.discount(start) + 1e-15


@given(NODES, st.floats(-0.02, 0.02))
def test_that_a_shift_moves_every_zero_rate_and_nothing_else(nodes: dict[int, float], shift: float) -> None:
    moved = Curve.of_nodes(AS_OF, [CurveNode(float(m), r) for m, r in nodes.items()], shift)
    plain = curve_of(nodes)
    assert list(moved.zeros) == pytest.approx([z + shift for z in plain.zeros])
    assert list(moved.days) == list(plain.days)


@given(NODES, st.integers(-30, 0), st.integers(30, 4500))
def test_that_a_table_of_fixings_holds_the_forwards(nodes: dict[int, float], first: int, last: int) -> None:
    curve = curve_of(nodes)
    start = dates.serial(AS_OF)
    table = fixing_table(curve, start + first, start + last)
    for tenor in table.tenors:
        for on in (first, 0, last // 2, last):
            expected = curve.forward(start + on, tenor)
            assert table.rates[table.row(tenor), on - first] == pytest.approx(expected, abs=1e-15)


def test_that_an_odd_tenor_takes_the_nearest_row() -> None:
    table = fixing_table(curve_of({3: 0.02}), 0, 10)
    assert [table.tenors[table.row(m)] for m in (1, 2, 4, 5, 12, 24)] == [1, 1, 3, 6, 12, 12]


def test_that_a_curve_without_nodes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one node"):
        Curve.of_nodes(AS_OF, [])


def test_that_flows_of_one_sign_and_no_flows_have_no_irr() -> None:
    assert xirr([], []) is None
    assert xirr([day("2025-01-15"), day("2026-01-15")], [1.0, 2.0]) is None
    assert xirr([day("2025-01-15"), day("2026-01-15")], [-1.0, 0.0]) is None


@given(st.floats(0.01, 10.0), st.integers(1, 8000))
def test_that_money_multiplied_after_some_days_has_the_compound_rate(multiple: float, days: int) -> None:
    start = day("2025-01-15")
    expected = math.expm1(min(math.log(multiple) * 365 / days, 700.0))
    found = xirr([start, start + dt.timedelta(days=days)], [-100.0, 100.0 * multiple])
    if -0.9999 < expected < 100:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-11)
    else:
        assert found is None
