"""A table under the hands of somebody who knows Excel: keys, mouse, filters, copying, what stays where it was."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from clo_desktop.look import theme
from clo_desktop.look.formats import THIN
from clo_desktop.tables import menus
from clo_desktop.tables.empty import EmptyState
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.view import FrameTable
from engine.asset import Kind

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
COLUMNS = [
    Column("id", "Asset", Kind.ID),
    Column("issuer", "Issuer", Kind.TEXT),
    Column("par", "Par", Kind.MONEY),
    Column("price", "Price", Kind.PRICE),
    Column("spread", "Spread", Kind.RATE),
    Column("rating", "Moody's rating", Kind.MOODYS),
    Column("note", "Note", Kind.TEXT, editable=True),
]


def make(rows: int = 40, *, shift: float = 0.0, ids: list[str] | None = None) -> Frame:
    names = ids or [f"LX{i:03d}" for i in range(rows)]
    number = [int(name[2:]) for name in names]
    data = {
        "id": names,
        "issuer": [f"Issuer {i % 7}" for i in number],
        "par": [1e6 + i for i in number],
        "price": [90.0 + i % 10 + shift for i in number],
        "spread": [None if i % 5 == 0 else 0.03 + i / 10_000 for i in number],
        "rating": [("B1", "B2", "Caa1", "NR")[i % 4] for i in number],
        "note": [None for _ in number],
    }
    return Frame(COLUMNS, data, key="id", weight="par", currency="USD")


@pytest.fixture
def table(qtbot: QtBot, qapp: QApplication) -> Iterator[FrameTable]:
    theme.apply(qapp, "light")
    made = FrameTable(make(), name="Collateral", frozen=1, told=("par", "price"))
    qtbot.addWidget(made)
    made.resize(500, 320)
    made.show()
    made.grid.setFocus()
    yield made
    theme.apply(qapp, "light")


def at(table: FrameTable, row: int, name: str) -> None:
    table.grid.set_current(table.model.index(row, table.frame.index[name]))


def where(table: FrameTable) -> tuple[int, str]:
    index = table.grid.currentIndex()
    return index.row(), table.frame.columns[index.column()].name


@pytest.mark.parametrize(
    ("start", "key", "modifier", "end"),
    [
        ((3, "par"), Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, (4, "par")),
        ((3, "par"), Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, (3, "issuer")),
        ((0, "par"), Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, (0, "par")),
        ((3, "par"), Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, (3, "id")),
        ((3, "par"), Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, (3, "note")),
        ((3, "par"), Qt.Key.Key_Home, CONTROL, (0, "id")),
        ((3, "par"), Qt.Key.Key_End, CONTROL, (39, "note")),
        ((3, "par"), Qt.Key.Key_Down, CONTROL, (39, "par")),
        ((3, "spread"), Qt.Key.Key_Down, CONTROL, (4, "spread")),  # row 5 is blank
        ((4, "spread"), Qt.Key.Key_Down, CONTROL, (6, "spread")),
        ((9, "spread"), Qt.Key.Key_Up, CONTROL, (6, "spread")),
        ((3, "id"), Qt.Key.Key_Right, CONTROL, (3, "rating")),  # the note is blank
        ((3, "rating"), Qt.Key.Key_Left, CONTROL, (3, "id")),
    ],
)
def test_that_keys_move_as_in_excel(
    table: FrameTable,
    qtbot: QtBot,
    start: tuple[int, str],
    key: Qt.Key,
    modifier: Qt.KeyboardModifier,
    end: tuple[int, str],
) -> None:
    at(table, *start)
    qtbot.keyClick(table.grid, key, modifier)
    assert where(table) == end
    assert table.grid.selected_rows().tolist() == [end[0]]
    assert table.grid.selected_columns() == [table.frame.index[end[1]]]


def test_that_a_page_is_what_is_in_sight(table: FrameTable, qtbot: QtBot) -> None:
    at(table, 0, "par")
    qtbot.keyClick(table.grid, Qt.Key.Key_PageDown)
    page = where(table)[0]
    assert 5 < page < 15
    qtbot.keyClick(table.grid, Qt.Key.Key_PageUp)
    assert where(table) == (0, "par")


def test_that_shift_and_arrows_extend_from_where_they_began(table: FrameTable, qtbot: QtBot) -> None:
    at(table, 3, "par")
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        qtbot.keyClick(table.grid, key, SHIFT)
    assert table.grid.selected_rows().tolist() == [3, 4, 5]
    assert [table.frame.columns[c].name for c in table.grid.selected_columns()] == ["par", "price"]
    qtbot.keyClick(table.grid, Qt.Key.Key_Up, SHIFT)
    assert table.grid.selected_rows().tolist() == [3, 4]
    qtbot.keyClick(table.grid, Qt.Key.Key_Home, SHIFT)
    assert [table.frame.columns[c].name for c in table.grid.selected_columns()] == ["id", "issuer", "par"]


def test_that_ctrl_shift_and_arrow_selects_to_the_edge_of_the_block(table: FrameTable, qtbot: QtBot) -> None:
    at(table, 6, "spread")
    qtbot.keyClick(table.grid, Qt.Key.Key_Down, CONTROL | SHIFT)
    assert table.grid.selected_rows().tolist() == [6, 7, 8, 9]


def test_that_shift_space_takes_rows_ctrl_space_columns_and_ctrl_a_all(table: FrameTable, qtbot: QtBot) -> None:
    at(table, 3, "par")
    qtbot.keyClick(table.grid, Qt.Key.Key_Down, SHIFT)
    qtbot.keyClick(table.grid, Qt.Key.Key_Space, SHIFT)
    assert table.grid.selected_rows().tolist() == [3, 4]
    assert len(table.grid.selected_columns()) == len(COLUMNS)
    at(table, 3, "par")
    qtbot.keyClick(table.grid, Qt.Key.Key_Space, CONTROL)
    assert len(table.grid.selected_rows()) == 40
    assert table.grid.selected_columns() == [table.frame.index["par"]]
    qtbot.keyClick(table.grid, Qt.Key.Key_A, CONTROL)
    assert len(table.grid.selected_rows()) == 40
    assert len(table.grid.selected_columns()) == len(COLUMNS)
    qtbot.keyClick(table.grid, Qt.Key.Key_Escape)
    assert table.grid.selected_rows().tolist() == [3]


def test_that_enter_and_a_double_click_open_a_row(table: FrameTable, qtbot: QtBot) -> None:
    at(table, 2, "issuer")
    with qtbot.waitSignal(table.row_activated) as told:
        qtbot.keyClick(table.grid, Qt.Key.Key_Return)
    assert told.args == ["LX002"]
    rect = table.grid.visualRect(table.model.index(1, 1))
    qtbot.mouseClick(table.grid.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    with qtbot.waitSignal(table.row_activated) as told:
        qtbot.mouseDClick(table.grid.viewport(), Qt.MouseButton.LeftButton, pos=rect.center())
    assert told.args == ["LX001"]


def test_that_ctrl_c_copies_with_headers_at_full_precision_and_with_shift_without(
    table: FrameTable, qtbot: QtBot
) -> None:
    at(table, 1, "par")
    qtbot.keyClick(table.grid, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(table.grid, Qt.Key.Key_Right, SHIFT)
    qtbot.keyClick(table.grid, Qt.Key.Key_C, CONTROL)
    clipboard = QGuiApplication.clipboard()
    assert clipboard.text() == "Par (USD)\tPrice (% of par)\tSpread (%)\n1000001\t91\t3.01"
    assert "<th>Par (USD)</th>" in clipboard.mimeData().html()
    qtbot.keyClick(table.grid, Qt.Key.Key_C, CONTROL | SHIFT)
    assert clipboard.text() == "1000001\t91\t3.01"


def test_that_the_selection_is_told_of(table: FrameTable, qtbot: QtBot) -> None:
    with qtbot.waitSignal(table.selection_summary) as told:
        at(table, 0, "issuer")
        qtbot.keyClick(table.grid, Qt.Key.Key_Down, SHIFT)
    assert told.args == [f"2 selected: par 2{THIN}000{THIN}001  price 90.500"]


# -- sorting and filtering -------------------------------------------------------------------------------------------


def click_header(table: FrameTable, qtbot: QtBot, name: str, modifier: Qt.KeyboardModifier) -> None:
    header = table.grid.columns
    logical = table.frame.index[name]
    spot = QPoint(header.sectionViewportPosition(logical) + header.sectionSize(logical) // 2, 6)
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, modifier, spot)


def test_that_a_header_click_sorts_and_a_second_one_turns_it(table: FrameTable, qtbot: QtBot) -> None:
    click_header(table, qtbot, "issuer", Qt.KeyboardModifier.NoModifier)
    assert table.model.sort_keys == (SortKey("issuer"),)
    click_header(table, qtbot, "issuer", Qt.KeyboardModifier.NoModifier)
    assert table.model.sort_keys == (SortKey("issuer", True),)


def test_that_a_further_key_is_added_and_turned(table: FrameTable) -> None:
    header = table.grid.columns
    header.sort_asked.emit("rating", False)
    header.sort_asked.emit("price", True)
    assert table.model.sort_keys == (SortKey("rating"), SortKey("price"))
    header.sort_asked.emit("price", True)
    assert table.model.sort_keys == (SortKey("rating"), SortKey("price", True))
    header.sort_asked.emit("par", False)
    assert table.model.sort_keys == (SortKey("par"),)


def test_that_selection_and_current_cell_stay_with_their_rows_over_a_sort(table: FrameTable) -> None:
    table.select_keys(["LX003", "LX007"])
    at_key = table.current_key()
    table.sort_by(SortKey("par", True))
    assert sorted(map(str, table.selected_keys())) == ["LX003", "LX007"]
    assert table.current_key() == at_key == "LX003"
    assert table.model.key_at(0) == "LX039"


def test_that_the_selection_stays_over_a_filter_as_far_as_it_is_shown(table: FrameTable) -> None:
    table.select_keys(["LX003", "LX004"])
    table.set_filter("issuer", "issuer 4")
    assert table.selected_keys() == ["LX004"]
    table.clear_filters()
    assert table.selected_keys() == ["LX004"]


def test_that_new_data_keeps_scroll_selection_sort_and_filter(table: FrameTable) -> None:
    table.sort_by(SortKey("par", True))
    table.set_filter("par", ">1000005")
    table.select_keys(["LX010", "LX011"])
    table.grid.verticalScrollBar().setValue(200)
    before = table.grid.verticalScrollBar().value()
    table.set_frame(make(shift=1.0))
    assert sorted(map(str, table.selected_keys())) == ["LX010", "LX011"]
    assert table.grid.verticalScrollBar().value() == before > 0
    assert table.model.rowCount() == 34
    assert table.model.sort_keys == (SortKey("par", True),)


def test_that_rows_that_come_and_go_leave_the_selection_on_its_keys(table: FrameTable) -> None:
    table.select_keys(["LX010", "LX011"])
    table.set_frame(make(ids=["LX099", "LX011", "LX050"]))
    assert table.selected_keys() == ["LX011"]


def test_that_the_same_keys_are_one_data_change_and_no_reset(table: FrameTable, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(table.model.modelReset), qtbot.waitSignal(table.model.dataChanged):
        table.set_frame(make(shift=2.0))


def test_that_typing_in_the_filter_row_filters_after_a_pause(table: FrameTable, qtbot: QtBot) -> None:
    at(table, 0, "issuer")
    qtbot.keyClick(table.grid, Qt.Key.Key_F, CONTROL)
    edit = table.grid.columns.filter_cell("issuer")
    assert edit is not None
    with qtbot.waitSignal(table.rows_changed):
        qtbot.keyClicks(edit, "issuer 6")
    assert table.model.rowCount() == 5
    with qtbot.waitSignal(table.rows_changed):
        qtbot.keyClick(edit, Qt.Key.Key_Escape)
    assert table.model.rowCount() == 40


def test_that_a_bad_filter_turns_amber_says_why_and_filters_nothing(table: FrameTable) -> None:
    table.set_filter("price", "abc")
    assert table.model.rowCount() == 40
    edit = table.grid.columns.filter_cell("price")
    assert edit is not None
    assert "is not a number" in edit.toolTip()
    assert edit.grab().toImage().pixelColor(edit.width() - 6, 6).name().upper() == theme.current().warn_fill
    table.set_filter("price", ">95")
    assert edit.fault == ""
    assert table.model.rowCount() == 16


def test_that_esc_clears_the_filters(table: FrameTable, qtbot: QtBot) -> None:
    table.set_filter("price", ">95")
    qtbot.keyClick(table.grid, Qt.Key.Key_Escape)
    assert table.model.rowCount() == 40
    assert table.filter_texts() == {}


def test_that_a_filter_from_elsewhere_joins_those_typed(table: FrameTable) -> None:
    table.set_filter("price", ">95")
    table.set_extra_filter("chart", lambda frame: frame.array("par") < 1e6 + 10)
    assert table.model.rowCount() == 4
    table.set_extra_filter("chart", None)
    assert table.model.rowCount() == 16


def test_that_the_footer_follows_the_filter(table: FrameTable) -> None:
    footer = table.footer
    assert footer is not None
    par = table.frame.index["par"]
    assert footer.text(par) == f"40{THIN}000{THIN}780"
    table.set_filter("id", "=LX003")
    assert footer.text(par) == f"1{THIN}000{THIN}003"
    assert footer.count_text() == "1 of 40"


def test_that_an_empty_table_says_what_to_do(table: FrameTable, qtbot: QtBot) -> None:
    table.set_filter("id", "nothing like it")
    assert table.empty.isVisible()
    assert table.empty.label.text() == "No row passes the filters."
    table.empty.button.click()
    assert table.model.rowCount() == 40
    assert not table.empty.isVisible()
    called = []
    table.set_empty("No deal is open.", "Import a workbook…", lambda: called.append(1))
    table.set_frame(make(0))
    assert table.empty.label.text() == "No deal is open."
    table.empty.button.click()
    assert called == [1]


def test_that_an_empty_state_without_a_button_shows_none(qtbot: QtBot) -> None:
    state = EmptyState("Nothing.")
    qtbot.addWidget(state)
    state.show()
    assert not state.button.isVisible()
    assert state.accessibleName() == "Nothing."


# -- columns, frozen columns, editing -----------------------------------------------------------------------------


def test_that_a_click_on_a_frozen_column_hits_it_however_far_it_is_scrolled(table: FrameTable, qtbot: QtBot) -> None:
    bar = table.grid.horizontalScrollBar()
    bar.setValue(bar.maximum())
    assert bar.value() > 0
    qtbot.mouseClick(table.grid.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(10, 30))
    assert where(table) == (1, "id")
    assert table.grid.visualRect(table.grid.currentIndex()).left() == 0
    assert bar.value() == bar.maximum()


def test_that_a_drag_from_a_frozen_column_selects_up_to_the_mouse(table: FrameTable, qtbot: QtBot) -> None:
    viewport = table.grid.viewport()
    spot = QPoint(table.grid.frozen_width() + 10, 60)
    left = Qt.MouseButton.LeftButton
    qtbot.mousePress(viewport, left, pos=QPoint(10, 10))
    # the test's own mouseMove holds no button
    place = viewport.mapToGlobal(spot).toPointF()
    drag = QMouseEvent(
        QEvent.Type.MouseMove,
        spot.toPointF(),
        place,
        place,
        Qt.MouseButton.NoButton,
        left,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(viewport, drag)
    qtbot.mouseRelease(viewport, left, pos=spot)
    assert table.grid.selected_rows().tolist() == [0, 1, 2]
    assert [table.frame.columns[c].name for c in table.grid.selected_columns()] == ["id", "issuer"]


def test_that_a_cell_under_the_frozen_columns_is_brought_out(table: FrameTable) -> None:
    bar = table.grid.horizontalScrollBar()
    bar.setValue(bar.maximum())
    at(table, 0, "issuer")
    rect = table.grid.visualRect(table.grid.currentIndex())
    assert rect.left() >= table.grid.frozen_width()


def test_that_the_header_of_a_frozen_column_is_clicked_however_far_it_is_scrolled(
    table: FrameTable, qtbot: QtBot
) -> None:
    table.grid.horizontalScrollBar().setValue(table.grid.horizontalScrollBar().maximum())
    qtbot.mouseClick(table.grid.columns.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(20, 6))
    assert table.model.sort_keys == (SortKey("id"),)


def test_that_filter_cells_stand_under_their_columns_when_scrolled(table: FrameTable) -> None:
    bar = table.grid.horizontalScrollBar()
    bar.setValue(bar.maximum())
    header = table.grid.columns
    edit = header.filter_cell("rating")
    assert edit is not None
    assert edit.x() == header.sectionViewportPosition(table.frame.index["rating"])
    frozen = header.filter_cell("id")
    assert frozen is not None
    assert frozen.x() == 0


def test_that_column_sets_and_hidden_columns_are_left_out_everywhere(table: FrameTable, qtbot: QtBot) -> None:
    table.set_column_sets({"Prices": ["id", "price", "par"]})
    table.show_set("Prices")
    assert table.visible_columns() == ["id", "price", "par"]
    at(table, 0, "id")
    qtbot.keyClick(table.grid, Qt.Key.Key_End, SHIFT)
    qtbot.keyClick(table.grid, Qt.Key.Key_C, CONTROL | SHIFT)
    assert QGuiApplication.clipboard().text() == "LX000\t90\t1000000"
    table.hide_column("price")
    assert table.visible_columns() == ["id", "par"]


def test_that_the_column_chooser_shows_a_column_where_the_frame_has_it(table: FrameTable, qtbot: QtBot) -> None:
    table.show_columns(["id", "spread"])
    chooser = table.choose_columns()
    qtbot.addWidget(chooser)
    qtbot.keyClicks(chooser.search, "par")
    shown = [chooser.list.item(i) for i in range(chooser.list.count()) if not chooser.list.item(i).isHidden()]
    assert [item.text() for item in shown] == ["Par"]
    shown[0].setCheckState(Qt.CheckState.Checked)
    assert table.visible_columns() == ["id", "par", "spread"]


def test_that_a_saved_view_comes_back(table: FrameTable) -> None:
    table.show_columns(["id", "price", "par"])
    table.sort_by(SortKey("price", True))
    table.set_filter("price", ">95")
    table.grid.setColumnWidth(table.frame.index["par"], 123)
    state = table.state()
    table.show_columns([c.name for c in COLUMNS])
    table.sort_by()
    table.clear_filters()
    table.grid.setColumnWidth(table.frame.index["par"], 50)
    table.restore_state(state)
    assert table.state() == state
    assert table.model.rowCount() == 16


def test_that_only_an_editable_cell_is_edited_and_the_edit_is_handed_over(table: FrameTable, qtbot: QtBot) -> None:
    note, par = table.model.index(2, table.frame.index["note"]), table.model.index(2, table.frame.index["par"])
    assert not table.model.flags(par) & Qt.ItemFlag.ItemIsEditable
    with qtbot.waitSignal(table.model.edited) as told:
        table.model.setData(note, "watch", Qt.ItemDataRole.EditRole)
    assert told.args == ["LX002", "note", "watch"]
    assert table.frame.value(2, table.frame.index["note"]) is None


def test_that_the_menu_filters_by_the_value_under_the_cursor(table: FrameTable) -> None:
    at(table, 1, "rating")
    menu = menus.cell_menu(table)
    actions = {action.text(): action for action in menu.actions()}
    actions["Only Moody's rating: B2"].trigger()
    assert table.model.rowCount() == 10
    actions["Clear filters"].setEnabled(True)
    actions["Clear filters"].trigger()
    assert table.model.rowCount() == 40


def test_that_rows_have_a_fixed_height_of_22_or_dense_18(table: FrameTable) -> None:
    assert table.grid.rowHeight(0) == 22
    table.set_dense(True)
    assert table.grid.rowHeight(0) == 18


@pytest.mark.parametrize("scheme", ["light", "dark", "contrast"])
def test_that_the_table_paints_in_the_colours_of_the_theme(
    table: FrameTable, qapp: QApplication, scheme: theme.Scheme
) -> None:
    tokens = theme.apply(qapp, scheme)
    picture = table.grab().toImage()
    below_header = picture.pixelColor(table.grid.frozen_width() + 3, table.grid.viewport().y() + 3)
    assert below_header.name().upper() == tokens.surface
    assert picture.pixelColor(table.width() // 2, 2).name().upper() == tokens.header


def test_that_everything_has_an_accessible_name(table: FrameTable) -> None:
    assert table.accessibleName() == table.grid.accessibleName() == "Collateral"
    edit = table.grid.columns.filter_cell("par")
    assert edit is not None
    assert edit.accessibleName() == "Filter Par"
    index = table.model.index(0, table.frame.index["par"])
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == f"Par (USD): 1{THIN}000{THIN}000"
    assert isinstance(index.data(Qt.ItemDataRole.DisplayRole), float)


def test_that_a_large_selection_is_known_by_its_ranges(qtbot: QtBot) -> None:
    rows = 100_000
    columns = [Column("id", "Id", Kind.COUNT), Column("x", "X", Kind.MONEY)]
    frame = Frame(columns, {"id": np.arange(rows), "x": np.ones(rows)}, key="id", weight="x")
    table = FrameTable(frame, name="Large", told=("x",))
    qtbot.addWidget(table)
    with qtbot.waitSignal(table.selection_summary) as told:
        qtbot.keyClick(table.grid, Qt.Key.Key_A, CONTROL)
    assert told.args == [f"100{THIN}000 selected: x 100{THIN}000"]
    table.sort_by(SortKey("x", True), SortKey("id", True))
    assert len(table.grid.selected_rows()) == rows
