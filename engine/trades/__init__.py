"""Hypothetical trades: applied to a copy of a deal, judged by every test, ranked by their true marginal effect."""

from engine.trades.bids import Finder, Fit, Line, fit, fit_matrix, read_lines
from engine.trades.effect import Bundle, Effect, PoolFigures, TestChange
from engine.trades.ideas import Branch, Ideas
from engine.trades.ledger import Filled, Rung, cash_ladder, traded
from engine.trades.objective import objective, quality, weights_of
from engine.trades.projected import CoverageChange, ProjectedChange, projected_change
from engine.trades.ranking import MILLION, Marginal, Ranked, Ranking, Swaps, candidates_of, marginal, rank, rank_swaps
from engine.trades.sizes import Size, largest, largest_sizes
from engine.trades.trade import HIGHEST_PAR, Problem, Side, Trade, TradeError, settled, side_of, swap
from engine.trades.trader import Trader, warm_up

__all__ = [
    "HIGHEST_PAR",
    "MILLION",
    "Branch",
    "Bundle",
    "CoverageChange",
    "Effect",
    "Filled",
    "Finder",
    "Fit",
    "Ideas",
    "Line",
    "Marginal",
    "PoolFigures",
    "Problem",
    "ProjectedChange",
    "Ranked",
    "Ranking",
    "Rung",
    "Side",
    "Size",
    "Swaps",
    "TestChange",
    "Trade",
    "TradeError",
    "Trader",
    "candidates_of",
    "cash_ladder",
    "fit",
    "fit_matrix",
    "largest",
    "largest_sizes",
    "marginal",
    "objective",
    "projected_change",
    "quality",
    "rank",
    "rank_swaps",
    "read_lines",
    "settled",
    "side_of",
    "swap",
    "traded",
    "warm_up",
    "weights_of",
]
