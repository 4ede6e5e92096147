"""Waterfall: the priority of payments as a numbered list, and for a payment date what each step did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedLayout, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.outcome import spelled, spelled_in
from clo_desktop.look.words import WrappedLabel
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.frame import Column, Frame, Mark, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.session import Session, Timed
from engine.asset import Kind
from engine.projection import Projection
from engine.waterfall.trace import StepTrace, TestTrace, Trace, explain

_COLUMNS: Final = (
    Column("step", "Step", Kind.COUNT.value, tip="Place of the step in the order of the run"),
    Column("section", "Waterfall", Kind.TEXT.value),
    Column("letter", "Clause", Kind.TEXT.value, tip="Letter of the numbered list"),
    Column("label", "Pays", Kind.TEXT.value),
    Column("due", "Due", Kind.MONEY.value, total=Total.NONE),
    Column("paid", "Paid", Kind.MONEY.value, total=Total.NONE),
    Column("short", "Short", Kind.MONEY.value, total=Total.NONE),
    Column("after", "Cash after", Kind.MONEY.value, total=Total.NONE),
    Column("to_class", "To the class", Kind.MONEY.value),
    Column("tests", "Tests", Kind.TEXT.value),
)


def test_words(test: TestTrace) -> str:
    """A test with its figures: "OC D passes: 110.41 % against 106.90 %"."""
    verdict = "passes" if test.passed else "fails"
    ratio = formats.with_unit("ratio", test.ratio) if test.ratio < 1e6 else "nothing owed"
    return f"{spelled(test.id)} {verdict}: {ratio} against {formats.with_unit('ratio', test.trigger)}"


def steps_frame(trace: Trace | None, currency: str = "") -> Frame:
    """The steps of a date; steps that were short carry a mark."""
    rows: list[tuple[str, StepTrace]] = []
    if trace is not None:
        rows = [(section.title, step) for section in trace.sections for step in section.steps]
    data: dict[str, list[Any]] = {
        "step": [float(step.number) for _, step in rows],
        "section": [title for title, _ in rows],
        "letter": [step.letter for _, step in rows],
        "label": [spelled_in(step.label) for _, step in rows],
        "due": [step.due for _, step in rows],
        "paid": [step.paid for _, step in rows],
        "short": [step.short for _, step in rows],
        "after": [step.cash_after for _, step in rows],
        "to_class": [step.to_class or None for _, step in rows],
        "tests": ["; ".join(map(test_words, step.tests)) for _, step in rows],
    }
    # principal that waits its turn is no shortfall; interest and fees that are short are
    wrong = [
        int(Mark.BAD if step.short > 0.005 and "principal" not in step.label.casefold() else Mark.NONE)
        for _, step in rows
    ]
    return Frame(_COLUMNS, data, key="step", currency=currency, marks={"short": np.array(wrong, dtype=np.uint8)})


class WaterfallPane(QWidget):
    """Choose a date and a class: every step with what was due, paid and short, and the tests that decided."""

    def __init__(self, session: Session, ask_run: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._flows: Projection | None = None
        self.date = Choice("Payment date")
        self.of_class = Choice("Class")
        self.head = WrappedLabel()
        self.head.setAccessibleName("The payment")
        self.table = FrameTable(steps_frame(None), name="Steps of the waterfall", frozen=1, footer=True)
        strip = QHBoxLayout()
        strip.setContentsMargins(8, 4, 8, 4)
        strip.setSpacing(8)
        for words, box in (("Payment date", self.date), ("Class", self.of_class)):
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
        column.addWidget(self.table, 1)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(EmptyState("There is no projection yet. Open a deal and run it.", "Run", ask_run))
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
            (self.of_class, [t.name for t in self._flows.tranches]),
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
        """The steps that led to the payment of a class on a date."""
        self.date.setCurrentText(day.isoformat())
        self.of_class.setCurrentText(class_name)

    def _explain(self) -> None:
        if self._flows is None or not self.date.currentText() or not self.of_class.currentText():
            return
        trace = explain(self._flows, dt.date.fromisoformat(self.date.currentText()), self.of_class.currentText())
        money = [formats.text("money", x) for x in (trace.total, trace.interest, trace.deferred, trace.principal)]
        self.head.setText(
            f"{trace.class_name} was paid {money[0]}: interest {money[1]}, deferred interest {money[2]}, "
            f"principal {money[3]} ({trace.phase})"
        )
        self.table.set_frame(steps_frame(trace, self._flows.currency))
        paying = [float(s.number) for section in trace.sections for s in section.steps if s.to_class]
        self.table.select_keys(paying)
