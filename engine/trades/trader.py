"""One deal ready for trades: its tests over everything that may be traded, and what any list of trades does to them.

Nothing here changes the deal. A Trader is made once (some tens of milliseconds for a master of a thousand assets);
each list of trades then takes well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np

from engine.asset import Asset
from engine.compliance import WORKBOOK, Catalogue, Compliance, Plan, Reckoned, Standing, evaluate, own, stand
from engine.compliance.measures import MEASURES
from engine.compliance.standing import Outcome
from engine.pool import Floats, Pool, fold
from engine.ratings import RATING_FACTOR, UNKNOWN_FACTOR
from engine.terms import Book
from engine.trades.batch import Batch
from engine.trades.candidates import Candidates
from engine.trades.effect import Effect, PoolFigures, TestChange, bundle, notes_of, notes_of_tests
from engine.trades.ledger import Ledger, assets_by_key, cash_ladder, post, problems_of, with_ledger
from engine.trades.objective import Weights, checked_weights, objective, quality, weights_of
from engine.trades.trade import Problem, Side, Trade

FIGURES: Final[Mapping[str, tuple[int, ...]]] = {
    "spread": (32, 39, 46),
    "factor": (36, 54),
    "recovery": (33,),
    "wal": (35,),
    "diversity": (37, 132),
}
"""The tests that a pool's figures are results of: the first that the deal's table has, else the last."""

_TITLES: Final = {"spread": "spread", "recovery": "Moody's recovery rate", "wal": "WAL"}


class Trader:
    """before     the deal's compliance as it is, in words too
    plan       the tests over the universe: the deal's holdings, its other assets, then `others`
    par, cash  float64[n] and principal cash of the deal as it is
    standings  where the tests stand on it;  weights  of the objective (empty: there is none)

    others   assets that may be traded besides those of the book
    weights  None: those of the deal, if it has the tests

    Raises ValueError for a weight of a test that the deal does not have.
    """

    def __init__(
        self,
        book: Book,
        before: Compliance,
        catalogue: Catalogue,
        others: Iterable[Asset] = (),
        weights: Weights | None = None,
    ) -> None:
        self.book, self.before, self.catalogue, self._given = book, before, catalogue, weights
        held = {h.asset_id: h.par for h in book.deal.holdings}
        own_assets = {i: book.assets[i] for i in dict.fromkeys([*held, *book.assets])}
        self.assets: dict[str, Asset] = assets_by_key(own_assets.values())
        for asset in others:
            self.assets.setdefault(fold(asset.asset_id), asset)
        self.places = {key: place for place, key in enumerate(self.assets)}
        pool = Pool((asset, held.get(asset.asset_id, 0.0)) for asset in self.assets.values())
        mine, refused = own.definitions(book.deal)
        table = [limit.number for limit in book.deal.limits]
        self._figures = {name: next((n for n in ns if n in table), ns[-1]) for name, ns in FIGURES.items()}
        numbers = [*table, *self._figures.values()]
        master = book.assets.values()  # what an issuer's senior debt is rated is no matter of what else may be bought
        self.plan = Plan(book.deal, pool, catalogue, self.before.readings, numbers, mine, master)
        self.plan.refused.update(refused)
        self.par: Floats = pool.par
        self.cash = book.deal.principal_cash
        self.reckoned = self.plan.reckon(self.par, self.cash)
        self.standings, self.refused = stand(self.plan, self.reckoned)
        self.weights = self.weighed(weights) if weights is not None else _sensible(book, self.standings)

    # -- what there is ------------------------------------------------------------------------------------------------

    def failing_among(self, numbers: Iterable[int]) -> tuple[int, ...]:
        """Those of the tests that fail before any trade."""
        return tuple(n for n in numbers if self.standings[n].outcome is Outcome.FAIL)

    @property
    def pool(self) -> Pool:
        """The universe with the deal's par, blanks derived."""
        return self.plan.pool

    def place(self, asset_id: str) -> int:
        """The place of an asset in the universe. Raises KeyError."""
        return self.places[fold(asset_id)]

    def weighed(self, weights: Weights) -> dict[int, float]:
        """The weights that count. Raises ValueError for none, or for a test without a result."""
        return checked_weights(weights, self.standings)

    def extended(self, assets: Iterable[Asset]) -> Trader:
        """The trader that also knows these assets; this one where it knows them all."""
        fresh = [a for a in assets if fold(a.asset_id) not in self.assets]
        if not fresh:
            return self
        return Trader(self.book, self.before, self.catalogue, [*self.assets.values(), *fresh], self._given)

    @cached_property
    def batch(self) -> Batch:
        """Judges many small trades on the deal as it is."""
        return Batch(self.plan, self.par, self.cash, self.standings)

    # -- trades -------------------------------------------------------------------------------------------------------

    def post(self, trades: Sequence[Trade]) -> Ledger:
        """Par and cash after the trades. Raises TradeError that names each row."""
        return post(self.book.deal, self.assets, trades)

    def problems(self, trades: Sequence[Trade], unread: Mapping[int, Collection[str]]) -> tuple[Problem, ...]:
        """What `post` says against trades of which some cells could not be read: `ledger.problems_of`."""
        return problems_of(self.book.deal, self.assets, trades, unread)

    def traded(self, trades: Sequence[Trade]) -> Book:
        """The deal after the trades, as a book beside the untouched one: to project, to store, to export."""
        return with_ledger(self.book, self.post(trades))

    def par_of(self, ledger: Ledger) -> Floats:
        """float64[n] par of the universe after the trades of a ledger."""
        made = self.par.copy()
        for fill in ledger.fills:
            made[self.place(fill.asset.asset_id)] = ledger.par[fill.asset.asset_id]
        return made

    def batch_after(self, trades: Sequence[Trade]) -> Batch:
        """Judges small trades that come on top of a list, against the deal before the whole list."""
        if not trades:
            return self.batch
        ledger = self.post(trades)
        return Batch(self.plan, self.par_of(ledger), ledger.cash, self.standings)

    def effect(self, trades: Sequence[Trade]) -> Effect:
        """Every test, the pool's figures, the objective and the cash, before and after. Raises TradeError."""
        ledger = self.post(trades)
        par = self.par_of(ledger)
        reckoned = self.plan.reckon(par, ledger.cash)
        after, _ = stand(self.plan, reckoned)
        numbers = [limit.number for limit in self.book.deal.limits]
        both = ((self.standings.get(n), after.get(n)) for n in numbers)
        tests = tuple(TestChange(*sides) for sides in both if sides != (None, None))
        ladder = cash_ladder(self.cash, ledger.fills)
        bundles = (bundle(side, ledger.fills, self._measures) for side in (Side.SELL, Side.BUY))
        return Effect(
            tuple(trades),
            ledger.fills,
            tests,
            self.figures,
            self._pool_figures(par, reckoned, after),
            tuple(b for b in bundles if b is not None),
            ladder,
            (*notes_of(ledger.fills, ledger.cash, ladder), *self._lacks(ledger), *notes_of_tests(tests)),
        )

    def after(self, trades: Sequence[Trade]) -> Compliance:
        """The deal's compliance after the trades, in words and with the rows that count: some milliseconds."""
        book = self.traded(trades)
        pool, master = Pool(book.positions()), self.book.assets.values()
        return evaluate(book.deal, pool, self.catalogue, self.before.readings, master)

    def alone(self, trades: Sequence[Trade]) -> tuple[Effect | None, ...]:
        """The effect of each trade by itself; None for a sale of what an earlier trade of the list buys."""
        self.post(trades)
        made: list[Effect | None] = []
        for trade in trades:
            try:
                made.append(self.effect([trade]))
            except ValueError:
                made.append(None)
        return tuple(made)

    def _lacks(self, ledger: Ledger) -> list[str]:
        """What assets that are bought lack, so that an average leaves them out or counts them at the worst."""
        made = []
        for asset_id in dict.fromkeys(f.asset.asset_id for f in ledger.fills if f.trade.side is Side.BUY):
            asset = self.pool.assets[self.place(asset_id)]
            known = {name: self._measures[name][asset_id] for name in ("spread", "recovery", "wal")}
            wanted = [n for n in known if n != "spread" or asset.coupon_type == "FLOAT"]
            blank = [_TITLES[n] for n in wanted if known[n] != known[n]]
            if blank:
                made.append(f"{asset_id} has no {' and no '.join(blank)}: averages leave it out.")
            if asset.moodys_rating_warf not in RATING_FACTOR and not asset.defaulted:
                made.append(f"{asset_id} has no WARF rating: it counts at factor {UNKNOWN_FACTOR:,.0f}.")
        return made

    # -- figures ------------------------------------------------------------------------------------------------------

    @cached_property
    def figures(self) -> PoolFigures:
        """The pool's figures as it is."""
        return self._pool_figures(self.par, self.reckoned, self.standings)

    def figure_test(self, name: str) -> int:
        """The test whose result one of FIGURES is."""
        return self._figures[name]

    def _pool_figures(self, par: Floats, reckoned: Reckoned, standings: Mapping[int, Standing]) -> PoolFigures:
        def result(name: str) -> float | None:
            found = reckoned.figures.get(self._figures[name])
            return found.result if found is not None and np.isfinite(found.result) else None

        priced = self._marked @ par
        return PoolFigures(
            par=float(par.sum()),
            performing_par=reckoned.performing_par,
            principal_amount=reckoned.principal_amount,
            cash=reckoned.cash,
            spread=result("spread"),
            factor=result("factor"),
            recovery=result("recovery"),
            wal=result("wal"),
            diversity=result("diversity"),
            price=float(self._marks @ par / priced) if priced else None,
            quality=quality(standings, self.weights),
            objective=objective(standings, self.weights),
        )

    @cached_property
    def _marks(self) -> Floats:
        return np.nan_to_num(self.pool.numbers("market_value"), nan=0.0)

    @cached_property
    def _marked(self) -> Floats:
        return (~np.isnan(self.pool.numbers("market_value"))).astype(np.float64)

    @cached_property
    def _measures(self) -> Mapping[str, Mapping[str, float]]:
        """Figures of each asset by name and asset id; NaN where it has none."""
        names = {"spread": "floating_spread", "factor": "rating_factor", "recovery": "recovery_rate", "wal": "wal"}
        ids = [a.asset_id for a in self.pool.assets]
        return {
            name: dict(zip(ids, MEASURES[measure](self.pool, self.plan.basis).tolist(), strict=True))
            for name, measure in names.items()
        }


def warm_up() -> None:
    """Compiles, or loads from the cache, the kernel that judges candidates, on a deal of one loan."""
    from engine.smallest import BOOK

    nothing = Catalogue(1, "", {}, {})
    before = evaluate(BOOK.deal, Pool(BOOK.positions()), nothing, WORKBOOK)
    trader = Trader(BOOK, before, nothing)
    one = np.zeros(1)
    trader.batch.sums(Candidates.single(np.zeros(1, dtype=np.int64), one, one))


def _sensible(book: Book, standings: Mapping[int, Standing]) -> dict[int, float]:
    """The deal's own weights; none where one of them is of a test without a result."""
    found = weights_of(book.deal)
    return found if all(number in standings for number in found) else {}
