"""The verb about new notes: alternatives."""

from __future__ import annotations

import argparse
from typing import Any

from clo_desktop.cli.arguments import add_assumptions, assumptions, date, rate
from clo_desktop.cli.common import Add, Answer, open_desk, patience
from clo_desktop.faults import Refused


def _new_margin(text: str) -> tuple[str, float]:
    name, _, figure = text.rpartition("=")
    if not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no margin of a class; write A-1=1.05%")
    return _id(name), rate(figure)


def _size(text: str) -> tuple[str, float]:
    name, _, figure = text.rpartition("=")
    try:
        return _id(name), float(figure.replace(",", ""))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no size of a class; write A-1=310000000") from None


def _id(name: str) -> str:
    bare = name.strip()
    return bare[6:].strip() if bare.lower().startswith("class ") else bare


def add_verbs(add: Add) -> None:
    """The options of the verb."""
    verb = add(
        "alternatives", _alternatives, "Hold a deal, or refinance, reset or call it: what each is to the equity."
    )
    add_assumptions(verb)
    margins: dict[str, Any] = {"type": _new_margin, "action": "append", "default": [], "metavar": "CLASS=MARGIN"}
    verb.add_argument("--new", help="margin of the new notes (default: the discount margins in the deal)", **margins)
    verb.add_argument("--costs", type=float, default=0.0, metavar="AMOUNT", help="of a refinancing")
    verb.add_argument("--costs-percent", type=float, default=0.0, metavar="X", help="and %% of the new notes")
    verb.add_argument(
        "--paid-by",
        default="deal",
        choices=("deal", "holders"),
        help="who pays costs: the interest of the date, or the holders of the equity (default: deal)",
    )
    verb.add_argument("--non-call", type=int, default=0, metavar="MONTHS", help="non-call period of the new notes")
    verb.add_argument("--reset", action="store_true", help="also a reset of every class")
    verb.add_argument("--reset-new", help="margins of a reset (default: as --new)", **margins)
    verb.add_argument(
        "--reset-size",
        type=_size,
        action="append",
        default=[],
        metavar="CLASS=AMOUNT",
        help="balance of the new notes of a reset (default: what is owed to the old ones)",
    )
    verb.add_argument("--reset-costs", type=float, default=0.0, metavar="AMOUNT", help="of a reset")
    verb.add_argument("--reset-costs-percent", type=float, default=0.0, metavar="X", help="and %% of its new notes")
    verb.add_argument("--reset-non-call", type=int, default=24, metavar="MONTHS", help="(default: 24)")
    verb.add_argument("--reinvest", type=int, default=60, metavar="MONTHS", help="from the reset on (default: 60)")
    verb.add_argument("--longer", type=int, default=24, metavar="MONTHS", help="the maturity moves by (default: 24)")
    verb.add_argument("--call-cost", type=float, default=0.0, metavar="AMOUNT", help="costs of a call")
    verb.add_argument("--call-cost-percent", type=float, default=0.0, metavar="X", help="and %% of the sale proceeds")
    verb.add_argument("--price", type=float, metavar="X", help="of the equity, per 100 (default: the deal's own)")
    verb.add_argument("--settle", type=date, metavar="DATE", help="settlement (default: the analysis date)")
    verb.add_argument(
        "--on", type=date, action="append", metavar="DATE", help="only this date (repeat it; default: every one)"
    )


def _alternatives(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import alternatives
    from engine.valuation.calls import Costs

    holders = options.paid_by == "holders"
    refinance = {
        "margins": tuple(options.new),
        "fixed": options.costs,
        "percent": options.costs_percent,
        "by_holders": holders,
        "non_call": options.non_call,
    }
    reset = {
        "margins": tuple(options.reset_new or options.new),
        "balances": tuple(options.reset_size),
        "fixed": options.reset_costs,
        "percent": options.reset_costs_percent,
        "by_holders": holders,
        "non_call": options.reset_non_call,
        "reinvestment": options.reinvest,
        "longer": options.longer,
    }
    try:
        call = Costs(options.call_cost, options.call_cost_percent)
    except ValueError as error:
        raise Refused(str(error), code="alternatives") from error
    with patience():
        done = alternatives.compared(
            open_desk(options),
            options.deal,
            assumptions(options),
            refinance,
            reset if options.reset else None,
            call=call,
            price=options.price,
            on=options.on,
            settlement=options.settle,
            curve=options.curve,
        )
    return Answer(alternatives.plain(options.deal, done), alternatives.words(options.deal, done))
