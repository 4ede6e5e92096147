"""What the first bytes of a file say about it, read before any database opens it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

APPLICATION_ID: Final = 0x434C4F44
"""Marks the file as ours, in SQLite's header: "CLOD"."""

SALT: Final = 16
"""Bytes at the start of an encrypted file that are not encrypted: its salt, by which its key is found."""

_SQLITE: Final = b"SQLite format 3\0"
_PAGE: Final = 4096  # bytes of a page of an encrypted file
_DISTINCT: Final = 240  # of 256 byte values, in a page: what is encrypted has nearly all, text and tables do not


class Kind(StrEnum):
    NEW = "new"  # no file, or an empty one
    PLAIN = "plain"  # an SQLite database
    ENCRYPTED = "encrypted"  # what only a key can tell from noise
    FOREIGN = "foreign"  # something else


@dataclass(frozen=True, slots=True)
class Header:
    """What a file is, as far as its first page tells.

    application  SQLite's application_id, 0 where none is set; version  the format (user_version), 0 where none is set;
    both of plain files only
    salt         of an encrypted file
    """

    kind: Kind
    application: int = 0
    version: int = 0
    salt: bytes = b""


def read_header(file: Path) -> Header:
    """The header of `file`. Raises OSError where it cannot be read."""
    if not file.exists():
        return Header(Kind.NEW)
    with file.open("rb") as stream:
        page = stream.read(_PAGE)
    if not page:
        return Header(Kind.NEW)
    if page.startswith(_SQLITE):
        return Header(Kind.PLAIN, int.from_bytes(page[68:72]), int.from_bytes(page[60:64]))
    if len(page) == _PAGE and len(set(page)) >= _DISTINCT:
        return Header(Kind.ENCRYPTED, salt=page[:SALT])
    return Header(Kind.FOREIGN)
