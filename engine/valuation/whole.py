"""A deal's worth in one answer: classes, equity, marks; where asked for, calls and rate risk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.valuation.calls import CallTable, Costs, to_calls
from engine.valuation.classes import Valuation, curve_of, value_classes
from engine.valuation.equity import EquityValue, value_equity
from engine.valuation.marks import Bucket, Marks, marks, price_buckets
from engine.valuation.note import Quote
from engine.valuation.rate_risk import RateRisk, rate_risk

if TYPE_CHECKING:
    from engine.assumptions import Assumptions
    from engine.model import Model
    from engine.projection import Projection


def _silent(_fraction: float, _what: str) -> None:
    pass


@dataclass(frozen=True, slots=True, eq=False)
class DealValue:
    """Everything a deal is worth under one scenario.

    buckets  the pool by price
    calls  to maturity and every call date; None: not asked for
    risks  effective and key-rate durations, in the order of the classes; None: not asked for
    """

    projection: Projection
    valuation: Valuation
    equity: EquityValue
    marks: Marks
    buckets: tuple[Bucket, ...]
    calls: CallTable | None
    risks: tuple[RateRisk, ...] | None


def value_deal(
    model: Model,
    assumptions: Assumptions,
    quotes: Mapping[str, Quote] | None = None,
    *,
    settlement: dt.date | None = None,
    marked_on: dt.date | None = None,
    to_worst: bool = False,
    costs: Costs | None = None,
    risk: bool = False,
    report: Callable[[float, str], None] = _silent,
) -> DealValue:
    """Values the deal.

    quotes    prices, yields, margins or spreads by class id, before the deal's own prices
    to_worst  also every call date, with `costs`;  risk: also effective and key-rate durations
    report    may raise to stop
    Raises ValueError for what cannot be projected, an unknown class, a settlement outside the run.
    """
    projection = model.run(assumptions)
    valuation = value_classes(projection, curve_of(model, assumptions), quotes, settlement)
    marked = marks(model, marked_on)
    equity = value_equity(projection, valuation.classes[projection.equity].clean, marked, settlement)
    calls = risks = None
    if to_worst:
        calls = to_calls(
            model,
            replace(assumptions, call_date=None),
            quotes,
            costs=costs,
            settlement=settlement,
            report=lambda fraction, what: report(0.1 + 0.3 * fraction, what),
        )
    if risk:
        risks = rate_risk(
            model,
            assumptions,
            quotes,
            settlement=settlement,
            report=lambda fraction, what: report(0.4 + 0.6 * fraction, what),
        )
    report(1.0, "Done")
    return DealValue(projection, valuation, equity, marked, price_buckets(model), calls, risks)
