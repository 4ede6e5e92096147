"""The legend of a chart: above the data, never over it, wrapped so that nothing is cut off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from clo_desktop.look import theme
from clo_desktop.look.tokens import GRID

_SWATCH: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """One name of the legend; `value` is what the cursor reads, `line` a line rather than a box."""

    name: str
    colour: str
    value: str = ""
    line: bool = False


class Legend(QWidget):
    """Paints entries side by side, on as many lines as they need."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[Entry] = []
        self._widest: dict[str, int] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def entries(self) -> list[Entry]:
        return list(self._entries)

    def set_entries(self, entries: list[Entry]) -> None:
        """What is shown. Where only values change, places stay: each keeps the room of its widest value."""
        names = {entry.name for entry in entries}
        self._widest = {name: width for name, width in self._widest.items() if name in names}
        for entry in entries:
            width = self.fontMetrics().horizontalAdvance(entry.value)
            self._widest[entry.name] = max(width, self._widest.get(entry.name, 0))
        self._entries = entries
        self.setAccessibleName("Legend: " + ", ".join(f"{e.name} {e.value}".strip() for e in entries))
        self._fit()
        self.update()

    def _boxes(self, width: int) -> list[QRect]:
        metrics = self.fontMetrics()
        line = metrics.height() + 4
        boxes: list[QRect] = []
        x, y = 0, 0
        for entry in self._entries:
            wanted = _SWATCH + 6 + metrics.horizontalAdvance(entry.name) + 2 * GRID
            if self._widest.get(entry.name):
                wanted += self._widest[entry.name] + 6
            if x and x + wanted > width:
                x, y = 0, y + line
            boxes.append(QRect(x, y, wanted, line))
            x += wanted
        return boxes

    def _fit(self) -> None:
        boxes = self._boxes(max(self.width(), 120))
        self.setFixedHeight(boxes[-1].bottom() + 1 if boxes else 0)

    def sizeHint(self) -> QSize:
        return QSize(200, self.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        metrics = self.fontMetrics()
        for entry, box in zip(self._entries, self._boxes(self.width()), strict=True):
            middle = box.center().y()
            colour = QColor(entry.colour)
            if entry.line:
                painter.setPen(QPen(colour, 2))
                painter.drawLine(box.left(), middle, box.left() + _SWATCH, middle)
            else:
                painter.fillRect(QRect(box.left(), middle - 5, _SWATCH, 10), colour)
            text = box.adjusted(_SWATCH + 6, 0, 0, 0)
            painter.setPen(QColor(tokens.muted if entry.value else tokens.text))
            painter.drawText(text, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), entry.name)
            if entry.value:
                text.setLeft(text.left() + metrics.horizontalAdvance(entry.name) + 6)
                painter.setPen(QColor(tokens.text))
                painter.drawText(text, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), entry.value)
