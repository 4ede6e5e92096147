"""Ideas as tabs, with what can be done to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QMenu, QTabBar, QToolButton, QWidget

from clo_desktop.look.permits import permit_action
from clo_desktop.look.words import as_text
from clo_desktop.work import rights
from clo_desktop.work.pad_rows import Row
from clo_desktop.work.seat import Seat
from engine.trades import Ideas

_ACTS: Final = (
    ("new", "New", "A new idea without trades"),
    ("branch", "Duplicate", "A copy of this idea, with its history, to go on with"),
    ("delete", "Delete…", "Without this idea, in the workspace too"),
    ("undo", "Undo", "The last step of this idea back (Ctrl+Z)"),
    ("redo", "Redo", "One step forward again (Ctrl+Y)"),
)
_STORED: Final = frozenset({"rename", "note", "aside"})
"""What changes an idea in the store."""


class _Bar(QTabBar):
    def tabSizeHint(self, index: int) -> QSize:
        return super().tabSizeHint(index) + QSize(0, 4)


class IdeaBar(QWidget):
    """chosen carries the name of the idea that is wanted; named the new name of the open one."""

    chosen = Signal(str)
    named = Signal(str)

    def __init__(self, seat: Seat, acts: dict[str, Callable[[], object]], parent: QWidget | None = None) -> None:
        """acts: what each of new, branch, delete, undo, redo, stored, note, aside, import, export, copy does."""
        super().__init__(parent)
        self._seat = seat
        self._acts = {**acts, "rename": self.ask_name}
        self.tabs = _Bar()
        self.tabs.setAccessibleName("Ideas")
        self.tabs.setDocumentMode(True)
        self.tabs.setExpanding(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideMiddle)
        self.tabs.setDrawBase(False)
        self.tabs.currentChanged.connect(self._choose)
        self.tabs.tabBarDoubleClicked.connect(lambda index: self.ask_name() if index >= 0 else None)
        self.buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 0)
        row.setSpacing(4)
        row.addWidget(self.tabs, 1)
        for name, words, tip in _ACTS:
            self._add(row, name, words, tip, acts[name])
        self.kept = self._menu(
            row,
            "Ideas",
            "Stored ideas: open, put aside, name, note",
            (
                ("stored", "Stored ideas…"),
                ("rename", "Rename this idea…"),
                ("note", "Note on this idea…"),
                ("aside", "Put this idea aside"),
            ),
        )
        self.files = self._menu(
            row,
            "List",
            "Import or export the trades as CSV, or copy them",
            (("import", "Import CSV…"), ("export", "Export CSV…"), ("copy", "Copy all")),
        )

    def _menu(self, row: QHBoxLayout, words: str, tip: str, entries: Sequence[tuple[str, str]]) -> QToolButton:
        """A button with a menu of acts."""
        button = QToolButton()
        button.setText(words)
        button.setToolTip(tip)
        button.setAccessibleName(f"{words}: {tip}")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(button)
        for name, text in entries:
            action = QAction(text, menu)
            if name in _STORED:
                permit_action(action, self._seat, rights.KEEP, "", menu)
            action.triggered.connect(lambda _on=False, name=name: self._acts[name]())
            menu.addAction(action)
        button.setMenu(menu)
        row.addWidget(button)
        return button

    def _add(self, row: QHBoxLayout, name: str, words: str, tip: str, act: Callable[[], object]) -> None:
        button = QToolButton()
        button.setText(words)
        button.setToolTip(tip)
        button.setAccessibleName(f"{words}: {tip}")
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(lambda _on=False: act())
        row.addWidget(button)
        self.buttons[name] = button

    def show_ideas(self, ideas: Ideas[Row]) -> None:
        """The tabs as the ideas are."""
        self.tabs.blockSignals(True)
        names = [b.name for b in ideas.branches]
        while self.tabs.count() > len(names):
            self.tabs.removeTab(self.tabs.count() - 1)
        for i, branch in enumerate(ideas.branches):
            if i >= self.tabs.count():
                self.tabs.addTab("")
            self.tabs.setTabText(i, branch.name.replace("&", "&&"))
            count = len(branch.trades)
            self.tabs.setTabToolTip(i, as_text(f"{branch.name}: {count} {'trade' if count == 1 else 'trades'}"))
        self.tabs.setCurrentIndex(ideas.at)
        self.tabs.blockSignals(False)
        self._names = names
        self.buttons["undo"].setEnabled(bool(ideas.current.past))
        self.buttons["redo"].setEnabled(bool(ideas.current.future))

    def _choose(self, index: int) -> None:
        if 0 <= index < len(self._names):
            self.chosen.emit(self._names[index])

    def ask_name(self) -> None:
        """Asks for another name of the open idea."""
        name, sure = QInputDialog.getText(
            self, "Rename idea", "Name of the idea:", text=self._names[self.tabs.currentIndex()]
        )
        if sure:
            self.named.emit(name)
