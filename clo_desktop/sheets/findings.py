"""The collected faults of one workbook, in sheet and cell order."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Container
from dataclasses import replace

from clo_desktop.faults import Fault, Severity
from clo_desktop.sheets.grid import Area, Cell, Sheet, address
from clo_desktop.sheets.parse import Parsed
from clo_desktop.sheets.preflight import Broken

_SHOWN = 80  # characters of a value
_MERGED_NAMED = 20  # ranges of merged cells


def shown(value: Cell) -> str:
    """A cell's value as a fault shows it: short, on one line, hidden characters made visible."""
    if value is None:
        return ""
    if isinstance(value, Broken):
        text = value.text
    elif isinstance(value, bool):
        text = "TRUE" if value else "FALSE"
    elif isinstance(value, float):
        text = f"{value:.15g}"
    elif isinstance(value, dt.datetime | dt.date | dt.time | dt.timedelta):
        text = str(value)
    else:
        text = value
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 1] + "…"
    return "".join(c if unicodedata.category(c)[0] != "C" else c.encode("unicode_escape").decode() for c in text)


class Findings:
    """Faults as they are found; `faults` gives them in the order of the workbook."""

    def __init__(self, sheet_names: tuple[str, ...]) -> None:
        self._order = {name: i for i, name in enumerate(sheet_names)}
        self._assets: dict[tuple[str, int], tuple[Container[int], str]] = {}
        self._found: list[tuple[tuple[int, int, int], Fault]] = []

    def name_row(self, sheet: str, row: int, columns: Container[int], asset_id: str) -> None:
        """The faults of these cells of a row (from 0), found before or after, are of the asset `asset_id`."""
        self._assets[sheet, row] = (columns, asset_id)

    def add(
        self, severity: Severity, sheet: str, row: int, column: int, header: str, value: Cell, message: str
    ) -> None:
        """A fault of the cell at `row` and `column` (from 0; -1 for a whole sheet)."""
        where = address(row, column) if row >= 0 and column >= 0 else ""
        fault = Fault(severity, sheet, where, header, shown(value), message)
        self._found.append(((self._order.get(sheet, -1), row, column), fault))

    def error(self, sheet: str, row: int, column: int, header: str, value: Cell, message: str) -> None:
        self.add(Severity.ERROR, sheet, row, column, header, value, message)

    def warn(self, sheet: str, row: int, column: int, header: str, value: Cell, message: str) -> None:
        self.add(Severity.WARNING, sheet, row, column, header, value, message)

    def warn_merged(self, sheet: Sheet, data: Area, what: str) -> None:
        """A warning for each range of merged cells over the cells `data` of `what`: only its first cell has a value."""
        over = [
            area for area in sheet.merged
            if max(area.top, data.top) <= min(area.bottom, data.bottom)
            and max(area.left, data.left) <= min(area.right, data.right)
        ]  # fmt: skip
        for number, area in enumerate(over[:_MERGED_NAMED], 1):
            place = f"{address(area.top, area.left)}:{address(area.bottom, area.right)}"
            more = len(over) - number if number == _MERGED_NAMED else 0
            self.warn(
                sheet.name, max(area.top, data.top), max(area.left, data.left), "", sheet.at(area.top, area.left),
                f"The cells {place} of {what} are merged, and all but the first are blank: unmerge and fill them in"
                f"{f' (merged ranges beside these: {more})' if more else ''}.",
            )  # fmt: skip

    def take(self, parsed: Parsed, sheet: str, row: int, column: int, header: str, value: Cell) -> object:
        """The parsed value; its fault, where there is one, is noted."""
        if parsed.severity is not None:
            self.add(parsed.severity, sheet, row, column, header, value, parsed.message)
        return parsed.value

    @property
    def faults(self) -> tuple[Fault, ...]:
        found = sorted(self._found, key=lambda f: f[0])
        return tuple(replace(fault, asset_id=self._asset(fault.sheet, *place[1:])) for place, fault in found)

    def _asset(self, sheet: str, row: int, column: int) -> str:
        columns, asset_id = self._assets.get((sheet, row), ((), ""))
        return asset_id if column in columns else ""
