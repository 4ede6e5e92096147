"""Axes that read well: ISO dates, grouped figures with a true minus, the unit in the label."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF

from clo_desktop.look import formats

DAY: Final = 86_400.0  # seconds

_MONTHS: Final = (1, 3, 6, 12, 24, 60, 120)
_ROOM: Final = 72  # px a date label needs


def seconds(dates: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """Dates as seconds since 1970, what the x axis counts in."""
    return dates.astype("datetime64[s]").astype(np.float64)


def date_of(at: float) -> dt.date:
    """The date of a position on the x axis."""
    return dt.date(1970, 1, 1) + dt.timedelta(days=int(at // DAY))


class DateAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Years, half-years, quarters or months: whatever the width has room for."""

    def boundingRect(self) -> QRectF:
        # room for the labels at both ends, which would be left out else
        return QRectF(super().boundingRect()).adjusted(-24, 0, 24, 0)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        if high <= low or size <= 0:
            return []
        wanted = (high - low) / DAY / 30.44 * _ROOM / size
        months = next((m for m in _MONTHS if m >= wanted), _MONTHS[-1])
        first, last = date_of(low), date_of(high)
        start = (first.year * 12 + first.month - 1) // months * months
        ticks = []
        for count in range(start, last.year * 12 + last.month + 1, months):
            at = (dt.date(count // 12, count % 12 + 1, 1) - dt.date(1970, 1, 1)).days * DAY
            if low <= at <= high:
                ticks.append(at)
        return [(months * 30.44 * DAY, ticks)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        if spacing >= 11.5 * 30.44 * DAY:
            return [str(date_of(v).year) for v in values]
        return [date_of(v).isoformat()[:7] for v in values]


class FigureAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph has no types
    """Figures with thin grouping and only as many decimals as the steps need."""

    def boundingRect(self) -> QRectF:
        return QRectF(super().boundingRect()).adjusted(0, -9, 0, 9)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        places = max(0, int(np.ceil(-np.log10(spacing) - 1e-9))) if spacing > 0 else 0
        return [formats.figure(value * scale, places) for value in values]

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[Any, Any]]:
        # one level of ticks: finer ones would only repeat gridlines
        levels = super().tickValues(low, high, size)
        for spacing, _ in levels:
            first = np.ceil(low / spacing) * spacing
            ticks = list(np.arange(first, high + spacing * 1e-6, spacing))
            if len(ticks) >= 3:
                return [(spacing, ticks)]
        return list(levels[:1])
