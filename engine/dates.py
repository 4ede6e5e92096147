"""Day counts, business days and schedules on day serials.

A serial is the number of days since 1970-01-01 (numpy's datetime64[D] as an integer). Everything that runs inside a
projection is a kernel on serials; Python dates are met only at the border.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.jit import kernel

EPOCH: Final = dt.date(1970, 1, 1).toordinal()

ACT_360: Final = 0
ACT_365: Final = 1
THIRTY_360: Final = 2
THIRTY_360_EU: Final = 3
ACT_ACT: Final = 4
THIRTY_360_BOND: Final = 5
THIRTY_E_360_ISDA: Final = 6
ACT_365_25: Final = 7
ACT_366: Final = 8
ACT_ACT_EXCEL: Final = 9

DAY_COUNTS: Final[dict[str, int]] = {
    "ACTUAL/360": ACT_360,
    "ACTUAL/365": ACT_365,
    "30/360": THIRTY_360,
    "30/360EU": THIRTY_360_EU,
    "ACTUAL/ACTUAL": ACT_ACT,
}
"""Day counts as the workbook spells them."""

MARKET_DAY_COUNTS: Final[dict[str, int]] = {
    "30/360 USA": THIRTY_360,
    "30/360 BONDBASIS": THIRTY_360_BOND,
    "30E/360": THIRTY_360_EU,
    "30/360 ISDA": THIRTY_E_360_ISDA,
    "ACT/360": ACT_360,
    "ACT/365F": ACT_365,
    "ACT/ACT ISDA": ACT_ACT,
    "ACT/365.25": ACT_365_25,
    "ACT/366": ACT_366,
    "ACT/ACT EXCEL": ACT_ACT_EXCEL,
}
"""Day counts as standards and pricing libraries spell them, in capitals. Act/Act ICMA needs a reference period and
has a function of its own."""

UNADJUSTED: Final = 0
FOLLOWING: Final = 1
MODIFIED_FOLLOWING: Final = 2
PREVIOUS: Final = 3
MODIFIED_PREVIOUS: Final = 4

CONVENTIONS: Final[dict[str, int]] = {
    "NONE": UNADJUSTED,
    "FOLLOWING": FOLLOWING,
    "MOD FOLLOWING": MODIFIED_FOLLOWING,
    "MODIFIED FOLLOWING": MODIFIED_FOLLOWING,
    "PREVIOUS": PREVIOUS,
    "PRECEDING": PREVIOUS,
    "MOD PREVIOUS": MODIFIED_PREVIOUS,
    "MODIFIED PREVIOUS": MODIFIED_PREVIOUS,
    "MODIFIED PRECEDING": MODIFIED_PREVIOUS,
}


def day_count_code(text: str | None) -> int:
    """The code of a day count as the workbook spells it; missing: actual/360, the loan market's."""
    key = (text or "ACTUAL/360").upper().replace(" ", "").replace("ACT/", "ACTUAL/").replace("ACT3", "ACTUAL/3")
    return DAY_COUNTS.get(key, ACT_360)


def convention_code(text: str | None) -> int:
    """The code of a business-day convention as the workbook spells it; missing or unknown: unadjusted."""
    return CONVENTIONS.get((text or "NONE").upper().strip(), UNADJUSTED)


def serial(day: dt.date) -> int:
    return day.toordinal() - EPOCH


def from_serial(day: int) -> dt.date:
    return dt.date.fromordinal(int(day) + EPOCH)


def serials(days: Iterable[dt.date]) -> NDArray[np.int64]:
    return np.array([serial(d) for d in days], dtype=np.int64)


# --- kernels -----------------------------------------------------------------------------------------------------


@kernel
def civil(day: int) -> tuple[int, int, int]:
    """Year, month, day of a serial (proleptic Gregorian, H. Hinnant's era algorithm)."""
    z = day + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    d = doy - (153 * mp + 2) // 5 + 1
    m = mp + 3 if mp < 10 else mp - 9
    y = yoe + era * 400 + (1 if m <= 2 else 0)
    return y, m, d


@kernel
def from_civil(y: int, m: int, d: int) -> int:
    """Serial of a calendar date."""
    y = y - (1 if m <= 2 else 0)
    era = y // 400
    yoe = y - era * 400
    mp = m - 3 if m > 2 else m + 9
    doy = (153 * mp + 2) // 5 + d - 1
    doe = yoe * 365 + yoe // 4 - yoe // 100 + doy
    return era * 146097 + doe - 719468


@kernel
def days_in_month(y: int, m: int) -> int:
    if m == 2:
        leap = (y % 4 == 0 and y % 100 != 0) or y % 400 == 0
        return 29 if leap else 28
    return 30 if m in (4, 6, 9, 11) else 31


@kernel
def add_months(day: int, months: int, end_of_month: bool) -> int:
    """`day` moved by whole months, clipped to the month's length; moved to its last day with `end_of_month`."""
    y, m, d = civil(day)
    total = y * 12 + (m - 1) + months
    y, m = total // 12, total % 12 + 1
    last = days_in_month(y, m)
    return from_civil(y, m, last if end_of_month else min(d, last))


@kernel
def is_business(day: int, closed: NDArray[np.bool_], closed_from: int) -> bool:
    """Whether `day` is neither a weekend nor marked in `closed` (one flag a day from `closed_from` on)."""
    if (day + 3) % 7 >= 5:  # serial 0 was a Thursday
        return False
    i = day - closed_from
    return not (0 <= i < closed.shape[0] and closed[i])


@kernel
def roll(day: int, convention: int, closed: NDArray[np.bool_], closed_from: int) -> int:
    """`day` moved to a business day by the convention."""
    if convention == 0 or is_business(day, closed, closed_from):
        return day
    step = -1 if convention >= 3 else 1
    moved = day
    while not is_business(moved, closed, closed_from):
        moved += step
    if (convention == 2 or convention == 4) and civil(moved)[1] != civil(day)[1]:
        moved = day
        while not is_business(moved, closed, closed_from):
            moved -= step
    return moved


@kernel
def business_days_before(day: int, n: int, closed: NDArray[np.bool_], closed_from: int) -> int:
    """The business day `n` business days before `day`."""
    while n > 0:
        day -= 1
        if is_business(day, closed, closed_from):
            n -= 1
    return day


@kernel
def days_360(a: int, b: int) -> int:
    """Days between on the US (NASD) 30/360 basis, as DAYS360 of spreadsheets counts them (case DC-1)."""
    y1, m1, d1 = civil(a)
    y2, m2, d2 = civil(b)
    if d1 == 31 or (m1 == 2 and d1 == days_in_month(y1, 2)):
        d1 = 30
    if d2 == 31 and d1 < 30:
        return (y2 - y1) * 360 + (m2 + 1 - m1) * 30 + (1 - d1)
    if d2 == 31 and d1 == 30:
        d2 = 30
    return (y2 - y1) * 360 + (m2 - m1) * 30 + (d2 - d1)


@kernel
def _excel_year(a: int, b: int) -> float:
    """Length of a year in the spreadsheet's actual/actual (YEARFRAC, basis 1).

    Within a year: 366 where a 29 February can fall in it; beyond: the mean length of the calendar years touched.
    """
    y1, m1, d1 = civil(a)
    y2, m2, d2 = civil(b)
    if y1 == y2:
        return 365.0 + (days_in_month(y1, 2) - 28)
    if y2 == y1 + 1 and (m1 > m2 or (m1 == m2 and d1 >= d2)):
        leap1 = days_in_month(y1, 2) == 29 and a <= from_civil(y1, 2, 29)
        leap2 = days_in_month(y2, 2) == 29 and b >= from_civil(y2, 2, 29)
        return 366.0 if leap1 or leap2 else 365.0
    return (from_civil(y2 + 1, 1, 1) - from_civil(y1, 1, 1)) / (y2 - y1 + 1.0)


@kernel
def year_fraction_icma(a: int, b: int, period_start: int, period_end: int) -> float:
    """Actual/actual ICMA from `a` to `b`: days over the length of the regular coupon period, times its part of a year.

    period_start, period_end  a regular period; others follow before and after it in the same whole months
    """
    y1, m1, _ = civil(period_start)
    y2, m2, _ = civil(period_end)
    months = max((y2 - y1) * 12 + m2 - m1, 1)
    k = 0
    while add_months(period_start, k * months, False) > a:
        k -= 1
    total = 0.0
    start = add_months(period_start, k * months, False)
    while start < b:
        stop = add_months(period_start, (k + 1) * months, False)
        total += max(min(b, stop) - max(a, start), 0) / (stop - start) * months / 12.0
        start = stop
        k += 1
    return total


@kernel
def year_fraction(a: int, b: int, day_count: int) -> float:
    """Fraction of a year from `a` to `b` >= `a`; codes above.

    30/360 knows the end-of-February rule (case DC-1), its bond basis does not.
    """
    if a == b:
        return 0.0
    if day_count == 0:
        return (b - a) / 360.0
    if day_count == 1:
        return (b - a) / 365.0
    y1, m1, d1 = civil(a)
    y2, m2, d2 = civil(b)
    if day_count == 2:
        end1 = m1 == 2 and d1 == days_in_month(y1, 2)
        if end1 and m2 == 2 and d2 == days_in_month(y2, 2):
            d2 = 30
        if end1 or d1 == 31:
            d1 = 30
        if d2 == 31 and d1 == 30:
            d2 = 30
        return ((y2 - y1) * 360 + (m2 - m1) * 30 + (d2 - d1)) / 360.0
    if day_count == 3:
        d1, d2 = min(d1, 30), min(d2, 30)
        return ((y2 - y1) * 360 + (m2 - m1) * 30 + (d2 - d1)) / 360.0
    if day_count == 5 or day_count == 6:
        if day_count == 5:  # bond basis: February has no end
            d1 = min(d1, 30)
            d2 = 30 if d1 == 30 and d2 == 31 else d2
        else:  # 30E/360 ISDA: every month end is a 30th
            d1 = 30 if d1 == days_in_month(y1, m1) else min(d1, 30)
            d2 = 30 if d2 == days_in_month(y2, m2) else min(d2, 30)
        return ((y2 - y1) * 360 + (m2 - m1) * 30 + (d2 - d1)) / 360.0
    if day_count == 7:
        return (b - a) / 365.25
    if day_count == 8:
        return (b - a) / 366.0
    if day_count == 9:
        return (b - a) / _excel_year(a, b)
    # actual/actual ISDA: days in each calendar year over that year's length
    total = 0.0
    for y in range(y1, y2 + 1):
        start = max(a, from_civil(y, 1, 1))
        stop = min(b, from_civil(y + 1, 1, 1))
        total += (stop - start) / (365.0 + (days_in_month(y, 2) - 28))
    return total


@kernel
def period_rate(annual: float, a: int, b: int) -> float:
    """Probability of the period from an annual rate: 1 - (1-r)^(days360/360) (case RATE-1)."""
    if annual <= 0.0 or b <= a:
        return 0.0
    if annual >= 1.0:
        return 1.0
    survival: float = (1.0 - annual) ** (days_360(a, b) / 360.0)
    return 1.0 - survival


# --- calendars ---------------------------------------------------------------------------------------------------


class Calendar:
    """Holidays as a flag a day, ready for the kernels.

    closed       bool[n_days]  True on holidays (weekends are known without it)
    closed_from  serial of the first flag
    """

    def __init__(self, holidays: Iterable[dt.date]) -> None:
        days = sorted({serial(d) for d in holidays})
        self.closed_from: int = days[0] if days else 0
        self.closed: NDArray[np.bool_] = np.zeros(days[-1] - days[0] + 1 if days else 0, dtype=np.bool_)
        for day in days:
            self.closed[day - self.closed_from] = True

    def roll(self, day: dt.date, convention: str | None) -> dt.date:
        return from_serial(roll(serial(day), convention_code(convention), self.closed, self.closed_from))

    def business_days_before(self, day: dt.date, n: int) -> dt.date:
        return from_serial(business_days_before(serial(day), n, self.closed, self.closed_from))
