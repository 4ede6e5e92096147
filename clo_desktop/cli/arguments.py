"""Arguments of the command line that several commands share: rates, dates, and what a projection assumes."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clo_desktop.cli.common import open_desk
from clo_desktop.faults import Refused

if TYPE_CHECKING:
    from engine.assumptions import Assumptions


def rate(text: str) -> float:
    """0.02 or 2%."""
    trimmed = text.strip()
    try:
        return float(trimmed[:-1]) / 100.0 if trimmed.endswith("%") else float(trimmed)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no rate; write 0.02 or 2%") from None


def date(text: str) -> dt.date:
    """2027-04-15."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write 2027-04-15") from None


def _key_shift(text: str) -> tuple[str, str]:
    """A key of the curve and its shift: 24=0.5%."""
    months, separator, shift = text.partition("=")
    if not separator or not months.strip() or not shift.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is no key shift; write MONTHS=RATE such as 24=0.5%")
    return months.strip(), shift.strip()


def add_assumptions(project: argparse.ArgumentParser) -> None:
    """The deal and what its projection assumes."""
    project.add_argument("--deal", required=True, metavar="NAME")
    for name, text in (
        ("cdr", "default rate of the collateral, a year"),
        ("cpr", "prepayment rate of the collateral, a year"),
        ("severity", "loss share of a default"),
    ):
        project.add_argument(f"--{name}", type=rate, metavar="RATE", help=text)
    project.add_argument("--lag", type=float, metavar="MONTHS", help="months from default to recovery")
    project.add_argument("--sale-price", type=float, metavar="PRICE", help="of the pool at redemption, %% of par")
    project.add_argument("--price-shock", type=rate, metavar="SHARE", help="change of every price at once, e.g. -20%%")
    project.add_argument("--downgrade", type=int, metavar="NOTCHES", help="by which every rating is lowered at once")
    project.add_argument("--call", type=date, metavar="DATE", help="redeem on the first payment date from then on")
    project.add_argument(
        "--call-below", type=rate, metavar="SHARE", help="redeem after a distribution below this share of the equity"
    )
    project.add_argument(
        "--clean-up", type=rate, metavar="SHARE", help="redeem when the par is below this share of the opening par"
    )
    project.add_argument("--no-reinvest", action="store_true", help="all principal to the notes")
    project.add_argument("--curve", type=Path, metavar="CSV", help="zero curve: columns tenor_months, rate")
    project.add_argument("--shift", type=rate, metavar="RATE", help="parallel shift of the curve")
    project.add_argument(
        "--key-shift",
        type=_key_shift,
        action="append",
        default=[],
        metavar="MONTHS=RATE",
        help="shift of one zero rate, e.g. 24=0.5%% (repeat it for several)",
    )
    project.add_argument("--interpolation", metavar="NAME", help="of the curve: linear zero, log-linear discount, ...")
    project.add_argument("--forwards", type=Path, metavar="CSV", help="forwards that are given: columns date, rate")
    project.add_argument(
        "--scenario",
        metavar="S",
        help="a scenario file (YAML) or a name of the library; options go before it and its rules",
    )


def assumptions(options: argparse.Namespace) -> Assumptions:
    """What is asked for: the scenario, and before it what the options say. Raises Refused."""
    from clo_desktop.work import scenario, scenario_library, scenario_over
    from engine.assumptions import Assumptions

    base = Assumptions()
    if options.scenario is not None:
        base = scenario_library.resolve(options.scenario, lambda: open_desk(options).store).assumptions
    path: dict[str, Any] = {}
    if options.key_shift:
        where = "--key-shift"
        keys = [scenario.key_shift("The curve", where, months, shift) for months, shift in options.key_shift]
        path["key_shifts"] = scenario.in_order("The curve", where, keys)
    if options.interpolation is not None:
        path["interpolation"] = scenario.interpolation("The curve", "--interpolation", options.interpolation)
    if options.forwards is not None:
        path["forwards"] = scenario.read_forwards(options.forwards)
    said = {
        "cpr": options.cpr,
        "cdr": options.cdr,
        "severity": options.severity,
        "lag": options.lag,
        "sale_price": options.sale_price,
        "rate_shift": options.shift,
        "price_shock": options.price_shock,
        "downgrade": options.downgrade,
        "call_date": options.call,
        "call_below": options.call_below,
        "clean_up": options.clean_up,
        "reinvest": False if options.no_reinvest else None,
        "rates": replace(base.rates, **path) if path else None,
    }
    try:
        made = scenario_over.over(base, said)
    except ValueError as error:
        raise Refused(str(error), code="assumptions") from error
    for name, count in scenario_over.beaten(base, said):
        rules = "a rule" if count == 1 else f"{count} rules"
        print(f"Note: --{name} goes before {rules} of {options.scenario}.", file=sys.stderr)
    return made
