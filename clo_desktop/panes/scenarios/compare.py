"""Up to four scenarios side by side, with what differs from the first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clo_desktop.look.formats import Show
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.scenarios.tab import Study, Tab
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work.comparison import LETTERS, MOST, Figure, figures, inputs, less
from engine.assumptions import Assumptions
from engine.model import Model
from engine.projection import Projection

OF_DEAL: Final = "the deal's own"


@dataclass(frozen=True, slots=True)
class Kept:
    """A scenario kept for comparison, with its words."""

    words: str
    assumptions: Assumptions


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
        self.differ = WrappedLabel()
        self.differ.setContentsMargins(GRID, 0, GRID, GRID // 2)
        self.differ.setAccessibleName("The inputs in which they differ")
        self.differ.hide()
        empty = _frame((), (), "")
        self.table = FrameTable(empty, name="Scenarios side by side", frozen=1, filters=False, footer=False)
        self.table.set_empty("Move the levers and press Keep: up to four scenarios stand here side by side.")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.differ)
        column.addWidget(self.table, 1)
        self._names: tuple[str, ...] = ()
        self.setFocusProxy(self.table)

    def keep(self, words: str, assumptions: Assumptions) -> bool:
        """False where there is no room, or the same is kept already."""
        if len(self.kept) >= MOST or any(k.assumptions == assumptions for k in self.kept):
            return False
        self.kept.append(Kept(words, assumptions))
        return True

    def words(self) -> str:
        """What is kept, a line each."""
        return "\n".join(f"{LETTERS[k]}: {kept.words}" for k, kept in enumerate(self.kept))

    def study(self) -> Study:
        return Study(_run_all, (tuple(self.kept), self.now))

    def show_result(self, result: Any, currency: str) -> None:
        runs: list[tuple[str, Projection]] = result
        names = tuple(words.partition(":")[0] for words, _ in runs)
        made = [run for _, run in runs]
        differ = "; ".join(
            f"{row.title}: " + ", ".join(f"{names[k]} {said or OF_DEAL}" for k, said in enumerate(row.said))
            for row in inputs([run.assumptions for run in made])
        )
        self.head.setText("   ".join(words for words, _ in runs))
        self.differ.setText(f"Inputs that differ. {differ}." if differ else "")
        self.differ.setVisible(bool(differ))
        self.table.set_frame(_frame(names, figures(made), currency))
        if names != self._names:
            self._names = names
            self.table.show_columns([n for n in self.table.frame.index if n not in ("kind", "change")])
            self.table.fit_columns()


def _run_all(
    model: Model, assumptions: Assumptions, report: Progress, kept: tuple[Kept, ...], now: str
) -> list[tuple[str, Projection]]:
    asked = [(f"{LETTERS[k]}: {one.words}", one.assumptions) for k, one in enumerate(kept)]
    if len(asked) < MOST and all(one.assumptions != assumptions for one in kept):
        asked.append((f"Now: {now}", assumptions))
    made = []
    for k, (words, one) in enumerate(asked):
        report(k / len(asked), words)
        made.append((words, model.run(one)))
    return made


def _frame(names: Sequence[str], rows: Sequence[Figure], currency: str) -> Frame:
    columns = [
        Column("figure", "Figure", "text", total=Total.NONE),
        Column("kind", "Kind", "text", total=Total.NONE),
    ]
    data: dict[str, list[Any]] = {"figure": [f.words for f in rows], "kind": [f.unit.value for f in rows]}
    for k, name in enumerate(names):
        columns.append(Column(f"value_{k}", name, Show.MIXED.value, kind_from="kind", total=Total.NONE))
        data[f"value_{k}"] = [f.values[k] for f in rows]
        if k:
            title = f"{name} less {names[0]}"
            columns.append(Column(f"less_{k}", title, Show.MIXED.value, kind_from="kind", total=Total.NONE))
            data[f"less_{k}"] = [less(f.values[k], f.values[0]) for f in rows]
    return Frame(columns, data, key="figure", currency=currency)
