"""Waterfall: the priority of payments as a numbered list, and for a payment date what each step did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from clo_desktop.look.fields import Choice
from clo_desktop.look.words import WrappedLabel
from clo_desktop.tables.empty import RunFirst
from clo_desktop.tables.steps import StepsView, payment_text
from clo_desktop.work.session import Session, Timed
from engine.projection import Projection
from engine.waterfall.trace import explain, payees


class WaterfallPane(QWidget):
    """Choose a date and a class or fee: every step with what was due, paid and short, and the tests that decided."""

    def __init__(self, session: Session, ask_run: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flows: Projection | None = None
        self.date = Choice("Payment date")
        self.of_class = Choice("Class or fee")
        self.head = WrappedLabel()
        self.head.setAccessibleName("The payment")
        self.steps = StepsView("Steps of the waterfall")
        self.table = self.steps.table
        strip = QHBoxLayout()
        strip.setContentsMargins(8, 4, 8, 4)
        strip.setSpacing(8)
        for words, box in (("Payment date", self.date), ("Class or fee", self.of_class)):
            label = QLabel(words)
            label.setBuddy(box)
            strip.addWidget(label)
            strip.addWidget(box)
        strip.addWidget(self.head, 1)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(strip)
        column.addWidget(self.steps, 1)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(RunFirst(session, "There is no projection yet. Open a deal and run it.", ask_run))
        self._layers.addWidget(inside)
        self.setFocusProxy(self.date)
        session.projection_changed.connect(self._show)
        session.payment_wanted.connect(self.show_payment)
        self.date.currentIndexChanged.connect(lambda _index: self._explain())
        self.of_class.currentIndexChanged.connect(lambda _index: self._explain())

    def _show(self, timed: Timed | None) -> None:
        """Another projection: date and class stay as far as they are there."""
        self._flows = None if timed is None else timed.projection
        if self._flows is None:
            self._layers.setCurrentIndex(0)
            return
        for box, items in (
            (self.date, [d.isoformat() for d in self._flows.payment_dates]),
            (self.of_class, payees(self._flows)),
        ):
            chosen = box.currentText()
            box.blockSignals(True)
            box.clear()
            box.addItems(items)
            box.setCurrentIndex(max(0, box.findText(chosen)))
            box.blockSignals(False)
        self._layers.setCurrentIndex(1)
        self._explain()

    def show_payment(self, day: dt.date, class_name: str) -> None:
        """The steps that led to the payment of a class or a fee on a date."""
        self.date.setCurrentText(day.isoformat())
        self.of_class.setCurrentText(class_name)

    def _explain(self) -> None:
        if self._flows is None or not self.date.currentText() or not self.of_class.currentText():
            return
        trace = explain(self._flows, dt.date.fromisoformat(self.date.currentText()), self.of_class.currentText())
        self.head.setText(payment_text(trace, self._flows.currency))
        self.steps.show_trace(trace, self._flows.currency)
