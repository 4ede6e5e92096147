"""Signing in to a shared server from the window, and out again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.own_password import ChangePasswordDialog
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.dialogs.sign_in import SignInDialog
from clo_desktop.faults import Refused
from clo_desktop.settings import Settings, load_settings, save_settings
from clo_desktop.store.local import vault
from clo_desktop.store.server.signing import SignIn
from clo_desktop.window import Window
from tests.store import postgres
from tests.ui.server.conftest import SECRET, Enter, Office, idle


def dialog_for(window: Window, address: str) -> SignInDialog:
    """The dialog with server, person and certificate filled in, and no password."""
    asked = replace(SignIn.of(address), password="")
    return window.gate.ask_server(asked.kept)


def sentence(dialog: SignInDialog, qtbot: QtBot) -> str:
    qtbot.waitUntil(lambda: bool(dialog.fault.text()) and dialog.button.isEnabled(), timeout=30_000)
    return str(dialog.fault.text())


def test_that_an_address_is_taken_apart_and_its_password_is_neither_kept_nor_shown() -> None:
    asked = SignIn.of("postgresql://mia%40firm.com:top-secret-word@one:5432,two:5433/desk?sslrootcert=/ca.crt")
    assert (asked.user, asked.password, asked.certificate) == ("mia@firm.com", "top-secret-word", "/ca.crt")
    assert "mia" not in asked.where
    for text in (asked.where, asked.kept, asked.name, repr(asked)):
        assert "top-secret" not in text
    assert SignIn.of(asked.kept) == replace(asked, password="")
    assert SignIn.of(asked.whole) == asked
    assert asked.name == "one:5432, two:5433/desk"


@pytest.mark.parametrize(
    ("where", "user", "why"),
    [
        ("", "mia", "Name the server"),
        ("host", "mia", "no database"),
        ("host/desk", "", "user name"),
        ("sqlite:///x", "mia", "is PostgreSQL"),
    ],
)
def test_that_what_is_missing_for_a_sign_in_is_said(where: str, user: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        SignIn(where, user, "word").checked()


def test_that_a_person_signs_in_and_what_is_remembered_holds_no_password(
    window: Callable[[], Window], office: Office, qtbot: QtBot, tmp_path: Path, warm: None
) -> None:
    shown = window()
    dialog = dialog_for(shown, office.address("mia"))
    assert dialog.isVisible()
    dialog.password.setText(SECRET)
    dialog.button.click()
    assert not dialog.button.isEnabled()
    qtbot.waitUntil(lambda: bool(shown.session.deals), timeout=30_000)
    idle(shown, qtbot)
    assert [d.name for d in shown.session.deals] == [DEMO_DEAL]
    assert shown.saved.text() == f"Saved · localhost/{office.database}"
    assert office.email("mia") in shown.saved.toolTip()
    remembered = shown._settings
    assert [SignIn.of(s).user for s in remembered.servers] == [office.email("mia")]
    assert remembered.remembered == ()
    save_settings(remembered, tmp_path / "settings.json")
    assert SECRET not in (tmp_path / "settings.json").read_text()
    assert load_settings(tmp_path / "settings.json") == remembered
    for told in (shown.session.where, shown.saved.text(), shown.saved.toolTip(), shown.windowTitle()):
        assert SECRET not in told
    again = shown.gate.ask_server()
    assert again.user.text() == office.email("mia")
    assert again.password.text() == ""
    again.reject()


def test_that_a_wrong_password_and_an_unknown_person_are_refused_in_the_same_words(
    window: Callable[[], Window], office: Office, qtbot: QtBot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = window()
    said = []
    for address in (office.address("mia"), office.address("nobody")):
        dialog = dialog_for(shown, address)
        dialog.password.setText("not-the-right-word")
        dialog.button.click()
        said.append(sentence(dialog, qtbot).replace(SignIn.of(address).user.split(".")[0], "WHO"))
        assert dialog.password.hasFocus()
        assert "not-the-right-word" not in said[-1]
        dialog.reject()
    assert said[0] == said[1]
    assert "refused the sign-in; check the user name and the password" in said[0]
    assert "not-the-right-word" not in caplog.text
    assert shown.session.desk is None


def test_that_a_server_that_is_down_or_not_prepared_or_older_or_newer_is_said_with_the_way_out(
    window: Callable[[], Window],
    office: Office,
    cluster: postgres.Server,
    database: str,
    qtbot: QtBot,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    shown = window()
    asked = SignIn.of(office.address("mia"))
    nowhere = replace(asked, where="postgresql://localhost:9/desk").whole
    cases = (
        ("0001", nowhere, "cannot be reached; check the address and the network"),
        ("0001", cluster.address(database, office.email("mia"), SECRET), "`clo server init`"),
        ("0001", office.address("mia"), "an administrator upgrades it with `clo server init`"),
        ("9999", office.address("mia"), "update the application"),
    )
    for version, address, why in cases:
        office.sql("UPDATE clo.alembic_version SET version_num = %s", version)
        dialog = dialog_for(shown, address)
        dialog.password.setText(SECRET)
        dialog.button.click()
        said = sentence(dialog, qtbot)
        assert why in said
        assert said.endswith(".")
        assert dialog.isVisible()  # it can be mended and tried again
        dialog.reject()
    assert SECRET not in caplog.text


def test_that_a_certificate_of_another_authority_is_refused_and_the_keyboard_goes_to_the_certificate(
    window: Callable[[], Window], office: Office, tmp_path: Path, qtbot: QtBot
) -> None:
    if not isinstance(office.server, postgres.Cluster):
        pytest.skip("the certificates of a server that was named are not ours to change")
    other = office.server.authority(office.server.folder / f"other-{office.tag}.crt")
    shown = window()
    dialog = dialog_for(shown, replace(SignIn.of(office.address("mia")), certificate=str(other)).whole)
    dialog.password.setText(SECRET)
    dialog.button.click()
    assert "could not prove who it is" in sentence(dialog, qtbot)
    assert dialog.certificate.hasFocus()
    dialog.reject()


def test_that_a_cancelled_sign_in_leaves_nothing_open(
    window: Callable[[], Window], office: Office, qtbot: QtBot
) -> None:
    shown = window()
    dialog = dialog_for(shown, office.address("mia"))
    dialog.password.setText(SECRET)
    dialog.button.click()
    dialog.cancel.click()
    idle(shown, qtbot)
    assert shown.session.desk is None
    assert dialog.isVisible()
    dialog.reject()


def test_that_signing_out_closes_the_connections_and_clears_every_pane(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    shown = enter("mia")
    shown.actions_by_id["signout"].trigger()
    idle(shown, qtbot)
    session = shown.session
    assert (session.desk, session.book, session.compliance, session.projection, session.deals) == (None,) * 4 + ((),)
    assert session.seat.person is None
    assert shown.collateral.table.model.rowCount() == 0
    assert shown.windowTitle() == "CLO Desktop"
    assert shown.saved.text() == "Nothing is open"
    with office.server.connect(office.database) as on:
        counted = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
        assert on.execute(counted, (office.email("mia"),)).fetchone() == (0,)


def test_that_a_password_is_changed_with_the_present_one_and_within_the_rules(
    enter: Enter, office: Office, qtbot: QtBot
) -> None:
    shown = enter("vic")
    dialog = shown.gate.change_password()

    def change(present: str, new: str, again: str | None = None) -> str:
        dialog.present.setText(present)
        dialog.new.setText(new)
        dialog.again.setText(new if again is None else again)
        dialog.fault.setText("")
        dialog.button.click()
        qtbot.waitUntil(lambda: bool(dialog.fault.text()) and dialog.button.isEnabled(), timeout=30_000)
        return str(dialog.fault.text())

    assert "fewer than 12" in change(SECRET, "short")
    assert "more than 72 bytes" in change(SECRET, "ä" * 37)
    assert "NUL" in change(SECRET, "twelve chars\0and more")
    assert "differ" in change(SECRET, "another-good-secret", "another-good-secreT")
    assert "not your password" in change("wrong-wrong-wrong", "another-good-secret")
    closed: list[int] = []
    dialog.finished.connect(closed.append)
    dialog.present.setText(SECRET)
    dialog.button.click()
    qtbot.waitUntil(lambda: closed == [ChangePasswordDialog.DialogCode.Accepted], timeout=30_000)
    idle(shown, qtbot)
    shown.gate.sign_out()
    idle(shown, qtbot)
    dialog_again = dialog_for(shown, office.address("vic"))
    dialog_again.password.setText("another-good-secret")
    dialog_again.button.click()
    qtbot.waitUntil(lambda: shown.session.seat.person is not None, timeout=30_000)
    idle(shown, qtbot)


class Safe:
    """A keyring that keeps what it gets."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self.kept.pop((service, username), None)


@pytest.fixture
def safe(monkeypatch: pytest.MonkeyPatch) -> Safe:
    made = Safe()
    monkeypatch.setattr(vault, "system_keyring", lambda: made)
    return made


def test_that_a_password_is_remembered_only_if_asked_and_forgotten_again(
    window: Callable[[], Window], office: Office, safe: Safe, qtbot: QtBot
) -> None:
    shown = window()

    def enters(remember: bool, password: str | None) -> None:
        dialog = dialog_for(shown, office.address("vic"))
        if password is not None:
            dialog.password.setText(password)
            qtbot.waitUntil(dialog.remembering.isEnabled)
            dialog.remembering.setChecked(remember)
            dialog.button.click()
        qtbot.waitUntil(lambda: shown.session.seat.person is not None, timeout=30_000)
        idle(shown, qtbot)
        shown.gate.sign_out()
        idle(shown, qtbot)

    enters(False, SECRET)
    assert safe.kept == {}
    enters(True, SECRET)
    qtbot.waitUntil(lambda: list(safe.kept.values()) == [SECRET])
    again = shown.gate.ask_server()
    qtbot.waitUntil(lambda: again.password.text() == SECRET)
    again.reject()
    enters(True, None)  # with what the keyring has, a named server opens by itself
    dialog = shown.gate.ask_server()
    qtbot.waitUntil(lambda: dialog.password.text() == SECRET and dialog.remembering.isEnabled())
    dialog.remembering.setChecked(False)
    dialog.button.click()
    qtbot.waitUntil(lambda: shown.session.seat.person is not None, timeout=30_000)
    idle(shown, qtbot)
    qtbot.waitUntil(lambda: safe.kept == {})
    assert shown._settings.remembered == ()


def test_that_a_keyring_that_keeps_no_secret_is_not_offered(
    window: Callable[[], Window], monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    def unsafe() -> Any:
        raise Refused("The keyring of this computer (x) is not one that is known to keep keys safe; use a passphrase.")

    monkeypatch.setattr(vault, "system_keyring", unsafe)
    dialog = window().gate.ask_server()
    qtbot.waitUntil(lambda: "typed each time" in dialog.remembering.toolTip())
    assert not dialog.remembering.isEnabled()
    dialog.reject()


def test_that_settings_of_servers_and_locks_that_make_no_sense_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "settings.json"
    file.write_text('{"servers": [1], "lock_server": -5, "lock_file": true, "theme": "dark"}')
    assert asdict(load_settings(file)) == asdict(Settings(theme="dark"))
