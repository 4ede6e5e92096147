"""How the shared server is reached: TLS that proves who it is, several hosts, connections that notice they are dead.

Whatever the address says itself goes before what is chosen here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy import event

POOL: Final[dict[str, Any]] = {
    "pool_size": 2,
    "max_overflow": 2,
    "pool_timeout": 5.0,
    "pool_recycle": 1800,
    "pool_pre_ping": True,
    "pool_reset_on_return": None,  # `_reset` does it, and more
}

_LIVELY: Final = {
    "connect_timeout": "3",
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "8000",  # milliseconds
    "application_name": "CLO Desktop",
}
"""Settings of libpq: a server that is gone is known as such within seconds, not after the system's two hours."""

_PROVEN: Final = {"sslmode": "verify-full", "channel_binding": "require"}

OWN_CERTIFICATE: Final = Path("~/.postgresql/root.crt")
"""Where libpq looks for the authority's certificate if the address names none."""


def address(where: str) -> sa.URL:
    """A server's address as an SQLAlchemy URL; several hosts as libpq writes them: `postgresql://one:5432,two/name`.

    Raises sqlalchemy.exc.ArgumentError for what is none.
    """
    several = re.fullmatch(r"(postgres(?:ql)?(?:\+\w+)?://)(?:([^@/?]*)@)?([^@/?]*,[^@/?]*)(.*)", where)
    if several is None:
        return sa.make_url(where)
    scheme, person, hosts, rest = several.groups()
    url = sa.make_url(f"{scheme}{person + '@' if person else ''}{rest if rest.startswith('/') else '/' + rest}")
    return url.update_query_dict({"host": [h if ":" in h else f"{h}:5432" for h in hosts.split(",")]})


def engine(url: sa.URL, patience: float, *, reads: bool = False) -> sa.Engine:
    """An engine for one signed-in person; a lock is waited for `patience` seconds.

    reads  whether a standby is as good as the primary
    """
    # prepared statements would not survive DISCARD ALL, of which psycopg loses sight within a pipeline
    told: dict[str, Any] = {**settings(url, patience, reads=reads), "prepare_threshold": None}
    made = sa.create_engine(url, connect_args=told, **POOL)
    event.listen(made, "reset", _reset)
    return made


def settings(url: sa.URL, patience: float, *, reads: bool = False) -> dict[str, str]:
    """What libpq is told beyond the address."""
    own = dict(_LIVELY)
    if not is_local(url):
        own |= _PROVEN
        if url.query.get("sslmode", "verify-full") == "verify-full" and not OWN_CERTIFICATE.expanduser().exists():
            own["sslrootcert"] = "system"
        if url.query.get("sslmode") in ("disable", "allow", "prefer"):
            own["channel_binding"] = "prefer"  # there is none without TLS
    hosts = url.query.get("host", ())
    if reads:
        own["target_session_attrs"] = "prefer-standby"
    elif not isinstance(hosts, str) and len(hosts) > 1:
        own["target_session_attrs"] = "read-write"
    own = {name: value for name, value in own.items() if name not in url.query}
    given = url.query.get("options", "")
    session = f"-c search_path=clo -c lock_timeout={int(patience * 1000)}"
    own["options"] = f"{session} {given if isinstance(given, str) else ' '.join(given)}".strip()
    return own


def is_local(url: sa.URL) -> bool:
    """Whether the server is reached by a socket of this machine's own, which needs no TLS."""
    hosts = url.query.get("host", ())
    named = [url.host] if url.host else [hosts] if isinstance(hosts, str) else list(hosts)
    return all(host.startswith("/") for host in named)


def _reset(raw: Any, _record: Any, state: Any) -> None:
    # whatever was SET, listened to, or made for a moment must be gone for whoever takes the connection next
    if state.terminate_only or raw.closed:
        return
    raw.rollback()
    raw.autocommit = True
    raw.execute("DISCARD ALL")
    raw.autocommit = False
