"""Reading figures and dates of a case's inputs."""

from __future__ import annotations

import datetime as dt
from typing import Any

from engine import dates
from engine.validation.cases import CaseError, Library
from engine.validation.harness import Rate, chained_forwards


def day(text: Any) -> dt.date:
    if not isinstance(text, str):
        raise CaseError(f"has {text!r} where an ISO date was expected")
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        raise CaseError(f"has {text!r} where an ISO date was expected") from None
    if not 1950 <= found.year <= 2150:
        raise CaseError(f"has the date {text}; dates of 1950 to 2150 are run")
    return found


def serial(text: Any) -> int:
    return dates.serial(day(text))


def business_days(count: Any) -> int:
    """Business days from a payment date back to the end of its collection period."""
    if not isinstance(count, int) or not 0 <= count <= 366:
        raise CaseError(f"has a determination date {count!r} business days before the payment; 0 to 366 are run")
    return count


def index_of(inputs: Any, library: Library) -> Rate:
    """The index of a case: flat `index`, or the curve of another case in the workbook's algebra; nought without."""
    if "curve" in inputs:
        given = library.inputs(inputs["curve"])
        nodes = {int(m): float(r) for m, r in given["nodes_months_rate"].items()}
        return chained_forwards(nodes, day(given["asof"]))
    flat = float(inputs.get("index", 0.0))
    return lambda _day, _tenor: flat
