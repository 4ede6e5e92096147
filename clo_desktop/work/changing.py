"""A change of the open deal on its way into the store, and what it meets there. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from clo_desktop.store.merge import Choices, Clashing
from engine.terms import Book


@dataclass(frozen=True, slots=True)
class Change:
    """A change on its way into the store: `make` gives the book it started from and the book it wants."""

    name: str
    deal: str
    make: Callable[[], tuple[Book, Book]]
    then: Callable[[Book, Book], object]
    choices: Choices = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Clash:
    """A change that met another's in the same cells: `clashing.clashes` are the cells; see `Session.settle`."""

    change: Change
    clashing: Clashing
    books: tuple[Book, Book]


def run_of(book: Book) -> tuple[object, ...]:
    """What of a deal its cash flows depend on, beside its assets: everything but the limits of its tests."""
    deal = book.deal
    return (replace(deal, limits=(), weights=(), quality_inputs=()), book.reference)
