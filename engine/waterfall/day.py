"""One payment date as rows of a register program: what the steps read and change, and what tests need."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from engine.waterfall.document import Document, TestTerms
from engine.waterfall.registers import Builder, Row

TINY: Final = 1e-6
"""Money below this is nothing."""

FROM_INTEREST: Final = "interest"
FROM_PRINCIPAL: Final = "principal"


class Ledger:
    """The figures of a date that steps change, by name; what was never changed is nothing."""

    def __init__(self, builder: Builder) -> None:
        self._b = builder
        self._figures: dict[Hashable, Row] = {}
        self._usual: dict[Hashable, float] = {}

    def __getitem__(self, name: Hashable) -> Row:
        return self._figures.get(name, self._b.constant(self._usual.get(name, 0.0)))

    def __setitem__(self, name: Hashable, value: Row) -> None:
        self._figures[name] = value

    def add(self, name: Hashable, amount: Row) -> None:
        self[name] = self[name] + amount

    def usual(self, name: Hashable, value: float) -> None:
        """What the figure is where no step has set it."""
        self._usual[name] = value

    def names(self) -> Iterator[Hashable]:
        return iter(self._figures)

    @contextmanager
    def skipped_where_never(self, mask: Row) -> Iterator[None]:
        """What is done within is skipped on dates where the mask holds in no lane.

        In the lanes where it does not hold, nothing must change: there is no cash in hand.
        """
        before = dict(self._figures)
        with self._b.region(mask) as region:
            yield
        for name, within in self._figures.items():
            old = before.get(name, self._b.constant(self._usual.get(name, 0.0)))
            self._figures[name] = self._b.settle(region, old, within)


@dataclass(frozen=True, slots=True)
class Test:
    """A coverage test at the start of the date. `fails`: active, and below its trigger."""

    __test__ = False

    terms: TestTerms
    covered: tuple[str, ...]
    numerator: Row
    denominator: Row
    trigger: Row
    ratio: Row
    fails: Row
    active: Row


@dataclass(slots=True)
class Day:
    """The rows of one payment date, by the ids of the document.

    opening figures of classes and fees are fixed; payments, pots and accounts stand in the ledger:
    ("interest" | "on_deferred" | "deferred" | "principal", class) and ("fee", fee) paid,
    ("pot", source), ("account", id), ("room", cap), "to_notes" (in all) and "to_notes_principal" of it, "diverted",
    "reinvested", "incentive", "to_equity"; "put_in" by the holders of the equity for new notes (below nothing: got).
    """

    b: Builder
    document: Document
    classes: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]
    ledger: Ledger
    original: Mapping[str, float]
    balance: Mapping[str, Row]
    deferred: Mapping[str, Row]
    unpaid: Mapping[str, Row]
    due: Mapping[str, Row]
    on_deferred: Mapping[str, Row]
    scheduled: Mapping[str, Row]
    accrual: Mapping[str, Row]
    fee_accrued: Mapping[str, Row]
    fee_unpaid: Mapping[str, Row]
    pool: Mapping[str, Row]
    phases: dict[str, Row]
    plain: Mapping[str, Row]
    """Single names: index, period, date, basis, and dates.<name>, input.<id> as dotted names."""
    pays_parts: bool = True
    """Whether any step pays the current accrual of a fee apart from what stayed unpaid."""
    tests: dict[str, Test] = field(default_factory=dict)

    # what is still owed

    def interest_left(self, c: str) -> Row:
        return self.due[c].over(self.ledger["interest", c])

    def on_deferred_left(self, c: str) -> Row:
        return self.on_deferred[c].over(self.ledger["on_deferred", c])

    def deferred_left(self, c: str) -> Row:
        """Deferred interest without the interest on it."""
        return self.deferred[c].over(self.ledger["deferred", c])

    def principal_left(self, c: str) -> Row:
        return self.balance[c].over(self.ledger["principal", c])

    def outstanding(self, c: str) -> Row:
        return self.principal_left(c) + self.deferred_left(c)

    def fee_left(self, f: str, part: str = "all") -> Row:
        """What is still due of a fee: all, the current accrual, or what stayed unpaid on earlier dates (paid first)."""
        if part == "all":
            return (self.fee_unpaid[f] + self.fee_accrued[f]).over(self.fee_paid(f))
        of = self.fee_accrued if part == "current" else self.fee_unpaid
        return of[f].over(self.ledger[part, f])

    def fee_paid(self, f: str) -> Row:
        return self.ledger["fee", f]

    def pay_fee(self, f: str, part: str, amount: Row) -> None:
        """Books a payment; only where the document pays parts of fees apart, the parts are kept apart."""
        if self.pays_parts:
            late = amount if part == "unpaid" else amount.least(self.fee_left(f, "unpaid"))
            late = self.b.constant(0.0) if part == "current" else late
            self.ledger.add(("unpaid", f), late)
            self.ledger.add(("current", f), amount - late)
        self.ledger.add(("fee", f), amount)

    def controlling(self, wanted: str) -> Row:
        """Whether the class is among the most senior outstanding."""
        senior_paid = self.b.constant(1.0)
        for group in self.groups:
            owed = self.b.total([self.outstanding(c) for c in group]) > TINY
            if wanted in group:
                return senior_paid & owed
            senior_paid = senior_paid & ~owed
        return self.b.constant(0.0)

    # coverage tests and what restores them (spec 6.2)

    def need(self, test: Test, source: str) -> Row:
        """Money to the notes that restores the test, from interest or from principal cash; nothing where it is met.

        Running totals of the date count: y from interest, z from principal, w diverted to principal.
        """
        if test.terms.type == "ic":
            return self.failing(test).then(self._interest_coverage_need(test), 0.0)
        numerator, denominator = self._running(test)
        if source == FROM_PRINCIPAL:
            # retiring notes with principal lowers both sides; at or below par only paying all of them helps
            above_par = test.trigger > 1.0
            retired = (test.trigger * denominator - numerator) / (test.trigger - 1.0)
            need = above_par.then(retired, denominator)
        else:
            need = (denominator - numerator / test.trigger).positive
        return self.failing(test).then(need, 0.0)

    def failing(self, test: Test) -> Row:
        """Whether the test needs a cure: by more than nothing, so that a test just met stays met."""
        asks = self._asks(test)
        if test.terms.type == "ic":
            return asks & ((test.trigger * test.denominator).over(test.numerator) > TINY)
        numerator, denominator = self._running(test)
        return asks & (denominator > TINY) & ((test.trigger * denominator).over(numerator) > TINY)

    def _asks(self, test: Test) -> Row:
        """Where the test may ask for a cure at all."""
        return test.active if self.b.is_positive(test.trigger) else test.active & (test.trigger > 0.0)

    def _running(self, test: Test) -> tuple[Row, Row]:
        numerator = test.numerator + (self.ledger["diverted"] - self.ledger["to_notes_principal"])
        return numerator, test.denominator - (self._paid_down(test) + self.ledger["to_notes"])

    def _paid_down(self, test: Test) -> Row:
        """Principal and deferred interest of the tested classes that the date has paid already."""
        paid = [self.ledger[kind, c] for c in test.covered for kind in ("principal", "deferred")]
        return self.b.total(paid)

    def diversion_need(self, test: Test, how: str) -> Row:
        """Cash that restores the test: added to par (T x Den - Num), or as if it retired notes."""
        numerator, denominator = self._running(test)
        need = (test.trigger * denominator - numerator).positive
        asks = self._asks(test)
        return asks.then(need / test.trigger if how == "paydown_cure" else need, 0.0)

    def _interest_coverage_need(self, test: Test) -> Row:
        """Notes to retire so that interest due falls far enough, exactly (case IC-1).

        Groups go in order of seniority, by balance within a group; a unit saves its own interest. What the pot already
        holds retires first.
        """
        needed = (test.denominator - test.numerator / test.trigger).positive
        retired = self.b.constant(0.0)
        for group in self.groups:
            covered = [c for c in group if c in test.covered]
            if not covered:
                continue
            balance = self.b.total([self.principal_left(c) for c in group])
            saving = self.b.total([self.principal_left(c) * self.accrual[c] for c in covered])
            unit = saving / balance
            part = (needed > TINY).then(balance.least(needed / unit), 0.0)
            part = (saving > 0.0).then(part, 0.0)
            retired = retired + part
            needed = needed - part * unit
        return retired.over(self.ledger["to_notes"])

    def nav(self) -> Row:
        """Net asset value of the equity over its original balance."""
        assets = self.pool["marked"] + self.pool["carrying"] + self.pool["principal_cash"]
        notes = self.b.total([self.balance[c] + self.deferred[c] for c in self.classes if c != self.document.equity])
        return (assets - notes) / self.original[self.document.equity]
