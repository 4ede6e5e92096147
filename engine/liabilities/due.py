"""What is due on a payment date: interest and scheduled principal of the classes, fees, room under caps, accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.deal_inputs import DealInputs
from engine.liabilities.pool import PoolSide
from engine.liabilities.renewal import Renewal
from engine.waterfall.clauses import clauses
from engine.waterfall.day import TINY, Day, Ledger
from engine.waterfall.document import Cap, ClassTerms, Document
from engine.waterfall.figures import figure_of
from engine.waterfall.registers import Builder, Row


class Classes:
    """Opening balances and claims of every class, by id (spec 4.1)."""

    def __init__(self, b: Builder, document: Document, inputs: DealInputs) -> None:
        self.b, self.inputs = b, inputs
        self.balance: dict[str, Row] = {}
        self.deferred: dict[str, Row] = {}
        self.unpaid: dict[str, Row] = {}
        self.accrual: dict[str, Row] = {}
        self.due: dict[str, Row] = {}
        self.on_deferred: dict[str, Row] = {}
        self.scheduled: dict[str, Row] = {}
        terms = {c.id: c for c in document.classes}
        for place, c in enumerate(inputs.class_ids):
            if terms[c].kind == "equity":
                self._residual(c, float(inputs.balance[place]))
            else:
                self._accrue(terms[c], place)

    def _residual(self, c: str, balance: float) -> None:
        self.balance[c] = self.b.constant(balance)
        zero = self.b.constant(0.0)
        for figures in (self.deferred, self.unpaid, self.accrual, self.due, self.on_deferred, self.scheduled):
            figures[c] = zero

    def _accrue(self, terms: ClassTerms, place: int) -> None:
        b, inputs, c = self.b, self.inputs, terms.id
        zero, opening = b.constant(0.0), float(inputs.balance[place])
        balance = self.balance[c] = b.state(("balance", c), opening, positive=True)
        accrual = self.accrual[c] = b.dated(("accrual", c), positive=True)
        rule, deferred = inputs.deferrable[place], float(inputs.deferred[place])
        self.deferred[c] = zero
        if rule != "never" or deferred != 0.0:
            self.deferred[c] = b.state(("deferred", c), deferred, positive=True)
        late = self.unpaid[c] = zero if rule == "always" else b.state(("unpaid", c), positive=True)
        self.due[c] = balance * accrual + late + (late * accrual if terms.interest_on_unpaid else 0.0)
        self.on_deferred[c] = self.deferred[c] * accrual if terms.interest_on_deferred else zero
        # what the schedule has repaid by now, missed instalments included
        repaid = float(inputs.scheduled[place])
        planned = (opening - b.dated("period") * repaid).positive
        self.scheduled[c] = balance.over(planned) if repaid else zero

    def roll(self, day: Day, c: str, renewal: Renewal) -> dict[str, Row]:
        """Balances of the next date, by kind (spec 4.3): a shortfall is deferred, or stays unpaid; or new notes."""
        b, ledger = self.b, day.ledger
        short = self.due[c].over(ledger["interest", c])
        late = self.on_deferred[c] - ledger["on_deferred", c] - ledger["deferred", c]
        rest = (self.deferred[c] + late).positive
        rule = self.inputs.deferrable[self.inputs.class_ids.index(c)]
        defers = b.constant(float(rule == "always"))
        if rule == "if_not_controlling":
            defers = ~self._controls_at_start(day, c)
        after = {
            "balance": self.balance[c].over(ledger["principal", c]),
            "deferred": rest + defers.then(short, 0.0),
            "unpaid": defers.then(0.0, short),
        }
        after = renewal.replaced(c, after)
        zero = b.constant(0.0)
        for kind, before in (("balance", None), ("deferred", self.deferred[c]), ("unpaid", self.unpaid[c])):
            if before != zero:
                b.keep((kind, c), after[kind])
        return after

    def _controls_at_start(self, day: Day, c: str) -> Row:
        """Whether the class was among the most senior outstanding before the date paid anything."""
        senior_paid = self.b.constant(1.0)
        for group in day.groups:
            owed = self.b.total([self.balance[m] + self.deferred[m] for m in group]) > TINY
            if c in group:
                return senior_paid & owed
            senior_paid = senior_paid & ~owed
        return self.b.constant(0.0)


def groups(document: Document, class_ids: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Debt classes in order of seniority; those that the note payment sequence repays together are one group."""
    debt = {c.id for c in document.classes if c.kind == "debt" and c.id in class_ids}
    made: list[tuple[str, ...]] = []
    sequence = next((w for w in document.waterfalls.values() if w.source == "notes"), None)
    for clause in clauses(document, class_ids):
        if sequence is None or clause.waterfall != sequence.id or clause.step.type != "pay_principal":
            continue
        members = tuple(c for c in clause.step.ids("classes") if c in debt)
        debt -= set(members)
        if members:
            made.append(members)
    return (*made, *((c,) for c in class_ids if c in debt))


class Fees:
    """Accruals of every fee, by id, and the room under each cap (spec 5.1, 5.3).

    basis  performing + defaulted + principal cash of the date;  last: of the date before
    """

    def __init__(self, b: Builder, document: Document, inputs: DealInputs, pool: PoolSide) -> None:
        self.b, self.document, self.inputs = b, document, inputs
        self.basis = (pool.performing + pool.defaulted + pool.principal).positive
        self.last = b.state("basis", inputs.opening_basis, positive=True)
        b.keep("basis", self.basis)
        bases: Mapping[str, Row] = {
            "begin": self.last,
            "average": 0.5 * (self.last + self.basis),
            "end": self.basis,
            "performing": pool.opening_performing,
            "none": b.constant(0.0),
        }
        self.accrued: dict[str, Row] = {}
        self.unpaid: dict[str, Row] = {}
        for place, fee in enumerate(document.fees):
            unpaid = b.state(("fee_unpaid", fee.id), float(inputs.fee_unpaid[place]), positive=True)
            yearly = bases[inputs.fee_basis[place]] * float(inputs.fee_percent[place]) + float(inputs.fee_fixed[place])
            accrued = yearly * b.dated(("fee_fraction", place), positive=True)
            if inputs.fee_interest[:, place].any():
                accrued = accrued + unpaid * b.dated(("fee_interest", place), positive=True)
            self.accrued[fee.id], self.unpaid[fee.id] = accrued, unpaid
        self.room: dict[str, Row] = {}
        self._own_room: dict[str, Row] = {}

    def open_caps(self, day: Day) -> None:
        """Room under each cap: the date's own and what earlier dates left."""
        for cap in self.document.caps:
            yearly = figure_of(day, cap.fixed) + figure_of(day, cap.percent) * self.last
            own = (yearly * self.b.dated("cap_fraction", positive=True)).positive
            self._own_room[cap.id] = own
            self.room[cap.id] = self.b.total([*self._earlier(cap), own])
            day.ledger["room", cap.id] = self.room[cap.id]

    def _earlier(self, cap: Cap) -> list[Row]:
        """What the last dates left, the oldest first; age 0 is the date before."""
        return [self.b.state(("room", cap.id, age)) for age in reversed(range(cap.carry_forward))]

    def senior(self) -> Row:
        """Fees due before the notes; those under a cap up to its room."""
        fees = self.document.fees
        senior = [f for f, is_senior in zip(fees, self.inputs.fee_senior, strict=True) if is_senior]
        due = {f.id: self.unpaid[f.id] + self.accrued[f.id] for f in senior}
        total = self.b.total([due[f.id] for f in senior if f.cap is None])
        for cap in self.document.caps:
            under = [due[f.id] for f in senior if f.cap == cap.id]
            if under:
                total = total + self.b.total(under).least(self.room[cap.id])
        return total

    def roll(self, day: Day) -> None:
        """Unpaid fees, and the room that the date leaves: the oldest is used first and falls away."""
        b = self.b
        for fee in self.document.fees:
            b.keep(("fee_unpaid", fee.id), self.left(day, fee.id))
        for cap in self.document.caps:
            used = self.room[cap.id] - day.ledger["room", cap.id]
            left = []
            for room in (*self._earlier(cap), self._own_room[cap.id]):
                left.append(room.over(used))
                used = used.over(room)
            for age in range(cap.carry_forward):
                b.keep(("room", cap.id, age), left[-1 - age])

    def left(self, day: Day, fee: str) -> Row:
        """What stays unpaid after the date."""
        return (self.unpaid[fee] + self.accrued[fee] - day.fee_paid(fee)).positive


class Accounts:
    """Accounts grow by the idle yield, then take in what is contributed.

    held  before the date;  earned: yield of the date;  contributed: put in on it
    """

    def __init__(self, b: Builder, document: Document, inputs: DealInputs, ledger: Ledger, alive: Row) -> None:
        self.b, self.document, self.ledger = b, document, ledger
        zero = b.constant(0.0)
        self.held = self.earned = self.contributed = zero
        for account in document.accounts:
            held = b.state(("account", account.id), inputs.accounts.get(account.id, 0.0))
            earned = b.dated("idle") * held if inputs.idle_yield.any() else zero
            self.held, self.earned = self.held + held, self.earned + earned
            ledger["account", account.id] = held + earned
        for contribution in document.contributions:
            put_in = zero
            if contribution.id in inputs.contributed:
                put_in = alive.then(b.dated(("contributed", contribution.id)), 0.0)
            before = b.state(("owed", contribution.id))
            owed = before + before * (contribution.rate * b.dated("cap_fraction", positive=True)) + put_in
            ledger["owed", contribution.id] = owed
            ledger.add(("account", contribution.account), put_in)
            self.contributed = self.contributed + put_in

    def after(self) -> Row:
        """All accounts after the date."""
        return self.b.total([self.ledger["account", a.id] for a in self.document.accounts])

    def roll(self, living: Row) -> None:
        for account in self.document.accounts:
            self.b.keep(("account", account.id), living.then(self.ledger["account", account.id], 0.0))
        for contribution in self.document.contributions:
            self.b.keep(("owed", contribution.id), self.ledger["owed", contribution.id])
