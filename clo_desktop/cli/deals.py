"""The verbs about deals as a whole: deals, import, export, delete."""

from __future__ import annotations

import argparse
from pathlib import Path

from clo_desktop.cli.common import Add, Answer, add_target, check_target, no_workspace_yet, open_desk


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    add("deals", _deals, "List the deals of the store.")

    load = add("import", _import, "Import a deal from a workbook; a deal of that name is replaced.")
    load.add_argument("file", type=Path, metavar="FILE", help="the .xlsx workbook")
    load.add_argument("--deal", required=True, metavar="NAME", help="the deal's name")
    load.add_argument("--encrypt", action="store_true", help="a workspace that is made anew is encrypted")

    save = add("export", _export, "Export a deal to a workbook of the same layout.")
    add_target(save, "the .xlsx to write")
    save.add_argument("--deal", required=True, metavar="NAME")

    delete = add("delete", _delete, "Delete a deal from the store; its assets stay in the master.")
    delete.add_argument("--deal", required=True, metavar="NAME")


def _deals(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    if no_workspace_yet(options):
        return Answer(plain.deals(()), summary.deals(()))
    desk = open_desk(options)
    deals = desk.deals()
    return Answer(plain.deals(deals), summary.deals(deals, shared=desk.store.is_server))


def _import(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import plain, summary

    outcome = open_desk(options, may_make=True).import_file(options.file, options.deal)
    data, words = plain.imported(outcome), summary.imported(outcome)
    if outcome.imported:
        return Answer(data, words)
    sentence = summary.refused_import(outcome)
    return Answer({**data, "error": {"code": "faults", "message": sentence}}, words, complaint=sentence)


def _export(options: argparse.Namespace) -> Answer:
    desk = open_desk(options)
    check_target(options, options.file)
    desk.export_file(options.deal, options.file)
    return Answer({"deal": options.deal, "file": str(options.file)}, f"{options.deal} was written to {options.file}.")


def _delete(options: argparse.Namespace) -> Answer:
    open_desk(options).delete(options.deal)
    return Answer({"deleted": options.deal}, f"{options.deal} was deleted; its assets stay in the master.")
