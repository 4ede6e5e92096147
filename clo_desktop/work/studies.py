"""The verbs `grid`, `breakeven` and `goal`: studies of one deal, as plain data and in words. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clo_desktop.faults import Refused
from clo_desktop.figures import counted, percent
from clo_desktop.progress import Progress, silent
from clo_desktop.work.desk import Desk
from engine import dates
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.breakeven import Basis, BreakEven, BreakEvens, Target, break_even, cumulative_defaults
from engine.studies.goal import Frontier, Goal, frontier, goal_seek
from engine.studies.grid import Grid, grid
from engine.studies.measures import Measure, Shown, measure
from engine.studies.parameters import Axis, Parameter, Unit, axis, parameter, told, value_of

Plain = dict[str, Any]

_WIDEST: Final = 12
"""Columns of a grid that fit a terminal; more are told as data only."""


def run_grid(
    desk: Desk,
    deal: str,
    axes: Sequence[str],
    measures: Sequence[str],
    assumptions: Assumptions,
    *,
    curve: Path | None = None,
    report: Progress = silent,
) -> Grid:
    """A grid from words: axes such as cdr=0:0.2:20, measures such as irr:SUB. Raises Refused with the remedy."""
    with desk.ready(deal, curve=curve) as model:
        return grid(
            model,
            assumptions,
            [axis(text) for text in axes],
            [measure(model, text) for text in measures],
            report=report,
        )


def run_break_even(
    desk: Desk,
    deal: str,
    target: str,
    assumptions: Assumptions,
    *,
    basis: str = "price",
    curve: Path | None = None,
    report: Progress = silent,
) -> tuple[BreakEvens, tuple[float | None, ...]]:
    """Break-evens, and the share of the opening par that defaults over the run at each. Raises Refused."""
    try:
        wanted = Target(target)
    except ValueError:
        raise Refused(f"{target!r} is no target; take one of {', '.join(Target)}.", code="usage") from None
    with desk.ready(deal, curve=curve) as model:
        done = break_even(model, assumptions, wanted, basis=Basis(basis), report=report)
        return done, cumulative_defaults(model, assumptions, [found.cdr for found in done.found])


def run_goal(
    desk: Desk,
    deal: str,
    name: str,
    of: str,
    wanted: float | None,
    assumptions: Assumptions,
    *,
    between: Sequence[str] | None = None,
    along: str | None = None,
    curve: Path | None = None,
    report: Progress = silent,
) -> Goal | Frontier:
    """Values of a parameter that give a measure; `along`: at each value of a second one. Raises Refused.

    wanted  None: half of what the measure is under the assumptions as they stand
    """
    with desk.ready(deal, curve=curve) as model:
        turned = parameter(name)
        ends = None if between is None else (value_of(turned, between[0]), value_of(turned, between[1]))
        looked_at = measure(model, of)
        if wanted is None:
            wanted = _half(model, assumptions, looked_at)
        if along is None:
            return goal_seek(model, assumptions, turned, looked_at, wanted, between=ends, report=report)
        return frontier(model, assumptions, axis(along), turned, looked_at, wanted, between=ends, report=report)


def _half(model: Model, assumptions: Assumptions, of: Measure) -> float:
    """Half of a measure as it is. Raises Refused where it is nothing, or no figure that can be halved."""
    is_now = float(of.of(model.totals([assumptions], coverage=of.coverage))[0])
    if of.unit is Shown.DATE or not np.isfinite(is_now) or is_now <= 0.0:
        raise Refused(f"{of.title} is {figure(of.unit, is_now)}; there is no half of it, write a value.", code="usage")
    return is_now / 2.0


# --- as data -------------------------------------------------------------------------------------------------------


def grid_plain(deal: str, done: Grid) -> Plain:
    """Axes with their values, and of each measure the nested list of its figures; null: there is none."""
    return {
        "deal": deal,
        "axes": [
            {
                "parameter": a.parameter.name,
                "title": a.parameter.title,
                "unit": a.parameter.unit.value,
                "values": [_axis_value(a.parameter, v) for v in a.values],
            }
            for a in done.axes
        ],
        "measures": [
            {"measure": m.name, "title": m.title, "unit": m.unit.value, "values": _nested(m.unit, values)}
            for m, values in zip(done.measures, done.values, strict=True)
        ],
        "scenarios": int(np.prod(done.values.shape[1:])),
    }


def _axis_value(of: Parameter, value: float) -> float | str:
    return dates.from_serial(round(value)).isoformat() if of.unit is Unit.DATE else value


def _nested(unit: Shown, values: NDArray[np.float64]) -> Any:
    if values.ndim:
        return [_nested(unit, row) for row in values]
    figure = float(values)
    if not np.isfinite(figure):
        return None
    return dates.from_serial(round(figure)).isoformat() if unit is Shown.DATE else figure


def break_even_plain(deal: str, done: BreakEvens, defaulted: Sequence[float | None]) -> Plain:
    """Every break-even with all its crossings; `monotone` false: it holds again above the first."""
    return {
        "deal": deal,
        "target": done.target.value,
        "base_cdr": done.base,
        "tolerance": done.tolerance,
        "scenarios": done.scenarios,
        "break_evens": [
            {
                "name": f.name,
                "cdr": f.cdr,
                "basis": f.basis or None,
                "multiple_of_base": f.multiple,
                "cumulative_default": gone,
                "at_once": f.at_once,
                "monotone": f.monotone,
                "crossings": [{"low": c.low, "high": c.high, "breaks": c.breaks} for c in f.crossings],
            }
            for f, gone in zip(done.found, defaulted, strict=True)
        ],
    }


def goal_plain(deal: str, found: Goal | Frontier) -> Plain:
    """The values, ascending; none: it is not met between the ends. `misses`: by how much, where it jumps."""
    of = found.parameter
    made: Plain = {
        "deal": deal,
        "parameter": of.name,
        "unit": of.unit.value,
        "measure": found.measure.name,
        "wanted": found.wanted,
    }
    if isinstance(found, Goal):
        values = [_axis_value(of, value) for value in found.values]
        return {**made, "values": values, "misses": list(found.misses), "tolerance": found.tolerance}
    along = found.along
    rows = [
        {"at": _axis_value(along.parameter, at), "values": [_axis_value(of, value) for value in values]}
        for at, values in zip(along.values, found.values, strict=True)
    ]
    return {**made, "along": along.parameter.name, "frontier": rows}


# --- in words ------------------------------------------------------------------------------------------------------


def grid_words(done: Grid) -> str:
    """A table a measure; the last axis across, as far as it fits."""
    lines: list[str] = []
    across = done.axes[-1]
    for m, values in zip(done.measures, done.values, strict=True):
        lines += [f"{m.title} ({_unit(m.unit)}) by " + " and ".join(a.parameter.title.lower() for a in done.axes)]
        if len(done.axes) == 3:
            for value, part in zip(done.axes[0].values, values, strict=True):
                lines.append(f"{done.axes[0].parameter.title} {told(done.axes[0].parameter, value)}")
                lines += _table(done.axes[1], across, m.unit, part)
        elif len(done.axes) == 2:
            lines += _table(done.axes[0], across, m.unit, values)
        else:
            rows = zip(across.values, values, strict=True)
            lines += [f"{told(across.parameter, v):>12} {figure(m.unit, float(x)):>14}" for v, x in rows]
    return "\n".join(lines)


def _table(down: Axis, across: Axis, unit: Shown, values: NDArray[np.float64]) -> list[str]:
    shown = across.values[:_WIDEST]
    lines = [f"{'':12} " + " ".join(f"{told(across.parameter, v):>12}" for v in shown)]
    for value, row in zip(down.values, values, strict=True):
        cells = " ".join(f"{figure(unit, float(x)):>12}" for x in row[: len(shown)])
        lines.append(f"{told(down.parameter, value):>12} {cells}")
    if len(across.values) > len(shown):
        lines.append(f"{counted(len(across.values) - len(shown), 'more column')}: --json has all.")
    return lines


def figure(unit: Shown, value: float) -> str:
    """A measure in its unit; – where there is none."""
    if not np.isfinite(value):
        return "–"
    if unit is Shown.DATE:
        return dates.from_serial(round(value)).isoformat()
    if unit in (Shown.SHARE, Shown.RATE):
        return percent(value)
    return f"{value:,.0f}" if unit is Shown.MONEY else f"{value:.2f}"


def _unit(unit: Shown) -> str:
    words = {Shown.MONEY: "money", Shown.SHARE: "%", Shown.RATE: "% a year", Shown.YEARS: "years", Shown.DATE: "date"}
    return words.get(unit, "x")


def goal_words(found: Goal | Frontier) -> str:
    """The values, or a line a value of the second parameter."""
    of, wanted = found.parameter, figure(found.measure.unit, found.wanted)
    head = f"{found.measure.title} is {wanted} at a {of.title.lower()} of"
    if isinstance(found, Frontier):
        lines = [head]
        for at, values in zip(found.along.values, found.values, strict=True):
            said = ", ".join(_near(of, value) for value in values) or "none"
            lines.append(f"{found.along.parameter.title.lower()} {told(found.along.parameter, at):>12}: {said}")
        return "\n".join(lines)
    if not found.values:
        return f"{found.measure.title} is {wanted} at no {of.title.lower()} between the ends."
    jumps = [
        f"It jumps over it at {_near(of, value)}: by {figure(found.measure.unit, miss)} at the nearer side."
        for value, miss in zip(found.values, found.misses, strict=True)
        if miss > 1e-3 * max(abs(found.wanted), 1.0)
    ]
    return "\n".join([f"{head} {', '.join(_near(of, value) for value in found.values)}.", *jumps])


def _near(of: Parameter, value: float) -> str:
    """A value that was found, with as many digits as are sure."""
    return told(of, round(value, {Unit.SHARE: 6, Unit.RATE: 6, Unit.MONTHS: 2}.get(of.unit, 4)))


_HEADS: Final = {
    Target.FIRST_LOSS: "loses its first dollar above",
    Target.YIELD_ZERO: "yields less than nothing above",
    Target.TEST: "trips above",
}


def break_even_words(deal: str, done: BreakEvens, defaulted: Sequence[float | None]) -> str:
    """A line a class or test, and what is not monotone."""
    lines = [
        f"{deal}: what {_HEADS[done.target]} a default rate of (base {percent(done.base)} a year)",
        f"{'':10} {'CDR':>10} {'x base':>8} {'Defaulted':>10}",
    ]
    for f, gone in zip(done.found, defaulted, strict=True):
        basis = f"  against {f.basis}" if f.basis else ""
        if f.cdr is None:
            lines.append(f"{f.name:10} {'never':>10} {'':>8} {'':>10}{basis}".rstrip())
            continue
        multiple = "–" if f.multiple is None else f"{f.multiple:.2f}"
        lines.append(
            f"{f.name:10} {percent(f.cdr, 4):>10} {multiple:>8} {'–' if gone is None else percent(gone, 1):>10}{basis}"
        )
    lines += [sentence for f in done.found if (sentence := not_monotone(f))]
    lines.append("Defaulted: defaults over the run over the performing par at the start, reinvested assets included.")
    return "\n".join(lines)


def not_monotone(found: BreakEven) -> str:
    """What there is to say where it breaks, holds and breaks again; empty where it does not."""
    if found.monotone:
        return ""
    parts = [f"{'breaks' if c.breaks else 'holds again'} at {percent(c.low, 4)}" for c in found.crossings]
    return f"{found.name} is not monotone in the default rate: it {', '.join(parts)}."
