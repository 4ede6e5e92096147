"""The aggregates: one class for each way in which a test makes a figure of positions.

A row is built once for a universe of assets and then gives its figure for any par vector and cash: the same rows serve
the deal as it is, a trade, and the pool without one asset.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compliance.diversity import Diversity
from engine.pool import Flags, Floats

Ints = NDArray[np.int64]


class Figure(NamedTuple):
    """result = numerator / denominator, money or factors."""

    result: float
    numerator: float
    denominator: float


def ratio(numerator: float, denominator: float) -> float:
    """The share. Of a denominator that is zero or negative (more owed than held) nothing is nothing, something is
    infinitely much: a limit from above fails."""
    if denominator > 0.0:
        return numerator / denominator
    return float(np.sign(numerator)) * float("inf") if numerator else 0.0


class Row(ABC):
    """members  bool[n]: the positions that count."""

    def __init__(self, members: Flags) -> None:
        self.members = members

    @abstractmethod
    def figure(self, par: Floats, cash: float) -> Figure:
        """The figure for float64[n] par and principal cash."""

    @abstractmethod
    def amounts(self, par: Floats, cash: float) -> Floats:
        """float64[n]: what each position adds to the numerator."""

    def without(self, par: Floats, cash: float) -> Floats:
        """float64[n]: the result if one position were not held (its par gone, nothing paid for it)."""
        result = self.figure(par, cash).result
        made = np.full(par.size, result)
        for place in np.flatnonzero(par):
            less = par.copy()
            less[place] = 0.0
            made[place] = self.figure(less, cash).result
        return made


class Linear(Row):
    """(top · par + top_cash × cash) / (below · par + below_cash × cash + below_fixed): shares, averages, coverage."""

    def __init__(
        self,
        members: Flags,
        top: Floats,
        below: Floats,
        *,
        top_cash: float = 0.0,
        below_cash: float = 0.0,
        below_fixed: float = 0.0,
        decimals: int | None = None,
    ) -> None:
        super().__init__(members)
        self.top, self.below = top, below
        self.top_cash, self.below_cash, self.below_fixed = top_cash, below_cash, below_fixed
        self.decimals = decimals

    def figure(self, par: Floats, cash: float) -> Figure:
        return self.of_sums(
            float(self.top @ par) + self.top_cash * cash,
            float(self.below @ par) + self.below_cash * cash + self.below_fixed,
        )

    def of_sums(self, numerator: float, denominator: float) -> Figure:
        result = ratio(numerator, denominator)
        return Figure(result if self.decimals is None else round(result, self.decimals), numerator, denominator)

    def amounts(self, par: Floats, cash: float) -> Floats:
        return np.asarray(self.top * par)

    def without(self, par: Floats, cash: float) -> Floats:
        whole = self.figure(par, cash)
        top = whole.numerator - self.top * par
        below = whole.denominator - self.below * par
        top[np.abs(top) <= 1e-12 * abs(whole.numerator)] = 0.0  # what a sum leaves of the only one is rounding
        below[np.abs(below) <= 1e-12 * abs(whole.denominator)] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            made = np.where(below > 0.0, top / below, np.where(top != 0.0, np.sign(top) * np.inf, 0.0))
        return np.asarray(made if self.decimals is None else np.round(made, self.decimals))


class Average(Linear):
    """A par-weighted average of `values`, float64[n]; `missing` members have none and are left out."""

    def __init__(
        self,
        members: Flags,
        top: Floats,
        below: Floats,
        values: Floats,
        missing: Flags,
        *,
        decimals: int | None = None,
    ) -> None:
        super().__init__(members, top, below, decimals=decimals)
        self.values, self.missing = values, missing


class Amounts(Row):
    """The sum of a money column of the positions held / (performing par + cash).

    column  float64[n]  the money of each member, 0 for what does not count
    """

    def __init__(self, members: Flags, column: Floats, performing: Floats) -> None:
        super().__init__(members)
        self.column = np.where(members, np.nan_to_num(column, nan=0.0), 0.0)
        self._performing = performing

    def figure(self, par: Floats, cash: float) -> Figure:
        numerator = float(self.column[par != 0.0].sum())
        denominator = float(self._performing @ par) + cash
        return Figure(ratio(numerator, denominator), numerator, denominator)

    def amounts(self, par: Floats, cash: float) -> Floats:
        return np.where(par != 0.0, self.column, 0.0)


class Ranked(Row):
    """The k-th largest par by key, or the sum of the k largest / (performing par + cash). Fewer than k keys: zero (or
    the sum of all). Par descending, ties by key ascending.

    where  int64  places of the members;  keys  int64  the key of each of them, from 0 to count - 1
    rank, summed  how many keys, and whether they are added up
    """

    def __init__(self, members: Flags, codes: Ints, performing: Floats, rank: int, *, summed: bool) -> None:
        super().__init__(members)
        self.where = np.flatnonzero(members)
        _, inner = np.unique(codes[self.where], return_inverse=True)
        self.keys: Ints = inner.astype(np.int64).reshape(-1)
        self.count = int(self.keys.max()) + 1 if self.keys.size else 0
        self._performing, self.rank, self.summed = performing, rank, summed

    def totals(self, par: Floats) -> Floats:
        """float64[count]: par of each key."""
        held = par[self.where]
        return np.bincount(self.keys, weights=held, minlength=self.count).astype(np.float64)

    def _chosen(self, totals: Floats) -> Ints:
        """The keys that make the figure."""
        if self.count < self.rank and not self.summed:
            return np.zeros(0, dtype=np.int64)
        order = np.argsort(-totals, kind="stable")[: self.rank]
        return order if self.summed else order[-1:]

    def figure(self, par: Floats, cash: float) -> Figure:
        totals = self.totals(par)
        if self.summed:
            numerator = float(totals[self._chosen(totals)].sum())
        elif self.count < self.rank:
            numerator = 0.0
        else:
            numerator = float(np.partition(totals, self.count - self.rank)[self.count - self.rank])
        denominator = float(self._performing @ par) + cash
        return Figure(ratio(numerator, denominator), numerator, denominator)

    def amounts(self, par: Floats, cash: float) -> Floats:
        made = np.zeros(par.size)
        counted = np.isin(self.keys, self._chosen(self.totals(par)))
        made[self.where[counted]] = par[self.where[counted]]
        return made


class Deviation(Row):
    """Mean absolute deviation of a measure from its average, weighted by par.

    values  float64[n]  the measure, 0 for what does not count
    """

    def __init__(self, members: Flags, values: Floats) -> None:
        super().__init__(members & ~np.isnan(values))
        self.values = np.where(self.members, np.nan_to_num(values), 0.0)

    def figure(self, par: Floats, cash: float) -> Figure:
        held = np.where(self.members, par, 0.0)
        total = float(held.sum())
        mean = ratio(float(held @ self.values), total)
        numerator = float(held @ np.abs(self.values - mean))
        return Figure(ratio(numerator, total), numerator, total)

    def amounts(self, par: Floats, cash: float) -> Floats:
        held = np.where(self.members, par, 0.0)
        mean = ratio(float(held @ self.values), float(held.sum()))
        return np.asarray(held * np.abs(self.values - mean))


class Effective(Row):
    """1 / sum of squared shares by key: how many equal names the pool is as concentrated as.

    codes  int64[n]  the key of every position, from 0 to count - 1
    """

    def __init__(self, members: Flags, codes: Ints) -> None:
        super().__init__(members)
        self.codes, self.count = codes, int(codes.max()) + 1 if codes.size else 0

    def figure(self, par: Floats, cash: float) -> Figure:
        totals = np.bincount(self.codes, weights=np.where(self.members, par, 0.0), minlength=self.count)
        total = float(totals.sum())
        squares = float((totals * totals).sum())
        return Figure(total * total / squares if squares > 0.0 else 0.0, total * total, squares)

    def amounts(self, par: Floats, cash: float) -> Floats:
        return np.where(self.members, par, 0.0)


class Excess(Row):
    """What of the members' par lies beyond a share of the principal amount, lowest price first, times (1 - price):
    the haircut / principal amount. A missing price counts as par.

    order  int64  places of the members, lowest price first;  loss  float64  1 - price of each, in that order
    beyond  the share that is free
    """

    def __init__(self, members: Flags, price: Floats, performing: Floats, beyond: float) -> None:
        super().__init__(members)
        priced = np.nan_to_num(price, nan=1.0)
        chosen = np.flatnonzero(members)
        self.order = chosen[np.argsort(priced[chosen], kind="stable")]
        self.loss = np.maximum(1.0 - priced[self.order], 0.0)
        self._performing, self.beyond = performing, beyond

    def _beyond_par(self, par: Floats, amount: float) -> Floats:
        """Par beyond the limit of each member, in the order of prices."""
        held = par[self.order]
        room = max(float(held.sum()) - self.beyond * max(amount, 0.0), 0.0)
        before = np.concatenate(([0.0], np.cumsum(held)[:-1])) if held.size else held
        return np.asarray(np.clip(room - before, 0.0, held))

    def figure(self, par: Floats, cash: float) -> Figure:
        amount = float(self._performing @ par) + cash
        haircut = float((self._beyond_par(par, amount) * self.loss).sum())
        return Figure(ratio(haircut, amount), haircut, amount)

    def amounts(self, par: Floats, cash: float) -> Floats:
        made = np.zeros(par.size)
        made[self.order] = self._beyond_par(par, float(self._performing @ par) + cash) * self.loss
        return made


class Score(Row):
    """Moody's diversity score."""

    def __init__(self, members: Flags, diversity: Diversity) -> None:
        super().__init__(members)
        self.diversity = diversity

    def figure(self, par: Floats, cash: float) -> Figure:
        score = self.diversity.score(par)
        return Figure(score, score, 1.0)

    def amounts(self, par: Floats, cash: float) -> Floats:
        return self.diversity.shares(par)
