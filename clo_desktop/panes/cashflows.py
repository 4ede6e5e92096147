"""Cash flows: class balances, distributions and coverage ratios over the payment dates, and the same as tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QSplitter, QStackedLayout, QTabWidget, QWidget

from clo_desktop.charts.bars import BarChart
from clo_desktop.charts.base import TimeCursor
from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.charts.stacked import StackedChart
from clo_desktop.look.formats import Show
from clo_desktop.look.outcome import spelled
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.session import Session, Timed
from engine import projection_kernel as pk
from engine.asset import Kind
from engine.projection import Projection
from engine.waterfall.schema import class_id

_MILLION: Final = 1e6
_DATE: Final = Column("date", "Payment date", Kind.DATE.value)
_CLASS_ROWS: Final = (
    ("interest", "interest"),
    ("deferred_paid", "deferred interest paid"),
    ("principal", "principal"),
    ("deferred", "deferred balance"),
    ("balance", "balance"),
)
_BALANCES: Final = frozenset({"deferred", "balance"})


def classes_frame(flows: Projection | None) -> tuple[Frame, dict[str, tuple[str, ...]]]:
    """Flows and balances of every class by date, and a column set for each class."""
    if flows is None:
        return Frame((_DATE,), {"date": []}, key="date"), {}
    columns, data = [_DATE], {"date": np.array(flows.payment_dates, dtype="datetime64[D]")}
    sets: dict[str, tuple[str, ...]] = {}
    for k, tranche in enumerate(flows.tranches):
        names = []
        for attribute, word in _CLASS_ROWS:
            name = f"{attribute}_{k}"
            total = Total.NONE if attribute in _BALANCES else Total.SUM
            columns.append(Column(name, f"{tranche.name} {word}", Kind.MONEY.value, total=total))
            data[name] = getattr(flows.result, attribute)[:, k]
            names.append(name)
        sets[tranche.name] = ("date", *names)
    paid = [n for n in data if n.split("_")[0] in ("interest", "principal")]
    return Frame(columns, data, key="date"), {"Payments": ("date", *paid), **sets, "All": tuple(data)}


def coverage_frame(flows: Projection | None) -> Frame:
    """Ratio, trigger, numerator and denominator of every coverage test by date."""
    if flows is None:
        return Frame((_DATE,), {"date": []}, key="date")
    columns, data = [_DATE], {"date": np.array(flows.payment_dates, dtype="datetime64[D]")}
    for k, test in enumerate(flows.document.tests):
        parts = (
            ("ratio", Show.RATIO.value, flows.result.ratio[:, k]),
            ("trigger", Show.RATIO.value, np.full(len(flows.payment_dates), flows.structure.triggers[k])),
            ("numerator", Kind.MONEY.value, flows.result.numerator[:, k]),
            ("denominator", Kind.MONEY.value, flows.result.denominator[:, k]),
        )
        for word, kind, values in parts:
            columns.append(Column(f"{word}_{k}", f"{spelled(test.id)} {word}", kind, total=Total.NONE))
            data[f"{word}_{k}"] = np.where(np.isfinite(values), values, np.nan)
    return Frame(columns, data, key="date")


def cash_frame(flows: Projection | None) -> Frame:
    """Proceeds, fees and uses by date; sources equal uses on every row."""
    if flows is None:
        return Frame((_DATE,), {"date": []}, key="date")
    columns, data = [_DATE], {"date": np.array(flows.payment_dates, dtype="datetime64[D]")}
    for k, word in enumerate(pk.CASH_NAMES):
        kind = Kind.RATE.value if k == pk.INDEX else Kind.MONEY.value
        flow = k < pk.INDEX or k in (pk.SOURCES, pk.USES)
        columns.append(Column(f"cash_{k}", word, kind, total=Total.SUM if flow else Total.NONE))
        data[f"cash_{k}"] = flows.result.cash[:, k]
    for k, fee in enumerate(flows.structure.fees):
        columns.append(Column(f"fee_{k}", f"{fee.name} paid", Kind.MONEY.value))
        data[f"fee_{k}"] = flows.result.fee_paid[:, k]
    return Frame(columns, data, key="date")


class CashFlowsPane(QWidget):
    """Three charts with one time cursor above the tables; a click in a chart goes to the date's row."""

    def __init__(self, session: Session, ask_run: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        cursor = TimeCursor(self)
        self.balances = StackedChart("Class balances", "USD million", cursor=cursor)
        self.paid = BarChart("Distributions", "USD million", cursor=cursor)
        self.ratios = LineChart("Coverage ratios", "%", decimals=1, cursor=cursor)
        self.balances.link_dates(self.paid)
        self.ratios.link_dates(self.paid)
        charts = QSplitter(Qt.Orientation.Horizontal)
        for chart in (self.balances, self.paid, self.ratios):
            charts.addWidget(chart)
        frame, sets = classes_frame(None)
        self.classes = FrameTable(frame, name="Class cash flows", frozen=1, filters=False, sets=sets)
        self.coverage = FrameTable(coverage_frame(None), name="Coverage tests", frozen=1, filters=False, footer=False)
        self.cash = FrameTable(cash_frame(None), name="Sources and uses", frozen=1, filters=False)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.classes, "Classes")
        self.tabs.addTab(self.coverage, "Coverage tests")
        self.tabs.addTab(self.cash, "Sources and uses")
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(charts)
        split.addWidget(self.tabs)
        split.setSizes([420, 380])
        self._empty = EmptyState("There is no projection yet. Open a deal and run it.", "Run", ask_run)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self._empty)
        self._layers.addWidget(split)
        self._steps: list[Callable[[], None]] = []
        self._pace = QTimer(self)
        self._pace.setInterval(0)
        self._pace.timeout.connect(self._step)
        session.projection_changed.connect(self._show)
        cursor.picked.connect(self._go_to)
        self.classes.row_activated.connect(self._explain)

    def _show(self, timed: Timed | None) -> None:
        """Charts and tables take the projection one by one, so that the window does not stall."""
        self._steps.clear()
        if timed is None:
            self._layers.setCurrentIndex(0)
            return
        flows = timed.projection
        self._steps += [
            lambda: self._draw_classes(flows),
            lambda: self._draw_ratios(flows),
            lambda: self._fill_classes(flows),
            lambda: self._fill(self.coverage, coverage_frame(flows)),
            lambda: self._fill(self.cash, cash_frame(flows)),
        ]
        self._layers.setCurrentIndex(1)
        self._pace.start()

    def _step(self) -> None:
        if self._steps:
            self._steps.pop(0)()
        if not self._steps:
            self._pace.stop()

    @property
    def filled(self) -> bool:
        """Whether everything shows the last projection."""
        return not self._steps

    def _draw_classes(self, flows: Projection) -> None:
        r, days = flows.result, flows.payment_dates
        for chart, title in ((self.balances, "Class balances"), (self.paid, "Distributions")):
            chart.title.setText(f"{title} ({flows.currency} million)")
        names = [t.name for t in flows.tranches]
        equity = [class_id(t.name) == "SUB" for t in flows.tranches]
        opening = np.array([t.current_balance for t in flows.tranches])
        # a balance holds until the next payment: before the first date it is the opening one
        balances = np.vstack([opening, r.balance + r.deferred])
        balances[:, flows.equity] = np.append(np.full(len(days), opening[flows.equity]), 0.0)
        self.balances.set_data((flows.as_of, *days), names, balances / _MILLION, equity=equity)
        paid = np.stack([flows.paid(k) for k in range(len(names))], axis=1)
        self.paid.set_data(days, names, paid / _MILLION, equity=equity)

    def _draw_ratios(self, flows: Projection) -> None:
        r, days = flows.result, flows.payment_dates
        lines = []
        for k, test in enumerate(flows.document.tests):
            if test.type == "oc":
                ratio = np.where(r.ratio[:, k] > _HIGHEST, np.nan, r.ratio[:, k])
                lines.append(Line(spelled(test.id), ratio * 100.0, flows.structure.triggers[k] * 100.0))
        self.ratios.set_data(days, lines)

    def _fill_classes(self, flows: Projection) -> None:
        frame, sets = classes_frame(flows)
        self.classes.set_frame(frame)
        self.classes.set_column_sets(sets)
        if self.classes.visible_columns() == ["date"]:
            self.classes.show_set("Payments")

    @staticmethod
    def _fill(table: FrameTable, frame: Frame) -> None:
        fresh = len(table.frame.columns) == 1
        table.set_frame(frame)
        if fresh:
            table.show_columns([c.name for c in frame.columns])

    def _explain(self, day: object) -> None:
        """Enter or a double click on a payment: the steps that led to it."""
        timed = self._session.projection
        if timed is None or not isinstance(day, dt.date):
            return
        column = self.classes.frame.columns[max(self.classes.grid.currentIndex().column(), 0)].name
        _, _, place = column.rpartition("_")
        tranche = timed.projection.tranches[int(place) if place.isdigit() else timed.projection.equity]
        self._session.payment_wanted.emit(day, tranche.name)

    def _go_to(self, day: dt.date) -> None:
        table = self.tabs.currentWidget()
        if isinstance(table, FrameTable):
            table.select_keys([day])


_HIGHEST: Final = 3.0
"""Ratios above 300 % (a class nearly repaid) would flatten the rest of the chart and are left out of it."""
