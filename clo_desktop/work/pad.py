"""The trade pad of the open deal: ideas with their rows, judged in the lanes while they are typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from PySide6.QtCore import QObject, Signal

from clo_desktop.faults import Refused
from clo_desktop.figures import counted
from clo_desktop.progress import Progress
from clo_desktop.store import StoredIdea
from clo_desktop.work.desk import Desk
from clo_desktop.work.fingerprint import differences
from clo_desktop.work.lanes import DATABASE, ENGINE, Task
from clo_desktop.work.latest import Latest
from clo_desktop.work.pad_rows import Judged, Row, judge, row_of, tidy, without_empty
from clo_desktop.work.seat import Seat
from clo_desktop.work.session import Session
from clo_desktop.work.shelf import Shelf
from clo_desktop.work.stored_ideas import stored, typed
from clo_desktop.work.trade_files import TradeFile, read_trades, write_trades
from engine.asset import Asset
from engine.pool import fold
from engine.trades import Branch, Finder, Ideas, Trader

A = TypeVar("A")
B = TypeVar("B")
Rows = tuple[Row, ...]

_Found = tuple[tuple[Trader, Finder], Judged, Judged | None]

_NO_DEAL: Final = "No deal is open; choose one in the deal list."


@dataclass(frozen=True, slots=True)
class _Sheet:
    """What belongs to one deal: its ideas, the assets that only they know, the idea to compare with ("" for none), and
    the keys on the shelf by name of the idea (one without trades has none yet)."""

    ideas: Ideas[Row] = field(default_factory=Ideas)
    others: tuple[Asset, ...] = ()
    beside: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)


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
        self.shelf = Shelf(session, self)
        self.shelf.moved.connect(self._moved)
        session.leaving.connect(lambda _desk: self._sheets.clear())
        session.book_changed.connect(self._deal_changed)
        session.edited.connect(self._edited)

    # -- what there is ------------------------------------------------------------------------------------------------

    @property
    def deal(self) -> str:
        """The open deal, "" for none."""
        return self._session.deal or ""

    @property
    def _sheet(self) -> _Sheet:
        return self._sheets.get(self.deal, _Sheet())

    @property
    def seat(self) -> Seat:
        """Who trades."""
        return self._session.seat

    @property
    def ideas(self) -> Ideas[Row]:
        return self._sheet.ideas

    @property
    def rows(self) -> Rows:
        """The rows of the open idea as they were last left."""
        return self.ideas.current.trades

    @property
    def draft(self) -> Rows | None:
        """The rows with the cell that is being typed in; None while none is."""
        return self._draft

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
        self._named(lambda: self.ideas.fresh(self._free(name)))

    def branch(self, name: str = "") -> None:
        """A copy of the open idea, to go on with. Raises Refused for a name that is taken."""
        self._named(lambda: self.ideas.branch(self._free(name)))

    def rename(self, name: str) -> None:
        """Another name for the open idea. Raises Refused for one that is taken, or blank."""
        old, new = self.ideas.current.name, name.strip()
        if not new:
            raise Refused("A name is needed; write what the idea is about.")
        if new == old:
            return
        made = self._made(lambda: self.ideas.rename(self._free(new)))
        keys = {new if name == old else name: key for name, key in self._sheet.keys.items()}
        beside = new if self.beside == old else self.beside
        self._store(replace(self._sheet, keys=keys, beside=beside))
        self._change(made)

    def drop(self) -> None:
        """Without the open idea, in the store too; the last one is emptied instead."""
        name = self.ideas.current.name
        key = self._sheet.keys.get(name)
        self._let_go(name, but=name)
        if key is not None:
            self.shelf.delete(self.deal, key)

    def put_aside(self) -> None:
        """The open idea is not shown any more; it stays in the store."""
        kept, name = self.kept, self.ideas.current.name
        self._let_go(name)
        if kept is not None:
            self.shelf.put(self.deal, replace(kept, is_open=False))

    def _let_go(self, name: str, but: str = "") -> None:
        """Without an idea among those that are open. but: a name that is free again."""
        made = self._made(lambda: self.ideas.drop(name))
        if made == Ideas():  # the last one: its name is not to be one that is stored
            made = Ideas((Branch(self._free("", but)),))
        self._store(replace(self._sheet, keys={n: key for n, key in self._sheet.keys.items() if n != name}))
        self._change(made)

    def _free(self, name: str, but: str = "") -> str:
        """The name, or for none the next "Idea n". Raises ValueError for one that a stored idea has."""
        taken = {b.name for b in self.ideas.branches} | {i.name for i in self.shelf.ideas(self.deal)}
        if name in taken - {but, ""}:
            raise ValueError(f"There is an idea {name!r} already; choose another name.")
        return name or next(n for i in range(1, len(taken) + 2) if (n := f"Idea {i}") not in taken - {but})

    @property
    def kept(self) -> StoredIdea | None:
        """The open idea as it is on the shelf; None while it has neither trades nor a note."""
        return self.shelf.idea(self.deal, self._sheet.keys.get(self.ideas.current.name, ""))

    @property
    def since(self) -> tuple[str, ...]:
        """What changed in the pool since the trades of the open idea were changed last."""
        kept = self.kept
        return () if kept is None or not kept.rows or not self.deal else differences(kept.pool, self.shelf.state())

    def note(self, text: str) -> None:
        """What is to be known about the open idea; stored with it."""
        if not self.deal:
            raise Refused(_NO_DEAL)
        name = self.ideas.current.name
        kept = self.kept or self.shelf.fresh(name)
        self._store(replace(self._sheet, keys={**self._sheet.keys, name: kept.key}))
        self.shelf.put(self.deal, replace(kept, note=text.strip()))
        self.ideas_changed.emit()

    def take_back(self, name: str, rows: Iterable[Row], note: str, assets: Iterable[Asset]) -> None:
        """An idea as it was before it could be stored: a step of the one of that name, or a new one."""
        fresh = {fold(a.asset_id): a for a in (*self._sheet.others, *assets)}
        self._store(replace(self._sheet, others=tuple(fresh.values())))
        wanted = tuple(rows)
        if name in [branch.name for branch in self.ideas.branches]:
            self.switch(name)
        else:
            taken = {idea.name for idea in self.shelf.ideas(self.deal)}
            self.fresh("" if name in taken else name)
        if tuple(map(stored, self.rows)) != tuple(map(stored, wanted)):
            self.put(wanted)
        if note and (self.kept is None or self.kept.note != note):
            self.note(note)

    def show_stored(self, key: str) -> None:
        """Opens an idea of the store, or goes to it where it is open."""
        idea = self.shelf.idea(self.deal, key)
        if idea is None:
            return
        open_as = next((name for name, k in self._sheet.keys.items() if k == key), None)
        if open_as is not None:
            self.switch(open_as)
            return
        self._show_kept([idea])
        self.shelf.put(self.deal, replace(idea, is_open=True))
        self._ask()

    def rename_stored(self, key: str, name: str) -> None:
        """Another name for an idea of the store, open or not. Raises Refused for one that is taken, or blank."""
        idea = self.shelf.idea(self.deal, key)
        if idea is None or name.strip() == idea.name:
            return
        if key in self._sheet.keys.values():
            self.show_stored(key)
            self.rename(name)
            return
        if not name.strip():
            raise Refused("A name is needed; write what the idea is about.")
        new = self._said(lambda: self._free(name.strip()))
        self.shelf.put(self.deal, replace(idea, name=new))

    def delete_stored(self, key: str) -> None:
        """Without an idea of the store, open or not."""
        if key in self._sheet.keys.values():
            self.show_stored(key)
            self.drop()
        else:
            self.shelf.delete(self.deal, key)

    def _load(self) -> None:
        """The ideas of the store beside those that were begun before it was read."""
        deal = self.deal
        if deal and not self.shelf.loaded(deal):
            self.shelf.load(deal, lambda: self._show_kept([i for i in self.shelf.ideas(deal) if i.is_open]))
        elif deal:
            self.shelf.load(deal, self.ideas_changed.emit)

    def _show_kept(self, ideas: Sequence[StoredIdea]) -> None:
        """Opens these ideas, the one changed last in front; an empty one without a name of its own gives way."""
        sheet = self._sheet
        branches = [b for b in sheet.ideas.branches if b.trades or b.past or b.name in sheet.keys]
        begun, keys, others = len(branches), dict(sheet.keys), {fold(a.asset_id): a for a in sheet.others}
        for idea in ideas:
            taken = {b.name for b in branches}
            name = next(
                n for i in range(1, len(taken) + 2) if (n := idea.name if i == 1 else f"{idea.name} ({i})") not in taken
            )
            branches.append(Branch(name, tuple(map(typed, idea.rows))))
            keys[name] = idea.key
            others |= {fold(a.asset_id): a for a in idea.assets}
        if ideas:
            newest = max(range(len(ideas)), key=lambda i: ideas[i].changed_at)
            shown = Ideas(tuple(branches), begun + newest)
            self._store(replace(sheet, ideas=shown, keys=keys, others=tuple(others.values())))
        self._keep()
        self.ideas_changed.emit()
        if self._awake:
            self._ask()

    def _keep(self) -> None:
        """What changed of the open ideas goes to the shelf."""
        deal, sheet = self.deal, self._sheet
        if not deal or not self.shelf.loaded(deal):
            return  # they are kept once the shelf was read
        for branch in sheet.ideas.branches:
            rows = tuple(map(stored, branch.trades))
            kept = self.shelf.idea(deal, sheet.keys.get(branch.name, ""))
            if kept is None and not rows:
                continue
            named = {fold(row.asset) for row in rows}
            assets = tuple(a for a in sheet.others if fold(a.asset_id) in named)
            now = replace(
                kept or self.shelf.fresh(branch.name), name=branch.name, rows=rows, assets=assets, is_open=True
            )
            if kept is not None and now == kept:
                continue
            if kept is None or rows != kept.rows:
                now = replace(now, pool=self.shelf.state())
            self._store(replace(self._sheet, keys={**self._sheet.keys, branch.name: now.key}))
            self.shelf.put(deal, now)

    def _moved(self, old: str, new: str) -> None:
        """An idea has another key on the shelf."""
        for deal, sheet in self._sheets.items():
            keys = {name: new if key == old else key for name, key in sheet.keys.items()}
            self._sheets[deal] = replace(sheet, keys=keys)

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
        self._change(self._made(how))

    def _made(self, how: Callable[[], Ideas[Row]]) -> Ideas[Row]:
        if not self.deal:
            raise Refused(_NO_DEAL)
        self._draft = None
        return self._said(how)

    @staticmethod
    def _said(how: Callable[[], A]) -> A:
        try:
            return how()
        except ValueError as error:
            raise Refused(str(error).replace("branch", "idea")) from error

    def _change(self, ideas: Ideas[Row]) -> None:
        if not self.deal:
            return
        names = [b.name for b in ideas.branches]
        sheet = self._sheet
        self._store(replace(sheet, ideas=ideas, beside=sheet.beside if sheet.beside in names else ""))
        self._keep()
        self.ideas_changed.emit()
        self._ask()

    def _store(self, sheet: _Sheet) -> None:
        if self.deal:
            self._sheets[self.deal] = sheet

    # -- judging ------------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """The pad is looked at: the open deal is made ready for trades."""
        if not self._awake and self.deal:
            self._ask()

    def _deal_changed(self, _book: object) -> None:
        self._draft, self._known, self.result = None, None, None
        self._awake = False
        self._opened += 1
        self._latest.drop()
        self._load()
        self.ideas_changed.emit()
        self.judged.emit(None)
        self.beside_judged.emit(None)

    def _edited(self, _book: object) -> None:
        """Inputs of the deal are others: limits, say."""
        if self._awake:
            self._ask()

    def _ask(self) -> None:
        """Judges what is wanted now; what is typed meanwhile is judged next, and what lies between is passed over."""
        self._awake = bool(self.deal)
        desk, deal, opened = self._session.desk, self.deal, self._opened
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
        desk, deal, others = self._session.desk, self.deal, self._sheet.others
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
            if self.deal == deal:
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
        desk, deal, others = self._session.desk, self.deal, self._sheet.others
        if desk is None or not deal:
            raise Refused(_NO_DEAL)

        def done(found: TradeFile) -> None:
            if self.deal != deal:
                return
            sheet = self._sheet
            fresh = {fold(a.asset_id): a for a in (*sheet.others, *found.assets)}
            self._store(replace(sheet, others=tuple(fresh.values())))
            if self.rows:
                taken = {b.name for b in self.ideas.branches} | {i.name for i in self.shelf.ideas(deal)}
                self.fresh("" if path.stem in taken else path.stem)
            self.put(row_of(t) for t in found.trades)
            self._session.said.emit(
                f"{counted(len(found.trades), 'trade')} of {path.name} put into {self.ideas.current.name}."
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
            lambda count: self._session.said.emit(f"{counted(count, 'trade')} written to {path}."),
        )

    def _file(self, name: str, work: Callable[[], A], done: Callable[[A], object]) -> None:
        def failed(error: Exception) -> None:
            if not isinstance(error, Refused):
                raise error
            self._session.refused.emit(error.message)

        self._session.lanes.start(DATABASE, name, lambda _report: work(), done=done, failed=failed)
