"""The verb that takes over the former system's databases: import-former."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clo_desktop.cli.common import Add, Answer, open_desk


def add_verbs(add: Add) -> None:
    """The options of the verb."""
    verb = add(
        "import-former",
        _import,
        "Import databases of the former system: assets, correlations, scenarios, configuration, reference data.",
    )
    verb.add_argument("files", type=Path, nargs="+", metavar="FILE", help="its SQLite files; each is one transaction")
    verb.add_argument("--check", action="store_true", help="report only; nothing is stored")
    verb.add_argument("--strict", action="store_true", help="store no file of which a row was not understood")
    verb.add_argument("--encrypt", action="store_true", help="a workspace that is made anew is encrypted")


def _import(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import former_databases

    store = None if options.check else open_desk(options, may_make=True).store
    said = ""

    def report(fraction: float, what: str) -> None:
        nonlocal said
        if what != said and sys.stderr.isatty():
            print(f"{fraction:4.0%}  {what}", file=sys.stderr, flush=True)
        said = what

    outcomes = former_databases.import_files(store, options.files, report, strict=options.strict)
    refused = "\n".join(outcome.refused for outcome in outcomes if outcome.refused)
    return Answer(
        {"files": former_databases.plain(outcomes)}, "\n".join(former_databases.lines(outcomes)), complaint=refused
    )
