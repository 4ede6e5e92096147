"""A test of one's own: what counts, how much of it may be held, and what that catches in the deal as it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.look import formats
from clo_desktop.look.fields import Choice, NumberField
from clo_desktop.look.icons import GLYPHS, outcome_of
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.tables.filter_edit import FilterEdit
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.completing import Completer
from clo_desktop.work.judging import OwnTest
from clo_desktop.work.own_tests import KEYS, MEASURE_NAMES, WEIGHTS, Draft, Tried, draft_of, tried
from clo_desktop.work.standing import outcome_word
from clo_desktop.work.unsaved import Change
from engine.asset import Kind
from engine.compliance import TestResult
from engine.pool import Pool
from engine.terms import Book
from resources import library

Write = Callable[[int | None, str, str, float, str], object]
"""Stores a test: number (None: a new one), name, MIN or MAX, limit, text."""

_PAUSE: Final = 80  # ms after the last key before the pool is looked through
_AGGREGATES: Final = {
    "share": "Share of the pool",
    "largest": "Largest name",
    "top": "Largest names together",
    "average": "Average, weighted by par",
}
_BOUNDS: Final = {"MAX": "at most", "MIN": "at least"}
_UNITS: Final = {"share": ("%", 100.0, 2), "ratio": ("%", 100.0, 2), "years": ("years", 1.0, 2)}
_COLUMNS: Final = (
    Column("asset_id", "Asset", Kind.ID.value),
    Column("issuer_name", "Issuer", Kind.TEXT.value),
    Column("par", "Par", Kind.MONEY.value, tip="What the position adds"),
)


def caught_frame(result: TestResult | None, pool: Pool | None, currency: str = "") -> Frame:
    """The positions a test catches, those that add most first."""
    rows: list[int] = []
    if result is not None and pool is not None:
        rows = sorted(np.flatnonzero(result.members).tolist(), key=lambda i: -pool.par[i])
    assets = [pool.assets[i] for i in rows] if pool is not None else []
    data: dict[str, list[Any]] = {
        "asset_id": [a.asset_id for a in assets],
        "issuer_name": [a.issuer_name for a in assets],
        "par": [float(pool.par[i]) for i in rows] if pool is not None else [],
    }
    return Frame(_COLUMNS, data, key="asset_id", currency=currency)


class OwnTestDialog(QDialog):
    """Writes a new test or one of the deal's own; what it catches follows every key. Ctrl+Return or Enter stores it."""

    def __init__(
        self,
        book: Book,
        tests: Sequence[OwnTest],
        write: Write,
        remove: Callable[[int, str], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._book = book
        self._pool = Pool(book.positions())
        self._tests = {t.number: t for t in tests}
        self._write = write
        self._remove = remove
        self._kind = "share"
        self._begun = Draft()  # as the fields were filled
        self._named = False  # by the user: then the name does not follow the filter
        self.tried: Tried | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Tests of your own – {book.deal.name}")
        self.which = Choice("Test")
        self.which.addItem("New test", None)
        for test in tests:
            self.which.addItem(f"{test.number}  {test.name}", test.number)
        self.aggregate = Choice("What is measured")
        for word, shown in _AGGREGATES.items():
            self.aggregate.addItem(shown, word)
        self.rank = QSpinBox()
        self.rank.setRange(1, 500)
        self.rank.setAccessibleName("How many names")
        self.by = Choice("By what")
        self.where = FilterEdit("Positions that count")
        self.where.setPlaceholderText("country = Germany and not defaulted   (empty: every position)")
        self.where.set_source(Completer(self._pool, library.catalogue().sets))
        self.bound = Choice("Direction of the limit")
        for word, shown in _BOUNDS.items():
            self.bound.addItem(shown, word)
        self.limit = NumberField("Limit", 0.0, 1e6, "%", 0.5, 2)
        self.name = QLineEdit()
        self.name.setAccessibleName("Name of the test")
        self.name.setMaxLength(120)
        self.hint = WrappedLabel()
        self.fault = AttentionLabel()
        self.outcome = WrappedLabel()
        self.outcome.setAccessibleName("What the test would say")
        self.caught = FrameTable(caught_frame(None, None), name="Positions caught", filters=False, footer=False)
        self.caught.set_empty("No position is caught.")
        self.caught.stretch_column("issuer_name")
        self.buttons = QDialogButtonBox()
        self.store = self.buttons.addButton("Store", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton(QDialogButtonBox.StandardButton.Cancel)
        self.removing = self.buttons.addButton("Remove", QDialogButtonBox.ButtonRole.DestructiveRole)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE)
        self._timer.timeout.connect(self.try_now)
        self._lay_out()
        self._connect()
        self.resize(640, 520)
        self.show_test(None)

    def _lay_out(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        rows: tuple[tuple[str, tuple[QWidget, ...]], ...] = (
            ("&Test", (self.which,)),
            ("&Measured", (self.aggregate, self.rank, self.by)),
            ("&Positions where", (self.where,)),
            ("", (self.hint,)),
            ("&Limit", (self.bound, self.limit)),
            ("&Name", (self.name,)),
        )
        for i, (text, widgets) in enumerate(rows):
            if text:
                label = QLabel(text)
                label.setBuddy(widgets[0])
                grid.addWidget(label, i, 0)
            beside = QHBoxLayout()
            beside.setSpacing(8)
            wide = widgets[0] in (self.where, self.hint, self.name)
            for widget in widgets:
                beside.addWidget(widget, int(wide))
            if not wide:
                beside.addStretch()
            grid.addLayout(beside, i, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addLayout(grid)
        layout.addWidget(self.fault)
        layout.addWidget(self.outcome)
        layout.addWidget(self.caught, 1)
        layout.addWidget(self.buttons)
        self.which.setEnabled(bool(self._tests))

    def _connect(self) -> None:
        self.which.activated.connect(lambda _i: self.show_test(self.which.currentData()))
        self.aggregate.currentIndexChanged.connect(lambda _i: self._offer())
        self.where.hinted.connect(self.hint.setText)
        for signal in (self.by.currentIndexChanged, self.rank.valueChanged, self.bound.currentIndexChanged):
            signal.connect(self._later)
        self.where.textChanged.connect(self._later)
        self.limit.valueChanged.connect(self._later)
        self.limit.setKeyboardTracking(True)
        self.name.textEdited.connect(self._name_typed)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.removing.clicked.connect(self._take_out)

    def _name_typed(self, text: str) -> None:
        self._named = bool(text.strip())
        self._later()

    # -- what is written ----------------------------------------------------------------------------------------------

    def show_test(self, number: int | None) -> None:
        """Begins a new test, or shows one of the deal's own to change it."""
        test = self._tests.get(number) if number is not None else None
        draft, fault = Draft(), ""
        if test is not None:
            try:
                draft = draft_of(test.name, test.direction, test.limit or 0.0, test.text)
            except ValueError as error:
                draft, fault = Draft(where=test.text, limit=test.limit or 0.0, name=test.name), str(error)
        self.which.setCurrentIndex(max(self.which.findData(number), 0))
        self.removing.setVisible(test is not None)
        self._named = test is not None
        self._fill(draft)
        self.fault.setText(fault)
        self._begun = self.draft()
        self.where.setFocus(Qt.FocusReason.OtherFocusReason)

    def unsaved(self) -> Change | None:
        """What is written and not stored yet."""
        draft = replace(self.draft(), limit=self.limit.typed / _UNITS.get(self._kind, ("", 1.0, 0))[1])
        if draft == self._begun:
            return None
        data = {"number": self.which.currentData(), "draft": asdict(draft), "named": self._named}
        return Change(f"Test of your own: {draft.name or draft.text}", data)

    def restore(self, kept: dict[str, Any]) -> None:
        """Fills in what `unsaved` gave. Raises TypeError for what is none of it."""
        draft = Draft(**kept["draft"])
        self._named = bool(kept["named"])
        self._fill(draft)

    def _fill(self, draft: Draft) -> None:
        self.aggregate.setCurrentIndex(self.aggregate.findData(draft.aggregate))
        self._offer()
        self.by.setCurrentIndex(max(self.by.findData(draft.by), 0))
        self.rank.setValue(draft.rank)
        self.where.setText(draft.where)
        self.bound.setCurrentIndex(self.bound.findData(draft.direction.strip().upper()))
        self._set_unit(draft)
        self.limit.setValue(draft.limit * _UNITS.get(self._kind, ("", 1.0, 0))[1])
        self.name.setText(draft.name)
        self.try_now()

    def _offer(self) -> None:
        """What the aggregate may go by."""
        aggregate = self.aggregate.currentData()
        named = aggregate in ("largest", "top")
        self.rank.setVisible(named)
        self.rank.setPrefix("number " if aggregate == "largest" else "")
        self.rank.setSuffix(" names" if aggregate == "top" else "")
        kept = self.by.currentData()
        self.by.blockSignals(True)
        self.by.clear()
        if aggregate == "share":
            self.by.addItem("by par", "")
            for column in WEIGHTS:
                self.by.addItem(f"by {column.title}", column.name)
        elif named:
            for column in sorted(KEYS, key=lambda c: c.name != "issuer_id"):
                self.by.addItem(f"by {column.title}", column.name)
        else:
            for name in MEASURE_NAMES:
                self.by.addItem(f"of {name.replace('_', ' ')}", name)
        self.by.setCurrentIndex(max(self.by.findData(kept), 0))
        self.by.blockSignals(False)
        self._later()

    def draft(self) -> Draft:
        """What the fields say."""
        made = Draft(
            aggregate=self.aggregate.currentData(),
            by=self.by.currentData() or "",
            rank=self.rank.value(),
            where=self.where.text(),
            direction=self.bound.currentData(),
            limit=self.limit.value() / _UNITS.get(self._kind, ("", 1.0, 0))[1],
        )
        return replace(made, name=self.name.text().strip() if self._named else made.suggested)

    def _set_unit(self, draft: Draft) -> None:
        """The limit in the unit of what is measured."""
        try:
            kind = draft.kind
        except ValueError:
            return  # it cannot be read yet: the unit stays
        if kind == self._kind:
            return
        self._kind = kind
        unit, _, decimals = _UNITS.get(kind, ("", 1.0, 2))
        self.limit.setDecimals(decimals)
        self.limit.setSuffix(f" {unit}" if unit else "")

    # -- what it catches ----------------------------------------------------------------------------------------------

    def _later(self, *_: object) -> None:
        self._timer.start()

    def try_now(self) -> None:
        """Evaluates what is written in the deal as it stands."""
        self._timer.stop()
        self._set_unit(self.draft())
        draft = self.draft()
        if not self._named:
            self.name.setText(draft.suggested)
            self.name.setCursorPosition(0)
        self.tried = found = tried(self._book, draft)
        self.store.setEnabled(found.result is not None)
        self.caught.set_frame(caught_frame(found.result, self._pool, self._book.deal.currency))
        if found.result is None:
            self.outcome.setText("")
            self.caught.set_empty("What it catches is shown once the filter can be read.")
        else:
            self.outcome.setText(told(found.result, self._pool))
            self.caught.set_empty("No position is caught.")
        self.fault.setText(found.says)
        for label in (self.fault, self.outcome, self.hint):
            label.setVisible(bool(label.text()))

    def accept(self) -> None:
        """Stores the test; what cannot be read stays in the fields with its reason."""
        self.try_now()
        if self.tried is None or self.tried.result is None:
            self.where.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        draft = self.draft()
        self._write(self.which.currentData(), draft.name, draft.direction, draft.limit, draft.text)
        super().accept()

    def _take_out(self) -> None:
        test = self._tests[self.which.currentData()]
        self._remove(test.number, test.name)
        super().accept()


def told(result: TestResult, pool: Pool) -> str:
    """What the test catches and how it stands, in two sentences."""
    par = float(pool.par[result.members].sum())
    share = formats.with_unit("share", par / float(pool.par.sum()) if pool.par.sum() else None)
    caught = formats.counted(int(result.members.sum()), "position")
    catches = f"Catches {caught} of {len(pool)}: {formats.text('money', par)} of par, {share} of what is held."
    word = outcome_word(result)
    if result.empty:
        return f"{catches}\n{word.capitalize()}: there is nothing to hold against the limit."
    bound = _BOUNDS[result.direction]
    room = "" if result.cushion_par is None else f", {formats.text('money', result.cushion_par)} of par"
    named = f" ({result.comment})" if result.comment and result.aggregate in ("largest", "top") else ""
    figures = f"{formats.with_unit(result.kind, result.result)}{named} against {bound}"
    return (
        f"{catches}\n"
        f"{GLYPHS[outcome_of(word)]} {word.capitalize()}: {figures} "
        f"{formats.with_unit(result.kind, result.threshold)}, cushion "
        f"{formats.with_unit(result.kind, result.cushion)}{room}."
    )
