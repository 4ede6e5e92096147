"""Price against yield of a class over scenarios, as a heat map; both ways."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clo_desktop.charts.heatmap import HeatMap, Side
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice, NumberField
from clo_desktop.look.flow import Flow
from clo_desktop.look.tokens import GRID
from clo_desktop.panes.scenarios.grid import AxisFields, side
from clo_desktop.panes.scenarios.tab import NARROWEST, Study, Tab
from clo_desktop.panes.scenarios.values import STYLES
from clo_desktop.progress import Progress
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.parameters import Axis
from engine.studies.pricing import Pricing, price_grid
from engine.valuation.note import Style
from engine.waterfall.document import class_id

_RATES: Final = tuple(entry for entry in STYLES if entry[0] is not Style.PRICE)
_USUAL_PRICES: Final = (95.0, 105.0, 11.0)
_USUAL_RATES: Final = {"%": (4.0, 14.0, 11.0), "bp": (50.0, 1050.0, 11.0)}


class PricesTab(Tab):
    """Rows of prices (or of yields), columns of a parameter; all classes are found at once, one is shown."""

    title = "Price-yield"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.of, self.sought = Choice("Class of the price grid"), Choice("What is found")
        for widget in (self.of, self.sought):
            widget.setMinimumWidth(NARROWEST)
        for style, words, *_ in _RATES:
            self.sought.addItem(f"{words} at prices", (style.value, False))
        for style, words, *_ in _RATES:
            self.sought.addItem(f"Price at: {words.lower()}", (style.value, True))
        self.low = NumberField("From", 0.01, 1000.0, "", 1.0, 2)
        self.high = NumberField("To", 0.01, 1000.0, "", 1.0, 2)
        self.count = NumberField("How many values", 2, 40, "", 1.0, 0)
        self.count.setPrefix("× ")
        self.across = AxisFields("Scenarios", "cdr")
        self.across.count.setValue(9)
        self.map = HeatMap("Price-yield grid")
        self.copy_button = QPushButton("Copy")
        self.copy_button.setToolTip("The figures with their headers, at full precision (Ctrl+C in the map)")
        self.copy_button.clicked.connect(self.map.copy)
        down = Flow()
        for part in (self.low, QLabel("to"), self.high, self.count):
            down.addWidget(part)
        controls = QGridLayout()
        controls.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        controls.setHorizontalSpacing(GRID)
        named: tuple[tuple[str, QWidget], ...] = (
            ("Class", self.of),
            ("Find", self.sought),
            ("From", self.low),
            ("Across", self.across),
        )
        for row, (words, field) in enumerate(named):
            label = QLabel(words)
            label.setBuddy(field)
            controls.addWidget(label, row, 0)
            if field is not self.low:
                controls.addWidget(field, row, 1, 1, 2 if row else 1)
        controls.addLayout(down, 2, 1, 1, 2)
        controls.addWidget(self.copy_button, 0, 2)
        controls.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(controls)
        column.addWidget(self.map, 1)
        self._done: Pricing | None = None
        self._names: dict[str, str] = {}
        self._usual()
        self.of.currentIndexChanged.connect(lambda _index: self._show())
        self.sought.currentIndexChanged.connect(lambda _index: self._chosen())
        for number in (self.low, self.high, self.count):
            number.valueChanged.connect(lambda _value: self.changed.emit())
        self.across.changed.connect(self.changed)
        self.setFocusProxy(self.map)

    def take_model(self, model: Model) -> None:
        before = self.of.currentData()
        self._names = {class_id(t.name): t.name for t in model.book.deal.tranches}
        self._done = None
        self.of.blockSignals(True)
        self.of.clear()
        for t in model.book.deal.tranches:
            if t.current_balance + t.deferred_balance > 0.0:
                self.of.addItem(t.name, class_id(t.name))
        kinds = {c.id: c.kind for c in model.document.classes}
        first = next((k for k in range(self.of.count()) if kinds[self.of.itemData(k)] == "debt"), 0)
        kept = self.of.findData(before)
        self.of.setCurrentIndex(kept if kept >= 0 else first)
        self.of.blockSignals(False)

    def _asked(self) -> tuple[Style, bool, str, float]:
        """Style, whether its rates are given, and their unit and scale."""
        name, of_rates = self.sought.currentData()
        entry = next(e for e in _RATES if e[0].value == name)
        return entry[0], bool(of_rates), entry[2], entry[3]

    def _usual(self) -> None:
        _, of_rates, unit, _ = self._asked()
        low, high, count = _USUAL_RATES[unit] if of_rates else _USUAL_PRICES
        ends = ((-5000.0, 100_000.0) if unit == "bp" else (-50.0, 1000.0)) if of_rates else (0.01, 1000.0)
        for field, value in ((self.low, low), (self.high, high), (self.count, count)):
            field.blockSignals(True)
            if field is not self.count:
                field.setSuffix(f" {unit}" if of_rates else "")
                field.setRange(*ends)
            field.setValue(value)
            field.blockSignals(False)

    def _chosen(self) -> None:
        self._usual()
        self.changed.emit()

    def study(self) -> Study:
        style, of_rates, _, scale = self._asked()
        low, high = self.low.value(), self.high.value()
        if not low < high:
            raise ValueError(f"The grid goes from {low:g} to {high:g}; write the lower one first.")
        axis = self.across.axis()
        shown = np.linspace(low, high, round(self.count.value())).round(10)
        values = (shown / scale if of_rates else shown).tolist()
        return Study(_priced, (axis, style, tuple(values), of_rates))

    def show_result(self, result: Any, currency: str) -> None:
        self._done = result
        self._show()

    def _show(self) -> None:
        done, of = self._done, str(self.of.currentData())
        if done is None or of not in done.class_ids:
            return
        _, words, unit, scale, _, _ = next(e for e in _RATES if e[0] is done.style)
        name = self._names.get(of, of)
        figures = done.figures[done.class_ids.index(of)]
        if done.of_rates:
            title = f"{name}: clean price (per 100)"
            down = Side(f"{words} ({unit})", _labels([v * scale for v in done.values]))
            texts = [lambda v, p=p: formats.figure(v, p) for p in (3, 2, 1, 0)]
        else:
            title = f"{name}: {words.lower()} ({unit})"
            down = Side("Clean price (per 100)", _labels(list(done.values)))
            places = (2, 1, 0) if unit == "%" else (1, 0)
            texts = [lambda v, p=p: formats.figure(v, p) for p in places]
            figures = figures * scale
        self.map.set_data(title, down, side(done.axis), figures, *texts)


def _priced(
    model: Model,
    assumptions: Assumptions,
    report: Progress,
    axis: Axis,
    style: Style,
    values: tuple[float, ...],
    of_rates: bool,
) -> Pricing:
    return price_grid(model, assumptions, axis, style, values, of_rates=of_rates, report=report)


def _labels(values: list[float]) -> tuple[str, ...]:
    places = next((p for p in (0, 1, 2, 3) if all(abs(v - round(v, p)) < 1e-9 for v in values)), 3)
    return tuple(formats.figure(v, places) for v in values)
