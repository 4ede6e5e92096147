"""Charts over dates: what is drawn, what the cursor reads, how the axes are labelled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QPointF
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from clo_desktop.charts.axes import DateAxis, FigureAxis, date_of, seconds
from clo_desktop.charts.bars import BarChart
from clo_desktop.charts.base import Chart, TimeCursor
from clo_desktop.charts.lines import Line, LineChart
from clo_desktop.charts.stacked import StackedChart
from clo_desktop.look import theme
from clo_desktop.look.formats import MINUS, THIN

DATES = (np.array(["2025-01"], dtype="datetime64[M]") + 3 * np.arange(8)).astype("datetime64[D]") + 14
NAMES = ["A", "B", "Equity"]
VALUES = np.array([[100.0, 50.0, 20.0]] * 8)


@pytest.fixture
def cursor(qtbot: QtBot, qapp: QApplication) -> Iterator[TimeCursor]:
    theme.apply(qapp, "light")
    yield TimeCursor()
    theme.apply(qapp, "light")


def shown(chart: Chart, qtbot: QtBot) -> Chart:
    qtbot.addWidget(chart)
    chart.resize(600, 260)
    chart.show()
    return chart


def y_range(chart: Chart) -> tuple[float, float]:
    low, high = chart.plot.getPlotItem().getViewBox().viewRange()[1]
    return float(low), float(high)


def stacked(cursor: TimeCursor) -> StackedChart:
    chart = StackedChart("Class balances", "USD million", cursor=cursor)
    chart.set_data(DATES, NAMES, VALUES, equity=[False, False, True])
    return chart


def test_that_the_unit_stands_in_the_title(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = shown(stacked(cursor), qtbot)
    assert chart.title.text() == chart.accessibleName() == "Class balances (USD million)"


def test_that_balances_are_stacked_from_zero(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = shown(stacked(cursor), qtbot)
    low, high = y_range(chart)
    assert low == 0.0
    assert 170.0 < high < 190.0


def test_that_one_cursor_moves_in_all_charts_and_each_reads_its_values(cursor: TimeCursor, qtbot: QtBot) -> None:
    areas, lines = stacked(cursor), LineChart("Coverage", "%", cursor=cursor)
    lines.set_data(DATES, [Line("OC A", np.linspace(120.0, 127.0, 8), trigger=115.0)])
    shown(areas, qtbot)
    shown(lines, qtbot)
    cursor.move(float(seconds(DATES)[2]) + 3 * 86_400)
    assert areas.date.text() == lines.date.text() == "2025-07-15"
    assert [entry.value for entry in areas.legend.entries] == ["100.0", "50.0", "20.0"]
    assert [entry.value for entry in lines.legend.entries] == ["122.00  trigger 115.00"]
    cursor.move(None)
    assert areas.date.text() == ""
    assert [entry.value for entry in areas.legend.entries] == ["", "", ""]


def test_that_the_mouse_leads_the_cursor_to_the_nearest_date(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = shown(stacked(cursor), qtbot)
    qtbot.waitExposed(chart)
    view = chart.plot.getPlotItem().getViewBox()
    spot = chart.plot.mapFromScene(view.mapViewToScene(QPointF(float(seconds(DATES)[4]) + 86_400 * 5, 50.0)))
    chart.follow(QPointF(spot))
    assert cursor.at == seconds(DATES)[4]


def test_that_bars_include_zero_and_go_down_where_they_are_negative(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = BarChart("Distributions", "USD million", cursor=cursor)
    chart.set_data(DATES, ["In", "Out"], np.array([[5.0, -2.0]] * 8))
    shown(chart, qtbot)
    low, high = y_range(chart)
    assert low < -2.0
    assert high > 5.0
    chart.set_data(DATES, ["In"], np.full((8, 1), 5.0))
    assert y_range(chart)[0] == 0.0


def test_that_lines_keep_their_triggers_in_sight(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = LineChart("Coverage", "%", cursor=cursor)
    chart.set_data(DATES, [Line("OC A", np.full(8, 130.0), trigger=110.0)])
    shown(chart, qtbot)
    low, high = y_range(chart)
    assert low < 110.0 < 130.0 < high


def test_that_a_missing_ratio_reads_as_a_dash(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = LineChart("Coverage", "%", cursor=cursor)
    chart.set_data(DATES, [Line("OC A", np.array([130.0, np.nan] * 4))])
    shown(chart, qtbot)
    cursor.move(float(seconds(DATES)[1]))
    assert [entry.value for entry in chart.legend.entries] == ["–"]


def test_that_fewer_series_leave_nothing_of_the_old_ones(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = stacked(cursor)
    shown(chart, qtbot)
    before = len(chart.plot.getPlotItem().items)
    chart.set_data(DATES, ["A"], VALUES[:, :1])
    assert len(chart.plot.getPlotItem().items) == before - 2
    chart.set_data(DATES[:0], [], np.empty((0, 0)))
    assert chart.legend.entries == []


@pytest.mark.parametrize("scheme", ["light", "dark", "contrast"])
def test_that_charts_take_the_colours_of_the_theme(
    cursor: TimeCursor, qtbot: QtBot, qapp: QApplication, scheme: theme.Scheme
) -> None:
    chart = shown(stacked(cursor), qtbot)
    tokens = theme.apply(qapp, scheme)
    assert chart.plot.backgroundBrush().color().name().upper() == tokens.surface
    picture = chart.grab().toImage()
    assert picture.pixelColor(2, 2).name().upper() == tokens.surface


def test_that_a_narrow_legend_wraps_and_cuts_nothing_off(cursor: TimeCursor, qtbot: QtBot) -> None:
    chart = BarChart("Distributions", cursor=cursor)
    names = [f"Class {letter} interest" for letter in "ABCDEF"]
    chart.set_data(DATES, names, np.ones((8, 6)))
    shown(chart, qtbot)
    wide = chart.legend.height()
    chart.resize(240, 260)
    QApplication.processEvents()
    assert chart.legend.height() > wide


def test_that_charts_linked_by_date_zoom_together(cursor: TimeCursor, qtbot: QtBot) -> None:
    one, other = stacked(cursor), stacked(cursor)
    shown(one, qtbot)
    shown(other, qtbot)
    other.link_dates(one)
    one.plot.setXRange(*seconds(DATES[[2, 4]]), padding=0)
    assert other.plot.getPlotItem().getViewBox().viewRange()[0] == pytest.approx(
        one.plot.getPlotItem().getViewBox().viewRange()[0]
    )
    one.show_all()


def ticks(axis: DateAxis | FigureAxis, low: float, high: float, size: float) -> list[str]:
    return [t for spacing, at in axis.tickValues(low, high, size) for t in axis.tickStrings(at, 1.0, spacing)]


def test_that_date_labels_are_iso_and_as_many_as_there_is_room_for(qtbot: QtBot) -> None:
    span: NDArray[np.float64] = seconds(np.array(["2025-01-20", "2035-10-20"], dtype="datetime64[D]"))
    assert ticks(DateAxis("bottom"), *span, 1000.0)[:2] == ["2026", "2027"]
    assert ticks(DateAxis("bottom"), *span, 250.0) == ["2030", "2035"]
    year = seconds(np.array(["2025-01-01", "2025-12-31"], dtype="datetime64[D]"))
    assert ticks(DateAxis("bottom"), *year, 400.0) == ["2025-01", "2025-04", "2025-07", "2025-10"]
    assert date_of(float(year[0])) == dt.date(2025, 1, 1)


def test_that_figures_on_an_axis_are_grouped_and_have_a_true_minus(qtbot: QtBot) -> None:
    assert ticks(FigureAxis("left"), -2000.0, 4000.0, 200.0)[0].startswith(f"{MINUS}2")
    assert f"2{THIN}000" in ticks(FigureAxis("left"), 0.0, 4000.0, 200.0)
    assert all("." in t for t in ticks(FigureAxis("left"), 0.0, 0.4, 200.0))
