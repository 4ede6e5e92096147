"""Compliance: every test with outcome, result, limit and cushion; the chosen one is taken apart below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.layouts import stacked, with_drawer
from clo_desktop.look.outcome import beside_words
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import Tabs, WrappedLabel, as_text, short
from clo_desktop.panes.compliance.breaking import BreakTab
from clo_desktop.panes.compliance.frames import (
    CHIPS,
    SETS,
    aggregate,
    largest_only,
    shown_by,
    tests_frame,
)
from clo_desktop.panes.compliance.told import reckoning
from clo_desktop.panes.compliance.trend import TrendTab
from clo_desktop.tables.chips import Chips
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.movers import movers_frame
from clo_desktop.tables.undo_keys import undo_keys
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.edits import Edits
from clo_desktop.work.history import moment
from clo_desktop.work.session import Session
from clo_desktop.work.snapshots import Snapshots
from clo_desktop.work.standing import outcome_word
from engine.compliance import Compliance, TestResult, own
from engine.outputs.beside import beside
from engine.terms import Book

_ORDERS: Final[dict[str, tuple[SortKey, ...]]] = {
    "Failing and near first": (),
    "By cushion": (SortKey("cushion"),),
    "By number": (SortKey("number"),),
}
_CHOOSE: Final = "Choose a test to see how it is reckoned."
_NO_DEAL: Final = "No deal is open. Import a workbook, or choose a deal on the left."


class CompliancePane(QWidget):
    """The tests, and below them how the chosen one was reckoned.

    ask_test  opens the window in which tests of one's own are written: for a new one (None) or for that number
    """

    def __init__(
        self,
        session: Session,
        edits: Edits,
        ask_import: Callable[[], None],
        ask_test: Callable[[int | None], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._edits = edits
        self._ask_test = ask_test
        self.table = FrameTable(tests_frame(None), name="Compliance tests", frozen=2, footer=False, sets=SETS)
        self._ask_import = ask_import
        self.table.set_empty(_NO_DEAL, "Import…", ask_import)
        self._head = WrappedLabel()
        self._head.setAccessibleName("State of the tests")
        self.chips = Chips("Which tests are shown")
        self.chips.offer([(name, words, 0) for name, (words, _) in CHIPS.items()])
        self.order = Choice("Order of the tests")
        self.order.addItems(list(_ORDERS))
        self.order.setToolTip("Order of the tests")
        self.new_test = PermitButton(
            session.seat, rights.WRITE, "New test…", "A test of your own: at most 5 % of what you name"
        )
        self._detail = WrappedLabel(_CHOOSE)
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._detail.setAccessibleName("How the test is reckoned")
        self._rows = QPushButton("Show the rows that count")
        self._rows.setEnabled(False)
        self._population = QPushButton("Show all of the population")
        self._population.setToolTip("Every position the largest name is looked for among")
        self._population.hide()
        self._edit = PermitButton(session.seat, rights.WRITE, "Edit test…")
        self._edit.hide()
        self._remove = PermitButton(
            session.seat, rights.WRITE, "Remove test", "Takes the test out of the deal; Ctrl+Z brings it back"
        )
        self._remove.hide()
        self.movers = FrameTable(
            movers_frame(None, None), name="Positions behind the test", frozen=1, filters=False, footer=False
        )
        self.movers.set_empty(_CHOOSE)
        self.snapshots = Snapshots(session, self)
        self.trend = TrendTab(session.seat, self.take_snapshot, self.drop_snapshot, self.snapshots.look_ahead)
        self.breaking = BreakTab(session.lanes)
        self.tabs = Tabs()
        self.tabs.addTab(self.movers, "Positions")
        self.tabs.addTab(self.trend, "Trend")
        self.tabs.addTab(self.breaking, "What would break it")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 0, 8, 4)
        bar.setSpacing(8)
        bar.addWidget(self.chips, 1)
        bar.addWidget(self.order)
        bar.addWidget(self.new_test)
        self._head.setContentsMargins(8, 4, 8, 4)
        told = QScrollArea()
        told.setWidget(self._detail)
        told.setWidgetResizable(True)
        told.setFrameShape(QScrollArea.Shape.NoFrame)
        told.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        buttons = QHBoxLayout()
        for button in (self._rows, self._population, self._edit, self._remove):
            buttons.addWidget(button)
        buttons.addStretch()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(told, 1)
        column.addLayout(buttons)
        self._drawer = QSplitter(Qt.Orientation.Horizontal)
        self._drawer.addWidget(left)
        self._drawer.addWidget(self.tabs)
        self._drawer.setSizes([420, 660])
        self._drawer.setChildrenCollapsible(False)
        self._drawer.hide()
        stacked(self, self._head, bar, with_drawer(self.table, self._drawer, 280))
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        session = self._session
        self.chips.chosen.connect(lambda chip: self.table.set_extra_filter("chip", shown_by(chip)))
        self.table.filters_changed.connect(self._filtered)
        self.order.activated.connect(lambda _index: self.table.sort_by(*_ORDERS[self.order.currentText()]))
        self.table.grid.columns.sort_asked.connect(lambda *_: self.order.setCurrentIndex(-1))
        self.new_test.clicked.connect(lambda: self._ask_test(None))
        self._rows.clicked.connect(self._show_rows)
        self._population.clicked.connect(self._show_population)
        self._edit.clicked.connect(self._edit_test)
        self._remove.clicked.connect(self._remove_test)
        session.book_changed.connect(self._opened)
        session.compliance_changed.connect(self._show)
        session.projection_changed.connect(lambda _timed: self._tell(None))
        self.snapshots.found.connect(self._show_trend)
        self.table.current_changed.connect(self._tell)
        self.table.row_activated.connect(lambda _key: self._show_rows())
        self.movers.row_activated.connect(lambda key: session.asset_wanted.emit(str(key)))
        undo_keys(self, self._edits)
        self._settle()

    def _filtered(self, _texts: dict[str, str]) -> None:
        """Esc or "Clear filters" in the table shows every test again."""
        if not self.table.is_filtered:
            self.chips.first()

    def _opened(self, book: Book | None) -> None:
        """What is said while there are no tests, and nothing below it that asks to choose one."""
        self._drawer.setVisible(book is not None and bool(book.deal.limits))
        if book is None:
            self.table.set_empty(_NO_DEAL, "Import…", self._ask_import)
        elif not book.deal.limits:
            self.table.set_empty(
                f"{short(book.deal.name)} has no tests: its workbook has no concentration limits. Enter them there and "
                "import it again.",
                "Import…",
                self._ask_import,
            )
        else:
            self.table.set_empty(f"The tests of {short(book.deal.name)} are being evaluated.")

    def _show(self, done: Compliance | None) -> None:
        self.table.set_frame(tests_frame(done))
        words = [outcome_word(r) for r in done.results] if done is not None else []
        self.chips.offer([(n, text, sum(w in which or not which for w in words)) for n, (text, which) in CHIPS.items()])
        self._settle()
        if done is None:
            self._head.setText("")
            self._tell(None)
            return
        failing, kept = (sum(r.outcome.value == word for r in done.results) for word in ("fail", "maintained"))
        passed = {0: "all pass", 1: "1 fails"}.get(failing, f"{failing} fail")
        if kept:
            passed = f"{passed if failing else 'none fails outright'}, {kept} maintained or improved"
        as_of = f" as of {done.as_of.isoformat()}" if done.as_of else ""
        self._head.setText(
            f"{short(done.deal)}{as_of}: {len(done.results)} tests, {passed}.  "
            f"Collateral principal amount {formats.text('money', done.collateral_principal_amount)}.  "
            f"Readings: {done.readings.name}." + "".join(f"  {note}" for note in done.notes)
        )
        self._head.setToolTip(as_text(done.deal) if len(done.deal) > len(short(done.deal)) else "")
        self._tell(self.table.current_key())

    def _settle(self) -> None:
        """A test is written into a deal whose tests are there."""
        self.new_test.setEnabled(self._session.compliance is not None)

    def reveal(self, number: int) -> None:
        """Goes to the row of a test."""
        self.table.drop_filters()
        self.table.select_keys([float(number)])

    def _chosen(self) -> TestResult | None:
        key, done = self.table.current_key(), self._session.compliance
        if done is None or not isinstance(key, float):
            return None
        return next((r for r in done.results if r.number == int(key)), None)

    def _tell(self, _key: object) -> None:
        result, done = self._chosen(), self._session.compliance
        self._rows.setEnabled(result is not None)
        self._population.setVisible(result is not None and aggregate(result) == "largest")
        mine = result is not None and result.number >= own.FIRST
        self._edit.setVisible(mine)
        self._remove.setVisible(mine)
        self.movers.set_empty(_CHOOSE if result is None else "No position counts in the test or moves it.")
        self._show_trend()
        self.breaking.show_test(done, result)
        self.movers.set_frame(movers_frame(done, None if result is None or result.empty else result))
        if result is None or done is None:
            self._detail.setText(_CHOOSE)
            return
        self._detail.setText("\n".join(filter(None, [reckoning(result), self._beside(done, result)])))

    def _beside(self, done: Compliance, result: TestResult) -> str:
        """The coverage test of the last run beside one of these, and why they differ; "" for any other test."""
        timed, book = self._session.projection, self._session.book
        if timed is None or book is None:
            return ""
        found = beside(done, result, timed.projection)
        return "" if found is None else beside_words(result.number, found, book.deal.currency)

    # -- snapshots ----------------------------------------------------------------------------------------------------

    def _show_trend(self) -> None:
        book = self._session.book
        currency = book.deal.currency if book is not None else ""
        self.trend.show_test(self._chosen(), self.snapshots.stored, currency, self.snapshots.ahead)

    def take_snapshot(self) -> None:
        """Stores the tests as they stand; one of the same date is replaced when that is confirmed."""
        done = self._session.compliance
        there = self.snapshots.of(done.as_of) if done is not None else None
        if there is not None:
            question = (
                f"There is a snapshot of {there.as_of.isoformat()}, taken {moment(there.taken_at)}. Replace it by the "
                "tests as they stand now?"
            )
            if not self._sure("Take snapshot", question):
                return
        self._guarded(self.snapshots.take)

    def drop_snapshot(self, as_of: Any) -> None:
        """Deletes the snapshot of a date when that is confirmed."""
        if as_of is None:
            return
        question = f"Delete the snapshot of {as_of.isoformat()} with all its tests? That cannot be undone."
        if self._sure("Delete snapshot", question):
            self._guarded(lambda: self.snapshots.drop(as_of))

    def _sure(self, title: str, question: str) -> bool:
        return QMessageBox.question(self, title, as_text(question)) == QMessageBox.StandardButton.Yes

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Refused as refused:
            self._session.refused.emit(refused.message)

    # -- what is done with a test -------------------------------------------------------------------------------------

    def _show_rows(self) -> None:
        result = self._chosen()
        if result is not None:
            self._session.members_wanted.emit(largest_only(result))

    def _show_population(self) -> None:
        self._session.members_wanted.emit(self._chosen())

    def _edit_test(self) -> None:
        result = self._chosen()
        if result is not None:
            self._ask_test(result.number)

    def _remove_test(self) -> None:
        result = self._chosen()
        if result is not None:
            self._edits.remove_test(result.number, result.name)
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
