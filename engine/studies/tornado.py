"""What one parameter at a time, down and up, does to a measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.grid import THREADS, Report, silent
from engine.studies.measures import Measure
from engine.studies.parameters import PARAMETERS, Parameter

MOVES: Final[Mapping[str, float]] = {
    "cdr": 0.01,
    "cpr": 0.05,
    "severity": 0.10,
    "lag": 6.0,
    "sale_price": 5.0,
    "shift": 0.01,
    "buy_price": 1.0,
    "buy_spread": 0.005,
    "price_shock": 0.10,
    "downgrade": 2.0,
}
"""How far each parameter is moved down and up where nothing else is said, in its own unit."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A parameter's values and the measure at them; None: there is none."""

    parameter: Parameter
    low: float
    high: float
    at_low: float | None
    at_high: float | None

    @property
    def width(self) -> float:
        """How far apart the measure is at both; 0 where it is missing."""
        return abs(self.at_high - self.at_low) if self.at_low is not None and self.at_high is not None else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Tornado:
    """Bars, the widest first, around the measure of the base."""

    measure: Measure
    base: float | None
    bars: tuple[Bar, ...]


def tornado(
    model: Model,
    base: Assumptions,
    measures: Sequence[Measure],
    *,
    moves: Mapping[str, float] = MOVES,
    threads: int = THREADS,
    report: Report = silent,
) -> tuple[Tornado, ...]:
    """A tornado a measure, all of them from one run of 2 n + 1 scenarios.

    moves  how far down and up, by parameter; values stay within what the parameter may be
    """
    ends = []
    for name, move in moves.items():
        of = PARAMETERS[name]
        at = of.read(model, base)
        if at is None:
            raise ValueError(f"{of.title} is not said by the scenario; a move down and up needs a value to start from.")
        ends.append((of, max(at - move, of.low), min(at + move, of.high)))
    cases = [base, *(of.put(model, base, value) for of, low, high in ends for value in (low, high))]
    totals = model.totals(cases, threads=threads, coverage=any(m.coverage for m in measures), report=report)
    made = []
    for measure in measures:
        seen = [None if value != value else float(value) for value in measure.of(totals).tolist()]
        bars = [Bar(of, low, high, seen[2 * k + 1], seen[2 * k + 2]) for k, (of, low, high) in enumerate(ends)]
        made.append(Tornado(measure, seen[0], tuple(sorted(bars, key=lambda bar: -bar.width))))
    return tuple(made)
