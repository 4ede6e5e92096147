"""Quality matrix: every point that may be elected, held against the pool; the best, the elected, the pool's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedLayout, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.fields import Choice
from clo_desktop.look.formats import Show
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import WrappedLabel, short
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.matrix import Cells, MatrixGrid, Sign
from clo_desktop.tables.undo_keys import undo_keys
from clo_desktop.work import rights
from clo_desktop.work.desk import Desk
from clo_desktop.work.edits import Edits
from clo_desktop.work.judging import MatrixView, quality_matrix
from clo_desktop.work.session import Session
from engine.asset import Kind
from resources import library

Values = NDArray[np.float64]
_SHOWN: Final[dict[str, tuple[str, str, Callable[[MatrixView], Values]]]] = {
    "slack": ("Slack, % of the tightest limit", Kind.SHARE.value, lambda v: v.cushions.slack),
    "factor_limit": ("WARF limit", Show.FACTOR.value, lambda v: v.cushions.factor_limit),
    "factor": ("WARF cushion", Show.FACTOR.value, lambda v: v.cushions.factor),
    "spread_limit": ("Spread limit (%)", Show.POINTS.value, lambda v: v.cushions.spread_limit + 0.0 * v.cells.warf),
    "spread": ("Spread cushion (%)", Show.POINTS.value, lambda v: v.cushions.spread + 0.0 * v.cells.warf),
    "diversity": ("Diversity cushion", Show.SCORE.value, lambda v: v.cushions.diversity + 0.0 * v.cells.warf),
    "factor_modifier": ("WARF limit raised by", Show.FACTOR.value, lambda v: v.cushions.factor_limit - v.cells.warf),
    "spread_modifier": (
        "Spread limit lowered by (%)",
        Show.POINTS.value,
        lambda v: v.cells.spreads[:, None] - v.cushions.spread_limit + 0.0 * v.cells.warf,
    ),
}
"""What a cell may show: words, kind, figures."""

_OWN: Final = "The deal's own"


def matrix_tables() -> tuple[str, ...]:
    """Names of the reference tables that are quality matrices."""
    return tuple(name for name in library.catalogue().tables if "matrix" in name)


def cells_of(view: MatrixView, shown: str) -> Cells:
    """The matrix as a grid of one of the figures, with its marked cells."""
    _, kind, figures = _SHOWN[shown]
    spreads, diversities = view.cells.spreads, view.cells.diversities
    signs: dict[tuple[int, int], Sign] = {}
    row = int(np.searchsorted(spreads, view.spread + 1e-12)) - 1
    column = int(np.searchsorted(diversities, view.diversity + 1e-12)) - 1
    if row >= 0 and column >= 0:
        signs[row, column] = Sign.STANDS
    if view.elected is not None:
        signs |= _elected(spreads, diversities, view.elected[0], view.elected[1])
    signs[view.cushions.best] = Sign.BEST
    return Cells(
        corner=f"Spread (%) \\ diversity: {_SHOWN[shown][0]}",
        kind=kind,
        rows=tuple(formats.percent(s) for s in spreads),
        columns=tuple(f"{d:g}" for d in diversities),
        row_values=spreads * 100.0,
        column_values=diversities,
        values=np.asarray(figures(view)),
        fails=np.logical_not(view.cushions.feasible),
        signs=signs,
    )


def _elected(spreads: Values, diversities: Values, spread: float, diversity: float) -> dict[tuple[int, int], Sign]:
    """The cell that is elected, or the corners of the field in which the elected point lies."""
    places: list[list[int]] = []
    for axis, at in ((spreads, spread), (diversities, diversity)):
        on = np.flatnonzero(np.abs(axis - at) < 1e-9)
        upper = int(np.searchsorted(axis, at))
        places.append([int(on[0])] if on.size else [i for i in (upper - 1, upper) if 0 <= i < axis.size])
    exact = all(len(found) == 1 for found in places)
    return {(r, c): Sign.ELECTED if exact else Sign.BETWEEN for r in places[0] for c in places[1]}


def head_of(view: MatrixView) -> str:
    """Where the pool stands, how many points pass, the best and the elected one."""
    row, column = view.cushions.best
    slack = float(view.cushions.slack[row, column])
    best = (
        f"Best ★: spread {_percent(view.cells.spreads[row])}, diversity {view.cells.diversities[column]:g}; the "
        f"{view.cushions.tightest} "
        + (f"binds with {_percent(slack)} of its limit left." if slack >= 0.0 else f"is {_percent(-slack)} short.")
    )
    lines = [
        f"Spread {_percent(view.spread, 3)}, diversity {view.diversity:.2f}, WARF {formats.figure(view.factor, 0)}, "
        f"recovery {_percent(view.recovery)}: {int(view.cushions.feasible.sum())} of {view.cushions.slack.size} "
        f"points pass.",
        best,
    ]
    if view.elected is not None:
        spread, diversity, factor, low = view.elected
        lines.append(
            f"Elected ◆: spread {_percent(spread)}, diversity {diversity:g}; WARF up to {formats.figure(factor, 0)}, "
            f"spread from {_percent(low, 3)}."
        )
    return "  ".join(lines)


def cell_words(view: MatrixView, row: int, column: int) -> str:
    """One point in words: its limits with what recovery adds, its cushions, whether it passes."""
    found, cells = view.cushions, view.cells
    at = row, column
    raised = float(found.factor_limit[at] - cells.warf[at])
    limit = float(np.broadcast_to(found.spread_limit, cells.warf.shape)[at])
    lowered = float(cells.spreads[row]) - limit
    more = f" ({formats.figure(float(cells.warf[at]), 0)} + {formats.figure(raised, 0)} for recovery)" if raised else ""
    less = f" (lowered by {_percent(lowered, 3)} for recovery)" if lowered else ""
    spread = float(np.broadcast_to(found.spread, cells.warf.shape)[at])
    diversity = float(np.broadcast_to(found.diversity, cells.warf.shape)[at])
    word = "passes" if found.feasible[at] else "fails"
    return (
        f"Spread {_percent(cells.spreads[row])}, diversity {cells.diversities[column]:g} {word}. "
        f"WARF up to {formats.figure(float(found.factor_limit[at]), 0)}{more}: cushion "
        f"{formats.figure(float(found.factor[at]), 0)}. Spread from {_percent(limit, 3)}{less}: cushion "
        f"{_percent(spread, 3)}. Diversity cushion {formats.figure(diversity, 2)}. "
        f"Slack {_percent(found.slack[at])} of the tightest limit."
    )


def _percent(fraction: float, places: int = 2) -> str:
    return formats.percent(float(fraction), places)


_ELECT: Final = "Stores the point with the deal: tests 130 to 132 take their limits from it"


class MatrixPane(QWidget):
    """The grid with its head; the current cell in words below it."""

    def __init__(
        self, session: Session, edits: Edits, ask_import: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._edits = edits
        self._ask_import = ask_import
        self.view: MatrixView | None = None
        self._named: str | None = None  # reference table that is shown instead of the deal's own
        self.head = WrappedLabel()
        self.head.setAccessibleName("Where the pool stands in the matrix")
        self.head.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.source = Choice("Which matrix")
        self.source.addItem(_OWN, None)
        for name in matrix_tables():
            self.source.addItem(name, name)
        self.shown = Choice("What the cells show")
        for key, (words, _, _) in _SHOWN.items():
            self.shown.addItem(words, key)
        self.copying = QPushButton("Copy table")
        self.elect = PermitButton(session.seat, rights.WRITE, "Elect this point", _ELECT)
        self.grid = MatrixGrid("Quality matrix: spread down, diversity across")
        self.detail = WrappedLabel()
        self.detail.setAccessibleName("The chosen point")
        self.detail.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.legend = WrappedLabel(
            "Spread down, diversity across.   ★ best point   ◆ elected (◇ between these)   ○ where the pool stands   "
            "■ fails"
        )
        self.empty = EmptyState("")
        self._lay_out()
        self.source.activated.connect(lambda _i: self.choose(self.source.currentData()))
        self.shown.activated.connect(lambda _i: self._fill())
        self.copying.clicked.connect(lambda: self.grid.copy(whole=True))
        self.elect.clicked.connect(self._elect)
        self.grid.current_changed.connect(self._tell)
        session.compliance_changed.connect(self._ask)
        session.book_changed.connect(self._opened)
        undo_keys(self, edits)
        self._say_empty("No deal is open. Import a workbook, or choose a deal on the left.", "Import…", ask_import)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setSpacing(8)
        for text, field in (("&Matrix", self.source), ("&Cells", self.shown)):
            label = QLabel(text)
            label.setBuddy(field)
            bar.addWidget(label)
            bar.addWidget(field)
        bar.addStretch()
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.detail, 1)
        below.addWidget(self.elect, 0, Qt.AlignmentFlag.AlignTop)
        below.addWidget(self.copying, 0, Qt.AlignmentFlag.AlignTop)
        full = QWidget()
        column = QVBoxLayout(full)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(6)
        column.addWidget(self.head)
        column.addLayout(bar)
        column.addWidget(self.grid, 1)
        column.addLayout(below)
        column.addWidget(self.legend)
        self._layers = QStackedLayout(self)
        self._layers.addWidget(self.empty)
        self._layers.addWidget(full)

    def _say_empty(self, text: str, button: str = "", act: Callable[[], object] | None = None) -> None:
        self.empty.say(text, button, act)
        self._layers.setCurrentIndex(0)
        self.setFocusProxy(self.empty.button)

    def _opened(self, book: object) -> None:
        self.view, self._named = None, None
        self.source.setCurrentIndex(0)
        if book is None:
            text = "No deal is open. Import a workbook, or choose a deal on the left."
            self._say_empty(text, "Import…", self._ask_import)

    def choose(self, named: str | None) -> None:
        """Shows the deal's own matrix (None) or a reference table."""
        self._named = named
        self.source.setCurrentIndex(self.source.findData(named))
        self._ask(self._session.compliance)

    def _ask(self, done: object) -> None:
        if done is None or self._session.book is None:
            return
        named = self._named

        def work(desk: Desk, deal: str) -> MatrixView | str:
            try:
                return quality_matrix(desk, deal, named)
            except Refused as refused:
                return refused.message

        def told(found: MatrixView | str) -> None:
            if named == self._named:
                self._show(found)

        self._session.look(f"Quality matrix of {self._session.deal}", work, told)

    def _show(self, found: MatrixView | str) -> None:
        if isinstance(found, str):
            self.view = None
            example = next(iter(matrix_tables()), None)
            deal = short(self._session.deal or "")
            text = f"{deal} has no quality matrix. {found}" if deal not in found else found
            if example is None or self._named is not None:
                self._say_empty(text, "The deal's own", lambda: self.choose(None))
            else:
                self._say_empty(text, "Show the published example", lambda: self.choose(example))
            return
        first = self.view is None
        self.view = found
        self._layers.setCurrentIndex(1)
        self.setFocusProxy(self.grid)
        self.head.setText(head_of(found))
        self._fill()
        if first:
            self.grid.go_to(*found.cushions.best)
        self._tell(self.grid.current())

    def _fill(self) -> None:
        if self.view is not None:
            self.grid.set_cells(cells_of(self.view, self.shown.currentData()))

    def _tell(self, at: tuple[int, int] | None) -> None:
        known = self.view is not None and at is not None
        self.elect.setEnabled(known)
        self.detail.setText(cell_words(self.view, *at) if self.view is not None and at is not None else "")

    def _elect(self) -> None:
        at = self.grid.current()
        if self.view is None or at is None:
            return
        cells = self.view.cells
        self._edits.elect(float(cells.spreads[at[0]]), float(cells.diversities[at[1]]), self._named)
