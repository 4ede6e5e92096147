"""The pool as arrays: what each loan is, with every unit fixed, and what all are at the start (spec: engine 2)."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.loans import columns as col

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEVER: Final = 2**40
"""A day that does not come."""


class Tape(NamedTuple):
    """The pool as arrays, n loans; made by `packing.pack_tape`.

    par               float64[n]  balance at the analysis date
    coupon            float64[n]  all-in rate of the running period (fixed loans: for life)
    spread            float64[n]  margin + credit spread adjustment over the index
    floor, cap        float64[n]  on the index; cap = inf where there is none
    is_float          bool[n]
    index_row         int64[n]    row of the fixing table
    in_arrears        bool[n]     the index is compounded over the period itself
    lookback          int64[n]    business days that it looks back
    months            int64[n]    between interest dates
    anchor            int64[n]    first payment date; interest dates are counted from it
    dated             int64[n]    start of the first accrual
    maturity          int64[n]    on a business day, as amended
    month_end         bool[n]
    convention        int64[n]
    day_count         int64[n]
    amortisation      float64[n]  scheduled principal a year as a share of par, where there is no sink table
    sink_start        int64[n+1]  slice of each loan in the sink arrays
    sink_day          int64[n_sinks]    rising within a loan, on business days
    sink_share        float64[n_sinks]  share of the balance that is left then (last one: 1)
    pik_share         float64[n]  share of the interest that is added to the balance on dates from pik_from to pik_until
    pik_from, pik_until  int64[n]
    pik_part          float64[n]  share of par that is capitalised interest of the past
    defaulted         bool[n]     in default at the analysis date
    mark              float64[n]  expected recovery of a loan in default, share of par
    lag               int64[n]    interest dates from default to recovery
    lag_months        int64[n]    the same in whole months
    unfunded          float64[n]  commitment not drawn
    commitment_fee    float64[n]  on it, a year
    draw_start        int64[n+1]  slice of each loan in the draw arrays
    draw_day          int64[n_draws]    rising within a loan
    draw_amount       float64[n_draws]  not more than `unfunded` together
    sale_day          int64[n]    the loan is sold on it; NEVER
    sale_price        float64[n]  then, share of par
    liquidation       float64[n]  price at which the performing balance is marked, share of par
    haircut           float64[n]  share of the performing balance that coverage tests leave out
    pik_haircut       float64[n]  the same of capitalised interest
    cpr, cdr, severity  int64[n]  row of the vectors
    vector_size       int64[n_rows]  entries of each vector; the last is held
    vector_step       int64[n_rows]  months of an entry; 0: interest dates of the loan
    vector_from_age   bool[n_rows]   counted from the loan's dated date, not from the analysis date
    vector_absolute   bool[n_rows]   entries are shares of the balance at the start that default, not annual rates
    """

    par: Floats
    coupon: Floats
    spread: Floats
    floor: Floats
    cap: Floats
    is_float: Flags
    index_row: Ints
    in_arrears: Flags
    lookback: Ints
    months: Ints
    anchor: Ints
    dated: Ints
    maturity: Ints
    month_end: Flags
    convention: Ints
    day_count: Ints
    amortisation: Floats
    sink_start: Ints
    sink_day: Ints
    sink_share: Floats
    pik_share: Floats
    pik_from: Ints
    pik_until: Ints
    pik_part: Floats
    defaulted: Flags
    mark: Floats
    lag: Ints
    lag_months: Ints
    unfunded: Floats
    commitment_fee: Floats
    draw_start: Ints
    draw_day: Ints
    draw_amount: Floats
    sale_day: Ints
    sale_price: Floats
    liquidation: Floats
    haircut: Floats
    pik_haircut: Floats
    cpr: Ints
    cdr: Ints
    severity: Ints
    vector_size: Ints
    vector_step: Ints
    vector_from_age: Flags
    vector_absolute: Flags


class Opening(NamedTuple):
    """Balances at the start that the columns of the flows change."""

    performing: float
    defaulted: float
    carrying: float
    marked: float
    haircut: float


def opening(tape: Tape) -> Opening:
    """What the pool is at the analysis date."""
    live = np.where(tape.defaulted, 0.0, tape.par)
    return Opening(
        performing=float(live.sum()),
        defaulted=float((tape.par - live).sum()),
        carrying=float(((tape.par - live) * tape.mark).sum()),
        marked=float((live * tape.liquidation).sum()),
        haircut=float((live * left_out(tape)).sum()),
    )


def left_out(tape: Tape) -> Floats:
    """float64[n]: share of each performing balance that coverage tests leave out at the start."""
    return tape.haircut + (tape.pik_haircut - tape.haircut) * tape.pik_part


def absent_columns(tape: Tape) -> frozenset[int]:
    """Columns of the flows in which nothing can stand."""
    capitalises = bool(np.any(tape.pik_share > 0.0))
    there = {
        col.CAPITALISED: capitalises,
        col.DRAWN: tape.draw_day.size > 0,
        col.SOLD: bool(np.any(tape.sale_day < NEVER)),
        col.PROCEEDS: bool(np.any(tape.sale_day < NEVER)),
        col.HAIRCUT: capitalises or bool(np.any(left_out(tape) != 0.0)),
    }
    return frozenset(column for column, is_there in there.items() if not is_there)
