"""Blank ratings and recovery rates filled by the agencies' rules; what is stored wins (spec 5.2 to 5.5)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.asset import Asset
from engine.compliance.tables import Tables
from engine.pool import Pool
from engine.ratings import NOT_RATED
from engine.ratings.moodys import default_probability_rating, moodys_rating, warf_rating
from engine.ratings.recovery import MOODYS_TABLE, moodys_recovery
from engine.ratings.rules import Derived, Rules
from engine.ratings.sp import sp_rating

FILLED: Final = ("moodys_rating", "moodys_dpr", "moodys_rating_warf", "moodys_recovery_rate", "sp_issuer_rating")


@dataclass(frozen=True, slots=True)
class Filled:
    """One blank that was filled: the column, what it became, and the rule path."""

    asset_id: str
    column: str
    value: str | float
    path: str


def completed(pool: Pool, rules: Rules, as_of: dt.date | None, tables: Tables) -> tuple[Pool, tuple[Filled, ...]]:
    """The pool with blanks derived, and each one; the same pool where nothing was blank or nothing speaks for it."""
    if not any(_blanks(a) for a in pool.assets):
        return pool, ()
    filled: list[Filled] = []
    assets = []
    for asset in pool.assets:
        made, found = complete(asset, rules, as_of, tables)
        assets.append(made)
        filled += found
    if not filled:
        return pool, ()
    return Pool(zip(assets, pool.par.tolist(), strict=True)), tuple(filled)


def _blanks(asset: Asset) -> list[str]:
    return [name for name in FILLED if getattr(asset, name) in (None, NOT_RATED)]


def complete(asset: Asset, rules: Rules, as_of: dt.date | None, tables: Tables) -> tuple[Asset, list[Filled]]:
    """One asset with its blanks derived."""
    blanks = _blanks(asset)
    filled: list[Filled] = []
    derived: dict[str, Derived] = {}
    if "moodys_rating" in blanks:
        derived["moodys_rating"] = moodys_rating(asset, rules)
    if "moodys_dpr" in blanks:
        derived["moodys_dpr"] = default_probability_rating(asset, rules, as_of)
    if "moodys_rating_warf" in blanks:
        derived["moodys_rating_warf"] = warf_rating(asset, rules, as_of)
    if "sp_issuer_rating" in blanks:
        derived["sp_issuer_rating"] = sp_rating(asset, rules)
    values: dict[str, Any] = {}
    for name, found in derived.items():
        if found.value is not None:
            values[name] = found.value
            filled.append(Filled(asset.asset_id, name, found.value, found.path))
    made = replace(asset, **values) if values else asset
    if "moodys_recovery_rate" in blanks:
        table = tables["moodys_recovery"].entries if "moodys_recovery" in tables else MOODYS_TABLE
        rate = moodys_recovery(made, made.moodys_rating, made.moodys_dpr, rules, table)
        if rate.value is not None:
            filled.append(Filled(asset.asset_id, "moodys_recovery_rate", rate.value, rate.path))
            made = replace(made, moodys_recovery_rate=rate.value)
    return made, filled
