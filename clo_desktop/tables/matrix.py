"""A grid of figures over two axes, such as Moody's quality matrix: what fails and what is marked, by shape too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetrics, QGuiApplication, QKeyEvent, QKeySequence, QPainter, QPen
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from clo_desktop.look import formats, theme
from clo_desktop.look.tokens import DENSE_ROW, ROW

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
_PAD: Final = 6
_SIGN: Final = 16  # px for the sign of a cell


class Sign(StrEnum):
    """A sign in a cell."""

    BEST = "★"
    ELECTED = "◆"
    BETWEEN = "◇"  # a corner of the field in which what is elected lies
    STANDS = "○"
    FAILS = "■"


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What the grid shows: values float64[r, c] of one kind (formats), what fails bool[r, c], marked cells.

    rows, columns  figures of the axes, at full precision in `row_values` and `column_values`
    """

    corner: str
    kind: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    row_values: NDArray[np.float64]
    column_values: NDArray[np.float64]
    values: NDArray[np.float64]
    fails: NDArray[np.bool_]
    signs: Mapping[tuple[int, int], Sign] = field(default_factory=dict)


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.cells: Cells | None = None

    def set_cells(self, cells: Cells | None) -> None:
        self.beginResetModel()
        self.cells = cells
        self.endResetModel()

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if self.cells is None or parent.isValid() else len(self.cells.rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if self.cells is None or parent.isValid() else len(self.cells.columns)

    def sign(self, row: int, column: int) -> Sign | None:
        cells = self.cells
        if cells is None:
            return None
        return cells.signs.get((row, column)) or (Sign.FAILS if cells.fails[row, column] else None)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cells = self.cells
        if cells is None or not index.isValid():
            return None
        at = index.row(), index.column()
        shown = formats.text(cells.kind, float(cells.values[at]))
        if role == Qt.ItemDataRole.DisplayRole:
            return shown
        if role == Qt.ItemDataRole.AccessibleTextRole:
            sign = self.sign(*at)
            return f"{cells.rows[at[0]]}, {cells.columns[at[1]]}: {shown}" + (f", {sign.name.lower()}" if sign else "")
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        cells = self.cells
        if cells is None or role not in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        titles = cells.rows if orientation == Qt.Orientation.Vertical else cells.columns
        return titles[section] if 0 <= section < len(titles) else None


class _Painter(QStyledItemDelegate):
    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, _Model) or model.cells is None:
            return
        tokens, rect = theme.current(), option.rect
        sign = model.sign(index.row(), index.column())
        fails = bool(model.cells.fails[index.row(), index.column()])
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.fillRect(rect, QColor(tokens.selection if chosen else tokens.fail_fill if fails else tokens.surface))
        painter.setPen(QColor(tokens.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        if sign is not None:
            painter.setPen(QColor(tokens.failure if sign is Sign.FAILS else tokens.accent))
            left = rect.adjusted(_PAD, 0, 0, 0)
            painter.drawText(left, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), sign.value)
        painter.setPen(QColor(tokens.text))
        room = rect.adjusted(_SIGN, 0, -_PAD, 0)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), str(index.data()))
        framed = sign in (Sign.BEST, Sign.ELECTED)
        if framed or option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 2 if option.state & QStyle.StateFlag.State_HasFocus else 1))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(option.fontMetrics.horizontalAdvance(str(index.data())) + _SIGN + 2 * _PAD, ROW)


class _Axis(QHeaderView):
    """Flat titles as the other tables have them; that of the current cell is bold."""

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        tokens = theme.current()
        current = self.selectionModel().currentIndex() if self.selectionModel() is not None else QModelIndex()
        mine = current.row() if self.orientation() == Qt.Orientation.Vertical else current.column()
        painter.save()
        painter.fillRect(rect, QColor(tokens.header))
        painter.setPen(QColor(tokens.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        font = QFont(self.font())
        font.setBold(current.isValid() and mine == section)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text))
        text = str(self.model().headerData(section, self.orientation()))
        room = rect.adjusted(_PAD, 0, -_PAD, 0)
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), text)
        painter.restore()


class MatrixGrid(QTableView):
    """The grid. current_changed carries (row, column) of the current cell, or None."""

    current_changed = Signal(object)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._cells = _Model(self)
        self.setHorizontalHeader(_Axis(Qt.Orientation.Horizontal, self))
        self.setVerticalHeader(_Axis(Qt.Orientation.Vertical, self))
        self.setModel(self._cells)
        self.setItemDelegate(_Painter(self))
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setCornerButtonEnabled(False)
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.set_dense(False)
        self.selectionModel().currentChanged.connect(self._moved)
        theme.watcher().changed.connect(self.viewport().update)

    def _moved(self) -> None:
        for header in (self.horizontalHeader(), self.verticalHeader()):
            header.viewport().update()
        self.current_changed.emit(self.current())

    def set_dense(self, dense: bool) -> None:
        header = self.verticalHeader()
        header.setMinimumSectionSize(DENSE_ROW)
        header.setDefaultSectionSize(DENSE_ROW if dense else ROW)

    @property
    def cells(self) -> Cells | None:
        return self._cells.cells

    def set_cells(self, cells: Cells | None) -> None:
        """Shows other figures; the current cell stays where it is."""
        at = self.current()
        self._cells.set_cells(cells)
        if cells is not None:
            metrics = self.fontMetrics()
            shown = [formats.text(cells.kind, float(v)) for v in (np.nanmin(cells.values), np.nanmax(cells.values))]
            widest = max(metrics.horizontalAdvance(text) for text in (*shown, *cells.columns))
            self.horizontalHeader().setDefaultSectionSize(widest + _SIGN + 2 * _PAD)
            bold = QFont(self.font())
            bold.setBold(True)
            titles = (QFontMetrics(bold).horizontalAdvance(text) for text in cells.rows)
            self.verticalHeader().setFixedWidth(max(titles, default=0) + 2 * _PAD)
        if at is not None and cells is not None and at[0] < len(cells.rows) and at[1] < len(cells.columns):
            self.go_to(*at)

    def current(self) -> tuple[int, int] | None:
        index = self.currentIndex()
        return (index.row(), index.column()) if index.isValid() else None

    def go_to(self, row: int, column: int) -> None:
        self.setCurrentIndex(self._cells.index(row, column))
        self.scrollTo(self._cells.index(row, column))

    def sign_at(self, row: int, column: int) -> Sign | None:
        return self._cells.sign(row, column)

    def copy(self, whole: bool = False) -> None:
        """Puts the selected cells, or all, on the clipboard at full precision with the figures of both axes."""
        cells = self.cells
        if cells is None:
            return
        rows, columns = list(range(len(cells.rows))), list(range(len(cells.columns)))
        if not whole:
            chosen = self.selectionModel().selectedIndexes()
            rows, columns = sorted({i.row() for i in chosen}), sorted({i.column() for i in chosen})
        if rows and columns:
            QGuiApplication.clipboard().setText(text_of(cells, rows, columns))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
            return
        super().keyPressEvent(event)


def text_of(cells: Cells, rows: Sequence[int], columns: Sequence[int]) -> str:
    """Cells as tab-separated text: figures of the axes first, everything at full precision in the unit shown."""
    head = [cells.corner, *(f"{cells.column_values[c]:.15g}" for c in columns)]
    lines = ["\t".join(head)]
    for r in rows:
        figures = (formats.plain(cells.kind, float(cells.values[r, c])) for c in columns)
        lines.append("\t".join([f"{cells.row_values[r]:.15g}", *figures]))
    return "\n".join(lines)
