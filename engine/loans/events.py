"""What happens to single assets on days that are known: amended maturities, toggles, sales, draws."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PikWindow:
    """`share` of the interest is capitalised on interest dates from `begin` to `end` (None: no limit)."""

    share: float = 1.0
    begin: dt.date | None = None
    end: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Sale:
    """One asset sold whole, unless it is in default by the analysis date; price as a share of par."""

    day: dt.date
    price: float


@dataclass(frozen=True, slots=True)
class Events:
    """What happens to single assets, by asset id.

    maturities   amended maturity dates
    pik          toggles; without one, an asset that is deferring capitalises all its interest
    sales        whole assets sold
    draws        (day, amount) of commitments drawn; a list here replaces the draw rule for the asset
    draw_share   share of every other unfunded commitment that is drawn `draw_months` after the analysis date
    """

    maturities: Mapping[str, dt.date] | None = None
    pik: Mapping[str, PikWindow] | None = None
    sales: Mapping[str, Sale] | None = None
    draws: Mapping[str, tuple[tuple[dt.date, float], ...]] | None = None
    draw_share: float = 0.0
    draw_months: int = 12


NO_EVENTS: Final = Events()
