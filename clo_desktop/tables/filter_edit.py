"""A line to type a filter into, with what may come next below it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QWidget

from clo_desktop.look.beside import BESIDE, BesideDelegate
from clo_desktop.look.tokens import ROW
from clo_desktop.work.completing import Completer, Suggestions

_WIDE: Final = 420  # px of the list
_ROWS: Final = 9


class FilterEdit(QLineEdit):
    """Completes fields, comparisons and values. Tab takes the marked option or the first, Down goes through them.

    Ctrl+Space opens the list, Esc closes it. hinted carries what may stand at the cursor where it is no list.
    """

    hinted = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setClearButtonEnabled(True)
        self._source: Completer | None = None
        self._found: Suggestions | None = None
        self._model = QStandardItemModel(self)
        self._list = QCompleter(self._model, self)
        self._list.setWidget(self)
        self._list.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._list.setMaxVisibleItems(_ROWS)
        self._popup = popup = QListView()
        popup.setUniformItemSizes(True)
        self._list.setPopup(popup)
        popup.setItemDelegate(BesideDelegate(popup))  # after setPopup, which puts one of its own
        popup.setAccessibleName(f"What may come next in {name}")
        popup.installEventFilter(self)
        self._list.activated.connect(self._take)  # carries the text
        self.textEdited.connect(lambda _text: self.suggest())
        self.cursorPositionChanged.connect(lambda _old, _new: self._hint())

    def set_source(self, source: Completer | None) -> None:
        """What completes the text; None: nothing does."""
        self._source = source

    @property
    def options(self) -> tuple[str, ...]:
        """What the list offers now."""
        return tuple(o.text for o in self._found.options) if self._found is not None else ()

    @property
    def listing(self) -> bool:
        return self._popup.isVisible()

    def suggest(self, always: bool = False) -> None:
        """Shows what may come next; nothing where there is nothing to choose."""
        if self._source is None:
            return
        self._found = found = self._source.suggest(self.text(), self.cursorPosition())
        self.hinted.emit(found.hint)
        whole = len(found.options) == 1 and found.options[0].text == self.text()[found.start : found.end]
        if not found.options or whole or not (always or self.text()):
            self._popup.hide()
            return
        self._model.clear()
        for option in found.options:
            item = QStandardItem(option.text)
            item.setData(option.beside, BESIDE)
            item.setData(f"{option.text} {option.beside}".rstrip(), Qt.ItemDataRole.AccessibleTextRole)
            item.setSizeHint(QSize(0, ROW))
            self._model.appendRow(item)
        place = self.cursorRect()
        place.setWidth(_WIDE)
        self._list.complete(place)

    def _hint(self) -> None:
        if self._source is not None:
            self.hinted.emit(self._source.suggest(self.text(), self.cursorPosition()).hint)

    def _take(self, chosen: str) -> None:
        """Puts an option in the place of the word at the cursor."""
        found = self._found
        if found is None:
            return
        text = self.text()
        before, after = text[: found.start], text[found.end :]
        if before and not before[-1].isspace() and before[-1] != "(" and chosen not in (")", ","):
            before += " "
        gap = "" if chosen == "(" or after.startswith((" ", ")", ",")) else " "
        self.setText(f"{before}{chosen}{gap}{after}")
        self.setCursorPosition(len(before) + len(chosen) + len(gap))
        self.textEdited.emit(self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if (event.key() == Qt.Key.Key_Space and control) or (event.key() == Qt.Key.Key_Down and not self.listing):
            self.suggest(always=True)
            return
        super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tab takes the first option where none is marked."""
        popup = self._popup
        if watched is popup and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            index = popup.currentIndex()
            if event.key() == Qt.Key.Key_Tab:
                popup.hide()
                self._take(str((index if index.isValid() else self._model.index(0, 0)).data()))
                return True
        return super().eventFilter(watched, event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._popup.hide()
