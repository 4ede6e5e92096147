"""The bench deal in plain Python, floats and objects, loan by loan and step by step: what the engine is compared with.

Written to be read beside the deal's priority of payments, not to be fast or slow: no numpy, nothing per period is
computed twice, nothing is vectorised. It is also the oracle of the engine's run of the same deal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.bench_deal import BASE, BenchDeal, BenchTest, Scenario

QUARTER = 0.25  # years: every accrual period


@dataclass(slots=True)
class Position:
    """A loan while the deal runs."""

    balance: float
    spread: float
    floor: float
    last: int  # period in which it matures, counted from 0
    amortisation: float  # share of the balance a period


@dataclass(slots=True)
class Note:
    """A class while the deal runs.

    unpaid  interest of earlier periods, of a class that may not defer; bears no interest
    due     of the period, with unpaid;  unit: interest a period on one unit of balance
    saved   interest that this period's diversions would save, for interest coverage
    """

    balance: float
    spread: float
    deferrable: bool
    unpaid: float = 0.0
    unit: float = 0.0
    due: float = 0.0
    saved: float = 0.0
    paid_interest: float = 0.0
    paid_principal: float = 0.0

    def begin(self, index: float) -> None:
        self.unit = (index + self.spread) * QUARTER
        self.due = self.balance * self.unit + self.unpaid
        self.saved = self.paid_interest = self.paid_principal = 0.0

    def pay_interest(self, cash: float) -> float:
        """Pays what cash allows; returns the cash that is left."""
        paid = min(cash, self.due - self.paid_interest)
        self.paid_interest += paid
        return cash - paid

    def pay_principal(self, cash: float) -> float:
        paid = min(cash, self.balance)
        self.balance -= paid
        self.paid_principal += paid
        return cash - paid

    def end(self) -> None:
        """Missed interest is added to the balance of a class that defers, else it stays unpaid."""
        short = self.due - self.paid_interest
        if self.deferrable:
            self.balance += short
        else:
            self.unpaid = short


@dataclass(slots=True)
class Charge:
    """A fee while the deal runs; what is unpaid is due again."""

    rate: float  # a period
    unpaid: float = 0.0
    paid: float = 0.0

    def begin(self, basis: float) -> None:
        self.unpaid += basis * self.rate
        self.paid = 0.0

    def pay(self, cash: float) -> float:
        paid = min(cash, self.unpaid)
        self.unpaid -= paid
        self.paid += paid
        return cash - paid


@dataclass(frozen=True, slots=True)
class Period:
    """What one payment date did. Classes in order of seniority, tests in the deal's order.

    opening, closing  performing par;  interest, principal: proceeds
    fees              paid
    balances          after the date, capitalised interest included
    oc                ratios as tested, infinite where nothing is outstanding
    failed            the first test that failed, or None
    diverted          interest that coverage tests sent to the notes
    """

    opening: float
    defaults: float
    interest: float
    principal: float
    closing: float
    fees: float
    int_paid: tuple[float, ...]
    prin_paid: tuple[float, ...]
    balances: tuple[float, ...]
    equity: float
    oc: tuple[float, ...]
    failed: str | None
    diverted: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a scenario comes to.

    wal  weighted average life of each class in years; None where no principal was paid
    irr  of the subordinated notes bought at par: (1 + rate a period)^4 - 1; None without one
    first_failure  period and test, or None
    """

    interest: tuple[float, ...]
    principal: tuple[float, ...]
    final_balance: tuple[float, ...]
    wal: tuple[float | None, ...]
    equity: float
    irr: float | None
    first_failure: tuple[int, str] | None


@dataclass(slots=True)
class _Cover:
    """Coverage of one date: numerators, and what its tests did."""

    par: float  # closing par and principal proceeds, not yet applied
    interest: float  # proceeds less the senior fees due
    ratios: list[float] = field(default_factory=list)
    failed: str | None = None
    diverted: float = 0.0

    def test(self, test: BenchTest, notes: Sequence[Note], cash: float) -> float:
        """Tests, and diverts cash to the classes of the test, the most senior first; returns the cash left."""
        covered = notes[: test.covers]
        owed = sum(n.balance for n in covered)
        if owed <= 0.0:
            self.ratios.append(math.inf)
            return cash
        ratio = self.par / owed
        self.ratios.append(ratio)
        need = owed - self.par / test.oc if ratio < test.oc else 0.0
        if test.ic is not None:
            need = max(need, self._interest_need(test.ic, covered))
        if need <= 0.0:
            return cash
        self.failed = self.failed or test.id
        left = paid = min(cash, need, owed)
        for note in covered:
            before = left
            left = note.pay_principal(left)
            note.saved += (before - left) * note.unit
        self.diverted += paid
        return cash - paid

    def _interest_need(self, trigger: float, covered: Sequence[Note]) -> float:
        """Balance to retire, the most senior first, until what is left owes no more interest than the test allows."""
        excess = sum(n.due - n.saved for n in covered) - self.interest / trigger
        need = 0.0
        for note in covered:
            if excess <= 0.0:
                break
            part = min(note.balance, excess / note.unit)
            need += part
            excess -= part * note.unit
        return need


def run(deal: BenchDeal, scenario: Scenario = BASE) -> list[Period]:
    """The deal, period by period."""
    default_rate = 1.0 - (1.0 - scenario.cdr) ** QUARTER
    prepay_rate = 1.0 - (1.0 - scenario.cpr) ** QUARTER
    pool = [Position(x.par, x.spread, x.floor, x.maturity_period - 1, x.amortisation * QUARTER) for x in deal.loans]
    notes = [Note(c.balance, c.spread, c.deferrable) for c in deal.classes]
    trustee, senior, sub = (Charge(rate * QUARTER) for rate in (deal.trustee, deal.senior, deal.sub))
    periods = []
    for t, index in enumerate(deal.index):
        opening = defaults = interest = principal = closing = 0.0
        for loan in pool:
            balance = loan.balance
            if balance <= 0.0:
                continue
            opening += balance
            default = balance * default_rate
            live = balance - default
            interest += live * (max(index, loan.floor) + loan.spread) * QUARTER
            if t == loan.last:
                scheduled, prepaid = live, 0.0
            else:
                scheduled = live * loan.amortisation
                prepaid = (live - scheduled) * prepay_rate
            loan.balance = left = live - scheduled - prepaid
            defaults += default
            principal += scheduled + prepaid + default * scenario.recovery
            closing += left
        periods.append(
            _pay(deal, notes, (trustee, senior, sub), index, (opening, defaults, interest, principal, closing))
        )
    return periods


def _pay(
    deal: BenchDeal,
    notes: list[Note],
    fees: tuple[Charge, Charge, Charge],
    index: float,
    collected: tuple[float, float, float, float, float],
) -> Period:
    """One payment date: interest proceeds, then principal proceeds, then what is missed is carried."""
    opening, defaults, interest, principal, closing = collected
    trustee, senior, sub = fees
    for note in notes:
        note.begin(index)
    for fee in fees:
        fee.begin(opening)
    cover = _Cover(closing + principal, interest - trustee.unpaid - senior.unpaid)
    # interest: senior fees, A and B and their tests, each junior class and its tests, sub fee, residual
    cash = senior.pay(trustee.pay(interest))
    paid = 0
    for test in deal.tests:
        for note in notes[paid : test.covers]:
            cash = note.pay_interest(cash)
        paid = test.covers
        cash = cover.test(test, notes, cash)
    for note in notes[paid:]:
        cash = note.pay_interest(cash)
    residual = sub.pay(cash)
    # principal: what the classes that may not defer and the senior fees still miss, classes in order, sub fee, residual
    cash = senior.pay(trustee.pay(principal))
    for note in notes:
        if not note.deferrable:
            cash = note.pay_interest(cash)
    for note in notes:
        cash = note.pay_principal(cash)
    residual += sub.pay(cash)
    for note in notes:
        note.end()
    return Period(
        opening=opening,
        defaults=defaults,
        interest=interest,
        principal=principal,
        closing=closing,
        fees=sum([fee.paid for fee in fees]),
        int_paid=tuple([n.paid_interest for n in notes]),
        prin_paid=tuple([n.paid_principal for n in notes]),
        balances=tuple([n.balance for n in notes]),
        equity=residual,
        oc=tuple(cover.ratios),
        failed=cover.failed,
        diverted=cover.diverted,
    )


def outcome(deal: BenchDeal, periods: Sequence[Period]) -> Outcome:
    """Totals, lives and the equity's return."""
    classes = range(len(deal.classes))
    equity = [p.equity for p in periods]
    rate = periodic_irr([-deal.equity, *equity])
    return Outcome(
        interest=tuple([sum([p.int_paid[c] for p in periods]) for c in classes]),
        principal=tuple([sum([p.prin_paid[c] for p in periods]) for c in classes]),
        final_balance=periods[-1].balances,
        wal=tuple([_life([p.prin_paid[c] for p in periods]) for c in classes]),
        equity=sum(equity),
        irr=None if rate is None else (1.0 + rate) ** 4 - 1.0,
        first_failure=next(((t, p.failed) for t, p in enumerate(periods) if p.failed is not None), None),
    )


def simulate(deal: BenchDeal, scenario: Scenario = BASE) -> Outcome:
    """One run with what it comes to: the unit of W1 and W2."""
    return outcome(deal, run(deal, scenario))


def _life(principal: Sequence[float]) -> float | None:
    total = sum(principal)
    if total <= 0.0:
        return None
    return sum([t * paid for t, paid in enumerate(principal, start=1)]) * QUARTER / total


def periodic_irr(flows: Sequence[float]) -> float | None:
    """Rate a period at which an outlay and what follows it are worth nothing; None where nothing follows.

    flows : the outlay first, negative; the rest not negative, so that there is one rate and no other.
    Newton's steps on the discount factor, halving the bracket where a step would leave it.
    """
    if not min(flows) < 0.0 < max(flows):
        return None
    backwards = list(reversed(flows))
    low, high = 0.0, 1.0
    while _worth(backwards, high)[0] < 0.0:  # the factor of a negative rate is above 1
        low, high = high, high * 2.0
        if high > 1e6:
            return None
    v = 0.5 * (low + high)
    for _ in range(200):
        worth, slope = _worth(backwards, v)
        if worth < 0.0:
            low = v
        else:
            high = v
        step = v - worth / slope if slope > 0.0 else low
        following = step if low < step < high else 0.5 * (low + high)
        if abs(following - v) <= 1e-15 * v:
            break
        v = following
    return 1.0 / v - 1.0


def _worth(backwards: Sequence[float], v: float) -> tuple[float, float]:
    """Value of the flows at discount factor v and its slope, the last flow first."""
    worth = slope = 0.0
    for flow in backwards:
        slope = slope * v + worth
        worth = worth * v + flow
    return worth, slope
