"""A clicked payment shows its steps in the Cash flows pane, which has the deal's waterfall as a numbered list."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QTextCursor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from clo_desktop.charts.axes import seconds
from clo_desktop.charts.bars import BarChart
from clo_desktop.look import theme
from clo_desktop.look.outcome import spelled_in
from clo_desktop.panes.cashflows import CashFlowsPane
from clo_desktop.tables.frame import Mark
from clo_desktop.tables.steps import at_work, payment_text, steps_frame, test_sum
from clo_desktop.window import Window
from engine.assumptions import Assumptions
from engine.projection import Projection
from engine.waterfall.listing import lines, listing
from engine.waterfall.trace import Trace, explain

test_sum.__test__ = False  # type: ignore[attr-defined]  # a function of the application, no test
HARD = Assumptions(cdr=0.08, severity=0.5)
ROW = 6


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)
    qtbot.waitUntil(lambda: window.cash_flows.filled)


def flows_of(window: Window) -> Projection:
    timed = window.session.projection
    assert timed is not None
    return timed.projection


@pytest.fixture
def pane(harbor: Window, qtbot: QtBot) -> CashFlowsPane:
    """The pane under defaults that divert interest, cure and defer."""
    harbor.session.run(HARD)
    idle(harbor, qtbot)
    harbor.go_to("cashflows")
    harbor.activateWindow()
    return harbor.cash_flows


def place_of(pane: CashFlowsPane, column: str, row: int = ROW) -> QPoint:
    table = pane.classes
    index = table.model.index(row, table.frame.index[column])
    table.grid.scrollTo(index)
    return table.grid.visualRect(index).center()


def click(pane: CashFlowsPane, qtbot: QtBot, column: str, row: int = ROW) -> None:
    qtbot.mouseClick(pane.classes.grid.viewport(), Qt.MouseButton.LeftButton, pos=place_of(pane, column, row))


def class_e(flows: Projection) -> int:
    return next(k for k, t in enumerate(flows.tranches) if t.name == "Class E")


def shown_keys(pane: CashFlowsPane) -> list[float]:
    table = pane.payment.steps.table
    return [table.model.key_at(row) for row in range(table.model.rowCount())]


# -- the steps of a payment ------------------------------------------------------------------------------------------


def test_that_a_click_on_a_payment_shows_its_steps_below(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    flows = flows_of(harbor)
    k, day = class_e(flows), flows.payment_dates[ROW]
    assert pane.payment.isHidden()
    click(pane, qtbot, f"interest_{k}")
    assert pane.payment.isVisible()
    trace = explain(flows, day, "E")
    assert pane.payment.head.text() == payment_text(trace, flows.currency)
    frame = pane.payment.steps.table.frame
    wanted = [s for section in trace.sections for s in section.steps if at_work(section, s)]
    assert shown_keys(pane) == [float(s.number) for s in wanted]
    for name, attribute in (("before", "cash_before"), ("due", "due"), ("paid", "paid"), ("after", "cash_after")):
        assert np.allclose(frame.array(name), [getattr(s, attribute) for s in wanted])
    own = [float(s.number) for s in wanted if s.to_class or (s.of_class and s.due)]
    assert own
    assert pane.payment.steps.table.selected_keys() == own


def test_that_the_clicked_payment_stays_in_sight(pane: CashFlowsPane, qtbot: QtBot) -> None:
    click(pane, qtbot, "interest_1", row=14)
    grid = pane.classes.grid
    qtbot.waitUntil(lambda: grid.viewport().rect().contains(grid.visualRect(grid.currentIndex()).center()))


def test_that_a_click_on_the_date_or_with_ctrl_shows_no_steps(pane: CashFlowsPane, qtbot: QtBot) -> None:
    click(pane, qtbot, "date")
    assert pane.payment.isHidden()


def test_that_the_steps_follow_the_keyboard_and_esc_closes_them(
    harbor: Window, pane: CashFlowsPane, qtbot: QtBot
) -> None:
    flows = flows_of(harbor)
    k = class_e(flows)
    before = pane._split.sizes()
    grid = pane.classes.grid
    grid.setFocus()
    grid.set_current(pane.classes.model.index(ROW, pane.classes.frame.index[f"interest_{k}"]))
    qtbot.keyClick(grid, Qt.Key.Key_Return)
    assert pane.payment.isVisible()
    qtbot.keyClick(grid, Qt.Key.Key_Down)
    assert pane.payment.head.text() == payment_text(explain(flows, flows.payment_dates[ROW + 1], "E"), flows.currency)
    assert grid.hasFocus()
    qtbot.keyClick(grid, Qt.Key.Key_Escape)
    assert pane.payment.isHidden()
    assert pane._split.sizes() == before


def test_that_esc_in_the_steps_gives_the_keyboard_back_to_the_table(pane: CashFlowsPane, qtbot: QtBot) -> None:
    click(pane, qtbot, "interest_1")
    pane.payment.setFocus()
    inside = QApplication.focusWidget()
    assert inside is pane.payment.steps.table.grid
    qtbot.keyClick(inside, Qt.Key.Key_Escape)
    assert pane.payment.isHidden()
    assert pane.classes.grid.hasFocus()


def test_that_enter_on_a_date_of_another_table_shows_what_the_equity_got(
    harbor: Window, pane: CashFlowsPane, qtbot: QtBot
) -> None:
    flows = flows_of(harbor)
    pane.tabs.setCurrentWidget(pane.cash)
    pane.cash.grid.setFocus()
    pane.cash.grid.set_current(pane.cash.model.index(1, 1))
    qtbot.keyClick(pane.cash.grid, Qt.Key.Key_Return)
    assert pane.payment.head.text().startswith(f"{flows.tranches[flows.equity].name}, {flows.payment_dates[1]}")


def test_that_all_steps_are_shown_on_request(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    flows = flows_of(harbor)
    click(pane, qtbot, "interest_1")
    few = shown_keys(pane)
    pane.payment.every.setChecked(True)
    every = explain(flows, flows.payment_dates[ROW], "A-1").steps
    assert shown_keys(pane) == [float(s.number) for s in every]
    assert set(few) < set(shown_keys(pane))


def test_that_the_chosen_step_is_told_with_the_figures_of_its_tests(
    harbor: Window, pane: CashFlowsPane, qtbot: QtBot
) -> None:
    flows = flows_of(harbor)
    click(pane, qtbot, f"interest_{class_e(flows)}")
    trace = explain(flows, flows.payment_dates[ROW], "E")
    cure = next(s for s in trace.steps if s.kind == "cure" and any(not t.passed for t in s.tests))
    table = pane.payment.steps.table
    row = shown_keys(pane).index(float(cure.number))
    table.grid.set_current(table.model.index(row, table.frame.index["label"]))
    qtbot.waitUntil(lambda: f"({cure.letter})" in pane.payment.steps.detail.text())
    for test in cure.tests:
        assert test_sum(test) in pane.payment.steps.detail.text()
    assert "_" not in pane.payment.steps.detail.text()


def test_that_a_run_keeps_the_payment_and_shows_its_new_steps(
    harbor: Window, pane: CashFlowsPane, qtbot: QtBot
) -> None:
    click(pane, qtbot, "interest_1")
    before = pane.payment.head.text()
    harbor.session.run(Assumptions(cdr=0.0, rate_shift=0.01))
    idle(harbor, qtbot)
    flows = flows_of(harbor)
    assert pane.payment.head.text() == payment_text(explain(flows, flows.payment_dates[ROW], "A-1"), flows.currency)
    assert pane.payment.head.text() != before


def test_that_a_date_that_is_no_more_closes_the_steps(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    pane.show_payment(flows_of(harbor).payment_dates[20], "Class A-1")
    harbor.session.run(Assumptions(call_date=flows_of(harbor).payment_dates[8]))
    idle(harbor, qtbot)
    assert pane.payment.isHidden()


def test_that_a_click_on_a_fee_shows_its_steps(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    flows = flows_of(harbor)
    day, fee = flows.payment_dates[1], flows.document.fees[2].name
    for title, column in (("Fees", "paid_2"), ("Sources and uses", "fee_2")):
        table = pane.tables[title]
        pane.tabs.setCurrentWidget(table)
        index = table.model.index(1, table.frame.index[column])
        table.grid.scrollTo(index)
        qtbot.mouseClick(table.grid.viewport(), Qt.MouseButton.LeftButton, pos=table.grid.visualRect(index).center())
        assert pane.payment.isVisible()
        trace = explain(flows, day, fee)
        assert pane.payment.head.text() == payment_text(trace, flows.currency)
        assert trace.total == flows.result.fee_paid[1, 2] > 0.0
        assert pane.payment.steps.table.selected_keys() == [
            float(s.number) for s in trace.steps if s.of_class and (s.paid or s.due)
        ]
        pane.close_payment()


def test_that_a_cell_about_no_payment_shows_no_steps(pane: CashFlowsPane, qtbot: QtBot) -> None:
    pane.tabs.setCurrentWidget(pane.coverage)
    grid = pane.coverage.grid
    qtbot.mouseClick(
        grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.visualRect(pane.coverage.model.index(1, 1)).center()
    )
    assert pane.payment.isHidden()


def test_that_a_payment_opens_in_the_waterfall_pane(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    flows = flows_of(harbor)
    click(pane, qtbot, f"interest_{class_e(flows)}")
    pane.payment.more.click()
    assert harbor.waterfall.isVisible()
    assert harbor.waterfall.date.currentText() == flows.payment_dates[ROW].isoformat()
    assert harbor.waterfall.of_class.currentText() == "Class E"
    assert harbor.waterfall.table.model.rowCount() == len(explain(flows, flows.payment_dates[ROW], "E").steps)


def test_that_a_click_on_a_part_of_a_bar_names_its_class(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    flows = flows_of(harbor)
    at = float(seconds(np.array([flows.payment_dates[ROW]], dtype="datetime64[D]"))[0])
    paid = [flows.paid(k)[ROW] / 1e6 for k in range(len(flows.tranches))]
    low = 0.0
    for tranche, amount in zip(flows.tranches, paid, strict=True):
        if amount > 1e-6:
            assert pane.paid.name_at(at, low + amount / 2.0) == tranche.name
        low += amount
    assert pane.paid.name_at(at, low + 1.0) is None
    assert pane.paid.name_at(at + pane.paid.bar_width(), 0.1) is None
    told: list[tuple[dt.date, str]] = []
    pane.paid.bar_picked.connect(lambda day, name: told.append((day, name)))
    view = pane.paid.plot.getPlotItem().getViewBox()
    biggest = int(np.argmax(paid))
    middle = sum(paid[:biggest]) + paid[biggest] / 2.0
    where = pane.paid.plot.mapFromScene(view.mapViewToScene(QPointF(at, middle)))
    pane.paid.follow(where.toPointF())
    qtbot.mouseClick(pane.paid.plot.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert told == [(flows.payment_dates[ROW], flows.tranches[biggest].name)]
    assert pane.payment.isVisible()


def test_that_bars_below_zero_are_named_too(qtbot: QtBot) -> None:
    chart = BarChart("Flows")
    qtbot.addWidget(chart)
    days = np.array(["2025-01-15", "2025-04-15"], dtype="datetime64[D]")
    chart.set_data(days, ["in", "out"], np.array([[2.0, -1.0], [1.0, 0.0]]))
    first = float(seconds(days)[0])
    assert chart.name_at(first, 1.0) == "in"
    assert chart.name_at(first, -0.5) == "out"
    assert chart.name_at(first, 2.5) is None


# -- the table of steps ----------------------------------------------------------------------------------------------


def test_that_steps_that_missed_what_was_owed_are_marked_and_waiting_principal_is_not(
    harbor: Window, pane: CashFlowsPane
) -> None:
    flows = flows_of(harbor)
    trace = explain(flows, flows.payment_dates[ROW], "E")
    frame = steps_frame(trace, flows.currency)
    marks = frame.marks["short"]
    kinds = {s.kind for s, mark in zip(trace.steps, marks, strict=True) if mark == Mark.BAD}
    assert "pay_interest" in kinds
    assert "pay_principal" not in kinds
    outcomes = [frame.value(row, frame.index["outcome"]) for row in range(len(frame))]
    assert {"pass", "fail"} < {str(o).strip() or "none" for o in outcomes}


def test_that_no_payment_makes_an_empty_table() -> None:
    assert len(steps_frame(None)) == 0


def test_that_a_payment_is_told_in_a_sentence() -> None:
    trace = Trace("Deal", dt.date(2026, 1, 15), "Class A", 1200.0, 0.0, 3.0, "redemption", ())
    assert payment_text(trace, "USD").replace("\u202f", " ") == (
        "Class A, 2026-01-15 (redemption): paid 1 203 USD: interest 1 200, principal 3"
    )


# -- the numbered list -----------------------------------------------------------------------------------------------


def test_that_the_priority_of_payments_is_a_numbered_list(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    document = flows_of(harbor).document
    assert "Priority of payments" in [pane.tabs.tabText(i) for i in range(pane.tabs.count())]
    pane.tabs.setCurrentWidget(pane.priority)
    assert pane.priority.title.text() == document.title
    said = pane.priority.text.toPlainText()
    for line in lines(document):
        assert f"({line.clause.mark})\t{spelled_in(line.text)}" in said
    assert pane.priority.text.verticalScrollBar().value() == 0


def test_that_the_list_can_be_copied_whole_and_in_part(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    document = flows_of(harbor).document
    pane.tabs.setCurrentWidget(pane.priority)
    pane.priority.copy_button.click()
    assert QGuiApplication.clipboard().text() == listing(document)
    text = pane.priority.text
    text.setFocus()
    found = text.document().find("to the Base Manager Fee")
    found.select(QTextCursor.SelectionType.BlockUnderCursor)
    text.setTextCursor(found)
    qtbot.keyClick(text, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text().strip() == "(B)\tto the Base Manager Fee"


def test_that_the_list_keeps_its_place_over_a_run_and_a_change_of_theme(
    harbor: Window, pane: CashFlowsPane, qtbot: QtBot, qapp: QApplication
) -> None:
    pane.tabs.setCurrentWidget(pane.priority)
    bar = pane.priority.text.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 200)
    bar.setValue(200)
    harbor.session.run(Assumptions(cdr=0.01))
    idle(harbor, qtbot)
    assert bar.value() == 200
    theme.apply(qapp, "dark")
    assert bar.value() == 200
    colour = pane.priority.text.document().firstBlock().begin().fragment().charFormat().foreground().color()
    assert colour == theme.colour("text")


def test_that_tab_leaves_the_list(harbor: Window, pane: CashFlowsPane, qtbot: QtBot) -> None:
    pane.tabs.setCurrentWidget(pane.priority)
    pane.priority.setFocus()
    assert pane.priority.text.hasFocus()
    qtbot.keyClick(pane.priority.text, Qt.Key.Key_Tab)
    assert not pane.priority.text.hasFocus()
