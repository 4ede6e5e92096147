"""Break-even default rates of all classes over two other parameters: every cell and class narrowed at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.breakeven import Basis, Target, scan_points, watched
from engine.studies.grid import THREADS, Report, scenarios, silent
from engine.studies.parameters import Axis, varied

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SURFACE_TOLERANCE: Final = 1e-4
"""A basis point: what the numbers of a surface show."""

_SCAN: Final = 16
_MOST_ROUNDS: Final = 60


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The first break-even of each class (or test) in each cell.

    cdr        float64[n_names, n_x, n_y]; 0: it does not hold without any default; NaN: it never breaks
    scenarios  how many were run
    """

    target: Target
    axes: tuple[Axis, Axis]
    names: tuple[str, ...]
    cdr: Floats
    tolerance: float
    scenarios: int


@dataclass(slots=True, eq=False)
class _Brackets:
    """One a cell and name. float64[n]: at `low` it holds, at `high` it is `short`, at `far` beyond it `far_short`."""

    cell: Ints
    name: Ints
    low: Floats
    high: Floats
    short: Floats
    far: Floats
    far_short: Floats

    def take(self, chosen: NDArray[np.bool_]) -> _Brackets:
        return _Brackets(*(getattr(self, part)[chosen] for part in self.__slots__))


def surface(
    model: Model,
    base: Assumptions,
    x: Axis,
    y: Axis,
    target: Target = Target.FIRST_LOSS,
    *,
    basis: Basis = Basis.PRICE,
    tolerance: float = SURFACE_TOLERANCE,
    threads: int = THREADS,
    report: Report = silent,
) -> Surface:
    """Break-evens within `tolerance`, below which they hold; what lies between the points of the scan is not seen.

    Near a break-even a shortfall grows in a straight line, so the next rate is where the line through the two
    nearest points that are short meets zero; where that does not help the bracket is halved.
    """
    if "cdr" in (x.parameter.name, y.parameter.name):
        raise ValueError("A break-even is a default rate; the axes of its surface are other parameters.")
    of = watched(model, target, base, basis)
    cells = scenarios(model, base, (x, y))
    ran = 0

    def run(where: Ints, rates: Floats) -> Floats:
        nonlocal ran
        cases = [varied(cells[c], "cdr", r) for c, r in zip(where.tolist(), rates.tolist(), strict=True)]
        ran += len(cases)
        told = f"{ran:,} scenarios"
        part = model.totals(
            cases, threads=threads, coverage=of.coverage, report=lambda _fraction, _what: report(done, told)
        )
        return of.short(part)

    done = 0.0
    points = scan_points(1.0, _SCAN)
    everywhere = np.repeat(np.arange(len(cells)), _SCAN)
    seen = run(everywhere, np.tile(points, len(cells))).reshape(len(cells), _SCAN, len(of.names))
    found, brackets = _first_changes(points, seen)
    for turn in range(_MOST_ROUNDS):
        closed = brackets.high - brackets.low <= tolerance
        found[brackets.cell[closed], brackets.name[closed]] = brackets.low[closed]
        brackets = brackets.take(~closed)
        if not brackets.cell.size:
            break
        done = 1.0 - brackets.cell.size / (len(cells) * len(of.names))
        at = _next(brackets, tolerance, turn)
        short = run(brackets.cell, at)[np.arange(at.size), brackets.name]
        _narrow(brackets, at, short)
    report(1.0, "Done")
    shape = (len(x.values), len(y.values), len(of.names))
    cdr = np.ascontiguousarray(np.moveaxis(found.reshape(shape), 2, 0))
    return Surface(target, (x, y), of.names, cdr, tolerance, ran)


def _first_changes(points: Floats, seen: Floats) -> tuple[Floats, _Brackets]:
    """float64[n_cells, n_names] as far as it is known, and a bracket around the first change of each."""
    short = seen > 0.0
    first = short.argmax(axis=1)
    breaks = short.any(axis=1)
    found = np.where(breaks, 0.0, np.nan)
    cell, name = np.nonzero(breaks & (first > 0))
    at = first[cell, name]
    far = np.minimum(at + 1, points.size - 1)
    return found, _Brackets(
        cell, name, points[at - 1], points[at], seen[cell, at, name], points[far], seen[cell, far, name]
    )


def _next(brackets: _Brackets, tolerance: float, turn: int) -> Floats:
    """float64[n]: the next rate of each, inside its bracket."""
    width = brackets.high - brackets.low
    rise = brackets.far_short - brackets.short
    with np.errstate(divide="ignore", invalid="ignore"):
        root = brackets.high - brackets.short * (brackets.far - brackets.high) / rise
    usable = (rise > 0.0) & (root > brackets.low) & (root < brackets.high) & (turn % 4 != 3)
    # a little below the root closes the bracket from one side, a little above from the other
    beside = root + tolerance * (-0.4 if turn % 2 == 0 else 0.4)
    inside = np.clip(beside, brackets.low + 0.02 * width, brackets.high - 0.02 * width)
    return np.where(usable, inside, 0.5 * (brackets.low + brackets.high))


def _narrow(brackets: _Brackets, at: Floats, short: Floats) -> None:
    holds = short <= 0.0
    brackets.low = np.where(holds, at, brackets.low)
    brackets.far = np.where(holds, brackets.far, brackets.high)
    brackets.far_short = np.where(holds, brackets.far_short, brackets.short)
    brackets.high = np.where(holds, brackets.high, at)
    brackets.short = np.where(holds, brackets.short, short)
