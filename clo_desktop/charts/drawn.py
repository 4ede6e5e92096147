"""What charts that paint themselves have in common: they take the keyboard, show that they have it, and follow the
theme."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtWidgets import QSizePolicy, QWidget

from clo_desktop.look import theme


class Drawn(QWidget):
    """A chart that paints itself and has its figures to copy; `name` is what it is called before it has data."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._title = ""
        self.setAccessibleName(name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        theme.watcher().changed.connect(self._recolour)

    def copied(self) -> str:
        """The figures as tab-separated text; "" while there are none."""
        raise NotImplementedError

    def copy(self) -> None:
        """The figures onto the clipboard."""
        if found := self.copied():
            QGuiApplication.clipboard().setText(found)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def _recolour(self) -> None:
        self.update()
