"""How a workspace file is to be opened, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clo_desktop.store.local.holder import Holder
from clo_desktop.store.local.keys import Secret


@dataclass(frozen=True, slots=True)
class Manner:
    """What the caller wants of a workspace file. As it stands: what the command line wants of a file that it names.

    secret   passphrase or key of an encrypted file, or of one that is made; None: the keyring has it
    keep     put the key into the keyring once it has opened the file, so that it is not asked for again
    encrypt  a file that is made anew is encrypted: with `secret`, else with a key that the keyring keeps
    alone    hold the file for writing as long as it is open; held by another, it is opened to read only
    daily    make the first backup of the day
    reading  open it to read only
    """

    secret: Secret | None = None
    keep: bool = False
    encrypt: bool = False
    alone: bool = False
    daily: bool = False
    reading: bool = False


AS_NAMED: Final = Manner()
"""How the command line opens a file that it names."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A file that has passed the checks.

    key           of an encrypted file; salt  of one that is to be made
    reading_only  why it may only be read, as a sentence; empty where it may be written
    holder        this process's hold on it, if one was wanted
    """

    file: Path
    key: bytes | None = field(default=None, repr=False)
    salt: bytes = b""
    is_new: bool = False
    reading_only: str = ""
    holder: Holder | None = None

    def release(self) -> None:
        """Let go of the file."""
        if self.holder is not None:
            self.holder.release()
