"""What trades do, as tables: every test before and after, the pool's figures, two ideas side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from clo_desktop.look.formats import Show
from clo_desktop.tables.frame import Column, Frame, Mark, Total
from clo_desktop.work.standing import outcome_word, relative_cushion
from clo_desktop.work.trading import issue_of
from engine.asset import Kind
from engine.compliance import Compliance, Standing, TestResult
from engine.trades import Effect, PoolFigures, TestChange

SAME: Final = "same"
BREAKS, CURES, BETTER, WORSE = "✕ breaks", "✓ cures", "↑ better", "↓ worse"
WORSENS, STILL, STILL_BETTER = "✕ worsens", "still fails", "↑ better, still fails"
_FIRST: Final = ("fail", "maintained", "near")

TEST_COLUMNS: Final = (
    Column("number", "No.", Kind.COUNT.value, tip="Number in the catalogue"),
    Column("name", "Test", Kind.TEXT.value),
    Column("told", "Trades", Kind.TEXT.value, tip="What the trades do to the test: by its cushion"),
    Column("outcome_after", "Outcome after", Show.OUTCOME.value),
    Column("outcome_before", "Outcome before", Show.OUTCOME.value),
    Column("before", "Before", Show.MIXED.value, kind_from="kind"),
    Column("after", "After", Show.MIXED.value, kind_from="kind"),
    Column("change", "Change", Show.MIXED.value, kind_from="change_kind", tip="After less before"),
    Column("bound", "Bound", Kind.TEXT.value, tip="max: the result may not be above the limit; min: not below"),
    Column("limit", "Limit after", Show.MIXED.value, kind_from="kind", tip="Computed limits move with the trades"),
    Column("room_before", "Cushion before", Show.MIXED.value, kind_from="kind"),
    Column("room_after", "Cushion after", Show.MIXED.value, kind_from="kind"),
    Column("room_change", "Cushion change", Show.MIXED.value, kind_from="change_kind"),
    Column("bar", "Cushion of limit after", Show.CUSHION.value, tip="Room to the limit as a share of the limit"),
    Column("limit_before", "Limit before", Show.MIXED.value, kind_from="kind"),
    Column("numerator_before", "Numerator before", Kind.MONEY.value),
    Column("numerator", "Numerator after", Kind.MONEY.value),
    Column("denominator_before", "Denominator before", Kind.MONEY.value),
    Column("denominator", "Denominator after", Kind.MONEY.value),
    Column("kind", "Kind", Kind.TEXT.value),
    Column("change_kind", "Kind of the change", Kind.TEXT.value),
)
TEST_SETS: Final = {
    "Tests": (
        *("number", "name", "told", "outcome_before", "outcome_after", "before", "after", "change"),
        *("room_before", "room_after", "limit", "bar"),
    ),
    "All": tuple(c.name for c in TEST_COLUMNS if c.name not in ("kind", "change_kind")),
}

FIGURES: Final = (
    ("par", "Par", Kind.MONEY.value),
    ("performing_par", "Performing par", Kind.MONEY.value),
    ("principal_amount", "Principal amount", Kind.MONEY.value),
    ("cash", "Principal cash", Kind.MONEY.value),
    ("spread", "Floating spread", Kind.SHARE.value),
    ("factor", "WARF", Show.FACTOR.value),
    ("recovery", "Recovery (Moody's)", Kind.SHARE.value),
    ("wal", "WAL", Kind.YEARS.value),
    ("diversity", "Diversity", Show.SCORE.value),
    ("price", "Price (% of par)", Kind.PRICE.value),
    ("quality", "Quality", Show.SCORE.value),
    ("objective", "Objective", Show.SCORE.value),
)
"""The pool's figures in the order in which they are shown."""

FIGURE_COLUMNS: Final = (
    Column("name", "Figure", Kind.TEXT.value),
    Column("before", "Before", Show.MIXED.value, kind_from="kind"),
    Column("after", "After", Show.MIXED.value, kind_from="kind"),
    Column("change", "Change", Show.MIXED.value, kind_from="change_kind"),
    Column("kind", "Kind", Kind.TEXT.value),
    Column("change_kind", "Kind of the change", Kind.TEXT.value),
)
FIGURE_SET: Final = ("name", "before", "after", "change")

_SMALL: Final = {
    **dict.fromkeys((Kind.SHARE.value, Kind.RATE.value, Show.RATIO.value), Show.SMALL_BASIS.value),
    Show.FACTOR.value: Show.SCORE.value,
    Show.SCORE.value: Show.SMALL.value,
    Kind.YEARS.value: Show.SMALL_YEARS.value,
}


def small(kind: str) -> str:
    """The kind in which a change of a figure is shown: fractions in basis points, the rest with more decimals."""
    return _SMALL.get(kind, kind)


def verdict(standing: Standing | None) -> str:
    """pass, near, fail, maintained; "no figure" where there is none, "not applicable" for an average of nothing."""
    if standing is None:
        return "no figure"
    return outcome_word(standing)


def room(standing: Standing | None) -> float | None:
    """The cushion as a share of the limit."""
    return None if standing is None or standing.empty else relative_cushion(standing)


def told(change: TestChange) -> str:
    """What the trades do to a test."""
    if change.breaks:
        return WORSENS if change.worsens else BREAKS
    if change.cures:
        return CURES
    better = change.improves
    if change.still_fails:
        return STILL_BETTER if better else STILL
    return SAME if better is None else BETTER if better else WORSE


def stopping(breaks: Sequence[int], worsens: Sequence[int]) -> str:
    """`✕ breaks 4, 5; worsens 29`: the tests that a trade breaks, and those that fail already; "" for none."""
    broken = [n for n in breaks if n not in worsens]
    parts = [f"{word} {', '.join(map(str, n))}" for word, n in (("breaks", broken), ("worsens", worsens)) if n]
    return f"✕ {'; '.join(parts)}" if parts else ""


def changed(change: TestChange) -> bool:
    """Whether result, limit or outcome are others after the trades."""
    before, after = change.before, change.after
    if before is None or after is None:
        return True
    slack = 1e-12 * max(1.0, abs(before.result))
    return (
        abs(after.result - before.result) > slack
        or abs(after.threshold - before.threshold) > 1e-12 * max(1.0, abs(before.threshold))
        or after.outcome is not before.outcome
    )


def _urgency(change: TestChange) -> tuple[int, int, float]:
    """What breaks first, then what is cured, then what fails or is near, then the deal's own order."""
    if change.breaks or change.cures:
        return (0 if change.breaks else 1, 0, room(change.after) or 0.0)
    word = verdict(change.after)
    if word in _FIRST:
        return 2, _FIRST.index(word), room(change.after) or 0.0
    return 3, 0, 0.0


def in_order(tests: Iterable[TestChange]) -> list[TestChange]:
    """Breaks and cures first."""
    return sorted(tests, key=_urgency)


def _side(standings: Sequence[Standing | None], name: str) -> list[float | None]:
    """A figure of each; what there is nothing to test has a limit only."""
    hidden = ("result", "cushion")
    return [None if s is None or (s.empty and name in hidden) else _finite(getattr(s, name)) for s in standings]


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def tests_frame(effect: Effect | None, currency: str) -> Frame:
    """Every test before and after, in the order of `in_order`."""
    tests = in_order(effect.tests) if effect is not None else []
    before, after = [t.before for t in tests], [t.after for t in tests]
    kinds = [t.kind for t in tests]
    data: dict[str, list[Any]] = {
        "number": [float(t.number) for t in tests],
        "name": [t.name for t in tests],
        "told": [told(t) for t in tests],
        "outcome_after": [verdict(s) for s in after],
        "outcome_before": [verdict(s) for s in before],
        "before": _side(before, "result"),
        "after": _side(after, "result"),
        "change": [t.change for t in tests],
        "bound": [t.known.direction.lower() for t in tests],
        "limit": _side(after, "threshold"),
        "room_before": _side(before, "cushion"),
        "room_after": _side(after, "cushion"),
        "room_change": [t.cushion_change for t in tests],
        "bar": [room(s) for s in after],
        "limit_before": _side(before, "threshold"),
        "numerator_before": _side(before, "numerator"),
        "numerator": _side(after, "numerator"),
        "denominator_before": _side(before, "denominator"),
        "denominator": _side(after, "denominator"),
        "kind": kinds,
        "change_kind": [small(k) for k in kinds],
    }
    broken = [int(Mark.BAD if t.breaks else Mark.CHANGED if t.cures else Mark.NONE) for t in tests]
    marks = {"told": np.array(broken, dtype=np.uint8)}
    return Frame(TEST_COLUMNS, data, key="number", currency=currency, marks=marks)


def only(effect: Effect | None, chip: str) -> NDArray[np.float64] | None:
    """The numbers of the tests that a chip shows; None: all of them."""
    if effect is None or chip == "all":
        return None
    chosen = [t.number for t in effect.tests if (t.breaks if chip == "breaking" else changed(t))]
    return np.array(chosen, dtype=np.float64)


def _figure_kinds(kinds: Iterable[str]) -> list[str]:
    return [small(k) for k in kinds]


def figures_frame(effect: Effect | None, currency: str = "") -> Frame:
    """The pool's figures before, after and their change; those without a figure on both sides are left out."""
    rows: list[tuple[str, float | None, float | None, float | None, str]] = []
    if effect is not None:
        less = effect.after.less(effect.before)
        for name, title, kind in FIGURES:
            before, after = getattr(effect.before, name), getattr(effect.after, name)
            if before is not None or after is not None:
                rows.append((_titled(title, kind, currency), before, after, less[name], kind))
    data: dict[str, list[Any]] = {
        "name": [r[0] for r in rows],
        "before": [r[1] for r in rows],
        "after": [r[2] for r in rows],
        "change": [r[3] for r in rows],
        "kind": [r[4] for r in rows],
        "change_kind": _figure_kinds(r[4] for r in rows),
    }
    return Frame(FIGURE_COLUMNS, data, key="name", currency="")


def _titled(title: str, kind: str, currency: str) -> str:
    """Money has its unit beside its name rather than in every cell."""
    return f"{title} ({currency})" if kind == Kind.MONEY and currency else title


# --- two ideas side by side ------------------------------------------------------------------------------------------


def beside_columns(one: str, other: str) -> tuple[Column, ...]:
    """The columns of two ideas."""
    return (
        Column("number", "No.", Kind.COUNT.value, tip="Number in the catalogue"),
        Column("name", "Test", Kind.TEXT.value),
        Column("better", "Better", Kind.TEXT.value, tip="The idea that leaves the larger cushion"),
        Column("now", "Now", Show.MIXED.value, kind_from="kind"),
        Column("outcome", f"{one}: outcome", Show.OUTCOME.value),
        Column("one", f"{one}: result", Show.MIXED.value, kind_from="kind"),
        Column("one_room", f"{one}: cushion", Show.MIXED.value, kind_from="kind"),
        Column("other_outcome", f"{other}: outcome", Show.OUTCOME.value),
        Column("other", f"{other}: result", Show.MIXED.value, kind_from="kind"),
        Column("other_room", f"{other}: cushion", Show.MIXED.value, kind_from="kind"),
        Column("apart", "Cushions apart", Show.MIXED.value, kind_from="change_kind", tip=f"{other} less {one}"),
        Column("kind", "Kind", Kind.TEXT.value),
        Column("change_kind", "Kind of the change", Kind.TEXT.value),
    )


def beside_frame(one: Effect, other: Effect, names: tuple[str, str], currency: str = "") -> Frame:
    """Every test after one idea and after another; what differs in its outcome first."""
    others = {t.number: t for t in other.tests}
    pairs = [(t, others[t.number]) for t in in_order(one.tests) if t.number in others]
    pairs.sort(key=lambda p: verdict(p[0].after) == verdict(p[1].after))
    apart = [None if a.after is None or b.after is None else b.after.cushion - a.after.cushion for a, b in pairs]
    kinds = [a.kind for a, _ in pairs]
    data: dict[str, list[Any]] = {
        "number": [float(a.number) for a, _ in pairs],
        "name": [a.name for a, _ in pairs],
        "better": [
            "" if gap is None else SAME if abs(gap) < 1e-12 else names[1] if gap > 0.0 else names[0] for gap in apart
        ],
        "now": _side([a.before for a, _ in pairs], "result"),
        "outcome": [verdict(a.after) for a, _ in pairs],
        "one": _side([a.after for a, _ in pairs], "result"),
        "one_room": _side([a.after for a, _ in pairs], "cushion"),
        "other_outcome": [verdict(b.after) for _, b in pairs],
        "other": _side([b.after for _, b in pairs], "result"),
        "other_room": _side([b.after for _, b in pairs], "cushion"),
        "apart": apart,
        "kind": kinds,
        "change_kind": [small(k) for k in kinds],
    }
    return Frame(beside_columns(*names), data, key="number", currency=currency)


def beside_figures(one: PoolFigures, other: PoolFigures, now: PoolFigures, names: tuple[str, str], money: str) -> Frame:
    """The pool's figures now and after either idea."""
    columns = (
        Column("name", "Figure", Kind.TEXT.value),
        Column("now", "Now", Show.MIXED.value, kind_from="kind"),
        Column("one", names[0], Show.MIXED.value, kind_from="kind"),
        Column("other", names[1], Show.MIXED.value, kind_from="kind"),
        Column("apart", "Apart", Show.MIXED.value, kind_from="change_kind", tip=f"{names[1]} less {names[0]}"),
        Column("kind", "Kind", Kind.TEXT.value),
        Column("change_kind", "Kind of the change", Kind.TEXT.value),
    )
    less = other.less(one)
    rows = [(n, t, k) for n, t, k in FIGURES if getattr(now, n) is not None]
    data: dict[str, list[Any]] = {
        "name": [_titled(t, k, money) for _, t, k in rows],
        "now": [getattr(now, n) for n, _, _ in rows],
        "one": [getattr(one, n) for n, _, _ in rows],
        "other": [getattr(other, n) for n, _, _ in rows],
        "apart": [less[n] for n, _, _ in rows],
        "kind": [k for _, _, k in rows],
        "change_kind": _figure_kinds(k for _, _, k in rows),
    }
    return Frame(columns, data, key="name")


# --- the rows that count ---------------------------------------------------------------------------------------------

_ROW_COLUMNS: Final = (
    Column("asset_id", "Asset", Kind.ID.value),
    Column("issue", "Issue", Kind.TEXT.value),
    Column("counts", "Counts", Kind.FLAG.value, tip="Whether the position counts in the numerator after the trades"),
    Column("before", "Par before", Kind.MONEY.value),
    Column("after", "Par after", Kind.MONEY.value),
    Column("change", "Traded", Kind.MONEY.value),
    Column("amount", "Adds to the numerator", Show.SCORE.value, total=Total.SUM),
)


def rows_frame(done: Compliance | None, result: TestResult | None, held: dict[str, float], currency: str) -> Frame:
    """The positions that count in a test after the trades, and those that were traded; held: par before by asset id."""
    rows: list[tuple[Any, ...]] = []
    if done is not None and result is not None:
        for asset, par, counts, amount in zip(
            done.pool.assets, done.pool.par.tolist(), result.members.tolist(), result.amounts.tolist(), strict=True
        ):
            before = held.get(asset.asset_id, 0.0)
            if counts or before != par:
                rows.append((asset.asset_id, issue_of(asset), counts, before, par, par - before or None, amount))
    names = [c.name for c in _ROW_COLUMNS]
    data = {name: [row[i] for row in rows] for i, name in enumerate(names)}
    return Frame(_ROW_COLUMNS, data, key="asset_id", weight="after", currency=currency)
