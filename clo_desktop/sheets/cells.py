"""How values stand in the cells that are written: types, number formats and text that stays text."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Final

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.worksheet import Worksheet

from clo_desktop.faults import Refused
from clo_desktop.sheets.safety import MAX_TEXT
from engine.asset import Kind

DATE_FORMAT: Final = "mm/dd/yyyy"
MONEY_FORMAT: Final = "#,##0.00"
RATE_FORMAT: Final = "0.00%"
INDEX_FORMAT: Final = "0.00000%"
FORMATS: Final[dict[Kind, str]] = {
    Kind.DATE: DATE_FORMAT,
    Kind.MONEY: MONEY_FORMAT,
    Kind.RATE: RATE_FORMAT,
    Kind.SHARE: RATE_FORMAT,
    Kind.PRICE: "0.000",
    Kind.YEARS: "0.00",
    Kind.COUNT: "0",
}

HEADER_FONT: Final = Font(bold=True, color="FFFFFF")
HEADER_FILL: Final = PatternFill("solid", fgColor="1F3A5F")
TITLE_FONT: Final = Font(bold=True, color="1F3A5F", size=12)
_HEADER_BORDER: Final = Border(bottom=Side("thin", color="1F3A5F"))

# Characters an XML file cannot hold, and the line end it would change: written as Excel does, _x000D_ for CR.
_ESCAPED: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\ufffe\uffff]")
_LIKE_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")


def escaped(text: str) -> str:
    """`text` as a workbook holds it; text that only looks like such an escape is protected."""
    text = _LIKE_ESCAPE.sub("_x005F_", text)
    return _ESCAPED.sub(lambda m: f"_x{ord(m[0]):04X}_", text)


def put(sheet: Worksheet, row: int, column: int, value: object, form: str = "") -> None:
    """Write `value` at `row` and `column` (from 1); None leaves the cell blank.

    Text is written as text whatever it begins with. Raises `Refused` for a number that is not finite and for text
    longer than a cell may be.
    """
    if value is None:
        return
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)
    if isinstance(value, str):
        if len(value) > MAX_TEXT:
            raise Refused(
                f"A text of {len(value):,} characters for {sheet.title} {cell.coordinate} is longer than {MAX_TEXT:,}: "
                "shorten it before the export.",
                code="too_large",
            )
        cell.value = escaped(value)
        cell.data_type = "s"  # openpyxl makes formulas of "=..." and errors of "#N/A"
    elif isinstance(value, bool):
        cell.value = value
    elif isinstance(value, int | float):
        if not math.isfinite(value):
            raise Refused(
                f"The number for {sheet.title} {cell.coordinate} is not finite: correct it before the export."
            )
        cell.value = int(value) if float(value).is_integer() and abs(value) < 2**53 else value
        if float(f"{value:.16g}") != value:
            # openpyxl writes 16 digits, a float may need 17: given as text of a number cell they all stand
            cell.value = repr(float(value))
            cell.data_type = "n"
    elif isinstance(value, dt.date):
        cell.value = value
        form = form or DATE_FORMAT
    else:
        raise TypeError(f"a cell cannot hold {type(value).__name__}")
    if form:
        cell.number_format = form


def put_header(sheet: Worksheet, row: int, column: int, text: str) -> None:
    put(sheet, row, column, text)
    cell = sheet.cell(row, column)
    cell.font = HEADER_FONT
    cell.fill = HEADER_FILL
    cell.border = _HEADER_BORDER
    cell.alignment = Alignment(wrap_text=True, vertical="center")


def put_title(sheet: Worksheet, row: int, column: int, text: str) -> None:
    put(sheet, row, column, text)
    sheet.cell(row, column).font = TITLE_FONT
