"""Figures in sentences, those of the command line and those that the window shows: counted things, percentages.

A sentence groups thousands by commas; the window shows it with the grouping of its tables (`look.formats.in_words`).
"""

from __future__ import annotations


def counted(count: int, one: str, many: str = "") -> str:
    """`1 position`, `1,200 positions`: how many, in words; `many` where an s does not do."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def percent(value: float, places: int = 2, sign: str = "") -> str:
    """A fraction in percent with a space before the sign: 0.1404 is `14.04 %`. sign  "+" to write it for gains too."""
    return f"{value * 100.0:{sign},.{places}f} %"
