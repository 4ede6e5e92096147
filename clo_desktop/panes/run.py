"""Run: assumptions, progress with time left and cancel, what came out, and what had to be assumed."""

from __future__ import annotations

import datetime as dt
from typing import Final

from PySide6.QtCore import QDate, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QDateEdit,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.work.lanes import State
from clo_desktop.work.session import Session, Timed
from engine.assumptions import Assumptions
from engine.projection import Projection
from engine.terms import Book

_BEAT: Final = 100  # ms between looks at the progress


def _box(name: str, top: float, unit: str, step: float, decimals: int) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0.0, top)
    box.setDecimals(decimals)
    box.setSingleStep(step)
    box.setSuffix(f" {unit}")
    box.setAccessibleName(name)
    box.setAlignment(Qt.AlignmentFlag.AlignRight)
    box.setKeyboardTracking(False)
    return box


class RunPane(QWidget):
    """The assumptions of a projection and its outcome. Enter in a field, or F5, runs."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.cpr = _box("Prepayment rate", 100.0, "%", 1.0, 2)
        self.cdr = _box("Default rate", 100.0, "%", 0.5, 2)
        self.severity = _box("Loss severity", 100.0, "%", 5.0, 1)
        self.lag = _box("Recovery lag", 120.0, "months", 1.0, 0)
        self.sale_price = _box("Sale price at redemption", 200.0, "% of par", 0.5, 2)
        self.shift = _box("Shift of the curve", 1000.0, "bp", 25.0, 0)
        self.shift.setRange(-1000.0, 1000.0)
        self.reinvest = QCheckBox("Reinvest as the deal allows")
        self.reinvest.setChecked(True)
        self.called = QCheckBox("Redeem early, from")
        self.called.setToolTip("The pool is sold on the first payment date on or after this day")
        self.call_date = QDateEdit(QDate.currentDate().addYears(2))
        self.call_date.setDisplayFormat("yyyy-MM-dd")
        self.call_date.setCalendarPopup(True)
        self.call_date.setEnabled(False)
        self.call_date.setAccessibleName("Redemption from")
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
            buttons.addWidget(button)
        buttons.addStretch()
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the run")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.state = QLabel("Choose a deal to run.")
        self.state.setWordWrap(True)
        self.state.setAccessibleName("State of the run")
        self.outcome = QLabel("")
        self.outcome.setTextFormat(Qt.TextFormat.RichText)
        self.outcome.setWordWrap(True)
        self.outcome.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.outcome.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.outcome.setAccessibleName("Outcome of the run")
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addLayout(form)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.state)
        column.addWidget(self.outcome, 1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT)
        self._timer.timeout.connect(self._look)
        self._fresh = True  # the fields still have to take the deal's own assumptions
        session.book_changed.connect(self._deal_changed)
        session.projection_changed.connect(self._show)
        session.lanes.changed.connect(self._watch)
        self.setFocusProxy(self.cpr)

    def assumptions(self) -> Assumptions:
        """What the fields say, also what is typed and not yet left. Raises ValueError for what is no assumption."""
        for box in (self.cpr, self.cdr, self.severity, self.lag, self.sale_price, self.shift):
            box.interpretText()
        day = self.call_date.date()
        return Assumptions(
            cpr=self.cpr.value() / 100.0,
            cdr=self.cdr.value() / 100.0,
            severity=self.severity.value() / 100.0,
            lag=self.lag.value(),
            sale_price=self.sale_price.value(),
            rate_shift=self.shift.value() / 1e4,
            call_date=dt.date(day.year(), day.month(), day.day()) if self.called.isChecked() else None,
            reinvest=self.reinvest.isChecked(),
        )

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
            self.outcome.setText("")
            return
        flows = timed.projection
        if self._fresh:
            self._fresh = False
            self.cpr.setValue(flows.rates["cpr"] * 100.0)
            self.cdr.setValue(flows.rates["cdr"] * 100.0)
            self.severity.setValue(flows.rates["severity"] * 100.0)
            self.lag.setValue(flows.rates["lag"])
            self.sale_price.setValue(flows.structure.sale_price * 100.0)
            self.shift.setValue(flows.assumptions.rate_shift * 1e4)
        self.state.setText(f"Done in {timed.seconds * 1000:,.0f} ms.")
        self.outcome.setText(outcome_text(flows))


def outcome_text(flows: Projection) -> str:
    """What came of a run, as rich text: equity, notes, tests, balance of cash, what was assumed."""
    irr = flows.equity_irr
    total = float(flows.paid(flows.equity).sum())
    gap = float(abs(flows.sources - flows.uses).max())
    owed = flows.result.balance[-1] + flows.result.deferred[-1] + flows.result.unpaid[-1]
    unpaid = [t.name for k, t in enumerate(flows.tranches) if k != flows.equity and owed[k] > 1.0]
    lines = [
        f"<b>Subordinated notes</b>: {formats.text('money', total)} in all, IRR since purchase "
        f"{formats.with_unit('rate', irr)}",
        f"<b>Notes</b>: {'all repaid' if not unpaid else 'not repaid in full: ' + ', '.join(unpaid)}"
        f" by {flows.payment_dates[-1].isoformat()}",
    ]
    for k, test in enumerate(flows.document.tests):
        failing = [
            d
            for d, x in zip(flows.payment_dates, flows.result.ratio[:, k], strict=True)
            if x < flows.structure.triggers[k]
        ]
        if failing:
            lines.append(
                f"<b>{test.id.replace('_', ' ')}</b> fails first on {failing[0].isoformat()}"
                f" ({len(failing)} of {len(flows.payment_dates)} dates)"
            )
    cents = "to a cent" if gap < 0.005 else f"but for {gap:,.2f}"
    lines.append(f"<b>Sources = uses</b> {cents} on each of {len(flows.payment_dates)} dates")
    lines.append(f"<b>Priority of payments</b>: {flows.document.title}")
    if flows.assumed:
        lines.append("<b>Assumed, for the workbook leaves it blank</b>: " + "; ".join(flows.assumed))
    lines += list(flows.structure.notes)
    return "<br>".join(line.replace("&", "&amp;") for line in lines)
