"""The coupons of one rate path put into a layout."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.curves import FixingTable
from engine.jit import kernel
from engine.loans import walk as w
from engine.loans.arrays import Lanes
from engine.loans.layout import Layout
from engine.loans.tape import Tape

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

# columns of own_interest, shares of one unit of the balance
PAID: Final = 0
PAID_ON_DRAWN: Final = 1
ADDED: Final = 2  # capitalised
ADDED_ON_DRAWN: Final = 3


class Loaded(NamedTuple):
    """A layout under one rate path: what `lanes.collect` takes.

    lanes          of the layout
    entry_interest float64[n_entries]  interest of each entry a unit of what is live on its node
    held_interest  float64[n_held]     interest paid with what leaves between interest dates
    own_interest   float64[n_own, 4]   interest of the own nodes: paid, paid on what is drawn, and both capitalised
    """

    lanes: Lanes
    entry_interest: Floats
    held_interest: Floats
    own_interest: Floats


def load(layout: Layout, tape: Tape, fixings: FixingTable, calendar: dates.Calendar | None = None) -> Loaded:
    """Interest under a rate path.

    fixings   of every day from the first accrual start; days outside take the first or the last column
    calendar  of the days on which a rate compounds in arrears (None: weekdays)
    """
    walk = layout.walk
    coupon, extra_coupon = coupons(layout, tape, fixings, calendar)
    entry, held, own = np.empty(layout.starts.size), np.empty(layout.held_starts.size), np.empty((layout.own.size, 4))
    _entry_interest(walk.floats, coupon, layout.order, layout.starts, entry)
    _held_interest(walk.extra_floats, layout.held_amount, extra_coupon, layout.held, layout.held_starts, held)
    _own_interest(walk.floats, coupon, layout.own, own)
    return Loaded(layout.lanes, entry, held, own)


def coupons(
    layout: Layout, tape: Tape, fixings: FixingTable, calendar: dates.Calendar | None = None
) -> tuple[Floats, Floats]:
    """All-in rates of the legs, float64[n_legs], and of what comes between interest dates, float64[n_extras]."""
    walk = layout.walk
    growth, rows = _growth(tape, fixings, calendar if calendar is not None else dates.Calendar(()))
    path = (fixings.rates, fixings.first_day, growth, rows)
    coupon, extra_coupon = np.empty(walk.ints.shape[0]), np.empty(walk.extra_ints.shape[0])
    _coupons(tape, walk.ints, w.LOAN, w.STEP, w.BEFORE, w.DAY, *path, coupon)
    _coupons(tape, walk.extra_ints, w.E_LOAN, w.E_STEP, w.E_BEFORE, w.E_DAY, *path, extra_coupon)
    return coupon, extra_coupon


def _growth(tape: Tape, fixings: FixingTable, calendar: dates.Calendar) -> tuple[Floats, Ints]:
    """What a unit compounds to by each day of the table, for each pair of index and lookback, and each loan's row."""
    rows = np.full(tape.par.size, -1, dtype=np.int64)
    compounded = np.flatnonzero(tape.in_arrears)
    if compounded.size == 0:
        return np.ones((0, 1)), rows
    pairs = np.stack([tape.index_row[compounded], tape.lookback[compounded]], axis=1)
    distinct, places = np.unique(pairs, axis=0, return_inverse=True)
    rows[compounded] = places.reshape(-1)
    growth = np.empty((distinct.shape[0], fixings.rates.shape[1] + 1))
    for row, (index, lookback) in enumerate(distinct.tolist()):
        compound(fixings.rates[index], fixings.first_day, lookback, calendar.closed, calendar.closed_from, growth[row])
    return growth, rows


@kernel
def compound(rates: Floats, first_day: int, lookback: int, closed: Flags, closed_from: int, growth: Floats) -> None:
    """growth float64[n_days+1] (out): a unit compounded day by day from the table's first day, actual/360.

    The rate of a business day is that of the business day `lookback` before it, and holds to the next one, without
    interest on interest between the two.
    """
    n = rates.shape[0]
    growth[0] = 1.0
    base, since = 1.0, 0
    rate = rates[0]
    for d in range(n):
        day = first_day + d
        if d == 0 or dates.is_business(day, closed, closed_from):
            base, since = growth[d], d
            seen = dates.business_days_before(day, lookback, closed, closed_from) - first_day
            rate = rates[min(max(seen, 0), n - 1)]
        growth[d + 1] = base * (1.0 + rate * (d + 1 - since) / 360.0)


@kernel
def _coupons(
    tape: Tape,
    ints: Ints,
    loan: int,
    step: int,
    before: int,
    day: int,
    rates: Floats,
    first_day: int,
    growth: Floats,
    growth_row: Ints,
    coupon: Floats,
) -> None:
    """coupon float64[n] (out): all-in rate of the periods in the rows of `ints`, whose columns loan, step, before and
    day say what they are. Loans reset on the index rounded to five decimals.
    """
    last = rates.shape[1] - 1
    for leg in range(ints.shape[0]):
        i = ints[leg, loan]
        if ints[leg, step] == 0 or not tape.is_float[i]:
            coupon[leg] = tape.coupon[i]
            continue
        begin = min(max(ints[leg, before] - first_day, 0), last)
        if tape.in_arrears[i]:
            end = min(max(ints[leg, day] - first_day, begin + 1), last + 1)
            row = growth_row[i]
            index = (growth[row, end] / growth[row, begin] - 1.0) * 360.0 / (end - begin)
        else:
            index = rates[tape.index_row[i], begin]
        index = np.round(index * 1e5) / 1e5
        coupon[leg] = min(max(index, tape.floor[i]), tape.cap[i]) + tape.spread[i]


@kernel
def _entry_interest(floats: Floats, coupon: Floats, order: Ints, starts: Ints, entry: Floats) -> None:
    """entry float64[n_entries] (out): interest and commitment fees of the legs of each entry."""
    for e in range(starts.shape[0]):
        stop = starts[e + 1] if e + 1 < starts.shape[0] else order.shape[0]
        total = 0.0
        for place in range(starts[e], stop):
            leg = order[place]
            earning = floats[leg, w.HELD] * floats[leg, w.FRACTION]
            earning += floats[leg, w.DRAWN] * floats[leg, w.DRAWN_FRACTION]
            total += earning * coupon[leg] + floats[leg, w.FEE]
        entry[e] = total


@kernel
def _held_interest(floats: Floats, amount: Floats, coupon: Floats, held: Ints, starts: Ints, interest: Floats) -> None:
    """interest float64[n_held] (out): what is paid with principal between interest dates."""
    for e in range(starts.shape[0]):
        stop = starts[e + 1] if e + 1 < starts.shape[0] else held.shape[0]
        total = 0.0
        for place in range(starts[e], stop):
            extra = held[place]
            total += amount[place] * floats[extra, w.E_FRACTION] * coupon[extra]
        interest[e] = total


@kernel
def _own_interest(floats: Floats, coupon: Floats, own: Ints, interest: Floats) -> None:
    """interest float64[n_own, 4] (out): see the columns above."""
    for o in range(own.shape[0]):
        leg = own[o]
        share = floats[leg, w.PIK]
        whole, drawn = floats[leg, w.FRACTION] * coupon[leg], floats[leg, w.DRAWN_FRACTION] * coupon[leg]
        interest[o, PAID], interest[o, PAID_ON_DRAWN] = whole * (1.0 - share), drawn * (1.0 - share)
        interest[o, ADDED], interest[o, ADDED_ON_DRAWN] = whole * share, drawn * share
