"""Administration of people in the window."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.own_password import StepUpDialog
from clo_desktop.dialogs.people import InitialPasswordDialog
from clo_desktop.store import open_store
from clo_desktop.store.server.people import Person
from clo_desktop.window import DEMO_DEAL, Window
from clo_desktop.work.register import new_password
from tests.ui.server.conftest import SECRET, Enter, Office, dialogs, idle


def person(window: Window, email: str) -> Person:
    found = window.register.listed.find(email)
    assert found is not None
    return found


def step_up(qtbot: QtBot, password: str = SECRET) -> StepUpDialog:
    qtbot.waitUntil(lambda: bool(dialogs(StepUpDialog)), timeout=20_000)
    dialog = dialogs(StepUpDialog)[-1]
    assert isinstance(dialog, StepUpDialog)
    dialog.password.setText(password)
    dialog.button.click()
    return dialog


def choose(window: Window, email: str) -> None:
    window.users.table.select_keys([email])
    assert window.users.chosen == email


def test_that_an_initial_password_is_long_and_never_the_same() -> None:
    made = {new_password() for _ in range(200)}
    assert len(made) == 200
    assert {len(word) for word in made} == {23}


def test_that_people_are_made_given_deals_shut_out_and_let_in_again(enter: Enter, office: Office, qtbot: QtBot) -> None:
    window = enter("eve")
    window.go_to("users")
    idle(window, qtbot)
    assert [p.role for p in window.register.listed.people if p.email.startswith("mia")] == ["manager"]
    assert window.register.listed.sessions[office.email("eve")] >= 1
    new = f"nia.{office.tag}@desk.example"

    dialog = window.registrar.ask_new()
    dialog.email.setText("no address")
    dialog.button.click()
    assert "e-mail address" in dialog.fault.text()
    dialog.email.setText(new)
    dialog.full_name.setText("Nia")
    dialog.button.click()
    wrong = step_up(qtbot, "not-my-password")
    qtbot.waitUntil(lambda: "not your password" in wrong.fault.text(), timeout=20_000)
    wrong.password.setText(SECRET)
    wrong.button.click()
    qtbot.waitUntil(lambda: bool(dialogs(InitialPasswordDialog)), timeout=20_000)
    shown = dialogs(InitialPasswordDialog)[-1]
    assert isinstance(shown, InitialPasswordDialog)
    first = shown.password.text()
    shown.reject()
    idle(window, qtbot)
    assert person(window, new).role == "viewer"

    choose(window, new)  # the password was said; it is not asked for again
    role = window.registrar.ask_role(new)
    role.role.setCurrentIndex(2)
    role.button.click()
    idle(window, qtbot)
    assert person(window, new).role == "manager"
    deals = window.registrar.ask_deals(new)
    assert deals is not None
    deals.rights[DEMO_DEAL].setCurrentIndex(2)
    deals.accept()
    idle(window, qtbot)
    assert person(window, new).deals == ((DEMO_DEAL, "write"),)
    assert not dialogs(StepUpDialog)
    with open_store(office.server.address(office.database, new, first)) as store:
        assert [d.name for d in store.deals()] == [DEMO_DEAL]

        box = window.registrar.ask_deactivate(new)
        box.buttons()[0].click()
        idle(window, qtbot)
        assert not person(window, new).is_active
    assert not window.users.buttons["activate"].isHidden()
    window.users.buttons["activate"].click()
    idle(window, qtbot)
    assert person(window, new).is_active
    window.registrar.ask_reset(new).buttons()[0].click()
    qtbot.waitUntil(lambda: bool(dialogs(InitialPasswordDialog)), timeout=20_000)
    second = dialogs(InitialPasswordDialog)[-1]
    assert second.password.text() != first
    second.reject()
    idle(window, qtbot)
    for name in ("unlock", "sessions"):
        assert window.users.buttons[name].isEnabled()
    window.register.unlock(new)
    window.register.end_sessions(new)
    idle(window, qtbot)


def test_that_nobody_changes_their_own_role_or_shuts_themselves_out(enter: Enter, office: Office, qtbot: QtBot) -> None:
    window = enter("eve")
    window.go_to("users")
    idle(window, qtbot)
    choose(window, office.email("eve"))
    qtbot.waitUntil(lambda: "That is you" in window.users.said.text())
    assert not any(button.isEnabled() for name, button in window.users.buttons.items() if name != "deals")


def test_that_others_see_no_people(enter: Enter, qtbot: QtBot) -> None:
    window = enter("mia")
    assert window.register.listed.people == ()
    assert not window.actions_by_id["pane.users"].isVisible()
    assert not window.users.new.isEnabled()
