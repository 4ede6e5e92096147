"""Day counts, period rates, calendars, adjustments, schedules."""

from __future__ import annotations

import re
from typing import Any

from engine import calendars, dates
from engine.validation.cases import Case, CaseError, Library
from engine.validation.kinds.plain import business_days, day, serial
from engine.validation.registry import kind

_THIRTY = (dates.THIRTY_360, dates.THIRTY_360_EU, dates.THIRTY_360_BOND, dates.THIRTY_E_360_ISDA)


def _convention(text: str) -> str:
    """ "ModifiedFollowing" as the engine spells it; an unknown one is refused, where the engine would not adjust."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).upper()
    words = "NONE" if words == "UNADJUSTED" else words
    if words not in dates.CONVENTIONS:
        raise CaseError(f"names the business-day convention {text!r}, which is unknown")
    return words


@kind("DC-1")
def spreadsheet_day_counts(case: Case, library: Library) -> Any:
    """Day counts as spreadsheets have them, a row for each pair of dates."""
    rows = []
    for start, end in case.inputs["pairs"]:
        a, b = serial(start), serial(end)
        rows.append(
            {
                "start": start,
                "end": end,
                "30/360US": dates.year_fraction(a, b, dates.THIRTY_360),
                "act/act(Excel)": dates.year_fraction(a, b, dates.ACT_ACT_EXCEL),
                "act/360": dates.year_fraction(a, b, dates.ACT_360),
                "act/365": dates.year_fraction(a, b, dates.ACT_365),
                "30/360EU": dates.year_fraction(a, b, dates.THIRTY_360_EU),
                "days360": dates.days_360(a, b),
            }
        )
    return {"rows": rows}


@kind("DC")
def day_count(case: Case, library: Library) -> Any:
    """Days and year fractions of one convention; Act/Act ICMA with its reference period."""
    given = case.inputs
    name = str(given["convention"]).upper()
    if name == "ACT/ACT ICMA":
        period = serial(given["ref_start"]), serial(given["ref_end"])
        return {"year_fraction": dates.year_fraction_icma(serial(given["start"]), serial(given["end"]), *period)}
    if name not in dates.MARKET_DAY_COUNTS:
        raise CaseError(f"names the day count {given['convention']!r}, which is unknown")
    code = dates.MARKET_DAY_COUNTS[name]
    pairs = [(serial(a), serial(b)) for a, b in given["pairs"]]
    fractions = [dates.year_fraction(a, b, code) for a, b in pairs]
    days = [round(f * 360) if code in _THIRTY else b - a for f, (a, b) in zip(fractions, pairs, strict=True)]
    return {"days": days, "year_fraction": fractions}


@kind("RATE")
def period_rates(case: Case, library: Library) -> Any:
    """Annual default and prepayment rates as rates of a period."""
    return {"values": [dates.period_rate(float(rate), serial(a), serial(b)) for rate, a, b in case.inputs["items"]]}


@kind("CAL-1")
def payment_dates(case: Case, library: Library) -> Any:
    """Payment and determination dates of deals under the US federal calendar by rule."""
    asked = case.expected["rows"]
    years = [day(row["unadjusted"]).year for row in asked]
    calendar = dates.Calendar(calendars.us_holidays(min(years) - 1, max(years) + 1))
    convention = _convention(case.inputs["convention"])
    rows = []
    for row in asked:
        paid = calendar.roll(day(row["unadjusted"]), convention)
        determined = calendar.business_days_before(paid, business_days(row["determination_bd"]))
        questions = {"deal": row.get("deal"), "unadjusted": row["unadjusted"]}
        rows.append(
            questions
            | {
                "determination_bd": int(row["determination_bd"]),
                "payment_date": paid.isoformat(),
                "determination_date": determined.isoformat(),
            }
        )
    return {"rows": rows}


@kind("CAL")
def holidays(case: Case, library: Library) -> Any:
    """Holidays on weekdays and the number of business days of a calendar's year."""
    year = day(f"{case.inputs['year']}-01-01").year
    found = calendars.holidays(case.inputs["calendar"], year, year)
    calendar = dates.Calendar(found)
    first, last = serial(f"{year}-01-01"), serial(f"{year}-12-31")
    business = sum(dates.is_business(d, calendar.closed, calendar.closed_from) for d in range(first, last + 1))
    return {"holidays": [d.isoformat() for d in found], "business_days": business}


@kind("BDA")
def adjustments(case: Case, library: Library) -> Any:
    """Dates moved to business days, by each convention asked for."""
    given = [day(text) for text in case.inputs["dates"]]
    years = [d.year for d in given]
    calendar = dates.Calendar(calendars.holidays(case.inputs["calendar"], min(years) - 1, max(years) + 1))
    return {name: [calendar.roll(d, _convention(name)).isoformat() for d in given] for name in case.expected}


@kind("SCH")
def schedules(case: Case, library: Library) -> Any:
    """A schedule counted back from its last date, adjusted."""
    given = case.inputs
    if given.get("rule", "Backward") != "Backward":
        raise CaseError(f"asks for the rule {given['rule']!r}; schedules are counted backward")
    tenor = re.fullmatch(r"(\d+)([MY])", str(given["tenor"]))
    if tenor is None:
        raise CaseError(f"has the tenor {given['tenor']!r}; write months or years, as in 3M")
    first, last = day(given["effective"]), day(given["termination"])
    calendar = dates.Calendar(calendars.holidays(given["calendar"], first.year - 1, last.year + 1))
    months = int(tenor[1]) * (12 if tenor[2] == "Y" else 1)
    found = calendars.schedule(
        first, last, months, _convention(given["convention"]), calendar, bool(given.get("eom", False))
    )
    return {"dates": [d.isoformat() for d in found]}
