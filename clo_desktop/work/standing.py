"""How a deal and its tests stand, in short: what the deal rail and the colours of outcomes say. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from engine.compliance import Compliance, Standing, TestResult

NEAR: Final = 0.02
"""Share of the limit below which a passing test is near it."""

NOT_APPLICABLE: Final = "not applicable"
"""The outcome, in words, of an average of no assets at all: there is nothing to hold against the limit."""


@dataclass(frozen=True, slots=True)
class DealState:
    """One line of the deal rail. `worst` and `tightest` are None until the tests were evaluated."""

    name: str
    as_of: Any
    holdings: int
    par: float
    currency: str
    worst: str | None = None
    tightest: TestResult | None = None
    failing: int = 0


def relative_cushion(result: TestResult | Standing) -> float:
    """Cushion as a share of the limit, so that tests of different units compare."""
    return result.cushion / abs(result.threshold) if result.threshold else result.cushion


def outcome_word(result: TestResult | Standing, *, near: bool = True) -> str:
    """pass, near, fail or maintained, and "not applicable" for an average of no assets. near  whether near is told"""
    if result.empty:
        return NOT_APPLICABLE
    if near and result.outcome.value == "pass" and result.threshold and 0.0 <= relative_cushion(result) < NEAR:
        return "near"
    return result.outcome.value


def mark(result: TestResult | Standing) -> str:
    """The outcome on a terminal, where no colour tells which ones fail."""
    word = outcome_word(result, near=False)
    return word.upper() if word == "fail" else word


def cushion(result: TestResult | Standing) -> float | None:
    """Room to the limit in the unit of the test; None where there is nothing to test."""
    return None if result.empty else result.cushion


def judged(deal: DealState, done: Compliance) -> DealState:
    """The line of a deal with what its tests came to."""
    words = {outcome_word(r) for r in done.results}
    worst = next((word for word in ("fail", "maintained", "near") if word in words), "pass")
    binding = (r for r in done.results if not r.empty)
    tightest = min(binding, key=relative_cushion, default=None)
    failing = sum(r.outcome.value == "fail" for r in done.results)
    return replace(deal, worst=worst, tightest=tightest, failing=failing)
