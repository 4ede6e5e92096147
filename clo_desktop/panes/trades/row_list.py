"""The list in which trades are typed: completion, Enter, Delete, copy and paste, every keystroke told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QKeyEvent, QPainter, QPen, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QCompleter,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from clo_desktop.look import formats, theme
from clo_desktop.look.beside import BESIDE, BesideDelegate
from clo_desktop.look.tokens import DENSE_ROW, ROW
from clo_desktop.panes.trades.row_model import NAMES, QUIET, WRONG, RowModel
from clo_desktop.work.pad_rows import CELLS, Row, pasted, rows_text
from clo_desktop.work.trading import issue_of
from engine.trades import Trader

Index = QModelIndex | QPersistentModelIndex
_PAD: Final = 6
_WIDTHS: Final = {
    **{"side": 46, "asset": 108, "par": 100, "price": 104, "settlement": 88},
    **{"issue": 280, "held": 100, "cash": 100},
}
_FILLED: Final = "filled"
_ID: Final = Qt.ItemDataRole.UserRole + 2


class _Completer(QCompleter):
    """Finds assets by any part of id, issue or issuer; what is taken is the id."""

    def pathFromIndex(self, index: Index) -> str:
        return str(index.data(_ID) or index.data() or "")


class _Delegate(QStyledItemDelegate):
    """Paints cells, what is wrong with a frame and a fill; its editors tell every keystroke.

    keyed  row, column and the text so far
    """

    keyed = Signal(int, int, str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._assets = QStandardItemModel(self)
        self._sides = QStandardItemModel(self)
        for word in ("Buy", "Sell"):
            self._sides.appendRow(QStandardItem(word))

    def set_assets(self, trader: Trader | None) -> None:
        """What the asset cell completes: what is held first, then the rest of the master."""
        self._assets.clear()
        if trader is None:
            return
        for asset in sorted(trader.pool.assets, key=lambda a: trader.par[trader.place(a.asset_id)] <= 0.0):
            held = float(trader.par[trader.place(asset.asset_id)])
            issuer = asset.issuer_name or ""
            issue = issue_of(asset)
            words = issue if issue.startswith(issuer) else f"{issuer}, {issue}"
            item = QStandardItem(f"{asset.asset_id}  {words}")
            item.setData(asset.asset_id, _ID)
            item.setData(f"held {formats.figure(held / 1e6, 2)}m" if held else "not held", BESIDE)
            item.setSizeHint(QSize(0, ROW))
            self._assets.appendRow(item)

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = QLineEdit(parent)
        editor.setFrame(False)
        editor.setTextMargins(_PAD - 2, 0, _PAD - 2, 0)
        editor.setAlignment(Qt.AlignmentFlag(index.data(Qt.ItemDataRole.TextAlignmentRole)))
        editor.setAccessibleName(f"{_title(index)}, row {index.row() + 1}")
        row, column = index.row(), index.column()
        editor.textChanged.connect(lambda text: self.keyed.emit(row, column, text))
        name = NAMES[column]
        if name in ("asset", "side"):
            completer = _Completer(self._assets if name == "asset" else self._sides, editor)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchContains if name == "asset" else Qt.MatchFlag.MatchStartsWith)
            popup = QListView()
            popup.setUniformItemSizes(True)
            popup.setMinimumWidth(420 if name == "asset" else 0)
            popup.setAccessibleName("Assets that fit" if name == "asset" else "Sides")
            completer.setPopup(popup)
            popup.setItemDelegate(BesideDelegate(popup))
            completer.setMaxVisibleItems(9)
            editor.setCompleter(completer)
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        """Once: what the rows are judged to be comes while one types."""
        if isinstance(editor, QLineEdit) and not editor.property(_FILLED):
            editor.setProperty(_FILLED, True)
            editor.blockSignals(True)
            editor.setText(str(index.data(Qt.ItemDataRole.EditRole) or ""))
            editor.blockSignals(False)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        if isinstance(editor, QLineEdit):
            model.setData(index, editor.text())

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        tokens = theme.current()
        rect: QRect = option.rect
        wrong = bool(index.data(WRONG)) and NAMES[index.column()] != "issue"
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, QColor(tokens.selection))
        elif wrong:
            painter.fillRect(rect, QColor(tokens.fail_fill))
        elif index.column() >= len(CELLS):
            painter.fillRect(rect, QColor(tokens.window))
        painter.setPen(QColor(tokens.line))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        painter.drawLine(rect.topRight(), rect.bottomRight())
        if wrong:  # a frame as well as a fill: not by colour alone
            painter.setPen(QPen(QColor(tokens.failure), 1, Qt.PenStyle.DashLine))
            painter.drawRect(rect.adjusted(1, 1, -2, -2))
        text = str(index.data() or "")
        told = NAMES[index.column()] == "issue" and bool(index.data(WRONG))
        ink = tokens.failure if told else tokens.muted if index.data(QUIET) else tokens.text
        painter.setPen(QColor(ink))
        inner = rect.adjusted(_PAD, 0, -_PAD, 0)
        shown = option.fontMetrics.elidedText(text, Qt.TextElideMode.ElideRight, inner.width())
        painter.drawText(inner, int(index.data(Qt.ItemDataRole.TextAlignmentRole)), shown)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRect(rect.adjusted(1, 1, -1, -1))


def _title(index: Index) -> str:
    return str(index.model().headerData(index.column(), Qt.Orientation.Horizontal))


class RowList(QTableView):
    """Trades as they are typed.

    drafted    carries the rows with what is being typed (None: it was dropped)
    left       carries the rows once a cell is left, or rows were pasted or deleted: a step
    refused    a sentence about what could not be pasted
    row_chosen the place of the current row
    """

    drafted = Signal(object)
    left = Signal(object)
    refused = Signal(str)
    row_chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = RowModel(self)
        self.setModel(self.rows)
        self.cells = _Delegate(self)
        self.setItemDelegate(self.cells)
        self.setAccessibleName("Trades")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setFrameShape(QTableView.Shape.NoFrame)
        self.setCornerButtonEnabled(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
            | QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.SelectedClicked
        )
        self.setTabKeyNavigation(True)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        for column, name in enumerate(NAMES):
            self.setColumnWidth(column, _WIDTHS[name])
        self.verticalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignCenter)
        self.verticalHeader().setHighlightSections(False)
        self.set_dense(False)
        self.rows.typed.connect(self.left)
        self.cells.keyed.connect(self._keyed)
        self.setMinimumHeight(80)
        theme.watcher().changed.connect(self._recolour)

    def set_dense(self, dense: bool) -> None:
        """Rows of 18 px instead of 22."""
        header = self.verticalHeader()
        height = DENSE_ROW if dense else ROW
        header.setMinimumSectionSize(height)
        header.setDefaultSectionSize(height)
        header.setSectionResizeMode(header.ResizeMode.Fixed)

    def _recolour(self) -> None:
        self.viewport().update()

    # -- rows ---------------------------------------------------------------------------------------------------------

    @property
    def place(self) -> int:
        """The current row, that below the last included; -1 for none."""
        return self.currentIndex().row()

    def go(self, row: int, name: str = "asset") -> None:
        """Makes a cell the current one."""
        index = self.rows.index(min(max(row, 0), self.rows.rowCount() - 1), NAMES.index(name))
        self.setCurrentIndex(index)
        self.scrollTo(index)

    def add(self) -> None:
        """To the row below the last, in its asset cell, ready to be typed into."""
        self.go(len(self.rows.rows))
        self.edit(self.currentIndex())

    def chosen(self) -> list[int]:
        """Rows that the selection touches, without the one below the last."""
        found = {i.row() for i in self.selectionModel().selectedIndexes()} or {self.place}
        return sorted(r for r in found if 0 <= r < len(self.rows.rows))

    def remove(self) -> None:
        """Takes the chosen rows out."""
        chosen = set(self.chosen())
        if chosen:
            place = min(chosen)
            self.left.emit(tuple(r for i, r in enumerate(self.rows.rows) if i not in chosen))
            self.go(min(place, len(self.rows.rows)), NAMES[max(self.currentIndex().column(), 0)])

    def copy(self, headers: bool = True) -> None:
        """The chosen rows as Excel, and this list, read them."""
        self._copy(self.chosen(), headers)

    def copy_all(self) -> None:
        """Every row, with headings."""
        self._copy(range(len(self.rows.rows)), True)

    def _copy(self, chosen: Iterable[int], headers: bool) -> None:
        places = list(chosen)
        currency = self.rows.currency
        told = {
            self.rows.title(NAMES.index(n)): [self.rows.exact(i, n) for i in places] for n in ("issue", "held", "cash")
        }
        text = rows_text([self.rows.rows[i] for i in places], currency, headers=headers, beside=told)
        QGuiApplication.clipboard().setText(text)

    def paste(self, text: str | None = None) -> None:
        """A block of tab-separated text at the current cell, rows added as needed: one step."""
        given = QGuiApplication.clipboard().text() if text is None else text
        column = self.currentIndex().column()
        at = self.place if self.place >= 0 else len(self.rows.rows)
        try:
            self.left.emit(pasted(self.rows.rows, given, at, column if 0 <= column < len(CELLS) else 0))
        except ValueError as error:
            self.refused.emit(str(error))

    def set_rows(self, rows: Iterable[Row]) -> None:
        self.rows.set_rows(tuple(rows))

    # -- keys ---------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys of the list; what an editor passes on is its own affair."""
        if self.state() == QAbstractItemView.State.EditingState and not self.hasFocus():
            event.accept()
            return
        key = Qt.Key(event.key())
        modifiers = event.modifiers()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        shift = bool(modifiers & Qt.KeyboardModifier.ShiftModifier)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not control:
            self._down()
        elif key == Qt.Key.Key_Delete:
            self.remove()
        elif key in (Qt.Key.Key_C, Qt.Key.Key_Insert) and control:
            self.copy(not shift)
        elif (key == Qt.Key.Key_V and control) or (key == Qt.Key.Key_Insert and shift):
            self.paste()
        elif key == Qt.Key.Key_X and control:
            self.copy()
            self.remove()
        elif key == Qt.Key.Key_Tab and self._at_end(1):
            self.window().focusNextPrevChild(True)  # the list's own would come back here
        elif key == Qt.Key.Key_Backtab and self._at_end(-1):
            self.window().focusNextPrevChild(False)
        else:
            super().keyPressEvent(event)

    def _at_end(self, step: int) -> bool:
        """Whether Tab (1) or Shift+Tab (-1) goes on to the next part of the pane rather than round the list."""
        index = self.currentIndex()
        if not index.isValid():
            return True
        if step < 0:
            return index.row() == 0 and index.column() == 0
        return index.row() == self.rows.rowCount() - 1 and index.column() >= len(CELLS) - 1

    def _down(self) -> None:
        """Enter: on to the next trade; in the last one to the row below it, which is a new trade."""
        self.go(self.place + 1)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        """Enter goes down after a price or settlement, and on to the next cell before them, as one types a trade."""
        row, column = self.place, self.currentIndex().column()
        super().closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)
        hints = QAbstractItemDelegate.EndEditHint
        if hint == hints.RevertModelCache:
            self.drafted.emit(None)
        elif hint == hints.SubmitModelCache:
            if NAMES[column] in ("price", "settlement"):
                self.go(row + 1)
            else:
                self.go(row, CELLS[column + 1])
        elif hint == hints.EditNextItem and column < len(CELLS) - 1:
            self.go(row, CELLS[column + 1])
        elif hint == hints.EditNextItem:
            self.go(row + 1, CELLS[0])
        elif hint == hints.EditPreviousItem and column:
            self.go(row, CELLS[column - 1])
        self.setFocus()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.row_chosen.emit(current.row())

    def _keyed(self, row: int, column: int, text: str) -> None:
        self.drafted.emit(self.rows.with_text(row, column, text))

    def event(self, event: QEvent) -> bool:
        """The list's own keys come before the window's shortcuts of the same name."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
            if event.key() == Qt.Key.Key_Delete or (
                control and event.key() in (Qt.Key.Key_C, Qt.Key.Key_V, Qt.Key.Key_X)
            ):
                event.accept()
                return True
        return super().event(event)
