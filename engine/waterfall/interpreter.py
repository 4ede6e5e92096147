"""The lane interpreter: runs a register program over payment dates for many scenarios at once.

Shapes: n_rows, W (lanes), n_dates. One kernel for one run, a grid and a simulation; it knows nothing of any deal.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.jit import kernel
from engine.waterfall import operations as r

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


BLOCK: Final = 64
"""Lanes that run together: their registers stay in the nearest caches."""


class Feed(NamedTuple):
    """What goes in and comes out. W lanes in all, run in blocks.

    initial     float64[n_rows]  constants and opening states
    parameter_rows  int64[n_parameters];  parameters float64[n_parameters, W]
    dated_rows  int64[n_dated];  dated float64[n_dates, n_dated]  the same in every lane
    lane_rows   int64[n_lane];   lane  float64[n_dates, n_lane, W]
    output_rows int64[n_out];    output float64[n_dates, n_out, W] (out)
    state_rows  int64[n_states]; states float64[n_states, W] (out)  after the last date
    watched     float64[n_dates, n_watched, W]  performing balances of the CCC and Caa assets; WATCH fills the last
    loans       int64[2, n]  columns of `watched`, -1 where shorter, price falling;  prices float64[2, n] share of par
    n_cohorts, n_lines, lag  of the program
    """

    initial: Floats
    parameter_rows: Ints
    parameters: Floats
    dated_rows: Ints
    dated: Floats
    lane_rows: Ints
    lane: Floats
    output_rows: Ints
    output: Floats
    state_rows: Ints
    states: Floats
    watched: Floats
    loans: Ints
    prices: Floats
    n_cohorts: int
    n_lines: int
    lag: int


@kernel
def run(code: Ints, feed: Feed) -> None:
    """Runs the program on every date for all lanes.

    code  int64[n_operations, 6]
    """
    lanes = feed.states.shape[1]
    for first in range(0, lanes, BLOCK):
        _run_block(code, feed, first, min(BLOCK, lanes - first))


@kernel
def _run_block(code: Ints, feed: Feed, first: int, lanes: int) -> None:
    """Lanes from `first` on, in a register file x[n_rows, lanes] of their own."""
    n_dates = feed.dated.shape[0]
    x = np.empty((feed.initial.shape[0], lanes))
    for j in range(x.shape[0]):
        for w in range(lanes):
            x[j, w] = feed.initial[j]
    for j in range(feed.parameter_rows.shape[0]):
        for w in range(lanes):
            x[feed.parameter_rows[j], w] = feed.parameters[j, first + w]
    # balances by the date on which they mature; what went in, by the date it comes out
    cohorts = np.zeros((feed.n_cohorts, n_dates, lanes))
    lines = np.zeros((feed.n_lines, n_dates + feed.lag, lanes))
    width = np.uint64(lanes)
    n_operations = code.shape[0]
    # rows are reached by their offsets in the flat file: no views are made in the inner loop
    flat = x.reshape(x.size)
    offset = code.astype(np.uint64)
    offset[:, 1:] *= width
    for i in range(n_dates):
        for j in range(feed.dated_rows.shape[0]):
            for w in range(lanes):
                x[feed.dated_rows[j], w] = feed.dated[i, j]
        for j in range(feed.lane_rows.shape[0]):
            for w in range(lanes):
                x[feed.lane_rows[j], w] = feed.lane[i, j, first + w]
        at = 0
        while at < n_operations:
            operation = code[at, 0]
            d, a, b, c = offset[at, 1], offset[at, 2], offset[at, 3], offset[at, 4]
            if operation == r.PAY:
                e = offset[at, 5]
                for w in range(width):
                    paid = flat[b + w] if flat[b + w] < flat[a + w] else flat[a + w]
                    flat[e + w] = flat[a + w] - paid
                    flat[d + w] = paid
            elif operation == r.ADD_TO:
                for w in range(width):
                    flat[d + w] += flat[b + w]
            elif operation == r.SUB_FROM:
                for w in range(width):
                    flat[d + w] -= flat[b + w]
            elif operation == r.EXCESS_OF:
                for w in range(width):
                    flat[d + w] = max(flat[d + w] - flat[b + w], 0.0)
            elif operation == r.MULTIPLY_ADD_TO:
                for w in range(width):
                    flat[d + w] = flat[b + w] * flat[c + w] + flat[d + w]
            elif operation == r.EXCESS:
                for w in range(width):
                    flat[d + w] = max(flat[a + w] - flat[b + w], 0.0)
            elif operation == r.ADD:
                for w in range(width):
                    flat[d + w] = flat[a + w] + flat[b + w]
            elif operation == r.SUB:
                for w in range(width):
                    flat[d + w] = flat[a + w] - flat[b + w]
            elif operation == r.MUL:
                for w in range(width):
                    flat[d + w] = flat[a + w] * flat[b + w]
            elif operation == r.MIN:
                for w in range(width):
                    flat[d + w] = flat[b + w] if flat[b + w] < flat[a + w] else flat[a + w]
            elif operation == r.MAX:
                for w in range(width):
                    flat[d + w] = flat[b + w] if flat[b + w] > flat[a + w] else flat[a + w]
            elif operation == r.MULTIPLY_ADD:
                for w in range(width):
                    flat[d + w] = flat[a + w] * flat[b + w] + flat[c + w]
            elif operation == r.ADD_ADD:
                for w in range(width):
                    flat[d + w] = (flat[a + w] + flat[b + w]) + flat[c + w]
            elif operation == r.SELECT:
                for w in range(width):
                    flat[d + w] = flat[b + w] if flat[a + w] != 0.0 else flat[c + w]
            elif operation == r.SELECT_LESS:
                e = offset[at, 5]
                for w in range(width):
                    flat[d + w] = flat[c + w] if flat[a + w] < flat[b + w] else flat[e + w]
            elif operation == r.COPY:
                for w in range(width):
                    flat[d + w] = flat[a + w]
            elif operation == r.LESS:
                for w in range(width):
                    flat[d + w] = 1.0 if flat[a + w] < flat[b + w] else 0.0
            elif operation == r.LESS_EQUAL:
                for w in range(width):
                    flat[d + w] = 1.0 if flat[a + w] <= flat[b + w] else 0.0
            elif operation == r.EQUAL:
                for w in range(width):
                    flat[d + w] = 1.0 if flat[a + w] == flat[b + w] else 0.0
            elif operation == r.DIV:
                for w in range(width):
                    flat[d + w] = flat[a + w] / flat[b + w] if flat[b + w] != 0.0 else 0.0
            elif operation == r.SKIP:
                wanted = False
                for w in range(width):
                    wanted = wanted or flat[a + w] != 0.0
                if not wanted:
                    at = code[at, 4]
                    continue
            elif operation == r.POWER:
                for w in range(width):
                    flat[d + w] = flat[a + w] ** flat[b + w]
            else:
                _special(i, code[at], x, feed, first, cohorts, lines)
            at += 1
        for j in range(feed.output_rows.shape[0]):
            for w in range(lanes):
                feed.output[i, j, first + w] = x[feed.output_rows[j], w]
    for j in range(feed.state_rows.shape[0]):
        for w in range(lanes):
            feed.states[j, first + w] = x[feed.state_rows[j], w]


@kernel
def _special(i: int, code: Ints, x: Floats, feed: Feed, first: int, cohorts: Floats, lines: Floats) -> None:
    """The operations that reach beyond the register file."""
    operation, b, c = code[0], code[3], code[4]
    d, a = x[code[1]], x[code[2]]
    last = cohorts.shape[1] - 1
    if operation == r.CCC:
        ccc_haircut(a, feed.watched[i], first, feed.loans, feed.prices, d)
        return
    for w in range(x.shape[1]):
        if operation == r.DELAY:
            lines[b, i + c, w] = a[w]  # what comes out today may have gone in today
            d[w] = lines[b, i, w]
        elif operation == r.DUE:
            d[w] = cohorts[b, i, w]
        elif operation == r.SHRINK:
            cohorts[b, i, w] = 0.0
        elif operation == r.WATCH:
            feed.watched[i, feed.watched.shape[1] - 1, first + w] = a[w]
        else:
            cohorts[b, min(i + c, last), w] += a[w]
    if operation == r.SHRINK:
        for j in range(i + 1, cohorts.shape[1]):
            for w in range(x.shape[1]):
                cohorts[b, j, w] *= a[w]


@kernel
def ccc_haircut(limit: Floats, balances: Floats, first: int, loans: Ints, prices: Floats, out: Floats) -> None:
    """Loss of the excess over the limit when it is carried at its price, lowest prices first (case CCC-1).

    limit : float64[n] money of the lanes from `first` on;  balances : float64[n_watched, W];  out : float64[n] (out)
    loans, prices : see `Feed`. The larger of the two buckets counts.
    """
    for w in range(limit.shape[0]):
        chosen, largest = 0, -1.0
        for side in range(loans.shape[0]):
            total = 0.0
            for j in range(loans.shape[1]):
                if loans[side, j] < 0:
                    break
                total += balances[loans[side, j], first + w]
            if total > largest:
                chosen, largest = side, total
        haircut, room = 0.0, limit[w]
        if largest > room:
            for j in range(loans.shape[1]):
                loan = loans[chosen, j]
                if loan < 0:
                    break
                balance = balances[loan, first + w]
                haircut += (balance - min(balance, max(room, 0.0))) * max(1.0 - prices[chosen, j], 0.0)
                room -= balance
        out[w] = haircut
