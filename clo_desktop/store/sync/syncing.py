"""Bringing offline copies and their server together: ask, pull, rebase, push.

1. The server is asked what became of changes that were sent and not confirmed. Without that, a person's own earlier
   change, come back from the server, would look like someone else's and ask, or win, against the later one.
2. What others changed since the last pull is fetched.
3. The changes made here are put on it, cell by cell; what both changed asks a person, and waits until it is answered.
4. Each change is sent and applied in one transaction with its identifier. Who may do that, the server judges anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress, part_of, silent
from clo_desktop.store.merge import NO_CHOICES, Choices, Clashing, Side
from clo_desktop.store.retries import TRIES, sqlstate
from clo_desktop.store.sync import copies, libraries
from clo_desktop.store.sync.copies import Copy, Operation, State
from clo_desktop.store.sync.libraries import Exchanged
from clo_desktop.store.sync.server import Server, StoreServer
from clo_desktop.store.sync.shelf import FileShelf, Shelf

CERTAIN: Final = frozenset({"rights", "folder", "conflict", "unstorable", "unknown-assets", "clash", "no-deal"})
"""Codes of refusals after which a change was surely not applied; after any other, the server is asked."""

READ_ONLY: Final = "25006"
"""SQLSTATE of a server that takes no changes at the moment, as a standby does until it is promoted: no refusal."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of bringing one copy and its server together.

    sent      changes the server has confirmed;  waiting  changes not there yet, refused ones included
    pulled    whether others' changes came in;  copied  whether the copy is new
    refused   the server's words about changes it refused;  clashing  where a person has to choose first
    gone      why the server does not have the deal any more; empty while it has
    """

    deal: str
    sent: int = 0
    waiting: int = 0
    pulled: bool = False
    refused: tuple[str, ...] = ()
    clashing: Clashing | None = None
    gone: str = ""
    copied: bool = False


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def no_deal(deal: str, there: Iterable[str]) -> Refused:
    """The refusal for a deal that is not among those a person has on the server."""
    return Refused(
        f'There is no deal "{deal}" on the server, or it is not assigned to you; there are:'
        f" {', '.join(sorted(there)) or 'none'}.",
        code="no-deal",
    )


def bring_together(
    shelf: Shelf,
    server: Server,
    deal: str,
    choices: Choices = NO_CHOICES,
    *,
    push: bool = True,
    again: bool = False,
    now: Callable[[], dt.datetime] = _now,
    report: Progress = silent,
) -> Outcome:
    """Bring the copy of a deal and its server together, and say what came of it.

    choices  whose values to keep where both changed the same cells, and where the server has deleted the deal
    push     whether changes are sent, too;  again  whether those that were refused before are sent again
    report   told before each change is sent; where it raises Cancelled, what was not sent waits as before

    Raises Refused where the server cannot be asked; every change is still in the outbox then. A clash is no exception
    here: it is in the outcome, and the copy is as it was.
    """
    copy = shelf.copy(deal)
    if copy is None:
        raise Refused(f'There is no offline copy of "{deal}" in this workspace; pull it first.', code="no-copy")
    if copy.server != server.name:
        raise Refused(
            f"The copy of {deal} is of {copy.server} and not of {server.name}; name the server it was pulled from.",
            code="other-server",
        )
    if again:
        refused = [op.op_id for op in copy.waiting if op.state is State.REFUSED]
        copy = shelf.change(deal, lambda c: _waiting_again(c, refused), seen=False)
    sent, pulled = 0, False
    try:
        for _ in range(TRIES):
            report(0.0, f"Asking for {deal}")
            copy = _ask(shelf, server, copy)
            base = copy.base
            copy = _pull(shelf, server, copy, choices, now)
            pulled = pulled or copy.base != base
            if not push or copy.gone:
                break
            copy, done, finished = _push(shelf, server, copy, choices, report)
            sent += done
            if finished:
                break
    except Clashing as clashing:
        left = shelf.copy(deal)
        return Outcome(deal, sent, len(left.waiting) if left else 0, pulled, clashing=clashing)
    except _Removed:
        return Outcome(deal, sent, pulled=True, gone=f"{deal} was deleted on the server, and here.")
    reasons = tuple(op.reason or "" for op in copy.waiting if op.state is State.REFUSED)
    return Outcome(deal, sent, len(copy.waiting), pulled, reasons, gone=copy.gone)


class _Removed(Exception):
    """The copy was removed, as the person chose."""


def _waiting_again(copy: Copy, op_ids: Iterable[str]) -> Copy:
    for op_id in op_ids:
        copy = copy.with_state(op_id, State.WAITING)
    return copy


def _ask(shelf: Shelf, server: Server, copy: Copy) -> Copy:
    asked = copy.unconfirmed
    if not asked:
        return copy
    applied = server.applied(asked)
    return shelf.change(copy.deal, lambda c: copies.settled(c, asked, applied), seen=False)


def _pull(shelf: Shelf, server: Server, copy: Copy, choices: Choices, now: Callable[[], dt.datetime]) -> Copy:
    mark = server.marks(copy.deal).get(copy.deal)
    if mark is None and copy.mark == copies.NOWHERE and copy.waiting:  # it is to be made
        return shelf.change(copy.deal, lambda c: replace(c, current=True, gone=""), seen=False)
    if copy.current and not copy.gone and mark == copy.mark:
        return copy
    stored = server.load(copy.deal) if mark is not None else None
    if stored is None:
        return _gone(shelf, server, copy, choices, now)
    return shelf.change(copy.deal, lambda c: copies.rebased(c, stored.mark, stored.book, now(), choices))


def _gone(shelf: Shelf, server: Server, copy: Copy, choices: Choices, now: Callable[[], dt.datetime]) -> Copy:
    """The server does not show the deal: deleted, or not this person's to see any more."""
    when = server.deleted(copy.mark)
    if when is None:
        reason = f"{copy.deal} is not on the server any more, or not assigned to you; ask an administrator for it."
        return shelf.change(copy.deal, lambda c: copies.lost(c, reason), seen=False)
    if not copy.waiting:
        reason = f"{copy.deal} was deleted on the server on {when:%Y-%m-%d %H:%M} UTC; this copy is the last state."
        return shelf.change(copy.deal, lambda c: copies.lost(c, reason), seen=False)
    place = copies.deletion_of(copy.deal)
    if place not in choices:
        raise copies.Deleted(copy, when)
    if choices[place] is Side.THEIRS:
        shelf.remove(copy.deal)
        raise _Removed
    return shelf.change(copy.deal, lambda c: copies.remade(c, now()))


def _push(shelf: Shelf, server: Server, copy: Copy, choices: Choices, report: Progress) -> tuple[Copy, int, bool]:
    """Send what waits, one change after the other; the copy, how many were confirmed, and whether that was all.

    It is not where others changed the deal meanwhile, which is pulled first.
    """
    done = 0
    while copy.waiting and copy.waiting[0].state is not State.REFUSED:
        if not copy.current:
            return copy, done, False
        change, count = copy.waiting[0], done + len(copy.waiting)
        report(done / count, f"Sending {copy.deal}, change {done + 1} of {count}")
        copy, confirmed = _send(shelf, server, change, choices)
        if not confirmed:
            return copy, done, copy.current
        done += 1
    return copy, done, copy.current


def _send(shelf: Shelf, server: Server, change: Operation, choices: Choices) -> tuple[Copy, bool]:
    deal, op_id = change.deal, change.op_id
    shelf.change(deal, lambda c: c.with_state(op_id, State.SENT), seen=False)
    try:
        stored = server.apply(change, choices)
    except Clashing:
        copy = shelf.change(deal, lambda c: c.with_state(op_id, State.WAITING), seen=False)
        if (
            server.marks(deal).get(deal, copies.NOWHERE) == copy.mark
        ):  # it is about an asset that the deal does not list there
            raise
        return shelf.change(deal, copies.stale, seen=False), False
    except Refused as refused:
        if refused.code not in CERTAIN or sqlstate(refused) == READ_ONLY:
            raise  # whether it was applied is not known: it stays sent, and the server is asked next time
        if refused.code == "no-deal":
            shelf.change(deal, lambda c: c.with_state(op_id, State.WAITING), seen=False)
            return shelf.change(deal, copies.stale, seen=False), False
        message = refused.message
        return shelf.change(deal, lambda c: c.with_state(op_id, State.REFUSED, message), seen=False), False
    return shelf.change(deal, lambda c: copies.confirmed(c, op_id, stored.mark, stored.book), seen=False), True


class Syncing:
    """The offline copies of a workspace file and their server, for the window and the command line.

    Call it from one thread at a time; the file may be changed meanwhile from others.
    """

    def __init__(self, shelf: FileShelf, server: StoreServer) -> None:
        self.shelf = shelf
        self.server = server

    def pull(self, deals: Iterable[str] | None = None, report: Progress = silent) -> tuple[Outcome, ...]:
        """Copy deals of the server, all that may be read if none are named, or bring their copies up to date.

        Changes made here stay, and stay unsent. Raises Refused for a deal the server does not have.
        """
        marks = self.server.marks()
        known = {standing.deal for standing in self.shelf.standings() if standing.server == self.server.name}
        wanted = list(deals) if deals is not None else sorted(marks.keys() | known)
        done: list[Outcome] = []
        for place, deal in enumerate(wanted):
            report(place / len(wanted), f"Copying {deal}")
            if deal in known:
                done.append(bring_together(self.shelf, self.server, deal, push=False))
                continue
            stored = self.server.load(deal)
            if stored is None:
                raise no_deal(deal, marks)
            self.shelf.put(Copy(deal, self.server.name, stored.book, stored.mark, _now()))
            done.append(Outcome(deal, pulled=True, copied=True))
        report(1.0, "Done")
        return tuple(done)

    def sync(
        self,
        deals: Iterable[str] | None = None,
        choices: Choices = NO_CHOICES,
        *,
        again: bool = False,
        report: Progress = silent,
    ) -> tuple[Outcome, ...]:
        """Bring copies, all of this server if none are named, together with it. Raises as `bring_together`."""
        own = (standing.deal for standing in self.shelf.standings() if standing.server == self.server.name)
        wanted = list(deals if deals is not None else own)
        done: list[Outcome] = []
        for place, deal in enumerate(wanted):
            part = part_of(report, place, len(wanted))
            done.append(bring_together(self.shelf, self.server, deal, choices, again=again, report=part))
        report(1.0, "Done")
        return tuple(done)

    def exchange(self, *, push: bool = True) -> Exchanged:
        """Bring the libraries of scenarios together (`libraries.exchange`); push: what was made here is sent, too."""
        return libraries.exchange(self.shelf.store, self.server.store, push=push)

    def give(self, deal: str) -> Outcome:
        """Give the server a deal of this workspace that it does not have; it is an offline copy from then on."""
        if deal in self.server.marks(deal):
            raise Refused(
                f"The server has a deal {deal} already; copy it into another workspace file to compare them.",
                code="taken",
            )
        self.shelf.adopt(deal, lambda book: copies.given(deal, self.server.name, book, _now()))
        return bring_together(self.shelf, self.server, deal)
