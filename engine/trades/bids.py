"""A pasted bid list against deals: which names fit where, what each would break, and up to which size."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from engine.asset import Asset
from engine.pool import fold
from engine.trades.candidates import Candidates
from engine.trades.ranking import MILLION, marks
from engine.trades.sizes import Size, largest_sizes
from engine.trades.trade import Side, price_problem
from engine.trades.trader import Trader

_CELLS: Final = re.compile(r"\t|;|\||,(?!\d{3}(?!\d))|\s{2,}")
_AMOUNT: Final = re.compile(r"\$?\s*(\d[\d,]*(?:\.\d+)?)\s*(mm|m|mio|million|k)?$", re.IGNORECASE)
_PRICE: Final = re.compile(r"(\d{2,3}(?:\.\d+)?)(?:\s*[-/–]\s*(\d{1,3}(?:\.\d+)?))?$")
_UNITS: Final = {"": 1.0, "k": 1e3, "m": 1e6, "mm": 1e6, "mio": 1e6, "million": 1e6}
_WHOLE: Final = 1000.0
"""A size below it without a unit is in millions: "2.5" of a bid list is 2,500,000."""

HEADINGS: Final = frozenset(("NAME", "ISSUER", "ASSET", "ASSET ID", "LOANX ID", "LXID", "SECURITY", "ISSUE"))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: its number from 1, what it says, and what was found in it.

    asset    None where no asset, or more than one, is meant; `problem` says so, with the remedy
    size     par; None where the line has none;  price  percent of par, of a range the higher; None: none
    """

    row: int
    text: str
    asset: Asset | None
    size: float | None
    price: float | None
    problem: str = ""


def read_lines(text: str, assets: Iterable[Asset]) -> tuple[Line, ...]:
    """The lines of a pasted list: an id or a name, then a size and talk of a price, in columns or with blanks between.

    A line of headings is passed over. Nothing is guessed: a name that fits several assets is told with them.
    """
    finder = Finder(assets)
    made = []
    for row, line in enumerate(text.splitlines(), 1):
        cells = [c.strip().strip('"') for c in _CELLS.split(line.strip()) if c.strip()]
        if not cells or fold(cells[0]) in HEADINGS:
            continue
        made.append(_line(row, line.strip(), cells, finder))
    return tuple(made)


def _line(row: int, text: str, cells: list[str], finder: Finder) -> Line:
    asset, problem = finder.find(cells[0])
    rest = cells[1:]
    if asset is None and len(cells) == 1:  # only single blanks between: the figures stand at the end
        words = text.split()
        for count in range(len(words) - 1, 0, -1):
            found, _ = finder.find(" ".join(words[:count]))
            if found is not None:
                asset, problem, rest = found, "", words[count:]
                break
    size, price, odd = _figures(rest)
    if odd and not problem:
        problem = f"{odd!r} is neither a size nor a price; write 2mm or 98.5."
    return Line(row, text, asset, size, price, problem)


_NEAR_PAR: Final = (40.0, 130.0)
"""Percent of par between which a lone figure is a price and not a size in millions."""


def _figures(cells: Sequence[str]) -> tuple[float | None, float | None, str]:
    """Size and price after the name, and a figure that is neither ("" where there is none).

    The first amount is the size, what looks like a price after it the price; a figure that stands alone, without a
    unit and near par, is a price.
    """
    size: float | None = None
    price: float | None = None
    known = [[c] if _AMOUNT.match(c) or _PRICE.match(c) else c.split() for c in cells]
    parts = [part for found in known for part in found]  # "2mm 98.5" may be one cell or two
    figures = [part for part in parts if any(sign.isdigit() for sign in part)]
    odd = next((part for part in figures if not (_AMOUNT.match(part) or _PRICE.match(part))), "")
    if len(figures) == 1 and (alone := _AMOUNT.match(figures[0])) and not alone[2]:
        lone = float(alone[1].replace(",", ""))
        if _NEAR_PAR[0] <= lone <= _NEAR_PAR[1]:
            return None, lone, odd
    for cell in parts:
        amount, talk = _AMOUNT.match(cell), _PRICE.match(cell)
        if size is None and amount:
            number = float(amount[1].replace(",", ""))
            unit = (amount[2] or "").casefold()
            size = number * (1e6 if not unit and number < _WHOLE else _UNITS[unit])
        elif price is None and talk:
            price = _higher(talk[1], talk[2])
    return size or None, price if price is None or not price_problem(price) else None, odd


def _higher(low: str, high: str | None) -> float:
    """The higher end of a range; "98.5-99" and "98-9" mean 98.5 to 99 and 98 to 99."""
    if high is None:
        return float(low)
    upper = float(high)
    if upper < float(low) and upper < 10.0:
        upper = math.floor(float(low) / 10.0) * 10.0 + upper
    return max(float(low), upper)


class Finder:
    """Assets by id, by issue and by issuer, as people write them."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._by_id: dict[str, Asset] = {}
        self._by_name: dict[str, dict[str, Asset]] = {}
        for asset in assets:
            self._by_id[fold(asset.asset_id)] = asset
            for name in (asset.issue_name, asset.issuer_name, asset.issuer_id):
                if name:
                    self._by_name.setdefault(fold(name), {})[asset.asset_id] = asset

    def find(self, text: str) -> tuple[Asset | None, str]:
        """The asset meant, or why there is none."""
        key = fold(text)
        if key in self._by_id:
            return self._by_id[key], ""
        found = list(self._by_name.get(key, {}).values())
        if not found and len(key) >= 4:
            alike = {
                a.asset_id: a for name, some in self._by_name.items() if name.startswith(key) for a in some.values()
            }
            found = list(alike.values())
        if len(found) == 1:
            return found[0], ""
        if found:
            some = ", ".join(a.asset_id for a in found[:5]) + (" and others" if len(found) > 5 else "")
            return None, f"{text} may be {some}; write the id."
        return None, f"{text} is not in the asset master; write its id, or add the asset."


@dataclass(frozen=True, slots=True)
class Fit:
    """One line in one deal.

    fits      the trade of the line's size breaks no test; None where the line cannot be judged (`problem`)
    breaks    the tests that it breaks;  worsens  those of them that fail already and would be worse
    largest   the largest size that breaks none, and what stops it
    par, price  that were judged;  affordable  the par that cash in hand pays for (purchases)
    changes   of the pool's figures, by name; quality too where there are weights
    """

    line: Line
    fits: bool | None
    breaks: tuple[int, ...]
    largest: Size | None
    par: float
    price: float | None
    affordable: float | None
    changes: Mapping[str, float]
    problem: str = ""
    worsens: tuple[int, ...] = ()


def fit(
    trader: Trader, lines: Sequence[Line], side: Side = Side.BUY, *, size: float = MILLION, unit: float = 1000.0
) -> tuple[Fit, ...]:
    """Every line against one deal, all at once. size: of lines without one; unit: of the largest sizes.

    A purchase without a price in the list is judged at the asset's own price; a sale is of what is held at the most.
    """
    own = marks(trader)
    known: list[tuple[int, int, float, float]] = []  # line, place, par, price
    told: dict[int, str] = {}
    for i, line in enumerate(lines):
        place = None if line.asset is None else trader.places.get(fold(line.asset.asset_id))
        if place is None:
            told[i] = line.problem or "The deal's asset master lacks it; open the list against the whole master."
            continue
        price = line.price if line.price is not None else float(own[place])
        par = line.size or size
        if side is Side.SELL:
            par = min(par, float(trader.par[place]))
        if math.isnan(price):
            told[i] = "It has no price of its own that can be right; write one beside it."
        elif par <= 0.0:
            told[i] = "The deal does not hold it."
        else:
            known.append((i, place, par, price))
    made = {i: Fit(lines[i], None, (), None, 0.0, lines[i].price, None, {}, problem) for i, problem in told.items()}
    made |= _judged(trader, lines, side, known, unit)
    return tuple(made[i] for i in range(len(lines)))


def _judged(
    trader: Trader, lines: Sequence[Line], side: Side, known: list[tuple[int, int, float, float]], unit: float
) -> dict[int, Fit]:
    if not known:
        return {}
    places = np.array([k[1] for k in known], dtype=np.int64)
    par, price = np.array([k[2] for k in known]), np.array([k[3] for k in known])
    judged = trader.batch.judge(Candidates.single(places, side.sign * par, price), trader.weights)
    amount = max(trader.figures.principal_amount, float(par.max()))
    bounds = trader.par[places] if side is Side.SELL else np.full(places.size, amount)
    sizes = largest_sizes(trader.batch, places, np.full(places.size, side.sign), price, bounds, unit)
    names = [n for n in ("spread", "factor", "recovery", "wal", "diversity") if getattr(trader.figures, n) is not None]
    made: dict[int, Fit] = {}
    for row, (i, _, one, at) in enumerate(known):
        breaks = tuple(n for n, b in zip(judged.tests, judged.breaks[row].tolist(), strict=True) if b)
        changes = {
            n: float(judged.figures[trader.figure_test(n)][row]) - float(getattr(trader.figures, n)) for n in names
        }
        if trader.figures.quality is not None and not math.isnan(judged.quality[row]):
            changes["quality"] = float(judged.quality[row]) - trader.figures.quality
        affordable = max(trader.cash, 0.0) / at * 100.0 if side is Side.BUY else None
        worse = trader.failing_among(breaks)
        made[i] = Fit(lines[i], not breaks, breaks, sizes[row], one, at, affordable, changes, worsens=worse)
    return made


def fit_matrix(
    traders: Mapping[str, Trader], lines: Sequence[Line], side: Side = Side.BUY, *, size: float = MILLION
) -> dict[str, tuple[Fit, ...]]:
    """Every line against every deal, by the deal's name."""
    return {name: fit(trader, lines, side, size=size) for name, trader in traders.items()}
