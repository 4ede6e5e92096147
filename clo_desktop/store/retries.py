"""A transaction that lost against another one is made again, whole."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from clo_desktop.faults import Refused

T = TypeVar("T")

TRIES: Final = 5

_LOST: Final = frozenset({"40001", "40P01", "CL001"})
"""SQLSTATEs after which the server has undone all: not serializable, deadlock, and a version that is no longer so."""


def retried(transaction: Callable[[], T], *, pause: Callable[[float], None] = time.sleep) -> T:
    """What `transaction` gives, which begins and ends a transaction and reads anew what it depends on.

    It is tried up to five times where it lost against another one. After anything else, a lost connection above all,
    it is not: nobody knows then whether it was carried out.
    """
    for tried in range(1, TRIES + 1):
        try:
            return transaction()
        except Refused as refused:
            if tried == TRIES or not lost(refused):
                raise
            pause(random.uniform(0.2, 1.0) * 0.02 * 2**tried)
    raise AssertionError


def lost(refused: Refused) -> bool:
    """Whether the refusal says that another transaction was faster, and that nothing at all was done."""
    if refused.code != "conflict":
        return False
    if refused.__cause__ is None:  # our own: the version that was read is not the stored one any more
        return True
    return sqlstate(refused) in _LOST


def sqlstate(refused: Refused) -> str | None:
    """The server's code for why, where it was the server that refused."""
    cause = refused.__cause__
    found = getattr(getattr(cause, "orig", cause), "sqlstate", None)
    return None if found is None else str(found)
