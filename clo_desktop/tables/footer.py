"""The footer: one figure under each column, of the rows shown, scrolled along with them."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from clo_desktop.look import formats, theme
from clo_desktop.look.tokens import ROW
from clo_desktop.tables import summary
from clo_desktop.tables.delegates import PAD
from clo_desktop.tables.frame import Total
from clo_desktop.tables.grid import Grid
from clo_desktop.tables.model import FrameModel


class Footer(QWidget):
    """Sums, par-weighted averages and counts. The first column says how many rows are shown."""

    def __init__(self, grid: Grid, model: FrameModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = grid
        self._model = model
        self._texts: dict[int, str] = {}
        self._content = model.content
        self.setFixedHeight(ROW + 2)
        self.setAccessibleName("Totals of the rows shown")
        model.modelReset.connect(self.refresh)
        model.dataChanged.connect(self.refresh)
        header = grid.horizontalHeader()
        for changed in (header.sectionResized, header.sectionMoved, header.geometriesChanged):
            changed.connect(self.refit)
        grid.horizontalScrollBar().valueChanged.connect(self.refit)

    def refit(self, *_: object) -> None:
        self.update()

    def refresh(self, *_: object) -> None:
        """The rows or their values changed: figures are made again when they are next painted."""
        if self._model.content == self._content:
            return
        self._content = self._model.content
        self._texts.clear()
        self.setAccessibleDescription(self.count_text())
        self.update()

    def count_text(self) -> str:
        shown, every = self._model.rowCount(), len(self._model.frame)
        text = formats.figure(shown, 0)
        return text if shown == every else f"{text} of {formats.figure(every, 0)}"

    def text(self, column: int) -> str:
        """The figure under a logical column; empty where there is none."""
        if column not in self._texts:
            name = self._model.frame.columns[column].name
            self._texts[column] = summary.total_text(self._model.frame, self._model.shown, name)
        return self._texts[column]

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = theme.current()
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.header))
        shown, frozen = self._grid.visible_columns(), self._grid.frozen_columns()
        left = self._grid.viewport().x()
        width = self._grid.viewport().width()
        frozen_width = self._grid.frozen_width()
        painter.save()
        painter.setClipRect(QRect(left + frozen_width, 0, width - frozen_width, self.height()))
        for column in shown:
            x = left + self._grid.columnViewportPosition(column)
            if column not in frozen and x + self._grid.columnWidth(column) > left + frozen_width and x < left + width:
                self._cell(painter, x, column, column == shown[0])
        painter.restore()
        x = left
        for column in frozen:
            self._cell(painter, x, column, column == shown[0])
            x += self._grid.columnWidth(column)
        if frozen:
            painter.setPen(QColor(tokens.muted))
            painter.drawLine(x - 1, 0, x - 1, self.height())
        painter.setPen(QColor(tokens.line))
        painter.drawLine(0, 0, self.width(), 0)

    def _cell(self, painter: QPainter, x: int, column: int, first: bool) -> None:
        tokens = theme.current()
        frame = self._model.frame
        of = frame.columns[column]
        text = self.count_text() if first else self.text(column)
        figure = not first and of.footing in (Total.SUM, Total.AVERAGE)
        rect = QRect(x + PAD, 1, self._grid.columnWidth(column) - 2 * PAD, self.height() - 1)
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold if figure else QFont.Weight.Normal)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text if figure or first else tokens.muted))
        side = Qt.AlignmentFlag.AlignRight if formats.is_number(of.kind) else Qt.AlignmentFlag.AlignLeft
        metrics = QFontMetrics(font)
        if metrics.horizontalAdvance(text) > rect.width():
            # a part of a figure would read as another figure
            text = "…" if figure else text.replace(" of ", "/") if first else ""
        painter.drawText(rect, int(side | Qt.AlignmentFlag.AlignVCenter), text)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            column = self._grid.columns.column_at(event.pos().x() - self._grid.viewport().x())
            shown = self._grid.visible_columns()
            if column >= 0 and shown:
                name = self._model.frame.columns[column].name
                tip = "Rows shown" if column == shown[0] else summary.total_meaning(self._model.frame, name)
                figure = self.count_text() if column == shown[0] else self.text(column)
                tip = f"{tip}: {figure}" if tip and figure else tip
                QToolTip.showText(event.globalPos(), tip, self)
            return True
        return super().event(event)
