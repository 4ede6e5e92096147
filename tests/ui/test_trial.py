"""What a trial of the window found: widths, stale results, order of the keyboard, files that are no workbook."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QDate, QPoint, QPointF, Qt
from PySide6.QtGui import QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QApplication,
    QDockWidget,
    QInputDialog,
    QPushButton,
    QScrollArea,
    QStyle,
    QStyleOptionButton,
    QTabBar,
    QWidget,
)
from pytestqt.qtbot import QtBot

import resources
from clo_desktop.dialogs.porter import DEMO_DEAL, DEMO_FILE
from clo_desktop.faults import Fault, Severity
from clo_desktop.look import formats, theme
from clo_desktop.look.fields import NumberField
from clo_desktop.look.formats import THIN
from clo_desktop.look.outcome import assumed_words, outcome_text, repaid_on, spelled, spelled_in
from clo_desktop.look.tokens import THEMES, Tokens, contrast
from clo_desktop.look.words import as_text, short
from clo_desktop.panes.compliance import frames as tests_pane
from clo_desktop.panes.compliance.told import reckoning
from clo_desktop.panes.deals import rail_line
from clo_desktop.tables.header import FilterEdit
from clo_desktop.tables.steps import steps_frame
from clo_desktop.window import Window
from clo_desktop.work.desk import Imported, comply_with
from clo_desktop.work.standing import DealState, outcome_word, relative_cushion
from engine.assumptions import Assumptions
from engine.compliance import Compliance, TestResult
from engine.projection import Projection
from engine.terms import Book
from engine.waterfall.trace import explain

NBSP = "\u00a0"
PANES = (
    *("collateral", "compliance", "trades", "inbox", "matrix"),
    *("cashflows", "waterfall", "scenarios", "imports", "audit", "health"),
)


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)
    qtbot.waitUntil(lambda: window.cash_flows.filled)


def flows_of(window: Window) -> Projection:
    assert window.session.projection is not None
    return window.session.projection.projection


def done_of(window: Window) -> Compliance:
    assert window.session.compliance is not None
    return window.session.compliance


def book_of(window: Window) -> Book:
    assert window.session.book is not None
    return window.session.book


def renamed(book: Book, name: str) -> Book:
    return dataclasses.replace(book, deal=dataclasses.replace(book.deal, name=name))


def button(pane: QWidget, text: str) -> QPushButton:
    return next(b for b in pane.findChildren(QPushButton) if b.text() == text)


# -- widths -----------------------------------------------------------------------------------------------------------


def test_that_the_window_goes_down_to_1024_by_700_whatever_pane_is_shown(harbor: Window) -> None:
    harbor.resize(1024, 700)
    for name in PANES:
        harbor.go_to(name)
        assert (harbor.width(), harbor.height()) == (1024, 700), name


def test_that_tabs_of_panes_keep_their_names_in_a_narrow_window(harbor: Window) -> None:
    harbor.resize(1024, 700)
    bars = [b for b in harbor.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly) if b.count()]
    assert [bar.elideMode() for bar in bars] == [Qt.TextElideMode.ElideNone]
    for place in range(bars[0].count()):
        assert bars[0].tabRect(place).width() > bars[0].fontMetrics().horizontalAdvance(bars[0].tabText(place))


def test_that_a_long_name_of_a_deal_neither_widens_the_window_nor_is_read_as_markup(harbor: Window) -> None:
    name = "<b>Long</b> " + "Name" * 37
    before = harbor.minimumSizeHint().width()
    harbor.session.book_changed.emit(renamed(book_of(harbor), name))
    harbor.session.compliance_changed.emit(dataclasses.replace(done_of(harbor), deal=name))
    assert harbor.minimumSizeHint().width() <= max(before, 1024)
    assert harbor.compliance._head.textFormat() == Qt.TextFormat.PlainText
    assert harbor.compliance._head.text().startswith("<b>Long</b> Name")
    assert len(short(name)) == 60
    assert as_text(name).startswith("<qt>&lt;b&gt;Long")
    assert short("Harbor") == as_text("Harbor") == "Harbor"


def test_that_the_run_pane_is_never_clipped_and_regains_its_width(harbor: Window, qtbot: QtBot) -> None:
    scroll = harbor.run_pane.findChild(QScrollArea)
    for width in (1024, 1500):
        harbor.resize(width, 700)
        qtbot.waitUntil(lambda: harbor.run_pane.width() >= 280)
        qtbot.waitUntil(lambda: scroll.widget().width() <= scroll.viewport().width())
        assert harbor.run_pane.mapTo(harbor, QPoint(harbor.run_pane.width(), 0)).x() <= width


def test_that_date_boxes_show_the_whole_date(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("waterfall")
    box = harbor.waterfall.date
    qtbot.waitUntil(lambda: box.width() >= box.sizeHint().width())
    assert box.width() > box.fontMetrics().horizontalAdvance("2025-04-15") + 20


# -- Run --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"), [("3,5", 3.5), ("3.5", 3.5), ("35", 35.0), ("1,000", None), ("3,5,5", None)]
)
def test_that_a_comma_is_a_decimal_sign_or_refused(qapp: QApplication, typed: str, value: float | None) -> None:
    field = NumberField("Rate", 0.0, 1e6, "%", 1.0, 2)
    state = field.validate(f"{typed} %", 0)[0]
    assert (state == QValidator.State.Acceptable) == (value is not None)
    if value is not None:
        assert field.valueFromText(f"{typed} %") == value


def test_that_a_comma_typed_into_a_field_is_run_as_a_decimal_sign(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("run")
    harbor.activateWindow()
    box = harbor.run_pane.cdr
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "3,5")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    idle(harbor, qtbot)
    assert flows_of(harbor).rates["cdr"] == pytest.approx(0.035)


def test_that_the_wheel_only_turns_the_field_one_is_in(harbor: Window) -> None:
    harbor.go_to("waterfall")
    harbor.activateWindow()
    pane = harbor.run_pane
    for field in (pane.cdr, pane.call_date, harbor.waterfall.of_class):
        assert not field.hasFocus()
        before = field.value() if isinstance(field, NumberField) else field.property("currentText") or field.text()
        none, still = Qt.MouseButton.NoButton, Qt.ScrollPhase.NoScrollPhase
        turn = QWheelEvent(
            QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, 120), none, Qt.KeyboardModifier.NoModifier, still, False
        )
        QApplication.sendEvent(field, turn)
        after = field.value() if isinstance(field, NumberField) else field.property("currentText") or field.text()
        assert after == before


def test_that_a_result_is_stale_once_a_field_differs_from_it(harbor: Window, qtbot: QtBot) -> None:
    pane = harbor.run_pane
    assert pane.stale.isHidden()
    pane.cdr.setValue(pane.cdr.value() + 1.0)
    assert not pane.stale.isHidden()
    assert "Run (F5) to update" in pane.stale.text()
    pane.cdr.setValue(pane.cdr.value() - 1.0)
    assert pane.stale.isHidden()
    for box in (pane.reinvest, pane.called):
        box.toggle()
        assert not pane.stale.isHidden()
        box.toggle()
        assert pane.stale.isHidden()
    pane.called.setChecked(True)
    pane.run()
    idle(harbor, qtbot)
    assert pane.stale.isHidden()


def test_that_the_deals_own_means_every_field(harbor: Window, qtbot: QtBot) -> None:
    pane = harbor.run_pane
    pane.called.setChecked(True)
    pane.reinvest.setChecked(False)
    pane.shift.setValue(100)
    pane.run()
    idle(harbor, qtbot)
    assert "no reinvestment" in pane.outcome.text()
    assert "curve shifted by 100 bp" in pane.outcome.text()
    pane.reset_button.click()
    idle(harbor, qtbot)
    assert not pane.called.isChecked()
    assert pane.reinvest.isChecked()
    assert pane.shift.value() == 0.0
    assert flows_of(harbor).assumptions == Assumptions()
    assert pane.stale.isHidden()


def test_that_another_deal_resets_the_fields(harbor: Window, qtbot: QtBot) -> None:
    pane, own = harbor.run_pane, flows_of(harbor).rates["cdr"]
    pane.called.setChecked(True)
    pane.call_date.setDate(QDate(2027, 6, 1))
    pane.cdr.setValue(9.0)
    pane.run()
    idle(harbor, qtbot)
    harbor.session.files.import_file(resources.path(DEMO_FILE), "Twin")
    idle(harbor, qtbot)
    assert flows_of(harbor).assumptions == Assumptions()
    assert pane.cdr.value() == pytest.approx(own * 100)
    assert not pane.called.isChecked()
    assert pane.stale.isHidden()


def test_that_the_outcome_names_its_assumptions_and_lists_what_was_assumed(harbor: Window) -> None:
    flows = flows_of(harbor)
    text = outcome_text(flows)
    assert f"CDR {formats.with_unit('rate', flows.rates['cdr'])}".replace(THIN, NBSP) in text
    terms = ("Admin Fee 0 % and 150,000 a year", "Interest diversion trigger 1.0525", "<Fee> 1 %")
    assumed = dataclasses.replace(flows, structure=dataclasses.replace(flows.structure, assumed=terms))
    text = outcome_text(assumed)
    assert "<b>Assumed terms (3)</b>" in text
    assert text.count("<li>") == 3
    assert f"150{NBSP}000 a year" in text
    assert f"trigger 105.25{NBSP}%" in text
    assert "&lt;Fee&gt;" in text
    assert assumed_words("Pre Reinvestment Type ALL PRINCIPAL") == "Pre Reinvestment Type ALL PRINCIPAL"


def test_that_notes_are_repaid_on_the_date_of_the_last_payment_to_them(harbor: Window) -> None:
    flows = flows_of(harbor)
    day = repaid_on(flows)
    assert day is not None
    r, place = flows.result, flows.payment_dates.index(day)
    rated = [k for k in range(len(flows.tranches)) if k != flows.equity]
    owed = (r.balance + r.deferred + r.unpaid)[:, rated].sum(axis=1)
    assert owed[place] <= 1.0 < owed[place - 1]
    assert day < flows.payment_dates[-1]
    assert f"all repaid by {day.isoformat()}" in outcome_text(flows)


def test_that_coverage_tests_are_written_with_blanks(harbor: Window) -> None:
    assert spelled("OC_B-2") == "OC B-2"
    assert spelled_in("Cure of OC_B-2, IC_C") == "Cure of OC B-2, IC C"
    flows = flows_of(harbor)
    steps = steps_frame(explain(flows, flows.payment_dates[0], flows.tranches[0].name))
    for frame in (steps, harbor.cash_flows.coverage.frame):
        words = [c.title for c in frame.columns]
        words += [t for c in frame.columns if frame.is_text(c.name) for t in frame.texts(c.name)]
        assert [w for w in words if "_" in w] == []


# -- Compliance -------------------------------------------------------------------------------------------------------


def of_aggregate(window: Window, what: str) -> list[TestResult]:
    return [r for r in done_of(window).results if tests_pane.aggregate(r) == what]


def tell(window: Window, result: TestResult) -> str:
    window.compliance.table.select_keys([float(result.number)])
    window.compliance._tell(None)
    return window.compliance._detail.text()


def test_that_a_largest_test_shows_the_name_that_is_largest_and_on_request_all(harbor: Window) -> None:
    result = next(r for r in of_aggregate(harbor, "largest") if 0 < (r.amounts > 0).sum() < r.members.sum())
    tell(harbor, result)
    button(harbor.compliance, "Show the rows that count").click()
    table = harbor.collateral.table
    assert table.model.rowCount() == int((result.amounts > 0).sum())
    assert result.comment in harbor.collateral._note.text()
    population = button(harbor.compliance, "Show all of the population")
    assert not population.isHidden()
    population.click()
    assert table.model.rowCount() == int(result.members.sum())
    tell(harbor, of_aggregate(harbor, "share")[0])
    assert population.isHidden()


def test_that_the_cushion_is_told_in_par_and_in_names_where_there_is_such_a_room(harbor: Window) -> None:
    for result in done_of(harbor).results:
        told = tell(harbor, result)
        assert (" of par" in told) == (result.cushion_par is not None), result.name
        assert ("names of average size" in told) == (result.cushion_names is not None), result.name
    (diversity,) = of_aggregate(harbor, "diversity")
    assert f"{formats.figure(diversity.numerator, 2)} points over" in tell(harbor, diversity)


def test_that_an_average_of_no_assets_is_not_applicable(harbor: Window) -> None:
    book = harbor.session.book
    assert book is not None
    floating = tuple(h for h in book.deal.holdings if book.assets[h.asset_id].coupon_type != "FIXED")
    done = comply_with(dataclasses.replace(book, deal=dataclasses.replace(book.deal, holdings=floating)))
    none = next(r for r in done.results if r.name == "Weighted average fixed coupon")
    frame = tests_pane.tests_frame(dataclasses.replace(done, results=(none,)))
    shown = {name: frame.text(0, frame.index[name]) for name in ("result", "room", "cushion", "outcome", "comment")}
    assert shown == {
        "result": "–",
        "room": "–",
        "cushion": "–",
        "outcome": "Not applicable",
        "comment": "No such assets",
    }
    assert "No such assets: there is nothing to hold against the limit." in reckoning(none)


def test_that_failing_and_near_tests_stand_first_and_can_be_ordered_otherwise(harbor: Window) -> None:
    table, results = harbor.compliance.table, done_of(harbor).results
    number = table.frame.index["number"]

    def numbers() -> list[int]:
        return [int(table.frame.value(int(r), number)) for r in table.model.rows]

    urgent = [r.number for r in results if outcome_word(r) in ("fail", "maintained", "near")]
    assert set(numbers()[: len(urgent)]) == set(urgent)
    assert numbers()[len(urgent) :] == [r.number for r in results if r.number not in urgent]
    order = harbor.compliance.order
    order.setCurrentText("By number")
    order.activated.emit(order.currentIndex())
    assert numbers() == sorted(r.number for r in results)
    order.setCurrentText("By cushion")
    order.activated.emit(order.currentIndex())
    kept = [n for n in numbers() if not done_of(harbor).result(n).empty]
    cushions = [relative_cushion(done_of(harbor).result(n)) for n in kept]
    assert cushions == sorted(cushions)
    table.grid.columns.sort_asked.emit("name", False)
    assert order.currentIndex() == -1


# -- Import report ----------------------------------------------------------------------------------------------------


def report(name: str, *severities: Severity) -> Imported:
    faults = tuple(Fault(s, "All Assets", f"A{i}", "Column", "x", "Odd.") for i, s in enumerate(severities, 1))
    return Imported(DEMO_DEAL, Severity.ERROR not in severities, 2, 2, 1e6, 0.0, faults, name)


def test_that_a_new_report_is_not_filtered_and_has_its_errors_first(harbor: Window) -> None:
    table = harbor.imports.table
    harbor.session.imported.emit(report("one.xlsx", Severity.WARNING))
    table.set_filter("severity", "nothing like it")
    assert table.model.rowCount() == 0
    harbor.session.imported.emit(report("two.xlsx", Severity.WARNING, Severity.ERROR, Severity.WARNING, Severity.ERROR))
    assert table.filter_texts() == {}
    assert [table.model.key_at(i) for i in range(table.model.rowCount())] == [2.0, 4.0, 1.0, 3.0]


def test_that_a_file_that_is_no_workbook_has_a_report(
    harbor: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = tmp_path / "letter.xlsx"
    letter.write_text("Dear sir")
    monkeypatch.setattr(QInputDialog, "getText", lambda *a, **k: ("Letter", True))
    harbor.porter.import_named(letter)
    idle(harbor, qtbot)
    table = harbor.imports.table
    assert table.model.rowCount() == 1
    message = table.frame.value(0, table.frame.index["message"])
    assert message == harbor.porter._refusal
    assert "letter.xlsx" in message
    assert harbor.imports.head.text() == f"letter.xlsx was not imported, nothing was changed. {message}"
    assert not harbor.docks["imports"].visibleRegion().isEmpty()
    table.row_activated.emit(1.0)


# -- Deals, Collateral ------------------------------------------------------------------------------------------------


def test_that_arrows_move_a_mark_and_only_enter_opens(harbor: Window, qtbot: QtBot) -> None:
    harbor.session.files.import_file(resources.path(DEMO_FILE), "Twin")
    idle(harbor, qtbot)
    rail = harbor.deals.list
    opened = Qt.ItemDataRole.UserRole + 1
    assert [rail.item(i).data(opened) for i in range(2)] == [False, True]
    harbor.activateWindow()
    rail.setFocus()
    qtbot.keyClick(rail, Qt.Key.Key_Up)
    assert rail.currentRow() == 0
    assert harbor.session.deal == "Twin"
    assert [rail.item(i).data(opened) for i in range(2)] == [False, True]
    qtbot.keyClick(rail, Qt.Key.Key_Return)
    idle(harbor, qtbot)
    assert harbor.session.deal == DEMO_DEAL
    assert [rail.item(i).data(opened) for i in range(2)] == [True, False]


def test_that_the_rail_names_the_tightest_test(harbor: Window) -> None:
    result = done_of(harbor).results[0]
    day = dt.date(2026, 1, 10)
    line = rail_line(DealState("X", day, 1, 1.0, "USD", "pass", result), day)
    assert line == f"{formats.text('cushion', relative_cushion(result))}{formats.THIN}% room · today · {result.name}"


def test_that_a_deal_without_holdings_says_so(harbor: Window) -> None:
    book = book_of(harbor)
    bare = dataclasses.replace(book, deal=dataclasses.replace(book.deal, holdings=()))
    harbor.session.book_changed.emit(bare)
    text = harbor.collateral.table.empty.label.text()
    assert text.startswith(f"{DEMO_DEAL} has no holdings.")
    harbor.session.book_changed.emit(None)
    assert harbor.collateral.table.empty.label.text().startswith("No deal is open.")
    assert comply_with(book).results


# -- the keyboard -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [Qt.Key.Key_Tab, Qt.Key.Key_Backtab])
def test_that_tab_never_goes_where_nobody_sees_it(harbor: Window, qtbot: QtBot, key: Qt.Key) -> None:
    harbor.activateWindow()
    harbor.go_to("compliance")
    seen: set[str] = set()
    for _ in range(90):
        at = QApplication.focusWidget()
        assert at is not None
        dock: QWidget | None = at
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parentWidget()
        if isinstance(dock, QDockWidget):
            assert not dock.visibleRegion().isEmpty(), dock.objectName()
            seen.add(dock.objectName())
        qtbot.keyClick(at, key)
    assert seen == {"deals", "compliance", "run"}


def test_that_tab_goes_along_the_filter_row_as_it_is_seen(harbor: Window, qtbot: QtBot) -> None:
    harbor.activateWindow()
    harbor.go_to("collateral")
    table = harbor.collateral.table
    header = table.grid.horizontalHeader()
    header.moveSection(header.visualIndex(table.frame.index["maturity"]), 3)
    shown = table.visible_columns()
    assert shown[3] == "maturity"
    table.focus_filter(table.frame.index[shown[0]])
    visited = []
    for _ in shown:
        at = QApplication.focusWidget()
        assert isinstance(at, FilterEdit)
        assert not at.visibleRegion().isEmpty()
        visited.append(at.name)
        qtbot.keyClick(at, Qt.Key.Key_Tab)
    assert visited == shown
    assert not isinstance(QApplication.focusWidget(), FilterEdit)


# -- layout and look --------------------------------------------------------------------------------------------------


def test_that_reset_layout_leaves_no_tabs_behind(harbor: Window, qtbot: QtBot) -> None:
    harbor.docks["imports"].setFloating(True)
    harbor.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, harbor.docks["waterfall"])
    harbor.tabifyDockWidget(harbor.docks["deals"], harbor.docks["run"])
    harbor.actions_by_id["layout"].trigger()
    assert {d.objectName() for d in harbor.tabifiedDockWidgets(harbor.docks["collateral"])} == set(PANES[1:])
    assert harbor.tabifiedDockWidgets(harbor.docks["run"]) == []
    assert not any(dock.isFloating() for dock in harbor.docks.values())
    assert harbor.docks["run"].x() > harbor.docks["collateral"].x() > harbor.docks["deals"].x()


@pytest.fixture(params=list(THEMES.values()), ids=lambda t: t.name)
def dressed(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[Tokens]:
    yield theme.apply(qapp, request.param.name)
    theme.apply(qapp, "light")


def test_that_frames_of_fields_stand_out_by_3_to_1(dressed: Tokens, qtbot: QtBot) -> None:
    assert contrast(dressed.edge, dressed.window) >= 3.0
    assert contrast(dressed.edge, dressed.surface) >= 3.0
    field = NumberField("Rate", 0.0, 100.0, "%", 1.0, 2)
    qtbot.addWidget(field)
    field.show()
    picture = field.grab().toImage()
    column = [picture.pixelColor(picture.width() // 4, y).name() for y in (0, 1, 2)]
    assert max(contrast(ink, dressed.window) for ink in column) >= 2.9


def test_that_an_unticked_box_can_be_seen(harbor: Window) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    box = harbor.run_pane.called
    for name, tokens in THEMES.items():
        harbor.actions_by_id[f"theme.{name}"].trigger()
        option = QStyleOptionButton()
        box.initStyleOption(option)
        square = box.style().subElementRect(QStyle.SubElement.SE_CheckBoxIndicator, option, box)
        picture = box.grab().toImage()
        middle = square.center().y()
        inks = [picture.pixelColor(x, middle).name() for x in range(square.left() - 1, square.right() + 2)]
        assert max(contrast(ink, tokens.window) for ink in inks) >= 3.0, name


# -- the palette ------------------------------------------------------------------------------------------------------


def test_that_the_palette_finds_positions_and_tests(harbor: Window, qtbot: QtBot) -> None:
    asset, _ = next(iter(book_of(harbor).positions()))
    for typed in (asset.asset_id, asset.issuer_name or ""):
        palette = harbor.show_palette()
        palette.field.setText(typed)
        qtbot.keyClick(palette.field, Qt.Key.Key_Return)
        key = harbor.collateral.table.selected_keys()[0]
        assert book_of(harbor).assets[str(key)].issuer_name == asset.issuer_name
    assert not harbor.docks["collateral"].visibleRegion().isEmpty()
    result = done_of(harbor).results[5]
    palette = harbor.show_palette()
    palette.field.setText(result.name)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert harbor.compliance.table.selected_keys() == [float(result.number)]
    assert not harbor.docks["compliance"].visibleRegion().isEmpty()
