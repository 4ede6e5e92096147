"""Places of rows in a list, such that putting a row in or moving it changes no other row's."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence


def ranks_for(known: Sequence[float | None]) -> list[float]:
    """Increasing ranks for rows in their wanted order: `known` are those they have (None: a new row).

    As many rows as possible keep theirs (a longest increasing subsequence); the others come evenly between their
    neighbours. Where there is no room left between two numbers, all are counted anew from 0.
    """
    kept = {i: rank for i in _longest_increasing(known) if (rank := known[i]) is not None}
    places = list(kept)
    ranks: list[float] = []
    for start, stop in zip([-1, *places], [*places, len(known)], strict=True):
        if start >= 0:
            ranks.append(kept[start])
        between = stop - start - 1
        high = kept.get(stop)
        low = ranks[-1] if ranks else -1.0 if high is None else high - between - 1.0
        step = 1.0 if high is None else (high - low) / (between + 1)
        ranks.extend(low + step * (i + 1) for i in range(between))
    if any(not a < b for a, b in itertools.pairwise(ranks)):
        return [float(i) for i in range(len(known))]
    return ranks


def _longest_increasing(known: Sequence[float | None]) -> list[int]:
    """Indices of a longest strictly increasing subsequence of the ranks that are known."""
    tails: list[float] = []  # the smallest last rank of a subsequence of each length
    last: list[int] = []
    before: list[int] = [-1] * len(known)
    for i, rank in enumerate(known):
        if rank is None:
            continue
        place = bisect_left(tails, rank)
        before[i] = last[place - 1] if place else -1
        if place == len(tails):
            tails.append(rank)
            last.append(i)
        else:
            tails[place], last[place] = rank, i
    found: list[int] = []
    at = last[-1] if last else -1
    while at >= 0:
        found.append(at)
        at = before[at]
    return found[::-1]
