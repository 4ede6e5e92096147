"""What the application remembers of the user's taste: look, last deal, window layout. No data of a deal."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, get_args

from clo_desktop import paths

Theme = Literal["system", "light", "dark", "contrast"]
Density = Literal["comfortable", "compact"]

_CHOICES: Final[dict[str, tuple[str, ...]]] = {"theme": get_args(Theme), "density": get_args(Density)}
_LISTS: Final = ("servers", "remembered")
_MINUTES: Final = ("lock_server", "lock_file")

KEPT_SERVERS: Final = 8
"""Servers that are remembered at most."""

LONGEST_IDLE: Final = 480
"""Minutes after which a window locks at most, where it does."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settings:
    """Change with `dataclasses.replace`, keep with `save_settings`.

    last_deal      the deal that was open last; None: none
    window_layout  Qt's state of window and docks as base64 text; None: the layout the application comes with
    left_plain     the workspace whose encryption was offered and not wanted; None: none
    servers        addresses of shared servers that were signed in to, with the person, the last first; no passwords
    remembered     those of them whose password the keyring keeps, because that was asked for
    lock_server    minutes without a person after which the window locks while a shared server is open; 0: never
    lock_file      the same while a workspace file is open
    """

    theme: Theme = "system"
    density: Density = "comfortable"
    last_deal: str | None = None
    window_layout: str | None = None
    left_plain: str | None = None
    servers: tuple[str, ...] = ()
    remembered: tuple[str, ...] = ()
    lock_server: int = 10
    lock_file: int = 0


def load_settings(file: Path | None = None) -> Settings:
    """The settings in `file` (None: the user's); a damaged file is set aside, a value that makes no sense dropped."""
    file = file or paths.settings_file()
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        return Settings()
    except OSError as reason:
        _log.warning("%s cannot be read (%s); the defaults are used.", file, reason.strerror)
        return Settings()
    except (ValueError, RecursionError):
        _set_aside(file)
        return Settings()
    sensible: dict[str, Any] = {name: value for name, value in found.items() if _makes_sense(name, value)}
    return Settings(**sensible | {name: tuple(sensible[name]) for name in _LISTS if name in sensible})


def save_settings(settings: Settings, file: Path | None = None) -> None:
    """Write `settings` to `file` (None: the user's), all or nothing. Raises OSError where that cannot be."""
    file = file or paths.settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.{os.getpid()}.new")
    try:
        beside.write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def _makes_sense(name: str, value: Any) -> bool:
    if name in _CHOICES:
        return value in _CHOICES[name]
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if name in _MINUTES:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LONGEST_IDLE
    return name in Settings.__dataclass_fields__ and (value is None or isinstance(value, str))


def _set_aside(file: Path) -> None:
    aside = file.with_name(f"{file.stem}.damaged{file.suffix}")
    try:
        file.replace(aside)
    except OSError as reason:
        _log.warning("%s is damaged and cannot be set aside (%s); the defaults are used.", file, reason.strerror)
    else:
        _log.warning("%s is damaged; it was set aside as %s and the defaults are used.", file, aside.name)
