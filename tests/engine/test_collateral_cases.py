"""Single rules of loans, and the day counts they rest on (the worked cases: test_validation_cases)."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from engine import collateral as col
from engine import dates
from engine.validation.harness import run_loans
from tests.engine import reference_collateral as ref
from tests.engine.builders import day, loan

ANALYSIS = day("2016-03-23")


def test_that_the_recovery_of_a_matured_loan_still_comes_when_it_is_to_come_after_maturity() -> None:
    ends = [day("2017-09-30"), day("2019-01-01")]
    vectors = [((0.0,), (0.04,), (0.4,))]
    lost = run_loans([(loan(), 1e6)], ANALYSIS, ends, vectors=vectors, recover_after_maturity=False)[0].sum(axis=0)
    kept = run_loans([(loan(), 1e6)], ANALYSIS, ends, vectors=vectors)[0].sum(axis=0)
    assert kept[col.RECOVERIES] == pytest.approx(0.6 * kept[col.DEFAULTED])
    assert kept[col.LOSS] == pytest.approx(0.4 * kept[col.DEFAULTED])
    assert lost[col.RECOVERIES] < kept[col.RECOVERIES]
    assert lost[col.RECOVERIES] + lost[col.LOSS] == pytest.approx(lost[col.DEFAULTED])


def test_that_a_loan_in_default_with_no_lag_recovers_on_its_next_date() -> None:
    flows = run_loans([(loan(defaulted=True, market_value=45.0), 5e5)], ANALYSIS, [day("2016-03-31")], lag_months=0)[0]
    assert flows[0, col.RECOVERIES] == pytest.approx(225_000.0)
    assert flows[0, col.LOSS] == pytest.approx(275_000.0)
    assert flows[0, col.INTEREST] == 0.0


def test_that_a_loan_whose_first_payment_is_its_maturity_pays_once() -> None:
    asset = loan(first_payment_date=day("2017-09-29"), dated_date=day("2016-03-31"))
    flows = run_loans([(asset, 1e6)], ANALYSIS, [day("2017-12-31")])[0].sum(axis=0)
    assert flows[col.SCHEDULED] == pytest.approx(1e6)
    assert flows[col.INTEREST] == pytest.approx(1e6 * 0.0475 * (day("2017-09-29") - day("2016-03-31")).days / 360)


def test_that_a_loan_dated_after_its_maturity_still_repays_its_par() -> None:
    odd = loan(maturity=day("2016-05-02"), dated_date=day("2016-06-01"), first_payment_date=day("2016-06-30"))
    flows = run_loans([(odd, 1e6)], ANALYSIS, [day("2016-07-08")])[0].sum(axis=0)
    assert flows[col.SCHEDULED] == 1e6
    assert flows[col.INTEREST] == 0.0


def test_that_a_payment_on_the_analysis_date_is_past_and_its_successor_one_period_long() -> None:
    asset = loan(first_payment_date=day("2015-12-23"), payment_eom=False, business_day_convention="None")
    flows = run_loans([(asset, 1e6)], ANALYSIS, [day("2016-06-23")])[0]
    assert flows[0, col.INTEREST] == pytest.approx(1e6 * 0.0475 * 92 / 360)


def test_that_the_lag_in_months_is_rounded_to_interest_dates_halves_to_even() -> None:
    for months, frequency, expected in ((5, 4, 2), (6, 1, 0), (18, 1, 2), (1, 4, 0), (7, 12, 7)):
        asset = loan(payment_frequency=frequency, maturity=day("2020-12-31"))
        ends = [day("2016-03-31") + dt.timedelta(days=30 * n) for n in range(60)]
        flows = run_loans([(asset, 1e6)], ANALYSIS, ends, vectors=[((0,), (0.02, 0.0), (0.5,))], lag_months=months)[0]
        rows = ref.rows(ref.Terms(asset, 1e6, (0,), (0.02, 0.0), (0.5,), months, 0.0), ANALYSIS, lambda _d, _t: 0.02)
        places = [i for i, row in enumerate(rows) if row.recoveries > 0]
        assert places == [expected]
        assert flows[:, col.RECOVERIES] == pytest.approx(np.array(ref.gather(rows, ends))[:, col.RECOVERIES])


def test_that_the_coupon_without_a_figure_is_index_and_spread_between_floor_and_cap() -> None:
    ends = [day("2016-03-31")]
    for floor, cap, index in ((0.01, None, 0.02), (0.03, None, 0.03), (0.0, 0.015, 0.015)):
        asset = loan(coupon=None, index_floor=floor, index_cap=cap)
        interest = run_loans([(asset, 1e6)], ANALYSIS, ends)[0, 0, col.INTEREST]
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
