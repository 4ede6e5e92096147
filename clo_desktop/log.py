"""One log file for support, and warnings on the terminal.

What is logged is what the application did, never what a deal holds.
"""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

from clo_desktop import paths

_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_BYTES: Final = 1_000_000
_KEPT: Final = 4

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
    handler.setFormatter(logging.Formatter(_FORMAT))
    root.addHandler(handler)
    _ours.append(handler)
