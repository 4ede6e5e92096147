"""What a person typed and did not store yet: kept on this computer within a second, and offered at the next start.

Those who hold such changes say what they are (a `Source`); this looks at them twice a second, because a half-typed
field sends no signal. What is kept is encrypted with the key of an encrypted workspace, and with one made from the
password where a server is open (`store/local/recovery.py`).
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from clo_desktop import paths
from clo_desktop.faults import Refused
from clo_desktop.progress import Progress
from clo_desktop.store.local import driver, recovery
from clo_desktop.store.local.recovery import Left, Slip
from clo_desktop.work.lanes import DATABASE
from clo_desktop.work.session import Session

BEAT: Final = 400
"""Milliseconds between looks at what is unsaved; with the write that is under a second."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not stored. words  for people;  data  for whom it came from, of JSON's types"""

    words: str
    data: Any


@dataclass(frozen=True, slots=True)
class Source:
    """Something that can hold a change.

    kind     names it in the file;  look  what is unsaved there, None for nothing
    restore  takes it back; it raises ValueError, KeyError, TypeError or Refused where it cannot
    ready    whether it can be taken back yet, with the deal open
    outlives whether it is kept where a window is closed in the ordinary way too: it should have been stored
    """

    kind: str
    look: Callable[[], Change | None]
    restore: Callable[[Any], object]
    ready: Callable[[], bool] = lambda: True
    outlives: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """What a window that died had not stored.  changes  kind, words and data of each;  at  the local time"""

    left: Left
    deal: str
    at: dt.datetime
    changes: tuple[tuple[str, str, Any], ...]

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(words for _, words, _ in self.changes)


class Unsaved(QObject):
    """Of one window. Looks on the GUI thread, writes in a thread of its own: no long work delays it.

    found  carries a Found, once the workspace is open and its deals are listed
    """

    found = Signal(object)

    def __init__(self, session: Session, sources: Sequence[Source], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._sources = {source.kind: source for source in sources}
        self._slip: Slip | None = None
        self._key: bytes | None = None
        self._said = ""  # what the file says, "" where there is none
        self._pen = ThreadPoolExecutor(1, "clo-unsaved")
        self._last: Future[None] | None = None
        self._todo: list[Found] = []
        self._taking: Found | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(BEAT)
        self._timer.timeout.connect(self.look)
        self._unlisted = False
        session.opened.connect(self._opened)
        session.deals_changed.connect(self._search)
        session.leaving.connect(lambda _desk: self._leaving())
        session.book_changed.connect(lambda _book: self._try())
        session.projection_changed.connect(lambda _timed: self._try())

    # -- keeping ------------------------------------------------------------------------------------------------------

    def look(self) -> None:
        """Writes what is unsaved now, if that is not what was written last."""
        who = self._session.seat.membership
        if who is not None and self._slip is not None and who.slip_key != self._key:  # the password is another
            self._pen.submit(self._slip.drop)
            self._begin(who.slip_key)
        if self._taking is None:
            self._keep(self._changes())

    def settle(self) -> None:
        """Waits until what was looked at last is written."""
        if self._last is not None:
            self._last.result()

    def _changes(self, *, outliving: bool = False) -> list[tuple[str, str, Any]]:
        found = []
        for source in self._sources.values():
            try:
                change = source.look() if not outliving or source.outlives else None
            except (Refused, ValueError):  # what cannot be written down cannot be kept
                continue
            if change is not None:
                found.append((source.kind, change.words, change.data))
        return found

    def _keep(self, changes: list[tuple[str, str, Any]]) -> None:
        said = json.dumps([self._session.deal or "", changes], ensure_ascii=False) if changes else ""
        if said == self._said or self._slip is None:
            return
        self._said, slip = said, self._slip
        at = dt.datetime.now().astimezone().isoformat(timespec="seconds")
        text = json.dumps({"deal": self._session.deal or "", "at": at, "changes": changes}, ensure_ascii=False)

        def write() -> None:
            try:
                slip.write(text) if said else slip.drop()
            except driver.errors(OSError) as reason:
                _log.warning("What is not stored yet could not be kept (%s).", reason)

        self._last = self._pen.submit(write)

    def _opened(self) -> None:
        """Another workspace is open, or the same under another key: what was left there is looked for."""
        desk, who = self._session.desk, self._session.seat.membership
        assert desk is not None
        self._let_go()
        self._todo, self._taking = [], None
        file = desk.store.file
        key = who.slip_key if who is not None else file.key if file is not None else None
        if who is not None and key is None:
            return  # nothing would keep it from other eyes
        self._begin(key)
        self._unlisted = True
        self._timer.start()

    def _begin(self, key: bytes | None) -> None:
        self._key, self._said = key, ""
        self._slip = Slip(paths.unsaved_folder(), self._session.where, key)

    def _search(self) -> None:
        """Once the deals of what was opened are listed."""
        desk, folder, where, key = self._session.desk, paths.unsaved_folder(), self._session.where, self._key
        if not self._unlisted or desk is None:
            return
        self._unlisted = False

        def work(_report: Progress) -> tuple[Found, ...]:
            read = (_read(left) for left in recovery.left(folder, where, key))
            return tuple(sorted((one for one in read if one is not None), key=lambda one: one.at, reverse=True))

        def done(all_of_them: tuple[Found, ...]) -> None:
            if self._session.desk is desk:
                self._todo = list(all_of_them)
                self._offer()

        self._session.start(DATABASE, "Look for unsaved changes", work, done)

    def _leaving(self) -> None:
        """The workspace is closed in the ordinary way: only what should have been stored is kept."""
        self._timer.stop()
        self._keep(self._changes(outliving=True))
        self._let_go()

    def _let_go(self) -> None:
        self._timer.stop()
        slip, self._slip, self._said = self._slip, None, ""
        if slip is not None:
            self._last = self._pen.submit(slip.leave)

    def close(self) -> None:
        """Nothing is looked at any more; waits for what is being written."""
        self._timer.stop()
        self._let_go()
        self._pen.shutdown()

    # -- what was found -----------------------------------------------------------------------------------------------

    def _offer(self) -> None:
        if self._todo:
            self.found.emit(self._todo.pop(0))

    def discard(self, found: Found) -> None:
        """It is not wanted; the next that was found is offered."""
        found.left.remove()
        self._offer()

    def restore(self, found: Found) -> None:
        """Takes it back once its deal is open; until then the file stays."""
        names = [deal.name for deal in self._session.deals]
        if found.deal and found.deal not in names:
            self._session.refused.emit(
                f"{found.deal} is not there any more, so what was unsaved of it stays where it is; it is offered again."
            )
            self._offer()
            return
        self._taking = found
        if found.deal and found.deal != self._session.deal:
            self._session.choose(found.deal)
        self._try()

    def _try(self) -> None:
        """Takes back what waits, once everything that it came from can take it."""
        QTimer.singleShot(0, self, self._take_back)  # after the panes heard of it too

    def _take_back(self) -> None:
        found = self._taking
        if found is None or (found.deal and self._session.deal != found.deal):
            return
        sources = [self._sources[kind] for kind, _, _ in found.changes if kind in self._sources]
        if not all(source.ready() for source in sources):
            return
        self._taking = None
        lost = []
        for kind, words, data in found.changes:
            try:
                self._sources[kind].restore(data)
            except (Refused, ValueError, KeyError, TypeError) as reason:
                _log.warning("An unsaved change (%s) could not be taken back: %s", kind, reason)
                lost.append(words)
        self.look()
        self.settle()
        found.left.remove()  # what was taken back is in the file of this window by now
        if lost:
            self._session.refused.emit(f"This could not be taken back: {'; '.join(lost)}. Type it again.")
        else:
            self._session.said.emit("What had not been stored is back in its place.")
        self._offer()


def _read(left: Left) -> Found | None:
    """What a file says; None for one that another version of the application wrote."""
    try:
        said = json.loads(left.text)
        changes = tuple((str(kind), str(words), data) for kind, words, data in said["changes"])
        return Found(left, str(said["deal"]), dt.datetime.fromisoformat(said["at"]), changes)
    except (ValueError, KeyError, TypeError):
        return None
