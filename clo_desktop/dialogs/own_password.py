"""One's own password: said again before something that needs it, and changed."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QCheckBox, QWidget

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.faults import Refused
from clo_desktop.look.fields import SecretField
from clo_desktop.store.passwords import LONGEST, SHORTEST, check_new


class StepUpDialog(AskingDialog):
    """Asks for the password again. `start` gets it and the dialog, and begins to check it."""

    def __init__(self, name: str, start: Callable[[str, StepUpDialog], object], parent: QWidget | None = None) -> None:
        words = (
            f"You are about to administer people of {name}. Type your own password again; it holds for five minutes."
        )
        super().__init__("Your password again", words, "Go on", parent)
        self._start = start
        self.password = SecretField("Your password")
        self.add_row("&Your password", self.password)
        self.resize(460, self.sizeHint().height())
        self.password.setFocus()

    def ask(self) -> None:
        if not self.password.text():
            raise Refused("Type your password.")
        self._start(self.password.text(), self)

    def refuse(self, refused: Refused) -> None:
        self.fail(refused.message, self.password)
        self.password.selectAll()


class ChangePasswordDialog(AskingDialog):
    """Asks for the present password and twice for the new one. `start` gets both and the dialog."""

    def __init__(
        self, name: str, start: Callable[[str, str, ChangePasswordDialog], object], parent: QWidget | None = None
    ) -> None:
        words = (
            f"Your password on {name}: {SHORTEST} characters or more, {LONGEST} bytes at most. Your other windows stay "
            "open; the next sign-in needs the new password."
        )
        super().__init__("Change my password", words, "Change", parent)
        self._start = start
        self.present = SecretField("Present password")
        self.new = SecretField("New password")
        self.again = SecretField("New password again")
        self.showing = QCheckBox("&Show what is typed")
        for field in (self.present, self.new, self.again):
            self.showing.toggled.connect(field.show_letters)
        self.add_row("&Present password", self.present)
        self.add_row("&New password", self.new)
        self.add_row("New password &again", self.again)
        self.add_wide(self.showing)
        self.resize(480, self.sizeHint().height())
        self.present.setFocus()

    def ask(self) -> None:
        if not self.present.text():
            self.fail("Type your present password.", self.present)
            return
        try:
            check_new(self.new.text())
        except Refused as refused:
            self.fail(refused.message, self.new)
            return
        if self.new.text() != self.again.text():
            self.fail("The two new passwords differ; type them again.", self.again)
            return
        if self.new.text() == self.present.text():
            self.fail("The new password is the present one; choose another.", self.new)
            return
        self._start(self.present.text(), self.new.text(), self)

    def refuse(self, refused: Refused) -> None:
        self.fail(refused.message, self.present if refused.code in ("wrong-password", "locked-out") else self.new)
