"""The options of `clo value`: what classes are quoted at, settlement, calls and their costs.

Parsing loads nothing of the engine.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from clo_desktop.faults import Refused

if TYPE_CHECKING:
    from clo_desktop.work.desk import Desk
    from engine.assumptions import Assumptions
    from engine.valuation.whole import DealValue

_LIKE_A_FRACTION: Final = 1.5
"""Prices up to this are taken for fractions of par, as trades have it."""

_STYLES: Final = {
    "price": ("price", "clean price per 100, e.g. B=99.5"),
    "yield": ("yield_quarterly", "yield, compounded quarterly, e.g. B=6.2%%"),
    "margin": ("discount_margin", "discount margin, e.g. B=1.85%%"),
    "spread": ("z_spread", "z-spread, compounded quarterly, e.g. B=1.9%%"),
}


def add_options(parser: argparse.ArgumentParser, rate: Callable[[str], float], day: Callable[[str], dt.date]) -> None:
    """rate, day: how the command line reads them."""

    def quoted(text: str) -> tuple[str, float]:
        name, _, figure = text.rpartition("=")
        if not name.strip():
            raise argparse.ArgumentTypeError(f"{text!r} is no quote; write CLASS=99.5 or CLASS=1.85%")
        return name.strip(), rate(figure)

    def priced(text: str) -> tuple[str, float]:
        name, price = quoted(text)
        if 0.0 < price <= _LIKE_A_FRACTION:
            raise argparse.ArgumentTypeError(
                f"{text!r} looks like a fraction of par; write it per 100, e.g. {name}={price * 100.0:g}"
            )
        return name, price

    for word, (_, text) in _STYLES.items():
        read = priced if word == "price" else quoted
        parser.add_argument(
            f"--{word}", dest=f"quoted_{word}", type=read, action="append", default=[], metavar="CLASS=X", help=text
        )
    parser.add_argument("--settle", type=day, metavar="DATE", help="settlement (default: the analysis date)")
    parser.add_argument("--marks", type=day, metavar="DATE", help="day of the assets' prices")
    parser.add_argument("--worst", action="store_true", help="also to every call date, and to worst")
    parser.add_argument("--call-cost", type=float, default=0.0, metavar="AMOUNT", help="costs of a call")
    parser.add_argument("--call-cost-percent", type=float, default=0.0, metavar="X", help="and %% of the sale proceeds")
    parser.add_argument("--risk", action="store_true", help="also effective and key-rate durations")


def value(desk: Desk, options: Any, assumptions: Assumptions) -> DealValue:
    """What was asked for. Raises Refused for a quote or costs out of range, and as `worth.value`."""
    from clo_desktop.work import worth
    from engine.valuation.calls import Costs
    from engine.valuation.note import Quote, Style

    try:
        quotes = [
            (name, Quote(Style(style), figure))
            for word, (style, _) in _STYLES.items()
            for name, figure in getattr(options, f"quoted_{word}")
        ]
        costs = Costs(options.call_cost, options.call_cost_percent)
    except ValueError as error:
        raise Refused(str(error), code="quote") from error
    return worth.value(
        desk,
        options.deal,
        assumptions,
        quotes,
        curve=options.curve,
        settlement=options.settle,
        marked_on=options.marks,
        to_worst=options.worst,
        costs=costs,
        risk=options.risk,
    )
