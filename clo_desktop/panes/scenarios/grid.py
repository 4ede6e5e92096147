"""Two parameters as a heat map; of a class also the break-even default rate in every cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clo_desktop.charts.heatmap import HeatMap, Side
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice, NumberField
from clo_desktop.look.flow import Flow
from clo_desktop.look.tokens import GRID
from clo_desktop.panes.scenarios.tab import MeasureChoice, Study, Tab, measures_of, text_of, unit_of
from clo_desktop.progress import Progress
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.grid import grid
from engine.studies.measures import Shown, measure
from engine.studies.parameters import PARAMETERS, Axis, Parameter, Unit, steps
from engine.studies.surface import surface

_USUAL: Final[dict[str, tuple[float, float, int]]] = {
    "cdr": (0.0, 0.2, 11),
    "cpr": (0.0, 0.4, 9),
    "severity": (0.2, 0.8, 13),
    "recovery": (0.2, 0.8, 13),
    "lag": (0.0, 24.0, 5),
    "sale_price": (80.0, 104.0, 13),
    "shift": (-0.02, 0.02, 9),
    "call_below": (0.0, 0.04, 9),
    "clean_up": (0.0, 0.5, 11),
    "buy_price": (94.0, 101.0, 8),
    "buy_spread": (0.025, 0.05, 11),
    "price_shock": (-0.4, 0.0, 9),
    "downgrade": (0.0, 4.0, 5),
}
"""From, to and how many values, where nothing else is asked for."""

_BREAKS: Final = "break-even:"


@dataclass(frozen=True, slots=True, eq=False)
class Map:
    """What a heat map shows."""

    title: str
    shown: Shown
    down: Axis
    across: Axis
    values: NDArray[np.float64]


class AxisFields(QWidget):
    """A parameter, from, to, and how many values. `changed`: one of them."""

    changed = Signal()

    def __init__(self, name: str, first: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self.parameter = Choice(f"{name}: parameter")
        for key in _USUAL:
            self.parameter.addItem(PARAMETERS[key].title, key)
        self.low = NumberField(f"{name}: from", -1e6, 1e6, "", 1.0, 2)
        self.high = NumberField(f"{name}: to", -1e6, 1e6, "", 1.0, 2)
        self.count = NumberField(f"{name}: how many values", 2, 40, "", 1.0, 0)
        self.count.setPrefix("× ")
        self.count.setToolTip("How many values, both ends included")
        row = Flow(self)
        for widget in (self.parameter, self.low, QLabel("to"), self.high, self.count):
            row.addWidget(widget)
        self.setFocusProxy(self.parameter)
        self.parameter.setCurrentIndex(self.parameter.findData(first))
        self._usual()
        self.parameter.currentIndexChanged.connect(self._chosen)
        for field in (self.low, self.high, self.count):
            field.valueChanged.connect(self._told)

    def _told(self, *_: object) -> None:
        self.changed.emit()

    @property
    def of(self) -> Parameter:
        return PARAMETERS[str(self.parameter.currentData())]

    def _chosen(self) -> None:
        self._usual()
        self.changed.emit()

    def _usual(self) -> None:
        low, high, count = _USUAL[self.of.name]
        scale, unit = scale_of(self.of)
        for field, value in ((self.low, low * scale), (self.high, high * scale), (self.count, float(count))):
            field.blockSignals(True)
            if field is not self.count:
                field.setSuffix(f" {unit}")
                field.setRange(self.of.low * scale, self.of.high * scale)
            field.setValue(value)
            field.blockSignals(False)

    def axis(self) -> Axis:
        """Raises ValueError for what is no axis."""
        scale, _ = scale_of(self.of)
        return steps(self.of, self.low.value() / scale, self.high.value() / scale, round(self.count.value()))


class GridTab(Tab):
    """Controls above the map. `picked`: put the levers to the parameters of this cell, by name in engine units."""

    title = "Grid"
    picked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.measure = MeasureChoice("Measure of the grid", ("irr", "moic", "loss_share", "wal", "cushion"))
        self.across, self.down = AxisFields("Across", "cdr"), AxisFields("Down", "severity")
        self.map = HeatMap("Heat map")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("The figures with their headers, at full precision (Ctrl+C in the map)")
        self.copy_button.clicked.connect(self.map.copy)
        controls = QGridLayout()
        controls.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        controls.setHorizontalSpacing(GRID)
        rows: tuple[tuple[str, QWidget], ...] = (
            ("Measure", self.measure),
            ("Across", self.across),
            ("Down", self.down),
        )
        for place, (words, widget) in enumerate(rows):
            label = QLabel(words)
            label.setBuddy(widget)
            controls.addWidget(label, place, 0)
            controls.addWidget(widget, place, 1, 1, 2 if place else 1)
        controls.addWidget(self.copy_button, 0, 2)
        controls.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(controls)
        column.addWidget(self.map, 1)
        self._shown: Map | None = None
        self.measure.currentIndexChanged.connect(lambda _index: self.changed.emit())
        for fields in (self.across, self.down):
            fields.changed.connect(self.changed)
        self.map.picked.connect(self._picked)
        self.setFocusProxy(self.map)

    def take_model(self, model: Model) -> None:
        self.measure.take_model(model)
        before = self.measure.currentData()
        self.measure.blockSignals(True)
        for name, _ in measures_of(model, ("wal",)):
            of = name.partition(":")[2]
            if self.measure.findData(_BREAKS + of) < 0:
                self.measure.addItem(f"Class {of} break-even default rate", _BREAKS + of)
        self.measure.setCurrentIndex(max(0, self.measure.findData(before)))
        self.measure.blockSignals(False)

    def study(self) -> Study:
        return Study(_map, (self.down.axis(), self.across.axis(), self.measure.chosen))

    def show_result(self, result: Any, currency: str) -> None:
        shown: Map = result
        self._shown = shown
        unit = unit_of(shown.shown)
        title = f"{shown.title} ({unit})" if unit else shown.title
        words = [text_of(shown.shown, places) for places in (2, 1, 0)]
        self.map.set_data(title, side(shown.down), side(shown.across), shown.values, *words)

    def _picked(self, row: int, column: int) -> None:
        if self._shown is not None:
            down, across = self._shown.down, self._shown.across
            self.picked.emit({down.parameter.name: down.values[row], across.parameter.name: across.values[column]})


def _map(model: Model, assumptions: Assumptions, report: Progress, down: Axis, across: Axis, name: str) -> Map:
    if name.startswith(_BREAKS):
        return _break_evens(model, assumptions, report, down, across, name.removeprefix(_BREAKS))
    wanted = measure(model, name)
    done = grid(model, assumptions, (down, across), (wanted,), report=report)
    return Map(wanted.title, wanted.unit, down, across, done.values[0])


def _break_evens(model: Model, assumptions: Assumptions, report: Progress, down: Axis, across: Axis, of: str) -> Map:
    done = surface(model, assumptions, down, across, report=report)
    names = list(done.names)
    if of not in names:
        raise ValueError(f"Class {of} is repaid already; it has no break-even.")
    return Map(f"Class {of} break-even default rate", Shown.RATE, down, across, done.cdr[names.index(of)])


def scale_of(of: Parameter) -> tuple[float, str]:
    """Factor from the engine's unit to the one that is shown, and its name."""
    if of.unit in (Unit.SHARE, Unit.RATE):
        return 100.0, "%"
    return 1.0, {Unit.MONTHS: "months", Unit.PRICE: "%", Unit.NOTCHES: "notches"}.get(of.unit, "")


def side(axis: Axis) -> Side:
    """The labels of an axis, in the unit that is shown."""
    scale, unit = scale_of(axis.parameter)
    shown = [value * scale for value in axis.values]
    places = next((p for p in (0, 1, 2) if all(abs(v - round(v, p)) < 1e-9 for v in shown)), 2)
    return Side(f"{axis.parameter.title} ({unit})", tuple(formats.figure(v, places) for v in shown))
