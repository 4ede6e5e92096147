"""Why a class was paid what it was paid: the chain of steps of one payment date, from the log of a projection."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.waterfall import kernel as wf
from engine.waterfall.listing import SECTION_TITLES
from engine.waterfall.schema import class_id

if TYPE_CHECKING:
    from engine.projection import Projection


@dataclass(frozen=True, slots=True)
class TestTrace:
    """A coverage test as it stood on the date, before the payments."""

    __test__ = False

    id: str
    ratio: float
    trigger: float
    numerator: float
    denominator: float

    @property
    def passed(self) -> bool:
        return self.ratio >= self.trigger


@dataclass(frozen=True, slots=True)
class StepTrace:
    """One step that ran; `letter` is that of the numbered list.

    Money in the deal's currency; `to_class` is the part of `paid` that went to the class.
    """

    number: int
    letter: str
    label: str
    due: float
    paid: float
    short: float
    cash_before: float
    cash_after: float
    to_class: float
    tests: tuple[TestTrace, ...]


@dataclass(frozen=True, slots=True)
class SectionTrace:
    """One waterfall of the date with the cash it began with."""

    name: str
    title: str
    cash_in: float
    steps: tuple[StepTrace, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything that led to the payment of a class on a date."""

    deal: str
    date: dt.date
    class_name: str
    interest: float
    deferred: float
    principal: float
    phase: str
    sections: tuple[SectionTrace, ...]

    @property
    def total(self) -> float:
        return self.interest + self.deferred + self.principal


def explain(flows: Projection, day: dt.date, class_name: str) -> Trace:
    """The trace of a payment. Raises ValueError naming the known dates or classes where there is none."""
    if day not in flows.payment_dates:
        near = min(flows.payment_dates, key=lambda d: abs((d - day).days))
        raise ValueError(f"{day.isoformat()} is no payment date; the nearest is {near.isoformat()}.")
    wanted = class_id(class_name).casefold()
    found = [k for k, t in enumerate(flows.tranches) if class_id(t.name).casefold() == wanted]
    if not found:
        raise ValueError(f"There is no class {class_name!r}; classes are {', '.join(t.name for t in flows.tranches)}.")
    i, k, r = flows.payment_dates.index(day), found[0], flows.result
    return Trace(
        deal=flows.deal,
        date=day,
        class_name=flows.tranches[k].name,
        interest=float(r.interest[i, k]),
        deferred=float(r.deferred_paid[i, k]),
        principal=float(r.principal[i, k]),
        phase=_phase(flows, i),
        sections=tuple(_sections(flows, i, k)),
    )


def _phase(flows: Projection, i: int) -> str:
    phase = flows.result.phase[i]
    if phase[wf.REDEMPTION]:
        return "redemption"
    if phase[wf.ACCELERATED]:
        return "acceleration"
    return "reinvestment period" if phase[wf.REINVESTMENT] else "after the reinvestment period"


def _sections(flows: Projection, i: int, k: int) -> Iterator[SectionTrace]:
    names = flows.compiled.sections
    for section in dict.fromkeys(names):
        steps = tuple(
            _step(flows, i, k, s)
            for s, name in enumerate(names)
            if name == section and not math.isnan(flows.result.log[i, s, wf.DUE])
        )
        if steps:
            yield SectionTrace(section, SECTION_TITLES[section], steps[0].cash_before, steps)


def _step(flows: Projection, i: int, k: int, s: int) -> StepTrace:
    due, paid, short, after = (float(x) for x in flows.result.log[i, s])
    program = flows.compiled.program
    operation, _, _, low, high = (int(x) for x in program.steps[s, :5])
    tests: tuple[TestTrace, ...] = ()
    if operation in (wf.CURE, wf.DIVERT):
        tests = tuple(_test(flows, i, int(t)) for t in program.arguments[low:high])
    return StepTrace(
        number=s + 1,
        letter=flows.compiled.letters[s],
        label=flows.compiled.labels[s],
        due=due,
        paid=paid,
        short=short,
        cash_before=after + paid,
        cash_after=after,
        to_class=float(flows.result.to_class[i, s, k]),
        tests=tests,
    )


def _test(flows: Projection, i: int, t: int) -> TestTrace:
    r = flows.result
    return TestTrace(
        flows.document.tests[t].id,
        float(r.ratio[i, t]),
        flows.structure.triggers[t],
        float(r.numerator[i, t]),
        float(r.denominator[i, t]),
    )
