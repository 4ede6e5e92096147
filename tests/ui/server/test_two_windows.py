"""Two people at two windows on one server."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.clash import ClashDialog
from clo_desktop.store.merge import Side
from clo_desktop.window import DEMO_DEAL, Window
from engine.terms import Book
from tests.ui.server.conftest import Enter, Office, dialogs, idle


def book_of(window: Window) -> Book:
    assert window.session.book is not None
    return window.session.book


def type_price(window: Window, qtbot: QtBot, text: str) -> str:
    """Pastes a price into the first row; the asset's id."""
    table = window.collateral.table
    window.go_to("collateral")
    table.show_set("All")
    table.grid.set_current(table.model.index(0, table.frame.index["market_value"]))
    asset = str(table.model.key_at(0))
    window.collateral.editing.paste(text)
    idle(window, qtbot)
    return asset


def price(window: Window, asset: str) -> float | None:
    return book_of(window).assets[asset].market_value


def test_that_an_edit_in_one_window_shows_in_the_other_on_a_hint_and_without_one(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    mia, vic = enter("mia"), enter("vic")
    asset = type_price(mia, qtbot, "91.25")
    qtbot.waitUntil(lambda: price(vic, asset) == 91.25, timeout=10_000)  # by the server's own hint
    type_price(mia, qtbot, "92.5")
    vic.watch.look()  # as every half minute
    qtbot.waitUntil(lambda: price(vic, asset) == 92.5, timeout=10_000)
    idle(vic, qtbot)
    before = book_of(vic)
    vic.watch.hinted("another deal")
    vic.watch.hinted(DEMO_DEAL)  # a hint is never believed
    idle(vic, qtbot)
    assert book_of(vic) is before


def test_that_two_who_change_one_cell_are_asked_with_both_values_and_nothing_is_lost(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    office.sql(
        "INSERT INTO sec.assignments SELECT u.id, d.id, 'write' FROM sec.users u, clo.deals d WHERE u.email = %s"
        " ON CONFLICT (user_id, deal_id) DO UPDATE SET access = 'write'",
        office.email("ann"),
    )
    office.sql("SELECT sec.put_in_group(%s, 'manager', true)", office.email("ann"))
    office.sql("UPDATE sec.users SET role = 'manager' WHERE email = %s", office.email("ann"))
    mia, ann = enter("mia"), enter("ann")
    ann.watch.stop()  # she has not seen his change yet when she makes hers
    asset = type_price(mia, qtbot, "91.25")
    type_price(ann, qtbot, "80")
    qtbot.waitUntil(lambda: bool(dialogs(ClashDialog)), timeout=20_000)
    dialog = dialogs(ClashDialog)[-1]
    assert [b.text() for b in dialog._groups[0].buttons()] == ["80.000", "91.250"]
    ann.gate.lock_now()  # the question waits behind the lock
    assert not dialog.isVisible()
    ann.gate.lock.unlock()
    assert dialog.isVisible()
    dialog.choose(0, Side.MINE)
    dialog.store.click()
    idle(ann, qtbot)
    assert price(ann, asset) == 80.0
    mia.watch.hinted(DEMO_DEAL)
    qtbot.waitUntil(lambda: price(mia, asset) == 80.0, timeout=10_000)
    idle(mia, qtbot)
