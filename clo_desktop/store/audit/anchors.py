"""The last known head of each audit, kept outside the database: who rewrites the whole audit cannot rewrite this."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import logging
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from clo_desktop import paths

_log: Final = logging.getLogger(__name__)


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


def file(store: str) -> Path:
    """Where the anchor of a store is: each has its own, so that two processes do not write over one another's."""
    return paths.audit_folder() / "anchors" / f"{hashlib.sha256(store.encode()).hexdigest()[:32]}.json"


def known(store: str) -> Anchor | None:
    """The anchor kept of a store; None where none was, or where the file cannot be read."""
    own = _read(file(store))
    kept = own.get("head") if own.get("store") == store else _read(_former()).get(store)
    with contextlib.suppress(ValueError):
        return read_anchor(kept)
    return None


def keep(store: str, anchor: Anchor) -> None:
    """Keep the head of a store. Where it cannot be written the log says so: the chain itself is not hurt."""
    place = file(store)
    draft = place.with_name(f"{place.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft.write_text(json.dumps({"store": store, "head": anchor.as_json()}, indent=1), encoding="utf-8")
        draft.replace(place)
    except OSError as reason:
        _log.warning("The head of the audit of %s was not kept in %s: %s.", store, place.parent, reason.strerror)
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)


def _former() -> Path:
    """Where the anchors of all stores were in one file, up to version 0.3.0; read for those that have no own yet."""
    return paths.audit_folder() / "anchors.json"


def _read(place: Path) -> dict[str, object]:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
