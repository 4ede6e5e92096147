"""The Run pane beyond plain rates: call rules and scenario files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from clo_desktop.look.outcome import outcome_text
from clo_desktop.window import Window
from clo_desktop.work.scenario import read_scenario
from engine.assumptions import Assumptions
from engine.projection import Projection

NBSP = "\u00a0"
TEXT = """
title: Hard & slow
cdr: 4%
lag: 12
curve: {shift: 25bp, key_shifts: {24: 50bp}}
call: {date: 2030-01-15, clean_up: 5%}
buys: [{share: 1, spread: 4%, rating: CCC+}]
rules: [{where: market_value < 90, cdr: 20%}]
events: {sales: {HBR000118: {date: 2025-09-30, price: 96.5}}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "hard.yaml"
    made.write_text(TEXT, encoding="utf-8")
    return made


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


def flows_of(window: Window) -> Projection:
    timed = window.session.projection
    assert timed is not None
    return timed.projection


def test_that_call_rules_of_the_fields_call_and_are_told(harbor: Window, qtbot: QtBot) -> None:
    pane, before = harbor.run_pane, len(flows_of(harbor).payment_dates)
    assert (pane.call_below.value(), pane.clean_up.value()) == (0.0, 0.0)
    pane.clean_up.setValue(60.0)
    assert not pane.stale.isHidden()
    pane.run()
    idle(harbor, qtbot)
    assert len(flows_of(harbor).payment_dates) < before
    assert "called when the performing par is below 60 % of the opening par" in pane.outcome.text().replace(NBSP, " ")
    pane.clean_up.setValue(0.0)
    pane.call_below.setValue(100.0)
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions.call_below == 1.0
    assert len(flows_of(harbor).payment_dates) < before
    assert "called after a distribution below 100 % of the equity" in pane.outcome.text().replace(NBSP, " ")
    assert pane.stale.isHidden()


def test_that_fields_left_alone_leave_the_deal_its_own_terms(harbor: Window, qtbot: QtBot) -> None:
    pane = harbor.run_pane
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == Assumptions()
    pane.lag.setValue(12.0)
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == Assumptions(lag=12.0)  # sale prices by rating, rates of what is bought


def test_that_a_scenario_file_is_run_and_said_in_words(
    harbor: Window, qtbot: QtBot, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pane = harbor.run_pane
    assert pane.scenario_said.isHidden()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(file), ""))
    pane.scenario_button.click()
    idle(harbor, qtbot)
    flows = flows_of(harbor)
    assert flows.assumptions == read_scenario(file).assumptions
    assert (pane.cdr.value(), pane.lag.value(), pane.shift.value(), pane.clean_up.value()) == (4.0, 12.0, 25.0, 5.0)
    assert pane.called.isChecked()
    assert pane.call_date.date().toString("yyyy-MM-dd") == "2030-01-15"
    assert pane.stale.isHidden()
    said = pane.scenario_said.text()
    assert not pane.scenario_said.isHidden()
    for words in (
        "Hard &amp; slow (hard.yaml)",
        "CDR 4 %",
        "recovery lag 12 months",
        "a rate path, 1 asset to buy, 1 rule, 1 event",
    ):
        assert words in said.replace(NBSP, " ")
    for words in (
        "+50 bp at 24 months",
        "100 % at 4 % over the index, 60 months, rated Caa1",
        "market_value &lt; 90: CDR 20 %",
        "HBR000118 is sold on 2025-09-30 at 96.5 %",
    ):
        assert words in pane.outcome.text().replace(NBSP, " ")
        assert words in pane.scenario_said.toolTip().replace(NBSP, " ")
    assert outcome_text(flows) == pane.outcome.text()


def test_that_fields_go_before_the_file_and_the_rest_of_it_stays(harbor: Window, qtbot: QtBot, file: Path) -> None:
    pane = harbor.run_pane
    pane.load_scenario(file)
    idle(harbor, qtbot)
    pane.cdr.setValue(1.0)
    assert not pane.stale.isHidden()
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == replace(read_scenario(file).assumptions, cdr=0.01, rules=())
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == replace(read_scenario(file).assumptions, cdr=0.01, rules=())


def test_that_the_deals_own_takes_the_file_away(harbor: Window, qtbot: QtBot, file: Path) -> None:
    pane = harbor.run_pane
    pane.load_scenario(file)
    idle(harbor, qtbot)
    pane.reset_button.click()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == Assumptions()
    assert pane.scenario_said.isHidden()
    assert not pane.called.isChecked()
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == Assumptions()


def test_that_a_file_that_cannot_be_read_changes_nothing_and_is_said(harbor: Window, qtbot: QtBot, file: Path) -> None:
    pane, before = harbor.run_pane, harbor.session.projection
    file.write_text("cdrr: 4%")
    pane.load_scenario(file)
    assert pane.state.text().startswith("hard.yaml, cdrr: there is no such key; known here are title, ")
    assert harbor.session.projection is before
    assert pane.scenario_said.isHidden()


def test_that_a_scenario_that_the_deal_cannot_have_leaves_the_result_and_the_fields(
    harbor: Window, qtbot: QtBot, file: Path
) -> None:
    pane, before = harbor.run_pane, harbor.session.projection
    file.write_text("cdr: 9%\nevents: {maturities: {NOBODY: 2030-01-15}}")
    pane.load_scenario(file)
    idle(harbor, qtbot)
    assert harbor.session.projection is before
    assert pane.scenario_said.isHidden()
    assert pane.cdr.value() == pytest.approx(flows_of(harbor).rates["cdr"] * 100.0)
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == Assumptions()


def test_that_without_a_deal_a_file_is_not_run(empty: Window, file: Path) -> None:
    empty.run_pane.load_scenario(file)
    assert empty.run_pane.state.text() == "No deal is open; choose one in the deal list."
    assert empty.run_pane.scenario_said.isHidden()


def test_that_a_field_that_is_changed_goes_before_the_rules_and_says_so(
    harbor: Window, qtbot: QtBot, file: Path
) -> None:
    pane = harbor.run_pane
    file.write_text("rules: [{cdr: 9%, lag: 6}, {where: market_value < 90, cpr: 1%}]", encoding="utf-8")
    pane.load_scenario(file)
    idle(harbor, qtbot)
    assert "By rules of the scenario: CDR, recovery lag." in pane.scenario_said.text()
    assert "CDR by rules, severity" in pane.outcome.text()
    for value in (1.0, 0.0):
        pane.cdr.setValue(value)
        assert "The field goes before the rules of the scenario: CDR." in pane.scenario_said.text()
        assert not pane.stale.isHidden()
        pane.run()
        idle(harbor, qtbot)
        asked = flows_of(harbor).assumptions
        assert asked.cdr == value / 100.0
        assert [(rule.cdr, rule.cpr, rule.lag) for rule in asked.rules] == [(None, None, 6.0), (None, 0.01, None)]
        assert pane.stale.isHidden()
        assert "CDR by rules" not in pane.outcome.text()
    pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == asked
