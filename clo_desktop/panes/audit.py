"""Audit: who changed what and when, the history of one cell, whether the audit is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QWidget

from clo_desktop.look import formats, theme
from clo_desktop.look.fields import Choice
from clo_desktop.look.flow import Flow
from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import WrappedLabel
from clo_desktop.store.audit.lines import ALL, Line, Wanted
from clo_desktop.store.audit.verify import Verdict
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import auditing, rights
from clo_desktop.work.auditing import Looked
from clo_desktop.work.lanes import Task
from clo_desktop.work.session import Session
from engine.asset import Kind

MOST: Final = 2000
"""Lines that are shown at once, the newest."""

_TICK: Final = 150  # ms between two looks at the progress of a verification

_COLUMNS: Final = (
    Column("when", "When", Kind.TEXT.value, tip="By the clock of the server or of this computer, in your time zone"),
    Column("who", "Who", Kind.TEXT.value, widest=180),
    Column("action", "Action", Kind.TEXT.value),
    Column("kind", "Kind", Kind.TEXT.value),
    Column("what", "What", Kind.TEXT.value, widest=220),
    Column("change", "Change", Kind.TEXT.value, tip="Fields that changed: before → after", widest=420),
    Column("deal", "Deal", Kind.TEXT.value, widest=180),
    Column("place", "From", Kind.TEXT.value, tip="Address or computer it came from", widest=140),
    Column("transaction", "Transaction", Kind.COUNT.value, tip="What was changed together has one number"),
    Column("seq", "No.", Kind.COUNT.value, tip="Number of the line in the audit"),
)
_ACTIONS: Final = {
    "insert": "added",
    "update": "changed",
    "delete": "deleted",
    "baseline": "was there",
    "mended": "protection put back",
}


def kind_words(table: str) -> str:
    """The name of a table as a person says it."""
    return table.replace("_", " ").capitalize()


def lines_frame(lines: Sequence[Line], field: str | None = None) -> Frame:
    """Lines of the audit as a table; of one field only its change is told."""

    def change(line: Line, *, whole: bool = False) -> str:
        told = list(auditing.steps(line, field)) if field is not None else []
        if not told:
            if whole:
                return auditing.sentence(line, whole=True)
            return formats.in_words(auditing.sentence(line, field=auditing.field_words))
        shown_as = auditing.value_text if whole else auditing.value_line
        return formats.in_words(", ".join(f"{shown_as(s.before)} → {shown_as(s.after)}" for s in told))

    data: dict[str, list[Any]] = {
        "seq": [float(x.seq) for x in lines],
        "when": [f"{x.timestamp.astimezone():%Y-%m-%d %H:%M:%S}" for x in lines],
        "who": [x.user for x in lines],
        "action": [_ACTIONS.get(x.action, x.action) for x in lines],
        "deal": [x.deal for x in lines],
        "kind": [kind_words(x.resource_type) for x in lines],
        "what": [x.what.removeprefix(f"{x.deal} / ") for x in lines],
        "change": [change(x) for x in lines],
        "place": [x.ip_address for x in lines],
        "transaction": [float(x.txid) for x in lines],
    }
    return Frame(_COLUMNS, data, key="seq", whole={"change": [change(x, whole=True) for x in lines]})


class AuditPane(QWidget):
    """The lines, filtered by the database; a verification with its progress, and its verdict in words."""

    def __init__(self, session: Session, ask_import: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ask_import = ask_import
        self._wanted = ALL
        self._field: str | None = None
        self._stale = True
        self._asked = 0
        self._checking: Task[Verdict] | None = None
        self._colour = "text"
        self.table = FrameTable(lines_frame(()), name="Audit", frozen=2, footer=False)
        self.person = self._choice("Person", "everyone")
        self.deal = self._choice("Deal", "every deal")
        self.kind = self._choice("Kind", "every kind")
        self.since = self._day("From")
        self.until = self._day("To")
        self.results = QCheckBox("Test results")
        self.results.setToolTip(
            "Also the lines of stored test results: every snapshot writes one a test. Nothing else is hidden."
        )
        self.everything = PermitButton(session.seat, rights.AUDIT, "Show everything")
        self.export = PermitButton(session.seat, rights.AUDIT, "Export…")
        self.export.setToolTip("Write the lines asked for, also test results, and the head of the chain as CSV or JSON")
        self.check = PermitButton(session.seat, rights.AUDIT, "Verify")
        self.check.setToolTip("Look over the whole audit: the chain, its protection, every row beside its lines")
        self.head = WrappedLabel()
        self.head.setAccessibleName("What is shown")
        self.verdict = WrappedLabel()
        self.verdict.setAccessibleName("Whether the audit is whole")
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.verdict.setContentsMargins(8, 4, 8, 4)
        self.verdict.hide()
        self._ticks = QTimer(self)
        self._ticks.setInterval(_TICK)
        self._lay_out()
        self._connect()
        self._say_empty()

    @staticmethod
    def _choice(name: str, all_words: str) -> Choice:
        made = Choice(name)
        made.addItem(all_words, None)
        return made

    @staticmethod
    def _day(name: str) -> QLineEdit:
        made = QLineEdit()
        made.setAccessibleName(f"{name} this day")
        made.setPlaceholderText(f"{name} 2026-11-25")
        made.setToolTip(f"{name} this day, as 2026-11-25; leave it empty for no bound")
        made.setMaximumWidth(130)
        return made

    def _lay_out(self) -> None:
        filters = QWidget()
        row = Flow(filters)
        for widget in (self.person, self.deal, self.kind, self.since, self.until, self.results):
            row.addWidget(widget)
        stacked(
            self,
            strip(filters, self.export, self.check),
            strip(self.head, self.everything),
            self.verdict,
            self.table,
        )
        self.setFocusProxy(self.table)

    def _connect(self) -> None:
        for choice in (self.person, self.deal, self.kind):
            choice.activated.connect(self._ask)
        for day in (self.since, self.until):
            day.editingFinished.connect(self._ask)
        self.results.toggled.connect(lambda _on: self._read())
        self.everything.clicked.connect(self.show_everything)
        self.check.clicked.connect(self._verify_or_cancel)
        self.export.clicked.connect(self._ask_export)
        self._ticks.timeout.connect(self._tick)
        session = self._session
        session.book_changed.connect(lambda _book: self._outdated())
        session.edited.connect(lambda _book: self._outdated())
        session.deals_changed.connect(self._outdated)
        session.history_wanted.connect(self.show_history)
        session.lanes.settled.connect(self._settled)

    # -- reading ------------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._read()

    def _outdated(self) -> None:
        """The data changed: read again at once where the pane is in sight, or when it comes there."""
        self._stale = True
        if self.isVisible():
            self._read()

    def show_history(self, asset: str, field: str) -> None:
        """The history of one figure of an asset in the open deal."""
        self._field = field or None
        self._wanted = Wanted(deal=self._session.deal, asset=asset, field=self._field)
        self._show_filters()
        self._read()

    def show_everything(self) -> None:
        """No filter."""
        self._field = None
        self._wanted = ALL
        self._show_filters()
        self._read()

    def _show_filters(self) -> None:
        for choice, value in ((self.person, self._wanted.user), (self.deal, None), (self.kind, self._wanted.table)):
            choice.setCurrentIndex(max(choice.findData(value), 0))
        for day in (self.since, self.until):
            day.clear()

    def _ask(self) -> None:
        """Read what the fields say; a day that is none is said and left to be mended."""
        days = []
        for field in (self.since, self.until):
            text = field.text().strip()
            try:
                days.append(auditing.day(text) if text else None)
            except ValueError:
                self._session.said.emit(f"{text} is no day; write it as 2026-11-25.")
                return
        since, until = days
        if until is not None and until.time() == dt.time():
            until += dt.timedelta(days=1)  # the last day counts
        wanted = replace(
            self._wanted,
            user=self.person.currentData(),
            table=self.kind.currentData(),
            deal=self.deal.currentData() or (self._wanted.deal if self._wanted.asset else None),
            since=since,
            until=until,
        )
        if wanted != self._wanted:
            self._wanted = wanted
            self._read()

    def _read(self) -> None:
        if self._session.desk is None:
            return
        self._stale = False
        self._asked += 1
        number, wanted, field, results = self._asked, self._wanted, self._field, self.results.isChecked()

        def done(looked: Looked) -> None:
            if number == self._asked:  # else asked again since
                self._show(looked, field)

        self._session.ask(
            "Audit",
            lambda desk, _report: auditing.look(desk.store.audit, wanted, MOST, results=results),
            done,
            quiet=True,
        )

    def _show(self, looked: Looked, field: str | None) -> None:
        for choice, values, words in (
            (self.person, looked.persons, str),
            (self.deal, looked.deals, str),
            (self.kind, looked.tables, kind_words),
        ):
            _offer(choice, values, words)
        self._say_empty(looked)
        self.table.set_frame(lines_frame(looked.lines, field))
        self.head.setText(self._words(looked))
        self.everything.setEnabled(self._wanted != ALL)
        self.export.setEnabled(bool(looked.lines))

    def _words(self, looked: Looked) -> str:
        if looked.refusal:
            return looked.refusal
        shown = formats.counted(looked.total, "line")
        if looked.total > len(looked.lines):
            shown = f"The newest {formats.figure(len(looked.lines), 0)} of {shown}; choose a person, deal, kind or day"
        wanted = self._wanted
        if looked.hidden:
            shown += f"; {formats.counted(looked.hidden, 'line')} of test results not shown"
        if wanted.asset is None:
            return f"{shown}."
        named = auditing.field_words(self._field or "everything")
        where = f" in {wanted.deal}" if wanted.deal else ""
        return f"History of {named} of {wanted.asset}{where}: {shown}."

    def _say_empty(self, looked: Looked | None = None) -> None:
        if looked is None:
            self.table.set_empty("The audit is being read.")
        elif looked.refusal:
            self.table.set_empty(looked.refusal)
        elif self._wanted != ALL:
            self.table.set_empty("No change is like that.", "Show everything", self.show_everything)
        else:
            self.table.set_empty(
                "Nothing was changed yet. Every change will stand here: who, when, before and after.",
                "Import…",
                self._ask_import,
            )

    # -- verifying and exporting --------------------------------------------------------------------------------------

    def _verify_or_cancel(self) -> None:
        if self._checking is not None:
            self._checking.cancel()
            self.check.setEnabled(False)
            return
        self._checking = self._session.ask(
            "Verify the audit", lambda desk, report: desk.store.audit.verify(report), self._show_verdict
        )
        self.check.setText("Cancel")
        self._tick()
        self._ticks.start()

    def _tick(self) -> None:
        task = self._checking
        if task is not None:
            self._say_verdict(f"Verifying: {task.what or 'waiting'} ({formats.percent(task.fraction, 0)})", "muted")

    def _settled(self, task: Task[Any]) -> None:
        if task is not self._checking:
            return
        self._checking = None
        self._ticks.stop()
        self.check.setText("Verify")
        self.check.setEnabled(True)
        if self.verdict.text().startswith("Verifying"):  # cancelled or refused
            self.verdict.hide()

    def _show_verdict(self, verdict: Verdict) -> None:
        self._say_verdict(auditing.verdict_text(verdict, most=8), "text" if verdict.whole else "failure")

    def _say_verdict(self, text: str, colour: str) -> None:
        self.verdict.setText(text)
        self._colour = colour
        self._dress()
        self.verdict.show()

    def _dress(self) -> None:
        self.verdict.setStyleSheet(f"color: {theme.colour(self._colour).name()}")

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dress()  # another theme

    def _ask_export(self) -> None:
        file, _ = QFileDialog.getSaveFileName(self, "Export audit", "audit.csv", "CSV (*.csv);;JSON (*.json)")
        if file:
            self.export_to(Path(file))

    def export_to(self, path: Path) -> None:
        """Writes the lines that the filters ask for, all of them."""
        wanted = self._wanted
        self._session.ask(
            f"Export the audit to {path.name}",
            lambda desk, report: auditing.export(desk.store.audit, path, wanted, report),
            lambda count: self._session.said.emit(
                f"{formats.counted(count, 'line')} of the audit were written to {path}."
            ),
        )


def _offer(choice: Choice, values: Sequence[str], words: Callable[[str], str]) -> None:
    """The values to choose from; what is chosen stays."""
    known = [choice.itemData(i) for i in range(1, choice.count())]
    if known == list(values):
        return
    kept = choice.currentData()
    while choice.count() > 1:
        choice.removeItem(1)
    for value in values:
        choice.addItem(words(value), value)
    choice.setCurrentIndex(max(choice.findData(kept), 0))
