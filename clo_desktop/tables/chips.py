"""Chips above a table: one of a few filters is on, each with how many rows it shows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QPushButton, QWidget

from clo_desktop.look import formats, theme
from clo_desktop.look.flow import Flow


class _Chip(QPushButton):
    """A button that shows by a bar, not by its shade alone, that it is down."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.isChecked():
            painter = QPainter(self)
            painter.fillRect(self.rect().adjusted(6, self.height() - 4, -6, -2), theme.colour("accent"))
            painter.end()


class Chips(QWidget):
    """Buttons of which one is down. Tab reaches the one that is, arrows go to the others. chosen carries its name."""

    chosen = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        self._buttons: dict[str, QPushButton] = {}
        self._row = Flow(self)
        self._group.buttonToggled.connect(lambda button, on: self.chosen.emit(self._name_of(button)) if on else None)

    def offer(self, chips: Sequence[tuple[str, str, int]]) -> None:
        """(name, words, count) of each; the one that is on stays on as long as it is offered, else the first is.

        Chips stand in the order in which they were first offered; those not offered are hidden.
        """
        kept = self.current
        names = [name for name, _, _ in chips]
        for name, words, count in chips:
            if name not in self._buttons:
                self._make(name)
            found = self._buttons[name]
            text = f"{words} {formats.figure(count, 0)}"
            if found.text() != text:
                found.setText(text)
                found.setAccessibleName(f"{words}: {formats.figure(count, 0)}")
        for name, button in self._buttons.items():
            button.setVisible(name in names)
        if names:
            self.choose(kept if kept in names else names[0])

    def _make(self, name: str) -> None:
        made = self._buttons[name] = _Chip()
        made.setCheckable(True)
        made.setAutoDefault(False)
        made.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._group.addButton(made)
        self._row.addWidget(made)

    @property
    def current(self) -> str:
        """Name of the chip that is on; "" where there is none."""
        button = self._group.checkedButton()
        return "" if button is None else self._name_of(button)

    def choose(self, name: str) -> None:
        if name in self._buttons:
            self._buttons[name].setChecked(True)

    def first(self) -> None:
        """Back to the first chip."""
        if self._buttons:
            next(iter(self._buttons.values())).setChecked(True)

    def _name_of(self, button: object) -> str:
        return next((name for name, known in self._buttons.items() if known is button), "")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Right: 1, Qt.Key.Key_Left: -1}.get(Qt.Key(event.key()), 0)
        names = [name for name, button in self._buttons.items() if not button.isHidden()]
        if step and self.current in names:
            at = names.index(self.current) + step
            if 0 <= at < len(names):
                self.choose(names[at])
                self._buttons[names[at]].setFocus(Qt.FocusReason.OtherFocusReason)
            return
        super().keyPressEvent(event)
