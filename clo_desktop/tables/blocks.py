"""Blocks of cells: runs of rows, where Ctrl+arrow goes, what a grid keeps over a reset. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clo_desktop.tables.frame import Frame


@dataclass(frozen=True, slots=True)
class Kept:
    """What a grid keeps over a reset of its model.

    current  frame row (-1: none), column and whether the cell was in sight
    groups   of the selection: first and last column with the frame rows
    scroll   values of the horizontal and the vertical scroll bar
    """

    frame: Frame
    current_row: int
    current_column: int
    current_visible: bool
    groups: list[tuple[int, int, NDArray[np.int32]]]
    scroll: tuple[int, int]


def runs(rows: NDArray[np.integer]) -> list[tuple[int, int]]:
    """First and last of each run of consecutive numbers in a sorted array."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > 1)
    starts = np.concatenate((rows[:1], rows[breaks + 1]))
    ends = np.concatenate((rows[breaks], rows[-1:]))
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def block_edge(present: NDArray[np.bool_], at: int, step: int) -> int:
    """Where Ctrl+arrow goes from `at`, as in Excel.

    Inside a block of filled cells to its end; from its end or from a blank to the next filled cell; else to the edge.
    """
    ahead = present[at + 1 :] if step > 0 else present[:at][::-1]
    if not len(ahead):
        return at
    inside = bool(present[at] and ahead[0])
    hits = np.flatnonzero(~ahead if inside else ahead)
    if not len(hits):
        return at + step * len(ahead)
    return at + step * (int(hits[0]) if inside else int(hits[0]) + 1)
