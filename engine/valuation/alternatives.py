"""Hold the deal, or refinance, reset or call it: what each is to the equity, at which spreads, and on which date.

Each alternative is a run of its own: the deal as it is up to the date, then new margins, costs, periods (spec 12).
Everything is told against holding, at the price of the equity and from the same settlement.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.refinancing import Refinancing
from engine.schedule import months_after
from engine.valuation.calls import CallTable, Costs, call_dates, to_calls
from engine.valuation.classes import LOSS, quote_of, settlement_of
from engine.valuation.irr import xirr, xirr_lanes
from engine.valuation.note import Quote, Style
from engine.waterfall.document import class_id

if TYPE_CHECKING:
    from engine.assumptions import Assumptions
    from engine.model import Model
    from engine.projection import Projection

Floats = NDArray[np.float64]
Report = Callable[[float, str], None]

FARTHEST: Final = 0.05
"""Break-even margins are sought this far from the offered ones, a year."""
_FIRST_STEP: Final = 0.001
_EQUAL: Final = 1e-9  # of an IRR
_ROUNDS: Final = 12


class Action(StrEnum):
    REFINANCE = "refinance"
    RESET = "reset"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Offer:
    """Terms at which notes may be replaced.

    margins     (class id, margin a year) of the new notes
    balances    (class id, money) of the new notes, as in `Refinancing`
    fixed, percent  costs: money, and percent of the new notes;  by_holders: holders of the equity pay them
    non_call    months of the new non-call period
    reinvestment  months of a new reinvestment period from the date; None: the old one stays
    longer      months by which the stated maturity moves
    """

    margins: tuple[tuple[str, float], ...]
    balances: tuple[tuple[str, float], ...] = ()
    fixed: float = 0.0
    percent: float = 0.0
    by_holders: bool = False
    non_call: int = 0
    reinvestment: int | None = None
    longer: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.percent <= 100.0:
            raise ValueError(f"Costs are 0 to 100 percent of the new notes; {self.percent:g} is not.")
        for words, months in (
            ("A non-call period", self.non_call),
            ("A reinvestment period", self.reinvestment or 0),
            ("The maturity moves by", self.longer),
        ):
            if not 0 <= months <= 240:
                raise ValueError(f"{words} is 0 to 240 months; {months} are not.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """One alternative on one payment date. Units and conventions: `conventions.MEASURES`; None: there is none.

    counted  it may be chosen: a call that does not repay every note may not
    flows    (payment date, money) of the equity after settlement
    """

    action: Action
    on: dt.date
    counted: bool
    costs: float
    paid_on_date: float
    irr: float | None
    irr_gain: float | None
    present_gain: float | None
    cash_gain: float
    recovered_on: dt.date | None
    break_even_shift: float | None
    break_even_senior: float | None
    flows: tuple[tuple[dt.date, float], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Alternatives:
    """Holding, and every alternative on every date.

    price, basis   of the equity, per 100 of original balance, and where it is from
    senior         the most senior class of each offer: the one whose break-even margin is told
    calls          what a call on each date is to every class
    """

    settlement: dt.date
    currency: str
    price: float
    basis: str
    hold_irr: float | None
    hold_flows: tuple[tuple[dt.date, float], ...]
    offers: Mapping[Action, Offer]
    senior: Mapping[Action, str]
    outcomes: tuple[Outcome, ...]
    calls: CallTable

    def best(self, action: Action) -> Outcome | None:
        """The date on which an alternative earns the equity most."""
        counted = [o for o in self.outcomes if o.action is action and o.counted and o.irr is not None]
        return max(counted, key=lambda o: o.irr or 0.0, default=None)

    @property
    def choice(self) -> Outcome | None:
        """The best of all; None: nothing earns more than holding."""
        found = [o for a in Action if (o := self.best(a)) is not None and (o.irr_gain or 0.0) > 0.0]
        return max(found, key=lambda o: o.irr_gain or 0.0, default=None)


def market_offer(model: Model, **terms: object) -> Offer | None:
    """An offer for every class whose own discount margin is below its margin, at that discount margin; None: none is.

    terms  further fields of `Offer`
    """
    kinds = {c.id: c.kind for c in model.document.classes}
    found = tuple(
        (class_id(t.name), t.discount_margin)
        for t in model.book.deal.tranches
        if kinds[class_id(t.name)] == "debt"
        and t.current_balance > 0.0
        and t.spread is not None
        and t.discount_margin is not None
        and t.discount_margin < t.spread
    )
    return Offer(found, **terms) if found else None  # type: ignore[arg-type]  # fields of Offer by name


def alternatives(
    model: Model,
    assumptions: Assumptions,
    offers: Mapping[Action, Offer],
    call: Costs | None = None,
    quote: Quote | None = None,
    *,
    on: Sequence[dt.date] | None = None,
    settlement: dt.date | None = None,
    break_even: bool = True,
    report: Report = lambda _fraction, _what: None,
) -> Alternatives:
    """Every alternative on every payment date after the non-call period (or on those of `on`).

    offers  of a refinancing and of a reset;  call: costs of a call
    quote   of the equity; None: the deal's own price, else its purchase price
    Raises ValueError for terms that cannot be, and where no date is left.
    """
    for offer in offers.values():
        _check(model, offer)
    hold = model.run(assumptions)
    at = settlement_of(hold, settlement)
    days = _days(model, at, on)
    price, basis = _price(hold, quote)
    study = _Study(hold, at, price)
    report(0.05, "Calls")
    called = replace(assumptions, call_date=None, refinancing=None)
    sub = hold.document.equity
    table = to_calls(
        model,
        called,
        {sub: Quote(Style.PRICE, price)},
        on=days,
        costs=call,
        settlement=at,
        report=lambda fraction, what: report(0.05 + 0.25 * fraction, what),
    )
    outcomes = [*_calls(study, table, hold.equity)]
    for place, (action, offer) in enumerate(offers.items()):
        start, step = 0.3 + 0.7 * place / len(offers), 0.7 / len(offers)
        words = "Refinancing" if action is Action.REFINANCE else "Reset"

        def told(fraction: float, _what: str, start: float = start, step: float = step, words: str = words) -> None:
            report(start + step * fraction, words)

        outcomes += _Renewals(model, assumptions, study, action, offer, days).outcomes(break_even, told)
    report(1.0, "Done")
    return Alternatives(
        settlement=at,
        currency=hold.currency,
        price=price,
        basis=basis,
        hold_irr=study.irr,
        hold_flows=study.flows,
        offers=dict(offers),
        senior={action: _senior(model, offer) for action, offer in offers.items()},
        outcomes=tuple(outcomes),
        calls=table,
    )


def _check(model: Model, offer: Offer) -> None:
    """Raises ValueError for a class that the deal has not, or that cannot be refinanced."""
    kinds = {c.id: c.kind for c in model.document.classes}
    debts = [i for t in model.book.deal.tranches if kinds[i := class_id(t.name)] == "debt"]
    if unknown := [name for name, _ in offer.margins if name not in debts]:
        raise ValueError(f"Class {unknown[0]} cannot be refinanced; {model.book.deal.name} has {', '.join(debts)}.")


def _days(model: Model, at: dt.date, on: Sequence[dt.date] | None) -> tuple[dt.date, ...]:
    possible = call_dates(model, at)
    if not possible:
        raise ValueError("No payment date is left on which the notes could be called.")
    if on is None:
        return possible
    for day in on:
        if not at < day <= possible[-1]:
            raise ValueError(
                f"{day.isoformat()} is not possible; choose a day after settlement, up to {possible[-1].isoformat()}."
            )
    # each day stands for the first payment date on or after it
    met = {next(p for p in possible if p >= day) for day in on}
    return tuple(sorted(met))


def _price(hold: Projection, quote: Quote | None) -> tuple[float, str]:
    terms = hold.tranches[hold.equity]
    if quote is not None and quote.style is not Style.PRICE:
        raise ValueError("The equity is quoted by its price here, per 100: 82.5.")
    if quote is not None:
        return quote.value, "as given"
    own = quote_of(terms)
    if own is not None and own.style is Style.PRICE:
        return own.value, "the deal's own price"
    return hold.structure.equity_purchase_price * 100.0, "purchase price of closing"


def _senior(model: Model, offer: Offer) -> str:
    """The most senior class of an offer."""
    named = dict(offer.margins)
    return next((i for t in model.book.deal.tranches if (i := class_id(t.name)) in named), offer.margins[0][0])


class _Study:
    """Holding, and how anything is told against it."""

    def __init__(self, hold: Projection, at: dt.date, price: float) -> None:
        self.hold, self.at = hold, at
        self.paid = hold.tranches[hold.equity].original_balance * price / 100.0
        self.flows = self.after(hold.payment_dates, hold.paid(hold.equity).tolist())
        self.irr = self.rate(self.flows)

    def after(self, days: Sequence[dt.date], amounts: Sequence[float]) -> tuple[tuple[dt.date, float], ...]:
        return tuple((day, amount) for day, amount in zip(days, amounts, strict=True) if day > self.at)

    def rate(self, flows: Sequence[tuple[dt.date, float]]) -> float | None:
        return xirr([self.at, *(d for d, _ in flows)], [-self.paid, *(a for _, a in flows)])

    def outcome(
        self,
        action: Action,
        on: dt.date,
        flows: tuple[tuple[dt.date, float], ...],
        costs: float,
        shift: float | None = None,
        senior: float | None = None,
        *,
        counted: bool = True,
    ) -> Outcome:
        irr = self.rate(flows)
        change: dict[dt.date, float] = {}
        for sign, of in ((1.0, flows), (-1.0, self.flows)):
            for day, amount in of:
                change[day] = change.get(day, 0.0) + sign * amount
        gains = sorted(change.items())
        present = None
        if self.irr is not None:
            years = [(day - self.at).days / 365.0 for day, _ in gains]
            present = float(sum(g * (1.0 + self.irr) ** -t for (_, g), t in zip(gains, years, strict=True)))
        return Outcome(
            action=action,
            on=on,
            counted=counted,
            costs=costs,
            paid_on_date=float(dict(flows).get(on, 0.0)),
            irr=irr,
            irr_gain=None if irr is None or self.irr is None else irr - self.irr,
            present_gain=present,
            cash_gain=float(sum(g for _, g in gains)),
            recovered_on=_recovered(gains, on),
            break_even_shift=shift,
            break_even_senior=senior,
            flows=flows,
        )


def _recovered(gains: Sequence[tuple[dt.date, float]], on: dt.date) -> dt.date | None:
    """First date, from the action on, from which it stays ahead of holding, all flows added up; None: never."""
    total, since = 0.0, None
    for day, gain in gains:
        total += gain
        if total < -1.0:
            since = None
        elif since is None and day >= on:
            since = day
    return since


def _calls(study: _Study, table: CallTable, equity: int) -> list[Outcome]:
    note = table.notes[equity]
    days = [dates.from_serial(int(day)) for day in note.days]
    found = []
    for lane, redemption in enumerate(table.redemptions):
        if redemption.called is not None:
            flows = tuple((d, a) for d, a in zip(days, note.amounts[:, lane].tolist(), strict=True))
            ends = [f for f in flows if f[0] <= redemption.redeemed]
            found.append(
                study.outcome(
                    Action.CALL, redemption.redeemed, tuple(ends), redemption.costs, counted=redemption.in_full
                )
            )
    return found


class _Renewals:
    """A refinancing or a reset on each of the dates: one run each, all of a round at once."""

    def __init__(
        self,
        model: Model,
        assumptions: Assumptions,
        study: _Study,
        action: Action,
        offer: Offer,
        days: Sequence[dt.date],
    ) -> None:
        self.model = model.extended(offer.longer)
        self.base, self.study, self.action, self.offer = assumptions, study, action, offer
        hold = study.hold
        self.senior = _senior(model, offer)
        # notes that are repaid by then are not replaced
        new = {day: self._new(day) for day in days if day < hold.payment_dates[-1]}
        self.days = tuple(day for day, amount in new.items() if amount > LOSS)
        self.costs = [offer.fixed + offer.percent / 100.0 * new[day] for day in self.days]

    def _new(self, day: dt.date) -> float:
        """Balance of the new notes, from what the old ones are owed after the payments of a date."""
        hold, sizes = self.study.hold, dict(self.offer.balances)
        row, ids, r = hold.payment_dates.index(day), [class_id(t.name) for t in hold.tranches], hold.result
        owed = dict(zip(ids, (r.balance[row] + r.deferred[row] + r.unpaid[row]).tolist(), strict=True))
        return sum(sizes.get(name, owed.get(name, 0.0)) for name, _ in self.offer.margins)

    def _case(self, place: int, shifts: Mapping[str, float]) -> Assumptions:
        day, offer = self.days[place], self.offer
        no_call = months_after(day, offer.non_call) if offer.non_call else None
        call = self.base.call_date
        if call is not None and no_call is not None:
            # a call of the scenario waits for the end of the new non-call period
            call = min(max(call, no_call), self.model.structure.schedule[-1].payment)
        return replace(
            self.base,
            call_date=call,
            refinancing=Refinancing(
                on=day,
                margins=tuple((name, margin + shifts.get(name, 0.0)) for name, margin in offer.margins),
                balances=offer.balances,
                costs=self.costs[place],
                by_holders=offer.by_holders,
                no_call=no_call,
                reinvest_to=None if offer.reinvestment is None else months_after(day, offer.reinvestment),
            ),
        )

    def _flows(
        self, places: Sequence[int], shifts: Sequence[Mapping[str, float]], report: Report = lambda _f, _what: None
    ) -> Floats:
        """float64[n, n_dates]: of the equity, on the dates of the model."""
        cases = [self._case(place, shift) for place, shift in zip(places, shifts, strict=True)]
        return self.model.totals(cases, report=report).equity

    def _irrs(self, equity: Floats) -> Floats:
        days = [row.payment for row in self.model.structure.schedule]
        later = [k for k, day in enumerate(days) if day > self.study.at]
        flows = np.ascontiguousarray(equity[:, later].T)
        return xirr_lanes([(self.study.at, -self.study.paid)], [days[k] for k in later], flows)

    def outcomes(self, break_even: bool, report: Report) -> list[Outcome]:
        nothing: list[Mapping[str, float]] = [{} for _ in self.days]
        share = 0.2 if break_even else 1.0
        equity = self._flows(range(len(self.days)), nothing, lambda f, what: report(share * f, what))
        names = tuple(name for name, _ in self.offer.margins)
        shift, senior = np.full(len(self.days), np.nan), np.full(len(self.days), np.nan)
        if break_even and self.study.irr is not None:
            irrs = self._irrs(equity)
            shift = self._equal(names, irrs, lambda f, what: report(0.2 + 0.4 * f, what))
            alone = names == (self.senior,)
            moved = shift if alone else self._equal((self.senior,), irrs, lambda f, what: report(0.6 + 0.4 * f, what))
            senior = moved + dict(self.offer.margins)[self.senior]
        days = [row.payment for row in self.model.structure.schedule]
        return [
            self.study.outcome(
                self.action,
                day,
                self._cut(days, equity[k].tolist()),
                self.costs[k],
                _known(shift[k]),
                _known(senior[k]),
            )
            for k, day in enumerate(self.days)
        ]

    def _cut(self, days: Sequence[dt.date], amounts: Sequence[float]) -> tuple[tuple[dt.date, float], ...]:
        """Flows after settlement, up to the last that is not nothing."""
        flows = self.study.after(days, amounts)
        last = max((k for k, (_, amount) in enumerate(flows) if amount != 0.0), default=-1)
        return flows[: last + 1]

    def _equal(self, names: tuple[str, ...], at_nought: Floats, report: Report) -> Floats:
        """float64[n_days]: by how much the margins of these classes may move until the IRR is that of holding.

        By secants, all dates together: the IRR is all but a straight line in the margins. NaN: not within `FARTHEST`.
        """
        wanted, n = self.study.irr or 0.0, len(self.days)
        floor = min(margin for name, margin in self.offer.margins if name in names)
        lowest, highest = max(-FARTHEST, -0.05 - floor), FARTHEST
        found = np.full(n, np.nan)
        last, last_miss = np.zeros(n), at_nought - wanted
        # margins may rise where the offer is better than holding
        at = np.where(last_miss >= 0.0, _FIRST_STEP, np.maximum(-_FIRST_STEP, lowest))
        open_ = np.flatnonzero(np.isfinite(last_miss))
        for turn in range(_ROUNDS):
            if not open_.size:
                break
            done = min(turn / 6.0, 0.95)
            shifts = [dict.fromkeys(names, float(x)) for x in at[open_]]
            report(done, "")
            flows = self._flows(open_.tolist(), shifts)
            miss = self._irrs(flows) - wanted
            solved = np.abs(miss) <= _EQUAL
            found[open_[solved]] = at[open_[solved]]
            slope = miss - last_miss[open_]
            with np.errstate(divide="ignore", invalid="ignore"):
                following = at[open_] - miss * (at[open_] - last[open_]) / slope
            before = at[open_].copy()
            following = np.clip(following, lowest, highest)
            last[open_], last_miss[open_], at[open_] = before, miss, following
            # an end that is not enough, or margins that move nothing, will not do it
            open_ = open_[~solved & np.isfinite(following) & (following != before)]
        return found


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
