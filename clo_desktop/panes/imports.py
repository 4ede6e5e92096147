"""Imports: the report of the last import, cell by cell, to read, to copy and to jump from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QPushButton, QWidget

from clo_desktop.faults import Fault, Severity
from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.words import WrappedLabel
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.desk import Imported
from clo_desktop.work.session import Session
from engine.asset import Kind

_COLUMNS: Final = (
    Column("number", "No.", Kind.COUNT.value),
    Column("place", "Place", Kind.TEXT.value, tip="Sheet and cell of the workbook"),
    Column("severity", "Severity", Kind.TEXT.value),
    Column("column", "Column", Kind.TEXT.value),
    Column("value", "Value", Kind.TEXT.value),
    Column("message", "What is wrong, and what to do", Kind.TEXT.value),
    Column("asset", "Asset", Kind.TEXT.value),
)


def faults_frame(outcome: Imported | None) -> Frame:
    """The faults of an import as a table."""
    faults = outcome.faults if outcome is not None else ()
    data: dict[str, list[Any]] = {
        "number": [float(i) for i in range(1, len(faults) + 1)],
        "place": [f"{f.sheet}!{f.cell}" if f.cell else f.sheet for f in faults],
        "severity": [f.severity.value for f in faults],
        "column": [f.column for f in faults],
        "value": [f.value for f in faults],
        "message": [f.message for f in faults],
        "asset": [f.asset_id for f in faults],
    }
    return Frame(_COLUMNS, data, key="number")  # a cell may have several faults


class ImportsPane(QWidget):
    """The faults of the last import. Enter on a row goes to the asset, or copies the cell's address."""

    def __init__(self, session: Session, ask_import: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._last: Imported | None = None
        self.table = FrameTable(faults_frame(None), name="Import report", frozen=2, footer=False)
        self.table.set_empty("No import yet. Its report, cell by cell, will stand here.", "Import…", ask_import)
        self.head = WrappedLabel()
        self.head.setAccessibleName("Outcome of the import")
        self.open_button = QPushButton("Open workbook")
        self.open_button.clicked.connect(self._open)
        self.open_button.hide()
        stacked(self, strip(self.head, self.open_button), self.table)
        self.setFocusProxy(self.table)
        session.imported.connect(self._show)
        self.table.row_activated.connect(self._go)

    def _show(self, outcome: Imported) -> None:
        self._last = outcome
        self.table.drop_filters()  # they were of the report before
        self.table.sort_by(SortKey("severity"))  # errors stop the import: they come first
        self.table.set_frame(faults_frame(outcome))
        self.table.stretch_column("message")
        if not outcome.faults:
            self.table.set_empty(f"{outcome.file_name} had no faults.")
        counts = f"{outcome.errors} errors, {outcome.warnings} warnings"
        if outcome.imported:
            self.head.setText(
                f"{outcome.file_name} was imported as {outcome.deal}: {outcome.holdings} holdings of "
                f"{outcome.assets} assets; {counts}." + (f" {outcome.snapshot.words}" if outcome.snapshot else "")
            )
        else:
            self.head.setText(
                f"{outcome.file_name} was not imported, nothing was changed: {counts}. Mend the cells with errors "
                "and import again."
            )
        self.open_button.setVisible(outcome.path is not None)

    def clear(self) -> None:
        """Whoever imported has signed out."""
        self._last = None
        self.table.set_frame(faults_frame(None))
        self.head.setText("")
        self.open_button.hide()

    def show_refused(self, path: Path, deal: str, sentence: str) -> None:
        """The report of a file that could not be read at all: one sentence, as its one fault."""
        fault = Fault(Severity.ERROR, path.name, "", "", "", sentence)
        self._show(Imported(deal, False, 0, 0, 0.0, 0.0, (fault,), path.name, path if path.exists() else None))
        self.head.setText(f"{path.name} was not imported, nothing was changed. {sentence}")

    def _go(self, number: float) -> None:
        outcome = self._last
        if outcome is None:
            return
        fault = outcome.faults[int(number) - 1]
        if outcome.imported and fault.asset_id and outcome.deal == self._session.deal:
            self._session.asset_wanted.emit(fault.asset_id)
            return
        if not fault.sheet or fault.sheet == outcome.file_name:
            return  # the file as a whole has no cell to go to
        place = f"'{fault.sheet}'!{fault.cell or 'A1'}"  # as Excel's name box wants it
        QGuiApplication.clipboard().setText(str(place))
        self._session.said.emit(f"{place} was copied; paste it into Excel's name box to go there.")

    def _open(self) -> None:
        if self._last is not None and self._last.path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._last.path)))
