"""Typing into the cells of a table as in Excel: F2 or any key, paste a block, fill down, clear; one step each."""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent

from clo_desktop.look import formats
from clo_desktop.tables.view import FrameTable


class Cell(NamedTuple):
    """A cell to change: key of its row, name of its column, its new text."""

    key: Hashable
    column: str
    text: str


class Editing(QObject):
    """Watches the keys of a table whose frame has editable columns.

    typed    carries the cells of one step; the table itself changes nothing
    refused  a sentence: what was asked for cannot be done
    """

    typed = Signal(list)
    refused = Signal(str)

    def __init__(self, table: FrameTable) -> None:
        super().__init__(table)
        self._table = table
        self._model, self._grid = table.model, table.grid
        self._why_not = ""
        self._grid.setTabKeyNavigation(False)  # Tab leaves the table; while a cell is typed it goes to the next
        self._model.edited.connect(lambda key, column, text: self.typed.emit([Cell(key, column, text)]))
        self._grid.installEventFilter(self)

    def allow(self, why_not: str) -> None:
        """Lets cells be typed into, or (a sentence says why) not."""
        self._why_not = why_not
        self._model.set_read_only(bool(why_not))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key(event)
        return False

    def _key(self, event: QKeyEvent) -> bool:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        key = event.key()
        if key == Qt.Key.Key_F2 and self._why_not:
            self.refused.emit(self._why_not)
        elif (key == Qt.Key.Key_V and control) or (key == Qt.Key.Key_Insert and shift):
            self.paste()
        elif key == Qt.Key.Key_D and control:
            self.fill_down()
        elif key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace) and not control:
            self.clear()
        else:
            return False
        return True

    # -- what the keys do ---------------------------------------------------------------------------------------------

    def paste(self, text: str | None = None) -> None:
        """Tab-separated text from the upper left cell of the selection on; one value fills the selection."""
        if self._why_not:
            self.refused.emit(self._why_not)
            return
        block = [line.split("\t") for line in (text or QGuiApplication.clipboard().text()).splitlines()]
        place = self._corner()
        if not block or place is None:
            self.refused.emit("Copy something, choose a cell, then paste.")
            return
        rows, columns = self._grid.selected_rows(), self._grid.selected_columns()
        if len(block) == 1 and len(block[0]) == 1 and len(rows) * len(columns) > 1:
            self._emit([(int(row), column, block[0][0]) for row in rows for column in columns])
            return
        shown = self._grid.visible_columns()
        top, left = place
        across = shown[shown.index(left) : shown.index(left) + len(block[0])]
        titles = [self._table.frame.columns[c].header(self._table.frame.currency) for c in across]
        if block[0] == titles:  # what Ctrl+C of this table puts above the cells
            block = block[1:]
        widest = max(map(len, block), default=0)
        room = self._model.rowCount() - top
        if widest > len(shown) - shown.index(left) or len(block) > room:
            self.refused.emit(
                f"{formats.counted(len(block), 'row')} of {formats.counted(widest, 'column')} do not fit below and to"
                " the right of this cell; nothing was changed."
            )
            return
        self._emit(
            [
                (top + down, shown[shown.index(left) + beside], text)
                for down, line in enumerate(block)
                for beside, text in enumerate(line)
            ]
        )

    def fill_down(self) -> None:
        """The first row of the selection into the rows below it."""
        rows, columns = self._grid.selected_rows(), self._grid.selected_columns()
        if len(rows) < 2:
            self.refused.emit("Select the cell to fill from and the cells below it, then press Ctrl+D.")
            return
        first = {
            c: str(self._model.data(self._model.index(int(rows[0]), c), Qt.ItemDataRole.EditRole)) for c in columns
        }
        self._emit([(int(row), column, first[column]) for row in rows[1:] for column in columns])

    def clear(self) -> None:
        """Empties the selected cells."""
        rows, columns = self._grid.selected_rows(), self._grid.selected_columns()
        self._emit([(int(row), column, "") for row in rows for column in columns])

    def _corner(self) -> tuple[int, int] | None:
        rows, columns = self._grid.selected_rows(), self._grid.selected_columns()
        return (int(rows[0]), columns[0]) if len(rows) and columns else None

    def _emit(self, cells: list[tuple[int, int, str]]) -> None:
        """Hands over what differs; refuses columns that are not typed into."""
        if self._why_not:
            self.refused.emit(self._why_not)
            return
        found: list[Cell] = []
        for row, column, text in cells:
            index = self._model.index(row, column)
            if str(self._model.data(index, Qt.ItemDataRole.EditRole)) == text:
                continue
            if not self._model.flags(index) & Qt.ItemFlag.ItemIsEditable:
                title = self._table.frame.columns[column].title
                self.refused.emit(f"{title} cannot be typed into; nothing was changed.")
                return
            found.append(Cell(self._model.key_at(row), self._table.frame.columns[column].name, text))
        if found:
            self.typed.emit(found)
