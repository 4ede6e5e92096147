"""What a projection assumes beyond the deal's terms."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

_WORDS: Final = {
    "cpr": "The prepayment rate (a year)",
    "cdr": "The default rate (a year)",
    "severity": "The loss severity",
}


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Annual fractions unless said otherwise; None: the deal's own input, else the assumed terms.

    cpr, cdr     prepayment and default rate of the collateral, present and reinvested
    severity     loss share of a default; recoveries come `lag` months later
    sale_price   of performing assets at redemption or maturity, percent of par
    rate_shift   added to every zero rate of the curve
    call_date    redemption on the first payment date on or after it; None: at stated maturity
    """

    cpr: float | None = None
    cdr: float | None = None
    severity: float | None = None
    lag: float | None = None
    sale_price: float | None = None
    rate_shift: float = 0.0
    call_date: dt.date | None = None
    reinvest: bool = True
    recover_after_maturity: bool = True

    def __post_init__(self) -> None:
        for name in ("cpr", "cdr", "severity"):
            value = getattr(self, name)
            if value is not None and not 0.0 <= value <= 1.0:
                raise ValueError(f"{_WORDS[name]} is from 0 to 1 (0.2 is 20 %); {value:g} is not.")
        if self.lag is not None and not 0.0 <= self.lag <= 120.0:
            raise ValueError(f"The recovery lag is 0 to 120 months; {self.lag:g} is not.")
        if self.sale_price is not None and not 2.0 <= self.sale_price <= 200.0:
            raise ValueError(
                f"The sale price is a percentage of par from 2 to 200 (97 is 97 %); {self.sale_price:g} is not."
            )
        if not -0.2 <= self.rate_shift <= 0.2:
            raise ValueError(f"The shift of the curve is within 0.2 (20 %) up or down; {self.rate_shift:g} is not.")
