"""Rows of the trade pad as they are typed, and what they mean: trades, or what is wrong with a cell. No Qt."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from clo_desktop.sheets import parse
from clo_desktop.store import IdeaRow
from engine.asset import Asset
from engine.trades import Effect, Filled, Finder, Problem, Trade, TradeError, Trader, side_of
from engine.trades.trade import par_problem, price_problem

CELLS: Final = ("side", "asset", "par", "price", "settlement")
"""The cells of a row in the order in which lists of trades are pasted."""

_TITLES: Final = {
    **dict.fromkeys(("side", "buy/sell", "buy or sell", "direction"), "side"),
    **dict.fromkeys(("asset", "asset_id", "asset id", "id", "loanx id", "lxid", "issuer", "name"), "asset"),
    **dict.fromkeys(("par", "amount", "size"), "par"),
    **dict.fromkeys(("price", "trade price"), "price"),
    **dict.fromkeys(("settlement", "settle", "settlement date", "settles"), "settlement"),
}
_UNIT: Final = re.compile(r"(.*\d\.?)\s*(k|mm?|mio|bn)$", re.IGNORECASE)
_UNITS: Final = {"k": 1e3, "m": 1e6, "mm": 1e6, "mio": 1e6, "bn": 1e9}
_BLANKS: Final = str.maketrans("", "", " \u00a0\u202f\u2009'")
_AMOUNT: Final = parse.Number(-1e15, 1e15, money=True, unit="an amount is at most 1,000,000,000,000")
_PRICE: Final = parse.Number(-1e9, 1e9, percent=False, money=True)
_MOST: Final = 2_000  # rows of a pad


@dataclass(frozen=True, slots=True)
class Row(IdeaRow):
    """One row of the pad."""

    @property
    def blank(self) -> bool:
        """Whether nothing is said but the side."""
        return not (self.asset.strip() or self.par.strip() or self.price.strip() or self.settlement.strip())

    def put(self, cell: str, text: str) -> Row:
        """With another text in a cell; a row that is begun buys."""
        made = replace(self, **{cell: text})
        return replace(made, side="Buy") if not made.side.strip() and not made.blank and cell != "side" else made

    def cells(self) -> tuple[str, ...]:
        return tuple(getattr(self, name) for name in CELLS)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a row means. problems: by cell, a sentence with the remedy; a row with one is left out of the figures."""

    trade: Trade | None = None
    asset: Asset | None = None
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The pad as it was judged: what each row means, how it was filled, and what all sound rows do together.

    fills  by the place of the row;  seconds  that the judgement took
    """

    rows: tuple[Row, ...]
    seen: tuple[Seen, ...]
    fills: Mapping[int, Filled]
    effect: Effect
    trader: Trader
    seconds: float

    @property
    def trades(self) -> tuple[Trade, ...]:
        """The trades that count."""
        return self.effect.trades

    @property
    def wrong(self) -> int:
        """How many rows are left out."""
        return sum(bool(s.problems) for s in self.seen)


def amount(text: str) -> float | None:
    """A par such as 1,500,000, 2.5m or 250k; None for a blank. Raises ValueError with the remedy."""
    return _figure(text, _AMOUNT, "an amount such as 1000000, 2.5m or 250k")


def price_of(text: str) -> float | None:
    """A price in percent of par; None for a blank. Raises ValueError with the remedy."""
    return _figure(text, _PRICE, "percent of par, such as 99.5")


def _figure(text: str, rule: parse.Number, wanted: str) -> float | None:
    bare = text.translate(_BLANKS)
    if not bare:
        return None
    unit = _UNIT.match(bare) if rule is _AMOUNT else None
    read = parse.text_number(unit[1] if unit else bare, rule)
    if read is None:
        raise ValueError(f"“{text.strip()[:40]}” is no number that can be read in one way only; write {wanted}.")
    return read[0] * (_UNITS[unit[2].casefold()] if unit else 1.0)


def settlement_of(text: str) -> dt.date | None:
    """A day; None for a blank. Raises ValueError with the remedy."""
    parsed = parse.date(text.strip() or None)
    if parsed.failed:
        raise ValueError(f"“{text.strip()[:40]}” is no day that can be read in one way only; write it as 2026-03-31.")
    return parsed.value if isinstance(parsed.value, dt.date) else None


def read_row(row: Row, place: int, finder: Finder) -> Seen:
    """What a row says by itself; place from 0."""
    if row.blank:
        return Seen()
    problems: dict[str, str] = {}
    side = side_of(row.side)
    if side is None:
        said = row.side.strip()
        problems["side"] = f"“{said}” is no side; write buy or sell." if said else "Write buy or sell."
    asset: Asset | None = None
    if not row.asset.strip():
        problems["asset"] = "The asset is missing; write its id, or a part of its issuer's name."
    else:
        asset, wrong = finder.find(row.asset)
        if asset is None:
            problems["asset"] = wrong
    par = _cell(problems, "par", lambda: amount(row.par))
    price = _cell(problems, "price", lambda: price_of(row.price))
    day: dt.date | None = None
    try:
        day = settlement_of(row.settlement)
    except ValueError as error:
        problems["settlement"] = str(error)
    if par is None and "par" not in problems:
        problems["par"] = "The par is missing; write an amount such as 1000000, 2.5m or 250k."
    for name, value, rule in (("par", par, par_problem), ("price", price, price_problem)):
        if value is not None and (wrong := rule(value)):
            problems[name] = _sentence(wrong)
    if problems or side is None or asset is None or par is None:
        return Seen(None, asset, problems)
    return Seen(Trade(side, asset.asset_id, par, price, day, place + 1), asset)


def _cell(problems: dict[str, str], name: str, read: Callable[[], float | None]) -> float | None:
    """The figure of a cell; what is wrong with it is added to the problems."""
    try:
        return read()
    except ValueError as error:
        problems[name] = str(error)
        return None


def judge(trader: Trader, finder: Finder, rows: Sequence[Row]) -> Judged:
    """What the rows do; rows with something wrong are told and left out, the others count."""
    started = time.perf_counter()
    seen = [read_row(row, place, finder) for place, row in enumerate(rows)]
    while True:
        trades = [s.trade for s in seen if s.trade is not None]
        try:
            effect = trader.effect(trades)
            break
        except TradeError as error:  # what only the holdings and the other rows can say
            for problem in error.problems:
                place = problem.row - 1
                seen[place] = Seen(None, seen[place].asset, {_cell_of(problem): _sentence(problem.message)})
    places = [i for i, s in enumerate(seen) if s.trade is not None]
    fills = dict(zip(places, effect.fills, strict=True))
    return Judged(tuple(rows), tuple(seen), fills, effect, trader, time.perf_counter() - started)


def _cell_of(problem: Problem) -> str:
    return "asset" if problem.column == "asset_id" else problem.column


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def tidy(row: Row, finder: Finder) -> Row:
    """The row with what is understood written out: sides as words, a name as the id of its asset."""
    side = side_of(row.side)
    if side is not None:
        row = replace(row, side=side.value.capitalize())
    if row.asset.strip():
        asset, _ = finder.find(row.asset)
        if asset is not None:
            row = replace(row, asset=asset.asset_id)
    return row


def row_of(trade: Trade) -> Row:
    """A trade as it is typed."""
    return Row(
        trade.side.value.capitalize(),
        trade.asset_id,
        _plain(trade.par),
        "" if trade.price is None else _plain(trade.price),
        "" if trade.settlement is None else trade.settlement.isoformat(),
    )


def _plain(value: float) -> str:
    return f"{int(value):,}" if value == int(value) and abs(value) < 1e15 else repr(value)


def rows_text(
    rows: Sequence[Row],
    currency: str = "",
    *,
    headers: bool = True,
    beside: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Rows as tab-separated text that Excel and the pad itself read: figures as plain numbers.

    beside  further columns by their titles, a text a row; pasted back they are passed over
    """
    lines = []
    more = dict(beside or {})
    if headers:
        par = f"Par ({currency})" if currency else "Par"
        lines.append("\t".join(("Side", "Asset", par, "Price (% of par)", "Settlement", *more)))
    for place, row in enumerate(rows):
        cells = list(row.cells())
        for at, read in ((2, amount), (3, price_of)):
            try:
                number = read(cells[at])
            except ValueError:
                continue
            if number is not None:
                cells[at] = repr(int(number)) if number == int(number) else repr(number)
        cells += [texts[place] for texts in more.values()]
        lines.append("\t".join(" ".join(cell.split()) for cell in cells))
    return "\n".join(lines)


def pasted(rows: Sequence[Row], text: str, at: int, cell: int) -> tuple[Row, ...]:
    """The rows with a block of tab-separated text put in at a row and a cell.

    Headings say which column is which; without them a block that begins with buy or sell has the order of CELLS, and
    any other fills the cells from `cell` on. Rows are added as they are needed. Raises ValueError for too many.
    """
    block = [line for line in csv.reader(io.StringIO(text), delimiter="\t") if any(c.strip() for c in line)]
    if not block:
        return tuple(rows)
    order: list[str | None] = [_TITLES.get(_title(c)) for c in block[0]]
    if sum(name is not None for name in order) >= min(2, len(order)):
        block = block[1:]
    else:
        first = 0 if side_of(block[0][0]) is not None and len(block[0]) > 1 else cell
        order = [CELLS[i] if i < len(CELLS) else None for i in range(first, first + max(map(len, block)))]
    made = list(rows)
    if at + len(block) > _MOST:
        raise ValueError(f"The pad holds {_MOST:,} rows; paste fewer.")
    for place, line in enumerate(block, at):
        while place >= len(made):
            made.append(Row())
        for name, cell_text in zip(order, line, strict=False):
            if name is not None:
                made[place] = made[place].put(name, cell_text.strip())
    return tuple(made)


def _title(cell: str) -> str:
    return re.sub(r"\s*\(.*\)$", "", cell.strip().casefold())


def without_empty(rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows in which something is typed, if only a side."""
    return tuple(row for row in rows if any(cell.strip() for cell in row.cells()))
