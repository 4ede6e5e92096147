"""Cash flows of a pool under many scenarios at once: one lane a scenario, contiguous in memory.

Each lane is computed by the same operations in the same order whatever stands beside it, so a scenario has the same
bits alone, in any lane and in any number of lanes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.jit import kernel
from engine.loans import arrays as ar
from engine.loans import columns as col
from engine.loans import coupons as c
from engine.loans.arrays import Draws, Entries, Held, Keys, Own, Tree
from engine.loans.coupons import Loaded

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def collect(loaded: Loaded, rates: Floats, flows: Floats, watched: Floats) -> None:
    """Flows of the pool in each scenario.

    rates    float64[n_rows, n_steps, W]  vectors of the tape, resolved for each lane (`vectors.rates_for`)
    flows    float64[n_ends+1, N_FLOWS, W] (out)  the last row: after the last end
    watched  float64[n_ends, n_watched, W] (out)  performing balance of each watched loan at each end
    """
    lanes = loaded.lanes
    for b in range(flows.shape[0]):
        for column in range(flows.shape[1]):
            for lane in range(flows.shape[2]):
                flows[b, column, lane] = lanes.fixed[b, column]
    for b in range(watched.shape[0]):
        for place in range(watched.shape[1]):
            for lane in range(watched.shape[2]):
                watched[b, place, lane] = lanes.watch_fixed[b, place]
    left, pik, chance = run_nodes(loaded, rates, flows, watched)
    _held(lanes.held, loaded.held_interest, lanes.tree.parent.shape[0], left, pik, flows, watched)
    _draws(lanes.draws, lanes.tree, chance, left, flows, watched)
    for b in range(flows.shape[0]):
        _mark(flows[b], lanes.usual_price)
    for place in range(watched.shape[1]):
        for lane in range(watched.shape[2]):
            balance = lanes.watch_start[place]
            for b in range(watched.shape[0]):
                balance += watched[b, place, lane]
                watched[b, place, lane] = balance


@kernel
def run_nodes(loaded: Loaded, rates: Floats, flows: Floats, watched: Floats) -> tuple[Floats, Floats, Floats]:
    """Runs all nodes and adds what their legs pay to `flows` and `watched`.

    Returns what is left at each node, float64[n_nodes, W] (own nodes: of one unit), the capitalised share of it at the
    own nodes, float64[n_own, W], and the chances of the distinct keys.
    """
    lanes = loaded.lanes
    width = rates.shape[2]
    chance = np.empty((lanes.keys.row.shape[0], width))
    period_rates(lanes.keys, rates, chance)
    kept = kept_shares(lanes.keys, rates)
    left = np.empty((lanes.tree.parent.shape[0] + lanes.own.ints.shape[0], width))
    pik = np.empty((lanes.own.ints.shape[0], width))
    for lane in range(width):
        left[0, lane] = 1.0
    _shared(lanes.tree, lanes.entries, loaded.entry_interest, chance, kept, left, flows, watched)
    _own(lanes.own, loaded.own_interest, lanes.tree, chance, kept, left, pik, flows, watched)
    return left, pik, chance


@kernel
def kept_shares(keys: Keys, rates: Floats) -> Floats:
    """float64[n_losses, W]: what is recovered of a default, for each distinct severity."""
    kept = np.empty((keys.loss_row.shape[0], rates.shape[2]))
    for key in range(kept.shape[0]):
        for lane in range(kept.shape[1]):
            kept[key, lane] = 1.0 - rates[keys.loss_row[key], keys.loss_entry[key], lane]
    return kept


@kernel
def period_rates(keys: Keys, rates: Floats, chance: Floats) -> None:
    """chance float64[n_keys, W] (out): probability of each distinct period, 1 - (1-r)^(days360/360) over the entries
    of its vector; for absolute timings, the share of the opening balance.
    """
    # a power is a logarithm, which the periods of one rate share, and an exponential
    decay = np.zeros(rates.shape)
    used = np.zeros(rates.shape[0], dtype=np.bool_)
    for key in range(chance.shape[0]):
        used[keys.row[key]] = True
    for row in range(rates.shape[0]):
        if used[row] and not keys.absolute[row]:
            for entry in range(keys.size[row]):
                for lane in range(rates.shape[2]):
                    decay[row, entry, lane] = np.log(1.0 - min(max(rates[row, entry, lane], 0.0), 1.0))
    for key in range(chance.shape[0]):
        row, days = keys.row[key], keys.days[key]
        last, length = keys.size[row] - 1, 30 * keys.step[row]
        absolute = keys.absolute[row]
        for lane in range(chance.shape[1]):
            entry, part, rest = keys.entry[key], keys.first[key], days
            total = 0.0
            while True:
                if absolute:
                    total += rates[row, entry, lane] * (part / length if length > 0 else 1.0)
                elif part > 0:
                    total += part / 360.0 * decay[row, entry, lane]
                rest -= part
                if rest <= 0:
                    break
                entry = min(entry + 1, last)
                part = rest if entry == last else min(length, rest)
            chance[key, lane] = min(total, 1.0) if absolute else 1.0 - np.exp(total)


@kernel
def _add(target: Floats, weight: float, amount: Floats) -> None:
    for lane in range(target.shape[0]):
        target[lane] += weight * amount[lane]


@kernel
def _shared(
    tree: Tree,
    entries: Entries,
    interest: Floats,
    chance: Floats,
    kept: Floats,
    left: Floats,
    flows: Floats,
    watched: Floats,
) -> None:
    width = left.shape[1]
    default, live, prepaid, claim = np.empty(width), np.empty(width), np.empty(width), np.empty(width)
    n_ends = watched.shape[0]
    for node in range(1, tree.parent.shape[0]):
        survived, defaulting = left[tree.parent[node]], chance[tree.cdr[node]]
        prepaying, worth, end = chance[tree.cpr[node]], kept[tree.loss[node]], left[node]
        for lane in range(width):
            gone = survived[lane] * defaulting[lane]
            stays = survived[lane] - gone
            early = stays * prepaying[lane]
            default[lane], live[lane], prepaid[lane] = gone, stays, early
            claim[lane] = gone * worth[lane]
            end[lane] = stays - early
        for e in range(entries.of_node[node], entries.of_node[node + 1]):
            seen, pay, recovery = flows[entries.seen[e]], flows[entries.pay[e]], flows[entries.recovery[e]]
            earned, weight = interest[e], entries.weight[e]
            defaulted, scheduled, unscheduled = weight[0], weight[1], weight[2]
            for lane in range(width):
                seen[col.DEFAULTED, lane] += defaulted * default[lane]
                seen[col.CLAIM, lane] += defaulted * claim[lane]
                pay[col.INTEREST, lane] += earned * live[lane]
                pay[col.SCHEDULED, lane] += scheduled * live[lane]
                pay[col.UNSCHEDULED, lane] += unscheduled * prepaid[lane]
            if entries.kept[e] == 1:
                for lane in range(width):
                    recovery[col.RECOVERIES, lane] += defaulted * claim[lane]
                    recovery[col.LOSS, lane] += defaulted * (default[lane] - claim[lane])
            else:
                _add(recovery[col.LOSS], defaulted, default)
            if entries.has_marks:
                _reduce(seen[col.MARKED], pay[col.MARKED], weight[3:6], default, live, prepaid)
            if entries.has_haircut:
                _reduce(seen[col.HAIRCUT], pay[col.HAIRCUT], weight[6:9], default, live, prepaid)
            place = entries.watched[e]
            if place >= 0:
                if entries.seen[e] < n_ends:
                    _add(watched[entries.seen[e], place], -defaulted, default)
                if entries.pay[e] < n_ends:
                    _add(watched[entries.pay[e], place], -scheduled, live)
                    _add(watched[entries.pay[e], place], -unscheduled, prepaid)


@kernel
def _reduce(seen: Floats, pay: Floats, weight: Floats, default: Floats, live: Floats, prepaid: Floats) -> None:
    defaulted, scheduled, unscheduled = weight[0], weight[1], weight[2]
    for lane in range(default.shape[0]):
        seen[lane] -= defaulted * default[lane]
        pay[lane] -= scheduled * live[lane] + unscheduled * prepaid[lane]


@kernel
def _own(
    own: Own,
    interest: Floats,
    tree: Tree,
    chance: Floats,
    kept: Floats,
    left: Floats,
    pik: Floats,
    flows: Floats,
    watched: Floats,
) -> None:
    """The loans with nodes of their own: the balance a unit goes from node to node, and `pik` float64[n_own, W] (out)
    is the share of it that is capitalised interest."""
    n_shared = tree.parent.shape[0]
    n_ends = watched.shape[0]
    for o in range(own.ints.shape[0]):
        ints, floats, earned = own.ints[o], own.floats[o], interest[o]
        before, unit, price = ints[ar.OWN_PARENT], floats[ar.OWN_UNIT], floats[ar.OWN_PRICE]
        share, more = floats[ar.OWN_HAIRCUT], floats[ar.OWN_MORE]
        twin = ints[ar.OWN_TWIN]
        seen, pay, recovery = flows[ints[ar.OWN_SEEN]], flows[ints[ar.OWN_PAY]], flows[ints[ar.OWN_RECOVERY]]
        for lane in range(left.shape[1]):
            balance = left[before, lane] * floats[ar.OWN_KEEP]
            added = floats[ar.OWN_FIRST] if before == 0 else pik[before - n_shared, lane]
            q = chance[ints[ar.OWN_CDR], lane]
            default = min(balance, q) if ints[ar.OWN_ABSOLUTE] == 1 else balance * q
            live = balance - default
            standing = 0.0  # what is left of a commitment
            if twin > 0:
                standing = left[tree.parent[twin], lane] * (1.0 - chance[tree.cdr[twin], lane])
            drawn = floats[ar.OWN_DRAWN] * standing
            held = live + drawn
            scheduled = held * floats[ar.OWN_REPAID]
            prepaid = (held - scheduled) * chance[ints[ar.OWN_CPR], lane]
            capital = live * earned[c.ADDED] + drawn * earned[c.ADDED_ON_DRAWN]
            end = held - scheduled - prepaid
            left[n_shared + o, lane] = end + capital
            claim = default * kept[ints[ar.OWN_LOSS], lane]
            mixed = live * added / held if held > 0.0 else 0.0  # capitalised share once something is drawn
            total = end + capital
            pik[o, lane] = (end * mixed + capital) / total if total > 0.0 else 0.0
            paid = live * earned[c.PAID] + drawn * earned[c.PAID_ON_DRAWN] + floats[ar.OWN_FEE] * standing
            gone = scheduled + prepaid
            seen[col.DEFAULTED, lane] += unit * default
            seen[col.CLAIM, lane] += unit * claim
            if ints[ar.OWN_KEPT] == 1:
                recovery[col.RECOVERIES, lane] += unit * claim
                recovery[col.LOSS, lane] += unit * (default - claim)
            else:
                recovery[col.LOSS, lane] += unit * default
            pay[col.INTEREST, lane] += unit * paid
            pay[col.SCHEDULED, lane] += unit * scheduled
            pay[col.UNSCHEDULED, lane] += unit * prepaid
            pay[col.CAPITALISED, lane] += unit * capital
            seen[col.MARKED, lane] -= unit * price * default
            pay[col.MARKED, lane] -= unit * price * (gone - capital)
            seen[col.HAIRCUT, lane] -= unit * (share + more * added) * default
            pay[col.HAIRCUT, lane] += unit * ((share + more) * capital - (share + more * mixed) * gone)
            place = ints[ar.OWN_WATCHED]
            if place >= 0:
                if ints[ar.OWN_SEEN] < n_ends:
                    watched[ints[ar.OWN_SEEN], place, lane] -= unit * default
                if ints[ar.OWN_PAY] < n_ends:
                    watched[ints[ar.OWN_PAY], place, lane] -= unit * (gone - capital)


@kernel
def _held(
    held: Held,
    interest: Floats,
    n_shared: int,
    left: Floats,
    pik: Floats,
    flows: Floats,
    watched: Floats,
) -> None:
    """What leaves between interest dates: sinks off the cycle, and sales."""
    for e in range(held.node.shape[0]):
        node, bucket, weight = held.node[e], held.bucket[e], held.weight[e]
        row, balance = flows[bucket], left[node]
        _add(row[col.INTEREST], interest[e], balance)
        _add(row[col.SCHEDULED], weight[0], balance)
        _add(row[col.SOLD], weight[1], balance)
        _add(row[col.PROCEEDS], weight[2], balance)
        _add(row[col.MARKED], -weight[3], balance)
        _add(row[col.HAIRCUT], -weight[4], balance)
        if weight[5] != 0.0:
            for lane in range(balance.shape[0]):
                share = held.first[e] if node == 0 else pik[node - n_shared, lane]
                row[col.HAIRCUT, lane] -= weight[5] * share * balance[lane]
        place = held.watched[e]
        if place >= 0 and bucket < watched.shape[0]:
            _add(watched[bucket, place], -(weight[0] + weight[1]), balance)


@kernel
def _mark(row: Floats, usual: float) -> None:
    """The change of the whole performing balance at the usual price; what loans have beside it is there already."""
    for lane in range(row.shape[1]):
        change = row[col.CAPITALISED, lane] + row[col.DRAWN, lane] - row[col.DEFAULTED, lane]
        change -= row[col.SCHEDULED, lane] + row[col.UNSCHEDULED, lane] + row[col.SOLD, lane]
        row[col.MARKED, lane] += usual * change


@kernel
def _draws(draws: Draws, tree: Tree, chance: Floats, left: Floats, flows: Floats, watched: Floats) -> None:
    """What is drawn of commitments still standing."""
    live = np.empty(left.shape[1])
    for e in range(draws.node.shape[0]):
        node, bucket, weight = draws.node[e], draws.bucket[e], draws.weight[e]
        survived, defaulting = left[tree.parent[node]], chance[tree.cdr[node]]
        for lane in range(live.shape[0]):
            live[lane] = survived[lane] - survived[lane] * defaulting[lane]
        row = flows[bucket]
        _add(row[col.DRAWN], weight[0], live)
        _add(row[col.MARKED], weight[1], live)
        _add(row[col.HAIRCUT], weight[2], live)
        place = draws.watched[e]
        if place >= 0 and bucket < watched.shape[0]:
            _add(watched[bucket, place], weight[0], live)
