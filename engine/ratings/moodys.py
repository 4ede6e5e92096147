"""Moody's ratings as indentures derive them: of the facility, of default probability, for the WARF (spec 5.2 to 5.4).

Each answer carries its path: "issuer B1, negative outlook -1: B2". What is not rated ("NR", blank) is missing.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

from engine.asset import Asset
from engine.ratings.rules import DEFAULT, Derived, Rules, Watch, months_between, signed
from engine.ratings.scales import MOODYS, MOODYS_RANK, NOT_RATED, SP_RANK, notched

DEEMED: Final = "Caa3"
SENIOR_SECURED: Final = "MOODY'S SENIOR SECURED LOAN"


def rated(rating: str | None) -> str | None:
    """The rating, or None where it is blank or NR."""
    return None if rating is None or rating == NOT_RATED else rating


def category(asset: Asset) -> str:
    """Moody's category in the form in which it is compared."""
    return (asset.moodys_category or "").replace("’", "'").upper().strip()


def is_senior_secured_loan(asset: Asset) -> bool:
    return category(asset) == SENIOR_SECURED


def _moved(what: str, rating: str, steps: list[tuple[str, int]]) -> Derived:
    """The rating moved by named notches, and the path that says so."""
    named = [(why, notches) for why, notches in steps if notches]
    value = notched(rating, sum(notches for _, notches in named))
    said = "".join(f", {why} {signed(notches)}" for why, notches in named)
    return Derived(value, f"{what} {rating}{said}: {value}" if named else f"{what} {rating}")


def _facility_review(asset: Asset, watch: Watch) -> list[tuple[str, int]]:
    if asset.moodys_facility_outlook == "Upgrade":
        return [("facility on review for upgrade", watch.review_upgrade)]
    if asset.moodys_facility_outlook == "Downgrade":
        return [("facility on review for downgrade", watch.review_downgrade)]
    return []


def _watched(asset: Asset, watch: Watch) -> list[tuple[str, int]]:
    """The state of the issuer's rating, or else the review of the facility."""
    if asset.moodys_issuer_outlook == "Upgrade":
        return [("on review for upgrade", watch.review_upgrade)]
    if asset.moodys_issuer_outlook == "Downgrade":
        return [("on review for downgrade", watch.review_downgrade)]
    review = _facility_review(asset, watch)
    if review:
        return review
    if asset.moodys_issuer_outlook == "Negative":
        return [("negative outlook", watch.negative_outlook)]
    return []


def own_rating(asset: Asset, rules: Rules = DEFAULT) -> Derived:
    """The Moody's rating of the facility from Moody's ratings alone (rules 1 to 3, or 1 to 4)."""
    facility, issuer = rated(asset.moodys_facility_rating), rated(asset.moodys_issuer_rating)
    unsecured, subordinated = rated(asset.moodys_senior_unsecured_rating), rated(asset.moodys_subordinate_rating)
    if facility:
        return _moved("facility", facility, _facility_review(asset, rules.facility))
    if is_senior_secured_loan(asset):
        if issuer:
            outlook = asset.moodys_issuer_outlook
            worse = [(f"{outlook.lower()} outlook", -1)] if outlook in ("Negative", "Downgrade") else []
            return _moved("issuer", issuer, worse)
        if unsecured:
            return _moved("senior unsecured", unsecured, [("for a senior secured loan", 2)])
    else:
        if unsecured:
            return _moved("senior unsecured", unsecured, [])
        if issuer:
            return _moved("issuer", issuer, [("for an obligation that is no senior secured loan", -1)])
        if subordinated:
            return _moved("subordinated", subordinated, [("for an obligation above it", 1)])
    return Derived(None, "no Moody's rating")


def moodys_rating(asset: Asset, rules: Rules = DEFAULT) -> Derived:
    """The Moody's rating of the facility: what Caa limits and recovery rates go by."""
    own = own_rating(asset, rules)
    return own if own.value else _from_sp_or_deemed(asset, rules)


def _from_sp_or_deemed(asset: Asset, rules: Rules, before: str = "") -> Derived:
    derived = from_sp(asset)
    if derived.value:
        return derived
    if rules.unrated == "deemed":
        return Derived(DEEMED, f"{before}no rating, deemed: {DEEMED}")
    return Derived(None, f"{before}no rating speaks for one")


def from_sp(asset: Asset) -> Derived:
    """Moody's rating that the S&P ratings imply; without one None. An S&P rating of D implies none."""

    def implied(what: str, rating: str, notches: int) -> Derived:
        if SP_RANK[rating] > 21:
            return Derived(None, f"{what} {rating} implies none")
        value = notched(rating, notches, MOODYS)
        return Derived(value, f"{what} {rating}, {signed(notches)}: {value}")

    facility = rated(asset.sp_facility_rating)
    secured, subordinated = rated(asset.sp_senior_secured_rating), rated(asset.sp_subordinated_rating)
    if facility and not asset.structured_finance:
        better = asset.bond_loan == "BOND" and SP_RANK[facility] <= SP_RANK["BBB-"]
        return implied("S&P facility", facility, -1 if better else -2)
    if secured:
        return implied("S&P senior secured", secured, -1 if SP_RANK[secured] <= SP_RANK["B"] else -2)
    if subordinated:
        return implied("S&P subordinated", subordinated, 1 if SP_RANK[subordinated] <= SP_RANK["B-"] else 0)
    return Derived(None, "no S&P rating to derive one from")


def _estimate(asset: Asset, rules: Rules, as_of: dt.date | None) -> Derived:
    """The credit estimate by its age; an expired one, or one whose age cannot be told, counts for nothing."""
    estimate = rated(asset.moodys_credit_estimate)
    if estimate is None:
        return Derived(None, "")
    if asset.moodys_credit_estimate_date is None or as_of is None:
        return Derived(None, f"credit estimate {estimate} without a date does not count; ")
    age = months_between(asset.moodys_credit_estimate_date, as_of)
    if age >= rules.estimate_valid:
        return Derived(None, f"credit estimate {estimate} is {age} months old and does not count; ")
    stale = [(f"{age} months old", rules.estimate_stale)] if age >= rules.estimate_fresh else []
    return _moved("credit estimate", estimate, stale)


def _of_obligor(asset: Asset, rules: Rules, watch: Watch, as_of: dt.date | None) -> Derived:
    """The seven rules of 5.3 with one set of notches."""
    steps = _watched(asset, watch)
    further = steps if rules.watch_on == "all" else []
    before = ""
    if asset.dip:
        facility = rated(asset.moodys_facility_rating)
        if facility:
            return _moved("DIP facility", facility, [("for the obligor", -1)])
    else:
        if issuer := rated(asset.moodys_issuer_rating):
            return _moved("issuer", issuer, steps)
        if unsecured := rated(asset.moodys_senior_unsecured_rating):
            return _moved("senior unsecured", unsecured, further)
        if secured := rated(asset.moodys_senior_secured_rating):
            return _moved("senior secured", secured, [("for the obligor", -1), *further])
        estimate = _estimate(asset, rules, as_of)
        if estimate.value:
            return estimate
        before = estimate.path
    return _from_sp_or_deemed(asset, rules, before)


def default_probability_rating(asset: Asset, rules: Rules = DEFAULT, as_of: dt.date | None = None) -> Derived:
    """Moody's default probability rating; `as_of` ages credit estimates."""
    return _of_obligor(asset, rules, rules.default_probability, as_of)


def warf_rating(asset: Asset, rules: Rules = DEFAULT, as_of: dt.date | None = None) -> Derived:
    """The rating whose factor the weighted average rating factor counts."""
    return _of_obligor(asset, rules, rules.warf, as_of)


def ranks_apart(above: str, below: str) -> int:
    """Notches by which the rating `below` is better than `above`: positive where the loan stands above the obligor."""
    return MOODYS_RANK[above] - MOODYS_RANK[below]
