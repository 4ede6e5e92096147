"""Dates and rates of the demo deal: holidays, payment schedule, Term SOFR curve and fixings.

The rates are round numbers near the market of the time; they are no one's published fixings.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from engine import calendars, dates
from engine.terms import CurveNode, Fixing, PaymentDate

ANALYSIS: Final = dt.date(2025, 3, 31)
PRICING: Final = dt.date(2024, 4, 11)
CLOSING: Final = dt.date(2024, 5, 16)
EFFECTIVE: Final = dt.date(2024, 8, 15)
FIRST_PAYMENT: Final = dt.date(2024, 10, 15)
NON_CALL: Final = dt.date(2026, 5, 15)
REINVESTMENT_END: Final = dt.date(2029, 4, 15)
MATURITY: Final = dt.date(2037, 4, 15)
PAYMENT_DAY: Final = 15
MONTHS: Final = 3
DETERMINATION_LAG: Final = 8  # business days before the payment date
INTEREST_LAG: Final = 2  # business days before the start of the accrual period

INDEX: Final[dict[int, tuple[str, float]]] = {
    12: ("1M Term SOFR", 0.0432),
    4: ("3M Term SOFR", 0.0430),
    2: ("6M Term SOFR", 0.0425),
}
"""Payments a year -> index of a loan and its level in the running period."""

CURVE: Final = (
    *(CurveNode(1, 0.0432), CurveNode(3, 0.0429), CurveNode(6, 0.0421), CurveNode(12, 0.0405), CurveNode(24, 0.0377)),
    *(CurveNode(36, 0.0366), CurveNode(60, 0.0362), CurveNode(84, 0.0368), CurveNode(120, 0.0379)),
    CurveNode(180, 0.0390),
)

FIXINGS: Final = (
    Fixing(dt.date(2024, 5, 14), "1M Term SOFR", 0.0532),
    Fixing(dt.date(2024, 5, 14), "3M Term SOFR", 0.0533),
    Fixing(dt.date(2024, 5, 14), "6M Term SOFR", 0.0529),
    Fixing(dt.date(2024, 10, 10), "1M Term SOFR", 0.0484),
    Fixing(dt.date(2024, 10, 10), "3M Term SOFR", 0.0466),
    Fixing(dt.date(2024, 10, 10), "6M Term SOFR", 0.0442),
    Fixing(dt.date(2025, 1, 13), "1M Term SOFR", 0.0431),
    Fixing(dt.date(2025, 1, 13), "3M Term SOFR", 0.0430),
    Fixing(dt.date(2025, 1, 13), "6M Term SOFR", 0.0427),
    Fixing(dt.date(2025, 3, 27), "1M Term SOFR", 0.0432),
    Fixing(dt.date(2025, 3, 27), "3M Term SOFR", 0.0430),
    Fixing(dt.date(2025, 3, 27), "6M Term SOFR", 0.0425),
)
ORIGINAL_INDEX: Final = 0.0533
CURRENT_INDEX: Final = 0.0430


HOLIDAYS: Final = tuple(day for day in calendars.us_holidays(2024, 2038) if day >= dt.date(2024, 1, 1))
_CALENDAR: Final = dates.Calendar(calendars.us_holidays(2017, 2038))  # the oldest loans were made in 2019


def following(day: dt.date) -> dt.date:
    return _CALENDAR.roll(day, "Following")


def modified_following(day: dt.date) -> dt.date:
    return _CALENDAR.roll(day, "Mod Following")


def business_days_before(day: dt.date, count: int) -> dt.date:
    return _CALENDAR.business_days_before(day, count)


def add_months(day: dt.date, months: int, *, month_end: bool = False) -> dt.date:
    """The same day `months` later, or the last of the month where there is none or `month_end` asks for it."""
    return dates.from_serial(dates.add_months(dates.serial(day), months, month_end))


def payment_dates() -> Iterator[dt.date]:
    """Payment dates from the first to stated maturity, rolled to the following business day."""
    day = FIRST_PAYMENT
    while day <= MATURITY:
        yield following(day)
        day = add_months(day, MONTHS)


def schedule() -> tuple[PaymentDate, ...]:
    """The payment schedule; the interest determination date is that of the period that ends on the payment date."""
    rows = []
    accrual_start = begin = CLOSING
    for payment in payment_dates():
        end = business_days_before(payment, DETERMINATION_LAG)
        rows.append(PaymentDate(payment, business_days_before(accrual_start, INTEREST_LAG), begin, end))
        accrual_start, begin = payment, end
    return tuple(rows)
