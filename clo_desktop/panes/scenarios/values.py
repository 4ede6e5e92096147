"""What the classes and the equity are worth in the scenario: prices, yields, margins, risk; quotes both ways."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice, NumberField
from clo_desktop.look.flow import Flow
from clo_desktop.look.formats import Show
from clo_desktop.look.layouts import scrolled, stacked
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.scenarios.tab import TIMES, Study, Tab
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind
from engine.assumptions import Assumptions
from engine.model import Model
from engine.valuation.calls import Costs
from engine.valuation.classes import ClassValue
from engine.valuation.conventions import MEASURES
from engine.valuation.note import Quote, Style
from engine.valuation.whole import DealValue, value_deal
from engine.waterfall.document import class_id

_KINDS: Final = {
    "per 100": Kind.PRICE.value,
    "rate": Kind.RATE.value,
    "years": Kind.YEARS.value,
    "years²": Show.SCORE.value,
    "money": Kind.MONEY.value,
    "share": Kind.SHARE.value,
    "date": Kind.DATE.value,
    "count": Kind.COUNT.value,
    "text": Kind.TEXT.value,
}
_SHOWN: Final = (
    *("clean", "accrued", "dirty", "yield_street", "yield_quarterly", "yield_semi", "discount_margin", "z_spread"),
    *("wal", "modified", "spread_duration", "convexity", "dv01", "cs01", "window_first", "window_last"),
    *("first_loss", "write_down", "uncovered", "claim", "factor"),
)
_WORST: Final = ("worst_yield", "worst_yield_on", "worst_margin", "worst_margin_on")
_MOST_ROWS: Final = 12
"""Classes that have room without scrolling the table itself."""
_MONEY: Final = frozenset({"dv01", "cs01", "write_down", "claim"})
_BASIS_POINTS: Final = frozenset({"discount_margin", "z_spread", "worst_margin"})
STYLES: Final = (
    (Style.PRICE, "Price", "per 100", 1.0, (0.01, 1000.0), 3),
    (Style.QUARTERLY, "Yield (quarterly)", "%", 100.0, (-50.0, 1000.0), 3),
    (Style.SEMI, "Yield (semi-annual)", "%", 100.0, (-50.0, 1000.0), 3),
    (Style.STREET, "Yield (street)", "%", 100.0, (-50.0, 1000.0), 3),
    (Style.MARGIN, "Discount margin", "bp", 1e4, (-5000.0, 100_000.0), 1),
    (Style.SPREAD, "Z-spread", "bp", 1e4, (-5000.0, 100_000.0), 1),
)
"""How a class is quoted: words, unit, what one of the engine's units is in it, what may be typed, decimals."""


def _column(name: str) -> Column:
    of = MEASURES[name]
    kind, unit = (Show.BASIS.value, "bp") if name in _BASIS_POINTS else (_KINDS[of.unit], None)
    unit = of.unit if kind == Kind.PRICE.value else unit
    total = Total.SUM if name in _MONEY else Total.NONE
    return Column(name, of.title, kind, unit=unit, total=total, tip=of.convention)


_COLUMNS: Final = (Column("name", "Class", "text", total=Total.NONE), *map(_column, (*_SHOWN, *_WORST)))
_SETS: Final = {
    "Prices": ("name", *_SHOWN[:9], "worst_yield", "worst_margin"),
    "Risk": ("name", "clean", *_SHOWN[8:14]),
    "Losses": ("name", "claim", "factor", *_SHOWN[14:19]),
    "To worst": ("name", "clean", "yield_quarterly", "discount_margin", *_WORST),
    "All": tuple(c.name for c in _COLUMNS),
}


class ValuesTab(Tab):
    """A table of the classes; a class may be quoted by price, yield, margin or spread, and the others follow."""

    title = "Value"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.quotes: dict[str, Quote] = {}
        self._worths: dict[str, ClassValue] = {}
        self.head, self.foot = WrappedLabel(), WrappedLabel()
        self.head.setAccessibleName("What the equity is worth")
        self.foot.setAccessibleName("The assets by price")
        for words in (self.head, self.foot):
            words.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        self.of, self.quoted_as = Choice("Class that is quoted"), Choice("Quoted as")
        for style, title, *_ in STYLES:
            self.quoted_as.addItem(title, style.value)
        self.figure = NumberField("Quote", 0.01, 1000.0, "per 100", 0.125, 3)
        self.drop = QPushButton("Deal's own")
        self.drop.setToolTip("Forget all quotes: prices are those of the deal again")
        self.worst = QCheckBox("To worst; a call costs")
        self.worst.setToolTip("Also every call date: the lowest yield and margin over maturity and the calls")
        self.cost = NumberField("Costs of a call", 0.0, 100.0, "million", 0.25, 2)
        strip = Flow()
        strip.setContentsMargins(GRID, GRID, GRID, 0)
        label = QLabel("Quote")
        label.setBuddy(self.of)
        for widget in (label, self.of, self.quoted_as, self.figure, self.drop):
            strip.addWidget(widget)
        below = QHBoxLayout()
        below.setContentsMargins(GRID, GRID // 2, GRID, 0)
        below.setSpacing(GRID)
        below.addWidget(self.worst)
        below.addWidget(self.cost)
        below.addStretch(1)
        self.table = FrameTable(
            _frame(None, ""), name="What the classes are worth", frozen=1, filters=False, sets=_SETS
        )
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(strip)
        column.addLayout(below)
        column.addWidget(self.head)
        column.addWidget(self.table, 1)
        column.addWidget(self.foot)
        stacked(self, scrolled(inside))
        self.of.currentIndexChanged.connect(lambda _index: self._show_quote())
        self.quoted_as.currentIndexChanged.connect(lambda _index: self._show_quote())
        self.figure.valueChanged.connect(lambda _value: self._quoted())
        self.drop.clicked.connect(self._dropped)
        self.worst.toggled.connect(lambda _on: self.changed.emit())
        self.cost.valueChanged.connect(lambda _value: self.changed.emit())
        self.setFocusProxy(self.table)

    def take_model(self, model: Model) -> None:
        self.quotes.clear()
        self.of.blockSignals(True)
        self.of.clear()
        for t in model.book.deal.tranches:
            self.of.addItem(t.name, class_id(t.name))
        self.of.blockSignals(False)

    def study(self) -> Study:
        costs = Costs(self.cost.value() * 1e6)
        return Study(_valued, (tuple(self.quotes.items()), self.worst.isChecked(), costs))

    def show_result(self, result: Any, currency: str) -> None:
        done: DealValue = result
        self._worths = {c.class_id: c for c in done.valuation.classes}
        self.head.setText(_equity(done, currency))
        self.foot.setText(_assets(done))
        self.foot.setToolTip(
            "Prices of notes are per 100 of current balance with deferred interest; the header of each column says its "
            "convention."
        )
        self.table.set_frame(_frame(done, currency))
        self.table.ask_height(_MOST_ROWS)
        self._show_quote()

    # -- quotes ---------------------------------------------------------------------------------------------------

    def _kind(self) -> tuple[Style, str, str, float, tuple[float, float], int]:
        return STYLES[max(self.quoted_as.currentIndex(), 0)]

    def _show_quote(self) -> None:
        """The field says what the class is at now, in the style that was chosen."""
        style, _, unit, scale, (low, high), places = self._kind()
        self.figure.blockSignals(True)
        self.figure.setSuffix(f" {unit}")
        self.figure.setDecimals(places)
        self.figure.setRange(low, high)
        worth = self._worths.get(str(self.of.currentData()))
        now = None if worth is None else getattr(worth, "clean" if style is Style.PRICE else style.value)
        self.figure.setEnabled(worth is not None and worth.claim > 0.0)
        if now is not None:
            self.figure.setValue(now * scale)
        self.figure.blockSignals(False)

    def _quoted(self) -> None:
        style, _, _, scale, _, _ = self._kind()
        self.quotes[str(self.of.currentData())] = Quote(style, self.figure.value() / scale)
        self.changed.emit()

    def _dropped(self) -> None:
        self.quotes.clear()
        self.changed.emit()


def _valued(
    model: Model,
    assumptions: Assumptions,
    report: Progress,
    quotes: tuple[tuple[str, Quote], ...],
    to_worst: bool,
    costs: Costs,
) -> DealValue:
    return value_deal(model, assumptions, dict(quotes), to_worst=to_worst, costs=costs, report=report)


def _frame(done: DealValue | None, currency: str) -> Frame:
    names = [column.name for column in _COLUMNS]
    if done is None:
        return Frame(_COLUMNS, {name: [] for name in names}, key="name")
    classes, known = done.valuation.classes, {f.name for f in fields(ClassValue)}
    data: dict[str, list[Any]] = {n: [getattr(c, n) for c in classes] for n in names if n in known}
    of_calls = () if done.calls is None else done.calls.classes
    for name in _WORST:
        data[name] = [getattr(c, name) for c in of_calls] or [None] * len(classes)
    return Frame(_COLUMNS, data, key="name", currency=currency)


def _equity(done: DealValue, currency: str) -> str:
    e, m = done.equity, done.marks
    parts = [
        f"Equity at {_figure(e.price, 2)}: IRR {_percent(e.irr_at_price)}, at cost {_percent(e.irr_at_cost)}, at book "
        f"{_percent(e.irr_at_book)}, at fair value {_percent(e.irr_at_nav)}, since closing "
        f"{_percent(e.irr_since_closing)}, to date {_percent(e.irr_to_date)}",
        f"multiple {_figure(e.moic_at_price, 2)} {TIMES} (since closing {_figure(e.moic_since_closing, 2)} {TIMES})",
        f"paid back {e.payback_at_price or formats.MISSING}",
        f"the incentive fee costs {_percent(e.incentive_fee_effect)} of IRR",
        f"NAV {_figure(None if m.nav is None else m.nav / 1e6, 1)} {currency} million, {_figure(m.nav_price, 2)} "
        f"per 100, marks of {m.marked_on}",
        "MVOC " + ", ".join(f"{name} {formats.percent(ratio, 1)}" for name, ratio in m.mvoc if name != "X"),
        "cash-on-cash " + ", ".join(f"{year} {formats.percent(share, 1)}" for year, share in e.by_year[:6]),
    ]
    if done.calls is not None and done.calls.best is not None:
        best = done.calls.best
        parts.append(f"earns most redeemed on {best.redeemed}: {_percent(best.equity_irr)}")
    return " · ".join(parts)


def _assets(done: DealValue) -> str:
    held = [f"{b.name}: {formats.percent(b.share, 1)}" for b in done.buckets if b.assets]
    lost = sum(b.discount or 0.0 for b in done.buckets)
    return (
        f"Par by price of the assets: {', '.join(held)}. Discount to par {formats.figure(lost / 1e6, 1)} million. "
        f"Settled on {done.valuation.settlement}."
    )


def _figure(value: float | None, places: int) -> str:
    return formats.MISSING if value is None else formats.figure(value, places)


def _percent(value: float | None) -> str:
    return formats.percent(value)
