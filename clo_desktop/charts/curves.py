"""Lines over a plain figure, such as losses over default rates, with a mark where each breaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from clo_desktop.charts.axes import FigureAxis
from clo_desktop.charts.base import Chart, shown
from clo_desktop.charts.legend import Entry
from clo_desktop.look import formats, series, theme
from clo_desktop.look.words import ElidedLabel


class CurveChart(Chart):
    """Curves that share their places along the x axis; the legend reads them out at the cursor."""

    def __init__(self, title: str, unit: str, along: str, **more: Any) -> None:
        """`along`: the title of the x axis, with its unit."""
        super().__init__(title, unit, **more)
        self._along = along
        self._names: tuple[str, ...] = ()
        self._values: NDArray[np.float64] = np.empty((0, 0))
        self._equity: list[bool] = []
        self._breaks: list[float | None] = []
        self._curves: list[Any] = []
        self._marks: list[Any] = []
        self._top: float | None = None
        self.plot.setAxisItems({"bottom": FigureAxis("bottom")})
        self.plot.getPlotItem().getAxis("bottom").enableAutoSIPrefix(False)
        self._foot = ElidedLabel(along)
        self._foot.setAlignment(Qt.AlignmentFlag.AlignRight)
        layout = self.layout()
        if layout is not None:
            layout.addWidget(self._foot)
        self._dress()

    def set_data(
        self,
        along: NDArray[np.float64],
        names: Sequence[str],
        values: NDArray[np.float64],
        *,
        equity: Sequence[bool],
        breaks: Sequence[float | None],
        top: float | None = None,
    ) -> None:
        """`values` float64[n, n_names] at `along` float64[n], ascending; `breaks`: where each breaks, None nowhere.

        `top`: the axis ends there at the latest; what is above is out of sight.
        """
        self._top = top
        self._names, self._equity, self._breaks = tuple(names), list(equity), list(breaks)
        self._values = np.asarray(values, dtype=np.float64)
        self._x = np.asarray(along, dtype=np.float64)
        self.show_all()
        self.refresh()

    def colours(self) -> list[str]:
        return series.classes(self._equity, dark=theme.current().dark)

    def draw(self) -> None:
        while len(self._curves) < len(self._names):
            curve = pg.PlotDataItem(connect="finite")
            mark = pg.InfiniteLine(angle=90, movable=False)
            self._curves.append(curve)
            self._marks.append(mark)
            self.plot.addItem(mark, ignoreBounds=True)
            self.plot.addItem(curve)
        for items in (self._curves, self._marks):
            for item in items[len(self._names) :]:
                self.plot.removeItem(item)
            del items[len(self._names) :]
        drawn = zip(self.colours(), self._curves, self._marks, self._breaks, strict=True)
        for k, (colour, curve, mark, at) in enumerate(drawn):
            curve.setData(self._x, self._values[:, k], antialias=True)
            curve.setPen(pg.mkPen(colour, width=2))
            mark.setVisible(at is not None)
            if at is not None:
                mark.setPos(at)
                mark.setPen(pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine))
        known = self._values[np.isfinite(self._values)]
        if known.size:
            highest = float(known.max())
            self.set_range(float(known.min()), highest if self._top is None else min(highest, self._top), zero=True)

    def entries(self, row: int | None) -> list[Entry]:
        values = ["" if row is None else shown(float(v), self._decimals) for v in self._row(row)]
        return [Entry(n, c, v, line=True) for n, c, v in zip(self._names, self.colours(), values, strict=True)]

    def _row(self, row: int | None) -> NDArray[np.float64]:
        return self._values[row] if row is not None else np.zeros(len(self._names))

    def _clicked(self, event: Any) -> None:
        """Nothing to pick: the x axis has no dates."""

    def _point(self, at: float | None) -> None:
        row = self.row
        self._line.setVisible(row is not None)
        if row is not None:
            self._line.setPos(self._x[row])
        self.date.setText("" if row is None else f"{self._along} {formats.figure(float(self._x[row]), 2)}")
        self.legend.set_entries(self.entries(row))
