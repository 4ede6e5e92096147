import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import calendars, dates

DAYS = st.dates(dt.date(1995, 1, 1), dt.date(2060, 12, 31))


def day(text: str) -> int:
    return dates.serial(dt.date.fromisoformat(text))


@given(DAYS)
def test_that_a_serial_splits_into_the_calendar_date_and_back(date: dt.date) -> None:
    s = dates.serial(date)
    assert dates.civil(s) == (date.year, date.month, date.day)
    assert dates.from_civil(date.year, date.month, date.day) == s
    assert dates.from_serial(s) == date


def test_that_the_day_counts_equal_the_spreadsheet_s(cases: dict[str, Any]) -> None:
    for row in cases["DC-1"]["expected"]["rows"]:
        a, b = day(row["start"]), day(row["end"])
        assert dates.year_fraction(a, b, dates.THIRTY_360) == pytest.approx(row["30/360US"], abs=1e-12)
        assert dates.year_fraction(a, b, dates.ACT_360) == pytest.approx(row["act/360"], abs=1e-12)
        assert dates.year_fraction(a, b, dates.ACT_365) == pytest.approx(row["act/365"], abs=1e-12)
        assert dates.year_fraction(a, b, dates.THIRTY_360_EU) == pytest.approx(row["30/360EU"], abs=1e-12)
        assert dates.days_360(a, b) == row["days360"]


def test_that_annual_rates_become_period_rates_on_30_360_time(cases: dict[str, Any]) -> None:
    case = cases["RATE-1"]
    for (rate, a, b), expected in zip(case["inputs"]["items"], case["expected"]["values"], strict=True):
        assert dates.period_rate(rate, day(a), day(b)) == pytest.approx(expected, abs=1e-14)


def test_that_the_us_calendar_gives_the_workbook_s_seventeen_dates(cases: dict[str, Any]) -> None:
    case = cases["CAL-1"]
    listed = {dt.date.fromisoformat(d) for d in case["inputs"]["holidays_2016"]}
    ours = calendars.us_holidays(2015, 2017)
    assert {d for d in ours if d.year == 2016} <= listed
    calendar = dates.Calendar(ours)
    for row in case["expected"]["rows"]:
        paid = calendar.roll(dt.date.fromisoformat(row["unadjusted"]), "Following")
        assert paid.isoformat() == row["payment_date"]
        assert calendar.business_days_before(paid, row["determination_bd"]).isoformat() == row["determination_date"]


@given(DAYS, st.integers(-240, 240))
def test_that_month_ends_stay_month_ends(date: dt.date, months: int) -> None:
    moved = dates.from_serial(dates.add_months(dates.serial(date), months, True))
    assert (moved + dt.timedelta(days=1)).day == 1
    assert (moved.year * 12 + moved.month) - (date.year * 12 + date.month) == months


@given(DAYS, st.sampled_from([dates.FOLLOWING, dates.MODIFIED_FOLLOWING, dates.PREVIOUS]))
def test_that_rolling_ends_on_a_business_day_and_modified_following_keeps_the_month(date: dt.date, how: int) -> None:
    calendar = dates.Calendar(calendars.us_holidays(1994, 2062))
    moved = dates.roll(dates.serial(date), how, calendar.closed, calendar.closed_from)
    assert dates.is_business(moved, calendar.closed, calendar.closed_from)
    assert abs(moved - dates.serial(date)) <= 6
    if how == dates.MODIFIED_FOLLOWING:
        assert dates.from_serial(moved).month == date.month


@given(DAYS, DAYS)
def test_that_actual_actual_adds_up_over_any_split(a: dt.date, b: dt.date) -> None:
    first, last = sorted((dates.serial(a), dates.serial(b)))
    middle = (first + last) // 2
    whole = dates.year_fraction(first, last, dates.ACT_ACT)
    parts = dates.year_fraction(first, middle, dates.ACT_ACT) + dates.year_fraction(middle, last, dates.ACT_ACT)
    assert whole == pytest.approx(parts, abs=1e-12)
