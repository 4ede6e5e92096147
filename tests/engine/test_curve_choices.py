"""Interpolations, shifts, given forwards and past fixings of curves."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import dates
from engine.curve_shapes import Interpolation, daily_zeros
from engine.curves import Curve, FixingTable, fixing_table, index_label
from engine.terms import CurveNode, Fixing
from tests.engine.builders import day

AS_OF = day("2016-03-23")
START = dates.serial(AS_OF)
MONTHS = [1, 3, 6, 12, 24, 36, 60, 84, 120]
RATES = st.lists(st.floats(0.0, 0.08), min_size=1, max_size=len(MONTHS))
SHAPES = st.sampled_from(list(Interpolation))


def nodes(rates: list[float]) -> list[CurveNode]:
    return [CurveNode(float(m), r) for m, r in zip(MONTHS, rates, strict=False)]


def curve(rates: list[float], shape: Interpolation = Interpolation.LINEAR_ZERO, **more: Any) -> Curve:
    return Curve.of_nodes(AS_OF, nodes(rates), interpolation=shape, **more)


def node_days(rates: list[float]) -> list[int]:
    return [int(dates.add_months(START, m, False)) - START for m in MONTHS[: len(rates)]]


@given(RATES, SHAPES, st.sampled_from([0.0, 1.0, 4.0]))
def test_that_every_interpolation_meets_its_nodes(rates: list[float], shape: Interpolation, frequency: float) -> None:
    made = curve(rates, shape, frequency=frequency)
    for on, rate in zip(node_days(rates), rates, strict=True):
        expected = math.exp(-rate * on / 365) if frequency == 0 else (1 + rate / frequency) ** (-frequency * on / 365)
        assert made.discount(START + on) == pytest.approx(expected, rel=1e-12)


@given(RATES)
def test_that_log_linear_discounts_have_one_forward_between_nodes(rates: list[float]) -> None:
    made = curve(rates, Interpolation.LOG_LINEAR)
    edges = [0, *node_days(rates)]
    for a, b in itertools.pairwise(edges):
        logs = np.log([made.discount(START + d) for d in (a, a + (b - a) // 3, b)])
        first = (logs[1] - logs[0]) / ((b - a) // 3)
        assert first == pytest.approx((logs[2] - logs[0]) / (b - a), abs=1e-12)


@given(st.lists(st.floats(0.0001, 0.01), min_size=2, max_size=len(MONTHS)))
def test_that_monotone_convex_forwards_are_positive_and_rise_where_the_nodes_do(forwards: list[float]) -> None:
    days = np.array(node_days(forwards), dtype=np.int64)
    total = np.cumsum(np.array(forwards) * np.diff(days, prepend=0))
    daily = daily_zeros(days, total / days, 0.0, Interpolation.MONOTONE_CONVEX)
    on = np.arange(1, days[-1] + 1)
    instant = np.diff(daily * on, prepend=0.0)
    assert (instant > -1e-12).all()
    steps = np.diff(instant)
    if (np.diff(forwards) > 0).all():  # within the first and the last interval the ends are free
        inner = slice(int(days[0]), int(days[-2]) - 1)
        assert (steps[inner] > -1e-9).all()


def test_that_a_flat_curve_is_flat_in_every_interpolation() -> None:
    for shape in Interpolation:
        made = curve([0.03] * 6, shape)
        for on in (10, 100, 800, 1500):
            assert made.discount(START + on) == pytest.approx((1 + 0.03 / 4) ** (-4 * on / 365), rel=1e-13)


def test_that_an_interpolation_without_a_later_node_is_refused() -> None:
    with pytest.raises(ValueError, match="after its first day"):
        Curve.of_nodes(AS_OF, [CurveNode(0.0, 0.02)], interpolation=Interpolation.LOG_LINEAR)


@given(RATES, SHAPES, st.floats(-0.01, 0.02), st.integers(0, 4000))
def test_that_a_key_rate_shift_of_every_key_is_a_parallel_shift(
    rates: list[float], shape: Interpolation, shift: float, on: int
) -> None:
    made = curve(rates, shape)
    keys = dict.fromkeys((6.0, 24.0, 60.0), shift)
    assert made.shifted(keys).discount(START + on) == pytest.approx(made.shifted(shift).discount(START + on), rel=1e-9)
    assert made.shifted({}) is made


def test_that_a_key_rate_moves_the_curve_to_its_neighbours_and_no_further() -> None:
    made = curve([0.01 + 0.003 * k for k in range(9)])
    moved = made.shifted({12.0: 0.0, 36.0: 0.001, 60.0: 0.0})

    def zero(of: Curve, months: int) -> float:
        on = dates.add_months(START, months, False)
        return 4 * (of.discount(on) ** (-365 / (4 * (on - START))) - 1)

    for months, expected in ((6, 0.0), (12, 0.0), (24, 0.0005), (36, 0.001), (60, 0.0), (120, 0.0)):
        assert zero(moved, months) - zero(made, months) == pytest.approx(expected, abs=1e-6)


def test_that_overnight_is_the_tenor_of_nought() -> None:
    made = curve([0.03] * 6)
    assert made.forward(START, 0) == pytest.approx((1 / made.discount(START + 1) - 1) * 360)
    table = fixing_table(made, START, START + 10, (0, 3))
    assert table.rates[0, 3] == pytest.approx(made.forward(START + 3, 0))


TABLE = FixingTable(100, (1, 3), np.tile(np.linspace(0.01, 0.02, 11), (2, 1)))


def test_that_given_forwards_hold_from_their_day_to_the_next_and_leave_gaps_to_the_curve() -> None:
    made = TABLE.given([98, 102, 105, 108], [0.05, None, 0.06, 0.07], 3)
    assert made.rates[0].tolist() == TABLE.rates[0].tolist()
    assert made.rates[1, :2].tolist() == [0.05] * 2
    assert made.rates[1, 2:5].tolist() == TABLE.rates[1, 2:5].tolist()
    assert made.rates[1, 5:].tolist() == [0.06] * 3 + [0.07] * 3
    assert TABLE.given([50], [0.09]).rates.tolist() == np.full((2, 11), 0.09).tolist()
    with pytest.raises(ValueError, match="must rise"):
        TABLE.given([102, 102], [0.1, 0.1])
    with pytest.raises(ValueError, match="no index of 6 months"):
        TABLE.given([102], [0.1], 6)


def test_that_past_fixings_are_used_by_index_and_date_before_the_analysis_date_only() -> None:
    fixings = [
        Fixing(dates.from_serial(90), "3 MONTH LIBOR", 0.004),
        Fixing(dates.from_serial(102), "3M Libor", 0.005),
        Fixing(dates.from_serial(108), "3M LIBOR", 0.9),
        Fixing(dates.from_serial(101), "3M Term SOFR", 0.006),
        Fixing(dates.from_serial(101), "6M LIBOR", 0.7),
    ]
    made = TABLE.with_history(fixings, 105, "LIBOR")
    assert made.rates[1, :5].tolist() == [0.004, 0.004, 0.005, 0.005, 0.005]
    assert made.rates[1, 5:].tolist() == TABLE.rates[1, 5:].tolist()
    assert made.rates[0].tolist() == TABLE.rates[0].tolist()
    assert TABLE.with_history(fixings, 105).rates[1, 1] == 0.006


def test_that_a_floored_table_has_nothing_below_the_floor() -> None:
    made = FixingTable(0, (3,), np.array([[-0.01, 0.0, 0.02]])).floored()
    assert made.rates.tolist() == [[0.0, 0.0, 0.02]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("3 MONTH LIBOR", ("LIBOR", 3)),
        ("USD Libor 6M", ("LIBOR", 6)),
        ("1M Term SOFR", ("TERM SOFR", 1)),
        ("3M SOFR", ("TERM SOFR", 3)),
        ("SOFR", ("SOFR", 0)),
        ("12 mo EURIBOR", ("EURIBOR", 12)),
        ("Prime", ("PRIME", None)),
        ("3M Cost of Funds", ("COST OF FUNDS", 3)),
    ],
)
def test_that_labels_of_indices_are_family_and_tenor(name: str, expected: tuple[str, int | None]) -> None:
    assert index_label(name) == expected
