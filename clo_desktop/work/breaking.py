"""What would break each test: the search of `engine.trades.breach` with its answers as data and in words. No Qt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.work.judging import result_of
from clo_desktop.work.told import figure
from engine.compliance import Compliance
from engine.compliance.standing import Outcome
from engine.trades.breach import MOST, PRICE, Breach, Event, What, breaches
from resources import library


@dataclass(frozen=True, slots=True)
class Asked:
    """What is searched: one test or all that pass (None), kinds of events, their price in % of par, most events."""

    test: int | None = None
    kinds: tuple[What, ...] = (What.DEFAULT, What.CAA)
    price: float = PRICE
    most: int = MOST

    @classmethod
    def of(cls, test: int | None, kinds: Sequence[str] | None, price: float | None, most: int) -> Asked:
        """From what was typed; what was not (None) is as it comes."""
        asked = cls(test, price=PRICE if price is None else price, most=most)
        return cls(test, tuple(map(What, kinds)), asked.price, most) if kinds else asked


def breaches_of(done: Compliance, asked: Asked, report: Progress = silent) -> tuple[Breach, ...]:
    """What breaks the tests asked for. Raises Refused for a test that does not pass, Cancelled when `report` does."""
    if asked.test is not None:
        result = result_of(done, asked.test)
        if result.outcome is not Outcome.PASS:
            raise Refused(
                f"Test {result.number}, {result.name}, is past its limit already ({result.outcome.value}); ask for a "
                "test that passes.",
                code="breach",
            )
    numbers = None if asked.test is None else (asked.test,)
    try:
        return breaches(done, library.catalogue(), numbers, asked.kinds, asked.price, asked.most, report)
    except ValueError as error:
        raise Refused(str(error), code="breach") from error


def plain(deal: str, asked: Asked, found: Sequence[Breach]) -> dict[str, Any]:
    """As data for --json."""
    return {
        "deal": deal,
        "events": [what.value for what in asked.kinds],
        "price": asked.price if What.PRICE in asked.kinds else None,
        "most": asked.most,
        "tests": [_one_plain(b) for b in found],
    }


def _one_plain(b: Breach) -> dict[str, Any]:
    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    after = None
    if b.after is not None:
        after = {"result": finite(b.after.result), "threshold": finite(b.after.threshold)}
    return {
        "number": b.before.number,
        "name": b.before.name,
        "kind": b.before.kind,
        "direction": b.before.direction,
        "result": finite(b.before.result),
        "threshold": finite(b.before.threshold),
        "breaks": b.after is not None,
        "proven": b.proven,
        "set": [
            {"event": e.what.value, "issuer": e.issuer, "name": e.name, "assets": list(e.assets), "par": e.par}
            for e in b.events
        ],
        "after": after,
    }


def words(asked: Asked, found: Sequence[Breach]) -> str:
    """For a terminal: a line a test."""
    if not found:
        return "No test passes, so there is none to break."
    return "\n".join(f"{b.before.number:>3}  {b.before.name}: {sentence(asked, b)}" for b in found)


def sentence(asked: Asked, b: Breach, *, named: bool = True) -> str:
    """What breaks one test, in one sentence or two; without the names where a table has them (`named`)."""
    if b.after is None:
        sure = "all were tried" if b.proven else "searched greedily, so there may be one"
        return f"no set of up to {asked.most} of the events was found to break it ({sure})."
    names = "; ".join(
        f"{', '.join(e.name for e in b.events if e.what is what)} {_happens(what, b.events)}"
        for what in asked.kinds
        if any(e.what is what for e in b.events)
    )
    size = "1 event" if len(b.events) == 1 else f"{len(b.events)} events"
    sure = "no smaller set does" if b.proven else "none of them can be left out; another set may be smaller"
    bound = "at most" if b.before.direction == "MAX" else "at least"
    result, limit = _apart(b.before.kind, b.after.result, b.after.threshold)
    return (
        f"{size}{f': {names}' if named else ', listed below'}. Then {result}, limit {bound} {limit} "
        f"({sure}; verified by the full evaluation)."
    )


def _apart(kind: str, result: float, limit: float) -> tuple[str, str]:
    """Both with as many decimals as tell them apart."""
    both = [(figure(kind, result, places), figure(kind, limit, places)) for places in range(10)]
    return next((pair for pair in both if pair[0] != pair[1]), both[-1])


def _happens(what: What, events: Sequence[Event]) -> str:
    several = sum(e.what is what for e in events) > 1
    if what is What.DEFAULT:
        return "default" if several else "defaults"
    if what is What.CAA:
        return "to Caa2/CCC"
    return f"to a price of {next(e.price for e in events if e.what is what):g}"
