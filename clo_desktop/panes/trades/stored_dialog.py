"""The stored ideas of a deal: open one, rename or delete it, and see what changed in the pool since."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from PySide6.QtWidgets import QDialog, QDialogButtonBox, QInputDialog, QMessageBox, QVBoxLayout, QWidget

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.words import AttentionLabel, WrappedLabel, as_text
from clo_desktop.store import StoredIdea
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work.fingerprint import differences
from clo_desktop.work.history import moment
from clo_desktop.work.pad import Pad
from clo_desktop.work.seat import Seat
from engine.asset import Kind

_COLUMNS: Final = (
    Column("name", "Idea", Kind.TEXT.value, widest=220),
    Column("trades", "Trades", Kind.COUNT.value, total=Total.NONE),
    Column("shown", "Open", Kind.FLAG.value, tip="Whether the trade pad shows it"),
    Column("changed", "Changed", Kind.TEXT.value, tip="When it was changed last"),
    Column("pool", "Pool of", Kind.DATE.value, tip="Date of the pool on which its trades were changed last"),
    Column("since", "Pool since then", Kind.TEXT.value, tip="Whether the pool is the same still", widest=240),
    Column("author", "By", Kind.TEXT.value),
    Column("created", "Created", Kind.TEXT.value),
    Column("note", "Note", Kind.TEXT.value, widest=260),
    Column("key", "Key", Kind.TEXT.value),
)
_SHOWN: Final = tuple(c.name for c in _COLUMNS if c.name != "key")


def since(idea: StoredIdea, pad: Pad) -> tuple[str, ...]:
    """What changed in the open pool since the idea's trades were changed last."""
    return differences(idea.pool, pad.shelf.state())


def ideas_frame(ideas: tuple[StoredIdea, ...], pad: Pad | None) -> Frame:
    """The stored ideas as a table, the one changed last on top."""
    listed = sorted(ideas, key=lambda i: i.changed_at, reverse=True)
    data: dict[str, list[Any]] = {
        "name": [i.name for i in listed],
        "trades": [float(len(i.rows)) for i in listed],
        "shown": [i.is_open for i in listed],
        "changed": [moment(i.changed_at) for i in listed],
        "pool": [i.pool.as_of for i in listed],
        "since": ["; ".join(since(i, pad)) or "the same" if pad is not None else "" for i in listed],
        "author": [i.author for i in listed],
        "created": [moment(i.created_at) for i in listed],
        "note": [" ".join(i.note.split()) or None for i in listed],
        "key": [i.key for i in listed],
    }
    return Frame(_COLUMNS, data, key="key")


class StoredIdeasDialog(QDialog):
    """Lists what the workspace has; Enter opens the chosen idea."""

    def __init__(self, pad: Pad, deal: str, seat: Seat, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pad, self._deal, self._seat = pad, deal, seat
        self.setWindowTitle(f"Stored ideas – {deal}")
        self.table = FrameTable(
            ideas_frame((), None), name="Stored ideas", frozen=1, footer=False, sets={"Ideas": list(_SHOWN)}
        )
        self.table.set_empty(
            f"No idea is stored for {deal} yet. Ideas with trades or a note are stored by themselves as you type them."
        )
        self.told = WrappedLabel()
        self.told.setAccessibleName("What changed since the idea was made")
        self.fault = AttentionLabel()
        self.fault.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.open_button = self._button("Open", self.open_chosen, "")
        self.rename_button = self._button("Rename…", self.ask_name)
        self.delete_button = self._button("Delete…", self.ask_delete)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        column.addWidget(self.table, 1)
        column.addWidget(self.told)
        column.addWidget(self.fault)
        column.addWidget(self.buttons)
        self.resize(1060, 420)
        self.table.current_changed.connect(lambda _key: self._tell())
        self.table.row_activated.connect(lambda _key: self.open_chosen())
        pad.shelf.changed.connect(self.refresh)
        self.refresh()
        self.table.fit_columns()
        self.table.setFocus()

    def _button(self, words: str, act: Callable[[], object], needs: str = rights.KEEP) -> PermitButton:
        button = PermitButton(self._seat, needs, words)
        self.buttons.addButton(button, QDialogButtonBox.ButtonRole.ActionRole)
        button.setAutoDefault(False)
        button.clicked.connect(lambda _on=False: act())
        return button

    def refresh(self) -> None:
        """What is stored now."""
        self.table.set_frame(ideas_frame(self._pad.shelf.ideas(self._deal), self._pad))
        self._tell()

    def chosen(self) -> StoredIdea | None:
        key = self.table.current_key()
        return self._pad.shelf.idea(self._deal, key) if isinstance(key, str) else None

    def _tell(self) -> None:
        idea = self.chosen()
        for button in (self.open_button, self.rename_button, self.delete_button):
            button.setEnabled(idea is not None)
        if idea is None:
            self.told.setText("Choose an idea; Enter opens it in the pad." if len(self.table.frame) else "")
            return
        changes = since(idea, self._pad)
        same = "The pool is the same as when its trades were changed last: it gives the same figures."
        told = [f"{idea.name}. The pool since then:", *(f"• {c}" for c in changes)]
        self.told.setText("\n".join(told) if changes else f"{idea.name}. {same}")

    def open_chosen(self) -> None:
        """Shows the chosen idea in the pad."""
        idea = self.chosen()
        if idea is not None:
            self._pad.show_stored(idea.key)
            self.accept()

    def ask_name(self) -> None:
        """Asks for another name of the chosen idea."""
        idea = self.chosen()
        if idea is None:
            return
        name, sure = QInputDialog.getText(self, "Rename idea", "Name of the idea:", text=idea.name)
        if sure:
            self._guarded(lambda: self._pad.rename_stored(idea.key, name))

    def ask_delete(self) -> None:
        """Deletes the chosen idea when that is confirmed."""
        idea = self.chosen()
        if idea is not None and sure_to_delete(self, idea.name, len(idea.rows)):
            self._guarded(lambda: self._pad.delete_stored(idea.key))

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except Refused as refused:
            self.fault.setText(refused.message)
        else:
            self.fault.setText("")
        self.fault.setVisible(bool(self.fault.text()))


def sure_to_delete(parent: QWidget, name: str, trades: int) -> bool:
    """Whether an idea is to be deleted, which cannot be undone."""
    question = f"Delete {name} with its {formats.counted(trades, 'trade')}? That cannot be undone."
    return QMessageBox.question(parent, "Delete idea", as_text(question)) == QMessageBox.StandardButton.Yes
