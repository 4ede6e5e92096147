"""A workbook as sheets of typed cells with their addresses, and its named ranges."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree as SafeTree
from defusedxml.common import DefusedXmlException
from python_calamine import CalamineError, CalamineWorkbook

from clo_desktop.faults import Refused
from clo_desktop.sheets.archive import MEGABYTE
from clo_desktop.sheets.package import Package, read_file
from clo_desktop.sheets.preflight import MAX_ROWS, Broken, check_parts, column_number, scan_sheet

Cell = str | float | bool | dt.date | dt.time | dt.timedelta | Broken | None
"""What a cell holds. `datetime` (a date with a time of day) is a `date` too; blank and empty text are None."""

_MAX_INDEX_PART: Final = 5 * MEGABYTE  # of xl/workbook.xml and its relations
_AREA: Final = re.compile(
    r"(?:'((?:[^']|'')+)'|([^'!,()\[\]]+))!\$?([A-Z]{1,3})\$?(\d{1,7})?(?::\$?([A-Z]{1,3})\$?(\d{1,7})?)?$"
)


def address(row: int, column: int) -> str:
    """The address of a cell; row 0 and column 0 are A1."""
    letters = ""
    number = column + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def same(text: object) -> str:
    """`text` as it is compared: trimmed, case folded, single blanks, plain apostrophes; "" for what is no text."""
    if not isinstance(text, str):
        return ""
    return " ".join(text.replace("’", "'").replace("‘", "'").replace("`", "'").split()).casefold()


def sheet_key(name: str) -> str:
    """A sheet's name as it is compared: without blanks and case."""
    return "".join(name.split()).casefold()


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, rows and columns counted from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a sheet; outside its rows and columns every cell is blank. `merged` are its merged cells."""

    name: str
    rows: list[list[Cell]]
    merged: tuple[Area, ...] = ()

    def at(self, row: int, column: int) -> Cell:
        if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]):
            return self.rows[row][column]
        return None

    @property
    def height(self) -> int:
        return len(self.rows)

    @property
    def width(self) -> int:
        return max(map(len, self.rows), default=0)


class Grids:
    """A workbook file that passed the preflight.

    `sheet_names` in the workbook's order; `date1904` tells the date system. Sheets are scanned and read when asked for.
    """

    def __init__(self, path: Path) -> None:
        data = read_file(path)
        self.file_name = path.name
        self.sha256 = hashlib.sha256(data).hexdigest()
        self._package = Package(data, path.name)
        check_parts(self._package)
        root = self._tree("xl/workbook.xml")
        targets = self._targets()
        self.date1904 = any(
            e.get("date1904", "") in ("1", "true", "on") for e in root.iter() if _local(e) == "workbookPr"
        )
        self._parts: dict[str, str] = {}
        names: list[str] = []  # also of chart sheets: the scope of a name counts them
        for element in root.iter():
            if _local(element) == "sheet":
                name = element.get("name", "")
                relation = next((v for k, v in element.attrib.items() if k.rpartition("}")[2] == "id"), "")
                part = targets.get(relation, "")
                names.append(name)
                if name in self._parts:
                    raise self._package.refused("has two sheets of one name", "save it again in Excel", "damaged")
                if part in self._package and "/worksheets/" in f"/{part}":
                    self._parts[name] = part
        self.sheet_names = tuple(self._parts)
        self._ranges = _named_areas(root, names)

    def _tree(self, part: str) -> Element:
        if part not in self._package or self._package.size(part) > _MAX_INDEX_PART:
            raise self._package.damaged()
        try:
            tree: Element = SafeTree.fromstring(self._package.read(part), forbid_dtd=True)
        except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
            raise self._package.refused(
                f"is damaged or unsafe ({part} cannot be read)", "save it again in Excel", "damaged"
            ) from error
        return tree

    def _targets(self) -> dict[str, str]:
        relations = self._tree("xl/_rels/workbook.xml.rels")
        return {
            e.get("Id", ""): posixpath.normpath(posixpath.join("/xl", e.get("Target", ""))).lstrip("/")
            for e in relations.iter()
            if _local(e) == "Relationship" and e.get("TargetMode") != "External"
        }

    def sheet(self, name: str) -> Sheet:
        """The cells of a sheet; raises `Refused` where it passes a limit or cannot be read."""
        broken = scan_sheet(self._package, self._parts[name], name)
        try:
            with CalamineWorkbook.from_filelike(io.BytesIO(self._package.data)) as book:
                found = book.get_sheet_by_name(name)
                values, ranges = found.to_python(skip_empty_area=False), found.merged_cell_ranges or ()
        except (CalamineError, ValueError, OSError, LookupError) as error:
            raise self._unreadable(name) from error
        except BaseException as error:
            if type(error).__name__ == "PanicException":  # of the Rust reader; it is no Exception
                raise self._unreadable(name) from error
            raise
        rows: list[list[Cell]] = [[_cell(v) for v in row] for row in values]
        for (row, column), cell in broken.items():
            while len(rows) <= row and row < MAX_ROWS:
                rows.append([])
            rows[row].extend([None] * (column + 1 - len(rows[row])))
            rows[row][column] = cell
        return Sheet(name, rows, tuple(Area(*top_left, *bottom_right) for top_left, bottom_right in ranges))

    def _unreadable(self, name: str) -> Refused:
        return self._package.refused(f"is damaged (the sheet “{name}” cannot be read)", "save it again in Excel")

    def areas(self, sheet: str) -> dict[str, Area]:
        """The named ranges on a sheet by case-folded name; a name of the sheet's own wins over the workbook's."""
        return {name: area for (where, name), area in self._ranges.items() if where == sheet}


def _cell(value: object) -> Cell:
    if isinstance(value, str):
        return value if value.strip() else None
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date() if midnight else value
    if isinstance(value, dt.time) and value == dt.time():
        return 0.0  # a zero in a cell with a date format
    if isinstance(value, bool | dt.date | dt.time | dt.timedelta):
        return value
    return float(value) if isinstance(value, int | float) else None


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _named_areas(root: Element, sheets: list[str]) -> dict[tuple[str, str], Area]:
    own: dict[tuple[str, str], Area] = {}
    shared: dict[tuple[str, str], Area] = {}
    for element in root.iter():
        match = _AREA.match((element.text or "").strip()) if _local(element) == "definedName" else None
        if match is None:
            continue
        sheet = match[1].replace("''", "'") if match[1] else match[2]
        left = column_number(match[3])
        right = column_number(match[5]) if match[5] else left
        top = int(match[4]) - 1 if match[4] else 0
        whole = not match[4]
        bottom = MAX_ROWS if whole else int(match[6]) - 1 if match[6] else top
        area = Area(min(top, bottom), min(left, right), max(top, bottom), max(left, right))
        scope = element.get("localSheetId", "")
        where = own if scope.isdecimal() and int(scope) < len(sheets) and sheets[int(scope)] == sheet else shared
        where[sheet, element.get("name", "").casefold()] = area
    return shared | own
