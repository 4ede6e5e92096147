"""A class's flows after settlement: price from yield, margin or spread and back, and what its price is exposed to.

Prices are clean and per 100 of the claim (current balance with deferred interest). Lanes as in `discounting`: flows
float64[n_dates, W], prices and rates float64[P, W]; the single-figure verbs take the first lane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.curves import Curve
from engine.valuation import times
from engine.valuation.discounting import Discounting, by_margin, by_yield, over_curve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BASIS_POINT: Final = 1e-4


class Style(StrEnum):
    """How a price is told; all but `PRICE` are rates."""

    PRICE = "price"
    STREET = "yield_street"
    QUARTERLY = "yield_quarterly"
    SEMI = "yield_semi"
    MARGIN = "discount_margin"
    SPREAD = "z_spread"


RATES: Final = tuple(style for style in Style if style is not Style.PRICE)


@dataclass(frozen=True, slots=True)
class Quote:
    """A price as it is told: clean per 100, or a rate as a fraction."""

    style: Style
    value: float

    def __post_init__(self) -> None:
        if self.style is Style.PRICE and not 0.0 < self.value <= 1000.0:
            raise ValueError(f"A price is per 100, above 0 and up to 1,000 (99.5 is 99.5 %); {self.value:g} is not.")
        if self.style is not Style.PRICE and not -0.5 <= self.value <= 10.0:
            raise ValueError(f"A yield, margin or spread is from -0.5 to 10 (0.05 is 5 %); {self.value:g} is not.")


@dataclass(frozen=True, eq=False)
class Note:
    """Flows of one class after settlement.

    settlement  serial;  days int64[n_dates] serials after it
    amounts     float64[n_dates, W]  cash;  principal float64[n_dates, W] the part that repays the claim
    claim       current balance with deferred interest, money;  accrued money
    forwards    float64[n_dates]  index of the period that ends on each date
    months      of a payment period
    curve       zero curve, for spreads
    """

    settlement: int
    days: Ints
    amounts: Floats
    principal: Floats
    claim: float
    accrued: float
    forwards: Floats
    months: int
    curve: Curve

    @cached_property
    def times(self) -> Floats:
        """float64[n_dates]: years actual/365 from settlement."""
        return times.actual(self.settlement, self.days)

    @cached_property
    def _discountings(self) -> dict[Style, Discounting]:
        starts = np.concatenate([[self.settlement], self.days[:-1]])
        return {
            Style.STREET: by_yield(times.street(self.settlement, self.days, self.months), 12.0 / self.months),
            Style.QUARTERLY: by_yield(self.times, 4.0),
            Style.SEMI: by_yield(self.times, 2.0),
            Style.MARGIN: by_margin(self.forwards, (self.days - starts) / 360.0),
            Style.SPREAD: over_curve(self.curve, self.settlement, self.days, 4.0),
        }

    def discounting(self, style: Style) -> Discounting:
        return self._discountings[style]

    # lanes

    def dirty(self, clean: Floats) -> Floats:
        """What is paid at settlement for the claim, money, at clean prices per 100."""
        return np.asarray(clean * self.claim / 100.0 + self.accrued)

    def rates(self, style: Style, clean: Floats) -> Floats:
        """float64[P, W]: the yield, margin or spread at clean prices; NaN where there is none."""
        return self.discounting(style).solve(self.amounts, self.dirty(clean))

    def prices(self, style: Style, rates: Floats) -> Floats:
        """float64[P, W]: clean price at a yield, margin or spread; NaN where the rate does not discount."""
        worth = self.discounting(style).worth(self.amounts, rates)
        return np.asarray((worth - self.accrued) * 100.0 / self.claim)

    # one figure

    def rate(self, style: Style, clean: float) -> float | None:
        return _or_none(self.rates(style, self._one(clean))[0, 0])

    def price(self, quote: Quote) -> float | None:
        """Clean price of a quote; None where its rate does not discount."""
        if quote.style is Style.PRICE:
            return quote.value
        return _or_none(self.prices(quote.style, self._one(quote.value))[0, 0])

    def wal(self, lane: int = 0, last: int = -1) -> float | None:
        """Mean years to repayment of principal and deferred interest, actual/365; what stays unpaid at the last date.

        Over what is repaid and unpaid, that is the current balance with deferred interest, and what is deferred later
        (spec 4.5 corrected, D-19). None for a claim of nothing. last: row of the lane's last date.
        """
        repaid = self.principal[:, lane]
        unpaid = max(self.claim - float(repaid.sum()), 0.0)
        weight = float(repaid.sum()) + unpaid
        if weight <= 0.0 or self.days.size == 0:
            return None
        return float((repaid @ self.times + unpaid * self.times[last]) / weight)

    def risk(self, clean: float) -> Risk | None:
        """What the price is exposed to, flows held; None where the price has no yield or margin."""
        found, margin = self.rate(Style.QUARTERLY, clean), self.rate(Style.MARGIN, clean)
        if found is None or margin is None:
            return None
        flows, dirty = self.amounts[:, 0], float(self.dirty(np.array(clean)))
        macaulay, convexity = duration(self.times, flows, found, 4.0, dirty)
        _, by_yield_moved = self._moved(Style.QUARTERLY, found)
        slope, by_margin_moved = self._moved(Style.MARGIN, margin)
        return Risk(
            macaulay=macaulay,
            modified=macaulay / (1.0 + found / 4.0),
            convexity=convexity,
            spread_duration=-slope / dirty,
            dv01=by_yield_moved,
            cs01=by_margin_moved,
        )

    def _moved(self, style: Style, rate: float) -> tuple[float, float]:
        """Derivative of the worth to a rate, and half of its change from a basis point below to one above."""
        rates = np.array([[rate - BASIS_POINT], [rate], [rate + BASIS_POINT]])
        rates = np.repeat(rates, self.amounts.shape[1], axis=1)
        worths, slopes = self.discounting(style).worth_and_slope(self.amounts, rates)
        return float(slopes[1, 0]), float(worths[0, 0] - worths[2, 0]) / 2.0

    def _one(self, value: float) -> Floats:
        return np.full((1, self.amounts.shape[1]), value)


@dataclass(frozen=True, slots=True)
class Risk:
    """Durations in years, convexity in years squared, dv01 and cs01 in money for the claim; units: `conventions`."""

    macaulay: float
    modified: float
    convexity: float
    spread_duration: float
    dv01: float
    cs01: float


def duration(years: Floats, flows: Floats, rate: float, frequency: float, dirty: float) -> tuple[float, float]:
    """Macaulay duration and convexity of flows at a yield, per unit of `dirty` (spec 4.5; cases FIX-1, LIA-2).

    Macaulay: sum t CF (1+y/m)^(-m t) / dirty; convexity: sum CF t (t + 1/m) (1+y/m)^(-m t - 2) / dirty.
    """
    factors = flows * (1.0 + rate / frequency) ** (-frequency * years)
    macaulay = float((years * factors).sum()) / dirty
    convexity = float((years * (years + 1.0 / frequency) * factors).sum()) / (1.0 + rate / frequency) ** 2 / dirty
    return macaulay, convexity


def _or_none(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
