"""Class balances stacked, senior at the bottom: what is outstanding between one payment date and the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray

from clo_desktop.charts.base import Chart, shown
from clo_desktop.charts.legend import Entry
from clo_desktop.look import series, theme


class StackedChart(Chart):
    """Balances as stacked steps: each holds from its date to the next."""

    def __init__(self, title: str, unit: str = "", **more: Any) -> None:
        super().__init__(title, unit, **{"decimals": 1, **more})
        self._names: tuple[str, ...] = ()
        self._values: NDArray[np.float64] = np.empty((0, 0))
        self._equity: list[bool] = []
        self._chosen: list[str] | None = None
        self._areas: list[Any] = []

    def set_data(
        self,
        dates: Sequence[Any] | NDArray[np.datetime64],
        names: Sequence[str],
        values: NDArray[np.float64],
        *,
        equity: Sequence[bool] | None = None,
        colours: Sequence[str] | None = None,
    ) -> None:
        """`values` : float64[n_dates, n_names], senior first, in the unit of the title. Missing counts as nothing.

        Colours go from dark to light within one hue, equity apart, unless `colours` are given.
        """
        self._names = tuple(names)
        self._values = np.asarray(values, dtype=np.float64)
        self._equity = list(equity) if equity is not None else [False] * len(self._names)
        self._chosen = list(colours) if colours is not None else None
        self.set_dates(dates)
        self.refresh()

    def colours(self) -> list[str]:
        return self._chosen or series.classes(self._equity, dark=theme.current().dark)

    def draw(self) -> None:
        while len(self._areas) < len(self._names):
            area = pg.PlotDataItem(stepMode=None)
            # the highest total is drawn first, what lies below covers it
            area.setZValue(50 - len(self._areas))
            self._areas.append(area)
            self.plot.addItem(area)
        for area in self._areas[len(self._names) :]:
            self.plot.removeItem(area)
        del self._areas[len(self._names) :]
        if not self._names:
            return
        totals = np.cumsum(np.nan_to_num(self._values), axis=1)
        x = np.repeat(self._x, 2)[1:]
        edge = pg.mkPen(theme.current().surface, width=1)
        for i, (area, colour) in enumerate(zip(self._areas, self.colours(), strict=True)):
            area.setData(x, np.repeat(totals[:, i], 2)[:-1], fillLevel=0.0, fillBrush=pg.mkBrush(colour), pen=edge)
        self.set_range(0.0, float(totals[:, -1].max(initial=0.0)), zero=True)

    def entries(self, row: int | None) -> list[Entry]:
        values = ["" if row is None else shown(v, self._decimals) for v in self._row(row)]
        return [Entry(n, c, v) for n, c, v in zip(self._names, self.colours(), values, strict=True)]

    def _row(self, row: int | None) -> NDArray[np.float64]:
        return self._values[row] if row is not None else np.zeros(len(self._names))
