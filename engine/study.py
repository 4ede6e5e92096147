"""The public verbs of the engine: comply and project. What a window or a command line calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.asset import Asset
from engine.assumptions import Assumptions
from engine.compliance import Catalogue, Compliance, evaluate, readings_named
from engine.model import Model
from engine.pool import Pool
from engine.projection import Projection, choose_document
from engine.terms import Book, lookup
from engine.trades import Trader
from engine.trades.objective import Weights
from engine.waterfall import Document


def comply(book: Book, catalogue: Catalogue) -> Compliance:
    """Every test of the deal, under the readings its CLO Inputs name. Raises ValueError for unknown readings."""
    named = lookup(book.deal.clo_inputs, "Compliance Readings")
    try:
        readings = readings_named(str(named) if named is not None else None)
    except KeyError as error:
        raise ValueError(f"Compliance Readings {named!r} are not known; write workbook or market.") from error
    return evaluate(book.deal, Pool(book.positions()), catalogue, readings, book.assets.values())


def trader(book: Book, catalogue: Catalogue, others: Iterable[Asset] = (), weights: Weights | None = None) -> Trader:
    """The deal ready for hypothetical trades in its assets and in `others`; weights: None takes the deal's.

    Raises ValueError as `comply` does, and for a weight of a test that the deal does not have.
    """
    return Trader(book, comply(book, catalogue), catalogue, others, weights)


def ready(book: Book, documents: Mapping[str, Document], defaults: Mapping[str, Any]) -> Model:
    """The deal made ready once, for any number of runs. Raises as `project` does."""
    return Model(book, choose_document(book, documents), defaults)


def project(
    book: Book,
    documents: Mapping[str, Document],
    defaults: Mapping[str, Any],
    assumptions: Assumptions | None = None,
    report: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> Projection:
    """The deal through all payment dates. Raises ValueError (StructureError) for terms that cannot be done without."""
    report(0.0, "Reading terms")
    return ready(book, documents, defaults).run(assumptions or Assumptions(), report)


def warm_up() -> None:
    """Compiles, or loads from the cache, every kernel that a run and its tables call, on a deal of one loan."""
    from engine.outputs import asset_table, deal_tables, spread_table
    from engine.smallest import BOOK, DEFAULTS, DOCUMENT

    model = Model(BOOK, DOCUMENT, DEFAULTS)
    deal_tables(model, model.run(Assumptions()))
    asset_table(model, Assumptions())
    spread_table(model)
    model.totals([Assumptions()], coverage=True).equity_irr()
