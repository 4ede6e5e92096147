"""What tests average or sum: measures of an asset as arrays. NaN: the asset lacks what is needed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Final

import numpy as np

from engine import dates, ratings
from engine.asset import Asset
from engine.compliance.readings import Readings
from engine.compliance.tables import Tables
from engine.pool import Floats, Pool, fold
from engine.ratings import recovery
from engine.ratings.recovery import LIABILITIES, Entries
from engine.ratings.rules import Derived, Rate
from engine.ratings.sp import fitch_rating, sp_rating


@dataclass(frozen=True, slots=True)
class Basis:
    """What measures go by besides the pool.

    index   current index of the deal, fraction a year
    sets    named sets of countries
    senior  recovery rating of an issuer's senior debt by issuer (senior_recovery_ratings of the whole asset master)
    """

    index: float
    readings: Readings
    tables: Tables = field(default_factory=dict)
    as_of: dt.date | None = None
    sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    senior: Mapping[str, str] = field(default_factory=dict)

    def table(self, name: str) -> Entries:
        """The entries of a reference table. Raises LookupError that names it."""
        if name not in self.tables:
            raise LookupError(f"the reference table {name}")
        return self.tables[name].entries

    def group(self, asset: Asset, sets: tuple[str, ...], names: tuple[str, ...]) -> str:
        """The first of `names` whose set holds the asset's country; the last name where none does."""
        country = fold(asset.country or "")
        for which, name in zip(sets, names, strict=False):
            if country in _folded(tuple(self.sets.get(which, ()))):
                return name
        return names[-1]


@cache
def _folded(members: tuple[str, ...]) -> frozenset[str]:
    return frozenset(map(fold, members))


Measure = Callable[[Pool, Basis], Floats]


def floating_spread(pool: Pool, basis: Basis) -> Floats:
    """Spread counted in the weighted average floating spread (spec 3.2), fraction per year."""
    readings = basis.readings
    spread = pool.numbers("coupon_spread")
    floor = np.nan_to_num(pool.numbers("index_floor"), nan=0.0)
    if readings.floating_spread == "coupon":
        is_libor = np.array(["LIBOR" in text for text in pool.texts("index_name")], dtype=np.bool_)
        counted = ~is_libor | (floor > basis.index)
        return np.where(counted, pool.numbers("coupon") - basis.index, spread)
    if readings.spread_adjustment == "counted":
        spread = spread + np.nan_to_num(pool.numbers("credit_spread_adjustment"), nan=0.0)
    if readings.floating_spread == "margin":
        return spread
    return spread + np.maximum(0.0, floor - basis.index)


def rating_factor(pool: Pool, basis: Basis) -> Floats:
    """Moody's rating factor of the WARF rating; 10,000 where there is none (spec 3.3)."""
    table = basis.tables.get("moodys_factors")
    if table is None:
        return np.array([ratings.rating_factor(a.moodys_rating_warf) for a in pool.assets], dtype=np.float64)
    found = (table.entries.get((a.moodys_rating_warf or "",), ratings.UNKNOWN_FACTOR) for a in pool.assets)
    return np.array(list(found), dtype=np.float64)


def _factors(pool: Pool, entries: Entries, rate: Callable[[Asset], Derived]) -> Floats:
    found = (entries.get((rate(a).value or "",), np.nan) for a in pool.assets)
    return np.array(list(found), dtype=np.float64)


def sp_factor(pool: Pool, basis: Basis) -> Floats:
    """S&P's rating factor of the S&P rating, derived where the obligor has none."""
    return _factors(pool, basis.table("sp_factors"), lambda a: sp_rating(a, basis.readings.rules))


def fitch_factor(pool: Pool, basis: Basis) -> Floats:
    """Fitch's rating factor of the rating that Moody's and S&P's imply."""
    return _factors(pool, basis.table("fitch_factors"), fitch_rating)


def sp_recovery_of(asset: Asset, liability: str, basis: Basis) -> Rate:
    """S&P's recovery rate of one asset with its path."""
    by_rating, by_type = basis.table("sp_recovery"), basis.table("sp_recovery_by_type")
    junior = basis.table("sp_recovery_junior")
    group = basis.group(asset, ("sp_group_a", "sp_group_b"), ("A", "B", "C"))
    known = basis.senior.get(fold(asset.issuer_id or ""), "")
    return recovery.sp_recovery(asset, liability, by_rating, by_type, junior, group, known)


def senior_recovery_ratings(assets: Iterable[Asset]) -> dict[str, str]:
    """The lowest recovery rating of each issuer's senior secured loans, by folded issuer id."""
    found: dict[str, str] = {}
    for a in assets:
        rating, issuer = a.sp_recovery_rating, fold(a.issuer_id or "")
        if rating and rating != "NR" and recovery.sp_type(a) in (recovery.FIRST_LIEN, recovery.COV_LITE) and issuer:
            found[issuer] = max(found.get(issuer, ""), rating)
    return found


def sp_recovery(pool: Pool, basis: Basis, liability: str = "") -> Floats:
    """S&P's recovery rate for notes rated `liability` (the readings' own where it is blank), fraction of par."""
    wanted = liability or basis.readings.sp_liability
    rates = (sp_recovery_of(a, wanted, basis).value for a in pool.assets)
    return np.array([np.nan if rate is None else rate for rate in rates], dtype=np.float64)


def fitch_recovery_of(asset: Asset, basis: Basis) -> Rate:
    """Fitch's recovery rate of one asset with its path."""
    group = basis.group(asset, ("fitch_group_1", "fitch_group_2"), ("1", "2", "3"))
    return recovery.fitch_recovery(asset, basis.table("fitch_recovery"), group)


def fitch_recovery(pool: Pool, basis: Basis) -> Floats:
    rates = (fitch_recovery_of(a, basis).value for a in pool.assets)
    return np.array([np.nan if rate is None else rate for rate in rates], dtype=np.float64)


def maturity_years(pool: Pool, basis: Basis) -> Floats:
    """Years of 365.25 days from the analysis date to maturity; nothing is left of what has matured."""
    if basis.as_of is None:
        raise LookupError("the analysis date")
    left = (pool.numbers("maturity") - dates.serial(basis.as_of)) / 365.25
    return np.asarray(np.maximum(left, 0.0))


def _column(name: str) -> Measure:
    return lambda pool, _basis: pool.numbers(name)


MEASURES: Final[Mapping[str, Measure]] = {
    "floating_spread": floating_spread,
    "rating_factor": rating_factor,
    "recovery_rate": _column("moodys_recovery_rate"),
    "coupon": _column("coupon"),
    "spread": _column("coupon_spread"),
    "wal": _column("wal"),
    "price": _column("market_value"),
    "maturity_years": maturity_years,
    "sp_factor": sp_factor,
    "sp_recovery": sp_recovery,
    **{f"sp_recovery_{r.lower()}": partial(sp_recovery, liability=r) for r in LIABILITIES},
    "fitch_factor": fitch_factor,
    "fitch_recovery": fitch_recovery,
}


_SP_RECOVERY: Final = ("sp_recovery", "sp_recovery_by_type", "sp_recovery_junior")
TABLES_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "rating_factor": ("moodys_factors",),
    "sp_factor": ("sp_factors",),
    "sp_recovery": _SP_RECOVERY,
    **{f"sp_recovery_{r.lower()}": _SP_RECOVERY for r in LIABILITIES},
    "fitch_factor": ("fitch_factors",),
    "fitch_recovery": ("fitch_recovery",),
}
"""The reference tables that a measure reads."""


def coverage_share(pool: Pool, basis: Basis) -> Floats:
    """float64[n]: the share of par that the junior coverage test counts (spec 3.7).

    Defaulted at price or at the lower of price and recovery rate, at nothing after the years the deal says; deferring
    at the recovery rate; otherwise par. What has neither price nor rate counts for nothing.
    """
    readings = basis.readings
    price = np.nan_to_num(pool.numbers("market_value"), nan=0.0) / 100.0
    recovered = np.nan_to_num(pool.numbers("moodys_recovery_rate"), nan=0.0)
    defaulted_at = np.minimum(price, recovered) if readings.defaulted_value == "lower" else price
    if readings.defaulted_years is not None and basis.as_of is not None:
        years = (dates.serial(basis.as_of) - pool.numbers("date_of_default")) / 365.25
        defaulted_at = np.where(np.nan_to_num(years, nan=0.0) >= readings.defaulted_years, 0.0, defaulted_at)
    return np.where(pool.flags("defaulted"), defaulted_at, np.where(pool.flags("piking"), recovered, 1.0))
