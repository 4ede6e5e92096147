"""Signing in to a shared server: which one, who, and the password."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QLineEdit, QPushButton, QWidget

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.faults import Refused
from clo_desktop.look.fields import SecretField
from clo_desktop.store.server.signing import SignIn

_WORDS = (
    "Your administrator gave you the address of the server, your user name and a first password. What you may see and "
    "change there is decided by the server."
)


class SignInDialog(AskingDialog):
    """Asks until `start` succeeded. `start` gets who signs in, and raises Refused or begins to.

    known       addresses with users that were signed in to before, the last first
    remembered  those of them whose password the keyring keeps
    read        asks the keyring for the password of one, and calls back with it ("": none) if this is open still

    Until `take_keyring` says whether there is a keyring, no password can be remembered.
    """

    def __init__(
        self,
        known: Sequence[str],
        remembered: Collection[str],
        read: Callable[[SignIn, Callable[[str], object], SignInDialog], object],
        start: Callable[[SignIn, SignInDialog], object],
        parent: QWidget | None = None,
    ) -> None:
        self._no_keyring = "The keyring of this computer is being asked."
        self._remembers = False  # whether that is wanted, once it can be
        super().__init__("Open server", _WORDS, "Sign in", parent)
        self._start, self._read = start, read
        self._remembered = remembered
        self.server = QComboBox()
        self.server.setEditable(True)
        self.server.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.server.setAccessibleName("Server")
        self._known = [SignIn.of(text) for text in known]
        for one in self._known:
            self.server.addItem(one.where.removeprefix("postgresql://"))
        line = self.server.lineEdit()
        if line is not None:
            line.setPlaceholderText("host/name")
        self.user = QLineEdit()
        self.user.setAccessibleName("User name")
        self.user.setPlaceholderText("you@firm.com")
        self.password = SecretField("Password")
        self.showing = QCheckBox("Sho&w what is typed")
        self.showing.toggled.connect(self.password.show_letters)
        self.remembering = QCheckBox("&Remember the password in the keyring of this computer")
        self.certificate = QLineEdit()
        self.certificate.setAccessibleName("Certificate of the authority")
        self.certificate.setPlaceholderText("those that the system trusts")
        self.certificate.setToolTip(
            "The file with the certificate of the authority that signed the server's own, where that is your firm's"
        )
        self.choosing = QPushButton("Ch&oose…")
        self.choosing.clicked.connect(self._choose)
        self.add_row("Ser&ver", self.server)
        self.add_row("&User name", self.user)
        self.add_row("&Password", self.password)
        self.add_wide(self.showing)
        self.add_wide(self.remembering)
        self.add_row("Cer&tificate", self.certificate, self.choosing)
        self.server.activated.connect(self._take_known)
        self._show_busy(False)
        if self._known:
            self._take_known(0)
        self.resize(560, self.sizeHint().height())

    def take_keyring(self, why_not: str) -> None:
        """Whether a password can be remembered: why not as a sentence; empty where it can."""
        self._no_keyring = why_not
        self.remembering.setToolTip(why_not)
        self.remembering.setEnabled(not why_not and self.button.isEnabled())
        self.remembering.setChecked(self._remembers and not why_not)

    def prefill(self, asked: SignIn, at_once: bool = False) -> None:
        """Fills in what is known of a server, and gives the keyboard to what is not.

        at_once  signs in as soon as the password is known, without a further question
        """
        self.server.setEditText(asked.where.removeprefix("postgresql://"))
        self.user.setText(asked.user)
        self.certificate.setText(asked.certificate)
        kept = asked.kept in self._remembered  # the keyring is left alone where it was not asked for
        self.password.setText(asked.password)
        self._remembers = kept
        self.remembering.setChecked(kept and not self._no_keyring)
        first = self.server if not asked.where else self.user if not asked.user else self.password
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        if asked.password and at_once:
            QTimer.singleShot(0, self, self.accept)
        elif kept and not asked.password:
            self._read(asked, lambda found: self._take_password(asked, found, at_once), self)

    def _take_password(self, of: SignIn, found: str, at_once: bool) -> None:
        """The keyring's answer, unless somebody typed meanwhile, or chose another server."""
        now = (self.server.currentText(), self.user.text())
        if (
            not found
            or self.password.text() not in ("", found)
            or now != (of.where.removeprefix("postgresql://"), of.user)
        ):
            return
        self.password.setText(found)
        if at_once:
            self.accept()

    def ask(self) -> None:
        asked = SignIn(
            self.server.currentText(), self.user.text(), self.password.text(), self.certificate.text()
        ).checked()
        if not asked.password:
            self.fail("Type your password.", self.password)
            return
        self.server.setEditText(asked.where.removeprefix("postgresql://"))
        self.user.setText(asked.user)
        self._start(asked, self)

    def refuse(self, refused: Refused | None) -> None:
        """It was refused, or (None) cancelled: the field to mend has the keyboard."""
        if refused is None:
            self.fail("", self.password)
            return
        fields = {"certificate": self.certificate, "no-server": self.server, "address": self.server}
        field = fields.get(refused.code, self.password)
        self.fail(refused.message, field)
        if field is self.password:
            self.password.selectAll()

    def _show_busy(self, busy: bool) -> None:
        super()._show_busy(busy)
        if not busy and self._no_keyring and self._fields:
            self.remembering.setEnabled(False)

    def _take_known(self, index: int) -> None:
        self.prefill(self._known[index])

    def _choose(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, "Certificate of the authority", "", "Certificates (*.crt *.pem)")
        if file:
            self.certificate.setText(file)
