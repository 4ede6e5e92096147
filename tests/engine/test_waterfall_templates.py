"""The shipped priorities of payments beside the recorded ones of the managers' workbook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import cash, study
from engine.assumptions import Assumptions
from engine.projection import choose_document
from engine.structure import StructureError
from engine.terms import Book, Deal, Tranche
from engine.validation.harness import Run, pay
from engine.waterfall.document import Document, Step, class_id
from engine.waterfall.expressions import Binary, Controlling, Expression, Reference, Unary
from resources import library
from tests.engine import builders

RECORDED = {
    "MAG6": "us-2012-reinvest-first",
    "MAG7": "us-2012-split-senior",
    "MAG8": "us-2013-six-classes",
    "MAG9": "us-2014-five-classes",
    "MAG11": "us-2014-four-classes",
    "MAG12": "us-2013-six-classes",
    "MAG14": "us-2013-six-classes",
    "MAG15": "us-2014-pari-passu-b",
    "MAG16": "us-2015-pari-passu-c",
}


def flat(steps: list[dict[str, Any]], when: str = "") -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Recorded steps as (type, ids, conditions), branches as conditions."""
    for step in steps:
        words = " and ".join(filter(None, (when, step.get("when", ""))))
        (kind,) = set(step) - {"when"}
        terms = step[kind]
        if kind == "branch":
            yield from flat(terms["then"], terms["if"])
            yield from flat(terms["else"], "not " + terms["if"])
            continue
        ids = [terms.get(k, []) for k in ("fees", "classes", "tests", "test", "equity")]
        yield kind, tuple(i for group in ids for i in ([group] if isinstance(group, str) else group)), words


def condition(of: Expression) -> str:
    """A condition as the recorded steps spell it."""
    match of:
        case Binary("and", left, right):
            return f"{condition(left)} and {condition(right)}"
        case Unary(_, operand):
            return f"not {condition(operand)}"
        case Controlling(class_id):
            return f"controlling == {class_id}"
        case Reference(path):
            return ".".join(path)
    raise ValueError(f"{of!r} has no recorded spelling")


def shipped(steps: tuple[Step, ...]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Shipped steps in the same form, without the optional Class X."""
    for step in steps:
        ids = tuple(i for key in ("fees", "classes", "tests", "test", "equity") for i in step.ids(key) if i != "X")
        if not ids and step.type not in ("reinvest", "run"):
            continue
        yield step.type, ids, "" if step.when is None else condition(step.when)


@pytest.mark.parametrize("deal", RECORDED)
def test_that_a_shipped_priority_is_the_recorded_one(deal: str, shared: Path) -> None:
    text = (shared / "data" / "cases" / "mag_waterfalls.json").read_text(encoding="utf-8")
    recorded = json.loads(text)["deals"][deal]["waterfalls"]
    document = library.waterfalls()[RECORDED[deal]]
    for section, waterfall in document.waterfalls.items():
        ours = list(shipped(waterfall.steps))
        if deal == "MAG15":  # deferred interest of a B class that may defer is paid: the recorded order forgets it
            ours = [s for s in ours if s[:2] != ("pay_deferred", ("B-1", "B-2"))]
        theirs = list(flat(recorded[section]))
        if deal == "MAG6" and section == "principal":  # its last step stands in the branch there
            theirs = [s for s in theirs if s[0] != "run"] + [("run", (), "")]
        assert ours == theirs


def deal_for(document: Document, harbor: Book) -> Book:
    """The demo pool under notes of the document's classes."""
    rated = [c.id for c in document.classes if c.kind == "debt"]
    oc = {t.of for t in document.tests if t.type == "oc"}
    ic = {t.of for t in document.tests if t.type == "ic"}
    sizes = np.linspace(3.0, 1.0, len(rated))
    sizes = sizes / sizes.sum() * 455e6
    tranches = [
        Tranche(
            f"Class {name}",
            size,
            size,
            spread=0.014 + 0.012 * k,
            deferrable=k >= len(rated) - 3,
            oc_trigger=1.05 if name in oc else None,
            ic_trigger=1.02 if name in ic else None,
        )
        for k, (name, size) in enumerate(zip(rated, sizes, strict=True))
    ]
    tranches.append(Tranche("Sub Notes", 45e6, 45e6, is_equity=True))
    return replace(harbor, deal=replace(harbor.deal, tranches=tuple(tranches), clo_inputs=()))


@pytest.mark.parametrize("name", library.waterfalls())
@pytest.mark.parametrize(("cdr", "in_default"), [(0.0, False), (0.03, False), (0.15, False), (0.15, True)])
def test_that_every_priority_conserves_cash_with_the_demo_pool_in_all_phases(
    name: str, cdr: float, in_default: bool
) -> None:
    document = library.waterfalls()[name]
    book = deal_for(document, builders.harbor())
    named = replace(book, deal=replace(book.deal, clo_inputs=(("Waterfall", name), ("Event of Default", in_default))))
    done = study.project(named, library.waterfalls(), library.assumed_terms(), Assumptions(cdr=cdr))
    assert abs(done.sources - done.uses).max() < 0.005
    assert done.result.cash[-1, cash.CARRIED] == pytest.approx(0.0, abs=0.005)  # nothing is left behind
    assert (done.result.to_class >= 0.0).all()
    assert done.result.phase[:, cash.PHASES.index("acceleration")].all() == in_default
    assert done.result.phase[-1, cash.PHASES.index("redemption")]


ONLY_BY_NAME = {"us-clo-3.0": "us-2024-class-x"}
"""A document with the classes and triggers of another, which asks for less."""


@pytest.mark.parametrize("name", [name for name in library.waterfalls() if name not in ONLY_BY_NAME])
def test_that_a_priority_is_found_by_the_classes_and_triggers_of_the_deal(name: str) -> None:
    document = library.waterfalls()[name]
    assert choose_document(deal_for(document, builders.harbor()), library.waterfalls()) is document


@pytest.mark.parametrize(("name", "plainer"), ONLY_BY_NAME.items())
def test_that_of_two_that_fit_the_one_is_taken_that_asks_for_nothing_the_deal_leaves_blank(
    name: str, plainer: str
) -> None:
    known = library.waterfalls()
    book = deal_for(known[name], builders.harbor())
    assert choose_document(book, known) is known[plainer]
    named = replace(book, deal=replace(book.deal, clo_inputs=(("Waterfall", name),)))
    assert choose_document(named, known) is known[name]


def test_that_a_deal_no_priority_fits_is_told_how_to_name_one() -> None:
    book = Book(Deal("Odd", tranches=(Tranche("Class Q", 1.0, 1.0), Tranche("Sub Notes", 1.0, 1.0, is_equity=True))))
    with pytest.raises(StructureError, match="name one in CLO Inputs as Waterfall"):
        choose_document(book, library.waterfalls())


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Class A-1", "A-1"), ("class B-2 ", "B-2"), ("C", "C"), ("Sub Notes", "SUB"), ("Subordinated Notes", "SUB")],
)
def test_that_the_names_of_classes_give_their_ids(name: str, expected: str) -> None:
    assert class_id(name) == expected


# --- one date of a shipped priority ------------------------------------------------------------------------------

# who defers in the deals that use a template: in the real deal of 2016 class B-2 does
DEFERRING = [("us-2014-pari-passu-b", ("C", "D", "E")), ("us-2014-pari-passu-b", ("B-2",))]
DEFERRING += [("us-2024-class-x", ("C", "D", "E"))]


def ample(name: str, deferred: dict[str, float], phase: str = "", **more: Any) -> Run:
    """A date with cash for everything and every test met."""
    data = builders.template(name)
    debt = [c for c in data["classes"] if c != "SUB"]
    state: dict[str, Any] = {
        "interest": 1e9,
        "principal": 1e9,
        "balance": dict.fromkeys(debt, 1e6),
        "deferred": deferred,
        "due": dict.fromkeys(debt, 1e4),
        "scheduled": {"X": 1e5},
        "fees": dict.fromkeys(data["fees"], 1e3),
        "tests": dict.fromkeys(data["tests"], (1e12, 1.0, 1.0)),
        "phases": {phase},
    }
    state["tests"] |= more
    return pay(data, [*debt, "SUB"], state)


@pytest.mark.parametrize(("name", "deferring"), DEFERRING)
def test_that_a_redemption_with_ample_cash_pays_every_class_and_fee_in_full(
    name: str, deferring: tuple[str, ...]
) -> None:
    run = ample(name, dict.fromkeys(deferring, 2e5), "redemption")
    r = run.result
    assert r.phase[0, cash.PHASES.index("redemption")]
    for i, c in enumerate(run.class_ids[:-1]):
        assert r.interest[0, i] == pytest.approx(1e4), c
        assert r.principal[0, i] == pytest.approx(1e6), c
        assert r.deferred_paid[0, i] == pytest.approx(2e5 if c in deferring else 0.0), c
    assert r.fee_paid[0] == pytest.approx(1e3)


@pytest.mark.parametrize(("name", "deferring"), DEFERRING)
def test_that_an_interest_date_with_ample_cash_catches_up_what_was_deferred(
    name: str, deferring: tuple[str, ...]
) -> None:
    run = ample(name, dict.fromkeys(deferring, 2e5), "reinvestment")
    for c in deferring:
        assert run.result.deferred_paid[0, run.class_ids.index(c)] == pytest.approx(2e5), c


def test_that_deferred_interest_paid_before_a_test_on_the_date_lowers_the_test_s_denominator() -> None:
    # spec 4.2: the balance in tests is principal + deferred - deferred paid on the date
    run = ample("us-2024-class-x", {"C": 1e6}, OC_C=(4e6, 5e6, 1.0))
    cures = [c.number for c in run.clauses if c.waterfall == "interest" and c.step.ids("tests")[:1] == ("OC_C",)]
    assert run.result.deferred_paid[0, run.class_ids.index("C")] == pytest.approx(1e6)
    assert run.log(cures[0], "paid") == pytest.approx(0.0, abs=1e-6)
