"""How fast the engine runs a whole deal: one run (W1) and a grid of 1,000 scenarios (W2), beside plain Python.

    python benchmarks/engine.py [--runs 7] [--sample 40] [--json]

The deal is ours, made from a seed: 200 loans, 40 quarters, six classes and subordinated notes, five coverage tests;
where ../shared has a deal of that shape, it runs too. Both sides do the same work: cash flows of the loans, the
priority of payments on every date, totals, average lives and the equity's return. The engine's deal is prepared before
and its kernels are compiled; what that takes is shown. Both sides run in turn in one process on one thread. Plain
Python's grid is measured on a sample of the scenarios and scaled.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import clo_desktop  # noqa: F401  # before numba: the same compiled kernels as the application
from benchmarks import bench_deal, plain_bench
from benchmarks.bench_deal import BASE, BenchDeal, Scenario
from benchmarks.bench_engine import Runner
from benchmarks.measure import Measure, once, parser, show

TIMES = 10
"""How often the grid is repeated for the threads: work of some tenths of a second."""


def in_turn(runs: int, engine: Callable[[], Any], plain: Callable[[], Any]) -> tuple[list[float], list[float]]:
    """Milliseconds of several runs of both, one after the other, after one of each that does not count."""
    engine()
    plain()
    pairs = [(once(engine), once(plain)) for _ in range(runs)]
    return [a for a, _ in pairs], [b for _, b in pairs]


def sample_of(scenarios: tuple[Scenario, ...], size: int) -> tuple[Scenario, ...]:
    """About `size` of them, spread over all; the step is odd and no multiple of 5, so that every rate is met."""
    step = max(1, len(scenarios) // size)
    while step > 1 and (step % 2 == 0 or step % 5 == 0):
        step += 1
    return scenarios[::step]


def rows(
    what: str, engine: list[float], plain: list[float], baseline: str, scale: float = 1.0, **accepted: float
) -> list[Measure]:
    """Least and median; the baseline's figures times `scale`."""
    return [
        Measure(f"{what}, {which}", of(engine), baseline, of(plain) * scale, **accepted)
        for which, of in (("least", min), ("median", statistics.median))
    ]


def measure(deal: BenchDeal, runs: int, size: int) -> list[Measure]:
    made: list[Runner] = []
    prepared = once(lambda: made.append(Runner(deal)))
    again = once(lambda: made.append(Runner(deal)))
    runner = made[-1]
    scenarios = bench_deal.grid()
    sample = sample_of(scenarios, size)
    one = in_turn(runs, lambda: runner.totals([BASE]), lambda: plain_bench.simulate(deal, BASE))
    grid = in_turn(runs, lambda: runner.totals(scenarios), lambda: [plain_bench.simulate(deal, s) for s in sample])
    many = scenarios * TIMES
    both = in_turn(runs, lambda: runner.totals(many, threads=2), lambda: runner.totals(many))
    shape = f"{len(deal.loans)} loans x {deal.n_periods} quarters"
    sampled = f"plain, {len(sample)} of {len(scenarios):,}"
    return [
        Measure(f"{deal.name}: prepare the deal, first time in the process", prepared),
        Measure(f"{deal.name}: prepare the deal", again),
        *rows(f"W1 one run, {shape}", *one, "plain Python", accepted=1.0),
        *rows(f"W2 {len(scenarios):,} scenarios", *grid, sampled, len(scenarios) / len(sample), times_faster=300.0),
        *rows(f"W2 x {TIMES} on two threads", *both, "one thread", times_faster=1.6),
    ]


def main() -> int:
    options = parser(__doc__)
    options.add_argument("--sample", type=int, default=40, help="scenarios of the grid that plain Python runs")
    chosen = options.parse_args()
    deals = [bench_deal.made()]
    if bench_deal.SHARED.exists():
        deals.append(bench_deal.read())
    found = [m for deal in deals for m in measure(deal, chosen.runs, chosen.sample)]
    return show(found, as_json=chosen.json, runs=chosen.runs)


if __name__ == "__main__":
    sys.exit(main())
