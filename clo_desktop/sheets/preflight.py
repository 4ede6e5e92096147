"""What must be true of a workbook before a reader touches it, and the cells a reader would lose.

Every XML part is run through expat as a stream: document type declarations (entity bombs, files of the machine) and
other encodings than UTF-8 are refused, sheets with far cells or a million blank rows are left at the first sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from clo_desktop.faults import Refused
from clo_desktop.sheets.package import Package

MAX_ROWS: Final = 200_000
MAX_COLUMNS: Final = 300
MAX_BLANK_ROWS: Final = 1_000  # in a row
MAX_CELLS: Final = 15_000_000  # of the rectangle that holds all cells with a value

_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})$")
_ROW: Final = re.compile(r"[1-9][0-9]{0,9}$")
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_FORMULA_SHOWN: Final = 120  # characters


@dataclass(frozen=True, slots=True)
class Broken:
    """A cell without a usable value: an Excel error ("#N/A"), or a formula nobody has computed ("=A1+1")."""

    text: str
    is_formula: bool


BrokenCells = dict[tuple[int, int], Broken]
"""By row and column, both counted from 0."""


def column_number(letters: str) -> int:
    """0 for A, 25 for Z, 26 for AA."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number - 1


def check_parts(package: Package) -> None:
    """Refuse a document type declaration, another encoding or damaged XML in any part, whoever may read it later."""
    for part in package.parts:
        if part.lower().endswith((".xml", ".rels", ".vml")):
            _run(package, part, _parser(package))


def scan_sheet(package: Package, part: str, sheet: str) -> BrokenCells:
    """The cells of a sheet that hold an Excel error or a formula without a stored value.

    Raises `Refused` where the sheet passes a limit; it stops reading there and then.
    """
    scan = _Scan(package, sheet)
    parser = _parser(package)
    parser.buffer_text = True
    parser.StartElementHandler = scan.start
    parser.EndElementHandler = scan.end
    parser.CharacterDataHandler = scan.text
    _run(package, part, parser)
    return scan.broken


def _parser(package: Package) -> expat.XMLParserType:
    parser = expat.ParserCreate()

    def doctype(*_about: object) -> None:
        raise package.refused(
            "has a document type declaration, which no Excel workbook has", "save it again in Excel", "unsafe"
        )

    def declaration(_version: str, encoding: str | None, _standalone: int) -> None:
        if (encoding or "utf-8").casefold() not in ("utf-8", "us-ascii"):
            raise package.refused("is not encoded in UTF-8", "save it again in Excel", "unsafe")

    parser.StartDoctypeDeclHandler = doctype
    parser.XmlDeclHandler = declaration
    return parser


def _run(package: Package, part: str, parser: expat.XMLParserType) -> None:
    try:
        for piece in _checked_start(package, part):
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise package.refused(f"is damaged ({part} is no proper XML)", "save it again in Excel", "damaged") from error


def _checked_start(package: Package, part: str) -> Iterator[bytes]:
    first = True
    for piece in package.chunks(part):
        if first and piece.startswith(_UTF16):
            raise package.refused("is not encoded in UTF-8", "save it again in Excel", "unsafe")
        first = first and not piece
        yield piece


@dataclass(slots=True)
class _Scan:
    """Handlers of one sheet. Rows and columns are counted from 1 inside, as in the file."""

    package: Package
    sheet: str
    broken: BrokenCells = field(default_factory=dict)
    _row: int = 0
    _column: int = 0
    _last_filled: int = 0
    _widest: int = 0
    _kind: str = ""
    _has_formula: bool = False
    _has_content: bool = False
    _formula: str = ""
    _value: str = ""
    _into: str = ""  # "f", "v" (or "t") while inside such an element

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            self._start_cell(attributes)
        elif name in ("v", "t"):
            self._into = "v"
            self._has_content = True
        elif name == "is":
            self._has_content = True
        elif name == "f":
            self._into = "f"
            self._has_formula = self._has_content = True
        elif name == "row":
            number = attributes.get("r")
            if number is not None and not _ROW.match(number):
                raise self._refused("has a row without a proper number", "open it in Excel")
            self._enter_row(self._row + 1 if number is None else int(number))
            self._column = 0

    def text(self, data: str) -> None:
        # A cell's text is only needed to tell an error and a formula; the values are read by calamine.
        if self._into == "v" and len(self._value) < _FORMULA_SHOWN:
            self._value += data[:_FORMULA_SHOWN]
        elif self._into == "f" and len(self._formula) < _FORMULA_SHOWN:
            self._formula += data[:_FORMULA_SHOWN]

    def end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name in ("v", "t", "f"):
            self._into = ""
        elif name == "c":
            self._end_cell()

    def _enter_row(self, number: int) -> None:
        self._row = number
        if number > MAX_ROWS:
            raise self._refused(f"has more than {MAX_ROWS:,} rows", "keep only the rows of the deal")
        if number - self._last_filled > MAX_BLANK_ROWS:
            raise self._refused(
                f"has more than {MAX_BLANK_ROWS:,} blank rows above row {number:,}", "delete the blank rows"
            )

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self._column += 1
        written = attributes.get("r")
        if written is not None:
            # A reader that believes an odd address would reserve memory for it: such a sheet is refused.
            reference = _REFERENCE.match(written)
            if reference is None or int(reference[2]) != self._row:
                raise self._refused(f"has a cell with a wrong address in row {self._row:,}", "open it in Excel")
            self._column = column_number(reference[1]) + 1
        self._kind = attributes.get("t", "n")
        self._value = self._formula = ""
        self._has_formula = self._has_content = False

    def _end_cell(self) -> None:
        if not self._has_content:
            return
        if self._column > MAX_COLUMNS:
            raise self._refused(f"has more than {MAX_COLUMNS} columns", "delete what lies to the right of the tables")
        self._last_filled = max(self._last_filled, self._row)
        self._widest = max(self._widest, self._column)
        if self._last_filled * self._widest > MAX_CELLS:
            raise self._refused(f"has more than {MAX_CELLS:,} cells", "keep only the rows and columns of the deal")
        where = (self._row - 1, self._column - 1)
        if self._kind == "e":
            self.broken[where] = Broken(self._value or "#VALUE!", is_formula=False)
        elif self._has_formula and not self._value and self._kind != "str":
            # t="str" with an empty value is a formula whose result is the empty text: a blank, not a loss
            self.broken[where] = Broken("=" + self._formula, is_formula=True)

    def _refused(self, what: str, remedy: str) -> Refused:
        return Refused(
            f"{self.package.name}: the sheet “{self.sheet}” {what}: {remedy} and save it again.", code="too_large"
        )
