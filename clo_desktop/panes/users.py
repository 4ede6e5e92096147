"""Users: the people of the shared server, what each may do with which deals, and their administration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from clo_desktop.look.flow import Flow
from clo_desktop.look.layouts import stacked, strip
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel
from clo_desktop.store.server.people import Person
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.register import Listed, Register
from clo_desktop.work.session import Session
from engine.asset import Kind

_COLUMNS: Final = (
    Column("email", "E-mail", Kind.TEXT.value, tip="What the person signs in with"),
    Column("name", "Name", Kind.TEXT.value),
    Column("role", "Role", Kind.TEXT.value, tip="viewer reads; analyst also runs; manager also changes; admin manages"),
    Column("active", "Active", Kind.TEXT.value, tip="Whether the person may sign in"),
    Column("sessions", "Sessions", Kind.COUNT.value, tip="Connections that are open now; a window has one to four"),
    Column("writes", "Changes", Kind.TEXT.value, tip="Deals assigned for reading and changing"),
    Column("reads", "Reads", Kind.TEXT.value, tip="Deals assigned for reading only"),
)

_MEANS: Final = {
    "viewer": "reads the assigned deals",
    "analyst": "reads the assigned deals and runs projections",
    "manager": "reads the assigned deals, runs projections, and changes those assigned for writing",
    "admin": "may do everything with every deal, manages people and reads the audit",
}

_BUTTONS: Final = (
    ("role", "Role…", "Another role; it acts at once, on open windows too"),
    ("deals", "Deals…", "Which deals the person may read or change"),
    ("deactivate", "Deactivate…", "Shut the person out at once; open sessions end"),
    ("activate", "Activate", "Let the person in again, with the role and the deals of before"),
    ("reset", "Reset password…", "A new initial password for someone who forgot theirs"),
    ("unlock", "Unlock", "Lift the lock that wrong passwords caused"),
    ("sessions", "End sessions…", "End what the person has open; they may sign in again"),
)


def people_frame(listed: Listed) -> Frame:
    """The people as a table."""
    people = listed.people
    data: dict[str, list[Any]] = {
        "email": [p.email for p in people],
        "name": [p.full_name or None for p in people],
        "role": [p.role for p in people],
        "active": ["Yes" if p.is_active else "No" for p in people],
        "sessions": [float(listed.sessions[p.email]) for p in people],
        "writes": ["all" if p.role == "admin" else _deals(p, "write") for p in people],
        "reads": [None if p.role == "admin" else _deals(p, "read") for p in people],
    }
    return Frame(_COLUMNS, data, key="email")


def _deals(person: Person, access: str) -> str | None:
    return ", ".join(deal for deal, right in person.deals if right == access) or None


class UsersPane(QWidget):
    """The people, and below them the chosen one with a button for everything that can be done.

    acts  by the words of the buttons, and "new"; each gets the chosen person's e-mail address
    """

    def __init__(
        self,
        session: Session,
        register: Register,
        acts: Mapping[str, Callable[[str], object]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._register = register
        self.table = FrameTable(people_frame(Listed()), name="Users", frozen=1, footer=False)
        self.head = WrappedLabel()
        self.head.setAccessibleName("Who is registered")
        self.refreshing = PermitButton(session.seat, rights.MANAGE, "Refresh")
        self.refreshing.setToolTip("Read people and sessions anew")
        self.refreshing.clicked.connect(register.refresh)
        self.new = PermitButton(session.seat, rights.MANAGE, "New person…")
        self.new.setToolTip("Register someone who may sign in")
        self.new.clicked.connect(lambda: acts["new"](""))
        self.said = WrappedLabel()
        self.said.setAccessibleName("The chosen person")
        self.buttons: dict[str, QPushButton] = {}
        row = Flow()
        for name, words, tip in _BUTTONS:
            button = PermitButton(session.seat, rights.MANAGE, words)
            button.setToolTip(tip)
            button.clicked.connect(lambda _on=False, act=acts[name]: act(self.chosen))
            self.buttons[name] = button
            row.addWidget(button)
        drawer = QWidget()
        column = QVBoxLayout(drawer)
        column.setContentsMargins(GRID, GRID, GRID, GRID)
        column.setSpacing(GRID)
        column.addWidget(self.said)
        column.addLayout(row)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        upper = QWidget()
        stacked(upper, strip(self.head, self.refreshing, self.new), self.table)
        whole.addWidget(upper, 1)
        whole.addWidget(drawer)
        self.setFocusProxy(self.table)
        register.changed.connect(self._show)
        self.table.current_changed.connect(lambda _key: self._tell())
        self.table.row_activated.connect(lambda key: acts["deals"](str(key)))
        self._show()

    @property
    def chosen(self) -> str:
        """The e-mail address of the chosen person; empty for nobody."""
        key = self.table.current_key()
        return key if isinstance(key, str) else ""

    def _show(self) -> None:
        listed, mine = self._register.listed, self._register.is_mine
        who = self._session.seat.membership
        if who is None:
            self.table.set_empty("People are registered on a shared server. File > Open server signs in to one.")
        elif not mine:
            self.table.set_empty("Only administrators see and manage people; ask one.")
        else:
            self.table.set_empty("The people are being read.")
        current = self.chosen
        self.table.set_frame(people_frame(listed))
        if current:
            self.table.select_keys([current])
        active = sum(p.is_active for p in listed.people)
        self.head.setText(
            f"{who.name}: {len(listed.people)} registered, {active} active." if who is not None and mine else ""
        )
        for widget in (self.new, self.refreshing):
            widget.setEnabled(mine)
        self._tell()

    def _tell(self) -> None:
        person = self._register.listed.find(self.chosen)
        me = self._session.seat.person
        myself = person is not None and me is not None and person.email == me.email
        for name, button in self.buttons.items():
            button.setVisible(person is not None)
            button.setEnabled(not myself or name == "deals")
        if person is None:
            self.said.setText("Choose a person to see and change what they may do." if self._register.is_mine else "")
            return
        self.buttons["activate"].setVisible(not person.is_active)
        for name in ("deactivate", "unlock", "sessions"):
            self.buttons[name].setVisible(person.is_active)
        self.buttons["deals"].setVisible(person.role != "admin")
        name = f"{person.full_name} ({person.email})" if person.full_name else person.email
        state = "" if person.is_active else " Deactivated: may not sign in."
        mine = " That is you: another administrator changes your role and lets you in or out." if myself else ""
        self.said.setText(f"{name} is {person.role} and {_MEANS[person.role]}.{state}{mine}")
