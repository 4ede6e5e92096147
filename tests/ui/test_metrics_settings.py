"""The folder of the metrics file is chosen in the window and checked."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop.settings import Settings
from clo_desktop.window import Window
from clo_desktop.work.health import METRICS_FILE, METRICS_VARIABLE


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(METRICS_VARIABLE, raising=False)


def test_that_a_folder_is_checked_kept_and_written_to(
    empty: Window, tmp_path: Path, kept: list[Settings], qtbot: QtBot
) -> None:
    dialog = empty.ask_metrics()
    for text, fault in (
        ("some/folder", "says no whole path"),
        (str(tmp_path / "not there"), "There is no folder"),
    ):
        dialog.folder.setText(text)
        dialog.accept()
        assert fault in dialog.fault.text()
        assert dialog.isVisible()
    dialog.folder.setText(str(tmp_path))
    dialog.accept()
    empty.session.open(tmp_path / "new.clo")
    qtbot.waitUntil(lambda: (tmp_path / METRICS_FILE).exists(), timeout=10_000)
    qtbot.waitUntil(lambda: empty.session.lanes.idle, timeout=10_000)
    empty.close()
    assert kept[-1].metrics_folder == str(tmp_path)


def test_that_none_is_kept_for_an_empty_field_and_the_variable_goes_before(
    empty: Window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = empty.ask_metrics()
    dialog.folder.setText(" ")
    dialog.accept()
    assert empty._settings.metrics_folder is None
    monkeypatch.setenv(METRICS_VARIABLE, str(tmp_path))
    dialog = empty.ask_metrics()
    assert dialog.folder.isReadOnly()
    assert dialog.folder.text() == str(tmp_path)
    assert not dialog.button.isEnabled()
    dialog.reject()
