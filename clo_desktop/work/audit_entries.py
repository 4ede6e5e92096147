"""The audit for the eye: rows of one save as one entry, fields by the names of their columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from clo_desktop.figures import counted
from clo_desktop.store.audit.lines import Line
from engine.asset import COLUMN_BY_NAME

_FEW: Final = 4
"""Lines of one save and table from which on they are one entry."""

_NAMED: Final = 3
"""Rows that an entry names."""

_MANY: Final = {
    "snapshot_tests": ("result of a snapshot", "results of a snapshot"),
    "idea_rows": ("trade of an idea", "trades of an idea"),
    "idea_assets": ("asset of an idea", "assets of an idea"),
    "scenario_versions": ("version of a scenario", "versions of scenarios"),
    "scenario_tags": ("tag of a scenario", "tags of scenarios"),
}
_TITLED: Final = frozenset({"assets", "deal_assets", "holdings"})
"""Tables whose columns are those of the asset master."""

_CAPITALS: Final = {"oc": "OC", "ic": "IC", "id": "ID", "sha256": "SHA-256", "cpr": "CPR", "cdr": "CDR"}


@dataclass(frozen=True, slots=True)
class Entry:
    """Lines that are shown as one: those of one transaction, person, table and act, the newest first."""

    lines: tuple[Line, ...]

    @property
    def key(self) -> str:
        """What it is known by while others come and go."""
        newest = self.lines[0]
        return (
            f"{newest.txid} {newest.user} {newest.resource_type} {newest.action}" if self.is_save else str(newest.seq)
        )

    @property
    def is_save(self) -> bool:
        """Whether it is many rows of one save."""
        return len(self.lines) > 1

    @property
    def what(self) -> str:
        """`37 results of a snapshot`."""
        kind = kind_words(self.lines[0].resource_type).lower()
        return counted(len(self.lines), *_MANY.get(self.lines[0].resource_type, (kind, kind)))

    @property
    def names(self) -> str:
        """The first rows by name, and how many more there are."""
        shown = ", ".join(row_name(line) for line in self.lines[-1 : -_NAMED - 1 : -1])
        return f"{shown} and {len(self.lines) - _NAMED:,} more"


def entries(lines: Sequence[Line]) -> list[Entry]:
    """The lines, those of one save and table as one entry where they are many; in the order of the lines."""
    saves: dict[tuple[int, str, str, str], list[Line]] = {}
    for line in lines:
        saves.setdefault((line.txid, line.user, line.resource_type, line.action), []).append(line)
    made: list[Entry] = []
    for line in lines:
        found = saves[line.txid, line.user, line.resource_type, line.action]
        if len(found) < _FEW:
            made.append(Entry((line,)))
        elif line is found[0]:
            made.append(Entry(tuple(found)))
    return made


def kind_words(table: str) -> str:
    """The name of a table as a person says it."""
    return table.replace("_", " ").capitalize()


def row_name(line: Line) -> str:
    """What the row is called in its deal."""
    return line.resource_id.removeprefix(f"{line.deal} / ")


def label(table: str, field: str) -> str:
    """The name of a column as the window shows it."""
    column = COLUMN_BY_NAME.get(field) if table in _TITLED else None
    if column is not None:
        return column.title
    first, *others = (_CAPITALS.get(word, word) for word in field.split("_"))
    return " ".join((first[:1].upper() + first[1:], *others))
