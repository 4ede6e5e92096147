"""The steps of a payment date as a table, what led to the chosen one below it. Panes share it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.formats import Show
from clo_desktop.look.outcome import spelled, spelled_in
from clo_desktop.look.words import WrappedLabel
from clo_desktop.tables.frame import Column, Frame, Mark, Total
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind
from engine.waterfall.trace import SectionTrace, StepTrace, TestTrace, Trace

_COLUMNS: Final = (
    Column("step", "Step", Kind.COUNT.value, tip="Place of the step in the order of the list"),
    Column("clause", "Clause", Kind.TEXT.value, tip="Waterfall, and letter of the numbered list"),
    Column("label", "Pays", Kind.TEXT.value),
    Column("outcome", "Tests", Show.OUTCOME.value, tip="Of the tests that decided: fail where one of them fails"),
    Column("before", "Cash before", Kind.MONEY.value, total=Total.NONE, tip="Cash in hand when the step came"),
    Column("due", "Due", Kind.MONEY.value, total=Total.NONE),
    Column("paid", "Paid", Kind.MONEY.value, total=Total.NONE, tip="Negative: received"),
    Column("short", "Short", Kind.MONEY.value, total=Total.NONE),
    Column("after", "Cash after", Kind.MONEY.value, total=Total.NONE),
    Column("to_class", "Of this to the payee", Kind.MONEY.value, tip="Part of what was paid that went to the class"),
    Column("tests", "Figures of the tests", Kind.TEXT.value),
)
COLUMNS: Final = tuple(c.name for c in _COLUMNS if c.name != "step")
"""What is shown at first; the rest is in the menu of the header."""
_NOTHING: Final = "\u00a0"  # an empty text would be a missing one
_INDENT: Final = "\u2003"
_WIDE: Final = 280  # px at most for what a step pays
_SHORT: Final = {"interest": "Interest", "principal": "Principal", "nps": "Notes", "acceleration": "Acceleration"}


def sentence_case(text: str) -> str:
    """A clause as a sentence of its own: first letter large, ids of tests as people write them."""
    return spelled_in(text[:1].upper() + text[1:])


def test_words(test: TestTrace) -> str:
    """A test with its figures: "OC D passes: 110.41 % against 106.90 %"."""
    verdict = "is not tested on this date" if not test.active else "passes" if test.passed else "fails"
    ratio = formats.with_unit("ratio", test.ratio) if test.ratio < 1e6 else "nothing owed"
    return f"{spelled(test.id)} {verdict}: {ratio} against {formats.with_unit('ratio', test.trigger)}"


def test_sum(test: TestTrace) -> str:
    """As `test_words`, with numerator and denominator."""
    parts = f"{formats.text('money', test.numerator)} / {formats.text('money', test.denominator)}"
    return f"{test_words(test)} ({parts})"


def step_text(step: StepTrace) -> str:
    """What a step does and when."""
    return sentence_case(f"{step.label}, {step.when}" if step.when else step.label)


def at_work(section: SectionTrace, step: StepTrace) -> bool:
    """Whether a step did something, could have, or missed what it should have done."""
    if step.kind == "branch":
        return True
    had_cash = section.cash_in > 0.005
    return bool(step.paid or step.missed or (had_cash and (step.due or step.tests)))


def steps_frame(trace: Trace | None, currency: str = "", *, every: bool = True) -> Frame:
    """The steps of a date, those at work or every one; steps that missed what was owed carry a mark."""
    rows: list[tuple[SectionTrace, StepTrace]] = []
    if trace is not None:
        rows = [(s, step) for s in trace.sections for step in s.steps if every or at_work(s, step)]
    data: dict[str, list[Any]] = {
        "step": [float(step.number) for _, step in rows],
        "clause": [f"{_short(section)} {step.letter}" for section, step in rows],
        "label": [_INDENT * step.depth + step_text(step) for _, step in rows],
        "before": [step.cash_before for _, step in rows],
        "due": [step.due for _, step in rows],
        "paid": [step.paid for _, step in rows],
        "short": [step.short for _, step in rows],
        "after": [step.cash_after for _, step in rows],
        "to_class": [step.to_class or None for _, step in rows],
        "outcome": [_outcome(step) for _, step in rows],
        "tests": ["; ".join(map(test_sum, step.tests)) for _, step in rows],
    }
    wrong = [int(Mark.BAD if step.missed else Mark.NONE) for _, step in rows]
    return Frame(_COLUMNS, data, key="step", currency=currency, marks={"short": np.array(wrong, dtype=np.uint8)})


def _short(section: SectionTrace) -> str:
    return _SHORT.get(section.name, section.name.replace("_", " ").capitalize())


def _outcome(step: StepTrace) -> str:
    """pass, fail, or nothing where no test in force decided."""
    if not any(test.active for test in step.tests):
        return _NOTHING
    return "pass" if all(test.passed for test in step.tests) else "fail"


def payment_text(trace: Trace, currency: str = "") -> str:
    """What a class was paid on a date, in a sentence."""
    parts = [
        f"{word} {formats.text('money', amount)}"
        for word, amount in (
            ("interest", trace.interest),
            ("deferred interest", trace.deferred),
            ("principal", trace.principal),
        )
        if amount
    ]
    split = f": {', '.join(parts)}" if parts else ""
    total = formats.with_unit("money", trace.total, currency)
    return f"{trace.class_name}, {trace.date.isoformat()} ({trace.phase}): paid {total}{split}"


class StepsView(QWidget):
    """The steps of a date with those of the class selected; the current step in full words below.

    dense  without filters and footer, for a place with little room
    """

    def __init__(self, name: str, *, dense: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._trace: Trace | None = None
        self._currency = ""
        self._every = True
        self.table = FrameTable(
            steps_frame(None), name=name, frozen=2, filters=not dense, footer=not dense, sets={"Steps": COLUMNS}
        )
        self.table.set_empty("No step had anything to do on this date.")
        self.detail = WrappedLabel()
        self.detail.setAccessibleName("The chosen step")
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.setContentsMargins(8, 4, 8, 4)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.table, 1)
        column.addWidget(self.detail)
        self.setFocusProxy(self.table)
        self.table.current_changed.connect(self._tell)

    def show_trace(self, trace: Trace, currency: str = "") -> None:
        self._trace, self._currency = trace, currency
        self._fill()

    def show_every(self, every: bool) -> None:
        """All steps of the date, or only those that had something to do."""
        self._every = every
        if self._trace is not None:
            self._fill()

    def _fill(self) -> None:
        trace = self._trace
        if trace is None:
            return
        first = not len(self.table.frame)
        self.table.set_frame(steps_frame(trace, self._currency, every=self._every))
        if first:
            label = self.table.frame.index["label"]
            self.table.grid.setColumnWidth(label, self.table.grid.wanted_width(label, _WIDE))
        self.table.select_keys([float(s.number) for s in trace.steps if s.to_class or (s.of_class and s.due)])
        self._tell(self.table.current_key())

    def _tell(self, key: object) -> None:
        sections = () if self._trace is None else self._trace.sections
        text = ""
        for section, step in ((s, step) for s in sections for step in s.steps if float(step.number) == key):
            tests = ". ".join(map(test_sum, step.tests))
            text = f"{section.title} ({step.letter}): {step_text(step)}." + (f" {tests}." if tests else "")
        self.detail.setText(text)
        self.detail.setVisible(bool(text))
