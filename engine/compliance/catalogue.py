"""The catalogue: definitions of tests as checked data (resources/compliance/catalogue.yaml)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from engine import filter as filters
from engine.asset import COLUMN_BY_NAME, NUMERIC
from engine.compliance import formulas
from engine.compliance.formulas import Formula
from engine.compliance.measures import MEASURES
from engine.compliance.readings import WORKBOOK, Readings
from engine.compliance.tables import Tables
from engine.filter import Filter

AGGREGATES: Final = (
    *("share", "largest", "top", "average", "deviation", "effective", "diversity", "coverage", "excess", "formula"),
)
KINDS: Final = ("share", "factor", "years", "score", "ratio")
_KEYED: Final = ("largest", "top", "effective")
_MEASURED: Final = ("average", "deviation")


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of the catalogue: a number, a schedule or a formula.

    number    holds where nothing else does; None: the deal has to give one
    formula   computes it from inputs of the deal and results of other tests, where the deal has the inputs
    schedule  (from this day on, limit), by date; before the first day the number holds
    """

    number: float | None = None
    formula: Formula | None = None
    schedule: tuple[tuple[dt.date, float], ...] = ()

    def on(self, day: dt.date | None) -> float | None:
        """The number of that day."""
        found = self.number
        for start, number in self.schedule:
            if day is not None and start <= day:
                found = number
        return found


@dataclass(frozen=True, slots=True)
class Definition:
    """One test as data. See the head of the catalogue for the primitives.

    fixed  the direction is the test's meaning: a deal's table that bounds it from the other side is refused
    note   what the figure cannot say, for the eye beside it
    """

    number: int
    name: str
    aggregate: str
    direction: str
    limit: Limit
    where: str = ""
    kind: str = "share"
    rank: int = 1
    key: str = ""
    weight: str = ""
    measure: str = ""
    over: str = "population"
    plus_cash: bool = False
    denominator: str = ""
    formula: Formula | None = None
    beyond: float = 0.0
    beyond_input: str = ""
    at_least: float | None = None
    grouped: str = ""
    listed: str = ""
    reading: tuple[str, ...] = ()
    fixed: bool = False
    note: str = ""

    def population(self, readings: Readings) -> Filter:
        """The filter of the positions meant, under the readings of a deal."""
        return filter_of(self.where, tuple(readings.fragments.items()))

    @property
    def uses(self) -> tuple[int, ...]:
        """The tests whose results this one needs."""
        found = (self.limit.formula.tests if self.limit.formula else ()) + (self.formula.tests if self.formula else ())
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class Catalogue:
    version: int
    as_of: str
    sets: Mapping[str, tuple[str, ...]]
    definitions: Mapping[int, Definition]
    tables: Tables = field(default_factory=dict)


@cache
def filter_of(text: str, fragments: tuple[tuple[str, str], ...]) -> Filter:
    """The filter with the names in braces replaced. Raises FilterError."""
    for name, fragment in fragments:
        text = text.replace("{" + name + "}", fragment)
    return filters.parse(text)


def read_catalogue(data: Mapping[str, Any], tables: Tables | None = None) -> Catalogue:
    """The catalogue from parsed YAML. Raises ValueError that names the test and what is wrong with it."""
    sets = {name: tuple(members) for name, members in data.get("sets", {}).items()}
    definitions: dict[int, Definition] = {}
    for row in data["tests"]:
        number = row.get("number")
        try:
            made = definition(row)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"Test {number} of the catalogue: {error}") from error
        if made.number in definitions:
            raise ValueError(f"Test {number} of the catalogue is there twice; give it another number.")
        definitions[made.number] = made
    _check_uses(definitions)
    return Catalogue(int(data["version"]), str(data["as_of"]), sets, definitions, tables or {})


def definition(row: Mapping[str, Any]) -> Definition:
    """One test from plain data, checked. Raises KeyError, TypeError or ValueError that says what is wrong."""
    fields: dict[str, Any] = dict(row)
    fields["where"] = " ".join(str(row.get("where", "")).split())
    fields["limit"] = _limit(row["limit"])
    fields["reading"] = tuple(row.get("reading", ()))
    if "formula" in row:
        fields["formula"] = formulas.parse(str(row["formula"]))
    made = Definition(**fields)
    _check_words(made)
    _check_columns(made)
    filter_of(made.where, tuple(WORKBOOK.fragments.items()))
    unknown = set(made.reading) - set(WORKBOOK.wording)
    if unknown:
        raise ValueError(f"reading {', '.join(sorted(unknown))} is none of {', '.join(WORKBOOK.wording)}")
    return made


def _check_words(made: Definition) -> None:
    if made.aggregate not in AGGREGATES:
        raise ValueError(f"aggregate {made.aggregate!r} is none of {', '.join(AGGREGATES)}")
    if made.kind not in KINDS:
        raise ValueError(f"kind {made.kind!r} is none of {', '.join(KINDS)}")
    if made.direction not in ("MIN", "MAX"):
        raise ValueError(f"direction {made.direction!r} is neither MIN nor MAX")
    if made.over not in ("population", "performing"):
        raise ValueError(f"over {made.over!r} is neither population nor performing")
    if made.aggregate in _KEYED and not made.key:
        raise ValueError(f"aggregate {made.aggregate} needs a key")
    if made.aggregate in _MEASURED and not made.measure:
        raise ValueError(f"aggregate {made.aggregate} needs a measure")
    if made.aggregate == "formula" and made.formula is None:
        raise ValueError("aggregate formula needs a formula")
    if made.rank < 1:
        raise ValueError(f"rank {made.rank} is not 1 or more")


def _check_columns(made: Definition) -> None:
    if made.measure and made.measure not in MEASURES:
        raise ValueError(f"measure {made.measure!r} is none of {', '.join(MEASURES)}")
    for what, name in (("key", made.key), ("weight", made.weight)):
        if name and name not in COLUMN_BY_NAME:
            raise ValueError(f"{what} {name!r} is no column of the asset master")
    if made.weight and COLUMN_BY_NAME[made.weight].kind not in NUMERIC:
        raise ValueError(f"weight {made.weight!r} is no number")


def _limit(given: Any) -> Limit:
    if given == "of the deal":
        return Limit()
    if not isinstance(given, Mapping):
        return Limit(float(given))
    unknown = set(given) - {"number", "formula", "schedule"}
    if unknown or not given:
        raise ValueError(f"limit has {', '.join(sorted(map(str, unknown))) or 'nothing'}; number, formula and schedule")
    schedule = tuple(sorted((day, float(number)) for day, number in given.get("schedule", {}).items()))
    if any(not isinstance(day, dt.date) for day, _ in schedule):
        raise ValueError("schedule needs a date beside each limit, such as 2027-01-20")
    formula = formulas.parse(str(given["formula"])) if "formula" in given else None
    return Limit(float(given["number"]) if "number" in given else None, formula, schedule)


def _check_uses(definitions: Mapping[int, Definition]) -> None:
    """Every test whose result is used is there, and none needs its own result."""
    state: dict[int, bool] = {}

    def visit(number: int, through: tuple[int, ...]) -> None:
        if state.get(number):
            return
        if number in through:
            raise ValueError(f"Test {number} of the catalogue needs its own result.")
        for used in definitions[number].uses:
            if used not in definitions:
                raise ValueError(f"Test {number} of the catalogue uses test {used}, which is not in it.")
            visit(used, (*through, number))
        state[number] = True

    for number in definitions:
        visit(number, ())
