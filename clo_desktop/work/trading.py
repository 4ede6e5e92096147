"""The verbs about trades: effects, rankings, largest sizes, bid lists, projections with and without. No Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, silent
from clo_desktop.work.desk import Desk
from clo_desktop.work.trade_files import look_through, refusal
from engine import trades
from engine.asset import Asset
from engine.assumptions import Assumptions
from engine.compliance import Compliance
from engine.pool import fold
from engine.trades import (
    HIGHEST_PAR,
    MILLION,
    Effect,
    Fit,
    ProjectedChange,
    Ranking,
    Side,
    Size,
    Trade,
    Trader,
)

CODE: Final = "trades"


@contextmanager
def _refusing() -> Any:
    """The engine's complaints become refusals with the same sentence."""
    try:
        yield
    except ValueError as error:
        raise Refused(str(error), code=CODE) from error


def effect_of(desk: Desk, deal: str, wanted: Sequence[Trade], others: Iterable[Asset] = ()) -> Effect:
    """What trades do to a deal. others: new assets. Raises Refused that names the row and the remedy."""
    with _refusing():
        return desk.trader(deal, others).effect(wanted)


def after(desk: Desk, deal: str, wanted: Sequence[Trade], others: Iterable[Asset] = ()) -> Compliance:
    """The deal's compliance after the trades with words and rows, to trace a figure to what it is made of."""
    with _refusing():
        return desk.trader(deal, others).after(wanted)


def effect_of_file(desk: Desk, deal: str, path: Path) -> tuple[Trader, Effect]:
    """What the trades of a CSV file do, and the deal that they were tried on. Raises Refused."""
    trader = desk.trader(deal)
    found = look_through(path, trader.assets)
    trader = desk.trader(deal, found.assets)
    if problems := [*found.problems, *trader.problems(found.trades, found.unread)]:
        raise refusal(path.name, problems)
    with _refusing():
        return trader, trader.effect(found.trades)


def ranking(
    desk: Desk,
    deal: str,
    side: Side,
    weights: dict[int, float] | None = None,
    where: str = "",
    size: float = MILLION,
) -> Ranking:
    """Every asset that may be bought (or sold), the best for the objective first. Raises Refused."""
    if not 0.0 < size <= HIGHEST_PAR:
        raise Refused(f"The size {size:,.10g} cannot be traded; write an amount such as 1000000.", code=CODE)
    with _refusing():
        return trades.rank(desk.trader(deal), side, weights, where=where, size=size)


def largest(desk: Desk, deal: str, trade: Trade, before: Sequence[Trade] = (), unit: float = 1000.0) -> Size:
    """The largest size of a trade that breaks no test, on top of other trades; its own par does not matter.

    A purchase is looked for up to the principal amount of the deal, a sale up to what is held. Raises Refused.
    """
    with _refusing():
        return trades.largest(desk.trader(deal), trade, before, unit)


def fits(
    desk: Desk, text: str, deals: Sequence[str] | None = None, side: Side = Side.BUY
) -> dict[str, tuple[Fit, ...]]:
    """A pasted bid list against deals (None: all of the store), by the deal's name. Raises Refused."""
    names = [d.name for d in desk.deals()] if deals is None else list(deals)
    lines = trades.read_lines(text, desk.master().values())
    if not lines:
        raise Refused("The list holds no names; paste one a line, with its size and price behind it.", code=CODE)
    with _refusing():
        return {name: trades.fit(desk.trader(name), lines, side) for name in names}


def fits_of_file(
    desk: Desk, path: Path, deals: Sequence[str] | None = None, side: Side = Side.BUY
) -> dict[str, tuple[Fit, ...]]:
    """As `fits`, of a list in a text file. Raises Refused."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"The list {path} cannot be read ({error.strerror}); check the name.", code=CODE) from error
    except UnicodeDecodeError as error:
        raise Refused(f"{path.name} is no text; save it in UTF-8.", code=CODE) from error
    return fits(desk, text, deals, side)


def projected(
    desk: Desk,
    deal: str,
    wanted: Sequence[Trade],
    assumptions: Assumptions | None = None,
    others: Iterable[Asset] = (),
    report: Progress = silent,
) -> ProjectedChange:
    """Coverage tests and the equity's cash with and without the trades, under the same assumptions. Raises Refused."""
    return projected_with(desk, desk.trader(deal, others), wanted, assumptions, report)


def projected_with(
    desk: Desk,
    trader: Trader,
    wanted: Sequence[Trade],
    assumptions: Assumptions | None = None,
    report: Progress = silent,
) -> ProjectedChange:
    """As `projected`, of a deal in hand: the engine's lane does not ask the store."""
    with _refusing():
        after = trader.traded(wanted)
    before = desk.project_book(trader.book, assumptions, part(report, 0.0, 0.45))
    return trades.projected_change(before, desk.project_book(after, assumptions, part(report, 0.5, 1.0)))


def part(report: Progress, low: float, high: float) -> Progress:
    """The progress of a part of the work, as a part of the whole."""
    return lambda fraction, what: report(low + (high - low) * fraction, what)


def weights_of_text(text: str) -> dict[int, float]:
    """Weights as they are typed: 32=0.6,36=0.3. Raises ValueError that says what is wrong."""
    made: dict[int, float] = {}
    for part in filter(None, (p.strip() for p in text.replace(";", ",").split(","))):
        number, _, weight = part.partition("=")
        try:
            key, value = int(number), float(weight)
        except ValueError:
            raise ValueError(f"{part!r} is no weight; write test=weight, such as 32=0.6,36=0.3") from None
        if key in made:
            raise ValueError(f"test {key} is weighted twice; keep one")
        made[key] = value
    if not made:
        raise ValueError("there are no weights; write test=weight, such as 32=0.6,36=0.3")
    return made


def issue_of(asset: Asset) -> str:
    """The name of an asset for people."""
    return asset.issue_name or asset.issuer_name or asset.issuer_id or fold(asset.asset_id)
