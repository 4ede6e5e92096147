"""The deal without each of its assets: what each one earns for the equity."""

from __future__ import annotations

from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clo_desktop.look import formats
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.panes.scenarios.tab import Study, Tab, score
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind
from engine.assumptions import Assumptions
from engine.model import Model
from engine.studies.leave_out import LeftOut, leave_out

_COLUMNS: Final = (
    Column("asset_id", "Asset", "text", total=Total.NONE),
    Column("irr", "IRR without it", Kind.RATE.value, total=Total.NONE, tip="Of the equity, since purchase"),
    score(
        "earned",
        "Earns",
        "bp of IRR",
        "IRR as it is less IRR without it: above zero it is worth more to the equity than its price",
    ),
    Column("equity", "Equity cash it adds", Kind.MONEY.value, tip="Distributions as it is less those without it"),
    Column("par", "Par", Kind.MONEY.value),
    Column("price", "Sold at", Kind.PRICE.value, tip="Its own price; par where it has none"),
    Column("issuer", "Issuer", "text", total=Total.NONE),
)


class AssetsTab(Tab):
    """A row an asset, what earns most first. `asset_wanted`: show it among the positions."""

    title = "Each asset"
    asset_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._issuers: dict[str, str] = {}
        self.head = WrappedLabel()
        self.head.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        self.head.setAccessibleName("What is shown")
        self.table = FrameTable(_frame(None, {}, ""), name="The deal without each asset", frozen=1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self.table, 1)
        self.table.row_activated.connect(lambda key: self.asset_wanted.emit(str(key)))
        self.setFocusProxy(self.table)

    def take_model(self, model: Model) -> None:
        self._issuers = {a.asset_id: a.issuer_name or "" for a in model.pool.assets}
        self.table.sort_by(SortKey("earned", True))

    def study(self) -> Study:
        return Study(_left_out)

    def show_result(self, result: Any, currency: str) -> None:
        done: LeftOut = result
        base = formats.percent(done.base_irr)
        self.head.setText(
            f"Equity IRR {base}. Each asset in turn is sold at once at its price, the cash used as the deal says; "
            "Enter shows it among the positions."
        )
        self.table.set_frame(_frame(done, self._issuers, currency))


def _left_out(model: Model, assumptions: Assumptions, report: Progress) -> LeftOut:
    return leave_out(model, assumptions, report=report)


def _frame(done: LeftOut | None, issuers: dict[str, str], currency: str) -> Frame:
    if done is None:
        return Frame(_COLUMNS, {column.name: [] for column in _COLUMNS}, key="asset_id", weight="par")
    data = {
        "asset_id": list(done.asset_ids),
        "issuer": [issuers.get(asset_id, "") for asset_id in done.asset_ids],
        "par": done.par,
        "price": done.price * 100.0,
        "irr": done.irr,
        "earned": done.earned * 1e4,
        "equity": done.whole.equity[0].sum() - done.without.equity.sum(axis=1),
    }
    return Frame(_COLUMNS, data, key="asset_id", weight="par", currency=currency)
