"""An offline copy of a deal: what the server had, the changes that wait, and how the two come together. Pure values.

The waiting changes are the truth about what was done here: the deal as a person sees it is the base with all of them.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from clo_desktop.store import schema
from clo_desktop.store.delta import Delta, delta_of
from clo_desktop.store.merge import Always, Choices, Clash, Clashing, Place, Side, apply, merge
from clo_desktop.store.rows import rows_of
from engine.terms import Book, Deal


class State(StrEnum):
    """Where a change is on its way to the server."""

    WAITING = "waiting"
    SENT = "sent"
    """Sent and not confirmed: the server is asked what became of it before anything else is done."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Mark:
    """The state of a deal on the server, as one number each; two states with the same mark are the same state.

    number, version  the deal's `id` and version: that row is locked by whoever changes the deal, so versions are in
                     the order of the commits, as numbers of a sequence are not
    updated          microseconds since 1970 of the last change: tells apart deals that had the same number
    assets           sum of the versions of the listed assets, which other deals change too; it can only rise
    """

    number: int
    version: int
    updated: int
    assets: int

    def __str__(self) -> str:
        return f"{self.number}:{self.version}:{self.updated}:{self.assets}"

    @classmethod
    def of(cls, text: str) -> Mark:
        """The mark that was written with str."""
        return cls(*map(int, text.split(":")))


NOWHERE: Final = Mark(0, 0, 0, 0)
"""The mark of a deal that the server is to be given."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One change on its way. `base_version` is the version it was made on, 0 for a deal the server does not have."""

    op_id: str
    deal: str
    base_version: int
    delta: Delta
    made_at: dt.datetime
    state: State = State.WAITING
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A deal of a server, kept here.

    base     the deal as the server had it; `mark` is that state if `current`, else the server has moved on
    waiting  the changes made here since, the oldest first
    gone     why the server does not have it any more, as a sentence; empty while it has
    """

    deal: str
    server: str
    base: Book
    mark: Mark
    pulled_at: dt.datetime
    waiting: tuple[Operation, ...] = ()
    current: bool = True
    gone: str = ""

    @property
    def mine(self) -> Book:
        """The deal with the changes made here."""
        book = self.base
        for operation in self.waiting:
            book = apply(operation.delta, book, Always(Side.MINE))
        return book

    @property
    def unconfirmed(self) -> tuple[str, ...]:
        """The identifiers of changes that were sent and not confirmed."""
        return tuple(op.op_id for op in self.waiting if op.state is State.SENT)

    def with_state(self, op_id: str, state: State, reason: str | None = None) -> Copy:
        """The change `op_id`, if it still waits, in another state."""
        changed = (replace(op, state=state, reason=reason) if op.op_id == op_id else op for op in self.waiting)
        return replace(self, waiting=tuple(changed))


class Deleted(Clashing):
    """Someone deleted a deal on the server that was changed here; the choice is about its whole row."""

    def __init__(self, copy: Copy, when: dt.datetime) -> None:
        place = deletion_of(copy.deal)
        [was], [mine] = rows_of(copy.base)[schema.deals], rows_of(copy.mine)[schema.deals]
        super().__init__(
            copy.deal,
            [Clash(place, was, mine, None)],
            empty(copy.deal),
            f"{copy.deal} was deleted on the server on {when:%Y-%m-%d %H:%M} UTC while it was changed here; choose"
            " whether to keep yours, which makes the deal again, or theirs, which deletes it here too.",
        )


def deletion_of(deal: str) -> Place:
    """The place of the choice between a deletion on the server and changes made here."""
    return Place(schema.deals.name, (deal, 0))


def empty(deal: str) -> Book:
    """What a deal that does not exist is compared with."""
    return Book(Deal(deal))


def operation(deal: str, version: int, delta: Delta, now: dt.datetime) -> Operation:
    """A new change with an identifier of its own."""
    return Operation(str(uuid.uuid4()), deal, version, delta, now)


def noted(copy: Copy, after: Book, now: dt.datetime) -> Copy:
    """The copy with a change that makes it `after`; itself where nothing was changed."""
    delta = delta_of(copy.mine, after)
    if not delta:
        return copy
    return replace(copy, waiting=(*copy.waiting, operation(copy.deal, copy.mark.version, delta, now)))


def settled(copy: Copy, asked: tuple[str, ...], applied: Mapping[str, int]) -> Copy:
    """The copy when the server has said which of the changes that were `asked` about it has applied."""
    while copy.waiting and copy.waiting[0].op_id in asked and copy.waiting[0].op_id in applied:
        copy = confirmed(copy, copy.waiting[0].op_id)
    for op_id in asked:
        copy = copy.with_state(op_id, State.WAITING)
    return copy


def confirmed(copy: Copy, op_id: str, mark: Mark | None = None, stored: Book | None = None) -> Copy:
    """The copy when the server has applied its oldest change, `op_id`.

    mark, stored  what the server has now; where others changed it meanwhile, or that is not known, the copy is not
                  current afterwards: its base is then what the server had, and this change
    """
    if not copy.waiting or copy.waiting[0].op_id != op_id:
        return copy
    base = apply(copy.waiting[0].delta, copy.base, Always(Side.MINE))
    done = replace(copy, base=base, waiting=copy.waiting[1:], current=False, gone="")
    if mark is None or stored != base:
        return done
    return replace(done, mark=mark, current=True)


def rebased(copy: Copy, mark: Mark, theirs: Book, now: dt.datetime, choices: Choices) -> Copy:
    """The copy on what the server has now; what was changed here becomes one change of that.

    Only where nothing is unconfirmed. Raises Clashing where both changed the same cells and `choices` do not say whose
    to keep.
    """
    copy = replace(copy, pulled_at=now, current=True, gone="")
    if theirs == copy.base:
        return replace(copy, mark=mark)
    if not copy.waiting:
        return replace(copy, mark=mark, base=theirs)
    delta = delta_of(theirs, merge(copy.base, copy.mine, theirs, choices))
    waiting = (operation(copy.deal, mark.version, delta, copy.waiting[0].made_at),) if delta else ()
    return replace(copy, mark=mark, base=theirs, waiting=waiting)


def given(deal: str, server: str, mine: Book, now: dt.datetime) -> Copy:
    """The copy of a deal that the server does not have and is to be given."""
    base = empty(deal)
    return Copy(deal, server, base, NOWHERE, now, (operation(deal, 0, delta_of(base, mine), now),))


def remade(copy: Copy, now: dt.datetime) -> Copy:
    """The copy of a deal that the server has deleted and is to be given again, with all that was done here."""
    return given(copy.deal, copy.server, copy.mine, now)


def stale(copy: Copy) -> Copy:
    """The copy when the server is known to have moved on."""
    return replace(copy, current=False)


def dropped(copy: Copy) -> Copy:
    """The copy without the changes that wait; one that was sent may be on the server, which the next pull shows."""
    return replace(copy, waiting=(), current=copy.current and not copy.unconfirmed)


def lost(copy: Copy, reason: str) -> Copy:
    """The copy of a deal that the server does not show any more; what waits is kept and not sent."""
    waiting = tuple(replace(op, state=State.REFUSED, reason=reason) for op in copy.waiting)
    return replace(copy, waiting=waiting, gone=reason)
