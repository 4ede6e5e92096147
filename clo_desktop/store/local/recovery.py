"""What is not stored yet, kept on this computer so that a window that dies does not take it along.

A small database file of one row for each window, made by the drivers of workspaces: encrypted with the key of what is
open where that has one, so that it says nothing that the workspace would not. The window that writes a file holds it
locked; a file that nobody holds was left by one that died.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.store.local import driver, files, keys, vault

_ENDING: Final = ".unsaved"
_SALT: Final = ".salt"


@dataclass(frozen=True, slots=True)
class Left:
    """What a window that died had not stored. file  where it is kept until `remove`"""

    file: Path
    text: str

    def remove(self) -> None:
        files.remove(self.file)


class Slip:
    """The file of one window on one workspace; `key` (32 bytes) encrypts it, None leaves it plain.

    Used by one thread at a time. Methods raise what the driver raises, or OSError.
    """

    def __init__(self, folder: Path, where: str, key: bytes | None) -> None:
        self.file = folder / f"{_mark(where)}-{uuid.uuid4().hex[:8]}{_ENDING}"
        self._key = key
        self._raw: driver.Raw | None = None

    def write(self, text: str) -> None:
        """Keeps this and nothing else; once it returns, a process that dies does not lose it."""
        if self._raw is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            self._raw = driver.connect(self.file, self._key, salt=keys.new_salt() if self._key else b"")
            self._raw.execute("PRAGMA locking_mode = EXCLUSIVE").close()  # held from the first write to the end
            self._raw.execute("PRAGMA secure_delete = ON").close()
            self._raw.execute("CREATE TABLE unsaved (one INTEGER PRIMARY KEY CHECK (one = 1), said TEXT NOT NULL)")
        self._raw.execute("INSERT OR REPLACE INTO unsaved VALUES (1, ?)", (text,)).close()

    def drop(self) -> None:
        """Nothing is unsaved any more: without the file."""
        self.leave()
        files.remove(self.file)

    def leave(self) -> None:
        """Lets go of the file as it is: whoever opens the workspace next finds it."""
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()


def left(folder: Path, where: str, key: bytes | None) -> tuple[Left, ...]:
    """What windows on this workspace left that died, in no order.

    A file that `key` does not open is of no use to anyone (the workspace has another key by now) and is removed.
    """
    found = []
    for file in sorted(folder.glob(f"{_mark(where)}-*{_ENDING}")):
        try:
            with driver.connected(file, key) as raw:
                raw.execute("PRAGMA busy_timeout = 0").close()
                text = driver.value(raw, "SELECT said FROM unsaved")
        except driver.errors(OSError) as reason:
            if "not a database" in str(reason):  # else another window holds it, or is about to
                files.remove(file)
            continue
        if text is not None:
            found.append(Left(file, str(text)))
    return tuple(found)


def key_from(folder: Path, where: str, password: str) -> bytes | None:
    """The key (32 bytes) of what somebody has not stored on a server, from the password; takes about 0.1 s.

    Whoever signs in without one has a key of the keyring. None where there is neither: then nothing is kept.
    """
    file = folder / f"{_mark(where)}{_SALT}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError), file.open("xb") as made:
            made.write(keys.new_salt())
        salt = file.read_bytes()
        if password:
            return keys.derived(password, salt)
        if (key := vault.find(salt)) is None:
            vault.keep(salt, key := keys.new_key())
    except (OSError, Refused):
        return None
    return key


def _mark(where: str) -> str:
    return hashlib.sha256(where.encode()).hexdigest()[:24]
