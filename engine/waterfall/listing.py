"""A waterfall document as the numbered list an indenture would print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.waterfall.clauses import Clause, clauses
from engine.waterfall.document import Document, TestTerms
from engine.waterfall.expressions import Expression, constant
from engine.waterfall.sentences import sentence
from engine.waterfall.step_reading import SENIOR_EXPENSES
from engine.waterfall.wording import words

SECTION_TITLES: Final = {
    "interest": "Interest proceeds",
    "principal": "Principal proceeds",
    "nps": "Note payment sequence",
    "acceleration": "Acceleration, redemption and final payment",
}
_SOURCES: Final = {
    "interest": "interest proceeds",
    "principal": "principal proceeds",
    "both": "all proceeds",
    "notes": "the note payment pot",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A clause in words: what it does, and when it applies ("" for always)."""

    clause: Clause
    text: str
    when: str


def title(document: Document, section: str) -> str:
    """Heading of a waterfall."""
    known = SECTION_TITLES.get(section)
    source = _SOURCES[document.waterfalls[section].source]
    return known or f"{section.replace('_', ' ').replace('-', ' ').capitalize()}, of {source}"


def lines(document: Document) -> Iterator[Line]:
    """Every step of the document as a line of the list; those of a branch are lettered E(i), E(ii), ..."""
    for clause in clauses(document):
        yield Line(clause, sentence(clause.step, document), condition(clause.step.when))


def condition(when: Expression | None) -> str:
    """When a step applies, in words; "" for always."""
    if when is None or constant(when) == 1.0:
        return ""
    text = words(when)
    starts = ("during", "after", "on ", "in the phase", "not during", "not after", "not on ", "not in the phase")
    return text if text.startswith(starts) else f"if {text}"


def listing(document: Document) -> str:
    """The whole document as text: definitions, what runs when, and the clauses."""
    text = [document.title]
    defined = definitions(document)
    if defined:
        text += ["", "Definitions", *(f"  {line}" for line in defined)]
    text += ["", "On each payment date"]
    text += [f"  {place}. {line}" for place, line in enumerate(rules(document), start=1)]
    last = ""
    for line in lines(document):
        clause = line.clause
        if clause.waterfall != last:
            text += ["", title(document, clause.waterfall)]
            last = clause.waterfall
        when = f", {line.when}" if line.when else ""
        text.append(f"{'    ' * clause.depth}  ({clause.mark}) {line.text}{when}")
    return "\n".join(text)


def definitions(document: Document) -> tuple[str, ...]:
    """What the document itself defines, a line each: tests, caps, values, phases, contributions, defaults and calls."""
    return tuple(_definitions(document))


def rules(document: Document) -> tuple[str, ...]:
    """Which waterfalls run when, a line each, in the order in which they are asked."""
    return tuple(_rules(document))


def _definitions(document: Document) -> Iterator[str]:
    for test in document.tests:
        yield _test(test)
    for cap in document.caps:
        carried = f", what is left unused kept for {cap.carry_forward} payment dates" if cap.carry_forward else ""
        fees = " and ".join(f.name for f in document.fees if f.cap == cap.id)
        fixed = "the deal's fixed amount, if it gives one," if cap.id == SENIOR_EXPENSES else words(cap.fixed)
        parts = [fixed if constant(cap.fixed) != 0.0 else ""]
        parts.append(f"{words(cap.percent)} of the fee basis" if constant(cap.percent) != 0.0 else "")
        yield f"Cap of {fees}: {' plus '.join(p for p in parts if p) or 'nothing'} a year{carried}"
    for name, value in document.values.items():
        yield f"{name.replace('_', ' ').capitalize()}: {words(value)}"
    for name, phase in document.phases.items():
        yield f"Phase {name.replace('_', ' ')}: {words(phase)}"
    for contribution in document.contributions:
        account = contribution.account.replace("_", " ")
        rate = f", repaid with interest of {contribution.rate * 100.0:.6g}% a year" if contribution.rate else ""
        yield f"Contribution {contribution.id.replace('_', ' ')}: into the account {account}{rate}"
    if document.event_of_default is not None:
        yield f"Event of default: {words(document.event_of_default)}"
    if document.call is not None:
        yield f"Redemption on the next payment date: {words(document.call)}"


def _test(test: TestTerms) -> str:
    kinds = {
        "oc": "overcollateralisation",
        "ic": "interest coverage",
        "diversion": "interest diversion",
        "eod": "event of default",
    }
    trigger = f"that of Class {test.of} in the deal"
    if isinstance(test.trigger, float):
        trigger = f"{test.trigger * 100.0:.6g}%"
    elif isinstance(test.trigger, str):
        trigger = f'the deal\'s "{test.trigger}"'
    elif test.trigger is not None:
        trigger = ", ".join(f"{value * 100.0:.6g}% from {day}" for day, value in test.trigger)
    formulas = [
        f"{key} {words(formula)}"
        for key, formula in (("numerator", test.numerator), ("denominator", test.denominator))
        if formula is not None
    ]
    active = f", {condition(test.active)}" if test.active is not None else ""
    of = f", {', '.join(formulas)}" if formulas else ""
    return f"Test {test.id}: {kinds[test.type]} of Class {', '.join(test.classes)}{of}; trigger {trigger}{active}"


def _rules(document: Document) -> Iterator[str]:
    several = len(document.dispatch) > 1
    for rule in document.dispatch:
        run = ", then ".join(title(document, name) for name in rule.run)
        when = condition(rule.when) or ("otherwise" if several else "always")
        yield f"{when}: {run}"
