"""Ctrl+Z and Ctrl+Shift+Z in a pane that changes stored inputs of the deal."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

from clo_desktop.work.edits import Edits


def undo_keys(pane: QWidget, edits: Edits) -> None:
    """The keys work while the keyboard is in the pane; fields one types into undo what was typed first."""
    for keys, act in (("Ctrl+Z", edits.undo), ("Ctrl+Shift+Z", edits.redo), ("Ctrl+Y", edits.redo)):
        shortcut = QShortcut(QKeySequence(keys), pane)
        shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(act)
