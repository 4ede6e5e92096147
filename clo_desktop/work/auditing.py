"""The audit in words, as JSON and as files: what the command line and the Audit pane tell of it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.figures import counted
from clo_desktop.progress import Progress, silent
from clo_desktop.store.audit.anchors import Anchor
from clo_desktop.store.audit.lines import Line, Wanted
from clo_desktop.store.audit.trail import Trail
from clo_desktop.store.audit.verify import Verdict
from clo_desktop.work.audit_entries import label
from clo_desktop.work.csv_tables import csv_cell

_SHOWN: Final = 6
"""Fields of a line that its sentence names."""

_WIDE: Final = 60
"""Characters of a text that a line of a list shows."""

_HEADS: Final = (
    "seq", "timestamp (UTC)", "user", "ip_address", "action", "deal", "resource_type", "resource_id", "field", "before",
    "after", "txid", "mac",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One value of a cell in its history: when and by whom it was set, what it was and what it became."""

    line: Line
    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Looked:
    """What the Audit pane shows: the newest lines of those asked for, how many there are, what can be chosen from.

    refusal  why nothing can be read, where that is so
    """

    lines: tuple[Line, ...] = ()
    total: int = 0
    persons: tuple[str, ...] = ()
    deals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    refusal: str = ""


def look(trail: Trail, wanted: Wanted, most: int) -> Looked:
    """Read the audit for the eye; a person who may not read it is told so."""
    try:
        lines = trail.lines(wanted, limit=most)
        total = trail.count(wanted) if len(lines) == most else len(lines)
        return Looked(named(trail, lines), total, *trail.choices())
    except Refused as refused:
        return Looked(refusal=refused.message)


def named(trail: Trail, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines as a person reads them: versions and tags of scenarios by the name of the scenario, `MyCase@3`.

    What an export holds is as it was written and signed: by the scenario's number.
    """
    if not any(line.resource_type in _OF_SCENARIO for line in lines):
        return tuple(lines)
    names = {str(line.details["id"]): line.resource_id for line in trail.lines(Wanted(table="scenarios"))}

    def told(line: Line) -> Line:
        number, _, rest = line.resource_id.partition(" ")
        joint = _OF_SCENARIO.get(line.resource_type)
        known = joint is not None and number in names
        return replace(line, resource_id=f"{names[number]}{joint}{rest}") if known else line

    return tuple(map(told, lines))


_OF_SCENARIO: Final = {"scenario_versions": "@", "scenario_tags": " "}
"""Tables whose rows are known by the number of a scenario, and what stands between its name and the rest."""


def history(trail: Trail, deal: str | None, asset: str, field: str | None = None) -> tuple[Step, ...]:
    """Every change of an asset's figures in a deal and in the asset master, the oldest first.

    field  one column, e.g. par; None tells of all of them
    """
    found = trail.lines(Wanted(deal=deal, asset=asset, field=field))
    return tuple(step for line in reversed(found) for step in steps(line, field))


def steps(line: Line, field: str | None = None) -> Iterator[Step]:
    """The fields that a line changed, one by one."""
    for name in line.fields:
        if field is None or name == field:
            yield Step(line, name, line.before.get(name), line.after.get(name))


def sentence(line: Line, *, whole: bool = False, labelled: bool = False) -> str:
    """What a line changed, in a few words: ``par 1,000,000 → 1,250,000``.

    whole     texts of several lines as they are, for a tooltip; else their first line and "…"
    labelled  columns by the names that the window shows, else by those of the database
    """
    shown_as = value_text if whole else value_line

    def column(name: str) -> str:
        return label(line.resource_type, name) if labelled else name

    if line.action == "mended":
        return "triggers put back: " + ", ".join(line.details.get("triggers", ()))
    if line.action in ("insert", "baseline", "delete"):
        row = line.after or line.before
        told = {
            n: v for n, v in row.items() if n not in ("id", "deal_id", "scenario_id", "rank", "version", "updated_at")
        }
        shown = [f"{column(name)} {shown_as(value)}" for name, value in list(told.items())[:_SHOWN]]
    else:
        shown = [f"{column(s.field)} {shown_as(s.before)} → {shown_as(s.after)}" for s in list(steps(line))[:_SHOWN]]
        told = {s.field: None for s in steps(line)}
    more = len(told) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def value_line(value: Any) -> str:
    """A value on one line: of a long text or one of several lines its beginning and "…"."""
    text = value_text(value)
    first, *more = text.splitlines() or [""]
    return f"{first[:_WIDE].rstrip()}…" if more or len(first) > _WIDE else first


def value_text(value: Any) -> str:
    """A value as a person reads it; a missing one is an en dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.10g}" if abs(value) < 1e15 else repr(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def plain(line: Line) -> dict[str, Any]:
    """A line as JSON."""
    return {
        "seq": line.seq,
        "user": line.user,
        "action": line.action,
        "resource_type": line.resource_type,
        "resource_id": line.resource_id,
        "timestamp": line.timestamp.isoformat(),
        "ip_address": line.ip_address,
        "details": dict(line.details),
        "txid": line.txid,
        "mac": line.mac,
    }


def listing(lines: Sequence[Line], total: int) -> str:
    """Lines as text, one each; the total where not all are shown."""
    if not lines:
        return "The audit has no such line."
    rows = [
        f"{x.seq:>7}  {x.timestamp:%Y-%m-%d %H:%M:%S} UTC  {x.user:<16} {x.action:<8} {x.resource_type:<18} "
        f"{x.resource_id}: {sentence(x)}"
        for x in lines
    ]
    left = total - len(lines)
    return "\n".join([*rows, *([f"{counted(left, 'older line')}; --limit shows more."] if left > 0 else [])])


def history_text(found: Sequence[Step]) -> str:
    """A history as text."""
    if not found:
        return "The audit has no change of it."
    return "\n".join(
        f"{s.line.timestamp:%Y-%m-%d %H:%M:%S} UTC  {s.line.user:<16} {s.line.action:<8} {s.line.resource_id}: "
        f"{s.field} {value_line(s.before)} → {value_line(s.after)}"
        for s in found
    )


def verdict_plain(verdict: Verdict) -> dict[str, Any]:
    """A verdict as JSON."""
    return {
        "whole": verdict.whole,
        "lines": verdict.lines,
        "rows": verdict.rows,
        "pending": verdict.pending,
        "oldest_pending_seconds": None if verdict.oldest is None else round(verdict.oldest, 1),
        "head": None if verdict.head is None else verdict.head.as_json(),
        "known_head": None if verdict.known is None else verdict.known.as_json(),
        "breaches": [{"kind": b.kind, "seq": b.seq, "message": b.says} for b in verdict.breaches],
    }


def verdict_text(verdict: Verdict, most: int = 50) -> str:
    """A verdict in words, the breaches one a line."""
    looked = f"{counted(verdict.lines, 'line')} and {counted(verdict.rows, 'row')} were checked."
    if verdict.known is not None:
        looked += f" The end that this computer knew on {verdict.known.at:%Y-%m-%d %H:%M} UTC was compared."
    else:
        looked += " This computer had not seen it before; from now on it knows where it ends." if verdict.whole else ""
    if verdict.pending:
        waiting = counted(verdict.pending, "line waits", "lines wait")
        looked += f" {waiting} to be sealed, the oldest for {verdict.oldest or 0.0:,.0f} s."
    if verdict.whole:
        return f"The audit is whole. {looked}"
    said = [b.says for b in verdict.breaches[:most]]
    more = len(verdict.breaches) - len(said)
    return "\n".join([f"The audit is NOT whole. {looked}", *said, *([f"… and {more:,} more."] if more > 0 else [])])


def complaint(verdict: Verdict) -> str:
    """One sentence where something is wrong."""
    if verdict.whole:
        return ""
    count = len(verdict.breaches)
    return f"The audit shows {counted(count, 'breach', 'breaches')}; keep the database as it is and look into it."


def export_files(path: Path) -> tuple[Path, ...]:
    """What an export to `path` writes: that file, and beside a CSV the head of the chain."""
    return (path, path.with_name(f"{path.stem}.anchor.json")) if path.suffix.lower() == ".csv" else (path,)


def export(trail: Trail, path: Path, wanted: Wanted, report: Progress = silent) -> int:
    """Write the lines that are asked for as .csv (a row a changed field) or .json, with the head of the chain.

    How many lines. The head goes into the JSON, or beside the CSV as ``NAME.anchor.json``: with it a later look can
    tell whether the chain was cut or rewritten. Raises Refused where the file cannot be written.
    """
    if path.suffix.lower() not in (".csv", ".json"):
        raise Refused(f"{path.name} is no name for an export of the audit; let it end with .csv or .json.", code="file")
    report(0.1, "Reading the lines")
    found, head = trail.lines(wanted), trail.head()
    report(0.6, "Writing the file")
    try:
        if path.suffix.lower() == ".json":
            data = {"anchor": _anchor(head), "lines": [plain(line) for line in reversed(found)]}
            path.write_text(json.dumps(data, indent=1, ensure_ascii=False), encoding="utf-8")
        else:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(_HEADS)
                writer.writerows(_rows(reversed(found)))
            export_files(path)[-1].write_text(json.dumps(_anchor(head), indent=1), encoding="utf-8")
    except OSError as error:
        raise Refused(
            f"{path} cannot be written ({error.strerror or error}); choose another place.", code="file"
        ) from error
    report(1.0, "Done")
    return len(found)


def _anchor(head: Anchor | None) -> Mapping[str, Any] | None:
    return None if head is None else head.as_json()


def _rows(lines: Iterable[Line]) -> Iterator[list[str]]:
    for line in lines:
        about = [
            line.seq, line.timestamp.isoformat(), line.user, line.ip_address, line.action, line.deal,
            line.resource_type, line.resource_id,
        ]  # fmt: skip
        for field, before, after in [(s.field, s.before, s.after) for s in steps(line)] or [("", None, None)]:
            cells = [*about, field, _cell(before), _cell(after), line.txid, line.mac]
            yield [csv_cell(cell) for cell in cells]


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def day(text: str) -> dt.datetime:
    """The start of a day (2026-11-25) or a moment (2026-11-25T14:30), in this computer's time zone.

    Raises ValueError for what is neither.
    """
    return dt.datetime.fromisoformat(text).astimezone()
