"""The verbs about scenario packs: pack, unpack."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clo_desktop.cli.common import USAGE, Add, Answer, add_force, check_target, open_desk, patience


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    pack = add("pack", _pack, "Write a deal with scenarios, everything they rest on and the figures into one file.")
    pack.add_argument("--deal", required=True, metavar="NAME")
    pack.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="S",
        help="a scenario file or a name of the library (repeat it; default: the deal's own assumptions)",
    )
    pack.add_argument("--curve", type=Path, metavar="CSV", help="zero curve: columns tenor_months, rate")
    pack.add_argument("-o", "--output", type=Path, required=True, metavar="FILE", help="the pack to write (*.clopack)")
    add_force(pack)

    unpack = add("unpack", _unpack, "Run a scenario pack here, compare every figure, and store its deal and scenarios.")
    unpack.add_argument("file", type=Path, metavar="FILE", help="the pack (*.clopack)")
    unpack.add_argument("--check", action="store_true", help="compare only; nothing is stored")
    unpack.add_argument("--into", metavar="FILE|URL", help="store it there (default: --db, else your workspace)")
    unpack.add_argument("--as", dest="name", default="", metavar="NAME", help="store the deal under this name")
    unpack.add_argument("--waterfall", type=Path, metavar="YAML", help="write the pack's waterfall document there")
    add_force(unpack)


def _pack(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import packs

    desk = open_desk(options)
    check_target(options, options.output)
    with patience():
        named = packs.named_scenarios(options.scenario, lambda: desk)
        made = packs.write(desk, options.deal, options.output, named, curve=options.curve)
    names = [name for name, _, _ in made.scenarios]
    data = {"pack": str(options.output), "deal": options.deal, "scenarios": names, "ingredients": made.ingredients}
    return Answer(data, f"{options.deal} under {', '.join(names)} was written to {options.output}.")


def _unpack(options: argparse.Namespace) -> Answer | int:
    from clo_desktop.work import packs

    if options.check and (options.into or options.name):
        print("usage: clo unpack FILE --check: nothing is stored; leave --into and --as out.", file=sys.stderr)
        return USAGE
    if options.waterfall is not None:
        check_target(options, options.waterfall)
    pack = packs.read(options.file)
    with patience():
        done = packs.check(pack)
    data, words = packs.check_plain(done), [packs.check_words(done)]
    if options.waterfall is not None:
        packs.write_waterfall(pack, options.waterfall)
        words.append(f"The waterfall {pack.document.name} was written to {options.waterfall}.")
    if not options.check and options.waterfall is None:
        options.db = options.into or options.db
        faults, said = packs.store(open_desk(options, may_make=True), pack, options.name)
        words += [*said, *(fault.message for fault in faults)]
        data["stored"] = list(said)
    complaint = "" if done.same else f"{pack.name}: the figures are not the same here; see above."
    return Answer(data, "\n".join(words), complaint=complaint)
