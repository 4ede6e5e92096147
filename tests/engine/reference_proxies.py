"""What reinvestment buys, and the CCC excess, in the reference of a deal's run (spec: engine 6.5, 8)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.deal_inputs import DealInputs
from engine.loans import columns as col

Bucket = Sequence[Sequence[tuple[int, float]]]
Rate = float | Sequence[float]
Ruled = Sequence[tuple[Rate, Rate, Rate]]
"""(cdr, cpr) a year and severity of the strategies whose `rates` is 1, 2 and so on: each a number or one a date."""


def days_360(a: int, b: int) -> int:
    """Days between two serials, US 30/360 as spreadsheets count them."""
    one, other = (dt.date(1970, 1, 1) + dt.timedelta(days=int(d)) for d in (a, b))
    d1, d2 = one.day, other.day
    if d1 == 31 or (one.month == 2 and (one + dt.timedelta(days=1)).month == 3):
        d1 = 30
    months = (other.year - one.year) * 12 + other.month - one.month
    if d2 == 31 and d1 < 30:
        return 30 * (months + 1) + 1 - d1
    return 30 * months + min(d2, 30 if d1 == 30 else 31) - d1


def period_rate(annual: float, a: int, b: int) -> float:
    if annual <= 0.0 or b <= a:
        return 0.0
    return 1.0 if annual >= 1.0 else 1.0 - (1.0 - annual) ** (days_360(a, b) / 360.0)


@dataclass
class Lot:
    """What one purchase bought of one strategy."""

    strategy: int
    balance: float
    due: int


class Proxies:
    """The reinvested assets: lots, and defaults whose recovery is awaited."""

    def __init__(
        self, inputs: DealInputs, lane: Mapping[str, float], rates: tuple[Rate, Rate], ruled: Ruled = ()
    ) -> None:
        self.inputs, self.lane = inputs, lane
        self.rates: Ruled = [(*rates, lane["severity"]), *ruled]
        self.lots: list[Lot] = []
        self.open: list[tuple[int, float, float]] = []  # row of recovery, claim, par
        self.defaulted = 0.0
        self.carrying = 0.0

    @property
    def performing(self) -> float:
        return sum(lot.balance for lot in self.lots)

    @property
    def low(self) -> float:
        """What counts in the CCC excess."""
        return sum(lot.balance for lot in self.lots if self.inputs.strategies[lot.strategy].low)

    def collect(self, i: int) -> list[float]:
        """Flows of the period that ends on date i."""
        out = [0.0] * col.N_FLOWS
        if i == 0:
            return out
        days = self.inputs.days
        for lot in self.lots:
            terms = self.inputs.strategies[lot.strategy]
            said = [float(r if isinstance(r, int | float) else r[i]) for r in self.rates[terms.rates]]
            cdr, cpr = (period_rate(r, int(days[i - 1]), int(days[i])) for r in said[:2])
            default = lot.balance * cdr
            live = lot.balance - default
            scheduled = live if lot.due <= i else 0.0
            unscheduled = (live - scheduled) * cpr
            claim = default * (1.0 - said[2])
            out[col.INTEREST] += float(terms.coupon[i] * terms.fraction[i]) * live
            out[col.SCHEDULED] += scheduled
            out[col.UNSCHEDULED] += unscheduled
            out[col.DEFAULTED] += default
            out[col.CLAIM] += claim
            lot.balance = live - scheduled - unscheduled
            lag = self.inputs.recovery_lag if terms.lag is None else terms.lag
            self.open.append((i + lag, claim, default))
        for row, claim, par in self.open:
            if row == i:
                out[col.RECOVERIES] += claim
                out[col.LOSS] += par - claim
        self.open = [entry for entry in self.open if entry[0] != i]
        self.defaulted += out[col.DEFAULTED] - out[col.RECOVERIES] - out[col.LOSS]
        self.carrying += out[col.CLAIM] - out[col.RECOVERIES]
        return out

    def buy(self, i: int, cash: float) -> None:
        if cash <= 0.0:
            return
        last = len(self.inputs.days) - 1
        for place, terms in enumerate(self.inputs.strategies):
            par = cash / self.lane["price"] * terms.share
            self.lots.append(Lot(place, par, min(i + terms.periods, last)))

    def sell(self) -> None:
        self.lots, self.open = [], []
        self.defaulted = self.carrying = 0.0


def with_bought(bucket: Bucket, column: int, price: float) -> Bucket:
    """The buckets with what was bought of low ratings, whose balance stands in a column of its own, in both."""
    sides = bucket or ([], [])
    return [sorted([*side, (column, price)], key=lambda entry: -entry[1]) for side in sides]


def ccc_excess(limit: float, bucket: Bucket, balances: Sequence[float]) -> float:
    """Loss of the excess over the limit when it is carried at its price, lowest prices first (case CCC-1).

    The larger of the two buckets counts, the first of equals.
    """
    if not bucket:
        return 0.0
    totals = [sum(float(balances[column]) for column, _ in side) for side in bucket]
    haircut, room = 0.0, limit
    for column, price in bucket[totals.index(max(totals))]:
        balance = float(balances[column])
        excess = balance - min(balance, max(room, 0.0))
        room -= balance
        haircut += excess * max(1.0 - price, 0.0)
    return haircut
