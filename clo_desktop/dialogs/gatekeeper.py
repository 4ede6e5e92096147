"""Lets people in and out of a window: signing in to a server, signing out, locking, one's own password."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QMainWindow

from clo_desktop.dialogs.curtain import Curtain
from clo_desktop.dialogs.lock_screen import LockScreen
from clo_desktop.dialogs.lock_settings import LockSettingsDialog
from clo_desktop.dialogs.own_password import ChangePasswordDialog
from clo_desktop.dialogs.presence import Presence
from clo_desktop.dialogs.sign_in import SignInDialog
from clo_desktop.faults import Refused
from clo_desktop.look.formats import counted
from clo_desktop.settings import KEPT_SERVERS, Settings
from clo_desktop.store.server.signing import SignIn
from clo_desktop.work.keeper import Keeper
from clo_desktop.work.lanes import Task
from clo_desktop.work.lock import Lock
from clo_desktop.work.register import Register
from clo_desktop.work.session import Session
from clo_desktop.work.wallet import Wallet

Enter = Callable[[SignIn, Callable[[], object], Callable[[Refused | None], object]], Task[Any]]
"""Signs somebody in somewhere: calls the first where it was done, else the second."""


class Gatekeeper(QObject):
    """Of one window.

    settings, keep   read and replace what the application remembers
    locked           the window was locked (True) or unlocked
    """

    locked = Signal(bool)

    def __init__(
        self,
        session: Session,
        register: Register,
        keeper: Keeper,
        settings: Callable[[], Settings],
        keep: Callable[[Settings], object],
        window: QMainWindow,
    ) -> None:
        super().__init__(window)
        self._session = session
        self._register = register
        self._keeper = keeper
        self._settings = settings
        self._keep = keep
        self._window = window
        self.wallet = Wallet(self)
        self.lock = Lock(self)
        self.presence = Presence(self.lock, self)
        self.screen = LockScreen(window, self._unlock, self._leave)
        self.curtain = Curtain(window, self.screen)
        self.lock.locked.connect(self._cover)
        self.lock.unlocked.connect(self._uncover)
        session.seat.changed.connect(self._settle)

    @property
    def is_locked(self) -> bool:
        return self.lock.is_locked

    # -- in and out ---------------------------------------------------------------------------------------------------

    def ask_server(self, where: str = "", then: Callable[[], object] | None = None) -> SignInDialog:
        """Asks for a server, a person and the password, and opens it; `then` is called once it is open.

        where  an address to begin with; one that says everything is signed in to at once
        """
        known = self._settings()

        def start(asked: SignIn, shown: SignInDialog) -> None:
            self._sign_in(asked, shown, then)

        dialog = SignInDialog(known.servers, known.remembered, self._read, start, self._window)
        self.wallet.why_not(lambda why: dialog.take_keyring(_typed_each_time(why)), dialog)
        if where:
            dialog.prefill(SignIn.of(where), at_once=True)
        dialog.open()
        return dialog

    def ask_beside(self, where: str, sign_in: Enter, then: Callable[[], object]) -> SignInDialog:
        """Asks as `ask_server`, for a server that is not opened: `sign_in` does with it what is wanted.

        where  its address, with the person; what else is known of it is taken from those that were signed in to
        """
        known = self._settings()

        def start(asked: SignIn, shown: SignInDialog) -> None:
            self._enter(asked, shown, sign_in, then)

        dialog = SignInDialog(known.servers, known.remembered, self._read, start, self._window)
        self.wallet.why_not(lambda why: dialog.take_keyring(_typed_each_time(why)), dialog)
        dialog.setWindowTitle("Sign in to synchronise")
        if where:
            kept = (one for one in map(SignIn.of, known.servers) if one.spoken == where)
            dialog.prefill(next(kept, None) or SignIn.of(where))
        dialog.open()
        return dialog

    def _read(self, of: SignIn, done: Callable[[str], object], dialog: SignInDialog) -> None:
        """The password that the keyring keeps."""
        self.wallet.ask(of.remembered, done, dialog)

    def _sign_in(self, asked: SignIn, dialog: SignInDialog, then: Callable[[], object] | None) -> None:
        self._enter(asked, dialog, self._session.seat.sign_in, then)

    def _enter(self, asked: SignIn, dialog: SignInDialog, sign_in: Enter, then: Callable[[], object] | None) -> None:
        def done() -> None:
            remember = dialog.remembering.isChecked()
            dialog.done_well()
            others = [known for known in self._settings().servers if known != asked.kept]
            self._keep(replace(self._settings(), servers=(asked.kept, *others)[:KEPT_SERVERS]))
            self._session.said.emit(f"You are signed in to {asked.name}.")
            self._remember(asked, remember)
            if then is not None:
                then()

        dialog.doing(sign_in(asked, done, dialog.refuse))

    def _remember(self, asked: SignIn, remember: bool) -> None:
        """Keeps the password in the keyring where that was asked for, and only then."""
        others = tuple(known for known in self._settings().remembered if known != asked.kept)
        if not remember and others == self._settings().remembered:
            return
        self._keep(replace(self._settings(), remembered=(asked.kept, *others) if remember else others))
        self.wallet.ask(
            asked.remember if remember else asked.forget,
            lambda _nothing: None,
            self,
            failed=lambda refused: self._session.refused.emit(refused.message),
        )

    def sign_out(self) -> None:
        """Signs out; what is stored is on the server, and nothing of it stays in this window."""
        who = self._session.seat.membership
        if who is None:
            raise Refused("Nobody is signed in; File > Open server signs in to one.")
        unsent = who.desk.unsent.waiting if who.desk.unsent is not None else 0
        self._session.seat.sign_out()
        waits = f" {counted(unsent, 'change')} not sent yet: kept here until you sign in again." if unsent else ""
        self._session.said.emit(f"You are signed out of {who.name}.{waits}")

    def change_password(self) -> ChangePasswordDialog:
        """Asks for a new password of one's own."""
        who = self._session.seat.membership
        if who is None:
            raise Refused("Nobody is signed in; a workspace file has its own key, under File > Encryption.")

        def start(present: str, password: str, dialog: ChangePasswordDialog) -> None:
            def done() -> None:
                dialog.done_well()
                kept = replace(SignIn.of(who.where), password=password)
                if kept.kept in self._settings().remembered:
                    self._remember(kept, True)
                self._session.said.emit("Your password is changed.")

            dialog.doing(self._register.change_password(present, password, done, dialog.refuse))

        dialog = ChangePasswordDialog(who.name, start, self._window)
        dialog.open()
        return dialog

    # -- locking ------------------------------------------------------------------------------------------------------

    def lock_now(self) -> None:
        if self._session.desk is None:
            raise Refused("Nothing is open that could be locked away.")
        self.lock.lock("You locked it.")

    def ask_lock(self) -> LockSettingsDialog:
        """Asks after how many minutes the window locks by itself."""
        now = self._settings()

        def take(server: int, file: int) -> None:
            self._keep(replace(self._settings(), lock_server=server, lock_file=file))
            self._settle()

        dialog = LockSettingsDialog(now.lock_server, now.lock_file, take, self._window)
        dialog.open()
        return dialog

    def close(self) -> None:
        """The window goes."""
        self.lock.stop()
        self.presence.end()

    def _settle(self) -> None:
        """Another store is open: it locks after its own time."""
        settings, seat = self._settings(), self._session.seat
        minutes = settings.lock_server if seat.membership is not None else settings.lock_file
        if self._session.desk is None:
            minutes = 0
        if minutes != self.lock.minutes:
            self.lock.set_minutes(minutes)
        if minutes:
            self.presence.begin()
        else:
            self.presence.end()

    def _cover(self, why: str) -> None:
        who = self._session.seat.membership
        if who is not None:
            person = who.person
            name = f"{person.full_name} ({person.email})" if person.full_name else person.email
            words = f"{name} is signed in to {who.name}. Type the password of that sign-in."
        elif self._keeper.asks_key:
            words = "The open workspace is encrypted. Type its passphrase, or its recovery key from the print."
        elif self._keeper.is_encrypted:
            words = "The key of the open workspace is in the keyring of this computer, which is asked to unlock it."
        else:
            words = "The open workspace has no password: whoever sits at this computer may unlock the window."
        self.curtain.draw(
            why, words, needs_password=who is not None or self._keeper.asks_key, may_leave=who is not None
        )
        self.locked.emit(True)

    def _uncover(self) -> None:
        self.curtain.open()
        self.locked.emit(False)

    def _unlock(self, password: str) -> None:
        if self._session.seat.membership is not None:
            self._register.prove(password, self.lock.unlock, lambda refused: self.screen.say(refused.message))
        elif not self._keeper.is_encrypted:
            self.lock.unlock()
        elif self.lock.waits:
            self.screen.say(f"Too many wrong passphrases; try again in {self.lock.waits:.0f} seconds.")
        else:
            self._keeper.prove(password, self.lock.unlock, self._wrong_key)

    def _wrong_key(self, refused: Refused) -> None:
        self.lock.wrong()
        self.screen.say(refused.message)

    def _leave(self) -> None:
        """Signs out of a locked window."""
        self.curtain.drop()
        self._session.seat.sign_out()
        self.lock.unlock()


def _typed_each_time(why_no_keyring: str) -> str:
    """Why no password can be remembered, as a sentence; empty where it can."""
    return f"{why_no_keyring.partition(';')[0]}, so the password is typed each time." if why_no_keyring else ""
