"""Text that a spreadsheet, a browser, a shell or a database might execute if it left this program carelessly.

The text is kept as plain text (and written as text); the person who imports it is told.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MAX_TEXT: Final = 4_000
"""Characters a cell may have."""

MAX_NAME: Final = 120
"""Characters the name of a deal may have."""

_MARKUP: Final = re.compile(r"<\s*[!/?A-Za-z][^<>]*>")
_SQL: Final = re.compile(
    r"['\";]\s*\)?\s*;|;\s*--|\b(?:drop|alter|truncate|create)\s+(?:table|database|schema)\b|\bunion\s+(?:all\s+)?select\b"
    r"|'\s*or\s+.{1,20}=",
    re.IGNORECASE,
)
_PATH: Final = re.compile(
    r"(?:^|[\\/])\.\.[\\/]|^[A-Za-z]:[\\/]|^\\\\|^(?:file|https?|javascript):|^/(?:etc|proc|dev)/", re.I
)
_FORMAT: Final = re.compile(r"(?<!\d)%[snxp]|\{\d*\}|\$\{|\{\{")


_TURNS: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of the text: what is read is not what is stored."""


def name_fault(name: str) -> str:
    """One sentence on why `name` cannot be the name of a deal, with the remedy, or ""."""
    if not name.strip():
        return "The deal needs a name; give one."
    if len(name) > MAX_NAME:
        return f"The deal's name has {len(name):,} characters, more than {MAX_NAME}; give a shorter one."
    if any(c in _TURNS or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in name):
        return "The deal's name has hidden control characters; type it anew instead of pasting it."
    return ""


def suspicion(text: str) -> str:
    """One sentence on what is odd about the text as it stands in the cell (not yet trimmed), or ""."""
    if text[0] in "\t\r\n":
        return "The text begins with a tab or a line end: it was kept as plain text; retype it if that was not meant."
    stripped = text.strip()
    if stripped[:1] in ("=", "+", "-", "@"):
        return (
            f"The text begins with “{stripped[0]}” like a formula: it was kept as plain text and will not be computed."
        )
    # format characters (Cf) include the ones that turn the direction of the text, and zero-width ones
    if any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in stripped):
        return "The text has hidden control characters: they were kept; retype it if they were not meant."
    if _MARKUP.search(stripped):
        return "The text looks like mark-up: it was kept as plain text; correct it if it was not meant."
    if _SQL.search(stripped):
        return "The text looks like a database command: it was kept as plain text; correct it if it was not meant."
    if _PATH.search(stripped):
        return "The text looks like a file path or address: it was kept as plain text; correct it if it was not meant."
    if _FORMAT.search(stripped):
        return "The text looks like a format string: it was kept as plain text; correct it if it was not meant."
    return ""
