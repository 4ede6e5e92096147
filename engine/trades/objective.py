"""The portfolio's objective: how far weighted tests are from their limits (spec compliance-risk 7.3).

quality = 100 x sum of weight x (limit / result of a MAX test, result / limit of a MIN test); the objective is the
quality where every test passes, and 0 where one fails. The quality alone says what a trade does to a deal that fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from engine.compliance.standing import Outcome, Standing
from engine.pool import Flags, Floats
from engine.terms import Deal

EXEMPT: Final = (31,)
"""Tests whose failure does not make the objective 0."""

Weights = Mapping[int, float]


def weights_of(deal: Deal) -> dict[int, float]:
    """The weights of the deal's objective block that are not zero."""
    return {w.number: w.weight for w in deal.weights if w.weight}


def checked_weights(weights: Weights, known: Mapping[int, Standing]) -> dict[int, float]:
    """The weights that are not zero. Raises ValueError for a test that the deal does not have, or without weights."""
    found = {number: weight for number, weight in weights.items() if weight}
    for number, weight in found.items():
        if number not in known:
            have = ", ".join(str(n) for n in known) or "none"
            raise ValueError(f"Test {number} has a weight but no result; tests with results: {have}.")
        if not math.isfinite(weight):
            raise ValueError(f"The weight of test {number} is no number; write for example {number}=0.5.")
    if not found:
        raise ValueError("There are no weights; give some, such as 32=0.6,36=0.3,38=0.1.")
    return found


def term(direction: str, result: float, limit: float) -> float:
    """What one test adds before its weight; NaN where it has no ratio."""
    above, below = (limit, result) if direction == "MAX" else (result, limit)
    return above / below if below else math.nan


def quality(standings: Mapping[int, Standing], weights: Weights) -> float | None:
    """The weighted ratios x 100; None without weights, or where a weighted test has no ratio."""
    if not weights or any(number not in standings for number in weights):
        return None
    total = 0.0
    for number, weight in weights.items():
        s = standings[number]
        total += weight * term(s.direction, s.result, s.threshold)
    return 100.0 * total if math.isfinite(total) else None


def objective(standings: Mapping[int, Standing], weights: Weights) -> float | None:
    """The quality, or 0 where a test fails (test 31 and a failing test of nothing do not count)."""
    found = quality(standings, weights)
    fails = any(
        s.outcome is Outcome.FAIL and s.definition.number not in EXEMPT and s.numerator != 0.0
        for s in standings.values()
    )
    return 0.0 if fails and found is not None else found


def qualities(results: Floats, limits: Floats, is_max: Flags, weights: Floats) -> Floats:
    """The quality of many candidates; NaN where a weighted test has no ratio.

    results, limits  float64[C, n_tests];  is_max bool[n_tests];  weights float64[n_tests]
    """
    used = np.flatnonzero(weights)
    r, t = results[:, used], limits[:, used]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(is_max[used], t / r, r / t)
    total = 100.0 * (terms @ weights[used])
    return np.asarray(np.where(np.isfinite(total), total, np.nan))
