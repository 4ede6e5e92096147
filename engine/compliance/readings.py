"""Where deals read a definition differently, the choice is a named parameter of the deal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Readings:
    """The readings of one deal; stored with every result.

    floating_spread  "coupon": coupon less the index where the floor is above the index or the index is no LIBOR, else
                     the spread (the workbook); "floor": spread + credit spread adjustment + max(0, floor - index)
    defaulted        "as_listed": left out only where the test says so (the workbook, D6); "excluded": left out always
    defaulted_value  carrying value in the junior coverage test: "price", or "lower" of price and recovery rate
    wal_decimals     decimals to which the weighted average life is rounded before the comparison; None: not rounded
    diversity_units  "half_even": industry units rounded to tenths before the look-up; "interpolated": not rounded
    """

    name: str
    floating_spread: Literal["coupon", "floor"]
    defaulted: Literal["as_listed", "excluded"]
    defaulted_value: Literal["price", "lower"]
    wal_decimals: int | None
    diversity_units: Literal["half_even", "interpolated"]

    @property
    def wording(self) -> dict[str, str]:
        """Each choice in words, for the eye beside the number."""
        return {
            "floating_spread": {
                "coupon": "Spread; coupon less index where the floor is above the index",
                "floor": "Spread + credit spread adjustment + benefit of the floor",
            }[self.floating_spread],
            "defaulted": {
                "as_listed": "Defaulted assets left out where the test says so",
                "excluded": "Defaulted assets left out of every test",
            }[self.defaulted],
            "defaulted_value": {
                "price": "Defaulted assets carried at their price",
                "lower": "Defaulted assets carried at the lower of price and recovery rate",
            }[self.defaulted_value],
        }


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
)
"""What recent indentures mostly say."""

_PRESETS: Final = {r.name: r for r in (WORKBOOK, MARKET)}


def readings_named(name: str | None) -> Readings:
    """The parameter set of that name; missing: the workbook's. Raises KeyError for an unknown name."""
    return _PRESETS[(name or WORKBOOK.name).strip().casefold()]
