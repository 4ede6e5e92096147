"""Both agencies' ratings of a facility, each following from the borrower's by the agencies' own rules.

The stored Moody's ratings are derived as the compliance engine would derive them where they are blank
(spec: compliance-risk 5.2, 5.3, 5.5), but by this module's own code: what ships can be checked against the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from engine import ratings
from engine.ratings import NOT_RATED
from resources.demo.draw import Draw
from resources.demo.facilities import Facility, Lien
from resources.demo.obligors import Obligor

_REVIEWS: Final = {"Upgrade": 1, "Downgrade": -1}
_WARF: Final = {"Upgrade": 1, "Downgrade": -2, "Negative": -1}
_SECURED: Final = {2: 0.60, 1: 0.50, 0: 0.45, -1: 0.40, -2: 0.30, -3: 0.20}
_NOT_SENIOR: Final = {2: 0.55, 1: 0.45, 0: 0.35, -1: 0.25, -2: 0.15, -3: 0.05}
_SP_NOTCHES: Final = {"1": 2, "2": 1, "3": 0, "4": 0, "5": -1, "6": -2}
_SP_RECOVERY: Final[dict[int, tuple[tuple[str, float], ...]]] = {
    2: (("1", 1.0),),
    1: (("2H", 0.4), ("2L", 0.6)),
    0: (("3H", 0.3), ("3L", 0.45), ("4H", 0.15), ("4L", 0.1)),
    -1: (("5H", 0.7), ("5L", 0.3)),
    -2: (("6", 1.0),),
}
_GAPS: Final = ((0, 0.66), (1, 0.24), (2, 0.05), (-1, 0.05))


@dataclass(frozen=True, slots=True)
class Rated:
    """What the agencies say of one facility; see the columns of the same names in engine.asset."""

    moodys_rating: str
    moodys_dpr: str
    moodys_rating_warf: str
    moodys_recovery_rate: float
    moodys_facility_rating: str
    moodys_facility_outlook: str | None
    moodys_senior_secured_rating: str
    sp_facility_rating: str
    sp_senior_secured_rating: str
    sp_recovery_rating: str


def gap_of(draw: Draw, obligor: Obligor, liens: frozenset[Lien]) -> int:
    """Notches of a borrower's first-lien rating above its corporate rating. Junior debt below it lifts the loan.

    The loans of a borrower near default stand where it stands; an unrated borrower's are lifted by S&P's recovery view.
    """
    if obligor.estimate:
        return 1
    if ratings.MOODYS_RANK[obligor.moodys] >= ratings.MOODYS_RANK["Caa1"]:
        return 0
    return draw.pick(((0, 0.4), (1, 0.6)) if Lien.SECOND in liens else _GAPS)


def better(rating: str, notches: int) -> str:
    """Moody's rating `notches` above `rating` (below, where negative), kept on the scale."""
    return ratings.MOODYS[min(max(ratings.MOODYS_RANK[rating] - notches, 1), len(ratings.MOODYS)) - 1]


def rate(facility: Facility, gap: int, draw: Draw) -> Rated:
    """The ratings of `facility`, whose borrower's first liens stand `gap` notches above the borrower."""
    obligor = facility.obligor
    senior = facility.lien not in (Lien.SECOND, Lien.BOND)
    own_gap = -2 if facility.lien is Lien.SECOND else gap
    if facility.defaulted:
        own_gap = 0
    recovery = draw.pick(_SP_RECOVERY[own_gap])
    sp_facility = "D" if facility.defaulted else _sp_facility(obligor.sp, recovery)
    review = obligor.outlook if obligor.outlook in _REVIEWS else None
    if obligor.estimate:
        facility_rating = first_lien = NOT_RATED
        review = None
        moodys = better(ratings.MOODYS[ratings.SP_RANK[sp_facility] - 1], -2)
        probability = warf = obligor.estimate
    else:
        facility_rating = better(obligor.moodys, own_gap)
        first_lien = better(obligor.moodys, gap if not facility.defaulted else 0)
        moodys = better(facility_rating, _REVIEWS.get(review or "", 0)) if senior else facility_rating
        probability = better(obligor.moodys, _REVIEWS.get(obligor.outlook or "", 0))
        warf = better(obligor.moodys, _WARF.get(obligor.outlook or "", 0))
    difference = ratings.MOODYS_RANK[probability] - ratings.MOODYS_RANK[moodys]
    table = _SECURED if senior else _NOT_SENIOR
    return Rated(
        moodys_rating=moodys,
        moodys_dpr=probability,
        moodys_rating_warf=warf,
        moodys_recovery_rate=table[min(max(difference, -3), 2)],
        moodys_facility_rating=facility_rating,
        moodys_facility_outlook=review,
        moodys_senior_secured_rating=first_lien,
        sp_facility_rating=sp_facility,
        sp_senior_secured_rating=sp_facility if facility.lien is not Lien.SECOND else NOT_RATED,
        sp_recovery_rating=recovery,
    )


def _sp_facility(issuer: str, recovery: str) -> str:
    place = ratings.SP_RANK[issuer] - _SP_NOTCHES[recovery[0]]
    return ratings.SP[min(max(place, 1), ratings.SP_RANK["CC"]) - 1]
