"""What positions lack of what a test reads, in words: a blank never goes into a result unsaid."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np

from engine import ratings
from engine.asset import COLUMN_BY_NAME, Kind
from engine.compliance.catalogue import Definition
from engine.compliance.completed import Filled
from engine.compliance.readings import Readings
from engine.pool import Flags, Floats, Pool

_FIGURES: Final = {
    "floating_spread": "spread or coupon",
    "rating_factor": "WARF rating",
    "recovery_rate": "Moody's recovery rate",
    "coupon": "coupon",
    "wal": "WAL",
    "spread": "spread",
    "price": "price",
    "maturity_years": "maturity",
    "sp_factor": "S&P rating",
    "fitch_factor": "rating of Moody's or S&P to derive Fitch's from",
    "fitch_recovery": "S&P priority category",
}
"""What an asset lacks where a measure of it has nothing to go by."""

_WORD: Final = re.compile(r"[a-z_]+")


def unrated(pool: Pool) -> Flags:
    """bool[n]: no WARF rating, or NR: the rating factor is the worst one."""
    return np.array([(a.moodys_rating_warf or "") not in ratings.RATING_FACTOR for a in pool.assets], dtype=np.bool_)


def _assets(count: int, total: int, what: str) -> str:
    return f"{count} of {total} asset{'' if total == 1 else 's'} {'has' if count == 1 else 'have'} no {what}"


def of_average(measure: str, members: Flags, missing: Flags, pool: Pool) -> str:
    """What the members of an average lack: left out where `missing`, unrated ones count at the worst factor."""
    total = int(members.sum())
    what = _FIGURES.get(measure, "S&P recovery rating and no S&P priority category")
    if measure == "rating_factor":
        count = int((members & unrated(pool)).sum())
        counted = "counts" if count == 1 else "count"
        return f"{_assets(count, total, what)} and {counted} at factor {ratings.UNKNOWN_FACTOR:,.0f}" if count else ""
    count = int((members & missing).sum())
    if count == 0:
        return ""
    if count == total:
        return f"{_assets(count, total, what)}: the result is no figure"
    return f"{_assets(count, total, what)} and {'is' if count == 1 else 'are'} left out"


def of_coverage(amounts: Floats, pool: Pool) -> str:
    """The defaulted and deferring assets whose price or recovery rate is missing, so that they count for nothing."""
    lacking = np.isnan(pool.numbers("market_value")) | np.isnan(pool.numbers("moodys_recovery_rate"))
    worthless = (pool.flags("defaulted") | pool.flags("piking")) & lacking & (amounts == 0.0) & (pool.par != 0.0)
    count = int(worthless.sum())
    if count == 0:
        return ""
    if count == 1:
        return "1 defaulted or deferring asset lacks the price or recovery rate and counts for nothing"
    return f"{count} defaulted or deferring assets lack the price or recovery rate and count for nothing"


@cache
def _columns_read(condition: str, key: str) -> tuple[str, ...]:
    """The columns of a condition and of a key; a blank flag is a plain No."""
    named = [w for w in (*_WORD.findall(condition), key) if w in COLUMN_BY_NAME]
    return tuple(dict.fromkeys(n for n in named if COLUMN_BY_NAME[n].kind is not Kind.FLAG))


def of_conditions(definitions: Iterable[Definition], pool: Pool, readings: Readings) -> list[str]:
    """One sentence for each column that the tests' conditions read and positions lack."""
    readers: dict[str, list[int]] = {}
    for definition in definitions:
        for name in _columns_read(definition.population(readings).text, definition.key):
            readers.setdefault(name, []).append(definition.number)
    notes = []
    for name, numbers in readers.items():
        count = sum(getattr(a, name) is None for a in pool.assets)
        if count:
            them = "it" if count == 1 else "them"
            judge = "judges" if len(numbers) == 1 else "judge"
            what = f"{_assets(count, len(pool), f'“{COLUMN_BY_NAME[name].header}”')}"
            notes.append(f"{what}: {tests_named(numbers)} {judge} {them} without it.")
    return notes


_COLUMNS_FILLED: Final = {
    "moodys_rating": "Moody's rating",
    "moodys_dpr": "Moody's default probability rating",
    "moodys_rating_warf": "WARF rating",
    "moodys_recovery_rate": "Moody's recovery rate",
    "sp_issuer_rating": "S&P rating",
}


def of_filled(filled: Sequence[Filled], total: int) -> list[str]:
    """One sentence for each column of which blanks were derived."""
    notes = []
    for name, what in _COLUMNS_FILLED.items():
        count = sum(f.column == name for f in filled)
        if count:
            notes.append(
                f"{count} of {total} asset{'' if total == 1 else 's'} had no {what}: derived by the agencies' rules."
            )
    return notes


def tests_named(numbers: Sequence[int]) -> str:
    """The tests by number: "test 36", "tests 36 and 54"."""
    if len(numbers) == 1:
        return f"test {numbers[0]}"
    return f"tests {', '.join(map(str, numbers[:-1]))} and {numbers[-1]}"
