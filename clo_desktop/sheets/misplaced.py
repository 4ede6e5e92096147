"""Columns most of whose cells cannot be read: one fault that leads the many, for they have one cause."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Cell, Sheet
from clo_desktop.sheets.parse import Parsed, scale_of
from engine.asset import COLUMN_BY_NAME, NUMERIC, Column, Kind
from engine.ratings import parse_moodys, parse_sp

FEWEST: Final = 3
"""Cells in error that make a cause likely."""

_AGENCIES: Final = {Kind.MOODYS: "Moody's", Kind.SP: "S&P"}


class Tally:
    """Filled cells and cells in error of each column, and the ratings that the other agency has on its scale."""

    def __init__(self) -> None:
        self._filled: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._others: Counter[str] = Counter()

    def count(self, column: Column, cell: Cell, parsed: Parsed) -> None:
        """Counts a cell with what came of it."""
        if cell is None:
            return
        self._filled[column.name] += 1
        if parsed.failed:
            self._failed[column.name] += 1
            if column.kind in _AGENCIES and isinstance(cell, str):
                other = parse_sp if column.kind is Kind.MOODYS else parse_moodys
                self._others[column.name] += other(cell) is not None

    def report(self, sheet: Sheet, header_row: int, columns: Mapping[str, int], findings: Findings) -> None:
        """An error at the header of each column more than half of whose filled cells are in error."""
        for name, failed in self._failed.items():
            filled = self._filled[name]
            if failed < FEWEST or 2 * failed <= filled:
                continue
            column, at = COLUMN_BY_NAME[name], columns[name]
            which = f"{failed} of {filled} cells of the column “{column.header}”"
            findings.error(
                sheet.name, header_row, at, column.header, sheet.at(header_row, at),
                f"{which} {self._cause(column)}: is the header right? Correct it, or the cells below.",
            )  # fmt: skip

    def _cause(self, column: Column) -> str:
        agency = _AGENCIES.get(column.kind)
        if agency is not None:
            other = _AGENCIES[Kind.SP if column.kind is Kind.MOODYS else Kind.MOODYS]
            note = f", {self._others[column.name]} are on {scale_of(other)}" if self._others[column.name] else ""
            return f"are on no {scale_of(agency)}{note}"
        if column.kind is Kind.DATE:
            return "are no dates"
        if column.kind in NUMERIC:
            return "are no numbers in range"
        return "hold none of the known values"
