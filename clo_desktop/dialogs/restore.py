"""The backups of a workspace: when they were made, whether they open, and the button that restores one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.look import formats
from clo_desktop.look.tokens import ROW
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.store.local.backups import WHYS
from clo_desktop.work.workspace import Proved

_HEADERS = ("Made at", "Why", "Size (MB)", "Opens")


class RestoreDialog(QDialog):
    """Lists backups, the newest first, with the newest good one chosen. `backup` is set once it was accepted.

    why  what is wrong with the workspace, as a sentence; empty where the user asked
    """

    def __init__(self, file: Path, why: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.backup: Path | None = None
        self._backups: Sequence[Proved] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Restore {file.name}")
        fault = AttentionLabel(why)
        fault.setVisible(bool(why))
        self.words = WrappedLabel("Looking at the backups…")
        self.table = QTableWidget(0, len(_HEADERS))
        self.table.setAccessibleName("Backups")
        self.table.setHorizontalHeaderLabels(_HEADERS)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setDefaultSectionSize(ROW)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setTabKeyNavigation(False)
        self.table.setShowGrid(False)
        header = self.table.horizontalHeader()
        for column in range(3):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.restoring = self.buttons.addButton("Restore", QDialogButtonBox.ButtonRole.AcceptRole)
        self.restoring.setEnabled(False)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.table.itemSelectionChanged.connect(self._chosen)
        self.table.itemDoubleClicked.connect(lambda _item: self.accept())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(fault)
        layout.addWidget(self.words)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.buttons)
        self.resize(640, 360)

    def show_backups(self, backups: Sequence[Proved]) -> None:
        """The list, once each was opened."""
        self._backups = backups
        self.table.setRowCount(len(backups))
        for row, proved in enumerate(backups):
            made = proved.backup
            cells = (
                f"{made.when.astimezone():%Y-%m-%d %H:%M:%S}",
                WHYS.get(made.why, made.why),
                formats.figure(made.size / 1e6, 1),
                f"no: it {proved.fault.removeprefix(made.file.name).strip()}" if proved.fault else "yes, and is whole",
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                if column == 2:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                if column == 3:
                    item.setToolTip(text)
                self.table.setItem(row, column, item)
        good = next((row for row, proved in enumerate(backups) if not proved.fault), None)
        if good is not None:
            self.table.selectRow(good)
            self.words.setText(
                "The workspace becomes what it was then; what was saved since is not in it. The present file is set"
                " aside, not removed."
            )
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        elif backups:
            self.words.setText("No backup opens; if they have another key, type it when the workspace is opened.")
        else:
            self.words.setText("There is no backup yet; File > Back up now makes one, and one is made every day.")

    def _chosen(self) -> None:
        self.restoring.setEnabled(self._current() is not None)

    def _current(self) -> Proved | None:
        row = self.table.currentRow()
        chosen = self._backups[row] if 0 <= row < len(self._backups) else None
        return chosen if chosen is not None and not chosen.fault else None

    def accept(self) -> None:
        """Takes the backup that is chosen, if it opens."""
        chosen = self._current()
        if chosen is not None:
            self.backup = chosen.backup.file
            super().accept()
