"""The trend of the chosen test over the stored snapshots: result and limit by date, and the figures as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QSplitter, QVBoxLayout, QWidget

from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.look import formats
from clo_desktop.look.flow import Flow
from clo_desktop.look.formats import Show
from clo_desktop.look.permits import PermitButton, Permitted
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.store import Snapshot, SnapshotTest
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.history import AHEAD, moment
from clo_desktop.work.seat import Seat
from engine.asset import Kind
from engine.compliance import TestResult

Points = list[tuple[Snapshot, SnapshotTest]]

_SAME: Final = 1e-12  # relative: what a database or another order of summing may move a figure by


def points_of(stored: tuple[Snapshot, ...], number: int) -> Points:
    """The snapshots that have a test, with that test, the oldest first."""
    return [(s, test) for s in stored if (test := s.test(number)) is not None]


def trend_frame(points: Points, kind: str, currency: str) -> Frame:
    """A test by date: result, limit, cushion in the unit of the test, in par and in names; the latest first."""
    newest = points[::-1]
    columns = (
        Column("as_of", "As of", Kind.DATE.value),
        Column("outcome", "Outcome", Show.OUTCOME.value),
        Column("result", "Result", kind, total=Total.NONE),
        Column("change", "Change", kind, total=Total.NONE, tip="Result less the result of the snapshot before"),
        Column("threshold", "Limit", kind, total=Total.NONE),
        Column("cushion", "Cushion", kind, total=Total.NONE, tip="Room to the limit, in the unit of the test"),
        Column("cushion_par", "Cushion, par", Kind.MONEY.value, total=Total.NONE),
        Column("cushion_names", "Cushion, names", Show.SCORE.value, total=Total.NONE),
        Column("comment", "Comment", Kind.TEXT.value),
        Column("taken", "Taken", Kind.TEXT.value, tip="When the snapshot was stored"),
    )
    before: list[float | None] = [*(t.result for _, t in newest[1:]), None]
    changes = [
        None if t.result is None or then is None else t.result - then
        for (_, t), then in zip(newest, before, strict=False)
    ]
    data: dict[str, list[Any]] = {
        "as_of": [s.as_of for s, _ in newest],
        "outcome": [t.outcome for _, t in newest],
        "change": changes,
        "taken": [_taken(s) for s, _ in newest],
        **{
            name: [getattr(t, name) for _, t in newest]
            for name in ("result", "threshold", "cushion", "cushion_par", "cushion_names", "comment")
        },
    }
    return Frame(columns, data, key="as_of", currency=currency)


class TrendTab(QWidget):
    """The trend of one test.

    take  stores the tests as they are now;  drop  deletes the snapshot of a date
    look_ahead  begins and ends looking ahead to coming dates
    """

    def __init__(
        self,
        seat: Seat,
        take: Callable[[], object],
        drop: Callable[[Any], object],
        look_ahead: Callable[[bool], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._take = Permitted(seat, rights.WRITE, take)
        self.head = WrappedLabel()
        self.head.setAccessibleName("The trend in words")
        self.take_button = PermitButton(seat, rights.WRITE, "Take snapshot")
        self.take_button.setToolTip("Store the results of all tests under the deal's date; every import does too")
        self.take_button.clicked.connect(lambda _on=False: take())
        self.drop_button = PermitButton(seat, rights.WRITE, "Delete snapshot…")
        self.drop_button.setToolTip("Delete the snapshot of the chosen row, with all its tests")
        self.drop_button.clicked.connect(lambda _on=False: drop(self.table.current_key()))
        self.ahead_button = QPushButton("Look ahead")
        self.ahead_button.setCheckable(True)
        self.ahead_button.setToolTip(
            "The test at the next collection ends as the loans are due: no trades, prepayments or defaults; what is "
            "repaid stays principal cash"
        )
        self.ahead_button.toggled.connect(look_ahead)
        self.chart = LineChart("Result", bound="limit")
        self.table: FrameTable = FrameTable(
            trend_frame([], Kind.SHARE.value, ""), name="Trend of the test", frozen=1, filters=False, footer=False
        )
        self.table.set_empty("No snapshot has this test.")
        self.table.current_changed.connect(self._settle)
        self._stored: set[Any] = set()
        self._empty = EmptyState("")
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.addWidget(self.chart)
        self._split.addWidget(self.table)
        self._split.setSizes([400, 400])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.head.setContentsMargins(GRID, GRID // 2, GRID, 0)
        buttons = Flow()
        buttons.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        for button in (self.take_button, self.drop_button, self.ahead_button):
            buttons.addWidget(button)
        column.addWidget(self.head)
        column.addLayout(buttons)
        column.addWidget(self._split, 1)
        column.addWidget(self._empty, 1)
        self.setFocusProxy(self.table)
        self.show_test(None, (), "")

    def _settle(self, key: object) -> None:
        """What was looked ahead to cannot be deleted."""
        self.drop_button.setEnabled(key in self._stored)

    def show_test(
        self,
        result: TestResult | None,
        stored: tuple[Snapshot, ...],
        currency: str,
        ahead: tuple[Snapshot, ...] = (),
    ) -> None:
        """The trend of a test as it stands now (None: none is chosen), and of what was looked ahead to."""
        points = points_of(stored, result.number) if result is not None else []
        self._stored = {s.as_of for s in stored}
        for widget in (self._split, self.head, self.take_button, self.drop_button, self.ahead_button):
            widget.setVisible(bool(points))
        self._empty.setVisible(not points)
        if result is None or not points:
            self._empty.say(_empty(result, stored), *(("Take snapshot", self._take) if result is not None else ()))
            return
        coming = [point for point in points_of(ahead, result.number) if point[0].as_of > points[-1][0].as_of]
        self.head.setText(" ".join(filter(None, [_told(result, points), _foretold(result, coming)])))
        kind, every = result.kind, points + coming
        self.table.set_frame(trend_frame(every, kind, currency))
        self._settle(self.table.current_key())
        scale = formats.scale(kind)
        values, limits = (
            np.array([np.nan if v is None else v * scale for v in figures])
            for figures in ([t.result for _, t in every], [t.threshold for _, t in every])
        )
        known = limits if np.isfinite(limits).all() else None
        self.chart.set_title(result.name, formats.unit(kind, currency), formats.decimals(kind))
        place, last = np.arange(len(every)), len(points) - 1
        lines = [Line("Result", np.where(place <= last, values, np.nan), known, marked=True)]
        if coming:
            lines.append(Line("As the loans are due", np.where(place >= last, values, np.nan), marked=True))
        self.chart.set_data(np.array([s.as_of for s, _ in every], dtype="datetime64[D]"), lines)


def _taken(snapshot: Snapshot) -> str:
    if snapshot.origin == AHEAD:
        return "looked ahead, as the loans are due"
    return f"{moment(snapshot.taken_at)}, {_ORIGINS.get(snapshot.origin, snapshot.origin)}"


def _foretold(result: TestResult, coming: Points) -> str:
    """How the test will stand at the last date looked ahead to, and the first at which it fails."""
    if not coming or (then := coming[-1])[1].result is None:
        return ""
    words = f"As the loans are due it stands at {formats.with_unit(result.kind, then[1].result)} on {then[0].as_of}"
    failing = next((s.as_of for s, t in coming if t.outcome == "fail"), None)
    return f"{words}, and fails on {failing}." if failing is not None else f"{words} and fails on no date until then."


def _empty(result: TestResult | None, stored: tuple[Snapshot, ...]) -> str:
    if result is None:
        return "Choose a test to see how it went from date to date."
    if not stored:
        words = "There is no snapshot of this deal yet. Every import stores one under the deal's date"
        return f"{words}; take one now to begin."
    return f"Test {result.number} is in no snapshot yet. Take one now: it holds all tests as they stand."


def _told(result: TestResult, points: Points) -> str:
    """How far the test moved over the snapshots, and whether it stands now as the last of them says."""
    (first, then), (last, now) = points[0], points[-1]
    if len(points) == 1:
        words = f"One snapshot, of {last.as_of.isoformat()}; the trend begins with the next date."
    else:
        words = f"{len(points)} snapshots from {first.as_of.isoformat()} to {last.as_of.isoformat()}"
        if then.cushion is not None and now.cushion is not None:
            cushions = (formats.with_unit(result.kind, c) for c in (then.cushion, now.cushion))
            words += "; cushion from {} to {}".format(*cushions)
        words += "."
    if now.result is not None and abs(now.result - result.result) > _SAME * max(1.0, abs(now.result)):
        stands = formats.with_unit(result.kind, result.result)
        words += f" The deal stands at {stands} now, which is in no snapshot: take one."
    return words


_ORIGINS: Final = {"import": "by an import", "asked": "when asked"}
