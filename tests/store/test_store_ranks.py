"""Places in a list that others need not make room for."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.store.ranks import ranks_for

KNOWN = st.lists(st.none() | st.floats(-1e6, 1e6) | st.integers(0, 20).map(float), max_size=12)


def longest(known: list[float | None]) -> int:
    """The plain reference: the length of a longest increasing subsequence, by trying every row as its last."""
    best = [0] * len(known)
    for i, rank in enumerate(known):
        if rank is not None:
            best[i] = 1 + max((best[j] for j in range(i) if known[j] is not None and known[j] < rank), default=0)  # type: ignore[operator]  # compared only where known
    return max(best, default=0)


@given(known=KNOWN)
def test_that_ranks_increase_and_as_many_rows_as_possible_keep_theirs(known: list[float | None]) -> None:
    ranks = ranks_for(known)
    assert len(ranks) == len(known)
    assert all(a < b for a, b in itertools.pairwise(ranks))
    counted_anew = ranks == [float(i) for i in range(len(known))]
    assert counted_anew or sum(a == b for a, b in zip(known, ranks, strict=True)) >= longest(known)


def test_that_a_row_put_in_between_moves_no_other() -> None:
    assert ranks_for([0.0, None, 1.0]) == [0.0, 0.5, 1.0]
    assert ranks_for([None, 0.0]) == [-1.0, 0.0]
    assert ranks_for([0.0, None, None]) == [0.0, 1.0, 2.0]
    assert ranks_for([None, None]) == [0.0, 1.0]


def test_that_rows_are_counted_anew_where_no_number_fits_between() -> None:
    low = 1.0
    high = 1.0 + 2.0**-52
    assert ranks_for([low, None, high]) == [0.0, 1.0, 2.0]
