"""The bcrypt column: hashes that Python and pgcrypto both understand, and the rules a password has to keep.

bcrypt reads 72 bytes. pgcrypto cuts what is longer and PostgreSQL knows no NUL, so both are refused here, before either
could take two different passwords for one. pgcrypto knows the prefix `$2a$` only: for Python's own `$2b$` it gives
another hash without a word, and the right password would be wrong forever.
"""

from __future__ import annotations

import re
from typing import Final

import bcrypt

from clo_desktop.faults import Refused

LONGEST: Final = 72
"""Bytes of UTF-8 that bcrypt reads."""

SHORTEST: Final = 12
"""Characters of a new password."""

COST_ON_SERVER: Final = 11
COST_HERE: Final = 12

_HASH: Final = re.compile(r"\$2([abxy])\$(\d\d)\$[./A-Za-z0-9]{53}")


def check_new(password: str) -> None:
    """Raises Refused for a password that nobody should get: too short, too long, or with a NUL."""
    if len(password) < SHORTEST:
        raise Refused(f"The password has fewer than {SHORTEST} characters; choose a longer one.", code="password")
    if len(password.encode()) > LONGEST:
        raise Refused(f"The password has more than {LONGEST} bytes; choose a shorter one.", code="password")
    if "\0" in password:
        raise Refused("The password holds a NUL character; choose one that can be typed.", code="password")


def hashed(password: str, cost: int = COST_HERE) -> str:
    """The bcrypt hash, prefix `$2a$`. Raises Refused as `check_new` does. Takes 0.1 s and more: not on a GUI thread."""
    check_new(password)
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(cost, prefix=b"2a")).decode()


def matches(password: str, known: str) -> bool:
    """Whether `password` is the one that was hashed; one that no hash can be of is no match."""
    said = password.encode()
    if len(said) > LONGEST or b"\0" in said:
        return False
    return bcrypt.checkpw(said, imported(known).encode())


def imported(known: str) -> str:
    """A hash of another system with the prefix of ours: `$2b$` and `$2y$` are the same function as `$2a$`.

    Raises Refused for what is no such hash, and for `$2x$`, which a faulty program made.
    """
    found = _HASH.fullmatch(known)
    if found is None or found[1] == "x":
        raise Refused("A stored password is no bcrypt hash of kind 2a, 2b or 2y; reset that password.", code="password")
    return f"$2a${known[4:]}"
