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
    """One series: float64[n_dates] with NaN where it is missing, in the unit of the title.

    trigger  of all dates, or float64[n_dates] where it changes from date to date
    marked   with a dot at every date, for few and far between
    """

    name: str
    values: NDArray[np.float64]
    trigger: float | NDArray[np.float64] | None = None
    colour: str = ""
    marked: bool = False

    @property
    def level(self) -> float | None:
        """The trigger where it is one for all dates."""
        found = np.unique(self.triggers)
        return float(found[0]) if found.size == 1 else None

    @property
    def triggers(self) -> NDArray[np.float64]:
        """float64[1 or n_dates]; empty where there is none."""
        return np.atleast_1d(np.array([] if self.trigger is None else self.trigger, dtype=np.float64))

    def trigger_at(self, row: int | None) -> float | None:
        """The trigger of a date; of the first where no date is meant."""
        found = self.triggers
        return None if not found.size else float(found[min(row or 0, found.size - 1)])


class LineChart(Chart):
    """Lines over dates; the axis covers values and triggers, not zero. `bound` is what triggers are called."""

    def __init__(self, title: str, unit: str = "", *, bound: str = "trigger", **more: Any) -> None:
        super().__init__(title, unit, **more)
        self._bound = bound
        self._lines: tuple[Line, ...] = ()
        self._curves: list[Any] = []
        self._triggers: list[Any] = []
        self._stairs: list[Any] = []

    def set_data(self, dates: Sequence[Any] | NDArray[np.datetime64], lines: Sequence[Line]) -> None:
        """Show these lines instead of those before."""
        self._lines = tuple(lines)
        self.set_dates(dates)
        self.refresh()

    def padding(self, span: float) -> float:
        """Dots need more room than lines."""
        return span * (0.04 if any(line.marked for line in self._lines) else 0.01)

    def colours(self) -> list[str]:
        own = series.series(len(self._lines), dark=theme.current().dark)
        return [line.colour or colour for line, colour in zip(self._lines, own, strict=True)]

    def draw(self) -> None:
        while len(self._curves) < len(self._lines):
            curve, trigger = pg.PlotDataItem(connect="finite"), pg.InfiniteLine(angle=0, movable=False)
            stair = pg.PlotDataItem()
            self._curves.append(curve)
            self._triggers.append(trigger)
            self._stairs.append(stair)
            self.plot.addItem(curve)
            for item in (trigger, stair):
                self.plot.addItem(item, ignoreBounds=True)
        for items in (self._curves, self._triggers, self._stairs):
            for item in items[len(self._lines) :]:
                self.plot.removeItem(item)
            del items[len(self._lines) :]
        smooth = len(self._x) * len(self._lines) <= SMOOTH
        drawn = zip(self._lines, self.colours(), self._curves, self._triggers, self._stairs, strict=True)
        for line, colour, curve, trigger, stair in drawn:
            curve.setData(self._x, np.asarray(line.values, dtype=np.float64), antialias=smooth)
            # wider lines are only affordable where they are few
            curve.setPen(pg.mkPen(colour, width=2 if smooth else 1))
            # one value makes no line
            alone = int(np.isfinite(line.values).sum()) == 1
            curve.setSymbol("o" if alone or line.marked else None)
            curve.setSymbolSize(7)
            curve.setSymbolBrush(pg.mkBrush(colour))
            curve.setSymbolPen(None)
            dashes = pg.mkPen(colour, width=1, style=Qt.PenStyle.DashLine)
            trigger.setVisible(line.level is not None)
            if line.level is not None:
                trigger.setPos(line.level)
                trigger.setPen(dashes)
            stairs = line.triggers if line.triggers.size > 1 and line.level is None else np.array([])
            # a trigger holds from its date to the next
            stair.setData(np.repeat(self._x if stairs.size else stairs, 2)[1:], np.repeat(stairs, 2)[:-1])
            stair.setPen(dashes)
        self._set_values_range()

    def _set_values_range(self) -> None:
        parts = [np.asarray(line.values, dtype=np.float64) for line in self._lines]
        parts += [line.triggers for line in self._lines]
        every = np.concatenate(parts) if parts else np.array([])
        every = every[np.isfinite(every)]
        if every.size:
            self.set_range(float(every.min()), float(every.max()), zero=False)

    def entries(self, row: int | None) -> list[Entry]:
        found = []
        for line, colour in zip(self._lines, self.colours(), strict=True):
            parts = [] if row is None else [shown(float(line.values[row]), self._decimals)]
            trigger = line.trigger_at(row)
            if trigger is not None:
                parts.append(f"{self._bound} {shown(trigger, self._decimals)}")
            found.append(Entry(line.name, colour, "  ".join(parts), line=True))
        return found
