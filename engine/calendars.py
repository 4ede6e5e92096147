"""Holiday calendars by rule, and schedules counted back from their last date.

A rule gives the holidays of a year on weekdays and weekends alike; weekends are no business days in any calendar.
Days of mourning, storms and jubilees are no rule: they stand in ONE_OFF, as published.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

from engine import dates

MONDAY: Final = 0
THURSDAY: Final = 3

ONE_OFF: Final[Mapping[str, tuple[str, ...]]] = {
    "US NYSE": (
        *("2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2007-01-02"),
        *("2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09"),
    ),
    "US GOVERNMENTBOND (SIFMA)": ("2004-06-11", "2012-10-30", "2018-12-05"),
    "UK SETTLEMENT": (
        *("1999-12-31", "2002-06-03", "2002-06-04", "2011-04-29", "2012-06-04", "2012-06-05"),
        *("2022-06-02", "2022-06-03", "2022-09-19", "2023-05-08"),
    ),
    "TARGET": ("1999-12-31", "2001-12-31"),
}


def easter_sunday(year: int) -> dt.date:
    """Easter Sunday of the Gregorian calendar (the anonymous algorithm, J. Meeus)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * i) // 451
    month, day = divmod(h + i - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


def nth_weekday(year: int, month: int, weekday: int, n: int) -> dt.date:
    """The n-th Monday (0) to Sunday (6) of a month."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def last_monday(year: int, month: int) -> dt.date:
    last = dt.date(year, month, 31)  # asked for in May and August only
    return last - dt.timedelta(days=last.weekday())


def _moved(day: dt.date, saturday: int, sunday: int = 1) -> dt.date:
    """A fixed holiday on a weekend, moved by so many days."""
    return day + dt.timedelta(days={5: saturday, 6: sunday}.get(day.weekday(), 0))


def _us_mondays(year: int) -> list[dt.date]:
    """Martin Luther King's and Washington's birthdays, Memorial Day, Labor Day; and Thanksgiving."""
    return [
        nth_weekday(year, 1, MONDAY, 3),
        nth_weekday(year, 2, MONDAY, 3),
        last_monday(year, 5),
        nth_weekday(year, 9, MONDAY, 1),
        nth_weekday(year, 11, THURSDAY, 4),
    ]


def _juneteenth(year: int, saturday: int, since: int = 2022) -> list[dt.date]:
    return [_moved(dt.date(year, 6, 19), saturday)] if year >= since else []


def _us_settlement(year: int) -> list[dt.date]:
    fixed = [dt.date(year, 7, 4), dt.date(year, 11, 11), dt.date(year, 12, 25), dt.date(year, 1, 1)]
    next_year = dt.date(year + 1, 1, 1)  # on a Saturday it is kept on 31 December
    days = [_moved(d, -1) for d in (*fixed, next_year)]
    return [*_us_mondays(year), nth_weekday(year, 10, MONDAY, 2), *_juneteenth(year, -1), *days]


def _federal_reserve(year: int) -> list[dt.date]:
    fixed = [dt.date(year, 1, 1), dt.date(year, 7, 4), dt.date(year, 11, 11), dt.date(year, 12, 25)]
    days = [_moved(d, 0) for d in fixed]  # on a Saturday the banks stay open on Friday
    return [*_us_mondays(year), nth_weekday(year, 10, MONDAY, 2), *_juneteenth(year, 0), *days]


def _us_bonds(year: int, every_good_friday: bool) -> list[dt.date]:
    good_friday = easter_sunday(year) - dt.timedelta(days=2)
    days = [_moved(dt.date(year, 1, 1), 0), _moved(dt.date(year, 11, 11), 0)]
    days += [_moved(dt.date(year, 7, 4), -1), _moved(dt.date(year, 12, 25), -1)]
    # on the first Friday of a month the employment report comes: an early close since 1996, not a holiday
    if every_good_friday or year < 1996 or good_friday.day > 7:
        days.append(good_friday)
    return [*_us_mondays(year), nth_weekday(year, 10, MONDAY, 2), *_juneteenth(year, -1), *days]


def _sifma(year: int) -> list[dt.date]:
    return _us_bonds(year, every_good_friday=False)


def _sofr(year: int) -> list[dt.date]:
    return _us_bonds(year, every_good_friday=True)


def _nyse(year: int) -> list[dt.date]:
    days = [_moved(dt.date(year, 1, 1), 0), _moved(dt.date(year, 7, 4), -1), _moved(dt.date(year, 12, 25), -1)]
    days.append(easter_sunday(year) - dt.timedelta(days=2))
    return [*_us_mondays(year), *_juneteenth(year, -1), *days]


def _uk_settlement(year: int) -> list[dt.date]:
    easter = easter_sunday(year)
    may = {1995: dt.date(1995, 5, 8), 2020: dt.date(2020, 5, 8)}.get(year, nth_weekday(year, 5, MONDAY, 1))
    days = [_moved(dt.date(year, 1, 1), 2), easter - dt.timedelta(days=2), easter + dt.timedelta(days=1), may]
    if year not in (2002, 2012, 2022):  # in the years of the jubilees the holiday was in June
        days.append(last_monday(year, 5))
    christmas = dt.date(year, 12, 25)
    days += [last_monday(year, 8), _moved(christmas, 2, 2), _moved(dt.date(year, 12, 26), 2, 2)]
    return days


def _target(year: int) -> list[dt.date]:
    days = [dt.date(year, 1, 1), dt.date(year, 12, 25)]
    if year >= 2000:
        easter = easter_sunday(year)
        days += [easter - dt.timedelta(days=2), easter + dt.timedelta(days=1), dt.date(year, 5, 1)]
        days.append(dt.date(year, 12, 26))
    return days


RULES: Final[Mapping[str, Callable[[int], list[dt.date]]]] = {
    "US SOFR": _sofr,
    "US GOVERNMENTBOND (SIFMA)": _sifma,
    "US SETTLEMENT": _us_settlement,
    "US NYSE": _nyse,
    "US FEDERALRESERVE": _federal_reserve,
    "UK SETTLEMENT": _uk_settlement,
    "TARGET": _target,
}
"""Name in capitals -> holidays of a year."""


def holidays(name: str, first_year: int, last_year: int) -> tuple[dt.date, ...]:
    """Holidays of a named calendar that fall on weekdays, both years included. ValueError for a name unknown."""
    key = name.strip().upper()
    if key not in RULES:
        raise ValueError(f"There is no calendar {name!r}; known are {', '.join(sorted(RULES))}.")
    found = {day for year in range(first_year, last_year + 1) for day in RULES[key](year)}
    found |= {dt.date.fromisoformat(day) for day in ONE_OFF.get(key, ())}
    if key == "US GOVERNMENTBOND (SIFMA)" or key == "US SOFR":
        found |= {dt.date.fromisoformat(day) for day in ONE_OFF["US GOVERNMENTBOND (SIFMA)"]}
    return tuple(sorted(day for day in found if day.weekday() < 5 and first_year <= day.year <= last_year))


def us_holidays(first_year: int, last_year: int) -> tuple[dt.date, ...]:
    """US federal holidays as observed (Saturday: Friday before; Sunday: Monday after), both years included.

    The calendar of deals that name none. Juneteenth counts from 2021 on, the year of the law.
    """
    found: list[dt.date] = []
    for year in range(first_year, last_year + 1):
        fixed = [dt.date(year, 1, 1), dt.date(year, 7, 4), dt.date(year, 11, 11), dt.date(year, 12, 25)]
        found += [_moved(d, -1) for d in fixed]
        found += [*_us_mondays(year), nth_weekday(year, 10, MONDAY, 2), *_juneteenth(year, -1, since=2021)]
    return tuple(sorted(set(found)))


def schedule(
    effective: dt.date,
    termination: dt.date,
    months: int,
    convention: str | None,
    calendar: dates.Calendar,
    end_of_month: bool = False,
) -> tuple[dt.date, ...]:
    """Dates from `effective` to `termination`, counted back from the last by whole periods and rolled.

    A first period that is not whole is the short one, at the front. With `end_of_month` a schedule that ends on the
    last day of a month has every date there. ValueError where nothing is between, or a period is no month long.
    """
    if months < 1 or termination <= effective:
        raise ValueError("A schedule needs periods of a month or more and a last date after its first.")
    first, last = dates.serial(effective), dates.serial(termination)
    ends = end_of_month and (termination + dt.timedelta(days=1)).day == 1
    days, k = [last], 1
    while (day := int(dates.add_months(last, -k * months, ends))) > first:
        days.append(day)
        k += 1
    return tuple(calendar.roll(dates.from_serial(day), convention) for day in (first, *reversed(days)))
