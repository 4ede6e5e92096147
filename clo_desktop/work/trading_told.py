"""What trades do and which help most: as plain data for --json, and in words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from clo_desktop.work import plain
from clo_desktop.work.standing import cushion, mark
from clo_desktop.work.told import figure
from clo_desktop.work.trading import issue_of
from engine.compliance import Standing
from engine.trades import Effect, Fit, PoolFigures, Ranking, Trader

Plain = dict[str, Any]

_FIGURES: Final = (
    *(("par", "Par", "money"), ("principal_amount", "Principal amount", "money"), ("cash", "Cash", "money")),
    *(("spread", "Floating spread", "share"), ("factor", "WARF", "factor"), ("recovery", "Recovery", "share")),
    *(("wal", "WAL", "years"), ("diversity", "Diversity", "score"), ("price", "Average price", "price")),
    ("objective", "Objective", "score"),
)


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def _standing(after: Standing | None) -> Plain | None:
    """A test after the trades; None where it has no figure then."""
    if after is None:
        return None
    return {
        "result": _finite(after.result),
        "threshold": _finite(after.threshold),
        "outcome": after.outcome.value,
        "cushion": _finite(cushion(after)),
        "applicable": not after.empty,
    }


def _figures(found: PoolFigures) -> Plain:
    return {name: _finite(value) for name, value in dataclasses.asdict(found).items()}


def compliance_plain(trader: Trader, effect: Effect) -> Plain:
    """The tests of the deal as `plain.compliance`, each with what it is after the trades, and what the trades do."""
    made = plain.compliance(trader.before)
    changes = {t.number: t for t in effect.tests}
    for row in made["tests"]:
        change = changes.get(row["number"])
        row["after"] = _standing(change.after) if change else None
        row["breaks"] = change.breaks if change else False
        row["worsens"] = change.worsens if change else False
    made["trades"] = [
        {
            "side": f.trade.side.value,
            "asset_id": f.asset.asset_id,
            "par": f.par,
            "price": f.price,
            "cash": f.cash,
            "settlement": f.trade.settlement.isoformat() if f.trade.settlement else None,
            "at_mark": f.at_mark,
        }
        for f in effect.fills
    ]
    made["figures"] = {"before": _figures(effect.before), "after": _figures(effect.after)}
    made["breaks"], made["worsens"], made["cures"] = (list(n) for n in (effect.breaks, effect.worsens, effect.cures))
    made["cash_ladder"] = [
        {"day": r.day.isoformat() if r.day else None, "flow": r.flow, "balance": r.balance} for r in effect.ladder
    ]
    made["trade_notes"] = list(effect.notes)
    return made


def _number(kind: str, value: float | None) -> str:
    if value is None:
        return "–"
    if kind == "money":
        return f"{value:,.2f}"
    return f"{value:.3f}" if kind == "price" else figure(kind, value)


def compliance_words(effect: Effect) -> str:
    """A line a test: before, after, limit after, cushion after; then the pool's figures and what to look at."""
    lines = [f"{'':58} {'before':>12} {'after':>12} {'limit':>16} {'cushion':>12}"]
    for t in effect.tests:
        after = t.after
        before = "–" if t.before is None or t.before.empty else figure(t.kind, t.before.result)
        bound = "max" if t.known.direction == "MAX" else "min"
        told = "  worsens" if t.worsens else "  breaks" if t.breaks else "  cured" if t.cures else ""
        if after is None:
            lines.append(f"{t.number:4d}  {t.name:52.52} {before:>12} {'–':>12}")
            continue
        limit = figure(t.kind, after.threshold)
        result, room = ("–", "–") if after.empty else (figure(t.kind, after.result), figure(t.kind, after.cushion))
        lines.append(
            f"{t.number:4d}  {t.name:52.52} {before:>12} {result:>12} {bound} {limit:>12} {room:>12}"
            f"  {mark(after)}{told}"
        )
    for name, title, kind in _FIGURES:
        sides = (_number(kind, getattr(side, name)) for side in (effect.before, effect.after))
        lines.append(f"      {title:46} " + " ".join(f"{side:>18}" for side in sides))
    lines += effect.notes
    return "\n".join(lines)


def ranking_plain(deal: str, found: Ranking, most: int | None = None) -> Plain:
    """The candidates, the best first."""
    return {
        "deal": deal,
        "side": found.side.value,
        "size": found.size,
        "weights": {str(n): w for n, w in found.weights.items()},
        "quality": found.quality,
        "objective": found.objective,
        "candidates": len(found.rows),
        "rows": [
            {
                "asset_id": r.asset.asset_id,
                "issue": issue_of(r.asset),
                "score": _finite(r.score),
                "quality": _finite(r.quality),
                "par": r.par,
                "price": r.price,
                "held": r.held,
                "breaks": list(r.breaks),
                "worsens": list(r.worsens),
                "changes": {str(n): _finite(c) for n, c in r.changes.items()},
                "moodys_rating": r.asset.moodys_rating,
                "sp_rating": r.asset.sp_issuer_rating,
                "coupon": r.asset.coupon,
                "spread": r.asset.coupon_spread,
                "floor": r.asset.index_floor,
                "wal": r.asset.wal,
                "recovery": r.asset.moodys_recovery_rate,
            }
            for r in found.rows[:most]
        ],
    }


def fits_plain(found: Mapping[str, Sequence[Fit]]) -> Plain:
    """Every line of a list in every deal."""
    return {
        deal: [
            {
                "row": f.line.row,
                "text": f.line.text,
                "asset_id": f.line.asset.asset_id if f.line.asset else None,
                "par": f.par or None,
                "price": f.price,
                "fits": f.fits,
                "breaks": list(f.breaks),
                "worsens": list(f.worsens),
                "largest": None if f.largest is None else f.largest.par,
                "stopped_by": None if f.largest is None else list(f.largest.stopped_by),
                "affordable": f.affordable,
                "changes": {name: _finite(value) for name, value in f.changes.items()},
                "problem": f.problem,
            }
            for f in fits
        ]
        for deal, fits in found.items()
    }


def fits_words(found: Mapping[str, Sequence[Fit]]) -> str:
    """A line a name and deal."""
    lines = [f"{'deal':20} {'asset':14} {'par':>14} {'price':>8}  {'':7} {'largest':>16}  stopped by"]
    for deal, fits in found.items():
        for f in fits:
            if f.fits is None or f.largest is None:
                lines.append(f"{deal:20.20} {f.line.text[:30]:30}  {f.problem}")
                continue
            asset_id = f.line.asset.asset_id if f.line.asset else ""
            told = "fits" if f.fits else "worsens" if f.breaks == f.worsens else "breaks"
            stopped = ", ".join(map(str, f.largest.stopped_by))
            judged = f"{f.par:14,.0f} {f.price:8.3f}  {told:7} {f.largest.par:16,.0f}"
            lines.append(f"{deal:20.20} {asset_id:14.14} {judged}  {stopped}".rstrip())
    return "\n".join(lines)


def _stopping(breaks: Sequence[int], worsens: Sequence[int]) -> str:
    """`4, (29)`: the tests that a trade breaks; in parentheses those that fail already and would be worse."""
    return ", ".join(f"({n})" if n in worsens else str(n) for n in breaks)


def ranking_words(found: Ranking, most: int | None = None) -> str:
    """A line a candidate."""
    if not found.rows:
        return "No asset is a candidate: none has a sound price and is within the filter."
    lines = [f"{'score':>12}  {'asset':14} {'issue':36} {'par':>14} {'price':>8} {'held':>14}  breaks (worsens)"]
    lines += (
        f"{r.score:12.6f}  {r.asset.asset_id:14.14} {issue_of(r.asset):36.36} {r.par:14,.0f} {r.price:8.3f}"
        f" {r.held:14,.0f}  {_stopping(r.breaks, r.worsens)}".rstrip()
        for r in found.rows[:most]
    )
    return "\n".join(lines)
