"""Trades applied to a deal: the holdings and the principal cash after them, as a new book beside the untouched one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.asset import Asset
from engine.pool import fold
from engine.terms import COLLECTION, Account, Book, Deal, Holding
from engine.trades.trade import Problem, Side, Trade, TradeError, par_problem, price_problem

CENT: Final = 0.005
"""Par below half a cent is nothing: what a sale in full leaves of cents that do not add up."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A trade as it is made: the asset's own id, the par, the price that holds (percent of par).

    at_mark  the price is the asset's own, because the sale said none
    cash     what it adds to the principal cash; negative for a purchase. Accrued interest is not counted
    """

    trade: Trade
    asset: Asset
    par: float
    price: float
    at_mark: bool

    @property
    def cash(self) -> float:
        return -self.trade.side.sign * self.par * self.price / 100.0


@dataclass(frozen=True, slots=True)
class Ledger:
    """par by asset id after the trades (what is sold out is 0), principal cash, and the trades as they were made."""

    par: Mapping[str, float]
    cash: float
    fills: tuple[Filled, ...]


def assets_by_key(assets: Iterable[Asset]) -> dict[str, Asset]:
    """Assets by their folded id, as trades find them."""
    return {fold(a.asset_id): a for a in assets}


def post(deal: Deal, assets: Mapping[str, Asset], trades: Sequence[Trade]) -> Ledger:
    """The deal's par and cash after the trades, one after the other.

    assets  by folded id (`assets_by_key`): everything that may be traded

    Raises TradeError that names every row with what is wrong: an unknown asset, a purchase without a price, a sale of
    more than is held, a par or a price that cannot be.
    """
    ledger, problems = _posted(deal, assets, trades, {})
    if problems:
        raise TradeError(problems)
    return ledger


def problems_of(
    deal: Deal, assets: Mapping[str, Asset], trades: Sequence[Trade], unread: Mapping[int, Collection[str]]
) -> tuple[Problem, ...]:
    """What `post` says against trades of which some cells could not be read.

    unread  by row the columns of such cells: nothing is said of them, nor of what hangs on them
    """
    return tuple(_posted(deal, assets, trades, unread)[1])


def _posted(
    deal: Deal, assets: Mapping[str, Asset], trades: Sequence[Trade], unread: Mapping[int, Collection[str]]
) -> tuple[Ledger, list[Problem]]:
    """The ledger of the trades that can be made, and what is wrong with the others."""
    par = {h.asset_id: h.par for h in deal.holdings}
    cash = deal.principal_cash
    fills: list[Filled] = []
    problems: list[Problem] = []
    bought: set[str] = set()  # by purchases with a fault: what is held of these nobody knows
    anything = False  # one of these purchases may be of any asset
    for place, trade in enumerate(trades, 1):
        row, key = trade.row or place, fold(trade.asset_id)
        hidden = unread.get(row, ())
        doubtful = any(column in hidden for column in ("side", "asset_id", "par"))
        made, found = _fill(trade, row, assets)
        blank = trade.price is None and "side" in hidden  # only a purchase needs a price
        found = [p for p in found if p.column not in hidden and not (blank and p.column == "price")]
        asset = assets.get(key)
        if trade.side is Side.SELL and asset is not None and not doubtful and not par_problem(trade.par):
            held = par.get(asset.asset_id, 0.0)
            if trade.par > held + CENT:
                found += [] if anything or key in bought else [_oversold(row, asset, trade.par, held)]
                made = None
            elif made is not None:
                made = replace(made, par=min(made.par, held))
        problems += found
        if made is None or doubtful:
            if trade.side is Side.BUY or "side" in hidden:
                bought.add(key)
                anything = anything or "asset_id" in hidden
            continue
        fills.append(made)
        held = par.get(made.asset.asset_id, 0.0) + trade.side.sign * made.par
        par[made.asset.asset_id] = held if held > CENT else 0.0
        cash += made.cash
    return Ledger(par, cash, tuple(fills)), problems


def _oversold(row: int, asset: Asset, amount: float, held: float) -> Problem:
    told = f"only {held:,.2f} of it is held" if held else "none of it is held"
    return Problem(row, "par", f"{amount:,.2f} of {asset.asset_id} cannot be sold: {told}; sell less.")


def _fill(trade: Trade, row: int, assets: Mapping[str, Asset]) -> tuple[Filled | None, list[Problem]]:
    """The trade with its asset and price, whatever is held, or None and what is wrong."""
    found: list[Problem] = []
    asset = assets.get(fold(trade.asset_id))
    if asset is None:
        said = f"the asset {trade.asset_id!r} is not in the asset master" if trade.asset_id else "the asset is missing"
        found.append(Problem(row, "asset_id", f"{said}; correct the id, or describe the asset in further columns."))
    wrong = par_problem(trade.par)
    if wrong:
        found.append(Problem(row, "par", wrong))
    price = trade.price
    if price is not None and (wrong := price_problem(price)):
        found.append(Problem(row, "price", wrong))
    elif price is None and trade.side is Side.BUY:
        found.append(Problem(row, "price", "a purchase needs a price; write it in percent of par, such as 99.5."))
    elif price is None and asset is not None:
        price = asset.market_value
        if price is None or price_problem(price):
            found.append(Problem(row, "price", f"{asset.asset_id} has no price of its own; write one, such as 99.5."))
    if found or asset is None or price is None:
        return None, found
    return Filled(trade, asset, trade.par, price, trade.price is None), []


def traded(book: Book, trades: Sequence[Trade], others: Iterable[Asset] = ()) -> Book:
    """The book after the trades; `book` itself is not touched.

    others  assets that may be bought besides those of the book: the rest of the master, or new ones

    Holdings keep their places; what is new follows in the order of the book's assets, then of `others`, whatever the
    order of the trades. Raises TradeError.
    """
    known = {**assets_by_key(others), **assets_by_key(book.assets.values())}
    return with_ledger(book, post(book.deal, known, trades))


def with_ledger(book: Book, ledger: Ledger) -> Book:
    """The book with the par and cash of a ledger."""
    assets = {**book.assets, **{f.asset.asset_id: f.asset for f in ledger.fills if f.asset.asset_id not in book.assets}}
    touched = {f.asset.asset_id for f in ledger.fills}
    before = {h.asset_id: h for h in book.deal.holdings}
    holdings = tuple(
        Holding(i, ledger.par[i]) if i in touched else before[i]
        for i in dict.fromkeys([*before, *assets])
        if (ledger.par[i] > 0.0 if i in touched else i in before)
    )
    deal = replace(book.deal, holdings=holdings, accounts=accounts_with(book.deal, ledger.cash))
    return replace(book, deal=deal, assets=assets)


def accounts_with(deal: Deal, cash: float) -> tuple[Account, ...]:
    """The deal's accounts with another principal balance of the collection account."""
    changed = replace(deal.account(COLLECTION), principal=cash)
    if all(a.number != COLLECTION for a in deal.accounts):
        return (*deal.accounts, changed) if cash else deal.accounts
    made, done = [], False
    for account in deal.accounts:
        first = account.number == COLLECTION and not done
        made.append(changed if first else account)
        done = done or first
    return tuple(made)


@dataclass(frozen=True, slots=True)
class Rung:
    """Principal cash after one settlement day: what moves on it and what is in hand then. day None: at once."""

    day: dt.date | None
    flow: float
    balance: float


def cash_ladder(cash: float, fills: Iterable[Filled]) -> tuple[Rung, ...]:
    """Principal cash by settlement day, from `cash` in hand today; a negative balance is a day to look at."""
    by_day: dict[dt.date | None, float] = {}
    for fill in fills:
        by_day[fill.trade.settlement] = by_day.get(fill.trade.settlement, 0.0) + fill.cash
    rungs = []
    for day in sorted(by_day, key=lambda d: d or dt.date.min):
        cash += by_day[day]
        rungs.append(Rung(day, by_day[day], cash))
    return tuple(rungs)
