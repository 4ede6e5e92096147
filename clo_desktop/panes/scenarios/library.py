"""The library of scenarios: find one, open it on the levers, save what the levers say, lock, tag, delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from clo_desktop.faults import Refused
from clo_desktop.look import formats
from clo_desktop.look.flow import Flow
from clo_desktop.look.permits import PermitButton
from clo_desktop.look.tokens import GRID
from clo_desktop.look.words import WrappedLabel, as_text
from clo_desktop.panes.scenarios.tab import NARROWEST
from clo_desktop.progress import Progress
from clo_desktop.tables.frame import Column, Frame, Total
from clo_desktop.tables.view import FrameTable
from clo_desktop.work import rights
from clo_desktop.work import scenario_library as library
from clo_desktop.work.desk import Desk
from clo_desktop.work.scenario_library import Entry
from clo_desktop.work.session import Session

_COLUMNS: Final = (
    Column("name", "Scenario", "text", total=Total.NONE),
    Column("state", "State", "text", total=Total.NONE, tip="Ships with the application, or its version and lock"),
    Column("tags", "Tags", "text", total=Total.NONE),
    Column("owner", "Owner", "text", total=Total.NONE, tip="Who saved the first version"),
    Column("saved", "Last saved", "text", total=Total.NONE, tip="When (UTC) and by whom"),
    Column("note", "Note", "text", total=Total.NONE, tip="Of the newest version"),
)
_PAUSE: Final = 120  # ms after the last key before the list follows the search


class LibraryTab(QWidget):
    """Search above, the list, and what the scenario in its row says; Enter opens it on the levers.

    opened  put the levers to this scenario (an Entry)
    run     run the open deal under it (an Entry)
    """

    opened = Signal(object)
    run = Signal(object)
    title = "Library"

    def __init__(self, session: Session, text: Callable[[str], str], parent: QWidget | None = None) -> None:
        """`text`: what the levers say as a scenario file with that title; raises Refused or ValueError."""
        super().__init__(parent)
        self._session, self._text = session, text
        self.entries: tuple[Entry, ...] = ()
        self.open_name = ""  # of the scenario that the levers were put to last
        self.search = QLineEdit()
        self.search.setPlaceholderText("Search name, tags, note, owner")
        self.search.setAccessibleName("Search the library")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(NARROWEST)
        self.table = FrameTable(_frame(()), name="Library of scenarios", frozen=1, filters=False, footer=False)
        self.table.set_empty("No scenario is found. Clear the search, or put the levers somewhere and press Save as…")
        self.says = QPlainTextEdit()
        self.says.setReadOnly(True)
        self.says.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.says.setAccessibleName("What the scenario says")
        self.state = WrappedLabel()
        self.state.setContentsMargins(GRID, GRID // 2, GRID, GRID // 2)
        self.state.setAccessibleName("State of the library")
        self.buttons: dict[str, QPushButton] = {}
        self._build()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE)
        self._pause.timeout.connect(self.refresh)
        self.search.textChanged.connect(lambda _text: self._pause.start())
        self.table.row_activated.connect(lambda _key: self._open())
        self.table.current_changed.connect(lambda *_: self._show())
        session.deals_changed.connect(self.refresh)
        self.setFocusProxy(self.search)

    def _build(self) -> None:
        acts: tuple[tuple[str, str, Callable[[], object], str], ...] = (
            ("Open", "Put the levers to the scenario of the row (Enter)", self._open, ""),
            ("Run", "Run the open deal under the scenario of the row", self._run, rights.RUN),
            ("Save", "Save what the levers say as a new version of the scenario that is open", self._save, rights.KEEP),
            ("Save as…", "Save what the levers say under another name", self._save_as, rights.KEEP),
            ("Lock", "Nobody changes it until it is unlocked", self._lock, rights.KEEP),
            ("Tags…", "Words by which it is found", self._tag, rights.KEEP),
            ("Delete…", "Delete the scenario with all its versions", self._delete, rights.KEEP),
        )
        strip = QHBoxLayout()
        strip.setContentsMargins(GRID, GRID, GRID, GRID // 2)
        strip.setSpacing(GRID // 2)
        label = QLabel("Search")
        label.setBuddy(self.search)
        strip.addWidget(label)
        strip.addWidget(self.search, 1)
        row = Flow()
        row.setContentsMargins(GRID, 0, GRID, GRID // 2)
        for words, tip, act, needs in acts:
            button = PermitButton(self._session.seat, needs, words, tip)
            button.clicked.connect(lambda _checked=False, act=act: self._guarded(act))
            row.addWidget(button)
            self.buttons[words.rstrip("…")] = button
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(self.table)
        split.addWidget(self.says)
        split.setSizes([340, 200])
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(strip)
        column.addLayout(row)
        column.addWidget(self.state)
        column.addWidget(split, 1)
        self.state.hide()

    # -- the list -------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Lists the library anew, as the search says."""
        if self._session.desk is None:
            return
        search = self.search.text()
        self._session.ask(
            "List scenarios", lambda desk, _report: library.listed(desk.store, search), self._listed, quiet=True
        )

    def _listed(self, found: tuple[Entry, ...]) -> None:
        chosen = self.table.current_key()
        self.entries = found
        self.table.set_frame(_frame(found))
        self.table.fit_columns()
        if chosen in {entry.name for entry in found}:
            self.table.select_keys([chosen])
        elif found:
            self.table.select_keys([found[0].name])
        self._show()

    @property
    def entry(self) -> Entry | None:
        """The scenario of the current row."""
        key = self.table.current_key()
        return next((entry for entry in self.entries if entry.name == key), None)

    def _show(self) -> None:
        """What the scenario of the row says, and what may be done with it."""
        entry = self.entry
        self.says.setPlainText("" if entry is None else library.told(entry))
        own = entry is not None and not entry.shipped
        person = self._session.seat.person
        if own and entry is not None and person is not None and entry.owner != person.email:
            own = False  # a shared server lets its owner change it, and nobody else
        locked = entry is not None and entry.locked_by is not None
        for name in ("Open", "Run"):
            self.buttons[name].setEnabled(entry is not None)
        self.buttons["Lock"].setEnabled(own)
        self.buttons["Lock"].setText("Unlock" if locked else "Lock")
        for name in ("Tags", "Delete"):
            self.buttons[name].setEnabled(own and not locked)
        self.buttons["Save"].setEnabled(bool(self.open_name))

    # -- what is done with one ------------------------------------------------------------------------------------

    def _guarded(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (Refused, ValueError) as error:
            self._say(str(error))

    def _say(self, words: str) -> None:
        self.state.setText(words)
        self.state.setVisible(bool(words))

    def _needed(self) -> Entry:
        if self.entry is None:
            raise Refused("Choose a scenario in the list first.")
        return self.entry

    def _open(self) -> None:
        entry = self._needed()
        self.opened.emit(entry)

    def took(self, entry: Entry) -> None:
        """The levers stand at this scenario now; Save makes a new version of it."""
        self.open_name = "" if entry.shipped else entry.name
        self._say(f"{entry.name} is on the levers." + (" It ships: save changes under another name." * entry.shipped))
        self._show()

    def _run(self) -> None:
        self.run.emit(self._needed())

    def _save(self) -> None:
        self.save(self.open_name)

    def _save_as(self) -> None:
        name, sure = QInputDialog.getText(self, "Save scenario", "Name of the scenario:", text=self.open_name)
        if not sure:
            return
        fit = library.check_name(name)
        known = next((entry for entry in self.entries if entry.name.casefold() == fit.casefold()), None)
        if known is not None and known.name != self.open_name:
            question = f"{known.name} is there already. Save this as its version {known.versions + 1}?"
            if QMessageBox.question(self, "Save scenario", as_text(question)) != QMessageBox.StandardButton.Yes:
                return
        self.save(fit)

    def save(self, name: str) -> None:
        """Saves what the levers say under this name. Raises Refused for a name or assumptions that cannot be."""
        fit = library.check_name(name)
        text = self._text(fit)

        def done(entry: Entry) -> None:
            self.open_name = entry.name
            self._changed(f"{entry.name} was saved as version {entry.version}.", entry.name)

        self._session.ask(f"Save {fit}", lambda desk, _report: library.save(desk.store, fit, text), done)

    def _lock(self) -> None:
        entry = self._needed()
        unlocks = entry.locked_by is not None

        def work(desk: Desk, _report: Progress) -> object:
            verb = desk.store.unlock_scenario if unlocks else desk.store.lock_scenario
            return library.change(desk.store, entry.name, lambda name: verb(name, desk.store.person))

        said = f"{entry.name} is unlocked." if unlocks else f"{entry.name} is locked; nobody changes it."
        self._session.ask(f"Lock {entry.name}", work, lambda _left: self._changed(said, entry.name))

    def _tag(self) -> None:
        entry = self._needed()
        words, sure = QInputDialog.getText(
            self, "Tags", as_text(f"Tags of {entry.name}, with commas between:"), text=", ".join(entry.tags)
        )
        if sure:
            self.tag(entry.name, words.split(","))

    def tag(self, name: str, tags: Sequence[str]) -> None:
        """Gives a scenario these tags and no others."""
        fit = library.check_tags(tags)
        self._session.ask(
            f"Tag {name}",
            lambda desk, _report: library.change(desk.store, name, lambda of: desk.store.tag_scenario(of, fit)),
            lambda _left: self._changed(f"The tags of {name} are: {', '.join(fit) or 'none'}.", name),
        )

    def _delete(self) -> None:
        entry = self._needed()
        versions = formats.counted(entry.versions, "version")
        question = f"Delete {entry.name} with {versions} from the library? This cannot be undone."
        if QMessageBox.question(self, "Delete scenario", as_text(question)) == QMessageBox.StandardButton.Yes:
            self.delete(entry.name)

    def delete(self, name: str) -> None:
        """Deletes a scenario with all its versions."""

        def done(_left: object) -> None:
            self.open_name = "" if self.open_name == name else self.open_name
            self._changed(f"{name} was deleted.", "")

        self._session.ask(
            f"Delete {name}", lambda desk, _report: library.change(desk.store, name, desk.store.delete_scenario), done
        )

    def _changed(self, words: str, chosen: str) -> None:
        self._say(words)
        if chosen:
            self.table.select_keys([chosen])
        self.refresh()


def _frame(found: Sequence[Entry]) -> Frame:
    data: dict[str, list[Any]] = {
        "name": [entry.name for entry in found],
        "state": [library.state(entry) for entry in found],
        "tags": [", ".join(entry.tags) for entry in found],
        "owner": [entry.owner for entry in found],
        "saved": [_saved(entry) for entry in found],
        "note": [entry.note for entry in found],
    }
    return Frame(_COLUMNS, data, key="name")


def _saved(entry: Entry) -> str:
    return "" if entry.saved_at is None else f"{entry.saved_at:%Y-%m-%d %H:%M} by {entry.saved_by}"
