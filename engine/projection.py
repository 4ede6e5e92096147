"""The projection of a deal: terms in, frozen result out, with every table a view on arrays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engine import collateral as col
from engine import dates, pack
from engine import projection_kernel as pk
from engine.assumptions import Assumptions
from engine.pool import Pool
from engine.structure import Structure, StructureError, read_structure
from engine.terms import Book, Tranche, lookup
from engine.valuation import xirr
from engine.waterfall import Compiled, Document, compile_waterfall
from engine.waterfall.schema import class_id

Floats = NDArray[np.float64]

_SLICE: Final = 64  # loans a kernel call: progress and cancel come between


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """One run of a deal.

    payment_dates  the dates of the run, up to redemption (n_dates of them)
    equity_history  flows of the subordinated notes to the analysis date, the purchase negative
    collateral     float64[n_dates, N_FLOWS]  flows of the present pool by collection period
    result         arrays of the kernel, cut at redemption
    rates          cpr, cdr, severity (a year) and lag (months) that were used
    """

    deal: str
    currency: str
    as_of: dt.date
    assumptions: Assumptions
    rates: Mapping[str, float]
    structure: Structure
    document: Document
    compiled: Compiled
    tranches: tuple[Tranche, ...]
    equity_history: tuple[tuple[dt.date, float], ...]
    payment_dates: tuple[dt.date, ...]
    collateral: Floats
    result: pk.Result

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
        return self.result.cash[:, pk.SOURCES]

    @property
    def uses(self) -> Floats:
        return self.result.cash[:, pk.USES]

    @property
    def equity(self) -> int:
        """Row of the subordinated notes."""
        return next(i for i, t in enumerate(self.tranches) if class_id(t.name) == "SUB")

    def paid(self, tranche: int) -> Floats:
        """float64[n_dates]: everything paid to a class."""
        r = self.result
        return np.asarray(r.interest[:, tranche] + r.deferred_paid[:, tranche] + r.principal[:, tranche])

    @property
    def equity_irr(self) -> float | None:
        """IRR of the subordinated notes since their purchase, past distributions included, actual/365."""
        past, future = self.equity_history, self.paid(self.equity).tolist()
        return xirr((*(day for day, _ in past), *self.payment_dates), (*(flow for _, flow in past), *future))


def choose_document(book: Book, documents: Mapping[str, Document]) -> Document:
    """The waterfall of a deal: the one its CLO Inputs name ("Waterfall"), else the one that fits its classes.

    Raises StructureError where none is known, none fits, or several fit equally.
    """
    named = lookup(book.deal.clo_inputs, "Waterfall")
    known = ", ".join(sorted(documents))
    if named is not None:
        if str(named) not in documents:
            raise StructureError(f"There is no waterfall {named!r}; known are {known}.")
        return documents[str(named)]
    fitting = [d for d in documents.values() if _fits(book, d)]
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


def project(
    book: Book,
    document: Document,
    defaults: Mapping[str, Any],
    assumptions: Assumptions,
    report: Callable[[float, str], None] = lambda _fraction, _what: None,
) -> Projection:
    """Projects the deal to redemption. Raises StructureError or ValueError for terms that are missing."""
    report(0.0, "Reading terms")
    ids = tuple(class_id(t.name) for t in book.deal.tranches)
    if unknown := set(ids) - set(document.class_ids):
        raise StructureError(f"The waterfall {document.name} does not know class {', '.join(sorted(unknown))}.")
    structure = read_structure(book, document, defaults)
    rates = {
        "cpr": structure.cpr if assumptions.cpr is None else assumptions.cpr,
        "cdr": structure.cdr if assumptions.cdr is None else assumptions.cdr,
        "severity": structure.severity if assumptions.severity is None else assumptions.severity,
        "lag": structure.lag if assumptions.lag is None else assumptions.lag,
    }
    pool = Pool(book.positions())
    curve = pack.pack_curve(book, structure, assumptions.rate_shift)
    market, table = pack.pack_market(curve, structure, (rates["cpr"], rates["cdr"], rates["severity"]))
    tape = pack.pack_tape(pool, book, structure, table, rates["lag"])
    schedule = pack.pack_schedule(structure, assumptions)
    n_dates = schedule.payment.size

    flows = np.zeros((len(pool), n_dates + 1, col.N_FLOWS))
    analysis = dates.serial(structure.analysis)
    for lo in range(0, len(pool), _SLICE):
        hi = min(lo + _SLICE, len(pool))
        report(0.1 + 0.7 * lo / max(len(pool), 1), "Projecting loans")
        col.project_loans(lo, hi, tape, market, analysis, schedule.end, assumptions.recover_after_maturity, flows)

    report(0.85, "Paying the waterfall")
    compiled = compile_waterfall(document, ids)
    notes = pack.pack_notes(book, document, structure)
    history = _equity_history(book, structure)
    opening = pack.pack_opening(book, tape, structure)
    result = _blank(n_dates, len(ids), len(structure.fees), len(document.tests), len(compiled.labels))
    pk.project_deal(
        compiled.program,
        schedule,
        notes,
        pack.pack_fees(structure, document, opening.performing + opening.defaulted + opening.principal),
        pack.pack_tests(document, structure, ids),
        pack.pack_policy(structure, assumptions, rates, table, history),
        opening,
        pack.pack_bucket(pool),
        market,
        table.row(structure.months_between),
        np.where(tape.defaulted, 0.0, tape.par),
        flows,
        result,
    )
    kept = schedule.redemption + 1
    report(1.0, "Done")
    return Projection(
        deal=book.deal.name,
        currency=book.deal.currency,
        as_of=structure.analysis,
        assumptions=assumptions,
        rates=rates,
        structure=structure,
        document=document,
        compiled=compiled,
        tranches=book.deal.tranches,
        equity_history=history,
        payment_dates=tuple(row.payment for row in structure.schedule[:kept]),
        collateral=_frozen(flows[:, :kept].sum(axis=0)),
        result=pk.Result(*(_frozen(array[:kept]) for array in result)),
    )


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def _equity_history(book: Book, structure: Structure) -> tuple[tuple[dt.date, float], ...]:
    """Flows of the subordinated notes to the analysis date; without a purchase, bought at closing (spec 1.7)."""
    past = tuple((d, a) for d, a in book.deal.subordinated_payments if a is not None and d <= structure.analysis)
    if any(amount < 0 for _, amount in past):
        return past
    equity = sum(t.original_balance for t in book.deal.tranches if class_id(t.name) == "SUB")
    return ((structure.closing, -equity * structure.equity_purchase_price), *past)


def _blank(n_dates: int, n_classes: int, n_fees: int, n_tests: int, n_steps: int) -> pk.Result:
    def zeros(*shape: int) -> Floats:
        return np.zeros((n_dates, *shape))

    return pk.Result(
        cash=zeros(pk.N_CASH),
        balance=zeros(n_classes),
        deferred=zeros(n_classes),
        unpaid=zeros(n_classes),
        interest=zeros(n_classes),
        deferred_paid=zeros(n_classes),
        principal=zeros(n_classes),
        coupon=zeros(n_classes),
        fee_accrued=zeros(n_fees),
        fee_paid=zeros(n_fees),
        fee_unpaid=zeros(n_fees),
        numerator=zeros(n_tests),
        denominator=zeros(n_tests),
        ratio=zeros(n_tests),
        reinvested_flows=zeros(col.N_FLOWS),
        log=np.full((n_dates, n_steps, 4), np.nan),
        to_class=zeros(n_steps, n_classes),
        phase=np.zeros((n_dates, 4), dtype=np.bool_),
    )
