"""A copy of a server's deal in a file: what is changed offline is safe here, and the status bar says what waits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.store import open_store
from clo_desktop.store.sync.server import StoreServer
from clo_desktop.store.sync.shelf import FileShelf
from clo_desktop.store.sync.syncing import Syncing
from clo_desktop.tables.editing import Cell
from clo_desktop.window import Window
from tests.ui.server.conftest import Office, idle


def test_that_an_edit_of_a_copy_waits_and_is_brought_to_the_server(
    office: Office, window: Callable[[], Window], qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "copy.clo"
    with open_store(office.address("mia")) as server, open_store(file) as local:
        Syncing(FileShelf(local), StoreServer(server)).pull()
        asset = server.load(DEMO_DEAL).deal.holdings[0].asset_id
    shown = window()
    session = shown.session
    session.open(file, lambda: session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: session.lanes.idle and session.projection is not None, timeout=60_000)
    assert "waiting" not in shown.saved.text()
    shown.collateral.editing.typed.emit([Cell(asset, "market_value", "91.25")])
    qtbot.waitUntil(lambda: "1 waiting" in shown.saved.text(), timeout=30_000)
    assert shown.saved.text().startswith("Saved on this computer")
    idle(shown, qtbot)
    shown.close()
    with open_store(office.address("mia")) as server, open_store(file) as local:
        assert local.waiting == 1
        [outcome] = Syncing(FileShelf(local), StoreServer(server)).sync([DEMO_DEAL])
        assert (outcome.sent, local.waiting) == (1, 0)
        assert server.load(DEMO_DEAL).assets[asset].market_value == 91.25
