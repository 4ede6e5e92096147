"""Many small trades held against every limit at once: what `stand` says of one pool, for arrays of candidates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from engine.compliance import limits
from engine.compliance.formulas import Lacking
from engine.compliance.plan import Plan
from engine.compliance.rows import Average, Linear
from engine.compliance.standing import AT_THE_LIMIT, Outcome, Standing
from engine.pool import Flags, Floats
from engine.trades.candidates import Candidates, Figures
from engine.trades.kernel import reckon_candidates
from engine.trades.known import Seen, columns
from engine.trades.layout import Laid, lay_out
from engine.trades.objective import Weights, qualities

_CHUNK: Final = 2048


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """float64[C, n_tests] in the order of `tests` (the deal's table); NaN where a test has no figure.

    figures  results by number of every row of the plan, also those that the deal's table does not ask for
    fails    bool  fails and is not maintained;  breaks  bool  fails, and did not fail before or is worse than before
    quality  float64[C]  see objective; NaN without weights
    """

    tests: tuple[int, ...]
    results: Floats
    limits: Floats
    cushions: Floats
    fails: Flags
    breaks: Flags
    quality: Floats
    figures: Mapping[int, Floats]


class Batch:
    """Judges candidates on the base pool of a plan.

    before  where the deal's tests stand on it (`stand`)
    """

    def __init__(self, plan: Plan, par: Floats, cash: float, before: Mapping[int, Standing]) -> None:
        self.plan, self.par, self.cash, self.before = plan, par, cash, before
        self.laid: Laid = lay_out(plan, par, cash)
        self.tests = tuple(before)
        self._sign = np.array([s.sign for s in before.values()])
        self.is_max: Flags = self._sign < 0.0
        self._was = np.array([s.result for s in before.values()])
        self._failed: Flags = np.array([s.outcome is Outcome.FAIL for s in before.values()], dtype=np.bool_)
        self._baseline = np.array(
            [p if (p := s.limit.previous) is not None and p > 0.0 else np.nan for s in before.values()]
        )
        self._may = np.array(
            [plan.readings.may_maintain(n, s.definition.aggregate) for n, s in before.items()], dtype=np.bool_
        )

    def judge(self, candidates: Candidates, weights: Weights | None = None) -> Judged:
        """All candidates at once; of very many take `chunks`."""
        seen = Seen(self.plan, self.par, self.cash, candidates, self.rows(candidates))
        results = columns([seen.figures[n].results for n in self.tests], len(candidates))
        thresholds = columns([self._limit(n, seen) for n in self.tests], len(candidates))
        with np.errstate(invalid="ignore"):
            cushions = self._sign * (results - thresholds)
            near = np.abs(cushions) <= AT_THE_LIMIT * np.maximum(1.0, np.abs(thresholds))
            cushions[near] = 0.0
            below = cushions < 0.0
            self._pass_empty(below, seen)
            held = below & (self._sign * (results - self._baseline) >= -AT_THE_LIMIT * self._baseline)
            fails = below & ~(held & self._may)
            worse = self._sign * (results - self._was) < -AT_THE_LIMIT * np.maximum(1.0, np.abs(self._was))
        weight = np.array([(weights or {}).get(n, 0.0) for n in self.tests])
        return Judged(
            self.tests,
            results,
            thresholds,
            cushions,
            fails,
            fails & (~self._failed | worse),
            qualities(results, thresholds, self.is_max, weight) if weights else np.full(len(candidates), np.nan),
            {n: f.results for n, f in seen.figures.items()},
        )

    def chunks(self, candidates: Candidates, weights: Weights | None = None) -> Iterator[tuple[int, Judged]]:
        """(place of its first candidate, judged) for parts that fit the caches."""
        for begin in range(0, len(candidates), _CHUNK):
            yield begin, self.judge(candidates.part(begin, begin + _CHUNK), weights)

    def sums(self, candidates: Candidates) -> tuple[Floats, Floats]:
        """Numerators and denominators of the plan's rows, float64[C, n_rows] each, in the order of `laid.tests`."""
        count, laid = len(candidates), self.laid
        tops, belows = np.empty((count, len(laid.tests))), np.empty((count, len(laid.tests)))
        # what may not be written to, or has gaps, would be compiled for anew
        places = np.require(candidates.places, np.int64, ["C", "W"])
        deltas = np.require(candidates.deltas, np.float64, ["C", "W"])
        flows = np.require(candidates.flows, np.float64, ["C", "W"])
        reckon_candidates(laid.layout, self.par.copy(), self.cash, places, deltas, flows, tops, belows)
        return tops, belows

    def rows(self, candidates: Candidates) -> dict[int, Figures]:
        """Numerators, denominators and results of the plan's rows."""
        count, laid = len(candidates), self.laid
        tops, belows = self.sums(candidates)
        with np.errstate(divide="ignore", invalid="ignore"):
            lone = np.where(tops != 0.0, np.sign(tops) * np.inf, 0.0)
            results = np.where(belows > 0.0, tops / belows, lone)
        for place, test in enumerate(laid.tests):
            row = self.plan.rows[test]
            if isinstance(row, Linear) and (digits := row.decimals) is not None:  # as the plan rounds one figure
                results[:, place] = [round(x, digits) for x in results[:, place].tolist()]
        made = {n: Figures(results[:, i], tops[:, i], belows[:, i]) for i, n in enumerate(laid.tests)}
        for test in laid.strange:
            made[test] = Figures.of(
                [self.plan.rows[test].figure(*candidates.pool(i, self.par, self.cash)) for i in range(count)]
            )
        return made

    def _limit(self, test: int, seen: Seen) -> Floats | float:
        """The limit of a test, of all candidates or the same for each; as engine.compliance.limits."""
        standing = self.before[test]
        definition, row = standing.definition, standing.limit
        formula = definition.limit.formula
        scheduled = limits.step(self.plan.steps, test, self.plan.as_of)
        computed: Floats | float = np.nan
        if formula is not None and not row.override and scheduled is None:
            # without the inputs, or without a value of a candidate, the table's limit holds
            with suppress(Lacking):
                computed = seen.value(formula)
        try:
            given = limits.holding(definition, row, _Nothing(), self.plan.steps, self.plan.as_of)[0]
        except Lacking:
            return computed
        return np.where(np.isnan(computed), given, computed)

    def _pass_empty(self, below: Flags, seen: Seen) -> None:
        """An average of nothing passes, whatever its limit."""
        for place, test in enumerate(self.tests):
            row = self.plan.rows.get(test)
            if not isinstance(row, Average) or not below[:, place].any():
                continue
            nothing = seen.figures[test].denominators == 0.0
            if nothing.any():
                below[:, place] &= ~nothing | (seen.candidates.counts(row.members, self.par) > 0)


class _Nothing:
    """Knows nothing: limits that are no formula need nothing."""

    def call(self, name: str, arguments: tuple[Any, ...]) -> float:
        raise Lacking("what is asked of each candidate")
