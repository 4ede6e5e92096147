"""Panes that do their work only while somebody can see it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDockWidget, QWidget


class Sighted(QWidget):
    """A pane that knows whether anything of it is seen: one behind another tab counts as visible for Qt.

    came  it may have come in sight; `in_sight` is right once the event loop has turned
    """

    came = Signal()

    @property
    def in_sight(self) -> bool:
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def event(self, event: QEvent) -> bool:
        dock = self.parentWidget()
        if event.type() == QEvent.Type.ParentChange and isinstance(dock, QDockWidget):
            dock.visibilityChanged.connect(self._turned)
        return super().event(event)

    def _turned(self, in_front: bool) -> None:
        if in_front:
            self.came.emit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.came.emit()
