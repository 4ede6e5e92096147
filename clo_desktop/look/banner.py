"""A line over the panes that says in which state the workspace is, with a button for the way out of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolBar, QWidget

from clo_desktop.look import theme
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import ElidedLabel


class Banner(QToolBar):
    """Hidden until it has something to say; it cannot be moved, and × hides it until the next time."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("State of the workspace", parent)
        self.setObjectName("banner")
        self.setMovable(False)
        self.setFloatable(False)
        self._acts: tuple[Callable[[], object] | None, Callable[[], object] | None] = (None, None)
        self.words = ElidedLabel()
        self.words.setAccessibleName("State of the workspace")
        self.button = QPushButton()
        self.button.clicked.connect(lambda: self._press(0))
        self.closing = QPushButton()
        self.closing.clicked.connect(lambda: self._press(1))
        self.words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        inside = QWidget()
        inside.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        row = QHBoxLayout(inside)
        row.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        row.setSpacing(GRID)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        row.addWidget(self.closing)
        self.addWidget(inside)
        theme.watcher().changed.connect(self._dress)
        self._dress()
        self.hide()

    def say(
        self,
        words: str,
        button: str = "",
        act: Callable[[], object] | None = None,
        closing: str = "Hide",
        closed: Callable[[], object] | None = None,
    ) -> None:
        """Show a sentence, a button with its act, and a button that hides the banner; no words hide it."""
        self._acts = act, closed
        self.words.setText(words)
        self.button.setText(button)
        self.button.setVisible(bool(button))
        self.closing.setText(closing)
        self.setVisible(bool(words))

    def _press(self, which: int) -> None:
        act = self._acts[which]
        if which == 1:
            self.hide()
        if act is not None:
            act()

    def _dress(self) -> None:
        self.setStyleSheet(
            f"QToolBar#banner {{ background: {theme.current().warn_fill}; border: 0;"
            f" border-bottom: 1px solid {theme.current().line}; }}"
        )
