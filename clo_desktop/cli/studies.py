"""The verbs over many scenarios: grid, breakeven, goal."""

from __future__ import annotations

import argparse

from clo_desktop.cli.arguments import add_assumptions, assumptions, rate
from clo_desktop.cli.common import Add, Answer, open_desk, patience


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
    goal.add_argument("--value", type=rate, required=True, metavar="X", help="what the measure shall be, e.g. 0 or 5%%")
    goal.add_argument("--along", metavar="AXIS", help="at each value of this one too, e.g. severity=20%%:80%%:7")


def _goal(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import studies

    with patience():
        found = studies.run_goal(
            open_desk(options),
            options.deal,
            options.parameter,
            options.measure,
            options.value,
            assumptions(options),
            between=options.between,
            along=options.along,
            curve=options.curve,
        )
    return Answer(studies.goal_plain(options.deal, found), studies.goal_words(found))


def _grid(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import studies

    axes = [text for text in (options.x, options.y, options.z) if text is not None]
    with patience():
        done = studies.run_grid(
            open_desk(options),
            options.deal,
            axes,
            options.measure or ["irr"],
            assumptions(options),
            curve=options.curve,
        )
    return Answer(studies.grid_plain(options.deal, done), studies.grid_words(done))


def _breakeven(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import studies

    with patience():
        done, defaulted = studies.run_break_even(
            open_desk(options),
            options.deal,
            options.target,
            assumptions(options),
            basis=options.basis,
            curve=options.curve,
        )
    return Answer(
        studies.break_even_plain(options.deal, done, defaulted),
        studies.break_even_words(options.deal, done, defaulted),
    )
