"""Values of a filter that occur nowhere, and what was perhaps meant: a misspelt country lets a test pass unseen."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from engine.asset import Asset, Column
from engine.filter import Filter
from engine.pool import fold

_NEAR: Final = 3
_ALIKE: Final = 0.6


@dataclass(frozen=True, slots=True)
class UnknownValue:
    """A text that no asset has in a column; `near` are those that assets have and that look like it, likest first."""

    column: Column
    text: str
    near: tuple[str, ...]

    @property
    def words(self) -> str:
        """`no asset has the country “Germny”; near to it: GERMANY`."""
        told = f"no asset has the {self.column.title} “{self.text}”"
        return f"{told}; near to it: {', '.join(self.near)}" if self.near else f"{told}; check how it is spelt"


def unknown_values(
    parsed: Filter, assets: Iterable[Asset], sets: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[UnknownValue, ...]:
    """The texts of a filter that neither an asset has, nor the column may have, nor a named set lists."""
    if not parsed.texts:
        return ()
    listed = {fold(member) for members in (sets or {}).values() for member in members}
    known: dict[str, dict[str, str]] = {}
    pool = tuple(assets)
    found = []
    for column, text in parsed.texts:
        if column.name not in known:
            there = {getattr(a, column.name) for a in pool} | {name for name, _ in column.choices}
            known[column.name] = {fold(str(value)): str(value) for value in there if value is not None}
        values = known[column.name]
        if fold(text) in values or fold(text) in listed:
            continue
        alike = difflib.get_close_matches(fold(text), values, _NEAR, _ALIKE)
        found.append(UnknownValue(column, text, tuple(values[key] for key in alike)))
    return tuple(found)
