"""The column store of a pool: positions as arrays, one array a field."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import dates, ratings
from engine.asset import COLUMN_BY_NAME, NUMERIC, Asset, Column, Kind

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Texts = NDArray[np.object_]

_APOSTROPHES: Final = str.maketrans({"’": "'", "‘": "'", "`": "'"})


def fold(text: str) -> str:
    """The form in which texts are compared: trimmed, upper case, plain apostrophes."""
    return " ".join(text.translate(_APOSTROPHES).upper().split())


class Pool:
    """Positions of a deal, read only.

    assets   the assets, in the order of the holdings (n of them)
    par      float64[n]  outstanding par, deal currency

    Fields come as arrays of length n, made once when first asked for.
    """

    def __init__(self, positions: Iterable[tuple[Asset, float]]) -> None:
        pairs = tuple(positions)
        self.assets: tuple[Asset, ...] = tuple(asset for asset, _ in pairs)
        self.par: Floats = np.array([par for _, par in pairs], dtype=np.float64)
        self.par.flags.writeable = False
        self._arrays: dict[tuple[str, str], NDArray[Any]] = {}

    def __len__(self) -> int:
        return len(self.assets)

    def numbers(self, name: str) -> Floats:
        """float64[n]; a date as its serial, a rating as its rank, NaN where missing."""
        kind = COLUMN_BY_NAME[name].kind

        def one(asset: Asset) -> float:
            value = getattr(asset, name)
            if value is None:
                return np.nan
            if kind is Kind.DATE:
                return float(dates.serial(value))
            if kind in (Kind.MOODYS, Kind.SP):
                place = ratings.rank(value)
                return np.nan if place is None else float(place)
            return float(value)

        return self._kept("number", name, lambda: np.array([one(a) for a in self.assets], dtype=np.float64))

    def flags(self, name: str) -> Flags:
        """bool[n]; a missing flag is not raised."""
        return self._kept("flag", name, lambda: np.array([bool(getattr(a, name)) for a in self.assets], dtype=np.bool_))

    def texts(self, name: str) -> Texts:
        """object[n] of folded texts, "" where missing."""

        def build() -> Texts:
            made = np.empty(len(self.assets), dtype=object)
            made[:] = [fold(str(v)) if (v := getattr(a, name)) is not None else "" for a in self.assets]
            return made

        return self._kept("text", name, build)

    def codes(self, name: str) -> tuple[Texts, NDArray[np.int64]]:
        """The distinct folded texts of a field, sorted, and the code of each position: (object[k], int64[n])."""
        keys, codes = np.unique(self.texts(name).astype(str), return_inverse=True)
        return keys.astype(object), codes.astype(np.int64).reshape(-1)

    def _kept(self, form: str, name: str, build: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        key = (form, name)
        if key not in self._arrays:
            made = build()
            made.flags.writeable = False
            self._arrays[key] = made
        return self._arrays[key]


def is_numeric(column: Column) -> bool:
    """Whether filters compare the column by number (dates and ratings count: they have an order)."""
    return column.kind in NUMERIC or column.kind in (Kind.DATE, Kind.MOODYS, Kind.SP)
