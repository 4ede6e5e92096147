"""Random numbers of the demo deal: the same on every machine and under every hash seed."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import NormalDist
from typing import Final, TypeVar

import numpy as np

T = TypeVar("T")

_NORMAL: Final = NormalDist()


class Draw:
    """One stream of draws. Only uniform doubles are taken from numpy: its other samplers may change between versions.

    seed    seed of the book
    stream  number of the stream; what one part of the generator draws does not move the others
    """

    def __init__(self, seed: int, stream: int) -> None:
        self._bits = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def share(self) -> float:
        """Uniform in [0, 1)."""
        return float(self._bits.random())

    def between(self, low: float, high: float) -> float:
        """Uniform in [low, high)."""
        return low + (high - low) * self.share()

    def whole(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int((high - low + 1) * self.share())

    def bell(self, mean: float, deviation: float) -> float:
        """Normal, cut off at three deviations."""
        u = min(max(self.share(), 0.00135), 0.99865)
        return mean + deviation * _NORMAL.inv_cdf(u)

    def pick(self, weighted: Sequence[tuple[T, float]]) -> T:
        """One of the values, with probability in proportion to its weight."""
        left = self.share() * sum(weight for _, weight in weighted)
        for value, weight in weighted:
            left -= weight
            if left < 0:
                return value
        return weighted[-1][0]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        """The values in random order (Fisher-Yates)."""
        out = list(values)
        for i in range(len(out) - 1, 0, -1):
            j = self.whole(0, i)
            out[i], out[j] = out[j], out[i]
        return out


def quotas(weighted: Sequence[tuple[T, float]], total: int) -> list[T]:
    """`total` values, each as often as its weight says: cumulative weights rounded, so the counts add up exactly."""
    whole = sum(weight for _, weight in weighted)
    marks, run = [0], 0.0
    for _, weight in weighted:
        run += weight
        marks.append(round(total * run / whole))
    return [value for (value, _), (a, b) in zip(weighted, pairwise(marks), strict=True) for _ in range(b - a)]
