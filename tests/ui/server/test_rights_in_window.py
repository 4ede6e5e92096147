"""What each role is offered, and that the server decides whatever the window offers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from clo_desktop.commands import COMMANDS
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.dialogs.registrar import Registrar
from clo_desktop.faults import Refused
from clo_desktop.store.server.people import Person
from clo_desktop.window import Window
from clo_desktop.work import rights
from engine.assumptions import Assumptions
from engine.terms import Book
from tests.ui.server.conftest import Enter, Office, idle


def offered(window: Window) -> set[str]:
    """The commands of those that need a permission which may be chosen."""
    return {c.id for c in COMMANDS if c.needs and window.actions_by_id[c.id].isEnabled()}


def can_type(window: Window) -> bool:
    model = window.collateral.table.model
    column = window.collateral.table.frame.index["market_value"]
    return bool(model.flags(model.index(0, column)) & Qt.ItemFlag.ItemIsEditable)


def dearer(book: Book) -> Book:
    first = next(iter(book.assets))
    return replace(book, assets={**book.assets, first: replace(book.assets[first], market_value=12.5)})


def test_that_everything_is_offered_in_a_file() -> None:
    assert not any(rights.why_not(None, c.needs, "any") for c in COMMANDS)


def test_that_the_reason_names_who_may_or_how_to_get_the_right() -> None:
    mia = Person("mia@x.y", "", "manager", True, (("seen", "read"), ("mine", "write")))
    assert rights.why_not(mia, rights.WRITE, "mine") == ""
    assert "assign it to you for writing" in rights.why_not(mia, rights.WRITE, "seen")
    assert "only administrators manage users" in rights.why_not(mia, rights.MANAGE)
    assert rights.why_not(replace(mia, is_active=False), rights.READ) != ""
    assert rights.why_not(replace(mia, role="admin"), rights.WRITE, "foreign") == ""


def test_that_a_viewer_reads_only_and_is_told_why(enter: Enter, office: Office, qtbot: QtBot) -> None:
    window = enter("vic")
    session = window.session
    assert session.compliance is not None
    assert session.projection is None
    assert offered(window) == set()
    assert "only managers and administrators import" in window.actions_by_id["import"].toolTip()
    assert not can_type(window)
    assert not window.run_pane.run_button.isEnabled()
    assert "only analysts" in window.run_pane.state.text()
    assert not window.compliance.new_test.isEnabled()
    assert window.docks["users"].isHidden()
    said: list[str] = []
    session.refused.connect(said.append)
    window.collateral.table.grid.set_current(window.collateral.table.model.index(0, 3))
    window.collateral.editing.paste("12.5")
    qtbot.keyClick(window.collateral.table.grid, Qt.Key.Key_F2)
    session.change("try", dearer, lambda *_: None)
    idle(window, qtbot)
    assert len(said) == 3
    assert all("only managers and administrators change deals" in text for text in said)
    with pytest.raises(Refused, match="only analysts"):
        session.run(Assumptions())


@pytest.mark.parametrize("who", ["vic", "ann"])
def test_that_the_server_refuses_what_a_window_would_offer_by_mistake(enter: Enter, qtbot: QtBot, who: str) -> None:
    window = enter(who)
    session = window.session
    desk, book = session.desk, session.book
    assert desk is not None
    assert book is not None
    for attempt in (lambda: desk.edit(book, dearer(book)), lambda: desk.delete(DEMO_DEAL)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code in ("rights", "no-deal")
    assert desk.fresh(DEMO_DEAL).assets == book.assets


def test_that_an_analyst_runs_and_does_not_change(enter: Enter) -> None:
    window = enter("ann")
    assert window.session.projection is not None
    assert offered(window) == {"run", "trade.project", "scenario.import", "pack", "unpack", "tables"}
    assert not can_type(window)


def test_that_a_manager_changes_the_assigned_deal(enter: Enter, qtbot: QtBot) -> None:
    window = enter("mia")
    assert offered(window) == {c.id for c in COMMANDS if c.needs}
    assert can_type(window)
    window.session.change("price", dearer, lambda *_: None)
    idle(window, qtbot)
    assert window.session.book is not None
    assert next(iter(window.session.book.assets.values())).market_value == 12.5


def test_that_a_demotion_and_a_deal_taken_away_show_at_the_next_look(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    window = enter("mia")
    office.sql("UPDATE sec.assignments SET access = 'read'")
    window.watch.look()
    qtbot.waitUntil(lambda: not can_type(window), timeout=20_000)
    assert "assign it to you for writing" in window.actions_by_id["delete"].toolTip()
    office.sql("UPDATE sec.users SET role = 'viewer' WHERE email = %s", office.email("mia"))
    window.watch.look()
    qtbot.waitUntil(lambda: offered(window) == set(), timeout=20_000)
    office.sql("DELETE FROM sec.assignments")
    said: list[str] = []
    window.session.refused.connect(said.append)
    idle(window, qtbot)
    window.watch.look()
    qtbot.waitUntil(lambda: window.session.deal is None, timeout=20_000)
    idle(window, qtbot)
    assert "you may not read it any more" in said[0]
    assert window.collateral.table.model.rowCount() == 0


def test_that_somebody_who_was_shut_out_is_signed_out_at_the_next_look(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    window = enter("vic")
    said: list[str] = []
    window.session.refused.connect(said.append)
    office.sql("UPDATE sec.users SET is_active = false WHERE email = %s", office.email("vic"))
    window.watch.look()
    qtbot.waitUntil(lambda: window.session.desk is None, timeout=20_000)
    idle(window, qtbot)
    assert "You were signed out" in said[0]
    assert window.session.deals == ()


def test_that_the_registrar_has_an_act_for_every_button(enter: Enter) -> None:
    window = enter("eve")
    assert isinstance(window.registrar, Registrar)
    assert set(window.users.buttons) <= set(window.registrar.acts())
