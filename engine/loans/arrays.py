"""What the kernel over lanes reads: a pool as nodes of survival and the flows that hang on them."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Keys(NamedTuple):
    """Distinct period rates and severities, so that each is reckoned once a lane.

    row, entry  int64[n_keys]  of the vectors;  first, days: days of the period in that entry, and in all
    size, step, absolute  of the vectors, as on the tape
    loss_row, loss_entry  int64[n_losses]  distinct severities
    """

    row: Ints
    entry: Ints
    first: Ints
    days: Ints
    size: Ints
    step: Ints
    absolute: Flags
    loss_row: Ints
    loss_entry: Ints


class Tree(NamedTuple):
    """Shared nodes 1 to n, after the start, node 0: the node before, the keys, and the severity, int64[n+1]."""

    parent: Ints
    cdr: Ints
    cpr: Ints
    loss: Ints


class Entries(NamedTuple):
    """What the legs of shared nodes pay, summed where their buckets are the same.

    of_node  int64[n+2]  slice of each node
    seen, pay, recovery  int64[n_entries]  buckets of the default, the interest date and the recovery
    kept     1: the claim is received then; 0: all is lost then
    watched  row or -1
    weight   float64[n_entries, 9]  of default, scheduled, unscheduled: balance, at sale prices, left out in tests
    has_marks, has_haircut  whether any weight at sale prices, or left out, is not zero
    """

    of_node: Ints
    seen: Ints
    pay: Ints
    recovery: Ints
    kept: Ints
    watched: Ints
    weight: Floats
    has_marks: bool
    has_haircut: bool


class Held(NamedTuple):
    """What leaves between interest dates, as a share of the end of a node.

    node, bucket, watched  int64[n_held]
    weight  float64[n_held, 6]  scheduled, sold, proceeds, at sale prices, left out in tests, and what is left out more
            of capitalised interest
    first   float64[n_held]  capitalised share at the start
    """

    node: Ints
    bucket: Ints
    watched: Ints
    weight: Floats
    first: Floats


class Draws(NamedTuple):
    """Draws on what is live on a node: node, bucket, watched int64[n_draws]; weight float64[n_draws, 3] amount, at sale
    prices, left out in tests."""

    node: Ints
    bucket: Ints
    watched: Ints
    weight: Floats


class Own(NamedTuple):
    """The own nodes, in the order of loans and steps: ints int64[n_own, N_OWN_INTS], floats float64[n_own,
    N_OWN_FLOATS]; columns below."""

    ints: Ints
    floats: Floats


class Lanes(NamedTuple):
    """What the kernel over lanes reads and no rate path changes. Own nodes are numbered after the shared ones.

    fixed        float64[n_ends+1, N_FLOWS]  flows that no scenario changes
    watch_start, watch_fixed  float64[n_watched], float64[n_ends, n_watched]  opening balances and fixed changes
    usual_price  sale price of most loans: weights at sale prices are of what a loan's price is beside it
    """

    keys: Keys
    tree: Tree
    entries: Entries
    held: Held
    draws: Draws
    own: Own
    fixed: Floats
    watch_start: Floats
    watch_fixed: Floats
    usual_price: float


# columns of Own.ints: node before, keys, buckets, the shared node of the same leg (draws, fees; 0: none)
OWN_PARENT: Final = 0
OWN_CDR: Final = 1
OWN_CPR: Final = 2
OWN_LOSS: Final = 3
OWN_SEEN: Final = 4
OWN_PAY: Final = 5
OWN_RECOVERY: Final = 6
OWN_KEPT: Final = 7
OWN_WATCHED: Final = 8
OWN_TWIN: Final = 9
OWN_ABSOLUTE: Final = 10
N_OWN_INTS: Final = 11
# columns of Own.floats: money of one unit; shares of the unit; prices
OWN_UNIT: Final = 0
OWN_KEEP: Final = 1
OWN_REPAID: Final = 2
OWN_DRAWN: Final = 3
OWN_FEE: Final = 4
OWN_PRICE: Final = 5
OWN_HAIRCUT: Final = 6
OWN_MORE: Final = 7  # left out of capitalised interest beyond OWN_HAIRCUT
OWN_FIRST: Final = 8  # capitalised share of the balance at the start
N_OWN_FLOATS: Final = 9
