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
    starts = _runs(lanes.keys, rates)
    some = np.ascontiguousarray(rates[:, :, starts[:-1]])
    n_runs = some.shape[2]
    few = np.empty((flows.shape[0], flows.shape[1], n_runs))
    seen = np.empty((watched.shape[0], watched.shape[1], n_runs))
    for b in range(few.shape[0]):
        for column in range(few.shape[1]):
            few[b, column] = lanes.fixed[b, column]
    for b in range(seen.shape[0]):
        for place in range(seen.shape[1]):
            seen[b, place] = lanes.watch_fixed[b, place]
    n_losses = lanes.keys.loss_row.shape[0]
    claimed, resolved = np.zeros((few.shape[0], n_losses, n_runs)), np.zeros((few.shape[0], n_losses, n_runs))
    left, pik, chance = run_nodes(loaded, some, few, seen, claimed, resolved)
    _held(lanes.held, loaded.held_interest, lanes.tree.parent.shape[0], left, pik, few, seen)
    _draws(lanes.draws, lanes.tree, chance, left, few, seen)
    for b in range(few.shape[0]):
        _mark(few[b], lanes.usual_price)
    for place in range(seen.shape[1]):
        for run in range(n_runs):
            balance = lanes.watch_start[place]
            for b in range(seen.shape[0]):
                balance += seen[b, place, run]
                seen[b, place, run] = balance
    _spread(starts, few, flows)
    _spread(starts, seen, watched)
    _lose(starts, kept_shares(lanes.keys, rates), claimed, resolved, flows)


@kernel
def _runs(keys: Keys, rates: Floats) -> Ints:
    """int64[n_runs+1]: where runs of lanes begin that have the same default and prepayment rates.

    Losses are a share of what defaults, so lanes that differ in severity alone have everything else in common.
    """
    used = np.zeros(rates.shape[0], dtype=np.bool_)
    for key in range(keys.row.shape[0]):
        used[keys.row[key]] = True
    starts = np.empty(rates.shape[2] + 1, dtype=np.int64)
    found = 0
    for lane in range(rates.shape[2]):
        same = lane > 0
        for row in range(rates.shape[0]):
            if used[row]:
                for entry in range(rates.shape[1]):
                    same = same and rates[row, entry, lane] == rates[row, entry, lane - 1]
        if not same:
            starts[found] = lane
            found += 1
    starts[found] = rates.shape[2]
    return starts[: found + 1]


@kernel
def _spread(starts: Ints, few: Floats, whole: Floats) -> None:
    """Figures of runs, float64[n, m, n_runs], to those of their lanes, float64[n, m, W] (out)."""
    for i in range(few.shape[0]):
        for j in range(few.shape[1]):
            for run in range(few.shape[2]):
                value = few[i, j, run]
                for lane in range(starts[run], starts[run + 1]):
                    whole[i, j, lane] = value


@kernel
def _lose(starts: Ints, kept: Floats, claimed: Floats, resolved: Floats, flows: Floats) -> None:
    """Adds claims, recoveries and losses of what defaulted (`run_nodes`) to the flows of each lane."""
    for b in range(claimed.shape[0]):
        row = flows[b]
        for key in range(claimed.shape[1]):
            for run in range(claimed.shape[2]):
                gone, due = claimed[b, key, run], resolved[b, key, run]
                for lane in range(starts[run], starts[run + 1]):
                    share = kept[key, lane]
                    row[col.CLAIM, lane] += share * gone
                    row[col.RECOVERIES, lane] += share * due
                    row[col.LOSS, lane] += (1.0 - share) * due


@kernel
def run_nodes(
    loaded: Loaded, rates: Floats, flows: Floats, watched: Floats, claimed: Floats, resolved: Floats
) -> tuple[Floats, Floats, Floats]:
    """Runs all nodes and adds what their legs pay to `flows` and `watched`.

    claimed, resolved  float64[n_ends+1, n_losses, W] (out): by severity, what defaults and what of it ends with a
                       recovery in the period; claims, recoveries and the losses of those are shares of it (`_lose`)
    Returns what is left at each node, float64[n_nodes, W] (own nodes: of one unit), the capitalised share of it at the
    own nodes, float64[n_own, W], and the chances of the distinct keys.
    """
    lanes = loaded.lanes
    width = rates.shape[2]
    chance = np.empty((lanes.keys.row.shape[0], width))
    period_rates(lanes.keys, rates, chance)
    left = np.empty((lanes.tree.parent.shape[0] + lanes.own.ints.shape[0], width))
    pik = np.empty((lanes.own.ints.shape[0], width))
    for lane in range(width):
        left[0, lane] = 1.0
    _shared(lanes.tree, lanes.entries, loaded.entry_interest, chance, left, flows, watched, claimed, resolved)
    _own(lanes.own, loaded.own_interest, lanes.tree, chance, left, pik, flows, watched, claimed, resolved)
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
    left: Floats,
    flows: Floats,
    watched: Floats,
    claimed: Floats,
    resolved: Floats,
) -> None:
    width = left.shape[1]
    default, live, prepaid = np.empty(width), np.empty(width), np.empty(width)
    n_ends = watched.shape[0]
    for node in range(1, tree.parent.shape[0]):
        survived, defaulting = left[tree.parent[node]], chance[tree.cdr[node]]
        prepaying, loss, end = chance[tree.cpr[node]], tree.loss[node], left[node]
        for lane in range(width):
            gone = survived[lane] * defaulting[lane]
            stays = survived[lane] - gone
            early = stays * prepaying[lane]
            default[lane], live[lane], prepaid[lane] = gone, stays, early
            end[lane] = stays - early
        for e in range(entries.of_node[node], entries.of_node[node + 1]):
            seen, pay, recovery = flows[entries.seen[e]], flows[entries.pay[e]], entries.recovery[e]
            earned, weight = interest[e], entries.weight[e]
            defaulted, scheduled, unscheduled = weight[0], weight[1], weight[2]
            claims = claimed[entries.seen[e], loss]
            for lane in range(width):
                gone = defaulted * default[lane]
                seen[col.DEFAULTED, lane] += gone
                claims[lane] += gone
                pay[col.INTEREST, lane] += earned * live[lane]
                pay[col.SCHEDULED, lane] += scheduled * live[lane]
                pay[col.UNSCHEDULED, lane] += unscheduled * prepaid[lane]
            if entries.kept[e] == 1:
                _add(resolved[recovery, loss], defaulted, default)
            else:
                _add(flows[recovery, col.LOSS], defaulted, default)
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
    left: Floats,
    pik: Floats,
    flows: Floats,
    watched: Floats,
    claimed: Floats,
    resolved: Floats,
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
        seen, pay, recovery = flows[ints[ar.OWN_SEEN]], flows[ints[ar.OWN_PAY]], ints[ar.OWN_RECOVERY]
        claims = claimed[ints[ar.OWN_SEEN], ints[ar.OWN_LOSS]]
        ends = resolved[recovery, ints[ar.OWN_LOSS]] if ints[ar.OWN_KEPT] == 1 else flows[recovery, col.LOSS]
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
            mixed = live * added / held if held > 0.0 else 0.0  # capitalised share once something is drawn
            total = end + capital
            pik[o, lane] = (end * mixed + capital) / total if total > 0.0 else 0.0
            paid = live * earned[c.PAID] + drawn * earned[c.PAID_ON_DRAWN] + floats[ar.OWN_FEE] * standing
            gone = scheduled + prepaid
            seen[col.DEFAULTED, lane] += unit * default
            claims[lane] += unit * default
            ends[lane] += unit * default
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
