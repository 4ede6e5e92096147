"""A panel that opens below a pane's table and is closed again."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QPushButton, QWidget

from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.words import WrappedLabel


class Panel(QWidget):
    """A head in words beside buttons, and under it the body that has the focus.

    closed  the panel was closed by its button or by Esc
    """

    closed = Signal()

    def __init__(self, name: str, body: QWidget, *buttons: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = WrappedLabel()
        self.head.setAccessibleName(name)
        self.close_button = QPushButton("Close")
        self.close_button.setToolTip("Close (Esc)")
        stacked(self, strip(self.head, *buttons, self.close_button), body)
        self.setFocusProxy(body)
        self.close_button.clicked.connect(self.closed)
        leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self.closed)
