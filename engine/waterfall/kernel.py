"""The step table and the kernel that runs it for one payment date.

Shapes: n_steps, n_classes, n_fees, n_tests. Money in the deal's currency. Classes stand in order of seniority.
A step never takes more than the cash in hand and never pays a negative amount; what it did is logged.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.jit import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# operations
PAY_FEE: Final = 0
PAY_INTEREST: Final = 1
PAY_DEFERRED: Final = 2
PAY_PRINCIPAL: Final = 3
CURE: Final = 4
DIVERT: Final = 5
REINVEST: Final = 6
RUN_NOTES: Final = 7
HURDLE_SPLIT: Final = 8
PAY_EQUITY: Final = 9
# modes
ALL: Final = 0
CAPPED: Final = 1
EXCESS: Final = 2
SCHEDULED: Final = 1
POLICY: Final = 1
CURRENT: Final = 1
ON_DEFERRED: Final = 2
PAYDOWN_CURE: Final = 0
PAR_CURE: Final = 1
SHARE_ONLY: Final = 2
AS_INTEREST: Final = 0
AS_PRINCIPAL: Final = 1
# conditions
IF_PHASE: Final = 0
IF_CONTROLLING: Final = 1
# phases
REINVESTMENT: Final = 0
REDEMPTION: Final = 1
ACCELERATED: Final = 2
FIRST_PERIOD: Final = 3
# sections
INTEREST_WATERFALL: Final = 0
PRINCIPAL_WATERFALL: Final = 1
NOTE_PAYMENT: Final = 2
ACCELERATION: Final = 3
# sources of the cash in hand
FROM_INTEREST: Final = 0
FROM_PRINCIPAL: Final = 1
FROM_NOTES: Final = 2
FROM_BOTH: Final = 3
# test types
OC: Final = 0
IC: Final = 1
DIVERSION: Final = 2
EOD: Final = 3
# money registers of a date
POT: Final = 0  # notes payable, distributed by the note payment sequence
FROM_INTEREST_TO_NOTES: Final = 1
FROM_PRINCIPAL_TO_NOTES: Final = 2
DIVERTED: Final = 3
REINVESTED: Final = 4
POLICY_AMOUNT: Final = 5
CAP_LEFT: Final = 6  # of the senior expense cap
HURDLE_LEFT: Final = 7  # to the equity before the manager shares
INCENTIVE: Final = 8
MANAGER_SHARE: Final = 9
DIVERTED_SHARE: Final = 10  # of diverted interest that the reinvestment policy may buy with
N_REGISTERS: Final = 11
# columns of the log
DUE: Final = 0
PAID: Final = 1
SHORT: Final = 2
CASH_AFTER: Final = 3

TINY: Final = 1e-6


class Program(NamedTuple):
    """A compiled waterfall.

    steps       int64[n_steps, 7]  operation, mode, pro rata, arguments from, to, conditions from, to
    parameters  float64[n_steps]   share of a diversion, or of the manager (NaN: the deal's)
    arguments   int64[*]           classes, fees or tests of the steps
    conditions  int64[*, 3]        kind, subject, negated
    sections    int64[4, 2]        steps of each section, from and to
    """

    steps: Ints
    parameters: Floats
    arguments: Ints
    conditions: Ints
    sections: Ints


class Date(NamedTuple):
    """Everything the steps of one payment date read and write.

    phase         bool[4]             reinvestment, redemption, acceleration, first_period
    rank          int64[n_classes]    seniority; classes of one group share it; -1: never controlling (class X, equity)
    balance       float64[n_classes]  principal outstanding before the date
    deferred      float64[n_classes]  deferred interest before the date
    due           float64[n_classes]  interest due, with what stayed unpaid on a class that may not defer
    on_deferred   float64[n_classes]  interest on deferred interest
    scheduled     float64[n_classes]  principal due by schedule (class X)
    accrual       float64[n_classes]  coupon x year fraction: what a unit less of principal saves
    paid_interest, paid_on_deferred, paid_deferred, paid_principal  float64[n_classes]  (out)
    fee_due       float64[n_fees]
    fee_paid      float64[n_fees]     (out)
    test_type     int64[n_tests]
    numerator, denominator, trigger   float64[n_tests]
    covered       bool[n_tests, n_classes]  classes in the denominator
    active        bool[n_tests]       a test that is not active needs no cure
    registers     float64[N_REGISTERS]
    log           float64[n_steps, 4] (out)  due, paid, short, cash after; NaN: not run
    to_class      float64[n_steps, n_classes] (out)  what each step paid to each class
    """

    phase: Flags
    rank: Ints
    balance: Floats
    deferred: Floats
    due: Floats
    on_deferred: Floats
    scheduled: Floats
    accrual: Floats
    paid_interest: Floats
    paid_on_deferred: Floats
    paid_deferred: Floats
    paid_principal: Floats
    fee_due: Floats
    fee_paid: Floats
    test_type: Ints
    numerator: Floats
    denominator: Floats
    trigger: Floats
    covered: Flags
    active: Flags
    registers: Floats
    log: Floats
    to_class: Floats


@kernel
def ratio_of(numerator: float, denominator: float) -> float:
    """Coverage ratio; infinite where nothing is owed."""
    return numerator / denominator if denominator > TINY else np.inf


@kernel
def _interest_left(d: Date, c: int, mode: int) -> float:
    left = 0.0
    if mode & CURRENT:
        left += d.due[c] - d.paid_interest[c]
    if mode & ON_DEFERRED:
        left += d.on_deferred[c] - d.paid_on_deferred[c]
    return max(left, 0.0)


@kernel
def _deferred_left(d: Date, c: int) -> float:
    return max(d.deferred[c] - d.paid_deferred[c] + d.on_deferred[c] - d.paid_on_deferred[c], 0.0)


@kernel
def _principal_left(d: Date, c: int, mode: int) -> float:
    left = max(d.balance[c] - d.paid_principal[c], 0.0)
    return min(left, max(d.scheduled[c] - d.paid_principal[c], 0.0)) if mode == SCHEDULED else left


@kernel
def _claim(d: Date, operation: int, mode: int, c: int) -> float:
    if operation == PAY_INTEREST:
        return _interest_left(d, c, mode)
    if operation == PAY_DEFERRED:
        return _deferred_left(d, c)
    return _principal_left(d, c, mode)


@kernel
def _pay_class(d: Date, operation: int, mode: int, c: int, amount: float) -> None:
    if operation == PAY_PRINCIPAL:
        d.paid_principal[c] += amount
        return
    if operation == PAY_INTEREST:
        if mode & CURRENT:
            part = min(amount, max(d.due[c] - d.paid_interest[c], 0.0))
            d.paid_interest[c] += part
            amount -= part
        d.paid_on_deferred[c] += amount
        return
    part = min(amount, max(d.on_deferred[c] - d.paid_on_deferred[c], 0.0))
    d.paid_on_deferred[c] += part
    d.paid_deferred[c] += amount - part


@kernel
def _pay_classes(p: Program, d: Date, step: int, cash: float) -> float:
    """Pays interest, deferred interest or principal of a step's classes; returns what was paid."""
    operation, mode, pro_rata, low, high = (
        p.steps[step, 0],
        p.steps[step, 1],
        p.steps[step, 2],
        p.steps[step, 3],
        p.steps[step, 4],
    )
    owed = 0.0
    for a in range(low, high):
        owed += _claim(d, operation, mode, p.arguments[a])
    paid = 0.0
    if pro_rata == 1 and owed > max(cash, 0.0):
        for a in range(low, high):
            c = p.arguments[a]
            part = min(cash * _claim(d, operation, mode, c) / owed, cash - paid)
            _pay_class(d, operation, mode, c, part)
            d.to_class[step, c] += part
            paid += part
    else:
        for a in range(low, high):
            c = p.arguments[a]
            part = min(cash - paid, _claim(d, operation, mode, c))
            _pay_class(d, operation, mode, c, part)
            d.to_class[step, c] += part
            paid += part
    _log(d, step, owed, paid, cash)
    return paid


@kernel
def _log(d: Date, step: int, due: float, paid: float, cash: float) -> None:
    d.log[step, DUE] = due
    d.log[step, PAID] = paid
    d.log[step, SHORT] = max(due - paid, 0.0)
    d.log[step, CASH_AFTER] = cash - paid


@kernel
def _pay_fees(p: Program, d: Date, step: int, cash: float) -> float:
    _, mode, pro_rata, low, high = p.steps[step, :5]
    owed = 0.0
    for a in range(low, high):
        f = p.arguments[a]
        owed += max(d.fee_due[f] - d.fee_paid[f], 0.0)
    total = owed
    if mode == CAPPED:
        owed = min(owed, d.registers[CAP_LEFT])
    paid = 0.0
    for a in range(low, high):
        f = p.arguments[a]
        left = max(d.fee_due[f] - d.fee_paid[f], 0.0)
        part = min(min(cash, owed) - paid, left)
        if pro_rata == 1 and total > 0.0:
            part = min(part, min(cash, owed) * left / total)
        d.fee_paid[f] += part
        paid += part
    if mode == CAPPED:
        d.registers[CAP_LEFT] -= paid
    _log(d, step, owed, paid, cash)
    return paid


@kernel
def _ic_need(d: Date, t: int) -> float:
    """Notes to retire so that the interest coverage test is met, exactly (spec 6.2, case IC-1).

    Classes go in order of seniority, classes of one rank together by balance; a unit saves its own interest. What the
    pot already holds retires first.
    """
    needed = d.denominator[t] - d.numerator[t] / d.trigger[t]
    if needed <= 0.0:
        return 0.0
    already = d.registers[FROM_INTEREST_TO_NOTES] + d.registers[FROM_PRINCIPAL_TO_NOTES]
    total = 0.0
    last = -1
    while needed > TINY:
        rank = 1 << 60
        for c in range(d.rank.shape[0]):
            if last < d.rank[c] < rank:
                rank = d.rank[c]
        if rank == 1 << 60:
            break
        balance = 0.0
        saving = 0.0
        for c in range(d.rank.shape[0]):
            if d.rank[c] == rank:
                left = max(d.balance[c] - d.paid_principal[c], 0.0)
                balance += left
                if d.covered[t, c]:
                    saving += left * d.accrual[c]
        last = rank
        if balance <= 0.0 or saving <= 0.0:
            continue
        unit = saving / balance
        part = min(balance, needed / unit)
        total += part
        needed -= part * unit
    return max(total - already, 0.0)


@kernel
def _paid_down(d: Date, t: int) -> float:
    """Principal and deferred interest of the tested classes that the date has paid already."""
    paid = 0.0
    for c in range(d.rank.shape[0]):
        if d.covered[t, c]:
            paid += d.paid_principal[c] + d.paid_deferred[c]
    return paid


@kernel
def need_of(d: Date, t: int, source: int) -> float:
    """Money to the notes that restores test t, from interest or from principal cash (spec 6.2).

    Running totals of the date count: y from interest, z from principal, w diverted to principal.
    """
    if not d.active[t]:
        return 0.0
    if d.test_type[t] == IC:
        return _ic_need(d, t)
    y, z, w = d.registers[FROM_INTEREST_TO_NOTES], d.registers[FROM_PRINCIPAL_TO_NOTES], d.registers[DIVERTED]
    numerator = d.numerator[t] + w - z
    denominator = d.denominator[t] - _paid_down(d, t) - y - z
    trigger = d.trigger[t]
    if denominator <= TINY or ratio_of(numerator, denominator) >= trigger:
        return 0.0
    if source == FROM_PRINCIPAL:
        # retiring notes with principal lowers both sides; at or below par it can only help by paying all
        return (trigger * denominator - numerator) / (trigger - 1.0) if trigger > 1.0 else denominator
    return max(denominator - numerator / trigger, 0.0)


@kernel
def _diversion_need(d: Date, t: int, mode: int) -> float:
    """Cash that restores the diversion test: added to par (T x Den - Num), or as if it retired notes."""
    if not d.active[t]:
        return 0.0
    to_notes = d.registers[FROM_INTEREST_TO_NOTES] + d.registers[FROM_PRINCIPAL_TO_NOTES] + _paid_down(d, t)
    numerator = d.numerator[t] + d.registers[DIVERTED] - d.registers[FROM_PRINCIPAL_TO_NOTES]
    need = d.trigger[t] * (d.denominator[t] - to_notes) - numerator
    return max(need / d.trigger[t] if mode == PAYDOWN_CURE else need, 0.0)


@kernel
def _holds(p: Program, d: Date, step: int) -> bool:
    for i in range(p.steps[step, 5], p.steps[step, 6]):
        kind, subject, negated = p.conditions[i, 0], p.conditions[i, 1], p.conditions[i, 2]
        if kind == IF_PHASE:
            holds = d.phase[subject]
        else:
            senior = 1 << 60
            for c in range(d.rank.shape[0]):
                outstanding = d.balance[c] - d.paid_principal[c] + d.deferred[c] - d.paid_deferred[c]
                if d.rank[c] >= 0 and outstanding > TINY and d.rank[c] < senior:
                    senior = d.rank[c]
            holds = d.rank[subject] == senior
        if holds == (negated == 1):
            return False
    return True


@kernel
def run_section(p: Program, d: Date, section: int, source: int, cash: float) -> float:
    """Runs one waterfall over the cash in hand; returns what is left.

    source  FROM_INTEREST, FROM_PRINCIPAL, FROM_NOTES or FROM_BOTH: decides the arithmetic of cures and their totals
    """
    for step in range(p.sections[section, 0], p.sections[section, 1]):
        if not _holds(p, d, step):
            continue
        operation, mode, _, low, high = p.steps[step, :5]
        if operation == PAY_FEE:
            cash = max(cash - _pay_fees(p, d, step, cash), 0.0)
        elif operation <= PAY_PRINCIPAL:
            cash = max(cash - _pay_classes(p, d, step, cash), 0.0)
        elif operation == CURE:
            need = 0.0
            for a in range(low, high):
                need = max(need, need_of(d, p.arguments[a], source))
            owed_notes = 0.0
            for c in range(d.rank.shape[0]):
                if d.rank[c] >= 0:
                    owed_notes += d.balance[c] - d.paid_principal[c] + d.deferred[c] - d.paid_deferred[c]
            need = min(need, max(owed_notes - d.registers[POT], 0.0))
            paid = min(cash, need)
            d.registers[POT] += paid
            d.registers[FROM_PRINCIPAL_TO_NOTES if source == FROM_PRINCIPAL else FROM_INTEREST_TO_NOTES] += paid
            _log(d, step, need, paid, cash)
            cash -= paid
        elif operation == DIVERT:
            wanted = cash * p.parameters[step]
            if mode != SHARE_ONLY:
                wanted = min(wanted, _diversion_need(d, p.arguments[low], mode))
            d.registers[DIVERTED] += wanted
            _log(d, step, wanted, wanted, cash)
            cash -= wanted
        elif operation == REINVEST:
            policy = d.registers[POLICY_AMOUNT] + d.registers[DIVERTED_SHARE] * d.registers[DIVERTED]
            wanted = cash if mode == ALL else max(policy - d.registers[REINVESTED], 0.0)
            paid = min(cash, wanted)
            d.registers[REINVESTED] += paid
            _log(d, step, wanted, paid, cash)
            cash -= paid
        elif operation == RUN_NOTES:
            d.registers[POT] += cash
            d.registers[FROM_PRINCIPAL_TO_NOTES] += cash
            _log(d, step, cash, cash, cash)
            cash = 0.0
        else:
            equity = p.arguments[low]
            to_equity = cash
            if operation == HURDLE_SPLIT:
                first = min(cash, d.registers[HURDLE_LEFT])
                d.registers[HURDLE_LEFT] -= first
                share = p.parameters[step] if p.parameters[step] >= 0.0 else d.registers[MANAGER_SHARE]
                fee = share * (cash - first)
                d.registers[INCENTIVE] += fee
                to_equity = cash - fee
            d.to_class[step, equity] += to_equity
            if mode == AS_INTEREST:
                d.paid_interest[equity] += to_equity
            else:
                d.paid_principal[equity] += to_equity
            _log(d, step, cash, cash, cash)
            cash = 0.0
    return cash


@kernel
def run_date(p: Program, d: Date, interest: float, principal: float) -> float:
    """One payment date: acceleration or redemption in one pot, else interest, principal, note payment sequence.

    Negative cash (unsettled purchases) is paid to nobody: interest diverted to principal, or the one pot, fills
    it first and the rest is carried (D-38). Returns what no step took, to be carried to the next date.
    """
    if d.phase[REDEMPTION] or d.phase[ACCELERATED]:
        cash = interest + principal
        return run_section(p, d, ACCELERATION, FROM_BOTH, max(cash, 0.0)) + min(cash, 0.0)
    left = run_section(p, d, INTEREST_WATERFALL, FROM_INTEREST, max(interest, 0.0)) + min(interest, 0.0)
    cash = principal + d.registers[DIVERTED]
    left += run_section(p, d, PRINCIPAL_WATERFALL, FROM_PRINCIPAL, max(cash, 0.0)) + min(cash, 0.0)
    return left + run_section(p, d, NOTE_PAYMENT, FROM_NOTES, d.registers[POT])
