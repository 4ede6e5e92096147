"""Break-even default rates of all classes, or of the coverage tests, as a table and as curves of losses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSplitter, QVBoxLayout, QWidget

from clo_desktop.charts.curves import CurveChart
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.outcome import spelled
from clo_desktop.look.tokens import GRID
from clo_desktop.panes.scenarios.tab import NARROWEST, SHORTEST, TIMES, Study, Tab, score
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Mark, Total
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.breakeven import Basis, BreakEvens, Target, break_even, class_ids, cumulative_defaults, curve

_COLUMNS: Final = (
    Column("name", "Class or test", "text", total=Total.NONE),
    Column("cdr", "Break-even CDR", Kind.RATE.value, total=Total.NONE, tip="The highest default rate a year it bears"),
    score("multiple", "Multiple of base", TIMES, "Over the default rate assumed"),
    Column(
        "defaulted",
        "Cumulative default",
        Kind.SHARE.value,
        total=Total.NONE,
        tip="Defaults over the run over the performing par at the start, reinvested assets included",
    ),
    Column("note", "Remark", "text", total=Total.NONE, widest=480),
)
_TARGETS: Final = (
    (Target.FIRST_LOSS, Basis.PRICE, "First dollar unpaid"),
    (Target.YIELD_ZERO, Basis.PRICE, "Yield zero at the price"),
    (Target.YIELD_ZERO, Basis.COST, "Yield zero at cost (equity since closing)"),
    (Target.YIELD_ZERO, Basis.NAV, "Yield zero at fair value (equity at NAV)"),
    (Target.YIELD_ZERO, Basis.PAR, "Yield zero at par"),
    (Target.TEST, Basis.PRICE, "A coverage test trips"),
)
_POINTS: Final = 61


@dataclass(frozen=True, slots=True, eq=False)
class Broken:
    """Break-evens, and losses over default rates: float64[n_rates], float64[n_rates, n_classes] in percent."""

    done: BreakEvens
    defaulted: tuple[float | None, ...]
    ids: tuple[str, ...]
    equity: tuple[bool, ...]
    rates: NDArray[np.float64]
    losses: NDArray[np.float64]


class BreaksTab(Tab):
    """A target, its table, and the curves of all classes with a dashed line at each break-even."""

    title = "Break-even"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.target = Choice("What breaks")
        self.target.setMinimumWidth(NARROWEST)
        for target, basis, words in _TARGETS:
            self.target.addItem(words, f"{target.value} {basis.value}")
        self.table = FrameTable(_frame(None), name="Break-even default rates", frozen=1, filters=False, footer=False)
        self.chart = CurveChart(
            "Left unpaid at the end, by class", "% of its claim", "Default rate (% a year)", decimals=1
        )
        self.chart.setMinimumHeight(SHORTEST)
        label = QLabel("What breaks")
        label.setBuddy(self.target)
        strip = QHBoxLayout()
        strip.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        strip.setSpacing(GRID)
        strip.addWidget(label)
        strip.addWidget(self.target)
        strip.addStretch(1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.chart)
        split.setSizes([260, 340])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(strip)
        column.addWidget(split, 1)
        self.target.currentIndexChanged.connect(lambda _index: self.changed.emit())
        self.setFocusProxy(self.table)

    def study(self) -> Study:
        words = str(self.target.currentData()).split()
        return Study(_broken, (Target(words[0]), Basis(words[1])))

    def show_result(self, result: Any, currency: str) -> None:
        broken: Broken = result
        self.table.set_frame(_frame(broken))
        notes = [k for k, equity in enumerate(broken.equity) if not equity]
        at = {f.name: f.cdr for f in broken.done.found}
        breaks = [at.get(broken.ids[k]) for k in notes]
        self.chart.set_data(
            broken.rates * 100.0,
            [f"Class {broken.ids[k]}" for k in notes],
            broken.losses[:, notes],
            equity=[False] * len(notes),
            breaks=[None if cdr is None else cdr * 100.0 for cdr in breaks],
            top=100.0,  # deferred interest may make it more
        )


def _broken(model: Model, assumptions: Assumptions, report: Progress, target: Target, basis: Basis) -> Broken:
    done = break_even(model, assumptions, target, basis=basis, report=lambda f, what: report(0.6 * f, what))
    report(0.6, "Losses over default rates")
    highest = max((f.cdr for f in done.found if f.cdr is not None), default=0.3)
    rates = np.linspace(0.0, min(max(1.15 * highest, 0.1), 1.0), _POINTS)
    losses = curve(model, assumptions, rates.tolist())
    report(0.8, "Defaults over the run")
    defaulted = cumulative_defaults(model, assumptions, [f.cdr for f in done.found])
    ids = class_ids(model)
    equity = tuple(name == model.document.equity for name in ids)
    return Broken(done, defaulted, tuple(ids), equity, rates, losses * 100.0)


def _frame(broken: Broken | None) -> Frame:
    found = () if broken is None else broken.done.found
    tests = broken is not None and broken.done.target is Target.TEST
    data: dict[str, list[Any]] = {
        "name": [spelled(f.name) if tests else f"Class {f.name}" for f in found],
        "cdr": [f.cdr for f in found],
        "multiple": [f.multiple for f in found],
        "defaulted": [] if broken is None else list(broken.defaulted),
        "note": [_note(broken, k) for k in range(len(found))] if broken is not None else [],
    }
    marks = {"cdr": np.array([Mark.NONE if f.monotone else Mark.ODD for f in found], dtype=np.uint8)}
    return Frame(_COLUMNS, data, key="name", marks=marks)


def _note(broken: Broken, k: int) -> str:
    found = broken.done.found[k]
    said = [f"Against {found.basis}"] if found.basis else []
    if found.at_once:
        said.append("Breaks without any default")
    elif found.cdr is None:
        said.append("Never breaks, not at 100 % a year either")
    elif not found.monotone:
        parts = [f"{'breaks' if c.breaks else 'holds again'} at {formats.percent(c.low)}" for c in found.crossings]
        said.append("Not monotone: " + ", ".join(parts))
    return "; ".join(said)
