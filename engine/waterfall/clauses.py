"""The steps of a document in their order, lettered as an indenture letters its clauses."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from engine.waterfall.document import Document, Step
from engine.waterfall.letters import letter, roman


@dataclass(frozen=True, slots=True)
class Clause:
    """A step with its place: number over all waterfalls (from 0), waterfall, letter, and nesting depth."""

    number: int
    waterfall: str
    letter: str
    depth: int
    step: Step

    @property
    def mark(self) -> str:
        """What the list numbers the step with at its depth: `E` outside, `ii` for `E(ii)`."""
        return self.letter if self.depth == 0 else self.letter[self.letter.rindex("(") + 1 : -1]


def clauses(document: Document, class_ids: Collection[str] | None = None) -> tuple[Clause, ...]:
    """Every step; with `class_ids` only those that a deal of these classes has.

    A step whose classes are all missing falls away; letters stay.
    """
    made: list[Clause] = []
    for name, waterfall in document.waterfalls.items():
        for step, mark, depth in _lettered(waterfall.steps, "", 0):
            if class_ids is None or _applies(step, class_ids):
                made.append(Clause(len(made), name, mark, depth, step))
    return tuple(made)


def _lettered(steps: Sequence[Step], outer: str, depth: int) -> Iterator[tuple[Step, str, int]]:
    for place, step in enumerate(steps):
        mark = letter(place) if depth == 0 else f"{outer}({roman(place)})"
        yield step, mark, depth
        if step.type == "branch":
            inner = (*step.terms["then"], *step.terms["otherwise"])
            yield from _lettered(inner, mark, depth + 1)


def _applies(step: Step, class_ids: Collection[str]) -> bool:
    named = step.ids("classes")
    return not named or any(c in class_ids for c in named)
