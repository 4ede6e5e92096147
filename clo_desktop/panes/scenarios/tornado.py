"""One parameter at a time, down and up: what moves the figure most."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clo_desktop.charts.tornado import Span, TornadoChart
from clo_desktop.look import formats
from clo_desktop.look.tokens import GRID
from clo_desktop.panes.scenarios.grid import scale_of
from clo_desktop.panes.scenarios.tab import MeasureChoice, Study, Tab, text_of, unit_of
from clo_desktop.progress import Progress
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.measures import measure
from engine.studies.parameters import Parameter
from engine.studies.tornado import Tornado, tornado


class TornadoTab(Tab):
    """A measure and its tornado around the scenario of the levers."""

    title = "Tornado"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measure = MeasureChoice("Measure of the tornado", ("irr", "moic", "cushion", "loss_share", "wal"))
        self.chart = TornadoChart("Tornado")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("The figures with their headers, at full precision (Ctrl+C in the chart)")
        self.copy_button.clicked.connect(self.chart.copy)
        label = QLabel("Measure")
        label.setBuddy(self.measure)
        strip = QHBoxLayout()
        strip.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        strip.setSpacing(GRID)
        for widget in (label, self.measure, self.copy_button):
            strip.addWidget(widget)
        strip.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(strip)
        column.addWidget(self.chart, 1)
        self.measure.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.setFocusProxy(self.chart)

    def take_model(self, model: Model) -> None:
        self.measure.take_model(model)

    def study(self) -> Study:
        return Study(_tornado, (self.measure.chosen,))

    def show_result(self, result: Any, currency: str) -> None:
        done: Tornado = result
        unit = unit_of(done.measure.unit)
        spans = [
            Span(b.parameter.title, _value(b.parameter, b.low), _value(b.parameter, b.high), b.at_low, b.at_high)
            for b in done.bars
        ]
        title = f"{done.measure.title} ({unit})" if unit else done.measure.title
        self.chart.set_data(title, done.base, spans, text_of(done.measure.unit))


def _tornado(model: Model, assumptions: Assumptions, report: Progress, name: str) -> Tornado:
    (done,) = tornado(model, assumptions, [measure(model, name)], report=report)
    return done


def _value(of: Parameter, value: float) -> str:
    scale, unit = scale_of(of)
    places = 2 if abs(value * scale * 10 - round(value * scale * 10)) > 1e-6 else 1
    places = 0 if abs(value * scale - round(value * scale)) < 1e-6 else places
    return f"{formats.figure(value * scale, places)} {unit}"
