"""How long work tells where it is, and how it is stopped."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[float, str], None]
"""Called with the fraction done (0 to 1) and what is being done; may raise `Cancelled` to stop the work."""


def silent(_fraction: float, _what: str) -> None:
    """A progress that reports nothing and never cancels."""


def part_of(report: Progress, place: int, count: int) -> Progress:
    """The progress of one of `count` equal parts of some work, the first of which has place 0."""
    return lambda fraction, what: report((place + fraction) / count, what)
