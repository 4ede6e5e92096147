"""The column chooser: a small panel to search, tick and untick columns. It applies at once and is never modal."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFrame, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from clo_desktop.look.tokens import GRID
from clo_desktop.tables.frame import Column


class ColumnChooser(QFrame):
    """Lists columns with a tick each; `choose` is called with the names that are ticked, in the table's order."""

    def __init__(
        self,
        columns: Iterable[Column],
        shown: Iterable[str],
        choose: Callable[[list[str]], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName("Columns")
        self._choose = choose
        self.search = QLineEdit()
        self.search.setPlaceholderText("Find a column")
        self.search.setAccessibleName("Find a column")
        self.list = QListWidget()
        self.list.setAccessibleName("Columns, ticked where shown")
        self.list.setUniformItemSizes(True)
        ticked = set(shown)
        for column in columns:
            item = QListWidgetItem(column.title)
            item.setData(Qt.ItemDataRole.UserRole, column.name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Checked if column.name in ticked else Qt.CheckState.Unchecked)
            self.list.addItem(item)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.addWidget(self.search)
        layout.addWidget(self.list)
        self.search.textChanged.connect(self._find)
        self.list.itemChanged.connect(self._ticked)
        self.resize(280, 420)

    def open_at(self, where: QPoint) -> None:
        """Show it at a place on the screen."""
        self.move(where)
        self.show()
        self.search.setFocus()

    def _items(self) -> list[QListWidgetItem]:
        return [self.list.item(i) for i in range(self.list.count())]

    def _find(self, text: str) -> None:
        word = text.strip().casefold()
        for item in self._items():
            item.setHidden(word not in item.text().casefold())

    def _ticked(self, changed: QListWidgetItem) -> None:
        names = [i.data(Qt.ItemDataRole.UserRole) for i in self._items() if i.checkState() == Qt.CheckState.Checked]
        if names:
            self._choose(names)
        else:
            # a table without columns could not be got back from
            changed.setCheckState(Qt.CheckState.Checked)
