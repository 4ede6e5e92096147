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
    drawn: float = 0.0
    sold: float = 0.0
    proceeds: float = 0.0
    marked: float = 0.0
    haircut: float = 0.0
    marked_default: float = 0.0
    haircut_default: float = 0.0
    end: float = 0.0


@dataclass
class Stepped:
    """A vector with a step of its own in months, counted from a day in 30/360 days."""

    values: Sequence[float]
    months: int
    origin: dt.date

    def entries(self, before: dt.date, day: dt.date) -> list[float]:
        """The value of every 30/360 day of the period."""
        begun = days360(self.origin, before) if before >= self.origin else -days360(before, self.origin)
        count = days360(before, day) if day > before else 0
        return [self.entry(begun + d) for d in range(count)]

    def entry(self, age: int) -> float:
        return self.values[min(max(age // (30 * self.months), 0), len(self.values) - 1)]


Vector = Sequence[float] | Stepped


def chance(vector: Vector, step: int, before: dt.date, day: dt.date) -> float:
    """Probability of the period of an annual rate, day by day of the 30/360 calendar."""
    if not isinstance(vector, Stepped):
        return period_rate(vector[min(step, len(vector) - 1)], before, day)
    survival = 1.0
    for annual in vector.entries(before, day):
        survival *= (1 - annual) ** (1 / 360)
    return 1 - survival


def timed(vector: Vector, step: int, before: dt.date, day: dt.date) -> float:
    """Share of the opening balance that defaults in the period by an absolute timing."""
    if not isinstance(vector, Stepped):
        return vector[min(step, len(vector) - 1)]
    return min(sum(share / (30 * vector.months) for share in vector.entries(before, day)), 1.0)


def value_at(vector: Vector, step: int, before: dt.date) -> float:
    if not isinstance(vector, Stepped):
        return vector[min(step, len(vector) - 1)]
    origin = vector.origin
    age = days360(origin, before) if before >= origin else -days360(before, origin)
    return vector.entry(age)


@dataclass
class Terms:
    """What a loan is run with. Vectors have an entry an interest date, the last one held; lag in months.

    pik          (share, from, until) of the interest capitalised; missing: all of it where the asset defers
    draws        (day, amount) of the commitment of `asset.unfunded_amount`
    sale         (day, share of par)
    absolute     the default vector is shares of the opening balance
    month_ends   claims are paid at the month's end, `lag_months` after the default's interest date
    price, haircut, pik_haircut  of the marked balance and of what coverage tests leave out
    nothing      a balance below it has ended
    """

    asset: Asset
    par: float
    cpr: Vector
    cdr: Vector
    severity: Vector
    lag_months: float
    amortisation: float
    sinks: Sequence[tuple[dt.date, float]] = ()
    holidays: Collection[dt.date] = field(default_factory=frozenset)
    current_index: float = 0.02
    recover_after_maturity: bool = True
    pik: tuple[float, dt.date, dt.date] | None = None
    draws: Sequence[tuple[dt.date, float]] = ()
    sale: tuple[dt.date, float] | None = None
    sale_pays_accrued: bool = False
    absolute: bool = False
    month_ends: bool = False
    price: float = 1.0
    haircut: float = 0.0
    pik_haircut: float = 1.0
    nothing: float = NOTHING


def rows(terms: Terms, analysis: dt.date, rate: Callable[[dt.date, int], float]) -> list[Row]:
    """Every dated flow after the analysis date."""
    a = terms.asset
    assert a.maturity is not None
    assert a.first_payment_date is not None
    months = 12 // (a.payment_frequency or 4)
    basis = a.day_count or "ACTUAL/360"
    maturity = roll(a.maturity, a.business_day_convention, terms.holidays)
    part = min((a.pik_amount or 0.0) / terms.par, 1.0) if terms.par > 0 else 0.0  # of the balance: capitalised interest

    def left_out(share: float) -> float:
        return terms.haircut * (1 - share) + terms.pik_haircut * share

    if maturity <= analysis and not a.defaulted:
        gone = {"marked": -terms.par * terms.price, "haircut": -terms.par * left_out(part)}
        return [Row(analysis, analysis, 0.0, scheduled=terms.par, **gone)]
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
    late: list[Row] = []  # recoveries at month ends
    claims: dict[int, tuple[float, float]] = {}  # step of recovery -> default, claim
    if a.defaulted:
        mark = a.market_value / 100 if a.market_value is not None else (a.moodys_recovery_rate or 0.0)
        if terms.month_ends:
            day = add_months(analysis, round(terms.lag_months), True)
            late.append(Row(day, day, 0.0, recoveries=terms.par * mark, loss=terms.par * (1 - mark)))
        else:
            claims[max(lag, 1) - 1] = (terms.par, terms.par * mark)
    pik = terms.pik or (1.0 if a.piking else 0.0, dt.date.min, dt.date.max)
    repaid = 0.0  # share of par by level amortisation
    # nobody draws, or pays for, the commitment to a borrower in default
    draws = [] if a.defaulted else sorted(d for d in terms.draws if d[0] > analysis)
    undrawn = 0.0 if a.defaulted else a.unfunded_amount or 0.0
    standing = 1.0  # share of the commitment that defaults and prepayments have left
    sold = False
    out: list[Row] = []
    before = start
    matured = maturity <= analysis
    for step, day in enumerate(dates):
        idle = balance < terms.nothing and (undrawn <= 0 or matured or sold)
        if idle and sum(d for d, _ in claims.values()) < terms.nothing:
            break
        selling = terms.sale is not None and not sold and not matured and analysis < terms.sale[0] < day
        until = terms.sale[0] if selling and terms.sale else day
        if not matured and not sold:
            for sink_day, share in sinks:  # off the cycle: interest on the repaid slice only
                if (before < sink_day or not step) and sink_day < until:
                    piece = balance * share
                    interest = piece * coupon * max(year_fraction(before, sink_day, basis), 0.0)
                    balance -= piece
                    gone = {"marked": -piece * terms.price, "haircut": -piece * left_out(part)}
                    out.append(Row(sink_day, before, coupon, interest=interest, scheduled=piece, end=balance, **gone))
        if selling and terms.sale:
            interest = 0.0
            if terms.sale_pays_accrued:
                interest = balance * coupon * max(year_fraction(before, until, basis), 0.0)
            gone = {"marked": -balance * terms.price, "haircut": -balance * left_out(part)}
            cash = {"sold": balance, "proceeds": balance * terms.sale[1], "interest": interest}
            out.append(Row(until, before, coupon, **cash, **gone))
            balance, sold = 0.0, True
        row = Row(day, before, coupon)
        if not matured and not sold:
            defaulting = timed if terms.absolute else chance
            q = defaulting(terms.cdr, step, before, day)
            row.default = min(balance, q * terms.par) if terms.absolute else balance * q
            row.claim = row.default * (1 - value_at(terms.severity, step, before))
            if row.default > 0:
                row.marked_default, row.haircut_default = -row.default * terms.price, -row.default * left_out(part)
                if terms.month_ends:
                    paid = add_months(day, round(terms.lag_months), True)
                    if paid > maturity and not terms.recover_after_maturity:
                        late.append(Row(maturity, maturity, coupon, loss=row.default))
                    else:
                        late.append(Row(paid, paid, coupon, recoveries=row.claim, loss=row.default - row.claim))
                else:
                    old = claims.get(step + lag, (0.0, 0.0))
                    claims[step + lag] = (old[0] + row.default, old[1] + row.claim)
            live = balance - row.default
            standing *= 1 - q
            interest = live * coupon * year_fraction(before, day, basis)
            fee = standing * undrawn * year_fraction(before, day, basis)
            added = 0.0
            for drawn_on, amount in [d for d in draws if d[0] < day]:
                rest = year_fraction(max(drawn_on, before), day, basis)
                piece = amount * standing
                share = {"marked": piece * terms.price, "haircut": piece * terms.haircut}
                out.append(Row(drawn_on, before, coupon, drawn=piece, **share))
                added += piece
                interest += piece * coupon * rest
                fee -= piece * rest
                undrawn -= amount
            draws = [d for d in draws if d[0] >= day]
            held = live + added
            part = part * live / held if held > 0 else 0.0
            if day == maturity:
                row.scheduled = held
            elif sinks or terms.sinks:
                left = held
                for sink_day, share in sinks:
                    if sink_day == day:
                        left -= left * share
                row.scheduled = held - left
            elif "SCHEDUL" in (a.amortization_type or "").upper():
                share = min(terms.amortisation * months / 12, 1 - repaid)
                row.scheduled = held * share / (1 - repaid) if repaid < 1 else held
                repaid += share
            prepaying = chance(terms.cpr, step, before, day)
            standing *= 1 - prepaying
            row.unscheduled = (held - row.scheduled) * prepaying
            balance = held - row.scheduled - row.unscheduled
            if day < maturity and pik[1] <= day <= pik[2]:
                row.capitalised = interest * pik[0]
            row.interest = interest - row.capitalised + fee * (a.commitment_fee or 0.0)
            gone = row.scheduled + row.unscheduled
            row.marked = (row.capitalised - gone) * terms.price
            row.haircut = row.capitalised * left_out(1.0) - gone * left_out(part)
            total = balance + row.capitalised
            part = (part * balance + row.capitalised) / total if total > 0 else 0.0
            balance = total
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
    return out + late


FLOWS = ("interest", "scheduled", "unscheduled", "recoveries", "loss", "default", "claim", "capitalised")
ALL_FLOWS = (*FLOWS, "drawn", "sold", "proceeds", "marked", "haircut")
_SEEN = {"marked": "marked_default", "haircut": "haircut_default"}


def gather(
    found: Sequence[Row], ends: Sequence[dt.date], names: Sequence[str] = FLOWS, *, seen_with_payment: bool = False
) -> list[list[float]]:
    """Rows by collection period in the order of the kernel's flows: cash by payment date, defaults by accrual start."""

    def period(day: dt.date) -> int:
        return next((i for i, end in enumerate(ends) if day <= end), len(ends))

    made = [[0.0] * len(names) for _ in range(len(ends) + 1)]
    for row in found:
        seen = row.date if seen_with_payment else row.start
        for f, name in enumerate(names):
            made[period(seen if name in ("default", "claim") else row.date)][f] += getattr(row, name)
            if name in _SEEN:
                made[period(seen)][f] += getattr(row, _SEEN[name])
    return made
