"""What the window asks and offers about workspace files: keys, backups, copies, and a workspace of one's own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from clo_desktop import paths
from clo_desktop.dialogs.encryption import EncryptionDialog
from clo_desktop.dialogs.passphrase import UnlockDialog
from clo_desktop.dialogs.recovery_key import RecoveryKeyDialog
from clo_desktop.dialogs.restore import RestoreDialog
from clo_desktop.faults import Refused
from clo_desktop.look.banner import Banner
from clo_desktop.look.words import as_text
from clo_desktop.store.local.keys import Secret
from clo_desktop.work.keeper import Keeper
from clo_desktop.work.session import WINDOW, NotOpened, Session
from clo_desktop.work.wallet import Wallet


class Doorman(QObject):
    """Opens, keeps and explains workspace files for a window.

    declined  gives the path of a plain workspace whose encryption was not wanted; decline  keeps one
    """

    def __init__(
        self,
        session: Session,
        banner: Banner,
        declined: Callable[[], str | None],
        decline: Callable[[str], object],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._window = parent
        self._session = session
        self._banner = banner
        self._declined = declined
        self._decline = decline
        self._wallet = Wallet(self)
        self.keeper = Keeper(session, self)
        self._shown_key = False
        session.opened.connect(self._opened)
        session.not_opened.connect(self._not_opened)
        self.keeper.key_made.connect(self.show_recovery_key)

    # -- what did not open --------------------------------------------------------------------------------------------

    def _not_opened(self, entry: NotOpened) -> None:
        """The way out for a workspace that did not open."""
        code, message = entry.refused.code, entry.refused.message
        if code in ("no-key", "key", "keyring"):
            if entry.manner.encrypt and not Path(entry.where).exists():
                self.make(Path(entry.where), entry.then)
            else:
                self.ask_key(entry, message if code != "no-key" else "")
        elif code == "passphrase":
            self.make(Path(entry.where), entry.then)
        elif code == "network":
            self.offer_copy(entry)
        else:
            self.offer_restore(entry.where, message, entry.manner.secret)

    def ask_key(self, entry: NotOpened, wrong: str) -> UnlockDialog:
        """Asks for the passphrase or recovery key and opens the workspace with it."""
        dialog = UnlockDialog(Path(entry.where), wrong, self._window)
        self._wallet.why_not(dialog.take_keyring, dialog)

        def take() -> None:
            manner = replace(entry.manner, secret=dialog.secret, keep=dialog.keeping.isChecked())
            self._session.open(entry.where, entry.then, manner)

        def restore() -> None:
            dialog.reject()
            self.offer_restore(entry.where, "", entry.manner.secret)

        dialog.accepted.connect(take)
        dialog.restoring.clicked.connect(restore)
        dialog.open()
        return dialog

    def offer_copy(self, entry: NotOpened) -> None:
        """Offers to copy a workspace from a network drive to this computer."""
        file = Path(entry.where)
        box = QMessageBox(
            QMessageBox.Icon.Warning, "Open workspace", as_text(entry.refused.message), parent=self._window
        )
        copying = box.addButton("Copy to this computer…", QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)

        def pressed(button: object) -> None:
            if button is not copying:
                return
            suggested = str(paths.default_workspace().with_name(file.name))
            name, _ = QFileDialog.getSaveFileName(self._window, "Copy workspace", suggested, "Workspaces (*.clo)")
            if name:
                self.keeper.copy(entry, Path(name))

        box.buttonClicked.connect(pressed)
        box.open()

    def offer_restore(self, where: str, why: str, secret: Secret | None) -> RestoreDialog:
        """Shows the backups of a workspace, open or not, and restores the chosen one."""
        dialog = RestoreDialog(Path(where), why, self._window)
        self.keeper.backups(where, secret, dialog.show_backups)
        dialog.accepted.connect(lambda: self.keeper.restore(where, secret, dialog.backup))
        dialog.open()
        return dialog

    # -- what is asked for --------------------------------------------------------------------------------------------

    def back_up(self) -> None:
        self.keeper.back_up()

    def ask_restore(self) -> RestoreDialog:
        """Shows the backups of the open workspace."""
        return self.offer_restore(str(self.keeper.file), "", self.keeper.secret)

    def own(self) -> None:
        """Opens the user's own workspace; before there is one, asks how it is to be protected and makes it."""
        self.open(paths.default_workspace())

    def make(self, file: Path, then: Callable[[], None] | None) -> EncryptionDialog:
        """Asks how a new workspace is to be protected, makes and opens it, and shows its recovery key."""
        dialog = EncryptionDialog(file, True, self._window)
        self._wallet.why_not(dialog.take_keyring, dialog)

        def take() -> None:
            self._shown_key = dialog.encrypt
            self._session.open(file, then, replace(WINDOW, encrypt=dialog.encrypt, secret=dialog.secret))

        dialog.accepted.connect(take)
        dialog.open()
        return dialog

    def ask_encryption(self) -> EncryptionDialog:
        """Asks how the open workspace is to be protected and changes that."""
        file = self.keeper.file
        if self._session.reading_only:
            raise Refused(f"{self._session.reading_only}; its encryption cannot be changed here.")
        if file == paths.demo_workspace():
            raise Refused("The demo workspace is not encrypted; File > My workspace makes one that is.")
        dialog = EncryptionDialog(file, False, self._window)
        self._wallet.why_not(dialog.take_keyring, dialog)

        def take() -> None:
            if dialog.encrypt:
                self.keeper.encrypt(dialog.secret)
            else:
                self._keep_plain(str(file))
                if self.keeper.is_encrypted:
                    self.keeper.decrypt()

        dialog.accepted.connect(take)
        dialog.open()
        return dialog

    def ask_recovery_key(self) -> RecoveryKeyDialog:
        """Shows the recovery key of the open workspace. Raises Refused for a plain one."""
        file, key = self.keeper.file, self.keeper.recovery_key
        if not key:
            raise Refused(f"{file.name} is not encrypted, so it has no recovery key; File > Encryption encrypts it.")
        return self.show_recovery_key(key)

    def show_recovery_key(self, key: str) -> RecoveryKeyDialog:
        dialog = RecoveryKeyDialog(Path(self._session.where), key, self._window)
        dialog.open()
        return dialog

    # -- what is open -------------------------------------------------------------------------------------------------

    def _opened(self) -> None:
        """The banner says in which state the workspace is; a new key is shown once."""
        where = self._session.where
        if self._shown_key and self.keeper.recovery_key:
            self.show_recovery_key(self.keeper.recovery_key)
        self._shown_key = False
        if reason := self._session.reading_only:
            self._banner.say(f"{reason}. Nothing can be saved.", "Try again", self._again)
        elif Path(where) == paths.demo_workspace():
            self._banner.say(
                "This is the demo workspace, for trying out: it is not encrypted.", "Make my workspace…", self.own
            )
        elif Path(where) == paths.default_workspace() and not self.keeper.is_encrypted and self._declined() != where:
            self._banner.say(
                "Your workspace is not encrypted: everyone who gets the file can read it.",
                "Encrypt…",
                self.ask_encryption,
                "Leave it",
                lambda: self._keep_plain(where),
            )
        else:
            self._banner.say("")

    def _again(self) -> None:
        session = self._session
        session.reopen(session.where, session.manner, session.deal)

    def open(self, file: Path) -> None:
        """Opens a workspace file; one that is not there is made, once it is said how it is to be protected."""
        if file.exists():
            self._session.open(file)
        else:
            self.make(file, None)

    def _keep_plain(self, where: str) -> None:
        self._decline(where)
        self._banner.say("")
