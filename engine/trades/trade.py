"""Hypothetical trades: what is bought or sold, at which price, and what may be wrong with a list of them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

LOWEST_PRICE: Final = 1.5
"""Percent of par. What is at or below it is a fraction of par (0.995) rather than a price; it is asked for again."""

HIGHEST_PRICE: Final = 200.0
HIGHEST_PAR: Final = 1e12


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> float:
        """1 for a purchase, -1 for a sale: the sign of the change of par."""
        return 1.0 if self is Side.BUY else -1.0


_WORDS: Final = {
    **dict.fromkeys(("buy", "b", "purchase", "bought"), Side.BUY),
    **dict.fromkeys(("sell", "s", "sale", "sold"), Side.SELL),
}


def side_of(text: str) -> Side | None:
    """The side that a word means, or None."""
    return _WORDS.get(text.strip().casefold())


@dataclass(frozen=True, slots=True)
class Trade:
    """One purchase or sale.

    par         of the asset, in the deal's currency, more than zero
    price       percent of par (99.5); a sale without one is made at the asset's own price
    settlement  the day on which cash moves; None: at once
    row         where the trade stands in its list or file, for messages; the same trade elsewhere is the same trade
    """

    side: Side
    asset_id: str
    par: float
    price: float | None = None
    settlement: dt.date | None = None
    row: int | None = field(default=None, compare=False)


def swap(
    sold: str, bought: str, par: float, sale_price: float, price: float, *, same_cash: bool = False
) -> list[Trade]:
    """A sale and a purchase of the same par, or for the same cash: (sale, purchase). Prices in percent of par."""
    bought_par = par * sale_price / price if same_cash else par
    return [Trade(Side.SELL, sold, par, sale_price), Trade(Side.BUY, bought, bought_par, price)]


def settled(trades: Iterable[Trade], day: dt.date) -> list[Trade]:
    """The trades whose cash has moved by a day: the deal as it stands settled, beside the deal as traded."""
    return [t for t in trades if t.settlement is None or t.settlement <= day]


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one trade: the row (from 1, or as in its file), the column, and a sentence with the remedy."""

    row: int
    column: str
    message: str


class TradeError(ValueError):
    """A list of trades that cannot be made; nothing was changed. The text names the first row and the remedy."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        first = self.problems[0]
        more = len(self.problems) - 1
        others = f" ({more} more {'row is' if more == 1 else 'rows are'} wrong too.)" if more else ""
        super().__init__(f"Row {first.row}: {first.message}{others}")


def price_problem(price: float) -> str:
    """Why a price cannot be, or "" for one that can."""
    if not math.isfinite(price):
        return "the price is no number; write it in percent of par, such as 99.5."
    if price <= 0.0:
        return f"the price {price:g} is not more than zero; write it in percent of par, such as 99.5."
    if price <= LOWEST_PRICE:
        return (
            f"the price {price:g} looks like a fraction of par; write it in percent of par, such as "
            f"{min(price * 100.0, 99.5):g}."
        )
    if price > HIGHEST_PRICE:
        return f"the price {price:,.10g} is above {HIGHEST_PRICE:g} % of par; write it in percent of par, such as 99.5."
    return ""


def par_problem(par: float) -> str:
    """Why a par cannot be traded, or ""."""
    if not math.isfinite(par):
        return "the par is no number; write an amount such as 1000000."
    if par <= 0.0:
        return f"the par {par:,.10g} is not more than zero; the side says whether it is bought or sold."
    if par > HIGHEST_PAR:
        return f"the par {par:,.10g} is above {HIGHEST_PAR:,.0f}; write an amount in the deal's currency."
    return ""
