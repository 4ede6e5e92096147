"""The rows of the trade pad as a table model: what is typed, what it means, what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from clo_desktop.look import formats
from clo_desktop.look.words import as_text
from clo_desktop.work.pad_rows import CELLS, Judged, Row, Seen, amount, price_of
from clo_desktop.work.trading import issue_of
from engine.trades import Side, side_of

Index = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
WRONG: Final = Qt.ItemDataRole.UserRole + 1
"""Role of what is wrong with a cell, "" for nothing."""

QUIET: Final = Qt.ItemDataRole.UserRole + 2
"""Role of whether a text is reckoned or a hint, not typed."""

TOLD: Final = ("issue", "held", "cash")
NAMES: Final = (*CELLS, *TOLD)
_TITLES: Final = ("Side", "Asset", "Par", "Price (% of par)", "Settlement", "Issue, or what to mend", "Held", "Cash")
_TIPS: Final = (
    "Buy or sell; b or s will do",
    "The asset's id, its issue, its issuer or the beginning of one",
    "In the deal's currency: 1500000, 1.5m or 250k",
    "Percent of par; a sale without a price is made at the asset's own price",
    "The day on which cash moves, such as 2026-03-31; blank: at once",
    "The asset that is meant, or what is wrong with the row; such a row is left out of the figures",
    "Par that the deal holds now, before the trades",
    "What the trade adds to the principal cash; accrued interest is not counted",
)
_RIGHT: Final = ("par", "price", "held", "cash")


class RowModel(QAbstractTableModel):
    """The rows, and below them one to type a further trade into.

    typed  carries the rows with the text of a cell that is left: a step
    """

    typed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Row, ...] = ()
        self._judged: Judged | None = None
        self._currency = ""

    # -- changes ------------------------------------------------------------------------------------------------------

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Other rows; rows come and go below the last, so that the cell one is in stays in its place."""
        made = tuple(rows)
        if made == self.rows:
            return
        more = len(made) - len(self.rows)
        if more > 0:
            self.beginInsertRows(_ROOT, len(self.rows) + 1, len(made))
        elif more < 0:
            self.beginRemoveRows(_ROOT, len(made) + 1, len(self.rows))
        self.rows = made
        if more > 0:
            self.endInsertRows()
        elif more < 0:
            self.endRemoveRows()
        self.dataChanged.emit(self.index(0, 0), self.index(len(made), len(NAMES) - 1))

    def set_judged(self, judged: Judged | None, currency: str) -> None:
        """What the rows mean, also while one of them is being typed."""
        self._judged = judged
        if currency != self._currency:
            self._currency = currency
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, 0, len(NAMES) - 1)
        self.dataChanged.emit(self.index(0, 0), self.index(len(self.rows), len(NAMES) - 1))

    def with_text(self, row: int, column: int, text: str) -> tuple[Row, ...]:
        """The rows with another text in a cell, the row below the last included."""
        rows = list(self.rows)
        while row >= len(rows):
            rows.append(Row())
        rows[row] = rows[row].put(NAMES[column], text)
        return tuple(rows)

    # -- Qt's questions -----------------------------------------------------------------------------------------------

    def rowCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows) + 1

    def columnCount(self, parent: Index = _ROOT) -> int:
        return 0 if parent.isValid() else len(NAMES)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row, name = index.row(), NAMES[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return self.text(row, name)
        if role == Qt.ItemDataRole.EditRole:
            return getattr(self.rows[row], name, "") if row < len(self.rows) else ""
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if name in _RIGHT else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == WRONG:
            return self.wrong(row, name)
        if role == QUIET:
            return name in TOLD or self._hint(row, name) != ""
        if role == Qt.ItemDataRole.ToolTipRole:
            return as_text(self.wrong(row, name) or (self.text(row, name) if name == "issue" else ""))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            wrong = self.wrong(row, name)
            return f"{self.title(index.column())}: {self.text(row, name) or 'blank'}" + (f". {wrong}" if wrong else "")
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        self.typed.emit(self.with_text(index.row(), index.column(), str(value)))
        return True

    def flags(self, index: Index) -> Qt.ItemFlag:
        plain = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
        return plain | Qt.ItemFlag.ItemIsEditable if index.column() < len(CELLS) else plain

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Vertical:
            if role == Qt.ItemDataRole.DisplayRole:
                return section + 1 if section < len(self.rows) else "+"
            return None
        if not 0 <= section < len(NAMES):
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.title(section)
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{self.title(section)}\n{_TIPS[section]}"
        return self._alignment(section) if role == Qt.ItemDataRole.TextAlignmentRole else None

    @staticmethod
    def _alignment(section: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignRight if NAMES[section] in _RIGHT else Qt.AlignmentFlag.AlignLeft
        return side | Qt.AlignmentFlag.AlignVCenter

    def title(self, column: int) -> str:
        money = NAMES[column] in ("par", "held", "cash") and self._currency
        return f"{_TITLES[column]} ({self._currency})" if money else _TITLES[column]

    # -- what a cell says ---------------------------------------------------------------------------------------------

    def seen(self, row: int) -> Seen:
        """What a row was understood as, as far as it is judged."""
        judged = self._judged
        return judged.seen[row] if judged is not None and row < len(judged.seen) else Seen()

    def wrong(self, row: int, name: str) -> str:
        """What is wrong with a cell."""
        problems: Mapping[str, str] = self.seen(row).problems
        if name == "issue":
            return next(iter(problems.values()), "")
        return problems.get(name, "")

    def text(self, row: int, name: str) -> str:
        """What a cell shows."""
        if name in TOLD:
            return self._told(row, name)
        typed = str(getattr(self.rows[row], name)) if row < len(self.rows) else ""
        if not typed.strip():
            return self._hint(row, name)
        if name == "side":
            side = side_of(typed)
            return typed if side is None else side.value.capitalize()
        if name in ("par", "price"):
            try:
                figure = amount(typed) if name == "par" else price_of(typed)
            except ValueError:
                return typed
            places = 0 if name == "par" and figure is not None and float(figure).is_integer() else 2
            return formats.figure(figure or 0.0, places if name == "par" else 3)
        return typed

    def _hint(self, row: int, name: str) -> str:
        """What stands in a blank cell: the price that a sale takes, or where to begin."""
        if row >= len(self.rows):
            return "Type an asset, or paste a list" if name == "asset" and not self.rows else ""
        judged = self._judged
        fill = judged.fills.get(row) if judged is not None else None
        if name == "price" and fill is not None and fill.at_mark and not self.rows[row].price.strip():
            return f"mark {formats.text('price', fill.price)}"
        return ""

    def _told(self, row: int, name: str) -> str:
        judged = self._judged
        seen = self.seen(row)
        if judged is None or row >= len(judged.seen):
            return ""
        if name == "issue":
            problem = self.wrong(row, name)
            named = issue_of(seen.asset) if seen.asset is not None else ""
            return f"■ {problem}" if problem else named
        figure = self._figure(row, name)
        return "" if figure is None else formats.text("money", figure)

    def _figure(self, row: int, name: str) -> float | None:
        """What is held of a row's asset, or the cash of its trade."""
        judged, asset = self._judged, self.seen(row).asset
        if judged is None or asset is None:
            return None
        if name == "held":
            return float(judged.trader.par[judged.trader.place(asset.asset_id)])
        fill = judged.fills.get(row)
        return None if fill is None else fill.cash

    def exact(self, row: int, name: str) -> str:
        """What is told of a row, at full precision, for the clipboard."""
        return self._told(row, name) if name == "issue" else formats.plain("money", self._figure(row, name))

    @property
    def currency(self) -> str:
        return self._currency

    def side(self, row: int) -> Side | None:
        """The side of a sound row."""
        trade = self.seen(row).trade
        return trade.side if trade is not None else None
