"""Asks for the passphrase or the recovery key of an encrypted workspace."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look.fields import SecretField
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.store.local import keys
from clo_desktop.store.local.keys import Secret


class UnlockDialog(QDialog):
    """Asks for the passphrase or the recovery key of a workspace. `secret` is set once it was accepted.

    wrong  why what was typed before did not do, as a sentence

    Until `take_keyring` says that there is a keyring, keeping the key is not offered.
    """

    def __init__(self, file: Path, wrong: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.secret: Secret | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Open {file.name}")
        words = WrappedLabel(f"{file.name} is encrypted. Type its passphrase, or its recovery key from the print.")
        words.setToolTip(str(file))
        self.field = SecretField("Passphrase or recovery key")
        self.showing = QCheckBox("&Show what is typed")
        self.showing.toggled.connect(self.field.show_letters)
        self.keeping = QCheckBox("&Keep the key in the keyring of this computer, so that it is not asked for again")
        self.keeping.hide()
        self.fault = AttentionLabel(wrong)
        self.fault.setVisible(bool(wrong))
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Open | QDialogButtonBox.StandardButton.Cancel)
        self.restoring = self.buttons.addButton("Restore a backup…", QDialogButtonBox.ButtonRole.ActionRole)
        self.restoring.setVisible(bool(wrong))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        label = QLabel("&Passphrase or recovery key")
        label.setBuddy(self.field)
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.field, 0, 1)
        grid.addWidget(self.showing, 1, 1)
        grid.addWidget(self.keeping, 2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(12)
        layout.addWidget(words)
        layout.addLayout(grid)
        layout.addWidget(self.fault)
        layout.addStretch()
        layout.addWidget(self.buttons)
        self.resize(600, 220)
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_keyring(self, why_not: str) -> None:
        """Why there is no keyring, as a sentence; empty where there is one."""
        self.keeping.setVisible(not why_not)

    def accept(self) -> None:
        """Takes what was typed; a recovery key with a slip stays in the field."""
        try:
            if not self.field.text().strip():
                raise Refused("Nothing is typed yet; type the passphrase or the recovery key.")
            self.secret = keys.secret_of(self.field.text())
        except Refused as refused:
            self.fault.setText(refused.message)
            self.fault.show()
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        super().accept()
