"""The positions behind a test: which count, what each adds, and what it moves the result by."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from clo_desktop.look.formats import Show
from clo_desktop.tables.frame import Column, Frame, Total
from engine.asset import Kind
from engine.compliance import Compliance, TestResult

_UNITS: Final = {"share": Show.POINTS.value, "ratio": Show.POINTS.value, "factor": Show.SCORE.value}


def _columns(result: TestResult | None) -> tuple[Column, ...]:
    kind = result.kind if result is not None else "share"
    return (
        Column("asset_id", "Asset", Kind.ID.value),
        Column("moves", "Moves by", _UNITS.get(kind, kind), total=Total.NONE, tip="Result less the result without it"),
        Column("counts", "Counts", Kind.FLAG.value),
        Column("amount", "Adds", Kind.MONEY.value, total=Total.NONE, tip="What it adds to the numerator"),
        Column("par", "Par", Kind.MONEY.value),
        Column("issuer_name", "Issuer", Kind.TEXT.value),
    )


def movers_frame(done: Compliance | None, result: TestResult | None) -> Frame:
    """The positions that count in a test or move it, those that move it most first; exact, at full precision."""
    rows: list[int] = []
    moved = np.zeros(0)
    if done is not None and result is not None:
        moved = done.moves(result.number)
        size = np.where(np.isfinite(moved), np.abs(moved), np.inf)  # without it there would be no result at all
        order = np.argsort(-size, kind="stable").tolist()
        rows = [i for i in order if result.members[i] or (np.isfinite(moved[i]) and moved[i])]
    assets = [done.pool.assets[i] for i in rows] if done is not None else []
    data: dict[str, list[Any]] = {
        "asset_id": [a.asset_id for a in assets],
        "issuer_name": [a.issuer_name for a in assets],
        "moves": [float(moved[i]) for i in rows],
        "counts": [bool(result.members[i]) for i in rows] if result is not None else [],
        "par": [float(done.pool.par[i]) for i in rows] if done is not None else [],
        "amount": [float(result.amounts[i]) if result.members[i] else None for i in rows] if result is not None else [],
    }
    return Frame(_columns(result), data, key="asset_id")
