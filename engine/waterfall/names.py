"""What an expression may refer to: the names of the language, and which of them each place of a document knows."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Final

from engine.waterfall.document import Document
from engine.waterfall.expressions import (
    Controlling,
    Expression,
    Reference,
    SumOver,
    WaterfallError,
    constant,
    nodes,
    references,
)

CLASS_FIGURES: Final = (
    "balance deferred total interest_due on_deferred unpaid original factor paid_interest paid_deferred paid_principal"
).split()
PHASES: Final = (
    "reinvestment post_reinvestment non_call redemption acceleration event_of_default first_period post_effective"
).split()
FIGURES: Final[Mapping[str, list[str]]] = {
    "class": CLASS_FIGURES,
    "fee": "due accrued unpaid paid".split(),
    "test": "ratio pass fail need_interest need_principal cushion trigger numerator denominator".split(),
    "pool": (
        "performing defaulted carrying ccc_excess haircut principal_cash interest_cash opening_performing marked"
    ).split(),
    "account": ["balance"],
    "dates": "closing effective no_call reinvestment_end stated_maturity".split(),
    "equity": "distribution nav".split(),
    "contribution": ["owed"],
}
"""Figures by the first word of a reference: `class.<id>.<figure>`, `pool.<figure>`."""
WITH_ID: Final = ("class", "fee", "test", "account", "contribution")
BARE: Final = ("cash", "period", "date", "index", "basis")
"""References of one word."""
RESERVED: Final = frozenset({*BARE, *FIGURES, "classes", "controlling", "input", "phase"})
"""Names that a value may not take, beside the words of the grammar."""
LARGEST: Final = 20_000
"""Parts of an expression, counted with the values it stands on."""
CHAIN: Final = 40
"""Values that stand on one another."""


def known(where: str, what: str, used: Collection[str], declared: Collection[str]) -> None:
    """Every id in `used` is declared, or the message says which are and which may be meant."""
    for name in used:
        if name in declared:
            continue
        near = difflib.get_close_matches(name, list(declared), 1)
        listed = ", ".join(list(declared)[:12]) or "none"
        meant = f"; did you mean {near[0]}?" if near else f"; there are: {listed}."
        raise WaterfallError(f"{where}: {what} {name} is not declared{meant}")


class Names:
    """The ids of a document, and the check of what refers to them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.ids: Mapping[str, Collection[str]] = {
            "class": document.class_ids,
            "fee": document.fee_ids,
            "test": [t.id for t in document.tests],
            "account": [a.id for a in document.accounts],
            "contribution": [c.id for c in document.contributions],
            "input": [i.id for i in document.inputs],
            "phase": [*PHASES, *document.phases],
            "value": list(document.values),
        }
        self.used: set[tuple[str, str]] = set()
        """(kind, id) of everything that some expression refers to."""

    def check(self, where: str, of: Expression, *, in_step: bool = False) -> None:
        """Everything an expression refers to exists and is known there; what is constant is finite."""
        if any((c := constant(node)) is not None and not abs(c) <= 1e15 for node in nodes(of)):
            raise WaterfallError(f"{where}: a number is too large; 1e15 is the most.")
        for reference in references(of):
            if isinstance(reference, Reference):
                self._reference(where, reference.path, in_step)
            elif isinstance(reference, SumOver):
                known(where, "class", reference.classes, self.ids["class"])
                self._figure(where, "class", reference.figure)
            else:
                known(where, "class", [reference.class_id], self.ids["class"])

    def _reference(self, where: str, path: tuple[str, ...], in_step: bool) -> None:
        root, name = path[0], ".".join(path)
        if len(path) == 1:
            if root == "cash" and not in_step:
                raise WaterfallError(f"{where}: `cash` is what a step has in hand; only expressions of steps know it.")
            if root not in BARE:
                self._bare(where, root)
        elif root in WITH_ID and len(path) == 3:
            known(where, root, [path[1]], self.ids[root])
            self._figure(where, root, path[2])
            self.used.add((root, path[1]))
        elif root in ("input", "phase") and len(path) == 2:
            known(where, root, [path[1]], self.ids[root])
            self.used.add((root, path[1]))
        elif root in FIGURES and root not in WITH_ID and len(path) == 2:
            self._figure(where, root, path[1])
        else:
            raise WaterfallError(f"{where}: there is no reference {name}; {_forms(root)}.")

    def _bare(self, where: str, name: str) -> None:
        if name in RESERVED:
            raise WaterfallError(f"{where}: {name} alone is no value; {_forms(name)}.")
        if name not in self.document.values:
            known(where, f"{name} is none of {', '.join(BARE)}, and the value", [name], self.ids["value"])
        self.used.add(("value", name))

    def _figure(self, where: str, root: str, figure: str) -> None:
        if figure not in FIGURES[root]:
            hint = " (a minus sign stands between spaces)" if "-" in figure else ""
            raise WaterfallError(
                f"{where}: there is no figure {figure} of {root}{hint}; there are {', '.join(FIGURES[root])}."
            )

    # --- what stands on what ----------------------------------------------------------------------------------------

    def order(self) -> None:
        """Values and phases stand on one another without a circle, and are not too large together."""
        named = {("value", i): e for i, e in self.document.values.items()}
        named |= {("phase", i): e for i, e in self.document.phases.items()}
        below = {key: [r for r in _named(e) if r in named] for key, e in named.items()}
        try:
            ordered = list(TopologicalSorter(below).static_order())
        except CycleError as error:
            chain = " -> ".join(f"{kind} {name}" for kind, name in reversed(error.args[1]))
            raise WaterfallError(f"{chain} goes in a circle; write one of them without the next.") from None
        size: dict[tuple[str, str], int] = {}
        depth: dict[tuple[str, str], int] = {}
        for key in ordered:
            size[key] = sum(1 for _ in nodes(named[key])) + sum(size[b] for b in below[key])
            depth[key] = 1 + max((depth[b] for b in below[key]), default=0)
            if size[key] > LARGEST or depth[key] > CHAIN:
                raise WaterfallError(
                    f"{key[0]} {key[1]} stands on too many others ({depth[key]} in a chain, {size[key]} parts): "
                    f"{CHAIN} and {LARGEST} are the most. Write it shorter."
                )

    def closure(self, of: Expression) -> set[tuple[str, str]]:
        """(kind, id) of all that an expression refers to, also through values and phases."""
        found: set[tuple[str, str]] = set()
        open_ = list(_named(of))
        while open_:
            key = open_.pop()
            if key in found:
                continue
            found.add(key)
            kind, name = key
            stands_on = {"value": self.document.values, "phase": self.document.phases}.get(kind, {}).get(name)
            if stands_on is not None:
                open_ += _named(stands_on)
        return found


def _named(of: Expression) -> list[tuple[str, str]]:
    """(kind, id) of the references of an expression that have an id."""
    found = []
    for reference in references(of):
        if isinstance(reference, Controlling):
            found.append(("class", reference.class_id))
        elif isinstance(reference, SumOver):
            found += [("class", c) for c in reference.classes]
        elif len(reference.path) > 1:
            found.append((reference.path[0], reference.path[1]))
        elif reference.path[0] not in BARE:
            found.append(("value", reference.path[0]))
    return found


def _forms(root: str) -> str:
    if root in WITH_ID:
        return f"write {root}.<id>.<figure>, figures are {', '.join(FIGURES[root])}"
    if root in ("input", "phase"):
        return f"write {root}.<id>"
    if root in FIGURES:
        return f"write {root}.<figure>, figures are {', '.join(FIGURES[root])}"
    if root == "controlling":
        return "write controlling == <class>"
    roots = [f"{r}.<id>.<figure>" for r in WITH_ID] + ["input.<id>", "phase.<id>"]
    return f"references are {', '.join([*BARE, *roots, *(f'{r}.<figure>' for r in FIGURES if r not in WITH_ID)])}"
