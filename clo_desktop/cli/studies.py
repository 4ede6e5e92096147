"""The verbs over many scenarios: grid, breakeven, goal."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from clo_desktop.cli.arguments import add_assumptions, assumptions, rate
from clo_desktop.cli.common import Add, Answer, open_desk, patience

if TYPE_CHECKING:
    from clo_desktop.work.desk import Desk
    from clo_desktop.work.kept import Told
    from engine.assumptions import Assumptions

HALF: Final = "half"
"""Of a goal: half of what the measure is under the assumptions as they stand."""


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    grid = add("grid", _grid, "Run every combination of one, two or three parameters and measure each.")
    add_assumptions(grid)
    grid.add_argument(
        "--x", required=True, metavar="AXIS", help="a parameter: cdr=0:0.2:20 (from, to, how many) or lag=0,6,12"
    )
    grid.add_argument("--y", metavar="AXIS", help="a second one, e.g. severity=20%%:80%%:20")
    grid.add_argument("--z", metavar="AXIS", help="a third one")
    grid.add_argument(
        "--measure",
        action="append",
        metavar="KIND:OF",
        help="irr:SUB, moic:SUB, paid:B, loss:B, wal:A-1, cushion:OC_D, fails:OC_D, … (repeat it; default: irr)",
    )

    breakeven = add("breakeven", _breakeven, "Find the default rate at which each class loses, or each test trips.")
    add_assumptions(breakeven)
    breakeven.add_argument(
        "--target",
        default="first-loss",
        choices=("first-loss", "yield-zero", "test"),
        help="a dollar stays unpaid, all payments are less than was paid, or a coverage test fails "
        "(default: first-loss)",
    )
    breakeven.add_argument(
        "--basis",
        default="price",
        choices=("price", "par", "cost", "nav"),
        help="what was paid, for yield-zero: the price with accrued interest, par, what the equity cost at closing "
        "less what it has had, or its net asset value (default: price)",
    )

    goal = add("goal", _goal, "Find the value of a parameter that gives a measure; along a second one, the frontier.")
    add_assumptions(goal)
    goal.add_argument("--parameter", required=True, metavar="NAME", help="what is turned, e.g. cdr")
    goal.add_argument("--between", nargs=2, metavar=("FROM", "TO"), help="look between these (default: all it may be)")
    goal.add_argument("--measure", required=True, metavar="KIND:OF", help="irr:SUB, cushion:OC_D, loss:B, …")
    goal.add_argument(
        "--value",
        type=_wanted,
        required=True,
        metavar="X",
        help="what it shall be: 0, 5%%, or half of what it is",
    )
    goal.add_argument("--along", metavar="AXIS", help="at each value of this one too, e.g. severity=20%%:80%%:7")


def _wanted(text: str) -> float | str:
    """A figure, or the word half."""
    return HALF if text.strip().lower() == HALF else rate(text)


def _kept(options: argparse.Namespace, question: dict[str, Any], make: Callable[[Desk, Assumptions], Told]) -> Answer:
    """The answer to a question about a deal under the options' assumptions, at once where it was asked before."""
    from clo_desktop.work import kept

    with patience():
        desk, asked = open_desk(options), assumptions(options)
        rests_on = kept.inputs(desk, options.deal, asked, {"deal": options.deal, **question}, options.curve)
        data, words = kept.answered(rests_on, lambda: make(desk, asked))
    return Answer(data, words)


def _goal(options: argparse.Namespace) -> Answer:
    names = ("parameter", "between", "measure", "value", "along")
    question = {"verb": "goal", **{name: getattr(options, name) for name in names}}

    def make(desk: Desk, asked: Assumptions) -> Told:
        from clo_desktop.work import studies

        found = studies.run_goal(
            desk,
            options.deal,
            options.parameter,
            options.measure,
            None if options.value == HALF else options.value,
            asked,
            between=options.between,
            along=options.along,
            curve=options.curve,
        )
        return studies.goal_plain(options.deal, found), studies.goal_words(found)

    return _kept(options, question, make)


def _grid(options: argparse.Namespace) -> Answer:
    axes = [text for text in (options.x, options.y, options.z) if text is not None]
    measures = options.measure or ["irr"]

    def make(desk: Desk, asked: Assumptions) -> Told:
        from clo_desktop.work import studies

        done = studies.run_grid(desk, options.deal, axes, measures, asked, curve=options.curve)
        return studies.grid_plain(options.deal, done), studies.grid_words(done)

    return _kept(options, {"verb": "grid", "axes": axes, "measures": measures}, make)


def _breakeven(options: argparse.Namespace) -> Answer:
    def make(desk: Desk, asked: Assumptions) -> Told:
        from clo_desktop.work import studies

        done, defaulted = studies.run_break_even(
            desk, options.deal, options.target, asked, basis=options.basis, curve=options.curve
        )
        told = (options.deal, done, defaulted)
        return studies.break_even_plain(*told), studies.break_even_words(*told)

    return _kept(options, {"verb": "breakeven", "target": options.target, "basis": options.basis}, make)
