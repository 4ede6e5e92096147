"""The keys of the audits of workspace files, one for each trail, in a folder of the user's own.

A trail is named in its workspace, so a file that was copied or renamed on this computer finds its key again. Who may
read this folder can make a false audit that verifies: the audit of a file is evidence against others, not against its
owner.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import Final

from clo_desktop import paths

_BYTES: Final = 32
_BLOCK: Final = 64  # of SHA-256


class Key:
    """An HMAC-SHA-256 key made ready: the two padded blocks are hashed once, which halves the cost of a line."""

    def __init__(self, secret: bytes) -> None:
        block = secret.ljust(_BLOCK, b"\0")
        self._inner = hashlib.sha256(bytes(b ^ 0x36 for b in block))
        self._outer = hashlib.sha256(bytes(b ^ 0x5C for b in block))
        self.name = hashlib.sha256(b"name of the key " + secret).hexdigest()[:8]
        """Tells keys apart without telling them."""

    def mac(self, message: bytes) -> str:
        """HMAC-SHA-256 in hexadecimal (RFC 2104)."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.hexdigest()


def folder() -> Path:
    """Where the keys are."""
    return paths.audit_folder() / "keys"


def find(trail: str) -> Key | None:
    """The key of a trail, or None where this computer has none. Raises OSError where it cannot be read."""
    file = _file(trail)
    if not file.exists():
        return None
    secret = file.read_bytes()
    if len(secret) != _BYTES:
        raise OSError(f"{file} holds no key")
    return Key(secret)


def make(trail: str) -> Key:
    """The key of a trail, made where there is none. Raises OSError where the folder cannot be written."""
    file = _file(trail)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(_BYTES))
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(draft, file)  # all or nothing, and never over the key of who was first
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        if not file.exists():
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    found = find(trail)
    assert found is not None
    return found


def _file(trail: str) -> Path:
    if not re.fullmatch(r"[0-9a-f-]{36}", trail):
        raise OSError("the workspace names no audit trail")
    return folder() / f"{trail}.key"
