"""When the lines of a server are chained: soon after each commit, by a thread of the client, and at once where asked.

A seal is a transaction of its own with a flush to disk of its own. So it is not on the path of who saves, and commits
that follow each other closely share one.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import threading
import time
from collections.abc import Sequence
from typing import Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from clo_desktop.store.audit.anchors import Anchor

PAUSE: Final = 0.05
"""Seconds from a commit to the seal that takes its lines, and with them those of the commits in between."""

_SHARE: Final = 0.05
"""Of the time of a client that is spent on seals at most: where they are slow they are rarer."""

_LONGEST: Final = 5.0
"""Seconds from a commit to its seal where they are slow, or where someone else seals and does not end."""

_AGAIN: Final = (0.002, 0.01, 0.04)
"""Seconds between attempts of who must not wait for the next seal, while someone else seals."""

_SEAL: Final = "SELECT * FROM audit.seal()"
_ALONE: Final = "AUTOCOMMIT"

_log: Final = logging.getLogger(__name__)


class _Sealer:
    """Seals for the connections of one pool."""

    def __init__(self) -> None:
        self.head: Anchor | None = None
        self._pause = PAUSE
        self._alone = threading.Lock()  # one seal at a time
        self._state = threading.Lock()  # of the timer
        self._timer: threading.Timer | None = None

    def soon(self, engine: sa.Engine) -> None:
        with self._state:
            if self._timer is not None:
                return  # it has not begun, so it takes this commit, too
            timer = threading.Timer(max(PAUSE, self._pause), self._in_time, (engine,))
            timer.name, timer.daemon = "seal of the audit", True
            with contextlib.suppress(RuntimeError):  # the program is ending: closing seals
                timer.start()
                self._timer = timer

    def _in_time(self, engine: sa.Engine) -> None:
        with self._state:
            self._timer = None
        if _SEALERS.get(engine.pool) is not self:
            return  # the store was closed meanwhile
        begun = time.monotonic()
        if self._seal(engine, ()):
            self._pause = min((time.monotonic() - begun) / _SHARE, _LONGEST)
        else:
            self._pause = min(max(PAUSE, self._pause) * 2, _LONGEST)
            self.soon(engine)

    def now(self, engine: sa.Engine) -> None:
        with self._state:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = None
        if not self._seal(engine, _AGAIN):
            _log.info("Lines of the audit wait for the next seal: others are sealing.")

    def _seal(self, engine: sa.Engine, pauses: Sequence[float]) -> bool:
        """Whether there is nothing to be done again: not while another seals, who may not see our lines."""
        try:
            with self._alone, engine.execution_options(isolation_level=_ALONE).connect() as on:
                for pause in (*pauses, 0.0):
                    row = on.exec_driver_sql(_SEAL).one()
                    self.head = Anchor(str(row.trail), row.pos, row.link, dt.datetime.now(dt.UTC))
                    if row.sealed:
                        return True
                    time.sleep(pause)
            return False
        except sa.exc.SQLAlchemyError as reason:
            said = str(getattr(reason, "orig", None) or reason)
            _log.warning("Lines of the audit wait for the next seal: %s", said.partition("\n")[0])
            return True


_SEALERS: Final[WeakKeyDictionary[sa.Pool, _Sealer]] = WeakKeyDictionary()


def sealing(engine: sa.Engine) -> None:
    """From now on a commit through this engine is followed by a seal, if the server has an audit."""
    if engine.dialect.name == "sqlite":
        return
    with engine.connect() as on:
        there = "SELECT to_regprocedure('audit.seal()') WHERE has_schema_privilege(to_regnamespace('audit'), 'USAGE')"
        if on.exec_driver_sql(there).scalar() is not None:
            _SEALERS[engine.pool] = _Sealer()


def soon(engine: sa.Engine) -> None:
    """To be called after a commit: its lines are chained within `PAUSE` by a thread, and nobody waits for it.

    What goes wrong is logged and left to the next seal: the data are stored.
    """
    sealer = _SEALERS.get(engine.pool)
    if sealer is not None:
        sealer.soon(engine)


def now(engine: sa.Engine) -> None:
    """Chain at once whatever was committed; when this returns it is done, or the log says why not."""
    sealer = _SEALERS.get(engine.pool)
    if sealer is not None:
        sealer.now(engine)


def last_sealed(engine: sa.Engine) -> Anchor | None:
    """The head as the last seal of this engine gave it."""
    sealer = _SEALERS.get(engine.pool)
    return sealer.head if sealer is not None else None
