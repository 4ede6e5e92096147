"""Where the window keeps its metrics file for Prometheus, if it keeps one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QLineEdit, QPushButton, QWidget

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.faults import Refused
from clo_desktop.work.health import METRICS_FILE, METRICS_VARIABLE, check_metrics_folder


class MetricsSettingsDialog(AskingDialog):
    """A folder; empty for none. `take` gets it once it was checked."""

    def __init__(self, folder: str | None, take: Callable[[str | None], object], parent: QWidget | None = None) -> None:
        words = (
            f"While a workspace is open, {METRICS_FILE} is written into this folder every 15 seconds, for Prometheus. "
            "Leave it empty to write none."
        )
        super().__init__("Metrics file", words, "Keep", parent)
        self._take = take
        self.folder = QLineEdit(folder or "")
        self.folder.setAccessibleName("Folder of the metrics file")
        self.folder.setPlaceholderText("none is written")
        self.choosing = QPushButton("Ch&oose…")
        self.choosing.clicked.connect(self._choose)
        self.add_row("&Folder", self.folder, self.choosing)
        if named := os.environ.get(METRICS_VARIABLE, "").strip():
            self.folder.setText(named)
            self.folder.setReadOnly(True)
            self.choosing.setEnabled(False)
            self.button.setEnabled(False)
            self.words.setText(f"{words} The variable {METRICS_VARIABLE} names it here and goes before this setting.")
        self.resize(560, self.sizeHint().height())

    def ask(self) -> None:
        try:
            folder = check_metrics_folder(self.folder.text())
        except Refused as refused:
            self.fail(refused.message, self.folder)
            return
        self._take(None if folder is None else str(folder))
        self.done_well()

    def _choose(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Folder of the metrics file", self.folder.text()):
            self.folder.setText(str(Path(folder)))
