"""Tests of one's own, the inbox, the quality matrix and rating paths in the window (issue 4)."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.own_test import OwnTestDialog
from clo_desktop.look import icons
from clo_desktop.look.icons import Outcome
from clo_desktop.panes import inbox
from clo_desktop.panes.compliance.frames import CHIPS
from clo_desktop.panes.matrix import cells_of
from clo_desktop.tables.matrix import Sign
from clo_desktop.window import Window
from clo_desktop.work.desk import Desk
from engine.compliance import TestResult


def idle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle, timeout=20_000)


@pytest.fixture
def open_inbox(harbor: Window, qtbot: QtBot) -> Window:
    harbor.go_to("inbox")
    qtbot.waitUntil(lambda: harbor.edits.findings is not None)
    return harbor


def result_of(window: Window, number: int) -> TestResult | None:
    done = window.session.compliance
    assert done is not None
    return next((r for r in done.results if r.number == number), None)


def typed(dialog: OwnTestDialog, where: str, limit: float) -> None:
    dialog.where.setText(where)
    dialog.limit.setValue(limit)
    dialog.try_now()


def write(window: Window, qtbot: QtBot, where: str, limit: float, number: int | None = None) -> None:
    dialog = window.write_test(number)
    typed(dialog, where, limit)
    dialog.accept()
    idle(window, qtbot)


# -- tests of one's own -----------------------------------------------------------------------------------------------


def test_that_a_test_of_one_s_own_is_typed_stored_changed_undone_and_removed(harbor: Window, qtbot: QtBot) -> None:
    write(harbor, qtbot, "country = Germany", 1.0)
    first = result_of(harbor, 201)
    assert first is not None
    assert (first.name, first.outcome.value, first.threshold) == ("Country = Germany", "fail", 0.01)
    write(harbor, qtbot, "country in (Germany, France)", 5.0, number=201)
    second = result_of(harbor, 201)
    assert second is not None
    assert (second.threshold, second.outcome.value) == (0.05, "pass")
    assert second.members.sum() > first.members.sum()
    pane = harbor.compliance
    harbor.activateWindow()
    harbor.go_to("compliance")
    pane.reveal(201)
    qtbot.waitUntil(lambda: pane._remove.isVisible())
    pane._remove.click()
    idle(harbor, qtbot)
    assert result_of(harbor, 201) is None
    for expected in (0.05, 0.01, None):
        qtbot.keyClick(pane.table.grid, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        idle(harbor, qtbot)
        found = result_of(harbor, 201)
        assert (None if found is None else found.threshold) == expected
    harbor.edits.redo()
    idle(harbor, qtbot)
    kept = Desk(harbor.session.where)  # what is stored, read anew
    assert [t.number for t in kept.book(harbor.session.deal or "").deal.limits][-1] == 201
    kept.close()


def test_that_the_dialog_counts_what_is_caught_with_every_key_and_completes_values(
    harbor: Window, qtbot: QtBot
) -> None:
    dialog = harbor.write_test(None)
    dialog.where.setFocus()
    qtbot.keyClicks(dialog.where, "coun")
    assert dialog.where.options[0] == "country"
    assert dialog.where.listing
    qtbot.keyClick(dialog.where._popup, Qt.Key.Key_Tab)
    assert dialog.where.text() == "country "
    qtbot.keyClicks(dialog.where, "= Germ")
    qtbot.keyClick(dialog.where._popup, Qt.Key.Key_Tab)
    assert dialog.where.text() == "country = Germany "
    qtbot.waitUntil(lambda: "Catches 2 positions of 250" in dialog.outcome.text())
    assert dialog.caught.model.rowCount() == 2
    assert "Pass: 1.35" in dialog.outcome.text()
    qtbot.keyClicks(dialog.where, "or")
    qtbot.waitUntil(lambda: dialog.fault.isVisible())
    assert not dialog.store.isEnabled()
    dialog.reject()
    assert result_of(harbor, 201) is None


def test_that_a_limit_takes_the_unit_of_what_is_measured(harbor: Window, qtbot: QtBot) -> None:
    dialog = harbor.write_test(None)
    dialog.aggregate.setCurrentIndex(dialog.aggregate.findData("average"))
    dialog.by.setCurrentIndex(dialog.by.findData("wal"))
    typed(dialog, "coupon_type = FLOAT", 6.0)
    assert dialog.limit.text() == "6.00 years"
    assert dialog.draft().text == "average wal where coupon_type = FLOAT"
    assert dialog.draft().limit == 6.0
    dialog.aggregate.setCurrentIndex(dialog.aggregate.findData("largest"))
    typed(dialog, "", 2.5)
    assert (dialog.limit.text(), dialog.draft().limit) == ("2.50 %", 0.025)
    assert dialog.draft().text == "largest 1 by issuer_id"
    assert dialog.tried is not None
    assert dialog.tried.result is not None
    harbor.session.book_changed.emit(harbor.session.book)  # another deal: it would write into that
    assert not dialog.isVisible()


# -- the tests' table -------------------------------------------------------------------------------------------------


def test_that_chips_show_what_fails_and_what_is_tight(harbor: Window) -> None:
    pane = harbor.compliance
    for chip, words in (("failing", {"fail", "maintained"}), ("tight", {"near"})):
        pane.chips.choose(chip)
        frame, model = pane.table.frame, pane.table.model
        shown = {frame.value(int(row), frame.index["outcome"]) for row in model.rows}
        assert shown <= words
        assert model.rowCount() > 0
    pane.table.clear_filters()
    assert pane.chips.current == "all"
    assert pane.table.model.rowCount() == 37


def test_that_the_positions_behind_a_test_move_it_by_what_the_engine_says(harbor: Window, qtbot: QtBot) -> None:
    pane = harbor.compliance
    pane.reveal(29)
    pane._tell(29.0)
    done = harbor.session.compliance
    assert done is not None
    frame = pane.movers.frame
    place, by = done.movers(29, 1)[0]
    assert frame.key_of(0) == done.pool.assets[place].asset_id
    assert frame.value(0, frame.index["moves"]) == pytest.approx(by)
    counted = sum(bool(frame.value(r, frame.index["counts"])) for r in range(len(frame)))
    assert counted == int(done.result(29).members.sum())
    pane.movers.select_keys([frame.key_of(0)])
    pane.movers.copy()
    assert QGuiApplication.clipboard().text().startswith("Asset\tMoves by (%)\tCounts\t")


def test_that_fails_but_maintained_has_a_word_and_a_shape_of_its_own() -> None:
    assert icons.outcome_of("maintained") is Outcome.MAINTAINED
    assert len(set(icons.GLYPHS.values())) == len(Outcome)
    assert CHIPS["failing"][1] == ("fail", "maintained")


# -- the inbox --------------------------------------------------------------------------------------------------------


def test_that_open_doubts_are_counted_in_the_title_and_grouped_by_kind(open_inbox: Window) -> None:
    pane, findings = open_inbox.inbox, open_inbox.edits.findings
    assert findings is not None
    assert open_inbox.docks["inbox"].windowTitle() == f"Inbox ({len(findings)})"
    kinds = [inbox.kind_of(f) for f in inbox.in_order(findings)]
    assert kinds == sorted(kinds, key=kinds.index)
    pane.chips.choose("affiliates")
    assert pane.table.model.rowCount() == sum(f.kind == "affiliates" for f in findings)


def test_that_a_decision_is_one_click_stored_and_undone(open_inbox: Window, qtbot: QtBot) -> None:
    window, pane = open_inbox, open_inbox.inbox
    before = window.edits.open_count
    pane.table.select_keys([pane.table.model.key_at(0)])
    (first,) = pane.chosen()
    pane.buttons["as it is"].click()
    idle(window, qtbot)
    assert window.edits.open_count == before - 1
    assert window.docks["inbox"].windowTitle() == f"Inbox ({before - 1})"
    assert len(pane.chosen()) == 1  # the next one, ready to be decided
    assert pane.chosen()[0].key != first.key
    assert window.edits.undo_name == f"{first.key}: as it is"
    pane.undo.click()
    idle(window, qtbot)
    assert window.edits.open_count == before
    assert not pane.undo.isEnabled()
    assert window.session.book is not None
    assert window.session.book.deal.clo_inputs == stored_inputs(window)


def stored_inputs(window: Window) -> object:
    desk = Desk(window.session.where)
    stored = desk.book(window.session.deal or "").deal.clo_inputs
    desk.close()
    return stored


def test_that_one_decision_may_be_about_several_and_affiliates_can_be_parted_again(
    open_inbox: Window, qtbot: QtBot
) -> None:
    window, pane = open_inbox, open_inbox.inbox
    before = window.edits.open_count
    keys = [pane.table.model.key_at(row) for row in range(3)]
    pane.table.select_keys(keys)
    pane.decide("as it is")
    idle(window, qtbot)
    assert window.edits.open_count == before - 3
    pane.chips.choose("affiliates")
    pane.table.select_keys([pane.table.model.key_at(0)])
    pane.decide("one")
    idle(window, qtbot)
    pane.chips.choose("decided")
    (joint,) = [f for f in window.edits.findings or () if f.kind == "affiliates"]
    pane.table.select_keys([joint.key])
    assert pane.reopen.isVisible()
    pane.reopen.click()
    idle(window, qtbot)
    assert [f.decided for f in window.edits.findings or () if f.kind == "affiliates"] == [""]


# -- the quality matrix, rating paths ---------------------------------------------------------------------------------


def test_that_the_matrix_shows_best_elected_and_failing_points_and_is_copied(harbor: Window, qtbot: QtBot) -> None:
    harbor.go_to("matrix")
    pane = harbor.matrix
    qtbot.waitUntil(lambda: pane.empty.button.text() == "Show the published example")
    pane.empty.button.click()
    qtbot.waitUntil(lambda: pane.view is not None)
    view = pane.view
    assert view is not None
    assert pane.grid.sign_at(*view.cushions.best) is Sign.BEST
    assert "is 5.02" in pane.head.text()
    assert "WARF up to" in pane.detail.text()
    pane.copying.click()
    lines = QGuiApplication.clipboard().text().split("\n")
    assert len(lines) == 24
    assert float(lines[1].split("\t")[1]) == pytest.approx(view.cushions.slack[0, 0] * 100)
    pane.grid.go_to(2, 3)
    pane.elect.click()
    idle(harbor, qtbot)
    qtbot.waitUntil(lambda: pane.view is not None and pane.view.elected is not None)
    assert pane.view is not None
    assert pane.view.elected is not None
    assert pane.view.elected[:2] == (view.cells.spreads[2], view.cells.diversities[3])
    assert pane.grid.sign_at(2, 3) is Sign.ELECTED
    harbor.edits.undo()
    idle(harbor, qtbot)
    assert pane.view.elected is None


def test_that_every_figure_of_the_matrix_can_be_shown(harbor: Window, qtbot: QtBot) -> None:
    pane = harbor.matrix
    pane.choose("moodys_matrix_example")
    qtbot.waitUntil(lambda: pane.view is not None)
    assert pane.view is not None
    for place in range(pane.shown.count()):
        cells = cells_of(pane.view, pane.shown.itemData(place))
        assert cells.values.shape == (23, 9)


def test_that_the_rule_path_of_a_rating_stands_below_the_positions_and_in_the_tool_tip(
    harbor: Window, qtbot: QtBot
) -> None:
    harbor.go_to("collateral")
    pane = harbor.collateral
    table = pane.table
    table.grid.set_current(table.model.index(0, table.frame.index["moodys_rating"]))
    qtbot.waitUntil(lambda: pane.path.isVisible())
    key = str(table.current_key())
    assert pane.path.text().startswith(f"{key}  Moody's rating: the rules give ")
    assert pane.path.text().endswith(", as stored.")
    assert pane._path_of(key, "moodys_dpr").startswith("Moody's default probability rating: the rules give ")
    assert pane._path_of(key, "country") == ""
    table.grid.set_current(table.model.index(0, table.frame.index["issuer_name"]))
    assert not pane.path.isVisible()


def test_that_none_of_the_new_panes_widens_a_small_window(harbor: Window) -> None:
    panes: tuple[QWidget, ...] = (harbor.compliance, harbor.inbox, harbor.matrix)
    assert all(pane.minimumSizeHint().width() <= 560 for pane in panes)
