"""What the benchmarks share: medians of several runs, ratios to a baseline of the same run, one way to print."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One figure, in milliseconds, beside a baseline of the same run and what is accepted: fewer milliseconds, or at
    least so many times faster than the baseline.
    """

    what: str
    milliseconds: float
    baseline: str = ""
    baseline_milliseconds: float | None = None
    accepted: float | None = None
    times_faster: float | None = None

    @property
    def ratio(self) -> float | None:
        return None if self.baseline_milliseconds is None else self.baseline_milliseconds / self.milliseconds

    @property
    def is_good(self) -> bool:
        fast = self.accepted is None or self.milliseconds < self.accepted
        return fast and (self.times_faster is None or (self.ratio or 0.0) >= self.times_faster)


def once(work: Callable[[], Any]) -> float:
    """Milliseconds of one run."""
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000.0


def median_of(runs: int, work: Callable[[], Any]) -> float:
    """Median of several runs, milliseconds, after one run that does not count."""
    work()
    return statistics.median(once(work) for _ in range(runs))


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options of every benchmark: --runs and --json."""
    made = argparse.ArgumentParser(description=(description or "").partition("\n")[0])
    made.add_argument("--runs", type=int, default=7, help="counted runs of each measure (default: 7)")
    made.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return made


def show(found: Sequence[Measure], *, as_json: bool, **about: Any) -> int:
    """Prints the measures; the exit code is 1 where one is not within what is accepted."""
    good = all(m.is_good for m in found)
    if as_json:
        rows = [
            {
                "what": m.what,
                "milliseconds": round(m.milliseconds, 3),
                "accepted": m.accepted,
                "baseline": m.baseline or None,
                "baseline_milliseconds": None if m.baseline_milliseconds is None else round(m.baseline_milliseconds, 3),
                "ratio": None if m.ratio is None else round(m.ratio, 2),
                "accepted_ratio": m.times_faster,
            }
            for m in found
        ]
        print(json.dumps({**about, "good": good, "measures": rows}, indent=2))
        return 0 if good else 1
    print(f"{'':<66}{'ms':>10}  {'accepted':>9}  {'baseline':<22}{'ms':>10}  times faster")
    for m in found:
        accepted = "" if m.accepted is None else f"< {m.accepted:.0f}"
        accepted += "" if m.times_faster is None else f"{m.times_faster:g} x"
        accepted += "" if m.is_good else " NO"
        line = f"{m.what:<66}{m.milliseconds:>10.2f}  {accepted:>9}"
        if m.baseline_milliseconds is not None and m.ratio is not None:
            line += f"  {m.baseline:<22}{m.baseline_milliseconds:>10.2f}  {m.ratio:.1f}"
        print(line)
    return 0 if good else 1
