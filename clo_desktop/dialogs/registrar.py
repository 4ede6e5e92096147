"""Asks what an administrator is to decide about people, and for the password before any of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox, QWidget

from clo_desktop.dialogs.own_password import StepUpDialog
from clo_desktop.dialogs.people import DealsDialog, InitialPasswordDialog, NewPersonDialog, RoleDialog
from clo_desktop.faults import Refused
from clo_desktop.look.words import as_text
from clo_desktop.store.server.people import Person
from clo_desktop.work.register import Register
from clo_desktop.work.session import Session


class Registrar(QObject):
    """The dialogs around a register, for a window."""

    def __init__(self, session: Session, register: Register, parent: QWidget) -> None:
        super().__init__(parent)
        self._session = session
        self._register = register
        self._window = parent
        register.step_up.connect(self.ask_password)
        register.password_made.connect(self.show_password)

    def acts(self) -> dict[str, Callable[[str], object]]:
        """What can be done, by the words of the pane; each gets an e-mail address."""
        register = self._register
        return {
            "new": lambda _email: self.ask_new(),
            "role": self.ask_role,
            "deals": self.ask_deals,
            "deactivate": self.ask_deactivate,
            "activate": lambda email: register.set_active(email, True),
            "reset": self.ask_reset,
            "unlock": register.unlock,
            "sessions": self.ask_end,
        }

    def ask_password(self, again: Callable[[], object]) -> StepUpDialog | None:
        """Asks for the own password, then does what waits for it."""
        who = self._session.seat.membership
        if who is None:
            return None

        def start(password: str, dialog: StepUpDialog) -> None:
            def done() -> None:
                dialog.done_well()
                again()

            dialog.doing(self._register.prove(password, done, dialog.refuse))

        dialog = StepUpDialog(who.name, start, self._window)
        dialog.open()
        return dialog

    def show_password(self, email: str, password: str) -> InitialPasswordDialog:
        dialog = InitialPasswordDialog(email, password, self._window)
        dialog.open()
        return dialog

    def ask_new(self) -> NewPersonDialog:
        dialog = NewPersonDialog(self._register.create, self._window)
        dialog.open()
        return dialog

    def ask_role(self, email: str) -> RoleDialog:
        dialog = RoleDialog(self._person(email), lambda role: self._register.set_role(email, role), self._window)
        dialog.open()
        return dialog

    def ask_deals(self, email: str) -> DealsDialog | None:
        person = self._person(email)
        if person.role == "admin":
            self._session.said.emit(f"{email} is an administrator, for whom every deal is open.")
            return None
        deals = self._register.listed.deals
        dialog = DealsDialog(person, deals, lambda wanted: self._register.assign(email, wanted), self._window)
        dialog.open()
        return dialog

    def ask_deactivate(self, email: str) -> QMessageBox:
        words = f"Shut {email} out? Open windows of theirs end at once; what they stored stays, and so do their deals."
        return self._ask("Deactivate", words, lambda: self._register.set_active(email, False))

    def ask_reset(self, email: str) -> QMessageBox:
        words = f"Give {email} another initial password? The present one is of no use from then on."
        return self._ask("Reset password", words, lambda: self._register.reset_password(email))

    def ask_end(self, email: str) -> QMessageBox:
        words = f"End what {email} has open? They may sign in again."
        return self._ask("End sessions", words, lambda: self._register.end_sessions(email))

    def _ask(self, title: str, words: str, act: Callable[[], object]) -> QMessageBox:
        box = QMessageBox(QMessageBox.Icon.Question, title, as_text(words), parent=self._window)
        yes = box.addButton(title, QMessageBox.ButtonRole.AcceptRole)
        box.addButton(QMessageBox.StandardButton.Cancel)
        box.buttonClicked.connect(lambda button: act() if button is yes else None)
        box.open()
        return box

    def _person(self, email: str) -> Person:
        found = self._register.listed.find(email)
        if found is None:
            raise Refused("Choose a person in the list first.")
        return found
