"""One log file for support, and warnings on the terminal.

What is logged is what the application did, never what a deal holds.
"""

from __future__ import annotations

import datetime as dt
import logging
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from clo_desktop import paths
from clo_desktop.faults import Refused

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_BYTES: Final = 1_000_000
_KEPT: Final = 4


def _hidden(found: re.Match[str]) -> str:
    """The word stays and its value goes; of prose ("the password is wrong") nothing is hidden."""
    word, between, value = found.groups()
    if between.strip() or value[0] in "'\"":
        return f"{word}{between}***"
    return found[0]


_WORDS: Final = r"password|passwd|passphrase|secret|token|recovery[ _]?key|hashed_password|sslpassword"
_SECRETS: Final = (
    (re.compile(r"(?<=://)([^\s:/@'\"]*):[^\s@/'\"]*@"), r"\1:***@"),  # an address with a password
    (re.compile(rf"(?i)\b({_WORDS})(['\"]?\s*[=:]\s*|\s+)('[^']*'|\"[^\"]*\"|(?<=[=:\s])[^\s,;&)}}]+)"), _hidden),
    (re.compile(r"(?i)\b(?:x')?[0-9a-f]{64,}'?"), "***"),  # a key
    (re.compile(r"\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}"), "***"),  # a hash of a password
    (re.compile(r"SCRAM-SHA-256\$\S+"), "***"),
    (re.compile(r"\b(?:[A-Z2-7]{4}[- ]){13}[A-Z2-7]{4}\b"), "***"),  # a recovery key
)
"""What must never stand in a log, and what stands there instead."""

SIGN_INS: Final = frozenset({"sign-in", "wrong-password", "locked-out", "key", "passphrase"})
"""Codes of refusals that say somebody's password, passphrase or key was wrong."""

_REFUSED: Final = "a sign-in was refused"

_ours: list[logging.Handler] = []


def log_file() -> Path:
    """The newest log file; older ones end in .1 to .4."""
    return paths.log_folder() / "clo-desktop.log"


def set_up(verbose: bool, *, terminal: bool = True) -> None:
    """Log to the file from INFO (`verbose`: DEBUG) and to the terminal from WARNING (`verbose`: INFO).

    May be called again. `terminal` False: to the file only. Where the file cannot be written, the terminal says so and
    the application goes on.
    """
    tear_down()
    root = logging.getLogger()
    root.setLevel(logging.INFO)  # other packages' DEBUG is of no use to support
    logging.getLogger("clo_desktop").setLevel(logging.DEBUG if verbose else logging.INFO)
    if terminal and sys.stderr is not None:  # a windowed application on Windows has none
        _add(root, logging.StreamHandler(sys.stderr), logging.INFO if verbose else logging.WARNING)
    file = log_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handler = RotatingFileHandler(file, maxBytes=_BYTES, backupCount=_KEPT, encoding="utf-8", errors="replace")
    except OSError as reason:
        logging.getLogger(__name__).warning("No log is kept: %s cannot be written (%s).", file, reason.strerror)
    else:
        _add(root, handler, logging.DEBUG)
    logging.captureWarnings(True)


def tear_down() -> None:
    """Take our handlers away and close the file."""
    for handler in _ours:
        logging.getLogger().removeHandler(handler)
        handler.close()
    _ours.clear()
    logging.captureWarnings(False)


def _add(root: logging.Logger, handler: logging.Handler, level: int) -> None:
    handler.setLevel(level)
    handler.setFormatter(Redacted(_FORMAT))
    root.addHandler(handler)
    _ours.append(handler)


class Redacted(logging.Formatter):
    """Writes an entry, its traceback too, without anything that looks like a password, a key or a hash of one."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def redacted(text: str) -> str:
    """The text with *** in the place of secrets."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def note_refused(refused: Refused) -> None:
    """Leave an entry where a password, passphrase or key was wrong: the code, never what was typed."""
    if refused.code in SIGN_INS:
        if not _ours:
            set_up(verbose=False, terminal=False)
        logging.getLogger(__name__).info("%s (%s)", _REFUSED, refused.code)


def refused_sign_ins(within: dt.timedelta) -> int:
    """How many entries of `note_refused` are younger than that, on this computer."""
    since, count = dt.datetime.now() - within, 0
    for file in (log_file(), *(Path(f"{log_file()}.{number}") for number in range(1, _KEPT + 1))):
        try:
            with file.open(encoding="utf-8", errors="replace") as entries:
                for entry in entries:
                    if _REFUSED in entry and (when := _moment(entry)) is not None and when >= since:
                        count += 1
        except OSError:
            continue
    return count


def _moment(entry: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(entry[:19], "%Y-%m-%d %H:%M:%S")
    except ValueError:
        return None
