"""Which deals of a server are taken along for offline work, and into which file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QListWidget, QListWidgetItem, QPushButton, QWidget

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.faults import Refused
from clo_desktop.look import theme
from clo_desktop.look.words import WrappedLabel

_ENDING = ".clo"


class TakeAlongDialog(AskingDialog):
    """Asks until `start` succeeded. `start` gets the deals and the file, and raises Refused or begins to copy.

    deals  those of the server;  chosen  the one that is open, which is ticked; without one all are
    """

    def __init__(
        self,
        server: str,
        deals: Sequence[str],
        chosen: str | None,
        file: Path,
        start: Callable[[Sequence[str], Path, TakeAlongDialog], object],
        parent: QWidget | None = None,
    ) -> None:
        words = (
            f"Deals of {server} are copied into a workspace file of yours. Change them there without the server; "
            "File > Synchronise brings both together afterwards. The library of scenarios comes along; ideas, "
            "snapshots and runs do not."
        )
        super().__init__("Take deals along", words, "Copy", parent)
        self._start = start
        self.list = QListWidget()
        self.list.setAccessibleName("Deals to take along")
        self.list.setMinimumHeight(120)
        self.list.setPalette(theme.edged(theme.watcher().tokens))  # or empty boxes could not be seen on a dark surface
        for deal in deals:
            item = QListWidgetItem(deal)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(_check(chosen in (None, deal)))
            self.list.addItem(item)
        self.everything = QCheckBox("&All deals")
        self.everything.setChecked(chosen is None or len(deals) == 1)
        self.everything.clicked.connect(self._all)
        self.list.itemChanged.connect(self._ticked)
        self.file = QLineEdit(str(file))
        self.file.setAccessibleName("File")
        self.choosing = QPushButton("Ch&oose…")
        self.choosing.clicked.connect(self._choose)
        self.note = WrappedLabel()
        self.note.setAccessibleName("What becomes of the file")
        self.add_row("&Deals", self.list)
        self.add_wide(self.everything)
        self.add_row("&File", self.file, self.choosing)
        self.add_wide(self.note)
        self.grid.setRowStretch(1, 1)
        self.file.textChanged.connect(self._say_file)
        self._say_file()
        self.resize(600, 420)

    @property
    def deals(self) -> tuple[str, ...]:
        """Those that are ticked."""
        items = [self.list.item(row) for row in range(self.list.count())]
        return tuple(item.text() for item in items if item.checkState() is Qt.CheckState.Checked)

    @property
    def place(self) -> Path:
        """The file, with the ending of a workspace."""
        place = Path(self.file.text().strip()).expanduser()
        return place if place.suffix else place.with_name(place.name + _ENDING)

    def ask(self) -> None:
        if not self.deals:
            raise Refused("Tick at least one deal.")
        if not self.file.text().strip():
            self.fail("Name a file for the copies.", self.file)
            return
        if not self.place.is_absolute():
            self.fail("Name the file with its folder, or choose it.", self.file)
            return
        self.fail("")
        self._start(self.deals, self.place, self)

    def refuse(self, refused: Refused | None) -> None:
        """It was refused, or (None) cancelled: what was copied before that stays in the file."""
        self.fail(refused.message if refused is not None else "Cancelled; deals that were copied already stay.")
        self._say_file()

    def _say_file(self) -> None:
        there = bool(self.file.text().strip()) and self.place.is_file()
        self.note.setText(
            "The file is there: copies in it are brought up to date, and nothing in it is lost."
            if there
            else "The file is made; how it is protected is asked next."
        )

    def _choose(self) -> None:
        file, _ = QFileDialog.getSaveFileName(
            self,
            "File for the copies",
            self.file.text(),
            "Workspaces (*.clo)",
            options=QFileDialog.Option.DontConfirmOverwrite,  # nothing is overwritten
        )
        if file:
            self.file.setText(file)

    def _all(self, wanted: bool) -> None:
        for row in range(self.list.count()):
            self.list.item(row).setCheckState(_check(wanted))

    def _ticked(self, _item: QListWidgetItem) -> None:
        self.everything.setChecked(len(self.deals) == self.list.count())


def _check(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
