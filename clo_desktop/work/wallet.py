"""The keyring of the computer, asked beside the window: it may wait for a person, or for a service that never answers.

Not in a lane: what hangs there would hold up the workspace, and the end of the application.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from clo_desktop.faults import Refused
from clo_desktop.store.local import vault

T = TypeVar("T")


class Wallet(QObject):
    """Lives on the GUI thread; what it is asked is done in threads that nobody waits for, one after the other."""

    _came = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._turn = threading.Lock()
        self._came.connect(self._told)

    def ask(
        self,
        work: Callable[[], T],
        done: Callable[[T], object],
        owner: QObject,
        failed: Callable[[Refused], object] | None = None,
    ) -> None:
        """Does `work`; on the GUI thread `done` gets what it gave, if `owner` is there still; `failed` a refusal."""

        def run() -> None:
            told: Callable[[], object]
            try:
                with self._turn:
                    outcome = work()
                told = lambda: done(outcome)  # noqa: E731
            except Refused as refused:
                reason = refused
                told = lambda: failed(reason) if failed is not None else None  # noqa: E731
            try:
                self._came.emit((owner, told))
            except RuntimeError:  # the window is gone
                return

        threading.Thread(target=run, name="keyring", daemon=True).start()

    def why_not(self, done: Callable[[str], object], owner: QObject) -> None:
        """Why no keyring can be used, as a sentence; empty where one can."""
        self.ask(why_no_keyring, done, owner)

    @staticmethod
    def _told(answer: tuple[QObject, Callable[[], Any]]) -> None:
        owner, told = answer
        if isValid(owner):
            told()


def why_no_keyring() -> str:
    """Why no keyring can be used, as a sentence; empty where one can. May take as long as the system likes."""
    try:
        vault.system_keyring()
    except Refused as reason:
        return reason.message
    return ""
