"""Moody's diversity score (spec compliance-risk 3.6)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.compliance.readings import Readings
from engine.pool import Flags, Floats, Pool, Texts

_GRID_UNITS: Final = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 20.0])
_GRID_SCORE: Final = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])


def diversity_points(units: Floats, readings: Readings) -> Floats:
    """Diversity score of each industry from its equivalent units (Moody's table), 5 at the most.

    The table's 201 entries are the piecewise-linear rule rounded to four decimals at every tenth.
    """
    if readings.diversity_units == "interpolated":
        return np.asarray(np.interp(units, _GRID_UNITS, _GRID_SCORE))
    if readings.diversity_units == "band":  # a unit that sums to the edge of its band has reached it
        tenths = np.floor(units * 10.0 + 0.5 + 1e-9) / 10.0
    else:
        tenths = np.rint(units * 10.0) / 10.0
    return np.asarray(np.round(np.interp(tenths, _GRID_UNITS, _GRID_SCORE), 4))


def obligors(pool: Pool, readings: Readings) -> Texts:
    """object[n]: the issuer id each position counts under, affiliates as one."""
    texts = pool.texts("issuer_id")
    if not readings.affiliates:
        return texts
    heads = dict(readings.affiliates)
    made = np.empty(len(pool), dtype=object)
    made[:] = [heads.get(text, text) for text in texts]
    return made


class Diversity:
    """The score of the positions `included`, for any par vector: obligors and industries are coded once.

    where  int64  places of the included positions;  obligor, industry  int64  the codes of each of them
    """

    def __init__(self, pool: Pool, included: Flags, readings: Readings) -> None:
        self.where = np.flatnonzero(included)
        self._readings = readings
        names, codes = np.unique(obligors(pool, readings)[self.where].astype(str), return_inverse=True)
        industries, industry = np.unique(pool.texts("moodys_industry")[self.where].astype(str), return_inverse=True)
        self.obligor: NDArray[np.int64] = codes.astype(np.int64).reshape(-1)
        self.industry: NDArray[np.int64] = industry.astype(np.int64).reshape(-1)
        self.n_obligors, self.n_industries = names.size, industries.size

    def _parts(self, par: Floats) -> tuple[Floats, Floats, NDArray[np.int64], Floats] | None:
        """Par and units of each obligor, its industry, and the units of each industry; None where nothing is held."""
        held = par[self.where]
        totals: Floats = np.bincount(self.obligor, weights=held, minlength=self.n_obligors).astype(np.float64)
        counted = np.bincount(self.obligor, weights=held != 0.0, minlength=self.n_obligors) > 0
        count = int(counted.sum())
        mean = totals.sum() / count if count else 0.0
        if mean <= 0.0:
            return None
        units: Floats = np.where(counted, np.minimum(1.0, totals / mean), 0.0)
        of_obligor = self.industries(held)
        by_industry: Floats = np.bincount(of_obligor, weights=units, minlength=self.n_industries).astype(np.float64)
        return totals, units, of_obligor, by_industry

    def industries(self, held: Floats) -> NDArray[np.int64]:
        """int64[n_obligors]: that of the obligor's first or largest position with par; `held` is par of `where`."""
        made = np.zeros(self.n_obligors, dtype=np.int64)
        if self._readings.diversity_industry == "first":
            order = np.flatnonzero(held != 0.0)[::-1]  # the first is written last
        else:
            place = self.obligor * self.n_industries + self.industry
            by_industry = np.bincount(place, weights=held, minlength=self.n_obligors * self.n_industries)
            return np.asarray(by_industry.reshape(self.n_obligors, self.n_industries).argmax(axis=1))
        made[self.obligor[order]] = self.industry[order]
        return made

    def score(self, par: Floats) -> float:
        parts = self._parts(par)
        return 0.0 if parts is None else float(diversity_points(parts[3], self._readings).sum())

    def shares(self, par: Floats) -> Floats:
        """float64[n]: the part of the score that each position brings."""
        made = np.zeros(par.size)
        parts = self._parts(par)
        if parts is None:
            return made
        totals, units, of_obligor, by_industry = parts
        points = diversity_points(by_industry, self._readings)
        with np.errstate(divide="ignore", invalid="ignore"):
            point_per_unit = np.where(by_industry > 0, points / by_industry, 0.0)
            mine = np.where(totals[self.obligor] > 0, par[self.where] / totals[self.obligor], 0.0)
        made[self.where] = units[self.obligor] * point_per_unit[of_obligor[self.obligor]] * mine
        return made

    def names(self, par: Floats) -> int:
        """How many obligors are held."""
        return int(np.unique(self.obligor[par[self.where] != 0.0]).size)


def diversity_score(pool: Pool, included: Flags, readings: Readings) -> tuple[float, Floats]:
    """Moody's diversity score of the positions `included`, and each position's share of it (float64[n]).

    Obligor par over the average obligor par, one unit at the most; units added up by Moody's industry.
    """
    made = Diversity(pool, included, readings)
    return made.score(pool.par), made.shares(pool.par)
