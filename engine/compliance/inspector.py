"""The rating inspector: what is stored, what the rules give, and by which path, for one asset."""

from __future__ import annotations

from dataclasses import dataclass

from engine.asset import Asset
from engine.compliance.measures import Basis, fitch_recovery_of, sp_recovery_of
from engine.ratings.moodys import default_probability_rating, moodys_rating, warf_rating
from engine.ratings.recovery import MOODYS_TABLE, moodys_recovery
from engine.ratings.sp import fitch_rating, sp_rating


@dataclass(frozen=True, slots=True)
class Line:
    """One rating or recovery rate (fraction): stored, derived, and the rule path of what was derived.

    agrees  whether both say the same; None where nothing is stored or nothing derived
    """

    what: str
    stored: str | float | None
    derived: str | float | None
    path: str

    @property
    def agrees(self) -> bool | None:
        if self.stored is None or self.derived is None:
            return None
        return self.stored == self.derived


def inspected(asset: Asset, basis: Basis) -> tuple[Line, ...]:
    """Every rating and recovery rate of an asset; tables that are absent leave their lines out."""
    rules, as_of = basis.readings.rules, basis.as_of
    rating, default = moodys_rating(asset, rules), default_probability_rating(asset, rules, as_of)
    warf, sp, fitch = warf_rating(asset, rules, as_of), sp_rating(asset, rules), fitch_rating(asset)
    table = basis.tables["moodys_recovery"].entries if "moodys_recovery" in basis.tables else MOODYS_TABLE
    rate = moodys_recovery(asset, asset.moodys_rating or rating.value, asset.moodys_dpr or default.value, rules, table)
    lines = [
        Line("Moody's rating", asset.moodys_rating, rating.value, rating.path),
        Line("Moody's default probability rating", asset.moodys_dpr, default.value, default.path),
        Line("Moody's WARF rating", asset.moodys_rating_warf, warf.value, warf.path),
        Line("Moody's recovery", asset.moodys_recovery_rate, rate.value, rate.path),
        Line("S&P rating", None, sp.value, sp.path),
        Line("Fitch rating", None, fitch.value, fitch.path),
    ]
    if "sp_recovery" in basis.tables:
        found = sp_recovery_of(asset, basis.readings.sp_liability, basis)
        lines.append(Line("S&P recovery", None, found.value, found.path))
    if "fitch_recovery" in basis.tables:
        found = fitch_recovery_of(asset, basis)
        lines.append(Line("Fitch recovery", None, found.value, found.path))
    return tuple(lines)
