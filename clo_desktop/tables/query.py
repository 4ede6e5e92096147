"""What is typed into the filter row. No Qt.

>5   <=98.5   80..90   80..   =100   !=0      numbers; rates and shares are typed in percent; 5m is five million
>2028   2027..2029   2028-06   >=2028-06-30   dates; a year or a month is all of it
>=B3   B..CCC   B   =Caa1                     ratings by rank, ">" is better; a bare letter is the whole letter
yes   no                                      flags
retail   =Retail   !=USA   !retail            text: contains, is, is not, does not contain
-   !-                                        missing, not missing
USA,CAN   >5 or <2                            any of these; terms with "!" must all hold
5,000,000                                     in numbers a comma before each three figures groups them
INFOR US,  INC                                in text a comma with a blank after it is part of the text; quotes keep all
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clo_desktop.look import formats
from clo_desktop.tables.frame import RATINGS, Column, Frame, days
from engine import ratings
from engine.asset import Kind

Mask = NDArray[np.bool_]
Filter = Callable[[Frame], Mask]
"""Which rows of a frame are shown."""

_QUOTED: Final = r'"[^"]*"'
_OR: Final = re.compile(_QUOTED + r"|(,|\s+or\s+)", re.IGNORECASE)
_OR_OF_TEXT: Final = re.compile(_QUOTED + r"|(,(?!\s)|,\s*(?=[!=<>]|$)|\s+or\s+)", re.IGNORECASE)
_GROUPED: Final = re.compile(r"(?<![\d,])(?<!\d\.)[1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)")
_EITHER_WAY: Final = re.compile(r"[\d.,]*\d,\d[\d.,]*")
_OPERATOR: Final = re.compile(r"^(>=|<=|<>|!=|≥|≤|≠|>|<|=|!)?\s*(.*)$", re.DOTALL)
_SAME: Final = {"≥": ">=", "≤": "<=", "≠": "!=", "<>": "!="}
_NUMBER: Final = re.compile(r"^([+-]?(?:\d+\.?\d*|\.\d+))\s*(%|bps?|k|mm?|bn)?$", re.IGNORECASE)
_TIMES: Final = {"k": 1e3, "m": 1e6, "mm": 1e6, "bn": 1e9}
_DATE: Final = re.compile(r"^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$")
_YES: Final = {"yes", "y", "true", "1"}
_NO: Final = {"no", "n", "false", "0"}
_ABSENT: Final = {"-", "–", "−"}


class BadQuery(ValueError):
    """What was typed cannot be read; the text says what is wrong and what would do."""


def parse(text: str, column: Column) -> Filter | None:
    """The filter that `text` means for the column, None for an empty text. Raises BadQuery."""
    terms = _terms(text, column)
    if not terms:
        return None
    wanted: list[Filter] = []
    barred: list[Filter] = []
    for term in terms:
        negative, found = _term(term, column)
        (barred if negative else wanted).append(found)

    def shown(frame: Frame) -> Mask:
        mask = np.ones(len(frame), dtype=bool)
        if wanted:
            mask = np.logical_or.reduce([found(frame) for found in wanted])
        for found in barred:
            mask = mask & ~found(frame)
        return mask

    return shown


def literal(column: Column, value: Any) -> str:
    """What to type to see only rows of this value."""
    if formats.missing(value):
        return "-"
    if column.kind == Kind.FLAG:
        return "yes" if value else "no"
    if formats.is_number(column.kind):
        return "=" + formats.plain(column.kind, value)
    shown = str(value)
    return f'="{shown}"' if "," in shown or shown != shown.strip() or _OR.search(shown) else f"={shown}"


def hint(text: str, column: Column, frame: Frame) -> str:
    """What may be meant where a filter that can be read shows no row at all; empty where nothing is to be said."""
    if column.kind not in formats.PERCENT or column.name not in frame.index:
        return ""
    shown = parse(text, column)
    if shown is None or shown(frame).any() or frame.missing(column.name).all():
        return ""
    typed = next((m[0] for m in re.finditer(r"\d+(?:\.\d+)?(?![\d.]*\s*(?:%|bp))", text) if float(m[0]) > 0), "")
    if not typed:
        return ""
    return f"No row: {column.title} is in percent, {typed} is {typed} %. Basis points are typed as {typed}bp."


def is_text(column: Column) -> bool:
    """Whether the column holds free text, in which commas may stand."""
    listed = column.kind in RATINGS or column.kind in (Kind.DATE, Kind.FLAG, formats.Show.OUTCOME)
    return not listed and not formats.is_number(column.kind)


def _terms(text: str, column: Column) -> list[str]:
    """The terms of which any may hold. Raises BadQuery where a comma may group figures or part two numbers."""
    if formats.is_number(column.kind):
        text = _GROUPED.sub(lambda match: match[0].replace(",", ""), text)
        if unclear := _EITHER_WAY.search(text):
            typed = unclear[0]
            one = typed.replace(",", ".") if typed.count(",") == 1 and "." not in typed else typed.replace(",", "")
            raise BadQuery(f"{typed} may be one number or two: type {one}, or {typed.replace(',', ' or ')}.")
    found, begin = [], 0
    for match in (_OR_OF_TEXT if is_text(column) else _OR).finditer(text):
        if match[1] is not None:
            found.append(text[begin : match.start()])
            begin = match.end()
    found.append(text[begin:])
    return [term.strip() for term in found if term.strip()]


def _term(term: str, column: Column) -> tuple[bool, Filter]:
    match = _OPERATOR.match(term)
    assert match is not None  # every part is optional
    operator = _SAME.get(match[1] or "", match[1] or "")
    rest = match[2].strip()
    quoted = len(rest) >= 2 and rest[0] == rest[-1] == '"'
    rest = rest.strip('"')
    negative = operator.startswith("!")
    if not rest:
        raise BadQuery(f"Something must follow {operator}, such as {operator}{_example(column)}.")
    if rest in _ABSENT and operator in ("", "=", "!", "!="):
        return negative, lambda frame: frame.missing(column.name)
    if negative:
        operator = "=" if operator == "!=" else ""
    low, dots, high = ("", "", "") if quoted else (part.strip() for part in rest.partition(".."))
    if dots:
        if operator:
            raise BadQuery(f"A range has no {operator} before it: type {low}..{high}.")
        if not low and not high:
            raise BadQuery(f"A range needs an end, such as {_example(column)}.. or ..{_example(column)}.")
    if column.kind in RATINGS:
        return negative, _rating(column.name, operator, rest, (low, high) if dots else None)
    if column.kind == Kind.DATE:
        return negative, _date(column.name, operator, rest, (low, high) if dots else None)
    if formats.is_number(column.kind):
        return negative, _number(column, operator, rest, (low, high) if dots else None)
    if column.kind == Kind.FLAG:
        return negative, _flag(column.name, rest)
    return negative, _text(column, operator, rest)


def _example(column: Column) -> str:
    if column.kind in RATINGS:
        return "B3" if column.kind == Kind.MOODYS else "B-"
    if column.kind == Kind.DATE:
        return "2028-06-30"
    return "5" if formats.is_number(column.kind) else "text"


# -- numbers ---------------------------------------------------------------------------------------------------------


def _read_number(text: str, column: Column) -> tuple[float, float]:
    """Value as stored, and half a unit of the last digit typed."""
    clean = re.sub(r"[\s_\u202f\u00a0]", "", text).replace("−", "-")
    match = _NUMBER.match(clean)
    if match is None:
        raise BadQuery(f"“{text}” is not a number: type one such as >5, 80..90 or - for missing.")
    digits = match[1]
    places = len(digits.partition(".")[2])
    suffix = (match[2] or "").lower()
    factor = _TIMES.get(suffix, 1.0)
    if suffix in ("%", "bp", "bps"):
        if column.kind not in formats.PERCENT:
            raise BadQuery(f"{column.title} is not in percent: leave out {match[2]}.")
        factor = 0.01 if suffix == "%" else 0.0001
    elif column.kind not in (Kind.MONEY, Kind.COUNT):
        factor /= formats.scale(column.kind)
    return float(digits) * factor, 0.5 * factor * 10.0**-places


def _number(column: Column, operator: str, text: str, ends: tuple[str, str] | None) -> Filter:
    name = column.name
    if ends is not None:
        low = _read_number(ends[0], column)[0] if ends[0] else -np.inf
        high = _read_number(ends[1], column)[0] if ends[1] else np.inf
        low, high = min(low, high), max(low, high)
        slack = 1e-12 * max(abs(v) for v in (low, high, 1e-300) if np.isfinite(v))
        return lambda frame: _between(frame.array(name), low - slack, high + slack)
    value, half = _read_number(text, column)
    slack = abs(value) * 1e-12
    if operator in ("", "="):
        # equal is what agrees to the decimals typed
        return lambda frame: np.abs(frame.array(name) - value) <= half * (1 + 1e-9) + slack
    # 5 % typed and 0.05 stored may differ in the last bit
    compare: dict[str, Callable[[NDArray[Any]], Mask]] = {
        ">": lambda a: a > value + slack,
        ">=": lambda a: a >= value - slack,
        "<": lambda a: a < value - slack,
        "<=": lambda a: a <= value + slack,
    }
    found = compare[operator]
    return lambda frame: found(frame.array(name))


def _between(array: NDArray[Any], low: float, high: float) -> Mask:
    return np.asarray((array >= low) & (array <= high))


# -- dates -----------------------------------------------------------------------------------------------------------


def _read_period(text: str) -> tuple[int, int]:
    """First and last day (since 1970-01-01) of a day, a month or a year."""
    match = _DATE.match(text.replace("/", "-"))
    if match is None:
        raise BadQuery(f"“{text}” is not a date: type 2028, 2028-06 or 2028-06-30.")
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    try:
        first = dt.date(year, month or 1, day or 1)
        last_month = month or 12
        last = dt.date(year, last_month, day or calendar.monthrange(year, last_month)[1])
    except (ValueError, calendar.IllegalMonthError):
        raise BadQuery(f"There is no day “{text}”: type 2028, 2028-06 or 2028-06-30.") from None
    return days(first), days(last)


def _date(name: str, operator: str, text: str, ends: tuple[str, str] | None) -> Filter:
    first, last = -(2**40), 2**40
    if ends is not None:
        if ends[0]:
            first = _read_period(ends[0])[0]
        if ends[1]:
            last = _read_period(ends[1])[1]
    else:
        begin, end = _read_period(text)
        if operator in ("", "="):
            first, last = begin, end
        elif operator[0] == ">":
            first = begin if operator == ">=" else end + 1
        else:
            last = end if operator == "<=" else begin - 1

    def shown(frame: Frame) -> Mask:
        counted = frame.array(name).astype(np.int64)
        return np.asarray((counted >= first) & (counted <= last) & ~frame.missing(name))

    return shown


# -- ratings ---------------------------------------------------------------------------------------------------------


def _by_text(name: str, match: Callable[[str], bool], *, folded: bool = False) -> Filter:
    """A filter decided once per distinct text."""

    def shown(frame: Frame) -> Mask:
        texts = frame.folded(name) if folded else frame.texts(name)
        # one more at the end, so that the code -1 of what is missing never matches
        hits = np.array([*(match(text) for text in texts), False], dtype=bool)
        return np.asarray(hits[frame.array(name)])

    return shown


def _letter(rating: str) -> str:
    return rating.rstrip("123+-").upper()


def _ranks(text: str) -> tuple[int, int]:
    """Best and worst rank of a rating, or of all with this letter where it is bare."""
    clean = text.strip().replace("−", "-")
    bucket = [
        r for scale in (ratings.MOODYS_RANK, ratings.SP_RANK) for s, r in scale.items() if _letter(s) == clean.upper()
    ]
    if bucket:
        return min(bucket), max(bucket)
    rank = ratings.rank(clean)
    if rank is None:
        raise BadQuery(f"“{text}” is not a rating: type one such as B3, B-, B..CCC or NR.")
    return rank, rank


def _rating(name: str, operator: str, text: str, ends: tuple[str, str] | None) -> Filter:
    if text.upper() in ("NR", "WR") and ends is None and operator in ("", "="):
        return _by_text(name, lambda rating: rating.upper() == text.upper())
    if ends is not None:
        best = _ranks(ends[0])[0] if ends[0] else 1
        worst = _ranks(ends[1])[1] if ends[1] else 99
        if best > worst:
            best, worst = _ranks(ends[1])[0], _ranks(ends[0])[1]
    elif operator == "":
        best, worst = _ranks(text)
    else:
        exact = ratings.rank(text.replace("−", "-"))
        top, bottom = (exact, exact) if exact is not None else _ranks(text)
        best, worst = {
            "=": (top, bottom),
            ">=": (1, bottom),
            ">": (1, top - 1),
            "<=": (top, 99),
            "<": (bottom + 1, 99),
        }[operator]

    def match(rating: str) -> bool:
        rank = ratings.rank(rating)
        return rank is not None and best <= rank <= worst

    return _by_text(name, match)


# -- flags and text --------------------------------------------------------------------------------------------------


def _flag(name: str, text: str) -> Filter:
    word = text.casefold()
    if word not in _YES | _NO:
        raise BadQuery(f"“{text}” is neither yes nor no: type yes, no or - for missing.")
    wanted = int(word in _YES)
    return lambda frame: frame.array(name) == wanted


def _text(column: Column, operator: str, text: str) -> Filter:
    if operator in (">", ">=", "<", "<="):
        raise BadQuery(f"{operator} compares numbers, dates and ratings; {column.title} is text: type a part of it.")
    word = text.casefold()
    if operator == "=":
        return _by_text(column.name, lambda value: value == word, folded=True)
    return _by_text(column.name, lambda value: word in value, folded=True)
