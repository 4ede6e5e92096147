"""What the verbs about a deal's tests say: as plain data for --json, and in words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from clo_desktop.figures import percent
from clo_desktop.work.judging import Inspected, MatrixView, OwnTest, Why
from clo_desktop.work.standing import cushion, outcome_word
from engine.compliance import TestResult
from engine.compliance.inbox import Finding

Plain = dict[str, Any]


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value


def figure(kind: str, value: float, places: int = 0) -> str:
    """A figure in the unit of its kind; `places` more decimals."""
    if kind in ("share", "ratio"):
        return percent(value, 3 + places)
    return f"{value:.{2 + places}f} y" if kind == "years" else f"{value:,.{2 + places}f}"


# --- why a test is what it is ------------------------------------------------------------------------------------


def why_plain(done: Why) -> Plain:
    r = done.result
    return {
        "number": r.number,
        "name": r.name,
        "result": _finite(r.result),
        "threshold": _finite(r.threshold),
        "outcome": r.outcome.value,
        "cushion": _finite(cushion(r)),
        "applicable": not r.empty,
        "cushion_par": _finite(r.cushion_par),
        "cushion_names": _finite(r.cushion_names),
        "wording": r.wording,
        "reading": r.reading,
        "comment": r.comment,
        "counting": done.counting,
        "notes": list(done.notes),
        "rows": [
            {
                "asset_id": m.asset_id,
                "issue": m.issue,
                "issuer_id": m.issuer_id,
                "par": m.par,
                "counts": m.counts,
                "amount": _finite(m.amount),
                "moves": _finite(m.moves),
            }
            for m in done.movers
        ],
    }


def why_words(done: Why) -> str:
    r = done.result
    bound = "at most" if r.direction == "MAX" else "at least"
    lines = [
        f"Test {r.number}, {r.name}: {'–' if r.empty else figure(r.kind, r.result)}, {bound} "
        f"{figure(r.kind, r.threshold)}: {outcome_word(r, near=False)}{_room(r)}",
        f"Counts: {r.wording or 'every position'} ({done.counting} positions)",
    ]
    lines += [f"Reading: {r.reading}"] if r.reading else []
    lines += [f"Comment: {r.comment}"] if r.comment else []
    lines += [f"Note: {note}" for note in done.notes]
    lines.append(f"{'Asset':14} {'Issue':32} {'Par':>16} {'Adds':>16} {'Moves the result by':>20}")
    for m in done.movers:
        moved = "all of it" if m.moves is None else figure(r.kind, m.moves, 2)
        added = f"{m.amount:,.2f}" if m.counts else "–"
        lines.append(f"{m.asset_id:14.14} {m.issue:32.32} {m.par:16,.2f} {added:>16} {moved:>20}")
    return "\n".join(lines)


def _room(r: TestResult) -> str:
    if r.empty:
        return ""
    words = [] if r.cushion_par is None else [f"{r.cushion_par:,.0f} par"]
    words += [] if r.cushion_names is None else [f"{r.cushion_names:,.1f} average names"]
    return f", cushion {figure(r.kind, r.cushion)}" + (f" ({', '.join(words)})" if words else "")


# --- the quality matrix ------------------------------------------------------------------------------------------


def _best(done: MatrixView) -> Plain:
    row, column = done.cushions.best
    return {
        "spread": float(done.cells.spreads[row]),
        "diversity": float(done.cells.diversities[column]),
        "rating_factor_limit": float(done.cushions.factor_limit[row, column]),
        "spread_limit": float(done.cushions.spread_limit[row, column]),
        "slack": float(done.cushions.slack[row, column]),
        "tightest": done.cushions.tightest,
    }


def matrix_plain(done: MatrixView) -> Plain:
    names = ("spread", "diversity", "rating_factor_limit", "spread_limit")
    return {
        "spread": done.spread,
        "diversity": done.diversity,
        "rating_factor": done.factor,
        "recovery": done.recovery,
        "cells": int(done.cushions.slack.size),
        "passing": int(done.cushions.feasible.sum()),
        "best": _best(done),
        "elected": None if done.elected is None else dict(zip(names, done.elected, strict=True)),
        "rows": [
            {
                "spread": float(spread),
                "cells": [
                    {
                        "diversity": float(d),
                        "rating_factor_limit": float(done.cushions.factor_limit[i, k]),
                        "slack": float(done.cushions.slack[i, k]),
                    }
                    for k, d in enumerate(done.cells.diversities)
                ],
            }
            for i, spread in enumerate(done.cells.spreads)
        ],
    }


def matrix_words(done: MatrixView) -> str:
    """Slack of every cell in percent of the tightest limit; what passes has no sign."""
    best = _best(done)
    lines = [
        f"Spread {percent(done.spread, 3)}, diversity {done.diversity:.2f}, WARF {done.factor:,.0f}, recovery "
        f"{percent(done.recovery)}: {int(done.cushions.feasible.sum())} of {done.cushions.slack.size} points pass",
        f"Best: spread {percent(best['spread'])}, diversity {best['diversity']:g}, WARF up to "
        f"{best['rating_factor_limit']:,.0f}; the {best['tightest']} binds with {percent(best['slack'])} left",
    ]
    if done.elected is not None:
        spread, diversity, factor, low = done.elected
        lines.append(
            f"Elected: {percent(spread)} and {diversity:g}: WARF up to {factor:,.0f}, spread from {percent(low, 3)}"
        )
    lines.append("Spread " + "".join(f"{d:9g}" for d in done.cells.diversities) + "   (slack, % of the tightest limit)")
    for i, spread in enumerate(done.cells.spreads):
        lines.append(f"{percent(spread):>6} " + "".join(f"{x * 100:9.2f}" for x in done.cushions.slack[i]))
    return "\n".join(lines)


# --- tests of one's own ------------------------------------------------------------------------------------------


def own_plain(found: Sequence[OwnTest]) -> list[Plain]:
    return [
        {"number": t.number, "name": t.name, "direction": t.direction, "threshold": t.limit, "text": t.text}
        for t in found
    ]


def own_words(found: Sequence[OwnTest]) -> str:
    if not found:
        return 'There is no test of your own; `clo test --deal NAME --name "German loans" --at-most 5% ...` adds one.'
    return "\n".join(f"{t.number:4d}  {t.name:32} {t.direction.lower()} {t.limit:g}  {t.text}" for t in found)


# --- ratings -----------------------------------------------------------------------------------------------------


def ratings_plain(found: Sequence[Inspected]) -> list[Plain]:
    return [
        {
            "asset_id": one.asset_id,
            "issue": one.issue,
            "ratings": [
                {"what": x.what, "stored": x.stored, "derived": x.derived, "path": x.path, "agrees": x.agrees}
                for x in one.lines
            ],
        }
        for one in found
    ]


def ratings_words(found: Sequence[Inspected]) -> str:
    lines = []
    for one in found:
        lines.append(f"{one.asset_id}  {one.issue}")
        for x in one.lines:
            stored, derived = (_rating(v) for v in (x.stored, x.derived))
            mark = "differs" if x.agrees is False else ""
            lines.append(f"    {x.what:36} {stored:>6} {derived:>6} {mark:8} {x.path}".rstrip())
    return "\n".join(lines)


def _rating(value: str | float | None) -> str:
    if value is None:
        return "–"
    return percent(value, 0) if isinstance(value, float) else value


# --- the inbox ---------------------------------------------------------------------------------------------------


def inbox_plain(found: Sequence[Finding]) -> list[Plain]:
    return [
        {
            "key": f.key,
            "kind": f.kind,
            "assets": list(f.asset_ids),
            "fields": list(f.fields),
            "value": f.value,
            "message": f.says,
            "choices": [{"word": c.word, "means": c.means} for c in f.choices],
            "decided": f.decided or None,
        }
        for f in found
    ]


def inbox_words(found: Sequence[Finding]) -> str:
    if not found:
        return "Nothing is doubtful."
    lines = []
    for f in found:
        lines.append(f"{f.key}: {f.says}")
        words = f"decided: {f.decided}" if f.decided else " | ".join(f"{c.word} ({c.means})" for c in f.choices)
        lines.append(f"    {words}")
    return "\n".join(lines)
