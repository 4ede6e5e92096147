"""The library of the Scenarios pane, packs and imports in the window, on the demo deal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox
from pytestqt.qtbot import QtBot

from clo_desktop.panes.scenarios.library import LibraryTab
from clo_desktop.window import Window
from clo_desktop.work import pack_file, scenario_library
from engine.assumptions import Assumptions
from tests.ui.test_scenarios_pane import show, slide, wait

FOUND = 20_000


@pytest.fixture
def shelf(harbor: Window, qtbot: QtBot) -> LibraryTab:
    harbor.go_to("scenarios")
    wait(harbor.scenarios, qtbot)
    harbor.scenarios.tabs.setCurrentWidget(harbor.scenarios.library)
    settle(harbor, qtbot)
    return harbor.scenarios.library


def settle(window: Window, qtbot: QtBot) -> None:
    qtbot.wait(5)
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=FOUND)
    wait(window.scenarios, qtbot)


def choose(shelf: LibraryTab, name: str) -> None:
    shelf.table.select_keys([name])
    shelf._show()


def test_that_the_templates_are_listed_and_can_only_be_copied(shelf: LibraryTab) -> None:
    assert [entry.name for entry in shelf.entries] == [entry.name for entry in scenario_library.templates()]
    choose(shelf, "Replay 2008")
    assert "price_shock: -30%" in shelf.says.toPlainText()
    enabled = {name: button.isEnabled() for name, button in shelf.buttons.items()}
    assert enabled == {
        **dict.fromkeys(("Open", "Run", "Save as"), True),
        **dict.fromkeys(("Save", "Lock", "Tags", "Delete"), False),
    }


def test_that_a_scenario_is_opened_changed_saved_locked_and_found(
    shelf: LibraryTab, harbor: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = harbor.scenarios
    choose(shelf, "Replay 2008")
    shelf._guarded(shelf._open)
    settle(harbor, qtbot)
    template = scenario_library.scenario(shelf.entries[4]).assumptions
    assert pane.levers.assumptions() == template
    assert pane.levers.words() == "Replay 2008"
    own = pane.levers.levers["cdr"].value
    assert pane.levers.levers["price_shock"].value == pytest.approx(-30.0)
    slide(pane, "severity", 50.0)
    settle(harbor, qtbot)
    changed = pane.levers.assumptions()
    assert changed.rules == template.rules
    assert changed.severity == 0.5
    assert pane.levers.ruled.text().startswith("By rules of the scenario: CPR, CDR. A lever")
    slide(pane, "cdr", 0.0)
    settle(harbor, qtbot)
    assert pane.levers.assumptions().cdr == 0.0
    assert pane.levers.assumptions().rules == template.rules[1:]
    assert pane.levers.ruled.text().endswith("The lever goes before the rules of the scenario: CDR.")
    slide(pane, "cdr", own)
    settle(harbor, qtbot)
    assert pane.levers.assumptions() == changed
    monkeypatch.setattr(QInputDialog, "getText", lambda *_, **__: ("House 2008", True))
    shelf._guarded(shelf._save_as)
    settle(harbor, qtbot)
    assert "House 2008 was saved as version 1." in shelf.state.text()
    shelf._guarded(shelf._save)
    settle(harbor, qtbot)
    desk = harbor.session.desk
    assert desk is not None
    saved = scenario_library.entry(desk.store, "House 2008")
    assert saved.version == 2
    assert scenario_library.scenario(saved).assumptions == changed
    shelf.tag("House 2008", ["house", "stress"])
    settle(harbor, qtbot)
    choose(shelf, "House 2008")
    shelf._guarded(shelf._lock)
    settle(harbor, qtbot)
    choose(shelf, "House 2008")
    assert shelf.buttons["Lock"].text() == "Unlock"
    assert not shelf.buttons["Delete"].isEnabled()
    refusals: list[str] = []
    harbor.session.refused.connect(refusals.append)
    monkeypatch.setattr(QMessageBox, "open", lambda _self: None)
    shelf.save("House 2008")
    settle(harbor, qtbot)
    assert "is locked by" in refusals[0]
    assert scenario_library.entry(desk.store, "House 2008").version == 2
    shelf.search.setText("stress house")
    qtbot.waitUntil(lambda: [entry.name for entry in shelf.entries] == ["House 2008"], timeout=FOUND)
    shelf._guarded(shelf._lock)
    settle(harbor, qtbot)
    shelf.delete("House 2008")
    qtbot.waitUntil(lambda: shelf.entries == (), timeout=FOUND)


def test_that_a_name_that_cannot_be_is_said_and_nothing_saved(
    shelf: LibraryTab, harbor: Window, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, why in (("Base", "ships with the application"), ("a/b", "has no /"), (" ", "1 to 80 characters")):
        monkeypatch.setattr(QInputDialog, "getText", lambda *_, name=name, **__: (name, True))
        shelf._guarded(shelf._save_as)
        assert why in shelf.state.text()
    settle(harbor, qtbot)
    assert all(entry.shipped for entry in shelf.entries)


def test_that_running_a_scenario_of_the_library_is_a_run_under_it(
    shelf: LibraryTab, harbor: Window, qtbot: QtBot
) -> None:
    choose(shelf, "Price crash")
    with qtbot.waitSignal(harbor.session.projection_changed, timeout=FOUND):
        shelf._guarded(shelf._run)
    timed = harbor.session.projection
    assert timed is not None
    assert timed.projection.assumptions.price_shock == -0.25
    assert "Price crash" in harbor.run_pane.scenario_said.text()


def test_that_a_study_asked_for_again_is_answered_without_a_run(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("scenarios")
    pane = harbor.scenarios
    wait(pane, qtbot)
    show(pane, pane.grid, qtbot)
    first = pane.grid.map.values
    slide(pane, "cpr", 33.0)
    wait(pane, qtbot)
    assert pane.grid.map.values is not first
    pane.levers.reset()
    assert pane.latest.task is None
    assert pane.levers.state.text() == "Grid: as asked before."
    assert (pane.grid.map.values == first).all()


def test_that_the_comparison_names_the_inputs_that_differ(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("scenarios")
    pane = harbor.scenarios
    wait(pane, qtbot)
    pane.keep()
    slide(pane, "downgrade", 2.0)
    wait(pane, qtbot)
    assert pane.levers.assumptions() == Assumptions(downgrade=2)
    show(pane, pane.compare, qtbot)
    assert pane.compare.differ.text() == "Inputs that differ. Downgrade (notches): A the deal's own, Now 2."


def test_that_a_pack_is_written_checked_and_stored(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = harbor.scenarios
    harbor.go_to("scenarios")
    wait(pane, qtbot)
    pane.keep()
    slide(pane, "cdr", 6.0)
    wait(pane, qtbot)
    file = tmp_path / "harbor.clopack"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_, **__: (str(tmp_path / "harbor"), ""))
    harbor.actions_by_id["pack"].trigger()
    qtbot.waitUntil(file.exists, timeout=FOUND)
    settle(harbor, qtbot)
    assert pack_file.unpacked(file)[0]["scenarios"] == ["Deal's own", "CDR 6.00 %"]
    boxes: list[Any] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(file), ""))
    monkeypatch.setattr(QMessageBox, "open", lambda box: boxes.append(box))  # a method
    harbor.actions_by_id["unpack"].trigger()
    qtbot.waitUntil(lambda: bool(boxes), timeout=FOUND)
    assert "under 2 scenarios, all " in boxes[0].text()
    assert "figures are the same, bit for bit." in boxes[0].text()
    next(button for button in boxes[0].buttons() if button.text() == "Store deal and scenarios").click()
    settle(harbor, qtbot)
    desk = harbor.session.desk
    assert desk is not None
    assert scenario_library.entry(desk.store, "CDR 6.00 %").tags == ("pack",)


def test_that_importing_scenarios_reports_every_row(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "former.csv"
    file.write_text("name,parameter,value,period\nMild,CDR,2%,\nMild,Colour,red,\n")
    boxes: list[Any] = []
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, **__: (str(file), ""))
    monkeypatch.setattr(QMessageBox, "open", lambda box: boxes.append(box))  # a method
    harbor.actions_by_id["scenario.import"].trigger()
    qtbot.waitUntil(lambda: bool(boxes), timeout=FOUND)
    settle(harbor, qtbot)
    assert "1 scenario of 1 of 2 rows" in boxes[0].text()
    assert "line 3: Mild, Colour = red: no such parameter" in boxes[0].detailedText()
