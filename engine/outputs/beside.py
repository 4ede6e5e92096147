"""A coverage test of the compliance table beside the one of the priority of payments: why their figures differ."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from engine.compliance import Compliance, TestResult
from engine.outputs.coverage import spelled
from engine.projection import Projection


@dataclass(frozen=True, slots=True)
class Beside:
    """The overcollateralisation test of the priority of payments that covers most classes, on the first payment date.

    ratio, numerator, denominator  a fraction, and money;  day  the payment date
    without      rated classes with something outstanding that it does not cover, each with that amount
    other        denominator of the compliance test;  as_of  its date
    """

    name: str
    ratio: float
    numerator: float
    denominator: float
    day: dt.date
    without: tuple[tuple[str, float], ...]
    other: float
    as_of: dt.date | None


def beside(done: Compliance, result: TestResult, flows: Projection) -> Beside | None:
    """What stands beside a coverage test; None for any other test, or where the priority of payments has none."""
    tests = [(k, t) for k, t in enumerate(flows.document.tests) if t.type == "oc"]
    if result.aggregate != "coverage" or not tests or flows.deal != done.deal:
        return None
    start = flows.inputs
    _, (k, test) = max(
        ((sum(c in t.classes for c in start.class_ids), (k, t)) for k, t in tests), key=lambda found: found[0]
    )
    without = []
    for place, name in enumerate(start.class_ids):
        owed = float(start.balance[place] + start.deferred[place])
        if name not in test.classes and place != flows.equity and owed > 0.0:
            without.append((str(name), owed))
    r = flows.result
    return Beside(
        spelled(test.id),
        float(r.ratio[0, k]),
        float(r.numerator[0, k]),
        float(r.denominator[0, k]),
        flows.payment_dates[0],
        tuple(without),
        result.denominator,
        done.as_of,
    )
