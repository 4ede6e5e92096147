"""Compliance: every test with outcome, result, limit and cushion; a click shows the rows that count."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.formats import Show
from clo_desktop.look.words import WrappedLabel, as_text, short
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.session import Session, outcome_word, relative_cushion
from engine.asset import Kind
from engine.compliance import Compliance, TestResult
from engine.terms import Book
from resources import library

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


_ORDERS: Final[dict[str, tuple[SortKey, ...]]] = {
    "Failing and near first": (),
    "By cushion": (SortKey("cushion"),),
    "By number": (SortKey("number"),),
}
_FIRST: Final = ("fail", "maintained", "near")


def aggregate(result: TestResult) -> str:
    """What the catalogue's test does with the positions: share, largest, average, diversity or coverage."""
    definition = library.catalogue().definitions.get(result.number)
    return definition.aggregate if definition is not None else ""


def nothing_to_test(result: TestResult) -> bool:
    """Whether an average is of no assets at all: then it has no result to hold against its limit."""
    return aggregate(result) == "average" and not result.members.any()


def verdict(result: TestResult) -> str:
    """The outcome as the table has it."""
    return "not applicable" if nothing_to_test(result) else outcome_word(result)


def in_order(results: Iterable[TestResult]) -> list[TestResult]:
    """What fails and what is near first, tightest on top; the others in the deal's order."""
    found = list(results)
    urgent = [r for r in found if verdict(r) in _FIRST]
    urgent.sort(key=lambda r: (_FIRST.index(verdict(r)), relative_cushion(r)))
    return urgent + [r for r in found if verdict(r) not in _FIRST]


def largest_only(result: TestResult) -> TestResult:
    """Of a largest test only the positions of the name that is largest; any other test as it is."""
    if aggregate(result) != "largest" or not (result.amounts > 0.0).any():
        return result
    return replace(result, name=f"{result.name} ({result.comment})", members=result.members & (result.amounts > 0.0))


def tests_frame(done: Compliance | None) -> Frame:
    """The tests as a table, in the order of `in_order`."""
    results = in_order(done.results) if done is not None else []
    empty = [nothing_to_test(r) for r in results]
    data: dict[str, list[Any]] = {
        "number": [float(r.number) for r in results],
        "name": [r.name for r in results],
        "outcome": [verdict(r) for r in results],
        "result": [None if none else r.result for r, none in zip(results, empty, strict=True)],
        "bound": [r.direction.lower() for r in results],
        "threshold": [r.threshold for r in results],
        "room": [None if none else r.cushion for r, none in zip(results, empty, strict=True)],
        "cushion": [None if none else relative_cushion(r) for r, none in zip(results, empty, strict=True)],
        "comment": [_NO_ASSETS if none else r.comment for r, none in zip(results, empty, strict=True)],
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
        self._ask_import = ask_import
        self.table.set_empty(_NO_DEAL, "Import…", ask_import)
        self._head = WrappedLabel()
        self._head.setAccessibleName("State of the tests")
        self.order = Choice("Order of the tests")
        self.order.addItems(list(_ORDERS))
        self.order.activated.connect(lambda _index: self.table.sort_by(*_ORDERS[self.order.currentText()]))
        self.table.grid.columns.sort_asked.connect(lambda *_: self.order.setCurrentIndex(-1))
        label = QLabel("Order")
        label.setBuddy(self.order)
        top = QHBoxLayout()
        top.setContentsMargins(8, 4, 8, 4)
        top.setSpacing(8)
        top.addWidget(self._head, 1)
        top.addWidget(label)
        top.addWidget(self.order)
        self._detail = WrappedLabel("Choose a test to see how it is reckoned.")
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._detail.setAccessibleName("How the test is reckoned")
        self._rows = QPushButton("Show the rows that count")
        self._rows.setEnabled(False)
        self._rows.clicked.connect(self._show_rows)
        self._population = QPushButton("Show all of the population")
        self._population.setToolTip("Every position the largest name is looked for among")
        self._population.clicked.connect(self._show_population)
        self._population.hide()
        drawer = QWidget()
        beside = QHBoxLayout(drawer)
        beside.setContentsMargins(8, 8, 8, 8)
        beside.addWidget(self._detail, 1)
        buttons = QVBoxLayout()
        buttons.addWidget(self._rows)
        buttons.addWidget(self._population)
        buttons.addStretch()
        beside.addLayout(buttons)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(drawer)
        split.setStretchFactor(0, 1)
        split.setSizes([1000, 132])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(split, 1)
        self.setFocusProxy(self.table)
        session.book_changed.connect(self._opened)
        session.compliance_changed.connect(self._show)
        self.table.current_changed.connect(self._tell)
        self.table.row_activated.connect(lambda _key: self._show_rows())

    def _opened(self, book: Book | None) -> None:
        """What is said while there are no tests."""
        if book is None:
            self.table.set_empty(_NO_DEAL, "Import…", self._ask_import)
        elif not book.deal.limits:
            self.table.set_empty(
                f"{short(book.deal.name)} has no tests: its workbook has no concentration limits. Enter them there and "
                "import it again.",
                "Import…",
                self._ask_import,
            )
        else:
            self.table.set_empty(f"The tests of {short(book.deal.name)} are being evaluated.")

    def _show(self, done: Compliance | None) -> None:
        self.table.set_frame(tests_frame(done))
        if done is None:
            self._head.setText("")
            return
        failing = [r for r in done.results if r.outcome.value == "fail"]
        passed = {0: "all pass", 1: "1 fails"}.get(len(failing), f"{len(failing)} fail")
        as_of = f" as of {done.as_of.isoformat()}" if done.as_of else ""
        self._head.setText(
            f"{short(done.deal)}{as_of}: {len(done.results)} tests, {passed}.  "
            f"Collateral principal amount {formats.text('money', done.collateral_principal_amount)}.  "
            f"Readings: {done.readings.name}." + "".join(f"  {note}" for note in done.notes)
        )
        self._head.setToolTip(as_text(done.deal) if len(done.deal) > len(short(done.deal)) else "")
        self._tell(self.table.current_key())

    def reveal(self, number: int) -> None:
        """Goes to the row of a test."""
        self.table.drop_filters()
        self.table.select_keys([float(number)])

    def _chosen(self) -> TestResult | None:
        key, done = self.table.current_key(), self._session.compliance
        if done is None or not isinstance(key, float):
            return None
        return next((r for r in done.results if r.number == int(key)), None)

    def _tell(self, _key: object) -> None:
        result, done = self._chosen(), self._session.compliance
        self._rows.setEnabled(result is not None)
        self._population.setVisible(result is not None and aggregate(result) == "largest")
        if result is None or done is None:
            self._detail.setText("Choose a test to see how it is reckoned.")
            return
        lines = [
            f"Test {result.number}, {result.name}: {_result(result)} against "
            f"{'at most' if result.direction == 'MAX' else 'at least'} "
            f"{formats.with_unit(result.kind, result.threshold)} ({_SOURCES[result.limit_source]}).",
            _reckoned(result),
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
        if result.comment and not nothing_to_test(result):
            lines.append(f"Comment: {result.comment}.")
        self._detail.setText("\n".join(lines))

    def _show_rows(self) -> None:
        result = self._chosen()
        if result is not None:
            self._session.members_wanted.emit(largest_only(result))

    def _show_population(self) -> None:
        self._session.members_wanted.emit(self._chosen())


def _result(result: TestResult) -> str:
    return formats.MISSING if nothing_to_test(result) else formats.with_unit(result.kind, result.result)


def _reckoned(result: TestResult) -> str:
    """From what the result was made."""
    over = formats.counted(int(result.members.sum()), "position")
    what = aggregate(result)
    if nothing_to_test(result):
        return f"{_NO_ASSETS}: there is nothing to hold against the limit."
    if what == "diversity":
        return f"{formats.figure(result.numerator, 2)} points over {over}."
    parts = f"{formats.text('money', result.numerator)} / {formats.text('money', result.denominator)}"
    if what == "average":
        return f"Weighted by par of {formats.text('money', result.denominator)}, over {over}."
    if what not in ("share", "largest"):
        return f"{parts} over {over}."
    par = formats.text("money", abs(result.cushion) * result.denominator)
    room = f"room of {par} par" if result.cushion >= 0.0 else f"{par} par beyond the limit"
    if what == "largest" and result.comment:
        mine = int((result.members & (result.amounts > 0.0)).sum())
        over = f"{formats.counted(mine, 'position')} of {result.comment}, the name in question among {over}"
    return f"{parts} over {over}" + (f"; {room}." if result.denominator else ".")


_NO_DEAL: Final = "No deal is open. Import a workbook, or choose a deal on the left."
_NO_ASSETS: Final = "No such assets"

_SOURCES: Final = {
    "deal": "the deal's table",
    "override": "override in the deal's table",
    "computed": "computed from the deal's inputs and the recovery rate",
    "catalogue": "the catalogue's usual limit",
}
