"""Up to four scenarios side by side, with what differs from the first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clo_desktop.look.formats import Show
from clo_desktop.look.outcome import spelled
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.scenarios.levers import MOST_KEPT
from clo_desktop.panes.scenarios.tab import Study, Tab
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import Projection

LETTERS: Final = "ABCD"


@dataclass(frozen=True, slots=True)
class Kept:
    """A scenario kept for comparison, with its words."""

    words: str
    assumptions: Assumptions


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the comparison: its words, its kind, and the figure in each scenario (None: there is none)."""

    words: str
    kind: str
    values: tuple[float | None, ...]


class CompareTab(Tab):
    """Those kept, and the levers as they stand while there is room beside them."""

    title = "Compare"

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kept: list[Kept] = []
        self.now = "Now"
        self.head = WrappedLabel()
        self.head.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        self.head.setAccessibleName("The scenarios compared")
        empty = _frame((), (), "")
        self.table = FrameTable(empty, name="Scenarios side by side", frozen=1, filters=False, footer=False)
        self.table.set_empty("Move the levers and press Keep: up to four scenarios stand here side by side.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.table, 1)
        self._names: tuple[str, ...] = ()
        self.setFocusProxy(self.table)

    def keep(self, words: str, assumptions: Assumptions) -> bool:
        """False where there is no room, or the same is kept already."""
        if len(self.kept) >= MOST_KEPT or any(k.assumptions == assumptions for k in self.kept):
            return False
        self.kept.append(Kept(words, assumptions))
        return True

    def words(self) -> str:
        """What is kept, a line each."""
        return "\n".join(f"{LETTERS[k]}: {kept.words}" for k, kept in enumerate(self.kept))

    def study(self) -> Study:
        kept, now = tuple(self.kept), self.now

        def run(model: Model, assumptions: Assumptions, report: Progress) -> list[tuple[str, Projection]]:
            asked = [(f"{LETTERS[k]}: {one.words}", one.assumptions) for k, one in enumerate(kept)]
            if len(asked) < MOST_KEPT and all(one.assumptions != assumptions for one in kept):
                asked.append((f"Now: {now}", assumptions))
            made = []
            for k, (words, one) in enumerate(asked):
                report(k / len(asked), words)
                made.append((words, model.run(one)))
            return made

        return run

    def show_result(self, result: Any, currency: str) -> None:
        runs: list[tuple[str, Projection]] = result
        names = tuple(words.partition(":")[0] for words, _ in runs)
        self.head.setText("   ".join(words for words, _ in runs))
        self.table.set_frame(_frame(names, tuple(_figures([run for _, run in runs])), currency))
        if names != self._names:
            self._names = names
            self.table.show_columns([n for n in self.table.frame.index if n not in ("kind", "change")])
            self.table.fit_columns()


def _figures(runs: Sequence[Projection]) -> Iterator[Figure]:
    """Rows of the comparison; all runs are of one deal."""
    first = runs[0]
    for name, words, kind in (
        ("cdr", "Default rate a year", Kind.RATE.value),
        ("cpr", "Prepayment rate a year", Kind.RATE.value),
        ("severity", "Loss severity", Kind.SHARE.value),
        ("lag", "Recovery lag (months)", Kind.COUNT.value),
    ):
        yield Figure(words, kind, tuple(run.rates[name] for run in runs))
    yield Figure("Shift of the curve", Show.BASIS.value, tuple(run.assumptions.rate_shift for run in runs))
    yield Figure("Sale price at redemption", Kind.PRICE.value, tuple(run.sale_price for run in runs))
    yield Figure("Equity IRR since purchase", Kind.RATE.value, tuple(run.equity_irr for run in runs))
    yield Figure("Equity distributions", Kind.MONEY.value, tuple(float(run.paid(run.equity).sum()) for run in runs))
    yield Figure("Payment dates", Kind.COUNT.value, tuple(float(len(run.payment_dates)) for run in runs))
    for k, tranche in enumerate(first.tranches):
        if k == first.equity:
            continue
        yield Figure(f"{tranche.name} paid", Kind.MONEY.value, tuple(float(run.paid(k).sum()) for run in runs))
        yield Figure(f"{tranche.name} average life", Kind.YEARS.value, tuple(_life(run, k) for run in runs))
        left = tuple(float(run.result.balance[-1, k] + run.result.deferred[-1, k]) for run in runs)
        yield Figure(f"{tranche.name} left unpaid", Kind.MONEY.value, left)
    for k, test in enumerate(first.document.tests):
        yield Figure(f"{spelled(test.id)} least cushion", Show.RATIO.value, tuple(_cushion(run, k) for run in runs))


def _life(run: Projection, k: int) -> float | None:
    repaid = run.result.principal[:, k] + run.result.deferred_paid[:, k]
    years = (run.inputs.days[: repaid.size] - run.inputs.before) / 365.0
    return float((repaid * years).sum() / repaid.sum()) if repaid.sum() > 0.0 else None


def _cushion(run: Projection, k: int) -> float | None:
    r = run.result
    tested = (r.ratio - r.trigger)[r.active[:, k], k]
    found = float(tested.min(initial=np.inf))
    return found if np.isfinite(found) else None


def _frame(names: Sequence[str], figures: Sequence[Figure], currency: str) -> Frame:
    columns = [
        Column("figure", "Figure", "text", total=Total.NONE),
        Column("kind", "Kind", "text", total=Total.NONE),
    ]
    data: dict[str, list[Any]] = {"figure": [f.words for f in figures], "kind": [f.kind for f in figures]}
    for k, name in enumerate(names):
        columns.append(Column(f"value_{k}", name, Show.MIXED.value, kind_from="kind", total=Total.NONE))
        data[f"value_{k}"] = [f.values[k] for f in figures]
        if k:
            title = f"{name} less {names[0]}"
            columns.append(Column(f"less_{k}", title, Show.MIXED.value, kind_from="kind", total=Total.NONE))
            data[f"less_{k}"] = [_less(f.values[k], f.values[0]) for f in figures]
    return Frame(columns, data, key="figure", currency=currency)


def _less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other
