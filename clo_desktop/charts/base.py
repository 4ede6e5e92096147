"""What all charts over dates share: colours of the theme, axes with units, legend as read-out, one time cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFont, QMouseEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from clo_desktop.charts.axes import DateAxis, FigureAxis, date_of, seconds
from clo_desktop.charts.legend import Entry, Legend
from clo_desktop.look import formats, theme
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import ElidedLabel

SMOOTH: Final = 5_000
"""Up to so many points a line is antialiased; more would take longer than a frame."""

_LEFT: Final = 74  # px of the value axis: the same in every chart, so that dates stand one below the other


class TimeCursor(QObject):
    """The date several charts point at. `moved` carries seconds since 1970, or None when the mouse left;
    `picked` the date that was clicked."""

    moved = Signal(object)
    picked = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.at: float | None = None

    def move(self, at: float | None) -> None:
        if at != self.at:
            self.at = at
            self.moved.emit(at)


class _Plot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph has no types
    """A plot that lets the mouse be followed and never opens pyqtgraph's own menu."""

    def __init__(self, chart: Chart) -> None:
        self._chart = chart
        axes = {"bottom": DateAxis("bottom"), "left": FigureAxis("left")}
        super().__init__(parent=chart, axisItems=axes, enableMenu=False)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self._chart.follow(event.position())

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._chart.cursor_of.move(None)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._chart.show_all()


class Chart(QWidget):
    """A chart over dates. Subclasses draw in `draw` and say in `entries` what the legend reads at a row.

    The legend stands above the data and is the read-out: it shows the values at the cursor's date. The wheel zooms
    along the dates, a double click shows all, a click picks the date.
    """

    def __init__(
        self,
        title: str,
        unit: str = "",
        *,
        decimals: int = 2,
        cursor: TimeCursor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        """`unit` stands in the title: "Balance (USD million)"; charts that share `cursor` move together.

        `decimals` of the figures that the legend reads out.
        """
        super().__init__(parent)
        self._decimals = decimals
        self.cursor_of = cursor or TimeCursor(self)
        self._dates: NDArray[np.datetime64] = np.array([], dtype="datetime64[D]")
        self._x: NDArray[np.float64] = np.array([])
        self.title = ElidedLabel(titled(title, unit))
        self.date = QLabel("")
        self.legend = Legend()
        self.plot = _Plot(self)
        self.setAccessibleName(self.title.text())
        self.plot.setAccessibleName(self.title.text())
        self.setFocusProxy(self.plot)
        self._build()
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._line.setZValue(100)
        self._line.hide()
        self.plot.addItem(self._line, ignoreBounds=True)
        self.cursor_of.moved.connect(self._point)
        theme.watcher().changed.connect(self.recolour)
        self._dress()

    def _build(self) -> None:
        font = QFont(self.title.font())
        font.setWeight(QFont.Weight.DemiBold)
        self.title.setFont(font)
        self.setAutoFillBackground(True)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(self.date)
        self.plot.setMinimumWidth(100)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        layout.setSpacing(GRID // 2)
        layout.addLayout(head)
        layout.addWidget(self.legend)
        layout.addWidget(self.plot, 1)
        item = self.plot.getPlotItem()
        item.hideButtons()
        item.layout.setContentsMargins(0, GRID, 0, 0)  # the top label stands half above the plot
        item.setMouseEnabled(x=True, y=False)
        item.setDownsampling(auto=True, mode="peak")
        item.setClipToView(True)
        left = item.getAxis("left")
        left.enableAutoSIPrefix(False)
        left.setWidth(_LEFT)
        # gridlines under the data
        left.setZValue(-1000)
        item.getAxis("bottom").enableAutoSIPrefix(False)
        item.showGrid(x=False, y=True, alpha=0.0)
        self.plot.scene().sigMouseClicked.connect(self._clicked)

    def set_title(self, title: str, unit: str, decimals: int) -> None:
        """Another title, unit and precision: other data follow."""
        self._decimals = decimals
        self.title.setText(titled(title, unit))
        for named in (self, self.plot):
            named.setAccessibleName(self.title.text())

    # -- data ------------------------------------------------------------------------------------------------------

    def set_dates(self, dates: Sequence[Any] | NDArray[np.datetime64]) -> None:
        """The dates of all series, ascending (datetime64 or date)."""
        self._dates = np.asarray(dates, dtype="datetime64[D]")
        self._x = seconds(self._dates)
        self.show_all()

    def show_all(self) -> None:
        """All dates in sight, with a little room on both sides."""
        if len(self._x):
            span = float(self._x[-1] - self._x[0]) or 86_400.0 * 90
            pad = self.padding(span)
            self.plot.setXRange(self._x[0] - pad, self._x[-1] + pad, padding=0)

    def padding(self, span: float) -> float:
        """Seconds of room left and right of the dates."""
        return span * 0.01

    def link_dates(self, other: Chart) -> None:
        """Zoom and move along the dates together with another chart."""
        self.plot.setXLink(other.plot)

    def set_range(self, low: float, high: float, *, zero: bool) -> None:
        """The values in sight; `zero`: the axis starts at zero (or ends there)."""
        if not np.isfinite(low) or not np.isfinite(high):
            low, high = 0.0, 1.0
        if zero:
            low, high = min(low, 0.0), max(high, 0.0)
        room = (high - low) * 0.05 or abs(high) * 0.05 or 1.0
        bottom = low if zero and low >= 0.0 else low - room
        self.plot.setYRange(bottom, high if zero and high <= 0.0 else high + room, padding=0)

    # -- the cursor --------------------------------------------------------------------------------------------------

    @property
    def row(self) -> int | None:
        """Index of the date the cursor is at; None while it is nowhere."""
        if self.cursor_of.at is None or not len(self._x):
            return None
        return int(np.abs(self._x - self.cursor_of.at).argmin())

    def follow(self, where: QPointF) -> None:
        """The mouse is at this place of the plot: the cursor goes to the nearest date."""
        view = self.plot.getPlotItem().getViewBox()
        if not len(self._x) or not view.sceneBoundingRect().contains(self.plot.mapToScene(where.toPoint())):
            return
        at = view.mapSceneToView(self.plot.mapToScene(where.toPoint())).x()
        self.cursor_of.move(float(self._x[np.abs(self._x - at).argmin()]))

    def _clicked(self, event: Any) -> None:
        row = self.row
        if row is not None and event.button() == Qt.MouseButton.LeftButton:
            self.cursor_of.picked.emit(date_of(float(self._x[row])))

    def _point(self, at: float | None) -> None:
        row = self.row
        self._line.setVisible(row is not None)
        if row is not None:
            self._line.setPos(self._x[row])
        self.date.setText(str(self._dates[row]) if row is not None else "")
        self.legend.set_entries(self.entries(row))

    # -- for subclasses ------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Put the data onto the plot, in the colours of the theme."""

    def entries(self, row: int | None) -> list[Entry]:
        """The legend, with the values at a row where the cursor is somewhere."""
        return []

    def refresh(self) -> None:
        """Data or colours changed."""
        self.draw()
        self.legend.set_entries(self.entries(self.row))

    # -- colours -------------------------------------------------------------------------------------------------------

    def recolour(self) -> None:
        """The theme changed."""
        self._dress()
        self.refresh()

    def _dress(self) -> None:
        tokens = theme.current()
        self.plot.setBackground(QColor(tokens.surface))
        palette = self.palette()
        palette.setColor(self.backgroundRole(), QColor(tokens.surface))
        self.setPalette(palette)
        item = self.plot.getPlotItem()
        for name in ("left", "bottom"):
            axis = item.getAxis(name)
            axis.setPen(pg.mkPen(tokens.line))
            axis.setTextPen(pg.mkPen(tokens.muted))
            axis.setTickPen(pg.mkPen(tokens.line))
            axis.setStyle(tickLength=-4 if name == "bottom" else 0, tickTextOffset=6, tickFont=self.font())
        item.showGrid(x=False, y=True, alpha=1.0 if tokens.dark else 0.8)
        self._line.setPen(pg.mkPen(tokens.accent, width=1))


def titled(title: str, unit: str) -> str:
    """`Balance (USD million)`."""
    return f"{title} ({unit})" if unit else title


def shown(value: float, places: int) -> str:
    """A value of the read-out; an en dash where it is missing."""
    return formats.MISSING if not np.isfinite(value) else formats.figure(value, places)
