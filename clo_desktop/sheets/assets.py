"""The sheet "All Assets": one row per asset, columns found by their headers."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clo_desktop.sheets import parse
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Area, Cell, Sheet, address, same
from clo_desktop.sheets.misplaced import Tally
from clo_desktop.sheets.parse import Parsed
from engine.asset import COLUMNS, Asset, Column, Kind
from engine.ratings import parse_moodys, parse_sp

SHEET: Final = "All Assets"
ID: Final = COLUMNS[0]

_HEADER_SEARCH: Final = 100  # rows
_FEWEST_HEADERS: Final = 3
_SPARE: Final = "credit_spread_adjustment"  # the legacy layout leaves its column empty

_COUNTRIES: Final = {
    "uk": "United Kingdom",
    "u.k.": "United Kingdom",
    "united kingdom": "United Kingdom",
    "great britain": "United Kingdom",
    "us": "USA",
    "u.s.": "USA",
    "u.s.a.": "USA",
    "usa": "USA",
    "united states": "USA",
    "united states of america": "USA",
    "cayman": "Cayman Islands",
    "cayman islands": "Cayman Islands",
    "caymen islands": "Cayman Islands",
}


def _headers() -> dict[str, Column]:
    known: dict[str, Column] = {}
    for column in COLUMNS:
        for header in (column.header, *column.aliases):
            known.setdefault(same(header), column)
    # a header always wins over another column's alias
    return known | {same(c.header): c for c in COLUMNS}


HEADERS: Final = _headers()


@dataclass(frozen=True, slots=True)
class AssetRow:
    """An asset with its place on the sheet: row and, by attribute, column; both from 0."""

    asset: Asset
    row: int
    columns: Mapping[str, int]


def read_assets(sheet: Sheet, held: Collection[str], date1904: bool, findings: Findings) -> dict[str, AssetRow]:
    """The assets by id, in the sheet's order. `held` are the ids the deal holds: blanks in their rows are errors."""
    header_row = _find_header(sheet)
    if header_row is None:
        findings.error(
            sheet.name, 0, 0, "", None,
            f"No row of headers with “{ID.header}” and other known columns was found: add the row of headers.",
        )  # fmt: skip
        return {}
    columns = _match_columns(sheet, header_row, findings)
    findings.warn_merged(sheet, Area(header_row + 1, 0, sheet.height - 1, sheet.width - 1), f"the sheet “{sheet.name}”")
    found: dict[str, AssetRow] = {}
    tally = Tally()
    every_column = range(sheet.width)
    for row in range(header_row + 1, sheet.height):
        if all(cell is None for cell in sheet.rows[row]):
            continue
        asset_id = _read_id(sheet, row, columns[ID.name], findings)
        if asset_id is None:
            continue
        findings.name_row(sheet.name, row, every_column, asset_id)
        asset = _read_row(sheet, row, asset_id, columns, asset_id in held, date1904, findings, tally)
        first = found.get(asset_id)
        if first is None:
            found[asset_id] = AssetRow(asset, row, columns)
        else:
            _duplicate(sheet, row, asset, first, findings)
    tally.report(sheet, header_row, columns, findings)
    return found


def _find_header(sheet: Sheet) -> int | None:
    best, best_row = 0, None
    for row in range(min(sheet.height, _HEADER_SEARCH)):
        names = {HEADERS[key].name for cell in sheet.rows[row] if (key := same(cell)) in HEADERS}
        if ID.name in names and len(names) > best:
            best, best_row = len(names), row
    return best_row if best >= _FEWEST_HEADERS else None


def _match_columns(sheet: Sheet, header_row: int, findings: Findings) -> dict[str, int]:
    columns: dict[str, int] = {}
    for at in range(sheet.width):
        cell = sheet.at(header_row, at)
        column = HEADERS.get(same(cell))
        if column is None:
            _unknown_column(sheet, header_row, at, findings)
        elif column.name in columns:
            findings.error(
                sheet.name, header_row, at, column.header, cell,
                f"The column “{column.header}” is there twice (also in {address(header_row, columns[column.name])}): "
                "delete one of them.",
            )  # fmt: skip
        else:
            columns[column.name] = at
    for column in COLUMNS:
        if column.name in columns or column.name == _SPARE:
            continue
        if column.required:
            findings.error(
                sheet.name, header_row, 0, column.header, None, f"The column “{column.header}” is missing: add it."
            )
        else:
            findings.warn(
                sheet.name, header_row, 0, column.header, None,
                f"The column “{column.header}” is missing: its values stay missing.",
            )  # fmt: skip
    return columns


def _unknown_column(sheet: Sheet, header_row: int, at: int, findings: Findings) -> None:
    cell = sheet.at(header_row, at)
    if any(sheet.at(row, at) is not None for row in range(header_row + 1, sheet.height)):
        name = cell.strip() if isinstance(cell, str) else ""
        what = f"The column “{name}” is not known" if name else "The column has no header"
        findings.warn(
            sheet.name,
            header_row,
            at,
            name,
            cell,
            f"{what}: its values are not imported; correct the header or ignore.",
        )


def _read_id(sheet: Sheet, row: int, at: int, findings: Findings) -> str | None:
    cell = sheet.at(row, at)
    value = findings.take(parse.identifier(cell), sheet.name, row, at, ID.header, cell)
    if isinstance(value, str):
        return value
    if cell is None or cell == 0:
        findings.error(
            sheet.name, row, at, ID.header, cell, "The row has values but no id: type the id or clear the row."
        )
    return None


def _read_row(
    sheet: Sheet,
    row: int,
    asset_id: str,
    columns: Mapping[str, int],
    is_held: bool,
    date1904: bool,
    findings: Findings,
    tally: Tally,
) -> Asset:
    values: dict[str, Any] = {}
    for column in COLUMNS[1:]:
        at = columns.get(column.name)
        if at is None:
            continue
        cell = sheet.at(row, at)
        parsed = parse_cell(column, cell, date1904=date1904)
        tally.count(column, cell, parsed)
        value = findings.take(parsed, sheet.name, row, at, column.header, cell)
        values[column.name] = value
        if column.required and value is None and not parsed.failed:
            if is_held:
                findings.error(
                    sheet.name, row, at, column.header, cell,
                    f"“{column.header}” is blank, but the deal holds {asset_id}: fill it in.",
                )  # fmt: skip
            else:
                findings.warn(
                    sheet.name, row, at, column.header, cell,
                    f"“{column.header}” is blank: fill it in before the deal buys {asset_id}.",
                )  # fmt: skip
    return Asset(asset_id=asset_id, **values)


def _duplicate(sheet: Sheet, row: int, asset: Asset, first: AssetRow, findings: Findings) -> None:
    where = f"row {first.row + 1}"
    at = first.columns[ID.name]
    cell = sheet.at(row, at)
    other = [c.header for c in COLUMNS if getattr(asset, c.name) != getattr(first.asset, c.name)]
    if other:
        findings.error(
            sheet.name, row, at, ID.header, cell,
            f"{asset.asset_id} is already in {where} with another {', '.join(other[:5])}"
            f"{' and more' if len(other) > 5 else ''}: delete the wrong row.",
        )  # fmt: skip
    else:
        findings.warn(
            sheet.name, row, at, ID.header, cell,
            f"{asset.asset_id} is already in {where} with the same values: this row was left out.",
        )  # fmt: skip


def parse_cell(column: Column, cell: Cell, *, date1904: bool = False) -> Parsed:
    """The value of one cell of the asset master."""
    match column.kind:
        case Kind.ID:
            return parse.identifier(cell)
        case Kind.TEXT:
            parsed = parse.text(cell)
            if column.name == "country" and isinstance(parsed.value, str):
                value = _COUNTRIES.get(same(parsed.value), parsed.value)
                return Parsed(value, parsed.severity, parsed.message)
            return parsed
        case Kind.CHOICE:
            return parse.choice(cell, column.choices)
        case Kind.COUNT:
            return parse.count(cell, column.choices)
        case Kind.FLAG:
            return parse.flag(cell)
        case Kind.DATE:
            return parse.date(cell, date1904=date1904)
        case Kind.MOODYS:
            return parse.rating(cell, parse_moodys, "Moody's")
        case Kind.SP:
            return parse.rating(cell, parse_sp, "S&P")
        case Kind.MONEY:
            return parse.number(cell, parse.MONEY)
        case Kind.RATE:
            return parse.number(cell, parse.SPREAD if column.name == "coupon_spread" else parse.RATE)
        case Kind.SHARE:
            return parse.number(cell, parse.SHARE)
        case Kind.PRICE:
            return parse.number(cell, parse.PRICE)
        case Kind.YEARS:
            return parse.number(cell, parse.YEARS)
