"""A deal's tests as they stood, by date: what trends are drawn from.

The functions work inside the caller's transaction.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass, fields
from typing import Any, Final

import sqlalchemy as sa

from clo_desktop.store import schema
from clo_desktop.store.cells import Row, storable


@dataclass(frozen=True, slots=True)
class SnapshotTest:
    """One test as it stood. Figures in the unit of its kind (fraction, years, factor), par and parts in currency; None
    where there was none, or none that is finite."""

    number: int
    name: str
    kind: str
    direction: str
    outcome: str
    result: float | None
    threshold: float | None
    cushion: float | None
    cushion_par: float | None
    cushion_names: float | None
    numerator: float | None
    denominator: float | None
    limit_source: str
    comment: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All tests of a deal as of a date.

    taken_at   aware (UTC);  origin  "import" or "asked"
    book_hash  of the deal's book it was made from
    """

    as_of: dt.date
    taken_at: dt.datetime
    origin: str
    book_hash: str
    readings: str
    principal_amount: float | None
    tests: tuple[SnapshotTest, ...]

    def test(self, number: int) -> SnapshotTest | None:
        return next((t for t in self.tests if t.number == number), None)


_HEAD: Final = tuple(f.name for f in fields(Snapshot) if f.name != "tests")
_TEST: Final = tuple(f.name for f in fields(SnapshotTest))


def put_snapshot(on: sa.Connection, deal_id: int, snapshot: Snapshot) -> dt.datetime | None:
    """Stores a snapshot in the place of the one of its date; the moment in which that one was taken, if there was."""
    table = schema.snapshots
    same = sa.and_(table.c.deal_id == deal_id, table.c.as_of == snapshot.as_of)
    replaced = on.execute(sa.select(table.c.taken_at).where(same)).scalar()
    on.execute(sa.delete(table).where(same))
    head = {name: getattr(snapshot, name) for name in _HEAD}
    head["principal_amount"] = _finite(snapshot.principal_amount)
    [row] = storable(table, [head])
    key = on.execute(sa.insert(table).values(deal_id=deal_id, **row)).inserted_primary_key
    assert key is not None
    rows = [{"snapshot": int(key[0]), "position": i, **_row(test)} for i, test in enumerate(snapshot.tests)]
    if rows:
        on.execute(sa.insert(schema.snapshot_tests), storable(schema.snapshot_tests, rows))
    return replaced


def _row(test: SnapshotTest) -> Row:
    values = {name: getattr(test, name) for name in _TEST}
    return {name: _finite(value) if isinstance(value, float) else value for name, value in values.items()}


def _finite(value: float | None) -> float | None:
    """A coverage ratio over nothing is infinite; a database has no such number."""
    return value if value is not None and math.isfinite(value) else None


def load_snapshots(on: sa.Connection, deal_id: int) -> tuple[Snapshot, ...]:
    """The snapshots of a deal, the oldest first."""
    heads, tests = schema.snapshots, schema.snapshot_tests
    found: dict[int, list[SnapshotTest]] = {}
    listed = (
        sa.select(tests.c.snapshot, *(tests.c[name] for name in _TEST))
        .join(heads, heads.c.id == tests.c.snapshot)
        .where(heads.c.deal_id == deal_id)
        .order_by(tests.c.snapshot, tests.c.position)
    )
    for key, *values in on.execute(listed):
        found.setdefault(key, []).append(SnapshotTest(*values))
    columns = [heads.c[name] for name in _HEAD]
    in_order = sa.select(heads.c.id, *columns).where(heads.c.deal_id == deal_id).order_by(heads.c.as_of)
    return tuple(Snapshot(**_head(values), tests=tuple(found.get(key, ()))) for key, *values in on.execute(in_order))


def _head(values: list[Any]) -> Row:
    return dict(zip(_HEAD, values, strict=True))


def drop_snapshot(on: sa.Connection, deal_id: int, as_of: dt.date) -> bool:
    """Deletes the snapshot of a date; False where there is none."""
    table = schema.snapshots
    gone = on.execute(sa.delete(table).where(sa.and_(table.c.deal_id == deal_id, table.c.as_of == as_of)))
    return gone.rowcount > 0
