"""Running coupons of loans, and the days they accrue (the worked cases: test_validation_cases)."""

from __future__ import annotations

import pytest

from engine import dates
from engine.loans import columns as col
from engine.validation.harness import run_loans
from tests.engine import reference_collateral as ref
from tests.engine.builders import day, loan

ANALYSIS = day("2016-03-23")


def test_that_a_payment_on_the_analysis_date_is_past_and_its_successor_one_period_long() -> None:
    asset = loan(first_payment_date=day("2015-12-23"), payment_eom=False, business_day_convention="None")
    flows = run_loans([(asset, 1e6)], ANALYSIS, [day("2016-06-23")])
    assert flows[0, col.INTEREST] == pytest.approx(1e6 * 0.0475 * 92 / 360)


def test_that_the_coupon_without_a_figure_is_index_and_spread_between_floor_and_cap() -> None:
    ends = [day("2016-03-31")]
    for floor, cap, index in ((0.01, None, 0.02), (0.03, None, 0.03), (0.0, 0.015, 0.015)):
        asset = loan(coupon=None, index_floor=floor, index_cap=cap)
        interest = run_loans([(asset, 1e6)], ANALYSIS, ends)[0, col.INTEREST]
        assert interest == pytest.approx(1e6 * (index + 0.0375) * 91 / 360)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("2000-02-28", "2000-03-31", 33),
        ("2000-02-29", "2000-03-31", 30),
        ("2015-02-28", "2015-03-31", 30),
        ("2015-02-28", "2015-05-31", 90),
        ("2007-01-31", "2007-03-31", 60),
        ("2007-01-01", "2007-12-31", 360),
        ("2007-01-31", "2007-03-01", 31),
        ("2015-02-28", "2016-02-29", 359),
    ],
)
def test_that_days_on_30_360_are_the_spreadsheet_s_also_from_the_end_of_february(a: str, b: str, expected: int) -> None:
    assert ref.days360(day(a), day(b)) == expected
    assert dates.days_360(dates.serial(day(a)), dates.serial(day(b))) == expected
