"""The bench deal through the engine: prepared once, then one run or a grid of scenarios over lanes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks import bench_inputs
from benchmarks.bench_deal import BenchDeal, Scenario
from engine import dates, lanes, liabilities
from engine.jit import kernel
from engine.loans import coupons, layout
from engine.loans import lanes as loan_lanes
from engine.loans.columns import N_FLOWS
from engine.loans.tape import absent_columns

Floats = NDArray[np.float64]

LANES: Final = 128
"""Scenarios at once: more of them do not fit the processor's nearest memory."""


_FIGURES: Final = (
    ("total", "interest"),
    ("total", "principal"),
    ("total", "deferred"),
    ("weighted time",),
    ("balance",),
    ("deferred",),
)
"""What the program keeps of every class over a run."""


@dataclass(frozen=True, slots=True, eq=False)
class Totals:
    """What scenarios come to; n of them, classes in order of seniority without the subordinated notes.

    interest, principal, final_balance  float64[n, n_classes]  deferred interest paid is in principal, owed in balance
    wal     float64[n, n_classes]  years, actual/365; NaN where no principal was paid
    equity  float64[n];  irr float64[n]  (1 + rate a period)^4 - 1 at a price of par; NaN without one
    """

    interest: Floats
    principal: Floats
    final_balance: Floats
    wal: Floats
    equity: Floats
    irr: Floats


class Runner:
    """A deal ready to run: loans laid out under its index, liabilities as a program. All scenarios share them."""

    def __init__(self, deal: BenchDeal) -> None:
        self.deal = deal
        self.inputs = bench_inputs.inputs_of(deal)
        calendar, tape = dates.Calendar(()), bench_inputs.tape_of(deal)
        laid = layout.lay_out(tape, calendar, self.inputs.before, self.inputs.days, seen_with_payment=True)
        self.loaded = coupons.load(laid, tape, bench_inputs.fixings_of(deal), calendar)
        self.machine = liabilities.write(
            bench_inputs.document(), self.inputs, full=False, called_by_rule=False, absent=absent_columns(tape)
        )
        self.dated = self.machine.dated(self.inputs)
        self.bucket = lanes.Bucket(np.full((2, 1), -1, dtype=np.int64), np.ones((2, 1)))  # nothing counts as CCC
        states = self.machine.program.states
        places = {name: place for place, name in enumerate(states)}
        named = [places.get((*name, c), -1) for name in _FIGURES for c in self.inputs.class_ids]
        self.rows = np.array(named, dtype=np.int64)
        self.has = self.rows[:, None] >= 0  # a class that may not defer has no deferred interest
        self.equity_row = list(self.machine.program.outputs).index("equity")

    def totals(self, scenarios: Sequence[Scenario], threads: int = 1) -> Totals:
        """The scenarios in their order; what one comes to does not depend on the others, nor on the threads."""
        chunks = [scenarios[at : at + LANES] for at in range(0, len(scenarios), LANES)]
        if threads == 1:
            columns = zip(*map(self._chunk, chunks), strict=True)
        else:
            with ThreadPoolExecutor(threads) as workers:
                columns = zip(*workers.map(self._chunk, chunks), strict=True)
        return Totals(*(np.concatenate(column) for column in columns))

    def _chunk(self, scenarios: Sequence[Scenario]) -> tuple[Floats, ...]:
        outcome = lanes.run_lanes(self.machine, self.inputs, self.dated, self._pool(scenarios), self.bucket, {})
        figures = np.where(self.has, outcome.states[self.rows], 0.0).reshape(len(_FIGURES), -1, len(scenarios))
        interest, principal, deferred_paid, weighted, balance, deferred = figures[:, :-1]
        principal = principal + deferred_paid
        with np.errstate(invalid="ignore", divide="ignore"):
            wal = weighted / principal
        equity = figures[0, -1] + figures[1, -1]
        irr = yearly_irr(self.deal.equity, outcome.output[:, self.equity_row])
        return interest.T, principal.T, (balance + deferred).T, wal.T, equity, irr

    def _pool(self, scenarios: Sequence[Scenario]) -> lanes.Pool:
        """The collateral's cash flows; the tape's vectors are one entry each: prepayment, default, severity."""
        n, width = self.deal.n_periods, len(scenarios)
        rates = np.array([[s.cpr, s.cdr, 1.0 - s.recovery] for s in scenarios]).T.reshape(3, 1, width).copy()
        flows, watched, none = np.empty((n + 1, N_FLOWS, width)), np.zeros((n, 0, width)), np.zeros((1, n, width))
        loan_lanes.collect(self.loaded, rates, flows, watched)
        return lanes.Pool(flows[:n], np.zeros((n, 1, width)), none, none, none)


def yearly_irr(price: float, paid: Floats) -> Floats:
    """float64[W]: (1 + rate a period)^4 - 1 of paying `price` for `paid` float64[n_dates, W], none of it negative.

    NaN where nothing is paid.
    """
    factor = np.empty(paid.shape[1])
    discount_factors(price, paid, factor)
    with np.errstate(divide="ignore"):
        # products, not a power: a power's last digit may depend on how many stand in the array
        return np.where(np.isfinite(factor), 1.0 / (factor * factor * factor * factor) - 1.0, np.nan)


@kernel
def discount_factors(price: float, paid: Floats, factor: Floats) -> None:
    """factor float64[W] (out): discount of one period at which `paid` float64[n_dates, W] is worth `price`.

    Infinite where nothing is paid. Newton's steps from above the root: worth rises and curves upwards with the factor,
    so they come down to it and never cross; each lane ends on its own. A payment taken alone gives a factor above the
    root; the least of them is the start.
    """
    n, width = paid.shape
    factor[:] = np.inf
    for t in range(n):
        for lane in range(width):
            if paid[t, lane] > 0.0:
                factor[lane] = min(factor[lane], (price / paid[t, lane]) ** (1.0 / (t + 1)))
    worth, slope = np.empty(width), np.empty(width)
    going = factor < np.inf
    for _ in range(100):
        worth[:] = 0.0
        slope[:] = 0.0
        for t in range(n - 1, -1, -1):
            for lane in range(width):
                slope[lane] = slope[lane] * factor[lane] + worth[lane]
                worth[lane] = worth[lane] * factor[lane] + paid[t, lane]
        any_going = False
        for lane in range(width):
            if going[lane]:
                v = factor[lane]
                step = (worth[lane] * v - price) / (slope[lane] * v + worth[lane])
                factor[lane] = v - step
                going[lane] = abs(step) > 1e-14 * v
                any_going = any_going or going[lane]
        if not any_going:
            break
