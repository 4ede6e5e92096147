"""Columns whose values no line of the audit may hold."""

from __future__ import annotations

import re
from typing import Final

_SECRET: Final = re.compile(
    r"password|passphrase|secret|token|scram|verifier|recovery_?key|private_?key", re.IGNORECASE
)

CHANGED: Final = "(changed)"
"""What stands in a line for a secret that was changed."""


def is_secret(column: str) -> bool:
    """Whether the column's values are withheld: a line says only that they changed."""
    return _SECRET.search(column) is not None
