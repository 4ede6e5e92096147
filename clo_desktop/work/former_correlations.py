"""Rows (borrower_1, borrower_2, correlation_coefficient) of the former system as one matrix. No Qt."""

from __future__ import annotations

import math
from array import array
from typing import Any, Final

import numpy as np

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.store import Correlations
from clo_desktop.work.former_assets import folded
from clo_desktop.work.former_files import CODE, Missed, Table

MOST_BORROWERS: Final = 4000
"""A matrix of so many takes 64 MB packed."""

_STEP: Final = 50_000  # rows between two reports
_HEADS: Final = (
    ("borrower1", "issuer1", "obligor1", "asset1", "borrowera"),
    ("borrower2", "issuer2", "obligor2", "asset2", "borrowerb"),
    ("correlationcoefficient", "correlation", "coefficient", "rho"),
)


def columns_of(table: Table) -> tuple[str, str, str] | None:
    """The names of the three columns; None for a table that holds no correlations."""
    known = {folded(name): name for name in table.columns}
    found = [next((known[head] for head in heads if head in known), None) for heads in _HEADS]
    one, other, coefficient = found
    return None if one is None or other is None or coefficient is None else (one, other, coefficient)


def read(
    table: Table, columns: tuple[str, str, str], source: str, report: Progress = silent
) -> tuple[Correlations | None, int, list[Missed]]:
    """The matrix (None: no row was understood), how many rows went into it, and the rows that were not understood.

    A pair may stand there once or in both directions, a borrower with itself is 1. Raises Refused for more borrowers
    than fit, Cancelled when `report` says so.
    """
    place: dict[str, int] = {}
    spelled: list[str] = []
    high, low, value, number = array("q"), array("q"), array("d"), array("q")
    missed: list[Missed] = []
    total, used = max(table.count, 1), 0

    def at(name: str) -> int:
        key = name.casefold()
        if key not in place:
            if len(spelled) >= MOST_BORROWERS:
                raise Refused(
                    f"{table.name} names more than {MOST_BORROWERS:,} borrowers; leave out those that no deal holds.",
                    code=CODE,
                )
            place[key] = len(spelled)
            spelled.append(name)
        return place[key]

    for row, (one, other, coefficient) in table.rows(columns):
        if row % _STEP == 0:
            report(0.8 * row / total, f"Reading {table.name}")
        why = _fault(one, other, coefficient)
        if why:
            missed.append(Missed(table.name, row, f"{one!r:.40}, {other!r:.40} = {coefficient!r:.30}", why))
            continue
        a, b = at(one.strip()), at(other.strip())
        if a == b:
            used += 1
            continue
        high.append(max(a, b))
        low.append(min(a, b))
        value.append(float(coefficient))
        number.append(row)
    if not spelled:
        return None, 0, missed
    matrix = np.full((len(spelled), len(spelled)), np.nan)
    np.fill_diagonal(matrix, 1.0)
    h, k, v, n = (np.array(some) for some in (high, low, value, number))
    if len(n):
        # the first row of each pair holds; others must say the same
        _, first, pair = np.unique(h * len(spelled) + k, return_index=True, return_inverse=True)
        matrix[h[first], k[first]] = matrix[k[first], h[first]] = v[first]
        differs = np.abs(v - v[first][pair]) > 1e-9
        used += int(np.count_nonzero(~differs))
        for i in np.flatnonzero(differs):
            before = first[pair[i]]
            why = f"row {n[before]:,} says {v[before]:g} of the same pair, and it was taken; keep one of them."
            missed.append(Missed(table.name, int(n[i]), f"{spelled[h[i]]}, {spelled[k[i]]} = {v[i]:g}", why))
    report(0.9, "Checking the matrix")
    return Correlations(tuple(spelled), matrix, source), used, sorted(missed, key=lambda one: one.row or 0)


def _fault(one: Any, other: Any, coefficient: Any) -> str:
    """Why a row cannot be used, with the remedy; empty where it can."""
    if not all(isinstance(name, str) and name.strip() and name.isprintable() for name in (one, other)):
        return "a borrower has no name; fill both."
    if isinstance(coefficient, bool) or not isinstance(coefficient, int | float) or not math.isfinite(coefficient):
        return "the coefficient is no number; write one between -1 and 1."
    if not -1.0 <= coefficient <= 1.0:
        return "the coefficient is not between -1 and 1; correct it."
    if one.strip().casefold() == other.strip().casefold() and coefficient != 1.0:
        return "a borrower's correlation with itself is 1; correct it or delete the row."
    return ""
