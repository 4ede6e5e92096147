"""What the verbs of the command line share: answers and exit codes, the store that was named, patience."""

from __future__ import annotations

import argparse
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from clo_desktop.faults import Refused

if TYPE_CHECKING:
    from clo_desktop.store.local.keys import Secret
    from clo_desktop.work.desk import Desk

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command says: as data for --json, in words otherwise; a complaint on stderr means that it failed."""

    data: Any
    words: str
    complaint: str = ""


_open: Final[list[Desk]] = []
"""The desks that this command has opened."""

Verb = Callable[[argparse.Namespace], Answer | int]
"""What a command does; a verb that prints by itself gives its exit code."""

Add = Callable[[str, Verb, str], argparse.ArgumentParser]
"""Adds a verb by its name and the sentence of its help; gives the parser for its options."""


def workspace_file(options: argparse.Namespace) -> Path:
    """The workspace file that was named, by itself or with --db; the user's own where none was. Raises Refused."""
    from clo_desktop.paths import workspace_at_hand

    named = getattr(options, "workspace", None) or options.db
    if named and "://" in str(named):
        raise Refused(
            f"{options.command} is for workspace files; a server is backed up and encrypted by those who run it.",
            code="store",
        )
    return Path(named).expanduser() if named else workspace_at_hand()


def no_workspace_yet(options: argparse.Namespace) -> bool:
    """Whether no store was named and the user has no workspace. Raises Refused where it is gone and has backups."""
    return not options.db and _missing(options) is not None


def _missing(options: argparse.Namespace) -> Path | None:
    """The workspace file that was named (or the user's own) where there is none of that name."""
    from clo_desktop.paths import default_workspace
    from clo_desktop.store.local import backups

    if options.db and "://" in options.db:
        return None
    # the demo's workspace must not stand in for one that was lost
    own = default_workspace()
    file = own if not options.db and backups.listed(own) else workspace_file(options)
    if file.exists():
        return None
    if backups.listed(file):
        raise Refused(
            f"{file} is gone, and its backups are in {backups.folder_of(file)}; `clo restore` with --db {file} puts the"
            " newest good one in its place.",
            code="store",
        )
    return file


def open_desk(options: argparse.Namespace, *, may_make: bool = False) -> Desk:
    """The desk on the store that was named; only what brings something in makes a new file. Raises Refused."""
    from clo_desktop.cli import secrets
    from clo_desktop.cli.passwords import with_password
    from clo_desktop.paths import workspace_at_hand
    from clo_desktop.store.local.manner import Manner
    from clo_desktop.work.desk import Desk

    if getattr(options, "deal", None):
        options.deal = options.deal.strip()
    if not may_make and (missing := _missing(options)):
        raise Refused(f"There is no workspace {missing}; `clo import` makes one, or check the name.", code="store")
    encrypt = may_make and getattr(options, "encrypt", False)
    where = options.db or workspace_at_hand()

    def opened(secret: Secret | None) -> Desk:
        manner = Manner(secret=secret, encrypt=encrypt, daily=not options.db)
        return with_password(str(where), lambda named: Desk(named, manner))

    made = encrypt and not Path(where).exists()
    desk = opened(secrets.given(options) or secrets.new(None)) if made else secrets.with_secret(options, opened)
    _open.append(desk)
    if desk.store.notice:
        print(desk.store.notice, file=sys.stderr)
    return desk


def close_desks() -> None:
    """Let go of every workspace that this command has opened."""
    while _open:
        _open.pop().close()


def add_target(parser: argparse.ArgumentParser, text: str) -> None:
    """The file that a verb writes."""
    parser.add_argument("file", type=Path, metavar="FILE", help=text)
    add_force(parser)


def add_force(parser: argparse.ArgumentParser) -> None:
    """For a verb that writes what the user named; it calls `check_target` before it does."""
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def check_target(options: argparse.Namespace, *files: Path) -> None:
    """Raises Refused where one of the files that a verb would write is there and is not to be replaced."""
    there = [] if options.force else [file for file in files if file.is_file()]
    if not there:
        return
    if len(there) == 1:
        kept = f"{there[0]} is there already and was left as it is; choose another name, or replace it with --force."
    else:
        kept = (
            f"{there[0]} and {len(there) - 1} more are there already and nothing was written; choose another folder, "
            "or replace them with --force."
        )
    raise Refused(kept, code="file")


@contextmanager
def patience() -> Iterator[None]:
    """Says on stderr why it takes long, when the kernels have to be compiled."""
    words = "Compiling the engine, once after installation: about half a minute …"
    timer = threading.Timer(3.0, lambda: print(words, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
