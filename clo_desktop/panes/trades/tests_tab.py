"""Every test before and after, the chips above, how the chosen one came about below, and the rows that count."""

from __future__ import annotations

from typing import Final

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from clo_desktop.look import formats
from clo_desktop.look.layouts import stacked, with_drawer
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.trades import frames
from clo_desktop.tables.chips import Chips
from clo_desktop.tables.frame import Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.pad_rows import Judged
from engine.compliance import Standing
from engine.trades import Effect, TestChange

_PAUSE: Final = 150  # ms after the last keystroke
_CHOOSE: Final = "Choose a test to see its figures before and after; Enter shows the rows that count after the trades."


class TestsTab(QWidget):
    """The tests of the open idea. rows_asked carries the number of the test whose rows are wanted."""

    __test__ = False
    rows_asked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._effect: Effect | None = None
        self._currency = ""
        self._wordings: dict[int, str] = {}
        self.chips = Chips("Which tests are shown")
        self.chips.offer([("all", "All", 0), ("changed", "Changed", 0), ("breaking", "Breaking or worse", 0)])
        self.table = FrameTable(
            frames.tests_frame(None, ""),
            name="Tests before and after",
            frozen=3,
            footer=False,
            sets=frames.TEST_SETS,
        )
        self.detail = WrappedLabel(_CHOOSE)
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.detail.setAccessibleName("The chosen test before and after")
        self.rows_button = QPushButton("Rows that count after")
        self.rows_button.setEnabled(False)
        self.rows_button.clicked.connect(self._ask_rows)
        self._widen = QTimer(self)  # once typing pauses: measuring takes longer than showing
        self._widen.setSingleShot(True)
        self._widen.setInterval(_PAUSE)
        self._widen.timeout.connect(self.table.widen_columns)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.addWidget(self.chips)
        top.addStretch()
        drawer = QWidget()
        beside = QHBoxLayout(drawer)
        beside.setContentsMargins(8, 4, 8, 4)
        beside.addWidget(self.detail, 1)
        beside.addWidget(self.rows_button, 0, Qt.AlignmentFlag.AlignTop)
        stacked(self, top, with_drawer(self.table, drawer, 76))
        self.setFocusProxy(self.table)
        self.chips.chosen.connect(lambda _name: self._filter())
        self.table.filters_changed.connect(lambda _texts: self._filters_changed())
        self.table.current_changed.connect(lambda _key: self._tell())
        self.table.row_activated.connect(lambda _key: self._ask_rows())

    def show_judged(self, judged: Judged | None, currency: str) -> None:
        """What the trades do; sort, filters, scroll and selection stay."""
        effect = judged.effect if judged is not None else None
        self._effect, self._currency = effect, currency
        self._wordings = {} if judged is None else {r.number: r.wording for r in judged.trader.before.results}
        tests = effect.tests if effect is not None else ()
        changed = frames.only(effect, "changed")
        self.chips.offer(
            [
                ("all", "All", len(tests)),
                ("changed", "Changed", 0 if changed is None else len(changed)),
                ("breaking", "Breaking or worse", sum(t.breaks for t in tests)),
            ]
        )
        self.table.set_frame(frames.tests_frame(effect, currency), widen=False)
        self._widen.start()
        self._tell()

    def _filter(self) -> None:
        if self.chips.current == "all":
            self.table.set_extra_filter("chip", None)
            return
        self.table.set_extra_filter("chip", self._shown)

    def _shown(self, frame: Frame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows the chip shows; asked anew for every frame."""
        numbers = frames.only(self._effect, self.chips.current)
        if numbers is None:
            return np.ones(len(frame), dtype=bool)
        return np.isin(frame.array("number"), numbers)

    def _filters_changed(self) -> None:
        """Filters were cleared in the table: the chip goes with them."""
        if not self.table.is_filtered and self.chips.current != "all":
            self.chips.choose("all")

    def chosen(self) -> TestChange | None:
        """The test of the current row."""
        key = self.table.current_key()
        if self._effect is None or not isinstance(key, float):
            return None
        return next((t for t in self._effect.tests if t.number == int(key)), None)

    def _ask_rows(self) -> None:
        test = self.chosen()
        if test is not None:
            self.rows_asked.emit(test.number)

    def _tell(self) -> None:
        test = self.chosen()
        self.rows_button.setEnabled(test is not None)
        if test is None:
            self.detail.setText(_CHOOSE)
            return
        wording = self._wordings.get(test.number, "")
        lines = [
            f"Test {test.number}, {test.name}",
            f"Before: {self._side(test, test.before)}",
            f"After: {self._side(test, test.after)}",
        ]
        self.detail.setText("\n".join([*lines, f"Counts: {wording}"] if wording else lines))

    def _side(self, test: TestChange, standing: Standing | None) -> str:
        if standing is None:
            return "no figure"
        bound = "at most" if standing.direction == "MAX" else "at least"
        parts = [
            f"{formats.with_unit(test.kind, standing.result, self._currency)} against {bound} "
            f"{formats.with_unit(test.kind, standing.threshold, self._currency)}",
            frames.verdict(standing),
        ]
        if standing.denominator > 1.0:
            parts.append(f"{formats.figure(standing.numerator, 2)} / {formats.figure(standing.denominator, 2)}")
        return ", ".join(parts) + "."
