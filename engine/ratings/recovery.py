"""Recovery rates by the agencies' tables, each with its rule path (spec 5.5, 5.6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.asset import Asset
from engine.ratings.moodys import category, is_senior_secured_loan, ranks_apart, rated
from engine.ratings.rules import DEFAULT, Rate, Rules

Entries = Mapping[tuple[str, ...], float]
"""A table of the agencies: keys to a number."""

LIABILITIES: Final = ("AAA", "AA", "A", "BBB", "BB", "B", "CCC")

MOODYS_TABLE: Final[Entries] = {
    (row, str(2 - place)): rate
    for row, rates in (
        ("senior secured loan", (0.60, 0.50, 0.45, 0.40, 0.30, 0.20)),
        ("second lien or senior secured bond", (0.55, 0.45, 0.35, 0.25, 0.15, 0.05)),
        ("other", (0.45, 0.35, 0.30, 0.25, 0.15, 0.05)),
    )
    for place, rate in enumerate(rates)
}
"""By row and notches of the obligation above the default probability rating: 2 (or more) to -3 (or less)."""

MOODYS_DIP: Final = 0.50
_SECOND: Final = frozenset(
    {"MOODY'S NON-SENIOR SECURED LOAN", "MOODY'S SENIOR SECURED FLOATING RATE NOTE", "SENIOR SECURED BOND"}
)


def moodys_row(asset: Asset, rules: Rules = DEFAULT) -> str | None:
    """The row of Moody's table; None where the category is missing."""
    named = category(asset)
    if not named:
        return None
    if named in _SECOND or (asset.first_lien_last_out and rules.last_out == "second lien"):
        return "second lien or senior secured bond"
    return "senior secured loan" if is_senior_secured_loan(asset) else "other"


def moodys_recovery(
    asset: Asset,
    rating: str | None,
    default_probability: str | None,
    rules: Rules = DEFAULT,
    table: Entries = MOODYS_TABLE,
) -> Rate:
    """Moody's recovery rate from the obligation's rating and the default probability rating."""
    if asset.dip:
        return Rate(MOODYS_DIP, f"DIP: {MOODYS_DIP:.0%}")
    row = moodys_row(asset, rules)
    if row is None:
        return Rate(None, "no Moody's category")
    rating, default_probability = rated(rating), rated(default_probability)
    if rating is None or default_probability is None:
        return Rate(None, "no Moody's rating or no default probability rating")
    apart = ranks_apart(default_probability, rating)
    rate = table[row, str(min(max(apart, -3), 2))]
    return Rate(
        rate,
        f"{row}, rated {rating} against a default probability rating of {default_probability} ({apart:+d}): {rate:.0%}",
    )


_LOWEST_POINT: Final = {
    **{"1+": 100, "1": 90, "2": 70, "2H": 80, "2L": 70, "3": 50, "3H": 60, "3L": 50},
    **{"4": 30, "4H": 40, "4L": 30, "5": 10, "5H": 20, "5L": 10, "6": 0},
}
"""The lowest point estimate, in percent, that a recovery rating (H and L: its upper and lower half) leaves open."""

FIRST_LIEN: Final = "first lien"
COV_LITE: Final = "cov-lite or senior secured bond"
JUNIOR: Final = "second lien or unsecured"
SUBORDINATED: Final = "subordinated"
_SP_TYPES: Final = {
    "SENIOR SECURED LOAN": FIRST_LIEN,
    "SENIOR SECURED LOAN (COV-LITE)/SENIOR SECURED BOND": COV_LITE,
    "SENIOR UNSECURED LOAN/SECOND LIEN LOAN": JUNIOR,
    "SENIOR UNSECURED BOND": JUNIOR,
    "SUBORDINATED LOAN": SUBORDINATED,
    "SUBORDINATED LOAN/SUBORDINATED BOND": SUBORDINATED,
    "SUBORDINATED BOND": SUBORDINATED,
}


def sp_type(asset: Asset) -> str | None:
    """The row of S&P's table by asset type; None where the priority category is missing or has no row."""
    found = _SP_TYPES.get(" ".join((asset.sp_priority_category or "").upper().split()))
    return COV_LITE if found == FIRST_LIEN and asset.cov_lite else found


def sp_recovery(
    asset: Asset, liability: str, by_rating: Entries, by_type: Entries, by_senior: Entries, group: str, senior: str = ""
) -> Rate:
    """S&P's recovery rate of the obligation for a class of notes rated `liability` (AAA to CCC).

    by_rating  (recovery rating, point, liability) -> rate; by_type  (type, country group, liability) -> rate
    by_senior  (type, country group, recovery rating of the issuer's senior secured debt, liability) -> rate
    group      country group A, B or C of the obligor; senior  that recovery rating, where it is known
    """
    rating = asset.sp_recovery_rating
    if rating and rating != "NR":
        point, base = _LOWEST_POINT[rating], rating.rstrip("HL")
        return Rate(
            by_rating[base, str(point), liability],
            f"recovery rating {rating}, point estimate {point} %, notes rated {liability}",
        )
    kind = sp_type(asset)
    if kind is None:
        return Rate(None, "no S&P recovery rating and no S&P priority category")
    if kind in (JUNIOR, SUBORDINATED) and senior:
        rate = by_senior.get((kind, group, senior.rstrip("HL"), liability))
        if rate is not None:
            said = f"{kind} below senior debt with recovery rating {senior}, group {group}, notes rated {liability}"
            return Rate(rate, said)
    return Rate(by_type[kind, group, liability], f"no recovery rating: {kind}, group {group}, notes rated {liability}")


_FITCH_TYPES: Final = {FIRST_LIEN: "strong", COV_LITE: "strong", JUNIOR: "moderate", SUBORDINATED: "weak"}


def fitch_recovery(asset: Asset, table: Entries, group: str) -> Rate:
    """Fitch's recovery rate by type and country group (1, 2 or 3): the asset master holds no Fitch recovery ratings.

    A senior secured bond has its own row; second liens count as weak, unsecured debt as moderate.
    """
    if asset.dip and ("DIP", group) in table:
        return Rate(table["DIP", group], f"DIP, group {group}")
    kind = sp_type(asset)
    if kind is None:
        return Rate(None, "no S&P priority category to tell the type by")
    row = _FITCH_TYPES[kind]
    if kind == COV_LITE and asset.bond_loan == "BOND":
        row = "senior secured bond"
    if kind == JUNIOR and (asset.seniority or "").upper() not in ("SENIOR UNSECURED", "UNSECURED", "SENIOR"):
        row = "weak"
    rate = table.get((row, group))
    return Rate(rate, f"{row}, group {group}" if rate is not None else f"no rate for {row} in group {group}")
