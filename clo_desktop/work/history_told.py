"""Snapshots and stored ideas as plain data for --json, and in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from clo_desktop.store import Snapshot, SnapshotTest, StoredIdea
from clo_desktop.work.history import Taken, moment
from clo_desktop.work.told import figure

Plain = dict[str, Any]


def taken_plain(deal: str, taken: Taken) -> Plain:
    return {
        "deal": deal,
        "snapshot": snapshot_plain(taken.snapshot),
        "replaced": None if taken.replaced is None else taken.replaced.isoformat(),
    }


def snapshot_plain(snapshot: Snapshot, number: int | None = None) -> Plain:
    """A snapshot with all its tests, or with one."""
    tests = [t for t in snapshot.tests if number is None or t.number == number]
    return {
        "as_of": snapshot.as_of.isoformat(),
        "taken_at": snapshot.taken_at.isoformat(),
        "origin": snapshot.origin,
        "book_hash": snapshot.book_hash,
        "readings": snapshot.readings,
        "collateral_principal_amount": snapshot.principal_amount,
        "tests": [dataclasses.asdict(t) for t in tests],
    }


def trend_plain(deal: str, snapshots: Sequence[Snapshot], number: int | None) -> Plain:
    return {"deal": deal, "snapshots": [snapshot_plain(s, number) for s in snapshots]}


def trend_words(deal: str, snapshots: Sequence[Snapshot], number: int | None) -> str:
    if not snapshots:
        return f"{deal} has no snapshots; `clo snapshot` takes one, and every import does."
    if number is None:
        lines = [f"{'As of':10}  {'Taken':16}  {'By':6} {'Tests':>5} {'Fail':>5}  Principal amount"]
        for s in snapshots:
            failing = sum(t.outcome == "fail" for t in s.tests)
            amount = "–" if s.principal_amount is None else f"{s.principal_amount:,.2f}"
            lines.append(f"{s.as_of}  {moment(s.taken_at)}  {s.origin:6} {len(s.tests):5} {failing:5}  {amount}")
        return "\n".join(lines)
    last = snapshots[-1].test(number)
    assert last is not None
    bound = "at most" if last.direction == "MAX" else "at least"
    lines = [
        f"Test {number}, {last.name}, {bound} the limit",
        f"{'As of':10}  {'Result':>14} {'Limit':>14} {'Cushion':>14} {'Cushion, par':>18}  Outcome",
    ]
    for s in snapshots:
        test = s.test(number)
        assert test is not None
        lines.append(f"{s.as_of}  {_cells(test)}  {test.outcome}")
    return "\n".join(lines)


def _cells(test: SnapshotTest) -> str:
    figures = (test.result, test.threshold, test.cushion)
    par = "–" if test.cushion_par is None else f"{test.cushion_par:,.0f}"
    return " ".join(f"{'–' if f is None else figure(test.kind, f):>14}" for f in figures) + f" {par:>18}"


def idea_plain(idea: StoredIdea, changes: Sequence[str]) -> Plain:
    """An idea. `changes`: what is other in the pool since it was made."""
    return {
        "idea": idea.name,
        "note": idea.note,
        "author": idea.author,
        "created_at": idea.created_at.isoformat(),
        "changed_at": idea.changed_at.isoformat(),
        "open": idea.is_open,
        "pool": {"book_hash": idea.pool.book_hash, "as_of": idea.pool.as_of.isoformat() if idea.pool.as_of else None},
        "changed_since": list(changes),
        "trades": [dataclasses.asdict(row) for row in idea.rows],
    }


def ideas_words(deal: str, ideas: Sequence[tuple[StoredIdea, Sequence[str]]]) -> str:
    if not ideas:
        return f"{deal} has no stored ideas; they are made in the Trades pane."
    lines = []
    for idea, changes in ideas:
        count = len(idea.rows)
        by = f" by {idea.author}" if idea.author else ""
        lines.append(
            f"{idea.name}: {count} {'trade' if count == 1 else 'trades'}, changed {moment(idea.changed_at)}{by}"
            + (f"; {idea.note}" if idea.note else "")
        )
        lines += [f"  the pool changed since: {change}" for change in changes]
    return "\n".join(lines)


def idea_words(idea: StoredIdea, changes: Sequence[str]) -> str:
    lines = [ideas_words("", [(idea, changes)]), f"  {'Side':5} {'Asset':24} {'Par':>16} {'Price':>9}  Settlement"]
    lines += [f"  {r.side:5} {r.asset:24.24} {r.par:>16} {r.price:>9}  {r.settlement}".rstrip() for r in idea.rows]
    return "\n".join(lines)
