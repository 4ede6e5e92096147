"""How a deal and its tests stand, in short: what the deal rail and the colours of outcomes say. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from engine.compliance import NOT_APPLICABLE, Compliance, TestResult

NEAR: Final = 0.02
"""Share of the limit below which a passing test is near it."""


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


def relative_cushion(result: TestResult) -> float:
    """Cushion as a share of the limit, so that tests of different units compare."""
    return result.cushion / abs(result.threshold) if result.threshold else result.cushion


def outcome_word(result: TestResult) -> str:
    """pass, near, fail or maintained."""
    if result.outcome.value == "pass" and result.threshold and 0.0 <= relative_cushion(result) < NEAR:
        return "near"
    return result.outcome.value


def verdict(result: TestResult) -> str:
    """The outcome as people read it: an `outcome_word`, or that the test is not applicable."""
    return NOT_APPLICABLE if result.empty else outcome_word(result)


def judged(deal: DealState, done: Compliance) -> DealState:
    """The line of a deal with what its tests came to."""
    words = {verdict(r) for r in done.results}
    worst = next((word for word in ("fail", "maintained", "near") if word in words), "pass")
    binding = (r for r in done.results if not r.empty)
    tightest = min(binding, key=relative_cushion, default=None)
    failing = sum(r.outcome.value == "fail" for r in done.results)
    return replace(deal, worst=worst, tightest=tightest, failing=failing)
