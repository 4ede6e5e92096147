"""FrameTable: grid, filter row, footer, column sets, copying, and what it says of the selection."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QScrollBar, QVBoxLayout, QWidget

from clo_desktop.look import theme
from clo_desktop.tables import clipboard, menus, query, summary
from clo_desktop.tables.chooser import ColumnChooser
from clo_desktop.tables.delegates import CellDelegate
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.footer import Footer
from clo_desktop.tables.frame import Frame
from clo_desktop.tables.grid import Grid
from clo_desktop.tables.model import FrameModel, SortKey
from clo_desktop.tables.query import BadQuery, Filter

TYPING_PAUSE: Final = 120  # ms after the last key before a filter is applied


class FrameTable(QWidget):
    """A table of a Frame.

    selection_summary  one line on the selected rows, empty where none is
    row_activated      key of the row under Enter or a double click
    rows_changed       filter, sort or data changed; carries how many rows are shown
    current_changed    key of the row of the current cell, or None
    filters_changed    texts of the filter row by column name
    """

    selection_summary = Signal(str)
    row_activated = Signal(object)
    rows_changed = Signal(int)
    current_changed = Signal(object)
    filters_changed = Signal(dict)

    def __init__(
        self,
        frame: Frame,
        *,
        name: str,
        frozen: int = 0,
        filters: bool = True,
        footer: bool = True,
        told: Sequence[str] = (),
        sets: Mapping[str, Sequence[str]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`name` is what a screen reader calls the table; `told` the columns the selection summary tells of;
        `sets` named column sets, the first of which is shown."""
        super().__init__(parent)
        self.model = FrameModel(frame, self)
        self.grid = Grid(self.model, frozen=frozen, filters=filters)
        self.footer = Footer(self.grid, self.model) if footer else None
        self.cell_acts: list[tuple[str, Callable[[], object]]] = []
        """What a pane adds to the menu of a cell: words, and what they do with the current cell."""
        self._told = tuple(told)
        self._sets = dict(sets or {})
        self._extra: dict[str, Filter] = {}
        self._empty: tuple[str, str, Callable[[], object] | None] = ("Nothing here yet.", "", None)
        self._summary = ""
        self._hint = ""
        self._current: Hashable = None
        self.setAccessibleName(name)
        self.grid.setAccessibleName(name)
        self._bar = QScrollBar(Qt.Orientation.Horizontal)
        self._bar.setAccessibleName(f"Scroll {name} sideways")
        self.empty = EmptyState("", parent=self.grid.viewport())
        self._filter_timer = self._timer(TYPING_PAUSE, self.apply_filters)
        self._summary_timer = self._timer(30, self._tell_selection)
        self._build()
        self._connect()
        self.fit_columns()
        if self._sets:
            self.show_set(next(iter(self._sets)))
        self._show_empty()

    def _timer(self, pause: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(pause)
        timer.timeout.connect(act)
        return timer

    def _build(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.grid)
        if self.footer is not None:
            layout.addWidget(self.footer)
        # the grid's own bar would stand between the rows and their totals
        self.grid.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout.addWidget(self._bar)
        self.setFocusProxy(self.grid)

    def _connect(self) -> None:
        grid, header, own = self.grid, self.grid.columns, self.grid.horizontalScrollBar()
        own.rangeChanged.connect(self._fit_bar)
        own.valueChanged.connect(self._bar.setValue)
        self._bar.valueChanged.connect(own.setValue)
        self._fit_bar()
        header.filter_typed.connect(self._filter_typed)
        header.sort_asked.connect(self._sort_asked)
        header.left.connect(self._leave_filter)
        header.step = self._step_filter
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._header_menu)
        grid.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        grid.customContextMenuRequested.connect(self._cell_menu)
        grid.activated_row.connect(self.row_activated)
        grid.copy_asked.connect(self.copy)
        grid.find_asked.connect(self.focus_filter)
        grid.escaped.connect(self._escape)
        grid.moved.connect(self._summary_timer.start)
        grid.viewport().installEventFilter(self)
        self.model.modelReset.connect(self._rows_changed)
        self.model.dataChanged.connect(self._rows_changed)
        theme.watcher().changed.connect(self._recolour)

    # -- data ------------------------------------------------------------------------------------------------------

    @property
    def frame(self) -> Frame:
        return self.model.frame

    def set_frame(self, frame: Frame, *, widen: bool = True) -> None:
        """Show other data; scroll, selection, sort and filters stay as far as rows and columns do.

        widen  whether columns are made wider for longer texts; measuring takes longer than showing, so who shows
               data at every keystroke calls `widen_columns` once there is time
        """
        old = self.frame
        shown = self.visible_columns()
        same = [c.name for c in old.columns] == [c.name for c in frame.columns]
        if not same:
            self.grid.columns.forget(set(old.index) - set(frame.index))
        was_empty = len(old) == 0
        self.model.set_frame(frame)
        if not same:
            # hidden sections are remembered by place, not by name
            self.show_columns([name for name in shown if name in frame.index] or list(frame.index))
        if not same or was_empty:
            self.fit_columns()
        elif widen:
            self.widen_columns()

    def set_empty(self, text: str, button_text: str = "", callback: Callable[[], object] | None = None) -> None:
        """What is said, and offered, while the frame has no rows."""
        self._empty = (text, button_text, callback)
        self._show_empty()

    def _show_empty(self) -> None:
        if not len(self.frame):
            self.empty.say(*self._empty)
        elif not self.model.rowCount():
            self.empty.say(
                f"No row passes the filters. {self._hint.removeprefix('No row: ')}".strip(),
                "Clear filters",
                self.clear_filters,
            )
        self.empty.setVisible(not self.model.rowCount())
        self.grid.place_strip()
        self.empty.setGeometry(self.grid.viewport().rect())

    def _rows_changed(self) -> None:
        self._show_empty()
        self._summary_timer.start()
        self.rows_changed.emit(self.model.rowCount())

    # -- sort and filter ---------------------------------------------------------------------------------------------

    def sort_by(self, *keys: SortKey) -> None:
        """Sort by these keys; none: the frame's own order."""
        self.model.set_sort(keys)
        self.grid.updateGeometries()

    def _sort_asked(self, name: str, add: bool) -> None:
        keys = list(self.model.sort_keys)
        found = next((i for i, key in enumerate(keys) if key.column == name), -1)
        if not add:
            descending = len(keys) == 1 and found == 0 and not keys[0].descending
            self.sort_by(SortKey(name, descending))
        elif found >= 0:
            keys[found] = SortKey(name, not keys[found].descending)
            self.sort_by(*keys)
        else:
            self.sort_by(*keys, SortKey(name))

    def filter_texts(self) -> dict[str, str]:
        """What is typed in the filter row, by column name."""
        return self.grid.columns.filter_texts()

    def set_filter(self, name: str, text: str) -> None:
        """Type into the filter of a column, and apply it at once."""
        self.grid.columns.set_filter_text(name, text)
        self.apply_filters()

    def clear_filters(self) -> None:
        """Empty the filter row and go to the rows. Filters from elsewhere (`set_extra_filter`) go as well."""
        self.drop_filters()
        self.grid.setFocus()

    def drop_filters(self) -> None:
        """As `clear_filters`, and the keyboard stays where it is: other rows come that nobody filtered."""
        for name in self.filter_texts():
            self.grid.columns.set_filter_text(name, "")
        self._extra.clear()
        self.apply_filters()

    def set_extra_filter(self, source: str, shown: Filter | None) -> None:
        """A filter that comes from elsewhere, such as a click in a chart; None takes it away."""
        if shown is None:
            self._extra.pop(source, None)
        else:
            self._extra[source] = shown
        self.apply_filters()

    def apply_filters(self) -> None:
        """Read the filter row and filter; a cell that cannot be read turns amber and filters nothing.

        Amber as well, with what may be meant, is a cell that can be read but shows no row for its unit.
        """
        self._filter_timer.stop()
        self._hint = ""
        header = self.grid.columns
        filters: dict[str, Filter] = {f"\0{source}": shown for source, shown in self._extra.items()}
        for column in self.frame.columns:
            text = header.filter_texts().get(column.name, "")
            fault = ""
            try:
                shown = query.parse(text, column)
                if shown is not None:
                    filters[column.name] = shown
                    fault = query.hint(text, column, self.frame)
                    self._hint = fault or self._hint
            except BadQuery as wrong:
                fault = str(wrong)
            if fault != header.fault(column.name):
                header.show_fault(column.name, fault)
        self.model.set_filters(filters)
        self.filters_changed.emit(self.filter_texts())

    def _filter_typed(self, name: str, text: str) -> None:
        self._filter_timer.start()

    def focus_filter(self, column: int) -> None:
        """Put the cursor into the filter of a logical column (the first one shown where it is none)."""
        shown = self.grid.visible_columns()
        if not shown:
            return
        logical = column if column in shown else shown[0]
        self.grid.bring_column(logical)
        self.grid.columns.place()
        edit = self.grid.columns.filter_cell(self.frame.columns[logical].name)
        if edit is not None:
            edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
            edit.selectAll()

    def _step_filter(self, name: str, forward: bool) -> bool:
        """From a filter cell to that of the next column as they are seen; False past the ends."""
        shown = self.visible_columns()
        place = shown.index(name) + (1 if forward else -1) if name in shown else -1
        if not 0 <= place < len(shown):
            return False
        self.focus_filter(self.frame.index[shown[place]])
        return True

    def _leave_filter(self) -> None:
        self.apply_filters()
        self.grid.setFocus()
        shown = self.grid.visible_columns()
        if not self.grid.currentIndex().isValid() and self.model.rowCount() and shown:
            self.grid.set_current(self.model.index(0, shown[0]))

    def _escape(self) -> None:
        """First the selection shrinks to the current cell, then the filters go."""
        if len(self.grid.selected_rows()) > 1 or len(self.grid.selected_columns()) > 1:
            self.grid.set_current(self.grid.currentIndex())
        elif self.is_filtered:
            self.clear_filters()

    def set_tips(self, tip: Callable[[Hashable, str], str]) -> None:
        """Further words for the tool tip of a cell, by key of the row and column name; "" for none."""
        delegate = self.grid.itemDelegate()
        assert isinstance(delegate, CellDelegate)
        delegate.tip = tip

    def current_column(self) -> str:
        """Name of the column of the current cell; "" where there is none."""
        index = self.grid.currentIndex()
        return self.frame.columns[index.column()].name if index.isValid() else ""

    # -- columns -----------------------------------------------------------------------------------------------------

    def visible_columns(self) -> list[str]:
        """Names of the columns shown, in their order."""
        return [self.frame.columns[c].name for c in self.grid.visible_columns()]

    def show_columns(self, names: Iterable[str]) -> None:
        """Show these columns in this order and hide the others; names the frame does not have are passed over."""
        header = self.grid.horizontalHeader()
        wanted = [self.frame.index[name] for name in names if name in self.frame.index]
        for place, logical in enumerate(wanted):
            header.moveSection(header.visualIndex(logical), place)
        keep = set(wanted)
        for logical in range(header.count()):
            if header.isSectionHidden(logical) == (logical in keep):
                header.setSectionHidden(logical, logical not in keep)
        self.grid.updateGeometries()

    def set_column_sets(self, sets: Mapping[str, Sequence[str]]) -> None:
        """Named column sets of the header's menu."""
        self._sets = dict(sets)

    @property
    def column_sets(self) -> tuple[str, ...]:
        return tuple(self._sets)

    @property
    def is_filtered(self) -> bool:
        return bool(self.filter_texts() or self._extra)

    def show_set(self, name: str) -> None:
        """Show a named column set."""
        self.show_columns(self._sets[name])

    def hide_column(self, name: str) -> None:
        self.show_columns([shown for shown in self.visible_columns() if shown != name])

    def fit_columns(self) -> None:
        """Each column as wide as its title and a sample of its rows need."""
        for logical in range(len(self.frame.columns)):
            self.grid.setColumnWidth(logical, self.grid.wanted_width(logical, 300))

    def widen_columns(self) -> None:
        """Room for what became longer, in the rows or below them; nothing becomes narrower."""
        for logical in self.grid.visible_columns():
            wanted = self.grid.wanted_width(logical, 300)
            if wanted > self.grid.columnWidth(logical):
                self.grid.setColumnWidth(logical, wanted)

    def stretch_column(self, name: str) -> None:
        """Let one column take the width that is left, such as the bars of a short table."""
        header = self.grid.horizontalHeader()
        header.setSectionResizeMode(self.frame.index[name], header.ResizeMode.Stretch)

    def choose_columns(self, where: QPoint | None = None) -> ColumnChooser:
        """Open the column chooser at a place on the screen (below the header's left end where none is given)."""
        chooser = ColumnChooser(self.frame.columns, self.visible_columns(), self._chosen, self)
        chooser.open_at(where or self.grid.columns.mapToGlobal(QPoint(0, self.grid.columns.height())))
        return chooser

    def _chosen(self, names: list[str]) -> None:
        # what is shown keeps its order, what is new comes where the frame has it
        shown = [name for name in self.visible_columns() if name in names]
        for name in names:
            if name not in shown:
                before = [n for n in names[: names.index(name)] if n in shown]
                shown.insert(shown.index(before[-1]) + 1 if before else 0, name)
        self.show_columns(shown)

    # -- selection ---------------------------------------------------------------------------------------------------

    def selected_keys(self) -> list[Hashable]:
        """Keys of the rows the selection touches, in the order shown."""
        return [self.model.key_at(int(row)) for row in self.grid.selected_rows()]

    def select_keys(self, keys: Iterable[Hashable]) -> None:
        """Select the rows of these keys as far as they are shown, and bring the first into sight."""
        rows = np.array([self.model.place_of_key(key) for key in keys], dtype=np.int32)
        self.grid.select_rows(rows)
        shown = rows[rows >= 0]
        if len(shown):
            column = max(self.grid.currentIndex().column(), 0)
            self.grid.scrollTo(self.model.index(int(shown.min()), column))

    def current_key(self) -> Hashable:
        """Key of the row of the current cell; None where there is none."""
        index = self.grid.currentIndex()
        return self.model.key_at(index.row()) if index.isValid() else None

    def _tell_selection(self) -> None:
        shown = self.grid.selected_rows()
        columns = [self.frame.columns[c].name for c in self.grid.selected_columns()]
        told = [name for name in self._told if name in self.frame.index]
        text = summary.selection_text(self.frame, np.sort(self.model.rows[shown]), columns, told)
        if text != self._summary:
            self._summary = text
            self.selection_summary.emit(text)
        key = self.current_key()
        if key != self._current:
            self._current = key
            self.current_changed.emit(key)

    def copy(self, headers: bool = True) -> None:
        """Put the selected cells on the clipboard at full precision."""
        rows, columns = self.grid.selected_rows(), self.grid.selected_columns()
        if not len(rows) or not columns:
            return
        mask = None
        parts = self.grid.parts()
        if sum(p.width() * p.height() for p in parts) != len(rows) * len(columns):
            mask = np.zeros((self.model.rowCount(), len(self.frame.columns)), dtype=bool)
            for part in parts:
                mask[part.top() : part.bottom() + 1, part.left() : part.right() + 1] = True
            mask = mask[rows][:, columns]
        QGuiApplication.clipboard().setMimeData(
            clipboard.mime(self.frame, self.model.rows[rows], columns, headers=headers, mask=mask)
        )

    # -- menus -------------------------------------------------------------------------------------------------------

    def _cell_menu(self, at: QPoint) -> None:
        menus.cell_menu(self).popup(self.grid.viewport().mapToGlobal(at))

    def _header_menu(self, at: QPoint) -> None:
        header = self.grid.columns
        menus.header_menu(self, header.column_at(at.x())).popup(header.mapToGlobal(at))

    # -- state, sizes, colours ---------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """Columns, widths, sort and filters as plain values, for a saved view."""
        return {
            "columns": self.visible_columns(),
            "widths": {self.frame.columns[c].name: self.grid.columnWidth(c) for c in self.grid.visible_columns()},
            "sort": [[key.column, key.descending] for key in self.model.sort_keys],
            "filters": self.filter_texts(),
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to a saved view; what it names and the frame lacks is passed over."""
        index = self.frame.index
        self.show_columns(state.get("columns", list(index)))
        for name, width in state.get("widths", {}).items():
            if name in index:
                self.grid.setColumnWidth(index[name], int(width))
        self.sort_by(*(SortKey(name, bool(down)) for name, down in state.get("sort", []) if name in index))
        for name in set(self.filter_texts()) | set(state.get("filters", {})):
            if name in index:
                self.grid.columns.set_filter_text(name, state.get("filters", {}).get(name, ""))
        self.apply_filters()

    def set_dense(self, dense: bool) -> None:
        """Rows of 18 px instead of 22."""
        self.grid.set_dense(dense)

    def ask_height(self, most: int) -> None:
        """Be no lower than all rows need, or so many of them where there are more."""
        rows = min(self.model.rowCount(), most) * self.grid.verticalHeader().defaultSectionSize()
        around = self.grid.columns.sizeHint().height() + self._bar.sizeHint().height()
        self.setMinimumHeight(rows + around + (0 if self.footer is None else self.footer.height()))

    def _fit_bar(self) -> None:
        own = self.grid.horizontalScrollBar()
        self._bar.setRange(own.minimum(), own.maximum())
        self._bar.setPageStep(own.pageStep())
        self._bar.setSingleStep(own.singleStep())
        self._bar.setVisible(own.maximum() > own.minimum())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.empty.setGeometry(self.grid.viewport().rect())
        return False

    def _recolour(self) -> None:
        self.grid.cells.forget()
        self.grid.columns.redress()
        self.grid.viewport().update()
        self.grid.place_strip()
        self.update()
