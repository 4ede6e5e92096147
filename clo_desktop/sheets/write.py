"""A `Book` -> a workbook of the layout that is imported: the one verb of exporting."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from openpyxl import Workbook
from openpyxl.utils import get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from clo_desktop.faults import Refused
from clo_desktop.sheets import assets, layout, reference
from clo_desktop.sheets.cells import (
    FORMATS,
    INDEX_FORMAT,
    MONEY_FORMAT,
    RATE_FORMAT,
    put,
    put_header,
    put_title,
)
from clo_desktop.sheets.grid import same
from clo_desktop.sheets.layout import BlockForm
from clo_desktop.sheets.read import INPUTS_SUFFIX, held_currency
from engine.asset import COLUMNS, Asset, Column, Kind
from engine.terms import Book, Labelled, Reference, TestLimit, Value

_TITLE_ROW: Final = 2
_FIRST_ROW: Final = 3  # headers of a table, or the first label of a block of labels
_SHEET_NAME: Final = 31  # characters Excel allows
_CONTENTS: Final = "Table of Contents"
_ILLEGAL_IN_NAME: Final = re.compile(r"[\[\]:*?/\\]")
_WIDTHS: Final = {Kind.TEXT: 22.0, Kind.ID: 13.0, Kind.MONEY: 17.0, Kind.DATE: 12.0}
_OTHER_WIDTH: Final = 11.0

Row = Sequence[object]
Formats = Sequence[str]


def write_book(book: Book, path: Path) -> None:
    """Write the deal, the asset master and the reference data to `path`, replacing a file that is there.

    The file appears whole or not at all. Raises `Refused` where it cannot be written.
    """
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    _write_assets(sheet, book.assets.values())
    _DealSheet(workbook, book).write()
    if book.reference != Reference():
        _write_reference(workbook, book.reference)
    _save(workbook, path)


def inputs_sheet_name(deal_name: str) -> str:
    """The name of the deal's sheet, within what Excel allows."""
    clean = _ILLEGAL_IN_NAME.sub("-", deal_name).strip().strip("'") or "Deal"
    return f"{clean[: _SHEET_NAME - len(INPUTS_SUFFIX) - 1]} {INPUTS_SUFFIX}"


def _save(workbook: Workbook, path: Path) -> None:
    temporary: Path | None = None
    try:
        handle, name = tempfile.mkstemp(prefix=".", suffix=".xlsx", dir=path.parent)
        temporary = Path(name)
        os.close(handle)
        workbook.save(temporary)
        # mkstemp lets nobody else read the file; an export is an ordinary file of the user
        temporary.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        temporary.replace(path)
    except OSError as error:
        raise Refused(
            f"{path.name} cannot be written ({error.strerror or error}): close it in Excel or choose another folder.",
            code="unwritable",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _write_assets(sheet: Worksheet, master: Iterable[Asset]) -> None:
    sheet.title = assets.SHEET
    for at, column in enumerate(COLUMNS, start=1):
        put_header(sheet, 1, at, column.header)
        sheet.column_dimensions[get_column_letter(at)].width = _WIDTHS.get(column.kind, _OTHER_WIDTH)
    rows = 1
    for rows, asset in enumerate(master, start=2):
        for at, column in enumerate(COLUMNS, start=1):
            put(sheet, rows, at, _asset_cell(asset, column), FORMATS.get(column.kind, ""))
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(COLUMNS))}{rows}"


def _asset_cell(asset: Asset, column: Column) -> object:
    value = getattr(asset, column.name)
    # the layout writes its flags as Yes and No, but for the month-end one
    if column.kind is Kind.FLAG and value is not None and column.name != "payment_eom":
        return "Yes" if value else "No"
    return value


class _DealSheet:
    """The sheet "<deal> Inputs": titles in row 2, a block below each, a named range for each block's data."""

    def __init__(self, workbook: Workbook, book: Book) -> None:
        self._workbook = workbook
        self._deal = book.deal
        self._currency = (
            "" if book.deal.currency == held_currency(book.deal.holdings, book.assets) else book.deal.currency
        )
        self._sheet: Worksheet = workbook.create_sheet(inputs_sheet_name(book.deal.name))
        room = layout.FEES.left - layout.LIABILITIES.left - 1
        self._pushed = max(0, len(book.deal.tranches) - room)  # columns by which many classes move the fees

    def write(self) -> None:
        deal = self._deal
        self._write_contents()
        self._labels(layout.DATES, deal.current_dates)
        self._table(layout.COLLATERAL, [(h.asset_id, h.par) for h in deal.holdings], ("", MONEY_FORMAT))
        accounts = [(a.number, a.name, a.interest, a.principal) for a in deal.accounts]
        self._table(layout.ACCOUNTS, accounts, ("0", "", MONEY_FORMAT, MONEY_FORMAT))
        rates = zip(layout.INDEX.labels, (deal.original_index, deal.current_index), strict=True)
        self._labels(layout.INDEX, tuple(rates), INDEX_FORMAT)
        self._table(layout.LIMITS, [_limit(limit) for limit in deal.limits], ("0",))
        self._labels(layout.QUALITY, deal.quality_inputs)
        weights = [(w.name, w.result, w.number, w.weight) for w in deal.weights]
        self._table(layout.OBJECTIVE, weights, ("", "", "0"))
        self._table(layout.CASH_FLOW, deal.cash_flow_inputs, ("", ""))
        self._table(layout.SUBORDINATED, deal.subordinated_payments, ("", MONEY_FORMAT))
        extra: Labelled = ((layout.CURRENCY, self._currency),) if self._currency else ()
        self._labels(layout.CLO_INPUTS, deal.clo_inputs + extra)
        self._labels(layout.DEAL_DATES, deal.dates)
        dates = [(p.payment, p.determination, p.collection_begin, p.collection_end) for p in deal.schedule]
        self._table(layout.SCHEDULE, dates, ())
        self._liabilities()
        self._table(
            layout.FEES,
            [tuple(getattr(f, h.key) for h in layout.FEES.headings) for f in deal.fees],
            ("", "", MONEY_FORMAT, MONEY_FORMAT, "", "0.0000%", "", "0.0000%"),
        )
        self._sheet.freeze_panes = "B4"

    def _left(self, form: BlockForm) -> int:
        """First column of a block, from 1."""
        return form.left + 1 + (self._pushed if form is layout.FEES else 0)

    def _write_contents(self) -> None:
        sheet = self._sheet
        put_title(sheet, _TITLE_ROW, 1, _CONTENTS)
        sheet.column_dimensions["A"].width = 34
        for row, form in enumerate(layout.FORMS, start=_FIRST_ROW):
            put(sheet, row, 1, form.titles[0])
            left = self._left(form)
            self._link(row, 1, _TITLE_ROW, left)
            put_title(sheet, _TITLE_ROW, left, form.titles[0])
            put(sheet, 1, left, _CONTENTS)
            self._link(1, left, _TITLE_ROW, 1)
            for at in range(left, left + form.width):
                sheet.column_dimensions[get_column_letter(at)].width = 26 if at == left else 16

    def _link(self, row: int, column: int, to_row: int, to_column: int) -> None:
        cell = self._sheet.cell(row, column)
        target = f"{quote_sheetname(self._sheet.title)}!{get_column_letter(to_column)}{to_row}"
        cell.hyperlink = Hyperlink(ref=cell.coordinate, location=target)
        cell.style = "Hyperlink"

    def _table(self, form: BlockForm, rows: Iterable[Row], formats: Formats) -> None:
        left = self._left(form)
        for at, heading in enumerate(form.headings, start=left):
            put_header(self._sheet, _FIRST_ROW, at, heading.header)
        count = 0
        for count, row in enumerate(rows, start=1):
            for i, value in enumerate(row):
                put(self._sheet, _FIRST_ROW + count, left + i, value, formats[i] if i < len(formats) else "")
        self._name(form, _FIRST_ROW + 1, count)

    def _labels(self, form: BlockForm, block: Iterable[tuple[str, Value]], number_format: str = "") -> None:
        count = 0
        for count, (label, value) in enumerate(block, start=1):
            row = _FIRST_ROW + count - 1
            put(self._sheet, row, form.left + 1, label)
            number = value if not isinstance(value, bool) and isinstance(value, int | float) else None
            put(self._sheet, row, form.left + 2, value, "" if number is None else number_format or _label_format(label))
        self._name(form, _FIRST_ROW, count)

    def _liabilities(self) -> None:
        form = layout.LIABILITIES
        formats = {
            **dict.fromkeys(("original_balance", "current_balance", "deferred_balance"), MONEY_FORMAT),
            **dict.fromkeys(("spread", "discount_margin", "original_coupon", "oc_trigger", "ic_trigger"), RATE_FORMAT),
        }
        for i, heading in enumerate(form.headings):
            row = _FIRST_ROW + i
            put_header(self._sheet, row, form.left + 1, heading.header)
            for number, tranche in enumerate(self._deal.tranches, start=1):
                value: object = number if heading.key == "number" else getattr(tranche, heading.key)
                if heading.key == "deferrable" and value is not None:
                    value = int(bool(value))  # the layout writes this flag as 0 and 1
                if value is None and heading.key in ("deferrable", "oc_trigger", "ic_trigger"):
                    value = layout.NA
                put(self._sheet, row, form.left + 1 + number, value, formats.get(heading.key, ""))
        self._name(form, _FIRST_ROW, len(form.headings), columns=1 + max(1, len(self._deal.tranches)))

    def _name(self, form: BlockForm, first: int, rows: int, columns: int = 0) -> None:
        """Name the block's data: `rows` rows (at least one) from row `first`, without the headers."""
        left = self._left(form)
        right = left + (columns or form.width) - 1
        if form.range_left is not None:
            left += form.range_left - form.left
        area = f"${get_column_letter(left)}${first}:${get_column_letter(right)}${first + max(rows, 1) - 1}"
        _define(self._workbook, form.ranges[0], self._sheet, area)


def _define(workbook: Workbook, name: str, sheet: Worksheet, area: str) -> None:
    workbook.defined_names[name] = DefinedName(name, attr_text=f"{quote_sheetname(sheet.title)}!{area}")


def _limit(limit: TestLimit) -> Row:
    return limit.number, limit.name, limit.direction.capitalize(), limit.threshold, limit.override, limit.previous


def _label_format(label: str) -> str:
    return INDEX_FORMAT if same(label) in layout.RATE_LABELS else ""


def _write_reference(workbook: Workbook, data: Reference) -> None:
    """Titles in row 2, headers in row 3; the legacy columns, moved right where the vectors need more of them."""
    sheet = workbook.create_sheet(reference.SHEET)
    names = [name for name, _ in data.vectors]
    periods = max((len(values) for _, values in data.vectors), default=0)
    vectors = [(i + 1, *(values[i] if i < len(values) else None for _, values in data.vectors)) for i in range(periods)]
    room = reference.SINKS.left - reference.VECTORS.left - 1
    pushed = max(0, len(names) - room)
    sections: list[tuple[reference.Section, Sequence[str], Iterable[Row], Formats]] = [
        (reference.HOLIDAYS, (), [(d, d.strftime("%A")) for d in data.holidays], ()),
        (
            reference.FIXINGS,
            (),
            [(f"{f.date.isoformat()} {f.index}", f.date, f.index, f.rate, None) for f in data.fixings],
            ("", "", "", INDEX_FORMAT),
        ),
        (reference.VECTORS, names, vectors, ("0",)),
        (reference.SINKS, (), [(s.asset_id, s.date, s.amount) for s in data.sinks], ("", "", MONEY_FORMAT)),
        (reference.CURVE, (), [(n.months, n.rate) for n in data.curve], ("", INDEX_FORMAT)),
        (reference.ASSUMPTIONS, (), [(a.target, a.prepay, a.default, a.severity, a.lag) for a in data.assumptions], ()),
    ]
    for section, further, rows, formats in sections:
        left = section.left + 1 + (pushed if section.left > reference.VECTORS.left else 0)
        put_title(sheet, _TITLE_ROW, left, section.titles[0])
        headers = (*section.headers, *further)
        for at, header in enumerate(headers, start=left):
            put_header(sheet, _FIRST_ROW, at, header)
            sheet.column_dimensions[get_column_letter(at)].width = 16
        count = 0
        for count, row in enumerate(rows, start=1):
            for i, value in enumerate(row):
                put(sheet, _FIRST_ROW + count, left + i, value, formats[i] if i < len(formats) else "")
        area = (
            f"${get_column_letter(left)}${_FIRST_ROW + 1}:"
            f"${get_column_letter(left + len(headers) - 1)}${_FIRST_ROW + max(count, 1)}"
        )
        _define(workbook, section.range_name, sheet, area)
    sheet.freeze_panes = "A4"
