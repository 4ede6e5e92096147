"""The deal at its coming collection ends as its loans are due: what its tests will see if nobody trades."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Final

import numpy as np

from engine import dates, pack
from engine.asset import Asset
from engine.assumptions import Assumptions
from engine.loans import columns as col
from engine.model import Floats, Model
from engine.terms import Book, Labelled, lookup
from engine.trades.ledger import accounts_with

MOST: Final = 4
"""Collection ends that are looked ahead to: a year of a quarterly deal."""


def as_due(model: Model, most: int = MOST) -> tuple[Book, ...]:
    """The deal at each of its next collection ends after the analysis date, that date being its analysis date.

    Loans pay what is scheduled and capitalise what they may; nothing is prepaid, defaults, is bought, sold or drawn.
    What was repaid is principal cash: neither reinvested nor paid to the notes, which are as they are now. A weighted
    average life runs down with the days, and that of what is left grows by the share that was repaid, life' =
    (life - t) x par / par', which is exact where the repayment is at the end of the period.

    Raises ValueError where no collection period ends after the analysis date.
    """
    ends = pack.collection_ends(model.structure)
    coming = np.flatnonzero(ends > dates.serial(model.structure.analysis))[:most]
    if not coming.size:
        raise ValueError("No collection period ends after the analysis date; there is nothing to look ahead to.")
    flows, _ = model.loan_flows(Assumptions(cpr=0.0, cdr=0.0))
    moved = np.cumsum(flows, axis=1)
    return tuple(
        _at(model, int(ends[row]), moved[:, row, col.SCHEDULED], moved[:, row, col.CAPITALISED]) for row in coming
    )


_NOTHING: Final = 1e-9  # share of a par that is rounding


def _at(model: Model, end: int, paid: Floats, added: Floats) -> Book:
    """float64[n_assets] paid and added since the analysis date."""
    day, deal, assets = dates.from_serial(end), model.book.deal, dict(model.book.assets)
    years = (day - model.structure.analysis).days / 365.0
    holdings = []
    for holding, less, more in zip(deal.holdings, paid.tolist(), added.tolist(), strict=True):
        left = holding.par - less + more
        if left > _NOTHING * holding.par:
            holdings.append(replace(holding, par=left))
            assets[holding.asset_id] = _aged(assets[holding.asset_id], years, holding.par / left)
    deal = replace(
        deal,
        holdings=tuple(holdings),
        accounts=accounts_with(deal, deal.principal_cash + float(paid.sum())),
        current_dates=_dated(deal.current_dates, day),
    )
    return replace(model.book, deal=deal, assets=assets)


def _aged(asset: Asset, years: float, grown: float) -> Asset:
    return asset if asset.wal is None else replace(asset, wal=max((asset.wal - years) * grown, 0.0))


def _dated(block: Labelled, day: dt.date) -> Labelled:
    """The block with another analysis date."""
    return tuple((label, day if lookup(((label, True),), "Analysis date") else value) for label, value in block)
