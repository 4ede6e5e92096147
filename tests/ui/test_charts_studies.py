"""Heat map, curves and tornado: figures in sight, keys, what is copied, colours of both themes."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from clo_desktop.charts.curves import CurveChart
from clo_desktop.charts.heatmap import HeatMap, Side
from clo_desktop.charts.tornado import Span, TornadoChart
from clo_desktop.look import series, theme

VALUES = np.array([[0.1534, -0.05, np.nan], [0.12, -0.4, -0.9]])


@pytest.fixture
def heat(qtbot: QtBot) -> HeatMap:
    made = HeatMap("Heat map")
    qtbot.addWidget(made)
    made.resize(600, 300)
    made.set_data(
        "IRR (%)",
        Side("Severity (%)", ("20", "80")),
        Side("CDR (%)", ("0", "10", "\u22120.5")),
        VALUES,
        lambda v: f"{v * 100:.2f}",
    )
    made.show()
    return made


def test_that_keys_move_through_the_cells_and_the_reading_follows(heat: HeatMap, qtbot: QtBot) -> None:
    assert heat.reading() == "Severity (%) 20, CDR (%) 0: 15.34"
    qtbot.keyClick(heat, Qt.Key.Key_Right)
    qtbot.keyClick(heat, Qt.Key.Key_Down)
    assert heat.cell == (1, 1)
    assert heat.accessibleDescription() == "Severity (%) 80, CDR (%) 10: -40.00"
    qtbot.keyClick(heat, Qt.Key.Key_End)
    qtbot.keyClick(heat, Qt.Key.Key_Right)
    assert heat.cell == (1, 2)
    qtbot.keyClick(heat, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    assert heat.reading().endswith("–")  # there is none


def test_that_all_figures_are_copied_with_headers_at_full_precision(heat: HeatMap, qtbot: QtBot) -> None:
    qtbot.keyClick(heat, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = [line.split("\t") for line in QGuiApplication.clipboard().text().splitlines()]
    assert lines[0] == ["Severity (%) / CDR (%)", "0", "10", "-0.5"]
    assert lines[1] == ["20", "0.1534", "-0.05", ""]
    assert lines[2] == ["80", "0.12", "-0.4", "-0.9"]


def test_that_what_is_chosen_is_copied_alone(heat: HeatMap, qtbot: QtBot) -> None:
    qtbot.keyClick(heat, Qt.Key.Key_Right)
    qtbot.keyClick(heat, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert heat.copied().splitlines()[1:] == ["20\t-0.05", "80\t-0.4"]
    qtbot.keyClick(heat, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(heat.copied().splitlines()) == 3


def test_that_a_click_goes_to_the_cell_and_enter_picks_it(heat: HeatMap, qtbot: QtBot) -> None:
    qtbot.mouseClick(heat, Qt.MouseButton.LeftButton, pos=heat.box(1, 1).center())
    assert heat.cell == (1, 1)
    with qtbot.waitSignal(heat.picked) as picked:
        qtbot.keyClick(heat, Qt.Key.Key_Return)
    assert picked.args == [1, 1]


def test_that_colours_go_from_low_to_high_and_none_is_the_surface(heat: HeatMap, qapp: QApplication) -> None:
    schemes: tuple[theme.Scheme, ...] = ("light", "dark")
    for scheme in schemes:
        theme.apply(qapp, scheme)
        image = heat.grab().toImage()

        def ground(row: int, column: int, image: QImage = image) -> QColor:
            corner = heat.box(row, column).topLeft()
            return image.pixelColor(corner.x() + 8, corner.y() + 8)

        assert ground(1, 2) == QColor(series.heat(0.0))
        assert ground(0, 0) == QColor(series.heat(1.0)) or heat.hasFocus()
        assert ground(0, 2) == theme.colour("surface")
    theme.apply(qapp, "light")


def test_that_an_empty_map_takes_keys_and_copies_nothing(qtbot: QtBot) -> None:
    made = HeatMap("Heat map")
    qtbot.addWidget(made)
    made.show()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Return):
        qtbot.keyClick(made, key)
    assert made.copied() == ""


def test_that_curves_have_a_line_where_each_breaks(qtbot: QtBot) -> None:
    chart = CurveChart("Left unpaid", "%", "Default rate (%)", decimals=1)
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    chart.show()
    along = np.linspace(0.0, 10.0, 11)
    chart.set_data(
        along,
        ["Class A", "Class B"],
        np.column_stack([np.zeros(11), 30.0 * along]),
        equity=[False, False],
        breaks=[None, 4.0],
        top=100.0,
    )
    assert [mark.isVisible() for mark in chart._marks] == [False, True]
    assert chart._marks[1].value() == 4.0
    low, high = chart.plot.getPlotItem().getViewBox().viewRange()[1]
    assert low == 0.0
    assert 100.0 <= high <= 110.0
    chart.cursor_of.move(5.0)
    assert chart.date.text() == "Default rate (%) 5.00"
    assert [entry.value for entry in chart.legend.entries] == ["0.0", "150.0"]


def test_that_a_tornado_is_copied_with_both_ends_of_each_bar(qtbot: QtBot) -> None:
    chart = TornadoChart("Tornado")
    qtbot.addWidget(chart)
    chart.resize(500, 300)
    spans = [Span("CDR", "1 %", "3 %", 0.13, 0.07), Span("Lag", "0 months", "12 months", None, 0.1)]
    chart.set_data("IRR", 0.106, spans, lambda v: f"{v:.2f}")
    chart.show()
    assert not chart.grab().isNull()
    qtbot.keyClick(chart, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[1].split("\t") == ["CDR", "1 %", "3 %", "0.13", "0.07"]
    assert lines[2].split("\t") == ["Lag", "0 months", "12 months", "", "0.1"]
    assert "Lag 0 months to 12 months: – to 0.10" in chart.accessibleDescription()
