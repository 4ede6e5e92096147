"""One cell -> a typed value, or why it is none. Nothing is guessed silently: every conversion says how it read."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clo_desktop.faults import Severity
from clo_desktop.sheets.grid import Cell, same
from clo_desktop.sheets.preflight import Broken
from clo_desktop.sheets.safety import MAX_TEXT, suspicion

Value = str | float | bool | dt.date | None


@dataclass(frozen=True, slots=True)
class Parsed:
    """The value of a cell (None: missing, or an error) and its fault, if `severity` is not None."""

    value: Value
    severity: Severity | None = None
    message: str = ""

    @property
    def failed(self) -> bool:
        return self.severity is Severity.ERROR


MISSING: Final = Parsed(None)
PLACEHOLDERS: Final = frozenset({"n/a", "na", "n.a.", "none", "null", "-", "--", "–", "—"})
ERROR_VALUES: Final = frozenset(
    {"#n/a", "#div/0!", "#ref!", "#name?", "#value!", "#num!", "#null!", "#spill!", "#calc!", "#getting_data"}
)
_GROUPED: Final = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_ONE_GROUP: Final = re.compile(r"[+-]?\d{1,3},\d{3}$")
_PLAIN: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?$")
_PERCENT: Final = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+))\s*%$")
_BASIS_POINTS: Final = re.compile(
    r"(?:(?:L|S|E|LIBOR|SOFR|EURIBOR)\s*\+\s*)(\d+(?:\.\d+)?)\s*(?:bps?)?$|(\d+(?:\.\d+)?)\s*bps?$", re.IGNORECASE
)


def warned(value: Value, message: str) -> Parsed:
    return Parsed(value, Severity.WARNING, message)


def failed(message: str) -> Parsed:
    return Parsed(None, Severity.ERROR, message)


def _broken(cell: Broken) -> Parsed:
    if cell.is_formula:
        return failed(
            "The formula has no stored value: open and save the workbook in Excel, or type the value instead."
        )
    return failed(f"The cell shows the Excel error {cell.text}: correct the formula or clear the cell.")


def usable(cell: Cell) -> Parsed | None:
    """The fault of a cell that holds no usable value whatever is expected, or the missing value; else None."""
    if cell is None:
        return MISSING
    if isinstance(cell, Broken):
        return _broken(cell)
    if isinstance(cell, str):
        text = cell.strip()
        if not text:
            return MISSING
        if text.casefold() in ERROR_VALUES:
            return _broken(Broken(text, is_formula=False))
        if len(text) > MAX_TEXT:
            return failed(f"The text has {len(text):,} characters, more than {MAX_TEXT:,}: shorten it.")
    if isinstance(cell, dt.timedelta | dt.time):
        return failed("The cell holds a time of day: give the cell another number format or type the value.")
    return None


def _placeholder(text: str) -> Parsed | None:
    if text.casefold() in PLACEHOLDERS:
        return warned(None, f"“{text}” was read as missing: clear the cell if that is right.")
    return None


@dataclass(frozen=True, slots=True)
class Number:
    """What a number cell may hold.

    low, high   accepted range, in the unit of the value
    points      a value above `high` but not above this looks like percent, 0: none does
    basis       values that look like basis points, from and to; (0, 0): none does
    percent     "4.5%" is read as 0.045 (True), as 4.5 (False: prices in percent of par) or not at all (None)
    unit        what the column wants, said of a value out of range
    spread      "L+375" and "375bp" are read as 0.0375
    money       "1,500" is one thousand five hundred; elsewhere one group of three digits is ambiguous
    """

    low: float = -math.inf
    high: float = math.inf
    percent: bool | None = None
    unit: str = ""
    spread: bool = False
    money: bool = False
    points: float = 0.0
    basis: tuple[float, float] = (0.0, 0.0)


_A_RATE: Final = "a rate is a fraction or percent, such as 0.0375 or 3.75%"
_A_SHARE: Final = "a share is a fraction or percent, such as 0.45 or 45%"
_HIGHEST_POINTS: Final = 30.0  # of a rate; above it the value is hardly a rate in percent
_BASIS: Final = (120.0, 2500.0)  # of a rate; below it the value may be a price

MONEY: Final = Number(0.0, 1e12, money=True, unit="an amount is between 0 and 1,000,000,000,000")
BALANCE: Final = Number(-1e12, 1e12, money=True, unit="an amount is at most 1,000,000,000,000")
RATE: Final = Number(-1.0, 1.0, percent=True, unit=_A_RATE, points=_HIGHEST_POINTS, basis=_BASIS)
SPREAD: Final = Number(-1.0, 1.0, percent=True, unit=_A_RATE, points=_HIGHEST_POINTS, basis=_BASIS, spread=True)
SHARE: Final = Number(0.0, 1.0, percent=True, unit=_A_SHARE, points=100.0)
LIMIT: Final = Number(-1.0, 1.0, percent=True, unit=_A_SHARE, points=100.0)
PRICE: Final = Number(0.0, 1000.0, percent=False, unit="a price is in percent of par, such as 98.25")
YEARS: Final = Number(0.0, 100.0, unit="a life is in years, 0 to 100")
RATIO: Final = Number(0.0, 10.0, percent=True, unit="a ratio is such as 1.2 or 120%", points=1000.0)
ANY: Final = Number(percent=True, money=True)


def text_number(text: str, rule: Number) -> tuple[float, str] | None:
    """The one number that `text` spells under `rule` and how it was read, or None where there is none or several."""
    text = text.strip().replace("−", "-")
    sign = 1.0
    if text.startswith("(") and text.endswith(")"):
        sign, text = -1.0, text[1:-1].strip()
        if text[:1] in "+-":
            return None
    if _PLAIN.match(text) or (_GROUPED.match(text) and (rule.money or not _ONE_GROUP.match(text))):
        return sign * float(text.replace(",", "")), "the number"
    percent = _PERCENT.match(text)
    if percent and rule.percent is not None:
        # Decimal, so that 4.35% is the same float as 0.0435
        points = Decimal(percent[1])
        return sign * float(points / 100 if rule.percent else points), "percent"
    basis = _BASIS_POINTS.match(text) if rule.spread and sign > 0 else None
    if basis:
        points = Decimal(basis[1] or basis[2])
        # "L+3.75" may be percent or basis points; "L+375" can only be basis points
        if points >= 10 or text.casefold().endswith(("bp", "bps")):
            return float(points / 10_000), "basis points"
    return None


def number(cell: Cell, rule: Number) -> Parsed:
    """A finite number within the range of `rule`."""
    early = usable(cell)
    if early is not None:
        return early
    how = ""
    if isinstance(cell, str):
        read = text_number(cell, rule)
        if read is None:
            return _placeholder(cell.strip()) or failed(
                f"“{_short(cell)}” is no number that can be read in one way only: type a plain number."
            )
        value, how = read
    elif isinstance(cell, bool):
        return failed("The cell holds TRUE or FALSE where a number is expected: type the number.")
    elif isinstance(cell, float):
        value = cell
    else:
        return failed("The cell holds a date where a number is expected: give it a number format and check the value.")
    if not math.isfinite(value):
        return failed("The value is not finite: type a plain number.")
    if not rule.low <= value <= rule.high:
        return failed(_out_of_range(value, rule, f"“{_short(cell)}”" if isinstance(cell, str) else "", how))
    if how:
        return warned(value, f"The text “{_short(cell)}” was read as {how}: {_plain(value)}; type it as a number.")
    return Parsed(value)


def _out_of_range(value: float, rule: Number, text: str, how: str) -> str:
    """What a number out of range looks like, or what the column wants; `text` and `how` as `text_number` read it."""
    shown = text or f"{value:,.10g}"
    if value < 0 <= rule.low:
        return f"{shown} is out of range; it cannot be negative: correct it or clear the cell."
    if how in ("", "the number"):
        size = abs(value)
        if size <= rule.points:
            return f"{shown} looks like percent: type {value:.10g}% or {value / 100:.10g}."
        if rule.basis[0] < size <= rule.basis[1]:
            return f"{shown} looks like basis points: type {value / 10_000:.10g} or {value / 100:.10g}%."
    return f"{shown} is out of range; {rule.unit}: correct it or clear the cell."


def _plain(value: float) -> str:
    return f"{value:,.12g}"


def _short(cell: Cell) -> str:
    text = " ".join(str(cell).split())
    return text if len(text) <= 40 else text[:39] + "…"


_DATE_FORMS: Final = (
    (re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ]00:00(?::00)?)?$"), ("%Y-%m-%d",)),
    (re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}$"), ("%d.%m.%Y",)),
    (re.compile(r"\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{4}$"), ("%d-%b-%Y", "%d-%B-%Y")),
    (re.compile(r"[A-Za-z]{3,9} \d{1,2}, ?\d{4}$"), ("%b-%d-%Y", "%B-%d-%Y")),
    (re.compile(r"\d{1,2}/\d{1,2}/\d{4}$"), ("%d/%m/%Y", "%m/%d/%Y")),
    (re.compile(r"\d{8}$"), ("%Y%m%d",)),
)
_FIRST_DATE: Final = dt.date(1901, 1, 1)
_LAST_DATE: Final = dt.date(2199, 12, 31)


def _text_dates(text: str) -> set[dt.date]:
    found: set[dt.date] = set()
    for pattern, forms in _DATE_FORMS:
        if pattern.match(text):
            joined = re.split(r"[T ]00:", text)[0]
            if "%b" in forms[0]:
                joined = re.sub(r"[ ,]+", "-", joined)
            for form in forms:
                try:
                    found.add(dt.datetime.strptime(joined, form).date())
                except ValueError:
                    continue
    return found


def date(cell: Cell, *, date1904: bool = False) -> Parsed:
    """A date from 1901 to 2199; a 0 is the echo of an empty cell and missing."""
    early = usable(cell)
    if early is not None:
        return early
    note = ""
    if isinstance(cell, bool):
        return failed("The cell holds TRUE or FALSE where a date is expected: type the date.")
    if isinstance(cell, float):
        if cell == 0:
            return MISSING
        origin = dt.date(1904, 1, 1) if date1904 else dt.date(1899, 12, 30)
        if not (cell.is_integer() and 366 <= cell <= 109_573):
            return failed("The number is no date: type the date.")
        value = origin + dt.timedelta(days=int(cell))
        note = f"The number {cell:.0f} was read as the date {value.isoformat()}; give the cell a date format."
    elif isinstance(cell, str):
        found = _text_dates(cell.strip())
        if len(found) > 1:
            return failed(f"“{_short(cell)}” may be two dates (day or month first): type it as a date.")
        if not found:
            return _placeholder(cell.strip()) or failed(f"“{_short(cell)}” is no date: type it as a date.")
        value = found.pop()
        note = f"The text “{_short(cell)}” was read as the date {value.isoformat()}; type it as a date."
    elif isinstance(cell, dt.datetime):
        value = cell.date()
        note = f"The time of day was dropped; the date was read as {value.isoformat()}."
    elif isinstance(cell, dt.date):
        value = cell
    else:
        return failed("The cell holds no date: type the date.")
    if not _FIRST_DATE <= value <= _LAST_DATE:
        return failed(f"{value.isoformat()} is no plausible date: correct it or clear the cell.")
    return warned(value, note) if note else Parsed(value)


def text(cell: Cell) -> Parsed:
    """Trimmed text, kept as it is; what a spreadsheet or a browser might execute is warned about."""
    early = usable(cell)
    if early is not None:
        return early
    if isinstance(cell, bool):
        name = "TRUE" if cell else "FALSE"
        return warned(name, f"The truth value was read as the text “{name}”; type it as text.")
    if isinstance(cell, float):
        return MISSING if cell == 0 else Parsed(f"{cell:.15g}")
    if isinstance(cell, dt.date):
        written = cell.isoformat()
        return warned(written, f"The date was read as the text “{written}”; type it as text.")
    assert isinstance(cell, str)
    doubt = suspicion(cell)
    return warned(cell.strip(), doubt) if doubt else Parsed(cell.strip())


_YES_NO: Final = {"yes": True, "true": True, "no": False, "false": False}
_SHORT_YES_NO: Final = {"y": True, "t": True, "n": False, "f": False, "1": True, "0": False}


def flag(cell: Cell) -> Parsed:
    """Yes or No."""
    early = usable(cell)
    if early is not None:
        return early
    if isinstance(cell, bool):
        return Parsed(cell)
    word = f"{cell:.15g}" if isinstance(cell, float) else same(cell)
    if word in _YES_NO:
        return Parsed(_YES_NO[word])
    if word in _SHORT_YES_NO:
        value = _SHORT_YES_NO[word]
        return warned(value, f"“{word}” was read as {'Yes' if value else 'No'}; type Yes or No.")
    return _placeholder(word) or failed(f"“{_short(cell)}” is neither Yes nor No: type one of them.")


Choices = Iterable[tuple[str, tuple[str, ...]]]


def choice(cell: Cell, choices: Choices) -> Parsed:
    """One of the canonical values, in any case or by one of its further spellings."""
    early = usable(cell)
    if early is not None:
        return early
    if isinstance(cell, float):
        if cell == 0:
            return MISSING
        word = f"{cell:.15g}"
    else:
        word = same(cell) if isinstance(cell, str) else str(cell).casefold()
    for canonical, others in choices:
        if word == canonical.casefold() or word in others:
            return Parsed(canonical)
    known = ", ".join(c for c, _ in choices)
    return _placeholder(word) or failed(f"“{_short(cell)}” is not known: type one of {known}.")


def count(cell: Cell, choices: Choices) -> Parsed:
    """A whole number; where there are choices, one of them."""
    names = tuple(choices)
    if isinstance(cell, str):
        for canonical, others in names:
            if same(cell) in others:
                return warned(int(canonical), f"“{_short(cell)}” was read as {canonical}; type the number.")
    parsed = number(cell, Number(0, 1e9, unit="it is a small whole number"))
    value = parsed.value
    if parsed.failed or not isinstance(value, float):
        return parsed
    known = [c for c, _ in names]
    if not value.is_integer() or (known and str(int(value)) not in known):
        return failed(f"{value:g} is not one of {', '.join(known)}." if known else f"{value:g} is no whole number.")
    return Parsed(int(value), parsed.severity, parsed.message)


def rating(cell: Cell, parse: Callable[[str], str | None], agency: str) -> Parsed:
    """A rating of the agency's scale in its canonical spelling; NR stays "NR"."""
    early = usable(cell)
    if early is not None:
        return early
    if isinstance(cell, float) and cell == 0:
        return MISSING
    known = parse(cell) if isinstance(cell, str) else None
    if known is not None:
        return Parsed(known)
    shown = cell.strip() if isinstance(cell, str) else str(cell)
    return _placeholder(shown) or failed(
        f"“{_short(shown)}” is no rating of {scale_of(agency)}: correct it, type NR, or clear the cell."
    )


def scale_of(agency: str) -> str:
    """The agency's scale: "Moody's scale", "S&P's scale"."""
    owner = agency.removesuffix("'s")
    return f"{owner}'s scale"


def identifier(cell: Cell) -> Parsed:
    """An id as assets are matched by: trimmed and upper-cased; a change is warned about."""
    if isinstance(cell, float) and not cell.is_integer():
        return failed(f"{cell:g} is no id: type the id as text.")
    parsed = text(cell)
    if parsed.failed or not isinstance(parsed.value, str):
        return parsed
    canonical = parsed.value.upper().strip()
    if parsed.severity is None and canonical != cell and isinstance(cell, str):
        return warned(canonical, f"The id was read as {canonical}; type it without blanks and in capitals.")
    return Parsed(canonical, parsed.severity, parsed.message)
