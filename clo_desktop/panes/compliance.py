"""Compliance: every test with outcome, result, limit and cushion; the chosen one is taken apart below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.formats import Show
from clo_desktop.look.icons import GLYPHS, outcome_of
from clo_desktop.look.words import WrappedLabel, as_text, short
from clo_desktop.tables.chips import Chips
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.movers import movers_frame
from clo_desktop.tables.query import Filter, Mask
from clo_desktop.tables.undo_keys import undo_keys
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.edits import Edits
from clo_desktop.work.session import Session, outcome_word, relative_cushion
from engine.asset import Kind
from engine.compliance import Compliance, TestResult, own
from engine.terms import Book

_COLUMNS: Final = (
    Column("number", "No.", Kind.COUNT.value, tip="Number in the catalogue"),
    Column("name", "Test", Kind.TEXT.value, widest=205),
    Column("outcome", "Outcome", Show.OUTCOME.value),
    Column("result", "Result", Show.MIXED.value, kind_from="kind"),
    Column("bound", "Is", Kind.TEXT.value, tip="≤: the result may not be above the limit; ≥: not below"),
    Column("threshold", "Limit", Show.MIXED.value, kind_from="kind"),
    Column("room", "Cushion", Show.MIXED.value, kind_from="kind", tip="Room to the limit, in the unit of the test"),
    Column(
        "cushion", "Cushion of limit", Show.CUSHION.value, tip="Room to the limit as a share of the limit", widest=126
    ),
    Column("cushion_par", "Cushion, par", Kind.MONEY.value, tip="What may be bought before the limit is met"),
    Column("cushion_names", "Cushion, names", Show.SCORE.value, tip="The same in obligors of average size"),
    Column("comment", "Comment", Kind.TEXT.value),
    Column("reading", "Reading", Kind.TEXT.value, tip="The deal's choices that bear on the figure"),
    Column("numerator", "Numerator", Kind.MONEY.value),
    Column("denominator", "Denominator", Kind.MONEY.value),
    Column("source", "Limit from", Kind.TEXT.value),
    Column("kind", "Kind", Kind.TEXT.value),
)
_SHOWN: Final = (
    *("number", "name", "outcome", "result", "bound", "threshold", "room", "cushion", "cushion_par", "cushion_names"),
    "comment",
)
_SETS: Final = {"Tests": _SHOWN, "All": tuple(c.name for c in _COLUMNS)}


_ORDERS: Final[dict[str, tuple[SortKey, ...]]] = {
    "Failing and near first": (),
    "By cushion": (SortKey("cushion"),),
    "By number": (SortKey("number"),),
}
_FIRST: Final = ("fail", "maintained", "near")
_CHIPS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "all": ("All", ()),
    "failing": ("Failing", ("fail", "maintained")),
    "tight": ("Tight", ("near",)),
}
"""Words of each chip and the outcomes it shows; none: every test."""


def aggregate(result: TestResult) -> str:
    """What the test does with the positions: share, largest, top, average, diversity, coverage, formula…"""
    return result.aggregate


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
        "bound": ["≤" if r.direction == "MAX" else "≥" for r in results],
        "threshold": [r.threshold for r in results],
        "room": [None if none else r.cushion for r, none in zip(results, empty, strict=True)],
        "cushion": [None if none else relative_cushion(r) for r, none in zip(results, empty, strict=True)],
        "comment": [_NO_ASSETS if none else r.comment for r, none in zip(results, empty, strict=True)],
        "cushion_par": [r.cushion_par for r in results],
        "cushion_names": [r.cushion_names for r in results],
        "reading": [r.reading for r in results],
        "numerator": [r.numerator for r in results],
        "denominator": [r.denominator for r in results],
        "source": [r.limit_source for r in results],
        "kind": [r.kind for r in results],
    }
    return Frame(_COLUMNS, data, key="number")


def shown_by(chip: str) -> Filter | None:
    """The rows of the tests' table that a chip shows; None: every row."""
    words = _CHIPS[chip][1]
    if not words:
        return None

    def passing(frame: Frame) -> Mask:
        place = frame.index["outcome"]
        return np.array([frame.value(row, place) in words for row in range(len(frame))], dtype=bool)

    return passing


class CompliancePane(QWidget):
    """The tests, and below them how the chosen one was reckoned.

    ask_test  opens the window in which tests of one's own are written: for a new one (None) or for that number
    """

    def __init__(
        self,
        session: Session,
        edits: Edits,
        ask_import: Callable[[], None],
        ask_test: Callable[[int | None], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._edits = edits
        self._ask_test = ask_test
        self.table = FrameTable(tests_frame(None), name="Compliance tests", frozen=2, footer=False, sets=_SETS)
        self._ask_import = ask_import
        self.table.set_empty(_NO_DEAL, "Import…", ask_import)
        self._head = WrappedLabel()
        self._head.setAccessibleName("State of the tests")
        self.chips = Chips("Which tests are shown")
        self.chips.offer([(name, words, 0) for name, (words, _) in _CHIPS.items()])
        self.order = Choice("Order of the tests")
        self.order.addItems(list(_ORDERS))
        self.order.setToolTip("Order of the tests")
        self.new_test = QPushButton("New test…")
        self.new_test.setToolTip("A test of your own: at most 5 % of what you name")
        self._detail = WrappedLabel(_CHOOSE)
        self._detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._detail.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._detail.setAccessibleName("How the test is reckoned")
        self._rows = QPushButton("Show the rows that count")
        self._rows.setEnabled(False)
        self._population = QPushButton("Show all of the population")
        self._population.setToolTip("Every position the largest name is looked for among")
        self._population.hide()
        self._edit = QPushButton("Edit test…")
        self._edit.hide()
        self._remove = QPushButton("Remove test")
        self._remove.setToolTip("Takes the test out of the deal; Ctrl+Z brings it back")
        self._remove.hide()
        self.movers = FrameTable(
            movers_frame(None, None), name="Positions behind the test", frozen=1, filters=False, footer=False
        )
        self.movers.set_empty("No position counts in the test or moves it.")
        self.movers.hide()
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 0, 8, 4)
        bar.setSpacing(8)
        bar.addWidget(self.chips, 1)
        bar.addWidget(self.order)
        bar.addWidget(self.new_test)
        self._head.setContentsMargins(8, 4, 8, 4)
        told = QScrollArea()
        told.setWidget(self._detail)
        told.setWidgetResizable(True)
        told.setFrameShape(QScrollArea.Shape.NoFrame)
        told.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        buttons = QHBoxLayout()
        for button in (self._rows, self._population, self._edit, self._remove):
            buttons.addWidget(button)
        buttons.addStretch()
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(8, 8, 8, 8)
        column.addWidget(told, 1)
        column.addLayout(buttons)
        drawer = QSplitter(Qt.Orientation.Horizontal)
        drawer.addWidget(left)
        drawer.addWidget(self.movers)
        drawer.setSizes([560, 520])
        drawer.setChildrenCollapsible(False)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(drawer)
        split.setStretchFactor(0, 1)
        split.setSizes([1000, 220])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._head)
        layout.addLayout(bar)
        layout.addWidget(split, 1)
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        session = self._session
        self.chips.chosen.connect(lambda chip: self.table.set_extra_filter("chip", shown_by(chip)))
        self.table.filters_changed.connect(self._filtered)
        self.order.activated.connect(lambda _index: self.table.sort_by(*_ORDERS[self.order.currentText()]))
        self.table.grid.columns.sort_asked.connect(lambda *_: self.order.setCurrentIndex(-1))
        self.new_test.clicked.connect(lambda: self._ask_test(None))
        self._rows.clicked.connect(self._show_rows)
        self._population.clicked.connect(self._show_population)
        self._edit.clicked.connect(self._edit_test)
        self._remove.clicked.connect(self._remove_test)
        session.book_changed.connect(self._opened)
        session.compliance_changed.connect(self._show)
        self.table.current_changed.connect(self._tell)
        self.table.row_activated.connect(lambda _key: self._show_rows())
        self.movers.row_activated.connect(lambda key: session.asset_wanted.emit(str(key)))
        undo_keys(self, self._edits)
        session.seat.changed.connect(self._settle)

    def _filtered(self, _texts: dict[str, str]) -> None:
        """Esc or "Clear filters" in the table shows every test again."""
        if not self.table.is_filtered:
            self.chips.first()

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
        words = [verdict(r) for r in done.results] if done is not None else []
        self.chips.offer(
            [(n, text, sum(w in which or not which for w in words)) for n, (text, which) in _CHIPS.items()]
        )
        self._settle()
        if done is None:
            self._head.setText("")
            self._tell(None)
            return
        failing, kept = (sum(r.outcome.value == word for r in done.results) for word in ("fail", "maintained"))
        passed = {0: "all pass", 1: "1 fails"}.get(failing, f"{failing} fail")
        if kept:
            passed = f"{passed if failing else 'none fails outright'}, {kept} maintained or improved"
        as_of = f" as of {done.as_of.isoformat()}" if done.as_of else ""
        self._head.setText(
            f"{short(done.deal)}{as_of}: {len(done.results)} tests, {passed}.  "
            f"Collateral principal amount {formats.text('money', done.collateral_principal_amount)}.  "
            f"Readings: {done.readings.name}." + "".join(f"  {note}" for note in done.notes)
        )
        self._head.setToolTip(as_text(done.deal) if len(done.deal) > len(short(done.deal)) else "")
        self._tell(self.table.current_key())

    def _settle(self) -> None:
        """Who may not change the deal reads why on the buttons."""
        why = self._session.seat.why_not(rights.WRITE)
        self.new_test.setEnabled(self._session.compliance is not None and not why)
        for button in (self.new_test, self._edit, self._remove):
            button.setToolTip(why)
        for button in (self._edit, self._remove):
            button.setEnabled(not why)

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
        mine = result is not None and result.number >= own.FIRST
        self._edit.setVisible(mine)
        self._remove.setVisible(mine)
        self.movers.setVisible(result is not None)
        self.movers.set_frame(movers_frame(done, None if result is None or nothing_to_test(result) else result))
        if result is None or done is None:
            self._detail.setText(_CHOOSE)
            return
        lines = [
            f"Test {result.number}, {result.name}: {_result(result)} against "
            f"{'at most' if result.direction == 'MAX' else 'at least'} "
            f"{formats.with_unit(result.kind, result.threshold)} ({_SOURCES[result.limit_source]}).",
            _cushion(result),
            _reckoned(result),
        ]
        if result.wording:
            lines.append(f"Counts: {result.wording}")
        if result.reading:
            lines.append(f"Reading: {result.reading}.")
        if result.comment and not nothing_to_test(result):
            lines.append(f"Comment: {result.comment}.")
        self._detail.setText("\n".join(filter(None, lines)))

    def _show_rows(self) -> None:
        result = self._chosen()
        if result is not None:
            self._session.members_wanted.emit(largest_only(result))

    def _show_population(self) -> None:
        self._session.members_wanted.emit(self._chosen())

    def _edit_test(self) -> None:
        result = self._chosen()
        if result is not None:
            self._ask_test(result.number)

    def _remove_test(self) -> None:
        result = self._chosen()
        if result is not None:
            self._edits.remove_test(result.number, result.name)
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)


def _result(result: TestResult) -> str:
    return formats.MISSING if nothing_to_test(result) else formats.with_unit(result.kind, result.result)


def _cushion(result: TestResult) -> str:
    """The outcome with its shape, and the room in the unit of the test, in par and in names."""
    if nothing_to_test(result):
        return ""
    word = verdict(result)
    told = {"maintained": "Fails, maintained or improved"}.get(word, word.capitalize())
    room = [formats.with_unit(result.kind, result.cushion)]
    room += [] if result.cushion_par is None else [f"{formats.text('money', result.cushion_par)} of par"]
    if result.cushion_names is not None:
        room.append(f"{formats.figure(result.cushion_names, 1)} names of average size")
    return f"{GLYPHS[outcome_of(word)]} {told}; cushion {', '.join(room)}."


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
        return f"Weighted by par of {formats.text('money', result.denominator)}, over {over}{_average_room(result)}."
    if what == "formula":
        return "A formula over inputs of the deal and results of other tests."
    if what not in ("share", "largest", "top"):
        return f"{parts} over {over}."
    if what == "largest" and result.comment:
        mine = int((result.members & (result.amounts > 0.0)).sum())
        over = f"{formats.counted(mine, 'position')} of {result.comment}, the name in question among {over}"
    return f"{parts} over {over}."


def _average_room(result: TestResult) -> str:
    """The cushion of an average in par at the most adverse figure held."""
    if result.cushion_par is None:
        return ""
    par = formats.text("money", abs(result.cushion_par))
    if result.cushion >= 0.0:
        return f"; {par} par at the most adverse figure held may be added"
    return f"; {par} par at the most adverse figure held is too much"


_CHOOSE: Final = "Choose a test to see how it is reckoned."
_NO_DEAL: Final = "No deal is open. Import a workbook, or choose a deal on the left."
_NO_ASSETS: Final = "No such assets"

_SOURCES: Final = {
    "deal": "the deal's table",
    "override": "override in the deal's table",
    "schedule": "scheduled in the deal's inputs",
    "computed": "computed from the deal's inputs and other results",
    "catalogue": "the catalogue's usual limit",
}
