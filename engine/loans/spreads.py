"""Z-spreads of the collateral: what each asset pays over the curve at its price (spec: engine 2.10).

Flows are those promised: no prepayments, no defaults. An asset in default, without a price, or with nothing left to pay
has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.curves import Curve, fixing_table
from engine.jit import kernel
from engine.loans.detail import AssetFlows, asset_flows
from engine.loans.discounting import fill_forwards, fill_periods, solve
from engine.loans.layout import lay_out
from engine.loans.tape import Tape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_BEYOND: Final = 31
"""Days after the last maturity to which flows are followed: a maturity that is no business day rolls."""

_NOTHING: Final = 1e-9
"""A share of par that is no cash: what rounding leaves of interest that is capitalised."""


def promised_flows(tape: Tape, curve: Curve, calendar: dates.Calendar, tenors: Sequence[int]) -> AssetFlows:
    """What the assets pay after the curve's date, to the last maturity, without prepayments and defaults.

    tenors  months of the rows of the table that the tape was packed with
    """
    if tape.par.size == 0:
        raise ValueError("The pool holds no asset.")
    last = max(int(tape.maturity.max(initial=curve.as_of)), curve.as_of) + _BEYOND
    # rates 0, whatever vectors the tape has
    plain = tape._replace(
        cpr=np.zeros_like(tape.cpr),
        cdr=np.zeros_like(tape.cdr),
        severity=np.zeros_like(tape.severity),
        vector_size=np.ones(1, dtype=np.int64),
        vector_step=np.zeros(1, dtype=np.int64),
        vector_from_age=np.zeros(1, dtype=np.bool_),
        vector_absolute=np.zeros(1, dtype=np.bool_),
        lag=np.zeros_like(tape.lag),
        lag_months=np.zeros_like(tape.lag_months),
    )
    fixings = fixing_table(curve, curve.as_of, last, tenors)
    layout = lay_out(plain, calendar, curve.as_of, np.array([last], dtype=np.int64))
    return asset_flows(layout, plain, fixings, np.zeros((1, 1, 1)), calendar)


def z_spreads(
    tape: Tape,
    curve: Curve,
    calendar: dates.Calendar,
    prices: Floats,
    tenors: Sequence[int],
    *,
    over_nothing: bool = False,
) -> Floats:
    """float64[n_loans]: spread over the curve's forwards, a year, quarterly compounded; NaN: none.

    over_nothing  the yield instead: the spread over rates of nought, floating coupons projected on the curve

    An asset with draws to fund may have several; one of them is given.

    curve   also what floating coupons are projected on
    prices  float64[n_loans], percent of par; NaN or nothing: no price. Each buys the balance at the curve's date with
            all that is paid after it; no accrued interest is added
    tenors  as in `promised_flows`
    """
    spreads = np.full(tape.par.size, np.nan)
    if tape.par.size == 0:
        return spreads
    flows = promised_flows(tape, curve, calendar, tenors)
    cash = flows.total
    pays = np.abs(cash) > _NOTHING * tape.par[flows.loan]  # periods run from cash to cash
    starts = np.searchsorted(flows.loan[pays], np.arange(tape.par.size + 1)).astype(np.int64)
    targets = np.where(tape.defaulted | ~(prices > 0.0), np.nan, prices / 100.0 * tape.par)
    _solve_all(
        curve.as_of, starts, flows.payment[pays], cash[pays], targets,
        curve.days, np.zeros_like(curve.zeros) if over_nothing else curve.zeros, curve.frequency, spreads,
    )  # fmt: skip
    return spreads


@kernel
def _solve_all(
    as_of: int,
    starts: Ints,
    days: Ints,
    cash: Floats,
    targets: Floats,
    node_days: Ints,
    zeros: Floats,
    frequency: float,
    spreads: Floats,
) -> None:
    """spreads float64[n_loans] (out): the rows starts[i] to starts[i+1] of days and cash are those of loan i."""
    lengths, forwards = np.empty(days.shape[0]), np.empty(days.shape[0])
    for i in range(spreads.shape[0]):
        lo, hi = starts[i], starts[i + 1]
        if np.isnan(targets[i]) or lo == hi:
            continue
        fill_periods(as_of, days[lo:hi], lengths[lo:hi])
        fill_forwards(as_of, days[lo:hi], lengths[lo:hi], as_of, node_days, zeros, frequency, forwards[lo:hi])
        spreads[i] = solve(targets[i], cash[lo:hi], lengths[lo:hi], forwards[lo:hi])
