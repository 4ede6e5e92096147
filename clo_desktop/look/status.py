"""The status bar: what is said for a moment has the room it needs, and figures as everywhere in the window."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from clo_desktop.look import formats
from clo_desktop.look.words import as_text

_MARGIN = 24  # pixels around a message


class StatusBar(QStatusBar):
    """While a message is longer than the room that is left to it, the labels at the right end give way to it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._giving_way: tuple[QLabel, ...] = ()
        self.messageChanged.connect(lambda _text: self._make_room())

    def add_labels(self, *labels: QLabel) -> None:
        """Labels at the right end; a message that needs their room takes that of the first one first."""
        self._giving_way = labels
        for label in labels:
            label.setContentsMargins(8, 0, 8, 0)
            self.addPermanentWidget(label)

    def showMessage(self, text: str, timeout: int | None = 0) -> None:
        super().showMessage(formats.in_words(text), timeout or 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        message = self.currentMessage()
        self.setToolTip(as_text(message))  # where not even the whole bar is enough
        left = self.width() - sum(label.sizeHint().width() for label in self._giving_way)
        needed = self.fontMetrics().horizontalAdvance(message) + _MARGIN if message else 0
        for label in self._giving_way:
            gives = needed > left
            label.setHidden(gives)
            left += label.sizeHint().width() if gives else 0
