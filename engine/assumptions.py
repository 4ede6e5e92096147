"""What a projection assumes beyond the deal's terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from engine import ratings
from engine.refinancing import Refinancing

if TYPE_CHECKING:
    from engine.loans.events import Events
    from engine.loans.vectors import Rule
    from engine.stress import Shock

_WORDS: Final = {
    "cpr": "The prepayment rate (a year)",
    "cdr": "The default rate (a year)",
    "severity": "The loss severity",
    "call_below": "The distribution below which the deal is called",
    "clean_up": "The share of the opening par below which the deal is called",
}


@dataclass(frozen=True, slots=True)
class RatePath:
    """How the deal's curve is read, beside a parallel shift.

    key_shifts     (months, shift) of zero rates, in a straight line between, held outside
    interpolation  of the curve, one of `curve_shapes.Interpolation`
    forwards       (day, rate) that stand in for the curve's forwards from that day to the next one's, all tenors
    floored        no forward below nothing
    """

    key_shifts: tuple[tuple[float, float], ...] = ()
    interpolation: str = "linear zero"
    forwards: tuple[tuple[dt.date, float], ...] = ()
    floored: bool = False


AS_IT_IS: Final = RatePath()


@dataclass(frozen=True, slots=True)
class Proxy:
    """An asset that reinvestment buys with `share` of its cash; spread and floor as fractions a year.

    months  to maturity, no longer than the deal; the price is that of the deal's reinvestment
    rating  of Moody's scale: rules by kind of asset choose it, and below B3 it counts in the CCC excess; "": the rates
            are those of the deal's reinvestment
    """

    share: float
    spread: float
    floor: float = 0.0
    months: float = 60.0
    rating: str = ""

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"The share of a proxy is above 0 and at most 1 (0.3 is 30 %); {self.share:g} is not.")
        if self.months < 1.0:
            raise ValueError(f"A proxy matures after a month at the earliest; {self.months:g} months are too few.")
        if self.rating and self.rating not in ratings.MOODYS_RANK:
            raise ValueError(f"The rating of a proxy is one of Moody's scale, such as B2; {self.rating!r} is none.")


MOST_NOTCHES: Final = 20


def check_shock(price: float, notches: float) -> None:
    """Raises ValueError for a price shock or a downgrade that cannot be."""
    if not -1.0 <= price <= 1.0:
        raise ValueError(f"A price shock is from -1 to 1 (-0.2 is 20 % lower); {price:g} is not.")
    if not 0 <= notches <= MOST_NOTCHES or notches != int(notches):
        raise ValueError(f"A downgrade is 0 to {MOST_NOTCHES} whole notches; {notches:g} is not.")


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Annual fractions unless said otherwise; None: the deal's own input, else the assumed terms.

    cpr, cdr     prepayment and default rate of the collateral, present and reinvested
    severity     loss share of a default; recoveries come `lag` months later
    sale_price   of performing assets at redemption or maturity, percent of par
    rate_shift   added to every zero rate of the curve
    call_date    redemption on the first payment date on or after it; None: at stated maturity
    call_below   redemption after a date on which the equity got less than this share of its original balance
    clean_up     redemption when the performing par is below this share of the par at the start
    rates        how the curve is read
    buys         what reinvestment buys, shares adding up to 1; (): the deal's own terms
    rules        rates by kind of asset, later ones first; rows of single assets in the deal's own table come before
    buy_price    at which reinvestment buys, percent of par
    events       what happens to single assets: sales, draws, amended maturities, deferral
    price_shock  relative change of every asset's price at once (-0.2 is 20 % lower)
    downgrade    notches by which every rating is lowered at once
    shocks       the same by kind of asset, beside these; rules then look at the pool as the shocks leave it
    refinancing  new notes for old ones on a payment date
    """

    cpr: float | None = None
    cdr: float | None = None
    severity: float | None = None
    lag: float | None = None
    sale_price: float | None = None
    rate_shift: float = 0.0
    call_date: dt.date | None = None
    call_below: float | None = None
    clean_up: float | None = None
    buy_price: float | None = None
    rates: RatePath = AS_IT_IS
    buys: tuple[Proxy, ...] = ()
    rules: tuple[Rule, ...] = ()
    events: Events | None = field(default=None, hash=False)
    price_shock: float = 0.0
    downgrade: int = 0
    shocks: tuple[Shock, ...] = ()
    reinvest: bool = True
    recover_after_maturity: bool = True
    refinancing: Refinancing | None = None

    def __post_init__(self) -> None:
        for name in _WORDS:
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{_WORDS[name]} is from 0 to 1 (0.2 is 20 %); {value:g} is not.")
        if self.buys and abs(sum(proxy.share for proxy in self.buys) - 1.0) > 1e-9:
            shares = sum(proxy.share for proxy in self.buys)
            raise ValueError(f"The shares of what is bought add up to 1; these add up to {shares:g}.")
        if self.lag is not None and not 0.0 <= self.lag <= 120.0:
            raise ValueError(f"The recovery lag is 0 to 120 months; {self.lag:g} is not.")
        if self.sale_price is not None and not 2.0 <= self.sale_price <= 200.0:
            raise ValueError(
                f"The sale price is a percentage of par from 2 to 200 (97 is 97 %); {self.sale_price:g} is not."
            )
        if self.buy_price is not None and not 2.0 <= self.buy_price <= 200.0:
            raise ValueError(
                f"The price of reinvestment is a percentage of par from 2 to 200 (99 is 99 %); {self.buy_price:g} is "
                "not."
            )
        if not -0.2 <= self.rate_shift <= 0.2:
            raise ValueError(f"The shift of the curve is within 0.2 (20 %) up or down; {self.rate_shift:g} is not.")
        check_shock(self.price_shock, self.downgrade)
