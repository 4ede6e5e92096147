"""Every combination of one, two or three parameters, and what is measured in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.measures import Measure
from engine.studies.parameters import Axis

Floats = NDArray[np.float64]
Report = Callable[[float, str], None]

THREADS: Final = 2
MOST_AXES: Final = 3
MOST_SCENARIOS: Final = 250_000


def silent(_fraction: float, _what: str) -> None:
    """A progress that reports nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Measures over the axes.

    values  float64[n_measures, *lengths of the axes]; NaN where there is no such figure
    """

    base: Assumptions
    axes: tuple[Axis, ...]
    measures: tuple[Measure, ...]
    values: Floats


def scenarios(model: Model, base: Assumptions, axes: Sequence[Axis]) -> list[Assumptions]:
    """Every combination, the last axis fastest. Raises ValueError where one is no scenario."""
    made = [base]
    for axis in axes:
        made = [axis.parameter.put(model, one, value) for one in made for value in axis.values]
    return made


def grid(
    model: Model,
    base: Assumptions,
    axes: Sequence[Axis],
    measures: Sequence[Measure],
    *,
    threads: int = THREADS,
    report: Report = silent,
) -> Grid:
    """Runs every combination. Raises ValueError for axes that do not go together or combinations too many."""
    names = [axis.parameter.name for axis in axes]
    if not 1 <= len(axes) <= MOST_AXES:
        raise ValueError(f"A grid has 1 to {MOST_AXES} parameters, not {len(axes)}.")
    if twice := {name for name in names if names.count(name) > 1} or ({"severity", "recovery"} <= set(names)):
        words = ", ".join(sorted(twice)) if isinstance(twice, set) else "severity and recovery"
        raise ValueError(f"The axes of a grid are of different things; {words} stand for one and the same.")
    shape = tuple(len(axis.values) for axis in axes)
    if (count := int(np.prod(shape))) > MOST_SCENARIOS:
        raise ValueError(f"A grid has at most {MOST_SCENARIOS:,} scenarios; these are {count:,}. Take fewer values.")
    totals = model.totals(
        scenarios(model, base, axes), threads=threads, coverage=any(m.coverage for m in measures), report=report
    )
    values = np.array([measure.of(totals) for measure in measures]).reshape(len(measures), *shape)
    return Grid(base, tuple(axes), tuple(measures), values)
