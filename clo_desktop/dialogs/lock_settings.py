"""After how many minutes without a person the window locks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QSpinBox, QWidget

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.settings import LONGEST_IDLE


class LockSettingsDialog(AskingDialog):
    """Minutes for a shared server and for a workspace file; 0 is never. `take` gets both."""

    def __init__(
        self, server: int, file: int, take: Callable[[int, int], object], parent: QWidget | None = None
    ) -> None:
        words = (
            "A locked window shows nothing of a deal, and keeps what was typed. Where it locks by itself it does so "
            "when the computer sleeps too. File > Lock now locks at once."
        )
        super().__init__("Lock", words, "Keep", parent)
        self._take = take
        self.server = _minutes("Minutes with a shared server", server)
        self.file = _minutes("Minutes with a workspace file", file)
        self.add_row("With a shared &server, after", self.server)
        self.add_row("With a workspace &file, after", self.file)
        self.resize(480, self.sizeHint().height())

    def ask(self) -> None:
        self._take(self.server.value(), self.file.value())
        self.done_well()


def _minutes(name: str, value: int) -> QSpinBox:
    made = QSpinBox()
    made.setAccessibleName(name)
    made.setRange(0, LONGEST_IDLE)
    made.setSuffix(" minutes")
    made.setSpecialValueText("never")
    made.setValue(value)
    return made
