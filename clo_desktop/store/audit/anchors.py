"""The last known head of each audit, kept outside the database: who rewrites the whole audit cannot rewrite this."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

from clo_desktop import paths


@dataclass(frozen=True, slots=True)
class Anchor:
    """The head of a chain at a moment.

    trail  names the chain; a database that was made anew has another
    pos    how many links the chain had; a link is a line of a workspace file, a seal of a server
    link   HMAC of the last link, hexadecimal
    """

    trail: str
    pos: int
    link: str
    at: dt.datetime

    def as_json(self) -> dict[str, str | int]:
        return {**asdict(self), "at": self.at.isoformat(timespec="seconds")}


def read_anchor(data: object) -> Anchor:
    """The anchor of `Anchor.as_json`. Raises ValueError for what is none."""
    try:
        if not isinstance(data, dict):
            raise TypeError("no object")
        at = dt.datetime.fromisoformat(data["at"])
        return Anchor(str(data["trail"]), int(data["pos"]), str(data["link"]), at)
    except (KeyError, TypeError, ValueError) as reason:
        raise ValueError(f"no anchor of an audit: {reason}") from reason


def file() -> Path:
    """Where the anchors of this computer are."""
    return paths.audit_folder() / "anchors.json"


def known(store: str) -> Anchor | None:
    """The anchor kept of a store; None where none was, or where the file cannot be read."""
    with contextlib.suppress(ValueError):
        return read_anchor(_read()[store]) if store in _read() else None
    return None


def keep(store: str, anchor: Anchor) -> None:
    """Keep the head of a store. Nothing is said where it cannot be written: the chain itself is not hurt."""
    with contextlib.suppress(OSError):
        place = file()
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = place.with_name(f"{place.name}.{os.getpid()}.{secrets.token_hex(4)}")
        draft.write_text(json.dumps({**_read(), store: anchor.as_json()}, indent=1), encoding="utf-8")
        draft.replace(place)


def _read() -> dict[str, object]:
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
