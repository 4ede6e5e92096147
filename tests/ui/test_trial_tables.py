"""What a trial found in tables and charts: sums that do not fit, titles that are shortened, a single date."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QFont, QFontMetrics, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip
from pytestqt.qtbot import QtBot

from clo_desktop.charts.bars import BarChart
from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.charts.stacked import StackedChart
from clo_desktop.tables.frame import Column, Frame
from clo_desktop.tables.model import SortKey
from clo_desktop.tables.view import FrameTable
from engine.asset import COLUMNS, Kind

PAR = Column("par", "Par", Kind.MONEY.value)
SPREAD = Column("spread", "Spread", Kind.RATE.value)
ID = Column("id", "Id", Kind.TEXT.value)


def frame_of(par: list[float]) -> Frame:
    data = {"id": [f"A{i}" for i in range(len(par))], "par": par, "spread": [0.03] * len(par)}
    return Frame([ID, PAR, SPREAD], data, key="id", currency="USD")


def fits(table: FrameTable, name: str) -> bool:
    assert table.footer is not None
    font = QFont(table.footer.font())
    font.setWeight(QFont.Weight.DemiBold)
    column = table.frame.index[name]
    return QFontMetrics(font).horizontalAdvance(table.footer.text(column)) <= table.grid.columnWidth(column) - 12


@pytest.mark.parametrize("many", [1, 40, 2000])
def test_that_sums_fit_below_their_columns_also_when_they_grow(qtbot: QtBot, many: int) -> None:
    table = FrameTable(frame_of([9_999_999.0] * many), name="Positions")
    qtbot.addWidget(table)
    assert fits(table, "par")
    table.set_frame(frame_of([8_888_888_888.0] * many))
    assert fits(table, "par")


def test_that_sorting_does_not_shorten_a_title(qtbot: QtBot) -> None:
    columns = [Column(c.name, c.title, c.kind.value) for c in COLUMNS]
    table = FrameTable(Frame(columns, {c.name: [] for c in COLUMNS}, key="asset_id"), name="Assets")
    qtbot.addWidget(table)
    header = table.grid.columns
    for column in columns:
        table.sort_by(SortKey(column.name))
        lines = header._lines(table.frame.index[column.name], header.fontMetrics())
        assert not any("…" in line for line in lines), column.title


def test_that_a_filter_in_the_wrong_unit_says_so(qtbot: QtBot) -> None:
    table = FrameTable(frame_of([1.0, 2.0]), name="Positions")
    qtbot.addWidget(table)
    table.show()
    table.set_filter("spread", ">400")
    assert table.model.rowCount() == 0
    assert "Spread is in percent" in table.grid.columns.fault("spread")
    assert "Spread is in percent" in table.empty.label.text()
    table.set_filter("spread", ">2")
    assert table.grid.columns.fault("spread") == ""
    assert table.model.rowCount() == 2


def test_that_frozen_columns_do_not_cover_what_is_said_of_an_empty_table(qtbot: QtBot) -> None:
    table = FrameTable(frame_of([1.0, 2.0]), name="Positions", frozen=1)
    qtbot.addWidget(table)
    table.show()
    assert not table.grid._strip.isHidden()
    table.set_filter("par", ">5")
    assert table.grid._strip.isHidden()
    table.clear_filters()
    assert not table.grid._strip.isHidden()


def test_that_a_cell_that_is_cut_off_tells_all_of_its_text(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _at, text, _widget: told.append(text))
    table = FrameTable(frame_of([1e9]), name="Positions")
    qtbot.addWidget(table)
    table.show()
    index = table.model.index(0, table.frame.index["par"])
    for width in (20, 200):
        table.grid.setColumnWidth(index.column(), width)
        at = table.grid.visualRect(index).center()
        event = QHelpEvent(QEvent.Type.ToolTip, at, table.grid.viewport().mapToGlobal(at))
        QApplication.sendEvent(table.grid.viewport(), event)
    assert told == [table.frame.text(0, index.column()), ""]


def test_that_a_comma_that_may_mean_two_things_filters_nothing(qtbot: QtBot) -> None:
    table = FrameTable(frame_of([99.0, 5.0, 1e6]), name="Positions")
    qtbot.addWidget(table)
    table.set_filter("par", "<99,5")
    assert "may be one number or two" in table.grid.columns.fault("par")
    assert table.model.rowCount() == 3
    table.set_filter("par", ">=1,000,000")
    assert table.grid.columns.fault("par") == ""
    assert table.model.rowCount() == 1


def test_that_a_single_date_is_drawn(qtbot: QtBot, qapp: QApplication) -> None:
    day = [dt.date(2026, 1, 15)]
    lines, bars, areas = LineChart("Ratios", "%"), BarChart("Paid"), StackedChart("Balances")
    lines.set_data(day, [Line("OC", np.array([120.0]), 110.0, "#ff0000")])
    bars.set_data(day, ["A"], np.array([[5.0]]), colours=["#ff0000"])
    areas.set_data([dt.date(2025, 10, 15), *day], ["A"], np.array([[5.0], [0.0]]), colours=["#ff0000"])
    for chart in (lines, bars, areas):
        qtbot.addWidget(chart)
        chart.resize(400, 300)
        chart.show()
        qapp.processEvents()
        picture = chart.plot.grab().toImage()
        reds = sum(
            picture.pixelColor(x, y).name() == "#ff0000"
            for x in range(80, picture.width())
            for y in range(picture.height())
        )
        assert reds > 20, type(chart).__name__


def test_that_the_topmost_figure_of_an_axis_is_whole(qtbot: QtBot, qapp: QApplication) -> None:
    chart = LineChart("Ratios", "%")
    qtbot.addWidget(chart)
    chart.set_data([dt.date(2026, 1, 15), dt.date(2027, 1, 15)], [Line("OC", np.array([100.0, 300.0]))])
    chart.resize(400, 300)
    chart.show()
    qapp.processEvents()
    axis = chart.plot.getPlotItem().getAxis("left")
    assert axis.mapRectToScene(axis.boundingRect()).top() >= -2.0
