"""What the levers do at once: class balances, distributions, coverage ratios, returns."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from clo_desktop.charts.bars import BarChart
from clo_desktop.charts.base import TimeCursor
from clo_desktop.charts.flows import draw_classes, draw_ratios
from clo_desktop.charts.lines import LineChart
from clo_desktop.charts.stacked import StackedChart
from clo_desktop.look import formats
from clo_desktop.look.layouts import TurningSplitter
from clo_desktop.look.outcome import spelled
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.scenarios.tab import SHORTEST, TIMES, Study, Tab
from clo_desktop.progress import Progress
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import Projection
from engine.waterfall.trace import failing

_MILLION: Final = 1e6


class LiveTab(Tab):
    """Charts of one run, a strip of figures above them."""

    title = "Live"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = WrappedLabel("")
        self.head.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        self.head.setAccessibleName("What the scenario comes to")
        cursor = TimeCursor(self)
        self.balances = StackedChart("Class balances", "million", cursor=cursor)
        self.paid = BarChart("Distributions", "million", cursor=cursor)
        self.ratios = LineChart("Overcollateralisation ratios", "%", decimals=1, cursor=cursor)
        self.balances.link_dates(self.paid)
        for chart in (self.balances, self.paid, self.ratios):
            chart.setMinimumHeight(SHORTEST)
        upper = TurningSplitter(520, (300, 300), (160, 160))
        for chart in (self.balances, self.paid):
            upper.addWidget(chart)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(upper)
        split.addWidget(self.ratios)
        split.setStretchFactor(0, 1)
        split.setSizes([400, 230])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(split, 1)
        self._own: float | None = None

    def take_own(self, irr: float | None) -> None:
        """The equity's IRR under the deal's own assumptions: what the scenario is told against."""
        self._own = irr

    def study(self) -> Study:
        return Study(_projected)

    def show_result(self, result: Any, currency: str) -> None:
        flows: Projection = result
        self.head.setText(" · ".join(self._figures(flows)))
        draw_classes(flows, self.balances, self.paid)
        draw_ratios(flows, self.ratios)

    def _figures(self, flows: Projection) -> list[str]:
        irr = flows.equity_irr
        words = [f"Equity IRR {_percent(irr)}"]
        if irr is not None and self._own is not None:
            change = (irr - self._own) * 1e4
            words[0] += f" ({'+' if change > 0.5 else ''}{formats.figure(change, 0)} bp to the deal's own)"
        cost = -sum(amount for _, amount in flows.equity_history if amount < 0.0)
        got = sum(amount for _, amount in flows.equity_history if amount > 0.0) + flows.paid(flows.equity).sum()
        if cost > 0.0:
            words.append(f"multiple {formats.figure(got / cost, 2)} {TIMES}")
        losses = []
        for k, tranche in enumerate(flows.tranches):
            left = float(flows.result.balance[-1, k] + flows.result.deferred[-1, k])
            if k != flows.equity and left > 1.0:
                losses.append(f"{tranche.name} {formats.figure(left / _MILLION, 1)}")
        unpaid = f"left unpaid ({flows.currency} million): {', '.join(losses)}"
        words.append(unpaid if losses else "every note is repaid")
        tripped = []
        for k, test in enumerate(flows.document.tests):
            rows = np.flatnonzero(failing(flows, k))
            if rows.size:
                tripped.append(f"{spelled(test.id)} from {flows.payment_dates[int(rows[0])].isoformat()}")
        words.append(f"fails: {', '.join(tripped)}" if tripped else "no coverage test fails")
        return words


def _projected(model: Model, assumptions: Assumptions, report: Progress) -> Projection:
    return model.run(assumptions, report)


def _percent(value: float | None) -> str:
    return formats.percent(value)
