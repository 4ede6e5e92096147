"""Tables of the output as CSV files: figures in full, units in the heads, a blank where missing."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from engine.outputs import Table
from engine.outputs.table import Cell

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
"""What a spreadsheet takes for the beginning of a formula or a command."""


def write_csv(found: Sequence[Table], folder: Path) -> tuple[Path, ...]:
    """A file a table in a folder that is made where it is not there; figures in full, a blank where missing.

    Units stand in the heads. Raises Refused where a file cannot be written.
    """
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in found:
            path = csv_file(folder, table)
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow([f"{n} ({u})" if u else n for n, u in zip(table.names, table.units, strict=True)])
                writer.writerows([csv_cell(cell) for cell in row] for row in table.rows())
            made.append(path)
    except OSError as error:
        raise Refused(
            f"{folder} cannot be written ({error.strerror or error}); choose another folder.", code="file"
        ) from error
    return tuple(made)


def csv_file(folder: Path, table: Table) -> Path:
    """The file that a table is written to."""
    return folder / f"{re.sub(r'[^A-Za-z0-9.+-]', '_', table.name)}.csv"


def csv_cell(cell: Cell) -> str:
    """As a spreadsheet reads it; text that it would take for a formula is led by an apostrophe."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return repr(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    text = str(cell)
    return f"'{text}" if text.startswith(_DANGEROUS) else text
