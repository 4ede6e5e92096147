"""Audit: who changed what and when, the history of one cell, whether the audit is whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QEvent, Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from clo_desktop.look import formats, theme
from clo_desktop.look.fields import Choice
from clo_desktop.look.flow import Flow
from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.sight import Sighted
from clo_desktop.look.words import WrappedLabel
from clo_desktop.progress import Progress
from clo_desktop.store.audit.lines import ALL, Line, Wanted
from clo_desktop.store.audit.verify import Verdict
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import auditing, rights
from clo_desktop.work.audit_entries import Entry, entries, kind_words, row_name
from clo_desktop.work.auditing import Looked
from clo_desktop.work.desk import Desk
from clo_desktop.work.lanes import Task
from clo_desktop.work.session import Session
from engine.asset import COLUMN_BY_NAME, Kind

MOST: Final = 2000
"""Lines that are shown at once, the newest."""

_SAVE: Final = "save "
"""What the keys of rows begin with that stand for many lines."""

_TICK: Final = 150  # ms between two looks at the progress of a verification

_COLUMNS: Final = (
    Column("when", "When", Kind.TEXT.value, tip="By the clock of the server or of this computer, in your time zone"),
    Column("who", "Who", Kind.TEXT.value, widest=180),
    Column("action", "Action", Kind.TEXT.value),
    Column("kind", "Kind", Kind.TEXT.value),
    Column("what", "What", Kind.TEXT.value, widest=220),
    Column(
        "change",
        "Change",
        Kind.TEXT.value,
        tip="Columns that changed: before → after; the tip of a cell has their names in the database",
        widest=420,
    ),
    Column("deal", "Deal", Kind.TEXT.value, widest=180),
    Column("place", "From", Kind.TEXT.value, tip="Address or computer it came from", widest=140),
    Column("transaction", "Transaction", Kind.COUNT.value, tip="What was changed together has one number"),
    Column("seq", "No.", Kind.COUNT.value, tip="Number of the line in the audit"),
    Column("key", "Key", Kind.TEXT.value),
)
_SHOWN: Final = tuple(column.name for column in _COLUMNS if column.name != "key")
_ACTIONS: Final = {
    "insert": "added",
    "update": "changed",
    "delete": "deleted",
    "baseline": "was there",
    "mended": "protection put back",
}


def lines_frame(lines: Sequence[Line], field: str | None = None, opened: Collection[str] = ()) -> Frame:
    """Lines of the audit as a table, many rows of one save as one; of one field only its change is told, line by line.

    opened  keys of the saves whose lines stand below them
    """
    rows = _Rows()
    for entry in entries(lines) if field is None else map(_alone, lines):
        if entry.is_save:
            rows.add_save(entry, entry.key in opened)
        if not entry.is_save or entry.key in opened:
            for line in entry.lines:
                rows.add_line(line, field, "    " if entry.is_save else "")
    return Frame(_COLUMNS, rows.data, key="key", whole={"change": rows.whole})


def _alone(line: Line) -> Entry:
    return Entry((line,))


class _Rows:
    """The table by column while it is filled."""

    def __init__(self) -> None:
        self.data: dict[str, list[Any]] = {column.name: [] for column in _COLUMNS}
        self.whole: list[str] = []

    def add_line(self, line: Line, field: str | None, indent: str) -> None:
        told = [] if field is None else list(auditing.steps(line, field))
        change, whole = (
            auditing.sentence(line, whole=whole, labelled=not whole)
            if not told
            else ", ".join(f"{shown(s.before)} → {shown(s.after)}" for s in told)
            for whole, shown in ((False, auditing.value_line), (True, auditing.value_text))
        )
        self._add(line, str(line.seq), indent + row_name(line), formats.in_words(change), whole)

    def add_save(self, entry: Entry, is_open: bool) -> None:
        how = "Enter or a double click puts them away" if is_open else "Enter or a double click shows them one by one"
        words = f"{'▾' if is_open else '▸'} {formats.in_words(entry.what)}"
        self._add(entry.lines[0], f"{_SAVE}{entry.key}", words, formats.in_words(entry.names), f"{entry.what}. {how}.")

    def _add(self, line: Line, key: str, what: str, change: str, whole: str) -> None:
        row = {
            "key": key,
            "seq": float(line.seq),
            "when": f"{line.timestamp.astimezone():%Y-%m-%d %H:%M:%S}",
            "who": line.user,
            "action": _ACTIONS.get(line.action, line.action),
            "deal": line.deal,
            "kind": kind_words(line.resource_type),
            "what": what,
            "change": change,
            "place": line.ip_address,
            "transaction": float(line.txid),
        }
        for name, value in row.items():
            self.data[name].append(value)
        self.whole.append(whole)


class AuditPane(Sighted):
    """The lines, filtered by the database; a verification with its progress, and its verdict in words."""

    def __init__(self, session: Session, ask_import: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._ask_import = ask_import
        self._wanted = ALL
        self._field: str | None = None
        self._looked = Looked()
        self._opened: set[str] = set()
        self._stale = True
        self._asked = 0
        self._checking: Task[Verdict] | None = None
        self._colour = "text"
        self.table = FrameTable(lines_frame(()), name="Audit", frozen=2, footer=False, sets={"Audit": _SHOWN})
        self.person = self._choice("Person", "everyone")
        self.deal = self._choice("Deal", "every deal")
        self.kind = self._choice("Kind", "every kind")
        self.since = self._day("From")
        self.until = self._day("To")
        self.everything = PermitButton(session.seat, rights.AUDIT, "Show everything")
        self.export = PermitButton(session.seat, rights.AUDIT, "Export…")
        self.export.setToolTip("Write the lines that are shown, with the head of the chain, as CSV or JSON")
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
        for widget in (self.person, self.deal, self.kind, self.since, self.until):
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
        self.everything.clicked.connect(self.show_everything)
        self.check.clicked.connect(self._verify_or_cancel)
        self.export.clicked.connect(self._ask_export)
        self._ticks.timeout.connect(self._tick)
        self.table.row_activated.connect(self._turn)
        self.came.connect(lambda: QTimer.singleShot(0, self, self._read_in_sight))
        session = self._session
        session.book_changed.connect(lambda _book: self._outdated())
        session.edited.connect(lambda _book: self._outdated())
        session.deals_changed.connect(self._outdated)
        session.history_wanted.connect(self.show_history)
        session.lanes.settled.connect(self._settled)

    # -- reading ------------------------------------------------------------------------------------------------------

    def _outdated(self) -> None:
        """The data changed: read again at once where the pane is in sight, or when it comes there."""
        self._stale = True
        self._read_in_sight()

    def _read_in_sight(self) -> None:
        if self._stale and self.in_sight:
            self._read()

    def _turn(self, key: object) -> None:
        """Opens or closes many rows of one save."""
        if isinstance(key, str) and key.startswith(_SAVE):
            self._opened ^= {key.removeprefix(_SAVE)}
            self.table.set_frame(lines_frame(self._looked.lines, self._field, self._opened))

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
        number, wanted, field, opened = self._asked, self._wanted, self._field, frozenset(self._opened)

        def work(desk: Desk, _report: Progress) -> tuple[Looked, Frame]:
            looked = auditing.look(desk.store.audit, wanted, MOST)
            return looked, lines_frame(looked.lines, field, opened)

        def done(found: tuple[Looked, Frame]) -> None:
            if number == self._asked:  # else asked again since
                self._show(*found)

        self._session.ask("Audit", work, done, quiet=True)

    def _show(self, looked: Looked, frame: Frame) -> None:
        self._looked = looked
        for choice, values, words in (
            (self.person, looked.persons, str),
            (self.deal, looked.deals, str),
            (self.kind, looked.tables, kind_words),
        ):
            _offer(choice, values, words)
        self._say_empty(looked)
        self.table.set_frame(frame)
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
        if wanted.asset is None:
            return f"{shown}."
        column = COLUMN_BY_NAME.get(self._field or "")
        named = column.title if column is not None else (self._field or "everything").replace("_", " ").capitalize()
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
