"""Cash flows of the collateral, loan by loan, gathered in the deal's collection periods (spec: engine 2).

Shapes: n_loans, n_periods (payment dates of the deal), n_vectors, n_steps (entries of the longest vector), n_sinks.
Money in the deal's currency, rates as fractions a year, days as serials.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# columns of the flows, in the order of the report
INTEREST: Final = 0
SCHEDULED: Final = 1
UNSCHEDULED: Final = 2
RECOVERIES: Final = 3
LOSS: Final = 4
DEFAULTED: Final = 5
CLAIM: Final = 6  # expected recovery of the period's new defaults
CAPITALISED: Final = 7  # interest added to the balance instead of paid
N_FLOWS: Final = 8

FLOW_NAMES: Final = (
    "Interest",
    "Scheduled principal",
    "Unscheduled principal",
    "Recoveries",
    "Net loss",
    "Defaulted",
    "Recovery claims",
    "Capitalised interest",
)


class Tape(NamedTuple):
    """The pool as arrays; made by pack.pack_tape, the one border where units are fixed.

    par               float64[n_loans]  balance at the analysis date
    coupon            float64[n_loans]  all-in rate of the running period (fixed loans: for life)
    spread            float64[n_loans]  margin + credit spread adjustment over the index
    floor, cap        float64[n_loans]  on the index; cap = inf where there is none
    is_float          bool[n_loans]
    index_row         int64[n_loans]    row of the fixing table
    months            int64[n_loans]    between interest dates
    anchor            int64[n_loans]    first payment date; interest dates are counted from it
    dated             int64[n_loans]    start of the first accrual
    maturity          int64[n_loans]    on a business day
    month_end         bool[n_loans]
    convention        int64[n_loans]
    day_count         int64[n_loans]
    amortisation      float64[n_loans]  scheduled principal a year as a share of par, where there is no sink table
    sink_start        int64[n_loans+1]  slice of each loan in the sink arrays
    sink_day          int64[n_sinks]    rising within a loan, on business days
    sink_share        float64[n_sinks]  share of the balance that is left then (last one: 1)
    capitalises       bool[n_loans]     interest is added to the balance
    defaulted         bool[n_loans]     in default at the analysis date
    mark              float64[n_loans]  expected recovery of a loan in default, share of par
    lag               int64[n_loans]    interest dates from default to recovery
    cpr, cdr, severity  int64[n_loans]  row of the vector table
    """

    par: Floats
    coupon: Floats
    spread: Floats
    floor: Floats
    cap: Floats
    is_float: Flags
    index_row: Ints
    months: Ints
    anchor: Ints
    dated: Ints
    maturity: Ints
    month_end: Flags
    convention: Ints
    day_count: Ints
    amortisation: Floats
    sink_start: Ints
    sink_day: Ints
    sink_share: Floats
    capitalises: Flags
    defaulted: Flags
    mark: Floats
    lag: Ints
    cpr: Ints
    cdr: Ints
    severity: Ints


class Market(NamedTuple):
    """What the loans look up.

    vectors       float64[n_vectors, n_steps]  annual rates, one entry an interest date of the asset
    vector_size   int64[n_vectors]             entries that count; after the last, it is held
    fixings       float64[n_tenors, n_days]    projected index a day
    fixings_from  serial of fixings' first column
    closed        bool[n]                      holidays, from closed_from on
    """

    vectors: Floats
    vector_size: Ints
    fixings: Floats
    fixings_from: int
    closed: Flags
    closed_from: int


@kernel
def index_at(market: Market, row: int, day: int) -> float:
    """Projected fixing on a day, the first or last where the day is outside the table."""
    return market.fixings[row, min(max(day - market.fixings_from, 0), market.fixings.shape[1] - 1)]


@kernel
def _vector(market: Market, row: int, step: int) -> float:
    return market.vectors[row, min(step, market.vector_size[row] - 1)]


@kernel
def _interest_date(tape: Tape, i: int, k: int, market: Market) -> int:
    moved = dates.add_months(tape.anchor[i], k * tape.months[i], tape.month_end[i])
    return dates.roll(moved, tape.convention[i], market.closed, market.closed_from)


@kernel
def _bucket(day: int, ends: Ints) -> int:
    """The collection period that `day` falls in: the first whose end is not before it; n_periods when after all."""
    return int(np.searchsorted(ends, day, side="left"))


@kernel
def project_loans(
    lo: int,
    hi: int,
    tape: Tape,
    market: Market,
    analysis: int,
    ends: Ints,
    recover_after_maturity: bool,
    flows: Floats,
) -> None:
    """Cash flows of loans lo to hi-1 after the analysis date, gathered by collection period.

    analysis               serial of the analysis date
    ends                   int64[n_periods]  collection period ends
    recover_after_maturity  recoveries still come in on the loan's cycle after its maturity; otherwise what is open at
                           maturity is lost (as the workbook has it)
    flows                  float64[n_loans, n_periods + 1, N_FLOWS] (out, added to)  last column: after the last end

    Payments count in the period of the payment date, defaults in that of the accrual start (spec 2.9).
    """
    horizon = ends[ends.shape[0] - 1]
    for i in range(lo, hi):
        _project_loan(i, tape, market, analysis, ends, horizon, recover_after_maturity, flows[i])


@kernel
def _project_loan(
    i: int,
    tape: Tape,
    market: Market,
    analysis: int,
    ends: Ints,
    horizon: int,
    recover_after_maturity: bool,
    out: Floats,
) -> None:
    maturity = tape.maturity[i]
    if maturity <= analysis and not tape.defaulted[i]:
        out[0, SCHEDULED] += tape.par[i]  # already due: it is collected at once
        return
    # the first interest date after the analysis date, and the accrual start before it
    k = max(0, (analysis - tape.anchor[i]) // (31 * tape.months[i]) - 1)
    while _interest_date(tape, i, k, market) <= analysis:
        k += 1
    start = tape.dated[i] if k == 0 else _interest_date(tape, i, k - 1, market)
    start = min(start, maturity)

    lag = tape.lag[i]
    size = 8 + 2 * lag + (max(horizon, maturity) - analysis) // (28 * tape.months[i])
    open_default = np.zeros(size)
    open_claim = np.zeros(size)
    balance = tape.par[i]
    unresolved = 0.0
    if tape.defaulted[i]:
        at = max(lag - 1, 0)
        open_default[at] = balance
        open_claim[at] = balance * tape.mark[i]
        unresolved = balance
        balance = 0.0
    coupon = tape.coupon[i]
    left = 1.0  # share of par that the level amortisation has not repaid
    sink = tape.sink_start[i]
    last_sink = tape.sink_start[i + 1]
    while sink < last_sink and tape.sink_day[sink] <= analysis:
        sink += 1

    step = 0
    before = start
    matured = maturity <= analysis  # only what is in default is still here then
    while balance >= 0.005 or unresolved >= 0.005:
        day = _interest_date(tape, i, k, market)
        if not matured and day >= maturity:
            day = maturity
        if day > horizon and before > horizon:
            break
        # principal between two interest dates: interest is paid on the repaid slice only (case AST-3)
        while sink < last_sink and tape.sink_day[sink] < day and not matured:
            slice_ = balance * tape.sink_share[sink]
            b = _bucket(tape.sink_day[sink], ends)
            fraction = max(dates.year_fraction(before, tape.sink_day[sink], tape.day_count[i]), 0.0)
            out[b, INTEREST] += slice_ * coupon * fraction
            out[b, SCHEDULED] += slice_
            balance -= slice_
            sink += 1
        b = _bucket(day, ends)
        if balance > 0.0 and not matured:
            cdr = dates.period_rate(_vector(market, tape.cdr[i], step), before, day)
            default = balance * cdr
            claim = default * (1.0 - _vector(market, tape.severity[i], step))
            if default > 0.0:
                seen = _bucket(before, ends)
                out[seen, DEFAULTED] += default
                out[seen, CLAIM] += claim
                open_default[step + lag] += default
                open_claim[step + lag] += claim
                unresolved += default
            live = balance - default
            interest = dates.year_fraction(before, day, tape.day_count[i]) * coupon * live
            if day >= maturity:
                scheduled = live
            elif last_sink > tape.sink_start[i]:
                scheduled = 0.0
                while sink < last_sink and tape.sink_day[sink] == day:
                    scheduled += (live - scheduled) * tape.sink_share[sink]
                    sink += 1
            else:
                amount = min(tape.amortisation[i] * tape.months[i] / 12.0, left)
                scheduled = live * amount / left if left > 0.0 else live
                left -= amount
            unscheduled = (live - scheduled) * dates.period_rate(_vector(market, tape.cpr[i], step), before, day)
            out[b, SCHEDULED] += scheduled
            out[b, UNSCHEDULED] += unscheduled
            balance = live - scheduled - unscheduled
            if tape.capitalises[i] and day < maturity:
                out[b, CAPITALISED] += interest
                balance += interest
            else:
                out[b, INTEREST] += interest
        if unresolved > 0.0:
            recovered = open_claim[step]
            lost = open_default[step] - recovered
            if day >= maturity and not recover_after_maturity and not tape.defaulted[i]:
                lost = unresolved - recovered
            out[b, RECOVERIES] += recovered
            out[b, LOSS] += lost
            unresolved -= recovered + lost
        if tape.is_float[i]:
            # loans reset on the index rounded to five decimals
            index = np.round(index_at(market, tape.index_row[i], day) * 1e5) / 1e5
            coupon = min(max(index, tape.floor[i]), tape.cap[i]) + tape.spread[i]
        if not matured and day >= maturity:
            matured = True
            while _interest_date(tape, i, k, market) <= maturity:
                k += 1
        else:
            k += 1
        before = day
        step += 1
