"""Which value of a parameter gives a measure; over a second parameter, the frontier of a reverse stress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.grid import THREADS, Report, scenarios, silent
from engine.studies.measures import Measure
from engine.studies.parameters import WHOLE, Axis, Parameter, Unit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BLOCK: Final = 64
_SCAN, _DEAR_SCAN = 64, 13
_TOLERANCES: Final = {
    Unit.SHARE: 1e-6,
    Unit.RATE: 1e-6,
    Unit.MONTHS: 1e-2,
    Unit.PRICE: 1e-4,
    Unit.DATE: 1.0,
    Unit.NOTCHES: 1.0,
}
_MOST_ROUNDS: Final = 40


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """Values at which the measure is what is wanted, ascending; none: nowhere between the ends of the scan.

    tried, seen  float64[n]  the values of the scan and the measure at them; NaN: there is none
    misses       how far the measure is from what is wanted beside each value; far: it jumps over it there
    tolerance    in the parameter's unit, to which each value is right
    """

    parameter: Parameter
    measure: Measure
    wanted: float
    values: tuple[float, ...]
    misses: tuple[float, ...]
    tolerance: float
    tried: Floats
    seen: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Frontier:
    """For each value of one parameter, those of the other at which the measure is what is wanted, ascending."""

    along: Axis
    parameter: Parameter
    measure: Measure
    wanted: float
    values: tuple[tuple[float, ...], ...]


def goal_seek(
    model: Model,
    base: Assumptions,
    parameter: Parameter,
    measure: Measure,
    wanted: float,
    *,
    between: tuple[float, float] | None = None,
    threads: int = THREADS,
    report: Report = silent,
) -> Goal:
    """Looks between two values of the parameter (its own ends where none are said). Raises ValueError as a run."""
    tried = _points(parameter, between)
    found, seen = _solve(model, [base], parameter, measure, wanted, tried, threads, report)
    values, misses = tuple(found[0]), tuple(found[0].values())
    return Goal(parameter, measure, wanted, values, misses, _TOLERANCES[parameter.unit], tried, seen[0])


def frontier(
    model: Model,
    base: Assumptions,
    along: Axis,
    parameter: Parameter,
    measure: Measure,
    wanted: float,
    *,
    between: tuple[float, float] | None = None,
    threads: int = THREADS,
    report: Report = silent,
) -> Frontier:
    """As `goal_seek` at every value of a second parameter, all of them together."""
    if along.parameter.name == parameter.name:
        raise ValueError(f"A frontier is over two parameters; {parameter.name} is there twice.")
    cells = scenarios(model, base, (along,))
    found, _ = _solve(model, cells, parameter, measure, wanted, _points(parameter, between), threads, report)
    return Frontier(along, parameter, measure, wanted, tuple(tuple(roots) for roots in found))


def _points(parameter: Parameter, between: tuple[float, float] | None) -> Floats:
    low, high = (parameter.low, parameter.high) if between is None else between
    if not parameter.low <= low < high <= parameter.high:
        raise ValueError(f"{parameter.title} cannot be sought between {low:g} and {high:g}; write the lower one first.")
    if parameter.unit is Unit.DATE and between is None:
        raise ValueError("A date is sought between two days; say which.")
    shares = np.linspace(0.0, 1.0, _DEAR_SCAN if parameter.dear else _SCAN)
    if low == 0.0 and parameter.unit is Unit.RATE:
        shares = shares**2  # rates are low where it matters
    points = low + (high - low) * shares
    points[-1] = high
    return np.unique(np.round(points)) if parameter.unit in WHOLE else points


def _solve(
    model: Model,
    cells: list[Assumptions],
    parameter: Parameter,
    measure: Measure,
    wanted: float,
    points: Floats,
    threads: int,
    report: Report,
) -> tuple[list[dict[float, float]], Floats]:
    """Roots by cell, ascending, with what they miss by; and float64[n_cells, n_points] of the measure."""
    done = 0.0

    def run(where: Ints, values: Floats) -> Floats:
        cases = [parameter.put(model, cells[c], float(v)) for c, v in zip(where.tolist(), values.tolist(), strict=True)]
        part = model.totals(
            cases, threads=threads, coverage=measure.coverage, report=lambda _done, what: report(done, what)
        )
        return measure.of(part) - wanted

    n = points.size
    off = run(np.repeat(np.arange(len(cells)), n), np.tile(points, len(cells))).reshape(len(cells), n)
    roots: list[dict[float, float]] = [dict.fromkeys(points[row == 0.0].tolist(), 0.0) for row in off]
    cell, low, high, at_low, at_high = _changes(np.arange(len(cells)), np.tile(points, (len(cells), 1)), off)
    tolerance = _TOLERANCES[parameter.unit]
    for turn in range(_MOST_ROUNDS):
        wide = high - low > tolerance
        if not wide.any():
            break
        done = 1.0 - float((high - low)[wide].max()) / float(points[-1] - points[0])
        inside = 3 if parameter.dear else max(1, _BLOCK // int(wide.sum()))
        tried = _between(parameter, low[wide], high[wide], at_low[wide], at_high[wide], inside, turn)
        seen = run(np.repeat(cell[wide], tried.shape[1]), tried.reshape(-1)).reshape(tried.shape)
        grown = _changes(
            cell[wide],
            np.column_stack([low[wide], tried, high[wide]]),
            np.column_stack([at_low[wide], seen, at_high[wide]]),
        )
        kept = (cell[~wide], low[~wide], high[~wide], at_low[~wide], at_high[~wide])
        cell, low, high, at_low, at_high = (np.concatenate(pair) for pair in zip(kept, grown, strict=True))
    for c, a, b, fa, fb in zip(cell.tolist(), low, high, at_low, at_high, strict=True):
        straight = a - fa * (b - a) / (fb - fa) if fb != fa else b
        root = b if parameter.unit in WHOLE else straight
        roots[c][float(root)] = float(min(abs(fa), abs(fb)))
    report(1.0, "Done")
    return [dict(sorted(of.items())) for of in roots], off + wanted


def _between(
    parameter: Parameter, low: Floats, high: Floats, at_low: Floats, at_high: Floats, inside: int, turn: int
) -> Floats:
    """float64[n, m]: where to look next in each bracket, ascending; on every other turn around the straight line."""
    if parameter.unit in WHOLE:
        return np.clip(np.round((low + high) / 2.0), low + 1.0, high)[:, None]
    shares = np.arange(1, inside + 1) / (inside + 1)
    even = low[:, None] + (high - low)[:, None] * shares
    if inside < 3 or turn % 2 == 1:
        return even
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(at_high != at_low, -at_low / (at_high - at_low), 0.5)
    reach = 0.02
    near = np.clip(share, 2 * reach, 1.0 - 2 * reach)[:, None] + np.array([-reach, 0.0, reach])
    return low[:, None] + (high - low)[:, None] * np.sort(np.hstack([near, _even(inside - 3, len(low))]), axis=1)


def _even(count: int, rows: int) -> Floats:
    """float64[rows, count]: shares of a bracket at equal distances."""
    return np.tile(np.arange(1, count + 1) / (count + 1), (rows, 1))


_Changes = tuple[Ints, Floats, Floats, Floats, Floats]


def _changes(cell: Ints, points: Floats, off: Floats) -> _Changes:
    """Neighbours between which the sign changes: cell, low, high and the figure at both."""
    left, right = off[:, :-1], off[:, 1:]
    row, at = np.nonzero((left < 0.0) & (right > 0.0) | (left > 0.0) & (right < 0.0))
    return cell[row], points[row, at], points[row, at + 1], left[row, at], right[row, at]
