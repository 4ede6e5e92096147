"""Where Tab goes: past panes that are behind another tab, and along a filter row in the order it is seen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QWidget

from clo_desktop.tables.header import FilterEdit, FilterHeader


def next_in_sight(start: QWidget, forward: bool) -> QWidget | None:
    """The widget that Tab (or Shift+Tab) goes to from `start`; None where there is no other.

    Panes behind another tab count as visible for Qt, which would put the keyboard where nobody sees it. A filter row
    is entered at its first cell (its last one backwards) and left at once: its cells step along it on their own.
    """
    window = start.window()
    # a filter row stands where its header does: cells of columns that come into sight late are at the end of Qt's chain
    begin: QWidget = start.header if isinstance(start, FilterEdit) else start
    at: QWidget | None = begin
    while at is not None:
        at = at.nextInFocusChain() if forward else at.previousInFocusChain()
        if at is None or at is begin:
            break
        if isinstance(at, FilterHeader):
            cells = [cell for cell in at.cells() if _takes_tab(cell, window)]
            if cells:
                return cells[0 if forward else -1]
        elif not isinstance(at, FilterEdit) and _takes_tab(at, window):
            return at
    return None


def _takes_tab(widget: QWidget, window: QWidget) -> bool:
    wanted = Qt.FocusPolicy.TabFocus
    if not (widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & wanted == wanted):
        return False
    return widget.focusProxy() is None and widget.window() is window and _dock_in_sight(widget)


def _dock_in_sight(widget: QWidget) -> bool:
    """Whether the dock around a widget is in sight; what is scrolled out of sight inside it may be reached."""
    at: QWidget | None = widget
    while at is not None:
        if isinstance(at, QDockWidget):
            return not at.visibleRegion().isEmpty()
        at = at.parentWidget()
    return True
