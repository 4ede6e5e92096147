"""Compliance: every test with outcome, result, limit and cushion; a click shows the rows that count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.formats import Show
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.session import Session, outcome_word, relative_cushion
from engine.asset import Kind
from engine.compliance import Compliance, TestResult

_COLUMNS: Final = (
    Column("number", "Number", Kind.COUNT.value, tip="Number in the catalogue"),
    Column("name", "Test", Kind.TEXT.value),
    Column("outcome", "Outcome", Show.OUTCOME.value),
    Column("result", "Result", Show.MIXED.value, kind_from="kind"),
    Column("bound", "Bound", Kind.TEXT.value, tip="max: the result may not be above the limit; min: not below"),
    Column("threshold", "Limit", Show.MIXED.value, kind_from="kind"),
    Column("room", "Cushion", Show.MIXED.value, kind_from="kind", tip="Room to the limit, in the unit of the test"),
    Column("cushion", "Cushion of limit", Show.CUSHION.value, tip="Room to the limit as a share of the limit"),
    Column("comment", "Comment", Kind.TEXT.value),
    Column("numerator", "Numerator", Kind.MONEY.value),
    Column("denominator", "Denominator", Kind.MONEY.value),
    Column("source", "Limit from", Kind.TEXT.value),
    Column("kind", "Kind", Kind.TEXT.value),
)
_SHOWN: Final = tuple(c.name for c in _COLUMNS if c.name not in ("kind", "numerator", "denominator", "source"))
_SETS: Final = {"Tests": _SHOWN, "All": tuple(c.name for c in _COLUMNS)}


def tests_frame(done: Compliance | None) -> Frame:
    """The tests as a table."""
    results = done.results if done is not None else ()
    data: dict[str, list[Any]] = {
        "number": [float(r.number) for r in results],
        "name": [r.name for r in results],
        "outcome": [outcome_word(r) for r in results],
        "result": [r.result for r in results],
        "bound": [r.direction.lower() for r in results],
        "threshold": [r.threshold for r in results],
        "room": [r.cushion for r in results],
        "cushion": [relative_cushion(r) for r in results],
        "comment": [r.comment for r in results],
        "numerator": [r.numerator for r in results],
        "denominator": [r.denominator for r in results],
        "source": [r.limit_source for r in results],
        "kind": [r.kind for r in results],
    }
    return Frame(_COLUMNS, data, key="number")


class CompliancePane(QWidget):
    """The tests, and below them how the chosen one was reckoned."""

    def __init__(self, session: Session, ask_import: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.table = FrameTable(tests_frame(None), name="Compliance tests", frozen=2, footer=False, sets=_SETS)
        self.table.set_empty("No deal is open. Import a workbook, or choose a deal on the left.", "Import…", ask_import)
        self._head = QLabel("")
        self._head.setAccessibleName("State of the tests")
        self._head.setContentsMargins(8, 4, 8, 4)
        self._detail = QLabel("Choose a test to see how it is reckoned.")
        self._detail.setWordWrap(True)
        self._detail.setTextFormat(Qt.TextFormat.PlainText)
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._detail.setAccessibleName("How the test is reckoned")
        self._rows = QPushButton("Show the rows that count")
        self._rows.setEnabled(False)
        self._rows.clicked.connect(self._show_rows)
        drawer = QWidget()
        beside = QHBoxLayout(drawer)
        beside.setContentsMargins(8, 8, 8, 8)
        beside.addWidget(self._detail, 1)
        beside.addWidget(self._rows, 0, Qt.AlignmentFlag.AlignTop)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(drawer)
        split.setStretchFactor(0, 1)
        split.setSizes([1000, 132])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addWidget(split, 1)
        self.setFocusProxy(self.table)
        session.compliance_changed.connect(self._show)
        self.table.current_changed.connect(self._tell)
        self.table.row_activated.connect(lambda _key: self._show_rows())

    def _show(self, done: Compliance | None) -> None:
        self.table.set_frame(tests_frame(done))
        if done is None:
            self._head.setText("")
            return
        failing = [r for r in done.results if r.outcome.value == "fail"]
        verdict = {0: "all pass", 1: "1 fails"}.get(len(failing), f"{len(failing)} fail")
        as_of = f" as of {done.as_of.isoformat()}" if done.as_of else ""
        self._head.setText(
            f"{done.deal}{as_of}: {len(done.results)} tests, {verdict}.  "
            f"Collateral principal amount {formats.text('money', done.collateral_principal_amount)}.  "
            f"Readings: {done.readings.name}." + "".join(f"  {note}" for note in done.notes)
        )
        self._tell(self.table.current_key())

    def _chosen(self) -> TestResult | None:
        key, done = self.table.current_key(), self._session.compliance
        if done is None or not isinstance(key, float):
            return None
        return next((r for r in done.results if r.number == int(key)), None)

    def _tell(self, _key: object) -> None:
        result, done = self._chosen(), self._session.compliance
        self._rows.setEnabled(result is not None)
        if result is None or done is None:
            self._detail.setText("Choose a test to see how it is reckoned.")
            return
        kind = result.kind
        share = kind == "share" and result.denominator
        lines = [
            f"Test {result.number}, {result.name}: {formats.with_unit(kind, result.result)} against "
            f"{'at most' if result.direction == 'MAX' else 'at least'} "
            f"{formats.with_unit(kind, result.threshold)} ({_SOURCES[result.limit_source]}).",
            f"{formats.text('money', result.numerator)} / {formats.text('money', result.denominator)}"
            f" over {int(result.members.sum())} positions"
            + (f"; room of {formats.text('money', result.cushion * result.denominator)} par" if share else "")
            + ".",
        ]
        if result.wording:
            lines.append(f"Counts: {result.wording}")
        wording = done.readings.wording
        if result.number in (32, 39, 46):
            lines.append(f"Reading: {wording['floating_spread']}.")
        elif result.number == 38:
            lines.append(f"Reading: {wording['defaulted_value']}.")
        else:
            lines.append(f"Reading: {wording['defaulted']}.")
        if result.comment:
            lines.append(f"Comment: {result.comment}.")
        self._detail.setText("\n".join(lines))

    def _show_rows(self) -> None:
        result = self._chosen()
        if result is not None:
            self._session.members_wanted.emit(result)


_SOURCES: Final = {
    "deal": "the deal's table",
    "override": "override in the deal's table",
    "computed": "computed from the deal's inputs and the recovery rate",
    "catalogue": "the catalogue's usual limit",
}
