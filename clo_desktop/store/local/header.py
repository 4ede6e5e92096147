"""What the first bytes of a file say about it, read before any database opens it.

POSIX drops every lock of a process on a file when the process closes any descriptor of it, SQLite's among them. So the
header of a file that a store has open is read through a descriptor that stays open as long as the store.
"""

from __future__ import annotations

import os
import threading
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


_open: dict[tuple[int, int], tuple[int, int]] = {}  # device and inode -> descriptor, how many stores
_guard = threading.Lock()


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
    page = _first_page(file)
    if not page:
        return Header(Kind.NEW)
    if page.startswith(_SQLITE):
        return Header(Kind.PLAIN, int.from_bytes(page[68:72]), int.from_bytes(page[60:64]))
    if len(page) == _PAGE and len(set(page)) >= _DISTINCT:
        return Header(Kind.ENCRYPTED, salt=page[:SALT])
    return Header(Kind.FOREIGN)


def hold_open(file: Path) -> tuple[int, int]:
    """A store has the file open from now on; gives what `let_go` takes. Raises OSError."""
    with _guard:
        node = _node(file)
        descriptor, count = _open.get(node) or (os.open(file, os.O_RDONLY | getattr(os, "O_BINARY", 0)), 0)
        _open[node] = descriptor, count + 1
    return node


def let_go(node: tuple[int, int]) -> None:
    """The store has closed the file."""
    with _guard:
        descriptor, count = _open.pop(node)
        if count > 1:
            _open[node] = descriptor, count - 1
        else:
            os.close(descriptor)


def is_open(file: Path) -> bool:
    """Whether a store of this process has the file open."""
    try:
        return _node(file) in _open
    except OSError:
        return False


def _node(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_dev, found.st_ino


def _first_page(file: Path) -> bytes:
    with _guard:
        held = _open.get(_node(file))
        if held is not None:
            os.lseek(held[0], 0, os.SEEK_SET)
            return os.read(held[0], _PAGE)
        with file.open("rb") as stream:
            return stream.read(_PAGE)
