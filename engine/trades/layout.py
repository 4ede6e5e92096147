"""A plan's rows as flat arrays, so that one kernel can tell what any small trade does to every test.

Sums over the base pool are kept; a trade adds to them. What is no sum (largest names, diversity, excess haircuts,
dispersion) is kept as its keys and totals, and the kernel reckons it again for the keys that a trade touches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.compliance.plan import Plan
from engine.compliance.rows import Amounts, Deviation, Effective, Excess, Linear, Ranked, Row, Score
from engine.pool import Floats

Ints = NDArray[np.int64]


class Layout(NamedTuple):
    """n places of the universe; rows in the order of `tests`: linear, ranked, amounts, deviation, effective, excess,
    diversity. Ragged arrays stand one after the other; `*_at` are their starts (one more than rows).

    tops, belows      float64[n, n_linear]  coefficients of par; base_top, base_below  float64[n_linear]  their sums
    top_cash, below_cash  float64[n_linear]
    ranked_code       int64[n, n_ranked]  key of a place, -1 where it does not count
    ranked_total      float64  par of each key; ranked_order  int64  keys by par, largest first
    ranked_k, ranked_sum  int64[n_ranked]  how many, and 1 where they are added up; ranked_base  float64[n_ranked]
    amount            float64[n_amounts, n]
    deviated          float64[n_deviation, n], deviates  float64[n_deviation, n] 1 where it counts
    grouped           int64[n_effective, n] key, -1; group_total float64 ragged
    excess_place      int64 ragged, excess_loss float64 ragged, excess_beyond float64[n_excess]
    div_obligor, div_industry  int64[n_diversity, n], -1 where it does not count; div_total, div_count, div_of ragged
                      by obligor: par, positions held, industry; div_whole, div_held  par and obligors held of each
                      score;  div_k int64 industries;  div_mode  0 half even, 1 band,
                      2 interpolated; div_largest  1 where an obligor's industry is that of its largest position
    div_member        int64 ragged: places of each obligor, div_member_at int64 ragged of obligors + 1
    """

    weights: Floats
    tops: Floats
    belows: Floats
    base_top: Floats
    base_below: Floats
    top_cash: Floats
    below_cash: Floats
    ranked_code: Ints
    ranked_at: Ints
    ranked_total: Floats
    ranked_order: Ints
    ranked_k: Ints
    ranked_sum: Ints
    ranked_base: Floats
    amount: Floats
    amount_base: Floats
    deviated: Floats
    deviates: Floats
    grouped: Ints
    group_at: Ints
    group_total: Floats
    excess_at: Ints
    excess_place: Ints
    excess_loss: Floats
    excess_beyond: Floats
    div_obligor: Ints
    div_industry: Ints
    div_at: Ints
    div_total: Floats
    div_count: Ints
    div_of: Ints
    div_whole: Floats
    div_held: Ints
    div_k: Ints
    div_mode: int
    div_largest: int
    div_member: Ints
    div_member_at: Ints


class Laid(NamedTuple):
    """The layout, the tests of its rows, and rows of kinds that it does not know (reckoned by themselves)."""

    layout: Layout
    tests: tuple[int, ...]
    strange: tuple[int, ...]


_MODES = {"half_even": 0, "band": 1, "interpolated": 2}


def lay_out(plan: Plan, par: Floats, cash: float) -> Laid:
    """The rows of a plan over the base pool `par` (float64[n]) and principal cash."""
    kinds: tuple[type[Row], ...] = (Linear, Ranked, Amounts, Deviation, Effective, Excess, Score)
    by_kind = [[n for n, row in plan.rows.items() if isinstance(row, kind)] for kind in kinds]
    known = [n for numbers in by_kind for n in numbers]
    linear, ranked, amounts, deviations, effectives, excesses, scores = by_kind
    weights = plan.performing.astype(np.float64)
    made = Layout(
        weights,
        *_linear([plan.rows[n] for n in linear], par, cash),
        *_ranked([plan.rows[n] for n in ranked], par, cash),
        *_amounts([plan.rows[n] for n in amounts], par),
        *_deviations([plan.rows[n] for n in deviations], par.size),
        *_effectives([plan.rows[n] for n in effectives], par),
        *_excesses([plan.rows[n] for n in excesses]),
        *_scores([plan.rows[n] for n in scores], par, plan),
    )
    return Laid(made, tuple(known), tuple(n for n in plan.rows if n not in known))


def _starts(sizes: list[int]) -> Ints:
    return np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)


def _joined(parts: list[Any]) -> Floats:
    return np.concatenate([np.zeros(0), *parts]).astype(np.float64)


def _codes(parts: list[Any]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts]).astype(np.int64)


def _stacked(rows: list[Floats], n: int) -> Floats:
    return np.ascontiguousarray(np.array(rows, dtype=np.float64).reshape(len(rows), n))


def _stacked_codes(rows: list[Ints], n: int) -> Ints:
    return np.ascontiguousarray(np.array(rows, dtype=np.int64).reshape(len(rows), n))


def _linear(rows: list[Row], par: Floats, cash: float) -> tuple[Any, ...]:
    found = [r for r in rows if isinstance(r, Linear)]
    tops, belows = _stacked([r.top for r in found], par.size), _stacked([r.below for r in found], par.size)
    top_cash = np.array([r.top_cash for r in found], dtype=np.float64)
    below_cash = np.array([r.below_cash for r in found], dtype=np.float64)
    fixed = np.array([r.below_fixed for r in found], dtype=np.float64)
    base_top, base_below = tops @ par + top_cash * cash, belows @ par + below_cash * cash + fixed
    return np.ascontiguousarray(tops.T), np.ascontiguousarray(belows.T), base_top, base_below, top_cash, below_cash


def _ranked(rows: list[Row], par: Floats, cash: float) -> tuple[Any, ...]:
    found = [r for r in rows if isinstance(r, Ranked)]
    codes = np.full((par.size, len(found)), -1, dtype=np.int64)
    totals, orders = [], []
    for place, row in enumerate(found):
        codes[row.where, place] = row.keys
        totals.append(row.totals(par))
        orders.append(np.argsort(-totals[-1], kind="stable").astype(np.int64))
    return (
        codes,
        _starts([t.size for t in totals]),
        _joined(totals),
        _codes(orders),
        np.array([r.rank for r in found], dtype=np.int64),
        np.array([r.summed for r in found], dtype=np.int64),
        np.array([r.figure(par, cash).numerator for r in found], dtype=np.float64),
    )


def _amounts(rows: list[Row], par: Floats) -> tuple[Any, ...]:
    found = [r for r in rows if isinstance(r, Amounts)]
    columns = _stacked([r.column for r in found], par.size)
    return columns, np.asarray(columns @ (par != 0.0).astype(np.float64))


def _deviations(rows: list[Row], n: int) -> tuple[Any, ...]:
    found = [r for r in rows if isinstance(r, Deviation)]
    return _stacked([r.values for r in found], n), _stacked([r.members.astype(np.float64) for r in found], n)


def _effectives(rows: list[Row], par: Floats) -> tuple[Any, ...]:
    found = [r for r in rows if isinstance(r, Effective)]
    codes = _stacked_codes([np.where(r.members, r.codes, -1) for r in found], par.size)
    totals = [np.bincount(r.codes, weights=np.where(r.members, par, 0.0), minlength=r.count) for r in found]
    return codes, _starts([t.size for t in totals]), _joined(totals)


def _excesses(rows: list[Row]) -> tuple[Any, ...]:
    found = [r for r in rows if isinstance(r, Excess)]
    return (
        _starts([r.order.size for r in found]),
        _codes([r.order for r in found]),
        _joined([r.loss for r in found]),
        np.array([r.beyond for r in found], dtype=np.float64),
    )


def _scores(rows: list[Row], par: Floats, plan: Plan) -> tuple[Any, ...]:
    found = [r.diversity for r in rows if isinstance(r, Score)]
    n = par.size
    obligor, industry = np.full((len(found), n), -1, dtype=np.int64), np.full((len(found), n), -1, dtype=np.int64)
    totals: list[Floats] = []
    counts: list[Ints] = []
    of: list[Ints] = []
    members: list[Ints] = []
    member_at: list[Ints] = []
    for place, score in enumerate(found):
        obligor[place, score.where] = score.obligor
        industry[place, score.where] = score.industry
        held = par[score.where]
        totals.append(np.bincount(score.obligor, weights=held, minlength=score.n_obligors).astype(np.float64))
        counts.append(np.bincount(score.obligor, weights=held != 0.0, minlength=score.n_obligors).astype(np.int64))
        of.append(score.industries(held))
        order = np.argsort(score.obligor, kind="stable")
        begun = sum(m.size for m in members)
        members.append(score.where[order].astype(np.int64))
        member_at.append(
            begun + np.searchsorted(score.obligor[order], np.arange(score.n_obligors + 1)).astype(np.int64)
        )
    return (
        obligor,
        industry,
        _starts([t.size for t in totals]),
        _joined(totals),
        _codes(counts),
        _codes(of),
        np.array([t.sum() for t in totals], dtype=np.float64),
        np.array([(c > 0).sum() for c in counts], dtype=np.int64),
        np.array([score.n_industries for score in found], dtype=np.int64),
        _MODES[plan.readings.diversity_units],
        int(plan.readings.diversity_industry == "largest"),
        _codes(members),
        _codes(member_at),
    )
