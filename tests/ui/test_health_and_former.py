"""The Health pane, its metrics file, and databases of the former system in the window."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop.panes import health as pane_module
from clo_desktop.panes.health import HealthPane
from clo_desktop.window import Window
from clo_desktop.work import health
from tests.work import former_world as world


def cells(pane: HealthPane, name: str) -> dict[str, str]:
    frame = pane.table.frame
    rows = range(pane.table.model.rowCount())
    return {frame.value(row, frame.index["name"]): frame.value(row, frame.index[name]) for row in rows}


def test_that_without_a_workspace_the_pane_says_what_to_do(empty: Window) -> None:
    assert empty.health.table.empty.label.text() == "Open a workspace from the File menu; its health will stand here."


def test_that_the_pane_tells_each_line_and_what_to_do_and_looks_again(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("health")
    qtbot.waitUntil(lambda: harbor.health.table.model.rowCount() > 8)
    qtbot.waitUntil(lambda: harbor.session.lanes.idle)
    assert "bad" not in cells(harbor.health, "state").values()  # a busy machine may have a slow statement to look at
    desk = harbor.session.desk
    assert desk is not None
    made = desk.store.back_up()
    made.file.write_bytes(b"torn")
    harbor.health.again.click()
    qtbot.waitUntil(lambda: cells(harbor.health, "state")["Last backup"] == "bad")
    assert harbor.health.head.text() == "Something is wrong."
    assert cells(harbor.health, "says")["Last backup"].endswith("Make one: File > Back up now.")


def test_that_the_metrics_file_is_kept_while_the_window_is_open(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pane_module, "EVERY", 20)
    pane = HealthPane(harbor.session, tmp_path / "metrics")
    qtbot.addWidget(pane)
    file = tmp_path / "metrics" / health.METRICS_FILE
    qtbot.waitUntil(file.exists)
    file.unlink()
    qtbot.waitUntil(file.exists)
    assert "clo_desktop_up 1" in file.read_text()


def test_that_former_databases_come_in_with_a_report_of_every_row(harbor: Window, qtbot: QtBot, tmp_path: Path) -> None:
    files = [
        world.assets(tmp_path / "assets.db", {}, {"BLKRockID": "LX9", "Maturity": "soon"}),
        world.correlations(tmp_path / "correlations.db", ("Acme", "Bolt")),
        world.foreign(tmp_path / "songs.db"),
    ]
    boxes = []
    harbor.session.files.import_former(files, lambda report: boxes.append(harbor.porter.show_former(report)))
    qtbot.waitUntil(lambda: bool(boxes))
    (box,) = boxes
    assert "assets.db (assets): 1 of 2 rows were imported." in box.text()
    assert "correlations.db (correlations): 1 of 1 rows were imported." in box.text()
    assert "songs.db holds no table of the former system" in box.text()
    assert "assets, row 2: LX9, Maturity = 'soon'" in box.detailedText()
    desk = harbor.session.desk
    assert desk is not None
    assert "LX100" in desk.master()
    assert desk.store.get_asset_correlations("Bolt", "Acme") == 0.25
    box.close()
