"""Who writes into a workspace file: the functions that the triggers of its audit call.

A program that does not bring them cannot change the data: SQLite says "no such function". A line is made in one call,
since an import makes thousands: JSON, signed together with the line before.
"""

from __future__ import annotations

import datetime as dt
import getpass
import json
import os
import socket
import time
from collections.abc import Sequence
from functools import cache, lru_cache
from json.encoder import encode_basestring
from typing import Any, Final
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import event

from clo_desktop.store.audit import keys
from clo_desktop.store.audit.keys import Key
from clo_desktop.store.audit.lines import key_text
from clo_desktop.store.audit.secrets import CHANGED

LAST: Final = "SELECT seq, mac, txid FROM audit_logs ORDER BY seq DESC LIMIT 1"

_MAC: Final = '{"mac":"'
_NAME: Final = 8  # characters of the name of a key
_REST: Final = len(_MAC) + _NAME + 1 + 64 + 2  # where that begins which is signed


def here() -> str:
    """The name of this computer, which stands where a server would have an address."""
    return socket.gethostname() or "local"


def person() -> str:
    """The operating system's name of the user."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


@cache
def _prefixes(spec: str) -> tuple[tuple[str, str], ...]:
    """The start of each entry and its kind, of ``id,defaulted:flag,entries:json``."""
    parts = (part.partition(":") for part in spec.split(","))
    return tuple((f"{encode_basestring(name)}:", kind) for name, _, kind in parts)


def row_text(spec: str, *values: Any) -> str:
    """The values of a row as a JSON object; what is missing is left out.

    Written by hand and not by `json.dumps`, which sets itself up anew for each of the thousands of rows of an import.
    """
    parts: list[str] = []
    for (prefix, kind), value in zip(_prefixes(spec), values, strict=True):
        if value is None:
            continue
        if type(value) is str:
            parts.append(prefix + (value if kind == "json" else encode_basestring(value)))
        elif kind == "flag":
            parts.append(prefix + ("true" if value else "false"))
        else:
            parts.append(f"{prefix}{value!r}")
    return "{" + ",".join(parts) + "}"


def changed_text(before: str, after: str) -> str:
    """The two sides of a change, of which only the fields that differ are kept."""
    was, now = json.loads(before), json.loads(after)
    changed = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    sides = {
        "before": {name: was.get(name) for name in changed if now.get(name) != CHANGED},
        "after": {name: now.get(name) for name in changed},
    }
    return json.dumps(sides, ensure_ascii=False, separators=(",", ":"))[1:-1]


def signed_part(line: str) -> tuple[str, str, str]:
    """The name of the key, the HMAC, and what was signed of a line. Empty names for what is no line."""
    if not line.startswith(_MAC) or len(line) < _REST:
        return "", "", line
    name, _, mac = line[len(_MAC) : _REST - 2].partition(":")
    return name, mac, line[_REST:]


def mac_of(key: Key, last: str, signed: str) -> str:
    """The HMAC of a line; `last` is that of the line before with the name of its key, empty for the first."""
    return key.mac(f"{last}\n{signed}".encode("utf-8", "surrogatepass"))


class Hand:
    """Signs the lines of one connection. `Hands.user` says in whose name."""

    def __init__(self, owner: Hands) -> None:
        self._owner = owner
        self._seq = -1  # unknown: no transaction was begun
        self._last = ""
        self._transaction = 0

    def begin(self, last: Sequence[Any] | None) -> None:
        """A transaction begins after the line `last` (number, HMAC, transaction), or with the first."""
        self._seq, self._last, self._transaction = (last[0], last[1], last[2] + 1) if last is not None else (0, "", 1)

    def equip(self, raw: Any) -> None:
        """Give the connection the functions. They read nothing and change nothing outside the statement."""
        raw.create_function("clo_row", -1, row_text)
        raw.create_function("clo_key", -1, key_text)
        raw.create_function("clo_line", -1, self._row_line)
        raw.create_function("clo_change", 8, self._change_line)
        raw.create_function("clo_told", 7, self._line)

    def _row_line(self, trail: str, last: int | None, act: str, kind: str, resource: str, deal: str | None, key: Any,
                  spec: str, *values: Any) -> str:  # fmt: skip
        side = "before" if act == "delete" else "after"
        sides = f'"{side}":{row_text(spec, *values)}'
        return self._line(trail, last, act, kind, resource, _details(kind, key, deal, sides), None)

    def _change_line(self, trail: str, last: int | None, kind: str, resource: str, deal: str | None, key: Any,
                     before: str, after: str) -> str:  # fmt: skip
        details = _details(kind, key, deal, changed_text(before, after))
        return self._line(trail, last, "update", kind, resource, details, None)

    def _line(
        self, trail: str, last: int | None, act: str, kind: str, resource: str, details: str, _nothing: None
    ) -> str:
        if (last or 0) != self._seq:
            raise RuntimeError("the audit goes on in another place: savepoints are not for this database")
        key = self._owner.key(trail)
        self._seq += 1
        signed = (
            f'"seq":{self._seq},"user":{encode_basestring(self._owner.user)},"action":"{act}","resource_type":"{kind}"'
            f',"resource_id":{encode_basestring(resource)},"timestamp":"{_now()}"'
            f',"ip_address":{encode_basestring(self._owner.place)},"txid":{self._transaction},"details":{details}}}'
        )
        self._last = f"{key.name}:{mac_of(key, self._last, signed)}"
        return f'{_MAC}{self._last}",{signed}'


class Hands:
    """The hands of one engine. `user` may be set to the name of who signed in."""

    def __init__(self) -> None:
        self.user = person()
        self.place = here()
        self._keys: dict[str, Key] = {}

    def key(self, trail: str) -> Key:
        """The key of a trail; where this computer has none, one for the lines to come. Raises OSError."""
        if trail not in self._keys:
            self._keys[trail] = keys.find(trail) or keys.make(trail)
        return self._keys[trail]


_HANDS: Final[WeakKeyDictionary[sa.Pool, Hands]] = WeakKeyDictionary()
_HAND: Final = "clo_hand"


def signing(engine: sa.Engine) -> None:
    """Every connection of the engine brings the functions, and knows at each BEGIN which line was the last.

    To be called after those listeners are set that settle a connection and begin its transactions.
    """
    hands = _HANDS[engine.pool] = Hands()

    def equip(raw: Any, record: Any) -> None:
        record.info[_HAND] = Hand(hands)
        record.info[_HAND].equip(raw)

    event.listen(engine, "connect", equip)
    event.listen(engine, "begin", begin)


def hands_of(engine: sa.Engine) -> Hands | None:
    """Who signs for an engine; None for a server, which knows who signed in."""
    return _HANDS.get(engine.pool)


def begin(on: sa.Connection) -> None:
    """Tell the hand of a connection which line is the last: of a transaction that began, or whose tables were made."""
    hand: Hand = on.connection.info[_HAND]
    has_audit = on.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'audit_logs'").first() is not None
    hand.begin(on.exec_driver_sql(LAST).first() if has_audit else None)


def _details(kind: str, key: Any, deal: str | None, sides: str) -> str:
    shown = encode_basestring(key) if isinstance(key, str) else repr(key)
    of_deal = f',"deal":{encode_basestring(deal)}' if deal is not None else ""
    return f'{{"table":"{kind}","id":{shown}{of_deal},{sides}}}'


def _now() -> str:
    """The moment as ISO 8601 in UTC, to the microsecond."""
    second, rest = divmod(time.time_ns(), 1_000_000_000)
    return f"{_second(second)}.{rest // 1000:06}+00:00"


@lru_cache(maxsize=1)
def _second(second: int) -> str:
    """Written once for the thousands of lines of an import."""
    return dt.datetime.fromtimestamp(second, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S")
