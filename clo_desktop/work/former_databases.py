"""The former system's databases (assets, correlations, scenarios, config, reference) into a workspace or a server.

What a file holds is seen from its tables, not from its name; it may be several kinds. Each file is one transaction: all
that was understood is stored, or nothing. Every row that was not understood is named. No Qt.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, part_of, silent
from clo_desktop.store import Correlations, Intake, ReferenceTable, Store, Taken
from clo_desktop.work import (
    former_assets,
    former_correlations,
    former_files,
    former_rows,
    former_scenarios,
    former_settings,
)
from clo_desktop.work.former_files import CODE, Missed, Table


@dataclass(frozen=True, slots=True)
class Part:
    """What was made of one table: what kind of thing it holds, its rows, how many of them were understood."""

    table: str
    kind: str
    rows: int
    used: int


@dataclass(slots=True)
class Found:
    """What a file holds, read and not stored yet."""

    file_name: str
    parts: list[Part] = field(default_factory=list)
    missed: list[Missed] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    assets: dict[str, dict[str, Any]] = field(default_factory=dict)
    correlations: Correlations | None = None
    scenarios: list[tuple[str, str]] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    reference: list[ReferenceTable] = field(default_factory=list)

    @property
    def intake(self) -> Intake:
        return Intake(
            self.assets,
            self.correlations,
            tuple(self.scenarios),
            tuple(self.settings.items()),
            tuple(self.reference),
            f"from {self.file_name}",
            (former_scenarios.TAKEN,),
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one file. `taken` is empty where nothing was stored; `refused` says why a file could not be read or
    stored, in one sentence."""

    file_name: str
    found: Found | None = None
    taken: tuple[Taken, ...] = ()
    stored: bool = False
    refused: str = ""


ASSETS: Final = "assets"
CORRELATIONS: Final = "correlations"
SCENARIOS: Final = "scenario parameters"
SETTINGS: Final = "run settings"
REFERENCE: Final = "reference data"


def read(path: Path, report: Progress = silent, today: dt.date | None = None) -> Found:
    """What a file holds. Raises Refused for one that cannot be read or holds nothing of the former system."""
    found = Found(path.name)
    with former_files.opened(path) as tables:
        for number, table in enumerate(tables):
            report(number / len(tables), f"Reading {path.name}: {table.name}")
            _read_table(table, found, report, today or dt.date.today())
    if not found.parts:
        named = ", ".join(table.name for table in tables[:8]) or "none"
        raise Refused(
            f"{path.name} holds no table of the former system (its tables: {named}); choose its database of assets, "
            "correlations, scenarios, configuration or reference data.",
            code=CODE,
        )
    return found


def _read_table(table: Table, found: Found, report: Progress, today: dt.date) -> None:
    rows = table.count
    kind, used = "", 0
    if (pairs := former_correlations.columns_of(table)) is not None:
        kind = CORRELATIONS
        read, used, missed = former_correlations.read(table, pairs, found.file_name, report)
        found.missed += missed
        if read is not None:
            found.correlations = read.over(found.correlations)
            found.doubts += [read.warning] if read.warning else []
    elif (columns := former_assets.columns_of(table)) is not None:
        kind = ASSETS
        assets, missed, doubts = former_assets.read(table, columns)
        used = len(assets)
        twice = [key for key in assets if key in found.assets]
        found.missed += missed + [
            Missed(table.name, None, key, "another table has it too, and that was taken.") for key in twice
        ]
        found.doubts += doubts
        found.assets = assets | found.assets
    elif former_rows.are_scenarios(table):
        kind = SCENARIOS
        filled = former_rows.rows_of_table(table)
        if len(filled) > former_rows.MOST_ROWS:
            raise Refused(f"{table.name} has more than {former_rows.MOST_ROWS:,} rows; split it.", code=CODE)
        said = former_scenarios.understood(found.file_name, filled)
        rows, used = len(filled), said.used  # rows without any value say nothing
        found.scenarios += said.scenarios
        found.missed += [_missed(table, one) for one in said.missed]
        if rows > former_rows.MOST_ROWS:
            raise Refused(
                f"{table.name} has more than {former_rows.MOST_ROWS:,} rows of scenarios; split it.", code=CODE
            )
    elif former_settings.are_settings(table):
        kind = SETTINGS
        settings, used, missed = former_settings.read_settings(table)
        found.settings |= dict(settings)
        found.missed += missed
    elif former_settings.is_reference(table):
        kind = REFERENCE
        tables, used, missed, doubts = former_settings.read_reference(table, found.file_name, today)
        found.reference += tables
        found.missed += missed
        found.doubts += doubts
    elif rows:
        span = "row 1" if rows == 1 else f"rows 1 to {rows:,}"
        found.missed.append(
            Missed(table.name, None, span, f"no such table is known (columns {', '.join(table.columns[:6])}).")
        )
        return
    else:
        return
    found.parts.append(Part(table.name, kind, rows, used))


def _missed(table: Table, one: former_scenarios.Missed) -> Missed:
    row = one.row
    period = "" if row.period is None else f", period {row.period}"
    number = int(row.where.rpartition(" ")[2])
    return Missed(table.name, number, f"{row.name or 'no name'}, {row.parameter or 'no parameter'}{period}", one.why)


def import_files(
    store: Store | None, paths: Sequence[Path], report: Progress = silent, *, strict: bool = False
) -> tuple[Outcome, ...]:
    """Read and store the files one after the other; one that is refused leaves the others as they are.

    store  None: they are read only.  strict: a file with a row that was not understood is not stored

    Raises Cancelled when `report` says so; what was stored before then stays.
    """
    return tuple(
        _import(store, path, part_of(report, number, len(paths)), strict=strict) for number, path in enumerate(paths)
    )


def _import(store: Store | None, path: Path, report: Progress, *, strict: bool) -> Outcome:
    found: Found | None = None
    try:
        found = read(path, report)
        if store is None:
            return Outcome(path.name, found)
        if strict and found.missed:
            return Outcome(path.name, found, refused=f"{path.name} was not imported: not every row was understood.")
        report(0.95, f"Storing {path.name}")
        return Outcome(path.name, found, store.take_in(found.intake), stored=True)
    except Refused as refused:
        said = refused.message if path.name in refused.message else f"{path.name} was not imported: {refused.message}"
        return Outcome(path.name, found, refused=said)


# -- the report --------------------------------------------------------------------------------------------------------


def head(outcome: Outcome) -> str:
    """One sentence on a file."""
    if outcome.refused:
        return outcome.refused
    found = outcome.found
    assert found is not None
    rows, used = sum(p.rows for p in found.parts), sum(p.used for p in found.parts)
    kinds = ", ".join(dict.fromkeys(part.kind for part in found.parts))
    done = "were imported" if outcome.stored else "can be imported"
    return f"{found.file_name} ({kinds}): {used:,} of {rows:,} rows {done}."


def lines(outcomes: Iterable[Outcome]) -> Iterator[str]:
    """The whole report: what each table became, what is doubtful, and every row that was not understood."""
    for outcome in outcomes:
        yield head(outcome)
        found = outcome.found
        if found is None:
            continue
        for part in found.parts:
            yield f"  {part.table}: {part.kind}, {part.used:,} of {part.rows:,} rows understood"
        for taken in outcome.taken:
            yield f"  {taken.kind}: {taken.new:,} new, {taken.changed:,} changed, {taken.same:,} as they were"
        doubts = dict.fromkeys((*found.doubts, *(taken.warning for taken in outcome.taken if taken.warning)))
        if doubts:
            yield f"  Worth a look ({len(doubts):,}):"
            yield from (f"    {doubt}" for doubt in doubts)
        if found.missed:
            yield f"  Not understood ({len(found.missed):,}):"
            yield from (f"    {missed.words}" for missed in found.missed)


def plain(outcomes: Iterable[Outcome]) -> list[dict[str, Any]]:
    """The report as data."""
    return [_plain(outcome) for outcome in outcomes]


def _plain(outcome: Outcome) -> dict[str, Any]:
    found = outcome.found or Found(outcome.file_name)
    return {
        "file": outcome.file_name,
        "imported": outcome.stored,
        "refused": outcome.refused or None,
        "tables": [{"table": p.table, "kind": p.kind, "rows": p.rows, "understood": p.used} for p in found.parts],
        "stored": [
            {"kind": t.kind, "new": t.new, "changed": t.changed, "same": t.same, "warning": t.warning or None}
            for t in outcome.taken
        ],
        "doubts": found.doubts,
        "not_understood": [{"table": m.table, "row": m.row, "what": m.what, "why": m.why} for m in found.missed],
    }
