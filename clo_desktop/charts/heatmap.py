"""A grid of figures as a heat map: the numbers stand in the cells, keys move through them, Ctrl+C copies them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from clo_desktop.charts.drawn import Drawn
from clo_desktop.look import formats, series, theme
from clo_desktop.look.tokens import GRID, contrast

_TAILS: Final = 0.05
"""Share of the cells at either end that have the end's colour: a few extreme figures must not flatten the others."""

_LOW: Final = 18  # px of a cell below which its figure is left out
_SCALE: Final = 12  # px: height of the colour scale


@dataclass(frozen=True, slots=True)
class Side:
    """One axis of the map: its title with the unit, and the label of each row or column."""

    title: str
    labels: tuple[str, ...]


class HeatMap(Drawn):
    """Rows down, columns across.

    picked   row and column of the cell under Enter or a double click
    pointed  row and column the cursor is at
    """

    picked = Signal(int, int)
    pointed = Signal(int, int)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._down, self._across = Side("", ()), Side("", ())
        self._values: NDArray[np.float64] = np.empty((0, 0))
        self._text: Callable[[float], str] = str
        self._shorter: tuple[Callable[[float], str], ...] = ()
        self._colours: dict[int, tuple[QColor, QColor]] = {}
        self._range = (0.0, 1.0)
        self.cell = (0, 0)
        self._corner = (0, 0)  # the other end of what is chosen
        self.setMouseTracking(True)

    # -- data -----------------------------------------------------------------------------------------------------

    def set_data(
        self,
        title: str,
        down: Side,
        across: Side,
        values: NDArray[np.float64],
        text: Callable[[float], str],
        *shorter: Callable[[float], str],
    ) -> None:
        """`values` float64[rows, columns], NaN where there is none; `text` makes a cell's words, without the unit.

        `shorter`: of cells that are too narrow for them, the longest first. The current cell stays where it is as far
        as there are cells.
        """
        self._title, self._down, self._across = title, down, across
        self._text, self._shorter = text, shorter
        self._values = np.asarray(values, dtype=np.float64)
        known = self._values[np.isfinite(self._values)]
        low, high = np.quantile(known, (_TAILS, 1.0 - _TAILS)) if known.size else (0.0, 1.0)
        self._range = (float(low), float(high))
        rows, columns = self._values.shape
        self.cell = (min(self.cell[0], max(rows - 1, 0)), min(self.cell[1], max(columns - 1, 0)))
        self._corner = self.cell
        self._tell()
        self.update()

    @property
    def values(self) -> NDArray[np.float64]:
        return self._values

    def chosen(self) -> tuple[slice, slice]:
        """Rows and columns between both ends of what is chosen."""
        (r, c), (s, d) = self.cell, self._corner
        return slice(min(r, s), max(r, s) + 1), slice(min(c, d), max(c, d) + 1)

    def reading(self) -> str:
        """The current cell in words."""
        if not self._values.size:
            return ""
        r, c = self.cell
        return (
            f"{self._down.title} {self._down.labels[r]}, {self._across.title} {self._across.labels[c]}: "
            f"{self._words(r, c)}"
        )

    def copied(self) -> str:
        """Tab-separated, headers included, at full precision: what is chosen, all where that is one cell."""
        if not self._values.size:
            return ""
        rows, columns = self.chosen()
        if self.cell == self._corner:
            rows, columns = slice(0, len(self._down.labels)), slice(0, len(self._across.labels))
        lines = ["\t".join([f"{self._down.title} / {self._across.title}", *self._across.labels[columns]])]
        for label, row in zip(self._down.labels[rows], self._values[rows, columns], strict=True):
            lines.append("\t".join([label, *("" if v != v else repr(float(v)) for v in row)]))
        return "\n".join(lines).replace(formats.MINUS, "-").replace(formats.THIN, "")

    def _words(self, row: int, column: int) -> str:
        value = float(self._values[row, column])
        return formats.MISSING if value != value else self._text(value)

    def _tell(self) -> None:
        self.setAccessibleDescription(self.reading())
        self.setAccessibleName(f"{self._name}: {self._title}" if self._title else self._name)
        if self._values.size:
            self.pointed.emit(*self.cell)

    # -- geometry -------------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return QSize(640, 420)

    def minimumSizeHint(self) -> QSize:
        return QSize(260, 180)

    def _frame(self) -> QRectF:
        """Where the cells are."""
        metrics, line = self.fontMetrics(), self.fontMetrics().height()
        widest = max((metrics.horizontalAdvance(label) for label in self._down.labels), default=0)
        left = line + GRID + widest + GRID
        top, bottom = 2 * line + 2 * GRID, 2 * line + 3 * GRID
        return QRectF(left, top, max(self.width() - left - GRID, 10.0), max(self.height() - top - bottom, 10.0))

    def box(self, row: int, column: int) -> QRect:
        """Pixels of a cell."""
        frame, (rows, columns) = self._frame(), self._values.shape
        left, right = (round(frame.left() + frame.width() * k / columns) for k in (column, column + 1))
        top, bottom = (round(frame.top() + frame.height() * k / rows) for k in (row, row + 1))
        return QRect(left, top, right - left, bottom - top)

    def _at(self, where: QPointF) -> tuple[int, int] | None:
        frame, (rows, columns) = self._frame(), self._values.shape
        if not self._values.size or not frame.contains(where):
            return None
        row = int((where.y() - frame.top()) / frame.height() * rows)
        column = int((where.x() - frame.left()) / frame.width() * columns)
        return min(row, rows - 1), min(column, columns - 1)

    # -- hands ----------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position())
        if at is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(at, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position())
        if at is None:
            return
        self.setToolTip("" if not self._values.size else self._words(*at))
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(at, extend=True)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = self._at(event.position())
        if at is not None:
            self.picked.emit(*at)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        rows, columns = self._values.shape
        row, column = self.cell
        far = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        ways = {
            Qt.Key.Key_Up: (0 if far else row - 1, column),
            Qt.Key.Key_Down: (rows - 1 if far else row + 1, column),
            Qt.Key.Key_Left: (row, 0 if far else column - 1),
            Qt.Key.Key_Right: (row, columns - 1 if far else column + 1),
            Qt.Key.Key_Home: (0 if far else row, 0),
            Qt.Key.Key_End: (rows - 1 if far else row, columns - 1),
        }
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.SelectAll) and self._values.size:
            self._corner = (0, 0)
            self.cell = (rows - 1, columns - 1)
            self._tell()
            self.update()
        elif (way := ways.get(Qt.Key(event.key()))) is not None and self._values.size:
            at = (min(max(way[0], 0), rows - 1), min(max(way[1], 0), columns - 1))
            self._go(at, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._values.size:
            self.picked.emit(*self.cell)
        else:
            super().keyPressEvent(event)

    def _go(self, at: tuple[int, int], *, extend: bool) -> None:
        self.cell = at
        if not extend:
            self._corner = at
        self._tell()
        self.update()

    # -- painting -------------------------------------------------------------------------------------------------

    def _pair(self, value: float) -> tuple[QColor, QColor]:
        """Ground and words of a figure."""
        tokens = theme.current()
        if value != value:
            return QColor(tokens.surface), QColor(tokens.muted)
        low, high = self._range
        step = round(255 * min(max((value - low) / (high - low) if high > low else 0.5, 0.0), 1.0))
        if step not in self._colours:
            ground = series.heat(step / 255)
            words = max(("#FFFFFF", "#101418"), key=lambda ink: contrast(ink, ground))
            self._colours[step] = (QColor(ground), QColor(words))
        return self._colours[step]

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.surface))
        if not self._values.size:
            return
        self._paint_cells(painter)
        self._paint_labels(painter)
        self._paint_scale(painter)
        rows, columns = self.chosen()
        outline = self.box(rows.start, columns.start).united(self.box(rows.stop - 1, columns.stop - 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ink, width in ((tokens.surface, 4), (tokens.accent if self.hasFocus() else tokens.text, 2)):
            painter.setPen(QPen(QColor(ink), width))
            painter.drawRect(outline.adjusted(1, 1, -2, -2))

    def _paint_cells(self, painter: QPainter) -> None:
        rows, columns = self._values.shape
        first = self.box(0, 0)
        words = self._fitting(first.width() - 3) if first.height() >= _LOW else None
        for row in range(rows):
            for column in range(columns):
                box, value = self.box(row, column), float(self._values[row, column])
                ground, ink = self._pair(value)
                painter.fillRect(box, ground)
                if words is not None:
                    painter.setPen(ink)
                    said = formats.MISSING if value != value else words(value)
                    painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), said)

    def _fitting(self, width: int) -> Callable[[float], str] | None:
        """Words of which every cell has room for its own; None: there is no room."""
        known = self._values[np.isfinite(self._values)].tolist()
        for words in (self._text, *self._shorter):
            if all(self.fontMetrics().horizontalAdvance(words(value)) <= width for value in known):
                return words
        return None

    def _paint_labels(self, painter: QPainter) -> None:
        tokens, frame, metrics = theme.current(), self._frame(), self.fontMetrics()
        line = metrics.height()
        painter.setPen(QColor(tokens.muted))
        rows, columns = self._values.shape
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for row in range(0, rows, max(1, -(-line * rows // max(int(frame.height()), 1)))):
            box = self.box(row, 0)
            painter.drawText(QRect(0, box.top(), int(frame.left()) - GRID, box.height()), right, self._down.labels[row])
        widest = max(metrics.horizontalAdvance(label) for label in self._across.labels) + GRID
        for column in range(0, columns, max(1, -(-widest * columns // max(int(frame.width()), 1)))):
            box = self.box(0, column)
            place = QRect(box.center().x() - widest, int(frame.top()) - line - 4, 2 * widest, line)
            painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), self._across.labels[column])
        head = QRect(int(frame.left()), 2, int(frame.width()), line + 2)
        painter.drawText(head, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), self._across.title)
        painter.save()
        painter.translate(0, frame.bottom())
        painter.rotate(-90.0)
        painter.drawText(QRect(0, 0, int(frame.height()), line), int(Qt.AlignmentFlag.AlignCenter), self._down.title)
        painter.restore()
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(tokens.text))
        room = head.width() - metrics.horizontalAdvance(self._across.title) - 2 * GRID + int(frame.left()) - GRID
        words = painter.fontMetrics().elidedText(self._title, Qt.TextElideMode.ElideRight, max(room, 20))
        painter.drawText(QRect(GRID, 2, max(room, 20), line + 2), int(Qt.AlignmentFlag.AlignVCenter), words)
        painter.setFont(self.font())

    def _paint_scale(self, painter: QPainter) -> None:
        """The colours from low to high, with the figures at both ends."""
        tokens, frame, line = theme.current(), self._frame(), self.fontMetrics().height()
        if not np.isfinite(self._values).any():
            return
        known = self._values[np.isfinite(self._values)]
        low, high = self._range
        words = (
            ("≤ " if known.min() < low else "") + self._text(low),
            ("≥ " if known.max() > high else "") + self._text(high),
        )
        advance = self.fontMetrics().horizontalAdvance
        bar = QRect(int(frame.left()) + advance(words[0]) + GRID, int(frame.bottom()) + GRID + line // 2, 160, _SCALE)
        for x in range(bar.width()):
            painter.fillRect(bar.left() + x, bar.top(), 1, bar.height(), QColor(series.heat(x / (bar.width() - 1))))
        painter.setPen(QColor(tokens.muted))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        height = line + 4
        top = bar.center().y() - height // 2
        painter.drawText(QRect(int(frame.left()), top, advance(words[0]) + 2, height), middle, words[0])
        painter.drawText(QRect(bar.right() + GRID, top, advance(words[1]) + 2, height), middle, words[1])
        room = self.width() - 2 * GRID
        text = self.fontMetrics().elidedText(self.reading(), Qt.TextElideMode.ElideLeft, room)
        painter.setPen(QColor(tokens.text))
        painter.drawText(QRect(GRID, top + height, room, height), int(Qt.AlignmentFlag.AlignRight) | middle, text)


def labels(values: Sequence[float], text: Callable[[float], str]) -> tuple[str, ...]:
    """The label of each value of an axis."""
    return tuple(text(value) for value in values)
