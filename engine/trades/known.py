"""Formulas of limits and results over many candidates: what `Reckoned` answers for one pool, as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.compliance.formulas import RECOVERY_TEST, Formula, Lacking
from engine.compliance.plan import Plan, Reckoned
from engine.compliance.rows import Figure
from engine.pool import Floats
from engine.terms import number
from engine.trades.candidates import Candidates, Figures


def columns(found: Sequence[Floats | float], count: int) -> Floats:
    """float64[count, len(found)]: columns that are arrays or the same for all."""
    made = np.empty((count, len(found)))
    for place, column in enumerate(found):
        made[:, place] = column
    return made


class Seen:
    """The figures of all candidates by test, those of formulas too.

    A formula that branches on figures, which arrays cannot, is reckoned one candidate after the other.
    """

    def __init__(self, plan: Plan, par: Floats, cash: float, candidates: Candidates, rows: dict[int, Figures]) -> None:
        self.plan, self.candidates, self.figures = plan, candidates, rows
        self._par, self._cash = par, cash
        self.cash = cash + candidates.flows
        self._weights = plan.performing.astype(np.float64)
        self._alone = Reckoned(plan, 0.0, 0.0, {}, {})
        for test, definition in plan.definitions.items():
            if definition.formula is not None:
                try:
                    value = np.broadcast_to(self.value(definition.formula), self.cash.shape)
                except Lacking:
                    continue
                self.figures[test] = Figures(value, value, np.ones_like(value))

    def value(self, formula: Formula) -> Floats | float:
        """NaN where a candidate has no value. Raises Lacking where the deal lacks an input, whatever the candidate."""
        try:
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                made = np.asarray(formula.step(self), dtype=np.float64)
        except ZeroDivisionError as error:
            raise Lacking(f"a figure other than zero in {formula.text}") from error
        except (ValueError, TypeError):
            return self._each(formula)
        return np.asarray(np.where(np.isfinite(made), made, np.nan))

    def _each(self, formula: Formula) -> Floats:
        """The formula of one candidate after the other."""
        used = {n: self.figures[n] for n in formula.tests if n in self.figures}
        parts = [(f.results.tolist(), f.numerators.tolist(), f.denominators.tolist()) for f in used.values()]
        cash, amount = self.cash.tolist(), self.call("principal_amount", ()).tolist()
        made = np.empty(self.cash.size)
        for at in range(made.size):
            figures = {n: Figure(r[at], t[at], b[at]) for n, (r, t, b) in zip(used, parts, strict=True)}
            try:
                made[at] = formula.value(Reckoned(self.plan, cash[at], amount[at] - cash[at], figures, {}))
            except Lacking:
                made[at] = np.nan
        return made

    def call(self, name: str, arguments: tuple[Any, ...]) -> Any:
        """As Reckoned.call, with arrays for what differs between candidates."""
        if name in ("result", "numerator", "denominator"):
            found = self.figures.get(arguments[0])
            if found is None:
                raise Lacking(f"the result of test {arguments[0]}")
            return getattr(found, f"{name}s")
        if name == "cash":
            return self.cash
        if name == "principal_amount":
            places, deltas = self.candidates.places, self.candidates.deltas
            moved = np.where(places >= 0, self._weights[places] * deltas, 0.0).sum(axis=1)
            return float(self._weights @ self._par) + moved + self.cash
        if name == "recovery_over":
            return self._recovery_over(arguments[0], arguments[1])
        if name in ("matrix_factor", "matrix_spread"):
            return self._matrix(name)
        return self._alone.call(name, arguments)

    def _recovery_over(self, side: str, pivot: float | str) -> Any:
        base = self._alone.call("input", (pivot,)) if isinstance(pivot, str) else float(pivot)
        recovery = self.call("result", (RECOVERY_TEST,))
        if self.plan.readings.recovery_share is None:
            return recovery - base
        return self._allotted(side, base) / 100.0

    def _allotted(self, side: str, base: float) -> Any:
        """Percent points of recovery above the base for the WARF limit ("factor") or the spread limit."""
        readings = self.plan.readings
        recovery = np.minimum(self.call("result", (RECOVERY_TEST,)), readings.recovery_cap)
        points = np.maximum(0.0, recovery - base) * 100.0
        share = readings.recovery_share
        return points if share is None else points * (share if side == "factor" else 1.0 - share)

    def _matrix(self, name: str) -> Any:
        """A limit at the elected point of the quality matrix: of nothing allotted, and what the recovery rate adds."""
        base = number(self.plan.deal.quality_inputs, "Matrix Base Recovery")
        quality = self.plan.quality_matrix
        spread, diversity = (self._alone.call("input", (label,)) for label in ("Matrix Spread", "Matrix Diversity"))
        side, values = (
            ("factor", quality.factor_per_point) if name == "matrix_factor" else ("spread", quality.spread_per_point)
        )
        points = 0.0 if base is None else self._allotted(side, base)
        try:
            modifier = quality.at(values, spread, diversity)
            if name == "matrix_factor":
                return quality.at(quality.warf, spread, diversity) + points * modifier
            return spread - points * modifier
        except ValueError as error:
            raise Lacking(f"a point inside the quality matrix. {error}") from error
