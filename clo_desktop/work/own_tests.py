"""Tests of one's own while they are written: the parts of one, and what it catches now. No Qt."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from engine import study
from engine.asset import COLUMNS, NUMERIC, Kind
from engine.compliance import TestResult, own
from engine.compliance.measures import MEASURES
from engine.terms import Book
from resources import library

SHARE: Final = "share"
_WORD: Final = re.compile(r"\w+")
WEIGHTS: Final = tuple(c for c in COLUMNS if c.kind in NUMERIC and c.kind is Kind.MONEY)
"""Money columns that a share may be of instead of par."""

KEYS: Final = tuple(c for c in COLUMNS if c.kind in (Kind.TEXT, Kind.CHOICE))
"""Columns by which names are grouped."""

MEASURE_NAMES: Final = tuple(MEASURES)


@dataclass(frozen=True, slots=True)
class Draft:
    """A test as it is being written.

    aggregate  share, largest, top or average
    by         share: a money column instead of par, or ""; largest, top: the column of the names; average: the measure
    limit      fraction, years or factor
    """

    aggregate: str = SHARE
    by: str = ""
    rank: int = 1
    where: str = ""
    direction: str = "MAX"
    limit: float = 0.05
    name: str = ""

    @property
    def text(self) -> str:
        """The draft as the label of the deal spells it (engine/compliance/own.py)."""
        where = " ".join(self.where.split())
        tail = f" where {where}" if where else ""
        if self.aggregate in ("largest", "top"):
            return f"{self.aggregate} {self.rank} by {self.by}{tail}"
        if self.aggregate == "average":
            return f"average {self.by}{tail}"
        return f"share of {self.by}{tail}" if self.by else where or SHARE

    @property
    def kind(self) -> str:
        """The unit of result and limit: share, years or factor. Raises ValueError for a text that cannot be read."""
        return own.definition_of(own.FIRST, "", self.direction, self.text).kind

    @property
    def suggested(self) -> str:
        """A name where none was given."""
        titles = {c.name: c.title for c in COLUMNS}
        where = _WORD.sub(lambda m: titles.get(m[0], m[0]), " ".join(self.where.split())) or "all positions"
        by = titles.get(self.by, self.by.replace("_", " "))
        if self.aggregate == "largest":
            head = f"Largest {by}" if self.rank == 1 else f"{_ordinal(self.rank)} largest {by}"
        elif self.aggregate == "top":
            head = f"Top {self.rank} {by}"
        else:
            head = f"Average {by}" if self.aggregate == "average" else by
        whole = f"{head}: {where}" if head and self.where.strip() else head or where
        return whole[:1].upper() + whole[1:]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a draft gives in the deal as it stands; `result` None where `says` tells why there is none."""

    result: TestResult | None
    says: str = ""


def _ordinal(number: int) -> str:
    """2nd, 3rd, 11th."""
    end = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{end}"


def draft_of(name: str, direction: str, limit: float, text: str) -> Draft:
    """The parts of a stored test. Raises ValueError for a text that cannot be read."""
    made = own.definition_of(own.FIRST, name, direction, text)
    by = made.key or made.measure or made.weight
    return Draft(made.aggregate, by, made.rank, made.where, direction, limit, name)


def tried(book: Book, draft: Draft) -> Tried:
    """The draft evaluated in the deal; nothing is stored."""
    try:
        sets = library.catalogue().sets
        deal, number = own.with_test(
            book.deal, draft.name or draft.suggested, draft.direction, draft.limit, draft.text, sets=sets
        )
        alone = replace(deal, limits=tuple(t for t in deal.limits if t.number == number))
        done = study.comply(replace(book, deal=alone), library.catalogue())
    except ValueError as error:
        return Tried(None, str(error).removeprefix("The test cannot be read: "))
    return Tried(done.results[0] if done.results else None, " ".join(done.notes))
