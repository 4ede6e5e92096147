"""Commands that a shared server would refuse are disabled, and say why."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDockWidget

from clo_desktop.commands import COMMANDS
from clo_desktop.work import rights
from clo_desktop.work.session import Session

_SIGNED_IN = ("signout", "password", "offline")


class Limits(QObject):
    """Of the actions of a window, by the ids of their commands, and its pane of users."""

    def __init__(self, session: Session, actions: Mapping[str, QAction], users: QDockWidget, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._actions = actions
        self._users = users
        self._manages: bool | None = None
        session.seat.changed.connect(self.settle)
        self.settle()

    def settle(self) -> None:
        seat = self._session.seat
        for command in COMMANDS:
            if command.needs:
                action, why = self._actions[command.id], seat.why_not(command.needs)
                action.setEnabled(not why)
                action.setToolTip(why or command.tip)
                action.setStatusTip(why or command.tip)
        for name in _SIGNED_IN:
            self._actions[name].setEnabled(seat.membership is not None)
        manages = seat.membership is not None and not seat.why_not(rights.MANAGE)
        self._actions["pane.users"].setVisible(manages)
        if manages != self._manages:  # else whoever closed the pane would see it again at the next deal
            self._users.setVisible(manages)
            self._manages = manages
