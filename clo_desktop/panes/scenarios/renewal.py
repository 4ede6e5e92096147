"""Hold, refinance, reset, call: the terms of each offer, what each date is worth to the equity, and break-evens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.look import formats
from clo_desktop.look.fields import NumberField
from clo_desktop.look.formats import Show
from clo_desktop.look.layouts import TurningSplitter, scrolled
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.scenarios.tab import SHORTEST, Study, Tab
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.alternatives import best_words, verdict
from engine.asset import Kind
from engine.assumptions import Assumptions
from engine.model import Model
from engine.valuation.alternatives import Action, Alternatives, Offer, alternatives
from engine.valuation.calls import Costs
from engine.valuation.conventions import MEASURES
from engine.waterfall.document import class_id

_NAMES: Final = {Action.CALL: "Call", Action.REFINANCE: "Refinance", Action.RESET: "Reset"}
_FIGURES: Final = (
    ("irr", Kind.RATE.value, None),
    ("irr_gain", Show.BASIS.value, "bp"),
    ("present_gain", Kind.MONEY.value, None),
    ("cash_gain", Kind.MONEY.value, None),
    ("paid_on_date", Kind.MONEY.value, None),
    ("costs", Kind.MONEY.value, None),
    ("recovered_on", Kind.DATE.value, None),
    ("break_even_shift", Show.BASIS.value, "bp"),
    ("break_even_senior", Show.BASIS.value, "bp"),
)
_COLUMNS: Final = (
    Column("key", "Alternative", "text", total=Total.NONE),
    Column("on", "On", Kind.DATE.value, total=Total.NONE, tip="Payment date"),
    *(
        Column(name, MEASURES[name].title, kind, unit=unit, total=Total.NONE, tip=MEASURES[name].convention)
        for name, kind, unit in _FIGURES
    ),
    Column("note", "Remark", "text", total=Total.NONE),
)
_WIDEST: Final = 350  # px of the terms
_FIELD: Final = 74  # px of a figure


@dataclass(frozen=True, slots=True)
class _Term:
    """A term of an offer: its words with the unit, the most it may be, step, decimals, and what it is at first."""

    words: str
    high: float
    step: float
    decimals: int
    usual: float


_TERMS: Final[dict[str, tuple[_Term | None, _Term]]] = {
    "fixed": (_Term("Costs (million)", 100.0, 0.25, 2, 1.5), _Term("Costs (million)", 100.0, 0.25, 2, 3.0)),
    "percent": (_Term("and % of new notes", 10.0, 0.05, 2, 0.0),) * 2,
    "non_call": (_Term("Non-call (months)", 240.0, 6.0, 0, 12.0), _Term("Non-call (months)", 240.0, 6.0, 0, 24.0)),
    "reinvestment": (None, _Term("Reinvestment (months)", 240.0, 6.0, 0, 60.0)),
    "longer": (None, _Term("Maturity + (months)", 240.0, 6.0, 0, 24.0)),
}


class RenewalTab(Tab):
    """Terms on the left: a row a class, a column an offer; right what comes of them by date."""

    title = "Refinance"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.taken: dict[str, QCheckBox] = {}
        self.margins: tuple[dict[str, NumberField], dict[str, NumberField]] = ({}, {})
        self.terms: tuple[dict[str, NumberField], dict[str, NumberField]] = ({}, {})
        self._terms = QWidget()
        self._rows = QGridLayout(self._terms)
        self._rows.setContentsMargins(GRID, GRID, GRID, GRID)
        self._rows.setHorizontalSpacing(GRID // 2)
        self.holders = QCheckBox("Holders of the equity pay the costs")
        self.holders.setToolTip("Otherwise they come out of the interest of the date")
        self.call_cost = _field("Costs of a call (million)", 0.0, 100.0, 0.25, 2)
        self.call_cost.setValue(0.75)
        scroll = scrolled(self._terms)
        scroll.setMinimumWidth(_WIDEST)
        self.head = WrappedLabel()
        self.head.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        self.head.setAccessibleName("What pays best")
        self.chart = LineChart("Equity IRR by date of the alternative", "% a year", decimals=2)
        self.chart.setMinimumHeight(SHORTEST)
        self.table = FrameTable(_frame(None), name="Alternatives by date", frozen=1)
        right = QSplitter(Qt.Orientation.Vertical)
        right.addWidget(self.chart)
        right.addWidget(self.table)
        right.setSizes([240, 340])
        holder = QWidget()
        column = QVBoxLayout(holder)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(right, 1)
        split = TurningSplitter(2 * _WIDEST, (_WIDEST, 640), (170, 380))
        split.addWidget(scroll)
        split.addWidget(holder)
        split.setStretchFactor(1, 1)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(split)
        self.holders.toggled.connect(self._told)
        self.call_cost.valueChanged.connect(self._told)
        self.setFocusProxy(self.table)

    def _told(self, *_: object) -> None:
        self.changed.emit()

    # -- terms ----------------------------------------------------------------------------------------------------

    def take_model(self, model: Model) -> None:
        """A row a class that can be refinanced; the margins at first are the discount margins in the deal."""
        while (item := self._rows.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and widget not in (self.holders, self.call_cost):
                widget.deleteLater()
        self.taken.clear()
        for fields in (*self.margins, *self.terms):
            fields.clear()
        for place, words in enumerate(("Class", "bp now", "Refinance", "Reset")):
            self._rows.addWidget(QLabel(words), 0, place)
        kinds, row = {c.id: c.kind for c in model.document.classes}, 1
        for t in model.book.deal.tranches:
            name = class_id(t.name)
            if kinds[name] != "debt" or t.current_balance <= 0.0:
                continue
            now = (t.spread or 0.0) * 1e4
            market = now if t.discount_margin is None else t.discount_margin * 1e4
            taken = QCheckBox(name)
            taken.setAccessibleName(f"Refinance class {name}")
            taken.setToolTip("Whether the refinancing replaces the class; a reset replaces all")
            taken.setChecked(market < now)
            taken.toggled.connect(self._told)
            self.taken[name] = taken
            self._rows.addWidget(taken, row, 0)
            self._rows.addWidget(QLabel(f"{now:.0f}"), row, 1)
            for place, (fields, words) in enumerate(zip(self.margins, ("Refinance", "Reset"), strict=True)):
                field = _field(f"{words}: margin of class {name} (bp)", -500.0, 10_000.0, 5.0, 1)
                field.setValue(market)
                field.valueChanged.connect(self._told)
                fields[name] = field
                self._rows.addWidget(field, row, 2 + place)
            row += 1
        for key, both in _TERMS.items():
            self._rows.addWidget(QLabel(both[1].words), row, 0, 1, 2)
            for place, (term, fields) in enumerate(zip(both, self.terms, strict=True)):
                if term is None:
                    continue
                words = f"{('Refinance', 'Reset')[place]}: {term.words}"
                field = _field(words, 0.0, term.high, term.step, term.decimals)
                field.setValue(term.usual)
                field.valueChanged.connect(self._told)
                fields[key] = field
                self._rows.addWidget(field, row, 2 + place)
            row += 1
        self._rows.addWidget(QLabel("Call costs (million)"), row, 0, 1, 2)
        self._rows.addWidget(self.call_cost, row, 2)
        self._rows.addWidget(self.holders, row + 1, 0, 1, 4)
        self._rows.setRowStretch(row + 2, 1)

    def _offer(self, place: int, names: list[str]) -> Offer:
        terms, margins = self.terms[place], self.margins[place]
        made = Offer(
            margins=tuple((name, margins[name].value() / 1e4) for name in names),
            fixed=terms["fixed"].value() * 1e6,
            percent=terms["percent"].value(),
            by_holders=self.holders.isChecked(),
            non_call=round(terms["non_call"].value()),
        )
        if place == 0:
            return made
        return replace(made, reinvestment=round(terms["reinvestment"].value()), longer=round(terms["longer"].value()))

    def study(self) -> Study:
        offers: dict[Action, Offer] = {}
        if chosen := [name for name, box in self.taken.items() if box.isChecked()]:
            offers[Action.REFINANCE] = self._offer(0, chosen)
        if self.margins[1]:
            offers[Action.RESET] = self._offer(1, list(self.margins[1]))
        return Study(_compared, (tuple(offers.items()), Costs(self.call_cost.value() * 1e6)))

    # -- results --------------------------------------------------------------------------------------------------

    def show_result(self, result: Any, currency: str) -> None:
        done: Alternatives = result
        held = "no IRR" if done.hold_irr is None else formats.percent(done.hold_irr)
        parts = [f"Held, the equity earns {held} at {done.price:.2f} ({done.basis})", verdict(done)]
        parts += [best_words(done, action) for action in _NAMES if action is Action.CALL or action in done.offers]
        self.head.setText(formats.in_words(" · ".join(part.rstrip(".") for part in parts)))
        self.table.set_frame(_frame(done, currency))
        self._draw(done)

    def _draw(self, done: Alternatives) -> None:
        days = sorted({o.on for o in done.outcomes})
        lines = []
        for action, words in _NAMES.items():
            found = {o.on: o.irr for o in done.outcomes if o.action is action and o.counted}
            values = np.array(
                [np.nan if (v := found.get(day)) is None else v * 100.0 for day in days], dtype=np.float64
            )
            # a call in the first years costs more than the picture can show beside the rest
            values[values < _lowest(done)] = np.nan
            if np.isfinite(values).any():
                lines.append(Line(words, values))
        if done.hold_irr is not None and lines:
            lines.append(Line("Hold", np.full(len(days), done.hold_irr * 100.0)))
        self.chart.set_data(np.array(days, dtype="datetime64[D]"), lines)


def _compared(
    model: Model, assumptions: Assumptions, report: Progress, offers: tuple[tuple[Action, Offer], ...], call: Costs
) -> Alternatives:
    return alternatives(model, assumptions, dict(offers), call, report=report)


def _field(name: str, low: float, high: float, step: float, decimals: int) -> NumberField:
    """A narrow field: its unit stands in the label."""
    made = NumberField(name, low, high, "", step, decimals)
    made.setSuffix("")
    made.setButtonSymbols(NumberField.ButtonSymbols.NoButtons)
    made.setFixedWidth(_FIELD)
    return made


def _lowest(done: Alternatives) -> float:
    """What is far below holding is left out of the picture: it would flatten the rest."""
    return -np.inf if done.hold_irr is None else (done.hold_irr - 0.1) * 100.0


def _frame(done: Alternatives | None, currency: str = "") -> Frame:
    found = () if done is None else done.outcomes
    best = set() if done is None else {id(done.best(action)) for action in Action}
    data: dict[str, list[Any]] = {
        "key": [f"{_NAMES[o.action]} {o.on:%Y-%m}" for o in found],
        **{name: [getattr(o, name) for o in found] for name in ("on", *(name for name, _, _ in _FIGURES))},
        "note": [_note(o.counted, id(o) in best) for o in found],
    }
    return Frame(_COLUMNS, data, key="key", currency=currency)


def _note(counted: bool, best: bool) -> str:
    if not counted:
        return "Does not repay every note: not counted"
    return "Best date" if best else ""
