"""A projection drawn: what the classes owe and are paid, and the overcollateralisation ratios."""

from __future__ import annotations

from typing import Final

import numpy as np

from clo_desktop.charts.bars import BarChart
from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.charts.stacked import StackedChart
from clo_desktop.look.outcome import spelled
from engine.projection import Projection
from engine.waterfall.document import class_id

_MILLION: Final = 1e6
_HIGHEST: Final = 3.0
"""Ratios above 300 % (a class nearly repaid) would flatten the rest of the chart and are left out of it."""


def draw_classes(flows: Projection, balances: StackedChart, paid: BarChart) -> None:
    """Class balances with deferred interest, and distributions, in millions of the deal's currency."""
    r, days = flows.result, flows.payment_dates
    balances.title.setText(f"Class balances ({flows.currency} million)")
    paid.title.setText(f"Distributions ({flows.currency} million)")
    names = [t.name for t in flows.tranches]
    equity = [class_id(t.name) == flows.document.equity for t in flows.tranches]
    opening = np.array([t.current_balance for t in flows.tranches])
    # a balance holds until the next payment: before the first date it is the opening one
    owed = np.vstack([opening, r.balance + r.deferred])
    owed[:, flows.equity] = np.append(np.full(len(days), opening[flows.equity]), 0.0)
    balances.set_data((flows.as_of, *days), names, owed / _MILLION, equity=equity)
    received = np.stack([flows.paid(k) for k in range(len(names))], axis=1)
    paid.set_data(days, names, received / _MILLION, equity=equity)


def draw_ratios(flows: Projection, chart: LineChart) -> None:
    """Every overcollateralisation ratio with its trigger, in percent."""
    r = flows.result
    lines = []
    for k, test in enumerate(flows.document.tests):
        if test.type == "oc":
            ratio = np.where(r.ratio[:, k] > _HIGHEST, np.nan, r.ratio[:, k])
            lines.append(Line(spelled(test.id), ratio * 100.0, r.trigger[:, k] * 100.0))
    chart.set_data(flows.payment_dates, lines)
