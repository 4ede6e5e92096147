"""Transactions that are tried again as a whole where the server asks for it, and only there.

The server undoes a transaction completely when it could not put it in an order with others (40001) or when two waited
for each other (40P01); the same work then succeeds or meets what the other wrote. After a lost connection nobody knows
whether a commit arrived, so that is never tried again here.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

import sqlalchemy as sa

Result = TypeVar("Result")

TRIES: Final = 5
AGAIN: Final = ("40001", "40P01")


def in_transaction(engine: sa.Engine, act: Callable[[sa.Connection], Result]) -> Result:
    """What `act` gives, in one committed transaction. It is called anew for each try and must start from the database.

    Raises whatever stands after the last try, untranslated.
    """
    for attempt in range(1, TRIES + 1):
        try:
            with engine.begin() as on:
                return act(on)
        except sa.exc.DBAPIError as reason:
            state = getattr(reason.orig, "sqlstate", None)
            if state not in AGAIN or reason.connection_invalidated or attempt == TRIES:
                raise
            time.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # those who met should not meet again
    raise AssertionError("the last try returns or raises")
