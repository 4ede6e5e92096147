"""Why a class or a fee was paid what it was paid: the steps of one payment date, from the log of a projection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import cash
from engine.waterfall.clauses import Clause
from engine.waterfall.document import Document, Step, class_id
from engine.waterfall.expressions import Expression
from engine.waterfall.listing import condition, title
from engine.waterfall.names import Names
from engine.waterfall.sentences import sentence
from engine.waterfall.steps import LOG_COLUMNS

if TYPE_CHECKING:
    from engine.projection import Projection

_DUE, _PAID, _SHORT, _AFTER = range(len(LOG_COLUMNS))
_OWED: Final = frozenset({"pay_fee", "pay_expense", "pay_hedge", "pay_interest", "pay_deferred", "cure", "divert"})


@dataclass(frozen=True, slots=True)
class TestTrace:
    """A coverage test as it stood on the date, before the payments.

    trigger  the limit of that date
    passed   nothing has to be cured;  active: the test is in force on the date (else it passes whatever its ratio)
    """

    __test__ = False

    id: str
    ratio: float
    trigger: float
    numerator: float
    denominator: float
    passed: bool
    active: bool


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One step that ran; number, letter and depth are those of the numbered list.

    label   what the step does, in the words of the list;  when: the condition it stood under ("" for none)
    Money in the deal's currency; a negative `paid` is a receipt. None where a branch only chose what the steps below
    it did.
    to_class  part of `paid` that went to the class (or fee); None where a step paid several fees, which the log does
              not tell apart
    of_class  the step is there to pay it, whether or not it did
    tests   that decided: those the step restores, and those its amounts and conditions ask
    """

    number: int
    letter: str
    depth: int
    kind: str
    label: str
    when: str
    due: float | None
    paid: float | None
    short: float | None
    cash_before: float
    cash_after: float
    to_class: float | None
    of_class: bool
    tests: tuple[TestTrace, ...]

    @property
    def missed(self) -> bool:
        """Whether less came than was owed. Principal that waits its turn is not missed."""
        return self.kind in _OWED and (self.short or 0.0) > 0.005

    @property
    def idle(self) -> bool:
        """Whether the step had nothing to do and no test to tell of."""
        return not (self.due or self.paid or self.tests)


@dataclass(frozen=True, slots=True)
class SectionTrace:
    """One waterfall of the date with the cash it began with."""

    name: str
    title: str
    cash_in: float
    steps: tuple[StepTrace, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that led to the payment of a class on a date, or of a fee: then `fee` is what it was paid."""

    deal: str
    date: dt.date
    class_name: str
    interest: float
    deferred: float
    principal: float
    phase: str
    sections: tuple[SectionTrace, ...]
    fee: float | None = None

    @property
    def total(self) -> float:
        return self.fee if self.fee is not None else self.interest + self.deferred + self.principal

    @property
    def steps(self) -> tuple[StepTrace, ...]:
        return tuple(step for section in self.sections for step in section.steps)


@dataclass(frozen=True, slots=True)
class _Payee:
    """Whose payment is looked at: a class by its place and id, a fee by its id, or the incentive fee (no id)."""

    name: str
    kind: str
    place: int = -1
    id: str = ""

    def pays(self, step: Step) -> bool:
        if self.kind == "class":
            return self.id in (*step.ids("classes"), *step.ids("equity"))
        return self.id in step.ids("fees") if self.id else step.type == "hurdle_split"


def explain(flows: Projection, day: dt.date, name: str) -> Trace:
    """The trace of a payment to a class or a fee. Raises ValueError naming the known dates or names otherwise."""
    if day not in flows.payment_dates:
        near = min(flows.payment_dates, key=lambda d: abs((d - day).days))
        raise ValueError(f"{day.isoformat()} is no payment date; the nearest is {near.isoformat()}.")
    payee, i, r = _payee(flows, name), flows.payment_dates.index(day), flows.result
    k, fee = payee.place, None
    if payee.kind != "class":
        fee = float(r.fee_paid[i, k] if payee.id else r.cash[i, cash.INCENTIVE_FEE])
    return Trace(
        deal=flows.deal,
        date=day,
        class_name=payee.name,
        interest=0.0 if fee is not None else float(r.interest[i, k]),
        deferred=0.0 if fee is not None else float(r.deferred_paid[i, k]),
        principal=0.0 if fee is not None else float(r.principal[i, k]),
        phase=_phase(flows, i),
        sections=tuple(_Day(flows, i, payee).sections()),
        fee=fee,
    )


def payees(flows: Projection) -> tuple[str, ...]:
    """Names that `explain` knows: classes, fees, the incentive fee."""
    return (*_classes(flows), *_fees(flows))


def _classes(flows: Projection) -> tuple[str, ...]:
    return tuple(t.name for t in flows.tranches)


def _fees(flows: Projection) -> tuple[str, ...]:
    return (*(f.name for f in flows.document.fees), cash.CASH_NAMES[cash.INCENTIVE_FEE])


def _payee(flows: Projection, name: str) -> _Payee:
    wanted = name.strip().casefold()
    for k, t in enumerate(flows.tranches):
        if class_id(t.name).casefold() == class_id(name).casefold():
            return _Payee(t.name, "class", k, class_id(t.name))
    for k, clause in enumerate(flows.document.fees):
        if wanted in (clause.id.casefold(), clause.name.casefold()):
            return _Payee(clause.name, "fee", k, clause.id)
    incentive = cash.CASH_NAMES[cash.INCENTIVE_FEE]
    if wanted == incentive.casefold():
        return _Payee(incentive, "fee")
    classes, fees = ", ".join(_classes(flows)), ", ".join(_fees(flows))
    raise ValueError(f"There is no class or fee {name!r}; classes are {classes}; fees are {fees}.")


def failing(flows: Projection, test: int) -> NDArray[np.bool_]:
    """bool[n_dates]: whether a test in force is below its trigger (or at it, where equal does not pass)."""
    ratio, trigger = flows.result.ratio[:, test], flows.result.trigger[:, test]
    below = ratio < trigger if flows.document.tests[test].pass_on_equal else ratio <= trigger
    return np.asarray(below & flows.result.active[:, test])


def step_words(step: Step, document: Document, class_ids: Collection[str]) -> str:
    """What a step does, of the classes that the deal has."""
    members = step.ids("classes")
    kept = [place for place, c in enumerate(members) if c in class_ids]
    if len(kept) == len(members):
        return sentence(step, document)
    terms: dict[str, Any] = {**step.terms, "classes": tuple(members[place] for place in kept)}
    if terms.get("weights"):
        terms["weights"] = tuple(terms["weights"][place] for place in kept)
    return sentence(replace(step, terms=terms), document)


def tests_of(step: Step, document: Document) -> tuple[str, ...]:
    """Ids of the tests that decide what a step does, in the document's order.

    Those that it restores, and those that its amounts and conditions refer to, also through values and phases.
    """
    names = Names(document)
    named = {*step.ids("tests"), *step.ids("test")}
    for expression in _expressions(step):
        named |= {name for kind, name in names.closure(expression) if kind == "test"}
    return tuple(t.id for t in document.tests if t.id in named)


def _expressions(step: Step) -> Iterator[Expression]:
    for part in (step.when, step.cap, step.cap_life, step.share, *step.terms.values()):
        if isinstance(part, Expression):
            yield part


def _phase(flows: Projection, i: int) -> str:
    phase = dict(zip(cash.PHASES, flows.result.phase[i], strict=True))
    if phase["redemption"]:
        return "redemption"
    if phase["acceleration"]:
        return "acceleration"
    return "reinvestment period" if phase["reinvestment"] else "after the reinvestment period"


class _Day:
    """The steps of one date of a run, with whose payment is looked at."""

    def __init__(self, flows: Projection, date: int, payee: _Payee) -> None:
        self.flows, self.i, self.payee = flows, date, payee
        self.class_ids = tuple(class_id(t.name) for t in flows.tranches)
        self.log = flows.result.log[date]
        self.ran = ~np.isnan(self.log[:, _DUE])

    def sections(self) -> Iterator[SectionTrace]:
        clauses = list(enumerate(self.flows.clauses))
        for name in self.order(clauses):
            steps = tuple(self.steps([(s, clause) for s, clause in clauses if clause.waterfall == name]))
            if steps:
                heading = title(self.flows.document, name)
                yield SectionTrace(name, heading, steps[0].cash_before, steps)

    def order(self, clauses: Sequence[tuple[int, Clause]]) -> list[str]:
        """Waterfalls in the document's order, one that a step ran at once after the one with that step."""
        waterfalls = self.flows.document.waterfalls
        caller = {
            clause.step.terms["waterfall"]: clause.waterfall
            for s, clause in clauses
            if clause.step.type == "run" and self.ran[s]
        }
        made: list[str] = []
        late = [name for name in waterfalls if name in caller and waterfalls[name].source != "notes"]
        made += [name for name in waterfalls if name not in late]
        for name in late:
            made.insert(made.index(caller[name]) + 1 if caller[name] in made else len(made), name)
        return made

    def steps(self, clauses: Sequence[tuple[int, Clause]]) -> Iterator[StepTrace]:
        for place, (s, clause) in enumerate(clauses):
            if self.ran[s]:
                yield self.step(s, clause)
            elif clause.step.type == "branch":
                inside = [t for t, other in _within(clauses[place + 1 :], clause) if self.ran[t]]
                if inside:
                    yield self.branch(clause, inside)

    def step(self, s: int, clause: Clause) -> StepTrace:
        due, paid, short, after = (float(x) for x in self.log[s])
        return self.made(clause, due, paid, short, after + paid, after, self.to_payee(s, clause, paid))

    def to_payee(self, s: int, clause: Clause, paid: float) -> float | None:
        payee = self.payee
        if payee.kind == "class":
            return float(self.flows.result.to_class[self.i, s, payee.place])
        if not payee.pays(clause.step):
            return 0.0
        if not payee.id:  # what the split did not give to the equity
            return paid - float(self.flows.result.to_class[self.i, s].sum())
        return paid if len(clause.step.ids("fees")) == 1 or not paid else None

    def branch(self, clause: Clause, inside: Sequence[int]) -> StepTrace:
        """What a branch chose shows in the steps below it; it moves no cash of its own."""
        before = float(self.log[inside[0], _AFTER] + self.log[inside[0], _PAID])
        return self.made(clause, None, None, None, before, float(self.log[inside[-1], _AFTER]), 0.0)

    def made(
        self,
        clause: Clause,
        due: float | None,
        paid: float | None,
        short: float | None,
        before: float,
        after: float,
        to_class: float | None,
    ) -> StepTrace:
        document = self.flows.document
        return StepTrace(
            number=clause.number + 1,
            letter=clause.letter,
            depth=clause.depth,
            kind=clause.step.type,
            label=step_words(clause.step, document, self.class_ids),
            when=condition(clause.step.when),
            due=due,
            paid=paid,
            short=short,
            cash_before=before,
            cash_after=after,
            to_class=to_class,
            of_class=self.payee.pays(clause.step),
            tests=tuple(self.tests(tests_of(clause.step, document))),
        )

    def tests(self, ids: Collection[str]) -> Iterator[TestTrace]:
        r = self.flows.result
        for t, test in enumerate(self.flows.document.tests):
            if test.id in ids:
                yield TestTrace(
                    id=test.id,
                    ratio=float(r.ratio[self.i, t]),
                    trigger=float(r.trigger[self.i, t]),
                    numerator=float(r.numerator[self.i, t]),
                    denominator=float(r.denominator[self.i, t]),
                    passed=not failing(self.flows, t)[self.i],
                    active=bool(r.active[self.i, t]),
                )


def _within(after: Iterable[tuple[int, Clause]], branch: Clause) -> Iterator[tuple[int, Clause]]:
    """The steps of a branch, of those that follow it."""
    for s, clause in after:
        if clause.depth <= branch.depth:
            return
        yield s, clause
