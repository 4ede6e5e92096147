"""Trades: type hypothetical trades on the left, every test before and after on the right, at every keystroke."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeySequence, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.words import AttentionLabel, Tabs, WrappedLabel, as_text
from clo_desktop.panes.trades import frames
from clo_desktop.panes.trades.beside_tab import BesideTab
from clo_desktop.panes.trades.bids_tab import BidsTab
from clo_desktop.panes.trades.candidates_tab import MarginalTab, RankingTab
from clo_desktop.panes.trades.idea_bar import IdeaBar
from clo_desktop.panes.trades.projection_tab import ProjectionTab
from clo_desktop.panes.trades.row_list import RowList
from clo_desktop.panes.trades.stored_dialog import StoredIdeasDialog, sure_to_delete
from clo_desktop.panes.trades.tests_tab import TestsTab
from clo_desktop.panes.trades.words import UNIT, no_size, since_told, told
from clo_desktop.progress import Progress
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.desk import Desk
from clo_desktop.work.pad import Errand, Pad
from clo_desktop.work.pad_rows import Judged, Row, read_row
from clo_desktop.work.session import Session
from clo_desktop.work.unsaved import Change
from engine import trades
from engine.compliance import Compliance
from engine.terms import Book
from engine.trades import Size, Trader

_NO_DEAL: Final = "No deal is open. Import a workbook, or choose a deal on the left, then try trades on it here."
_WIDE: Final = 1600  # px from which pad and tests stand side by side
_CSV: Final = "Lists of trades (*.csv);;All files (*)"


class TradesPane(QWidget):
    """The trade pad. Nothing of it changes the deal."""

    def __init__(self, session: Session, ask_import: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.pad = Pad(session, self)
        self._errand: Errand | None = None
        self._noting: tuple[str, QInputDialog] | None = None  # the idea whose note is being typed
        self._wide: bool | None = None  # whether pad and tests stand side by side
        self._offered: Trader | None = None  # whose assets the list completes
        self.ideas = IdeaBar(
            session.seat,
            {
                "new": self._guarded(self.pad.fresh),
                "branch": self._guarded(self.pad.branch),
                "delete": self.ask_delete,
                "undo": self.pad.undo,
                "redo": self.pad.redo,
                "stored": self._guarded(self.show_stored),
                "note": lambda: self.ask_note(),
                "aside": self._guarded(self.pad.put_aside),
                "import": self.ask_file,
                "export": self.ask_place,
                "copy": self._copy_all,
            },
        )
        self.list = RowList()
        self.add_button = self._button("Add trade", "Begin a further trade (Enter in the last row)", self.list.add)
        self.remove_button = self._button("Remove", "Take the chosen rows out (Delete)", self.list.remove)
        self.largest_button = self._button(
            "Largest size that passes", "Put the largest par that breaks no test into the row (Ctrl+L)", self.largest
        )
        self.told = WrappedLabel()
        self.told.setAccessibleName("What the trades do")
        self.answer = WrappedLabel()  # what was asked for last, until the rows change
        self.answer.setAccessibleName("Largest size")
        self.answer.hide()
        self.since = AttentionLabel()
        self.since.setAccessibleName("What changed in the pool since the idea was made")
        self.since.hide()
        self.notes = AttentionLabel()
        self.notes.setAccessibleName("What to look at twice")
        self.figures = FrameTable(
            frames.figures_frame(None),
            name="Figures of the pool before and after",
            frozen=1,
            filters=False,
            footer=False,
            sets={"Figures": frames.FIGURE_SET},
        )
        self.figures.set_empty("The pool's figures stand here.")
        self.tests = TestsTab()
        self.beside = BesideTab()
        self.marginal = MarginalTab(self.pad)
        self.ranking = RankingTab(self.pad)
        self.bids = BidsTab(self.pad)
        self.projection = ProjectionTab(self.pad, session)
        self.members = FrameTable(
            frames.rows_frame(None, None, {}, ""), name="Rows that count after the trades", frozen=2
        )
        self.members.set_empty("Choose a test under Tests and press Enter: the rows that count after the trades.")
        self.tabs = Tabs()
        for title, tab in (
            ("Tests", self.tests),
            ("Side by side", self.beside),
            ("Effect of 1m", self.marginal),
            ("Ranking", self.ranking),
            ("Bid list", self.bids),
            ("Projection", self.projection),
            ("Rows", self.members),
        ):
            self.tabs.addTab(tab, title)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(EmptyState(_NO_DEAL, "Import…", ask_import))
        self._layers.addWidget(self._body())
        self.setFocusProxy(self.list)
        self._keys()
        self._connect()
        self._show_ideas()

    # -- making -------------------------------------------------------------------------------------------------------

    def _button(self, words: str, tip: str, act: Callable[[], object]) -> QPushButton:
        button = QPushButton(words)
        button.setToolTip(tip)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _on=False: act())
        return button

    def _body(self) -> QWidget:
        buttons = QHBoxLayout()
        buttons.setContentsMargins(8, 4, 8, 4)
        for button in (self.add_button, self.remove_button, self.largest_button):
            buttons.addWidget(button)
        buttons.addStretch()
        words = QVBoxLayout()
        words.setContentsMargins(8, 4, 8, 4)
        words.addWidget(self.since)
        words.addWidget(self.answer)
        words.addWidget(self.told)
        words.addWidget(self.notes)
        upper = QWidget()
        column = QVBoxLayout(upper)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.list, 1)
        column.addLayout(buttons)
        column.addLayout(words)
        self._left = QSplitter(Qt.Orientation.Vertical)
        self._left.addWidget(upper)
        self._left.addWidget(self.figures)
        self._left.setStretchFactor(0, 1)
        self.figures.setMinimumSize(200, 80)
        self.tabs.setMinimumSize(320, 200)  # what is in them scrolls; they are no reason for a high window
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self._left)
        self._split.addWidget(self.tabs)
        self._split.setStretchFactor(0, 2)
        self._split.setStretchFactor(1, 3)
        body = QWidget()
        whole = QVBoxLayout(body)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(self.ideas)
        whole.addWidget(self._split, 1)
        return body

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Pad and tests side by side where there is room, else one above the other; a change of shape only."""
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE
        if wide == self._wide:
            return
        self._wide = wide
        across, down = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self._split.setOrientation(across if wide else down)
        self._left.setOrientation(down if wide else across)
        self._split.setSizes([560, 1060] if wide else [330, 480])
        self._left.setSizes([460, 310] if wide else [540, 470])

    def _keys(self) -> None:
        """The keys work while the keyboard is in the pane; a cell that is being typed undoes its own letters first."""
        for keys, act in (
            ("Ctrl+Z", self.pad.undo),
            ("Ctrl+Y", self.pad.redo),
            ("Ctrl+Shift+Z", self.pad.redo),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _connect(self) -> None:
        pad = self.pad
        self._session.book_changed.connect(self._opened)
        self._session.edited.connect(self._edited)
        pad.ideas_changed.connect(self._show_ideas)
        pad.judged.connect(self._show)
        pad.beside_judged.connect(self._show_beside)
        pad.failed.connect(self._failed)
        self.ideas.chosen.connect(lambda name: self._guarded(partial(pad.switch, name))())
        self.ideas.named.connect(lambda name: self._guarded(partial(pad.rename, name))())
        self.beside.asked.connect(pad.compare)
        self.list.drafted.connect(pad.type)
        self.list.left.connect(pad.put)
        self.list.refused.connect(self._session.refused)
        self.tests.rows_asked.connect(self.show_rows)
        for tab in (self.marginal, self.ranking, self.bids):
            tab.taken.connect(self.take)

    def _guarded(self, act: Callable[[], object]) -> Callable[[], None]:
        """The act; what it refuses is said."""

        def call() -> None:
            try:
                act()
            except Refused as refused:
                self._session.refused.emit(refused.message)

        return call

    # -- what is shown ------------------------------------------------------------------------------------------------

    @property
    def _currency(self) -> str:
        return self._session.book.deal.currency if self._session.book is not None else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        """A deal is made ready for trades once the pane is looked at: it takes a fifth of a second of a lane."""
        super().paintEvent(event)
        QTimer.singleShot(0, self.pad.wake)

    def _opened(self, book: Book | None) -> None:
        self._layers.setCurrentIndex(0 if book is None else 1)
        self._drop_errand()
        for tab in (self.marginal, self.ranking, self.projection):
            tab.clear()
            tab.set_currency(self._currency)
        self.bids.clear()
        self.bids.set_currency(self._currency)
        self.ranking.offer(None)
        self.members.set_frame(frames.rows_frame(None, None, {}, ""))
        self.list.cells.set_assets(None)
        self.tests.table.set_empty("The deal is being made ready for trades.")
        self.told.setText("The deal is being made ready for trades." if book is not None else "")
        self.update()

    def _edited(self, _book: object) -> None:
        """The deal is another: what was worked out of it before is asked for again."""
        for tab in (self.marginal, self.ranking):
            tab.clear()

    def _show_ideas(self) -> None:
        """The ideas, and the rows of the open one."""
        ideas = self.pad.ideas
        self.ideas.show_ideas(ideas)
        if ideas.current.trades != self.list.rows.rows:
            self.answer.hide()
        self.list.set_rows(ideas.current.trades)
        names = [b.name for b in ideas.branches if b.name != ideas.current.name]
        self.beside.offer(names, self.pad.beside)
        why = self.pad.shelf.why_not
        unkept = [f"Ideas are for trying out and are not stored. {why}"] if why else []
        self.since.setText("\n".join(filter(None, [*unkept, since_told(self.pad.kept, self.pad.since)])))
        self.since.setVisible(bool(self.since.text()))

    def _show(self, judged: Judged | None) -> None:
        """What the trades do."""
        currency = self._currency
        self.list.rows.set_judged(judged, currency)
        self.tests.show_judged(judged, currency)
        self.figures.set_frame(frames.figures_frame(judged.effect if judged is not None else None, currency))
        self.projection.trades_changed(judged.trades if judged is not None else ())
        if judged is None:
            self.told.setText("")
            self.notes.setText("")
            self.notes.hide()
            return
        if self._offered is not judged.trader:
            self._offered = judged.trader
            self.list.cells.set_assets(judged.trader)
            self.ranking.offer(judged.trader)
            self.tests.table.set_empty("The deal has no tests: its workbook has no concentration limits.")
        self.told.setText(told(judged, currency))
        self.notes.setText("\n".join(f"▲ {formats.in_words(note)}" for note in judged.effect.notes))
        self.notes.setVisible(bool(judged.effect.notes))

    def _show_beside(self, other: Judged | None) -> None:
        names = (self.pad.ideas.current.name, self.pad.beside)
        self.beside.show_two(self.pad.result, other, names, self._currency)

    def _failed(self, why: str) -> None:
        self.told.setText(f"■ {why}")
        self.list.rows.set_judged(None, self._currency)
        self.tests.show_judged(None, "")
        self.tests.table.set_empty(why)
        self.figures.set_frame(frames.figures_frame(None))

    # -- what is not stored -------------------------------------------------------------------------------------------

    def unsaved_list(self) -> Change | None:
        """The bid list that was pasted or typed."""
        text = self.bids.text.toPlainText()
        if not text.strip():
            return None
        lines = sum(bool(line.strip()) for line in text.splitlines())
        return Change(f"Bid list: {formats.counted(lines, 'line')}", text)

    def restore_list(self, text: str) -> None:
        self.bids.text.setPlainText(str(text))

    def unsaved_note(self) -> Change | None:
        """The note that is being typed."""
        asking = self._noting
        if asking is None or not asking[1].textValue().strip():
            return None
        return Change(f"Note on {asking[0]}", [asking[0], asking[1].textValue()])

    def restore_note(self, kept: list[str]) -> None:
        """Asks for the note again, as far as it was typed."""
        name, text = kept
        if name in [branch.name for branch in self.pad.ideas.branches]:
            self.pad.switch(name)
        QTimer.singleShot(0, self, partial(self.ask_note, str(text)))  # after all else was taken back: it waits

    # -- what is done -------------------------------------------------------------------------------------------------

    def acts(self) -> dict[str, Callable[[], object]]:
        """What the window's commands do here."""
        return {
            "add": self.list.add,
            "largest": self.largest,
            "project": self._go_to(self.projection, self.projection.run),
            "new": self.pad.fresh,
            "branch": self.pad.branch,
            "stored": self.show_stored,
            "beside": self._go_to(self.beside),
            "marginal": self._go_to(self.marginal, self.marginal.run),
            "rank": self._go_to(self.ranking, self.ranking.run),
            "bids": self._go_to(self.bids),
            "import": self.ask_file,
            "export": self.ask_place,
        }

    def _go_to(self, tab: QWidget, act: Callable[[], object] | None = None) -> Callable[[], None]:
        """Shows a tab, and does something there."""

        def call() -> None:
            self.tabs.setCurrentWidget(tab)
            tab.setFocus()
            if act is not None:
                act()

        return call

    def take(self, row: Row) -> None:
        """Puts a trade from a table below the others."""
        self.pad.put([*self.pad.rows, row])
        self.list.go(len(self.list.rows.rows) - 1, "par")
        idea = self.pad.ideas.current.name
        self._session.said.emit(f"{row.side} {row.asset}: put into {idea} (Ctrl+Z takes it back).")

    def largest(self) -> None:
        """Puts the largest par that breaks no test into the current row, on top of the other rows."""
        place, judged = self.list.place, self.pad.result
        rows = self.pad.rows
        if judged is None or not 0 <= place < len(rows):
            self._say("Choose a row with a trade, then ask for its largest size.")
            return
        row = rows[place]
        seen = judged.seen[place] if judged.rows == rows else None
        begun = row if row.par.strip() else row.put("par", "1000")  # its own par does not matter
        others = [s.trade for i, s in enumerate(judged.seen) if i != place and s.trade is not None]
        if seen is None:
            self._say("A trade is being typed; leave its cell first, then ask again.")
            return
        finder = self.pad.finder
        assert finder is not None
        read = read_row(begun, place, finder)
        trade = seen.trade or read.trade
        if trade is None:
            self._say("; ".join(read.problems.values()) or "The row says no trade yet.")
            return
        self._drop_errand()

        def work(trader: Trader, _report: Progress) -> Size:
            try:
                return trades.largest(trader, trade, others)
            except ValueError as error:
                raise Refused(str(error)) from error

        def done(size: Size) -> None:
            if self.pad.rows != rows:
                self._say("The rows changed meanwhile; ask for the largest size again.")
                return
            stopped = ", ".join(map(str, size.stopped_by))
            bound = "nothing stops it but what is held, or the size of the deal"
            why = f"{UNIT} more would break {stopped}" if stopped else bound
            name = f"{trade.side.value} of {trade.asset_id}"
            if not size.par:
                self._say(no_size(name, stopped, judged))
                return
            shown = formats.with_unit("money", size.par, self._currency)
            self.pad.put([*rows[:place], row.put("par", f"{size.par:,.12g}"), *rows[place + 1 :]])
            self._say(f"Largest {name} that passes: {shown}; {why}. Ctrl+Z takes it back.")

        def over(why: str) -> None:
            self._errand = None
            if why:
                self._say(why)

        self._errand = self.pad.errand("Largest size", lambda _desk, trader, _report: trader, work, done, over)

    def _say(self, text: str) -> None:
        self._session.said.emit(text)
        self.answer.setText(text)
        self.answer.show()

    def _drop_errand(self) -> None:
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None

    def show_rows(self, number: int) -> None:
        """The rows that count in a test after the trades, beside what they were before."""
        judged = self.pad.result
        if judged is None:
            return
        wanted = judged.trades
        held = {h.asset_id: h.par for h in judged.trader.book.deal.holdings}

        def gather(_desk: Desk, trader: Trader, _report: Progress) -> Compliance:
            return trader.after(wanted)

        def done(after: Compliance) -> None:
            result = next((r for r in after.results if r.number == number), None)
            self.members.set_frame(frames.rows_frame(after, result, held, self._currency))
            self.members.fit_columns()
            self.tabs.setTabText(self.tabs.indexOf(self.members), f"Rows of {number}")
            self.tabs.setCurrentWidget(self.members)
            self.members.setFocus()

        self.pad.errand(f"Rows of test {number}", gather, lambda found, _report: found, done, lambda why: None)

    def ask_delete(self) -> None:
        """Deletes the open idea; one with trades or a note when that is confirmed."""
        name, kept = self.pad.ideas.current.name, self.pad.kept
        if kept is None or not (kept.rows or kept.note) or sure_to_delete(self, name, len(kept.rows)):
            self._guarded(self.pad.drop)()

    def ask_note(self, begun: str | None = None) -> QInputDialog:
        """Asks for the note on the open idea. begun  what was typed of it before; None: the note as it is stored"""
        kept, name = self.pad.kept, self.pad.ideas.current.name
        asking = QInputDialog(self)
        asking.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        asking.setWindowTitle("Note")
        asking.setLabelText(as_text(f"Note on {name}:"))
        asking.setOption(QInputDialog.InputDialogOption.UsePlainTextEditForTextInput)
        asking.setTextValue(begun if begun is not None else kept.note if kept is not None else "")
        self._noting = name, asking

        def ended(sure: int) -> None:
            self._noting = None
            if sure:
                self._guarded(partial(self.pad.note, asking.textValue()))()

        asking.finished.connect(ended)
        self._session.book_changed.connect(asking.reject)  # it is about an idea of the deal that is open
        asking.open()
        return asking

    def show_stored(self) -> None:
        """Opens the list of stored ideas."""
        if self._session.deal is None:
            raise Refused("No deal is open; choose one in the deal list.")
        dialog = StoredIdeasDialog(self.pad, self._session.deal, self._session.seat, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session.book_changed.connect(dialog.reject)  # it lists the ideas of the deal that is open
        dialog.open()

    def _copy_all(self) -> None:
        self.list.copy_all()

    def ask_file(self) -> None:
        """Asks for a list of trades and puts it into the pad."""
        file, _ = QFileDialog.getOpenFileName(self, "Import trades", "", _CSV)
        if file:
            self._guarded(partial(self.pad.import_file, Path(file)))()

    def ask_place(self) -> None:
        """Asks where to write the open idea as a list of trades."""
        name = "".join(c if c.isalnum() or c in " -_" else "-" for c in self.pad.ideas.current.name)
        file, _ = QFileDialog.getSaveFileName(self, "Export trades", f"{name}.csv", _CSV)
        if file:
            self._guarded(partial(self.pad.export_file, Path(file)))()
