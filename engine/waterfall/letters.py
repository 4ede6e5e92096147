"""How clauses are numbered: (A), (B) ... on the outside, (i), (ii) ... within."""

from __future__ import annotations

from typing import Final

_ROMAN: Final = ((100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))


def letter(place: int) -> str:
    """A, B, ... Z, AA, AB, ... for places from 0."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def roman(place: int) -> str:
    """i, ii, iii, iv, ... for places from 0."""
    left, name = place + 1, ""
    for value, sign in _ROMAN:
        times, left = divmod(left, value)
        name += sign * times
    return name
