"""Run: assumptions, progress with time left and cancel, what came out, and what had to be assumed."""

from __future__ import annotations

import datetime as dt
from typing import Final

from PySide6.QtCore import QDate, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.faults import Refused
from clo_desktop.look.fields import DateField, NumberField
from clo_desktop.look.outcome import outcome_text
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.work.lanes import State
from clo_desktop.work.session import Session, Timed
from engine.assumptions import Assumptions
from engine.terms import Book

_BEAT: Final = 100  # ms between looks at the progress


_NARROWEST: Final = 280  # px: the fields fit, words wrap
_STALE: Final = "▲ Assumptions changed since this result: Run (F5) to update."

__all__ = ["RunPane", "outcome_text"]


class RunPane(QWidget):
    """The assumptions of a projection and its outcome. Enter in a field, or F5, runs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.cpr = NumberField("Prepayment rate", 0.0, 100.0, "%", 1.0, 2)
        self.cdr = NumberField("Default rate", 0.0, 100.0, "%", 0.5, 2)
        self.severity = NumberField("Loss severity", 0.0, 100.0, "%", 5.0, 1)
        self.lag = NumberField("Recovery lag", 0.0, 120.0, "months", 1.0, 0)
        self.sale_price = NumberField("Sale price at redemption", 0.0, 200.0, "%", 0.5, 2)
        self.sale_price.setToolTip("Percent of par")
        self.shift = NumberField("Shift of the curve", -1000.0, 1000.0, "bp", 25.0, 0)
        self._fields = {
            "cpr": self.cpr,
            "cdr": self.cdr,
            "severity": self.severity,
            "lag": self.lag,
            "sale_price": self.sale_price,
            "shift": self.shift,
        }
        self._exact: dict[str, float] = {}  # what the shown result was made of, in the units of the fields
        self.reinvest = QCheckBox("Reinvest as the deal allows")
        self.reinvest.setChecked(True)
        self.called = QCheckBox("Redeem early, from")
        self.called.setToolTip("The pool is sold on the first payment date on or after this day")
        self.call_date = DateField("Redemption from", QDate.currentDate().addYears(2))
        self.call_date.setEnabled(False)
        self.called.toggled.connect(self.call_date.setEnabled)
        form = QFormLayout()
        form.addRow("CPR (a year)", self.cpr)
        form.addRow("CDR (a year)", self.cdr)
        form.addRow("Severity", self.severity)
        form.addRow("Recovery lag", self.lag)
        form.addRow("Sale price", self.sale_price)
        form.addRow("Shift of the curve", self.shift)
        form.addRow(self.called, self.call_date)
        form.addRow(self.reinvest)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.run_button = QPushButton("Run")
        self.run_button.setDefault(True)
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setEnabled(False)
        self.cancel_button.clicked.connect(self.cancel)
        self.reset_button = QPushButton("Deal's own")
        self.reset_button.setToolTip("Back to the assumptions of the deal")
        self.reset_button.clicked.connect(self._reset)
        buttons = QHBoxLayout()
        for button in (self.run_button, self.cancel_button, self.reset_button):
            button.setMinimumWidth(60)
            buttons.addWidget(button)
        buttons.addStretch()
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the run")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(10)
        self.state = WrappedLabel("Choose a deal to run.")
        self.state.setAccessibleName("State of the run")
        self.stale = AttentionLabel(_STALE)
        self.stale.setAccessibleName("Whether the result is of these assumptions")
        self.stale.hide()
        self.outcome = WrappedLabel()
        self.outcome.setTextFormat(Qt.TextFormat.RichText)
        self.outcome.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.outcome.setAccessibleName("Outcome of the run")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(6, 6, 6, 6)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.state)
        column.addWidget(self.stale)
        column.addWidget(self.outcome, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setMinimumWidth(_NARROWEST)
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT)
        self._timer.timeout.connect(self._look)
        self._fresh = True  # the fields still have to take the deal's own assumptions
        session.book_changed.connect(self._deal_changed)
        session.projection_changed.connect(self._show)
        session.lanes.changed.connect(self._watch)
        self.setFocusProxy(self.cpr)
        for field in self._fields.values():
            field.valueChanged.connect(self._mark)
        self.called.toggled.connect(self._mark)
        self.reinvest.toggled.connect(self._mark)
        self.call_date.dateChanged.connect(self._mark)

    def assumptions(self) -> Assumptions:
        """What the fields say, also what is typed and not yet left. Raises ValueError for what is no assumption."""
        for field in self._fields.values():
            field.interpretText()
        return Assumptions(
            cpr=self._value("cpr") / 100.0,
            cdr=self._value("cdr") / 100.0,
            severity=self._value("severity") / 100.0,
            lag=self._value("lag"),
            sale_price=self._value("sale_price"),
            rate_shift=self._value("shift") / 1e4,
            call_date=self._call_date(),
            reinvest=self.reinvest.isChecked(),
        )

    def _value(self, name: str) -> float:
        """What a field says; where it shows the result's own figure, that figure with all its decimals."""
        field, exact = self._fields[name], self._exact.get(name)
        shown = field.value()
        return exact if exact is not None and abs(exact - shown) <= field.half else shown

    def _call_date(self) -> dt.date | None:
        day = self.call_date.date()
        return dt.date(day.year(), day.month(), day.day()) if self.called.isChecked() else None

    def run(self) -> None:
        """Runs the open deal under the assumptions of the fields; until they have the deal's own, under those."""
        try:
            self._session.run(Assumptions() if self._fresh else self.assumptions())
        except (ValueError, Refused) as error:
            self.state.setText(str(error))

    def cancel(self) -> None:
        if self._session.running is not None:
            self._session.running.cancel()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run()
        else:
            super().keyPressEvent(event)

    def _reset(self) -> None:
        self._fresh = True
        try:
            self._session.run(Assumptions())
        except Refused as refused:
            self.state.setText(refused.message)

    def _deal_changed(self, book: Book | None) -> None:
        self._fresh = True
        self._exact = {}
        self.called.setChecked(False)
        self.reinvest.setChecked(True)
        self.shift.setValue(0.0)
        self.outcome.setText("")
        self.state.setText("Choose a deal to run." if book is None else f"{book.deal.name} is about to run.")

    def _watch(self) -> None:
        task = self._session.running
        busy = task is not None and any(t is task for t in self._session.lanes.under_way)
        self.cancel_button.setEnabled(busy)
        if busy and not self._timer.isActive():
            self._timer.start()
        elif not busy and self._timer.isActive():
            self._timer.stop()
            self.progress.setValue(0)
            if task is not None and task.state in (State.CANCELLED, State.FAILED) and self._exact:
                self._fresh = False  # the result before it stays, and the fields with it
            if task is not None and task.state is State.CANCELLED:
                self.state.setText("Cancelled; nothing was changed.")
            elif task is not None and task.state is State.FAILED:
                self.state.setText("The run failed; what is wrong was said.")

    def _look(self) -> None:
        """Progress of the run, or of what it waits for."""
        waiting = self._session.running
        task = next(iter(t for t in self._session.lanes.under_way if t.lane == "engine"), waiting)
        if task is None or waiting is None:
            return
        self.progress.setValue(round(task.fraction * 1000))
        left = task.seconds_left
        ahead = "" if task is waiting else f"Waiting: {task.name.lower()}. "
        time_left = "" if left is None else f" About {left:.0f} s left."
        self.state.setText(f"{ahead}{task.what or 'Starting'}.{time_left}")

    def _show(self, timed: Timed | None) -> None:
        if timed is None:
            self._exact = {}
            self.outcome.setText("")
            self._mark()
            return
        flows = timed.projection
        self._exact = {
            "cpr": flows.rates["cpr"] * 100.0,
            "cdr": flows.rates["cdr"] * 100.0,
            "severity": flows.rates["severity"] * 100.0,
            "lag": flows.rates["lag"],
            "sale_price": flows.sale_price,
            "shift": flows.assumptions.rate_shift * 1e4,
        }
        if self._fresh:
            self._fresh = False
            for name, field in self._fields.items():
                field.setValue(self._exact[name])
            self.called.setChecked(flows.assumptions.call_date is not None)
            self.reinvest.setChecked(flows.assumptions.reinvest)
        self.state.setText(f"Done in {timed.seconds * 1000:,.0f} ms.")
        self.outcome.setText(outcome_text(flows))
        self._mark()

    def _mark(self, *_: object) -> None:
        """Says when the fields are no longer what the shown result was made of."""
        timed = self._session.projection
        if timed is None or self._fresh or not self._exact:
            self.stale.hide()
            return
        asked = timed.projection.assumptions
        same = (
            all(abs(self._exact[n] - field.value()) <= field.half * 1.001 for n, field in self._fields.items())
            and asked.call_date == self._call_date()
            and asked.reinvest == self.reinvest.isChecked()
        )
        self.stale.setVisible(not same)
