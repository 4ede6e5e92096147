"""What is open: the desk, the chosen deal, its results. Panes know the session, not each other."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from clo_desktop import log
from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.store import DealSummary
from clo_desktop.store.local.keys import Secret
from clo_desktop.store.local.manner import Manner
from clo_desktop.store.merge import Choices, Clashing
from clo_desktop.work import rights
from clo_desktop.work.changing import Change, Clash, run_of
from clo_desktop.work.desk import Desk, Imported, comply_with, refusing
from clo_desktop.work.files import Files
from clo_desktop.work.lanes import DATABASE, ENGINE, Lanes, Task
from clo_desktop.work.seat import Seat
from clo_desktop.work.standing import DealState, judged
from clo_desktop.work.warmth import warm_up
from engine.assumptions import Assumptions
from engine.compliance import Compliance
from engine.outputs import Table
from engine.projection import Projection
from engine.terms import Book

if TYPE_CHECKING:
    from clo_desktop.store.server.people import Person
    from clo_desktop.work.membership import Membership

T = TypeVar("T")

WINDOW: Final = Manner(alone=True, daily=True)
"""How a window opens a workspace: it alone writes, and the day's first opening is backed up."""

WAYS_OUT: Final = frozenset({"no-key", "key", "keyring", "passphrase", "damaged", "network"})
"""Codes of refusals for which the window offers a way out instead of the sentence alone."""


@dataclass(frozen=True, slots=True)
class NotOpened:
    """A workspace that did not open, why, and what was to be done once it was open."""

    where: str
    manner: Manner
    then: Callable[[], None] | None
    refused: Refused


@dataclass(frozen=True, slots=True, eq=False)
class Timed:
    """A result with the seconds it took."""

    projection: Projection
    seconds: float


class Session(QObject):
    """One open store. Lives on the GUI thread; work goes to the lanes.

    opened             a workspace is open; what is known of its deals comes later
    not_opened         carries a NotOpened that has a way out; others are refused
    deals_changed      the rail changed
    book_changed       another deal was chosen or it was imported anew (None: none is open)
    edited             the open deal was changed and stored: its inputs, or cells of its positions
    clashed            a change met another's in the same cells: carries the Clash to settle
    compliance_changed, projection_changed  results of the open deal (None while there is none)
    members_wanted     show the positions that count in this test (None: show all)
    asset_wanted       show this asset
    history_wanted     show who changed this column of this asset
    spreads_changed    z-spreads of the open deal's assets are known, or no longer
    asset_flows_ready  carries the table of an asset's cash flows that was asked for
    payment_wanted     explain the payment of a class or fee (its name) on a date
    scenario_wanted    run the open deal under this scenario
    imported           an import ended, with its report
    leaving            the store is about to be closed, with its desk: what is not stored yet is stored now
    said               a sentence for the status bar
    refused            a sentence that must be read
    """

    opened = Signal()
    not_opened = Signal(object)
    deals_changed = Signal()
    book_changed = Signal(object)
    edited = Signal(object)
    clashed = Signal(object)
    compliance_changed = Signal(object)
    projection_changed = Signal(object)
    members_wanted = Signal(object)
    asset_wanted = Signal(str)
    history_wanted = Signal(str, str)
    spreads_changed = Signal()
    asset_flows_ready = Signal(object)
    payment_wanted = Signal(object, str)
    scenario_wanted = Signal(object)
    imported = Signal(object)
    leaving = Signal(object)
    said = Signal(str)
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lanes = Lanes(self)
        self.files = Files(self)
        self.desk: Desk | None = None
        self.where = ""
        self.manner = WINDOW
        self.seat = Seat(self)
        self.deals: tuple[DealState, ...] = ()
        self.book: Book | None = None
        self._versions: list[Book] = []  # the open deal as it was opened and after each change of its inputs
        self.compliance: Compliance | None = None
        self.projection: Timed | None = None
        self.spreads: Mapping[str, float] = {}
        self.reports: list[Imported] = []
        self.running: Task[Timed] | None = None

    @property
    def deal(self) -> str | None:
        return self.book.deal.name if self.book is not None else None

    # -- the store ----------------------------------------------------------------------------------------------------

    def open(self, where: str | Path, then: Callable[[], None] | None = None, manner: Manner = WINDOW) -> None:
        """Opens a store in the database lane; `then` is called once its deals are listed."""

        def work(report: Progress) -> Desk:
            report(0.1, "Opening the workspace")
            return Desk(where, manner)

        def done(desk: Desk) -> None:
            self.manner = manner
            self.take(desk, str(where), None, then)

        def failed(reason: Refused) -> None:
            if reason.code in WAYS_OUT:
                self.not_opened.emit(NotOpened(str(where), manner, then, reason))
            else:
                self.refused.emit(reason.message)

        self.start(DATABASE, "Open", work, done, failed=failed)

    def take(
        self, desk: Desk, where: str, who: Membership | None = None, then: Callable[[], object] | None = None
    ) -> None:
        """Shows another open store, on a server that of `who`; `then` is called once its deals are listed."""
        self._let_go()
        self.desk, self.where = desk, where
        self.deals = ()
        self.seat.take(who)
        self._close_deal()
        self.opened.emit()
        if desk.store.notice:
            self.refused.emit(desk.store.notice)
        self.refresh(then)

    @property
    def reading_only(self) -> str:
        """Why the open workspace may only be read, as a sentence; empty where it may be written."""
        file = self.desk.store.file if self.desk is not None else None
        return file.reading_only if file is not None else ""

    def reopen(self, where: str, manner: Manner, deal: str | None) -> None:
        """Opens a workspace (again) with a deal, if that is still there."""
        self.open(where, lambda: self.choose(deal) if deal in [d.name for d in self.deals] else None, manner)

    def rework(self, where: str, name: str, work: Callable[[], T], secret: Callable[[T], Secret | None]) -> None:
        """Does `work` with the file of a workspace, which is closed for it, and opens it (again) with its deal.

        secret  what opens the file afterwards, by what `work` gave; None: the keyring, or no key is needed
        """
        deal = self.deal
        if self.desk is not None and where == self.where:
            self.lanes.cancel_all()
            desk, self.desk = self.desk, None
            self.start(DATABASE, "Close the workspace", lambda report: desk.close(), lambda nothing: None)
            self.deals = ()
            self._close_deal()
            self.deals_changed.emit()

        def failed(reason: Refused) -> None:
            self.refused.emit(reason.message)
            if self.desk is None:
                self.reopen(where, self.manner, deal)

        def done(outcome: T) -> None:
            self.reopen(where, replace(WINDOW, secret=secret(outcome)), deal)

        self.start(DATABASE, name, lambda report: work(), done, failed=failed)

    def beside(
        self, name: str, work: Callable[[], T], done: Callable[[T], object], failed: Callable[[Refused], object]
    ) -> None:
        """Does something in the database lane that needs no open workspace."""
        self.start(DATABASE, name, lambda report: work(), done, failed=failed)

    def ask(
        self, name: str, work: Callable[[Desk, Progress], T], done: Callable[[T], object], *, quiet: bool = False
    ) -> Task[T]:
        """Reads or changes what of the open workspace is of no deal, in the database lane, whichever deal is open.

        Raises Refused without a workspace.
        """
        desk = self.open_desk()
        return self.start(DATABASE, name, lambda report: work(desk, report), done, quiet=quiet)

    def leave(self) -> None:
        """Stops what runs and closes the store, in the database lane; nothing is open then."""
        who, desk = self.seat.membership, self.desk
        if desk is not None:
            self.leaving.emit(desk)
        self.lanes.cancel_all()
        self.desk, self.where = None, ""
        if desk is not None:
            close = desk.close if who is None else who.close
            self.start(DATABASE, "Close the workspace", lambda report: close(), lambda nothing: None)
        self.deals = ()
        self.reports.clear()
        self.seat.take(None)
        self._close_deal()
        self.deals_changed.emit()

    def _let_go(self, *, told: bool = False) -> None:
        """Closes the store that is open; those who have something to store in it are told, unless they were."""
        if self.desk is None:
            return
        if not told:
            self.leaving.emit(self.desk)
        (self.seat.membership or self.desk).close()
        self.desk = None

    def refresh(self, then: Callable[[], object] | None = None) -> None:
        """Lists the deals anew; states that are known are kept."""
        desk = self.open_desk()
        known = {d.name: d for d in self.deals}

        who = self.seat.membership

        def work(report: Progress) -> tuple[tuple[DealSummary, ...], Person | None]:
            return desk.deals(), who.look() if who is not None else None

        def done(found: tuple[tuple[DealSummary, ...], Person | None]) -> None:
            if self.desk is not desk:
                return
            self.seat.knows(found[1])
            states = []
            for summary in found[0]:
                old = known.get(summary.name)
                same = old is not None and old.as_of == summary.as_of and old.par == summary.par
                plain = DealState(summary.name, summary.as_of, summary.assets, summary.par, summary.currency)
                states.append(old if same and old is not None else plain)
            self.deals = tuple(states)
            self.deals_changed.emit()
            self._look_at_deals()
            if then is not None:
                then()

        self.start(DATABASE, "List deals", work, done)

    def _look_at_deals(self) -> None:
        """Evaluates the tests of deals whose state is not known yet, for the rail."""
        desk = self.open_desk()

        def look_at(name: str) -> None:
            self.start(
                DATABASE,
                f"Tests of {name}",
                lambda report: comply_with(desk.book(name)),
                self._note_state,
                quiet=True,
            )

        for state in self.deals:
            if state.worst is None:
                look_at(state.name)

    def _note_state(self, done: Compliance) -> None:
        self.deals = tuple(judged(d, done) if d.name == done.deal else d for d in self.deals)
        self.deals_changed.emit()

    # -- the deal -----------------------------------------------------------------------------------------------------

    def choose(self, deal: str) -> None:
        """Opens a deal: its positions, its tests, its projection under its own assumptions."""
        desk = self.open_desk()

        def done(book: Book) -> None:
            if self.deal != deal:
                self.compliance_changed.emit(None)  # the tests of another deal must not stand beside its positions
            self.book = book
            self._versions = [book]
            self.compliance = None
            self.projection = None
            self.spreads = {}
            self.lanes.hold()
            self.comply()
            if not self.seat.why_not(rights.RUN):
                self.run(Assumptions())
            self._spread(book)
            self._in_turns(lambda: self._show(book), self._clear, self.lanes.release)

        self.start(DATABASE, f"Open {deal}", lambda report: desk.book(deal), done)

    def _in_turns(self, *steps: Callable[[], object]) -> None:
        """Steps that fill panes, each in a turn of the event loop of its own."""

        def turn() -> None:
            try:
                steps[0]()
            finally:
                if steps[1:]:
                    self._in_turns(*steps[1:])

        QTimer.singleShot(0, self, turn)

    def _show(self, book: Book) -> None:
        if self._still(book):
            self.book_changed.emit(book)

    def _clear(self) -> None:
        """The panes of a run let go of the deal before."""
        if self.projection is None:
            self.projection_changed.emit(None)

    def _still(self, book: Book) -> bool:
        """Whether the deal is open whose book it is or was: its inputs may have changed since, its positions not."""
        return self.book is not None and any(version is book for version in self._versions)

    def change(self, name: str, how: Callable[[Book], Book], then: Callable[[Book, Book], object]) -> None:
        """Stores the open deal as `how` makes it, in the database lane; what depends on it is worked out anew.

        name  for the progress; how  may raise ValueError or Refused: then nothing is changed
        then  called with the deal before and after. Where someone else changed the same cells, `clashed` is emitted
        first and the answer awaited.
        """
        desk, deal = self.open_desk(), self.open_book().deal.name

        def make() -> tuple[Book, Book]:
            base = desk.book(deal)
            with refusing():
                return base, how(base)

        self._store(Change(name, deal, make, then))

    def restore(self, name: str, now: Book, wanted: Book, then: Callable[[Book, Book], object]) -> None:
        """As `change`: takes back what was done from `wanted` to `now`; what was changed since is kept."""
        self._store(Change(name, now.deal.name, lambda: (now, wanted), then))

    def settle(self, clash: Clash, choices: Choices) -> None:
        """Stores a change that met another's, with whose values to keep."""
        change = clash.change
        self._store(replace(change, make=lambda: clash.books, choices={**change.choices, **choices}))

    def _store(self, change: Change) -> None:
        desk = self.open_desk()
        if why := self.seat.why_not(rights.WRITE, change.deal):
            self.refused.emit(why)
            return

        def work(report: Progress) -> Book | Clash:
            base, mine = change.make()
            try:
                return desk.edit(base, mine, change.choices)
            except Clashing as clashing:
                return Clash(change, clashing, (base, mine))

        def done(outcome: Book | Clash) -> None:
            if isinstance(outcome, Clash):
                self.clashed.emit(outcome)
                return
            if self.book is not None and self.deal == change.deal:
                before = self.book
                self._take(outcome)
                change.then(before, outcome)

        self.start(DATABASE, change.name, work, done)

    def reread(self) -> None:
        """Shows the open deal as it is stored now: someone else may have changed it."""
        desk, deal = self.open_desk(), self.open_book().deal.name

        def done(found: Book) -> None:
            if self.deal == deal and found != self.book:
                self._take(found)
                self.said.emit(f"{deal} was changed elsewhere; the window shows it as it is now.")

        self.start(DATABASE, f"Read {deal}", lambda report: desk.fresh(deal), done, quiet=True)

    def _take(self, book: Book) -> None:
        """The open deal as it is after an edit; where positions changed, its cash flows are worked out anew."""
        before, self.book = self.book, book
        moved = before is None or before.assets != book.assets or run_of(before) != run_of(book)
        self._versions = [book] if moved else [*self._versions, book]
        self.deals = tuple(
            replace(d, par=book.deal.par, holdings=len(book.deal.holdings)) if d.name == book.deal.name else d
            for d in self.deals
        )
        self.edited.emit(book)
        self.comply()
        if moved and not self.seat.why_not(rights.RUN):
            self.run(self.projection.projection.assumptions if self.projection is not None else Assumptions())
        if moved:
            self._spread(book)

    def look(self, name: str, work: Callable[[Desk, str], T], done: Callable[[T], object]) -> None:
        """Reads something of the open deal in the database lane; `done` is called if the deal is open still."""
        desk, book = self.open_desk(), self.open_book()

        def settled(found: T) -> None:
            if self._still(book):
                done(found)

        self.start(DATABASE, name, lambda report: work(desk, book.deal.name), settled, quiet=True)

    def act(self, name: str, work: Callable[[Desk, str], T], done: Callable[[T], object]) -> None:
        """Does something with the open deal in the database lane; what is refused is said. Raises Refused without one.

        `done` is called if the deal is open still.
        """
        desk, book = self.open_desk(), self.open_book()

        def settled(outcome: T) -> None:
            if self._still(book):
                done(outcome)

        self.start(DATABASE, name, lambda report: work(desk, book.deal.name), settled)

    def comply(self) -> None:
        """Evaluates the tests of the open deal."""
        book = self.open_book()

        def done(result: Compliance) -> None:
            if self.book is book:
                self.compliance = result
                self.compliance_changed.emit(result)
            self._note_state(result)

        self.start(DATABASE, f"Tests of {book.deal.name}", lambda report: comply_with(book), done)

    def run(self, assumptions: Assumptions) -> Task[Timed] | None:
        """Projects the open deal in the engine lane; a run under way is cancelled first."""
        book, desk = self.open_book(), self.open_desk()
        self.seat.check(rights.RUN)
        if self.running is not None:
            self.running.cancel()

        def work(report: Progress) -> Timed:
            started = time.perf_counter()
            return Timed(desk.project_book(book, assumptions, report), time.perf_counter() - started)

        def done(timed: Timed) -> None:
            if self._still(book):
                self.projection = timed
                self.projection_changed.emit(timed)
                self.said.emit(f"{book.deal.name} was projected in {timed.seconds * 1000:,.0f} ms.")

        self.running = self.start(ENGINE, f"Project {book.deal.name}", work, done)
        return self.running

    def _spread(self, book: Book) -> None:
        """Z-spreads by asset id, in the engine lane; a deal that cannot be projected has none."""
        desk = self.open_desk()

        def done(found: Mapping[str, float]) -> None:
            if self._still(book):
                self.spreads = found
                self.spreads_changed.emit()

        self.start(ENGINE, f"Spreads of {book.deal.name}", lambda report: desk.spreads_of(book), done, quiet=True)

    def show_asset_flows(self, asset_id: str) -> None:
        """Cash flows of an asset under the assumptions of the last run, in the engine lane."""
        desk, book = self.open_desk(), self.open_book()
        assumptions = self.projection.projection.assumptions if self.projection is not None else Assumptions()

        def done(table: Table) -> None:
            if self._still(book):
                self.asset_flows_ready.emit(table)

        self.start(
            ENGINE, f"Cash flows of {asset_id}", lambda report: desk.asset_flows(book, asset_id, assumptions), done
        )

    def warm_up(self) -> None:
        """Makes the kernels ready in the engine lane; runs asked for meanwhile wait behind it."""
        self.start(ENGINE, "Prepare the engine", warm_up, lambda nothing: self.said.emit("The engine is ready."))

    # -- what is gone --------------------------------------------------------------------------------------------------

    def delete(self, deal: str) -> None:
        """Deletes a deal from the store."""
        desk = self.open_desk()
        self.seat.check(rights.WRITE, deal)

        def done(_nothing: None) -> None:
            if self.deal == deal:
                self._close_deal()
            self.said.emit(f"{deal} was deleted.")
            self.refresh()

        self.start(DATABASE, f"Delete {deal}", lambda report: desk.delete(deal), done)

    def lost(self, deal: str) -> None:
        """The open deal is no longer there, or no longer for whoever is signed in."""
        self._close_deal()
        self.refused.emit(f"{deal} was deleted by someone else, or you may not read it any more.")
        self.refresh()

    def close(self) -> None:
        """Stops what runs and closes the store."""
        still = self.lanes.shutdown()
        if self.desk is not None:
            self.leaving.emit(self.desk)
        if still:
            self._let_go(told=True)

    def _close_deal(self) -> None:
        """No deal is open; a run of it is of no use any more."""
        if self.running is not None:
            self.running.cancel()
        self.book = self.compliance = self.projection = None
        self._versions = []
        self.spreads = {}
        self.book_changed.emit(None)
        self.compliance_changed.emit(None)
        self.projection_changed.emit(None)

    # -- helpers ------------------------------------------------------------------------------------------------------

    def open_desk(self) -> Desk:
        """The open workspace with its verbs. Raises Refused where none is open."""
        if self.desk is None:
            raise Refused("No workspace is open; open one from the File menu.")
        return self.desk

    def open_book(self) -> Book:
        """The open deal. Raises Refused where none is open."""
        if self.book is None:
            raise Refused("No deal is open; choose one in the deal list.")
        return self.book

    def start(
        self,
        lane: str,
        name: str,
        work: Callable[[Progress], T],
        done: Callable[[T], object],
        *,
        quiet: bool = False,
        failed: Callable[[Refused], object] | None = None,
    ) -> Task[T]:
        """Work in a lane; `done` takes what it gives. What is refused is said, unless quiet or taken by `failed`."""

        def not_done(error: Exception) -> None:
            if not isinstance(error, Refused):
                raise error
            log.note_refused(error)
            if failed is not None:
                failed(error)
            elif not quiet:
                self.refused.emit(error.message)

        return self.lanes.start(
            lane,
            name,
            work,
            done=done,
            failed=not_done,
            cancelled=lambda: self.said.emit(f"{name}: cancelled, nothing was changed."),
            quiet=quiet,
        )
