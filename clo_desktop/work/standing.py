"""How a deal and its tests stand, in short: what the deal rail and the colours of outcomes say. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

from engine.compliance import Compliance, TestResult

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
    """pass, near, fail or maintained. A test that has nothing to test passes below its limit: it is not near."""
    if result.outcome.value == "pass" and result.threshold and 0.0 <= relative_cushion(result) < NEAR:
        return "near"
    return result.outcome.value


def judged(deal: DealState, done: Compliance) -> DealState:
    """The line of a deal with what its tests came to."""
    words = {outcome_word(r) for r in done.results}
    worst = next((word for word in ("fail", "maintained", "near") if word in words), "pass")
    binding = (r for r in done.results if r.cushion >= 0.0 or r.outcome.value != "pass")
    tightest = min(binding, key=relative_cushion, default=None)
    failing = sum(r.outcome.value == "fail" for r in done.results)
    return replace(deal, worst=worst, tightest=tightest, failing=failing)
