"""Buttons and acts that need a right: enabled where the pane wants that and the person may, with the reason otherwise.

A pane says once what an act needs (`work/rights.py`); it goes on saying `setEnabled` and `setToolTip` as of any button.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QPushButton

from clo_desktop.work.seat import Seat

NEEDS: Final = "needs"
"""The Qt property that names the right."""


class PermitButton(QPushButton):
    """A button. needs  the right; "" for none, until `need` says otherwise"""

    def __init__(self, seat: Seat | None, needs: str, words: str = "", tip: str = "") -> None:
        super().__init__(words)
        self._seat = seat
        self._wanted, self._tip = True, tip
        self.setProperty(NEEDS, needs)
        if seat is not None:
            seat.changed.connect(self.settle)
        self.settle()

    def need(self, seat: Seat, needs: str) -> None:
        """It does something else from now on, which needs this right."""
        if self._seat is None:
            self._seat = seat
            seat.changed.connect(self.settle)
        self.setProperty(NEEDS, needs)
        self.settle()

    @property
    def why_not(self) -> str:
        """Why the person may not press it, as a sentence; empty where they may."""
        return self._seat.why_not(self.property(NEEDS)) if self._seat is not None else ""

    def setEnabled(self, on: bool) -> None:
        self._wanted = on
        self.settle()

    def setToolTip(self, tip: str) -> None:
        self._tip = tip
        self.settle()

    def settle(self) -> None:
        why = self.why_not
        super().setEnabled(self._wanted and not why)
        super().setToolTip(why or self._tip)


class Permitted:
    """An act with the right that it needs, for empty states that offer it with a button."""

    def __init__(self, seat: Seat, needs: str, act: Callable[[], object]) -> None:
        self.seat, self.needs, self._act = seat, needs, act

    def __call__(self) -> None:
        self._act()


def permit_action(action: QAction, seat: Seat, needs: str, tip: str, owner: QObject) -> None:
    """Enables an entry of a menu where the person may, and says why elsewhere."""
    action.setProperty(NEEDS, needs)

    def settle() -> None:
        why = seat.why_not(needs)
        action.setEnabled(not why)
        action.setToolTip(why or tip)
        action.setStatusTip(why or tip)

    seat.changed.connect(settle)
    owner.setProperty("toolTipsVisible", True)  # menus show none of their own accord
    settle()
