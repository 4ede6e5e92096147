"""Cash flows of every asset in one scenario: by payment date, and by collection period."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.curves import FixingTable
from engine.jit import kernel
from engine.loans import arrays as ar
from engine.loans import columns as col
from engine.loans import coupons as c
from engine.loans import lanes as ln
from engine.loans import walk as w
from engine.loans.arrays import Own, Tree
from engine.loans.layout import Layout
from engine.loans.tape import Tape, left_out

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class AssetFlows:
    """The record of every asset and payment date (spec 1.2), n rows in the order of assets and dates.

    loan           int64[n]  place in the pool
    payment        int64[n]  serials;  begin, end: of the accrual that is paid (the day itself where none is)
    coupon         float64[n]  all-in rate of that accrual, 0 where none
    flows          float64[n, N_FLOWS]  the row's own flows, columns as in `columns`; defaults stand in the row whose
                   cash they cost
    opening, closing          float64[n]  performing balance before and after
    default_balance, default_value  float64[n]  defaults not resolved after the row, and what is expected of them
    """

    loan: Ints
    payment: Ints
    begin: Ints
    end: Ints
    coupon: Floats
    flows: Floats
    opening: Floats
    closing: Floats
    default_balance: Floats
    default_value: Floats

    @property
    def total(self) -> Floats:
        """float64[n]: cash of the row (draws are paid out)."""
        flows = self.flows
        paid = [col.INTEREST, col.SCHEDULED, col.UNSCHEDULED, col.RECOVERIES, col.PROCEEDS]
        return np.asarray(flows[:, paid].sum(axis=1) - flows[:, col.DRAWN])

    def of(self, loan: int) -> AssetFlows:
        """The rows of one asset."""
        lo, hi = np.searchsorted(self.loan, [loan, loan + 1])
        return AssetFlows(*(getattr(self, name)[lo:hi] for name in self.__slots__))


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """Everything that happens, one row a thing: loan, day, bucket, accrual, coupon and flows."""

    loan: Ints
    day: Ints
    bucket: Ints
    begin: Ints
    end: Ints
    coupon: Floats
    flows: Floats


def asset_flows(
    layout: Layout, tape: Tape, fixings: FixingTable, rates: Floats, calendar: dates.Calendar | None = None
) -> AssetFlows:
    """Cash flows of every asset by payment date.

    rates  float64[n_rows, n_steps, 1]  one scenario, as `lanes.collect` takes them
    What comes after the last collection period's end is not all there.
    """
    events = _events(layout, tape, fixings, rates, calendar, by_payment=True)
    code = events.loan * 2**32 + events.day
    rows, place = np.unique(code, return_inverse=True)
    place = place.reshape(-1)
    n = rows.size
    flows = np.zeros((n, col.N_FLOWS))
    np.add.at(flows, place, events.flows)
    loan, payment = rows // 2**32, rows % 2**32
    begin, end, coupon = payment.copy(), payment.copy(), np.zeros(n)
    np.minimum.at(begin, place, events.begin)
    accrues = events.end > events.begin
    coupon[place[accrues]] = events.coupon[accrues]
    end[place[accrues]] = events.end[accrues]
    change = _performing(flows)
    unresolved = flows[:, col.DEFAULTED] - flows[:, col.RECOVERIES] - flows[:, col.LOSS]
    value = flows[:, col.CLAIM] - flows[:, col.RECOVERIES]
    closing = _running(change, loan, np.where(tape.defaulted, 0.0, tape.par))
    return AssetFlows(
        loan=loan,
        payment=payment,
        begin=begin,
        end=end,
        coupon=coupon,
        flows=flows,
        opening=closing - change,
        closing=closing,
        default_balance=_running(unresolved, loan, np.where(tape.defaulted, tape.par, 0.0)),
        default_value=_running(value, loan, np.where(tape.defaulted, tape.par * tape.mark, 0.0)),
    )


def loan_flows(
    layout: Layout, tape: Tape, fixings: FixingTable, rates: Floats, calendar: dates.Calendar | None = None
) -> Floats:
    """float64[n_loans, n_ends+1, N_FLOWS]: what `lanes.collect` sums, loan by loan; arguments of `asset_flows`."""
    events = _events(layout, tape, fixings, rates, calendar, by_payment=False)
    flows = np.zeros((tape.par.size, layout.ends.size + 1, col.N_FLOWS))
    np.add.at(flows, (events.loan, events.bucket), events.flows)
    return flows


def _performing(flows: Floats) -> Floats:
    """Change of the performing balance by the columns of flows."""
    added = flows[..., col.CAPITALISED] + flows[..., col.DRAWN]
    gone = [col.DEFAULTED, col.SCHEDULED, col.UNSCHEDULED, col.SOLD]
    return np.asarray(added - flows[..., gone].sum(axis=-1))


def _running(change: Floats, loan: Ints, opening: Floats) -> Floats:
    """Balances after each row: the opening one of the loan and the changes since."""
    balance = np.empty(change.size)
    for lo, hi in itertools.pairwise([*np.flatnonzero(np.diff(loan, prepend=-1)).tolist(), loan.size]):
        balance[lo:hi] = opening[loan[lo]] + np.cumsum(change[lo:hi])
    return balance


def _events(
    layout: Layout,
    tape: Tape,
    fixings: FixingTable,
    rates: Floats,
    calendar: dates.Calendar | None,
    *,
    by_payment: bool,
) -> _Events:
    """by_payment: defaults stand on the interest date; otherwise in the period in which they are seen."""
    loaded = c.load(layout, tape, fixings, calendar)
    coupon, extra_coupon = c.coupons(layout, tape, fixings, calendar)
    lane = np.ascontiguousarray(rates[:, :, :1])
    flows, watched = np.zeros((*layout.lanes.fixed.shape, 1)), np.zeros((*layout.lanes.watch_fixed.shape, 1))
    by_loss = np.zeros((flows.shape[0], layout.lanes.keys.loss_row.size, 1))
    left, pik, chance = ln.run_nodes(loaded, lane, flows, watched, by_loss, by_loss.copy())
    kept = ln.kept_shares(layout.lanes.keys, lane)
    walk, haircut = layout.walk, left_out(tape)
    ints, loan = walk.ints, walk.ints[:, w.LOAN]
    paid, seen, recovered = (np.zeros((ints.shape[0], col.N_FLOWS)) for _ in range(3))
    _legs(
        loaded.lanes.tree, loaded.lanes.own, loaded.own_interest, tape.liquidation,
        ints, walk.floats, layout.node, coupon, haircut,
        left[:, 0], pik[:, 0], chance[:, 0], kept[:, 0], paid, seen, recovered,
    )  # fmt: skip
    extra_ints = walk.extra_ints
    extra_flows = _extras(layout, tape, extra_coupon, haircut, left[:, 0], pik[:, 0], chance[:, 0])
    day, recovery_day, extra_day = ints[:, w.DAY], ints[:, w.RECOVERY_DAY], extra_ints[:, w.E_DAY]
    extra_begin = np.where(extra_ints[:, w.E_KIND] == w.SINK, extra_ints[:, w.E_BEFORE], extra_day)
    fixed_loan, fixed_bucket, fixed_day = walk.fixed.T
    parts = [
        _Events(loan, day, ints[:, w.PAY], ints[:, w.BEFORE], day, coupon, paid),
        _Events(loan, day, ints[:, w.PAY if by_payment else w.SEEN], day, day, coupon, seen),
        _Events(loan, recovery_day, ints[:, w.RECOVERY], recovery_day, recovery_day, coupon, recovered),
        _Events(
            extra_ints[:, w.E_LOAN],
            extra_day,
            extra_ints[:, w.E_BUCKET],
            extra_begin,
            extra_day,
            extra_coupon,
            extra_flows,
        ),
        _Events(
            fixed_loan,
            fixed_day,
            fixed_bucket,
            fixed_day,
            fixed_day,
            np.zeros(fixed_day.size),
            _constants(tape, fixed_loan, haircut),
        ),
    ]
    return _Events(*(np.concatenate([getattr(part, name) for part in parts]) for name in _Events.__slots__))


def _constants(tape: Tape, loan: Ints, haircut: Floats) -> Floats:
    """Flows of loans due at once, or in default."""
    flows = np.zeros((loan.size, col.N_FLOWS))
    par, mark, default = tape.par[loan], tape.mark[loan], tape.defaulted[loan]
    flows[:, col.RECOVERIES] = np.where(default, par * mark, 0.0)
    flows[:, col.LOSS] = np.where(default, par - par * mark, 0.0)
    flows[:, col.SCHEDULED] = np.where(default, 0.0, par)
    flows[:, col.MARKED] = -flows[:, col.SCHEDULED] * tape.liquidation[loan]
    flows[:, col.HAIRCUT] = -flows[:, col.SCHEDULED] * haircut[loan]
    return flows


def _extras(
    layout: Layout, tape: Tape, coupon: Floats, haircut: Floats, left: Floats, pik: Floats, chance: Floats
) -> Floats:
    """Flows of sinks between interest dates, sales and draws: float64[n_extras, N_FLOWS]."""
    walk, lanes = layout.walk, layout.lanes
    flows = np.zeros((walk.extra_ints.shape[0], col.N_FLOWS))
    tree = lanes.tree
    n_shared = tree.parent.size
    held, ints = layout.held, walk.extra_ints[layout.held]
    loan, leg = ints[:, w.E_LOAN], ints[:, w.E_LEG]
    node = np.where(leg >= 0, layout.node[np.maximum(leg, 0)], 0) if layout.node.size else np.zeros_like(leg)
    amount = layout.held_amount * left[node]
    sold = ints[:, w.E_KIND] == w.SALE
    flows[held, col.INTEREST] = amount * walk.extra_floats[held, w.E_FRACTION] * coupon[held]
    flows[held, col.SCHEDULED] = np.where(sold, 0.0, amount)
    flows[held, col.SOLD] = np.where(sold, amount, 0.0)
    flows[held, col.PROCEEDS] = flows[held, col.SOLD] * tape.sale_price[loan]
    flows[held, col.MARKED] = -amount * tape.liquidation[loan]
    share = haircut[loan]
    apart = node >= n_shared  # capitalised interest is followed
    more = (tape.pik_haircut - tape.haircut)[loan[apart]]
    share[apart] = tape.haircut[loan[apart]] + more * pik[node[apart] - n_shared]
    flows[held, col.HAIRCUT] = -amount * share
    drawn = np.flatnonzero(walk.extra_ints[:, w.E_KIND] == w.DRAW)
    twin = lanes.draws.node
    live = left[tree.parent[twin]] * (1.0 - chance[tree.cdr[twin]])
    flows[drawn, col.DRAWN] = lanes.draws.weight[:, 0] * live
    flows[drawn, col.MARKED] = flows[drawn, col.DRAWN] * tape.liquidation[walk.extra_ints[drawn, w.E_LOAN]]
    flows[drawn, col.HAIRCUT] = lanes.draws.weight[:, 2] * live
    return flows


@kernel
def _legs(
    tree: Tree,
    own: Own,
    interest: Floats,
    liquidation: Floats,
    ints: Ints,
    floats: Floats,
    node: Ints,
    coupon: Floats,
    haircut: Floats,
    left: Floats,
    pik: Floats,
    chance: Floats,
    kept: Floats,
    paid: Floats,
    seen: Floats,
    recovered: Floats,
) -> None:
    """paid, seen, recovered float64[n_legs, N_FLOWS] (out): what each leg pays, its default, and the recovery of it."""
    n_shared = tree.parent.shape[0]
    for leg in range(ints.shape[0]):
        i, at = ints[leg, w.LOAN], node[leg]
        share = mixed = fresh = haircut[i]
        added, added_on_drawn = 0.0, 0.0
        if at < n_shared:
            survived = left[tree.parent[at]]
            standing = survived - survived * chance[tree.cdr[at]]
            default = floats[leg, w.HELD] * (survived * chance[tree.cdr[at]])
            live, drawn = floats[leg, w.HELD] * standing, floats[leg, w.DRAWN] * standing
            prepaying, worth = chance[tree.cpr[at]], kept[tree.loss[at]]
        else:
            mine = at - n_shared
            keys, shares = own.ints[mine], own.floats[mine]
            unit, before, twin = shares[ar.OWN_UNIT], keys[ar.OWN_PARENT], keys[ar.OWN_TWIN]
            balance = left[before] * shares[ar.OWN_KEEP]
            q = chance[keys[ar.OWN_CDR]]
            default = min(balance, q) if keys[ar.OWN_ABSOLUTE] == 1 else balance * q
            live = unit * (balance - default)
            default *= unit
            standing = left[tree.parent[twin]] * (1.0 - chance[tree.cdr[twin]]) if twin > 0 else 0.0
            drawn = floats[leg, w.DRAWN] * standing
            prepaying, worth = chance[keys[ar.OWN_CPR]], kept[keys[ar.OWN_LOSS]]
            added, added_on_drawn = interest[mine, c.ADDED], interest[mine, c.ADDED_ON_DRAWN]
            part = shares[ar.OWN_FIRST] if before == 0 else pik[before - n_shared]
            share = shares[ar.OWN_HAIRCUT] + shares[ar.OWN_MORE] * part
            mixed = shares[ar.OWN_HAIRCUT]
            if live + drawn > 0.0:
                mixed += shares[ar.OWN_MORE] * part * live / (live + drawn)
            fresh = shares[ar.OWN_HAIRCUT] + shares[ar.OWN_MORE]
        whole = (live * floats[leg, w.FRACTION] + drawn * floats[leg, w.DRAWN_FRACTION]) * coupon[leg]
        capital = live * added + drawn * added_on_drawn
        scheduled = (live + drawn) * floats[leg, w.REPAID]
        prepaid = (live + drawn - scheduled) * prepaying
        paid[leg, col.INTEREST] = whole - capital + floats[leg, w.FEE] * standing
        paid[leg, col.SCHEDULED] = scheduled
        paid[leg, col.UNSCHEDULED] = prepaid
        paid[leg, col.CAPITALISED] = capital
        paid[leg, col.MARKED] = (capital - scheduled - prepaid) * liquidation[i]
        paid[leg, col.HAIRCUT] = fresh * capital - mixed * (scheduled + prepaid)
        seen[leg, col.DEFAULTED] = default
        seen[leg, col.CLAIM] = default * worth
        seen[leg, col.MARKED] = -default * liquidation[i]
        seen[leg, col.HAIRCUT] = -default * share
        if ints[leg, w.KEPT] == 1:
            recovered[leg, col.RECOVERIES] = default * worth
            recovered[leg, col.LOSS] = default - default * worth
        else:
            recovered[leg, col.LOSS] = default
