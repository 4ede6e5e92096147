"""What small trades do to every row of a layout: base sums plus the trade, the rest reckoned again where it is touched.

A candidate has up to n_legs places with a change of par each (-1: no leg) and a change of cash. Figures come out as
numerators and denominators, in the order of the layout's rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from engine.jit import kernel
from engine.trades.layout import Layout

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROUNDING = 1e-12
"""Relative size of what a difference of sums leaves of nothing."""


@kernel
def reckon_candidates(
    lay: Layout, par: Floats, cash: float, places: Ints, deltas: Floats, flows: Floats, tops: Floats, belows: Floats
) -> None:
    """par float64[n] base (used as a work space, restored); places int64[C, n_legs], deltas float64[C, n_legs]; flows
    float64[C] change of cash; tops, belows  float64[C, n_rows] (out). No place stands twice in a candidate."""
    base = 0.0
    for i in range(par.shape[0]):
        base += lay.weights[i] * par[i]
    before = np.empty(places.shape[1])
    codes = np.empty(places.shape[1], dtype=np.int64)
    buffer = np.empty(places.shape[1])
    units = np.empty(max(1, lay.div_k.max() if lay.div_k.shape[0] else 1))
    for c in range(places.shape[0]):
        performing = base
        for j in range(places.shape[1]):
            p = places[c, j]
            if p >= 0:
                before[j] = par[p]
                par[p] += deltas[c, j]
                performing += lay.weights[p] * deltas[c, j]
        after = cash + flows[c]
        amount = performing + after
        _linear(lay, places[c], deltas[c], flows[c], tops[c], belows[c])
        _ranked(lay, places[c], deltas[c], amount, buffer, codes, tops[c], belows[c])
        at = lay.base_top.shape[0] + lay.ranked_k.shape[0]
        for r in range(lay.amount.shape[0]):
            total = lay.amount_base[r]
            for j in range(places.shape[1]):
                p = places[c, j]
                if p >= 0:
                    total += lay.amount[r, p] * ((1.0 if par[p] != 0.0 else 0.0) - (1.0 if before[j] != 0.0 else 0.0))
            tops[c, at], belows[c, at] = total, amount
            at += 1
        for r in range(lay.deviated.shape[0]):
            tops[c, at], belows[c, at] = _deviation(lay.deviated[r], lay.deviates[r], par)
            at += 1
        for r in range(lay.grouped.shape[0]):
            tops[c, at], belows[c, at] = _effective(lay, r, places[c], deltas[c], codes)
            at += 1
        for r in range(lay.excess_beyond.shape[0]):
            tops[c, at], belows[c, at] = _excess(lay, r, par, amount), amount
            at += 1
        for r in range(lay.div_k.shape[0]):
            tops[c, at] = _diversity(lay, r, places[c], deltas[c], before, par, codes, units)
            belows[c, at] = 1.0
            at += 1
        for j in range(places.shape[1]):
            if places[c, j] >= 0:
                par[places[c, j]] = before[j]


@kernel
def _linear(lay: Layout, places: Ints, deltas: Floats, flow: float, tops: Floats, belows: Floats) -> None:
    count = lay.base_top.shape[0]
    for r in range(count):
        tops[r] = lay.base_top[r] + lay.top_cash[r] * flow
        belows[r] = lay.base_below[r] + lay.below_cash[r] * flow
    for j in range(places.shape[0]):
        p = places[j]
        if p >= 0:
            for r in range(count):
                tops[r] += lay.tops[p, r] * deltas[j]
                belows[r] += lay.belows[p, r] * deltas[j]
    for r in range(count):
        if abs(tops[r]) <= _ROUNDING * abs(lay.base_top[r]):
            tops[r] = 0.0
        if abs(belows[r]) <= _ROUNDING * abs(lay.base_below[r]):
            belows[r] = 0.0


@kernel
def _touched(keys: Ints, places: Ints, codes: Ints) -> int:
    """The distinct keys of the legs, into `codes`; how many."""
    count = 0
    for j in range(places.shape[0]):
        if places[j] < 0 or keys[places[j]] < 0:
            continue
        key = keys[places[j]]
        if not _is_in(key, codes, count):
            codes[count] = key
            count += 1
    return count


@kernel
def _is_in(key: int, codes: Ints, count: int) -> bool:
    found = False
    for i in range(count):
        found |= codes[i] == key
    return found


@kernel
def _total(keys: Ints, key: int, base: float, places: Ints, deltas: Floats) -> float:
    """Par of a key after the trade."""
    total = base
    for j in range(places.shape[0]):
        if places[j] >= 0 and keys[places[j]] == key:
            total += deltas[j]
    return 0.0 if abs(total) <= _ROUNDING * abs(base) else total


@kernel
def _ranked(
    lay: Layout, places: Ints, deltas: Floats, amount: float, buffer: Floats, codes: Ints, tops: Floats, belows: Floats
) -> None:
    """The k-th largest, or the k largest together, of every such row; rows in one call, as a call passes the layout."""
    legs = places.shape[0]
    first = lay.base_top.shape[0]
    for r in range(lay.ranked_k.shape[0]):
        tops[first + r], belows[first + r] = lay.ranked_base[r], amount
        touched = 0
        for j in range(legs):
            if places[j] >= 0 and lay.ranked_code[places[j], r] >= 0:
                key = lay.ranked_code[places[j], r]
                if not _is_in(key, codes, touched):
                    codes[touched] = key
                    touched += 1
        begin, end = lay.ranked_at[r], lay.ranked_at[r + 1]
        summed = lay.ranked_sum[r] != 0
        if touched == 0 or (end - begin < lay.ranked_k[r] and not summed):
            continue
        for i in range(touched):  # the touched keys, largest first
            own = base = lay.ranked_total[begin + codes[i]]
            for j in range(legs):
                if places[j] >= 0 and lay.ranked_code[places[j], r] == codes[i]:
                    own += deltas[j]
            if abs(own) <= _ROUNDING * abs(base):
                own = 0.0
            at = i
            while at > 0 and buffer[at - 1] < own:
                buffer[at] = buffer[at - 1]
                at -= 1
            buffer[at] = own
        found, total = 0.0, 0.0
        mine, other = 0, begin
        for _ in range(min(lay.ranked_k[r], end - begin)):  # merged with the keys that the trade leaves alone
            while other < end and _is_in(lay.ranked_order[other], codes, touched):
                other += 1
            ahead = lay.ranked_total[begin + lay.ranked_order[other]] if other < end else -np.inf
            if mine < touched and buffer[mine] >= ahead:
                found = buffer[mine]
                mine += 1
            else:
                found = ahead
                other += 1
            total += found
        tops[first + r] = total if summed else found


@kernel
def _deviation(values: Floats, counts: Floats, par: Floats) -> tuple[float, float]:
    total, sum_ = 0.0, 0.0
    for i in range(par.shape[0]):
        total += counts[i] * par[i]
        sum_ += counts[i] * par[i] * values[i]
    mean = sum_ / total if total > 0.0 else 0.0
    away = 0.0
    for i in range(par.shape[0]):
        away += counts[i] * par[i] * abs(values[i] - mean)
    return away, total


@kernel
def _effective(lay: Layout, r: int, places: Ints, deltas: Floats, codes: Ints) -> tuple[float, float]:
    """(sum squared, sum of squares)."""
    keys = lay.grouped[r]
    touched = _touched(keys, places, codes)
    total, squares = 0.0, 0.0
    begin = lay.group_at[r]
    for i in range(begin, lay.group_at[r + 1]):
        own = lay.group_total[i]
        for m in range(touched):
            if codes[m] == i - begin:
                own = _total(keys, codes[m], own, places, deltas)
        total += own
        squares += own * own
    return total * total, squares


@kernel
def _excess(lay: Layout, r: int, par: Floats, amount: float) -> float:
    begin, end = lay.excess_at[r], lay.excess_at[r + 1]
    held = 0.0
    for i in range(begin, end):
        held += par[lay.excess_place[i]]
    room = max(held - lay.excess_beyond[r] * max(amount, 0.0), 0.0)
    haircut, passed = 0.0, 0.0
    for i in range(begin, end):
        own = par[lay.excess_place[i]]
        haircut += min(max(room - passed, 0.0), own) * lay.excess_loss[i]
        passed += own
    return haircut


@kernel
def _industry(lay: Layout, r: int, at: int, par: Floats) -> int:
    """The industry of an obligor (its place among the starts of members): of its first or of its largest position."""
    chosen, most = -1, 0.0
    for i in range(lay.div_member_at[at], lay.div_member_at[at + 1]):
        p = lay.div_member[i]
        if par[p] == 0.0:
            continue
        industry = lay.div_industry[r, p]
        if lay.div_largest == 0:
            return industry
        own = 0.0
        for m in range(lay.div_member_at[at], lay.div_member_at[at + 1]):
            if lay.div_industry[r, lay.div_member[m]] == industry:
                own += par[lay.div_member[m]]
        if own > most or (own == most and industry < chosen):
            chosen, most = industry, own
    return max(chosen, 0)


@kernel
def _diversity(
    lay: Layout, r: int, places: Ints, deltas: Floats, before: Floats, par: Floats, codes: Ints, units: Floats
) -> float:
    """Moody's diversity score. The average par changes with every trade, so every obligor's unit is reckoned again."""
    keys = lay.div_obligor[r]
    touched = _touched(keys, places, codes)
    begin, end = lay.div_at[r], lay.div_at[r + 1]
    whole, obligors = lay.div_whole[r], lay.div_held[r]
    for m in range(touched):
        base = lay.div_total[begin + codes[m]]
        whole += _total(keys, codes[m], base, places, deltas) - base
        lots = lay.div_count[begin + codes[m]]
        was = lots > 0
        for j in range(places.shape[0]):
            p = places[j]
            if p >= 0 and keys[p] == codes[m]:
                lots += (1 if par[p] != 0.0 else 0) - (1 if before[j] != 0.0 else 0)
        obligors += (1 if lots > 0 else 0) - (1 if was else 0)
    mean = whole / obligors if obligors > 0 else 0.0
    if mean <= 0.0:
        return 0.0
    units[:] = 0.0
    for i in range(begin, end):
        own, industry = lay.div_total[i], lay.div_of[i]
        for m in range(touched):
            if codes[m] == i - begin:
                own = _total(keys, codes[m], own, places, deltas)
                industry = _industry(lay, r, i + r, par)  # each score has one more start than obligors
        if own != 0.0:
            units[industry] += min(1.0, own / mean)
    score = 0.0
    for i in range(lay.div_k[r]):
        score += _points(units[i], lay.div_mode)
    return score


@kernel
def _points(units: float, mode: int) -> float:
    """Diversity points of an industry: the table of engine.compliance.diversity."""
    if mode == 1:
        units = np.floor(units * 10.0 + 0.5 + 1e-9) / 10.0
    elif mode == 0:
        units = np.rint(units * 10.0) / 10.0
    if units <= 1.0:
        points = max(units, 0.0)
    elif units <= 3.0:
        points = 1.0 + (units - 1.0) / 2.0
    elif units <= 6.0:
        points = 2.0 + (units - 3.0) / 3.0
    elif units <= 10.0:
        points = 3.0 + (units - 6.0) / 4.0
    else:
        points = min(4.0 + (units - 10.0) / 10.0, 5.0)
    return points if mode == 2 else np.rint(points * 10000.0) / 10000.0
