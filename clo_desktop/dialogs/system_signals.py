"""What a Linux system says over D-Bus about itself: its screen was locked, it goes to sleep or woke up.

PySide's own `QDBusConnection.connect` refuses every slot, so the messages are read with jeepney, from the event loop.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from PySide6.QtCore import QObject, QSocketNotifier, Signal

_log = logging.getLogger(__name__)

_PATIENCE: Final = 1.0  # seconds the bus may take to answer; it is on this computer
_WATCHED: Final = {
    "SESSION": (
        ("org.freedesktop.ScreenSaver", "ActiveChanged"),
        ("org.gnome.ScreenSaver", "ActiveChanged"),
    ),
    "SYSTEM": (("org.freedesktop.login1.Manager", "PrepareForSleep"),),
}


class SystemSignals(QObject):
    """Listens from `begin` to `end`; a system without a bus says nothing.

    covered  the screen lock came on (True) or went;  sleeps  the system is about to sleep (True) or woke up
    """

    covered = Signal(bool)
    sleeps = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open: list[tuple[Any, QSocketNotifier]] = []

    def begin(self) -> None:
        for bus, wanted in _WATCHED.items():
            try:
                connection = _connected(bus, wanted)
            except Exception as reason:  # no bus, one that refuses, or no jeepney: idle time and sleep still lock
                _log.info("The %s bus is not listened to (%s).", bus.lower(), type(reason).__name__)
                continue
            notifier = QSocketNotifier(connection.sock.fileno(), QSocketNotifier.Type.Read, self)
            notifier.activated.connect(lambda *_, c=connection, n=notifier: self._read(c, n))
            self._open.append((connection, notifier))

    def end(self) -> None:
        for connection, notifier in self._open:
            notifier.setEnabled(False)
            connection.close()
        self._open = []

    def _read(self, connection: Any, notifier: QSocketNotifier) -> None:
        """Everything that has come."""
        while True:
            try:
                message = connection.receive(timeout=0)
            except TimeoutError:
                return
            except Exception:  # the bus went away
                notifier.setEnabled(False)
                return
            name = next((value for field, value in message.header.fields.items() if field.name == "member"), "")
            if message.body and name == "ActiveChanged":
                self.covered.emit(bool(message.body[0]))
            elif message.body and name == "PrepareForSleep":
                self.sleeps.emit(bool(message.body[0]))


def _connected(bus: str, wanted: tuple[tuple[str, str], ...]) -> Any:
    """A connection to a bus that sends us these signals."""
    from jeepney import MatchRule, message_bus
    from jeepney.io.blocking import open_dbus_connection

    connection = open_dbus_connection(bus=bus)
    for interface, member in wanted:
        rule = MatchRule(type="signal", interface=interface, member=member)
        connection.send_and_get_reply(message_bus.AddMatch(rule), timeout=_PATIENCE)
    return connection
