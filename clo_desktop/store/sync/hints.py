"""Hearing that someone else changed a deal, soon after they did.

A server's triggers notify whoever listens, with the deal's number and version only. Anybody can send such a message and
none may arrive, so it is a hint to look: what changed is read from the server, at every hint, after every reconnection,
and every half minute in any case.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from clo_desktop.faults import Refused
from clo_desktop.store.store import Store
from clo_desktop.store.sync.copies import Mark
from clo_desktop.store.sync.server import StoreServer

CHANNEL: Final = "clo_deals"
POLL: Final = 30.0
"""Seconds between two looks without a hint."""

_TICK: Final = 0.25
_LONGEST_PAUSE: Final = 30.0


class Hints:
    """Tells of deals that changed on a server, from a thread of its own, until `stop`.

    changed  called with the names of deals that were changed, made or deleted, or came or went with one's rights
    reached  called with True when the server is reached and False when it is lost

    Both are called in the thread; the window passes them on by a signal.
    """

    def __init__(
        self,
        store: Store,
        changed: Callable[[frozenset[str]], None],
        reached: Callable[[bool], None] = lambda _: None,
        *,
        poll: float = POLL,
    ) -> None:
        self._store = store
        self._server = StoreServer(store)
        self._changed, self._reached = changed, reached
        self._poll = poll
        self._known: dict[str, Mark] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)

    def start(self) -> None:
        """Begin to listen; what the server has at first is no change."""
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End the thread, waiting for it up to `patience` seconds."""
        self._stopped.set()
        self._thread.join(patience)

    def _run(self) -> None:
        failed = 0
        while not self._stopped.is_set():
            try:
                with self._store.dedicated() if self._store.is_server else nullcontext() as raw:
                    if raw is not None:
                        _begin_to_listen(raw)
                    self._look()  # after LISTEN, so that nothing falls between
                    failed = 0
                    self._reached(True)
                    self._listen(raw)
            except Refused:
                if not failed:
                    self._reached(False)
                failed += 1
                self._stopped.wait(min(_LONGEST_PAUSE, 0.5 * 2 ** min(failed, 6)) * random.uniform(0.5, 1.0))

    def _listen(self, raw: Any | None) -> None:
        """Look at every hint and at every poll, until stopped. Raises where the connection is lost."""
        waited = 0.0
        while not self._stopped.is_set():
            if raw is None:
                self._stopped.wait(_TICK)
            heard = raw is not None and _heard(raw)
            waited += _TICK
            if heard or waited >= self._poll:
                waited = 0.0
                self._look()

    def _look(self) -> None:
        marks = self._server.marks()
        known, self._known = self._known, marks
        if known is None:
            return
        names = {name for name in marks.keys() | known.keys() if marks.get(name) != known.get(name)}
        if names and not self._stopped.is_set():
            self._changed(frozenset(names))


def _begin_to_listen(raw: Any) -> None:
    with _losing():
        raw.execute(f"LISTEN {CHANNEL}")


def _heard(raw: Any) -> bool:
    """Whether a hint came within a tick; several at once are one. Raises Refused where the connection is lost."""
    with _losing():
        return bool(list(raw.notifies(timeout=_TICK, stop_after=1)))


@contextmanager
def _losing() -> Iterator[None]:
    import psycopg

    try:
        yield
    except psycopg.Error as reason:
        raise Refused("The connection to the server was lost.", code="no-server") from reason
