"""The verbs about a deal's past and plans: snapshot, snapshots, ideas."""

from __future__ import annotations

import argparse
from pathlib import Path

from clo_desktop.cli.arguments import date
from clo_desktop.cli.common import Add, Answer, add_force, check_target, open_desk
from clo_desktop.faults import Refused
from clo_desktop.figures import counted


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    take = add("snapshot", _snapshot, "Store the results of a deal's tests under its as-of date; an import does too.")
    take.add_argument("--deal", required=True, metavar="NAME")

    past = add("snapshots", _snapshots, "The stored snapshots of a deal's tests, or the trend of one test.")
    past.add_argument("--deal", required=True, metavar="NAME")
    past.add_argument("--test", type=int, metavar="NUMBER", help="the trend of this test")
    past.add_argument(
        "--ahead", action="store_true", help="also the tests at the next collection ends, as the loans are due"
    )
    past.add_argument("--remove", type=date, metavar="DATE", help="delete the snapshot of this date")

    ideas = add("ideas", _ideas, "The stored ideas of trades; show one, or write its trades as CSV.")
    ideas.add_argument("--deal", required=True, metavar="NAME")
    ideas.add_argument("--idea", metavar="NAME", help="this one, with its trades")
    ideas.add_argument(
        "--csv", type=Path, metavar="FILE", help="with --idea: write its trades as `--trades` reads them"
    )
    add_force(ideas)


def _snapshot(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import history, history_told

    taken = history.take(open_desk(options), options.deal)
    return Answer(history_told.taken_plain(options.deal, taken), taken.words)


def _snapshots(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import history, history_told

    desk = open_desk(options)
    if options.remove is not None:
        history.drop(desk, options.deal, options.remove)
        day = options.remove.isoformat()
        return Answer({"removed": day}, f"The snapshot of {day} was deleted from {options.deal}.")
    found = history.trend(desk, options.deal, options.test)
    if options.ahead:
        found = (*found, *history.ahead(desk, options.deal))
    data = history_told.trend_plain(options.deal, found, options.test)
    return Answer(data, history_told.trend_words(options.deal, found, options.test))


def _ideas(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import history_told, stored_ideas

    desk = open_desk(options)
    if options.idea is None:
        if options.csv is not None:
            raise Refused("--csv writes one idea; name it with --idea.", code="usage")
        found = stored_ideas.listed(desk, options.deal)
        data = {"deal": options.deal, "ideas": [history_told.idea_plain(*each) for each in found]}
        return Answer(data, history_told.ideas_words(options.deal, found))
    idea, changes = stored_ideas.named(desk, options.deal, options.idea)
    if options.csv is None:
        return Answer(
            {"deal": options.deal, **history_told.idea_plain(idea, changes)}, history_told.idea_words(idea, changes)
        )
    check_target(options, options.csv)
    count = stored_ideas.write_csv(desk, options.deal, idea, options.csv)
    data = {"deal": options.deal, "idea": idea.name, "file": str(options.csv), "trades": count}
    return Answer(data, f"{counted(count, 'trade')} of {idea.name} were written to {options.csv}.")
