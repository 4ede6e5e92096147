"""Changes of offline copies that wait to be sent, written in the transaction of the change itself.

So no way of changing a deal can forget it, and a change that is acknowledged (the file is flushed to the disk at the
commit) is sent one day. Only workspace files have these tables.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import books, delta
from clo_desktop.store.sync import copies
from clo_desktop.store.sync.copies import Mark, Operation, State
from clo_desktop.store.sync.tables import copies as _copies
from clo_desktop.store.sync.tables import outbox as _outbox
from engine.terms import Book


@contextmanager
def noting(on: sa.Connection, deal: str, now: dt.datetime, stored: Book | None = None) -> Iterator[None]:
    """What is written inside, as a change of the copy `deal`; of all copies where `deal` is none, since an asset of the
    master may be on their lists.

    stored  the deal as it is before, where the caller has it
    """
    kept = _marks(on)
    watched = {name: mark for name, mark in kept.items() if name == deal} or kept
    before = {name: stored if stored and name == deal else books.load_book(on, name) for name in watched}
    yield
    for name, mark in watched.items():
        was, now_is = before[name], books.load_book(on, name)
        if was is not None and now_is is not None and (changed := delta.delta_of(was, now_is)):
            add(on, [copies.operation(name, mark.version, changed, now)])


def forget(on: sa.Connection, deal: str) -> None:
    """Make the copy `deal` an ordinary deal, to be removed. Raises Refused where changes of it wait to be sent."""
    if deal not in _marks(on):
        return
    waiting = len(waiting_of(on, deal))
    if waiting:
        what = "1 change that was" if waiting == 1 else f"{waiting} changes that were"
        raise Refused(
            f"{deal} is an offline copy with {what} not sent; File > Synchronise sends or drops them (on the command"
            f' line `clo sync push` and `clo sync drop --deal "{deal}"`).',
            code="waiting",
        )
    on.execute(sa.delete(_copies).where(_copies.c.deal == deal))


def _marks(on: sa.Connection) -> dict[str, Mark]:
    """The copies of the file with the state they were made of; none on a server."""
    if on.dialect.name != "sqlite":
        return {}
    found = on.execute(sa.select(_copies.c.deal, _copies.c.mark).order_by(_copies.c.deal))
    return {deal: Mark.of(mark) for deal, mark in found}


def waiting_of(on: sa.Connection, deal: str) -> tuple[Operation, ...]:
    """The changes of a copy that wait, the oldest first."""
    table = _outbox
    names = [c.name for c in table.c if c.name != "place"]
    rows = on.execute(sa.select(*(table.c[n] for n in names)).where(table.c.deal == deal).order_by(table.c.place))
    return tuple(
        Operation(**{**row, "delta": _delta(row["delta"]), "state": State(row["state"])})
        for row in map(dict, rows.mappings())
    )


def add(on: sa.Connection, operations: Sequence[Operation]) -> None:
    """Put changes at the end of the outbox."""
    rows = [
        {
            "op_id": op.op_id,
            "deal": op.deal,
            "base_version": op.base_version,
            "delta": delta.to_text(op.delta),
            "made_at": op.made_at,
            "state": op.state.value,
            "reason": op.reason,
        }
        for op in operations
    ]
    if rows:
        on.execute(sa.insert(_outbox), rows)


def replace_waiting(on: sa.Connection, before: Sequence[Operation], after: Sequence[Operation]) -> None:
    """Make the outbox of a deal, which holds `before`, hold `after`; new changes come at the end."""
    known = {op.op_id: op for op in before}
    kept = {op.op_id for op in after}
    for op_id in known.keys() - kept:
        on.execute(sa.delete(_outbox).where(_outbox.c.op_id == op_id))
    for op in after:
        if op.op_id in known and op != known[op.op_id]:
            on.execute(
                sa.update(_outbox).where(_outbox.c.op_id == op.op_id).values(state=op.state.value, reason=op.reason)
            )
    add(on, [op for op in after if op.op_id not in known])


@lru_cache(maxsize=1024)
def _delta(text: str) -> delta.Delta:
    """A change as it was written; kept, since all that waits is read for each one that is sent."""
    return delta.from_text(text)
