"""Where Tab goes: past panes that are behind another tab, and along a filter row in the order it is seen."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QWidget

from clo_desktop.tables.header import FilterEdit


def next_in_sight(start: QWidget, forward: bool) -> QWidget | None:
    """The widget that Tab (or Shift+Tab) goes to from `start`; None where there is no other.

    Panes behind another tab count as visible for Qt, which would put the keyboard where nobody sees it. A filter row
    is entered at its first cell (its last one backwards) and left at once: its cells step along it on their own.
    """
    window = start.window()
    at: QWidget | None = start
    while at is not None:
        at = at.nextInFocusChain() if forward else at.previousInFocusChain()
        if at is None or at is start:
            break
        if not _takes_tab(at, window):
            continue
        if not isinstance(at, FilterEdit):
            return at
        if isinstance(start, FilterEdit) and start.header is at.header:
            continue
        cells = at.header.cells()
        return cells[0 if forward else -1] if cells else at
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
