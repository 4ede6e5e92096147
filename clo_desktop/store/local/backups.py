"""Backups of a workspace: made by the database itself, opened to prove that they are good, the ten newest kept.

They stand in a folder beside the workspace, encrypted with its key where it is encrypted. A workspace is never copied
as a file: without its write-ahead log a copy is old or broken.
"""

from __future__ import annotations

import datetime as dt
import glob
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clo_desktop.faults import Refused
from clo_desktop.store.local import driver, files, places
from clo_desktop.store.local.header import APPLICATION_ID, Kind, read_header
from clo_desktop.store.refusals import refusal

KEPT: Final = 10
"""Backups that are kept."""

WHYS: Final = {
    "day": "once a day",
    "migration": "before a migration",
    "asked": "asked for",
}
"""Why a backup was made: the word in its file's name, and what people read."""

_NAME: Final = re.compile(r"(\d{8}T\d{6})Z(?:-(\d+))?-([a-z]+)\.clo")
_STAMP: Final = "%Y%m%dT%H%M%S"


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup. when  in UTC; why  a word of WHYS; size  bytes."""

    file: Path
    when: dt.datetime
    why: str
    size: int

    @property
    def words(self) -> str:
        """When and why, for people, in local time."""
        return f"{self.when.astimezone():%Y-%m-%d %H:%M:%S}, {WHYS.get(self.why, self.why)}"


def folder_of(file: Path) -> Path:
    """Where the backups of a workspace stand."""
    return file.with_name(f"{file.name}-backups")


def listed(file: Path) -> tuple[Backup, ...]:
    """The backups of a workspace, the newest first; whether they open is not looked at."""
    found: list[tuple[str, int, Backup]] = []
    folder = folder_of(file)
    if not folder.is_dir():
        return ()
    for path in folder.iterdir():
        if match := _NAME.fullmatch(path.name):
            when = dt.datetime.strptime(match[1], _STAMP).replace(tzinfo=dt.UTC)
            found.append((match[1], int(match[2] or 1), Backup(path, when, match[3], path.stat().st_size)))
    return tuple(backup for _, _, backup in sorted(found, key=lambda f: f[:2], reverse=True))


def set_aside(file: Path) -> tuple[Path, ...]:
    """The former files of a workspace that restoring has put aside."""
    return tuple(sorted(p for p in file.parent.glob(f"{glob.escape(file.stem)}.replaced-*Z{file.suffix}")))


def make(file: Path, key: bytes | None, why: str) -> Backup:
    """Back up a workspace that may be open and written meanwhile; older backups than the newest ten are removed.

    Raises Refused where it cannot be made or does not open; then no backup of that name is left.
    """
    now = dt.datetime.now(dt.UTC)
    folder = folder_of(file)
    with speaking(file, "No backup was made"):
        folder.mkdir(exist_ok=True)
        place = folder / _name(now, 1 + _last_number(folder, now), why)
        copy_to(file, key, place)
    for old in listed(file)[KEPT:]:
        old.file.unlink(missing_ok=True)
    return Backup(place, now.replace(microsecond=0), why, place.stat().st_size)


def make_daily(file: Path, key: bytes | None) -> Backup | None:
    """Today's first backup; None where there is one already."""
    today = dt.datetime.now(dt.UTC).date()
    if any(backup.when.date() == today for backup in listed(file)):
        return None
    return make(file, key, "day")


def copy_to(file: Path, key: bytes | None, place: Path) -> None:
    """Write a workspace as it stands to `place`, as one file that is proved to open. Raises what the modules raise."""
    made = place.with_name(f".{place.name}.part")
    files.remove(made)
    # a reader that takes no locks would see a mixture while somebody writes; where nobody can write there is no lock
    unlocked = not os.access(file.parent, os.W_OK) or bool(places.unsafe_place(file))
    try:
        with driver.connected(file, key, reading=unlocked) as source:
            salt = driver.salt_of(source) if key is not None else b""
            with driver.connected(made, key, salt=salt) as target:
                source.backup(target)
                driver.value(target, "PRAGMA journal_mode = DELETE")
        if (fault := fault_of(made, key)) is not None:
            raise Refused(f"{file} was not copied: {fault}")
        files.put(made, place)
    finally:
        files.remove(made)


def fault_of(file: Path, key: bytes | None) -> str | None:
    """What is wrong with a backup, as a sentence; None where it opens, is ours and whole. The file is not changed."""
    try:
        kind = read_header(file).kind
        if kind is Kind.ENCRYPTED and key is None:
            return f"{file.name} is encrypted and its key is not at hand; give the passphrase or the recovery key."
        with driver.connected(file, key if kind is Kind.ENCRYPTED else None, reading=True) as raw:
            if driver.value(raw, "PRAGMA application_id") != APPLICATION_ID:
                return f"{file.name} is not a workspace of CLO Desktop; choose another backup."
            if driver.value(raw, "PRAGMA integrity_check(1)") != "ok":
                return f"{file.name} is damaged; choose another backup."
            if raw.execute("PRAGMA foreign_key_check").fetchone() is not None:
                return f"{file.name} is damaged; choose another backup."
            driver.tables(raw)
    except driver.errors(OSError):
        return f"{file.name} does not open (it is damaged, or was made with another key); choose another backup."
    return None


def newest_good(file: Path, key_of: Callable[[Path], bytes | None]) -> Backup | None:
    """The newest backup that opens; `key_of` gives the key of an encrypted one."""
    return next((backup for backup in listed(file) if fault_of(backup.file, key_of(backup.file)) is None), None)


def restore(file: Path, backup: Path, key: bytes | None) -> Path | None:
    """Put a backup in the place of a workspace that nobody has open. What stood there is set aside, never removed.

    key  of the backup, where it is encrypted
    Returns where the former file stands now, None where there was none. Raises Refused where the backup does not open
    or cannot be put there; then the workspace is as it was.
    """
    if (fault := fault_of(backup, key)) is not None:
        raise Refused(fault, code="damaged")
    with speaking(file, "Nothing was restored"):
        made = file.with_name(f".{file.name}.restored")
        copy_to(backup, key if read_header(backup).kind is Kind.ENCRYPTED else None, made)
        aside = None
        if file.exists():
            stamp = dt.datetime.now(dt.UTC).strftime(_STAMP)
            aside = file.with_name(f"{file.stem}.replaced-{stamp}Z{file.suffix}")
            for ending in ("", *files.LOGS):
                part = file.with_name(file.name + ending)
                if part.exists():
                    part.replace(aside.with_name(aside.name + ending))
        files.put(made, file)
    return aside


def _last_number(folder: Path, when: dt.datetime) -> int:
    """The number of the last backup made in that second; 0 where there was none."""
    numbers = (_NAME.fullmatch(path.name) for path in folder.glob(f"{when.strftime(_STAMP)}Z*"))
    return max((int(found[2] or 1) for found in numbers if found), default=0)


def _name(when: dt.datetime, number: int, why: str) -> str:
    return f"{when.strftime(_STAMP)}Z{'' if number == 1 else f'-{number}'}-{why}.clo"


@contextmanager
def speaking(file: Path, what: str) -> Iterator[None]:
    """What goes wrong with `file` becomes a sentence that begins with `what`."""
    try:
        yield
    except Refused as reason:
        raise Refused(f"{what}: {reason.message}", code=reason.code) from reason
    except OSError as reason:
        why = reason.strerror or str(reason)
        raise Refused(
            f"{what}: {file} ({why}); make room, or choose a folder you may write to.", code="folder"
        ) from reason
    except driver.errors() as reason:
        said = refusal(reason, str(file))
        raise Refused(f"{what}: {said.message}", code=said.code) from reason
