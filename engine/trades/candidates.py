"""Candidates: many small trades as arrays, each on the base pool by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.compliance.rows import Figure
from engine.pool import Flags, Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Trades to be judged, each on the base pool by itself.

    places  int64[C, n_legs]  places of the universe, -1: no leg; none stands twice in a candidate
    deltas  float64[C, n_legs]  change of par;  flows  float64[C]  change of principal cash
    """

    places: Ints
    deltas: Floats
    flows: Floats

    def __len__(self) -> int:
        return int(self.flows.size)

    def part(self, begin: int, end: int) -> Candidates:
        return Candidates(self.places[begin:end], self.deltas[begin:end], self.flows[begin:end])

    @staticmethod
    def single(places: Ints, deltas: Floats, prices: Floats) -> Candidates:
        """One leg each, at prices in percent of par."""
        return Candidates(places.reshape(-1, 1), deltas.reshape(-1, 1), -deltas * prices / 100.0)

    @staticmethod
    def swaps(
        sold: Ints, bought: Ints, par: Floats, bought_par: Floats, prices: Floats, bought_prices: Floats
    ) -> Candidates:
        """A sale and a purchase each; all arrays are of length C, prices in percent of par."""
        flows = (par * prices - bought_par * bought_prices) / 100.0
        return Candidates(np.stack((sold, bought), axis=1), np.stack((-par, bought_par), axis=1), flows)

    def pool(self, at: int, par: Floats, cash: float) -> tuple[Floats, float]:
        """The par and cash after one candidate, from those of the base."""
        made = par.copy()
        for place, delta in zip(self.places[at], self.deltas[at], strict=True):
            if place >= 0:
                made[place] += delta
        return made, cash + float(self.flows[at])

    def counts(self, members: Flags, par: Floats) -> Ints:
        """int64[C]: how many of the members are held after each candidate."""
        before = par[self.places]
        moved = ((before + self.deltas != 0.0).astype(np.int64) - (before != 0.0)) * members[self.places]
        return int((members & (par != 0.0)).sum()) + np.where(self.places >= 0, moved, 0).sum(axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """One row of the plan for every candidate: float64[C] each."""

    results: Floats
    numerators: Floats
    denominators: Floats

    @staticmethod
    def of(figures: Sequence[Figure]) -> Figures:
        """From one figure a candidate."""
        table = np.array(figures, dtype=np.float64).reshape(len(figures), 3)
        return Figures(table[:, 0], table[:, 1], table[:, 2])
