"""The grid itself: a QTableView with frozen columns and Excel's keys.

Frozen columns are painted over the left edge by a strip that lets the mouse through; the grid answers where a cell is
(`indexAt`, `visualRect`) so that clicks, editors and selection fall on the frozen columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import (
    QEvent,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from clo_desktop.look import theme
from clo_desktop.look.formats import Show
from clo_desktop.look.tokens import DENSE_ROW, ROW
from clo_desktop.tables import summary
from clo_desktop.tables.blocks import Kept, block_edge, runs
from clo_desktop.tables.delegates import CellDelegate, CellPainter
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.header import FilterHeader
from clo_desktop.tables.model import FrameModel

Index = QModelIndex | QPersistentModelIndex
Flag = QItemSelectionModel.SelectionFlag
_MOST_RUNS: Final = 500
"""A selection that a sort scatters into more runs than this is let go: painting it would take longer than the sort."""

_MOVES: Final = {
    Qt.Key.Key_Left,
    Qt.Key.Key_Right,
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}


def _telling(frame: Frame, column: Column, rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Of rows those that may hold the widest text: the least and the greatest figure, or one row a distinct text."""
    if column.kind == Show.MIXED:
        return rows
    values = frame.array(column.name)[rows]
    if values.dtype.kind in "fM":
        present = values == values  # neither NaN nor NaT
        rows, values = rows[present], values[present]
        return rows[[values.argmin(), values.argmax()]] if len(rows) else rows
    return np.asarray(rows[np.unique(values, return_index=True)[1]])


class _Strip(QWidget):
    """Paints the frozen columns over the scrolled ones."""

    def __init__(self, grid: Grid) -> None:
        super().__init__(grid)
        self._grid = grid
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(theme.current().surface))
        painter.setFont(self._grid.font())
        self._grid.paint_frozen(painter, event.rect())


class Grid(QTableView):
    """Table of a FrameModel. `activated_row` carries a key (Enter, double click); `copy_asked` whether with headers."""

    activated_row = Signal(object)
    copy_asked = Signal(bool)
    find_asked = Signal(int)
    escaped = Signal()
    moved = Signal()  # selection or current cell changed

    def __init__(self, model: FrameModel, *, frozen: int, filters: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.frozen = frozen
        self.cells = CellPainter()
        self._data = model
        self._anchor = QPersistentModelIndex()
        self._mouse = QPoint()
        self._kept: Kept | None = None
        self._row_height = ROW
        # before setModel: the view resets itself on the model's signal, what is kept is read before
        model.modelAboutToBeReset.connect(self._keep)
        self.columns = FilterHeader(self, self.frozen_columns, filters=filters)
        self.setHorizontalHeader(self.columns)
        self.setModel(model)
        self._strip = _Strip(self)
        self.setItemDelegate(CellDelegate(self.cells, self))
        self.verticalHeader().hide()
        self.set_dense(False)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setCornerButtonEnabled(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(any(c.editable for c in model.frame.columns))
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.DoubleClicked
        )
        model.modelReset.connect(self._restore)
        model.dataChanged.connect(self._strip.update)
        self.columns.sectionResized.connect(self.place_strip)
        self.columns.sectionMoved.connect(self.place_strip)
        self.columns.sectionHandleDoubleClicked.connect(self.fit_column)
        self.doubleClicked.connect(self._double_clicked)

    # -- columns and rows ------------------------------------------------------------------------------------------

    def set_dense(self, dense: bool) -> None:
        """Rows of 18 px instead of 22."""
        self._row_height = DENSE_ROW if dense else ROW
        header = self.verticalHeader()
        header.setMinimumSectionSize(self._row_height)
        header.setDefaultSectionSize(self._row_height)
        header.setSectionResizeMode(header.ResizeMode.Fixed)
        self.verticalScrollBar().setSingleStep(self._row_height)

    def visible_columns(self) -> list[int]:
        """Logical columns in the order shown."""
        header = self.horizontalHeader()
        order = (header.logicalIndex(visual) for visual in range(header.count()))
        return [logical for logical in order if not header.isSectionHidden(logical)]

    def frozen_columns(self) -> list[int]:
        """The frozen ones, fewer where they would take more than half of the width."""
        header = self.horizontalHeader()
        found: list[int] = []
        width = 0
        for logical in self.visible_columns()[: self.frozen]:
            width += header.sectionSize(logical)
            if found and width > max(self.viewport().width(), 200) * 0.6:
                break
            found.append(logical)
        return found

    def frozen_width(self) -> int:
        return sum(self.columnWidth(c) for c in self.frozen_columns())

    def fit_column(self, logical: int) -> None:
        """As wide as the title and the widest of the rows in sight and of a sample need."""
        self.setColumnWidth(logical, self.wanted_width(logical))

    def wanted_width(self, logical: int, most: int = 320) -> int:
        rows = self._data.rows
        metrics = self.fontMetrics()
        sample = rows[:: max(1, len(rows) // 150)]
        top = max(0, self.rowAt(0))
        sample = np.concatenate((sample, rows[top : top + 80]))
        frame = self._data.frame
        column = frame.columns[logical]
        telling = _telling(frame, column, sample)
        widest = max((metrics.horizontalAdvance(frame.text(int(r), logical)) for r in telling), default=0)
        if column.footing in (Total.SUM, Total.AVERAGE):
            # the footer's sum is longer than any addend, and bold
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold)
            below = summary.total_text(frame, self._data.shown, column.name)
            widest = max(widest, QFontMetrics(font).horizontalAdvance(below))
        extra = {"outcome": 32, "cushion": 170}.get(column.kind, 14)
        wanted = min(max(widest + extra, self.columns.width_for(logical)), most)
        return min(wanted, column.widest) if column.widest else wanted

    # -- where cells are -------------------------------------------------------------------------------------------

    def indexAt(self, pos: QPoint) -> QModelIndex:
        if 0 <= pos.x() < self.frozen_width():
            x = 0
            for logical in self.frozen_columns():
                x += self.columnWidth(logical)
                if pos.x() < x:
                    row = self.rowAt(pos.y())
                    return self._data.index(row, logical) if row >= 0 else QModelIndex()
        return super().indexAt(pos)

    def visualRect(self, index: Index) -> QRect:
        frozen = self.frozen_columns()
        if index.isValid() and index.column() in frozen:
            before = frozen[: frozen.index(index.column())]
            x = sum(self.columnWidth(c) for c in before)
            y = self.rowViewportPosition(index.row())
            return QRect(x, y, self.columnWidth(index.column()), self.rowHeight(index.row()))
        return super().visualRect(index)

    def scrollTo(
        self, index: Index, hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible
    ) -> None:
        bar = self.horizontalScrollBar()
        before = bar.value()
        super().scrollTo(index, hint)
        if index.column() in self.frozen_columns():
            bar.setValue(before)
            return
        hidden = self.frozen_width() - super().visualRect(index).left()
        if hidden > 0:
            bar.setValue(bar.value() - hidden)

    def bring_column(self, logical: int) -> None:
        """Scroll sideways until a column is in sight, also where there are no rows."""
        bar, left = self.horizontalScrollBar(), self.columnViewportPosition(logical)
        if logical in self.frozen_columns():
            return
        beyond = left + self.columnWidth(logical) - self.viewport().width()
        if beyond > 0:
            bar.setValue(bar.value() + beyond)
        hidden = self.frozen_width() - self.columnViewportPosition(logical)
        if hidden > 0:
            bar.setValue(bar.value() - hidden)

    # -- selection -------------------------------------------------------------------------------------------------

    def block(self, one: Index, other: Index) -> QItemSelection:
        """The cells between two corners, hidden columns left out."""
        top, bottom = sorted((one.row(), other.row()))
        shown = self.visible_columns()
        places = sorted(shown.index(i.column()) for i in (one, other) if i.column() in shown)
        if len(places) < 2:
            return QItemSelection()
        return self._ranges([(top, bottom)], shown[places[0] : places[1] + 1])

    def _ranges(self, row_runs: Iterable[tuple[int, int]], columns: list[int]) -> QItemSelection:
        selection = QItemSelection()
        column_runs = runs(np.array(sorted(columns), dtype=np.int64))
        for top, bottom in row_runs:
            for left, right in column_runs:
                selection.append(QItemSelectionRange(self._data.index(top, left), self._data.index(bottom, right)))
        return selection

    def select_rows(self, rows: NDArray[np.int32], columns: list[int] | None = None) -> None:
        """Select shown rows (all visible columns, or these), the first becoming current where none of them is."""
        found = runs(np.unique(rows[rows >= 0]))
        wanted = self.visible_columns() if columns is None else columns
        if not found or len(found) > _MOST_RUNS or not wanted:
            self.clearSelection()
            return
        selection = self._ranges(found, wanted)
        if not selection.contains(self.currentIndex()):
            self.set_current(self._data.index(found[0][0], wanted[0]), Flag.NoUpdate)
        self.selectionModel().select(selection, Flag.ClearAndSelect)

    def parts(self) -> list[QItemSelectionRange]:
        """The ranges of the selection."""
        selection = self.selectionModel().selection()
        return [selection.at(i) for i in range(selection.count())]

    def selected_rows(self) -> NDArray[np.int32]:
        """Shown rows the selection touches, in order; from its ranges."""
        touched = np.zeros(self._data.rowCount(), dtype=bool)
        for part in self.parts():
            touched[part.top() : part.bottom() + 1] = True
        return np.flatnonzero(touched).astype(np.int32)

    def selected_columns(self) -> list[int]:
        """Visible logical columns the selection touches, in the order shown."""
        touched: set[int] = set()
        for part in self.parts():
            touched.update(range(part.left(), part.right() + 1))
        return [c for c in self.visible_columns() if c in touched]

    def set_current(self, index: Index, flags: Flag = Flag.ClearAndSelect) -> None:
        self.selectionModel().setCurrentIndex(index, flags)
        self._anchor = QPersistentModelIndex(index)

    def setSelection(self, rect: QRect, command: Flag) -> None:
        """Select from the anchor to the mouse: corners of a rectangle mean nothing under frozen columns."""
        target = self.indexAt(self._mouse)
        if not target.isValid() or not self._anchor.isValid():
            super().setSelection(rect, command)
            return
        self.selectionModel().select(self.block(self._anchor, target), command)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position().toPoint()
        index = self.indexAt(self._mouse)
        if index.isValid() and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._anchor = QPersistentModelIndex(index)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._mouse = event.position().toPoint()
        super().mouseMoveEvent(event)

    def _double_clicked(self, index: QModelIndex) -> None:
        if not self._data.flags(index) & Qt.ItemFlag.ItemIsEditable:
            self.activated_row.emit(self._data.key_at(index.row()))

    # -- keys ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._command(event):
            super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Typing a letter neither searches 100,000 rows nor jumps: Ctrl+F filters."""

    def _command(self, event: QKeyEvent) -> bool:
        key = Qt.Key(event.key())
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        current = self.currentIndex()
        if key in _MOVES and not event.modifiers() & Qt.KeyboardModifier.AltModifier:
            self._move(key, control, shift)
        elif key == Qt.Key.Key_Space and (control or shift):
            self._whole(rows=shift, columns=control)
        elif key == Qt.Key.Key_A and control:
            self._whole(rows=True, columns=True)
        elif key in (Qt.Key.Key_C, Qt.Key.Key_Insert) and control:
            self.copy_asked.emit(not shift)
        elif key == Qt.Key.Key_F and control:
            self.find_asked.emit(current.column())
        elif key == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not control:
            if current.isValid():
                self.activated_row.emit(self._data.key_at(current.row()))
        else:
            return False
        return True

    def _whole(self, *, rows: bool, columns: bool) -> None:
        """Whole rows and / or whole columns of what is selected."""
        shown = self.visible_columns()
        if not self._data.rowCount() or not shown:
            return
        if rows and columns:
            found, wanted = [(0, self._data.rowCount() - 1)], shown
        elif rows:
            found, wanted = runs(self.selected_rows()), shown
        else:
            found, wanted = [(0, self._data.rowCount() - 1)], self.selected_columns()
        if len(found) <= _MOST_RUNS:
            self.selectionModel().select(self._ranges(found, wanted), Flag.ClearAndSelect)

    def _move(self, key: Qt.Key, control: bool, shift: bool) -> None:
        shown = self.visible_columns()
        count = self._data.rowCount()
        if not count or not shown:
            return
        current = self.currentIndex()
        if not current.isValid() or current.column() not in shown:
            self.set_current(self._data.index(0, shown[0]))
            return
        row, place = current.row(), shown.index(current.column())
        page = max(1, self.viewport().height() // self._row_height - 1)
        last = len(shown) - 1
        if key == Qt.Key.Key_Home:
            row, place = (0 if control else row), 0
        elif key == Qt.Key.Key_End:
            row, place = (count - 1 if control else row), last
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            row += page if key == Qt.Key.Key_PageDown else -page
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            step = 1 if key == Qt.Key.Key_Down else -1
            row = block_edge(self._present_down(shown[place]), row, step) if control else row + step
        else:
            step = 1 if key == Qt.Key.Key_Right else -1
            place = block_edge(self._present_across(row, shown), place, step) if control else place + step
        target = self._data.index(min(max(row, 0), count - 1), shown[min(max(place, 0), last)])
        if not shift:
            self.set_current(target)
            return
        if not self._anchor.isValid():
            self._anchor = QPersistentModelIndex(current)
        self.selectionModel().setCurrentIndex(target, Flag.NoUpdate)
        self.selectionModel().select(self.block(self._anchor, target), Flag.ClearAndSelect)

    def _present_down(self, column: int) -> NDArray[np.bool_]:
        frame = self._data.frame
        return np.asarray(~frame.missing(frame.columns[column].name)[self._data.rows])

    def _present_across(self, row: int, shown: list[int]) -> NDArray[np.bool_]:
        frame_row = int(self._data.rows[row])
        return np.array([self._data.frame.value(frame_row, c) is not None for c in shown])

    # -- what stays over a reset -----------------------------------------------------------------------------------

    def _keep(self) -> None:
        rows = self._data.rows
        groups: dict[tuple[int, int], list[NDArray[np.int32]]] = {}
        for part in self.parts():
            groups.setdefault((part.left(), part.right()), []).append(rows[part.top() : part.bottom() + 1])
        current = self.currentIndex()
        visible = current.isValid() and self.viewport().rect().intersects(self.visualRect(current))
        self._kept = Kept(
            frame=self._data.frame,
            current_row=int(rows[current.row()]) if current.isValid() else -1,
            current_column=current.column(),
            current_visible=visible,
            groups=[(left, right, np.concatenate(parts)) for (left, right), parts in groups.items()],
            scroll=(self.horizontalScrollBar().value(), self.verticalScrollBar().value()),
        )

    def _restore(self) -> None:
        kept, self._kept = self._kept, None
        self._anchor = QPersistentModelIndex()
        if kept is None:
            return
        frame, places = self._data.frame, self._data.places
        same_frame = frame is kept.frame
        self.executeDelayedItemsLayout()
        for bar, value in zip((self.horizontalScrollBar(), self.verticalScrollBar()), kept.scroll, strict=True):
            bar.setValue(value)
        selection = QItemSelection()
        for left, right, old_rows in kept.groups:
            rows = frame.rows_of(kept.frame, old_rows)
            columns = self._new_columns(kept.frame, range(left, right + 1))
            shown = places[rows[rows >= 0]]
            found = runs(np.sort(shown[shown >= 0]))
            if columns and len(found) <= _MOST_RUNS:
                selection.merge(self._ranges(found, columns), Flag.Select)
        if kept.current_row >= 0:
            row = kept.current_row if same_frame else frame.row_of(kept.frame.key_of(kept.current_row))
            place = self._data.place_of(row)
            columns = self._new_columns(kept.frame, [kept.current_column])
            if place >= 0 and columns:
                # a scroll on setting it would lose the place
                self.setAutoScroll(False)
                self.set_current(self._data.index(place, columns[0]), Flag.NoUpdate)
                self.setAutoScroll(True)
                if kept.current_visible:
                    self.scrollTo(self.currentIndex())
        self.selectionModel().select(selection, Flag.ClearAndSelect)
        self.place_strip()
        self.moved.emit()

    def _new_columns(self, old: Frame, columns: Iterable[int]) -> list[int]:
        index = self._data.frame.index
        names = (old.columns[c].name for c in columns)
        return [index[name] for name in names if name in index]

    # -- frozen columns --------------------------------------------------------------------------------------------

    def place_strip(self, *_: object) -> None:
        viewport = self.viewport().geometry()
        self._strip.setGeometry(viewport.x(), viewport.y(), self.frozen_width(), viewport.height())
        # without rows it would cover what is said of that
        self._strip.setVisible(self._strip.width() > 0 and self._data.rowCount() > 0)
        self._strip.raise_()
        self._strip.update()

    def paint_frozen(self, painter: QPainter, dirty: QRect) -> None:
        count = self._data.rowCount()
        if not count:
            return
        top = max(self.rowAt(max(dirty.top(), 0)), 0)
        bottom = self.rowAt(dirty.bottom())
        bottom = count - 1 if bottom < 0 else bottom
        selection, current = self.selectionModel(), self.currentIndex()
        metrics, frame, rows = self.fontMetrics(), self._data.frame, self._data.rows
        focus = self.hasFocus()
        x = 0
        for column in self.frozen_columns():
            width = self.columnWidth(column)
            for row in range(top, bottom + 1):
                rect = QRect(x, self.rowViewportPosition(row), width, self.rowHeight(row))
                index = self._data.index(row, column)
                here = focus and index == current
                chosen = selection.isSelected(index)
                self.cells.paint(painter, rect, metrics, frame, int(rows[row]), column, chosen, here)
            x += width
        painter.setPen(QColor(theme.current().muted))
        painter.drawLine(x - 1, 0, x - 1, self._strip.height())

    def updateGeometries(self) -> None:
        super().updateGeometries()
        if hasattr(self, "_strip"):
            self.verticalScrollBar().setSingleStep(self._row_height)
            self.place_strip()
            self.columns.place()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        if dx:
            self.columns.place()
        self._strip.update()

    def selectionChanged(self, selected: QItemSelection, deselected: QItemSelection) -> None:
        super().selectionChanged(selected, deselected)
        self._changed()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self._changed()

    def _changed(self) -> None:
        if hasattr(self, "_strip"):
            self._strip.update()
            self.moved.emit()

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut) and hasattr(self, "_strip"):
            self._strip.update()
        return super().event(event)
