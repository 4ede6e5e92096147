"""What trades do to coverage tests and to the equity's cash: two projections of the deal side by side."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.pool import Floats

if TYPE_CHECKING:  # a list of trades needs no projection until one is asked for
    from engine.projection import Projection


@dataclass(frozen=True, slots=True)
class CoverageChange:
    """A test of the priority of payments on the first payment date; ratios as fractions.

    lowest_before, lowest_after  the smallest cushion over all dates on which the test is active; None: never active
    """

    name: str
    trigger: float
    before: float
    after: float
    lowest_before: float | None
    lowest_after: float | None


@dataclass(frozen=True, slots=True, eq=False)
class ProjectedChange:
    """dates: the payment dates of either run; equity_before, equity_after: money paid to the equity on them."""

    coverage: tuple[CoverageChange, ...]
    dates: tuple[dt.date, ...]
    equity_before: tuple[float, ...]
    equity_after: tuple[float, ...]
    irr_before: float | None
    irr_after: float | None

    @property
    def equity_change(self) -> float:
        """What the equity is paid more over the whole run."""
        return sum(self.equity_after) - sum(self.equity_before)


def projected_change(before: Projection, after: Projection) -> ProjectedChange:
    """Both runs under the same assumptions; the same tests stand in both, as the priority of payments is the same."""
    names = [test.id for test in before.document.tests]
    coverage = tuple(
        CoverageChange(
            name,
            float(before.result.trigger[0, i]),
            float(before.result.ratio[0, i]),
            float(after.result.ratio[0, i]),
            _lowest(before, i),
            _lowest(after, i),
        )
        for i, name in enumerate(names)
    )
    paid = [dict(zip(run.payment_dates, run.paid(run.equity).tolist(), strict=True)) for run in (before, after)]
    days = tuple(sorted({*before.payment_dates, *after.payment_dates}))
    return ProjectedChange(
        coverage,
        days,
        tuple(paid[0].get(day, 0.0) for day in days),
        tuple(paid[1].get(day, 0.0) for day in days),
        before.equity_irr,
        after.equity_irr,
    )


def _lowest(run: Projection, test: int) -> float | None:
    active = run.result.active[:, test]
    cushions: Floats = (run.result.ratio[:, test] - run.result.trigger[:, test])[active]
    return float(cushions.min()) if cushions.size else None
