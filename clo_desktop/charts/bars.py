"""Distributions as stacked bars, one stack per payment date; zero is always in sight."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt, Signal

from clo_desktop.charts.axes import date_of
from clo_desktop.charts.base import Chart, shown
from clo_desktop.charts.legend import Entry
from clo_desktop.look import series, theme


class BarChart(Chart):
    """Stacked bars: what is positive goes up from zero, what is negative down.

    bar_picked  date and name of the part of a bar that was clicked
    """

    bar_picked = Signal(object, str)

    def __init__(self, title: str, unit: str = "", **more: Any) -> None:
        super().__init__(title, unit, **more)
        self._names: tuple[str, ...] = ()
        self._values: NDArray[np.float64] = np.empty((0, 0))
        self._equity: list[bool] | None = None
        self._chosen: list[str] | None = None
        self._bars: list[Any] = []
        self._pointed: tuple[float, float] | None = None
        self._zero = pg.InfiniteLine(pos=0.0, angle=0, movable=False)
        self.plot.addItem(self._zero, ignoreBounds=True)

    def set_data(
        self,
        dates: Sequence[Any] | NDArray[np.datetime64],
        names: Sequence[str],
        values: NDArray[np.float64],
        *,
        equity: Sequence[bool] | None = None,
        colours: Sequence[str] | None = None,
    ) -> None:
        """`values` : float64[n_dates, n_names], in the unit of the title. Missing counts as nothing.

        With `equity` the colours are those of the classes; else each series has its own.
        """
        self._names = tuple(names)
        self._values = np.asarray(values, dtype=np.float64)
        self._equity = list(equity) if equity is not None else None
        self._chosen = list(colours) if colours is not None else None
        self.set_dates(dates)
        self.refresh()

    def colours(self) -> list[str]:
        dark = theme.current().dark
        if self._chosen:
            return self._chosen
        if self._equity is not None:
            return series.classes(self._equity, dark=dark)
        return series.series(len(self._names), dark=dark)

    def bar_width(self) -> float:
        """Seconds a bar is wide: 70 % of the closest two dates."""
        return float(np.diff(self._x).min()) * 0.7 if len(self._x) > 1 else 86_400.0 * 60

    def follow(self, where: QPointF) -> None:
        super().follow(where)
        view = self.plot.getPlotItem().getViewBox()
        at = view.mapSceneToView(self.plot.mapToScene(where.toPoint()))
        self._pointed = (at.x(), at.y())

    def name_at(self, at: float, value: float) -> str | None:
        """Name of the part of a bar at a place (seconds since 1970) and a value; None beside the bars."""
        if not len(self._x) or not self._names:
            return None
        row = int(np.abs(self._x - at).argmin())
        if abs(self._x[row] - at) > self.bar_width() / 2.0:
            return None
        starts, values = self._starts()[row], np.nan_to_num(self._values[row])
        low, high = np.minimum(starts, starts + values), np.maximum(starts, starts + values)
        found = np.flatnonzero((low <= value) & (value < high))
        return self._names[int(found[0])] if found.size else None

    def _clicked(self, event: Any) -> None:
        super()._clicked(event)
        name = None if self._pointed is None else self.name_at(*self._pointed)
        if name is not None and self.row is not None and event.button() == Qt.MouseButton.LeftButton:
            self.bar_picked.emit(date_of(float(self._x[self.row])), name)

    def _starts(self) -> NDArray[np.float64]:
        """float64[n_dates, n_names]: where each part of a bar begins."""
        values = np.nan_to_num(self._values)
        up = np.cumsum(np.maximum(values, 0.0), axis=1)
        down = np.cumsum(np.minimum(values, 0.0), axis=1)
        return np.asarray(np.where(values >= 0.0, up, down) - values)

    def padding(self, span: float) -> float:
        return self.bar_width()

    def draw(self) -> None:
        while len(self._bars) < len(self._names):
            bar = pg.BarGraphItem(x=[], height=[], width=1.0)
            self._bars.append(bar)
            self.plot.addItem(bar)
        for bar in self._bars[len(self._names) :]:
            self.plot.removeItem(bar)
        del self._bars[len(self._names) :]
        self._zero.setPen(pg.mkPen(theme.current().muted, width=1))
        if not self._names:
            return
        values = np.nan_to_num(self._values)
        starts = self._starts()
        width = self.bar_width()
        for i, (bar, colour) in enumerate(zip(self._bars, self.colours(), strict=True)):
            bar.setOpts(
                x=self._x,
                y0=starts[:, i],
                height=values[:, i],
                width=width,
                brush=pg.mkBrush(colour),
                pen=pg.mkPen(None),
            )
        ends = starts + values
        low, high = float(ends.min(initial=0.0)), float(ends.max(initial=0.0))
        self.set_range(low, high, zero=True)

    def entries(self, row: int | None) -> list[Entry]:
        values = [""] * len(self._names)
        if row is not None:
            values = [shown(v, self._decimals) for v in self._values[row]]
        return [Entry(n, c, v) for n, c, v in zip(self._names, self.colours(), values, strict=True)]
