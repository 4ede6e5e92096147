"""Which trades help most: the true marginal effect of every candidate on every test and on the objective.

The score of a trade is the quality (engine.trades.objective) of the deal after it less that before it: every numerator,
denominator and computed limit moves. Trades that break no test come first, by score; those that break one follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine import filter as filters
from engine.asset import Asset
from engine.pool import Flags, Floats
from engine.trades.batch import Batch, Judged
from engine.trades.candidates import Candidates, Ints
from engine.trades.objective import Weights, objective, quality
from engine.trades.trade import Side
from engine.trades.trader import Trader

MILLION: Final = 1e6
LOWEST_MARK, HIGHEST_MARK = 5.0, 150.0
"""Percent of par: an asset marked outside of it has no price that a candidate may go by."""

PRICE_FLOOR: Final = 75.0
"""Purchases are looked for among assets that are priced at or above it."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """The effect of one trade in each of many assets, at their own prices.

    places   int64[k] of the universe;  par float64[k] traded;  price float64[k] percent of par
    changes  float64[k, n_tests]  result after less before;  cushions  the same of cushions
    figures  by name (trader.FIGURES): float64[k] change of the pool's figure
    quality  float64[k] change of the quality, NaN without weights;  breaks bool[k, n_tests]
    """

    side: Side
    tests: tuple[int, ...]
    places: Ints
    par: Floats
    price: Floats
    changes: Floats
    cushions: Floats
    figures: dict[str, Floats]
    quality: Floats
    breaks: Flags
    assets: tuple[Asset, ...]

    def broken(self, row: int) -> tuple[int, ...]:
        """The tests that the trade of a row breaks."""
        return tuple(n for n, b in zip(self.tests, self.breaks[row].tolist(), strict=True) if b)


def marks(trader: Trader) -> Floats:
    """float64[n] price of each asset, percent of par; NaN where it is missing or cannot be right."""
    price = trader.pool.numbers("market_value")
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where((price > LOWEST_MARK) & (price <= HIGHEST_MARK), price, np.nan))


def marginal(trader: Trader, side: Side, size: float = MILLION, places: Ints | None = None) -> Marginal:
    """What `size` more (or less) of each asset does to the deal; of a smaller holding, the sale of all of it.

    places  which assets; None: all of the universe that have a price, for sales those held
    """
    price = marks(trader)
    if places is None:
        known = ~np.isnan(price)
        places = np.flatnonzero(known & (trader.par > 0.0) if side is Side.SELL else known)
    par = np.minimum(size, trader.par[places]) if side is Side.SELL else np.full(places.size, size)
    judged = trader.batch.judge(Candidates.single(places, side.sign * par, price[places]), trader.weights)
    return _marginal(trader, side, places, par, price[places], judged)


def _marginal(trader: Trader, side: Side, places: Ints, par: Floats, price: Floats, judged: Judged) -> Marginal:
    before = trader.standings.values()
    figures = {}
    for name, value in trader.figures.less(trader.figures).items():
        if name in ("spread", "factor", "recovery", "wal", "diversity") and value is not None:
            figures[name] = judged.figures[trader.figure_test(name)] - float(getattr(trader.figures, name))
    own = quality(trader.standings, trader.weights)
    return Marginal(
        side,
        judged.tests,
        places,
        par,
        price,
        judged.results - np.array([s.result for s in before]),
        judged.cushions - np.array([s.cushion for s in before]),
        figures,
        judged.quality - (np.nan if own is None else own),
        judged.breaks,
        tuple(trader.pool.assets[i] for i in places),
    )


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate. score: change of the quality; quality: after the trade; changes: of the weighted tests' results.

    par, held  money; price percent of par; breaks: the tests that the trade breaks, `worsens` those of them that fail
    already and would be worse
    """

    asset: Asset
    score: float
    quality: float
    par: float
    price: float
    held: float
    breaks: tuple[int, ...]
    changes: dict[int, float]
    worsens: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """Candidates, the best first; those that break a test after those that do not.

    quality, objective  of the deal as it is, under these weights
    """

    side: Side
    size: float
    weights: dict[int, float]
    quality: float
    objective: float
    rows: tuple[Ranked, ...]


def candidates_of(
    trader: Trader, side: Side, where: str = "", *, floor: float = PRICE_FLOOR, held: bool = True
) -> Ints:
    """Places of what may be traded: sales of what is held, purchases of what is not defaulted and priced at `floor` or
    more (`held`: also of what the deal has), each with a sound price and within the filter. Raises FilterError."""
    price = marks(trader)
    named = trader.plan.basis.sets
    meant = filters.parse(where).mask(trader.pool, named, {"as_of": trader.plan.as_of})
    if side is Side.SELL:
        return np.flatnonzero(meant & ~np.isnan(price) & (trader.par > 0.0))
    with np.errstate(invalid="ignore"):
        sound = trader.plan.performing & (price >= floor)
    return np.flatnonzero(meant & sound & (held | (trader.par == 0.0)))


def _quality(trader: Trader, weights: Weights) -> float:
    """Raises ValueError where the objective has no figure."""
    found = quality(trader.standings, weights)
    if found is None:
        raise ValueError("A weighted test has the result or limit 0, so there is no objective; weigh other tests.")
    return found


def rank(
    trader: Trader,
    side: Side,
    weights: Weights | None = None,
    *,
    where: str = "",
    size: float = MILLION,
    floor: float = PRICE_FLOOR,
    held: bool = True,
) -> Ranking:
    """Every candidate with its score. weights: None takes those of the trader.

    Raises ValueError without weights or for a weight of a test without a result, FilterError for a filter.
    """
    weighed = trader.weighed(trader.weights if weights is None else weights)
    own = _quality(trader, weighed)
    places = candidates_of(trader, side, where, floor=floor, held=held)
    price = marks(trader)[places]
    par = np.minimum(size, trader.par[places]) if side is Side.SELL else np.full(places.size, size)
    judged = trader.batch.judge(Candidates.single(places, side.sign * par, price), weighed)
    columns = [judged.tests.index(n) for n in weighed]
    before = [trader.standings[n].result for n in weighed]
    rows = []
    for i in best_first(judged.quality - own, np.asarray(judged.breaks.any(axis=1))).tolist():
        changes = judged.results[i, columns] - before
        breaks = tuple(n for n, b in zip(judged.tests, judged.breaks[i].tolist(), strict=True) if b)
        rows.append(
            Ranked(
                trader.pool.assets[places[i]],
                float(judged.quality[i] - own),
                float(judged.quality[i]),
                float(par[i]),
                float(price[i]),
                float(trader.par[places[i]]),
                breaks,
                dict(zip(weighed, changes.tolist(), strict=True)),
                trader.failing_among(breaks),
            )
        )
    return Ranking(side, size, weighed, own, objective(trader.standings, weighed) or 0.0, tuple(rows))


def best_first(scores: Floats, broken: Flags) -> Ints:
    """The order of candidates: those that break nothing first, by score; without a score last; ties as they stand."""
    return np.lexsort((np.nan_to_num(-scores, nan=np.inf), broken))


@dataclass(frozen=True, slots=True, eq=False)
class Swaps:
    """Every sale paired with every purchase; arrays of length C = sales x purchases, the purchases of a sale together.

    sold, bought  int64 places;  par, bought_par float64;  score float64;  broken bool  it breaks a test;
    order  int64  the best first
    """

    sold: Ints
    bought: Ints
    par: Floats
    bought_par: Floats
    score: Floats
    broken: Flags
    order: Ints


def rank_swaps(
    trader: Trader,
    sales: Sequence[int] | Ints,
    purchases: Sequence[int] | Ints,
    weights: Weights | None = None,
    *,
    size: float = MILLION,
    same_cash: bool = False,
    batch: Batch | None = None,
) -> Swaps:
    """All pairs of a sale and a purchase (places of the universe; an asset is not swapped for itself).

    size  par that is sold, less where less is held; bought is the same par, or what the cash pays for (`same_cash`)
    """
    weighed = trader.weighed(trader.weights if weights is None else weights)
    own, price = _quality(trader, weighed), marks(trader)
    sold = np.repeat(np.asarray(sales, dtype=np.int64), len(purchases))
    bought = np.tile(np.asarray(purchases, dtype=np.int64), len(sales))
    apart = (sold != bought) & ~np.isnan(price[sold]) & ~np.isnan(price[bought])
    sold, bought = sold[apart], bought[apart]
    par = np.minimum(size, trader.par[sold])
    bought_par = par * price[sold] / price[bought] if same_cash else par
    found = Candidates.swaps(sold, bought, par, bought_par, price[sold], price[bought])
    score, broken = np.empty(sold.size), np.empty(sold.size, dtype=np.bool_)
    for begin, judged in (batch or trader.batch).chunks(found, weighed):
        part = slice(begin, begin + judged.quality.size)
        score[part] = judged.quality - own
        broken[part] = judged.breaks.any(axis=1)
    return Swaps(sold, bought, par, bought_par, score, broken, best_first(score, broken))
