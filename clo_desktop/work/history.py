"""The verbs about a deal's past: take a snapshot of its tests, list them, the trend of a test. No Qt."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from clo_desktop.faults import Refused
from clo_desktop.figures import counted
from clo_desktop.store import Snapshot, SnapshotTest
from clo_desktop.work.fingerprint import state_of
from clo_desktop.work.standing import cushion
from engine.compliance import Compliance, TestResult
from engine.terms import Book

if TYPE_CHECKING:
    from clo_desktop.work.desk import Desk

AHEAD = "ahead"
"""The origin of what was looked ahead to and is stored nowhere."""

NO_DATE = "has no analysis date, which a snapshot is filed under; enter it in the workbook and import it again"


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that was stored. replaced: when the one of the same date was taken that it took the place of."""

    snapshot: Snapshot
    replaced: dt.datetime | None

    @property
    def words(self) -> str:
        day = self.snapshot.as_of.isoformat()
        told = f"Snapshot of {day}: {counted(len(self.snapshot.tests), 'test')} stored"
        return f"{told}, in the place of the one taken {moment(self.replaced)}." if self.replaced else f"{told}."


def moment(when: dt.datetime) -> str:
    """A moment as people here read it: 2026-03-31 14:05."""
    return when.astimezone().strftime("%Y-%m-%d %H:%M")


def snapshot_of(book: Book, done: Compliance, origin: str) -> Snapshot:
    """The tests of a deal as they are stored. Raises Refused where the deal has no as-of date."""
    if done.as_of is None:
        raise Refused(f"{book.deal.name} {NO_DATE}.", code="no-date")
    return Snapshot(
        as_of=done.as_of,
        taken_at=dt.datetime.now(dt.UTC),
        origin=origin,
        book_hash=state_of(book).book_hash,
        readings=done.readings.name,
        principal_amount=done.collateral_principal_amount,
        tests=tuple(map(_test, done.results)),
    )


def _test(r: TestResult) -> SnapshotTest:
    return SnapshotTest(
        number=r.number,
        name=r.name,
        kind=r.kind,
        direction=r.direction,
        outcome=r.outcome.value,
        result=None if r.empty else r.result,
        threshold=r.threshold,
        cushion=cushion(r),
        cushion_par=r.cushion_par,
        cushion_names=r.cushion_names,
        numerator=r.numerator,
        denominator=r.denominator,
        limit_source=r.limit_source,
        comment=r.comment,
    )


def take(desk: Desk, deal: str) -> Taken:
    """Stores the tests of a deal as they are now, in the place of the snapshot of the same date."""
    snapshot = snapshot_of(desk.book(deal), desk.comply(deal), "asked")
    return Taken(snapshot, desk.store.put_snapshot(deal, snapshot))


def trend(desk: Desk, deal: str, number: int | None = None) -> tuple[Snapshot, ...]:
    """The snapshots of a deal, the oldest first; with a number only those that have that test.

    Raises Refused where none has it.
    """
    found = desk.store.snapshots(deal)
    if number is None:
        return found
    having = tuple(s for s in found if s.test(number) is not None)
    if not having:
        held = any(limit.number == number for limit in desk.book(deal).deal.limits)
        known = ", ".join(map(str, sorted({t.number for s in found for t in s.tests}))) or "none"
        hint = f"`clo snapshot --deal {deal!r}` takes one" if held else f"the tests in them: {known}"
        raise Refused(f"No snapshot of {deal} has a test {number}; {hint}.", code="no-snapshot")
    return having


def ahead(desk: Desk, deal: str) -> tuple[Snapshot, ...]:
    """The tests at the next collection ends, as the loans are due; nothing is stored. Raises Refused for terms that
    are missing."""
    return desk.tests_ahead(desk.book(deal))


def drop(desk: Desk, deal: str, as_of: dt.date) -> None:
    """Deletes the snapshot of a date. Raises Refused where there is none."""
    if not desk.store.drop_snapshot(deal, as_of):
        days = ", ".join(s.as_of.isoformat() for s in desk.store.snapshots(deal)) or "none"
        raise Refused(f"{deal} has no snapshot of {as_of.isoformat()}; its snapshots: {days}.", code="no-snapshot")
