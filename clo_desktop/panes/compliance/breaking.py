"""What would break the chosen test: searched in the background when asked for; a sentence and its events."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look.layouts import stacked
from clo_desktop.look.words import WrappedLabel
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.breaking import Asked, breaches_of, sentence
from clo_desktop.work.lanes import ENGINE, Lanes, Task
from engine.asset import Kind
from engine.compliance import Compliance, Outcome, TestResult
from engine.trades.breach import Breach, What

_COLUMNS: Final = (
    Column("name", "Name", Kind.TEXT.value, widest=240),
    Column("event", "Event", Kind.TEXT.value),
    Column("par", "Par", Kind.MONEY.value),
    Column("assets", "Assets", Kind.TEXT.value, widest=240),
)
_HAPPENS: Final = {What.DEFAULT: "Defaults", What.CAA: "To Caa2/CCC", What.PRICE: "Price falls"}
_ASK: Final = "Search finds the smallest set of defaults and downgrades to Caa2/CCC that makes the test fail."


def events_frame(found: Breach | None) -> Frame:
    """The events of a set, a row each."""
    events = found.events if found is not None else ()
    data: dict[str, list[Any]] = {
        "name": [e.name for e in events],
        "event": [_HAPPENS[e.what] for e in events],
        "par": [e.par for e in events],
        "assets": [", ".join(e.assets) for e in events],
    }
    return Frame(_COLUMNS, data, key="assets")


class BreakTab(QWidget):
    """The search for one test; what was found stays known until the tests are evaluated anew."""

    def __init__(self, lanes: Lanes, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lanes = lanes
        self._done: Compliance | None = None
        self._result: TestResult | None = None
        self._task: Task[tuple[Breach, ...]] | None = None
        self._known: dict[int, Breach] = {}
        self.head = WrappedLabel()
        self.head.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.head.setAccessibleName("What would break the test")
        self.head.setContentsMargins(8, 4, 8, 4)
        self.search = QPushButton("Search")
        self.search.setToolTip(_ASK)
        self.search.clicked.connect(lambda _on=False: self.start())
        self.cancel = QPushButton("Cancel")
        self.cancel.clicked.connect(lambda _on=False: self._drop())
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(120, 10)
        self.progress.setAccessibleName("Progress of the search")
        self.table = FrameTable(
            events_frame(None), name="Events that break the test", frozen=1, filters=False, footer=False
        )
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        for widget in (self.search, self.progress, self.cancel):
            row.addWidget(widget)
        row.addStretch()
        stacked(self, row, self.head, self.table)
        self.setFocusProxy(self.table)
        lanes.changed.connect(self._look)
        self._tell()

    def show_test(self, done: Compliance | None, result: TestResult | None) -> None:
        """Turns to a test (None: none is chosen); a search for another one is stopped."""
        anew, other = done is not self._done, getattr(result, "number", None) != getattr(self._result, "number", None)
        if anew:
            self._known.clear()
        if anew or other:
            self._stop()
        self._done, self._result = done, result
        self._tell()

    def start(self) -> None:
        """Searches for the chosen test."""
        done, result = self._done, self._result
        if done is None or result is None or self._task is not None:
            return
        asked = Asked(result.number)

        def arrived(found: tuple[Breach, ...]) -> None:
            if self._done is done and self._task is made:
                self._task = None
                self._known |= {b.before.number: b for b in found}
                self._tell()

        def failed(error: Exception) -> None:
            if self._task is made:
                self._task = None
                self._tell(error.message if isinstance(error, Refused) else "The search failed.")
            if not isinstance(error, Refused):
                raise error

        try:
            made = self._lanes.start(
                ENGINE,
                f"What would break test {result.number}",
                lambda report: breaches_of(done, asked, report),
                done=arrived,
                failed=failed,
            )
        except Refused as refused:
            self._tell(refused.message)
            return
        self._task = made
        self._tell("Waiting for what is under way.")

    def _drop(self) -> None:
        self._stop()
        self._tell("Cancelled; nothing was changed.")

    def _stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _look(self) -> None:
        """How far the search is; one cancelled from elsewhere is over."""
        task = self._task
        if task is None:
            return
        if task.cancelling:
            self._drop()
            return
        self.progress.setValue(round(task.fraction * 1000))
        if task.what:
            self.head.setText(f"{task.what} …")

    def _tell(self, state: str = "") -> None:
        result, busy = self._result, self._task is not None
        passes = result is not None and result.outcome is Outcome.PASS
        self.search.setEnabled(passes and not busy)
        self.progress.setVisible(busy)
        self.cancel.setVisible(busy)
        found = self._known.get(result.number) if result is not None else None
        self.table.set_frame(events_frame(found))
        nothing = "No set was found." if found is not None else "Press Search to see the events."
        self.table.set_empty("Searching." if busy else nothing)
        if state:
            self.head.setText(state)
        elif result is None:
            self.head.setText("Choose a test.")
        elif not passes:
            self.head.setText("The test is past its limit already.")
        elif found is None:
            self.head.setText(_ASK)
        else:
            text = sentence(Asked(result.number), found, named=False)
            self.head.setText(text[0].upper() + text[1:])
