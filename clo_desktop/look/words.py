"""Labels that give way: words that wrap or shorten instead of widening the window, and text that stays text."""

from __future__ import annotations

import html
from typing import Final

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QTabBar, QTabWidget, QWidget

from clo_desktop.look import theme

_LONGEST: Final = 60


def short(name: str, longest: int = _LONGEST) -> str:
    """A name with its middle left out where it is longer than `longest` characters."""
    if len(name) <= longest:
        return name
    head = (longest - 1) * 2 // 3
    return f"{name[:head]}…{name[head + 1 - longest :]}"


def as_text(text: str) -> str:
    """Text for a tool tip or a message box, which Qt would take for mark-up where it looks like it."""
    return f"<qt>{html.escape(text)}</qt>" if "<" in text else text


class WrappedLabel(QLabel):
    """Plain text on as many lines as it needs; never the reason for a wide window."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)


class AttentionLabel(WrappedLabel):
    """As `WrappedLabel`, in the colour of what wants attention."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        theme.watcher().changed.connect(self._dress)
        self._dress()

    def _dress(self) -> None:
        palette = self.palette()
        palette.setColor(self.foregroundRole(), theme.colour("attention"))
        self.setPalette(palette)


class _TabBar(QTabBar):
    def tabSizeHint(self, index: int) -> QSize:
        return super().tabSizeHint(index) + QSize(0, 4)


class Tabs(QTabWidget):
    """Tabs inside a pane; Fusion would cut the feet of their letters."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTabBar(_TabBar())
        self.setDocumentMode(True)


class ElidedLabel(QLabel):
    """One line of plain text, shortened at its end where there is no room; the tool tip has it all."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setToolTip(as_text(text))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(40, super().minimumSizeHint().width()), super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, room.width())
        painter.setPen(self.palette().color(self.foregroundRole()))
        painter.drawText(room, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), shown)
