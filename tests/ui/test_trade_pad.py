"""The trade pad: typed with the keyboard, judged at every keystroke, nothing lost, nothing changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QMessageBox
from pytestqt.qtbot import QtBot

from clo_desktop.dialogs.porter import DEMO_DEAL
from clo_desktop.panes.trades import TradesPane, frames
from clo_desktop.window import Window
from clo_desktop.work.pad_rows import Row
from engine.trades import Side, Trade, Trader


def settle(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.session.lanes.idle and window.trades.pad.settled, timeout=20_000)


@pytest.fixture
def pane(harbor: Window, qtbot: QtBot) -> TradesPane:
    """The pad of the demo deal, ready for trades."""
    harbor.go_to("trades")
    qtbot.waitUntil(lambda: harbor.trades.pad.trader is not None, timeout=20_000)
    settle(harbor, qtbot)
    return harbor.trades


def trader_of(pane: TradesPane) -> Trader:
    trader = pane.pad.trader
    assert trader is not None
    return trader


def held(pane: TradesPane, at: int = 0) -> str:
    return trader_of(pane).book.deal.holdings[at].asset_id


def offered(pane: TradesPane, at: int = 0) -> str:
    trader = trader_of(pane)
    return [a.asset_id for a in trader.pool.assets if trader.par[trader.place(a.asset_id)] == 0.0][at]


def editor(pane: TradesPane) -> QLineEdit:
    """The cell that is being typed."""
    return next(e for e in pane.list.viewport().findChildren(QLineEdit) if e.isVisible())


def test_that_the_pad_is_made_ready_only_once_it_is_looked_at(harbor: Window, qtbot: QtBot) -> None:
    assert harbor.trades.pad.trader is None
    harbor.go_to("trades")
    qtbot.waitUntil(lambda: harbor.trades.pad.trader is not None, timeout=20_000)


def test_that_every_keystroke_is_judged_before_the_cell_is_left(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Buy", offered(pane), "", "98.5")])
    settle(harbor, qtbot)
    pane.list.go(0, "par")
    before = pane.pad.result
    assert before is not None
    assert before.trades == ()
    seen = []
    for key in "25m":
        qtbot.keyClicks(editor(pane) if seen else pane.list, key)
        settle(harbor, qtbot)
        judged = pane.pad.result
        assert judged is not None
        seen.append(judged.effect.after.par - judged.effect.before.par)
    assert seen == pytest.approx([2.0, 25.0, 25e6])
    assert pane.pad.rows[0].par == ""  # not left yet: no step
    shown = pane.tests.table.frame
    assert frames.BREAKS in [shown.text(i, shown.index["told"]) for i in range(len(shown))]
    qtbot.keyClick(editor(pane), Qt.Key.Key_Escape)
    settle(harbor, qtbot)
    assert pane.pad.result.trades == ()


def test_that_a_trade_is_typed_with_the_keyboard_alone(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.list.go(0, "side")
    pane.list.setFocus()
    qtbot.keyClicks(pane.list, "s")
    qtbot.keyClick(editor(pane), Qt.Key.Key_Tab)
    qtbot.keyClicks(pane.list, held(pane).lower()[0])
    qtbot.keyClicks(editor(pane), held(pane).lower()[1:])
    qtbot.keyClick(editor(pane), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pane.list.currentIndex().column() == 2)
    qtbot.keyClicks(pane.list, "5")
    qtbot.keyClicks(editor(pane), "00k")
    qtbot.keyClick(editor(pane), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pane.list.currentIndex().column() == 3)
    qtbot.keyClicks(pane.list, "9")
    qtbot.keyClicks(editor(pane), "7")
    qtbot.keyClick(editor(pane), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: pane.list.currentIndex().row() == 1)  # Enter after the price begins a further row
    settle(harbor, qtbot)
    assert pane.pad.rows == (Row("Sell", held(pane), "500k", "97"),)
    assert pane.pad.result is not None
    assert pane.pad.result.trades == (Trade(Side.SELL, held(pane), 5e5, 97.0),)


def test_that_tab_goes_through_the_cells_and_then_out_of_the_list(
    harbor: Window, pane: TradesPane, qtbot: QtBot
) -> None:
    pane.list.go(0, "side")
    pane.list.setFocus()
    for column in range(1, 5):
        qtbot.keyClick(pane.list, Qt.Key.Key_Tab)
        assert pane.list.currentIndex().column() == column
    qtbot.keyClick(pane.list, Qt.Key.Key_Tab)
    assert not pane.list.hasFocus()
    assert harbor.focusWidget() is pane.add_button
    qtbot.keyClick(pane.add_button, Qt.Key.Key_Backtab)
    assert pane.list.hasFocus()


def test_that_delete_removes_rows_and_undo_and_redo_go_any_depth(
    harbor: Window, pane: TradesPane, qtbot: QtBot
) -> None:
    steps = [tuple(Row("Buy", offered(pane), f"{n}m", "99") for n in range(1, count + 1)) for count in range(1, 41)]
    for rows in steps:
        pane.pad.put(rows)
    pane.list.go(3)
    qtbot.keyClick(pane.list, Qt.Key.Key_Delete)
    assert len(pane.pad.rows) == 39
    for expected in reversed(steps):
        qtbot.keyClick(pane.list, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        assert pane.pad.rows == expected
    for expected in steps[1:]:
        qtbot.keyClick(pane.list, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
        assert pane.pad.rows == expected
    settle(harbor, qtbot)


def test_that_the_tests_shown_are_those_of_the_engine_breaks_and_cures_first(
    harbor: Window, pane: TradesPane, qtbot: QtBot
) -> None:
    pane.pad.put([Row("Buy", offered(pane), "40m", "98.5")])
    settle(harbor, qtbot)
    effect = trader_of(pane).effect([Trade(Side.BUY, offered(pane), 40e6, 98.5)])
    frame = pane.tests.table.frame
    assert len(frame) == len(effect.tests)
    for row in range(len(frame)):
        test = effect.test(int(frame.array("number")[row]))
        assert test.before is not None
        assert test.after is not None
        for name, value in (
            ("before", test.before.result),
            ("after", test.after.result),
            ("room_before", test.before.cushion),
            ("room_after", test.after.cushion),
            ("limit", test.after.threshold),
        ):
            assert frame.array(name)[row] == pytest.approx(value, abs=1e-15)
    told = [frame.text(row, frame.index["told"]) for row in range(len(frame))]
    broken = [int(n) for n, t in zip(frame.array("number"), told, strict=True) if t in (frames.BREAKS, frames.WORSENS)]
    assert sorted(broken) == sorted(effect.breaks)
    assert set(told[: len(broken)]) <= {frames.BREAKS, frames.WORSENS}
    assert [n for n, t in zip(broken, told, strict=False) if t == frames.WORSENS] == [
        n for n in broken if n in effect.worsens
    ]


def test_that_chips_show_all_changed_or_breaking_tests(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Buy", offered(pane), "40m", "98.5")])
    settle(harbor, qtbot)
    effect = trader_of(pane).effect([Trade(Side.BUY, offered(pane), 40e6, 98.5)])
    table = pane.tests.table
    pane.tests.chips.choose("breaking")
    assert table.model.rowCount() == len(effect.breaks) > 0
    pane.tests.chips.choose("changed")
    assert len(effect.breaks) < table.model.rowCount() < len(effect.tests)
    table.clear_filters()
    assert pane.tests.chips.current == "all"
    assert table.model.rowCount() == len(effect.tests)


def test_that_the_chip_follows_what_is_typed(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.tests.chips.choose("breaking")
    assert pane.tests.table.model.rowCount() == 0
    pane.pad.put([Row("Buy", offered(pane), "40m", "98.5")])
    settle(harbor, qtbot)
    assert pane.tests.table.model.rowCount() > 0


def test_that_pool_figures_stand_before_after_and_changed(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Buy", offered(pane), "2m", "98.5")])
    settle(harbor, qtbot)
    effect = trader_of(pane).effect([Trade(Side.BUY, offered(pane), 2e6, 98.5)])
    frame = pane.figures.frame
    titles = [frame.text(i, 0) for i in range(len(frame))]
    for words in ("Par (USD)", "Principal cash (USD)", "Floating spread", "WARF", "WAL", "Diversity", "Objective"):
        assert words in titles
    cash = titles.index("Principal cash (USD)")
    assert frame.array("change")[cash] == pytest.approx(-1_970_000.0)
    assert frame.array("after")[titles.index("WARF")] == pytest.approx(effect.after.factor)


def test_that_bad_input_is_told_in_its_row_and_the_rest_counts(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.list.paste(f"sell\tnobody\t1m\t99\nbuy\t{offered(pane)}\t1m\t9,950\nbuy\t{offered(pane)}\t1m\t98.5")
    settle(harbor, qtbot)
    model = pane.list.rows
    assert "not in the asset master" in model.text(0, "issue")
    assert model.wrong(1, "price")
    assert not model.wrong(2, "price")
    assert pane.pad.result is not None
    assert len(pane.pad.result.trades) == 1
    assert [r.price for r in pane.pad.rows] == ["99", "9,950", "98.5"]
    assert "2 rows to mend" in pane.told.text()
    assert "Price (% of par)" in str(model.data(model.index(1, 3), Qt.ItemDataRole.AccessibleTextRole))


def test_that_rows_are_copied_with_headers_and_what_is_reckoned(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Sell", held(pane), "100k", "98.5")])
    settle(harbor, qtbot)
    pane.list.go(0)
    pane.list.selectRow(0)
    qtbot.keyClick(pane.list, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    head, line = QGuiApplication.clipboard().text().splitlines()
    assert head.startswith("Side\tAsset\tPar (USD)\tPrice (% of par)")
    assert line.split("\t")[:4] == ["Sell", held(pane), "100000", "98.5"]
    assert line.endswith("98500")
    pane.list.go(1)
    qtbot.keyClick(pane.list, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert pane.pad.rows[1] == Row("Sell", held(pane), "100000", "98.5")
    settle(harbor, qtbot)


def test_that_ideas_branch_and_stand_side_by_side(
    harbor: Window, pane: TradesPane, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Yes)
    first = Row("Buy", offered(pane), "1m", "98.5")
    pane.pad.put([first])
    pane.ideas.buttons["branch"].click()
    pane.ideas.named.emit("Bigger")
    pane.pad.put([first.put("par", "40m")])
    pane.pad.compare("Idea 1")
    settle(harbor, qtbot)
    assert [pane.ideas.tabs.tabText(i) for i in range(2)] == ["Idea 1", "Bigger"]
    frame = pane.beside.tests.frame
    one = {int(n): v for n, v in zip(frame.array("number"), frame.array("one"), strict=True)}
    other = {int(n): v for n, v in zip(frame.array("number"), frame.array("other"), strict=True)}
    trader = trader_of(pane)
    for par, found in ((40e6, one), (1e6, other)):
        for test in trader.effect([Trade(Side.BUY, offered(pane), par, 98.5)]).tests:
            assert test.after is not None
            assert found[test.number] == pytest.approx(test.after.result)
    pane.ideas.tabs.setCurrentIndex(0)
    assert pane.pad.rows == (first,)
    pane.ideas.buttons["delete"].click()
    assert [b.name for b in pane.pad.ideas.branches] == ["Bigger"]
    settle(harbor, qtbot)


def test_that_a_name_that_is_taken_is_refused(pane: TradesPane, harbor: Window, qtbot: QtBot) -> None:
    refused: list[str] = []
    harbor.session.refused.connect(refused.append)
    pane.pad.fresh("Other")
    pane.ideas.named.emit("Idea 1")
    assert "already" in refused[0]
    assert pane.pad.ideas.current.name == "Other"
    settle(harbor, qtbot)


def test_that_the_largest_size_passes_and_one_unit_more_breaks(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    trader = trader_of(pane)
    fitting = [o for o in range(10) if not trader.effect([Trade(Side.BUY, offered(pane, o), 1e5, 98.5)]).breaks]
    assert fitting
    asset = offered(pane, fitting[0])
    pane.pad.put([Row("Buy", asset, "", "98.5")])
    settle(harbor, qtbot)
    pane.list.go(0)
    pane.largest()
    settle(harbor, qtbot)
    assert pane.pad.result is not None
    par = pane.pad.result.trades[0].par
    assert not trader.effect([Trade(Side.BUY, asset, par, 98.5)]).breaks
    assert trader.effect([Trade(Side.BUY, asset, par + 1000.0, 98.5)]).breaks
    assert "more would break" in pane.answer.text()
    pane.pad.undo()
    assert pane.pad.rows[0].par == ""
    settle(harbor, qtbot)


def test_that_a_size_that_cannot_be_found_says_why(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    trader = trader_of(pane)
    worse = next(o for o in range(15) if trader.effect([Trade(Side.BUY, offered(pane, o), 1000.0, 98.5)]).breaks)
    pane.pad.put([Row("Buy", offered(pane, worse), "1m", "98.5")])
    settle(harbor, qtbot)
    pane.list.go(0)
    pane.largest()
    settle(harbor, qtbot)
    assert "No size of the buy" in pane.answer.text()
    assert pane.pad.rows[0].par == "1m"
    pane.list.go(1)
    pane.largest()
    assert "Choose a row" in pane.answer.text()


def test_that_one_million_of_every_asset_is_the_full_reckoning(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.marginal.run()
    settle(harbor, qtbot)
    frame = pane.marginal.table.frame
    trader = trader_of(pane)
    assert len(frame) == int(np.isfinite(trader.pool.numbers("market_value")).sum())
    for row in range(0, len(frame), 40):
        asset = str(frame.key_of(row))
        effect = trader.effect([Trade(Side.BUY, asset, 1e6, float(frame.array("price")[row]))])
        less = effect.after.less(effect.before)
        assert frame.array("d_factor")[row] == pytest.approx(less["factor"], abs=1e-9)
        assert frame.array("d_diversity")[row] == pytest.approx(less["diversity"], abs=1e-9)
        assert frame.array("t_29")[row] == pytest.approx(effect.test(29).change, abs=1e-12)
        assert frame.text(row, frame.index["breaks"]).strip("\u00a0") == frames.stopping(effect.breaks, effect.worsens)
    pane.marginal.table.set_filter("breaks", "!29")
    assert pane.marginal.table.model.rowCount() < len(frame)


def test_that_enter_puts_a_ranked_candidate_into_the_pad(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.ranking.where.setText("wal < 5")
    pane.ranking.run()
    settle(harbor, qtbot)
    frame = pane.ranking.table.frame
    assert 0 < len(frame) < len(trader_of(pane).pool)
    scores, broken = frame.array("score"), [frame.text(i, frame.index["breaks"]).strip() for i in range(len(frame))]
    sound = [s for s, b in zip(scores, broken, strict=True) if not b]
    assert sound == sorted(sound, reverse=True)
    assert all(broken[len(sound) :])
    pane.ranking.table.row_activated.emit(frame.key_of(0))
    settle(harbor, qtbot)
    assert pane.pad.rows[-1].asset == frame.key_of(0)
    assert pane.pad.result is not None
    assert pane.pad.result.wrong == 0


def test_that_a_wrong_filter_or_weight_is_told_beside_its_field(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.ranking.where.setText("wal <")
    pane.ranking.run()
    settle(harbor, qtbot)
    assert pane.ranking.bar.state.text()
    pane.ranking.where.clear()
    pane.ranking.weights.setText("32=x")
    pane.ranking.run()
    assert "weight" in pane.ranking.bar.state.text()
    pane.ranking.size_field.setText("-5")
    pane.ranking.run()
    assert "cannot be traded" in pane.ranking.bar.state.text()


def test_that_a_pasted_bid_list_is_judged_in_every_deal(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.bids.text.setPlainText(f"Name\tSize\n{offered(pane)}\t2.5mm\t98-99\nnobody at all\n{held(pane)}")
    pane.bids.run()
    settle(harbor, qtbot)
    table = pane.bids.table
    assert [table.frame.column(f"deal {i}").title for i in range(1)] == [DEMO_DEAL]
    assert len(table.frame) == 3
    assert "1 line could not be read" in pane.bids.bar.state.text()
    pane.bids.shown.setCurrentIndex(1)
    pane.bids.shown.activated.emit(1)
    frame = table.frame
    assert frame.array("price")[0] == 99.0
    assert frame.array("par")[0] == 2.5e6
    effect = trader_of(pane).effect([Trade(Side.BUY, offered(pane), 2.5e6, 99.0)])
    assert frame.text(0, frame.index["breaks"]).strip("\u00a0") == frames.stopping(
        effect.breaks, effect.worsens
    ).removeprefix("✕ ")
    table.row_activated.emit(frame.key_of(0))
    settle(harbor, qtbot)
    assert pane.pad.rows == (Row("Buy", offered(pane), "2,500,000", "99"),)


def test_that_the_projection_is_of_the_trades_and_says_when_they_changed(
    harbor: Window, pane: TradesPane, qtbot: QtBot
) -> None:
    pane.projection.run()
    assert "no trades yet" in pane.projection.bar.state.text()
    pane.pad.put([Row("Sell", held(pane), "1m", "98.5")])
    settle(harbor, qtbot)
    pane.projection.run()
    assert pane.projection.bar.busy
    settle(harbor, qtbot)
    timed = harbor.session.projection
    assert timed is not None
    paid = timed.projection.paid(timed.projection.equity)
    assert pane.projection.paid.frame.array("before").sum() == pytest.approx(paid.sum())
    assert len(pane.projection.coverage.frame) == len(timed.projection.document.tests)
    assert "IRR" in pane.projection.bar.state.text()
    assert pane.projection.stale.isHidden()
    pane.pad.put([Row("Sell", held(pane), "500k", "98.5")])
    settle(harbor, qtbot)
    assert not pane.projection.stale.isHidden()


def test_that_a_projection_can_be_cancelled(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Sell", held(pane), "1m", "98.5")])
    settle(harbor, qtbot)
    pane.projection.run()
    pane.projection.bar.cancel.click()
    settle(harbor, qtbot)
    assert "Cancelled" in pane.projection.bar.state.text()
    assert len(pane.projection.paid.frame) == 0


def test_that_the_rows_that_count_after_the_trades_are_shown(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Buy", offered(pane), "3m", "98.5")])
    settle(harbor, qtbot)
    pane.tests.table.select_keys([29.0])
    pane.tests.table.row_activated.emit(29.0)
    settle(harbor, qtbot)
    frame = pane.members.frame
    result = next(
        r for r in trader_of(pane).after([Trade(Side.BUY, offered(pane), 3e6, 98.5)]).results if r.number == 29
    )
    counts = frame.array("counts") == 1
    assert counts.sum() == result.members.sum()
    assert frame.array("amount")[counts].sum() == pytest.approx(result.numerator)
    assert pane.tabs.currentWidget() is pane.members


def test_that_trades_are_written_and_read_as_csv(
    harbor: Window, pane: TradesPane, qtbot: QtBot, tmp_path: Path
) -> None:
    rows = (Row("Sell", held(pane), "100,000", "98.5"), Row("Buy", offered(pane), "250,000", "97.25", "2026-03-31"))
    pane.pad.put(rows)
    settle(harbor, qtbot)
    pane.pad.export_file(tmp_path / "list.csv")
    settle(harbor, qtbot)
    pane.pad.import_file(tmp_path / "list.csv")
    settle(harbor, qtbot)
    assert pane.pad.ideas.current.name == "list"  # the open idea had trades: nothing is lost
    assert pane.pad.rows == rows


def test_that_a_wrong_file_is_refused_and_nothing_changes(
    harbor: Window, pane: TradesPane, qtbot: QtBot, tmp_path: Path
) -> None:
    refused: list[str] = []
    harbor.session.refused.connect(refused.append)
    bad = tmp_path / "bad.csv"
    bad.write_text("side,asset_id,par\nhold,A,1\n")
    pane.pad.import_file(bad)
    settle(harbor, qtbot)
    assert "bad.csv" in refused[0]
    assert pane.pad.rows == ()


def test_that_the_deal_itself_is_never_changed(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    book = harbor.session.book
    pane.pad.put([Row("Sell", held(pane), "100k", "98.5")])
    settle(harbor, qtbot)
    assert harbor.session.book is book
    assert harbor.session.desk is not None
    assert harbor.session.desk.book(DEMO_DEAL) is book


def test_that_ideas_stay_with_their_deal(harbor: Window, pane: TradesPane, qtbot: QtBot) -> None:
    pane.pad.put([Row("Sell", held(pane), "100k", "98.5")])
    settle(harbor, qtbot)
    harbor.porter.import_demo()  # anew under its own name
    settle(harbor, qtbot)
    qtbot.waitUntil(lambda: pane.pad.result is not None, timeout=20_000)
    assert len(pane.pad.rows) == 1
    assert pane.pad.result is not None
    assert len(pane.pad.result.trades) == 1


def test_that_everything_one_works_with_has_a_name(pane: TradesPane) -> None:
    for kind in (QLineEdit, type(pane.add_button), type(pane.ideas.files)):
        for widget in pane.findChildren(kind):
            if widget.isVisibleTo(pane):
                assert widget.accessibleName() or getattr(widget, "text", str)(), widget


def test_that_without_a_deal_the_pad_says_what_to_do(empty: Window, qtbot: QtBot) -> None:
    empty.go_to("trades")
    assert empty.trades._layers.currentIndex() == 0
