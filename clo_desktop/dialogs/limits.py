"""Commands that a shared server would refuse are disabled, and say why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget

from clo_desktop.commands import COMMANDS
from clo_desktop.work import rights
from clo_desktop.work.session import Session

_SIGNED_IN: Final = ("signout", "password", "offline")
_OF_FILES: Final = ("backup", "restore", "encryption", "recovery")


class Limits(QObject):
    """Of the actions of a window, by the ids of their commands, and its pane of users."""

    def __init__(self, session: Session, actions: Mapping[str, QAction], users: QDockWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._users = users
        self._tips = {command.id: command.tip for command in COMMANDS}
        self._manages: bool | None = None
        session.seat.changed.connect(self.settle)
        self.settle()

    def settle(self) -> None:
        seat = self._session.seat
        for command in COMMANDS:
            if command.needs:
                self._allow(command.id, seat.why_not(command.needs))
        signed_in = seat.membership is not None
        for name in _SIGNED_IN:
            self._allow(name, "" if signed_in else "Nobody is signed in; File > Open server signs in to one.")
        for name in _OF_FILES:
            why = "A server's backups and its encryption are its administrators'; a workspace file has its own."
            self._allow(name, why if signed_in else "")
        manages = seat.membership is not None and not seat.why_not(rights.MANAGE)
        self._actions["pane.users"].setVisible(manages)
        if manages != self._manages:  # else whoever closed the pane would see it again at the next deal
            self._users.setVisible(manages)
            self._manages = manages

    def _allow(self, name: str, why_not: str) -> None:
        """Enables a command, or says on it why not."""
        action, tip = self._actions[name], self._tips[name]
        action.setEnabled(not why_not)
        action.setToolTip(why_not or tip)
        action.setStatusTip(why_not or tip)
