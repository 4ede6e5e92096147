"""The verb about worth: value."""

from __future__ import annotations

import argparse

from clo_desktop.cli.arguments import add_assumptions, assumptions, date, rate
from clo_desktop.cli.common import Add, Answer, open_desk, patience
from clo_desktop.work import quoting


def add_verbs(add: Add) -> None:
    """The options of the verb."""
    worth = add("value", _value, "Value a deal's notes and equity: prices, yields, margins, durations, returns.")
    add_assumptions(worth)
    quoting.add_options(worth, rate, date)


def _value(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import worth

    with patience():
        done = quoting.value(open_desk(options), options, assumptions(options))
    return Answer(worth.plain(done), worth.words(done))
