"""Returns of the subordinated notes: dated IRR, cash-on-cash, multiples, payback (spec: engine 4.5)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import cash
from engine.valuation.classes import settlement_of
from engine.valuation.irr import xirr
from engine.valuation.marks import Marks

if TYPE_CHECKING:
    from engine.projection import Projection

Flows = tuple[tuple[dt.date, float], ...]


@dataclass(frozen=True, slots=True)
class EquityValue:
    """Units and conventions: `engine.valuation.conventions.MEASURES`. None: there is none.

    distributions  (payment date, money) after settlement
    by_date        (payment date, share of original balance) after settlement
    by_year        (calendar year, share of original balance), past distributions included
    """

    price: float | None
    irr_at_price: float | None
    irr_at_cost: float | None
    irr_at_par: float | None
    irr_at_book: float | None
    irr_at_nav: float | None
    irr_since_closing: float | None
    irr_to_date: float | None
    moic_at_price: float | None
    moic_since_closing: float | None
    payback_at_price: dt.date | None
    payback_since_closing: dt.date | None
    distributions: Flows
    by_date: Flows
    by_year: tuple[tuple[int, float], ...]
    incentive_fee: float
    irr_at_price_before_fee: float | None
    irr_since_closing_before_fee: float | None
    incentive_fee_effect: float | None


def value_equity(
    projection: Projection, price: float | None, marks: Marks, settlement: dt.date | None = None
) -> EquityValue:
    """Returns of the subordinated notes of a projection.

    price  per 100 of original balance; None: nothing that needs it. Raises ValueError as `settlement_of`.
    """
    k, at = projection.equity, settlement_of(projection, settlement)
    original = projection.tranches[k].original_balance
    paid = tuple(zip(projection.payment_dates, projection.paid(k).tolist(), strict=True))
    future = tuple((day, amount) for day, amount in paid if day > at)
    history = (*projection.equity_history, *((day, amount) for day, amount in paid if day <= at))
    cost = -sum(amount for _, amount in history if amount < 0.0)
    received = sum(amount for _, amount in history if amount > 0.0)
    ahead = sum(amount for _, amount in future)

    def forward(per_100: float | None) -> float | None:
        return None if per_100 is None else _irr(((at, -original * per_100 / 100.0), *future))

    fees = dict(zip(projection.payment_dates, projection.result.cash[:, cash.INCENTIVE_FEE].tolist(), strict=True))
    before_fee = tuple((day, amount + fees[day]) for day, amount in future)
    since, since_before = _irr((*history, *future)), _irr((*history, *before_fee))
    asked = None if price is None else original * price / 100.0
    years: dict[int, float] = {}
    for day, amount in (*history, *future):
        if amount >= 0.0 and original > 0.0:
            years[day.year] = years.get(day.year, 0.0) + amount / original
    return EquityValue(
        price=price,
        irr_at_price=forward(price),
        irr_at_cost=forward(projection.structure.equity_purchase_price * 100.0),
        irr_at_par=forward(100.0),
        irr_at_book=forward(marks.book_price),
        irr_at_nav=forward(marks.nav_price),
        irr_since_closing=since,
        irr_to_date=None if asked is None else _irr((*history, (at, asked))),
        moic_at_price=ahead / asked if asked else None,
        moic_since_closing=(received + ahead) / cost if cost > 0.0 else None,
        payback_at_price=None if asked is None else _payback(future, asked),
        payback_since_closing=_payback([f for f in (*history, *future) if f[1] > 0.0], cost) if cost > 0.0 else None,
        distributions=future,
        by_date=tuple((day, amount / original) for day, amount in future) if original > 0.0 else (),
        by_year=tuple(sorted(years.items())),
        incentive_fee=float(projection.result.cash[:, cash.INCENTIVE_FEE].sum()),
        irr_at_price_before_fee=None if asked is None else _irr(((at, -asked), *before_fee)),
        irr_since_closing_before_fee=since_before,
        incentive_fee_effect=None if since is None or since_before is None else since_before - since,
    )


def _irr(flows: Flows) -> float | None:
    """None where flows have no change of sign: nothing was paid, or nothing comes back."""
    return xirr([day for day, _ in flows], [amount for _, amount in flows])


def _payback(flows: Sequence[tuple[dt.date, float]], cost: float) -> dt.date | None:
    """First date on which what was received reaches the cost; None: never."""
    received = 0.0
    for day, amount in flows:
        received += amount
        if received >= cost * (1.0 - 1e-12):
            return day
    return None
