"""What the pool's marks leave for the notes: net asset value of the equity, and market value coverage by class."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

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
        mvoc=tuple(covered),
    )
