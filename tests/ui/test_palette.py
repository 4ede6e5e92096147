"""The command palette: what finds what, and what Enter does."""

from __future__ import annotations

from functools import partial

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from clo_desktop.commands import COMMANDS
from clo_desktop.dialogs.palette import Entry, Palette, score
from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.window import Window


def shown(palette: Palette) -> list[str]:
    return [palette.list.item(i).text().split("    ")[0] for i in range(palette.list.count())]


def entry(words: str, *aliases: str) -> Entry:
    return Entry(words, "", aliases, lambda: None)


def test_that_every_typed_word_must_fit() -> None:
    run = entry("Run projection", "calculate")
    assert score("", run) == 0
    assert score("RUN proj", run) == 0
    assert score("calc", run) == 1
    assert score("run nothing", run) is None
    assert score("jection", run) == 10


def test_that_words_come_before_aliases_and_beginnings_before_middles() -> None:
    scores = [score("imp", e) for e in (entry("Import workbook"), entry("Load", "import"), entry("Reimport"))]
    assert scores == sorted(s for s in scores if s is not None)
    assert len(set(scores)) == 3


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("load", "Import workbook…"),
        ("harbor", DEMO_DEAL),
        ("tests", "Compliance"),
        ("portfolio", "Collateral"),
        ("cdr", "Run"),
        ("calculate", "Run projection"),
        ("night", "Dark theme"),
        ("faults", "Import report"),
        ("abort", "Cancel"),
        ("exit", "Quit"),
    ],
)
def test_that_the_palette_finds_by_words_and_aliases(harbor: Window, typed: str, first: str) -> None:
    palette = harbor.show_palette()
    palette.field.setText(typed)
    assert shown(palette)[0] == first
    palette.close()


def test_that_the_palette_lists_every_command_and_deal(harbor: Window) -> None:
    palette = harbor.show_palette()
    assert set(shown(palette)) == {c.words for c in COMMANDS} | {DEMO_DEAL}
    palette.close()


def test_that_arrows_move_and_enter_acts(qtbot: QtBot) -> None:
    done: list[str] = []
    palette = Palette([Entry(w, "", (), partial(done.append, w)) for w in ("One", "Two", "Three")])
    qtbot.addWidget(palette)
    palette.show()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up):
        qtbot.keyClick(palette.field, key)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert done == ["Two"]
    assert not palette.isVisible()


def test_that_enter_does_nothing_where_nothing_fits_and_escape_leaves(qtbot: QtBot) -> None:
    done: list[str] = []
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        palette = Palette([Entry("One", "", (), lambda: done.append("One"))])
        qtbot.addWidget(palette)
        palette.show()
        if key == Qt.Key.Key_Return:
            palette.field.setText("zzz")
            assert shown(palette) == []
        qtbot.keyClick(palette.field, key)
        assert not palette.isVisible()
    assert done == []


def test_that_a_chosen_action_and_a_chosen_deal_are_done(harbor: Window, qtbot: QtBot) -> None:
    palette = harbor.show_palette()
    palette.field.setText("compliance")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert not harbor.docks["compliance"].visibleRegion().isEmpty()
    chosen: list[object] = []
    harbor.session.book_changed.connect(chosen.append)
    palette = harbor.show_palette()
    palette.field.setText("harbor")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: harbor.session.lanes.idle and bool(chosen), timeout=20_000)


def test_that_a_refusal_from_the_palette_is_said(empty: Window, qtbot: QtBot) -> None:
    palette = empty.show_palette()
    palette.field.setText("export workbook")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert empty.statusBar().currentMessage() == "No deal is open; choose one in the deal list first."
