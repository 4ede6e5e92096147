"""What the pool's marks leave for the notes: net asset value of the equity, and market value coverage by class."""

from __future__ import annotations

import datetime as dt
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from engine.structure import opening_cash
from engine.waterfall.document import class_id

if TYPE_CHECKING:
    from engine.model import Model


@dataclass(frozen=True, slots=True)
class Marks:
    """Units and conventions: `engine.valuation.conventions.MEASURES`. None: no asset has a mark.

    marked_on  day of the marks, as the caller knows it: prices of the asset master have no day of their own
    mvoc       (class id, coverage) of every class with notes outstanding down to it, in order
    """

    marked_on: dt.date
    market_value: float | None
    average_price: float | None
    unmarked_par: float
    principal_cash: float
    notes: float
    nav: float | None
    nav_price: float | None
    book: float
    book_price: float | None
    mvoc: tuple[tuple[str, float], ...]


def marks(model: Model, marked_on: dt.date | None = None) -> Marks:
    """NAV and MVOC at the analysis date from the prices of the asset master.

    marked_on  day of the prices; None: the analysis date
    """
    prices, par = model.pool.numbers("market_value"), model.pool.par
    known = np.isfinite(prices)
    cash = opening_cash(model.book.deal, {a.number for a in model.document.accounts})[1]
    ids = [class_id(t.name) for t in model.book.deal.tranches]
    debts = [t.current_balance + t.deferred_balance for t in model.book.deal.tranches]
    equity = ids.index(model.document.equity)
    notes = sum(debt for k, debt in enumerate(debts) if k != equity)
    marked_par = float(par[known].sum())
    book = float(par.sum()) + cash - notes
    average = float((prices[known] * par[known]).sum()) / marked_par if marked_par > 0.0 else None
    if par.size == 0:
        average = 100.0  # an empty pool is worth nothing at any price
    value = None if average is None else average * float(par.sum()) / 100.0
    nav = None if value is None else value + cash - notes
    original = model.book.deal.tranches[equity].original_balance
    covered, down_to = [], 0.0
    for k, debt in enumerate(debts):
        down_to += debt if k != equity else 0.0
        if k != equity and down_to > 0.0 and value is not None:
            covered.append((ids[k], (value + cash) / down_to))
    return Marks(
        marked_on=marked_on or model.structure.analysis,
        market_value=value,
        average_price=average if par.size else None,
        unmarked_par=float(par[~known].sum()),
        principal_cash=cash,
        notes=notes,
        nav=nav,
        nav_price=nav * 100.0 / original if nav is not None and original > 0.0 else None,
        book=book,
        book_price=book * 100.0 / original if original > 0.0 else None,
        mvoc=tuple(covered),
    )


@dataclass(frozen=True, slots=True)
class Bucket:
    """Assets whose price is from one bound to below another; None: nothing to average, or no price.

    share         of the par of the pool;  discount: par less market value, money
    average_price of par weights;  average_spread a year, likewise, of the assets that have one
    """

    name: str
    assets: int
    par: float
    share: float
    market_value: float | None
    discount: float | None
    average_price: float | None
    average_spread: float | None


BOUNDS: Final = (100.0, 99.0, 98.0, 95.0, 90.0, 80.0, 70.0)
"""Lower bounds of the buckets, percent of par; what is below the last is one more, what has no price the last."""


def price_buckets(model: Model) -> tuple[Bucket, ...]:
    """The pool by price of the asset master, highest first; defaulted assets are where their price is."""
    prices, par, spreads = (
        model.pool.numbers("market_value"),
        model.pool.par,
        model.pool.numbers("coupon_spread"),
    )
    names = [f"{BOUNDS[0]:g} and above"]
    names += [f"{low:g} to {high:g}" for high, low in itertools.pairwise(BOUNDS)]
    names += [f"below {BOUNDS[-1]:g}", "no price"]
    # how many bounds the price is below
    place = (prices[:, None] < np.array(BOUNDS)[None, :]).sum(axis=1)
    place[~np.isfinite(prices)] = len(BOUNDS) + 1
    whole = float(par.sum())
    made = []
    for k, name in enumerate(names):
        own = place == k
        held, known = float(par[own].sum()), own & np.isfinite(spreads)
        priced = k <= len(BOUNDS)
        value = float((prices[own] * par[own]).sum()) / 100.0 if priced else None
        weight = float(par[known].sum())
        made.append(
            Bucket(
                name=name,
                assets=int(own.sum()),
                par=held,
                share=held / whole if whole > 0.0 else 0.0,
                market_value=value,
                discount=None if value is None else held - value,
                average_price=value * 100.0 / held if value is not None and held > 0.0 else None,
                average_spread=float((spreads[known] * par[known]).sum()) / weight if weight > 0.0 else None,
            )
        )
    return tuple(made)
