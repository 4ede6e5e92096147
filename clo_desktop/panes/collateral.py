"""Collateral: every position of the deal with all columns of the asset master."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.outcome import assumptions_words
from clo_desktop.look.words import WrappedLabel, short
from clo_desktop.tables.assets import AssetPanel
from clo_desktop.tables.editing import Cell, Editing
from clo_desktop.tables.frame import Column, Frame, Mark, asset_columns
from clo_desktop.tables.query import Mask
from clo_desktop.tables.undo_keys import undo_keys
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.cells import EDITABLE, Typed
from clo_desktop.work.edits import Edits
from clo_desktop.work.rating_paths import EXPLAINED, RatingPaths
from clo_desktop.work.session import Session
from engine.asset import COLUMNS, Kind
from engine.compliance import Compliance, TestResult
from engine.outputs import Table
from engine.terms import Book

_PAR: Final = Column("held_par", "Par", Kind.MONEY.value, tip="Outstanding par of the position")
_Z_SPREAD: Final = Column(
    "z_spread",
    "Z-spread",
    Kind.RATE.value,
    tip="What the asset pays over the curve at its price, a year, without prepayments and defaults",
)
_FIRST: Final = ("asset_id", "issuer_name", "held_par")

_SETS: Final = {
    "Summary": (
        *_FIRST,
        *("tranche", "market_value", "z_spread", "coupon_spread", "index_floor", "coupon", "maturity", "wal"),
        *("moodys_rating", "sp_issuer_rating", "moodys_recovery_rate", "moodys_industry", "country", "cov_lite"),
    ),
    "Terms": (
        *_FIRST,
        *("bond_loan", "coupon_type", "payment_frequency", "index_name", "coupon_spread", "credit_spread_adjustment"),
        *("index_floor", "index_cap", "coupon", "maturity", "first_payment_date", "day_count"),
        *("business_day_convention", "payment_eom", "amortization_type", "facility_size", "currency"),
    ),
    "Ratings": (
        *_FIRST,
        *(c.name for c in COLUMNS if c.kind in (Kind.MOODYS, Kind.SP) or "outlook" in c.name),
        *("moodys_recovery_rate", "sp_recovery_rating", "moodys_credit_estimate_date", "credit_opinion"),
    ),
    "Flags": (*_FIRST, *(c.name for c in COLUMNS if c.kind is Kind.FLAG)),
    "All": ("asset_id", "held_par", "z_spread", *(c.name for c in COLUMNS if c.name != "asset_id")),
}
_ODD_PRICE: Final = (5.0, 150.0)


def _typed_into(column: Column) -> Column:
    return replace(column, editable=column.name in EDITABLE)


def positions_frame(book: Book | None, spreads: Mapping[str, float] | None = None) -> Frame:
    """The positions as a table: par, z-spread, then every column of the master. Odd prices carry a mark.

    spreads  by asset id; missing ones are empty cells
    """
    columns = asset_columns()
    chosen = tuple(map(_typed_into, (columns[0], _PAR, _Z_SPREAD, *columns[1:])))
    positions = list(book.positions()) if book is not None else []
    data = {c.name: [getattr(asset, c.name) for asset, _ in positions] for c in columns}
    data["held_par"] = [par for _, par in positions]
    data["z_spread"] = [(spreads or {}).get(asset.asset_id) for asset, _ in positions]
    prices = np.array([np.nan if p is None else p for p in data["market_value"]], dtype=np.float64)
    with np.errstate(invalid="ignore"):
        odd = (prices <= _ODD_PRICE[0]) | (prices > _ODD_PRICE[1])
    marks = {"market_value": np.where(odd, int(Mark.ODD), int(Mark.NONE)).astype(np.uint8)}
    currency = book.deal.currency if book is not None else ""
    return Frame(chosen, data, key="asset_id", weight="held_par", currency=currency, marks=marks)


class CollateralPane(QWidget):
    """The table of positions; a test that was clicked narrows it to the rows that count.

    Enter, or a double click on its id, shows a position's cash flows below; they follow the last run. Any other cell is
    typed into as in Excel, stored when it is left, and taken back with Ctrl+Z.
    """

    summary = Signal(str)

    def __init__(
        self, session: Session, edits: Edits, ask_import: Callable[[], None], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._edits = session, edits
        self.table = FrameTable(
            positions_frame(None),
            name="Collateral",
            frozen=2,
            told=("held_par", "market_value", "coupon_spread"),
            sets=_SETS,
        )
        self.editing = Editing(self.table)
        self.editing.typed.connect(self._typed)
        self.editing.refused.connect(session.refused)
        session.seat.changed.connect(lambda: self.editing.allow(session.seat.why_not(rights.WRITE)))
        undo_keys(self, edits)
        self._ask_import = ask_import
        self._say_empty(None)
        self._note = WrappedLabel()
        self._all = QPushButton("Show all positions")
        self._all.clicked.connect(lambda: session.members_wanted.emit(None))
        self._strip = QWidget()
        strip = QHBoxLayout(self._strip)
        strip.setContentsMargins(8, 4, 8, 4)
        strip.addWidget(self._note, 1)
        strip.addWidget(self._all)
        self._strip.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.asset = AssetPanel()
        self.asset.hide()
        self._asset_id: str | None = None
        self._split = QSplitter(Qt.Orientation.Vertical)
        self._split.addWidget(self.table)
        self._split.addWidget(self.asset)
        self._split.setChildrenCollapsible(False)
        layout.addWidget(self._strip)
        layout.addWidget(self._split)
        self.path = WrappedLabel()
        self.path.setAccessibleName("How the rating of the current cell came about")
        self.path.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.path.setContentsMargins(8, 4, 8, 4)
        self.path.hide()
        self._paths = RatingPaths(None)
        layout.addWidget(self.path)
        self.setFocusProxy(self.table)
        self.table.selection_summary.connect(self.summary)
        self.table.filters_changed.connect(self._filtered)
        session.book_changed.connect(self._show)
        session.edited.connect(self._show_spreads)
        session.members_wanted.connect(self._narrow)
        session.asset_wanted.connect(self._reveal)
        session.spreads_changed.connect(self._show_spreads)
        session.asset_flows_ready.connect(self._show_asset)
        session.projection_changed.connect(self._run_again)
        self.table.row_activated.connect(self._ask_asset)
        self.table.cell_acts.append(("History of this cell", self._ask_history))
        self.table.grid.escaped.connect(self.close_asset)
        self.table.set_tips(self._path_of)
        self.table.grid.moved.connect(self._tell_path)
        session.compliance_changed.connect(self._rules_changed)
        self.asset.closed.connect(self.close_asset)

    def _show(self, book: Book | None) -> None:
        self.close_asset()
        self._narrow(None)
        self._say_empty(book)
        self.table.set_frame(positions_frame(book))

    def _typed(self, cells: list[Cell]) -> None:
        """What was typed is stored; until then the table shows what is stored."""
        self._edits.type([Typed(str(cell.key), cell.column, cell.text) for cell in cells])

    def _show_spreads(self) -> None:
        self.table.set_frame(positions_frame(self._session.book, self._session.spreads))

    # -- how a rating came about --------------------------------------------------------------------------------------

    def _rules_changed(self, done: Compliance | None) -> None:
        self._paths = RatingPaths(done)
        self._tell_path()

    def _path_of(self, key: Hashable, column: str) -> str:
        """The rule path behind a rating or recovery rate; "" for any other cell."""
        book = self._session.book
        asset = book.assets.get(str(key)) if book is not None else None
        return "" if asset is None else self._paths.words(asset, column)

    def _tell_path(self) -> None:
        column = self.table.current_column()
        text = self._path_of(self.table.current_key(), column) if column in EXPLAINED else ""
        self.path.setText(text and f"{self.table.current_key()}  {text}.")
        self.path.setVisible(bool(text))

    # -- the cash flows of an asset -----------------------------------------------------------------------------------

    def _ask_history(self) -> None:
        """Who changed the current cell; a computed column has no history of its own: all of the asset is shown."""
        column = self.table.current_column()
        field = {_PAR.name: "par", _Z_SPREAD.name: ""}.get(column, column)
        self._session.history_wanted.emit(str(self.table.current_key()), field)

    def _ask_asset(self, asset_id: object) -> None:
        self._asset_id = str(asset_id)
        self._session.show_asset_flows(self._asset_id)

    def _run_again(self, timed: object) -> None:
        if timed is not None and self._asset_id is not None:
            self._session.show_asset_flows(self._asset_id)

    def _show_asset(self, table: Table) -> None:
        if self._asset_id is None or table.name != f"asset-{self._asset_id}":
            return  # closed, or another was asked for since
        timed = self._session.projection
        scenario = "" if timed is None else assumptions_words(timed.projection)
        self.asset.show_table(table, scenario)
        if self.asset.isHidden():
            self.asset.show()
            height = self._split.height()
            self._split.setSizes([round(height * 0.55), round(height * 0.45)])

    def close_asset(self) -> None:
        """The positions get their room back, and the keyboard, where it was below."""
        self._asset_id = None
        inside = QApplication.focusWidget()
        if not self.asset.isHidden() and inside is not None and self.asset.isAncestorOf(inside):
            self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        self.asset.hide()

    def _say_empty(self, book: Book | None) -> None:
        """What is said while there is no position."""
        text = "No deal is open. Import a workbook, or choose a deal on the left."
        if book is not None:
            text = (
                f"{short(book.deal.name)} has no holdings. Enter them in its workbook, under the deal's Inputs, and "
                "import it again."
            )
        self.table.set_empty(text, "Import…", self._ask_import)

    def _narrow(self, test: TestResult | None) -> None:
        """Only the positions that count in a test, or all."""
        if test is None:
            self._strip.hide()
            self.table.set_extra_filter("test", None)
            return
        members = (
            {
                asset.asset_id
                for asset, counts in zip(self._session.compliance.pool.assets, test.members, strict=True)
                if counts
            }
            if self._session.compliance is not None
            else set()
        )

        def shown(frame: Frame) -> Mask:
            return np.array([frame.key_of(row) in members for row in range(len(frame))], dtype=bool)

        verb = "counts" if len(members) == 1 else "count"
        self._note.setText(
            f"The {formats.counted(len(members), 'position')} that {verb} in test {test.number}, {test.name}."
        )
        self._strip.show()
        self.table.set_extra_filter("test", shown)

    def _filtered(self, _texts: dict[str, str]) -> None:
        """Esc or "Clear filters" in the table takes the test away as well."""
        if not self.table.is_filtered:
            self._strip.hide()

    def _reveal(self, asset_id: str) -> None:
        self._narrow(None)
        self.table.clear_filters()
        self.table.select_keys([asset_id])
        self.table.setFocus()
