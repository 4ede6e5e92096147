"""The tab What would break it of the Compliance pane (issue 4)."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from clo_desktop.window import Window


def test_that_what_would_break_a_test_is_searched_when_asked_and_kept(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("compliance")
    pane = harbor.compliance
    pane.table.select_keys([7.0])
    tab = pane.breaking
    qtbot.waitUntil(tab.search.isEnabled)
    pane.tabs.setCurrentWidget(tab)
    tab.search.click()
    assert not tab.search.isEnabled()
    qtbot.waitUntil(tab.search.isEnabled, timeout=60_000)
    assert tab.head.text().startswith("1 event, listed below. ")
    assert "verified by the full evaluation" in tab.head.text()
    assert len(tab.table.frame) == 1
    pane.table.select_keys([29.0])
    qtbot.waitUntil(lambda: "past its limit already" in tab.head.text())
    assert not tab.search.isEnabled()
    assert len(tab.table.frame) == 0
    pane.table.select_keys([7.0])
    qtbot.waitUntil(lambda: tab.head.text().startswith("1 event, listed below. "))


def test_that_the_search_is_cancelled_by_its_button_and_by_choosing_another_test(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("compliance")
    pane, tab = harbor.compliance, harbor.compliance.breaking
    pane.table.select_keys([37.0])
    qtbot.waitUntil(tab.search.isEnabled)
    tab.search.click()
    tab.cancel.click()
    assert tab.head.text().startswith("Cancelled")
    assert tab.search.isEnabled()
    tab.search.click()
    pane.table.select_keys([7.0])
    qtbot.waitUntil(lambda: tab.head.text().startswith("Search finds"))
    qtbot.waitUntil(lambda: harbor.session.lanes.idle, timeout=60_000)
    assert len(tab.table.frame) == 0
