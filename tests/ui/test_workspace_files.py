"""Workspace files in the window: a key is asked for, damage offers a backup, read only is said, one's own is made."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtWidgets import QDialog, QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from clo_desktop import paths
from clo_desktop.dialogs.encryption import EncryptionDialog
from clo_desktop.dialogs.passphrase import UnlockDialog
from clo_desktop.dialogs.recovery_key import RecoveryKeyDialog
from clo_desktop.dialogs.restore import RestoreDialog
from clo_desktop.faults import Refused
from clo_desktop.settings import Settings
from clo_desktop.store import open_store
from clo_desktop.store.local import backups, places, vault
from clo_desktop.store.local.header import Kind, read_header
from clo_desktop.store.local.manner import Manner
from clo_desktop.window import Window
from engine.terms import Book, Deal
from tests.store.local.worlds import KEY as THE_KEY
from tests.store.local.worlds import MemoryKeyring, encrypted, stamped

PHRASE = "four words in a row"

D = TypeVar("D", bound=QDialog)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's files are in a folder of the test, and there is no keyring."""
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path / "home"))
    monkeypatch.setattr(vault, "system_keyring", lambda: vault.chosen(object()))
    return tmp_path / "home"


@pytest.fixture
def window(empty: Window, qtbot: QtBot) -> Iterator[Window]:
    yield empty
    qtbot.waitUntil(lambda: empty.session.lanes.idle)
    for dialog in empty.findChildren(QDialog):
        dialog.close()


def settled(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


def opened(window: Window, qtbot: QtBot, file: Path, manner: Manner | None = None) -> None:
    window.session.open(file, None, *([manner] if manner else []))
    settled(window, qtbot)


def shown(window: Window, kind: type[D]) -> D:
    """The one dialog of that kind that is in sight."""
    (only,) = [d for d in window.findChildren(kind) if d.isVisible()]
    return only


def test_that_the_demo_workspace_says_so_and_leads_to_one_s_own(window: Window, qtbot: QtBot) -> None:
    opened(window, qtbot, paths.demo_workspace())
    assert read_header(paths.demo_workspace()).kind is Kind.PLAIN
    assert "demo workspace" in window.banner.words.text()
    window.banner.button.click()
    dialog = shown(window, EncryptionDialog)
    qtbot.waitUntil(lambda: "use a passphrase instead" in dialog.note.text())  # there is no keyring
    assert not dialog.by_keyring.isEnabled()
    assert dialog.by_passphrase.isChecked()
    for first, second, fault in (("short", "short", "is short"), (PHRASE, f"{PHRASE}!", "differ")):
        dialog.first.setText(first)
        dialog.second.setText(second)
        dialog.accept()
        assert fault in dialog.fault.text()
        assert dialog.isVisible()
    dialog.second.setText(PHRASE)
    dialog.accept()
    settled(window, qtbot)
    own = paths.default_workspace()
    assert window.session.where == str(own)
    assert read_header(own).kind is Kind.ENCRYPTED
    assert window.banner.isHidden()
    key = shown(window, RecoveryKeyDialog).shown.text().replace("\n", "")
    assert key == window.doorman.keeper.recovery_key
    assert paths.workspace_at_hand() == own


def test_that_a_keyring_is_what_is_suggested(window: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = MemoryKeyring()
    monkeypatch.setattr(vault, "system_keyring", lambda: keyring)
    window.doorman.own()
    dialog = shown(window, EncryptionDialog)
    qtbot.waitUntil(dialog.by_keyring.isChecked)
    assert dialog.note.isHidden()
    dialog.accept()
    settled(window, qtbot)
    shown(window, RecoveryKeyDialog).close()
    opened(window, qtbot, paths.default_workspace())  # without a question
    assert window.doorman.keeper.is_encrypted
    assert len(keyring.kept) == 1


def test_that_one_s_own_workspace_may_be_plain_and_the_choice_is_remembered(
    window: Window, qtbot: QtBot, kept: list[Settings]
) -> None:
    own = paths.default_workspace()
    open_store(own).close()
    opened(window, qtbot, own)
    assert "not encrypted" in window.banner.words.text()
    window.banner.closing.click()
    assert window.banner.isHidden()
    opened(window, qtbot, own)
    assert window.banner.isHidden()
    window.close()
    assert kept[-1].left_plain == str(own)


def test_that_the_passphrase_is_asked_for_until_it_is_right(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "mine.clo"
    encrypted(file).close()
    listed: list[bool] = []
    window.session.open(file, lambda: listed.append(True))
    settled(window, qtbot)
    asked = shown(window, UnlockDialog)
    assert asked.field.echoMode() is QLineEdit.EchoMode.Password
    assert asked.keeping.isHidden()  # there is no keyring
    asked.accept()
    assert "Nothing is typed" in asked.fault.text()
    asked.field.setText("not the right words")
    asked.accept()
    settled(window, qtbot)
    again = shown(window, UnlockDialog)
    assert "wrong one, or the file is damaged" in again.fault.text()
    assert "not the right words" not in again.fault.text()
    from clo_desktop.store.local.keys import recovery_text

    again.field.setText(recovery_text(THE_KEY.key).lower())
    again.accept()
    settled(window, qtbot)
    assert listed == [True]
    assert window.session.where == str(file)


def test_that_a_damaged_workspace_offers_its_newest_good_backup(window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    file = tmp_path / "mine.clo"
    with open_store(file) as store:
        store.save(Book(Deal("Kept")))
        good = store.back_up().file
        store.save(stamped("Deal", 1, 100))
        bad = store.back_up().file
    for damaged in (file, bad):
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:8192] + b"\xff" * 8192 + whole[16384:])
    opened(window, qtbot, file)
    dialog = shown(window, RestoreDialog)
    settled(window, qtbot)
    assert dialog.table.rowCount() == 2
    assert dialog.table.item(0, 3).text().startswith("no: it is damaged")
    assert dialog.table.currentRow() == 1
    dialog.table.selectRow(0)
    assert not dialog.restoring.isEnabled()
    dialog.table.selectRow(1)
    dialog.accept()
    settled(window, qtbot)
    assert dialog.backup == good
    assert [d.name for d in window.session.deals] == ["Kept"]
    assert len(backups.set_aside(file)) == 1


def test_that_reading_only_is_said_in_a_banner_and_changes_are_refused(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "mine.clo"
    open_store(file).close()
    opened(window, qtbot, file, Manner(reading=True))
    assert window.banner.words.text().endswith("Nothing can be saved.")
    assert window.banner.button.text() == "Try again"
    assert window.session.desk is not None
    with pytest.raises(Refused, match="nothing was saved"):
        window.session.desk.store.save(Book(Deal("Deal")))
    with pytest.raises(Refused, match="cannot be changed here"):
        window.doorman.ask_encryption()


def test_that_a_network_drive_offers_a_copy(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "share" / "mine.clo"
    with open_store(file) as store:
        store.save(Book(Deal("Far")))
    mounts = tmp_path / "mounts"
    mounts.write_text(f"server:/x {file.parent.resolve()} nfs4 rw 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", mounts)
    opened(window, qtbot, file)
    box = shown(window, QMessageBox)
    assert "network drive (nfs4)" in box.text()
    copy = tmp_path / "near.clo"
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getSaveFileName", lambda *_: (str(copy), ""))
    box.buttons()[0].click()
    settled(window, qtbot)
    assert window.session.where == str(copy)
    assert [d.name for d in window.session.deals] == ["Far"]


def test_that_the_open_workspace_is_backed_up_encrypted_and_made_plain_again(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    file = tmp_path / "mine.clo"
    with open_store(file) as store:
        store.save(Book(Deal("Deal")))
    opened(window, qtbot, file)
    with pytest.raises(Refused, match="has no recovery key"):
        window.doorman.ask_recovery_key()
    window.actions_by_id["backup"].trigger()
    settled(window, qtbot)
    assert "the backup opens" in window.statusBar().currentMessage()
    dialog = window.doorman.ask_encryption()
    dialog.first.setText(PHRASE)
    dialog.second.setText(PHRASE)
    dialog.accept()
    settled(window, qtbot)
    places_now = [file, *(b.file for b in backups.listed(file))]
    assert {read_header(p).kind for p in places_now} == {Kind.ENCRYPTED}
    assert [d.name for d in window.session.deals] == ["Deal"]
    shown(window, RecoveryKeyDialog).close()
    dialog = window.doorman.ask_encryption()
    dialog.plain.setChecked(True)
    dialog.accept()
    settled(window, qtbot)
    assert read_header(file).kind is Kind.PLAIN
    assert [d.name for d in window.session.deals] == ["Deal"]


def test_that_the_recovery_key_is_saved_for_its_owner_only(
    window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.clo"
    encrypted(file).close()
    opened(window, qtbot, file, Manner(secret=THE_KEY))
    dialog = window.doorman.ask_recovery_key()
    place = tmp_path / "key.txt"
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getSaveFileName", lambda *_: (str(place), ""))
    dialog.save_it()
    assert window.doorman.keeper.recovery_key in place.read_text(encoding="utf-8")
    assert place.stat().st_mode & 0o077 == 0
    assert "move it elsewhere" in dialog.said.text()
