"""Numbers, dates and flags as people read them, and as Excel reads them. No Qt.

A *kind* is a value of :class:`engine.asset.Kind` or of :class:`Show`; both are plain strings.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from clo_desktop import figures
from engine.asset import Kind

MINUS: Final = "\u2212"
MISSING: Final = "\u2013"
THIN: Final = "\u202f"  # narrow no-break space
_GROUP: Final = re.compile(r"(?<=\d),(?=\d{3})")
_MINUS_SIGN: Final = re.compile(r"(?<= )-(?=\d)")
_PERCENT_SIGN: Final = re.compile(r"(?<=\d) %")


class Show(StrEnum):
    """Kinds of results, beside those of the asset master."""

    SCORE = "score"  # a score, such as diversity
    FACTOR = "factor"  # a rating factor, whole
    RATIO = "ratio"  # a coverage ratio: fraction, shown in percent
    BASIS = "basis"  # a fraction shown in whole basis points
    SMALL_BASIS = "small_basis"  # a small change of a fraction, shown in basis points to two decimals
    SMALL = "small"  # a small change of a score or factor
    SMALL_YEARS = "small_years"  # a small change of an average life
    POINTS = "points"  # a small fraction or its change, in thousandths of a percent
    SECONDS = "seconds"  # how long something took
    OUTCOME = "outcome"  # pass, near, fail: words and a shape
    CUSHION = "cushion"  # fraction of the limit that is left: a bar
    MIXED = "mixed"  # a number whose kind another column of the row names


PERCENT: Final = frozenset({Kind.RATE.value, Kind.SHARE.value, Show.RATIO.value, Show.CUSHION.value, Show.POINTS.value})
"""Kinds stored as fractions and shown in percent."""


@dataclass(frozen=True, slots=True)
class _Number:
    decimals: int
    shift: int = 0  # power of ten between what is stored and what is shown
    unit: str = ""


_NUMBERS: Final[dict[str, _Number]] = {
    Kind.MONEY.value: _Number(0),
    Kind.RATE.value: _Number(2, 2, "%"),
    Kind.SHARE.value: _Number(2, 2, "%"),
    Kind.PRICE.value: _Number(3, 0, "% of par"),
    Kind.YEARS.value: _Number(2, 0, "years"),
    Kind.COUNT.value: _Number(0),
    Show.SCORE.value: _Number(2),
    Show.FACTOR.value: _Number(0),
    Show.RATIO.value: _Number(2, 2, "%"),
    Show.BASIS.value: _Number(0, 4, "bp"),
    Show.SMALL_BASIS.value: _Number(2, 4, "bp"),
    Show.SMALL.value: _Number(4),
    Show.SMALL_YEARS.value: _Number(4, 0, "years"),
    Show.POINTS.value: _Number(3, 2, "%"),
    Show.SECONDS.value: _Number(2, 0, "s"),
    Show.CUSHION.value: _Number(1, 2, "%"),
    Show.MIXED.value: _Number(2),
}


def is_number(kind: str) -> bool:
    """Whether the kind holds numbers (a date or a flag is none)."""
    return kind in _NUMBERS


def missing(value: object) -> bool:
    """Whether a value is missing: None, NaN or not-a-time."""
    return value is None or value != value


def decimals(kind: str) -> int:
    """Decimals shown of a numeric kind."""
    return _NUMBERS[kind].decimals


def scale(kind: str) -> float:
    """Factor from what is stored to what is shown: 100 for percent."""
    return float(10.0 ** _NUMBERS[kind].shift)


def unit(kind: str, currency: str = "") -> str:
    """The unit that belongs in the header: "%", "years", the currency; empty where there is none."""
    if kind == Kind.MONEY:
        return currency
    number = _NUMBERS.get(kind)
    return number.unit if number else ""


def header(title: str, kind: str, currency: str = "", of: str | None = None) -> str:
    """`Spread (%)`: the title with its unit; `of` overrides the kind's own unit ("" for none)."""
    suffix = unit(kind, currency) if of is None else of
    return f"{title} ({suffix})" if suffix else title


def figure(value: float, places: int) -> str:
    """A number with thin grouping, fixed decimals and a true minus sign; what rounds to zero has no sign."""
    text = f"{value:,.{places}f}".replace(",", THIN)
    if text[0] == "-":
        text = MINUS + text[1:] if text.strip("-0." + THIN) else text[1:]
    return text


def counted(number: int, one: str, many: str = "") -> str:
    """`1 position`, `12 positions`: how many, in words; `many` where an s does not do."""
    return in_words(figures.counted(number, one, many))


def percent(value: float | None, places: int = 2) -> str:
    """A fraction in percent, `14.04 %`, as everywhere in the window; an en dash where it is missing."""
    return MISSING if value is None or missing(value) else f"{figure(value * 100.0, places)}{THIN}%"


def in_words(sentence: str) -> str:
    """A sentence of the engine or of the services with its figures as everywhere in the window.

    They group by commas and have a plain space before a percent sign, as a terminal needs it.
    """
    return _PERCENT_SIGN.sub(f"{THIN}%", _GROUP.sub(THIN, _MINUS_SIGN.sub(MINUS, sentence)))


def _figure_of(kind: str) -> Callable[[Any], str]:
    number = _NUMBERS[kind]
    factor, places = 10.0**number.shift, number.decimals
    return lambda value: figure(value * factor, places)


def _flag(value: Any) -> str:
    return "Yes" if value else "No"


def _outcome(value: Any) -> str:
    return str(value).capitalize()


_TEXTS: Final[Mapping[str, Callable[[Any], str]]] = {
    **{kind: _figure_of(kind) for kind in _NUMBERS},
    Kind.FLAG.value: _flag,
    Show.OUTCOME.value: _outcome,
}


def formatter(kind: str) -> Callable[[Any], str]:
    """What turns a present value of the kind into the text of a cell."""
    return _TEXTS.get(kind, str)


def text(kind: str, value: Any) -> str:
    """A value as a cell shows it; an en dash where it is missing."""
    return MISSING if missing(value) else formatter(kind)(value)


def with_unit(kind: str, value: Any, currency: str = "") -> str:
    """A value outside a table, with its unit: `3.62 %`, `98.410`, `31 250 000 USD`."""
    shown = text(kind, value)
    if shown == MISSING:
        return shown
    suffix = "" if kind == Kind.PRICE else unit(kind, currency)
    return f"{shown}{THIN}{suffix}" if suffix else shown


def plain(kind: str, value: Any) -> str:
    """A value at full precision for the clipboard, in the header's unit, as Excel reads it; "" where missing.

    0.03625 of a rate is 3.625 exactly: the shift is decimal, not binary. Text that Excel would take for a formula
    is led by an apostrophe.
    """
    if missing(value):
        return ""
    number = _NUMBERS.get(kind)
    if number is not None:
        return _exact(float(value), number.shift)
    shown = text(kind, value)
    return "'" + shown if shown[:1] in "=+-@" and not isinstance(value, dt.date) and shown else shown


def _exact(value: float, shift: int) -> str:
    if shift == 0:
        return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    shifted = Decimal(repr(value)).scaleb(shift)
    return format(shifted.normalize(), "f") if shifted.is_finite() else repr(value)
