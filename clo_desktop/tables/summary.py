"""What the footer and the status bar say of rows: sums, weighted averages, counts. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clo_desktop.look import formats
from clo_desktop.tables.frame import Frame, Total

Rows = NDArray[np.int32]


def average(frame: Frame, rows: Rows, name: str, weight: str = "") -> float | None:
    """Average of the present values of a numeric column, weighted by a column where one is named; None of none.

    Rows without a weight, or with a weight of zero or less, do not count in a weighted average.
    """
    values = _at(frame, rows, name)
    present = ~np.isnan(values)
    if weight and weight != name:
        weights = _at(frame, rows, weight)
        present &= weights > 0.0
        weights = weights[present]
        return float(np.dot(values[present], weights) / weights.sum()) if weights.size else None
    values = values[present]
    return float(values.mean()) if values.size else None


def _at(frame: Frame, rows: Rows, name: str) -> NDArray[Any]:
    """Values of a column at rows; without a copy where they are all."""
    array = frame.array(name)
    return array if len(rows) == len(array) else array[rows]


def total(frame: Frame, rows: Rows, name: str) -> Any:
    """The footer's figure of a column: sum, average or a count by the column's footing; None where there is none."""
    footing = frame.column(name).footing
    array = _at(frame, rows, name)
    if footing is Total.SUM:
        values = array
        return None if np.isnan(values).all() else float(np.nansum(values))
    if footing is Total.AVERAGE:
        return average(frame, rows, name, frame.weight)
    if footing is Total.DISTINCT and frame.is_text(name):
        return int(np.count_nonzero(np.bincount(array + 1, minlength=1)[1:]))
    if footing is Total.YES:
        return int(np.count_nonzero(array == 1))
    return None


def total_text(frame: Frame, rows: Rows, name: str) -> str:
    """The footer's figure as it is shown; empty where there is none."""
    column = frame.column(name)
    value = total(frame, rows, name)
    if value is None:
        return ""
    if column.footing is Total.DISTINCT:
        return f"{formats.figure(value, 0)} distinct"
    if column.footing is Total.YES:
        return f"{formats.figure(value, 0)} yes"
    return formats.text(column.kind, value)


def total_meaning(frame: Frame, name: str) -> str:
    """What the footer's figure is, for its tool tip."""
    column = frame.column(name)
    weight = f"weighted by {frame.column(frame.weight).title.lower()}" if frame.weight else "of the rows shown"
    return {
        Total.SUM: "Sum of the rows shown",
        Total.AVERAGE: f"Average {weight}",
        Total.DISTINCT: "Distinct values of the rows shown",
        Total.YES: "Rows shown that are flagged",
        Total.NONE: "",
    }[column.footing]


def selection_text(frame: Frame, rows: Rows, columns: Sequence[str], told: Sequence[str]) -> str:
    """`12 selected: par 31 250 000  price 98.410  spread 3.62 %`; empty where no row is selected.

    `columns` are the columns the selection touches, `told` those always told of: money as a sum, others as averages
    weighted by the frame's weight. One numeric column on its own is told of as well, as in Excel.
    """
    if not len(rows):
        return ""
    parts = []
    for name in told:
        column = frame.column(name)
        value = total(frame, rows, name)
        if value is not None:
            parts.append(f"{column.title.lower()} {formats.with_unit(column.kind, value)}")
    if len(columns) == 1 and formats.is_number(frame.column(columns[0]).kind):
        parts += _single(frame, rows, columns[0], columns[0] in told)
    count = f"{formats.figure(len(rows), 0)} selected"
    return f"{count}: {'  '.join(parts)}" if parts else count


def _single(frame: Frame, rows: Rows, name: str, is_told: bool) -> list[str]:
    column = frame.column(name)
    mean = average(frame, rows, name)
    if mean is None or column.kind == formats.Show.MIXED:
        return []
    title = column.title.lower()
    parts = [f"{title} mean {formats.with_unit(column.kind, mean)}"]
    if not is_told:
        value = total(frame, rows, name)
        if value is not None:
            parts.insert(0, f"{title} {formats.with_unit(column.kind, value)}")
    return parts
