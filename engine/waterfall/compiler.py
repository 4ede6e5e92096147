"""From a checked document to the flat step table that the kernel runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.waterfall import kernel as k
from engine.waterfall.listing import letter
from engine.waterfall.schema import PHASES, SECTIONS, Condition, Document, Step

_PARTS: Final = {"all": k.ALL, "capped": k.CAPPED, "excess_of_cap": k.EXCESS}
_DIVERSIONS: Final = {"paydown_cure": k.PAYDOWN_CURE, "par_cure": k.PAR_CURE, "share_only": k.SHARE_ONLY}
_BOOKS: Final = {"interest": k.AS_INTEREST, "principal": k.AS_PRINCIPAL}


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A program with the words that belong to it.

    labels    one a step of the program, as an indenture would head it
    letters   of each step, as the numbered list has them
    sections  name of the section of each step
    class_ids, fee_ids, test_ids  the order of the kernel's arrays
    """

    program: k.Program
    labels: tuple[str, ...]
    letters: tuple[str, ...]
    sections: tuple[str, ...]
    class_ids: tuple[str, ...]
    fee_ids: tuple[str, ...]
    test_ids: tuple[str, ...]


def compile_waterfall(document: Document, class_ids: Sequence[str]) -> Compiled:
    """The program for a deal whose classes stand in the order of `class_ids`.

    Steps of optional classes that the deal does not have fall away. Raises KeyError for a class the document lacks.
    """
    classes = {name: i for i, name in enumerate(class_ids)}
    fees = {name: i for i, name in enumerate(document.fees)}
    tests = {test.id: i for i, test in enumerate(document.tests)}
    absent = {c.id for c in document.classes if c.id not in classes}
    rows: list[tuple[int, ...]] = []
    arguments: list[int] = []
    conditions: list[tuple[int, int, int]] = []
    parameters: list[float] = []
    labels: list[str] = []
    letters: list[str] = []
    names: list[str] = []
    sections = np.zeros((len(SECTIONS), 2), dtype=np.int64)
    for s, section in enumerate(SECTIONS):
        sections[s, 0] = len(rows)
        for place, step in enumerate(document.sections[section]):
            members = [c for c in step.ids("classes") if c not in absent]
            if step.ids("classes") and not members:
                continue
            if any(c.kind == "controlling" and c.subject in absent for c in step.when):
                continue
            operation, mode, argument = _operation(step, members, classes, fees, tests)
            low, first = len(arguments), len(conditions)
            arguments += argument
            conditions += [_condition(c, classes) for c in step.when]
            pro_rata = int(str(step.terms.get("alloc", "sequential")).startswith("pro_rata"))
            rows.append((operation, mode, pro_rata, low, len(arguments), first, len(conditions)))
            parameters.append(
                float(
                    step.terms.get("share", step.terms.get("manager_share", 1.0 if step.type == "divert" else np.nan))
                )
            )
            labels.append(_label(step, members, document))
            letters.append(letter(place))
            names.append(section)
        sections[s, 1] = len(rows)
    program = k.Program(
        steps=np.array(rows, dtype=np.int64).reshape(len(rows), 7),
        parameters=np.array(parameters, dtype=np.float64),
        arguments=np.array(arguments, dtype=np.int64),
        conditions=np.array(conditions, dtype=np.int64).reshape(len(conditions), 3),
        sections=sections,
    )
    return Compiled(program, tuple(labels), tuple(letters), tuple(names), tuple(class_ids), tuple(fees), tuple(tests))


def _operation(
    step: Step, members: list[str], classes: dict[str, int], fees: dict[str, int], tests: dict[str, int]
) -> tuple[int, int, list[int]]:
    """Operation code, mode and arguments of a step."""
    terms = step.terms
    on_classes = [classes[c] for c in members]
    if step.type == "pay_fee":
        return k.PAY_FEE, _PARTS[terms.get("part", "all")], [fees[f] for f in step.ids("fees")]
    if step.type == "pay_interest":
        include = terms.get("include", ["current", "on_deferred"])
        return (
            k.PAY_INTEREST,
            k.CURRENT * ("current" in include) + k.ON_DEFERRED * ("on_deferred" in include),
            on_classes,
        )
    if step.type == "pay_deferred":
        return k.PAY_DEFERRED, 0, on_classes
    if step.type == "pay_principal":
        return k.PAY_PRINCIPAL, k.SCHEDULED if terms.get("amount") == "scheduled" else k.ALL, on_classes
    if step.type == "cure":
        return k.CURE, 0, [tests[t] for t in step.ids("tests")]
    if step.type == "divert":
        return k.DIVERT, _DIVERSIONS[terms.get("amount", "par_cure")], [tests[t] for t in step.ids("test")]
    if step.type == "reinvest":
        return k.REINVEST, k.POLICY if terms.get("amount", "policy") == "policy" else k.ALL, []
    if step.type == "run":
        return k.RUN_NOTES, 0, []
    booked = _BOOKS[terms.get("book_as", "interest")]
    return (
        (k.HURDLE_SPLIT if step.type == "hurdle_split" else k.PAY_EQUITY),
        booked,
        [classes[c] for c in step.ids("equity")],
    )


def _condition(condition: Condition, classes: dict[str, int]) -> tuple[int, int, int]:
    if condition.kind == "phase":
        return k.IF_PHASE, PHASES.index(condition.subject), int(condition.negated)
    return k.IF_CONTROLLING, classes[condition.subject], int(condition.negated)


def _label(step: Step, members: list[str], document: Document) -> str:
    who = " and ".join(f"Class {c}" for c in members)
    fees = ", ".join(document.fees[f] for f in step.ids("fees"))
    tests = ", ".join(step.ids("tests"))
    part = {"capped": ", within the cap", "excess_of_cap": ", above the cap"}.get(step.terms.get("part", ""), "")
    return {
        "pay_fee": f"{fees}{part}",
        "pay_interest": f"{who} interest",
        "pay_deferred": f"{who} deferred interest",
        "pay_principal": f"{who} {'scheduled ' if step.terms.get('amount') == 'scheduled' else ''}principal",
        "cure": f"Cure of {tests}",
        "divert": "Interest diversion",
        "reinvest": "Reinvestment",
        "run": "To the note payment sequence",
        "hurdle_split": "Subordinated notes and incentive fee",
        "pay_equity": "Subordinated notes",
    }[step.type]
