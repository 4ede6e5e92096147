"""Who writes a workspace: a lock file beside it, held by the window that has it open, gone with its process.

The lock is the operating system's, so a process that dies lets go of it; the text in the file says who it is.
Several stores of one process hold it together.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.store.local import header

_FAR: Final = 1 << 30  # where Windows locks a byte, far behind the text
_TRIES: Final = 5
_PAUSE: Final = 0.02  # seconds between tries

_mine: dict[Path, tuple[int, int]] = {}  # file -> descriptor, how many hold it
_guard = threading.Lock()


def lock_file(file: Path) -> Path:
    """The lock beside the workspace."""
    return file.with_name(f"{file.name}.lock")


@dataclass(frozen=True, slots=True)
class Holder:
    """This process's hold on a file, until `release`."""

    file: Path

    def release(self) -> None:
        with _guard:
            descriptor, count = _mine.get(self.file, (-1, 0))
            if count > 1:
                _mine[self.file] = descriptor, count - 1
            elif count == 1:
                del _mine[self.file]
                _let_go(self.file, descriptor)


def take(file: Path) -> Holder | str:
    """Hold `file` for writing, or the words for who does. Raises OSError where no lock file can be made."""
    file = file.absolute()
    with _guard:
        if file in _mine:
            descriptor, count = _mine[file]
            _mine[file] = descriptor, count + 1
            return Holder(file)
        for _ in range(_TRIES):
            descriptor = os.open(lock_file(file), os.O_RDWR | os.O_CREAT, 0o644)
            if not _lock(descriptor):
                os.close(descriptor)
                time.sleep(_PAUSE)  # who only looks whether it is held holds it for a moment
                continue
            if _is_still(file, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, json.dumps(_myself()).encode())
                _mine[file] = descriptor, 1
                return Holder(file)
            os.close(descriptor)  # the one before let go and removed it between our two steps
    return _who(file)


@contextmanager
def alone(file: Path) -> Iterator[None]:
    """While this process alone has the file. Raises Refused where another has it, or this one has it open."""
    if file.absolute() in _mine or header.is_open(file):
        raise Refused(f"{file} is open in this window; close it first.", code="read-only")
    try:
        taken = take(file)
    except OSError as reason:
        why = reason.strerror or str(reason)
        raise Refused(f"{file} cannot be changed ({why}); choose a folder you may write to.", code="folder") from reason
    if isinstance(taken, str):
        raise Refused(f"{file} is open for writing by {taken}; close it there first.", code="read-only")
    try:
        yield
    finally:
        taken.release()


def held_by_another(file: Path) -> str:
    """The words for the other process that holds `file`; empty where none does."""
    file = file.absolute()
    with _guard:
        if file in _mine:
            return ""
        try:
            descriptor = os.open(lock_file(file), os.O_RDWR)
        except OSError:
            return ""
        try:
            return "" if _lock(descriptor) else _who(file)
        finally:
            os.close(descriptor)


def _forget() -> None:
    """A forked child holds nothing: the locks are its parent's, who keeps them when the child closes its copies."""
    global _guard
    _guard = threading.Lock()
    for descriptor, _ in _mine.values():
        os.close(descriptor)
    _mine.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _myself() -> dict[str, str | int]:
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = "?"
    since = dt.datetime.now(dt.UTC).isoformat(timespec="minutes")
    return {"user": user, "host": socket.gethostname(), "process": os.getpid(), "since": since}


def _who(file: Path) -> str:
    try:
        said = json.loads(lock_file(file).read_text(encoding="utf-8")[:1000])
        since = dt.datetime.fromisoformat(said["since"]).astimezone()
        return f"{said['user']} on {said['host']} (process {said['process']}, since {since:%Y-%m-%d %H:%M})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another window"


def _is_still(file: Path, descriptor: int) -> bool:
    if sys.platform == "win32":
        return True
    try:
        return os.fstat(descriptor).st_ino == lock_file(file).stat().st_ino
    except OSError:
        return False


def _lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            os.lseek(descriptor, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _let_go(file: Path, descriptor: int) -> None:
    try:
        if sys.platform != "win32":
            lock_file(file).unlink(missing_ok=True)  # while it is held, so that no one takes a lock that is gone
        os.close(descriptor)
        if sys.platform == "win32":
            lock_file(file).unlink(missing_ok=True)
    except OSError:
        return
