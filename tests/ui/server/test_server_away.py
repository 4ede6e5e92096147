"""The server goes away while its deal is open: edits wait on this computer, and are there once when it is back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.store import open_store
from clo_desktop.tables.editing import Cell
from clo_desktop.window import Window
from clo_desktop.work import watch
from tests.store.postgres import Server
from tests.ui.server.conftest import Enter, Office, idle


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setattr(watch, "_FIRST_PAUSE", 100)


@pytest.fixture
def reach(office: Office, cluster: Server) -> Callable[[bool], None]:
    """Ends every connection to the office and lets none in, or lets them in again."""

    def let(in_: bool) -> None:
        with cluster.connect() as on:
            on.execute(f"ALTER DATABASE {office.database} ALLOW_CONNECTIONS {in_}".encode())
            if not in_:
                on.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (office.database,)
                )

    return let


def first_asset(window: Window) -> str:
    assert window.session.book is not None
    return window.session.book.deal.holdings[0].asset_id


def type_price(window: Window, qtbot: QtBot, asset: str, text: str) -> None:
    window.collateral.editing.typed.emit([Cell(asset, "market_value", text)])
    qtbot.waitUntil(lambda: price(window, asset) == float(text), timeout=30_000)
    idle(window, qtbot)


def price(window: Window, asset: str) -> float | None:
    assert window.session.book is not None
    return window.session.book.assets[asset].market_value


def on_server(office: Office, asset: str) -> float | None:
    with open_store(office.address("mia")) as server:
        return server.load(DEMO_DEAL).assets[asset].market_value


def applied(office: Office) -> int:
    with office.server.connect(office.database) as on:
        found = on.execute("SELECT count(*) FROM clo.applied_operations").fetchone()
        assert found is not None
        return int(found[0])


def test_that_edits_wait_while_the_server_is_away_and_are_sent_once_when_it_is_back(
    enter: Enter, office: Office, qtbot: QtBot, reach: Callable[[bool], None]
) -> None:
    mia = enter("mia")
    asset = first_asset(mia)
    reach(False)
    type_price(mia, qtbot, asset, "91.25")
    type_price(mia, qtbot, asset, "92.5")
    assert "Offline, 2 waiting" in mia.saved.text()
    mia.edits.undo()
    qtbot.waitUntil(lambda: price(mia, asset) == 91.25, timeout=30_000)
    reach(True)
    qtbot.waitUntil(lambda: mia.saved.text().startswith("Saved"), timeout=30_000)
    idle(mia, qtbot)
    assert price(mia, asset) == on_server(office, asset) == 91.25
    type_price(mia, qtbot, asset, "93")  # straight to the server again
    assert on_server(office, asset) == 93.0
    assert applied(office) == 4  # three that waited and one that did not, each once
