"""Inbox: what is doubtful in the deal's data, by kind, with decisions that are stored and can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import WrappedLabel, short
from clo_desktop.tables.chips import Chips
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.query import Filter, Mask
from clo_desktop.tables.undo_keys import undo_keys
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.edits import Edits
from clo_desktop.work.session import Session
from engine.asset import COLUMN_BY_NAME, Kind
from engine.compliance.inbox import Choice, Finding
from engine.terms import Book

_KINDS: Final = {
    "price": "Price",
    "estimate": "Credit estimate",
    "derivation": "Derived rating",
    "contradiction": "Contradiction",
    "affiliates": "Affiliates",
}
"""Kinds of findings in the order in which they are listed."""

_COLUMNS: Final = (
    Column("kind", "Kind", Kind.TEXT.value),
    Column("asset", "Asset", Kind.TEXT.value),
    Column("says", "What is odd", Kind.TEXT.value),
    Column("decided", "Decision", Kind.TEXT.value, tip="What was decided, or open"),
    Column("issuer", "Issuer", Kind.TEXT.value, widest=180),
    Column("value", "Value", Kind.TEXT.value, tip="A decision holds while the value is this one", widest=150),
    Column("fields", "Columns", Kind.TEXT.value, tip="Columns of the asset master that are meant"),
    Column("key", "Key", Kind.TEXT.value, tip="Name of the finding for clo inbox --decide"),
)
_SHOWN: Final = ("kind", "asset", "says", "decided", "issuer", "value")
_OPEN: Final = "open"


def kind_of(finding: Finding) -> str:
    """The kind in words."""
    return _KINDS.get(finding.kind, finding.kind.capitalize())


def in_order(findings: tuple[Finding, ...]) -> list[Finding]:
    """Open ones first, by kind, then in the order they were found."""
    kinds = list(_KINDS)
    return sorted(findings, key=lambda f: (bool(f.decided), kinds.index(f.kind) if f.kind in kinds else len(kinds)))


def odd(finding: Finding) -> str:
    """What is odd, without the id of the asset where that stands beside it."""
    text = finding.says
    if len(finding.asset_ids) == 1:
        text = text.removeprefix(f"{finding.asset_ids[0]} ")
    return text[:1].upper() + text[1:]


def inbox_frame(findings: tuple[Finding, ...] | None, book: Book | None) -> Frame:
    """The findings as a table, in the order of `in_order`."""
    rows = in_order(findings or ())
    assets = book.assets if book is not None else {}

    def issuer(f: Finding) -> str | None:
        names = {a.issuer_name for i in f.asset_ids if (a := assets.get(i)) is not None and a.issuer_name}
        return next(iter(sorted(names)), None) if len(names) < 2 else f"{formats.figure(len(names), 0)} issuers"

    def named(f: Finding) -> str:
        return f.asset_ids[0] if len(f.asset_ids) == 1 else formats.counted(len(f.asset_ids), "asset")

    data: dict[str, list[Any]] = {
        "kind": [kind_of(f) for f in rows],
        "asset": [named(f) for f in rows],
        "issuer": [issuer(f) for f in rows],
        "says": [odd(f) for f in rows],
        "value": [f.value for f in rows],
        "decided": [f.decided or _OPEN for f in rows],
        "fields": [", ".join(COLUMN_BY_NAME[name].title for name in f.fields) for f in rows],
        "key": [f.key for f in rows],
    }
    return Frame(_COLUMNS, data, key="key")


def common_choices(findings: list[Finding]) -> tuple[Choice, ...]:
    """The decisions that may be taken about all of these."""
    if not findings:
        return ()
    words = set.intersection(*({c.word for c in f.choices} for f in findings))
    return tuple(c for c in findings[0].choices if c.word in words)


class InboxPane(QWidget):
    """The findings, and below them the chosen ones with a button for each decision."""

    def __init__(
        self, session: Session, edits: Edits, ask_import: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._edits = edits
        self._ask_import = ask_import
        self._findings: dict[object, Finding] = {}
        self._place = -1  # row of a decision under way: the next finding comes there
        self.table = FrameTable(
            inbox_frame(None, None), name="Inbox", frozen=2, footer=False, sets={"Findings": _SHOWN, "All": _ALL}
        )
        self.chips = Chips("Which findings are shown")
        self.chips.offer([("", "Open", 0), *((k, words, 0) for k, words in _KINDS.items()), (_DECIDED, "Decided", 0)])
        self.said = WrappedLabel()
        self.said.setAccessibleName("The chosen finding")
        self.said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.undo = PermitButton(session.seat, rights.WRITE, "Undo")
        self.show_asset = QPushButton("Show asset")
        self.reopen = PermitButton(session.seat, rights.WRITE, "Open again", "Takes the decision back")
        self._choices = QGridLayout()
        self.buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self._connect()
        self._say_empty()
        self._tell()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(8, 4, 8, 4)
        bar.setSpacing(8)
        bar.addWidget(self.chips, 1)
        bar.addWidget(self.undo, 0, Qt.AlignmentFlag.AlignTop)
        self._choices.setHorizontalSpacing(8)
        self._choices.setVerticalSpacing(4)
        self._choices.setColumnStretch(1, 1)
        further = QHBoxLayout()
        further.addWidget(self.show_asset)
        further.addWidget(self.reopen)
        further.addStretch()
        drawer = QWidget()
        column = QVBoxLayout(drawer)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self.said)
        column.addLayout(self._choices)
        column.addLayout(further)
        column.addStretch()
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(drawer)
        split.setStretchFactor(0, 1)
        split.setSizes([1000, 170])
        split.setChildrenCollapsible(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(bar)
        layout.addWidget(split, 1)
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        self.chips.chosen.connect(lambda chip: self.table.set_extra_filter("chip", _shown_by(chip)))
        self.table.filters_changed.connect(self._filtered)
        self.table.grid.moved.connect(self._tell)
        self.table.row_activated.connect(lambda _key: self._go())
        self.undo.clicked.connect(self._edits.undo)
        self.show_asset.clicked.connect(self._go)
        self.reopen.clicked.connect(lambda: self._edits.reopen(self.chosen()))
        self._session.seat.changed.connect(self._tell)
        self._edits.found.connect(self._show)
        self._edits.changed.connect(self._name_undo)
        self._session.book_changed.connect(lambda _book: self._say_empty())
        undo_keys(self, self._edits)
        self._name_undo()

    def _name_undo(self) -> None:
        name = self._edits.undo_name
        self.undo.setEnabled(bool(name))
        self.undo.setToolTip(f"Undo {name} (Ctrl+Z)" if name else "Nothing to undo")

    def _say_empty(self) -> None:
        deal = self._session.deal
        if deal is None:
            self.table.set_empty(
                "No deal is open. Import a workbook, or choose a deal on the left.", "Import…", self._ask_import
            )
        elif self._edits.findings is None:
            self.table.set_empty(f"The data of {short(deal)} are being looked through.")
        else:
            self.table.set_empty(f"Nothing is doubtful in the data of {short(deal)}.")

    def _show(self, findings: tuple[Finding, ...] | None) -> None:
        self._findings = {f.key: f for f in findings or ()}
        counts = Counter(f.kind for f in findings or () if not f.decided)
        known = [*_KINDS, *sorted(set(counts) - set(_KINDS))]
        kinds = [(kind, _KINDS.get(kind, kind.capitalize()), counts[kind]) for kind in known if counts[kind]]
        decided = sum(bool(f.decided) for f in findings or ())
        self._say_empty()
        self.table.set_frame(inbox_frame(findings, self._session.book))
        self.table.stretch_column("says")
        self.chips.offer([("", "Open", sum(counts.values())), *kinds, (_DECIDED, "Decided", decided)])
        self.table.set_extra_filter("chip", _shown_by(self.chips.current))
        if self._place >= 0 and self.table.model.rowCount() and not self.chosen():
            row = min(self._place, self.table.model.rowCount() - 1)
            self.table.select_keys([self.table.model.key_at(row)])
        self._place = -1
        self._tell()

    def _filtered(self, _texts: dict[str, str]) -> None:
        """ "Clear filters" in the table goes back to what is open."""
        if not self.table.is_filtered and self.chips.current:
            self.chips.first()
        elif not self.table.is_filtered and self._findings:
            self.table.set_extra_filter("chip", _shown_by(""))

    def chosen(self) -> list[Finding]:
        """The findings that are selected."""
        return [f for key in self.table.selected_keys() if (f := self._findings.get(key)) is not None]

    def _tell(self) -> None:
        """The chosen findings in words, with a button for each decision about them."""
        found = self.chosen()
        for button in self.buttons.values():
            button.deleteLater()
        while self._choices.count():
            item = self._choices.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = {}
        self.show_asset.setVisible(bool(found))
        self.show_asset.setEnabled(len(found) == 1)
        self.reopen.setVisible(any(f.decided for f in found))
        if not found:
            self.said.setText("Choose a finding to decide about it." if self._findings else "")
            return
        one = found[0]
        if len(found) == 1:
            state = f" Decided: {one.decided}." if one.decided else ""
            self.said.setText(f"{kind_of(one)}: {one.says}{state}")
        else:
            many = formats.counted(len(found), "finding")
            self.said.setText(f"{many} are selected; a decision is about all of them.")
        for row, choice in enumerate(common_choices(found)):
            button = PermitButton(self._session.seat, rights.WRITE, choice.word.capitalize())
            button.setAccessibleDescription(choice.means)
            button.clicked.connect(lambda _on=False, word=choice.word: self.decide(word))
            button.setEnabled(any(f.decided != choice.word for f in found))
            self.buttons[choice.word] = button
            self._choices.addWidget(button, row, 0)
            self._choices.addWidget(QLabel(choice.means if len(found) == 1 else _means_of_all(choice)), row, 1)

    def decide(self, word: str) -> None:
        """Stores a decision about the findings that are selected; the next finding is selected then."""
        found = [f for f in self.chosen() if f.decided != word]
        rows = self.table.grid.selected_rows()
        if found and len(rows):
            self._place = int(rows[0])
            self._edits.decide(found, word)
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _go(self) -> None:
        found = self.chosen()
        if len(found) == 1 and found[0].asset_ids:
            self._session.asset_wanted.emit(found[0].asset_ids[0])


_DECIDED: Final = "decided"
_ALL: Final = tuple(c.name for c in _COLUMNS)


def _means_of_all(choice: Choice) -> str:
    """A choice of one finding names its own; of several the word has to do."""
    return choice.means if choice.word not in ("one",) else "each pair counts as one obligor"


def _shown_by(chip: str) -> Filter:
    """Rows of a chip: what is open, of one kind, or what is decided."""
    title = _KINDS.get(chip, chip.capitalize())

    def passing(frame: Frame) -> Mask:
        decided, kind = frame.index["decided"], frame.index["kind"]
        rows = range(len(frame))
        if chip == _DECIDED:
            return np.array([frame.value(r, decided) != _OPEN for r in rows], dtype=bool)
        return np.array(
            [frame.value(r, decided) == _OPEN and (not chip or frame.value(r, kind) == title) for r in rows], dtype=bool
        )

    return passing
