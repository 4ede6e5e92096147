"""The pool laid out for many scenarios at once: survival nodes shared by loans, flows summed by node and bucket.

balance of a loan = scheduled balance x survival. The scheduled balance is a matter of dates alone; survival follows
from the prepayment and default rates, and is one number for all loans with the same rates and dates so far: a node.
Loans whose balance is no such product (they capitalise interest, or default by an absolute timing) have nodes of
their own, in which the whole balance per unit is carried.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from engine import dates
from engine.jit import kernel
from engine.loans import arrays as ar
from engine.loans import columns as col
from engine.loans import walk as w
from engine.loans.arrays import Draws, Entries, Held, Keys, Lanes, Own, Tree
from engine.loans.tape import Tape, left_out

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LagRule = Literal["interest dates", "month ends"]

NOT_WATCHED: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A pool laid out; see `lay_out`.

    walk         legs and extras, in the order of loans
    lanes        what the kernel reads
    order        int64[n_entry_legs]  legs of the entries, entry by entry;  starts int64[n_entries]  first of each
    held         int64[n_held_extras]  extras of what leaves between dates, likewise with held_starts;
                 held_amount float64[n_held_extras]  share of the node's end that leaves
    own          int64[n_own]  legs of the own nodes
    node         int64[n_legs]  node of each leg (an own node, where the loan has them)
    ends         int64[n_ends]
    """

    walk: w.Walk
    lanes: Lanes
    order: Ints
    starts: Ints
    held: Ints
    held_starts: Ints
    held_amount: Floats
    own: Ints
    node: Ints
    ends: Ints


def lay_out(
    tape: Tape,
    calendar: dates.Calendar,
    analysis: int,
    ends: Ints,
    lag_rule: LagRule = "interest dates",
    *,
    recover_after_maturity: bool = True,
    seen_with_payment: bool = False,
    watched: Ints | None = None,
    sale_pays_accrued: bool = False,
    factorised: bool = True,
) -> Layout:
    """Lays a pool out for collection periods.

    analysis    serial;  ends int64[n_ends] rising serials
    lag_rule    recoveries come `lag` interest dates after the default, or at the month end `lag_months` later
    recover_after_maturity  recoveries still come in after a loan's maturity; otherwise what is open then is lost
    seen_with_payment  defaults are seen on the interest date whose cash they cost; otherwise when its accrual starts
    watched     int64[n_watched] loans whose performing balances are wanted
    sale_pays_accrued  a sale also pays the interest accrued to its day
    factorised  False: every loan has nodes of its own (slow; what the shared nodes must agree with)
    """
    ends = np.ascontiguousarray(ends, dtype=np.int64)
    walk = w.walk_loans(
        tape,
        calendar.closed,
        calendar.closed_from,
        analysis,
        ends,
        lag_to_month_end=lag_rule == "month ends",
        recover_after_maturity=recover_after_maturity,
        seen_with_payment=seen_with_payment,
        sale_pays_accrued=sale_pays_accrued,
    )
    n, n_ends = tape.par.size, ends.size
    chosen = np.zeros(0, dtype=np.int64) if watched is None else np.asarray(watched, dtype=np.int64)
    watch_row = np.full(n, NOT_WATCHED, dtype=np.int64)
    watch_row[chosen] = np.arange(chosen.size)
    has_own = np.ones(n, dtype=np.bool_)
    if factorised:
        # a draw thins what is capitalised interest of the balance, so that share is followed too
        thinned = (tape.pik_part > 0.0) & (np.diff(tape.draw_start) > 0)
        has_own = (tape.pik_share > 0.0) | tape.vector_absolute[tape.cdr] | thinned
    loan = walk.ints[:, w.LOAN]

    rates = np.concatenate([walk.ints[:, w.CDR], walk.ints[:, w.CPR]])
    keys, places = np.unique(rates, return_inverse=True)
    cdr, cpr = np.split(places.reshape(-1).astype(np.int64), 2)
    losses, loss = np.unique(walk.ints[:, w.SEVERITY], return_inverse=True)
    loss = loss.reshape(-1).astype(np.int64)

    # own loans stand in the shared tree only where a commitment hangs on their survival
    in_tree = ~has_own[loan] | (tape.unfunded[loan] > 0.0)
    node, parent, first_leg = _shared_nodes(walk.ints, in_tree, np.array([cdr, cpr, loss]))
    twin = np.where(in_tree, node, 0)
    own = np.flatnonzero(has_own[loan])
    node[own] = parent.size + np.arange(own.size)

    haircut = left_out(tape)
    usual, price = _usual(tape.liquidation)
    order, starts, of_node = _entries(walk, node, watch_row[loan], ~has_own[loan], parent.size)
    ints, floats = walk.ints[order], walk.floats[order]
    left = (floats[:, w.HELD] + floats[:, w.DRAWN])[:, None]
    base = np.hstack([
        floats[:, [w.HELD]], left * floats[:, [w.REPAID]], left * (1.0 - floats[:, [w.REPAID]])
    ])  # fmt: skip
    of = ints[:, w.LOAN]
    weights = np.hstack([base, base * price[of][:, None], base * haircut[of][:, None]])
    first = order[starts] if starts.size else order
    held, held_starts, held_amount, leaving = _held(walk, tape, node, has_own, watch_row, price, haircut)
    fixed, watch_start, watch_fixed = _fixed(walk, tape, chosen, n_ends, price, haircut)
    lanes = Lanes(
        keys=_keys(keys, losses, tape),
        tree=Tree(parent, *(np.concatenate([[0], key[first_leg]]).astype(np.int64) for key in (cdr, cpr, loss))),
        entries=Entries(
            of_node=of_node,
            seen=walk.ints[first, w.SEEN].copy(),
            pay=walk.ints[first, w.PAY].copy(),
            recovery=walk.ints[first, w.RECOVERY].copy(),
            kept=walk.ints[first, w.KEPT].copy(),
            watched=watch_row[loan[first]],
            weight=_sums(weights, starts),
            has_marks=bool(np.any(price != 0.0)),
            has_haircut=bool(np.any(haircut != 0.0)),
        ),
        held=leaving,
        draws=_draws(walk, tape, twin, has_own, watch_row, price, haircut),
        own=_own(walk, tape, own, node, twin, (cdr, cpr, loss), watch_row, price),
        fixed=fixed,
        watch_start=watch_start,
        watch_fixed=watch_fixed,
        usual_price=usual,
    )
    return Layout(walk, lanes, order, starts, held, held_starts, held_amount, own, node, ends)


def _keys(rates: Ints, losses: Ints, tape: Tape) -> Keys:
    """Codes of rates and severities taken apart."""
    whole = w.DAYS * w.DAYS
    return Keys(
        row=rates // (w.MOST_ENTRIES * whole),
        entry=rates // whole % w.MOST_ENTRIES,
        first=rates // w.DAYS % w.DAYS,
        days=rates % w.DAYS,
        size=tape.vector_size,
        step=tape.vector_step,
        absolute=tape.vector_absolute,
        loss_row=losses // (w.MOST_ENTRIES * whole),
        loss_entry=losses // whole % w.MOST_ENTRIES,
    )


def _usual(price: Floats) -> tuple[float, Floats]:
    """The most common of the prices, and what each is beside it."""
    if price.size == 0:
        return 1.0, price
    values, counts = np.unique(price, return_counts=True)
    usual = float(values[np.argmax(counts)])
    return usual, price - usual


def _sums(weights: Floats, starts: Ints) -> Floats:
    """Rows of `weights` summed from each start to the next."""
    if starts.size == 0:
        return np.zeros((0, weights.shape[1]))
    return np.ascontiguousarray(np.add.reduceat(weights, starts, axis=0))


def _shared_nodes(ints: Ints, in_tree: Flags, keys: Ints) -> tuple[Ints, Ints, Ints]:
    """The tree of survival: node int64[n_legs] of each leg, parent int64[n_nodes+1] with the start as node 0, and a
    leg of each node but the start. Legs with one parent and the same three keys are one node.
    """
    label = np.zeros(ints.shape[0], dtype=np.int64)
    for row in keys:
        label = label * (row.max(initial=0) + 1) + row
    node, parent, first = _grow(ints[:, w.STEP].copy(), in_tree, label)
    return node, parent, first[1:]


@kernel
def _grow(step: Ints, in_tree: Flags, keys: Ints) -> tuple[Ints, Ints, Ints]:
    """Node of each leg, parent and first leg of each node. Legs are in the order of loans and steps."""
    n = step.shape[0]
    node = np.zeros(n, dtype=np.int64)
    parent, first, label = (
        np.zeros(n + 1, dtype=np.int64),
        np.zeros(n + 1, dtype=np.int64),
        np.zeros(n + 1, dtype=np.int64),
    )
    child, sibling = np.zeros(n + 1, dtype=np.int64), np.zeros(n + 1, dtype=np.int64)
    made, at = 1, 0
    for leg in range(n):
        if not in_tree[leg]:
            continue
        if step[leg] == 0:
            at = 0
        found = child[at]
        while found > 0 and label[found] != keys[leg]:
            found = sibling[found]
        if found == 0:
            found = made
            parent[found], first[found], label[found] = at, leg, keys[leg]
            sibling[found], child[at] = child[at], found
            made += 1
        node[leg] = at = found
    return node, parent[:made].copy(), first[:made].copy()


def _grouped(parts: list[Ints]) -> tuple[Ints, Ints]:
    """Rows with equal parts brought together: int64[n] order, int64[n_groups] first of each group in it."""
    code, size = np.zeros(parts[0].size, dtype=np.int64), 1
    for part in parts:
        width = int(part.max(initial=0)) + 1
        if size * width >= 2**62:
            _, code = np.unique(code, return_inverse=True)
            code = code.reshape(-1).astype(np.int64)
            size = code.size
        code, size = code * width + part, size * width
    order = np.argsort(code, kind="stable")
    return order, np.flatnonzero(np.diff(code[order], prepend=-1)).astype(np.int64)


def _entries(walk: w.Walk, node: Ints, watched: Ints, shared: Flags, n_nodes: int) -> tuple[Ints, Ints, Ints]:
    """Legs in the order of entries, the first leg of each entry, and the slice of entries of each node.

    Legs of one node and the same buckets are one entry; a watched loan's legs stand alone.
    """
    legs = np.flatnonzero(shared)
    columns = [walk.ints[legs, c] for c in (w.SEEN, w.PAY, w.RECOVERY, w.KEPT)]
    place, starts = _grouped([node[legs], *columns, watched[legs] + 1])
    order = legs[place]
    entries = np.searchsorted(node[order][starts], np.arange(n_nodes + 1)).astype(np.int64)
    return order, starts, entries


def _held(
    walk: w.Walk, tape: Tape, node: Ints, has_own: Flags, watch_row: Ints, price: Floats, haircut: Floats
) -> tuple[Ints, Ints, Floats, Held]:
    """Sinks between interest dates, and sales: shares of what a node ends with."""
    found = np.flatnonzero(walk.extra_ints[:, w.E_KIND] != w.DRAW)
    ints = walk.extra_ints[found]
    loan = ints[:, w.E_LOAN]
    after = np.where(ints[:, w.E_LEG] >= 0, node[np.maximum(ints[:, w.E_LEG], 0)] if node.size else 0, 0)
    # loans with nodes of their own may start with capitalised interest, so they stand alone
    alone = np.where(has_own[loan], loan + 1, 0)
    place, starts = _grouped([after, ints[:, w.E_BUCKET], watch_row[loan] + 1, alone])
    found, ints, loan, after = found[place], ints[place], loan[place], after[place]
    floats = walk.extra_floats[found]
    sold = ints[:, w.E_KIND] == w.SALE
    own, empty = has_own[loan], tape.par[loan] == 0.0
    unit = np.where(empty, np.where(ints[:, w.E_LEG] < 0, 0.0, 1.0), tape.par[loan])
    amount = np.where(own, unit * floats[:, w.E_SHARE], floats[:, w.E_AMOUNT])
    weights = np.stack([
        np.where(sold, 0.0, amount),
        np.where(sold, amount, 0.0),
        np.where(sold, amount * tape.sale_price[loan], 0.0),
        amount * price[loan],
        amount * np.where(own, tape.haircut[loan], haircut[loan]),
        np.where(own, amount * (tape.pik_haircut[loan] - tape.haircut[loan]), 0.0),
    ], axis=1)  # fmt: skip
    leaving = Held(
        node=after[starts],
        bucket=ints[starts, w.E_BUCKET],
        watched=watch_row[loan[starts]],
        weight=_sums(weights, starts),
        first=tape.pik_part[loan[starts]],
    )
    return found, starts, amount, leaving


def _draws(
    walk: w.Walk, tape: Tape, twin: Ints, has_own: Flags, watch_row: Ints, price: Floats, haircut: Floats
) -> Draws:
    found = np.flatnonzero(walk.extra_ints[:, w.E_KIND] == w.DRAW)
    ints = walk.extra_ints[found]
    loan = ints[:, w.E_LOAN]
    amount = walk.extra_floats[found, w.E_AMOUNT]
    # what is drawn has no capitalised interest in it yet, where that is followed
    share = np.where(has_own[loan], tape.haircut[loan], haircut[loan])
    return Draws(
        node=twin[ints[:, w.E_LEG]],
        bucket=ints[:, w.E_BUCKET].copy(),
        watched=watch_row[loan],
        weight=np.stack([amount, amount * price[loan], amount * share], axis=1),
    )


def _own(
    walk: w.Walk,
    tape: Tape,
    own: Ints,
    node: Ints,
    twin: Ints,
    keys: tuple[Ints, Ints, Ints],
    watch_row: Ints,
    price: Floats,
) -> Own:
    """The own nodes, in the order of loans and steps. A loan without par has a unit of money, and starts empty."""
    ints, floats = walk.ints[own], walk.floats[own]
    loan = ints[:, w.LOAN]
    empty = tape.par[loan] == 0.0
    unit = np.where(empty, 1.0, tape.par[loan])
    starts = ints[:, w.STEP] == 0
    cdr, cpr, loss = keys
    own_ints = np.empty((own.size, ar.N_OWN_INTS), dtype=np.int64)
    own_ints[:, ar.OWN_PARENT] = np.where(starts, 0, node[own] - 1)
    own_ints[:, ar.OWN_CDR], own_ints[:, ar.OWN_CPR], own_ints[:, ar.OWN_LOSS] = cdr[own], cpr[own], loss[own]
    own_ints[:, ar.OWN_SEEN], own_ints[:, ar.OWN_PAY] = ints[:, w.SEEN], ints[:, w.PAY]
    own_ints[:, ar.OWN_RECOVERY], own_ints[:, ar.OWN_KEPT] = ints[:, w.RECOVERY], ints[:, w.KEPT]
    own_ints[:, ar.OWN_WATCHED] = watch_row[loan]
    own_ints[:, ar.OWN_TWIN] = twin[own]
    own_ints[:, ar.OWN_ABSOLUTE] = tape.vector_absolute[tape.cdr[loan]]
    own_floats = np.empty((own.size, ar.N_OWN_FLOATS))
    own_floats[:, ar.OWN_UNIT] = unit
    own_floats[:, ar.OWN_KEEP] = np.where(starts & empty, 0.0, floats[:, w.KEEP])
    own_floats[:, ar.OWN_REPAID] = floats[:, w.REPAID]
    own_floats[:, ar.OWN_DRAWN] = floats[:, w.DRAWN] / unit
    own_floats[:, ar.OWN_FEE] = floats[:, w.FEE] / unit
    own_floats[:, ar.OWN_PRICE] = price[loan]
    own_floats[:, ar.OWN_HAIRCUT] = tape.haircut[loan]
    own_floats[:, ar.OWN_MORE] = tape.pik_haircut[loan] - tape.haircut[loan]
    own_floats[:, ar.OWN_FIRST] = tape.pik_part[loan]
    return Own(own_ints, own_floats)


def _fixed(
    walk: w.Walk, tape: Tape, chosen: Ints, n_ends: int, price: Floats, haircut: Floats
) -> tuple[Floats, Floats, Floats]:
    """Flows of loans that are due at once or in default, and the opening balances of the watched."""
    flows = np.zeros((n_ends + 1, col.N_FLOWS))
    start = np.where(tape.defaulted, 0.0, tape.par)[chosen]
    changes = np.zeros((n_ends, chosen.size))
    row_of = {int(i): row for row, i in enumerate(chosen)}
    for i, bucket, _ in walk.fixed.tolist():
        par = tape.par[i]
        if tape.defaulted[i]:
            flows[bucket, col.RECOVERIES] += par * tape.mark[i]
            flows[bucket, col.LOSS] += par - par * tape.mark[i]
        else:
            flows[bucket, col.SCHEDULED] += par
            flows[bucket, col.MARKED] -= par * price[i]
            flows[bucket, col.HAIRCUT] -= par * haircut[i]
            if i in row_of and bucket < n_ends:
                changes[bucket, row_of[i]] -= par
    return flows, start, changes
