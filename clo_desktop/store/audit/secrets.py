"""Columns whose values no line of the audit holds."""

from __future__ import annotations

import re
from typing import Final

_BULKY: Final = frozenset({"packed"})
"""Columns too large for a line; each has its hash in the column `sha256` beside it."""

_SECRET: Final = re.compile(
    r"password|passphrase|secret|token|scram|verifier|recovery_?key|private_?key", re.IGNORECASE
)

CHANGED: Final = "(changed)"
"""What stands in a line for a value that was changed and is withheld."""


def is_secret(column: str) -> bool:
    """Whether nobody but the database may see the column's values."""
    return _SECRET.search(column) is not None


def is_withheld(column: str) -> bool:
    """Whether the column's values are left out of lines: it is secret, or too large and its hash is there."""
    return column in _BULKY or is_secret(column)
