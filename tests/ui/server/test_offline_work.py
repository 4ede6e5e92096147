"""Deals are taken along, changed without the server, and brought back, all in the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.dialogs.clash import ClashDialog
from clo_desktop.dialogs.encryption import EncryptionDialog
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.dialogs.sign_in import SignInDialog
from clo_desktop.dialogs.synchronise import SynchroniseDialog
from clo_desktop.store import Store, open_store
from clo_desktop.store.merge import Side
from clo_desktop.store.server.signing import SignIn
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing
from clo_desktop.window import Window
from tests.ui.server.conftest import Enter, Office, dialogs, idle
from tests.ui.server.test_server_away import first_asset, on_server, price, type_price


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))


def press(box: QMessageBox, words: str) -> None:
    next(button for button in box.buttons() if button.text() == words).click()


def sign_in(office: Office) -> None:
    """Fills in the dialog that asks for the server of the copies."""
    [asking] = dialogs(SignInDialog)
    assert asking.user.text() == office.email("mia")  # the copies say whose they are
    asking.prefill(SignIn.of(office.address("mia")))
    asking.accept()


def synchronise(window: Window, office: Office, qtbot: QtBot) -> SynchroniseDialog:
    """Opens the dialog, presses Synchronise now, and signs in."""
    dialog = window.courier.ask_synchronise()
    qtbot.waitUntil(lambda: dialog.table.rowCount() > 0, timeout=20_000)
    dialog.button.click()
    sign_in(office)
    qtbot.waitUntil(lambda: not dialogs(SignInDialog) and window.session.lanes.idle, timeout=60_000)
    return dialog


def test_that_a_deal_is_taken_along_changed_and_brought_back_with_both_values_asked(
    enter: Enter, office: Office, qtbot: QtBot, tmp_path: Path
) -> None:
    mia = enter("mia")
    session, asset = mia.session, first_asset(mia)
    taking = mia.courier.ask_take()
    assert taking.deals == (DEMO_DEAL,)
    assert taking.place.parent == paths.default_workspace().parent
    taking.file.setText(str(tmp_path / "train"))
    taking.accept()
    [protection] = dialogs(EncryptionDialog)
    protection.plain.setChecked(True)
    protection.accept()
    qtbot.waitUntil(lambda: bool(dialogs(QMessageBox)), timeout=60_000)
    press(dialogs(QMessageBox)[0], "Open the copy")
    qtbot.waitUntil(lambda: session.where.endswith("train.clo") and session.deal == DEMO_DEAL, timeout=60_000)
    idle(mia, qtbot)
    type_price(mia, qtbot, asset, "91.25")
    qtbot.waitUntil(lambda: "Saved on this computer, 1 waiting" in mia.saved.text(), timeout=20_000)
    office.sql("UPDATE clo.assets SET market_value = 80, version = version + 1 WHERE asset_id = %s", asset)
    dialog = synchronise(mia, office, qtbot)
    qtbot.waitUntil(lambda: bool(dialogs(ClashDialog)), timeout=20_000)
    [clash] = dialogs(ClashDialog)
    clash.reject()  # later: it waits on
    assert dialog.table.item(0, 1).text() == "1 change"
    assert on_server(office, asset) == 80.0
    dialog.button.click()
    qtbot.waitUntil(lambda: bool(dialogs(ClashDialog)) and session.lanes.idle, timeout=20_000)
    [clash] = dialogs(ClashDialog)
    clash.choose(0, Side.MINE)
    clash.store.click()
    qtbot.waitUntil(lambda: dialog.table.item(0, 1).text() == "nothing" and session.lanes.idle, timeout=20_000)
    qtbot.waitUntil(lambda: "waiting" not in mia.saved.text(), timeout=20_000)
    assert on_server(office, asset) == 91.25
    dialog.reject()


def test_that_a_refused_change_is_kept_with_its_reason_until_it_is_dropped(
    office: Office, window: Callable[[], Window], qtbot: QtBot, tmp_path: Path, warm: None
) -> None:
    file, shown = tmp_path / "copy.clo", window()
    with open_store(office.address("mia")) as server, open_store(file) as local:
        Syncing(FileShelf(local), StoreServer(server)).pull()
    shown.session.open(file, lambda: shown.session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: shown.session.deal == DEMO_DEAL and shown.session.lanes.idle, timeout=60_000)
    asset = first_asset(shown)
    was = price(shown, asset)
    type_price(shown, qtbot, asset, "91.25")
    office.sql("UPDATE sec.assignments SET access = 'read'")
    dialog = synchronise(shown, office, qtbot)
    assert dialog.table.item(0, 1).text() == "1 change, 1 refused"
    assert "but not change it" in dialog.details.toPlainText()
    assert "91.250" in dialog.details.toPlainText()
    assert price(shown, asset) == 91.25  # kept
    dialog.drop.click()
    press(dialogs(QMessageBox)[0], "Drop changes")
    qtbot.waitUntil(lambda: price(shown, asset) == was, timeout=20_000)
    idle(shown, qtbot)
    assert dialog.table.item(0, 1).text() == "nothing"
    dialog.reject()


def test_that_a_change_on_the_server_shows_before_it_is_fetched_and_a_deal_of_ones_own_is_given(
    office: Office, window: Callable[[], Window], qtbot: QtBot, workspace: Path, warm: None
) -> None:
    shown = window()
    with open_store(office.address("mia")) as server, open_store(workspace) as local:
        _rename(local, "Own deal")
        Syncing(FileShelf(local), StoreServer(server)).pull([DEMO_DEAL])
        asset = server.load(DEMO_DEAL).deal.holdings[0].asset_id
    office.sql("UPDATE clo.assets SET market_value = 80, version = version + 1 WHERE asset_id = %s", asset)
    shown.session.open(workspace, lambda: shown.session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: shown.session.deal == DEMO_DEAL and shown.session.lanes.idle, timeout=60_000)
    dialog = shown.courier.ask_synchronise()
    qtbot.waitUntil(lambda: dialog.table.rowCount() == 2, timeout=20_000)
    assert dialog.table.item(0, 2).text() == "not asked yet"
    dialog.look.click()
    sign_in(office)
    qtbot.waitUntil(lambda: dialog.table.item(0, 2).text() == "1 cell", timeout=60_000)
    idle(shown, qtbot)
    assert "80.000" in dialog.details.toPlainText()
    dialog.table.selectRow(1)
    dialog.give.click()
    qtbot.waitUntil(lambda: bool(dialogs(ClashDialog)), timeout=60_000)
    [clash] = dialogs(ClashDialog)  # the asset has another price in the file
    clash.theirs.click()
    clash.store.click()
    qtbot.waitUntil(lambda: dialog.state.text().startswith("Own deal: 1 sent"), timeout=60_000)
    idle(shown, qtbot)
    dialog.reject()
    with open_store(office.address("mia")) as server:
        assert [deal.name for deal in server.deals()] == [DEMO_DEAL, "Own deal"]


def _rename(store: Store, name: str) -> None:
    book = store.load(DEMO_DEAL)
    store.save(replace(book, deal=replace(book.deal, name=name)))
    store.delete(DEMO_DEAL)
