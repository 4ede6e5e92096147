"""Two ideas side by side: every test and figure of both."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.trades.frames import beside_columns, beside_figures, beside_frame, stopping
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.pad_rows import Judged

_NONE: Final = "none"
_TESTS: Final = ("kind", "change_kind")


def _bare(columns: tuple[Column, ...], key: str) -> Frame:
    return Frame(columns, {c.name: [] for c in columns}, key=key)


class BesideTab(QWidget):
    """The open idea beside another one. asked carries the name of that other ("" for none)."""

    asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.other = Choice("The idea to compare with")
        self.head = WrappedLabel()
        self.head.setAccessibleName("How the two ideas differ")
        label = QLabel("Compare with")
        label.setBuddy(self.other)
        self.tests = FrameTable(
            _bare(beside_columns("A", "B"), "number"), name="Tests of two ideas", frozen=3, footer=False
        )
        self.figures = FrameTable(
            _bare((Column("name", "Figure", "text"),), "name"),
            name="Figures of two ideas",
            frozen=1,
            filters=False,
            footer=False,
        )
        for table in (self.tests, self.figures):
            table.set_empty("Make a second idea (Duplicate), then choose here what to compare with.")
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(8)
        top.addWidget(label)
        top.addWidget(self.other)
        top.addWidget(self.head, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.tests)
        split.addWidget(self.figures)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 1)
        split.setSizes([450, 150])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(split, 1)
        self.setFocusProxy(self.other)
        self.other.activated.connect(lambda _index: self.asked.emit(self._name()))

    def _name(self) -> str:
        return "" if self.other.currentIndex() <= 0 else self.other.currentText()

    def offer(self, names: list[str], chosen: str) -> None:
        """The ideas there are besides the open one."""
        self.other.clear()
        self.other.addItems([_NONE, *names])
        self.other.setCurrentIndex(self.other.findText(chosen) if chosen in names else 0)

    def show_two(self, one: Judged | None, other: Judged | None, names: tuple[str, str], currency: str) -> None:
        """What both do; None: nothing is compared."""
        if one is None or other is None:
            self.tests.set_frame(_bare(self.tests.frame.columns, "number"))
            self.figures.set_frame(_bare(self.figures.frame.columns, "name"))
            self.head.setText("")
            return
        self._fill(self.tests, beside_frame(one.effect, other.effect, names, currency))
        now, after = one.effect.before, (one.effect.after, other.effect.after)
        self._fill(self.figures, beside_figures(*after, now, names, currency))
        told = [
            f"{name}: {formats.counted(len(j.trades), 'trade')}, "
            f"{stopping(j.effect.breaks, j.effect.worsens) or 'breaks nothing'}, cures "
            f"{', '.join(map(str, j.effect.cures)) or 'nothing'}"
            for name, j in zip(names, (one, other), strict=True)
        ]
        self.head.setText(".  ".join(told) + ".")

    @staticmethod
    def _fill(table: FrameTable, frame: Frame) -> None:
        other = frame.columns != table.frame.columns
        table.set_frame(frame)
        if other:
            table.show_columns([c.name for c in frame.columns if c.name not in _TESTS])
            table.fit_columns()
