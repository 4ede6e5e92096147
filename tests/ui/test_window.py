"""The main window: commands, keys, themes, layout, files dropped on it, names for a screen reader."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QFileDialog,
    QHeaderView,
    QInputDialog,
    QLineEdit,
    QMessageBox,
    QProgressBar,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

import resources
from clo_desktop.commands import COMMANDS, MENUS
from clo_desktop.dialogs.encryption import EncryptionDialog
from clo_desktop.dialogs.porter import DEMO_DEAL, DEMO_FILE
from clo_desktop.look import theme
from clo_desktop.settings import Settings
from clo_desktop.sheets.read import read_book
from clo_desktop.tables.view import FrameTable
from clo_desktop.window import Window
from clo_desktop.work.session import Session

CONTROL = Qt.KeyboardModifier.ControlModifier
PANES = {c.id.removeprefix("pane."): c.keys[0] for c in COMMANDS if c.id.startswith("pane.") and c.id != "pane.users"}
"""The panes that are there while a file is open, with their keys."""


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


def in_sight(window: Window, name: str) -> bool:
    return not window.docks[name].visibleRegion().isEmpty()


# -- commands ---------------------------------------------------------------------------------------------------------


def test_that_every_command_is_bound_and_stands_in_its_menu(empty: Window) -> None:
    assert set(empty.actions_by_id) == {c.id for c in COMMANDS} == set(empty._acts())
    menus = {a.text(): a.menu() for a in empty.menuBar().actions()}
    assert tuple(menus) == MENUS
    for command in COMMANDS:
        action = empty.actions_by_id[command.id]
        assert action in menus[command.menu].actions()
        if action.isEnabled() or not action.isVisible():
            assert action.toolTip() == command.tip
        else:
            assert "Nobody is signed in" in action.toolTip()
        assert len(command.tip) > 5


def test_that_no_shortcut_is_given_twice() -> None:
    keys = Counter(key for command in COMMANDS for key in command.keys)
    assert [key for key, times in keys.items() if times > 1] == []


def test_that_no_access_key_is_given_twice_in_a_menu() -> None:
    for menu in MENUS:
        keys = Counter(c.text[c.text.index("&") + 1].casefold() for c in COMMANDS if c.menu == menu)
        assert [key for key, times in keys.items() if times > 1] == [], menu


def test_that_what_needs_a_deal_says_so_without_one(empty: Window) -> None:
    for name in ("export", "report", "delete"):
        empty.statusBar().clearMessage()
        empty.actions_by_id[name].trigger()
        assert empty.statusBar().currentMessage() == "No deal is open; choose one in the deal list first."


def test_that_importing_before_a_workspace_is_open_says_so(empty: Window) -> None:
    empty.actions_by_id["demo"].trigger()
    assert empty.statusBar().currentMessage() == "No workspace is open; open one from the File menu."


def test_that_the_demo_deal_is_imported_by_its_command(empty: Window, qtbot: QtBot, tmp_path: Path, warm: None) -> None:
    empty.session.open(tmp_path / "new.clo")
    idle(empty, qtbot)
    empty.actions_by_id["demo"].trigger()
    idle(empty, qtbot)
    assert empty.session.deal == DEMO_DEAL
    assert empty.saved.text() == "Saved on this computer · new.clo"
    assert empty.timing.text().startswith("engine ")
    assert empty.statusBar().currentMessage()


# -- keys -------------------------------------------------------------------------------------------------------------


def test_that_every_pane_has_a_figure() -> None:
    """Ten of them one of their own; what is beyond shares one, with Shift."""
    alone = [keys for keys in PANES.values() if "Shift" not in keys]
    assert alone == [f"Ctrl+{i}" for i in (*range(1, 10), 0)]
    assert PANES["scenarios"] == "Ctrl+Shift+5"
    assert len(set(PANES.values())) == len(PANES)


@pytest.mark.parametrize("name", PANES)
def test_that_control_and_a_figure_go_to_a_pane(harbor: Window, qtbot: QtBot, name: str) -> None:
    assert set(PANES) | {"users"} == set(harbor.docks)
    harbor.activateWindow()
    shift = Qt.KeyboardModifier.ShiftModifier if "Shift" in PANES[name] else Qt.KeyboardModifier.NoModifier
    qtbot.keyClick(harbor, Qt.Key(ord(PANES[name][-1])), CONTROL | shift)
    assert in_sight(harbor, name)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert harbor.docks[name].isAncestorOf(focused)


def test_that_control_and_a_figure_work_from_inside_a_pane_and_open_a_closed_one(harbor: Window, qtbot: QtBot) -> None:
    harbor.activateWindow()
    harbor.docks["compliance"].close()
    harbor.collateral.table.grid.setFocus()
    qtbot.keyClick(harbor.collateral.table.grid, Qt.Key.Key_2, CONTROL)
    assert in_sight(harbor, "compliance")


def test_that_f5_runs_and_control_k_opens_the_palette(harbor: Window, qtbot: QtBot) -> None:
    harbor.activateWindow()
    before = harbor.session.projection
    qtbot.keyClick(harbor, Qt.Key.Key_F5)
    idle(harbor, qtbot)
    assert harbor.session.projection is not before
    qtbot.keyClick(harbor, Qt.Key.Key_K, CONTROL)
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.close()


# -- look -------------------------------------------------------------------------------------------------------------


def test_that_every_theme_recolours_every_pane(harbor: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    faults: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda *what: faults.append(what[1]))
    pictures: dict[str, list[bytes]] = {}
    for scheme in ("light", "dark", "contrast", "system", "light"):
        harbor.actions_by_id[f"theme.{scheme}"].trigger()
        assert harbor.actions_by_id[f"theme.{scheme}"].isChecked()
        for name, dock in harbor.docks.items():
            harbor.go_to(name)
            image = dock.grab().toImage()
            pictures.setdefault(f"{scheme} {name}", []).append(bytes(image.constBits())[:])
    assert faults == []
    for name in harbor.docks:
        assert len({pictures[f"{s} {name}"][0] for s in ("light", "dark", "contrast")}) == 3, name
    assert theme.current() is theme.LIGHT


def test_that_dense_rows_are_lower_in_every_table(harbor: Window) -> None:
    def heights() -> set[int]:
        return {t.grid.verticalHeader().defaultSectionSize() for t in harbor.findChildren(FrameTable)}

    assert heights() == {22}
    harbor.actions_by_id["dense"].trigger()
    assert heights() == {18}
    harbor.actions_by_id["dense"].trigger()
    assert heights() == {22}


# -- layout and settings ----------------------------------------------------------------------------------------------


def test_that_look_layout_and_last_deal_are_kept_and_come_back(
    harbor: Window, qtbot: QtBot, kept: list[Settings]
) -> None:
    harbor.docks["run"].close()
    harbor.docks["imports"].setFloating(True)
    harbor.actions_by_id["dense"].trigger()
    harbor.actions_by_id["theme.dark"].trigger()
    harbor.close()
    (settings,) = kept
    assert (settings.theme, settings.density, settings.last_deal) == ("dark", "compact", DEMO_DEAL)
    again = Window(Session(), settings, kept.append)
    qtbot.addWidget(again)
    again.show()
    assert not again.docks["run"].isVisible()
    assert again.docks["imports"].isFloating()
    assert again.actions_by_id["dense"].isChecked()
    again.actions_by_id["layout"].trigger()
    assert again.docks["run"].isVisible()
    assert not again.docks["imports"].isFloating()


@pytest.mark.parametrize("layout", ["", "|", "nonsense", "!!|??", "QUJD|QUJD"])
def test_that_a_layout_that_makes_no_sense_is_passed_over(qtbot: QtBot, layout: str, qapp: QApplication) -> None:
    window = Window(Session(), Settings(window_layout=layout), lambda settings: None)
    qtbot.addWidget(window)
    window.show()
    shown = {name for name, dock in window.docks.items() if dock.isVisibleTo(window)}
    assert shown == set(window.docks) - {"users"}  # which is for administrators of a server


def test_that_settings_that_cannot_be_kept_do_not_stop_the_window_from_closing(
    qtbot: QtBot, qapp: QApplication
) -> None:
    def full(settings: Settings) -> None:
        raise OSError("the disk is full")

    window = Window(Session(), Settings(), full)
    qtbot.addWidget(window)
    window.show()
    assert window.close()
    assert window.session.lanes.idle


def test_that_the_window_closes_while_work_is_under_way(
    empty: Window, qtbot: QtBot, workspace: Path, warm: None
) -> None:
    session = empty.session
    session.open(workspace, lambda: session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: session.desk is not None)
    session.files.import_file(resources.path(DEMO_FILE), "Other")
    assert empty.close()
    assert session.lanes.idle
    assert session.desk is None


# -- files ------------------------------------------------------------------------------------------------------------


def drop(window: Window, *files: Path) -> bool:
    """Drags files over the window and lets go; whether they were taken."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(f)) for f in files])
    copy, left, none = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPointF(50, 50).toPoint(), copy, mime, left, none)
    enter.setAccepted(False)
    window.dragEnterEvent(enter)
    if enter.isAccepted():
        window.dropEvent(QDropEvent(QPointF(50, 50), copy, mime, left, none))
    return enter.isAccepted()


def test_that_a_dropped_workbook_is_imported_under_the_name_given(
    harbor: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: (asked.append(a[2]), ("  Dropped ", True))[1])
    assert drop(harbor, resources.path(DEMO_FILE))
    qtbot.waitUntil(lambda: bool(asked))
    idle(harbor, qtbot)
    assert asked == [f"Name of the deal in {Path(DEMO_FILE).name}:"]
    assert harbor.session.deal == "Dropped"


def test_that_what_is_dropped_before_a_workspace_is_open_is_refused(
    empty: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("Dropped", True))
    assert drop(empty, resources.path(DEMO_FILE))
    qtbot.waitUntil(lambda: empty.statusBar().currentMessage().startswith("No workspace is open"))


def test_that_other_files_cannot_be_dropped(harbor: Window, tmp_path: Path) -> None:
    assert not drop(harbor, tmp_path / "letter.txt", tmp_path / "old.xls")


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes])
def test_that_a_deal_is_replaced_only_when_that_is_confirmed(
    harbor: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, answer: QMessageBox.StandardButton
) -> None:
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *a, **k: ([str(resources.path(DEMO_FILE))], ""))
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: (DEMO_DEAL, True))
    asked: list[str] = []
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **k: (asked.append(a[2]), answer)[1])
    book = harbor.session.book
    harbor.actions_by_id["import"].trigger()
    idle(harbor, qtbot)
    question = f"{DEMO_DEAL} is there already. Replace it by what {Path(DEMO_FILE).name} holds?"
    kept = "Its ideas and snapshots stay; a snapshot of the same date is replaced."
    assert asked == [f"{question} {kept}"]
    assert (harbor.session.book is book) == (answer == QMessageBox.StandardButton.No)


def test_that_export_and_report_add_the_ending_and_are_written(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = iter([str(tmp_path / "deal"), str(tmp_path / "report.xlsx"), ""])
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (next(names), ""))
    for command in ("export", "report", "export"):
        harbor.actions_by_id[command].trigger()
        idle(harbor, qtbot)
    assert read_book(tmp_path / "deal.xlsx", DEMO_DEAL).book == harbor.session.book
    assert (tmp_path / "report.xlsx").is_file()


@pytest.mark.parametrize("answer", [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes])
def test_that_a_file_is_not_overwritten_unasked(
    harbor: Window,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: QMessageBox.StandardButton,
) -> None:
    (tmp_path / "deal.xlsx").write_text("precious")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(tmp_path / "deal"), ""))
    asked: list[str] = []
    monkeypatch.setattr(QMessageBox, "question", lambda *a, **k: (asked.append(a[2]), answer)[1])
    harbor.actions_by_id["export"].trigger()
    idle(harbor, qtbot)
    assert asked == ["deal.xlsx is there already. Replace it?"]
    kept = (tmp_path / "deal.xlsx").read_bytes() == b"precious"
    assert kept == (answer == QMessageBox.StandardButton.No)


def test_that_a_dot_in_a_file_name_stays(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(tmp_path / "Harbor 31.3"), ""))
    harbor.actions_by_id["export"].trigger()
    idle(harbor, qtbot)
    assert [f.name for f in tmp_path.glob("*.xlsx")] == ["Harbor 31.3.xlsx"]


def test_that_another_workspace_empties_the_panes(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a, **k: (str(tmp_path / "other.clo"), ""))
    harbor.actions_by_id["open"].trigger()
    (asked,) = harbor.findChildren(EncryptionDialog)  # a new file: how is it to be protected?
    asked.plain.setChecked(True)
    asked.accept()
    idle(harbor, qtbot)
    assert harbor.windowTitle() == "CLO Desktop"
    assert harbor.saved.text() == "Saved on this computer · other.clo"
    for table in (harbor.collateral.table, harbor.compliance.table):
        assert table.model.rowCount() == 0
    assert harbor.deals.list.count() == 0


# -- for a screen reader ----------------------------------------------------------------------------------------------


def test_that_everything_one_can_act_on_has_a_name(harbor: Window) -> None:
    kinds = (QAbstractButton, QAbstractItemView, QAbstractSpinBox, QComboBox, QLineEdit, QProgressBar)
    nameless = []
    for widget in harbor.findChildren(QWidget):
        if not isinstance(widget, kinds) or isinstance(widget, QHeaderView) or widget.window() is not harbor:
            continue
        inner = isinstance(widget.parent(), QAbstractSpinBox | QComboBox | QTabBar | QHeaderView)
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        own = widget.objectName().startswith("qt_")  # Qt's own parts: dock buttons, spin box editors
        if not (widget.accessibleName() or text or inner or own or widget.isHidden()):
            nameless.append(f"{type(widget).__name__} {widget.objectName()} in {type(widget.parent()).__name__}")
    assert nameless == []
