"""Rows of the trade pad: what is typed, what it means, what is told of it; and lists that are pasted."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.work.pad_rows import (
    CELLS,
    Row,
    amount,
    judge,
    pasted,
    price_of,
    row_of,
    rows_text,
    settlement_of,
    tidy,
    without_empty,
)
from engine import study
from engine.trades import Finder, Side, Trade, Trader
from resources import library
from resources.demo.generate import make_book


@pytest.fixture(scope="module")
def trader() -> Trader:
    book = make_book()
    return study.trader(book, library.catalogue(), book.assets.values())


@pytest.fixture(scope="module")
def finder(trader: Trader) -> Finder:
    return Finder(trader.assets.values())


@pytest.fixture(scope="module")
def held(trader: Trader) -> str:
    return trader.book.deal.holdings[0].asset_id


@pytest.fixture(scope="module")
def offered(trader: Trader) -> str:
    return next(a.asset_id for a in trader.pool.assets if trader.par[trader.place(a.asset_id)] == 0.0)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1500000", 1.5e6), ("1,500,000", 1.5e6), ("1.5m", 1.5e6), ("1.5 MM", 1.5e6), ("250k", 2.5e5), ("2bn", 2e9)],
)
def test_that_amounts_are_read_as_people_write_them(text: str, value: float) -> None:
    assert amount(text) == pytest.approx(value)


def test_that_a_blank_is_missing_and_never_zero() -> None:
    assert amount("  ") is None
    assert price_of("") is None
    assert settlement_of("") is None


@pytest.mark.parametrize("text", ["1.5x", "abc", "1,5", "12..5", "1.000,50"])
def test_that_an_amount_that_can_be_read_in_two_ways_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write an amount such as"):
        amount(text)


def test_that_a_day_must_be_readable_in_one_way_only() -> None:
    assert settlement_of("2026-03-31") == dt.date(2026, 3, 31)
    with pytest.raises(ValueError, match="2026-03-31"):
        settlement_of("03/04/2026")


def test_that_a_row_with_only_a_side_says_nothing_yet(trader: Trader, finder: Finder) -> None:
    found = judge(trader, finder, [Row("Sell")])
    assert found.trades == ()
    assert found.wrong == 0


def test_that_sound_rows_count_while_others_are_wrong(trader: Trader, finder: Finder, held: str, offered: str) -> None:
    rows = [
        Row("sell", held, "100k"),
        Row("buy", "nobody", "1m", "99"),
        Row("buy", offered, "1.5x", "9950"),
        Row("hold", offered, "1m", "99"),
        Row("buy", offered, "1m", "98.5", "2026-03-31"),
    ]
    found = judge(trader, finder, rows)
    assert [bool(s.problems) for s in found.seen] == [False, True, True, True, False]
    assert "not in the asset master" in found.seen[1].problems["asset"]
    assert set(found.seen[2].problems) == {"par", "price"}
    assert "percent of par" in found.seen[2].problems["price"]
    assert "buy or sell" in found.seen[3].problems["side"]
    wanted = (Trade(Side.SELL, held, 1e5), Trade(Side.BUY, offered, 1e6, 98.5, dt.date(2026, 3, 31)))
    assert found.trades == wanted
    assert found.effect == trader.effect(wanted)
    assert set(found.fills) == {0, 4}
    assert found.rows == tuple(rows)  # nothing that was typed is lost


def test_that_what_only_the_holdings_can_say_is_told_in_its_row(trader: Trader, finder: Finder, held: str) -> None:
    most = trader.book.deal.holdings[0].par
    rows = [Row("sell", held, repr(most)), Row("sell", held, "1000"), Row("buy", held, "1m")]
    found = judge(trader, finder, rows)
    assert "none of it is held" in found.seen[1].problems["par"]
    assert "needs a price" in found.seen[2].problems["price"]
    assert len(found.trades) == 1


def test_that_a_purchase_left_out_leaves_out_its_sale_too(trader: Trader, finder: Finder, offered: str) -> None:
    found = judge(trader, finder, [Row("buy", offered, "1m"), Row("sell", offered, "1m", "99")])
    assert found.wrong == 2
    assert found.trades == ()


def test_that_an_issuer_finds_its_asset_and_is_written_out_as_the_id(trader: Trader, finder: Finder) -> None:
    names = [a.issuer_name for a in trader.pool.assets]
    asset = next(a for a in trader.pool.assets if a.issuer_name and names.count(a.issuer_name) == 1)
    assert tidy(Row("b", str(asset.issuer_name), "1m", "99"), finder) == Row("Buy", asset.asset_id, "1m", "99")
    assert tidy(Row("hold", "nobody"), finder) == Row("hold", "nobody")


def test_that_a_row_that_is_begun_buys() -> None:
    assert Row().put("asset", "A").side == "Buy"
    assert Row("Sell").put("asset", "A").side == "Sell"
    assert Row().put("side", "s").side == "s"


def test_that_a_list_of_excel_is_pasted_in_its_order_and_rows_are_added() -> None:
    assert pasted((), "buy\tA\t1m\t99\r\nsell\tB\t250,000\t98.5\t2026-03-31\r\n", 0, 0) == (
        Row("buy", "A", "1m", "99"),
        Row("sell", "B", "250,000", "98.5", "2026-03-31"),
    )


def test_that_headings_say_which_column_is_which() -> None:
    text = "Price (% of par)\tIssue\tAsset\tPar (USD)\n99\tAcme TL\tA\t1000000"
    assert pasted((Row("Sell"),), text, 0, 0) == (Row("Sell", "A", "1000000", "99"),)


def test_that_a_column_is_pasted_from_the_current_cell_on() -> None:
    rows = (Row("Buy", "A", "1"), Row("Buy", "B", "2"))
    assert pasted(rows, "3m\n4m", 0, CELLS.index("par")) == (Row("Buy", "A", "3m"), Row("Buy", "B", "4m"))


def test_that_too_long_a_list_is_refused() -> None:
    with pytest.raises(ValueError, match="2,000 rows"):
        pasted((), "buy\tA\t1m\t99\n" * 2_001, 0, 0)


CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters='"'), max_size=12)


@given(st.lists(st.builds(Row, st.sampled_from(["Buy", "Sell"]), CELL, CELL, CELL, CELL), max_size=6))
def test_that_what_was_copied_pastes_as_the_same_trades(rows: list[Row]) -> None:
    spaced = [replace(r, **{n: " ".join(getattr(r, n).split()) for n in CELLS}) for r in rows]
    back = pasted((), rows_text(spaced), 0, 0)
    assert len(back) == len(rows)
    for one, other in zip(spaced, back, strict=True):
        assert (one.side, one.asset, one.settlement) == (other.side, other.asset, other.settlement)


def test_that_copied_amounts_are_plain_numbers_and_told_columns_are_passed_over_on_pasting() -> None:
    text = rows_text([Row("Buy", "A", "1.5m", "98.50")], "USD", beside={"Issue": ["Acme"], "Held (USD)": ["12"]})
    assert text.splitlines() == [
        "Side\tAsset\tPar (USD)\tPrice (% of par)\tSettlement\tIssue\tHeld (USD)",
        "Buy\tA\t1500000\t98.5\t\tAcme\t12",
    ]
    assert pasted((), text, 0, 0) == (Row("Buy", "A", "1500000", "98.5"),)


@given(
    st.sampled_from(list(Side)),
    st.floats(0.01, 1e9),
    st.none() | st.floats(2.0, 200.0),
    st.none() | st.dates(dt.date(2000, 1, 1), dt.date(2060, 1, 1)),
)
def test_that_a_trade_typed_out_means_the_same_trade(
    side: Side, par: float, price: float | None, day: dt.date | None
) -> None:
    row = row_of(Trade(side, "A", par, price, day))
    assert amount(row.par) == par
    assert price_of(row.price) == price
    assert settlement_of(row.settlement) == day


def test_that_only_rows_without_anything_go() -> None:
    assert without_empty([Row(), Row("Sell"), Row(asset=" ")]) == (Row("Sell"),)
