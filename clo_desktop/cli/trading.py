"""The verbs about trades: rank, bids."""

from __future__ import annotations

import argparse
from pathlib import Path

from clo_desktop.cli.common import Add, Answer, open_desk


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    rank = add("rank", _rank, "Rank what may be bought or sold by its true marginal effect on the objective.")
    rank.add_argument("--deal", required=True, metavar="NAME")
    rank.add_argument("--side", required=True, choices=("buy", "sell"))
    rank.add_argument(
        "--weights", type=_weights, metavar="WEIGHTS", help="test=weight, such as 32=0.6,36=0.3 (default: the deal's)"
    )
    rank.add_argument("--filter", default="", metavar="TEXT", help='only these, e.g. "country = USA and wal < 5"')
    rank.add_argument("--size", type=float, default=1e6, metavar="PAR", help="par of each trade (default: 1000000)")
    rank.add_argument("--most", type=int, metavar="N", help="at most so many, the best first")

    bids = add("bids", _bids, "Judge a list of names in every deal: fits, breaks what, up to which size.")
    bids.add_argument("file", type=Path, metavar="FILE", help="a name a line, with size and price behind it")
    bids.add_argument("--deal", metavar="NAME", help="one deal only (default: every deal of the store)")
    bids.add_argument("--side", choices=("buy", "sell"), default="buy")


def _weights(text: str) -> dict[int, float]:
    """32=0.6,36=0.3"""
    from clo_desktop.work.trading import weights_of_text

    try:
        return weights_of_text(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _rank(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import trading, trading_told
    from engine.trades import Side

    side = Side(options.side)
    found = trading.ranking(open_desk(options), options.deal, side, options.weights, options.filter, options.size)
    data = trading_told.ranking_plain(options.deal, found, options.most)
    return Answer(data, trading_told.ranking_words(found, options.most))


def _bids(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import trading, trading_told
    from engine.trades import Side

    deals = [options.deal] if options.deal else None
    found = trading.fits_of_file(open_desk(options), options.file, deals, Side(options.side))
    return Answer(trading_told.fits_plain(found), trading_told.fits_words(found))
