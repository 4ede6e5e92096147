"""The state of one payment date, its figures, expressions and what a test needs, in plain dicts and floats.

Part of the reference of a deal's run (`reference_deal`). Knows nothing of the compiler and the interpreter.
Money in the deal's currency; classes, fees, tests, caps, accounts by id.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.deal_inputs import DealInputs
from engine.waterfall.document import Document, Step
from engine.waterfall.expressions import (
    Binary,
    Controlling,
    Expression,
    Function,
    Number,
    Reference,
    SumOver,
    Unary,
)

TINY = 1e-6


def nothing() -> dict[str, float]:
    return defaultdict(float)


def size(step: Step) -> int:
    """Places a step takes in its waterfall: its own and those of the steps inside it."""
    return 1 + sum(size(inner) for inner in inside(step))


def inside(step: Step) -> tuple[Step, ...]:
    if step.type != "branch":
        return ()
    return (*step.terms["then"], *step.terms.get("otherwise", ()))


def all_steps(steps: Sequence[Step]) -> Iterator[Step]:
    """Steps in written order, branches opened."""
    for step in steps:
        yield step
        yield from all_steps(inside(step))


def seniority(document: Document, class_ids: Sequence[str]) -> list[list[str]]:
    """Groups of debt classes, the most senior first: as the note payment sequence repays them."""
    debt = [c.id for c in document.classes if c.kind == "debt" and c.id in class_ids]
    notes = next((w for w in document.waterfalls.values() if w.source == "notes"), None)
    groups: list[list[str]] = []
    for step in all_steps(notes.steps if notes else ()):
        if step.type == "pay_principal":
            ranked = [c for group in groups for c in group]
            groups.append([c for c in step.ids("classes") if c in debt and c not in ranked])
    ranked = [c for group in groups for c in group]
    groups += [[c] for c in class_ids if c in debt and c not in ranked]
    return [group for group in groups if group]


@dataclass
class Measure:
    """A coverage test as measured at the start of the date."""

    numerator: float
    denominator: float
    trigger: float
    ratio: float
    active: bool
    fails: bool


@dataclass
class Line:
    """One step of the date as it was run. Receipts have negative due and paid."""

    waterfall: str
    place: int
    type: str
    due: float
    paid: float
    short: float
    after: float
    to_class: dict[str, float]


@dataclass
class Today:
    """Everything the steps of one payment date read and write.

    groups       debt classes by seniority
    balance, deferred, unpaid  at the start of the date;  due, on_deferred, scheduled, accrual  of the date
    pool         the figures of `pool` in expressions;  nav  of the equity
    paid_current, paid_late, paid_deferred, paid_principal  to classes; late: interest on deferred interest
    fee_old, fee_new  what is due from earlier dates and of this one;  fee_paid_old, fee_paid_new
    room         of each cap: (row the room is of, money), oldest first
    interest, principal  cash no waterfall has taken;  kept_interest, kept_principal  retained to the next date
    pot          all that was put aside for notes;  pot_left  what is not distributed yet
    y, z, w      paid to notes from interest, from principal; diverted from interest to principal
    used, used_life  what steps with a cap took, by clause: on the date, in the run
    """

    document: Document
    inputs: DealInputs
    row: int
    groups: list[list[str]]
    balance: dict[str, float]
    deferred: dict[str, float]
    unpaid: dict[str, float]
    accounts: dict[str, float]
    owed: dict[str, float]
    used_life: dict[tuple[str, int], float]
    due: dict[str, float] = field(default_factory=nothing)
    on_deferred: dict[str, float] = field(default_factory=nothing)
    scheduled: dict[str, float] = field(default_factory=nothing)
    accrual: dict[str, float] = field(default_factory=nothing)
    pool: dict[str, float] = field(default_factory=dict)
    nav: float = 0.0
    basis: float = 0.0
    phases: dict[str, bool] = field(default_factory=dict)
    tests: dict[str, Measure] = field(default_factory=dict)
    paid_current: dict[str, float] = field(default_factory=nothing)
    paid_late: dict[str, float] = field(default_factory=nothing)
    paid_deferred: dict[str, float] = field(default_factory=nothing)
    paid_principal: dict[str, float] = field(default_factory=nothing)
    fee_old: dict[str, float] = field(default_factory=nothing)
    fee_new: dict[str, float] = field(default_factory=nothing)
    fee_paid_old: dict[str, float] = field(default_factory=nothing)
    fee_paid_new: dict[str, float] = field(default_factory=nothing)
    room: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    interest: float = 0.0
    principal: float = 0.0
    kept_interest: float = 0.0
    kept_principal: float = 0.0
    pot: float = 0.0
    pot_left: float = 0.0
    y: float = 0.0
    z: float = 0.0
    w: float = 0.0
    policy: float = 0.0
    policy_share_of_diverted: float = 0.0
    may_buy: bool = False
    reinvested: float = 0.0
    incentive: float = 0.0
    expenses: dict[str, float] = field(default_factory=nothing)
    hedges: dict[str, float] = field(default_factory=nothing)
    hedge_receipts: float = 0.0
    repaid: dict[str, float] = field(default_factory=nothing)
    used: dict[tuple[str, int], float] = field(default_factory=nothing)
    log: list[Line] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    # --- what is still owed ---

    @property
    def equity(self) -> str:
        return self.document.equity

    def principal_left(self, c: str) -> float:
        return max(self.balance.get(c, 0.0) - self.paid_principal[c], 0.0)

    def deferred_left(self, c: str) -> float:
        return max(self.deferred.get(c, 0.0) - self.paid_deferred[c], 0.0)

    def current_left(self, c: str) -> float:
        return max(self.due[c] - self.paid_current[c], 0.0)

    def late_left(self, c: str) -> float:
        return max(self.on_deferred[c] - self.paid_late[c], 0.0)

    def outstanding(self, c: str) -> float:
        return self.principal_left(c) + self.deferred_left(c)

    def fee_old_left(self, f: str) -> float:
        return max(self.fee_old[f] - self.fee_paid_old[f], 0.0)

    def fee_new_left(self, f: str) -> float:
        return max(self.fee_new[f] - self.fee_paid_new[f], 0.0)

    def fee_left(self, f: str) -> float:
        return self.fee_old_left(f) + self.fee_new_left(f)

    def room_left(self, cap: str) -> float:
        return sum(money for _, money in self.room[cap])

    def to_equity(self) -> float:
        return self.paid_current[self.equity] + self.paid_principal[self.equity]

    def controlling(self) -> list[str]:
        """The most senior group of which anything is outstanding."""
        return next((g for g in self.groups if any(self.outstanding(c) > TINY for c in g)), [])

    # --- figures of expressions ---

    def figure(self, path: tuple[str, ...], cash: float) -> float:
        if len(path) == 1:
            plain = {
                "cash": cash,
                "period": self.row + 1.0,
                "date": float(self.inputs.days[self.row]),
                "index": float(self.inputs.index[self.row]),
                "basis": self.basis,
            }
            name = path[0]
            return plain[name] if name in plain else evaluate(self.document.values[name], self, cash)
        kind, name = path[0], path[1]
        if kind == "dates":
            return float(self.inputs.dates[name])
        if kind == "input":
            default = next((i.default for i in self.document.inputs if i.id == name), 0.0)
            return float(self.inputs.inputs.get(name, default))
        if kind == "pool":
            return self.pool[name]
        if kind == "phase":
            if name in self.phases:
                return float(self.phases[name])
            return float(evaluate(self.document.phases[name], self, cash) != 0.0)
        if kind == "account":
            return self.accounts[name]
        if kind == "contribution":
            return self.owed[name]
        if kind == "equity":
            original = self.original(self.equity)
            return self.nav if name == "nav" else divide(self.to_equity(), original)
        if kind == "class":
            return self.class_figure(name, path[2])
        if kind == "fee":
            return self.fee_figure(name, path[2])
        return self.test_figure(name, path[2])

    def original(self, c: str) -> float:
        return float(self.inputs.original[self.inputs.class_ids.index(c)]) if c in self.inputs.class_ids else 0.0

    def class_figure(self, c: str, name: str) -> float:
        if c not in self.balance:  # an optional class that the deal lacks
            return 0.0
        return {
            "balance": self.principal_left(c),
            "deferred": self.deferred_left(c),
            "total": self.outstanding(c),
            "interest_due": self.current_left(c),
            "on_deferred": self.late_left(c),
            "unpaid": self.unpaid.get(c, 0.0),
            "original": self.original(c),
            "factor": divide(self.principal_left(c), self.original(c)),
            "paid_interest": self.paid_current[c] + self.paid_late[c],
            "paid_deferred": self.paid_deferred[c],
            "paid_principal": self.paid_principal[c],
        }[name]

    def fee_figure(self, f: str, name: str) -> float:
        return {
            "due": self.fee_left(f),
            "accrued": self.fee_new[f],
            "unpaid": self.fee_old[f],
            "paid": self.fee_paid_old[f] + self.fee_paid_new[f],
        }[name]

    def test_figure(self, t: str, name: str) -> float:
        if name == "need_interest":
            return self.need(t, "interest")
        if name == "need_principal":
            return self.need(t, "principal")
        measure = self.tests[t]
        return {
            "ratio": measure.ratio,
            "fail": float(measure.fails),
            "pass": float(not measure.fails),
            "cushion": measure.ratio - measure.trigger,
            "trigger": measure.trigger,
            "numerator": measure.numerator,
            "denominator": measure.denominator,
        }[name]

    # --- what restores a test (spec 6.2) ---

    def covered(self, t: str) -> list[str]:
        terms = next(terms for terms in self.document.tests if terms.id == t)
        return [c for c in terms.classes if c in self.balance]

    def repaid_of(self, t: str) -> float:
        """Principal and deferred interest of the tested classes that the date has paid already."""
        return sum(self.paid_principal[c] + self.paid_deferred[c] for c in self.covered(t))

    def type_of(self, t: str) -> str:
        return next(terms.type for terms in self.document.tests if terms.id == t)

    def need(self, t: str, source: str) -> float:
        """Money to the notes that restores the test, from principal or from other cash."""
        test = self.tests[t]
        if not test.active or test.trigger <= 0.0:
            return 0.0
        if self.type_of(t) == "ic":
            return self.interest_coverage_need(t)
        numerator = test.numerator + self.w - self.z
        denominator = test.denominator - self.repaid_of(t) - self.y - self.z
        if denominator <= TINY or test.trigger * denominator - numerator <= TINY:  # met, but for rounding
            return 0.0
        if source != "principal":
            return max(denominator - numerator / test.trigger, 0.0)
        if test.trigger <= 1.0:  # at or below par, principal can only help by paying all
            return denominator
        return max((test.trigger * denominator - numerator) / (test.trigger - 1.0), 0.0)

    def interest_coverage_need(self, t: str) -> float:
        """Notes to retire, group after group, until enough interest is saved; less what is put aside already."""
        test = self.tests[t]
        if test.trigger * test.denominator - test.numerator <= TINY:
            return 0.0
        cut = test.denominator - test.numerator / test.trigger
        covered = self.covered(t)
        retired = 0.0
        for group in self.groups:
            if cut <= TINY:
                break
            balance = sum(self.principal_left(c) for c in group)
            saving = sum(self.principal_left(c) * self.accrual[c] for c in group if c in covered)
            if balance <= 0.0 or saving <= 0.0:
                continue
            part = min(balance, cut * balance / saving)
            retired += part
            cut -= part * saving / balance
        return max(retired - self.y - self.z, 0.0)

    def par_need(self, t: str) -> float:
        """Cash that restores the test when it is added to par."""
        test = self.tests[t]
        if not test.active or test.trigger <= 0.0:
            return 0.0
        denominator = test.denominator - self.repaid_of(t) - self.y - self.z
        return max(test.trigger * denominator - (test.numerator + self.w - self.z), 0.0)


# --- expressions -------------------------------------------------------------------------------------------------


def divide(a: float, b: float) -> float:
    return a / b if b != 0.0 else 0.0


def evaluate(e: Expression, today: Today, cash: float = 0.0) -> float:
    """The number an expression stands for; truth is 1 or 0."""
    match e:
        case Number(number):
            return float(number)
        case Reference(path):
            return today.figure(path, cash)
        case SumOver(classes, figure):
            return sum(today.class_figure(c, figure) for c in classes)
        case Controlling(class_id):
            return float(class_id in today.controlling())
        case Unary("-", operand):
            return -evaluate(operand, today, cash)
        case Unary(_, operand):
            return float(evaluate(operand, today, cash) == 0.0)
        case Binary(operator, left, right):
            return operation(operator, evaluate(left, today, cash), evaluate(right, today, cash))
        case Function(name, arguments):
            values = [evaluate(a, today, cash) for a in arguments]
            if name == "if":
                return values[1] if values[0] != 0.0 else values[2]
            return {"min": min, "max": max, "abs": lambda v: abs(v[0])}[name](values)
    raise TypeError(f"{e!r} is no expression")


def operation(operator: str, a: float, b: float) -> float:
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return divide(a, b)
        case "and":
            return float(a != 0.0 and b != 0.0)
        case "or":
            return float(a != 0.0 or b != 0.0)
    compare: Mapping[str, bool] = {
        "<": a < b,
        "<=": a <= b,
        ">": a > b,
        ">=": a >= b,
        "==": a == b,
        "!=": a != b,
    }
    return float(compare[operator])


def ratio_of(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > TINY else math.inf
