"""The shipped priorities of payments beside the recorded ones of the managers' workbook."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import study
from engine.assumptions import Assumptions
from engine.projection import choose_document
from engine.structure import StructureError
from engine.terms import Book, Deal, Tranche
from engine.waterfall.listing import listing
from engine.waterfall.schema import Document, Step
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


def shipped(steps: tuple[Step, ...]) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Shipped steps in the same form, without the optional Class X."""
    for step in steps:
        ids = tuple(i for key in ("fees", "classes", "tests", "test", "equity") for i in step.ids(key) if i != "X")
        if not ids and step.type not in ("reinvest", "run"):
            continue
        words = [
            ("not " if c.negated else "")
            + (f"phase.{c.subject}" if c.kind == "phase" else f"controlling == {c.subject}")
            for c in step.when
        ]
        yield step.type, ids, " and ".join(words)


@pytest.mark.parametrize("deal", RECORDED)
def test_that_a_shipped_priority_is_the_recorded_one(deal: str, shared: Path) -> None:
    text = (shared / "data" / "cases" / "mag_waterfalls.json").read_text(encoding="utf-8")
    recorded = json.loads(text)["deals"][deal]["waterfalls"]
    document = library.waterfalls()[RECORDED[deal]]
    for section, steps in document.sections.items():
        ours = list(shipped(steps))
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
    assert done.result.cash[-1, 7] == pytest.approx(0.0, abs=0.005)  # nothing is left behind
    assert (done.result.to_class >= 0.0).all()
    assert done.result.phase[:, 2].all() == in_default  # accelerated
    assert done.result.phase[-1, 1]  # redeemed at the end


@pytest.mark.parametrize("name", library.waterfalls())
def test_that_a_priority_is_found_by_the_classes_and_triggers_of_the_deal(name: str) -> None:
    document = library.waterfalls()[name]
    assert choose_document(deal_for(document, builders.harbor()), library.waterfalls()) is document


def test_that_a_deal_no_priority_fits_is_told_how_to_name_one() -> None:
    book = Book(Deal("Odd", tranches=(Tranche("Class Q", 1.0, 1.0), Tranche("Sub Notes", 1.0, 1.0, is_equity=True))))
    with pytest.raises(StructureError, match="name one in CLO Inputs as Waterfall"):
        choose_document(book, library.waterfalls())


@pytest.mark.parametrize("name", library.waterfalls())
def test_that_a_priority_prints_as_a_numbered_list(name: str) -> None:
    document = library.waterfalls()[name]
    text = listing(document)
    assert text.startswith(document.title)
    assert text.count("\n  (") == sum(len(steps) for steps in document.sections.values())
