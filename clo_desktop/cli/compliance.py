"""The verbs about tests, ratings and doubts: compliance, breach, test, matrix, ratings, inbox."""

from __future__ import annotations

import argparse
from pathlib import Path

from clo_desktop.cli.arguments import rate
from clo_desktop.cli.common import Add, Answer, open_desk
from clo_desktop.faults import Refused


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    comply = add("compliance", _compliance, "Evaluate every test of a deal.")
    comply.add_argument("--deal", required=True, metavar="NAME")
    comply.add_argument("--test", type=int, metavar="NUMBER", help="one test: what counts and what moves it most")
    comply.add_argument("--most", type=int, metavar="N", help="with --test: at most so many positions")
    comply.add_argument(
        "--trades", type=Path, metavar="CSV", help="every test after these trades too: side, asset_id, par, price"
    )

    breach = add("breach", _breach, "The smallest set of events on names that breaks each passing test.")
    breach.add_argument("--deal", required=True, metavar="NAME")
    breach.add_argument("--test", type=int, metavar="NUMBER", help="one test (default: every test that passes)")
    breach.add_argument(
        "--event",
        action="append",
        choices=("default", "caa", "price"),
        help="a name defaults, falls to Caa2/CCC, or in price; repeat it for several (default: default and caa)",
    )
    breach.add_argument("--price", type=float, metavar="PRICE", help="of a price event, %% of par (default: 50)")
    breach.add_argument("--most", type=int, default=10, metavar="N", help="events of a set at the most (default: 10)")

    test = add("test", _test, "List the tests that users added to a deal; add one, or remove one.")
    test.add_argument("--deal", required=True, metavar="NAME")
    test.add_argument("--name", metavar="NAME", help="name of the test to add")
    bound = test.add_mutually_exclusive_group()
    bound.add_argument("--at-most", type=rate, metavar="LIMIT", help="the limit, e.g. 5%% or 0.05")
    bound.add_argument("--at-least", type=rate, metavar="LIMIT", help="the limit, e.g. 90%%")
    test.add_argument("--what", metavar="TEXT", default="", help='what counts, e.g. "country = Germany"')
    test.add_argument("--remove", type=int, metavar="NUMBER", help="the test to take out again")

    matrix = add("matrix", _matrix, "Every point of Moody's quality matrix against the pool, and the best of them.")
    matrix.add_argument("--deal", required=True, metavar="NAME")
    matrix.add_argument("--table", metavar="NAME", help="a reference table (default: the deal's own matrix)")

    rated = add("ratings", _ratings, "Ratings and recovery rates, stored and derived, with the rule that gave them.")
    rated.add_argument("--deal", required=True, metavar="NAME")
    rated.add_argument("--asset", metavar="ID", help="one asset only")

    doubts = add("inbox", _inbox, "What is doubtful in a deal's assets, and the decisions about it.")
    doubts.add_argument("--deal", required=True, metavar="NAME")
    doubts.add_argument("--decide", nargs=2, metavar=("KEY", "WORD"), help="store a decision about one of them")


def _compliance(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    desk = open_desk(options)
    if options.trades is not None:
        from clo_desktop.work import trading, trading_told

        if options.test is not None:
            raise Refused("--test and --trades do not go together; leave one out.", code="usage")
        trader, effect = trading.effect_of_file(desk, options.deal, options.trades)
        return Answer(trading_told.compliance_plain(trader, effect), trading_told.compliance_words(effect))
    if options.test is not None:
        from clo_desktop.work import judging, told

        reason = judging.why(desk, options.deal, options.test, options.most)
        return Answer(told.why_plain(reason), told.why_words(reason))
    done = desk.comply(options.deal)
    return Answer(plain.compliance(done), summary.compliance(done))


def _breach(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import breaking

    if options.price is not None and "price" not in (options.event or ()):
        raise Refused("--price is the level of a price event; give --event price with it.", code="usage")
    desk = open_desk(options)
    asked = breaking.Asked.of(options.test, options.event, options.price, options.most)
    found = breaking.breaches_of(desk.comply(options.deal), asked)
    return Answer(breaking.plain(options.deal, asked, found), breaking.words(asked, found))


def _test(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import judging, told

    desk = open_desk(options)
    if options.remove is not None:
        judging.remove_test(desk, options.deal, options.remove)
        return Answer({"removed": options.remove}, f"Test {options.remove} was taken out of {options.deal}.")
    limit = options.at_most if options.at_most is not None else options.at_least
    if options.name is None and limit is None:
        found = judging.own_tests(desk, options.deal)
        return Answer(told.own_plain(found), told.own_words(found))
    if options.name is None or limit is None:
        raise Refused("A test needs --name and --at-most or --at-least, and --what it measures.", code="test")
    direction = "MAX" if options.at_most is not None else "MIN"
    result = judging.add_test(desk, options.deal, options.name, direction, limit, options.what)
    if result is None:
        return Answer({"added": None}, f"The test was added to {options.deal}; `clo compliance` says what it lacks.")
    reason = judging.why(desk, options.deal, result.number, 0)
    words = [*told.why_words(reason).splitlines()[:2], *(f"Note: {note}" for note in reason.notes)]
    return Answer({"added": told.why_plain(reason)}, "\n".join(words))


def _matrix(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import judging, told

    found = judging.quality_matrix(open_desk(options), options.deal, options.table)
    return Answer(told.matrix_plain(found), told.matrix_words(found))


def _ratings(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import judging, told

    found = judging.ratings(open_desk(options), options.deal, options.asset)
    return Answer(told.ratings_plain(found), told.ratings_words(found))


def _inbox(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import judging, told

    desk = open_desk(options)
    if options.decide is not None:
        finding = judging.settle(desk, options.deal, *options.decide)
        return Answer(
            {"decided": {"key": finding.key, "word": options.decide[1]}},
            f"{finding.key}: {options.decide[1]}. It holds while the value is {finding.value}.",
        )
    found = judging.doubts(desk, options.deal)
    return Answer(told.inbox_plain(found), told.inbox_words(found))
