"""Cash flows: class balances, distributions and coverage ratios over the payment dates, and the same as tables.

A click on a payment shows the steps that led to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QPushButton,
    QSplitter,
    QStackedLayout,
    QWidget,
)

from clo_desktop.charts.bars import BarChart
from clo_desktop.charts.base import TimeCursor
from clo_desktop.charts.flows import draw_classes, draw_ratios
from clo_desktop.charts.lines import LineChart
from clo_desktop.charts.stacked import StackedChart
from clo_desktop.look.words import Tabs
from clo_desktop.tables.empty import RunFirst
from clo_desktop.tables.flows import TABLES, classes_frame, payee
from clo_desktop.tables.frame import Frame
from clo_desktop.tables.panel import Panel
from clo_desktop.tables.priority import PriorityList
from clo_desktop.tables.steps import StepsView, payment_text
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.session import Session, Timed
from engine.projection import Projection
from engine.waterfall.trace import Trace, explain

_SHARES: Final = (0.30, 0.26, 0.44)
"""Of the height, for charts, tables and the steps of a payment while they are shown."""


class PaymentPanel(Panel):
    """Why a class or a fee was paid what it was paid: the steps of the date with cash before, due, paid, short, after.

    more_wanted  the payment is to be shown in its own pane
    """

    more_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        every, more = QCheckBox("All steps"), QPushButton("Open in Waterfall")
        steps = StepsView("Steps that led to the payment", dense=True)
        super().__init__("The payment", steps, every, more, parent=parent)
        self.every, self.more, self.steps = every, more, steps
        self.every.setToolTip("Also the steps that had nothing to do on this date")
        self.steps.show_every(False)
        self.every.toggled.connect(self.steps.show_every)
        self.more.clicked.connect(self.more_wanted)

    def show_trace(self, trace: Trace, currency: str) -> None:
        self.head.setText(payment_text(trace, currency))
        self.steps.show_trace(trace, currency)


class CashFlowsPane(QWidget):
    """Three charts with one time cursor above the tables; a click in a chart goes to the date's row.

    A click on a payment, in the bars or in a table, opens its steps below; they follow the current cell.
    """

    def __init__(self, session: Session, ask_run: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._shown: tuple[dt.date, str] | None = None
        cursor = TimeCursor(self)
        self.balances = StackedChart("Class balances", "USD million", cursor=cursor)
        self.paid = BarChart("Distributions", "USD million", cursor=cursor)
        self.ratios = LineChart("Coverage ratios", "%", decimals=1, cursor=cursor)
        self.balances.link_dates(self.paid)
        self.ratios.link_dates(self.paid)
        charts = QSplitter(Qt.Orientation.Horizontal)
        for chart in (self.balances, self.paid, self.ratios):
            charts.addWidget(chart)
        frame, sets = classes_frame(None)
        self.classes = FrameTable(frame, name="Class cash flows", frozen=1, filters=False, sets=sets)
        self.tables = {
            title: FrameTable(build(None), name=title, frozen=1, filters=False, footer=title != "Coverage tests")
            for title, build in TABLES.items()
        }
        self.coverage, self.cash = self.tables["Coverage tests"], self.tables["Sources and uses"]
        self._tables = {"Classes": self.classes, **self.tables}
        self.priority = PriorityList()
        self.tabs = Tabs()
        for title, widget in (
            *self._tables.items(),
            ("Priority of payments", self.priority),
        ):
            self.tabs.addTab(widget, title)
        self.payment = PaymentPanel()
        self.payment.hide()
        self._split = QSplitter(Qt.Orientation.Vertical)
        for widget in (charts, self.tabs, self.payment):
            self._split.addWidget(widget)
        self._split.setCollapsible(2, False)
        self._split.setSizes([420, 380, 0])
        self._before: list[int] = []
        self._empty = RunFirst(session, "There is no projection yet. Open a deal and run it.", ask_run)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self._empty)
        self._layers.addWidget(self._split)
        self._steps: list[Callable[[], None]] = []
        self._pace = QTimer(self)
        self._pace.setInterval(0)
        self._pace.timeout.connect(self._step)
        self._reveal = QTimer(self)
        self._reveal.setSingleShot(True)
        self._reveal.setInterval(0)
        self._reveal.timeout.connect(self._bring_current)
        session.projection_changed.connect(self._show)
        cursor.picked.connect(self._go_to)
        self._connect()

    def _connect(self) -> None:
        self.paid.bar_picked.connect(self.show_payment)
        for title, table in self._tables.items():
            table.grid.clicked.connect(partial(self._clicked, title))
            table.grid.moved.connect(partial(self._follow, title))
            table.grid.escaped.connect(self.close_payment)
            table.row_activated.connect(partial(self._activate, title))
        self.payment.closed.connect(self.close_payment)
        self.payment.more_wanted.connect(self._open_in_waterfall)

    # -- a projection -----------------------------------------------------------------------------------------------

    def _show(self, timed: Timed | None) -> None:
        """Charts and tables take the projection one by one, so that the window does not stall."""
        self._steps.clear()
        if timed is None:
            self.close_payment()
            self._layers.setCurrentIndex(0)
            return
        flows = timed.projection
        self._steps += [
            lambda: draw_classes(flows, self.balances, self.paid),
            lambda: draw_ratios(flows, self.ratios),
            lambda: self._fill_classes(flows),
            *(partial(self._fill, table, TABLES[title], flows) for title, table in self.tables.items()),
            lambda: self.priority.set_document(flows.document),
            self._explain_again,
        ]
        self._layers.setCurrentIndex(1)
        self._pace.start()

    def _step(self) -> None:
        if self._steps:
            self._steps.pop(0)()
        if not self._steps:
            self._pace.stop()

    @property
    def filled(self) -> bool:
        """Whether everything shows the last projection."""
        return not self._steps

    @property
    def _flows(self) -> Projection | None:
        timed = self._session.projection
        return None if timed is None else timed.projection

    def _fill_classes(self, flows: Projection) -> None:
        frame, sets = classes_frame(flows)
        self.classes.set_frame(frame)
        self.classes.set_column_sets(sets)
        if self.classes.visible_columns() == ["date"]:
            self.classes.show_set("Payments")

    @staticmethod
    def _fill(table: FrameTable, build: Callable[[Projection | None], Frame], flows: Projection) -> None:
        """New columns show where none were hidden."""
        frame = build(flows)
        whole = len(table.visible_columns()) == len(table.frame.columns)
        table.set_frame(frame)
        if whole and len(table.visible_columns()) < len(frame.columns):
            table.show_columns([c.name for c in frame.columns])

    # -- the steps of a payment ---------------------------------------------------------------------------------------

    def show_payment(self, day: dt.date, name: str) -> None:
        """The steps that led to the payment of a class or a fee on a date, below the tables."""
        flows = self._flows
        try:
            if flows is None:
                raise ValueError("there is no projection")
            trace = explain(flows, day, name)
        except ValueError:  # another run: it has no such date, another deal no such class
            self.close_payment()
            return
        self._shown = (day, trace.class_name)
        self.payment.show_trace(trace, flows.currency)
        if self.payment.isHidden():
            self._before = self._split.sizes()
            height = sum(self._before) or self._split.height()
            self.payment.show()
            self._split.setSizes([round(height * share) for share in _SHARES])
            self._reveal.start()  # once the tables have their new height

    def close_payment(self) -> None:
        """Charts and tables get their room back, and the keyboard goes to the table it came from."""
        self._shown = None
        if self.payment.isHidden():
            return
        inside = QApplication.focusWidget()
        if inside is not None and self.payment.isAncestorOf(inside):
            self.tabs.currentWidget().setFocus(Qt.FocusReason.OtherFocusReason)
        self.payment.hide()
        self._split.setSizes(self._before)

    def _bring_current(self) -> None:
        """The cell that was clicked stays in sight in the lower table."""
        table = self.tabs.currentWidget()
        if isinstance(table, FrameTable):
            table.grid.scrollTo(table.grid.currentIndex())

    def _explain_again(self) -> None:
        """After a run: the same payment as it is now."""
        if self._shown is not None:
            self.show_payment(*self._shown)

    def _payment_at(self, title: str, index: QModelIndex) -> tuple[dt.date, str | None] | None:
        """Date and payee of a cell; no payee where the cell is about none."""
        table, flows = self._tables[title], self._flows
        day = table.model.key_at(index.row()) if index.isValid() else None
        if flows is None or not isinstance(day, dt.date):
            return None
        return day, payee(flows, title, table.frame.columns[index.column()].name)

    def _clicked(self, title: str, index: QModelIndex) -> None:
        found = self._payment_at(title, index)
        if found is not None and found[1] is not None and not QApplication.keyboardModifiers():
            self.show_payment(found[0], found[1])

    def _follow(self, title: str) -> None:
        """The steps follow the current cell while they are shown."""
        grid = self._tables[title].grid
        found = self._payment_at(title, grid.currentIndex())
        if self._shown is None or found is None or not grid.hasFocus():
            return
        wanted = (found[0], found[1] or self._shown[1])
        if wanted != self._shown:
            self.show_payment(*wanted)

    def _activate(self, title: str, _key: object) -> None:
        """Enter or a double click; without a payee in the cell that of the last payment, at first the equity."""
        flows, found = self._flows, self._payment_at(title, self._tables[title].grid.currentIndex())
        if flows is not None and found is not None:
            last = flows.tranches[flows.equity].name if self._shown is None else self._shown[1]
            self.show_payment(found[0], found[1] or last)

    def _open_in_waterfall(self) -> None:
        if self._shown is not None:
            self._session.payment_wanted.emit(*self._shown)

    def _go_to(self, day: dt.date) -> None:
        table = self.tabs.currentWidget()
        if isinstance(table, FrameTable):
            table.select_keys([day])
