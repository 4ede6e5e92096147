"""Coverage tests and the equity's cash with and without the trades, projected on demand."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.look import formats
from clo_desktop.look.formats import Show
from clo_desktop.look.outcome import beside_words, spelled
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.panes.trades.errand_bar import ErrandBar
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.desk import Desk
from clo_desktop.work.pad import Pad
from clo_desktop.work.session import Session
from clo_desktop.work.trading import projected_with
from engine.asset import Kind
from engine.assumptions import Assumptions
from engine.outputs.beside import beside
from engine.trades import ProjectedChange, Trade, Trader

_COVERAGE: Final = (
    Column("name", "Test", Kind.TEXT.value),
    Column("outcome_after", "After, first date", Show.OUTCOME.value),
    Column("outcome_before", "Before, first date", Show.OUTCOME.value),
    Column("trigger", "Trigger", Show.RATIO.value),
    Column("before", "Before", Show.RATIO.value, tip="On the first payment date"),
    Column("after", "After", Show.RATIO.value, tip="On the first payment date"),
    Column("change", "Change", Show.SMALL_BASIS.value),
    Column("lowest_before", "Lowest cushion before", Show.RATIO.value, tip="Over all dates on which it is active"),
    Column("lowest_after", "Lowest cushion after", Show.RATIO.value, tip="Over all dates on which it is active"),
)
_PAID: Final = (
    Column("date", "Payment date", Kind.DATE.value),
    Column("before", "Equity before", Kind.MONEY.value),
    Column("after", "Equity after", Kind.MONEY.value),
    Column("change", "Change", Kind.MONEY.value),
)
_NONE: Final = "Coverage tests and the equity's cash with and without the trades, each date."


def coverage_frame(found: ProjectedChange | None) -> Frame:
    """The tests of the priority of payments."""
    rows = found.coverage if found is not None else ()
    data: dict[str, list[Any]] = {
        "name": [spelled(r.name) for r in rows],
        "outcome_after": [_outcome(r.after, r.trigger) for r in rows],
        "outcome_before": [_outcome(r.before, r.trigger) for r in rows],
        "trigger": [r.trigger for r in rows],
        "before": [_finite(r.before) for r in rows],
        "after": [_finite(r.after) for r in rows],
        "change": [_finite(r.after - r.before) for r in rows],
        "lowest_before": [_finite(r.lowest_before) for r in rows],
        "lowest_after": [_finite(r.lowest_after) for r in rows],
    }
    return Frame(_COVERAGE, data, key="name")


def _outcome(ratio: float, trigger: float) -> str:
    return "pass" if ratio >= trigger else "fail"


def _finite(value: float | None) -> float | None:
    """A ratio of nothing owed is no figure."""
    return value if value is not None and np.isfinite(value) and abs(value) < 1e6 else None


def paid_frame(found: ProjectedChange | None, currency: str = "") -> Frame:
    """The equity's cash by payment date."""
    dates = found.dates if found is not None else ()
    before = found.equity_before if found is not None else ()
    after = found.equity_after if found is not None else ()
    data: dict[str, Any] = {
        "date": list(dates),
        "before": list(before),
        "after": list(after),
        "change": [b - a for a, b in zip(before, after, strict=True)],
    }
    return Frame(_PAID, data, key="date", currency=currency)


class ProjectionTab(QWidget):
    """Two projections under the assumptions of the last run."""

    def __init__(self, pad: Pad, session: Session) -> None:
        super().__init__()
        self._pad, self._session = pad, session
        self._of: tuple[Trade, ...] | None = None
        self._currency = ""
        self.bar = ErrandBar(pad, "Project before and after", [], self.run, rights.RUN)
        self.stale = AttentionLabel("▲ The trades changed since this projection: project again to update.")
        self.stale.setContentsMargins(8, 0, 8, 4)
        self.stale.setAccessibleName("Whether the projection is of these trades")
        self.stale.hide()
        self.beside = WrappedLabel()
        self.beside.setContentsMargins(8, 0, 8, 4)
        self.beside.setAccessibleName("Why coverage tests and compliance tests differ")
        self.beside.hide()
        self.coverage = FrameTable(
            coverage_frame(None), name="Coverage tests before and after", frozen=1, filters=False, footer=False
        )
        self.coverage.set_empty(_NONE, "Project", self.run)
        self.paid = FrameTable(paid_frame(None), name="Equity's cash before and after", frozen=1, filters=False)
        self.paid.set_empty("The equity's projected cash stands here after a projection.")
        self.chart = LineChart("Cash to the equity", "million")
        low = QSplitter(Qt.Orientation.Horizontal)
        low.addWidget(self.paid)
        low.addWidget(self.chart)
        low.setSizes([460, 600])
        low.setStretchFactor(1, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.coverage)
        split.addWidget(low)
        split.setSizes([320, 380])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.stale)
        column.addWidget(self.beside)
        column.addWidget(split, 1)
        self.setFocusProxy(self.bar.button)

    def set_currency(self, currency: str) -> None:
        self._currency = currency
        self.chart.title.setText(f"Cash to the equity ({currency} million)")

    def run(self) -> None:
        """Projects the deal as it is and after the trades that count."""
        if why := self._session.seat.why_not(rights.RUN):
            self._session.refused.emit(why)
            return
        judged = self._pad.result
        if judged is None or not judged.trades:
            self.bar.say("There are no trades yet; enter some on the left, then project.")
            return
        if not self._pad.settled or judged.rows != self._pad.rows:
            self.bar.say("A trade is being typed; leave its cell first, then project.")
            return
        wanted = judged.trades
        timed = self._session.projection
        asked = timed.projection.assumptions if timed is not None else Assumptions()
        held: list[Desk] = []

        def gather(desk: Desk, trader: Trader, _report: Progress) -> Trader:
            held.append(desk)
            return trader

        def work(trader: Trader, report: Progress) -> ProjectedChange:
            return projected_with(held[0], trader, wanted, asked, report)

        def done(found: ProjectedChange) -> None:
            self._of = wanted
            self._show(found)
            self.stale.hide()

        self.bar.run("Projection before and after", gather, work, done)

    def _tell_beside(self) -> None:
        """The compliance table has coverage tests of its own, with other figures."""
        timed, done = self._session.projection, self._session.compliance
        told = []
        if timed is not None and done is not None:
            for result in done.results:
                found = beside(done, result, timed.projection)
                if found is not None:
                    head = f"Test {result.number}, {result.name}: {formats.with_unit('ratio', result.result)}. "
                    told.append(head + beside_words(result.number, found, self._currency))
        self.beside.setText("\n".join(told))
        self.beside.setVisible(bool(told))

    def _show(self, found: ProjectedChange) -> None:
        self._tell_beside()
        self.coverage.set_frame(coverage_frame(found))
        self.paid.set_frame(paid_frame(found, self._currency))
        self.chart.set_data(
            found.dates,
            [
                Line("Before", np.array(found.equity_before) / 1e6),
                Line("After", np.array(found.equity_after) / 1e6),
            ],
        )
        irrs = [formats.with_unit("rate", irr) for irr in (found.irr_before, found.irr_after)]
        more = "more" if found.equity_change >= 0.0 else "less"
        self.bar.say(
            f"The equity is paid {formats.with_unit('money', abs(found.equity_change), self._currency)} {more} over "
            f"the whole run; its IRR since purchase goes from {irrs[0]} to {irrs[1]}. Both runs are under the "
            "assumptions of the last one."
        )

    def trades_changed(self, wanted: tuple[Trade, ...]) -> None:
        """Says so when what is shown is of other trades."""
        self.stale.setVisible(self._of is not None and self._of != wanted)

    def clear(self) -> None:
        """Another deal: what is shown is not of it."""
        self.bar.drop()
        self._of = None
        self.stale.hide()
        self.beside.hide()
        self.coverage.set_frame(coverage_frame(None))
        self.paid.set_frame(paid_frame(None))
        self.chart.set_data([], [])
