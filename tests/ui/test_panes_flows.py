"""The panes of cash flows and of the run: figures that tie, assumptions that hold, a run that can be stopped."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from clo_desktop.charts.axes import seconds
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.panes.run import outcome_text
from clo_desktop.tables.flows import TABLES, cash_frame, classes_frame, coverage_frame, fees_frame
from clo_desktop.window import Window
from clo_desktop.work.desk import Desk
from engine import cash as columns
from engine.assumptions import Assumptions
from engine.projection import Projection


def flows_of(window: Window) -> Projection:
    timed = window.session.projection
    assert timed is not None
    return timed.projection


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)
    qtbot.waitUntil(lambda: window.cash_flows.filled)


@pytest.fixture
def held(harbor: Window, gate: Callable[[], threading.Event]) -> threading.Event:
    """Projections of the open deal wait until they are cancelled or let go."""
    return gate()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], threading.Event]]:
    """Once called, projections wait until they are cancelled or the event is set."""
    gate = threading.Event()
    real: Callable[..., Any] = Desk.project_book

    def waiting(desk: Desk, book: Any, assumptions: Any, report: Any) -> Any:
        while not gate.wait(0.005):
            report(0.5, "Projecting loans")
        return real(desk, book, assumptions, report)

    def shut() -> threading.Event:
        monkeypatch.setattr(Desk, "project_book", waiting)
        return gate

    yield shut
    gate.set()


# -- Cash flows -------------------------------------------------------------------------------------------------------


def test_that_the_tables_tie_to_the_projection(harbor: Window) -> None:
    flows = flows_of(harbor)
    classes, sets = classes_frame(flows)
    coverage, cash = coverage_frame(flows), cash_frame(flows)
    assert len(classes) == len(coverage) == len(cash) == len(flows.payment_dates)
    for k, tranche in enumerate(flows.tranches):
        assert tranche.name in sets
        for attribute in ("interest", "deferred_paid", "principal", "deferred", "balance"):
            assert np.array_equal(classes.array(f"{attribute}_{k}"), getattr(flows.result, attribute)[:, k])
    for k in range(len(flows.document.tests)):
        ratio = flows.result.ratio[:, k]
        assert np.array_equal(coverage.array(f"ratio_{k}"), np.where(np.isfinite(ratio), ratio, np.nan), equal_nan=True)
        assert np.array_equal(coverage.array(f"trigger_{k}"), flows.result.trigger[:, k])
    gap = cash.array(f"cash_{columns.SOURCES}") - cash.array(f"cash_{columns.USES}")
    assert np.abs(gap).max() < 0.005
    fees = fees_frame(flows)
    for k in range(len(flows.structure.fees)):
        assert np.array_equal(cash.array(f"fee_{k}"), flows.result.fee_paid[:, k])
        assert np.array_equal(fees.array(f"unpaid_{k}"), flows.result.fee_unpaid[:, k])


def test_that_the_tables_of_the_pane_have_a_row_a_payment_date(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("cashflows")
    idle(harbor, qtbot)
    pane = harbor.cash_flows
    dates = list(flows_of(harbor).payment_dates)
    assert list(pane.tables) == list(TABLES)
    for table in (pane.classes, *pane.tables.values()):
        assert [table.model.key_at(row) for row in range(table.model.rowCount())] == dates
        assert len(table.visible_columns()) > 5


def test_that_a_click_on_a_date_of_a_chart_selects_its_row(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("cashflows")
    idle(harbor, qtbot)
    pane = harbor.cash_flows
    day = flows_of(harbor).payment_dates[7]
    at = float(seconds(np.array([day], dtype="datetime64[D]"))[0])
    for tab, table in enumerate((pane.classes, pane.coverage, pane.cash)):
        pane.tabs.setCurrentIndex(tab)
        pane.paid.cursor_of.move(at)

        class Click:
            @staticmethod
            def button() -> Qt.MouseButton:
                return Qt.MouseButton.LeftButton

        pane.paid._clicked(Click())
        assert table.selected_keys() == [day]


def test_that_one_cursor_goes_through_all_charts(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("cashflows")
    idle(harbor, qtbot)
    pane = harbor.cash_flows
    day = flows_of(harbor).payment_dates[7]
    pane.paid.cursor_of.move(float(seconds(np.array([day], dtype="datetime64[D]"))[0]))
    assert {chart.date.text() for chart in (pane.balances, pane.paid, pane.ratios)} == {day.isoformat()}


def test_that_a_run_keeps_columns_and_the_current_date(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("cashflows")
    idle(harbor, qtbot)
    table = harbor.cash_flows.classes
    table.show_set("Class E")
    shown = table.visible_columns()
    day = flows_of(harbor).payment_dates[5]
    table.select_keys([day])
    harbor.session.run(Assumptions(cdr=0.03))
    idle(harbor, qtbot)
    assert table.visible_columns() == shown
    assert table.selected_keys() == [day]


# -- Run --------------------------------------------------------------------------------------------------------------


def test_that_the_fields_take_the_deals_own_assumptions(harbor: Window) -> None:
    flows, pane = flows_of(harbor), harbor.run_pane
    assert pane.cpr.value() == pytest.approx(flows.rates["cpr"] * 100)
    assert pane.cdr.value() == pytest.approx(flows.rates["cdr"] * 100)
    assert pane.severity.value() == pytest.approx(flows.rates["severity"] * 100)
    assert pane.lag.value() == flows.rates["lag"]
    assert pane.sale_price.value() == pytest.approx(flows.structure.sale_price * 100)
    assert pane.state.text().startswith("Done in ")
    assert "Sources = uses</b> to a cent" in pane.outcome.text()


def test_that_running_the_deals_own_fields_changes_nothing(harbor: Window, qtbot: QtBot) -> None:
    before = flows_of(harbor)
    harbor.run_pane.run()
    idle(harbor, qtbot)
    assert flows_of(harbor) is not before
    assert np.allclose(flows_of(harbor).uses, before.uses, atol=0.005)


@pytest.mark.parametrize("key", [Qt.Key.Key_F5, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_that_what_was_typed_is_run_by_f5_and_by_enter(harbor: Window, qtbot: QtBot, key: Qt.Key) -> None:
    harbor.go_to("run")
    harbor.activateWindow()
    box = harbor.run_pane.cdr
    box.setFocus()
    box.selectAll()
    for letter in "7.5":
        qtbot.keyClick(box, letter)
    qtbot.keyClick(box, key)
    idle(harbor, qtbot)
    assert flows_of(harbor).rates["cdr"] == pytest.approx(0.075)


def test_that_what_was_typed_stays_after_the_run(harbor: Window, qtbot: QtBot) -> None:
    pane = harbor.run_pane
    pane.cdr.setValue(7.5)
    pane.shift.setValue(-50)
    pane.called.setChecked(True)
    pane.call_date.setDate(QDate(2027, 6, 1))
    pane.run()
    idle(harbor, qtbot)
    flows = flows_of(harbor)
    assert flows.rates["cdr"] == pytest.approx(0.075)
    assert flows.assumptions.rate_shift == pytest.approx(-0.005)
    assert [d for d in flows.payment_dates if d >= dt.date(2027, 6, 1)] == [flows.payment_dates[-1]]
    assert pane.cdr.value() == 7.5
    pane.reset_button.click()
    idle(harbor, qtbot)
    assert pane.cdr.value() == pytest.approx(flows_of(harbor).rates["cdr"] * 100)
    assert pane.cdr.value() != 7.5


def test_that_a_run_shows_progress_and_can_be_cancelled(harbor: Window, held: threading.Event, qtbot: QtBot) -> None:
    pane, before = harbor.run_pane, harbor.session.projection
    assert not pane.cancel_button.isEnabled()
    pane.run()
    qtbot.waitUntil(pane.cancel_button.isEnabled)
    qtbot.waitUntil(lambda: pane.progress.value() == 500)
    assert pane.state.text().startswith("Projecting loans.")
    pane.cancel_button.click()
    idle(harbor, qtbot)
    assert harbor.session.projection is before
    assert not pane.cancel_button.isEnabled()
    assert pane.progress.value() == 0
    assert pane.state.text() == "Cancelled; nothing was changed."


def test_that_what_takes_long_is_shown_in_the_status_bar_with_cancel(
    harbor: Window, held: threading.Event, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("clo_desktop.window._LONG", 0.05)
    assert not harbor.work_cancel.isVisible()
    harbor.session.run(Assumptions())
    qtbot.waitUntil(lambda: harbor.work_cancel.isVisible())
    assert harbor.work.text().startswith(f"Project {DEMO_DEAL}: Projecting loans")
    harbor.work_cancel.click()
    idle(harbor, qtbot)
    assert not harbor.work_cancel.isVisible()


def test_that_an_assumption_the_engine_refuses_is_told_in_the_pane(harbor: Window, qtbot: QtBot) -> None:
    before = harbor.session.projection
    harbor.run_pane.sale_price.setValue(0.0)
    harbor.run_pane.run()
    idle(harbor, qtbot)
    assert harbor.run_pane.state.text().startswith("The sale price is a percentage of par")
    assert harbor.session.projection is before


def test_that_a_failing_coverage_test_and_unpaid_notes_are_told(harbor: Window, qtbot: QtBot) -> None:
    harbor.session.run(Assumptions(cdr=0.2, severity=0.8))
    idle(harbor, qtbot)
    text = outcome_text(flows_of(harbor))
    assert "fails first on 20" in text
    assert "not repaid in full: " in text
    assert "nan" not in text


def test_that_a_run_before_the_fields_are_filled_takes_the_deals_own_assumptions(
    empty: Window, qtbot: QtBot, workspace: Path, warm: None, gate: Callable[[], threading.Event]
) -> None:
    session, held = empty.session, gate()
    session.open(workspace, lambda: session.choose(DEMO_DEAL))
    qtbot.waitUntil(lambda: session.running is not None, timeout=20_000)
    empty.run_pane.run()
    held.set()
    idle(empty, qtbot)
    assert flows_of(empty).assumptions == Assumptions()
    assert empty.run_pane.cdr.value() > 0.0


def test_that_without_a_deal_the_pane_says_so(empty: Window, qapp: QApplication) -> None:
    assert empty.run_pane.state.text() == "Choose a deal to run."
    empty.run_pane.run()
    assert empty.run_pane.state.text() == "No deal is open; choose one in the deal list."
