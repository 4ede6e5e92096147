"""What a table or pane shows while it has nothing to show: what to do next, with the button to do it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from clo_desktop.look.permits import NEEDS, PermitButton, Permitted
from clo_desktop.look.tokens import GRID
from clo_desktop.work import rights
from clo_desktop.work.session import Session


class EmptyState(QWidget):
    """A sentence and, where there is something to do, a button."""

    def __init__(
        self,
        text: str,
        button_text: str = "",
        callback: Callable[[], object] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAutoFillBackground(True)
        self._callback = callback
        self.label = QLabel(text)
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.label.setWordWrap(True)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.button = PermitButton(None, "", button_text)
        self.button.clicked.connect(self._press)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addStretch()
        layout.addWidget(self.label)
        layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch()
        self.say(text, button_text, callback)

    def say(self, text: str, button_text: str = "", callback: Callable[[], object] | None = None) -> None:
        """Change what is said and what the button does."""
        self._callback = callback
        self.label.setText(text)
        self.button.setText(button_text)
        self.button.setVisible(bool(button_text))
        self.setAccessibleName(text)
        if isinstance(callback, Permitted):
            self.button.need(callback.seat, callback.needs)
        else:
            self.button.setProperty(NEEDS, "")
            self.button.settle()

    def _press(self) -> None:
        if self._callback is not None:
            self._callback()


class RunFirst(EmptyState):
    """What is empty until the deal was run; whoever may not run it reads why."""

    def __init__(self, session: Session, text: str, ask_run: Callable[[], object]) -> None:
        super().__init__(text, "Run", Permitted(session.seat, rights.RUN, ask_run))
        self._session, self._text = session, text
        self._ask_run = Permitted(session.seat, rights.RUN, ask_run)
        session.seat.changed.connect(self._settle)

    def _settle(self) -> None:
        why = self._session.seat.why_not(rights.RUN)
        self.say(why or self._text, "" if why else "Run", self._ask_run)
