"""Keys of encrypted workspaces: 32 bytes, made at random or from a passphrase, and their form for paper.

The key from a passphrase is PBKDF2-HMAC-SHA512 over the file's salt with 256,000 rounds, SQLCipher 4's own derivation:
the same 32 bytes open the file, hence every encrypted file has a recovery key.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.store.local.header import SALT

KEY_BYTES: Final = 32
SHORTEST: Final = 12
"""Characters a passphrase must have."""

_ROUNDS: Final = 256_000
_CHECK: Final = 3  # bytes, so that the whole is 56 letters without padding
_GROUP: Final = 4


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens an encrypted file: a passphrase, or the key itself. Never shown in a message."""

    passphrase: str = field(default="", repr=False)
    key: bytes = field(default=b"", repr=False)

    def key_for(self, salt: bytes) -> bytes:
        """The 32 bytes that open the file with this salt (16 bytes)."""
        return self.key or derived(self.passphrase, salt)


def new_key() -> bytes:
    """32 random bytes."""
    return os.urandom(KEY_BYTES)


def new_salt() -> bytes:
    """16 random bytes."""
    return os.urandom(SALT)


def derived(passphrase: str, salt: bytes) -> bytes:
    """The key of a passphrase for the file with this salt (16 bytes); takes about 0.1 s."""
    return hashlib.pbkdf2_hmac("sha512", passphrase.encode(), salt, _ROUNDS, KEY_BYTES)


def check_passphrase(passphrase: str) -> str:
    """What is wrong with a new passphrase, as a sentence; empty where nothing is."""
    if len(passphrase) < SHORTEST:
        return f"The passphrase is short; take {SHORTEST} characters or more, for instance four words."
    if passphrase != passphrase.strip():
        return "The passphrase begins or ends with a space; leave it out."
    if "\n" in passphrase or "\0" in passphrase:
        return "The passphrase holds a character that cannot be typed again; take letters, digits and signs."
    return ""


def recovery_text(key: bytes) -> str:
    """The key for paper: 14 groups of four letters and digits, the last of which catch a slip of the pen."""
    letters = base64.b32encode(key + _check(key)).decode()
    return "-".join(letters[i : i + _GROUP] for i in range(0, len(letters), _GROUP))


def from_recovery_text(text: str) -> bytes | None:
    """The key that was printed; None for what is no recovery key. Raises Refused for one with a slip in it.

    Case, spaces and hyphens do not count; 0, 1 and 8, which no recovery key has, are read as O, I and B.
    """
    letters = re.sub(r"[\s-]", "", text).upper().translate(str.maketrans("018", "OIB"))
    if not re.fullmatch(r"[A-Z2-7]{56}", letters):
        return None
    both = base64.b32decode(letters)
    key = both[:KEY_BYTES]
    if both[KEY_BYTES:] != _check(key):
        raise Refused("The recovery key has a slip in it; compare it with the print, group by group.", code="key")
    return key


def secret_of(text: str) -> Secret:
    """What a person or a file gives: a recovery key where it is one, else a passphrase. Raises Refused for a slip."""
    key = from_recovery_text(text)
    return Secret(key=key) if key is not None else Secret(passphrase=text)


def secret_in(file: Path) -> Secret:
    """The passphrase or recovery key on the first line of `file`. Raises Refused where there is none."""
    try:
        text = file.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as reason:
        raise Refused(
            f"The key file {file} cannot be read; name a text file that you may read.", code="key"
        ) from reason
    if not text.strip():
        raise Refused(
            f"The key file {file} is empty; its first line is the passphrase or the recovery key.", code="key"
        )
    return secret_of(text)


def _check(key: bytes) -> bytes:
    return hashlib.sha256(b"CLO Desktop recovery key" + key).digest()[:_CHECK]
