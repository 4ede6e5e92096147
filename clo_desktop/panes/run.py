"""Run: assumptions, progress with time left and cancel, what came out, and what had to be assumed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QDate, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.fields import DateField, NumberField
from clo_desktop.look.outcome import outcome_text, said_text, scenario_text
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.work import rights, scenario_over
from clo_desktop.work.lanes import State
from clo_desktop.work.scenario import Scenario, read_scenario, scenario_of_text
from clo_desktop.work.scenario_written import text_of
from clo_desktop.work.session import Session, Timed
from clo_desktop.work.unsaved import Change
from engine.assumptions import Assumptions
from engine.projection import Projection
from engine.terms import Book

_BEAT: Final = 100  # ms between looks at the progress


_NARROWEST: Final = 280  # px: the fields fit, words wrap
_RESET: Final = "Back to the assumptions of the deal"
_SCENARIO: Final = "Runs what a file says: rates, curve, calls, rules by kind of asset, events"
_STALE: Final = "▲ Assumptions changed since this result: Run (F5) to update."

_SCALES: Final = {
    **dict.fromkeys(("cpr", "cdr", "severity", "call_below", "clean_up"), 100.0),
    **dict.fromkeys(("lag", "sale_price"), 1.0),
    "rate_shift": 1e4,
}
"""What a field shows for one of the assumption."""

__all__ = ["RunPane", "outcome_text"]


def _asked(scenario: Scenario | None) -> Assumptions:
    return Assumptions() if scenario is None else scenario.assumptions


def _used(flows: Projection) -> dict[str, float]:
    """The plain numbers that a run used, the scenario's or the deal's own."""
    asked, own = flows.assumptions, flows.structure
    return {
        **{name: flows.rates[name] for name in ("cpr", "cdr", "severity", "lag")},
        "sale_price": flows.sale_price,
        "rate_shift": asked.rate_shift,
        "call_below": (own.call_below if asked.call_below is None else asked.call_below) or 0.0,
        "clean_up": (own.clean_up if asked.clean_up is None else asked.clean_up) or 0.0,
    }


def _beside(asked: Assumptions) -> Assumptions:
    """What is assumed beside the fields."""
    none: dict[str, Any] = dict.fromkeys(_SCALES)
    return replace(asked, **(none | {"rate_shift": 0.0}), call_date=None, reinvest=True)


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
        self.call_below = NumberField("Distribution below which the deal is called", 0.0, 100.0, "%", 0.5, 2)
        self.call_below.setToolTip(
            "After the non-call period the deal is called when the equity gets less than this share of its original "
            "balance on a date; 0 %: never"
        )
        self.clean_up = NumberField("Par below which the deal is called", 0.0, 100.0, "%", 1.0, 2)
        self.clean_up.setToolTip(
            "After the non-call period the deal is called when its performing par is below this share of the par now; "
            "0 %: never"
        )
        self._fields = {
            "cpr": self.cpr,
            "cdr": self.cdr,
            "severity": self.severity,
            "lag": self.lag,
            "sale_price": self.sale_price,
            "rate_shift": self.shift,
            "call_below": self.call_below,
            "clean_up": self.clean_up,
        }
        self._own: dict[str, float] = {}  # the deal's own, in the units of the fields
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
        form.addRow("Call below", self.call_below)
        form.addRow("Clean-up call", self.clean_up)
        form.addRow(self.reinvest)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        self.run_button = PermitButton(session.seat, rights.RUN, "Run")
        self.run_button.setDefault(True)
        self.run_button.clicked.connect(self.run)
        self.cancel_button = QPushButton("Cancel")
        self.cancel_button.setEnabled(False)
        self.cancel_button.clicked.connect(self.cancel)
        self.reset_button = PermitButton(session.seat, rights.RUN, "Deal's own", _RESET)
        self.reset_button.clicked.connect(self._reset)
        buttons = QHBoxLayout()
        for button in (self.run_button, self.cancel_button, self.reset_button):
            button.setMinimumWidth(60)
            buttons.addWidget(button)
        buttons.addStretch()
        self.scenario_button = PermitButton(session.seat, rights.RUN, "Scenario file…", _SCENARIO)
        self.scenario_button.clicked.connect(self._choose_scenario)
        self.scenario_said = WrappedLabel()
        self.scenario_said.setTextFormat(Qt.TextFormat.RichText)
        self.scenario_said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.scenario_said.setAccessibleName("What the scenario file says")
        self.scenario_said.hide()
        files = QHBoxLayout()
        files.addWidget(self.scenario_button)
        files.addStretch()
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
        column.addLayout(files)
        column.addWidget(self.scenario_said)
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
        self._fresh = True  # the fields still have to take what the deal, or a scenario file, says
        self._scenario: Scenario | None = None  # what was loaded, and stands behind the fields
        self._coming: Scenario | None = None  # what they are to take next
        session.book_changed.connect(self._deal_changed)
        session.projection_changed.connect(self._show)
        session.scenario_wanted.connect(self._take)
        session.lanes.changed.connect(self._watch)
        session.seat.changed.connect(self._settle)
        self.setFocusProxy(self.cpr)
        for field in self._fields.values():
            field.valueChanged.connect(self._mark)
        self.called.toggled.connect(self._mark)
        self.reinvest.toggled.connect(self._mark)
        self.call_date.dateChanged.connect(self._mark)

    def assumptions(self) -> Assumptions:
        """What the fields say, also what is typed and not yet left, over what a scenario says; over its rules too where
        a field is not as the scenario left it.

        Raises ValueError for what is no assumption.
        """
        for field in self._fields.values():
            field.interpretText()
        made = scenario_over.over(_asked(self._scenario), self._changed())
        return replace(made, call_date=self._call_date(), reinvest=self.reinvest.isChecked())

    def _changed(self) -> dict[str, float]:
        """What the fields say that the scenario, or the deal, does not."""
        base = _asked(self._scenario)
        said = {name: self._value(name) for name in self._fields}
        return {name: value for name, value in said.items() if value is not None and value != getattr(base, name)}

    def _value(self, name: str) -> float | None:
        """What a field says; where it shows the result's own figure, what was asked for then (None: the deal's own)."""
        field, exact, timed = self._fields[name], self._exact.get(name), self._session.projection
        shown = field.value()
        if exact is not None and timed is not None and abs(exact - shown) <= field.half:
            found: float | None = getattr(timed.projection.assumptions, name)
            return found
        return shown / _SCALES[name]

    def _call_date(self) -> dt.date | None:
        day = self.call_date.date()
        return dt.date(day.year(), day.month(), day.day()) if self.called.isChecked() else None

    # -- what is not stored -------------------------------------------------------------------------------------------

    def unsaved(self) -> Change | None:
        """What the fields say that the deal does not, also what is typed and not yet left."""
        if self._fresh or not self._exact:
            return None
        own = self._own or self._exact
        typed = {name: field.typed for name, field in self._fields.items()}
        moved = {name: value for name, value in typed.items() if abs(value - own[name]) > self._fields[name].half}
        day, scenario = self._call_date(), self._scenario
        if not moved and day is None and self.reinvest.isChecked() and scenario is None:
            return None
        said = [
            f"{self._fields[n].accessibleName()} {formats.figure(v, 2)}{self._fields[n].suffix()}"
            for n, v in moved.items()
        ]
        said += [f"redeemed from {day}"] if day is not None else []
        said += [] if self.reinvest.isChecked() else ["no reinvestment"]
        said += [f"scenario {scenario.title or scenario.file_name}"] if scenario is not None else []
        return Change(
            f"Assumptions of the run: {', '.join(said)}",
            {
                "fields": typed,
                "call": None if day is None else day.isoformat(),
                "reinvest": self.reinvest.isChecked(),
                "scenario": None
                if scenario is None
                else [text_of(scenario.assumptions, scenario.title), scenario.file_name],
            },
        )

    def restore(self, kept: dict[str, Any]) -> None:
        """Puts the fields to what `unsaved` gave; the deal is not run for it. Raises ValueError or Refused."""
        scenario = None if kept["scenario"] is None else scenario_of_text(*kept["scenario"])
        day = None if kept["call"] is None else dt.date.fromisoformat(kept["call"])
        values = {name: float(kept["fields"][name]) for name in self._fields}
        self._scenario = scenario
        for name, value in values.items():
            self._fields[name].setValue(value)
        self.called.setChecked(day is not None)
        if day is not None:
            self.call_date.setDate(QDate(day.year, day.month, day.day))
        self.reinvest.setChecked(bool(kept["reinvest"]))
        self._tell_scenario()
        self._mark()

    @property
    def ready(self) -> bool:
        """Whether the fields show the deal's own assumptions, so that others can be put into them."""
        return not self._fresh and bool(self._exact)

    def run(self) -> None:
        """Runs the open deal under the assumptions of the fields; until they have the deal's own, under those."""
        try:
            self._session.run(_asked(self._coming) if self._fresh else self.assumptions())
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
        self._take(None)

    def _take(self, scenario: Scenario | None) -> None:
        """Runs what a scenario says (None: the deal's own assumptions); the fields take it from the result."""
        before = self._fresh, self._coming
        self._fresh, self._coming = True, scenario
        try:
            self._session.run(_asked(scenario))
        except Refused as refused:
            self._fresh, self._coming = before
            self.state.setText(refused.message)

    def _choose_scenario(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Scenario file", "", "Scenarios (*.yaml *.yml)")
        if file:
            self.load_scenario(Path(file))

    def load_scenario(self, file: Path) -> None:
        """Runs the open deal under a scenario file; what is wrong with it is said, and then nothing changes."""
        try:
            scenario = read_scenario(file)
        except Refused as refused:
            self.state.setText(refused.message)
            return
        self._take(scenario)

    def _tell_scenario(self) -> None:
        """What the loaded scenario file says, in words."""
        self.scenario_said.setVisible(self._scenario is not None)
        if self._scenario is not None:
            name, title = self._scenario.file_name, self._scenario.title
            rules = scenario_over.told(self._scenario.assumptions, self._changed(), "field")
            said = said_text(f"{title} ({name})" if title else name, self._scenario.assumptions)
            self.scenario_said.setText(f"{said}<p style='margin: 0'>{rules}</p>" if rules else said)
            self.scenario_said.setToolTip(scenario_text(self._scenario.assumptions))

    def _deal_changed(self, book: Book | None) -> None:
        self._fresh, self._scenario, self._coming = True, None, None
        self._tell_scenario()
        self._exact, self._own = {}, {}
        self.called.setChecked(False)
        self.reinvest.setChecked(True)
        self.shift.setValue(0.0)
        self.outcome.setText("")
        why = self._session.seat.why_not(rights.RUN)
        self.state.setText("Choose a deal to run." if book is None else why or f"{book.deal.name} is about to run.")

    def _settle(self) -> None:
        """Who may not run the deal reads why."""
        why = self._session.seat.why_not(rights.RUN)
        if why and self._session.book is not None:
            self.state.setText(why)

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
                self._fresh, self._coming = False, self._scenario  # the result before it stays, and the fields with it
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
        self._exact = {name: value * _SCALES[name] for name, value in _used(flows).items()}
        if flows.assumptions == Assumptions():
            self._own = self._exact
        if self._fresh:
            self._fresh, self._scenario = False, self._coming
            for name, field in self._fields.items():
                field.setValue(self._exact[name])
            day = flows.assumptions.call_date
            self.called.setChecked(day is not None)
            if day is not None:
                self.call_date.setDate(QDate(day.year, day.month, day.day))
            self.reinvest.setChecked(flows.assumptions.reinvest)
            self._tell_scenario()
        self.state.setText(f"Done in {formats.figure(timed.seconds * 1000, 0)} ms.")
        self.outcome.setText(outcome_text(flows))
        self._mark()

    def _mark(self, *_: object) -> None:
        """Says when the fields are no longer what the shown result was made of."""
        timed = self._session.projection
        if timed is None or self._fresh or not self._exact:
            self.stale.hide()
            return
        self._tell_scenario()
        asked = timed.projection.assumptions
        same = (
            all(abs(self._exact[n] - field.value()) <= field.half * 1.001 for n, field in self._fields.items())
            and asked.call_date == self._call_date()
            and asked.reinvest == self.reinvest.isChecked()
            and _beside(asked) == _beside(scenario_over.over(_asked(self._scenario), self._changed()))
        )
        self.stale.setVisible(not same)
