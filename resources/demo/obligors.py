"""The borrowers of the demo deal: name, trade, country, the two agencies' view of them and how much of them is held."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from engine import ratings
from resources.demo import names
from resources.demo.draw import Draw, quotas

HELD: Final = 200
OFFERED: Final = 10  # further borrowers, whose loans are in the market list only

_CORPORATE: Final = (
    *(("Baa3", 1.0), ("Ba1", 4.0), ("Ba2", 8.0), ("Ba3", 18.0), ("B1", 34.0), ("B2", 77.0), ("B3", 43.0)),
    *(("Caa1", 7.0), ("Caa2", 5.0), ("Ca", 1.0), ("NR", 2.0)),
)
_COUNTRIES: Final = (
    *(("USA", 175.0), ("Canada", 6.0), ("United Kingdom", 5.0), ("Luxembourg", 4.0), ("Netherlands", 3.0)),
    *(("Cayman Islands", 2.0), ("Germany", 2.0), ("France", 2.0), ("Ireland", 1.0)),
)
_OFFERED_CORPORATE: Final = (("Ba2", 1.0), ("Ba3", 2.0), ("B1", 2.0), ("B2", 4.0), ("B3", 1.0))


@dataclass(frozen=True, slots=True)
class Obligor:
    """One borrower. `moodys` is the corporate family rating or NR, `outlook` Moody's outlook or review of it.

    weight     how much of it is held, relative to the others
    estimate   Moody's credit estimate, where there is no public rating
    unsecured  Moody's rating of its unsecured debt, or NR
    """

    name: str
    ticker: str
    industry: str
    sp_industry: str
    country: str
    moodys: str
    outlook: str | None
    sp: str
    weight: float
    estimate: str | None = None
    unsecured: str = ratings.NOT_RATED

    @property
    def grade(self) -> str:
        """The rating its price and spread follow: Moody's, or the credit estimate where there is none."""
        return self.estimate or self.moodys


def make_obligors(seed: int) -> tuple[list[Obligor], list[Obligor]]:
    """The borrowers of the deal, and those of the market list alone."""
    draw = Draw(seed, 1)
    roots = names.roots(draw, HELD + OFFERED)
    trades = [(industry, sp) for industry, _, sp in names.INDUSTRIES]
    weights = [weight for _, weight, _ in names.INDUSTRIES]
    industries = draw.shuffled(quotas(list(zip(trades, weights, strict=True)), HELD))
    countries = draw.shuffled(quotas(_COUNTRIES, HELD))
    grades = draw.shuffled(quotas(_CORPORATE, HELD))
    held = [
        _obligor(draw, root, trade, country, grade)
        for root, trade, country, grade in zip(roots[:HELD], industries, countries, grades, strict=True)
    ]
    offered = [
        _obligor(draw, root, draw.pick(list(zip(trades, weights, strict=True))), "USA", grade)
        for root, grade in zip(roots[HELD:], draw.shuffled(quotas(_OFFERED_CORPORATE, OFFERED)), strict=True)
    ]
    return held, offered


def _obligor(
    draw: Draw,
    root: tuple[str, str],
    trade: tuple[str, tuple[tuple[str, float], ...]],
    country: str,
    grade: str,
) -> Obligor:
    industry, sp_industries = trade
    estimate = "B2" if grade == ratings.NOT_RATED else None
    place = ratings.MOODYS_RANK[estimate or grade]
    if grade == "Ca":
        sp, outlook = "D", None
    else:
        # The agencies mostly agree; where they do not it is by one notch.
        lower = 0.06 if place >= ratings.MOODYS_RANK["B3"] else 0.20
        step = 0 if estimate else draw.pick([(-1, 0.18), (0, 0.80 - lower), (1, lower)])
        sp = ratings.SP[place - 1 + step]
        outlook = None if estimate else _outlook(draw, place)
    weight = math.exp(draw.bell(0.0, 0.42)) * (0.68 if place >= ratings.MOODYS_RANK["Caa1"] else 1.0)
    unsecured = ratings.NOT_RATED
    if not estimate and ratings.MOODYS_RANK["Ba1"] <= place <= ratings.MOODYS_RANK["B3"] and draw.share() < 0.22:
        unsecured = ratings.MOODYS[place + 1]
    return Obligor(
        name=names.company(draw, root[0], industry, country),
        ticker=root[1],
        industry=industry,
        sp_industry=draw.pick(sp_industries),
        country=country,
        moodys=grade,
        outlook=outlook,
        sp=sp,
        weight=weight,
        estimate=estimate,
        unsecured=unsecured,
    )


def _outlook(draw: Draw, place: int) -> str | None:
    """Most outlooks are stable; the weaker the rating the more of them point down."""
    weak = place >= ratings.MOODYS_RANK["B3"]
    return draw.pick(
        [
            ("Stable", 0.66),
            (None, 0.14),
            ("Negative", 0.14 if weak else 0.06),
            ("Positive", 0.03 if weak else 0.07),
            ("Downgrade", 0.015),
            ("Upgrade", 0.015),
        ]
    )
