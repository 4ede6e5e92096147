"""To maturity, to each call date, to worst: one projection a redemption, the notes of all of them as lanes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import cash, dates
from engine.valuation.classes import LOSS, curve_of, note_of, quote_of, settlement_of
from engine.valuation.irr import xirr_lanes
from engine.valuation.note import Note, Quote, Style
from engine.waterfall.document import class_id

if TYPE_CHECKING:
    from engine.assumptions import Assumptions
    from engine.model import Model
    from engine.projection import Projection

Floats = NDArray[np.float64]

_SAME: Final = 1e-12


def _silent(_fraction: float, _what: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Costs:
    """Of a call: money, and percent of the sale proceeds. They come out of what the equity gets on the date, then out
    of the notes from the most junior up; the incentive fee is not counted anew."""

    fixed: float = 0.0
    percent: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.fixed < float("inf"):
            raise ValueError(f"Costs of a call are an amount of nought or more; {self.fixed:g} is not.")
        if not 0.0 <= self.percent <= 100.0:
            raise ValueError(f"Costs of a call are 0 to 100 percent of the sale proceeds; {self.percent:g} is not.")


@dataclass(frozen=True, slots=True)
class Redemption:
    """One way the deal ends. called: the date it is called from, None: never; in_full: every note is repaid, after
    costs; equity_irr: from settlement at the equity's price."""

    called: dt.date | None
    redeemed: dt.date
    in_full: bool
    costs: float
    equity_irr: float | None


@dataclass(frozen=True, slots=True)
class ClassCalls:
    """A class at one clean price under every redemption, in their order; None where there is no rate.

    worst_yield   lowest quarterly yield over maturity and the calls that repay every note; worst_yield_on: redeemed
    worst_margin  likewise the discount margin
    """

    class_id: str
    name: str
    clean: float | None
    yields: tuple[float | None, ...]
    margins: tuple[float | None, ...]
    wals: tuple[float | None, ...]
    worst_yield: float | None
    worst_yield_on: dt.date | None
    worst_margin: float | None
    worst_margin_on: dt.date | None


@dataclass(frozen=True, slots=True, eq=False)
class CallTable:
    """Redemptions (to maturity first), and what they do to each class.

    notes  flows of every class (the equity too), one lane a redemption
    best   the redemption at which the equity earns most; None: it never has an IRR
    """

    settlement: dt.date
    redemptions: tuple[Redemption, ...]
    classes: tuple[ClassCalls, ...]
    notes: tuple[Note, ...]

    @property
    def best(self) -> Redemption | None:
        earning = [r for r in self._counted() if r.equity_irr is not None]
        return max(earning, key=lambda r: r.equity_irr or 0.0, default=None)

    def _counted(self) -> list[Redemption]:
        return [r for r in self.redemptions if r.called is None or r.in_full]

    def worst_price(self, tranche: int, style: Style, rate: float) -> float | None:
        """Clean price at which a class yields at least `rate` whichever redemption comes: the lowest of them."""
        note = self.notes[tranche]
        if note.claim <= 0.0:
            return None
        if style is Style.PRICE:
            return rate
        prices = note.prices(style, np.full((1, len(self.redemptions)), rate))[0]
        counted = [p for p, r in zip(prices.tolist(), self.redemptions, strict=True) if r.called is None or r.in_full]
        return None if not counted or np.isnan(counted).any() else float(min(counted))


def call_dates(model: Model, after: dt.date) -> tuple[dt.date, ...]:
    """Payment dates on which the deal may be called: the non-call period is over; the last is its maturity."""
    first = model.structure.no_call or after
    return tuple(row.payment for row in model.structure.schedule[:-1] if row.payment >= first and row.payment > after)


def to_calls(
    model: Model,
    assumptions: Assumptions,
    quotes: Mapping[str, Quote] | None = None,
    *,
    on: Sequence[dt.date] | None = None,
    costs: Costs | None = None,
    settlement: dt.date | None = None,
    report: Callable[[float, str], None] = _silent,
) -> CallTable:
    """Every class to maturity and to each call date.

    on        call dates; None: every payment date after the non-call period
    quotes    by class id, before the deal's own prices; a rate is turned into a price by the run to maturity
    report    is called between runs and may raise to stop
    Raises ValueError for a call date or settlement outside the run.
    """
    given, charged = dict(quotes or {}), costs or Costs()
    base = model.run(replace(assumptions, call_date=None))
    at = settlement_of(base, settlement)
    days = call_dates(model, at) if on is None else tuple(on)
    runs: list[tuple[dt.date | None, Projection]] = [(None, base)]
    for i, day in enumerate(days):
        report(i / len(days), f"Called on {day.isoformat()}")
        runs.append((day, model.run(replace(assumptions, call_date=day))))
    longest = max((run for _, run in runs), key=lambda run: len(run.payment_dates))
    frames = [note_of(longest, k, curve_of(model, assumptions), at) for k in range(len(base.tranches))]
    notes = [stacked(frame, [run for _, run in runs], k) for k, frame in enumerate(frames)]
    taken, in_full = _charge(runs, notes, charged)
    ids = [class_id(t.name) for t in base.tranches]
    prices: list[float | None] = []
    for k, terms in enumerate(base.tranches):
        quote = given.get(ids[k], quote_of(terms))
        prices.append(None if quote is None or notes[k].claim <= 0.0 else notes[k].price(quote))
    irrs = _equity_irrs(notes[base.equity], prices[base.equity])
    redemptions = tuple(
        Redemption(called, run.payment_dates[-1], bool(full), float(cost), _number(irr))
        for (called, run), full, cost, irr in zip(runs, in_full, taken, irrs, strict=True)
    )
    classes = tuple(
        _class(ids[k], base.tranches[k].name, notes[k], prices[k], redemptions, equity=k == base.equity)
        for k in range(len(ids))
    )
    report(1.0, "Done")
    return CallTable(at, redemptions, classes, tuple(notes))


def stacked(frame: Note, runs: Sequence[Projection], tranche: int) -> Note:
    """A class of several runs on the dates of the longest, one lane each; up to their ends they share a schedule."""
    amounts, principal = (np.zeros((frame.days.size, len(runs))) for _ in range(2))
    for w, run in enumerate(runs):
        rows = slice(int((dates.serials(run.payment_dates) <= frame.settlement).sum()), None)
        repaid = run.result.principal[rows, tranche] + run.result.deferred_paid[rows, tranche]
        amounts[: repaid.size, w] = run.paid(tranche)[rows]
        principal[: repaid.size, w] = repaid
    return replace(frame, amounts=amounts, principal=principal)


def _charge(
    runs: Sequence[tuple[dt.date | None, Projection]], notes: Sequence[Note], costs: Costs
) -> tuple[Floats, NDArray[np.bool_]]:
    """Takes the costs of each call out of its last date, equity first (in place).

    Returns float64[W] costs and bool[W] whether every note is repaid.
    """
    taken, whole = np.zeros(len(runs)), np.zeros(len(runs), dtype=np.bool_)
    for w, (called, run) in enumerate(runs):
        r, equity = run.result, run.equity
        debts = [k for k in range(len(notes)) if k != equity]
        lost = float((r.balance[-1, debts] + r.deferred[-1, debts] + r.unpaid[-1, debts]).max(initial=0.0))
        whole[w] = lost <= LOSS
        if called is None or run.payment_dates[-1] < called:
            continue
        taken[w] = left = costs.fixed + costs.percent / 100.0 * max(float(r.cash[-1, cash.SALE_PROCEEDS]), 0.0)
        row = int(np.searchsorted(notes[0].days, dates.serial(run.payment_dates[-1])))
        for k in (equity, *reversed(debts)):
            bears = min(left, float(notes[k].amounts[row, w]))
            if bears > 0.0:
                notes[k].amounts[row, w] -= bears
                notes[k].principal[row, w] = min(notes[k].principal[row, w], notes[k].amounts[row, w])
                left -= bears
                whole[w] &= k == equity or bears <= LOSS
        taken[w] -= left  # what nobody can bear is not paid
    return taken, whole


def _equity_irrs(note: Note, clean: float | None) -> Floats:
    """float64[W]: IRR from settlement at a price; NaN where there is none."""
    if clean is None:
        return np.full(note.amounts.shape[1], np.nan)
    days = [dates.from_serial(int(day)) for day in note.days]
    return xirr_lanes([(dates.from_serial(note.settlement), -note.claim * clean / 100.0)], days, note.amounts)


def _class(
    name_id: str, name: str, note: Note, clean: float | None, redemptions: Sequence[Redemption], *, equity: bool
) -> ClassCalls:
    width = len(redemptions)
    nothing = (None,) * width
    yields: tuple[float | None, ...] = nothing
    margins: tuple[float | None, ...] = nothing
    if clean is not None:
        prices = np.full((1, width), clean)
        yields = tuple(_number(x) for x in note.rates(Style.QUARTERLY, prices)[0])
        margins = tuple(_number(x) for x in note.rates(Style.MARGIN, prices)[0])
    wals: tuple[float | None, ...] = nothing
    if not equity and note.claim > 0.0:
        ends = [int(np.searchsorted(note.days, dates.serial(r.redeemed))) for r in redemptions]
        wals = tuple(note.wal(w, end) for w, end in enumerate(ends))
    worst_yield, yield_on = _worst(yields, redemptions)
    worst_margin, margin_on = _worst(margins, redemptions)
    return ClassCalls(name_id, name, clean, yields, margins, wals, worst_yield, yield_on, worst_margin, margin_on)


def _worst(rates: Sequence[float | None], redemptions: Sequence[Redemption]) -> tuple[float | None, dt.date | None]:
    """The lowest rate over maturity and the calls that repay every note, and the first redemption that gives it."""
    counted = [
        (rate, r.redeemed)
        for rate, r in zip(rates, redemptions, strict=True)
        if rate is not None and (r.called is None or r.in_full)
    ]
    if not counted:
        return None, None
    lowest = min(rate for rate, _ in counted)
    # a class that is repaid before a call earns the same to the last bit or two: no reason to name the call
    return lowest, next(redeemed for rate, redeemed in counted if rate <= lowest + _SAME)


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
