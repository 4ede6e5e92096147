"""How a pane or a panel is put together: a strip of words and buttons, and what stands under it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLayout, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look.tokens import GRID


def strip(*widgets: QWidget) -> QHBoxLayout:
    """Widgets in a row; the first takes the room, the others stand at the end."""
    made = QHBoxLayout()
    made.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
    made.setSpacing(GRID)
    for place, widget in enumerate(widgets):
        made.addWidget(widget, 0 if place else 1)
    return made


def stacked(owner: QWidget, *parts: QWidget | QLayout) -> None:
    """Lays out a widget: its parts from edge to edge, one under the other; the last takes the room."""
    column = QVBoxLayout(owner)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    for part in parts:
        if isinstance(part, QLayout):
            column.addLayout(part)
        else:
            column.addWidget(part, 1 if part is parts[-1] else 0)


def with_drawer(upper: QWidget, drawer: QWidget, height: int) -> QSplitter:
    """A widget that takes the room, and below it a drawer of so many px that can be pulled."""
    made = QSplitter(Qt.Orientation.Vertical)
    made.addWidget(upper)
    made.addWidget(drawer)
    made.setStretchFactor(0, 1)
    made.setSizes([1000, height])
    return made
