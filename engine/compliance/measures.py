"""What tests average or sum: measures of an asset as arrays, and Moody's diversity score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from engine import ratings
from engine.compliance.readings import Readings
from engine.pool import Flags, Floats, Pool

Measure = Callable[[Pool, float, Readings], Floats]
"""(pool, current index, readings) -> float64[n], NaN where the asset lacks what is needed."""


def floating_spread(pool: Pool, index: float, readings: Readings) -> Floats:
    """Spread counted in the weighted average floating spread (spec 3.2), fraction per year."""
    spread = pool.numbers("coupon_spread")
    floor = np.nan_to_num(pool.numbers("index_floor"), nan=0.0)
    if readings.floating_spread == "floor":
        adjustment = np.nan_to_num(pool.numbers("credit_spread_adjustment"), nan=0.0)
        return spread + adjustment + np.maximum(0.0, floor - index)
    is_libor = np.array(["LIBOR" in text for text in pool.texts("index_name")], dtype=np.bool_)
    return np.where(~is_libor | (floor > index), pool.numbers("coupon") - index, spread)


def rating_factor(pool: Pool, _index: float, _readings: Readings) -> Floats:
    """Moody's rating factor of the WARF rating; 10,000 where there is none (spec 3.3)."""
    return np.array([ratings.rating_factor(a.moodys_rating_warf) for a in pool.assets], dtype=np.float64)


MEASURES: Final[Mapping[str, Measure]] = {
    "floating_spread": floating_spread,
    "rating_factor": rating_factor,
    "recovery_rate": lambda pool, _index, _readings: pool.numbers("moodys_recovery_rate"),
    "coupon": lambda pool, _index, _readings: pool.numbers("coupon"),
    "wal": lambda pool, _index, _readings: pool.numbers("wal"),
}


def coverage_value(pool: Pool, readings: Readings) -> Floats:
    """float64[n]: par as the junior coverage test counts it (spec 3.7).

    Defaulted at price or at the lower of price and recovery rate; deferring at the recovery rate; otherwise par. What
    has neither price nor rate counts for nothing.
    """
    price = np.nan_to_num(pool.numbers("market_value"), nan=0.0) / 100.0
    recovery = np.nan_to_num(pool.numbers("moodys_recovery_rate"), nan=0.0)
    defaulted_at = np.minimum(price, recovery) if readings.defaulted_value == "lower" else price
    share = np.where(pool.flags("defaulted"), defaulted_at, np.where(pool.flags("piking"), recovery, 1.0))
    return pool.par * share


_GRID_UNITS: Final = np.array([0.0, 1.0, 3.0, 6.0, 10.0, 20.0])
_GRID_SCORE: Final = np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0])


def diversity_points(units: Floats, readings: Readings) -> Floats:
    """Diversity score of each industry from its equivalent units (Moody's table, spec 3.6), 5 at the most.

    The table's 201 entries are the piecewise-linear rule rounded to four decimals at every tenth.
    """
    if readings.diversity_units == "interpolated":
        return np.asarray(np.interp(units, _GRID_UNITS, _GRID_SCORE))
    tenths = np.rint(units * 10.0) / 10.0
    return np.asarray(np.round(np.interp(tenths, _GRID_UNITS, _GRID_SCORE), 4))


def diversity_score(pool: Pool, included: Flags, readings: Readings) -> tuple[float, Floats]:
    """Moody's diversity score of the positions `included`, and each position's share of it (float64[n]).

    Obligor par over the average obligor par, one unit at the most; units added up by Moody's industry (that of the
    obligor's first position).
    """
    shares = np.zeros(len(pool))
    where = np.flatnonzero(included)
    if where.size == 0:
        return 0.0, shares
    _, obligor = np.unique(pool.texts("issuer_id")[where].astype(str), return_inverse=True)
    names, industry = np.unique(pool.texts("moodys_industry")[where].astype(str), return_inverse=True)
    par = np.bincount(obligor, weights=pool.par[where])
    first = np.full(par.size, -1, dtype=np.int64)
    for place, k in enumerate(obligor):
        if first[k] < 0:
            first[k] = industry[place]
    mean = par.mean()
    if mean <= 0.0:
        return 0.0, shares
    units = np.minimum(1.0, par / mean)
    by_industry = np.bincount(first, weights=units, minlength=names.size).astype(np.float64)
    points = diversity_points(by_industry, readings)
    with np.errstate(divide="ignore", invalid="ignore"):
        point_per_unit = np.where(by_industry > 0, points / by_industry, 0.0)
        of_obligor = np.where(par[obligor] > 0, pool.par[where] / par[obligor], 0.0)
    shares[where] = units[obligor] * point_per_unit[first[obligor]] * of_obligor
    return float(points.sum()), shares
