"""What waits on this computer to be sent to a server, deal by deal, and what was changed there since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialogButtonBox,
    QHeaderView,
    QPlainTextEdit,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.dialogs.clash import named, shown
from clo_desktop.look import formats
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import as_text
from clo_desktop.store.delta import Delta
from clo_desktop.store.merge import Place
from clo_desktop.store.sync.copies import State
from clo_desktop.work.lanes import Task
from clo_desktop.work.offline import Line

_HEADS: Final = ("Deal", "Waits here", "Changed on the server since", "Last synchronised")
_MOST: Final = 200  # changed cells that are named one by one
_NOT_ASKED: Final = "not asked yet"
_WORDS: Final = (
    "Changes that wait are safe on this computer. Synchronise now sends them and fetches what others changed; where "
    "both changed the same cell you are asked."
)
_EMPTY: Final = (
    "Nothing was taken along and nothing waits. With a server open, File > Take deals along copies deals into a file."
)


class SynchroniseDialog(AskingDialog):
    """Shows lines and what can be done with them. `acts` are called with the dialog, but "drop" and "give" with a deal.

    acts  now, look, drop, give
    """

    def __init__(self, acts: dict[str, Callable[[Any], object]], parent: QWidget | None = None) -> None:
        super().__init__("Synchronise", _WORDS, "Synchronise now", parent)
        self._acts = acts
        self._lines: tuple[Line, ...] = ()
        self.table = QTableWidget(0, len(_HEADS))
        self.table.setAccessibleName("Deals and what waits")
        self.table.setHorizontalHeaderLabels(list(_HEADS))
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(3 * GRID)
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setTabKeyNavigation(False)
        self.table.itemSelectionChanged.connect(self._tell)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setAccessibleName("What was changed")
        self.details.setTabChangesFocus(True)
        parts = QSplitter(Qt.Orientation.Vertical)
        parts.addWidget(self.table)
        parts.addWidget(self.details)
        parts.setChildrenCollapsible(False)
        parts.setSizes([150, 210])
        self.grid.addWidget(parts, 0, 0, 1, 3)
        self.grid.setRowStretch(0, 1)
        self.state.setWordWrap(True)
        self.cancel.setText("Close")
        action = QDialogButtonBox.ButtonRole.ActionRole
        self.look = self.buttons.addButton("Compare with the server", action)
        self.drop = self.buttons.addButton("Drop changes…", action)
        self.give = self.buttons.addButton("Give to the server", action)
        self.look.clicked.connect(lambda: self._acts["look"](self))
        self.drop.clicked.connect(lambda: self._acts["drop"](self.deal))
        self.give.clicked.connect(lambda: self._acts["give"](self.deal))
        self.show_lines(())
        self.resize(820, 520)

    @property
    def deal(self) -> str:
        """The deal that is selected; empty where none is."""
        line = self._line()
        return line.deal if line is not None else ""

    def show_lines(self, lines: Sequence[Line]) -> None:
        """How the deals stand now; the selection stays where it was."""
        before = self.deal
        self._lines = tuple(lines)
        self.table.blockSignals(True)
        self.table.setRowCount(len(lines))
        for row, line in enumerate(lines):
            for column, text in enumerate(_cells(line)):
                item = QTableWidgetItem(text)
                item.setToolTip(as_text(line.server) if column == 0 else "")
                self.table.setItem(row, column, item)
        self.table.blockSignals(False)
        names = [line.deal for line in lines]
        if names:
            self.table.selectRow(names.index(before) if before in names else 0)
        self._tell()

    def say(self, sentence: str) -> None:
        """It was done, and this came of it; the dialog stays."""
        self.fail("", self.table)
        self.state.setText(sentence)
        self.state.setVisible(bool(sentence))
        self._grow()

    def doing(self, task: Task[Any]) -> None:
        self.cancel.setText("Cancel")
        super().doing(task)

    def ask(self) -> None:
        self._acts["now"](self)

    def _rest(self) -> None:
        super()._rest()
        self.cancel.setText("Close")
        self._tell()

    def _show_busy(self, busy: bool) -> None:
        super()._show_busy(busy)
        if busy:
            for button in (self.look, self.drop, self.give):
                button.setEnabled(False)

    def _line(self) -> Line | None:
        row = self.table.currentRow()
        return self._lines[row] if 0 <= row < len(self._lines) else None

    def _tell(self) -> None:
        line = self._line()
        copies = any(line.server for line in self._lines)
        self.details.setPlainText(_EMPTY if line is None else "\n".join(_told(line)))
        self.button.setEnabled(copies)
        self.look.setEnabled(copies)
        self.drop.setEnabled(line is not None and bool(line.waiting))
        self.give.setEnabled(line is not None and not line.server)
        self.give.setVisible(any(not line.server for line in self._lines))


def _cells(line: Line) -> tuple[str, ...]:
    if not line.server or line.synchronised is None:
        return line.deal, "only in this file", formats.MISSING, formats.MISSING
    refused = sum(op.state is State.REFUSED for op in line.waiting)
    waits = formats.counted(len(line.waiting), "change") if line.waiting else "nothing"
    if refused:
        waits = f"{waits}, {refused} refused"
    theirs = _NOT_ASKED if line.theirs is None else formats.counted(_count(line.theirs), "cell")
    if line.theirs is not None and not line.theirs:
        theirs = "nothing"
    when = line.synchronised.astimezone()
    return line.deal, waits, "gone" if line.gone else theirs, f"{when:%Y-%m-%d %H:%M}"


def _count(delta: Delta) -> int:
    return sum(1 for _ in _changed(delta, ""))


def _told(line: Line) -> Iterator[str]:
    """All of a line, in words."""
    if not line.server:
        yield f"{line.deal} is in this file only. Give to the server stores it there too; it is a copy from then on."
        return
    if line.gone:
        yield line.gone
    for reason in dict.fromkeys(op.reason for op in line.waiting if op.state is State.REFUSED):
        yield f"Not sent: {reason}"
    if any(op.state is State.REFUSED for op in line.waiting):
        yield (
            "What was refused is kept. Ask an administrator for the right and synchronise again, or drop it: the deal "
            "is then as the server had it."
        )
    if not line.waiting:
        yield "Nothing waits here."
    for op in line.waiting:
        yield ""
        yield f"Changed here on {op.made_at.astimezone():%Y-%m-%d %H:%M}, {_STATES[op.state]}:"
        yield from _some(op.delta, line.currency)
    if line.theirs:
        yield ""
        yield "Changed on the server since:"
        yield from _some(line.theirs, line.currency)


_STATES: Final = {
    State.WAITING: "waits to be sent",
    State.SENT: "sent, its answer did not come; the server is asked what became of it",
    State.REFUSED: "refused by the server",
}


def _some(delta: Delta, currency: str) -> Iterator[str]:
    count = 0
    for count, text in enumerate(_changed(delta, currency), 1):
        if count <= _MOST:
            yield f"  {text}"
    if count > _MOST:
        yield f"  … and {count - _MOST} more"


def _changed(delta: Delta, currency: str) -> Iterator[str]:
    """Every changed cell with its value before and after; a row that was put in or taken out as one."""
    for table, changes in delta.items():
        for row in changes.rows:
            if row.was is None or row.now is None:
                place = Place(table, row.key)
                yield f"{place}: {'put in' if row.was is None else 'taken out'}"
                continue
            for column, (was, now) in row.cells().items():
                place = Place(table, row.key, column)
                yield f"{named(place, currency)}: {shown(place, was)} → {shown(place, now)}"
        if not changes.rows:
            yield f"{table.replace('_', ' ')}: another order"
