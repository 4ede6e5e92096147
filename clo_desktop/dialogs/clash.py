"""Two people changed the same cells of a deal: whose values are kept, cell by cell; nothing is chosen beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QRadioButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.look import formats
from clo_desktop.look.words import WrappedLabel
from clo_desktop.store.merge import Clash, Clashing, Place, Side
from clo_desktop.store.sync.copies import Deleted
from engine.asset import COLUMN_BY_NAME

_HEADS: Final = ("Cell", "Before", "Mine", "Theirs")
_SIDES: Final = {2: Side.MINE, 3: Side.THEIRS}


class ClashDialog(QDialog):
    """Every cell that both changed, with both values to choose from. `choices` says what was chosen.

    waits  whether the change is kept and asked about again where nothing is chosen; else it is dropped then
    """

    def __init__(
        self, clashing: Clashing, currency: str, parent: QWidget | None = None, *, waits: bool = False
    ) -> None:
        super().__init__(parent)
        self._clashes = clashing.clashes
        self.setWindowTitle(f"Changed by someone else – {clashing.deal}")
        count = formats.counted(len(self._clashes), "cell")
        told = WrappedLabel()
        told.setText(
            clashing.message
            if isinstance(clashing, Deleted)
            else f"Someone else stored another value in {count} that you changed too. Choose whose value to keep; your "
            "other changes are kept either way, and nothing is stored until you press Store."
        )
        self.table = QTableWidget(len(self._clashes), len(_HEADS))
        self.table.setAccessibleName("Cells that both changed")
        self.table.setHorizontalHeaderLabels(list(_HEADS))
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._groups: list[QButtonGroup] = []
        for row, clash in enumerate(self._clashes):
            self._fill(row, clash, currency)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(True)
        self.buttons = QDialogButtonBox()
        self.store = self.buttons.addButton("Store", QDialogButtonBox.ButtonRole.AcceptRole)
        self.buttons.addButton("Later" if waits else "Drop my change", QDialogButtonBox.ButtonRole.RejectRole)
        self.mine = self.buttons.addButton("All mine", QDialogButtonBox.ButtonRole.ActionRole)
        self.theirs = self.buttons.addButton("All theirs", QDialogButtonBox.ButtonRole.ActionRole)
        self.mine.clicked.connect(lambda: self._all(Side.MINE))
        self.theirs.clicked.connect(lambda: self._all(Side.THEIRS))
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        layout.addWidget(told)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.buttons)
        self.resize(760, 320)
        self._chosen()

    def _fill(self, row: int, clash: Clash, currency: str) -> None:
        self.table.setItem(row, 0, QTableWidgetItem(named(clash.place, currency)))
        self.table.setItem(row, 1, QTableWidgetItem(shown(clash.place, clash.base)))
        group = QButtonGroup(self.table)
        for column, value in ((2, clash.mine), (3, clash.theirs)):
            button = QRadioButton(shown(clash.place, value).replace("&", "&&"))
            button.setAccessibleName(f"{named(clash.place, currency)}, {_HEADS[column]}: {button.text()}")
            button.toggled.connect(self._chosen)
            group.addButton(button, column)
            holder = QWidget()
            inside = QHBoxLayout(holder)
            inside.setContentsMargins(8, 0, 8, 0)
            inside.addWidget(button)
            self.table.setCellWidget(row, column, holder)
        self._groups.append(group)

    @property
    def choices(self) -> Mapping[Place, Side]:
        """Whose value is kept, of the cells a choice was made for."""
        return {
            clash.place: _SIDES[group.checkedId()]
            for clash, group in zip(self._clashes, self._groups, strict=True)
            if group.checkedId() in _SIDES
        }

    def choose(self, row: int, side: Side) -> None:
        """As a click on one side of a row."""
        column = next(c for c, s in _SIDES.items() if s is side)
        self._groups[row].button(column).setChecked(True)

    def _all(self, side: Side) -> None:
        for row in range(len(self._groups)):
            self.choose(row, side)

    def _chosen(self) -> None:
        left = len(self._clashes) - len(self.choices) if len(self._groups) == len(self._clashes) else 1
        self.store.setEnabled(not left)
        self.store.setToolTip("" if not left else f"{formats.counted(left, 'cell')} to choose still")


def _kind(place: Place) -> tuple[str, str] | None:
    """Title and kind of a cell of a position."""
    if place.table == "assets" and place.column in COLUMN_BY_NAME:
        column = COLUMN_BY_NAME[place.column]
        return column.title, column.kind.value
    return ("Par", "money") if place.table == "holdings" and place.column == "par" else None


def named(place: Place, currency: str) -> str:
    """The cell as a person calls it: the asset's column by its header, with the unit."""
    known = _kind(place)
    return str(place) if known is None else f"{place.key[0]} · {formats.header(*known, currency)}"


def shown(place: Place, value: Any) -> str:
    """A value as the tables show it; a whole row in words."""
    known = _kind(place)
    if known is not None:
        return formats.text(known[1], value)
    if place.column is None:
        if value is None:
            return "taken out"
        return ", ".join(f"{name.replace('_', ' ')} {part}" for name, part in value.items() if part is not None)
    return formats.MISSING if value is None else str(value)
