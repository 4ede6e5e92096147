"""S&P's rating of an obligation, and the Fitch rating that the others imply (spec 5.4, 11.3)."""

from __future__ import annotations

from typing import Final

from engine.asset import Asset
from engine.ratings.moodys import own_rating, rated
from engine.ratings.rules import DEFAULT, Derived, Rules, signed
from engine.ratings.scales import MOODYS_RANK, SP, SP_RANK, notched, rank

DEEMED: Final = "CCC-"


def sp_rating(asset: Asset, rules: Rules = DEFAULT) -> Derived:
    """The S&P rating: DIP by its facility, defaulted D, else the obligor's, else derived."""
    facility, issuer = rated(asset.sp_facility_rating), rated(asset.sp_issuer_rating)
    secured, subordinated = rated(asset.sp_senior_secured_rating), rated(asset.sp_subordinated_rating)
    if asset.defaulted:
        return Derived("D", "defaulted: D")
    if asset.dip and facility:
        return Derived(facility, f"DIP facility {facility}")
    if issuer:
        return Derived(issuer, f"{'DIP without a facility rating, ' if asset.dip else ''}issuer {issuer}")
    for what, rating, notches in (
        ("senior secured", secured, rules.sp_secured),
        ("subordinated", subordinated, _subordinated(subordinated, rules)),
    ):
        if rating and SP_RANK[rating] <= 21:
            value = notched(rating, notches, SP)
            return Derived(value, f"{what} {rating}, {signed(notches)}: {value}" if notches else f"{what} {rating}")
    own = own_rating(asset, rules)
    if own.value:
        notches = -1 if MOODYS_RANK[own.value] <= MOODYS_RANK["Baa3"] else -2
        value = notched(own.value, notches, SP)
        return Derived(value, f"from Moody's ({own.path}), {signed(notches)}: {value}")
    if rules.unrated == "deemed":
        return Derived(DEEMED, f"no rating, deemed: {DEEMED}")
    return Derived(None, "no rating speaks for one")


def _subordinated(rating: str | None, rules: Rules) -> int:
    good = rating is not None and SP_RANK[rating] <= SP_RANK["BBB-"]
    return rules.sp_subordinated[0 if good else 1]


def fitch_rating(asset: Asset) -> Derived:
    """The Fitch rating that Moody's and S&P's ratings of the issuer imply: the lower of the two.

    The asset master holds no ratings of Fitch; the scales are those of S&P.
    """
    if asset.defaulted:
        return Derived("D", "defaulted: D")
    found = [
        (place, f"{agency} issuer {rating}")
        for agency, rating in (
            ("Moody's", rated(asset.moodys_issuer_rating)),
            ("S&P", rated(asset.sp_issuer_rating)),
        )
        if rating and (place := rank(rating)) is not None
    ]
    if not found:
        return Derived(None, "no issuer rating of Moody's or S&P to derive one from")
    place, said = max(found)
    value = SP[place - 1]
    lower = "the lower of " + " and ".join(text for _, text in found) if len(found) > 1 else said
    return Derived(value, f"{lower}: {value}")
