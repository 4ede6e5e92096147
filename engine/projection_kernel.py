"""One deal through all its payment dates: collections, tests, waterfall, reinvestment, redemption (spec: engine 9.3).

Shapes: n_dates, n_classes, n_fees, n_tests, n_steps, n_loans. Money in the deal's currency, rates as fractions a year.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import collateral as col
from engine import dates
from engine.collateral import Market
from engine.jit import kernel
from engine.waterfall import kernel as wf
from engine.waterfall.kernel import Date, Program

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NO_PRINCIPAL: Final = 0
ALL_PRINCIPAL: Final = 1
UNSCHEDULED_PRINCIPAL: Final = 2

# columns of Result.cash, one row a date
INTEREST_PROCEEDS: Final = 0
PRINCIPAL_PROCEEDS: Final = 1
SALE_PROCEEDS: Final = 2
NOTES_POT: Final = 3
DIVERTED: Final = 4
REINVESTED: Final = 5
INCENTIVE_FEE: Final = 6
CARRIED: Final = 7  # not distributed: stays in the collection account
INDEX: Final = 8
PERFORMING: Final = 9
DEFAULT_BALANCE: Final = 10
CARRYING_VALUE: Final = 11
CCC_EXCESS: Final = 12
SOURCES: Final = 13
USES: Final = 14
N_CASH: Final = 15

CASH_NAMES: Final = (
    "Interest proceeds",
    "Principal proceeds",
    "Sale proceeds",
    "Payment of notes",
    "Interest diverted",
    "Reinvested",
    "Incentive fee",
    "Carried forward",
    "Index",
    "Performing balance",
    "Defaulted balance",
    "Carrying value of defaulted",
    "CCC excess haircut",
    "Sources",
    "Uses",
)


class Schedule(NamedTuple):
    """Dates of the run as serials.

    payment        int64[n_dates]
    determination  int64[n_dates]  of the index of the period that ends on the payment date
    end            int64[n_dates]  of the collection period
    accrual_start  previous payment date, or closing
    redemption     row of the date on which the pool is sold (the last at the latest)
    reinvest_until  serial; the last payment date on which the reinvestment period still runs
    tests_from     serial; no cures before (effective date)
    accelerated    an event of default has been declared before the run
    """

    payment: Ints
    determination: Ints
    end: Ints
    accrual_start: int
    redemption: int
    reinvest_until: int
    tests_from: int
    accelerated: bool


class Notes(NamedTuple):
    """The classes, in order of seniority.

    balance, deferred  float64[n_classes]
    margin       float64[n_classes]  spread over the index, or the fixed coupon
    is_fixed, deferrable, is_equity  bool[n_classes]
    day_count    int64[n_classes]
    rank         int64[n_classes]    see kernel.Date
    scheduled    float64[n_classes]  principal a date by schedule (class X)
    """

    balance: Floats
    deferred: Floats
    margin: Floats
    is_fixed: Flags
    deferrable: Flags
    is_equity: Flags
    day_count: Ints
    rank: Ints
    scheduled: Floats


class Fees(NamedTuple):
    """The fees.

    percent, fixed  float64[n_fees]  a year
    average         bool[n_fees]     on the mean of opening and closing basis instead of the opening one
    day_count       int64[n_fees]
    unpaid          float64[n_fees]  at the start
    bears_interest  bool[n_fees]     interest on what is unpaid at index + interest_spread
    interest_spread float64[n_fees]
    senior          bool[n_fees]     deducted in the interest coverage numerator
    capped          bool[n_fees]     together under the senior expense cap
    cap_fixed, cap_percent           a year, of the senior expense cap; inf: no cap
    opening_basis                    fee basis of the first period
    """

    percent: Floats
    fixed: Floats
    average: Flags
    day_count: Ints
    unpaid: Floats
    bears_interest: Flags
    interest_spread: Floats
    senior: Flags
    capped: Flags
    cap_fixed: float
    cap_percent: float
    opening_basis: float


class Tests(NamedTuple):
    """type int64[n_tests], trigger float64[n_tests], covered bool[n_tests, n_classes]."""

    type: Ints
    trigger: Floats
    covered: Flags


class Policy(NamedTuple):
    """Reinvestment, sale and incentive fee.

    pre_base, post_base    NO_PRINCIPAL, ALL_PRINCIPAL or UNSCHEDULED_PRINCIPAL
    pre_share, post_share  of that base
    price       of what is bought, share of par
    spread, floor, index_row  of what is bought
    periods     payment dates from purchase to maturity
    cpr, cdr, severity  of what is bought;  lag in payment dates
    sale_price  of performing assets at redemption, share of par
    hurdle      annual IRR; share of the manager above it
    hurdle_value  equity flows to the start, each grown to `hurdle_day` at the hurdle
    """

    pre_base: int
    pre_share: float
    post_base: int
    post_share: float
    price: float
    spread: float
    floor: float
    index_row: int
    periods: int
    cpr: float
    cdr: float
    severity: float
    lag: int
    sale_price: float
    hurdle: float
    manager_share: float
    hurdle_value: float
    hurdle_day: int


class Opening(NamedTuple):
    """Cash and balances at the start.

    interest, principal  of the collection account (with ramp-up and interest reserve)
    performing, defaulted, carrying  of the pool
    current_index        of the running period
    ccc_limit            share of collateral that CCC may be before the excess is carried at its price
    """

    interest: float
    principal: float
    performing: float
    defaulted: float
    carrying: float
    current_index: float
    ccc_limit: float


class Bucket(NamedTuple):
    """Assets rated CCC or Caa, each set sorted by price, highest first.

    loans  int64[2, n]  rows of the loan flows, -1 where shorter;  prices float64[2, n] share of par
    """

    loans: Ints
    prices: Floats


class Result(NamedTuple):
    """All out.

    cash         float64[n_dates, N_CASH]
    balance, deferred, unpaid, interest, deferred_paid, principal  float64[n_dates, n_classes]
    coupon       float64[n_dates, n_classes]
    fee_accrued, fee_paid, fee_unpaid  float64[n_dates, n_fees]
    numerator, denominator, ratio  float64[n_dates, n_tests]
    reinvested_flows  float64[n_dates, col.N_FLOWS]
    log          float64[n_dates, n_steps, 4]
    to_class     float64[n_dates, n_steps, n_classes]
    phase        bool[n_dates, 4]
    """

    cash: Floats
    balance: Floats
    deferred: Floats
    unpaid: Floats
    interest: Floats
    deferred_paid: Floats
    principal: Floats
    coupon: Floats
    fee_accrued: Floats
    fee_paid: Floats
    fee_unpaid: Floats
    numerator: Floats
    denominator: Floats
    ratio: Floats
    reinvested_flows: Floats
    log: Floats
    to_class: Floats
    phase: Flags


@kernel
def ccc_haircut(limit: float, balances: Floats, bucket: Bucket) -> float:
    """Loss of the excess over `limit` when it is carried at its price, lowest prices first (case CCC-1).

    balances : float64[n_loans]  performing balances. The larger of the two buckets counts.
    """
    chosen, largest = 0, -1.0
    for side in range(bucket.loans.shape[0]):
        total = 0.0
        for j in range(bucket.loans.shape[1]):
            if bucket.loans[side, j] >= 0:
                total += balances[bucket.loans[side, j]]
        if total > largest:
            chosen, largest = side, total
    haircut, room = 0.0, limit
    for j in range(bucket.loans.shape[1]):
        loan = bucket.loans[chosen, j]
        if loan < 0:
            break
        excess = balances[loan] - min(balances[loan], max(room, 0.0))
        room -= balances[loan]
        haircut += excess * max(1.0 - bucket.prices[chosen, j], 0.0)
    return haircut


@kernel
def _collect_reinvested(
    i: int,
    schedule: Schedule,
    policy: Policy,
    market: Market,
    lots: Floats,
    due: Ints,
    claims: Floats,
    defaults: Floats,
    out: Floats,
) -> None:
    """Flows of the reinvested lots on date i (spec 8, case REI-1).

    lots     : float64[n_dates]  balance of the lot bought on each date, rolled
    due      : int64[n_dates]    date on which the lot matures
    claims, defaults : float64[2 * n_dates + 1]  open claims and defaults by the date they resolve
    out      : float64[N_FLOWS]
    """
    start, day = schedule.payment[i - 1], schedule.payment[i]
    rate = max(col.index_at(market, policy.index_row, start), policy.floor) + policy.spread
    fraction = dates.year_fraction(start, day, dates.THIRTY_360)
    cdr, cpr = dates.period_rate(policy.cdr, start, day), dates.period_rate(policy.cpr, start, day)
    for j in range(i):
        if lots[j] <= 0.0:
            continue
        default = lots[j] * cdr
        live = lots[j] - default
        out[col.INTEREST] += fraction * rate * live
        scheduled = live if due[j] <= i else 0.0
        unscheduled = (live - scheduled) * cpr
        out[col.SCHEDULED] += scheduled
        out[col.UNSCHEDULED] += unscheduled
        out[col.DEFAULTED] += default
        out[col.CLAIM] += default * (1.0 - policy.severity)
        lots[j] = live - scheduled - unscheduled
    at = i + policy.lag
    if at < claims.shape[0]:
        claims[at] += out[col.CLAIM]
        defaults[at] += out[col.DEFAULTED]
    out[col.RECOVERIES] += claims[i]
    out[col.LOSS] += defaults[i] - claims[i]
    claims[i] = 0.0
    defaults[i] = 0.0


@kernel
def project_deal(
    program: Program,
    schedule: Schedule,
    notes: Notes,
    fees: Fees,
    tests: Tests,
    policy: Policy,
    opening: Opening,
    bucket: Bucket,
    market: Market,
    index_row: int,
    loan_par: Floats,
    loan_flows: Floats,
    result: Result,
) -> None:
    """Runs the deal; everything in `result` is written.

    loan_par   : float64[n_loans]  performing par at the start (0 for loans in default)
    loan_flows : float64[n_loans, n_dates + 1, N_FLOWS]  of project_loans
    index_row  : row of the notes' index in the fixing table
    """
    n_dates = schedule.payment.shape[0]
    n_classes, n_fees, n_tests = notes.balance.shape[0], fees.percent.shape[0], tests.trigger.shape[0]
    balance, deferred = notes.balance.copy(), notes.deferred.copy()
    unpaid = np.zeros(n_classes)
    fee_unpaid = fees.unpaid.copy()
    performing, defaulted, carrying = opening.performing, opening.defaulted, opening.carrying
    re_performing, re_defaulted, re_carrying = 0.0, 0.0, 0.0
    by_loan = loan_par.copy()
    lots, due = np.zeros(n_dates), np.zeros(n_dates, dtype=np.int64)
    claims, open_defaults = np.zeros(2 * n_dates + 1), np.zeros(2 * n_dates + 1)
    carried_interest, carried_principal = opening.interest, opening.principal
    last_basis = fees.opening_basis
    hurdle_value, hurdle_day = policy.hurdle_value, policy.hurdle_day
    reached = False
    accelerated = schedule.accelerated
    before = schedule.accrual_start

    for i in range(n_dates):
        day = schedule.payment[i]
        # 1 index, 2 collections
        index = opening.current_index if i == 0 else col.index_at(market, index_row, schedule.determination[i])
        pool = np.zeros(col.N_FLOWS)
        for loan in range(loan_flows.shape[0]):
            for f in range(col.N_FLOWS):
                pool[f] += loan_flows[loan, i, f]
        re = result.reinvested_flows[i]
        if i > 0:
            _collect_reinvested(i, schedule, policy, market, lots, due, claims, open_defaults, re)
        interest = carried_interest + pool[col.INTEREST] + re[col.INTEREST]
        unscheduled = pool[col.UNSCHEDULED] + re[col.UNSCHEDULED]
        principal = carried_principal + unscheduled + pool[col.SCHEDULED] + re[col.SCHEDULED]
        principal += pool[col.RECOVERIES] + re[col.RECOVERIES]
        # 6 balances at the end of the collection period; 2.9: defaults show before their missing cash
        performing += pool[col.CAPITALISED] - pool[col.DEFAULTED] - pool[col.SCHEDULED] - pool[col.UNSCHEDULED]
        defaulted += pool[col.DEFAULTED] - pool[col.RECOVERIES] - pool[col.LOSS]
        carrying += pool[col.CLAIM] - pool[col.RECOVERIES]
        re_performing -= re[col.DEFAULTED] + re[col.SCHEDULED] + re[col.UNSCHEDULED]
        re_defaulted += re[col.DEFAULTED] - re[col.RECOVERIES] - re[col.LOSS]
        re_carrying += re[col.CLAIM] - re[col.RECOVERIES]
        for loan in range(loan_flows.shape[0]):
            flow = loan_flows[loan, i]
            by_loan[loan] += flow[col.CAPITALISED] - flow[col.DEFAULTED] - flow[col.SCHEDULED] - flow[col.UNSCHEDULED]
        total_performing = performing + re_performing
        total_carrying = carrying + re_carrying
        haircut = ccc_haircut(opening.ccc_limit * (total_performing + principal), by_loan, bucket)
        # 4 accrual of classes and fees
        d = _new_date(program, notes, fees, tests)
        for c in range(n_classes):
            d.balance[c], d.deferred[c] = balance[c], deferred[c]
            if notes.is_equity[c]:
                continue
            coupon = notes.margin[c] if notes.is_fixed[c] else max(index, 0.0) + notes.margin[c]
            accrual = coupon * dates.year_fraction(before, day, notes.day_count[c])
            result.coupon[i, c] = coupon
            d.accrual[c] = accrual
            d.due[c] = balance[c] * accrual + unpaid[c] * (1.0 + accrual)
            d.on_deferred[c] = deferred[c] * accrual
            # what the schedule has repaid by now, missed instalments included
            d.scheduled[c] = max(balance[c] - max(notes.balance[c] - notes.scheduled[c] * (i + 1), 0.0), 0.0)
        basis = total_performing + defaulted + re_defaulted + principal
        year = dates.year_fraction(before, day, dates.ACT_360)
        d.registers[wf.CAP_LEFT] = (fees.cap_fixed + fees.cap_percent * last_basis) * year
        senior_fees, capped_fees = 0.0, 0.0
        for f in range(n_fees):
            base = 0.5 * (last_basis + basis) if fees.average[f] else last_basis
            fraction = dates.year_fraction(before, day, fees.day_count[f])
            accrued = (base * fees.percent[f] + fees.fixed[f]) * fraction
            if fees.bears_interest[f]:
                accrued += fee_unpaid[f] * (index + fees.interest_spread[f]) * fraction
            d.fee_due[f] = fee_unpaid[f] + accrued
            result.fee_accrued[i, f] = accrued
            if fees.senior[f] and fees.capped[f]:
                capped_fees += d.fee_due[f]
            elif fees.senior[f]:
                senior_fees += d.fee_due[f]
        senior_fees += min(capped_fees, d.registers[wf.CAP_LEFT])
        last_basis = basis
        # 7 tests
        for t in range(n_tests):
            numerator, denominator = 0.0, 0.0
            for c in range(n_classes):
                if tests.covered[t, c]:
                    if tests.type[t] == wf.IC:
                        denominator += d.due[c] + d.on_deferred[c]
                    else:
                        denominator += balance[c] + deferred[c]
            if tests.type[t] == wf.IC:
                numerator = interest - senior_fees
            elif tests.type[t] == wf.EOD:
                numerator = total_performing + total_carrying + principal
            else:
                numerator = total_performing + total_carrying + principal - haircut
            d.numerator[t], d.denominator[t] = numerator, denominator
            ratio = wf.ratio_of(numerator, denominator)
            d.active[t] = day >= schedule.tests_from
            result.numerator[i, t], result.denominator[i, t], result.ratio[i, t] = numerator, denominator, ratio
            if tests.type[t] == wf.EOD and ratio < tests.trigger[t] and d.active[t]:
                accelerated = True
        # 8 redemption: the pool is sold after the tests
        redeemed = i >= schedule.redemption
        sale = 0.0
        if redeemed:
            sale = policy.sale_price * total_performing + total_carrying
            performing, defaulted, carrying = 0.0, 0.0, 0.0
            re_performing, re_defaulted, re_carrying = 0.0, 0.0, 0.0
            lots[:] = 0.0
            claims[:] = 0.0
            open_defaults[:] = 0.0
            by_loan[:] = 0.0
        d.phase[wf.REINVESTMENT] = day <= schedule.reinvest_until and not redeemed
        d.phase[wf.REDEMPTION] = redeemed
        d.phase[wf.ACCELERATED] = accelerated
        d.phase[wf.FIRST_PERIOD] = i == 0
        # 9 waterfall
        if not reached:
            grown = hurdle_value * (1.0 + policy.hurdle) ** ((day - hurdle_day) / 365.0)
            d.registers[wf.HURDLE_LEFT] = max(-grown, 0.0)
        hurdle_before = d.registers[wf.HURDLE_LEFT]
        d.registers[wf.MANAGER_SHARE] = policy.manager_share
        if not (redeemed or accelerated):
            in_period = d.phase[wf.REINVESTMENT]
            kind = policy.pre_base if in_period else policy.post_base
            share = policy.pre_share if in_period else policy.post_share
            base = 0.0
            if kind == ALL_PRINCIPAL:
                base = principal
            elif kind == UNSCHEDULED_PRINCIPAL:
                base = unscheduled
            d.registers[wf.POLICY_AMOUNT] = max(base, 0.0) * share
            d.registers[wf.DIVERTED_SHARE] = share if kind == ALL_PRINCIPAL else 0.0
        left = wf.run_date(program, d, interest, principal + sale)
        # 10 roll
        paid_out = 0.0
        to_equity = 0.0
        for c in range(n_classes):
            paid = d.paid_interest[c] + d.paid_on_deferred[c] + d.paid_deferred[c] + d.paid_principal[c]
            paid_out += paid
            result.interest[i, c] = d.paid_interest[c] + d.paid_on_deferred[c]
            result.deferred_paid[i, c] = d.paid_deferred[c]
            result.principal[i, c] = d.paid_principal[c]
            if notes.is_equity[c]:
                to_equity += paid
            else:
                short = max(d.due[c] - d.paid_interest[c], 0.0)
                rest = max(deferred[c] + d.on_deferred[c] - d.paid_on_deferred[c] - d.paid_deferred[c], 0.0)
                balance[c] = max(balance[c] - d.paid_principal[c], 0.0)
                deferred[c] = rest + (short if notes.deferrable[c] else 0.0)
                unpaid[c] = 0.0 if notes.deferrable[c] else short
            result.balance[i, c], result.deferred[i, c], result.unpaid[i, c] = balance[c], deferred[c], unpaid[c]
        for f in range(n_fees):
            paid_out += d.fee_paid[f]
            fee_unpaid[f] = d.fee_due[f] - d.fee_paid[f]
            result.fee_paid[i, f], result.fee_unpaid[i, f] = d.fee_paid[f], fee_unpaid[f]
        grown = hurdle_value * (1.0 + policy.hurdle) ** ((day - hurdle_day) / 365.0)
        hurdle_value, hurdle_day = grown + to_equity, day
        reached = reached or (hurdle_before > 0.0 and d.registers[wf.HURDLE_LEFT] <= 0.0)
        bought = d.registers[wf.REINVESTED]
        if bought > 0.0:
            lots[i] = bought / policy.price
            due[i] = min(i + policy.periods, n_dates - 1)
            re_performing += lots[i]
        carried_interest, carried_principal = 0.0, left
        cash = result.cash[i]
        cash[INTEREST_PROCEEDS], cash[PRINCIPAL_PROCEEDS], cash[SALE_PROCEEDS] = interest, principal, sale
        cash[NOTES_POT], cash[DIVERTED] = d.registers[wf.POT], d.registers[wf.DIVERTED]
        cash[REINVESTED], cash[INCENTIVE_FEE], cash[CARRIED] = bought, d.registers[wf.INCENTIVE], left
        cash[INDEX], cash[PERFORMING] = index, performing + re_performing
        cash[DEFAULT_BALANCE], cash[CARRYING_VALUE] = defaulted + re_defaulted, carrying + re_carrying
        cash[CCC_EXCESS] = haircut
        cash[SOURCES] = interest + principal + sale
        cash[USES] = paid_out + d.registers[wf.INCENTIVE] + bought + left
        result.log[i] = d.log
        result.to_class[i] = d.to_class
        result.phase[i] = d.phase
        before = day
        if redeemed:
            break


@kernel
def _new_date(program: Program, notes: Notes, fees: Fees, tests: Tests) -> Date:
    """A blank payment date."""
    n_classes, n_fees, n_tests = notes.balance.shape[0], fees.percent.shape[0], tests.trigger.shape[0]
    return Date(
        np.zeros(4, dtype=np.bool_),
        notes.rank,
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_classes),
        np.zeros(n_fees),
        np.zeros(n_fees),
        tests.type,
        np.zeros(n_tests),
        np.zeros(n_tests),
        tests.trigger,
        tests.covered,
        np.ones(n_tests, dtype=np.bool_),
        np.zeros(wf.N_REGISTERS),
        np.full((program.steps.shape[0], 4), np.nan),
        np.zeros((program.steps.shape[0], n_classes)),
    )
