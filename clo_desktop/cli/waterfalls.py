"""The verbs about priorities of payments: show one, check or add a file of one's own, list all."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from clo_desktop.cli.common import USAGE, Add, Answer, open_desk


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    show = add(
        "waterfall", _waterfall, "Print a priority of payments as a numbered list; check or add one of your own."
    )
    which = show.add_mutually_exclusive_group(required=True)
    which.add_argument("--deal", metavar="NAME", help="that of a deal")
    which.add_argument("--file", type=Path, metavar="FILE", help="check this document (YAML) and print it")
    which.add_argument("--add", type=Path, metavar="FILE", help="check this document and copy it to your waterfalls")
    show.add_argument("--replace", action="store_true", help="with --add: write over your document of that name")

    add("waterfalls", _waterfalls, "List the waterfalls that ship and your own.")


def _waterfall(options: argparse.Namespace) -> Answer | int:
    from clo_desktop.work import plain, waterfalls
    from engine.waterfall.listing import listing

    if options.replace and options.add is None:
        print("usage: clo waterfall --add FILE --replace: --replace goes with --add.", file=sys.stderr)
        return USAGE
    if options.add is not None:
        document, where = waterfalls.add(options.add, replace=options.replace)
        data = {"waterfall": document.name, "title": document.title, "file": str(where)}
        return Answer(data, f"The waterfall {document.name} was added: {where}.")
    if options.file is not None:
        document = waterfalls.read_file(options.file)
        return Answer({"file": str(options.file), **plain.waterfall(document)}, listing(document))
    document = open_desk(options).waterfall(options.deal)
    return Answer({"deal": options.deal, **plain.waterfall(document)}, listing(document))


def _waterfalls(_options: argparse.Namespace) -> Answer:
    from clo_desktop import paths
    from clo_desktop.work import waterfalls

    found = waterfalls.known()
    files = {f.name: f.path for f in found.files if not f.fault}
    rows = [
        {"waterfall": d.name, "title": d.title, "file": str(files[d.name]) if d.name in files else None}
        for d in found.documents.values()
    ]
    damaged = [{"file": str(f.path), "waterfall": f.name, "fault": f.fault} for f in found.files if f.fault]
    folder = str(paths.waterfalls_folder())
    lines = [f"{row['waterfall']:26} {'ships' if row['file'] is None else 'yours':6} {row['title']}" for row in rows]
    lines += [f"{entry['waterfall']:26} {'unfit':6} {entry['fault']}" for entry in damaged]
    lines.append(f"Your own are the files *.yaml in {folder}.")
    return Answer({"folder": folder, "waterfalls": rows, "unfit": damaged}, "\n".join(lines))
