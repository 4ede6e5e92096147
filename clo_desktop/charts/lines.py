"""Ratios as lines, each with its trigger as a dashed line of the same colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt

from clo_desktop.charts.base import SMOOTH, Chart, shown
from clo_desktop.charts.legend import Entry
from clo_desktop.look import series, theme


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """One series: float64[n_dates] with NaN where it is missing, in the unit of the title; `trigger` likewise."""

    name: str
    values: NDArray[np.float64]
    trigger: float | None = None
    colour: str = ""


class LineChart(Chart):
    """Lines over dates; the axis covers values and triggers, not zero."""

    def __init__(self, title: str, unit: str = "", **more: Any) -> None:
        super().__init__(title, unit, **more)
        self._lines: tuple[Line, ...] = ()
        self._curves: list[Any] = []
        self._triggers: list[Any] = []

    def set_data(self, dates: Sequence[Any] | NDArray[np.datetime64], lines: Sequence[Line]) -> None:
        """Show these lines instead of those before."""
        self._lines = tuple(lines)
        self.set_dates(dates)
        self.refresh()

    def colours(self) -> list[str]:
        own = series.series(len(self._lines), dark=theme.current().dark)
        return [line.colour or colour for line, colour in zip(self._lines, own, strict=True)]

    def draw(self) -> None:
        while len(self._curves) < len(self._lines):
            curve, trigger = pg.PlotDataItem(connect="finite"), pg.InfiniteLine(angle=0, movable=False)
            self._curves.append(curve)
            self._triggers.append(trigger)
            self.plot.addItem(curve)
            self.plot.addItem(trigger, ignoreBounds=True)
        for item in (*self._curves[len(self._lines) :], *self._triggers[len(self._lines) :]):
            self.plot.removeItem(item)
        del self._curves[len(self._lines) :], self._triggers[len(self._lines) :]
        smooth = len(self._x) * len(self._lines) <= SMOOTH
        for line, colour, curve, trigger in zip(self._lines, self.colours(), self._curves, self._triggers, strict=True):
            curve.setData(self._x, np.asarray(line.values, dtype=np.float64), antialias=smooth)
            # wider lines are only affordable where they are few
            curve.setPen(pg.mkPen(colour, width=2 if smooth else 1))
            # one value makes no line
            alone = int(np.isfinite(line.values).sum()) == 1
            curve.setSymbol("o" if alone else None)
            curve.setSymbolBrush(pg.mkBrush(colour))
            curve.setSymbolPen(None)
            trigger.setVisible(line.trigger is not None)
            if line.trigger is not None:
                trigger.setPos(line.trigger)
                trigger.setPen(pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine))
        self._set_values_range()

    def _set_values_range(self) -> None:
        parts = [np.asarray(line.values, dtype=np.float64) for line in self._lines]
        parts.append(np.array([line.trigger for line in self._lines if line.trigger is not None], dtype=np.float64))
        every = np.concatenate(parts)
        every = every[np.isfinite(every)]
        if every.size:
            self.set_range(float(every.min()), float(every.max()), zero=False)

    def entries(self, row: int | None) -> list[Entry]:
        found = []
        for line, colour in zip(self._lines, self.colours(), strict=True):
            parts = [] if row is None else [shown(float(line.values[row]), self._decimals)]
            if line.trigger is not None:
                parts.append(f"trigger {shown(line.trigger, self._decimals)}")
            found.append(Entry(line.name, colour, "  ".join(parts), line=True))
        return found
