"""The server goes away while its deal is open: edits wait on this computer, and are there once when it is back."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.dialogs.clash import ClashDialog
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.dialogs.synchronise import SynchroniseDialog
from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.merge import Side
from clo_desktop.tables.editing import Cell
from clo_desktop.window import Window
from clo_desktop.work import watch
from clo_desktop.work.desk import Desk
from engine.terms import Book
from tests.store.postgres import Server
from tests.ui.server.conftest import Enter, Office, dialogs, idle


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


def test_that_an_edit_that_met_another_is_asked_about_when_the_server_is_back(
    enter: Enter, office: Office, qtbot: QtBot, reach: Callable[[bool], None]
) -> None:
    mia = enter("mia")
    asset = first_asset(mia)
    reach(False)
    type_price(mia, qtbot, asset, "91.25")
    mia.watch.stop()
    reach(True)
    office.sql("UPDATE clo.assets SET market_value = 80, version = version + 1 WHERE asset_id = %s", asset)
    mia.watch.look()
    qtbot.waitUntil(lambda: bool(dialogs(ClashDialog)), timeout=30_000)
    [clash] = dialogs(ClashDialog)
    assert [b.text() for b in clash._groups[0].buttons()] == ["91.250", "80.000"]
    assert (price(mia, asset), on_server(office, asset)) == (91.25, 80.0)
    mia.watch.look()
    idle(mia, qtbot)
    assert dialogs(ClashDialog) == [clash]  # it is not asked twice
    clash.choose(0, Side.MINE)
    clash.store.click()
    qtbot.waitUntil(lambda: mia.saved.text().startswith("Saved"), timeout=30_000)
    idle(mia, qtbot)
    assert price(mia, asset) == on_server(office, asset) == 91.25


def test_that_an_edit_the_server_refuses_when_it_is_back_is_kept_until_it_is_dropped(
    enter: Enter, office: Office, qtbot: QtBot, reach: Callable[[bool], None]
) -> None:
    mia = enter("mia")
    asset = first_asset(mia)
    was = price(mia, asset)
    reach(False)
    type_price(mia, qtbot, asset, "91.25")
    mia.watch.stop()
    reach(True)
    office.sql("UPDATE sec.assignments SET access = 'read'")
    mia.watch.look()
    qtbot.waitUntil(lambda: bool(dialogs(QMessageBox)), timeout=30_000)
    [box] = dialogs(QMessageBox)
    assert "was not sent" in box.text()
    assert "but not change it" in box.text()
    box.close()
    qtbot.waitUntil(lambda: mia.saved.text().startswith("1 not sent"), timeout=30_000)
    assert price(mia, asset) == 91.25
    mia.courier.ask_synchronise()
    mia.courier.offline.drop(DEMO_DEAL)
    qtbot.waitUntil(lambda: price(mia, asset) == was, timeout=30_000)
    qtbot.waitUntil(lambda: mia.saved.text().startswith("Saved"), timeout=30_000)
    idle(mia, qtbot)
    dialogs(SynchroniseDialog)[0].reject()


_EDITOR = """
import sys
from dataclasses import replace
from pathlib import Path
from clo_desktop.work.desk import Desk

address, folder, deal = sys.argv[1:]
desk = Desk(address)
desk.keep_unsent(Path(folder))
book = desk.book(deal)
print("ready", flush=True)
sys.stdin.readline()
asset = book.deal.holdings[0].asset_id
changed = replace(book.assets[asset], market_value=91.25)
desk.edit(book, replace(book, assets={**book.assets, asset: changed}))
print(desk.unsent.waiting, flush=True)
sys.stdin.readline()
"""


def test_that_an_edit_that_waits_survives_a_kill_and_is_sent_at_the_next_sign_in(
    office: Office, reach: Callable[[bool], None], tmp_path: Path
) -> None:
    command = [sys.executable, "-c", _EDITOR, office.address("mia"), str(tmp_path / "unsent"), DEMO_DEAL]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as editor:  # type: ignore[call-overload]
        assert editor.stdout.readline() == "ready\n"
        reach(False)
        editor.stdin.write("\n")
        editor.stdin.flush()
        assert editor.stdout.readline() == "1\n"
        editor.kill()
    reach(True)
    [file] = (tmp_path / "unsent").glob("*.clo")
    assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0
    desk = Desk(office.address("mia"))
    desk.keep_unsent(tmp_path / "unsent")
    assert desk.unsent is not None
    assert desk.unsent.waiting == 1
    asset = desk.book(DEMO_DEAL).deal.holdings[0].asset_id
    [outcome] = desk.send_unsent()
    assert (outcome.sent, desk.unsent.waiting) == (1, 0)
    desk.close()
    assert on_server(office, asset) == 91.25
    assert not list((tmp_path / "unsent").iterdir())  # nothing of the deal is left


def test_that_an_edit_whose_answer_was_lost_is_not_done_again(office: Office, tmp_path: Path) -> None:
    desk = Desk(office.address("mia"))
    desk.keep_unsent(tmp_path / "unsent")
    book = desk.book(DEMO_DEAL)
    asset = book.deal.holdings[0].asset_id
    store = desk.store.edit

    def losing(*asked: object) -> Book:
        store(*asked)  # type: ignore[arg-type]
        raise Refused("The connection was lost.", code="no-server")

    desk.store.edit = losing  # type: ignore[method-assign, assignment]
    mine = replace(book, assets={**book.assets, asset: replace(book.assets[asset], market_value=91.25)})
    assert desk.edit(book, mine) == mine
    office.sql("UPDATE clo.assets SET market_value = 80, version = version + 1 WHERE asset_id = %s", asset)
    [outcome] = desk.send_unsent()
    assert outcome.clashing is None  # the server says that it was applied: what came later is not touched
    desk.close()
    assert (on_server(office, asset), applied(office)) == (80.0, 1)
