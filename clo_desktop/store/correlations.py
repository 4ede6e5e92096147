"""Correlations of borrowers, one row for the whole matrix: the names, and the triangle below the diagonal.

The triangle is packed row by row as float64, little-endian: of n borrowers n (n - 1) / 2 numbers, NaN for a pair that
nothing is known of. The diagonal is 1 and the upper triangle the lower. Names are compared without case. The functions
work inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from clo_desktop.faults import Refused
from clo_desktop.store import signed
from clo_desktop.store.schema import asset_correlations

CODE: Final = "correlations"
TOLERANCE: Final = 1e-8
"""How far below zero rounding may push the smallest eigenvalue, and how far two halves of a matrix may differ."""

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Correlations:
    """A matrix by borrowers. Raises Refused for one that is none.

    matrix  n x n: symmetric, 1 on the diagonal, within [-1, 1], NaN for a pair that nothing is known of
    source  where it comes from, for people
    changed_by, changed_at  who stored it and when; empty and None for one that is not stored yet
    """

    borrowers: tuple[str, ...]
    matrix: Matrix
    source: str
    changed_by: str = ""
    changed_at: dt.datetime | None = field(default=None)

    def __post_init__(self) -> None:
        _check(self.borrowers, self.matrix)

    @property
    def known_pairs(self) -> int:
        """Pairs of different borrowers whose correlation is known."""
        return int(np.count_nonzero(~np.isnan(self.matrix[np.tril_indices(len(self.borrowers), -1)])))

    @property
    def smallest_eigenvalue(self) -> float:
        """Of the matrix with 0 for pairs that nothing is known of; below 0 it belongs to no set of random variables."""
        if not self.borrowers:
            return 0.0
        return float(np.linalg.eigvalsh(np.nan_to_num(self.matrix, nan=0.0))[0])

    @property
    def warning(self) -> str:
        """What is doubtful about the matrix, as a sentence; empty for nothing."""
        smallest = self.smallest_eigenvalue
        if smallest >= -TOLERANCE * max(len(self.borrowers), 1):
            return ""
        missing = "; pairs that are missing count as 0" if np.isnan(self.matrix).any() else ""
        return (
            f"The matrix is not positive semi-definite (its smallest eigenvalue is {smallest:.6g}{missing}): no asset "
            "values can be correlated like that; check the pairs with the largest coefficients."
        )

    def over(self, other: Correlations | None) -> Correlations:
        """These correlations with those pairs of `other` that are not known here."""
        if other is None:
            return self
        spelled: dict[str, str] = {}
        for name in (*other.borrowers, *self.borrowers):  # in the order that is stored
            spelled.setdefault(name.casefold(), name)
        place = {name: at for at, name in enumerate(spelled)}
        joined = np.full((len(spelled), len(spelled)), np.nan)
        for one in (other, self):
            at = np.array([place[name.casefold()] for name in one.borrowers], dtype=np.intp)
            held = joined[np.ix_(at, at)]
            joined[np.ix_(at, at)] = np.where(np.isnan(one.matrix), held, one.matrix)
        np.fill_diagonal(joined, 1.0)
        source = self.source if other.source == self.source else f"{self.source}; else {other.source}"
        return Correlations(tuple(spelled.values()), joined, source)

    def equals(self, other: Correlations | None) -> bool:
        """Whether both say the same of the same borrowers in the same order."""
        return (
            other is not None
            and self.borrowers == other.borrowers
            and np.array_equal(self.matrix, other.matrix, equal_nan=True)
        )


def _check(borrowers: Sequence[str], matrix: Matrix) -> None:
    if len({name.casefold() for name in borrowers}) != len(borrowers):
        raise Refused("A borrower is there twice in the correlations; give each one row and column.", code=CODE)
    if matrix.shape != (len(borrowers), len(borrowers)):
        raise Refused(
            f"The matrix of correlations is {' x '.join(map(str, matrix.shape))} and there are {len(borrowers)} "
            "borrowers; give as many rows and columns.",
            code=CODE,
        )
    known = ~np.isnan(matrix)
    if not np.all(np.diag(matrix) == 1.0):
        at = int(np.argmax(np.diag(matrix) != 1.0))
        raise Refused(f"{borrowers[at]} has a correlation with itself that is not 1; correct the diagonal.", code=CODE)
    wrong = known & ((matrix < -1.0) | (matrix > 1.0))
    if wrong.any():
        i, j = (int(at[0]) for at in np.nonzero(wrong))
        raise Refused(
            f"The correlation of {borrowers[i]} and {borrowers[j]} is {matrix[i, j]:g}; it is between -1 and 1.",
            code=CODE,
        )
    differs = ~np.isclose(matrix, matrix.T, rtol=0.0, atol=TOLERANCE, equal_nan=True)
    if differs.any():
        i, j = (int(at[0]) for at in np.nonzero(differs))
        raise Refused(
            f"The correlation of {borrowers[i]} and {borrowers[j]} is {matrix[i, j]:g} one way and {matrix[j, i]:g} "
            "the other; make both the same.",
            code=CODE,
        )


def packed(matrix: Matrix) -> bytes:
    """The triangle below the diagonal."""
    return matrix[np.tril_indices(len(matrix), -1)].astype("<f8").tobytes()


def unpacked(triangle: bytes, count: int) -> Matrix:
    """The matrix of `count` borrowers. Raises ValueError for a triangle of another size."""
    values = np.frombuffer(triangle, dtype="<f8")
    below = np.tril_indices(count, -1)
    if len(values) != len(below[0]):
        raise ValueError(f"{len(values)} numbers are no triangle of {count} borrowers")
    matrix = np.eye(count)
    matrix[below] = values
    matrix.T[below] = values
    return matrix


def load(on: sa.Connection) -> Correlations | None:
    """The stored matrix; None where there is none. Raises Refused where it is not what its hash says."""
    table = asset_correlations
    row = on.execute(sa.select(table).order_by(table.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    try:
        if hashlib.sha256(row.packed).hexdigest() != row.sha256:
            raise ValueError("its hash is another")
        matrix = unpacked(bytes(row.packed), len(row.borrowers))
    except ValueError as reason:
        raise Refused(
            f"The stored correlations were changed by another program or are damaged ({reason}); import them again, "
            "or restore a backup.",
            code="damaged",
        ) from reason
    return Correlations(tuple(row.borrowers), matrix, row.source, row.changed_by, row.changed_at)


def of_pair(on: sa.Connection, one: str, other: str) -> float | None:
    """The correlation of two borrowers; None where nothing is known of it. Eight bytes of the matrix are read."""
    table = asset_correlations
    row = on.execute(sa.select(table.c.id, table.c.borrowers).order_by(table.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    place = {name.casefold(): at for at, name in enumerate(row.borrowers)}
    a, b = place.get(one.strip().casefold()), place.get(other.strip().casefold())
    if a is None or b is None:
        return None
    if a == b:
        return 1.0
    high, low = max(a, b), min(a, b)
    start = 8 * (high * (high - 1) // 2 + low)
    found: Any = on.scalar(
        sa.select(sa.func.substr(table.c.packed, start + 1, 8, type_=sa.LargeBinary)).where(table.c.id == row.id)
    )
    (value,) = struct.unpack("<d", bytes(found))
    return None if value != value else float(value)


def put(on: sa.Connection, new: Correlations, by: str, now: dt.datetime) -> bool:
    """Store the matrix in the place of the one before; whether anything was different."""
    triangle = packed(new.matrix)
    values = {
        "borrowers": list(new.borrowers),
        "packed": triangle,
        "sha256": hashlib.sha256(triangle).hexdigest(),
        "source": new.source,
    }
    return signed.put(on, asset_correlations, {}, values, by, now)
