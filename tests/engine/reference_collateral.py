"""Cash flows of one loan, slowly and plainly, straight from spec engine 2.1 to 2.9. Knows nothing of the kernels."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from engine.asset import Asset

ONE = dt.timedelta(days=1)
NOTHING = 0.005  # less than half a cent is no balance


def month_length(year: int, month: int) -> int:
    return calendar.monthrange(year, month)[1]


def add_months(day: dt.date, months: int, month_end: bool = False) -> dt.date:
    years, month = divmod(day.month - 1 + months, 12)
    last = month_length(day.year + years, month + 1)
    return dt.date(day.year + years, month + 1, last if month_end else min(day.day, last))


def roll(day: dt.date, convention: str | None, holidays: Collection[dt.date]) -> dt.date:
    def closed(d: dt.date) -> bool:
        return d.weekday() >= 5 or d in holidays

    name = (convention or "none").lower()
    if name not in ("following", "mod following", "previous"):
        return day
    moved = day
    while closed(moved):
        moved += -ONE if name == "previous" else ONE
    if name == "mod following" and moved.month != day.month:
        moved = day
        while closed(moved):
            moved -= ONE
    return moved


def is_last_of_february(day: dt.date) -> bool:
    return day.month == 2 and day.day == month_length(day.year, 2)


def year_fraction(a: dt.date, b: dt.date, basis: str) -> float:
    days = (b - a).days
    if basis == "ACTUAL/360":
        return days / 360
    if basis == "ACTUAL/365":
        return days / 365
    if basis == "ACTUAL/ACTUAL":  # ISDA: each day over the length of its own year
        total = 0.0
        for year in range(a.year, b.year + 1):
            first, last = max(a, dt.date(year, 1, 1)), min(b, dt.date(year + 1, 1, 1))
            total += (last - first).days / (366 if calendar.isleap(year) else 365)
        return total
    d1, d2 = a.day, b.day
    if basis == "30/360EU":
        d1, d2 = min(d1, 30), min(d2, 30)
    else:
        if is_last_of_february(a) and is_last_of_february(b):
            d2 = 30
        if d1 == 31 or is_last_of_february(a):
            d1 = 30
        if d2 == 31 and d1 == 30:
            d2 = 30
    return ((b.year - a.year) * 360 + (b.month - a.month) * 30 + d2 - d1) / 360


def days360(a: dt.date, b: dt.date) -> int:
    """As spreadsheets count: a start at its month's end is the 30th; an end on the 31st is then the 30th, otherwise
    the first of the next month."""
    d1 = 30 if a.day == month_length(a.year, a.month) else a.day
    year, month, d2 = b.year, b.month, b.day
    if d2 == 31:
        if d1 == 30:
            d2 = 30
        else:
            d2, month = 1, month + 1
    return (year - a.year) * 360 + (month - a.month) * 30 + d2 - d1


def period_rate(annual: float, a: dt.date, b: dt.date) -> float:
    return 0.0 if a >= b else 1 - (1 - annual) ** (days360(a, b) / 360)


@dataclass
class Row:
    """One date of the loan. `start`: accrual start, where the default of the row is seen."""

    date: dt.date
    start: dt.date
    coupon: float
    interest: float = 0.0
    scheduled: float = 0.0
    unscheduled: float = 0.0
    recoveries: float = 0.0
    loss: float = 0.0
    default: float = 0.0
    claim: float = 0.0
    capitalised: float = 0.0
    end: float = 0.0


@dataclass
class Terms:
    """What a loan is run with. Vectors have an entry an interest date, the last one held; lag in months."""

    asset: Asset
    par: float
    cpr: Sequence[float]
    cdr: Sequence[float]
    severity: Sequence[float]
    lag_months: float
    amortisation: float
    sinks: Sequence[tuple[dt.date, float]] = ()
    holidays: Collection[dt.date] = field(default_factory=frozenset)
    current_index: float = 0.02
    recover_after_maturity: bool = True


def rows(terms: Terms, analysis: dt.date, rate: Callable[[dt.date, int], float]) -> list[Row]:
    """Every dated flow after the analysis date."""
    a = terms.asset
    assert a.maturity is not None
    assert a.first_payment_date is not None
    months = 12 // (a.payment_frequency or 4)
    basis = a.day_count or "ACTUAL/360"
    maturity = roll(a.maturity, a.business_day_convention, terms.holidays)
    if maturity <= analysis and not a.defaulted:
        return [Row(analysis, analysis, 0.0, scheduled=terms.par)]
    lag = round(terms.lag_months / months)

    def cycle(k: int) -> dt.date:
        moved = add_months(a.first_payment_date, k * months, bool(a.payment_eom))
        return roll(moved, a.business_day_convention, terms.holidays)

    # interest dates: on the cycle until maturity, then on the cycle again for late recoveries
    k = 0
    while cycle(k) <= analysis:
        k += 1
    dated = min(a.dated_date or add_months(a.first_payment_date, -months), a.first_payment_date)
    start = min(cycle(k - 1) if k else dated, maturity)
    dates: list[dt.date] = []
    if analysis < maturity:
        while cycle(k) < maturity:
            dates.append(cycle(k))
            k += 1
        dates.append(maturity)
        while cycle(k) <= maturity:
            k += 1
    dates += [cycle(k + n) for n in range(lag + 1)]

    # sinks as shares of what is left
    amounts = sorted(terms.sinks)
    sinks = []
    for n, (day, amount) in enumerate(amounts):
        left = sum(x for _, x in amounts[n:])
        sinks.append((roll(day, a.business_day_convention, terms.holidays), amount / left))
    sinks = [s for s in sinks if s[0] > analysis]

    spread = (a.coupon_spread or 0.0) + (a.credit_spread_adjustment or 0.0)
    floor = a.index_floor or 0.0
    cap = a.index_cap or float("inf")
    tenor = months
    if a.index_name and a.index_name[0].isdigit():
        tenor = int(a.index_name.split("M")[0])
    coupon = a.coupon if a.coupon is not None else min(max(terms.current_index, floor), cap) + spread

    balance = 0.0 if a.defaulted else terms.par
    claims: dict[int, tuple[float, float]] = {}  # step of recovery -> default, claim
    if a.defaulted:
        mark = a.market_value / 100 if a.market_value is not None else (a.moodys_recovery_rate or 0.0)
        claims[max(lag, 1) - 1] = (terms.par, terms.par * mark)
    repaid = 0.0  # share of par by level amortisation
    out: list[Row] = []
    before = start
    matured = maturity <= analysis
    for step, day in enumerate(dates):
        if balance < NOTHING and sum(d for d, _ in claims.values()) < NOTHING:
            break
        if not matured:
            for sink_day, share in sinks:  # off the cycle: interest on the repaid slice only
                if (before < sink_day or not step) and sink_day < day:
                    piece = balance * share
                    interest = piece * coupon * max(year_fraction(before, sink_day, basis), 0.0)
                    balance -= piece
                    out.append(Row(sink_day, before, coupon, interest=interest, scheduled=piece, end=balance))
        row = Row(day, before, coupon)
        if balance > 0 and not matured:

            def at(vector: Sequence[float], step: int = step) -> float:
                return vector[min(step, len(vector) - 1)]

            row.default = balance * period_rate(at(terms.cdr), before, day)
            row.claim = row.default * (1 - at(terms.severity))
            if row.default > 0:
                old = claims.get(step + lag, (0.0, 0.0))
                claims[step + lag] = (old[0] + row.default, old[1] + row.claim)
            live = balance - row.default
            interest = live * coupon * year_fraction(before, day, basis)
            if day == maturity:
                row.scheduled = live
            elif sinks or terms.sinks:
                left = live
                for sink_day, share in sinks:
                    if sink_day == day:
                        left -= left * share
                row.scheduled = live - left
            elif "SCHEDUL" in (a.amortization_type or "").upper():
                share = min(terms.amortisation * months / 12, 1 - repaid)
                row.scheduled = live * share / (1 - repaid) if repaid < 1 else live
                repaid += share
            row.unscheduled = (live - row.scheduled) * period_rate(at(terms.cpr), before, day)
            balance = live - row.scheduled - row.unscheduled
            if a.piking and day < maturity:
                row.capitalised = interest
                balance += interest
            else:
                row.interest = interest
        default, claim = claims.pop(step, (0.0, 0.0))
        row.recoveries, row.loss = claim, default - claim
        if day >= maturity and not terms.recover_after_maturity and not a.defaulted:
            row.loss += sum(d for d, _ in claims.values())
            claims.clear()
        row.end = balance
        out.append(row)
        if a.coupon_type != "FIXED":
            coupon = min(max(round(rate(day, tenor), 5), floor), cap) + spread
        before = day
        matured = matured or day >= maturity
    return out


FLOWS = ("interest", "scheduled", "unscheduled", "recoveries", "loss", "default", "claim", "capitalised")


def gather(found: Sequence[Row], ends: Sequence[dt.date]) -> list[list[float]]:
    """Rows by collection period in the order of the kernel's flows: cash by payment date, defaults by accrual start."""

    def period(day: dt.date) -> int:
        return next((i for i, end in enumerate(ends) if day <= end), len(ends))

    made = [[0.0] * len(FLOWS) for _ in range(len(ends) + 1)]
    for row in found:
        for f, name in enumerate(FLOWS):
            seen = row.start if name in ("default", "claim") else row.date
            made[period(seen)][f] += getattr(row, name)
    return made
