"""Rating scales of the agencies: parsing, ranks and Moody's rating factors (spec: compliance-risk 5.1)."""

from __future__ import annotations

from typing import Final

MOODYS: Final = tuple("Aaa Aa1 Aa2 Aa3 A1 A2 A3 Baa1 Baa2 Baa3 Ba1 Ba2 Ba3 B1 B2 B3 Caa1 Caa2 Caa3 Ca C".split())
SP: Final = tuple("AAA AA+ AA AA- A+ A A- BBB+ BBB BBB- BB+ BB BB- B+ B B- CCC+ CCC CCC- CC C D SD".split())
NOT_RATED: Final = "NR"

_FACTORS: Final = (
    *(1, 10, 20, 40, 70, 120, 180, 260, 360, 610, 940, 1350, 1766, 2220, 2720, 3490),
    *(4770, 6500, 8070, 10000, 10000),
)
UNKNOWN_FACTOR: Final = 10_000.0
"""The factor of an asset without a Moody's rating: the worst (spec 3.3)."""

MOODYS_RANK: Final[dict[str, int]] = {r: i for i, r in enumerate(MOODYS, start=1)}
SP_RANK: Final[dict[str, int]] = {r: min(i, 22) for i, r in enumerate(SP, start=1)}
RATING_FACTOR: Final[dict[str, float]] = dict(zip(MOODYS, map(float, _FACTORS), strict=True))

_MOODYS_BY_FOLD: Final = {r.upper(): r for r in (*MOODYS, NOT_RATED)}
_SP_BY_FOLD: Final = {r.upper(): r for r in (*SP, NOT_RATED)}


def parse_moodys(text: str) -> str | None:
    """The canonical Moody's rating (or NR) that `text` spells in any case, or None where it is none."""
    return _MOODYS_BY_FOLD.get(text.strip().upper())


def parse_sp(text: str) -> str | None:
    """The canonical S&P rating (or NR, D, SD) that `text` spells in any case, or None where it is none."""
    return _SP_BY_FOLD.get(text.strip().upper())


def rank(rating: str) -> int | None:
    """1 (Aaa, AAA) to 21 (C), 22 for D and SD; None for NR and what is no rating.

    Both scales share the ranks. The upper-case spellings AAA, A, B... that only S&P uses are read as S&P's; a lone "C"
    has the same rank on both.
    """
    text = rating.strip()
    if text in MOODYS_RANK:
        return MOODYS_RANK[text]
    if text in SP_RANK:
        return SP_RANK[text]
    folded = _SP_BY_FOLD.get(text.upper()) or _MOODYS_BY_FOLD.get(text.upper())
    if folded is None or folded == NOT_RATED:
        return None
    return SP_RANK.get(folded) or MOODYS_RANK[folded]


def as_moodys(text: str) -> str | None:
    """The Moody's rating that a rating of either agency is or equals: B2 for "b2" and for "B"; None for a default, NR
    and what is no rating.
    """
    place = rank(text)
    return None if place is None or place > len(MOODYS) else MOODYS[place - 1]


def as_sp(moodys: str) -> str:
    """The S&P rating that equals a Moody's rating. Raises KeyError for what is none."""
    return SP[MOODYS_RANK[moodys] - 1]


def is_caa(moodys: str) -> bool:
    """Whether a Moody's rating is Caa1 or lower, as S&P's CCC+. Raises KeyError for what is no rating."""
    return MOODYS_RANK[moodys] > MOODYS_RANK["B3"]


def rating_factor(rating: str | None) -> float:
    """Moody's rating factor; a missing or unknown rating has the worst factor."""
    return RATING_FACTOR.get(rating or "", UNKNOWN_FACTOR)


def notched(rating: str, notches: int, scale: tuple[str, ...] = MOODYS) -> str | None:
    """The rating `notches` better (negative: worse), within Aaa to C, on `scale` (MOODYS or SP); None for NR."""
    place = rank(rating)
    if place is None:
        return None
    return scale[min(max(place - notches, 1), 21) - 1]
