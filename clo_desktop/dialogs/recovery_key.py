"""The recovery key of an encrypted workspace, to print, save or copy."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication, QTextDocument
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QVBoxLayout, QWidget

from clo_desktop.look.words import AttentionLabel, WrappedLabel


def on_paper(file: Path, key: str) -> str:
    """The text that is printed and saved."""
    return (
        f"CLO Desktop: recovery key\n\nWorkspace: {file}\n\n{key}\n\n"
        "This key opens the workspace and its backups when the keyring or the passphrase is lost.\n"
        "Keep it where the workspace is not. Who has both can read every deal.\n"
        "To use it, type it where the passphrase is asked for.\n"
    )


class RecoveryKeyDialog(QDialog):
    """Shows a recovery key until it is closed."""

    def __init__(self, file: Path, key: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._file, self._key = file, key
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Recovery key of {file.name}")
        words = WrappedLabel(
            "This key opens the workspace and its backups when the keyring or the passphrase is lost. Print or save it,"
            " and keep it where the workspace is not. It can be shown again from the File menu."
        )
        groups = key.split("-")
        half = len(groups) // 2
        self.shown = QLabel("-".join(groups[:half]) + "-\n" + "-".join(groups[half:]))
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF() * 1.3)
        self.shown.setFont(font)
        self.shown.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.shown.setAccessibleName("Recovery key")
        self.said = WrappedLabel()
        self.fault = AttentionLabel()
        self.fault.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        for text, act in (("&Print…", self.print_it), ("&Save…", self.save_it), ("&Copy", self.copy_it)):
            buttons.addButton(text, QDialogButtonBox.ButtonRole.ActionRole).clicked.connect(act)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(words)
        layout.addWidget(self.shown, 1)
        layout.addWidget(self.said)
        layout.addWidget(self.fault)
        layout.addWidget(buttons)
        self.resize(600, 260)

    def copy_it(self) -> None:
        QGuiApplication.clipboard().setText(self._key)
        self.said.setText("The key is on the clipboard; paste it into a password safe.")

    def save_it(self) -> None:
        """Asks where and writes it there, readable by its owner only."""
        suggested = f"{self._file.stem} recovery key.txt"
        name, _ = QFileDialog.getSaveFileName(self, "Save the recovery key", suggested, "Text (*.txt)")
        if not name:
            return
        place = Path(name)
        try:
            place.touch(mode=0o600)
            place.write_text(on_paper(self._file, self._key), encoding="utf-8")
        except OSError as reason:
            self.fault.setText(f"{place} cannot be written ({reason.strerror}); choose another place.")
            self.fault.show()
        else:
            self.fault.hide()
            beside = place.parent == self._file.parent
            more = " It lies beside the workspace: move it elsewhere, for instance to a stick." if beside else ""
            self.said.setText(f"The key was saved as {place}.{more}")

    def print_it(self) -> None:
        try:
            from PySide6.QtPrintSupport import QPrintDialog, QPrinter
        except ImportError:  # a system without printing lacks its library
            self.fault.setText("This computer cannot print; save the key, or write it down.")
            self.fault.show()
            return
        printer = QPrinter()
        if QPrintDialog(printer, self).exec() == QDialog.DialogCode.Accepted:
            document = QTextDocument()
            document.setPlainText(on_paper(self._file, self._key))
            document.print_(printer)
            self.said.setText("The key was sent to the printer.")
