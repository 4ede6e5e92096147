"""Dialogs about one person of a shared server: a new one, the role, the deals, and the initial password."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.dialogs.asking import AskingDialog
from clo_desktop.faults import Refused
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import AttentionLabel, WrappedLabel
from clo_desktop.store.server.people import Person

_ROLES: Final = {
    "viewer": "viewer: reads",
    "analyst": "analyst: also runs projections",
    "manager": "manager: also changes assigned deals and imports",
    "admin": "admin: every deal, people and audit",
}
_RIGHTS: Final = {None: "none", "read": "reads", "write": "reads and changes"}


def _roles(current: str) -> QComboBox:
    made = QComboBox()
    made.setAccessibleName("Role")
    for role, words in _ROLES.items():
        made.addItem(words, role)
    made.setCurrentIndex(list(_ROLES).index(current))
    return made


class NewPersonDialog(AskingDialog):
    """Asks for e-mail address, name and role. `take` gets them."""

    def __init__(self, take: Callable[[str, str, str], object], parent: QWidget | None = None) -> None:
        words = "The person gets an initial password, which is shown once after this, and no deals yet."
        super().__init__("New person", words, "Register", parent)
        self._take = take
        self.email = QLineEdit()
        self.email.setAccessibleName("E-mail")
        self.email.setPlaceholderText("name@firm.com")
        self.full_name = QLineEdit()
        self.full_name.setAccessibleName("Full name")
        self.role = _roles("viewer")
        self.add_row("&E-mail", self.email)
        self.add_row("Full &name", self.full_name)
        self.add_row("&Role", self.role)
        self.resize(440, self.sizeHint().height())

    def ask(self) -> None:
        email = self.email.text().strip().lower()
        name, _, host = email.partition("@")
        if not name or "." not in host or " " in email:
            raise Refused("Type the person's e-mail address; it is what they sign in with.")
        self._take(email, self.full_name.text().strip(), str(self.role.currentData()))
        self.done_well()


class RoleDialog(AskingDialog):
    """Asks for another role. `take` gets it."""

    def __init__(self, person: Person, take: Callable[[str], object], parent: QWidget | None = None) -> None:
        words = f"{person.full_name or person.email} is {person.role}. Another role acts at once, on open windows too."
        super().__init__("Role", words, "Change", parent)
        self._take = take
        self._was = person.role
        self.role = _roles(person.role)
        self.add_row("&Role", self.role)
        self.resize(440, self.sizeHint().height())

    def ask(self) -> None:
        if self.role.currentData() != self._was:
            self._take(str(self.role.currentData()))
        self.done_well()


class DealsDialog(QDialog):
    """Every deal with the right that the person has on it. `take` gets those that were changed."""

    def __init__(
        self,
        person: Person,
        deals: Sequence[str],
        take: Callable[[dict[str, str | None]], object],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Deals")
        self._take = take
        self._had = dict(person.deals)
        name = person.full_name or person.email
        note = "" if person.role == "manager" else f" As {person.role}, {name} changes none, whatever stands here."
        words = WrappedLabel(f"What {name} may do with each deal.{note}")
        self.table = QTableWidget(len(deals), 2)
        self.table.setAccessibleName("Deals and rights")
        self.table.setHorizontalHeaderLabels(["Deal", "Right"])
        self.table.verticalHeader().hide()
        self.table.setShowGrid(False)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.rights: dict[str, QComboBox] = {}
        for row, deal in enumerate(deals):
            self.table.setItem(row, 0, QTableWidgetItem(deal))
            choice = QComboBox()
            choice.setAccessibleName(f"Right on {deal}")
            for access, said in _RIGHTS.items():
                choice.addItem(said, access)
            choice.setCurrentIndex(list(_RIGHTS).index(self._had.get(deal)))
            self.rights[deal] = choice
            self.table.setCellWidget(row, 1, choice)
        header = self.table.horizontalHeader()
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.table.setColumnWidth(1, 180)
        empty = WrappedLabel("There is no deal yet. Whoever imports one may change it at once.")
        empty.setVisible(not deals)
        self.table.setVisible(bool(deals))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.store = buttons.addButton("Assign", QDialogButtonBox.ButtonRole.AcceptRole)
        self.store.setEnabled(bool(deals))
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addWidget(words)
        layout.addWidget(self.table, 1)
        layout.addWidget(empty)
        layout.addWidget(buttons)
        self.resize(520, 360)

    @property
    def wanted(self) -> dict[str, str | None]:
        """What was changed: "read", "write" or (None) no more, by deal."""
        now = {deal: choice.currentData() for deal, choice in self.rights.items()}
        return {deal: access for deal, access in now.items() if access != self._had.get(deal)}

    def accept(self) -> None:
        if self.wanted:
            self._take(self.wanted)
        super().accept()


class InitialPasswordDialog(QDialog):
    """Shows an initial password, this once."""

    def __init__(self, email: str, password: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Initial password")
        words = WrappedLabel(
            f"{email} signs in with this password and changes it then (File > Change my password). Hand it over on "
            "a safe way."
        )
        self.password = QLineEdit(password)
        self.password.setReadOnly(True)
        self.password.setAccessibleName("Initial password")
        font = self.password.font()
        font.setFamilies(["monospace"])
        self.password.setFont(font)
        self.copying = QPushButton("&Copy")
        self.copying.clicked.connect(self._copy)
        row = QHBoxLayout()
        row.addWidget(self.password, 1)
        row.addWidget(self.copying)
        once = AttentionLabel("It is not shown again; a lost one is reset.")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID + GRID // 2)
        layout.addWidget(words)
        layout.addLayout(row)
        layout.addWidget(once)
        layout.addStretch()
        layout.addWidget(buttons)
        self.resize(480, self.sizeHint().height())
        self.password.selectAll()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.password.text())
        self.copying.setText("Copied")
