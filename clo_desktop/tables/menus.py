"""The menus of a table: of a cell and of a column's header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QMenu

from clo_desktop.tables import query
from clo_desktop.tables.model import SortKey

if TYPE_CHECKING:
    from clo_desktop.tables.view import FrameTable


def cell_menu(table: FrameTable) -> QMenu:
    """Copying, and filtering by the value of the current cell."""
    menu = _menu(table)
    menu.addAction("Copy", QKeySequence("Ctrl+C"), lambda: table.copy(True))
    menu.addAction("Copy without headers", QKeySequence("Ctrl+Shift+C"), lambda: table.copy(False))
    index = table.grid.currentIndex()
    if index.isValid() and table.grid.columns.has_filters:
        frame = table.frame
        column = frame.columns[index.column()]
        row = int(table.model.rows[index.row()])
        only = query.literal(column, frame.value(row, index.column()))
        without = "!" + only
        told = f"{column.title}: {frame.text(row, index.column())}".replace("&", "&&")
        menu.addSeparator()
        menu.addAction(f"Only {told}", lambda: table.set_filter(column.name, only))
        menu.addAction(f"Without {told}", lambda: table.set_filter(column.name, without))
        clear = menu.addAction("Clear filters", table.clear_filters)
        clear.setEnabled(table.is_filtered)
    if index.isValid() and table.cell_acts:
        menu.addSeparator()
        for words, act in table.cell_acts:
            menu.addAction(words, act)
    menu.addSeparator()
    _add_columns(menu, table)
    return menu


def header_menu(table: FrameTable, logical: int) -> QMenu:
    """Sorting, fitting and hiding a column; column sets."""
    menu = _menu(table)
    if 0 <= logical < len(table.frame.columns):
        name = table.frame.columns[logical].name
        menu.addAction("Sort ascending", lambda: table.sort_by(SortKey(name)))
        menu.addAction("Sort descending", lambda: table.sort_by(SortKey(name, True)))
        menu.addAction("Original order", lambda: table.sort_by())
        menu.addSeparator()
        menu.addAction("Fit width", lambda: table.grid.fit_column(logical))
        hide = menu.addAction("Hide column", lambda: table.hide_column(name))
        hide.setEnabled(len(table.visible_columns()) > 1)
    _add_columns(menu, table)
    return menu


def _menu(table: FrameTable) -> QMenu:
    menu = QMenu(table)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _add_columns(menu: QMenu, table: FrameTable) -> None:
    menu.addAction("Columns…", lambda: table.choose_columns())
    if table.column_sets:
        sets = menu.addMenu("Column set")
        for name in table.column_sets:
            sets.addAction(name).triggered.connect(lambda _checked=False, name=name: table.show_set(name))
