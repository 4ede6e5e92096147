"""The table model: a frame, a row permutation, a filter. Sorts and filters with numpy."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from clo_desktop.look import formats
from clo_desktop.tables.frame import Frame
from clo_desktop.tables.query import Filter

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
_RIGHT: Final = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT: Final = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class SortKey(NamedTuple):
    column: str
    descending: bool = False


class FrameModel(QAbstractTableModel):
    """Shows the rows of a frame that pass every filter, in the order of the sort keys.

    Each change of frame, sort or filter is one reset (or one dataChanged where only values changed); the view keeps
    selection and current cell by key. `edited` carries (key, column name, text) of an in-place edit: the model itself
    changes nothing.
    """

    edited = Signal(object, str, str)

    def __init__(self, frame: Frame, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._frame = frame
        self._keys: tuple[SortKey, ...] = ()
        self._filters: dict[str, Filter] = {}
        self._order = frame.order(())
        self._rows = self._order
        self._places: NDArray[np.int32] | None = None
        self._shown: NDArray[np.int32] | None = None
        self._content = 0
        self._read_only = False
        self._describe()

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self._frame

    @property
    def rows(self) -> NDArray[np.int32]:
        """Frame row of each shown row."""
        return self._rows

    @property
    def shown(self) -> NDArray[np.int32]:
        """The shown frame rows in the frame's own order: what totals are made of, whatever the sort."""
        if self._shown is None:
            self._shown = np.sort(self._rows)
        return self._shown

    @property
    def content(self) -> int:
        """Counts up whenever values or the shown rows change; a sort does not change them."""
        return self._content

    @property
    def sort_keys(self) -> tuple[SortKey, ...]:
        return self._keys

    @property
    def is_filtered(self) -> bool:
        return bool(self._filters)

    def place_of(self, frame_row: int) -> int:
        """The shown row of a frame row, -1 where it is filtered away."""
        return int(self.places[frame_row]) if frame_row >= 0 else -1

    def place_of_key(self, key: Hashable) -> int:
        """The shown row of a key, -1 where it is not shown."""
        return self.place_of(self._frame.row_of(key))

    def key_at(self, row: int) -> Hashable:
        """The key of a shown row."""
        return self._frame.key_of(int(self._rows[row]))

    @property
    def places(self) -> NDArray[np.int32]:
        """Shown row of each frame row, -1 where it is filtered away."""
        if self._places is None:
            self._places = np.full(len(self._frame), -1, dtype=np.int32)
            self._places[self._rows] = np.arange(len(self._rows), dtype=np.int32)
        return self._places

    # -- changes -------------------------------------------------------------------------------------------------

    def set_frame(self, frame: Frame) -> None:
        """Show another frame; sort keys and filters stay where their columns still are."""
        old = self._frame
        keys = tuple(k for k in self._keys if k.column in frame.index)
        order = frame.order(keys)
        self._filters = {n: f for n, f in self._filters.items() if n in frame.index or n not in old.index}
        rows = self._passing(frame, order, self._filters)
        if old.columns == frame.columns and np.array_equal(rows, self._rows) and _same_keys(old, frame):
            self._frame, self._order, self._rows = frame, order, rows
            self._content += 1
            self._describe()
            if len(rows):
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, len(frame.columns) - 1))
            return
        self._become(frame, keys, order, rows)

    def set_sort(self, keys: Sequence[SortKey]) -> None:
        """Sort by these keys, the first first; none: the frame's own order."""
        order = self._frame.order(keys)
        self._become(self._frame, tuple(keys), order, self._passing(self._frame, order, self._filters))

    def set_filters(self, filters: Mapping[str, Filter]) -> None:
        """Show rows that pass all filters. The names are the caller's: a column, or where a filter comes from."""
        self._filters = dict(filters)
        rows = self._passing(self._frame, self._order, self._filters)
        if not np.array_equal(rows, self._rows):
            self._become(self._frame, self._keys, self._order, rows)

    @staticmethod
    def _passing(frame: Frame, order: NDArray[np.int32], filters: Mapping[str, Filter]) -> NDArray[np.int32]:
        if not filters:
            return order
        mask = np.logical_and.reduce([shown(frame) for shown in filters.values()])
        return np.asarray(order[mask[order]])

    def _become(
        self, frame: Frame, keys: tuple[SortKey, ...], order: NDArray[np.int32], rows: NDArray[np.int32]
    ) -> None:
        self.beginResetModel()
        if frame is not self._frame or len(rows) != len(self._rows) or keys == self._keys:
            self._content += 1
            self._shown = None
        self._frame, self._keys, self._order, self._rows = frame, keys, order, rows
        self._places = None
        self._describe()
        self.endResetModel()

    def set_read_only(self, read_only: bool) -> None:
        """Whether no cell may be typed into, whatever its column."""
        if read_only != self._read_only:
            self._read_only = read_only
            self._describe()

    def _describe(self) -> None:
        self._headers = [column.header(self._frame.currency) for column in self._frame.columns]
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        self._flags = [
            plain | Qt.ItemFlag.ItemIsEditable if c.editable and not self._read_only else plain
            for c in self._frame.columns
        ]

    # -- Qt's questions --------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self._frame.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Numbers stay numbers: the delegate formats. Editing and reading aloud get text."""
        if not index.isValid():
            return None
        frame, column = self._frame, index.column()
        row = int(self._rows[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return frame.value(row, column)
        if role == Qt.ItemDataRole.EditRole:
            return formats.plain(frame.kind(row, column), frame.value(row, column))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self._headers[column]}: {frame.text(row, column)}"
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _RIGHT if formats.is_number(frame.columns[column].kind) else _LEFT
        if role == Qt.ItemDataRole.ToolTipRole:
            whole = frame.whole.get(frame.columns[column].name)
            return whole[row] if whole is not None else None
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Hand an edit over; what comes of it is a new frame."""
        if role != Qt.ItemDataRole.EditRole or not index.isValid() or value == self.data(index, role):
            return False
        self.edited.emit(self.key_at(index.row()), self._frame.columns[index.column()].name, str(value))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        return self._flags[index.column()] if index.isValid() else Qt.ItemFlag.NoItemFlags

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            return section + 1 if role == Qt.ItemDataRole.DisplayRole else None
        if not 0 <= section < len(self._headers):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._headers[section]
        if role == Qt.ItemDataRole.ToolTipRole:
            tip = self._frame.columns[section].tip
            return f"{self._headers[section]}\n{tip}" if tip else self._headers[section]
        return None


def _same_keys(old: Frame, new: Frame) -> bool:
    if old.key != new.key or len(old) != len(new):
        return False
    if old.is_text(old.key) and old.texts(old.key) != new.texts(new.key):
        return False
    return np.array_equal(old.array(old.key), new.array(new.key))
