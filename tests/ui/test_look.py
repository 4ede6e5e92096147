"""Colours, number formats, outcome shapes and the theme."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from clo_desktop.look import formats, icons, series, theme
from clo_desktop.look.formats import MINUS, MISSING, THIN, Show
from clo_desktop.look.icons import Outcome
from clo_desktop.look.status import StatusBar
from clo_desktop.look.tokens import CONTRAST, DARK, LIGHT, THEMES, Tokens, contrast
from engine.asset import Kind


@pytest.mark.parametrize("tokens", THEMES.values(), ids=lambda t: t.name)
@pytest.mark.parametrize("ground", ["window", "surface", "header", "selection"])
@pytest.mark.parametrize("ink", ["text", "muted", "accent", "attention", "failure"])
def test_that_every_text_colour_stands_out_by_4_5_to_1(tokens: Tokens, ground: str, ink: str) -> None:
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5


@pytest.mark.parametrize("tokens", THEMES.values(), ids=lambda t: t.name)
def test_that_shapes_and_fills_stand_out(tokens: Tokens) -> None:
    assert contrast(tokens.amber, tokens.surface) >= 3.0
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert contrast(tokens.text, tokens.warn_fill) >= 4.5
    assert contrast(tokens.text, tokens.fail_fill) >= 4.5


@pytest.mark.parametrize("dark", [False, True])
def test_that_series_stand_out_from_their_ground(dark: bool) -> None:
    ground = (DARK if dark else LIGHT).surface
    assert len(set(series.series(8, dark=dark))) == 8
    assert all(contrast(colour, ground) >= 2.2 for colour in series.series(6, dark=dark))


def test_that_classes_go_from_dark_to_light_and_equity_stands_apart() -> None:
    colours = series.classes([False] * 6 + [True])
    against_black = [contrast(c, "#000000") for c in colours[:6]]
    assert against_black == sorted(against_black)
    assert colours[6] == series.EQUITY


def test_that_heat_goes_from_dark_blue_to_yellow_and_stays_at_its_ends() -> None:
    assert series.heat(-1) == series.heat(0) == "#00204D"
    assert series.heat(2) == series.heat(1) == "#FFEA46"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.MONEY, 31_250_000.4, f"31{THIN}250{THIN}000"),
        (Kind.MONEY, -1234.0, f"{MINUS}1{THIN}234"),
        (Kind.MONEY, -0.2, "0"),
        (Kind.MONEY, 0.0, "0"),
        (Kind.RATE, 0.03625, "3.62"),
        (Kind.SHARE, 0.5, "50.00"),
        (Kind.PRICE, 98.4125, "98.412"),
        (Kind.YEARS, 4.256, "4.26"),
        (Kind.COUNT, 4, "4"),
        (Show.FACTOR, 2834.4, f"2{THIN}834"),
        (Show.RATIO, 1.2345, "123.45"),
        (Show.BASIS, 0.0325, "325"),
        (Show.CUSHION, -0.0641, f"{MINUS}6.4"),
        (Kind.DATE, dt.date(2028, 6, 30), "2028-06-30"),
        (Kind.FLAG, True, "Yes"),
        (Kind.FLAG, False, "No"),
        (Show.OUTCOME, "pass", "Pass"),
        (Kind.MOODYS, "Caa1", "Caa1"),
        (Kind.MONEY, None, MISSING),
        (Kind.RATE, float("nan"), MISSING),
        (Kind.DATE, np.datetime64("NaT"), MISSING),
        (Kind.TEXT, None, MISSING),
    ],
)
def test_how_a_cell_reads(kind: str, value: object, text: str) -> None:
    assert formats.text(kind, value) == text


@pytest.mark.parametrize(
    ("title", "kind", "header"),
    [
        ("Spread", Kind.RATE, "Spread (%)"),
        ("Par", Kind.MONEY, "Par (USD)"),
        ("Price", Kind.PRICE, "Price (% of par)"),
        ("WAL", Kind.YEARS, "WAL (years)"),
        ("Issuer", Kind.TEXT, "Issuer"),
    ],
)
def test_that_the_unit_stands_in_the_header(title: str, kind: str, header: str) -> None:
    assert formats.header(title, kind, "USD") == header


@pytest.mark.parametrize(
    ("kind", "value", "plain"),
    [
        (Kind.RATE, 0.03625, "3.625"),
        (Kind.RATE, 0.07, "7"),
        (Kind.MONEY, 31_250_000.0, "31250000"),
        (Kind.MONEY, -1234.56, "-1234.56"),
        (Kind.PRICE, 98.4125, "98.4125"),
        (Kind.DATE, dt.date(2028, 6, 30), "2028-06-30"),
        (Kind.MONEY, None, ""),
        (Kind.TEXT, "=1+1", "'=1+1"),
        (Kind.TEXT, "", ""),
    ],
)
def test_how_a_cell_goes_to_excel(kind: str, value: object, plain: str) -> None:
    assert formats.plain(kind, value) == plain


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_that_the_clipboard_keeps_every_digit(value: float) -> None:
    assert float(formats.plain(Kind.MONEY, value)) == value


@given(st.floats(-1e12, 1e12), st.integers(0, 4))
def test_that_a_shown_figure_is_within_half_of_its_last_decimal(value: float, places: int) -> None:
    shown = float(formats.figure(value, places).replace(THIN, "").replace(MINUS, "-"))
    assert abs(shown - value) <= 0.5 * 10.0**-places * (1 + 1e-9) + abs(value) * 1e-15


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("PASS", Outcome.PASS), ("near", Outcome.NEAR), ("Failing", Outcome.FAIL), (None, Outcome.UNKNOWN)],
)
def test_that_words_have_outcomes(word: str | None, outcome: Outcome) -> None:
    assert icons.outcome_of(word) is outcome


def test_that_outcomes_differ_by_shape_and_not_only_by_colour(qtbot: QtBot) -> None:
    pictures = {outcome: icons.icon(outcome).pixmap(16).toImage() for outcome in Outcome}
    alpha = {o: tuple(p.pixelColor(x, 8).alpha() > 127 for x in range(p.width())) for o, p in pictures.items()}
    covered = {
        o: sum(p.pixelColor(x, y).alpha() > 127 for x in range(p.width()) for y in range(p.height()))
        for o, p in pictures.items()
    }
    assert len(set(covered.values())) == 4, (covered, alpha)


def test_that_applying_a_theme_sets_the_palette_and_tells_who_listens(qapp: QApplication, qtbot: QtBot) -> None:
    with qtbot.waitSignal(theme.watcher().changed) as told:
        theme.apply(qapp, "dark")
    assert told.args == [DARK]
    assert theme.current() is DARK
    assert qapp.palette().color(QPalette.ColorRole.Window).name().upper() == DARK.window
    assert theme.apply(qapp, "contrast") is CONTRAST
    theme.apply(qapp, "light")
    assert qapp.palette().color(QPalette.ColorRole.Text).name().upper() == LIGHT.text
    assert 10.0 <= qapp.font().pointSizeF() <= 11.0


@pytest.mark.parametrize(
    ("scheme", "preference", "tokens"),
    [
        (Qt.ColorScheme.Dark, Qt.ContrastPreference.NoPreference, DARK),
        (Qt.ColorScheme.Light, Qt.ContrastPreference.NoPreference, LIGHT),
        (Qt.ColorScheme.Unknown, Qt.ContrastPreference.NoPreference, LIGHT),
        (Qt.ColorScheme.Light, Qt.ContrastPreference.HighContrast, CONTRAST),
    ],
)
def test_that_the_desktop_decides_the_system_scheme(
    scheme: Qt.ColorScheme, preference: Qt.ContrastPreference, tokens: Tokens
) -> None:
    accessibility = SimpleNamespace(contrastPreference=lambda: preference)
    hints = SimpleNamespace(colorScheme=lambda: scheme, accessibility=lambda: accessibility)
    app = cast(QApplication, SimpleNamespace(styleHints=lambda: hints))
    assert theme.system_tokens(app) is tokens


def test_that_a_change_of_the_system_is_taken_up_only_when_it_was_chosen(
    qapp: QApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    theme.apply(qapp, "light")
    monkeypatch.setattr(theme, "system_tokens", lambda app: DARK)
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert theme.current() is LIGHT
    theme.apply(qapp, "system")
    assert theme.current() is DARK
    monkeypatch.setattr(theme, "system_tokens", lambda app: LIGHT)
    qapp.styleHints().colorSchemeChanged.emit(Qt.ColorScheme.Light)
    assert theme.current() is LIGHT
    theme.apply(qapp, "light")


def test_that_a_sentence_has_the_figures_of_the_tables() -> None:
    said = "Cash is -1,234,567.89 after the trades, 18.893 % of 1,333 ms; 5% is typed, and 2,5 is no group"
    assert formats.in_words(said) == (
        f"Cash is {MINUS}1{THIN}234{THIN}567.89 after the trades, 18.893{THIN}% of 1{THIN}333 ms; 5% is typed, and 2,5 "
        "is no group"
    )
    assert formats.percent(0.1404) == formats.with_unit("rate", 0.1404)
    assert formats.percent(None) == MISSING


def test_that_a_message_takes_the_room_of_the_labels_beside_it(qtbot: QtBot) -> None:
    bar = StatusBar()
    qtbot.addWidget(bar)
    sums, saved = QLabel("3 selected: par 1 000 000  price 98.000  spread 3.62 %"), QLabel("Saved")
    bar.add_labels(sums, saved)
    bar.resize(700, 24)
    bar.show()
    bar.showMessage("Short.")
    assert sums.isVisible()
    long = "Row 3 cannot be sold: none of it is held; " * 2
    bar.showMessage(long)
    assert not sums.isVisible()
    assert saved.isVisible()
    assert bar.toolTip() == long
    bar.clearMessage()
    assert sums.isVisible()
