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
