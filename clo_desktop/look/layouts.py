"""How a pane or a panel is put together: a strip of words and buttons, and what stands under it."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLayout, QScrollArea, QSplitter, QVBoxLayout, QWidget

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


def scrolled(inside: QWidget) -> QScrollArea:
    """A widget that scrolls up and down where there is no room for all of it, and is as wide as there is room."""
    made = QScrollArea()
    made.setWidgetResizable(True)
    made.setFrameShape(QScrollArea.Shape.NoFrame)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setWidget(inside)
    return made


def with_drawer(upper: QWidget, drawer: QWidget, height: int) -> QSplitter:
    """A widget that takes the room, and below it a drawer of so many px that can be pulled."""
    made = QSplitter(Qt.Orientation.Vertical)
    made.addWidget(upper)
    made.addWidget(drawer)
    made.setStretchFactor(0, 1)
    made.setSizes([1000, height])
    return made


class TurningSplitter(QSplitter):
    """Two parts side by side from so many px on, else one above the other; it asks for no more than the latter needs.

    wide    width from which they stand side by side
    across, down  the sizes of the parts in either shape, px
    """

    def __init__(self, wide: int, across: tuple[int, int], down: tuple[int, int]) -> None:
        super().__init__(Qt.Orientation.Vertical)
        self._wide = wide
        self._shapes = {Qt.Orientation.Horizontal: across, Qt.Orientation.Vertical: down}
        self._shape: Qt.Orientation | None = None  # until it is seen first
        self.setChildrenCollapsible(False)

    def minimumSizeHint(self) -> QSize:
        # a part out of sight keeps its shape while the window shrinks, so the width cannot depend on the shape
        parts = [part for i in range(self.count()) if (part := self.widget(i)) is not None]
        least = [part.minimumSizeHint().expandedTo(part.minimumSize()) for part in parts]
        return QSize(
            max((size.width() for size in least), default=0),
            sum(size.height() for size in least) + self.handleWidth() * max(len(least) - 1, 0),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        shape = Qt.Orientation.Horizontal if event.size().width() >= self._wide else Qt.Orientation.Vertical
        if shape != self._shape:
            self._shape = shape
            self.setOrientation(shape)
            self.setSizes(list(self._shapes[shape]))
