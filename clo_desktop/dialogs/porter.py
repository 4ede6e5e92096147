"""What the window asks about files that come in and go out: workbooks, reports, tables, packs, former systems."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QWidget

import resources
from clo_desktop.faults import Refused
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import as_text
from clo_desktop.work import rights
from clo_desktop.work.lanes import State, Task
from clo_desktop.work.pack_file import SUFFIX as PACK
from clo_desktop.work.packs import Check, check_words
from clo_desktop.work.session import Session

DEMO_DEAL: Final = "Harbor 2024-1"
DEMO_FILE: Final = "demo/harbor-2024-1.xlsx"


class Porter(QObject):
    """Carries files in and out of a window's session.

    unreadable  carries path, name of the deal and sentence of an import that could not even be read
    guarded     makes an act whose refusals are said;  for_pack  the scenarios of a pack: name and text of each
    """

    unreadable = Signal(object, str, str)

    def __init__(
        self,
        session: Session,
        guarded: Callable[[Callable[[], object]], Callable[[], None]],
        for_pack: Callable[[], Sequence[tuple[str, str]]],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._window, self._session = parent, session
        self._guarded, self._for_pack = guarded, for_pack
        self._refusal = ""  # the last sentence that was refused
        self._imports: list[tuple[Task[Any], Path, str]] = []  # under way
        session.refused.connect(self._note_refusal)
        session.lanes.settled.connect(self._settled)

    def ask_import(self) -> None:
        """Asks for workbooks and imports them, each under a name that is asked for."""
        self._session.seat.check(rights.IMPORT)
        files, _ = QFileDialog.getOpenFileNames(self._window, "Import workbook", "", "Excel workbooks (*.xlsx)")
        for file in files:
            self.import_named(Path(file))

    def import_named(self, path: Path) -> None:
        """Asks under which name to import a workbook; an existing deal is only replaced when that is confirmed."""
        known = [d.name for d in self._session.deals]
        name, sure = QInputDialog.getText(
            self._window, "Import workbook", as_text(f"Name of the deal in {path.name}:"), text=path.stem
        )
        name = name.strip()
        if not sure or not name:
            return
        if name in known:
            question = (
                f"{name} is there already. Replace it by what {path.name} holds? Its ideas and snapshots stay; a "
                "snapshot of the same date is replaced."
            )
            answer = QMessageBox.question(self._window, "Import workbook", as_text(question))
            if answer != QMessageBox.StandardButton.Yes:
                return
        self._import(path, name)

    def _import(self, path: Path, deal: str) -> None:
        task = self._session.files.import_file(path, deal)
        if task is not None:
            self._refusal = ""
            self._imports.append((task, path, deal))

    def _settled(self, task: Task[object]) -> None:
        """An import ended; a file that could not be read at all has its report as well."""
        for entry in [e for e in self._imports if e[0] is task]:
            self._imports.remove(entry)
            if task.state is State.FAILED and self._refusal:
                self.unreadable.emit(entry[1], entry[2], self._refusal)

    def _note_refusal(self, sentence: str) -> None:
        self._refusal = sentence

    def import_demo(self) -> None:
        """Imports the deal that ships with the application."""
        self._import(resources.path(DEMO_FILE), DEMO_DEAL)

    def ask_export(self) -> None:
        """Asks where to write the open deal in the workbook layout."""
        deal = self.needed_deal()
        if place := self._ask_place("Export workbook", f"{deal}.xlsx"):
            self._session.files.export_file(place)

    def ask_report(self) -> None:
        """Asks where to write the report of the open deal."""
        deal = self.needed_deal()
        if place := self._ask_place("Export report", f"{deal} report.xlsx"):
            self._session.files.report_file(place)

    def ask_tables(self) -> None:
        """Asks for a folder and writes the tables of the run into it, a CSV file each."""
        self.needed_deal()
        if folder := QFileDialog.getExistingDirectory(self._window, "Export tables"):
            self._session.files.tables_files(Path(folder))

    def ask_pack(self) -> None:
        """Asks where to write a scenario pack of the open deal, and writes it."""
        deal = self.needed_deal()
        scenarios = self._for_pack()
        if place := self._ask_place("Export scenario pack", f"{deal}{PACK}", f"Scenario packs (*{PACK})", PACK):
            self._session.files.write_pack(place, scenarios)

    def ask_unpack(self) -> None:
        """Asks for a scenario pack, runs it, and says whether the figures are the same."""
        file, _ = QFileDialog.getOpenFileName(
            self._window, "Open scenario pack", "", f"Scenario packs (*{PACK});;All files (*)"
        )
        if file:
            self._session.files.check_pack(Path(file), self.show_check)

    def show_check(self, done: Check) -> QMessageBox:
        """What came of a scenario pack, with a button that stores its deal and scenarios."""
        icon = QMessageBox.Icon.Information if done.same else QMessageBox.Icon.Warning
        close = QMessageBox.StandardButton.Close
        box = QMessageBox(icon, "Scenario pack", as_text(check_words(done)), close, self._window)
        store = PermitButton(self._session.seat, rights.IMPORT, "Store deal and scenarios")
        store.setParent(box)  # the box does not keep it
        box.addButton(store, QMessageBox.ButtonRole.ActionRole)
        store.clicked.connect(self._guarded(lambda: self._session.files.store_pack(done.pack)))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        return box

    def ask_scenarios(self) -> None:
        """Asks for a file of the former model's scenario parameters and imports them into the library."""
        files = "Workbooks, CSV, SQLite (*.xlsx *.csv *.db *.sqlite *.sqlite3);;All files (*)"
        file, _ = QFileDialog.getOpenFileName(self._window, "Import scenarios", "", files)
        if file:
            self._session.files.import_scenarios(Path(file), self.show_import)

    def ask_former(self) -> None:
        """Asks for databases of the former system and imports them."""
        self._session.seat.check(rights.IMPORT)
        kinds = "SQLite databases (*.db *.sqlite *.sqlite3);;All files (*)"
        files, _ = QFileDialog.getOpenFileNames(self._window, "Import former databases", "", kinds)
        if files:
            self._session.files.import_former([Path(file) for file in files], self.show_former)

    def show_former(self, report: str) -> QMessageBox:
        """What came of databases of the former system: a sentence a file, every row in the details."""
        heads = [line for line in report.splitlines() if not line.startswith(" ")]
        return self.show_import("\n".join(("\n\n".join(heads), report)), "Import former databases", len(heads) * 2 - 1)

    def show_import(self, report: str, title: str = "Import scenarios", heads: int = 1) -> QMessageBox:
        """What came of an import: its first lines, and every row in the details."""
        lines = report.split("\n")
        head, rest = "\n".join(lines[:heads]), "\n".join(lines[heads:])
        close = QMessageBox.StandardButton.Close
        box = QMessageBox(QMessageBox.Icon.Information, title, as_text(head), close, self._window)
        if rest:
            box.setInformativeText("The details name everything that was stored and every row that was not understood.")
            box.setDetailedText(rest)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.open()
        return box

    def _ask_place(
        self, title: str, suggested: str, kinds: str = "Excel workbooks (*.xlsx)", ending: str = ".xlsx"
    ) -> Path | None:
        """Asks where to write a file; its name has the ending, and nothing is overwritten unasked."""
        file, _ = QFileDialog.getSaveFileName(self._window, title, suggested, kinds)
        if not file:
            return None
        if file.lower().endswith(ending):
            return Path(file)
        place = Path(f"{file}{ending}")  # the dialog asked about the name without the ending only
        question = f"{place.name} is there already. Replace it?"
        if place.exists() and QMessageBox.question(self._window, title, question) != QMessageBox.StandardButton.Yes:
            return None
        return place

    def needed_deal(self) -> str:
        """The open deal's name. Raises Refused where none is open."""
        if self._session.deal is None:
            raise Refused("No deal is open; choose one in the deal list first.")
        return self._session.deal
