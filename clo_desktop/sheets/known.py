"""Texts of the asset master that are none of the known ones: countries, currencies, industries, ranks of an asset.

They are imported as they stand. To the tests an unknown spelling is a value of its own, so it is said, once a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import yaml

import resources
from clo_desktop.sheets.assets import AssetRow
from clo_desktop.sheets.findings import Findings
from clo_desktop.sheets.grid import address, same
from engine.asset import COLUMN_BY_NAME

_LIKE: Final = 0.6
"""Least likeness (difflib's ratio) of what is proposed."""

_CELLS_NAMED: Final = 3

_LISTS: Final[Mapping[str, tuple[str, str, str]]] = {
    # column -> file, list in it, what the value should be
    "currency": ("currencies.yaml", "", "known currency (a code such as USD)"),
    "country": ("countries.yaml", "", "known country"),
    "moodys_industry": ("moodys_industries.yaml", "", "known Moody's industry"),
    "sp_industry": ("sp_industries.yaml", "", "known S&P industry"),
    "moodys_category": ("ranks.yaml", "moodys_category", "known Moody's category"),
    "sp_priority_category": ("ranks.yaml", "sp_priority_category", "known S&P priority category"),
    "seniority": ("ranks.yaml", "seniority", "known seniority"),
}


@dataclass(frozen=True, slots=True)
class Known:
    """The known values of one column.

    values     by the form in which they are compared
    spellings  further spellings in that form, each with the known value it means; they are proposed, not accepted
    """

    values: Mapping[str, str]
    spellings: Mapping[str, str]

    def proposal(self, value: str) -> str:
        """The question that proposes the nearest known value, or "" where none is near."""
        key = compared(value)
        if key in self.spellings:
            return f"do you mean “{self.spellings[key]}”?"
        near = difflib.get_close_matches(key, [*self.values, *self.spellings], 1, _LIKE)
        if not near:
            return ""
        if near[0] in self.values:
            return f"do you mean “{self.values[near[0]]}”?"
        return f"do you mean “{self.spellings[near[0]]}”, also called {near[0].title()}?"


def compared(text: str) -> str:
    """`text` without what makes no other value of it: case, commas, "and" for "&", forms of the apostrophe."""
    return " ".join(same(text).replace("&", " and ").replace(",", " ").split())


@cache
def known_values(column: str) -> Known:
    """The list that ships for a column of the asset master."""
    file, part, _ = _LISTS[column]
    data: Any = yaml.safe_load(resources.path(f"reference/{file}").read_text(encoding="utf-8"))
    chosen = data[part] if part else data
    return Known(
        {compared(v): v for v in chosen["known"]},
        {compared(k): v for k, v in chosen.get("spellings", {}).items()},
    )


def is_known(column: str, value: str) -> bool:
    """Whether the value is on the list of its column."""
    return compared(value) in known_values(column).values


def check_known(rows: Mapping[str, AssetRow], sheet: str, findings: Findings) -> None:
    """One warning for each distinct value that is on no list, and for each industry spelt in two ways."""
    for column, (_, _, what) in _LISTS.items():
        at: dict[str, list[AssetRow]] = {}
        for entry in rows.values():
            value = getattr(entry.asset, column)
            if value is not None:
                at.setdefault(value, []).append(entry)
        known = known_values(column)
        for value, entries in at.items():
            if not is_known(column, value):
                remedy = known.proposal(value) or "correct it, or leave it if it is right"
                _warn(sheet, column, value, entries, f"is no {what}", remedy, findings)
        if column.endswith("_industry"):
            _check_spellings(at, sheet, column, findings)


def _check_spellings(at: Mapping[str, list[AssetRow]], sheet: str, column: str, findings: Findings) -> None:
    """The tests take two spellings of an industry for two industries, and each share is too small."""
    first: dict[str, str] = {}
    for value, entries in at.items():
        other = first.setdefault(compared(value), value)
        if same(other) != same(value):
            what = f"is spelt “{other}” elsewhere, and the tests count two industries"
            _warn(sheet, column, value, entries, what, "spell it in one way", findings)


def _warn(
    sheet: str, column: str, value: str, entries: Sequence[AssetRow], what: str, remedy: str, findings: Findings
) -> None:
    row, at = entries[0].row, entries[0].columns[column]
    shown = value if len(value) <= 60 else value[:59] + "…"
    where = "" if len(entries) == 1 else f" ({cells_of(entries, column)})"
    message = f"“{shown}”{where} {what}: {remedy}"
    header = COLUMN_BY_NAME[column].header
    findings.warn(sheet, row, at, header, value, message if message.endswith("?") else f"{message}.")


def cells_of(entries: Iterable[AssetRow], column: str) -> str:
    """The first cells of a column, and how many more there are."""
    cells = [address(e.row, e.columns[column]) for e in entries]
    more = len(cells) - _CELLS_NAMED
    return ", ".join(cells[:_CELLS_NAMED]) + (f" and {more} more" if more > 0 else "")
