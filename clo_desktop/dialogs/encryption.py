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

    Until `take_keyring` says whether there is a keyring, a key of one cannot be chosen.

    is_new   the workspace is made by this; else it is changed
    """

    def __init__(self, file: Path, is_new: bool, parent: QWidget | None = None) -> None:
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
        self.by_keyring.setEnabled(False)
        self.by_passphrase.setChecked(True)
        self._chosen = False  # by a person: then nothing is suggested any more
        self.first = SecretField("Passphrase")
        self.second = SecretField("The same again")
        self.note = WrappedLabel("The keyring of this computer is being asked.")
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
            button.clicked.connect(lambda _on: setattr(self, "_chosen", True))
        self._offer()
        self.resize(600, 360)

    def take_keyring(self, why_not: str) -> None:
        """Why no keyring can be used, as a sentence; empty where one can: then that is what is suggested."""
        self.by_keyring.setEnabled(not why_not)
        self.note.setText(why_not)
        self.note.setVisible(bool(why_not))
        if not why_not and not self._chosen and not self.first.text():
            self.by_keyring.setChecked(True)

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
