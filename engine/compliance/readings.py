"""Where deals read a definition differently, the choice is a named parameter of the deal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from engine.ratings.rules import DEFAULT, Rules

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of one deal; stored with every result.

    floating_spread  "coupon": coupon less the index where the floor is above the index or the index is no LIBOR, else
                     the spread (the workbook); "floor": spread + credit spread adjustment + max(0, floor - index);
                     "margin": spread + credit spread adjustment
    defaulted        "as_listed": left out only where the test says so (the workbook, D6); "excluded": left out always
    defaulted_value  carrying value in the junior coverage test: "price", or "lower" of price and recovery rate
    defaulted_years  years after its default from which a defaulted asset is carried at nothing; None: never
    wal_decimals     decimals to which the weighted average life is rounded before the comparison; None: not rounded
    diversity_units  "half_even": industry units rounded to tenths before the look-up; "band": cut to the lower edge of
                     the band that is half a tenth below (halves up); "interpolated": not rounded
    diversity_industry  an obligor's industry is that of its "first" position, or of its "largest"
    caa_rating       the rating that makes an asset Caa: the column moodys_rating, moodys_dpr or moodys_rating_warf
    spread_adjustment  whether the credit spread adjustment counts in the floating spread
    last_out         first-lien-last-out loans stand among the "senior" secured or among the "junior"
    recovery_share   share of the recovery rate above the pivot that raises the WARF limit, the rest lowers the spread
                     limit (never below zero, recovery rate up to `recovery_cap`); None: in full to both (the workbook)
    maintain         where "maintained or improved" is allowed: "all", "none", "all but coverage", or numbers "1-31, 35"
    affiliates       issuer id -> the issuer id it counts with (folded texts)
    sp_liability     rating of the notes whose S&P recovery rates are averaged, AAA to CCC
    rules            notches and ages by which missing ratings are derived
    """

    name: str
    floating_spread: Literal["coupon", "floor", "margin"]
    defaulted: Literal["as_listed", "excluded"]
    defaulted_value: Literal["price", "lower"]
    wal_decimals: int | None
    diversity_units: Literal["half_even", "band", "interpolated"]
    defaulted_years: int | None = None
    diversity_industry: Literal["first", "largest"] = "first"
    caa_rating: Literal["moodys_rating", "moodys_dpr", "moodys_rating_warf"] = "moodys_rating"
    spread_adjustment: Literal["counted", "left_out"] = "counted"
    last_out: Literal["senior", "junior"] = "senior"
    recovery_share: float | None = None
    recovery_cap: float = 0.60
    maintain: str = "all"
    affiliates: Pairs = ()
    sp_liability: str = "AAA"
    rules: Rules = DEFAULT

    @property
    def wording(self) -> dict[str, str]:
        """Each choice in words, for the eye beside the number."""
        adjustment = " + credit spread adjustment" if self.spread_adjustment == "counted" else ""
        share = self.recovery_share
        return {
            "floating_spread": {
                "coupon": "Spread; coupon less index where the floor is above the index",
                "floor": f"Spread{adjustment} + benefit of the floor",
                "margin": f"Spread{adjustment}, without the benefit of the floor",
            }[self.floating_spread],
            "defaulted": {
                "as_listed": "Defaulted assets left out where the test says so",
                "excluded": "Defaulted assets left out of every test",
            }[self.defaulted],
            "defaulted_value": {
                "price": "Defaulted assets carried at their price",
                "lower": "Defaulted assets carried at the lower of price and recovery rate",
            }[self.defaulted_value]
            + ("" if self.defaulted_years is None else f", at nothing {self.defaulted_years} years after the default"),
            "wal": "Not rounded before the comparison"
            if self.wal_decimals is None
            else f"Rounded to {self.wal_decimals} decimals before the comparison",
            "diversity": {
                "half_even": "Industry units rounded to tenths, halves to even",
                "band": "Industry units looked up in bands, the lower edge included",
                "interpolated": "Industry units not rounded",
            }[self.diversity_units]
            + f"; an obligor's industry is that of its {self.diversity_industry} position",
            "caa_rating": {
                "moodys_rating": "By Moody's rating of the facility",
                "moodys_dpr": "By Moody's default probability rating",
                "moodys_rating_warf": "By the rating that the WARF counts",
            }[self.caa_rating],
            "last_out": "First-lien-last-out loans count as senior secured"
            if self.last_out == "senior"
            else "First-lien-last-out loans do not count as senior secured",
            "recovery": "Recovery rate above the pivot counts in full for both limits"
            if share is None
            else f"Recovery rate above the pivot: {share * 100:.0f} % to the WARF limit, {(1 - share) * 100:.0f} % to "
            f"the spread limit, up to a recovery rate of {self.recovery_cap * 100:.0f} %",
            "affiliates": _affiliates(len(self.affiliates)),
            "sp_liability": f"For notes rated {self.sp_liability}",
        }

    @property
    def fragments(self) -> dict[str, str]:
        """What the names in braces in a test's wording stand for."""
        junior = self.last_out == "junior"
        return {
            "caa_rating": self.caa_rating,
            "and_not_last_out": " and not first_lien_last_out" if junior else "",
            "or_last_out": " or first_lien_last_out" if junior else "",
        }

    def may_maintain(self, number: int, aggregate: str) -> bool:
        """Whether the deal's criteria let a failing test pass because it was maintained or improved."""
        if self.maintain in ("all", "none"):
            return self.maintain == "all"
        if self.maintain == "all but coverage":
            return aggregate != "coverage"
        return any(low <= number <= high for low, high in ranges(self.maintain))


def _affiliates(count: int) -> str:
    if count == 0:
        return ""
    return f"{count} issuer{'' if count == 1 else 's'} counted with an affiliate"


def ranges(text: str) -> list[tuple[int, int]]:
    """The numbers of "1-31, 35" as ranges. Raises ValueError."""
    found = []
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        found.append((int(low), int(high or low)))
    return found


WORKBOOK: Final = Readings(
    name="workbook",
    floating_spread="coupon",
    defaulted="as_listed",
    defaulted_value="price",
    wal_decimals=2,
    diversity_units="half_even",
)
"""Reproduces the recorded results of the workbook (spec compliance-risk 9.1)."""

MARKET: Final = Readings(
    name="market",
    floating_spread="floor",
    defaulted="excluded",
    defaulted_value="lower",
    wal_decimals=None,
    diversity_units="half_even",
    diversity_industry="largest",
    maintain="all but coverage",
)
"""What recent indentures mostly say."""

_PRESETS: Final = {r.name: r for r in (WORKBOOK, MARKET)}


def readings_named(name: str | None) -> Readings:
    """The parameter set of that name; missing: the workbook's. Raises KeyError for an unknown name."""
    return _PRESETS[(name or WORKBOOK.name).strip().casefold()]
