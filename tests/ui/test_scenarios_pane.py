"""The Scenarios pane on the demo deal: levers, studies, comparison."""

from __future__ import annotations

import re

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox
from pytestqt.qtbot import QtBot

from clo_desktop.look.fields import Choice, NumberField
from clo_desktop.look.formats import THIN
from clo_desktop.panes.scenarios import ScenariosPane
from clo_desktop.panes.scenarios.tab import Study, Tab
from clo_desktop.window import Window
from engine.assumptions import Assumptions
from engine.studies.breakeven import break_even
from engine.studies.leave_out import leave_out


@pytest.fixture
def pane(harbor: Window, qtbot: QtBot) -> ScenariosPane:
    harbor.go_to("scenarios")
    wait(harbor.scenarios, qtbot)
    return harbor.scenarios


def wait(pane: ScenariosPane, qtbot: QtBot) -> None:
    qtbot.wait(5)
    qtbot.waitUntil(lambda: pane.idle, timeout=20_000)


def show(pane: ScenariosPane, tab: Tab, qtbot: QtBot) -> None:
    pane.tabs.setCurrentWidget(tab)
    wait(pane, qtbot)


def slide(pane: ScenariosPane, name: str, value: float) -> None:
    lever = pane.levers.levers[name]
    lever.slider.setValue(round(value / lever.field.singleStep()))


def test_that_without_a_deal_the_pane_says_what_to_do(empty: Window, qtbot: QtBot) -> None:
    empty.go_to("scenarios")
    wait(empty.scenarios, qtbot)
    assert "Open a deal" in empty.scenarios._layers.currentWidget().label.text()
    assert empty.scenarios.latest.task is None


def test_that_the_levers_begin_at_the_deals_own_and_leave_it_to_the_deal(pane: ScenariosPane) -> None:
    rates = pane._session.projection.projection.rates
    assert pane.levers.levers["cdr"].value == pytest.approx(rates["cdr"] * 100.0, abs=0.005)
    assert pane.levers.assumptions() == Assumptions()
    assert pane.levers.words() == "Deal's own"


def test_that_a_lever_redraws_the_charts_and_the_figures(pane: ScenariosPane, qtbot: QtBot, harbor: Window) -> None:
    before, head = pane.live.paid._values.copy(), pane.live.head.text()
    slide(pane, "cdr", 8.0)
    wait(pane, qtbot)
    assert pane.levers.assumptions() == Assumptions(cdr=0.08)
    assert not np.array_equal(before, pane.live.paid._values)
    assert pane.live.head.text() != head
    with harbor.session.desk.ready(harbor.session.deal) as model:
        run = model.run(Assumptions(cdr=0.08))
    paid = np.stack([run.paid(k) for k in range(len(run.tranches))], axis=1) / 1e6
    assert pane.live.paid._values == pytest.approx(paid)
    assert f"{run.equity_irr * 100:.2f}".replace("-", "\u2212") in pane.live.head.text()
    assert "fails: " in pane.live.head.text()


def test_that_a_moving_slider_ends_with_its_last_value(pane: ScenariosPane, qtbot: QtBot) -> None:
    for tenth in range(20, 120, 3):
        slide(pane, "cdr", tenth / 10.0)
        qtbot.wait(1)
    wait(pane, qtbot)
    last = pane.live.paid._values.copy()
    pane._stale.add(pane.live)
    pane._ask()
    wait(pane, qtbot)
    assert pane.levers.levers["cdr"].value == pytest.approx(11.9)
    assert np.array_equal(pane.live.paid._values, last)


def test_that_keys_move_a_lever_and_the_button_puts_all_back(pane: ScenariosPane, qtbot: QtBot) -> None:
    lever = pane.levers.levers["severity"]
    before = lever.value
    qtbot.keyClick(lever.slider, Qt.Key.Key_Right)
    assert lever.value == pytest.approx(before + 1.0)
    lever.field.setValue(100.0)
    assert lever.slider.value() == 100
    pane.levers.reinvest.setChecked(False)
    assert pane.levers.assumptions() == Assumptions(severity=1.0, reinvest=False)
    pane.levers.reset_button.click()
    assert pane.levers.assumptions() == Assumptions()
    wait(pane, qtbot)


def test_that_the_grid_shows_and_copies_the_figures(pane: ScenariosPane, qtbot: QtBot) -> None:
    show(pane, pane.grid, qtbot)
    assert pane.grid.map.values.shape == (13, 11)
    assert pane.grid.map.reading().startswith("Loss severity (%) 20, Default rate (%) 0: ")
    assert len(pane.grid.map.copied().splitlines()) == 14
    pane.grid.across.count.setValue(3)
    wait(pane, qtbot)
    assert pane.grid.map.values.shape == (13, 3)


def test_that_a_cell_of_the_grid_moves_the_levers_there(pane: ScenariosPane, qtbot: QtBot) -> None:
    show(pane, pane.grid, qtbot)
    pane.grid.map.picked.emit(12, 4)
    wait(pane, qtbot)
    assert pane.tabs.currentWidget() is pane.live
    said = pane.levers.assumptions()
    assert (said.cdr, said.severity) == (pytest.approx(0.08), pytest.approx(0.8))


def test_that_axes_of_one_thing_are_refused_beside_the_levers(pane: ScenariosPane, qtbot: QtBot) -> None:
    show(pane, pane.grid, qtbot)
    pane.grid.down.parameter.setCurrentIndex(pane.grid.down.parameter.findData("cdr"))
    wait(pane, qtbot)
    assert "stand for one and the same" in pane.levers.state.text()
    pane.grid.down.parameter.setCurrentIndex(pane.grid.down.parameter.findData("cpr"))
    wait(pane, qtbot)
    assert pane.grid.map.values.shape == (9, 11)


def test_that_break_evens_are_those_of_the_engine(pane: ScenariosPane, qtbot: QtBot, harbor: Window) -> None:
    show(pane, pane.breaks, qtbot)
    with harbor.session.desk.ready(harbor.session.deal) as model:
        found = {f"Class {f.name}": f.cdr for f in break_even(model, Assumptions()).found}
    frame = pane.breaks.table.frame
    shown = {frame.value(row, 0): frame.value(row, 1) for row in range(len(frame))}
    assert shown == found
    pane.breaks.target.setCurrentIndex(pane.breaks.target.findData("test price"))
    wait(pane, qtbot)
    notes = [pane.breaks.table.frame.value(row, 4) or "" for row in range(len(pane.breaks.table.frame))]
    assert any(note.startswith("Not monotone: breaks at ") for note in notes)


def test_that_the_tornado_and_each_asset_are_shown(pane: ScenariosPane, qtbot: QtBot, harbor: Window) -> None:
    show(pane, pane.tornado, qtbot)
    assert len(pane.tornado.chart.spans) == 10
    show(pane, pane.assets, qtbot)
    with harbor.session.desk.ready(harbor.session.deal) as model:
        found = leave_out(model, Assumptions())
    frame = pane.assets.table.frame
    row = frame.row_of(found.asset_ids[7])
    assert frame.array("earned")[row] == pytest.approx(found.earned[7] * 1e4)
    with qtbot.waitSignal(harbor.session.asset_wanted) as wanted:
        pane.assets.table.row_activated.emit(found.asset_ids[7])
    assert wanted.args == [found.asset_ids[7]]


def test_that_four_scenarios_stand_side_by_side_with_differences(pane: ScenariosPane, qtbot: QtBot) -> None:
    for cdr in (2.0, 4.0, 6.0, 8.0, 10.0):
        slide(pane, "cdr", cdr)
        pane.keep()
    assert [kept.words for kept in pane.compare.kept] == ["Deal's own", "CDR 4.00 %", "CDR 6.00 %", "CDR 8.00 %"]
    assert "Four scenarios are kept" in pane.levers.state.text()
    show(pane, pane.compare, qtbot)
    frame = pane.compare.table.frame
    assert [c.title for c in frame.columns][2:] == ["A", "B", "B less A", "C", "C less A", "D", "D less A"]
    irr = next(row for row in range(len(frame)) if frame.value(row, 0) == "Equity IRR since purchase")
    one, two, less = (frame.value(irr, frame.index[name]) for name in ("value_0", "value_1", "less_1"))
    assert less == pytest.approx(two - one)
    assert less < 0.0
    pane.forget()
    wait(pane, qtbot)
    assert [c.title for c in pane.compare.table.frame.columns][2:] == ["Now"]


def test_that_studies_out_of_sight_do_not_run(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("collateral")
    wait(harbor.scenarios, qtbot)
    harbor.scenarios.levers.moved.emit()
    assert harbor.scenarios.idle
    assert harbor.scenarios.live in harbor.scenarios._stale
    harbor.go_to("scenarios")
    qtbot.waitUntil(lambda: harbor.scenarios.live not in harbor.scenarios._stale)
    wait(harbor.scenarios, qtbot)


def test_that_another_deal_puts_the_pane_back(pane: ScenariosPane, qtbot: QtBot, harbor: Window) -> None:
    pane.keep()
    harbor.session.book_changed.emit(None)
    assert pane.compare.kept == []
    assert pane._layers.currentIndex() == 0
    wait(pane, qtbot)


def test_that_the_value_tab_prices_every_class_and_takes_quotes_both_ways(pane: ScenariosPane, qtbot: QtBot) -> None:
    show(pane, pane.values, qtbot)
    tab, frame = pane.values, pane.values.table.frame
    assert len(frame) == 8
    row = next(k for k in range(len(frame)) if frame.key_of(k) == "Class B")
    assert frame.array("clean")[row] == pytest.approx(100.18)
    assert "at fair value" in tab.head.text()
    assert "Discount to par" in tab.foot.text()
    tab.of.setCurrentIndex(tab.of.findData("B"))
    tab.quoted_as.setCurrentIndex(tab.quoted_as.findData("discount_margin"))
    before = tab.figure.value()
    tab.figure.setValue(before + 25.0)
    wait(pane, qtbot)
    dearer = tab.table.frame.array("clean")[row]
    assert dearer < 100.18
    assert tab.table.frame.array("discount_margin")[row] == pytest.approx((before + 25.0) / 1e4, abs=1e-8)
    tab.quoted_as.setCurrentIndex(tab.quoted_as.findData("price"))
    assert tab.figure.value() == pytest.approx(dearer, abs=5e-4)
    tab.worst.setChecked(True)
    wait(pane, qtbot)
    assert np.nanmin(tab.table.frame.array("worst_yield") - tab.table.frame.array("yield_quarterly")) <= 0.0
    tab.drop.click()
    wait(pane, qtbot)
    assert tab.table.frame.array("clean")[row] == pytest.approx(100.18)


def test_that_the_value_tab_has_room_for_every_class_in_a_small_window(
    pane: ScenariosPane, harbor: Window, qtbot: QtBot
) -> None:
    harbor.resize(1024, 700)
    show(pane, pane.values, qtbot)
    grid = pane.values.table.grid
    qtbot.waitUntil(lambda: grid.viewport().height() >= 8 * grid.rowHeight(0))
    assert grid.verticalScrollBar().maximum() == 0


def test_that_the_price_grid_holds_both_ways_and_copies_with_headers(pane: ScenariosPane, qtbot: QtBot) -> None:
    show(pane, pane.prices, qtbot)
    tab = pane.prices
    tab.of.setCurrentIndex(tab.of.findData("E"))
    tab.sought.setCurrentIndex(4 - 1)
    wait(pane, qtbot)
    assert tab.map.values.shape == (11, 9)
    assert len(tab.map.copied().splitlines()) == 12
    assert tab.map.reading().startswith("Clean price (per 100) 95, Default rate (%) 0")
    margin = float(tab.map.values[5, 0])  # of the price 100
    tab.sought.setCurrentIndex(tab.sought.currentIndex() + 5)
    tab.low.setValue(margin)
    tab.high.setValue(margin + 100.0)
    wait(pane, qtbot)
    assert tab.map.values[0, 0] == pytest.approx(100.0, abs=0.01)


def test_that_alternatives_are_told_by_date_and_follow_their_terms(pane: ScenariosPane, qtbot: QtBot) -> None:
    show(pane, pane.renewal, qtbot)
    tab = pane.renewal
    qtbot.waitUntil(lambda: pane.idle and len(tab.table.frame) > 0, timeout=60_000)
    assert f"Held, the equity earns 14.04{THIN}% at 82.00 (the deal's own price)" in tab.head.text()
    assert not re.search(r"\d( %|%)", tab.head.text())  # one style
    assert "Best date" in tab.table.frame.texts("note")
    shown = tab.table.frame
    rows = [k for k in range(len(shown)) if str(shown.key_of(k)).startswith("Refinance")]
    before = tab.table.frame.array("irr")[rows].copy()
    tab.terms[0]["fixed"].setValue(0.0)
    qtbot.wait(5)
    qtbot.waitUntil(lambda: pane.idle, timeout=60_000)
    assert (tab.table.frame.array("irr")[rows] > before).all()


# -- what is kept -----------------------------------------------------------------------------------------------------


def test_that_a_control_that_asks_for_another_study_is_part_of_what_results_are_kept_by(harbor: Window) -> None:
    for box in harbor.scenarios.renewal.taken.values():
        box.setChecked(True)  # of a class that is not replaced the margin says nothing
    asked = 0
    for tab in harbor.scenarios.studies:
        told: list[None] = []
        tab.changed.connect(lambda told=told: told.append(None))
        for field in (f for kind in (NumberField, Choice, QCheckBox) for f in tab.findChildren(kind)):
            before, count = tab.study(), len(told)
            match field:
                case NumberField():
                    field.stepBy(1)
                case Choice():
                    field.setCurrentIndex((field.currentIndex() + 1) % max(field.count(), 1))
                case QCheckBox():
                    field.toggle()
            if len(told) > count:
                asked += 1
                assert tab.study() != before, (tab.title, field.accessibleName())
    assert asked > 40


def test_that_a_study_cannot_take_a_control_past_what_its_results_are_kept_by() -> None:
    kept = 1

    def closes_over(model: object, assumptions: object, report: object) -> int:
        return kept

    for run in (closes_over, lambda model, assumptions, report, kept=kept: kept, [].append):
        with pytest.raises(TypeError, match="no plain function"):
            Study(run)
    with pytest.raises(TypeError, match="unhashable"):
        Study(_nothing, ([1.0],))
    assert Study(_nothing, (1.0,)) == Study(_nothing, (1.0,)) != Study(_nothing, (2.0,))


def _nothing(model: object, assumptions: object, report: object, given: float) -> None:
    """A study of nothing."""
