"""The dates of every loan, walked once: periods, sinks, draws and sales. Nothing here knows rates or scenarios.

A leg is one period of one loan, from one interest date to the next. What a loan's balance would be without defaults
and prepayments is its scheduled balance; a leg carries it in money.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.jit import kernel
from engine.loans.tape import Tape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# columns of legs in whole numbers
LOAN: Final = 0
STEP: Final = 1
BEFORE: Final = 2  # accrual start
DAY: Final = 3  # interest date
SEEN: Final = 4  # collection period in which the default of the leg is seen
PAY: Final = 5  # that of the interest date
RECOVERY: Final = 6  # that of the recovery
RECOVERY_DAY: Final = 7
KEPT: Final = 8  # 1: the claim is received on the recovery day; 0: the whole default is lost then
CDR: Final = 9  # codes of the period's rates, see `rate_code`
CPR: Final = 10
SEVERITY: Final = 11
N_INTS: Final = 12

# columns of legs in money and shares
OPEN: Final = 0  # scheduled balance when the leg begins
HELD: Final = 1  # after principal paid between interest dates
REPAID: Final = 2  # scheduled share of the live balance on the interest date
FRACTION: Final = 3  # year fraction of the leg
DRAWN: Final = 4  # drawn in the leg
DRAWN_FRACTION: Final = 5  # its mean year fraction to the interest date
FEE: Final = 6  # commitment fee of the leg
PIK: Final = 7  # share of the interest that is capitalised
KEEP: Final = 8  # HELD over OPEN
N_FLOATS: Final = 9

# extras: what happens between interest dates. Columns in whole numbers
E_LOAN: Final = 0
E_LEG: Final = 1  # the leg whose end it comes after (draws: the leg in which it comes); -1: the start of the run
E_KIND: Final = 2
E_DAY: Final = 3
E_BUCKET: Final = 4
E_BEFORE: Final = 5  # start of the accrual that it pays for
E_STEP: Final = 6
N_EXTRA_INTS: Final = 7
# columns in money and shares
E_AMOUNT: Final = 0  # scheduled balance that leaves, or the amount drawn
E_SHARE: Final = 1  # of the balance at the end of E_LEG
E_FRACTION: Final = 2  # year fraction of interest paid on it
N_EXTRA_FLOATS: Final = 3
# kinds
SINK: Final = 0
SALE: Final = 1
DRAW: Final = 2

MOST_ENTRIES: Final = 4096
"""One more than the last entry of a vector that a code holds."""

DAYS: Final = 32768
"""One more than the most days of a period that a code holds."""


class Walk(NamedTuple):
    """ints int64[n_legs, N_INTS], floats float64[n_legs, N_FLOATS], extra_ints and extra_floats alike, in the order
    of loans and days; fixed: loans whose par is due at once or in default, int64[n, 3] loan, bucket, day."""

    ints: Ints
    floats: Floats
    extra_ints: Ints
    extra_floats: Floats
    fixed: Ints


@kernel
def rate_code(row: int, step: int, first: int, days: int) -> int:
    """A period rate as one number: row and entry of the vector, days of the period in that entry, days in all."""
    return ((row * MOST_ENTRIES + step) * DAYS + first) * DAYS + days


@kernel
def _bucket(day: int, ends: Ints) -> int:
    """The first collection period whose end is not before `day`; n_ends when after all."""
    return int(np.searchsorted(ends, day, side="left"))


# small functions take scalars, not the tape: to hand over its fifty arrays costs more than what they do
@kernel
def _interest_date(
    anchor: int, months: int, month_end: bool, convention: int, k: int, closed: Flags, closed_from: int
) -> int:
    return dates.roll(dates.add_months(anchor, k * months, month_end), convention, closed, closed_from)


@kernel
def _code(row: int, size: int, months: int, origin: int, step: int, before: int, day: int, days: int) -> int:
    """The code of the rate of vector `row` over a leg; it has `size` entries of `months` months from `origin` on."""
    last = size - 1
    if months == 0 or last == 0:
        return rate_code(row, min(step, last), days, days)
    age = dates.days_360(origin, before) if before >= origin else -dates.days_360(before, origin)
    length = 30 * months
    entry = min(max(age // length, 0), last)
    first = days if entry == last else min(days, (entry + 1) * length - age)
    return rate_code(row, entry, first, days)


@kernel
def _months_later(day: int, months: int) -> int:
    """The month end on or after `months` months from a day."""
    return dates.add_months(day, months, True)


def walk_loans(
    tape: Tape,
    closed: Flags,
    closed_from: int,
    analysis: int,
    ends: Ints,
    *,
    lag_to_month_end: bool,
    recover_after_maturity: bool,
    seen_with_payment: bool,
    sale_pays_accrued: bool,
) -> Walk:
    """Legs and extras of all loans after the analysis date, to the last collection period's end.

    ends               int64[n_ends]  rising
    lag_to_month_end   a claim is paid `lag_months` after its interest date, at the month's end; otherwise `lag`
                       interest dates later
    recover_after_maturity  recoveries still come in after a loan's maturity; otherwise what is open then is lost
    seen_with_payment  a default is seen on the leg's interest date; otherwise on its accrual start
    sale_pays_accrued  a sale pays the interest accrued to its day
    """
    n = tape.par.size
    # interest dates may stand closer than a month when they are rolled, never closer than 28 days for long
    dated = np.maximum(np.minimum(int(ends[-1]) + 366, tape.maturity) - analysis, 0) // (28 * tape.months)
    legs, extras = int((dated + 4).sum()), n + tape.sink_day.size + tape.draw_day.size
    made = Walk(
        np.empty((legs, N_INTS), dtype=np.int64),
        np.empty((legs, N_FLOATS)),
        np.empty((extras, N_EXTRA_INTS), dtype=np.int64),
        np.empty((extras, N_EXTRA_FLOATS)),
        np.empty((n, 3), dtype=np.int64),
    )
    days = np.empty(int((dated + 2 * tape.lag).max(initial=0)) + 8, dtype=np.int64)
    used = np.zeros(3, dtype=np.int64)
    rules = (lag_to_month_end, recover_after_maturity, seen_with_payment, sale_pays_accrued)
    _walk_all(tape, closed, closed_from, analysis, ends, rules, days, used, made)
    legs, extras, constants = used.tolist()
    return Walk(
        made.ints[:legs],
        made.floats[:legs],
        made.extra_ints[:extras],
        made.extra_floats[:extras],
        made.fixed[:constants],
    )


@kernel
def _walk_all(
    tape: Tape,
    closed: Flags,
    closed_from: int,
    analysis: int,
    ends: Ints,
    rules: tuple[bool, bool, bool, bool],
    days: Ints,
    used: Ints,
    made: Walk,
) -> None:
    """used int64[3] (out): legs, extras and fixed loans in `made` (out); days: room for the dates of one loan."""
    horizon = ends[ends.shape[0] - 1]
    for i in range(tape.par.shape[0]):
        maturity = tape.maturity[i]
        if maturity <= analysis and not tape.defaulted[i]:
            _set_fixed(used, made.fixed, i, 0, analysis)
            continue
        anchor, months, month_end, convention = tape.anchor[i], tape.months[i], tape.month_end[i], tape.convention[i]
        k = max(0, (analysis - anchor) * 12 // (366 * months) - 1)
        while _interest_date(anchor, months, month_end, convention, k, closed, closed_from) <= analysis:
            k += 1
        start = tape.dated[i]
        if k > 0:
            start = _interest_date(anchor, months, month_end, convention, k - 1, closed, closed_from)
        start = min(start, maturity)
        count, final = _interest_dates(tape, i, k, analysis, horizon, closed, closed_from, days)
        if tape.defaulted[i]:
            day = days[min(max(tape.lag[i] - 1, 0), count - 1)]
            if rules[0]:
                day = _months_later(analysis, tape.lag_months[i])
            _set_fixed(used, made.fixed, i, _bucket(day, ends), day)
            continue
        _walk_loan(i, tape, analysis, ends, start, final, count, days, rules, used, made)


@kernel
def _set_fixed(used: Ints, fixed: Ints, loan: int, bucket: int, day: int) -> None:
    place = used[2]
    fixed[place, 0], fixed[place, 1], fixed[place, 2] = loan, bucket, day
    used[2] += 1


@kernel
def _interest_dates(
    tape: Tape, i: int, k: int, analysis: int, horizon: int, closed: Flags, closed_from: int, days: Ints
) -> tuple[int, int]:
    """Fills `days` from the k-th interest date on: to maturity, then on the cycle again for late recoveries.

    Returns how many there are, and the place of maturity (-1: past, or beyond the horizon).
    """
    maturity, lag = tape.maturity[i], tape.lag[i]
    anchor, months, month_end, convention = tape.anchor[i], tape.months[i], tape.month_end[i], tape.convention[i]
    matured = maturity <= analysis
    count, final, after = 0, -1, 0
    while after <= lag + 1 and count < days.shape[0]:
        day = _interest_date(anchor, months, month_end, convention, k, closed, closed_from)
        if not matured and day >= maturity:
            day = maturity
            matured = True
            final = count
            while _interest_date(anchor, months, month_end, convention, k, closed, closed_from) <= maturity:
                k += 1
            after += 1
        else:
            k += 1
            if matured or day > horizon:
                after += 1
        days[count] = day
        count += 1
    return count, final


@kernel
def _walk_loan(
    i: int,
    tape: Tape,
    analysis: int,
    ends: Ints,
    start: int,
    final: int,
    count: int,
    days: Ints,
    rules: tuple[bool, bool, bool, bool],
    used: Ints,
    made: Walk,
) -> None:
    lag_to_month_end, recover_after_maturity, seen_with_payment, sale_pays_accrued = rules
    ints, floats = made.ints, made.floats
    horizon = ends[ends.shape[0] - 1]
    maturity, basis = tape.maturity[i], tape.day_count[i]
    scheduled = tape.par[i]
    undrawn = tape.unfunded[i]
    left = 1.0  # share of par that the level amortisation has not repaid
    sink, last_sink = tape.sink_start[i], tape.sink_start[i + 1]
    while sink < last_sink and tape.sink_day[sink] <= analysis:
        sink += 1
    draw, last_draw = tape.draw_start[i], tape.draw_start[i + 1]
    while draw < last_draw and tape.draw_day[draw] <= analysis:
        draw += 1
    sale = tape.sale_day[i] if tape.sale_day[i] > analysis else 2**40
    previous = -1
    before = start
    rows = (tape.cdr[i], tape.cpr[i], tape.severity[i])
    for step in range(count):
        day = days[step]
        if day > horizon and before > horizon:
            break
        legs = used[0]
        floats[legs, OPEN] = scheduled
        share = 1.0  # of the balance that is left after what comes between interest dates
        while sink < last_sink and tape.sink_day[sink] < min(day, sale):
            # interest is paid on the repaid slice only (case AST-3)
            fraction = max(dates.year_fraction(before, tape.sink_day[sink], basis), 0.0)
            part = share * tape.sink_share[sink]
            _note(
                used, made.extra_ints, made.extra_floats, i, previous, SINK, tape.sink_day[sink], ends, before, step,
                floats[legs, OPEN] * part, part, fraction,
            )  # fmt: skip
            share -= part
            sink += 1
        if sale < day:
            fraction = max(dates.year_fraction(before, sale, basis), 0.0) if sale_pays_accrued else 0.0
            _note(
                used, made.extra_ints, made.extra_floats, i, previous, SALE, sale, ends, before, step,
                floats[legs, OPEN] * share, share, fraction,
            )  # fmt: skip
            break
        held = floats[legs, OPEN] * share
        fraction = dates.year_fraction(before, day, basis)
        fee = undrawn * fraction
        drawn, weighted = 0.0, 0.0
        while draw < last_draw and tape.draw_day[draw] < day:
            rest = dates.year_fraction(max(tape.draw_day[draw], before), day, basis)
            _note(
                used, made.extra_ints, made.extra_floats, i, legs, DRAW, tape.draw_day[draw], ends, before, step,
                tape.draw_amount[draw], 1.0, rest,
            )  # fmt: skip
            drawn += tape.draw_amount[draw]
            weighted += tape.draw_amount[draw] * rest
            undrawn -= tape.draw_amount[draw]
            fee -= tape.draw_amount[draw] * rest
            draw += 1
        if day >= maturity:
            repaid = 1.0
        elif last_sink > tape.sink_start[i]:
            kept = 1.0
            while sink < last_sink and tape.sink_day[sink] == day:
                kept -= kept * tape.sink_share[sink]
                sink += 1
            repaid = 1.0 - kept
        else:
            amount = min(tape.amortisation[i] * tape.months[i] / 12.0, left)
            repaid = amount / left if left > 0.0 else 1.0
            left -= amount
        floats[legs, HELD] = held
        floats[legs, KEEP] = share
        floats[legs, REPAID] = repaid
        floats[legs, FRACTION] = fraction
        floats[legs, DRAWN] = drawn
        floats[legs, DRAWN_FRACTION] = weighted / drawn if drawn > 0.0 else 0.0
        floats[legs, FEE] = fee * tape.commitment_fee[i]
        capitalises = day < maturity and tape.pik_from[i] <= day <= tape.pik_until[i]
        floats[legs, PIK] = tape.pik_share[i] if capitalises else 0.0
        length = dates.days_360(before, day) if day > before else 0
        ints[legs, LOAN] = i
        ints[legs, STEP] = step
        ints[legs, BEFORE] = before
        ints[legs, DAY] = day
        ints[legs, PAY] = _bucket(day, ends)
        ints[legs, SEEN] = ints[legs, PAY] if seen_with_payment else _bucket(before, ends)
        recovery, kept_claim = days[min(step + tape.lag[i], count - 1)], 1
        if lag_to_month_end:
            recovery = _months_later(day, tape.lag_months[i])
        if not recover_after_maturity and recovery > maturity:
            recovery, kept_claim = maturity, 0
        ints[legs, RECOVERY_DAY] = recovery
        ints[legs, RECOVERY] = _bucket(recovery, ends)
        ints[legs, KEPT] = kept_claim
        for place in range(3):
            row = rows[place]
            origin = tape.dated[i] if tape.vector_from_age[row] else analysis
            size, months = tape.vector_size[row], tape.vector_step[row]
            ints[legs, CDR + place] = _code(row, size, months, origin, step, before, day, length)
        ints[legs, SEVERITY] -= ints[legs, SEVERITY] % (DAYS * DAYS)  # a severity has no days
        previous = legs
        used[0] += 1
        if step == final:
            break
        scheduled = (held + drawn) * (1.0 - repaid)
        if scheduled == 0.0 and undrawn == 0.0 and tape.pik_share[i] == 0.0:
            break
        before = day


@kernel
def _note(
    used: Ints,
    ints: Ints,
    floats: Floats,
    loan: int,
    leg: int,
    kind: int,
    day: int,
    ends: Ints,
    before: int,
    step: int,
    amount: float,
    share: float,
    fraction: float,
) -> None:
    """Writes one extra."""
    place = used[1]
    ints[place, E_LOAN] = loan
    ints[place, E_LEG] = leg
    ints[place, E_KIND] = kind
    ints[place, E_DAY] = day
    ints[place, E_BUCKET] = _bucket(day, ends)
    ints[place, E_BEFORE] = before
    ints[place, E_STEP] = step
    floats[place, E_AMOUNT] = amount
    floats[place, E_SHARE] = share
    floats[place, E_FRACTION] = fraction
    used[1] += 1
