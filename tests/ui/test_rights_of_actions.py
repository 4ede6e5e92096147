"""Every action of every pane is known: what changes something needs a right, and who lacks it reads why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QAbstractButton, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.look.permits import NEEDS
from clo_desktop.panes.trades.stored_dialog import StoredIdeasDialog
from clo_desktop.store.server.people import Person
from clo_desktop.window import Window
from clo_desktop.work import rights
from clo_desktop.work.pad_rows import Row

PEOPLE: Final = {
    "viewer": Person("vic@desk.example", "", "viewer", True, ((DEMO_DEAL, "read"),)),
    "analyst": Person("ann@desk.example", "", "analyst", True, ((DEMO_DEAL, "read"),)),
    "reading manager": Person("max@desk.example", "", "manager", True, ((DEMO_DEAL, "read"),)),
    "manager": Person("mia@desk.example", "", "manager", True, ((DEMO_DEAL, "write"),)),
    "admin": Person("eve@desk.example", "", "admin", True, ()),
    "nobody any more": Person("old@desk.example", "", "manager", False, ()),
}
MAY: Final = {
    "viewer": set(),
    "analyst": {rights.RUN, rights.KEEP},
    "reading manager": {rights.RUN, rights.KEEP, rights.IMPORT},
    "manager": {rights.RUN, rights.KEEP, rights.IMPORT, rights.WRITE},
    "admin": {rights.RUN, rights.KEEP, rights.IMPORT, rights.WRITE, rights.MANAGE, rights.AUDIT},
    "nobody any more": set(),
}


HARMLESS: Final = {
    "cashflows": {"Close", "Copy list", "Export...", "Open in Waterfall"},
    "collateral": {"Close", "Show all positions"},
    "compliance": {
        "Cancel",
        "Export...",
        "Look ahead",
        "Search",
        "Show all of the population",
        "Show the rows that count",
    },
    "health": {"Look again"},
    "imports": {"Open workbook"},
    "inbox": {"Show asset"},
    "matrix": {"Copy table", "Show the published example"},
    "run": {"Cancel"},
    "scenarios": {"Copy", "Deal's own", "Export...", "Forget kept", "Keep", "Open"},
    "trades": {
        *(
            "Add trade",
            "Cancel",
            "Copy all",
            "Delete…",
            "Duplicate",
            "Export CSV…",
            "Export...",
            "Ideas",
            "Import CSV…",
        ),
        *("Judge in every deal", "Largest size that passes", "List", "New", "Project", "Rank", "Reckon", "Redo"),
        *("Remove", "Rows that count after", "Stored ideas…", "Undo"),
    },
}
"""What changes nothing that is stored: it reads, copies, or moves something in this window only."""

_CHIP: Final = re.compile(r".* \d+$")  # which rows of a table are shown


def of_panes(window: Window) -> dict[str, QAbstractButton | QAction]:
    """The buttons of the panes, and the entries of their menus, by pane and words."""
    found: dict[str, QAbstractButton | QAction] = {}
    for name, dock in window.docks.items():
        pane = dock.widget()
        assert pane is not None
        for button in pane.findChildren(QAbstractButton):
            if button.text() and isinstance(button, QPushButton | QToolButton):
                found[f"{name}: {button.text()}"] = button
        for action in pane.findChildren(QAction):
            if action.text() and not action.isSeparator():
                found[f"{name}: {action.text()}"] = action
    return found


def test_that_every_action_is_harmless_or_says_which_right_it_needs(harbor: Window) -> None:
    unknown = [
        name
        for name, what in of_panes(harbor).items()
        if not what.property(NEEDS)
        and not _CHIP.fullmatch(name)
        and name.split(": ")[1] not in HARMLESS[name.split(":")[0]]
    ]
    assert unknown == []


def test_that_each_role_is_offered_what_it_may_and_reads_why_of_the_rest(harbor: Window, qtbot: QtBot) -> None:
    seat, everything = harbor.session.seat, of_panes(harbor)
    everything |= {f"command: {name}": action for name, action in harbor.actions_by_id.items()}
    with_right = {name: what for name, what in everything.items() if what.property(NEEDS)}
    free = {name for name, what in with_right.items() if what.isEnabled()}
    assert len(with_right) > 40
    for role, person in PEOPLE.items():
        seat.knows(person)
        for name, what in with_right.items():
            why = rights.why_not(person, what.property(NEEDS), DEMO_DEAL)
            assert bool(why) == (what.property(NEEDS) not in MAY[role]), (role, name)
            if why:
                assert not what.isEnabled(), (role, name)
                assert what.toolTip() == why, (role, name)
                assert why.endswith(".")
            else:
                assert what.isEnabled() == (name in free), (role, name)
                assert "ask an administrator" not in what.toolTip(), (role, name)
        model = harbor.collateral.table.model
        cell = model.index(0, harbor.collateral.table.frame.index["market_value"])
        editable = bool(model.flags(cell) & Qt.ItemFlag.ItemIsEditable)
        assert editable == (rights.WRITE in MAY[role]), role
    seat.knows(None)
    assert {name for name, what in with_right.items() if what.isEnabled()} == free


def test_that_a_viewer_tries_trades_that_nobody_has_to_store(harbor: Window, qtbot: QtBot) -> None:
    pad = harbor.trades.pad
    qtbot.waitUntil(lambda: pad.shelf.loaded(DEMO_DEAL), timeout=10_000)
    harbor.session.seat.knows(PEOPLE["viewer"])
    pad.put([Row("Buy", "HBR000001", "1000000", "99.5", "")])
    qtbot.waitUntil(lambda: harbor.session.lanes.idle, timeout=20_000)
    desk = harbor.session.desk
    assert desk is not None
    assert pad.rows
    assert pad.shelf.unsaved == 0
    assert desk.store.ideas(DEMO_DEAL) == ()
    assert "only analysts, managers and administrators store ideas" in harbor.trades.since.text()
    dialog = StoredIdeasDialog(pad, DEMO_DEAL, harbor.session.seat, harbor)
    dialog.table.select_keys([pad.shelf.ideas(DEMO_DEAL)[0].key])
    qtbot.waitUntil(dialog.open_button.isEnabled)
    for button in (dialog.rename_button, dialog.delete_button):
        assert not button.isEnabled()
        assert "store ideas" in button.toolTip()
    dialog.close()


def test_that_a_scenario_of_somebody_else_is_not_offered_for_change(harbor: Window, qtbot: QtBot) -> None:
    tab = harbor.scenarios.library
    tab.refresh()
    qtbot.waitUntil(lambda: harbor.session.lanes.idle and bool(tab.entries), timeout=20_000)
    mine = replace(tab.entries[0], name="Mine", shipped=False, owner="ann@desk.example")
    other = replace(mine, name="Other", owner="mia@desk.example")
    harbor.session.seat.knows(PEOPLE["analyst"])
    tab._listed((mine, other))
    for name, may in (("Mine", True), ("Other", False)):
        tab.table.select_keys([name])
        qtbot.waitUntil(lambda may=may: tab.buttons["Lock"].isEnabled() == may)
        assert [tab.buttons[button].isEnabled() for button in ("Tags", "Delete")] == [may, may]
