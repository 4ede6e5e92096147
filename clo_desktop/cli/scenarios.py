"""The verbs about the library of scenarios: list them; show, save, lock, tag or delete one."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from clo_desktop.cli.common import USAGE, Add, Answer, no_workspace_yet, open_desk, patience

_ACTS: Final = ("show", "save", "lock", "unlock", "tag", "delete")


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    many = add("scenarios", _scenarios, "List the scenarios that ship and those of the workspace.")
    many.add_argument("--search", default="", metavar="WORDS", help="in name, tags, note or owner")
    many.add_argument("--tag", default="", metavar="TAG", help="those with this tag")

    beside = add("compare", _compare, "Run a deal under two to four scenarios: what differs in inputs and figures.")
    beside.add_argument("--deal", required=True, metavar="NAME")
    beside.add_argument(
        "--scenario", action="append", default=[], metavar="S", help="a file or a name of the library (repeat it)"
    )

    load = add("import-scenarios", _import, "Import scenario parameters of the former model into the library.")
    load.add_argument("file", type=Path, metavar="FILE", help="workbook, CSV or SQLite: name, parameter, value, period")
    load.add_argument("--check", action="store_true", help="report only; nothing is saved")

    one = add("scenario", _scenario, "Show, save, lock, unlock, tag or delete a scenario of the library.")
    one.add_argument("act", choices=_ACTS, help="what to do with it; every save makes a new version")
    one.add_argument("name", metavar="NAME", help="its name; with show also NAME@VERSION")
    one.add_argument("--from", dest="source", metavar="S", help="save: a scenario file, or a name of the library")
    one.add_argument("--note", default="", metavar="TEXT", help="save: what is new in this version")
    one.add_argument("--tag", action="append", default=[], metavar="TAG", help="save: add it; tag: these and no others")
    one.add_argument("--versions", action="store_true", help="show: list every version instead")


def _scenarios(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import scenario_library as library

    found = library.listed(None if no_workspace_yet(options) else open_desk(options).store, options.search, options.tag)
    return Answer([library.plain(one, text=False) for one in found], library.words(found))


def _compare(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import comparison
    from clo_desktop.work import scenario_library as library

    comparison.check_count(len(options.scenario))
    desk = open_desk(options)
    asked = [library.resolve(named, lambda: desk.store).assumptions for named in options.scenario]
    with patience(), desk.ready(options.deal) as model:
        runs = [model.run(one) for one in asked]
    return Answer(comparison.plain(options.scenario, runs), comparison.words(options.scenario, runs))


def _import(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import former_scenarios

    found = former_scenarios.read(options.file)
    saved, refused = (
        ((), ()) if options.check else former_scenarios.save(open_desk(options, may_make=True).store, found)
    )
    words = "\n".join((*former_scenarios.lines(found), *saved))
    return Answer(former_scenarios.plain(found, saved, refused), words, complaint="\n".join(refused))


def _scenario(options: argparse.Namespace) -> Answer | int:
    from clo_desktop.work import scenario_library as library

    name = options.name
    if options.act == "show" and no_workspace_yet(options):  # the templates are there without one
        found = library.entry(None, name)
        return Answer([library.plain(found)] if options.versions else library.plain(found), library.told(found))
    store = open_desk(options, may_make=options.act == "save" and options.source is not None).store
    match options.act:
        case "show" if options.versions:
            every = library.versions(store, name)
            lines = [
                f"{v.version:4}  {v.saved_at:%Y-%m-%d %H:%M} UTC  {v.saved_by:14} {v.note}" for v in every if v.saved_at
            ]
            return Answer([library.plain(v) for v in every], "\n".join(lines) or library.words(every))
        case "show":
            found = library.entry(store, name)
            return Answer(library.plain(found), library.told(found))
        case "save":
            if options.source is None:
                print(
                    "usage: clo scenario save NAME --from FILE: the file or scenario to save is missing.",
                    file=sys.stderr,
                )
                return USAGE
            saved = library.save(
                store, name, library.copied(options.source, lambda: store, name), options.note, options.tag
            )
            return Answer(library.plain(saved), f"{saved.name} was saved as version {saved.version}.")
        case "lock":
            left = library.change(store, name, lambda of: store.lock_scenario(of, store.person))
            return _changed(left, name, f"{name} is locked; nobody changes it until it is unlocked.")
        case "unlock":
            left = library.change(store, name, lambda of: store.unlock_scenario(of, store.person))
            return _changed(left, name, f"{name} is unlocked.")
        case "tag":
            tags = library.check_tags(options.tag)
            left = library.change(store, name, lambda of: store.tag_scenario(of, tags))
            return _changed(left, name, f"The tags of {name} are: {', '.join(tags) or 'none'}.")
    left = library.change(store, name, store.delete_scenario)
    return _changed(left, name, f"{name} was deleted with all its versions.")


def _changed(left: Any, name: str, words: str) -> Answer:
    from clo_desktop.work import scenario_library as library

    return Answer({"deleted": name} if left is None else library.plain(left, text=False), words)
