"""The command palette: type a few letters of an action, a deal, an issuer or a test; Enter does it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.look.beside import BESIDE, BesideDelegate
from clo_desktop.look.tokens import ROW

_MOST: Final = 100  # entries listed at once


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be done: its words, what stands beside them, further words that find it, and the act.

    late  found only by typing, and after the others: positions and tests, of which there are many
    """

    words: str
    beside: str
    aliases: tuple[str, ...]
    act: Callable[[], object]
    late: bool = False


def score(typed: str, entry: Entry) -> int | None:
    """How well an entry fits what was typed, lower is better; None where it does not.

    Every typed word must begin a word of the entry or, failing that, stand inside one.
    """
    total = 0
    texts = [entry.words.casefold(), *(a.casefold() for a in entry.aliases)]
    for word in typed.casefold().split():
        best: int | None = None
        for place, text in enumerate(texts):
            if any(part.startswith(word) for part in text.split()):
                found = place
            elif word in text:
                found = 10 + place
            else:
                continue
            best = found if best is None else min(best, found)
        if best is None:
            return None
        total += best
    return total


class Palette(QDialog):
    """A field and the entries that fit; arrows move, Enter acts, Esc leaves."""

    def __init__(self, entries: Sequence[Entry], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._entries = tuple(entries)
        self.field = QLineEdit()
        self.field.setPlaceholderText("Type an action, a deal, an issuer or a test")
        self.field.setAccessibleName("Find an action, a deal, an issuer or a test")
        self.list = QListWidget()
        self.list.setItemDelegate(BesideDelegate(self.list))
        self.list.setAccessibleName("Actions that fit")
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.field)
        layout.addWidget(self.list)
        self.resize(520, 360)
        self.field.textChanged.connect(self.refresh)
        self.field.returnPressed.connect(self.act)
        self.field.installEventFilter(self)
        self.list.itemClicked.connect(lambda _item: self.act())
        self.refresh("")

    def refresh(self, typed: str) -> None:
        """Shows the entries that fit, best first."""
        fitting = [
            (entry.late, found, i)
            for i, entry in enumerate(self._entries)
            if (typed.strip() or not entry.late) and (found := score(typed, entry)) is not None
        ]
        self.list.clear()
        for _, _, i in sorted(fitting)[:_MOST]:
            entry = self._entries[i]
            item = QListWidgetItem(entry.words)
            item.setSizeHint(QSize(0, ROW + 2))
            item.setData(BESIDE, entry.beside)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{entry.words} {entry.beside}".rstrip())
            item.setData(Qt.ItemDataRole.UserRole, i)
            self.list.addItem(item)
        self.list.setCurrentRow(0)

    def act(self) -> None:
        """Does the chosen entry and leaves."""
        item = self.list.currentItem()
        self.accept()
        if item is not None:
            self._entries[item.data(Qt.ItemDataRole.UserRole)].act()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                self.list.setCurrentRow(min(max(self.list.currentRow() + step, 0), self.list.count() - 1))
                return True
        return super().eventFilter(watched, event)
