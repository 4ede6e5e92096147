"""Every class of a projection: price, yields, margins, risk, and what it does not get back (spec: engine 4.5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import cash, dates, pack
from engine.curves import Curve
from engine.valuation.note import Note, Quote, Style
from engine.waterfall.document import class_id

if TYPE_CHECKING:
    from engine.assumptions import Assumptions
    from engine.model import Model
    from engine.projection import Projection
    from engine.terms import Tranche

Floats = NDArray[np.float64]

LOSS: Final = 1.0
"""Money that may stay unpaid without being called a loss: rounding of cents over the run."""


@dataclass(frozen=True, slots=True)
class ClassValue:
    """The figures of one class; units and conventions: `engine.valuation.conventions.MEASURES`. None: there is none.

    quoted  price, yield_street, yield_quarterly, yield_semi, discount_margin or z_spread; None: no price was known
    """

    name: str
    class_id: str
    is_equity: bool
    claim: float
    factor: float | None
    accrued: float | None
    quoted: str | None
    clean: float | None
    dirty: float | None
    yield_street: float | None
    yield_quarterly: float | None
    yield_semi: float | None
    discount_margin: float | None
    z_spread: float | None
    wal: float | None
    macaulay: float | None
    modified: float | None
    convexity: float | None
    spread_duration: float | None
    dv01: float | None
    cs01: float | None
    window_first: dt.date | None
    window_last: dt.date | None
    total_interest: float
    total_principal: float
    first_loss: dt.date | None
    write_down: float | None
    write_down_share: float | None
    uncovered: dt.date | None
    deferred_peak: float | None
    deferred_total: float | None
    shortfall_peak: float | None
    shortfall_dates: int | None


@dataclass(frozen=True, slots=True)
class Valuation:
    """All classes of one projection, in their order. settlement: the day a price is paid on."""

    deal: str
    currency: str
    as_of: dt.date
    settlement: dt.date
    redeemed: dt.date
    classes: tuple[ClassValue, ...]


def curve_of(model: Model, assumptions: Assumptions) -> Curve:
    """The zero curve of a scenario, for spreads."""
    return pack.pack_curve(model.book, model.structure, assumptions.rate_shift, assumptions.rates)


def settlement_of(projection: Projection, settlement: dt.date | None) -> dt.date:
    """The analysis date, or the start of the accrual where the notes are not issued yet.

    Raises ValueError for a day before that, or on or after the run's last date.
    """
    usual = max(projection.as_of, projection.structure.accrual_start)
    if settlement is None:
        return usual
    if not usual <= settlement < projection.payment_dates[-1]:
        raise ValueError(
            f"Settlement on {settlement.isoformat()} is not possible; choose a day from {usual.isoformat()} on and "
            f"before the last payment date {projection.payment_dates[-1].isoformat()}."
        )
    return settlement


def note_of(projection: Projection, tranche: int, curve: Curve, settlement: dt.date | None = None) -> Note:
    """The flows of a class after settlement, as one lane. Raises ValueError as `settlement_of`."""
    r, terms = projection.result, projection.tranches[tranche]
    at = dates.serial(settlement_of(projection, settlement))
    days = dates.serials(projection.payment_dates)
    first = int(np.searchsorted(days, at, side="right"))
    repaid = r.principal[first:, tranche] + r.deferred_paid[first:, tranche]
    return Note(
        settlement=at,
        days=days[first:],
        amounts=np.ascontiguousarray(projection.paid(tranche)[first:, None]),
        principal=np.ascontiguousarray(repaid[:, None]),
        claim=_balance(projection, tranche, first) + _deferred(projection, tranche, first),
        accrued=_accrued(projection, tranche, first, at, terms),
        forwards=r.cash[first:, cash.INDEX].copy(),
        months=projection.structure.months_between,
        curve=curve,
    )


def _balance(projection: Projection, tranche: int, row: int) -> float:
    """Balance at the start of a row's period."""
    opening = projection.tranches[tranche].current_balance
    return opening if row == 0 else float(projection.result.balance[row - 1, tranche])


def _deferred(projection: Projection, tranche: int, row: int) -> float:
    opening = projection.tranches[tranche].deferred_balance
    return opening if row == 0 else float(projection.result.deferred[row - 1, tranche])


def _accrued(projection: Projection, tranche: int, row: int, settlement: int, terms: Tranche) -> float:
    """Coupon of the running period on balance, deferred and unpaid interest that bear it, to settlement (spec 4.1)."""
    if tranche == projection.equity:
        return 0.0
    of = next(c for c in projection.document.classes if c.id == class_id(terms.name))
    r = projection.result
    before = projection.structure.accrual_start if row == 0 else projection.payment_dates[row - 1]
    bearing = _balance(projection, tranche, row)
    bearing += _deferred(projection, tranche, row) if of.interest_on_deferred else 0.0
    unpaid = 0.0 if row == 0 else float(r.unpaid[row - 1, tranche])
    bearing += unpaid if of.interest_on_unpaid else 0.0
    fraction = dates.year_fraction(dates.serial(before), settlement, dates.day_count_code(terms.day_count))
    return unpaid + bearing * max(float(r.coupon[row, tranche]), 0.0) * float(fraction)


def quote_of(terms: Tranche) -> Quote | None:
    """The deal's own price of a class, else its discount margin."""
    if terms.price is not None:
        return Quote(Style.PRICE, terms.price * 100.0)
    if terms.discount_margin is not None:
        return Quote(Style.MARGIN, terms.discount_margin)
    return None


def value_classes(
    projection: Projection,
    curve: Curve,
    quotes: Mapping[str, Quote] | None = None,
    settlement: dt.date | None = None,
) -> Valuation:
    """Every class of a projection.

    curve   zero curve, for z-spreads (`curve_of`)
    quotes  prices, yields, margins or spreads by class id, before the deal's own prices
    Raises ValueError for a settlement that is not possible, or a quote of a class that is not there.
    """
    given = dict(quotes or {})
    ids = [class_id(t.name) for t in projection.tranches]
    if unknown := sorted(set(given) - set(ids)):
        raise ValueError(f"{projection.deal} has no class {', '.join(unknown)}; it has {', '.join(ids)}.")
    values = []
    for k, terms in enumerate(projection.tranches):
        note = note_of(projection, k, curve, settlement)
        values.append(_value(projection, k, note, given.get(ids[k], quote_of(terms))))
    return Valuation(
        deal=projection.deal,
        currency=projection.currency,
        as_of=projection.as_of,
        settlement=settlement_of(projection, settlement),
        redeemed=projection.payment_dates[-1],
        classes=tuple(values),
    )


def _value(projection: Projection, k: int, note: Note, quote: Quote | None) -> ClassValue:
    terms, r, equity = projection.tranches[k], projection.result, k == projection.equity
    first = len(projection.payment_dates) - note.days.size
    alive = note.claim > 0.0
    clean = note.price(quote) if quote is not None and alive else None
    rates = {style: None if clean is None else note.rate(style, clean) for style in Style if style is not Style.PRICE}
    risk = None if clean is None else note.risk(clean)
    repaying = np.flatnonzero(note.principal[:, 0] > LOSS)
    lost = None if equity else float(r.balance[-1, k] + r.deferred[-1, k] + r.unpaid[-1, k])
    after = r.deferred[first:, k]
    before = np.concatenate([[_deferred(projection, k, first)], after[:-1]])
    added = np.maximum(after - before + r.deferred_paid[first:, k], 0.0)
    late = r.unpaid[first:, k]
    return ClassValue(
        name=terms.name,
        class_id=class_id(terms.name),
        is_equity=equity,
        claim=note.claim,
        factor=terms.current_balance / terms.original_balance if terms.original_balance > 0.0 else None,
        accrued=note.accrued * 100.0 / note.claim if alive else None,
        quoted=None if clean is None or quote is None else quote.style.value,
        clean=clean,
        dirty=None if clean is None else clean + note.accrued * 100.0 / note.claim,
        yield_street=rates[Style.STREET],
        yield_quarterly=rates[Style.QUARTERLY],
        yield_semi=rates[Style.SEMI],
        discount_margin=rates[Style.MARGIN],
        z_spread=rates[Style.SPREAD],
        wal=None if equity or not alive else note.wal(),
        macaulay=None if risk is None else risk.macaulay,
        modified=None if risk is None else risk.modified,
        convexity=None if risk is None else risk.convexity,
        spread_duration=None if risk is None else risk.spread_duration,
        dv01=None if risk is None else risk.dv01,
        cs01=None if risk is None else risk.cs01,
        window_first=projection.payment_dates[first + int(repaying[0])] if repaying.size and not equity else None,
        window_last=projection.payment_dates[first + int(repaying[-1])] if repaying.size and not equity else None,
        total_interest=float(r.interest[first:, k].sum()),
        total_principal=float(note.principal.sum()),
        first_loss=projection.payment_dates[-1] if lost is not None and lost > LOSS else None,
        write_down=lost,
        write_down_share=lost / note.claim if lost is not None and alive else None,
        uncovered=None if equity else _uncovered(projection, k, first),
        deferred_peak=None if equity else float(max(before[0], after.max())),
        deferred_total=None if equity else float(added.sum()),
        shortfall_peak=None if equity else float(late.max()),
        shortfall_dates=None if equity else int((late > LOSS).sum()),
    )


def _uncovered(projection: Projection, tranche: int, first: int) -> dt.date | None:
    """First date after whose payments the assets are less than the notes down to the class."""
    r = projection.result
    assets = r.cash[:, cash.PERFORMING] + r.cash[:, cash.CARRYING_VALUE] + r.cash[:, cash.CARRIED]
    above = [k for k in range(tranche + 1) if k != projection.equity]
    notes = (r.balance[:, above] + r.deferred[:, above] + r.unpaid[:, above]).sum(axis=1)
    short = np.flatnonzero(notes[first:] > np.maximum(assets[first:], 0.0) + LOSS)
    return projection.payment_dates[first + int(short[0])] if short.size else None
