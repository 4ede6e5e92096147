"""The public verbs of the engine: comply and project. What a window or a command line calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from engine import projection
from engine.assumptions import Assumptions
from engine.compliance import Catalogue, Compliance, evaluate, readings_named
from engine.pool import Pool
from engine.projection import Projection
from engine.terms import Book, lookup
from engine.waterfall import Document


def comply(book: Book, catalogue: Catalogue) -> Compliance:
    """Every test of the deal, under the readings its CLO Inputs name. Raises ValueError for unknown readings."""
    named = lookup(book.deal.clo_inputs, "Compliance Readings")
    try:
        readings = readings_named(str(named) if named is not None else None)
    except KeyError as error:
        raise ValueError(f"Compliance Readings {named!r} are not known; write workbook or market.") from error
    return evaluate(book.deal, Pool(book.positions()), catalogue, readings)


def project(
    book: Book,
    documents: Mapping[str, Document],
    defaults: Mapping[str, Any],
    assumptions: Assumptions | None = None,
    report: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> Projection:
    """The deal through all payment dates. Raises ValueError (StructureError) for terms that cannot be done without."""
    document = projection.choose_document(book, documents)
    return projection.project(book, document, defaults, assumptions or Assumptions(), report)


def warm_up() -> None:
    """Compiles, or loads from the cache, every kernel that a projection calls, on a deal of one loan."""
    from engine.smallest import BOOK, DEFAULTS, DOCUMENT

    projection.project(BOOK, DOCUMENT, DEFAULTS, Assumptions())
