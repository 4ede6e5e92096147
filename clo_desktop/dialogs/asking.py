"""A dialog that asks for something, has it done elsewhere, and stays open with the reason where that failed."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.faults import Refused
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.work.lanes import Task

_BEAT: Final = 100  # ms between looks at the progress


class AskingDialog(QDialog):
    """Rows of a label and a field; what is wrong; progress with a cancel while it is done.

    `ask` is called for the button; it raises Refused, or starts something and calls `doing`, then `done_well` or
    `fail`.
    """

    def __init__(self, title: str, words: str, button: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.words = WrappedLabel(words)
        self.words.setVisible(bool(words))
        self.grid = QGridLayout()
        self.grid.setHorizontalSpacing(GRID)
        self.grid.setVerticalSpacing(GRID)
        self.grid.setColumnStretch(1, 1)
        self.fault = AttentionLabel()
        self.fault.setAccessibleName("What is wrong")
        self.fault.hide()
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress")
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(GRID)
        self.state = QLabel()
        self.buttons = QDialogButtonBox()
        self.button: QPushButton = self.buttons.addButton(button, QDialogButtonBox.ButtonRole.AcceptRole)
        self.button.setDefault(True)
        self.cancel = self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID + GRID // 2)
        layout.addWidget(self.words)
        layout.addLayout(self.grid)
        layout.addWidget(self.fault)
        layout.addStretch()
        layout.addWidget(self.state)
        layout.addWidget(self.progress)
        layout.addWidget(self.buttons)
        self._task: Task[Any] | None = None
        self._fields: list[QWidget] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT)
        self._timer.timeout.connect(self._look)
        self._show_busy(False)

    def add_row(self, label: str, field: QWidget, *beside: QWidget) -> None:
        """A field under the others, its label with an access key before it."""
        row = self.grid.rowCount()
        words = QLabel(label)
        words.setBuddy(field)
        self.grid.addWidget(words, row, 0)
        self.grid.addWidget(field, row, 1, 1, 1 if beside else 2)
        for place, widget in enumerate(beside, 2):
            self.grid.addWidget(widget, row, place)
        self._fields += [field, *beside]

    def add_wide(self, widget: QWidget) -> None:
        """Something under the fields, without a label."""
        self.grid.addWidget(widget, self.grid.rowCount(), 1, 1, 2)
        self._fields.append(widget)

    # -- asking -------------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Starts what the dialog is for."""
        raise NotImplementedError

    def accept(self) -> None:
        if self._task is not None:
            return
        try:
            self.ask()
        except Refused as refused:
            self.fail(refused.message)

    def doing(self, task: Task[Any]) -> None:
        """It is under way: nothing can be typed, and Cancel stops it."""
        self._task = task
        self._show_busy(True)
        self._look()
        self._timer.start()

    def done_well(self) -> None:
        """It was done: the dialog closes."""
        self._rest()
        super().accept()

    def fail(self, sentence: str, field: QWidget | None = None) -> None:
        """It was not done; what was typed stays, and `field` has the keyboard."""
        self._rest()
        self.fault.setText(sentence)
        self.fault.setVisible(bool(sentence))
        self._grow()
        (field or self._first()).setFocus(Qt.FocusReason.OtherFocusReason)

    def reject(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self.state.setText("Cancelling")
            self._task = None
            self._rest()
            return
        super().reject()

    def _first(self) -> QWidget:
        return self._fields[0] if self._fields else self.button

    def _grow(self) -> None:
        """Makes room for what is said; fields are not squeezed."""
        layout = self.layout()
        if layout is not None:
            self.resize(self.width(), max(self.height(), layout.totalHeightForWidth(self.width())))

    def _rest(self) -> None:
        self._task = None
        self._timer.stop()
        self._show_busy(False)

    def _show_busy(self, busy: bool) -> None:
        for widget in (*self._fields, self.button):
            widget.setEnabled(not busy)
        self.progress.setVisible(busy)
        self.state.setVisible(busy)
        if busy:
            self.fault.hide()
            self._grow()

    def _look(self) -> None:
        if self._task is not None:
            self.progress.setValue(round(self._task.fraction * 1000))
            self.state.setText(self._task.what or "Waiting for other work on the database")
