"""What runs of a deal came to, frozen: one scenario in full, or the totals of many. And which waterfall a deal has."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import cash, pack
from engine.assumptions import Assumptions
from engine.deal_inputs import DealInputs
from engine.results import Result
from engine.structure import Structure, StructureError
from engine.terms import Book, Tranche, lookup
from engine.valuation import xirr, xirr_lanes
from engine.waterfall.clauses import Clause
from engine.waterfall.document import Document, class_id

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One run of a deal.

    payment_dates  the dates of the run, up to redemption (n_dates of them)
    equity_history  flows of the subordinated notes to the analysis date, the purchase negative
    collateral     float64[n_dates, N_FLOWS]  flows of the present pool by collection period
    inputs         what the liabilities took (of all dates, also those after redemption)
    result         arrays, cut at redemption
    clauses        the steps that the deal has, in the order of the log
    rates          cpr, cdr, severity (a year) and lag (months) that were used
    """

    deal: str
    currency: str
    as_of: dt.date
    assumptions: Assumptions
    rates: Mapping[str, float]
    structure: Structure
    document: Document
    clauses: tuple[Clause, ...]
    tranches: tuple[Tranche, ...]
    equity_history: pack.EquityFlows
    payment_dates: tuple[dt.date, ...]
    collateral: Floats
    inputs: DealInputs
    result: Result

    @property
    def assumed(self) -> tuple[str, ...]:
        return self.structure.assumed

    @property
    def sale_price(self) -> float:
        """Price at redemption that was used, percent of par."""
        own = self.assumptions.sale_price
        return self.structure.sale_price * 100.0 if own is None else own

    @property
    def sources(self) -> Floats:
        return self.result.cash[:, cash.SOURCES]

    @property
    def uses(self) -> Floats:
        return self.result.cash[:, cash.USES]

    @property
    def equity(self) -> int:
        """Row of the subordinated notes."""
        return next(i for i, t in enumerate(self.tranches) if class_id(t.name) == self.document.equity)

    def paid(self, tranche: int) -> Floats:
        """float64[n_dates]: everything paid to a class."""
        r = self.result
        return np.asarray(r.interest[:, tranche] + r.deferred_paid[:, tranche] + r.principal[:, tranche])

    @property
    def equity_irr(self) -> float | None:
        """IRR of the subordinated notes since their purchase, past distributions included, actual/365."""
        past, future = self.equity_history, self.paid(self.equity).tolist()
        return xirr((*(day for day, _ in past), *self.payment_dates), (*(flow for _, flow in past), *future))


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """What many scenarios came to. Shapes: n_scenarios, n_classes, n_dates.

    interest, deferred, principal  float64[n_scenarios, n_classes]  paid over the run
    unpaid      float64[n_scenarios, n_classes]  principal and deferred interest that stayed unpaid
    wal         float64[n_scenarios, n_classes]  years from settlement (the analysis date, or the start of the
                accrual where that is later) to repayment; NaN: nothing repaid
    equity      float64[n_scenarios, n_dates]  paid to the equity
    failed      float64[n_scenarios, n_tests]  place of the first payment date on which a test fails; NaN: on none
    cushion     float64[n_scenarios, n_tests]  least of ratio less trigger while the test is active; infinite: never is
                The last two have no columns where coverage was not asked for.
    """

    class_ids: tuple[str, ...]
    test_ids: tuple[str, ...]
    payment_dates: tuple[dt.date, ...]
    equity_history: pack.EquityFlows
    interest: Floats
    deferred: Floats
    principal: Floats
    unpaid: Floats
    wal: Floats
    equity: Floats
    failed: Floats
    cushion: Floats

    @property
    def arrays(self) -> tuple[Floats, ...]:
        return (
            *(self.interest, self.deferred, self.principal, self.unpaid, self.wal, self.equity),
            *(self.failed, self.cushion),
        )

    def equity_irr(self) -> Floats:
        """float64[n_scenarios]: IRR of the equity since its purchase, actual/365; NaN where there is none."""
        return xirr_lanes(self.equity_history, self.payment_dates, self.equity.T)


def choose_document(book: Book, documents: Mapping[str, Document]) -> Document:
    """The waterfall of a deal: the one its CLO Inputs name ("Waterfall"), else the one that fits its classes.

    Raises StructureError where none is known, none fits, or several fit equally.
    """
    named = lookup(book.deal.clo_inputs, "Waterfall")
    known = ", ".join(sorted(documents))
    if named is not None:
        return document_named(book, documents, str(named))
    fitting = [d for d in documents.values() if _fits(book, d)]
    if len(fitting) > 1:
        # of several, the one that asks for least that the deal does not say
        blank = [sum(lookup(book.deal.clo_inputs, i.label) is None for i in d.inputs) for d in fitting]
        fitting = [d for d, asked in zip(fitting, blank, strict=True) if asked == min(blank)]
    if len(fitting) == 1:
        return fitting[0]
    classes = ", ".join(t.name for t in book.deal.tranches)
    if fitting:
        several = " and ".join(d.name for d in fitting)
        raise StructureError(f"{several} fit the classes {classes}; name one of them in CLO Inputs as Waterfall.")
    raise StructureError(
        f"No priority of payments fits the classes {classes} and their triggers; "
        f"name one in CLO Inputs as Waterfall (known are {known})."
    )


def document_named(book: Book, documents: Mapping[str, Document], name: str) -> Document:
    """The waterfall of that name. Raises StructureError where there is none, or where it is for other classes."""
    document = documents.get(name)
    if document is None:
        raise StructureError(f"There is no waterfall {name!r}; known are {', '.join(sorted(documents))}.")
    held = [class_id(t.name) for t in book.deal.tranches]
    unknown = [i for i in held if i not in document.class_ids]
    lacking = [c.id for c in document.classes if not c.optional and c.id not in held]
    if unknown or lacking:
        said = [f"it does not know class {', '.join(unknown)}"] if unknown else []
        said += [f"the deal has no class {', '.join(lacking)}"] if lacking else []
        raise StructureError(
            f"The waterfall {name} does not fit {book.deal.name}: {' and '.join(said)}; "
            f"choose one for the classes {', '.join(held)}."
        )
    return document


def _fits(book: Book, document: Document) -> bool:
    """Whether the document is for exactly the deal's classes, and tests what the deal has triggers for."""
    tranches = {class_id(t.name): t for t in book.deal.tranches}
    needed = {c.id for c in document.classes if not c.optional}
    if not needed <= set(tranches) <= set(document.class_ids):
        return False
    tested = {(t.of, t.type) for t in document.tests if t.of is not None}
    given = {(i, "oc") for i, t in tranches.items() if t.oc_trigger is not None}
    given |= {(i, "ic") for i, t in tranches.items() if t.ic_trigger is not None}
    return tested == given
