"""The trade pad of the open deal: ideas with their rows, judged in the lanes while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.work.desk import Desk
from clo_desktop.work.lanes import DATABASE, ENGINE, Task
from clo_desktop.work.latest import Latest
from clo_desktop.work.pad_rows import Judged, Row, judge, row_of, tidy, without_empty
from clo_desktop.work.session import Session
from clo_desktop.work.trade_files import TradeFile, read_trades, write_trades
from engine.asset import Asset
from engine.pool import fold
from engine.trades import Finder, Ideas, Trader

A = TypeVar("A")
B = TypeVar("B")
Rows = tuple[Row, ...]

_Found = tuple[tuple[Trader, Finder], Judged, Judged | None]

_NO_DEAL: Final = "No deal is open; choose one in the deal list."


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What belongs to one deal: its ideas, the assets that only they know, the idea to compare with ("" for none)."""

    ideas: Ideas[Row] = field(default_factory=Ideas)
    others: tuple[Asset, ...] = ()
    beside: str = ""


class Errand:
    """Work that goes through one lane and then another; `task` is the part under way, None once it ended."""

    def __init__(self) -> None:
        self.task: Task[Any] | None = None
        self._cancelled = False

    @property
    def cancelled(self) -> bool:
        return self._cancelled

    def cancel(self) -> None:
        self._cancelled = True
        if self.task is not None:
            self.task.cancel()


class Pad(QObject):
    """Lives on the GUI thread. Rows are judged in the database lane (no kernel is needed for that), one request at a
    time, the latest wins; what needs kernels (sizes, rankings, projections) goes to the engine lane.

    ideas_changed  the ideas, or the rows of the one that is open, are others
    judged         carries what the rows do as they are typed now (None: no deal, or it cannot be told)
    beside_judged  carries the same of the idea to compare with (None: there is none)
    failed         why the open deal cannot be traded in
    """

    ideas_changed = Signal()
    judged = Signal(object)
    beside_judged = Signal(object)
    failed = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sheets: dict[str, _Sheet] = {}
        self._draft: Rows | None = None
        self._known: tuple[Trader, Finder] | None = None
        self._opened = 0  # counts the deals that were opened: what comes back of another is of no use
        self._awake = False
        self._latest = Latest(session.lanes, "Trades", self, lane=DATABASE)
        self._latest.refused.connect(self._refused)
        self.result: Judged | None = None
        session.book_changed.connect(self._deal_changed)
        session.edited.connect(self._edited)

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def _deal(self) -> str:
        return self._session.deal or ""

    @property
    def _sheet(self) -> _Sheet:
        return self._sheets.get(self._deal, _Sheet())

    @property
    def ideas(self) -> Ideas[Row]:
        return self._sheet.ideas

    @property
    def rows(self) -> Rows:
        """The rows of the open idea as they were last left."""
        return self.ideas.current.trades

    @property
    def beside(self) -> str:
        """The name of the idea to compare with, "" for none."""
        return self._sheet.beside

    @property
    def trader(self) -> Trader | None:
        """The open deal ready for trades, once it was made."""
        return self._known[0] if self._known is not None else None

    @property
    def finder(self) -> Finder | None:
        return self._known[1] if self._known is not None else None

    @property
    def settled(self) -> bool:
        """Whether what was typed last has been judged."""
        return self._latest.idle

    # -- rows ---------------------------------------------------------------------------------------------------------

    def type(self, rows: Iterable[Row] | None) -> None:
        """Rows while a cell is being typed; they are judged and are no step yet. None: what was typed is dropped."""
        self._draft = None if rows is None else tuple(rows)
        self._ask()

    def put(self, rows: Iterable[Row]) -> None:
        """Rows as they were left: a step that undo takes back."""
        made = without_empty(rows)
        if self.finder is not None:
            finder = self.finder
            made = tuple(tidy(row, finder) for row in made)
        self._draft = None
        self._change(self.ideas.changed(self.ideas.current.put(made)))

    def undo(self) -> None:
        self._draft = None
        self._change(self.ideas.changed(self.ideas.current.undo()))

    def redo(self) -> None:
        self._draft = None
        self._change(self.ideas.changed(self.ideas.current.redo()))

    # -- ideas --------------------------------------------------------------------------------------------------------

    def fresh(self, name: str = "") -> None:
        """A new idea without trades. Raises Refused for a name that is taken."""
        self._named(lambda: self.ideas.fresh(name))

    def branch(self, name: str = "") -> None:
        """A copy of the open idea, to go on with. Raises Refused for a name that is taken."""
        self._named(lambda: self.ideas.branch(name))

    def rename(self, name: str) -> None:
        """Another name for the open idea. Raises Refused for one that is taken, or blank."""
        old = self.ideas.current.name
        if not name.strip():
            raise Refused("A name is needed; write what the idea is about.")
        self._named(lambda: self.ideas.rename(name.strip()))
        if self.beside == old:
            self.compare(name.strip())

    def drop(self) -> None:
        """Without the open idea; the last one is emptied instead."""
        self._named(lambda: self.ideas.drop(self.ideas.current.name))

    def switch(self, name: str) -> None:
        """Opens the idea of that name."""
        if name != self.ideas.current.name:
            self._named(lambda: self.ideas.switch(name))

    def compare(self, name: str) -> None:
        """Judges another idea beside the open one; "" for none."""
        self._store(replace(self._sheet, beside=name))
        self.ideas_changed.emit()
        self._ask()

    def _named(self, how: Callable[[], Ideas[Row]]) -> None:
        if not self._deal:
            raise Refused(_NO_DEAL)
        try:
            made = how()
        except ValueError as error:
            raise Refused(str(error).replace("branch", "idea")) from error
        self._draft = None
        self._change(made)

    def _change(self, ideas: Ideas[Row]) -> None:
        if not self._deal:
            return
        names = [b.name for b in ideas.branches]
        sheet = self._sheet
        self._store(replace(sheet, ideas=ideas, beside=sheet.beside if sheet.beside in names else ""))
        self.ideas_changed.emit()
        self._ask()

    def _store(self, sheet: _Sheet) -> None:
        if self._deal:
            self._sheets[self._deal] = sheet

    # -- judging ------------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """The pad is looked at: the open deal is made ready for trades."""
        if not self._awake and self._deal:
            self._ask()

    def _deal_changed(self, _book: object) -> None:
        self._draft, self._known, self.result = None, None, None
        self._awake = False
        self._opened += 1
        self._latest.drop()
        self.ideas_changed.emit()
        self.judged.emit(None)
        self.beside_judged.emit(None)

    def _edited(self, _book: object) -> None:
        """Inputs of the deal are others: limits, say."""
        if self._awake:
            self._ask()

    def _ask(self) -> None:
        """Judges what is wanted now; what is typed meanwhile is judged next, and what lies between is passed over."""
        self._awake = bool(self._deal)
        desk, deal, opened = self._session.desk, self._deal, self._opened
        if desk is None or not deal:
            return
        sheet, known = self._sheet, self._known
        rows = self._draft if self._draft is not None else self.rows
        other = next((b.trades for b in sheet.ideas.branches if b.name == sheet.beside), None)

        def work(_report: Progress) -> _Found:
            trader = desk.trader(deal, sheet.others)
            ready = known if known is not None and known[0] is trader else (trader, Finder(trader.assets.values()))
            return ready, judge(*ready, rows), None if other is None else judge(*ready, other)

        def done(found: _Found) -> None:
            if self._opened == opened:
                self._known, self.result, beside = found
                self.judged.emit(self.result)
                self.beside_judged.emit(beside)

        self._latest.ask(work, done)

    def _refused(self, why: str) -> None:
        self.result = None
        self.failed.emit(why)

    # -- further work -------------------------------------------------------------------------------------------------

    def errand(
        self,
        name: str,
        gather: Callable[[Desk, Trader, Progress], A],
        work: Callable[[A, Progress], B],
        done: Callable[[B], object],
        over: Callable[[str], object],
    ) -> Errand:
        """Gathers from the store in its lane, then reckons in the engine's; the trader has the open deal's assets.

        done  called with the outcome, if the same deal is open still
        over  called in any case when it ended, with why there is no outcome ("": there is one, or it was cancelled)

        Raises Refused where no deal is open.
        """
        desk, deal, others = self._session.desk, self._deal, self._sheet.others
        if desk is None or not deal:
            raise Refused(_NO_DEAL)
        made = Errand()
        lanes = self._session.lanes

        def ended(why: str = "") -> None:
            made.task = None
            over(why)

        def failed(error: Exception) -> None:
            ended(error.message if isinstance(error, Refused) else "")
            if not isinstance(error, Refused):
                raise error

        def gathered(found: A) -> None:
            if made.cancelled:
                ended()
                return
            made.task = lanes.start(
                ENGINE, name, lambda report: work(found, report), done=came, failed=failed, cancelled=ended
            )

        def came(outcome: B) -> None:
            if self._deal == deal:
                done(outcome)
            ended()

        made.task = lanes.start(
            DATABASE,
            name,
            lambda report: gather(desk, desk.trader(deal, others), report),
            done=gathered,
            failed=failed,
            cancelled=ended,
        )
        return made

    # -- files --------------------------------------------------------------------------------------------------------

    def import_file(self, path: Path) -> None:
        """Reads a list of trades into the open idea, or into a new one where it has trades already."""
        desk, deal, others = self._session.desk, self._deal, self._sheet.others
        if desk is None or not deal:
            raise Refused(_NO_DEAL)

        def done(found: TradeFile) -> None:
            if self._deal != deal:
                return
            sheet = self._sheet
            fresh = {fold(a.asset_id): a for a in (*sheet.others, *found.assets)}
            self._store(replace(sheet, others=tuple(fresh.values())))
            if self.rows:
                taken = {b.name for b in self.ideas.branches}
                self.fresh("" if path.stem in taken else path.stem)
            self.put(row_of(t) for t in found.trades)
            self._session.said.emit(
                f"{len(found.trades)} trades of {path.name} were put into {self.ideas.current.name}."
            )

        self._file(f"Import {path.name}", lambda: read_trades(path, desk.trader(deal, others).assets), done)

    def export_file(self, path: Path) -> None:
        """Writes the trades of the open idea. Raises Refused where a row is wrong, or there is none."""
        found = self.result
        if found is None or not self.settled or not found.trades:
            raise Refused("There are no trades to write yet; enter some first.")
        if found.wrong:
            place = next(i for i, s in enumerate(found.seen) if s.problems)
            raise Refused(f"Row {place + 1} is left out of the figures; mend or delete it, then write the list.")
        named = {fold(t.asset_id) for t in found.trades}
        fresh = tuple(a for a in self._sheet.others if fold(a.asset_id) in named)
        if path.suffix.lower() != ".csv":
            path = path.with_name(f"{path.name}.csv")

        def write() -> int:
            try:
                write_trades(path, found.trades, fresh)
            except OSError as error:
                raise Refused(f"{path} cannot be written ({error.strerror}); choose another place.") from error
            return len(found.trades)

        self._file(
            f"Export {path.name}",
            write,
            lambda count: self._session.said.emit(f"{count} trades were written to {path}."),
        )

    def _file(self, name: str, work: Callable[[], A], done: Callable[[A], object]) -> None:
        def failed(error: Exception) -> None:
            if not isinstance(error, Refused):
                raise error
            self._session.refused.emit(error.message)

        self._session.lanes.start(DATABASE, name, lambda _report: work(), done=done, failed=failed)
