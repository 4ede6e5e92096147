"""The sheet "Reference Table": holidays, fixings, vectors, sinking schedules, the curve, cash-flow assumptions.

Sections are found by named range, then by title; where the sheet has no title at all, by the columns of the legacy
layout. The migration matrix and the correlations are not read.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from clo_desktop.sheets import parse
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import Area, Cell, Sheet, same
from clo_desktop.sheets.labels import free
from clo_desktop.sheets.parse import Number, Parsed
from engine.terms import CashFlowAssumption, CurveNode, Fixing, Reference, Sink

SHEET: Final = "Reference Table"


@dataclass(frozen=True, slots=True)
class Section:
    """A section of the sheet: name of its range, accepted titles (the first is written), legacy column, headers."""

    range_name: str
    titles: tuple[str, ...]
    left: int
    headers: tuple[str, ...]


HOLIDAYS: Final = Section("Holidays", ("Holidays",), 1, ("Date", "Day"))
FIXINGS: Final = Section(
    "IndexFixings",
    ("Actual LIBOR Rates", "LIBOR Rates", "Index Fixings"),
    3,
    ("Key", "Date", "Description", "Rate", "Source"),
)
VECTORS: Final = Section("CFVectors", ("Cashflow Vectors", "Cash Flow Vectors"), 8, ("Period",))
SINKS: Final = Section(
    "SinkSchedule", ("Sink Schedule", "Sinking Schedule", "Sink Schedules"), 17, ("Asset", "Date", "Amount")
)
CURVE: Final = Section("YieldCurve", ("Yield Curve", "LIBOR Curve"), 39, ("Months", "Rate"))
ASSUMPTIONS: Final = Section(
    "CFAssumptions",
    ("Collateral Cashflows", "CF Assumptions", "CFAssumptions", "Cash Flow Assumptions"),
    41,
    ("Asset", "Prepay", "Default", "Severity", "Lag"),
)
SECTIONS: Final = (HOLIDAYS, FIXINGS, VECTORS, SINKS, CURVE, ASSUMPTIONS)

_HEADER_ROWS: Final = 4  # rows above the data of a sheet without titles
_LAST_PERIOD: Final = 1_200
_RATE: Final = parse.RATE
_POINTS: Final = Number(-100.0, 100.0, percent=False, unit="it is a rate in percent")
_TENOR: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(m|mo|month|months|y|yr|year|years)$", re.IGNORECASE)


def read_reference(sheet: Sheet, areas: Mapping[str, Area], date1904: bool, findings: Findings) -> Reference:
    """All sections that are there; the others stay empty."""
    return _Reader(sheet, areas, date1904, findings).read()


class _Reader:
    def __init__(self, sheet: Sheet, areas: Mapping[str, Area], date1904: bool, findings: Findings) -> None:
        self._sheet = sheet
        self._areas = areas
        self._findings = findings
        self._date: Callable[[Cell], Parsed] = lambda cell: parse.date(cell, date1904=date1904)
        self._places: dict[str, tuple[int, int]] = {}
        for row, cells in enumerate(sheet.rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, str):
                    self._places.setdefault(same(cell), (row, column))
        self._has_titles = any(same(t) in self._places for s in SECTIONS for t in s.titles)

    def read(self) -> Reference:
        return Reference(
            holidays=tuple(self._holidays()),
            fixings=tuple(self._fixings()),
            vectors=tuple(self._vectors()),
            sinks=tuple(self._sinks()),
            curve=tuple(self._curve()),
            assumptions=tuple(self._assumptions()),
        )

    def _start(self, section: Section) -> tuple[int, int] | None:
        """Row below the title and left column of a section, or None where it is not there."""
        area = self._areas.get(section.range_name.casefold())
        if area is not None:
            return area.top, area.left
        for title in section.titles:
            place = self._places.get(same(title))
            if place is not None:
                return place[0] + 1, place[1]
        return None if self._has_titles else (0, section.left)

    def _first(self, section: Section, key: int, is_data: Callable[[Cell], bool]) -> tuple[int, int] | None:
        """First row of data and left column of a section. `is_data` tells by the cell at offset `key` from a header."""
        start = self._start(section)
        if start is None:
            return None
        row, left = start
        named = section.range_name.casefold() in self._areas
        for _ in range(1 if self._has_titles or named else _HEADER_ROWS):
            cells = [c for i in range(len(section.headers)) if (c := self._sheet.at(row, left + i)) is not None]
            is_header = all(isinstance(c, str) for c in cells) and not is_data(self._sheet.at(row, left + key))
            # a named range begins with its data: only a header that is known is left out
            known = {same(h) for h in section.headers} & {same(c) for c in cells}
            if row >= self._sheet.height or not is_header or (named and not known):
                break
            row += 1
        return row, left

    def _rows(self, section: Section, key: int, is_data: Callable[[Cell], bool]) -> list[tuple[int, int]]:
        """Rows of data that hold something, with the section's left column."""
        first = self._first(section, key, is_data)
        if first is None:
            return []
        left = first[1]
        width = len(section.headers)
        return [
            (row, left)
            for row in range(first[0], self._sheet.height)
            if any(self._sheet.at(row, left + i) is not None for i in range(width))
        ]

    def _get(self, row: int, column: int, header: str, read: Callable[[Cell], Parsed], *, needed: bool = False) -> Any:
        cell = self._sheet.at(row, column)
        parsed = read(cell)
        if needed and parsed.value is None and not parsed.failed:
            parsed = parse.failed(f"“{header}” is blank: fill it in or clear the row.")
        return self._findings.take(parsed, self._sheet.name, row, column, header, cell)

    def _is_date(self, cell: Cell) -> bool:
        return isinstance(self._date(cell).value, dt.date)

    def _holidays(self) -> list[dt.date]:
        rows = self._rows(HOLIDAYS, 0, self._is_date)
        dates = (self._get(row, left, "Holidays", self._date, needed=True) for row, left in rows)
        return [d for d in dates if isinstance(d, dt.date)]

    def _fixings(self) -> list[Fixing]:
        found: list[Fixing] = []
        rows = self._rows(FIXINGS, 1, self._is_date)
        in_points = self._is_in_percent(rows, 3)
        for row, left in rows:
            date = self._get(row, left + 1, "Date", self._date, needed=True)
            index = self._get(row, left + 2, "Description", parse.text, needed=True)
            read = _points if in_points else _rate
            rate = self._get(row, left + 3, "Rate", read, needed=True)
            if date is not None and index is not None and rate is not None:
                found.append(Fixing(date, index, rate))
        return found

    def _is_in_percent(self, rows: list[tuple[int, int]], offset: int) -> bool:
        """Whether the header says that the column is in percent; the legacy sheet ("Yield %", or nothing) is."""
        if not rows:
            return False
        row, left = rows[0]
        header = same(self._sheet.at(row - 1, left + offset)) if row > 0 else ""
        return header not in ("rate", "rates", "yield")

    def _vectors(self) -> list[tuple[str, tuple[float | None, ...]]]:
        first = self._first(VECTORS, 0, lambda cell: isinstance(cell, float))
        if first is None or first[0] == 0:
            return []
        header, left = first[0] - 1, first[1]
        starts = [start[1] for s in SECTIONS if (start := self._start(s)) is not None and start[1] > left]
        columns: dict[int, str] = {}
        for column in range(left + 1, min([*starts, self._sheet.width])):
            cell = self._sheet.at(header, column)
            name = self._get(header, column, "Vector", parse.text)
            if name is None:
                break
            if name in columns.values():
                self._findings.error(
                    self._sheet.name, header, column, name, cell, "The vector is there twice: rename one of them."
                )
            columns[column] = name
        values: dict[str, dict[int, float]] = {name: {} for name in columns.values()}
        for row in range(first[0], self._sheet.height):
            if all(self._sheet.at(row, column) is None for column in (left, *columns)):
                continue
            period = self._get(row, left, "Period", _period, needed=True)
            for column, name in columns.items():
                value = self._get(row, column, name, _any)
                if isinstance(period, int) and value is not None:
                    values[name][period] = value
        return [(n, tuple(v.get(p) for p in range(1, max(v, default=0) + 1))) for n, v in values.items()]

    def _sinks(self) -> list[Sink]:
        found: list[Sink] = []
        for row, left in self._rows(SINKS, 1, self._is_date):
            asset_id = self._get(row, left, "Asset", parse.identifier, needed=True)
            date = self._get(row, left + 1, "Date", self._date, needed=True)
            amount = self._get(row, left + 2, "Amount", lambda cell: parse.number(cell, parse.BALANCE), needed=True)
            if asset_id is not None and date is not None and amount is not None:
                found.append(Sink(asset_id, date, amount))
        return found

    def _curve(self) -> list[CurveNode]:
        found: list[CurveNode] = []
        rows = self._rows(CURVE, 0, lambda cell: isinstance(tenor(cell).value, float))
        for row, left in rows:
            months = self._get(row, left, "Months", tenor, needed=True)
            rate = self._get(row, left + 1, "Rate", _rate, needed=True)
            if months is not None and rate is not None:
                found.append(CurveNode(months, rate))
        return found

    def _assumptions(self) -> list[CashFlowAssumption]:
        found: list[CashFlowAssumption] = []
        headers = {same(h) for h in ("Asset", "Asset ID", "BLKRockID", "Id", "Target", *ASSUMPTIONS.titles)}
        for row, left in self._rows(ASSUMPTIONS, 0, lambda cell: bool(same(cell)) and same(cell) not in headers):
            target = self._get(row, left, "Asset", parse.identifier, needed=True)
            cells = [self._get(row, left + i, ASSUMPTIONS.headers[i], free) for i in range(1, 5)]
            if target is not None:
                found.append(CashFlowAssumption(target, *cells))
        return found


def _rate(cell: Cell) -> Parsed:
    return parse.number(cell, _RATE)


def _period(cell: Cell) -> Parsed:
    parsed = parse.count(cell, ())
    if isinstance(parsed.value, int) and not 1 <= parsed.value <= _LAST_PERIOD:
        return parse.failed(f"A period is a whole number from 1 to {_LAST_PERIOD}: correct it.")
    return parsed


def _any(cell: Cell) -> Parsed:
    return parse.number(cell, parse.ANY)


def _points(cell: Cell) -> Parsed:
    parsed = parse.number(cell, _POINTS)
    value = parsed.value / 100 if isinstance(parsed.value, float) else None
    return Parsed(value, parsed.severity, parsed.message)


def tenor(cell: Cell) -> Parsed:
    """Months: a number, or text such as 3M or 2Y."""
    match = _TENOR.match(cell.strip()) if isinstance(cell, str) else None
    if match:
        return Parsed(float(match[1]) * (12.0 if match[2].casefold().startswith("y") else 1.0))
    return parse.number(cell, Number(0.0, 1200.0, unit="a tenor is in months"))
