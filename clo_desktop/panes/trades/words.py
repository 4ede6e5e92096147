"""What the trades of the pad do, in words: bought and sold, broken and cured, cash, what is to mend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from clo_desktop.look import formats
from clo_desktop.store import StoredIdea
from clo_desktop.work.history import moment
from clo_desktop.work.pad_rows import Judged
from engine.trades import Side

UNIT: Final = formats.figure(1000.0, 0)
"""Largest sizes are multiples of it."""


def _to_mend(judged: Judged) -> str:
    """How many rows are wrong, and what is wrong with the first; "" for none."""
    found = ((i, next(iter(s.problems.values()))) for i, s in enumerate(judged.seen) if s.problems)
    place, why = next(found, (0, ""))
    return f"■ {formats.counted(judged.wrong, 'row')} to mend. Row {place + 1}: {why}" if why else ""


def no_size(name: str, stopped: str, judged: Judged) -> str:
    """Why the search, which goes up from the smallest size, found none."""
    if not judged.effect.breaks and not judged.wrong:
        return (
            f"Without the {name} the other trades break {stopped or 'a test'}, so the search, which goes up from "
            "nothing, finds no size; the size in the row breaks no test."
        )
    return f"No size of the {name} passes: {UNIT} would break {stopped or 'a test'}."


def told(judged: Judged, currency: str) -> str:
    """What the trades do, in a few lines: how much is bought and sold, what breaks, what it costs."""
    effect = judged.effect
    if not effect.trades:
        return _to_mend(judged) or "Type a trade: every test is shown before and after while you type."
    parts: list[str] = []
    for bundle in effect.bundles:
        word = "bought" if bundle.side is Side.BUY else "sold"
        par = formats.with_unit("money", bundle.par, currency)
        parts.append(f"{word} {par} at {formats.text('price', bundle.price)}{formats.THIN}% of par")
    said = "; ".join(parts)
    lines = [f"{said[:1].upper()}{said[1:]}."]
    worse, cured = effect.worsens, effect.cures
    broken = [n for n in effect.breaks if n not in worse]
    lines.append(f"✕ Breaks {', '.join(map(str, broken))}." if broken else "Breaks no test.")
    if worse:
        lines[-1] += f"  ✕ Worsens {', '.join(map(str, worse))}, which failed before."
    if cured:
        lines[-1] += f"  ✓ Cures {', '.join(map(str, cured))}."
    if any(r.day is not None for r in effect.ladder):
        steps = "; ".join(f"{r.day or 'at once'} {formats.text('money', r.balance)}" for r in effect.ladder)
        lines.append(f"Principal cash ({currency}) by settlement: {steps}.")
    if judged.wrong:
        lines.append(f"{_to_mend(judged)} Left out of all figures.")
    return "\n".join(lines)


def since_told(kept: StoredIdea | None, changes: Sequence[str]) -> str:
    """What changed in the pool since the trades of an idea were changed last; "" for nothing."""
    if kept is None or not changes:
        return ""
    return (
        f"▲ The pool changed since {kept.name} was worked on ({moment(kept.changed_at)}): {'; '.join(changes)}. "
        "The figures are those of the pool as it is now."
    )
