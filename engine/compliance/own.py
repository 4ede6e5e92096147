"""Tests of one's own, as data of the deal: "at most 5 % X" without code.

A test of one's own is a row of the deal's table (number from 201, name, MIN or MAX, limit) and a label "Test 201" among
its quality inputs, whose text says what is measured. Both are stored, exported and imported with the deal.

    country = Germany and not defaulted            share of the principal amount (the usual case)
    share of unfunded_amount where revolver        another money column instead of par
    largest 3 by issuer_id where cov_lite          the third largest name
    top 10 by issuer_id                            the ten largest together
    average floating_spread where coupon_type = FLOAT
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from engine import filter as filters
from engine.compliance import catalogue
from engine.compliance.catalogue import Definition
from engine.compliance.measures import MEASURES
from engine.pool import Pool
from engine.terms import Deal, TestLimit

FIRST: Final = 201
"""Numbers of one's own tests begin here; those below are the catalogue's."""

_LABEL: Final = re.compile(r"test\s+(\d+)$", re.IGNORECASE)
_WHAT: Final = re.compile(
    r"""^\s*(?:
        share(?:\s+of\s+(?P<weight>\w+))?
      | (?P<ranked>largest|top)(?:\s+(?P<rank>\d+))?\s+by\s+(?P<key>\w+)
      | average\s+(?:of\s+)?(?P<measure>\w+)
    )(?:\s+where\s+(?P<where>.*)|\s*)$""",
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_KINDS: Final = {"rating_factor": "factor", "sp_factor": "factor", "fitch_factor": "factor", "price": "factor"}
_YEARS: Final = ("wal", "maturity_years")


def definition_of(number: int, name: str, direction: str, text: str) -> Definition:
    """The test that a text spells. Raises ValueError that says what is wrong and what may stand there."""
    match = _WHAT.match(text)
    row: dict[str, Any] = {"number": number, "name": name, "direction": direction, "limit": 0.0, "aggregate": "share"}
    if match is None:
        row["where"] = text
    else:
        row["where"] = match["where"] or ""
        if match["ranked"]:
            row |= {"aggregate": match["ranked"].lower(), "rank": int(match["rank"] or 1), "key": match["key"].lower()}
        elif match["measure"]:
            measure = match["measure"].lower()
            if measure not in MEASURES:
                raise ValueError(f"there is no measure {measure!r}; measures: {', '.join(MEASURES)}")
            kind = "years" if measure in _YEARS else _KINDS.get(measure, "share")
            row |= {"aggregate": "average", "measure": measure, "kind": kind}
        elif match["weight"]:
            row["weight"] = match["weight"].lower()
    return catalogue.definition(row)


def definitions(deal: Deal) -> tuple[dict[int, Definition], dict[int, str]]:
    """The deal's own tests by number, and why those that cannot be read are refused."""
    rows = {limit.number: limit for limit in deal.limits}
    made: dict[int, Definition] = {}
    refused: dict[int, str] = {}
    for number, text in texts(deal).items():
        limit = rows.get(number)
        if limit is None or number < FIRST:
            continue
        try:
            found = definition_of(number, limit.name, limit.direction.strip().upper(), text)
            _check_limit(found, limit.override or limit.threshold or 0.0)
            made[number] = found
        except ValueError as error:
            refused[number] = f"“Test {number}” cannot be read: {str(error).rstrip('.')}"
    return made, refused


def texts(deal: Deal) -> Mapping[int, str]:
    """What the deal's labels "Test N" say, by number."""
    found = ((_LABEL.match(label.strip()), value) for label, value in deal.quality_inputs)
    return {int(match[1]): str(value) for match, value in found if match is not None and value is not None}


def with_test(
    deal: Deal, name: str, direction: str, limit: float, text: str, *, sets: Mapping[str, Any] | None = None
) -> tuple[Deal, int]:
    """The deal with one more test of its own, and its number. Raises ValueError that says what is wrong.

    limit  a fraction (0.05), years or factor, as the test measures; sets  the catalogue's named sets
    """
    taken = {row.number for row in deal.limits} | set(texts(deal))
    number = next(n for n in range(FIRST, FIRST + len(taken) + 1) if n not in taken)
    row, label = _written(number, name, direction, limit, text, sets)
    return replace(deal, limits=(*deal.limits, row), quality_inputs=(*deal.quality_inputs, label)), number


def changed_test(
    deal: Deal,
    number: int,
    name: str,
    direction: str,
    limit: float,
    text: str,
    *,
    sets: Mapping[str, Any] | None = None,
) -> Deal:
    """The deal with one of its own tests written anew in its place, its baseline kept; an override goes.

    Raises ValueError as `with_test` and `without_test` do.
    """
    without_test(deal, number)  # says which there are
    row, label = _written(number, name, direction, limit, text, sets)
    kept = {t.number: t.previous for t in deal.limits}[number]
    labels = tuple(pair for pair in deal.quality_inputs if _number_of(pair[0]) != number)
    place = next((i for i, pair in enumerate(deal.quality_inputs) if _number_of(pair[0]) == number), len(labels))
    return replace(
        deal,
        limits=tuple(replace(row, previous=kept) if t.number == number else t for t in deal.limits),
        quality_inputs=(*labels[:place], label, *labels[place:]),
    )


def _number_of(label: str) -> int | None:
    """201 of the label "Test 201"; None for any other label."""
    match = _LABEL.match(label.strip())
    return int(match[1]) if match is not None else None


def _written(
    number: int, name: str, direction: str, limit: float, text: str, sets: Mapping[str, Any] | None
) -> tuple[TestLimit, tuple[str, str]]:
    """The row of the deal's table and the label that hold a test. Raises ValueError that says what is wrong."""
    if not name.strip():
        raise ValueError("The test has no name; give it one, such as German loans.")
    direction = direction.strip().upper()
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not math.isfinite(limit):
        raise ValueError(f"The limit {limit!r} is no number; write 5% or 0.05.")
    try:
        made = definition_of(number, name, direction, text)
        _check_sets(made, sets)
    except ValueError as error:
        raise ValueError(f"The test cannot be read: {error}") from error
    _check_limit(made, limit)
    row = TestLimit(number, name.strip(), direction, float(limit))
    return row, (f"Test {number}", " ".join(text.split()) or "share")


def _check_limit(made: Definition, limit: float) -> None:
    if made.kind == "share" and made.aggregate != "average" and not 0.0 <= limit <= 1.0:
        raise ValueError(f"A limit of {limit:g} is no share of the pool; write 5% or 0.05.")


def _check_sets(made: Definition, sets: Mapping[str, Any] | None) -> None:
    """Unknown sets and parameters show only when the filter is used."""
    parameters = {"stated_maturity": None, "as_of": None}
    filters.parse(made.where).mask(Pool(()), {k: tuple(v) for k, v in (sets or {}).items()}, parameters)


def without_test(deal: Deal, number: int) -> Deal:
    """The deal without one of its own tests. Raises ValueError where it has none of that number."""
    if number < FIRST or number not in {row.number for row in deal.limits}:
        mine = ", ".join(str(n) for n in texts(deal)) or "none"
        raise ValueError(f"{deal.name} has no test {number} of its own; its own tests: {mine}.")
    return replace(
        deal,
        limits=tuple(row for row in deal.limits if row.number != number),
        quality_inputs=tuple(pair for pair in deal.quality_inputs if _number_of(pair[0]) != number),
    )
