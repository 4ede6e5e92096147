"""How a workspace is protected: a key in the computer's keyring, a passphrase, or not at all."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.look.fields import SecretField
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.store.local import keys
from clo_desktop.store.local.keys import Secret

_PLAIN: str = "Everyone who gets the file, its backups or the disk can read the deals."


class EncryptionDialog(QDialog):
    """Asks how a workspace is to be protected. After it was accepted `encrypt` and `secret` say it.

    keyring  why no keyring can be used, as a sentence; empty where one can
    is_new   the workspace is made by this; else it is changed
    """

    def __init__(self, file: Path, keyring: str, is_new: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.encrypt = True
        self.secret: Secret | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Make my workspace" if is_new else f"Encryption of {file.name}")
        what = "A workspace of your own keeps your deals in one file" if is_new else "Choose how the file is protected"
        words = WrappedLabel(f"{what}: {file}")
        self.by_keyring = QRadioButton("Encrypted, with a &key that this computer's keyring keeps (nothing to type)")
        self.by_passphrase = QRadioButton("Encrypted, with a &passphrase that is asked for at every start")
        self.plain = QRadioButton("&Not encrypted")
        self.by_keyring.setEnabled(not keyring)
        (self.by_passphrase if keyring else self.by_keyring).setChecked(True)
        self.first = SecretField("Passphrase")
        self.second = SecretField("The same again")
        self.note = WrappedLabel(keyring)
        self.note.setVisible(bool(keyring))
        self.hint = WrappedLabel()
        self.fault = AttentionLabel()
        self.fault.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.addButton("Make" if is_new else "Change", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setColumnMinimumWidth(0, 24)
        for row, (text, field) in enumerate((("P&assphrase", self.first), ("The same a&gain", self.second))):
            label = QLabel(text)
            label.setBuddy(field)
            grid.addWidget(label, row, 1)
            grid.addWidget(field, row, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(words)
        layout.addSpacing(8)
        layout.addWidget(self.by_keyring)
        layout.addWidget(self.note)
        layout.addWidget(self.by_passphrase)
        layout.addLayout(grid)
        layout.addWidget(self.plain)
        layout.addSpacing(8)
        layout.addWidget(self.hint)
        layout.addWidget(self.fault)
        layout.addStretch()
        layout.addWidget(self.buttons)
        for button in (self.by_keyring, self.by_passphrase, self.plain):
            button.toggled.connect(lambda _on: self._offer())
        self._offer()
        self.resize(600, 360)

    def _offer(self) -> None:
        """What the choice needs and means."""
        for field in (self.first, self.second):
            field.setEnabled(self.by_passphrase.isChecked())
        self.fault.hide()
        self.hint.setText(
            f"{_PLAIN} It can be encrypted later from the File menu."
            if self.plain.isChecked()
            else "Afterwards a recovery key is shown. Print or save it: without the key and without it nobody can read"
            " the workspace."
        )

    def accept(self) -> None:
        """Takes the choice; a passphrase that will not do stays in the fields with the reason."""
        self.encrypt = not self.plain.isChecked()
        self.secret = None
        if self.by_passphrase.isChecked():
            fault = keys.check_passphrase(self.first.text())
            if not fault and self.first.text() != self.second.text():
                fault = "The two passphrases differ; type them again."
            if fault:
                self.fault.setText(fault)
                self.fault.show()
                self.first.setFocus(Qt.FocusReason.OtherFocusReason)
                return
            self.secret = Secret(passphrase=self.first.text())
        super().accept()
