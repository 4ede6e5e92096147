"""Moody's asset quality matrix: the highest WARF for a lowest spread and a lowest diversity (spec 11.1).

The manager elects a point; between rows and columns the cells are interpolated. Recovery above a base rate raises the
WARF limit or lowers the spread limit by modifiers, in the shares the manager allots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.compliance.readings import Readings
from engine.compliance.tables import Table, Tables
from engine.pool import Floats
from engine.terms import Deal, lookup, number

MATRIX: Final = "Quality Matrix"
"""Label of the table's name ("moodys_matrix_example"), or with a spread ("Quality Matrix 3.75%") of one row of the
deal's own matrix: WARF limits with semicolons between, for the diversities beside "Quality Matrix Diversity"."""

_ROW: Final = re.compile(r"quality matrix\s+(?:(factor|spread)\s+)?(\d+(?:\.\d+)?)\s*%?$", re.IGNORECASE)
"""A row of limits, or with "Factor" or "Spread" one of modifiers: WARF points, or basis points, for 1 % of recovery."""


@dataclass(frozen=True, slots=True, eq=False)
class QualityMatrix:
    """spreads float64[r] ascending, fraction a year; diversities float64[c] ascending; warf float64[r, c].

    factor_per_point  WARF points by which 1 % of recovery above the base raises the limit, float64[r, c]
    spread_per_point  fraction a year by which it lowers the spread limit, float64[r, c]
    """

    spreads: Floats
    diversities: Floats
    warf: Floats
    factor_per_point: Floats
    spread_per_point: Floats

    def at(self, values: Floats, spread: float, diversity: float) -> float:
        """One of the arrays, interpolated. Raises ValueError outside the matrix."""
        for what, given, axis in (("spread", spread, self.spreads), ("diversity", diversity, self.diversities)):
            if not axis[0] - 1e-12 <= given <= axis[-1] + 1e-12:
                raise ValueError(
                    f"The elected {what} {given:g} lies outside the quality matrix ({axis[0]:g} to {axis[-1]:g}); "
                    f"elect one inside."
                )
        row, up = _place(self.spreads, spread)
        column, across = _place(self.diversities, diversity)
        low = values[row, column] * (1 - across) + values[row, column + 1] * across
        high = values[row + 1, column] * (1 - across) + values[row + 1, column + 1] * across
        return float(low * (1 - up) + high * up)

    def refined(self, step: float, columns: int = 1) -> QualityMatrix:
        """The matrix with interpolated rows every `step` of spread and every `columns` of diversity."""
        count = max(1, round((self.spreads[-1] - self.spreads[0]) / step))
        spreads = np.linspace(self.spreads[0], self.spreads[-1], count + 1)
        diversities = np.arange(self.diversities[0], self.diversities[-1] + 1e-9, columns)

        def fill(values: Floats) -> Floats:
            across = np.array([np.interp(diversities, self.diversities, row) for row in values])
            return np.array([np.interp(spreads, self.spreads, column) for column in across.T]).T

        parts = (fill(v) for v in (self.warf, self.factor_per_point, self.spread_per_point))
        return QualityMatrix(spreads, diversities, *parts)


def _place(axis: Floats, given: float) -> tuple[int, float]:
    """The cell of an axis and how far into it."""
    if axis.size < 2:
        raise ValueError("The quality matrix needs two rows and two columns at least.")
    cell = int(np.clip(np.searchsorted(axis, given, side="right") - 1, 0, axis.size - 2))
    return cell, float((given - axis[cell]) / (axis[cell + 1] - axis[cell]))


@dataclass(frozen=True, slots=True, eq=False)
class Cushions:
    """What every cell leaves: float64[r, c] each. `slack` is the smallest of the three as a share of its limit.

    best    (row, column) of the largest slack; at it `tightest` names the dimension that binds
    """

    spread_limit: Floats
    factor_limit: Floats
    spread: Floats
    diversity: Floats
    factor: Floats
    slack: Floats
    best: tuple[int, int]
    tightest: str

    @property
    def feasible(self) -> Floats:
        """Whether all three tests pass at a cell."""
        return np.asarray(self.slack >= -1e-13)


def cushions(
    matrix: QualityMatrix, spread: float, diversity: float, factor: float, to_factor: float, to_spread: float
) -> Cushions:
    """The pool (its spread, diversity and WARF) against every cell.

    to_factor, to_spread  recovery above the base, in percent points, as far as it is allotted to either limit
    """
    factor_limit = matrix.warf + to_factor * matrix.factor_per_point
    spread_limit = matrix.spreads[:, None] - to_spread * matrix.spread_per_point
    floor = np.broadcast_to(matrix.diversities[None, :], matrix.warf.shape)
    parts = (spread - spread_limit, diversity - floor, factor_limit - factor)
    shares = np.stack([p / np.abs(b) for p, b in zip(parts, (spread_limit, floor, factor_limit), strict=True)])
    slack = shares.min(axis=0)
    # among cells that bind alike the one whose other limits leave more
    second, third = np.sort(shares, axis=0)[1:]
    level = slack >= slack.max() - 1e-12
    order = np.lexsort((third.ravel(), np.round(second, 12).ravel(), level.ravel()))
    row, column = np.unravel_index(int(order[-1]), slack.shape)
    tightest = ("spread", "diversity", "rating factor")[int(shares[:, row, column].argmin())]
    return Cushions(spread_limit, factor_limit, *parts, slack, (int(row), int(column)), tightest)


def of_table(table: Table, factor_per_point: float, spread_per_point: float) -> QualityMatrix:
    """The matrix that a reference table holds: (spread in percent, diversity) -> WARF."""
    spreads = sorted({float(s) for s, _ in table.entries})
    diversities = sorted({float(d) for _, d in table.entries})
    by_cell = {(float(s), float(d)): value for (s, d), value in table.entries.items()}
    warf = np.array([[by_cell[s, d] for d in diversities] for s in spreads])
    return QualityMatrix(
        np.array(spreads) / 100.0,
        np.array(diversities),
        warf,
        np.full(warf.shape, factor_per_point),
        np.full(warf.shape, spread_per_point),
    )


def of_deal(deal: Deal, tables: Tables) -> QualityMatrix | None:
    """The deal's matrix: its own rows, or the table it names; None where it has neither. Raises ValueError."""
    factor = number(deal.quality_inputs, "Matrix Factor per Recovery Point") or 0.0
    spread = number(deal.quality_inputs, "Matrix Spread per Recovery Point") or 0.0
    rows: dict[str, dict[float, object]] = {"": {}, "factor": {}, "spread": {}}
    for label, value in deal.quality_inputs:
        match = _ROW.match(label.strip())
        if match is not None and value is not None:
            rows[(match[1] or "").casefold()][float(match[2])] = value
    if rows[""]:
        columns = lookup(deal.quality_inputs, f"{MATRIX} Diversity")
        table = Table("", "", "", "", "", (), _own_cells(MATRIX, rows[""], columns))
        made = of_table(table, factor, spread)
        return replace(
            made,
            factor_per_point=_modifiers("Factor", rows["factor"], columns, made, made.factor_per_point),
            spread_per_point=_modifiers("Spread", rows["spread"], columns, made, made.spread_per_point * 1e4) / 1e4,
        )
    named = lookup(deal.quality_inputs, MATRIX)
    if named is None:
        return None
    if str(named) not in tables:
        raise ValueError(f"“{MATRIX}”: there is no reference table {named}; name one, or give its rows.")
    return of_table(tables[str(named)], factor, spread)


def _modifiers(
    which: str, rows: Mapping[float, object], columns: object, matrix: QualityMatrix, otherwise: Floats
) -> Floats:
    """The modifiers of every cell, or `otherwise` where the deal gives no rows of them."""
    if not rows:
        return otherwise
    cells = _own_cells(f"{MATRIX} {which}", rows, columns)
    spreads = [f"{s * 100:g}" for s in matrix.spreads]
    missing = next((s for s in spreads if float(s) not in rows), None)
    if missing is not None:
        raise ValueError(f"“{MATRIX} {which}” has no row for {missing}%; give one for each spread of the matrix.")
    return np.array([[cells[s, f"{d:g}"] for d in matrix.diversities] for s in spreads])


def _own_cells(name: str, rows: Mapping[float, object], columns: object) -> dict[tuple[str, ...], float]:
    diversities = _numbers(f"{MATRIX} Diversity", columns)
    cells: dict[tuple[str, ...], float] = {}
    for spread, row in rows.items():
        limits = _numbers(f"{name} {spread:g}%", row)
        if len(limits) != len(diversities):
            raise ValueError(
                f"“{name} {spread:g}%” has {len(limits)} figures for {len(diversities)} diversities; "
                f"give one for each, with semicolons between."
            )
        cells |= {(f"{spread:g}", f"{d:g}"): limit for d, limit in zip(diversities, limits, strict=True)}
    return cells


def _numbers(label: str, cell: object) -> list[float]:
    try:
        found = [float(part) for part in str(cell).replace(",", "").split(";")]
    except ValueError:
        found = []
    if not found or not np.isfinite(found).all():
        raise ValueError(f"“{label}” cannot be {cell!r}; it holds numbers with semicolons between, such as 2785; 2835.")
    return found


def allotted(readings: Readings, recovery: float, base: float) -> tuple[float, float]:
    """Percent points of recovery above the base that go to the WARF limit and to the spread limit (never below 0)."""
    points = max(0.0, min(recovery, readings.recovery_cap) - base) * 100.0
    share = readings.recovery_share
    return (points, points) if share is None else (points * share, points * (1.0 - share))
