"""A waterfall document as the numbered list an indenture would print."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.waterfall.schema import Condition, Document, Step

SECTION_TITLES: Final = {
    "interest": "Interest proceeds",
    "principal": "Principal proceeds",
    "nps": "Note payment sequence",
    "acceleration": "Acceleration, redemption and final payment",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """One line of the list: section, letter, text, and when it applies ("" for always)."""

    section: str
    letter: str
    text: str
    when: str


def clauses(document: Document) -> Iterator[Clause]:
    """Every step of the document as a clause, lettered within its section."""
    for section, steps in document.sections.items():
        for place, step in enumerate(steps):
            yield Clause(section, letter(place), sentence(step, document), " and ".join(map(condition, step.when)))


def listing(document: Document) -> str:
    """The whole document as text."""
    lines = [document.title]
    last = ""
    for clause in clauses(document):
        if clause.section != last:
            lines += ["", SECTION_TITLES[clause.section]]
            last = clause.section
        when = f", {clause.when}" if clause.when else ""
        lines.append(f"  ({clause.letter}) {clause.text}{when}")
    return "\n".join(lines)


def letter(place: int) -> str:
    """A, B, ... Z, AA, AB, ... as clauses are lettered."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def condition(of: Condition) -> str:
    """When a step applies, in words."""
    if of.kind == "phase":
        words = {
            "reinvestment": "during the reinvestment period",
            "redemption": "on redemption",
            "acceleration": "after acceleration",
            "first_period": "on the first payment date",
        }[of.subject]
        return f"not {words}" if of.negated else words
    return f"{'unless' if of.negated else 'if'} Class {of.subject} is the controlling class"


def sentence(step: Step, document: Document) -> str:
    """What a step does, in the words of an indenture."""
    terms = step.terms
    classes = " and ".join(f"Class {c}" for c in step.ids("classes"))
    several = len(step.ids("classes")) > 1
    alloc = ", pro rata," if several and str(terms.get("alloc", "")).startswith("pro_rata") else ""
    if step.type == "pay_fee":
        names = ", then ".join(document.fees[f] for f in step.ids("fees"))
        part = {"capped": " up to the expense cap", "excess_of_cap": " above the expense cap"}
        return f"to the {names}{part.get(terms.get('part', ''), '')}"
    if step.type == "pay_interest":
        return f"to interest on {classes}{alloc} and interest on deferred interest"
    if step.type == "pay_deferred":
        return f"to deferred interest of {classes}{alloc}".rstrip(",")
    if step.type == "pay_principal":
        how = "the scheduled principal" if terms.get("amount") == "scheduled" else "principal"
        return f"to {how} of {classes}{alloc}".rstrip(",")
    if step.type == "cure":
        return f"if {' or '.join(step.ids('tests'))} fails, to the note payment sequence until it is met"
    if step.type == "divert":
        share = float(terms.get("share", 1.0))
        return f"if {', '.join(step.ids('test'))} fails, up to {share:.0%} of what is left to principal proceeds"
    if step.type == "reinvest":
        return "to the purchase of collateral as the reinvestment criteria allow"
    if step.type == "run":
        return "the rest to the note payment sequence"
    if step.type == "hurdle_split":
        return "to the subordinated notes until the hurdle is reached, then shared with the manager"
    return "the rest to the subordinated notes"
