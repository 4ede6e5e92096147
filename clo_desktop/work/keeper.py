"""Keeps the workspace file of a session: backups, restoring, encryption and its recovery key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from clo_desktop.faults import Refused
from clo_desktop.figures import counted
from clo_desktop.store.local import cipher, keys, opening
from clo_desktop.store.local.backups import Backup
from clo_desktop.store.local.cipher import Converted
from clo_desktop.store.local.keys import Secret
from clo_desktop.work import workspace
from clo_desktop.work.session import NotOpened, Session
from clo_desktop.work.workspace import Proved, Restored


class Keeper(QObject):
    """The verbs of `work.workspace` for the window, in the database lane. Each raises Refused where nothing is open.

    key_made  carries the recovery key of a workspace that was encrypted or got another key
    """

    key_made = Signal(str)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session

    @property
    def file(self) -> Path:
        """The open workspace file. Raises Refused where none is open, or a server is."""
        desk = self._session.desk
        if desk is None:
            raise Refused("No workspace is open; open one from the File menu.")
        if desk.store.file is None:
            raise Refused(f"{desk.store.name} is a server; its backups and its encryption are its administrators'.")
        return desk.store.file.file

    @property
    def is_encrypted(self) -> bool:
        """Whether the open workspace is."""
        return bool(self.recovery_key)

    @property
    def recovery_key(self) -> str:
        """That of the open workspace; empty where it is not encrypted."""
        desk = self._session.desk
        return desk.store.recovery_key if desk is not None else ""

    def back_up(self) -> None:
        """Backs the open workspace up."""
        _ = self.file

        def done(made: Backup) -> None:
            self._session.said.emit(f"The workspace was backed up and the backup opens: {made.file}.")

        self._session.ask("Back up", lambda desk, _report: desk.store.back_up(), done)

    @property
    def asks_key(self) -> bool:
        """Whether a person has to type what opens the open workspace; else the keyring has it, or it is plain."""
        return self.is_encrypted and self._session.manner.secret is not None

    def prove(self, text: str, done: Callable[[], object], failed: Callable[[Refused], object]) -> None:
        """Compares a passphrase or recovery key with that of the open workspace; without a text asks the keyring."""
        file, key = self.file, self.secret

        def work() -> None:
            said = keys.secret_of(text) if text else None
            if key is not None and opening.key_of(file, said) != key.key:
                raise Refused("That does not open the workspace; type its passphrase or its recovery key.", code="key")

        self._session.beside("Check the key", work, lambda _nothing: done(), failed)

    def backups(self, where: str, secret: Secret | None, done: Callable[[Sequence[Proved]], object]) -> None:
        """Lists the backups of a workspace, open or not, each with whether it opens."""
        self._session.beside(
            "Look at the backups", lambda: workspace.proved(Path(where), secret), done, lambda reason: done(())
        )

    def restore(self, where: str, secret: Secret | None, backup: Path | None) -> None:
        """Puts a backup (None: the newest good one) in the place of a workspace and opens it."""

        def work() -> Restored:
            return workspace.restore(Path(where), secret, backup)

        def told(done: Restored) -> Secret | None:
            aside = f" The former file is {done.aside}." if done.aside is not None else ""
            self._session.said.emit(f"The workspace is as it was at {done.backup.words}.{aside}")
            return secret

        self._session.rework(where, "Restore", work, told)

    def encrypt(self, secret: Secret | None) -> None:
        """Gives the open workspace a key: that of `secret`, or (None) one that the keyring keeps."""
        file, old, encrypted = self.file, self.secret, self.is_encrypted

        def work() -> Converted:
            return cipher.rekey(file, old, secret) if encrypted else cipher.encrypt(file, secret)

        self._session.rework(str(file), "Encrypt", work, self._told)

    def decrypt(self) -> None:
        """Makes the open workspace a plain file."""
        file, old = self.file, self.secret
        self._session.rework(str(file), "Decrypt", lambda: cipher.decrypt(file, old), self._told)

    def copy(self, entry: NotOpened, to: Path) -> None:
        """Copies a workspace from a network drive to this computer and opens the copy."""
        session, secret = self._session, entry.manner.secret
        session.beside(
            "Copy the workspace",
            lambda: workspace.copy(Path(entry.where), secret, to),
            lambda made: session.open(made, entry.then, entry.manner),
            lambda reason: session.refused.emit(reason.message),
        )

    @property
    def secret(self) -> Secret | None:
        """What opens the open workspace."""
        desk = self._session.desk
        key = desk.store.file.key if desk is not None and desk.store.file is not None else None
        return Secret(key=key) if key is not None else None

    def _told(self, done: Converted) -> Secret | None:
        what = "encrypted" if done.key is not None else "not encrypted any more"
        left = (
            f" {counted(len(done.left), 'backup does', 'backups do')} not open; nothing was changed there."
            if done.left
            else ""
        )
        self._session.said.emit(f"The workspace is {what}; backups changed with it: {done.backups}.{left}")
        if done.recovery_key:
            self.key_made.emit(done.recovery_key)
        return Secret(key=done.key) if done.key is not None else None
