"""Files put in place whole: written beside, flushed to the disk, then renamed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

LOGS = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file, by its ending."""


def flush(file: Path) -> None:
    """Have the system write `file` to the disk."""
    descriptor = os.open(file, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_folder(folder: Path) -> None:
    """The same for the names in a folder, where the system can."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def put(made: Path, place: Path) -> None:
    """Rename `made` to `place`, replacing what is there, so that a power cut leaves the one or the other."""
    flush(made)
    made.replace(place)
    flush_folder(place.parent)


def remove(file: Path) -> None:
    """Remove a database and what SQLite keeps beside it."""
    for ending in ("", *LOGS):
        file.with_name(file.name + ending).unlink(missing_ok=True)
