"""A button that starts work in the lanes, with progress, cancel and a line that says how it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import WrappedLabel
from clo_desktop.progress import Progress
from clo_desktop.work.desk import Desk
from clo_desktop.work.pad import Errand, Pad
from engine.trades import Trader

A = TypeVar("A")
B = TypeVar("B")
_BEAT: Final = 100  # ms between looks at the progress


class ErrandBar(QWidget):
    """Fields, the button that starts, Cancel and the progress while it runs, and below them how it stands."""

    def __init__(
        self,
        pad: Pad,
        words: str,
        fields: Sequence[tuple[str, QWidget]],
        start: Callable[[], object],
        needs: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._pad = pad
        self._errand: Errand | None = None
        self.button = PermitButton(pad.seat, needs, words)
        self.button.clicked.connect(start)
        self.cancel = QPushButton("Cancel")
        self.cancel.setAccessibleName(f"Cancel: {words}")
        self.cancel.clicked.connect(self._cancel)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setTextVisible(False)
        self.progress.setFixedSize(120, 10)
        self.progress.setAccessibleName(f"Progress: {words}")
        self.state = WrappedLabel()
        self.state.setAccessibleName(f"How it stands: {words}")
        row = QHBoxLayout()
        row.setSpacing(8)
        for title, field in fields:
            if title:
                label = QLabel(title)
                label.setBuddy(field)
                row.addWidget(label)
            row.addWidget(field, 1 if field.sizePolicy().horizontalPolicy().name == "Expanding" else 0)
        row.addWidget(self.button)
        row.addWidget(self.progress)
        row.addWidget(self.cancel)
        row.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.state)
        self._timer = QTimer(self)
        self._timer.setInterval(_BEAT)
        self._timer.timeout.connect(self._look)
        self._busy(False)

    @property
    def busy(self) -> bool:
        return self._errand is not None

    def run(
        self,
        name: str,
        gather: Callable[[Desk, Trader, Progress], A],
        work: Callable[[A, Progress], B],
        done: Callable[[B], object],
    ) -> None:
        """Starts the work; what it refuses stands in the line below. One under way is cancelled first."""
        self._cancel()
        came: list[bool] = []

        def arrived(outcome: B) -> None:
            came.append(True)
            if self._errand is made:
                self.state.setText("")
                done(outcome)

        def over(why: str) -> None:
            if self._errand is not made:  # another was begun since
                return
            self._errand = None
            self._busy(False)
            if not came:
                self.state.setText(why or "Cancelled; nothing was changed.")

        try:
            made = self._pad.errand(name, gather, work, arrived, over)
        except Refused as refused:
            self.state.setText(refused.message)
            return
        self._errand = made
        self.state.setText("Waiting for what is under way.")
        self._busy(True)

    def drop(self) -> None:
        """Nothing is wanted any more; what was said is taken back."""
        if self._errand is not None:
            self._errand.cancel()
            self._errand = None
        self._busy(False)
        self.state.setText("")

    def say(self, text: str) -> None:
        self.state.setText(text)

    def _cancel(self) -> None:
        if self._errand is not None:
            self._errand.cancel()

    def _busy(self, busy: bool) -> None:
        self.cancel.setVisible(busy)
        self.progress.setVisible(busy)
        if busy:
            self.progress.setValue(0)
            self._timer.start()
        else:
            self._timer.stop()

    def _look(self) -> None:
        task = self._errand.task if self._errand is not None else None
        if task is None:
            return
        self.progress.setValue(round(task.fraction * 1000))
        left = task.seconds_left
        words = task.what or ("Reckoning" if task.started is not None else "Waiting for what is under way")
        self.state.setText(f"{words}." + ("" if left is None else f" About {left:.0f} s left."))
