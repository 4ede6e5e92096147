"""The verbs that show tables of the output: tables, assets, spreads."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clo_desktop.cli.arguments import add_assumptions, assumptions
from clo_desktop.cli.common import Add, Answer, add_force, check_target, open_desk, patience
from clo_desktop.figures import counted


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    tables = add("tables", _tables, "List the tables of a run; show one of them, or write all as CSV files.")
    add_assumptions(tables)
    tables.add_argument("--table", metavar="NAME", help="one table, e.g. class-A-1")
    tables.add_argument("--csv", type=Path, metavar="FOLDER", help="write CSV files into this folder")
    add_force(tables)

    assets = add("assets", _assets, "Cash flows of a deal's assets by payment date, before the priority of payments.")
    add_assumptions(assets)
    assets.add_argument("--asset", metavar="ID", help="one asset only")
    assets.add_argument("--csv", type=Path, metavar="FOLDER", help="write a CSV file into this folder")
    add_force(assets)

    spreads = add("spreads", _spreads, "What a deal's assets pay over the curve at their prices (z-spreads).")
    spreads.add_argument("--deal", required=True, metavar="NAME")
    spreads.add_argument("--curve", type=Path, metavar="CSV", help="zero curve: columns tenor_months, rate")
    spreads.add_argument("--csv", type=Path, metavar="FOLDER", help="write a CSV file into this folder")
    add_force(spreads)


def _tables(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import outputs

    with patience():
        found = outputs.tables(open_desk(options), options.deal, assumptions(options), curve=options.curve)
    if options.table is not None:
        table = outputs.chosen(found, options.table)
        return _table(options, table, outputs.words(table))
    if options.csv is not None:
        files = _written(options, found)
        data = {"deal": options.deal, "files": [str(file) for file in files]}
        return Answer(data, f"{counted(len(files), 'table')} of {options.deal} were written to {options.csv}.")
    data = {"deal": options.deal, "tables": [{"table": t.name, "title": t.title, "rows": len(t)} for t in found]}
    return Answer(data, outputs.listed(found))


def _assets(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import outputs

    with patience():
        table = outputs.assets(
            open_desk(options), options.deal, assumptions(options), asset=options.asset, curve=options.curve
        )
    return _table(options, table, outputs.asset_words(table))


def _spreads(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import outputs

    with patience():
        table = outputs.spreads(open_desk(options), options.deal, curve=options.curve)
    return _table(options, table, outputs.spread_words(table))


def _table(options: argparse.Namespace, table: Any, words: str) -> Answer:
    """One table: printed, or written as CSV."""
    from clo_desktop.work import outputs

    if options.csv is None:
        return Answer({"deal": options.deal, **outputs.plain(table)}, words)
    (file,) = _written(options, [table])
    return Answer({"deal": options.deal, "files": [str(file)]}, f"{table.title} was written to {file}.")


def _written(options: argparse.Namespace, found: Sequence[Any]) -> tuple[Path, ...]:
    """Tables as CSV files in the folder that was named. Raises Refused where one is there already."""
    from clo_desktop.work.csv_tables import csv_file, write_csv

    check_target(options, *(csv_file(options.csv, table) for table in found))
    return write_csv(found, options.csv)
