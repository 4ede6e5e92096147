"""Bars to both sides of a base: what each parameter does to a figure, the widest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QWidget

from clo_desktop.charts.drawn import Drawn
from clo_desktop.look import formats, series, theme
from clo_desktop.look.tokens import GRID

_TALLEST: Final = 44  # px a bar takes with its gap
_SHORTEST: Final = 220  # px of all bars below which figures stand under the names


@dataclass(frozen=True, slots=True)
class Span:
    """One bar: its name, the words of both values, the figure at both (None: there is none)."""

    name: str
    low: str
    high: str
    at_low: float | None
    at_high: float | None


@dataclass(frozen=True, slots=True)
class _Room:
    """Pixels: `names` of the names, bars from `left` to `right` for figures from `low` to `high`; lines of a row."""

    names: int
    left: int
    right: int
    low: float
    high: float
    lines: int

    def place(self, value: float) -> int:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.left + (self.right - self.left) * share)


class TornadoChart(Drawn):
    """Ctrl+C copies the bars as a table."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(name, parent)
        self._base: float | None = None
        self._spans: tuple[Span, ...] = ()
        self._text: Callable[[float], str] = str

    def set_data(self, title: str, base: float | None, spans: Sequence[Span], text: Callable[[float], str]) -> None:
        """`spans` from the widest down; `text` makes the words of a figure."""
        self._title, self._base, self._spans, self._text = title, base, tuple(spans), text
        self.setAccessibleName(f"{self._name}: {title}")
        self.setAccessibleDescription("; ".join(self._line(span) for span in self._spans))
        self.update()

    @property
    def spans(self) -> tuple[Span, ...]:
        return self._spans

    def copied(self) -> str:
        """Tab-separated with headers, figures at full precision."""
        if not self._spans:
            return ""
        lines = ["\t".join(("Parameter", "Low", "High", f"{self._title} at low", f"{self._title} at high"))]
        for s in self._spans:
            figures = ("" if v is None else repr(v) for v in (s.at_low, s.at_high))
            lines.append("\t".join((s.name, s.low, s.high, *figures)))
        return "\n".join(lines).replace(formats.MINUS, "-").replace(formats.THIN, "")

    def sizeHint(self) -> QSize:
        return QSize(640, 360)

    def minimumSizeHint(self) -> QSize:
        return QSize(260, 160)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _line(self, span: Span) -> str:
        ends = (formats.MISSING if v is None else self._text(v) for v in (span.at_low, span.at_high))
        return f"{span.name} {span.low} to {span.high}: " + " to ".join(ends)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = theme.current(), QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.surface))
        if not self._spans or self._base is None:
            return
        line = self.fontMetrics().height()
        bold = QFont(self.font())
        bold.setWeight(QFont.Weight.DemiBold)
        painter.setFont(bold)
        painter.setPen(QColor(tokens.text))
        head = f"{self._title}, now {self._text(self._base)}"
        head = painter.fontMetrics().elidedText(head, Qt.TextElideMode.ElideRight, self.width() - 2 * GRID)
        painter.drawText(QRect(GRID, GRID, self.width() - 2 * GRID, line + 2), int(Qt.AlignmentFlag.AlignVCenter), head)
        painter.setFont(self.font())
        room = self._room()
        top = line + 3 * GRID
        step = min(_TALLEST, max(room.lines * line + 4, (self.height() - top - GRID) // len(self._spans)))
        for k, span in enumerate(self._spans):
            self._paint_bar(painter, span, QRect(0, top + k * step, self.width(), step), room)
        base = room.place(self._base)
        painter.setPen(QPen(QColor(tokens.text), 1))
        painter.drawLine(base, top - 4, base, top + step * len(self._spans))
        if self.hasFocus():
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _room(self) -> _Room:
        """Figures stand at the ends of the bars; where that leaves them too short, under the names."""
        advance, base = self.fontMetrics().horizontalAdvance, self._base or 0.0
        known = [base, *(v for s in self._spans for v in (s.at_low, s.at_high) if v is not None)]
        names = max(advance(span.name) for span in self._spans) + 2 * GRID
        ends = max(advance(words) for span in self._spans for words in self._ends(span))
        left, right = names + ends + 2 * GRID, self.width() - ends - 3 * GRID
        if right - left >= _SHORTEST:
            return _Room(names, left, right, min(known), max(known), lines=1)
        names = max(names, max(advance(" · ".join(self._ends(span))) for span in self._spans) + 2 * GRID)
        return _Room(
            names, names + GRID, max(self.width() - 2 * GRID, names + 2 * GRID), min(known), max(known), lines=2
        )

    def _ends(self, span: Span) -> tuple[str, str]:
        """Words of both ends, that of the lower figure first."""
        base = self._base or 0.0
        both = sorted(
            ((span.at_low, span.low), (span.at_high, span.high)),
            key=lambda end: base if end[0] is None else end[0],
        )
        first, last = (f"{value}: {formats.MISSING if v is None else self._text(v)}" for v, value in both)
        return first, last

    def _paint_bar(self, painter: QPainter, span: Span, row: QRect, room: _Room) -> None:
        tokens, middle = theme.current(), int(Qt.AlignmentFlag.AlignVCenter)
        height = min(row.height() - 6, 22)
        top, at = row.center().y() - height // 2, room.place(self._base or 0.0)
        reach = [at]
        for figure, colour in zip((span.at_low, span.at_high), series.series(2, dark=tokens.dark), strict=True):
            if figure is not None:
                to = room.place(figure)
                reach.append(to)
                painter.fillRect(QRect(min(at, to), top, max(abs(to - at), 1), height), QColor(colour))
        first, last = self._ends(span)
        name = QRect(GRID, row.top(), room.names - GRID, row.height() // room.lines)
        painter.setPen(QColor(tokens.text))
        painter.drawText(name, middle if room.lines == 1 else int(Qt.AlignmentFlag.AlignBottom), span.name)
        painter.setPen(QColor(tokens.muted))
        if room.lines == 2:
            under = name.translated(0, name.height())
            painter.drawText(under, int(Qt.AlignmentFlag.AlignTop), f"{first} · {last}")
            return
        right = int(Qt.AlignmentFlag.AlignRight) | middle
        painter.drawText(QRect(0, row.top(), min(reach) - GRID, row.height()), right, first)
        painter.drawText(QRect(max(reach) + GRID, row.top(), self.width() - max(reach), row.height()), middle, last)
