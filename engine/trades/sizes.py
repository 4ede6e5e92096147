"""The largest size of a trade that breaks no test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from engine.pool import Floats, fold
from engine.trades.batch import Batch
from engine.trades.candidates import Candidates, Ints
from engine.trades.trade import Side, Trade
from engine.trades.trader import Trader

_STEPS: Final = 32
"""Sizes looked at in one round; the first round spans the whole room."""


@dataclass(frozen=True, slots=True)
class Size:
    """par       the largest size, a multiple of the unit (or the whole bound), that breaks no test
    stopped_by  the tests that one unit more breaks; empty: the bound (what is held, or what was asked for) stops it
    """

    par: float
    stopped_by: tuple[int, ...]


def largest_sizes(batch: Batch, places: Ints, signs: Floats, prices: Floats, bounds: Floats, unit: float) -> list[Size]:
    """The largest size of each trade by itself.

    places int64[k]; signs float64[k] 1 buy, -1 sell; prices percent of par; bounds float64[k] the most there may be

    A round judges sizes spread over the room that is left and keeps the gap before the first that breaks a test, until
    the gap is one unit. A size that fits again beyond one that does not is not looked for.
    """
    most = np.floor(bounds / unit + 1e-9).astype(np.int64)
    low, high = np.zeros_like(most), most + 1  # high: known to break, or beyond the bound
    stopped: list[tuple[int, ...]] = [()] * places.size
    tests = np.array(batch.tests)
    while (open_ := np.flatnonzero(high - low > 1)).size:
        gap = (high - low)[open_]
        steps = np.arange(1, _STEPS + 1)
        sizes = low[open_, None] + np.ceil(gap[:, None] * steps / (_STEPS + 1)).astype(np.int64)
        sizes = np.minimum(sizes, high[open_, None] - 1)
        pars = sizes * unit * signs[open_, None]
        repeated = np.repeat(open_, _STEPS)
        judged = batch.judge(Candidates.single(places[repeated], pars.reshape(-1), prices[repeated]))
        broken = np.asarray(judged.breaks.any(axis=1)).reshape(sizes.shape)
        for k, item in enumerate(open_.tolist()):
            if not broken[k].any():
                low[item] = sizes[k, -1]
                continue
            first = int(broken[k].argmax())
            high[item] = sizes[k, first]
            low[item] = sizes[k, first - 1] if first else low[item]
            stopped[item] = tuple(tests[judged.breaks[k * _STEPS + first]].tolist())
    made = []
    for item, units in enumerate(low.tolist()):
        whole = units == most[item] and not stopped[item]
        made.append(Size(float(bounds[item]) if whole else units * unit, stopped[item]))
    return _up_to_the_bound(batch, places, signs, prices, bounds, unit, made)


def _up_to_the_bound(
    batch: Batch, places: Ints, signs: Floats, prices: Floats, bounds: Floats, unit: float, found: list[Size]
) -> list[Size]:
    """A bound that is no multiple of the unit (a holding of odd cents) was not judged yet."""
    odd = [i for i, size in enumerate(found) if size.par == bounds[i] and size.par % unit]
    if not odd:
        return found
    judged = batch.judge(Candidates.single(places[odd], signs[odd] * bounds[odd], prices[odd]))
    for k, item in enumerate(odd):
        if judged.breaks[k].any():
            par = float(np.floor(bounds[item] / unit) * unit)
            found[item] = Size(par, tuple(np.array(batch.tests)[judged.breaks[k]].tolist()))
    return found


def largest(trader: Trader, trade: Trade, before: Sequence[Trade] = (), unit: float = 1000.0) -> Size:
    """The largest size of a trade that breaks no test, on top of other trades; the trade's own par does not matter.

    A purchase is looked for up to the principal amount of the deal, a sale up to what is held then. Raises TradeError
    as an effect does: for an unknown asset, a purchase without a price.
    """
    par = trader.post(before).par
    asset = trader.assets.get(fold(trade.asset_id))
    held = par.get(asset.asset_id, 0.0) if asset is not None else 0.0
    probe = replace(trade, par=min(unit, held) if trade.side is Side.SELL and held else unit)
    filled = trader.post([*before, probe]).fills[-1]
    batch = trader.batch_after(before)
    place = trader.place(filled.asset.asset_id)
    bound = float(batch.par[place]) if trade.side is Side.SELL else max(trader.figures.principal_amount, unit)
    one = np.array([place]), np.array([trade.side.sign]), np.array([filled.price]), np.array([bound])
    return largest_sizes(batch, *one, unit)[0]
