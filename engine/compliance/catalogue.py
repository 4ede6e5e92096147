"""The catalogue: definitions of tests as checked data (resources/compliance/catalogue.yaml)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from engine import filter as filters
from engine.asset import COLUMN_BY_NAME, NUMERIC
from engine.compliance.measures import MEASURES
from engine.filter import Filter

AGGREGATES: Final = ("share", "largest", "average", "diversity", "coverage")
KINDS: Final = ("share", "factor", "years", "score", "ratio")


@dataclass(frozen=True, slots=True)
class Slope:
    """Change of a limit for each unit of recovery rate above the pivot.

    Either an input of the deal times a number, or one of two numbers by the size of the base.
    """

    input: str | None = None
    times: float = 1.0
    at_least: float = 0.0
    then: float = 0.0
    otherwise: float = 0.0


@dataclass(frozen=True, slots=True)
class ComputedLimit:
    """limit = input `base` + (recovery rate of test 33 - pivot) x slope; the pivot is a number or an input."""

    base: str
    pivot: float | str
    slope: Slope


@dataclass(frozen=True, slots=True)
class Definition:
    """One test as data. See the head of the catalogue for the primitives."""

    number: int
    name: str
    aggregate: str
    direction: str
    limit: float | ComputedLimit
    where: Filter
    kind: str = "share"
    rank: int = 1
    key: str = ""
    weight: str = ""
    measure: str = ""
    over: str = "population"
    plus_cash: bool = False
    denominator: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    version: int
    as_of: str
    sets: Mapping[str, tuple[str, ...]]
    definitions: Mapping[int, Definition]


def read_catalogue(data: Mapping[str, Any]) -> Catalogue:
    """The catalogue from parsed YAML. Raises ValueError that names the test and what is wrong with it."""
    sets = {name: tuple(members) for name, members in data.get("sets", {}).items()}
    definitions: dict[int, Definition] = {}
    for row in data["tests"]:
        number = row.get("number")
        try:
            definition = _definition(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Test {number} of the catalogue: {error}") from error
        if definition.number in definitions:
            raise ValueError(f"Test {number} of the catalogue is there twice; give it another number.")
        definitions[definition.number] = definition
    return Catalogue(int(data["version"]), str(data["as_of"]), sets, definitions)


def _definition(row: Mapping[str, Any]) -> Definition:
    fields: dict[str, Any] = dict(row)
    fields["where"] = filters.parse(str(row.get("where", "")))
    limit = row["limit"]
    fields["limit"] = _computed(limit) if isinstance(limit, Mapping) else float(limit)
    made = Definition(**fields)
    if made.aggregate not in AGGREGATES:
        raise ValueError(f"aggregate {made.aggregate!r} is none of {', '.join(AGGREGATES)}")
    if made.kind not in KINDS:
        raise ValueError(f"kind {made.kind!r} is none of {', '.join(KINDS)}")
    if made.direction not in ("MIN", "MAX"):
        raise ValueError(f"direction {made.direction!r} is neither MIN nor MAX")
    if made.aggregate == "largest" and not made.key:
        raise ValueError("aggregate largest needs a key")
    if made.aggregate == "average" and not made.measure:
        raise ValueError("aggregate average needs a measure")
    if made.measure and made.measure not in MEASURES:
        raise ValueError(f"measure {made.measure!r} is none of {', '.join(MEASURES)}")
    for what, name in (("key", made.key), ("weight", made.weight)):
        if name and name not in COLUMN_BY_NAME:
            raise ValueError(f"{what} {name!r} is no column of the asset master")
    if made.weight and COLUMN_BY_NAME[made.weight].kind not in NUMERIC:
        raise ValueError(f"weight {made.weight!r} is no number")
    return made


def _computed(data: Mapping[str, Any]) -> ComputedLimit:
    pivot = data["excess_over"]
    return ComputedLimit(
        base=data["base"],
        pivot=pivot["input"] if isinstance(pivot, Mapping) else float(cast("float", pivot)),
        slope=Slope(**data["slope"]),
    )
