"""The audit in words, as JSON and as files: what the command line and the Audit pane tell of it."""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from clo_desktop.work.csv_tables import csv_cell
from engine.asset import COLUMN_BY_NAME

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

    hidden   how many lines of stored test results are not among them
    refusal  why nothing can be read, where that is so
    """

    lines: tuple[Line, ...] = ()
    total: int = 0
    persons: tuple[str, ...] = ()
    deals: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    hidden: int = 0
    refusal: str = ""


RESULTS: Final = ("snapshot_tests",)
"""Kinds of which one save writes dozens of lines that follow from the rest: the tests of a snapshot."""


def look(trail: Trail, wanted: Wanted, most: int, *, results: bool = True) -> Looked:
    """Read the audit for the eye; a person who may not read it is told so.

    results  whether test results are among the lines; they are where they are asked for by name
    """
    asked = wanted if results or wanted.table in RESULTS else replace(wanted, without=RESULTS)
    try:
        lines = trail.lines(asked, limit=most)
        total = trail.count(asked) if len(lines) == most else len(lines)
        hidden = trail.count(wanted) - total if asked.without else 0
        return Looked(lines, total, *trail.choices(), hidden=hidden)
    except Refused as refused:
        return Looked(refusal=refused.message)


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


def field_words(name: str) -> str:
    """A field as the tables call it: that of an asset by its title, any other by its name in words."""
    column = COLUMN_BY_NAME.get(name)
    return column.title if column is not None else name.replace("_", " ").capitalize()


def sentence(line: Line, *, whole: bool = False, field: Callable[[str], str] = str) -> str:
    """What a line changed, in a few words: ``par 1,000,000 → 1,250,000``.

    whole  texts of several lines as they are, for a tooltip; else their first line and "…"
    field  how a field is called; by its own name if nothing is said
    """
    shown_as = value_text if whole else value_line
    if line.action == "mended":
        return "triggers put back: " + ", ".join(line.details.get("triggers", ()))
    if line.action in ("insert", "baseline", "delete"):
        row = line.after or line.before
        told = {n: v for n, v in row.items() if n not in ("id", "deal_id", "rank", "version", "updated_at")}
        shown = [f"{field(name)} {shown_as(value)}" for name, value in list(told.items())[:_SHOWN]]
    else:
        shown = [f"{field(s.field)} {shown_as(s.before)} → {shown_as(s.after)}" for s in list(steps(line))[:_SHOWN]]
        told = {s.field: None for s in steps(line)}
    more = len(told) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def value_line(value: Any) -> str:
    """A value on one line: of a long text or one of several lines its beginning and "…"."""
    text = value_text(value)
    first, *more = text.splitlines() or [""]
    return f"{first[:_WIDE].rstrip()}…" if more or len(first) > _WIDE else text


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
        return "No line of the audit is like that."
    rows = [
        f"{x.seq:>7}  {x.timestamp:%Y-%m-%d %H:%M:%S}  {x.user:<16} {x.action:<8} {x.resource_type:<18} "
        f"{x.what}: {sentence(x)}"
        for x in lines
    ]
    left = total - len(lines)
    return "\n".join([*rows, *([f"{counted(left, 'older line')}; --limit shows more."] if left > 0 else [])])


def history_text(found: Sequence[Step]) -> str:
    """A history as text."""
    if not found:
        return "No line of the audit tells of it."
    return "\n".join(
        f"{s.line.timestamp:%Y-%m-%d %H:%M:%S}  {s.line.user:<16} {s.line.action:<8} {s.line.what}: "
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
    looked = f"{counted(verdict.lines, 'line')} and {counted(verdict.rows, 'row')} were looked at."
    if verdict.known is not None:
        looked += f" The head known since {verdict.known.at:%Y-%m-%d %H:%M} UTC was compared."
    else:
        looked += " This computer knew no head of this audit yet; from now on it does." if verdict.whole else ""
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
