"""What a database says, said so that a person can mend it."""

from __future__ import annotations

import re
from typing import Final

from clo_desktop.faults import Refused

_NO_DATABASE: Final = re.compile(r'database ".*" does not exist')
"""SQLSTATE 3D000, of which the driver gives the words only."""

_SAYINGS: Final[tuple[tuple[tuple[str, ...], str, str], ...]] = (
    (
        ("user-defined function raised",),
        "audit",
        "The audit of {name} cannot be written, so nothing was saved: the folder of its key cannot be read or written;"
        " ask for the right to write there and try again.",
    ),
    (
        ("database is locked", "database table is locked", "lock timeout", "canceling statement due to lock"),
        "locked",
        "{name} is in use by another program; close that program or wait, then try again.",
    ),
    (
        ("file is not a database", "file is encrypted"),
        "no-workspace",
        "{name} is not a workspace of CLO Desktop; choose another file or a new name.",
    ),
    (
        ("disk image is malformed", "malformed database"),
        "damaged",
        "{name} is damaged; `clo restore` puts a backup in its place.",
    ),
    (
        ("row-level security policy", "insufficientprivilege"),  # SQLSTATE 42501; of files it is "folder"
        "rights",
        "You may not do this in {name}; ask an administrator for the role or the deal.",
    ),
    (
        ("certificate", "does not support ssl", "ssl error", "channel binding", "sslrootcert"),
        "certificate",
        "{name} could not prove who it is; its certificate has expired, has another name or another authority:"
        " ask its administrator, and name the authority's certificate in the address with sslrootcert=FILE.",
    ),
    (
        ("readonly database", "read-only transaction", "permission denied", "unable to open database file"),
        "folder",
        "{name} cannot be written; ask for the right to write there or choose another place.",
    ),
    (
        ("disk is full", "disk i/o error", "no space left", "could not extend file"),
        "disk-full",
        "The disk of {name} is full or was removed; nothing of this change was saved: make room and save again.",
    ),
    (
        (
            "unique constraint",
            "could not serialize",
            "deadlock detected",
            "foreign key constraint",
            "already exists",
            "must raise its version",
        ),
        "conflict",
        "Someone else changed {name} in the same moment; nothing was saved: try again.",
    ),
    (
        ("too many connections", "connection slots", "too many clients"),
        "busy",
        "{name} has no free connection; close other windows of yours, or wait a minute and try again.",
    ),
    (
        ("password authentication failed", "no password supplied", 'role "', "pg_hba"),
        "sign-in",
        "{name} refused the sign-in; check the user name and the password.",
    ),
    (
        (
            "connection",
            "could not translate host",
            "server closed",
            "timed out",
            "timeout",
            "name resolution",
            "shutting down",
            "starting up",
        ),
        "no-server",
        "{name} cannot be reached; check the address and the network, then try again.",
    ),
    (
        ("no such table", "no such column", "undefinedtable", "does not exist"),
        "format",
        "{name} lacks what CLO Desktop needs; open a backup of it, or check the name of the database.",
    ),
)


def refusal(reason: BaseException, name: str) -> Refused:
    """The refusal for what the database `name` raised; its own words follow where no sentence of ours fits."""
    cause = getattr(reason, "orig", None) or reason
    said = str(cause).strip()
    heard = f"{type(cause).__name__} {said}".casefold()
    if _NO_DATABASE.search(said):
        return Refused(f"{name}: the server has no database of that name; check the address.", code="no-database")
    for words, code, sentence in _SAYINGS:
        if any(word in heard for word in words):
            return Refused(sentence.format(name=name), code=code)
    first_line = said.splitlines()[0] if said else type(cause).__name__
    return Refused(f"{name} failed ({first_line}); try again, and restore a backup if it fails again.", code="database")


def no_right(name: str, person: str, role: str, deal: str = "") -> Refused:
    """The refusal for a person whose role, or whose assignment of the deal, does not allow what was tried."""
    signed_in = f"{person} is signed in as {role}" if role else f"{person} is signed in"
    what = f"change {deal}" if deal else "do this"
    return Refused(
        f"{signed_in} on {name} and may not {what}; an administrator can change the role or assign the deal.",
        code="rights",
    )
