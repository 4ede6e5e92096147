"""Runs a deal's machine over lanes of scenarios: one run is one lane, a grid is many in chunks over threads.

Chunks are independent and each scenario's arithmetic is its own, so results do not depend on chunks, order or threads.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.deal_inputs import LANE_PARAMETERS, DealInputs
from engine.liabilities import FLOWS, Machine
from engine.loans.columns import N_FLOWS
from engine.waterfall import interpreter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Bucket:
    """Assets rated CCC or Caa, each set sorted by price, highest first.

    loans  int64[2, n]  columns of the watched balances, -1 where shorter;  prices float64[2, n] share of par
    """

    loans: Ints
    prices: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """What the collateral brings, lane by lane.

    flows    float64[n_dates, N_FLOWS, W]
    watched  float64[n_dates, n_watched, W]  balances at collection period ends; where a strategy counts in the CCC
             excess, the program fills the last column with what it has of it
    re_cdr, re_cpr, re_severity  float64[n_rates, n_dates, W]  period rates, and severities, of reinvested assets; the
             first row are those of the run, whose severity is a parameter
    """

    flows: Floats
    watched: Floats
    re_cdr: Floats
    re_cpr: Floats
    re_severity: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a machine leaves.

    output  float64[n_dates, n_outputs, W];  states float64[n_states, W] after the last date
    """

    machine: Machine
    output: Floats
    states: Floats

    def series(self, name: Hashable, lane: int = 0) -> Floats:
        """float64[n_dates] of an output."""
        return self.output[:, list(self.machine.program.outputs).index(name), lane]

    def table(self, *rows: Sequence[Hashable]) -> tuple[Floats, ...]:
        """float64[W, n] of the states at the end that each row names; nothing where the program has no such state."""
        places = {name: place for place, name in enumerate(self.machine.program.states)}
        padded = np.vstack([self.states, np.zeros((1, self.states.shape[1]))])
        return tuple(padded[[places.get(name, -1) for name in row]].T for row in rows)


def run_lanes(
    machine: Machine, inputs: DealInputs, dated: Floats, pool: Pool, bucket: Bucket, parameters: Mapping[str, Floats]
) -> Outcome:
    """Runs the machine on the lanes of `pool`.

    dated       of `machine.dated(inputs)`: shared by all chunks of a rate path
    parameters  float64[W] by the names of LANE_PARAMETERS; the usual value where a name is missing
    """
    program = machine.program
    n_dates, _, width = pool.flows.shape
    chosen = np.empty((len(program.parameters), width))
    for place, name in enumerate(program.parameters):
        chosen[place] = parameters.get(str(name), LANE_PARAMETERS[str(name)])
    lane = np.empty((n_dates, len(program.lanes), width))
    given = {"re_cdr": pool.re_cdr, "re_cpr": pool.re_cpr, "re_severity": pool.re_severity}
    for place, name in enumerate(program.lanes):
        assert isinstance(name, tuple)
        of, column = name
        lane[:, place] = pool.flows[:, column] if of == FLOWS else given[of][column]
    feed = interpreter.Feed(
        initial=program.initial,
        parameter_rows=_rows(program.parameters),
        parameters=chosen,
        dated_rows=_rows(program.dated),
        dated=dated,
        lane_rows=_rows(program.lanes),
        lane=lane,
        output_rows=_rows(program.outputs),
        output=np.empty((n_dates, len(program.outputs), width)),
        state_rows=_rows(program.states),
        states=np.empty((len(program.states), width)),
        watched=pool.watched,
        loans=bucket.loans,
        prices=bucket.prices,
        n_cohorts=program.n_cohorts,
        n_lines=program.n_lines,
        lag=program.lag,
    )
    interpreter.run(program.code, feed)
    return Outcome(machine, feed.output, feed.states)


def _rows(names: Mapping[Hashable, int]) -> Ints:
    return np.fromiter(names.values(), dtype=np.int64, count=len(names))


def blank_pool(n_dates: int, width: int = 1, n_watched: int = 1) -> Pool:
    """A pool that brings nothing."""
    none = (1, n_dates, width)
    return Pool(
        np.zeros((n_dates, N_FLOWS, width)),
        np.zeros((n_dates, n_watched, width)),
        *(np.zeros(none), np.zeros(none), np.zeros(none)),
    )
