"""Trades at the desk and on the command line: files with their faults, tests before and after, rankings, bid lists."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clo_desktop.__main__ import main
from clo_desktop.faults import Refused
from clo_desktop.sheets.write import write_book
from clo_desktop.work import trading
from clo_desktop.work.desk import Desk, comply_with
from clo_desktop.work.trade_files import read_trades, write_trades
from engine.asset import Asset
from engine.pool import fold
from engine.trades import Side, Trade, read_lines, traded
from tests.conftest import DEMO_DEAL

NEW = "BLKRockID,ISSUER ID,Bond/Loan,Maturity,Coupon Type,Payment Frequency,Moody's Industry,S&P Industry,Country"
NEW_CELLS = "{0},NEWCO,LOAN,2031-06-30,FLOAT,4,Retail,Retailers,USA"


@pytest.fixture
def desk(workspace: Path) -> Any:
    made = Desk(workspace)
    yield made
    made.close()


@pytest.fixture
def held(desk: Desk) -> list[str]:
    return [h.asset_id for h in desk.book(DEMO_DEAL).deal.holdings]


def write(folder: Path, text: str) -> Path:
    file = folder / "trades.csv"
    file.write_text(text, encoding="utf-8")
    return file


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any, str]:
    code = main([*arguments, "--json"])
    out, err = capsys.readouterr()
    return code, json.loads(out), err


def test_that_each_test_says_what_it_is_after_the_trades(
    desk: Desk, held: list[str], workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    par = desk.book(DEMO_DEAL).deal.holdings[0].par
    file = write(tmp_path, f"side,asset_id,par,price\nsell,{held[0]},{par},97.5\nBUY, {held[1].lower()},1500000,99\n")
    code, data, _ = said(capsys, "compliance", "--deal", DEMO_DEAL, "--trades", str(file), "--db", str(workspace))
    assert code == 0
    trades = [Trade(Side.SELL, held[0], par, 97.5), Trade(Side.BUY, held[1], 1.5e6, 99.0)]
    before, after = comply_with(desk.book(DEMO_DEAL)), comply_with(traded(desk.book(DEMO_DEAL), trades))
    assert [t["number"] for t in data["tests"]] == [r.number for r in before.results]
    for told, old, new in zip(data["tests"], before.results, after.results, strict=True):
        assert told["result"] == old.result
        assert set(told["after"]) == {"result", "threshold", "outcome", "applicable", "cushion"}
        assert told["after"]["result"] == pytest.approx(new.result, rel=1e-9, abs=1e-12)
        assert told["after"]["threshold"] == pytest.approx(new.threshold, rel=1e-9)
        assert told["after"]["outcome"] == new.outcome.value
        assert told["after"]["cushion"] == pytest.approx(new.cushion, rel=1e-9, abs=1e-9)
    assert [t["asset_id"] for t in data["trades"]] == held[:2]


def test_that_a_new_asset_is_described_by_further_columns_and_not_stored(
    desk: Desk, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = NEW.replace("BLKRockID", "side,asset_id,par,price")
    row = "buy," + NEW_CELLS.format("NEW1").replace("NEW1", "NEW1,2000000,98.5") + ",B2"
    file = write(tmp_path, f"{header},moodys_rating\n{row}\nbuy,NEW1,1e6,98.75\n")
    code, data, _ = said(capsys, "compliance", "--deal", DEMO_DEAL, "--trades", str(file), "--db", str(workspace))
    assert code == 0
    assert data["figures"]["after"]["par"] - data["figures"]["before"]["par"] == pytest.approx(3e6)
    assert "NEW1" not in desk.master()


def test_that_the_traded_deal_exported_and_imported_again_has_the_same_results(
    desk: Desk, held: list[str], tmp_path: Path
) -> None:
    holdings = desk.book(DEMO_DEAL).deal.holdings
    outside = next(i for i in desk.book(DEMO_DEAL).assets if i not in held)
    trades = [
        Trade(Side.SELL, held[3], holdings[3].par, 98.25),
        Trade(Side.SELL, held[40], round(holdings[40].par / 3, 2), 91.5),
        Trade(Side.BUY, outside, 1.25e6, 99.75),
        Trade(Side.BUY, held[7], 1e6, 100.0),
    ]
    trader = desk.trader(DEMO_DEAL)
    effect = trader.effect(trades)
    write_book(trader.traded(trades), tmp_path / "traded.xlsx")
    assert desk.import_file(tmp_path / "traded.xlsx", "Traded").imported
    after = {t.number: t.after for t in effect.tests}
    for r in desk.comply("Traded").results:
        mine = after[r.number]
        assert mine is not None
        assert (mine.result, mine.threshold, mine.cushion) == pytest.approx(
            (r.result, r.threshold, r.cushion), rel=1e-9, abs=1e-9
        )
        assert mine.outcome == r.outcome


def test_that_trades_without_json_are_told_in_words(
    held: list[str], workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, f"side;asset_id;par;price\nbuy;{held[0]};5.000.000;99\n".replace("5.000.000", "5000000"))
    assert main(["compliance", "--deal", DEMO_DEAL, "--trades", str(file), "--db", str(workspace)]) == 0
    out = capsys.readouterr().out
    assert "Weighted average rating factor" in out
    assert "Objective" in out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "trades.csv is empty; it needs the columns side, asset_id, par and price."),
        ("side,asset_id,price\n", "row 1: the column par is missing"),
        ("side,asset_id,par,price,shoe size\n", "row 1: the column “shoe size” is not known"),
        ("side,asset_id,par,par,price\n", "row 1: the column “par” is there twice; keep one."),
        ("side,asset_id,par,price\n", "holds no trades; write one a row"),
        (
            "side,asset_id,par,price\n\nbuy,NOPE,1000000,99\n",
            "row 3, asset_id: the asset 'NOPE' is not in the asset master",
        ),
        ("side,asset_id,par,price\nlend,{0},1000000,99\n", "row 2, side: “lend” is no side; write buy or sell."),
        ("side,asset_id,par,price\nbuy,,1000000,99\n", "row 2, asset_id: the asset is missing; write its id."),
        ("side,asset_id,par,price\nbuy,{0},,99\n", "row 2, par: the par is missing; write an amount"),
        ("side,asset_id,par,price\nbuy,{0},lots,99\n", "row 2, par: “lots” is no number"),
        ("side,asset_id,par,price\nbuy,{0},1000000,\n", "row 2, price: a purchase needs a price"),
        ('side,asset_id,par,price\nbuy,{0},1000000,"9,950"\n', "row 2, price: the price 9,950 is above 200 % of par"),
        ("side,asset_id,par,price\nbuy,{0},1000000,-1\n", "row 2, price: the price -1 is not more than zero"),
        ("side,asset_id,par,price\nsell,{0},1e11,99\n", "is held; sell less."),
        ("side,asset_id,par,price\nbuy,{0},1000000,99,7\n", "row 2: it has more cells than the header"),
        (
            "side,asset_id,par,price,country\nbuy,{0},1000000,99,Atlantis\n",
            "is in the asset master with another Country",
        ),
        ("side,asset_id,par,price,country\nbuy,NEW,1000000,99,USA\n", "the new asset NEW needs ISSUER ID, Bond/Loan"),
        ("side,asset_id,par,price,wal\nbuy,NEW,1000000,99,long\n", "row 2, WAL: “long” is no number"),
        ("side,asset_id,par,price,settlement\nbuy,{0},1000000,99,soon\n", "row 2, settlement: “soon” is no date"),
    ],
)
def test_that_a_bad_file_is_refused_with_file_row_and_remedy_and_nothing_changes(
    desk: Desk, held: list[str], tmp_path: Path, text: str, words: str
) -> None:
    before = desk.book(DEMO_DEAL)
    file = write(tmp_path, text.replace("{0}", held[0]))
    with pytest.raises(Refused) as told:
        trading.effect_of_file(desk, DEMO_DEAL, file)
    assert words in told.value.message
    assert told.value.message.startswith("trades.csv")
    assert told.value.message.rstrip().endswith((".", ")"))
    assert desk.book(DEMO_DEAL) == before


CELLS = st.sampled_from(
    [
        "buy",
        "sell",
        "",
        "HBR000118",
        "x",
        "1e6",
        "-1",
        "99",
        "nan",
        "inf",
        "1,000",
        "9,950",
        "é",
        "\x00",
        '"',
        "=1+1",
        "USA",
    ]
)
HEADS = st.sampled_from(
    ["side", "asset_id", "par", "price", "settlement", "country", "wal", "Moody's Rating-21", "?", ""]
)


@given(
    st.just(["side", "asset_id", "par", "price", "country"]) | st.lists(HEADS, max_size=7),
    st.lists(st.lists(CELLS, max_size=8), max_size=6),
    st.sampled_from(",;\t"),
)
def test_that_no_file_whatever_is_in_it_gives_more_than_a_refusal(
    heads: list[str], rows: list[list[str]], mark: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder), "\n".join(mark.join(cells) for cells in [heads, *rows]))
        told = ""
        try:
            found = read_trades(file, {})
        except Refused as refused:
            told = refused.message
    assert told.startswith("trades.csv") if told else all(t.row and t.par == t.par for t in found.trades)


@given(st.text(max_size=300))
def test_that_any_pasted_text_is_read_as_lines_that_say_what_is_wrong(text: str) -> None:
    for line in read_lines(text, [Asset(asset_id="A1", issue_name="Some Issue"), Asset(asset_id="A2")]):
        assert (line.asset is None) == bool(line.problem)


def test_that_every_wrong_row_of_a_file_is_a_fault(desk: Desk, held: list[str], tmp_path: Path) -> None:
    rows = (
        f"sell,{held[0]},1e12,99",
        f"buy,{held[1]},1e6,99",
        "sell,X,1,99",
        f"hold,{held[2]},1,99",
        "hold,Y,many,99",
        f"sell,{held[2]},1e12,99",  # row 5 may have bought it
        f"buy,{held[1]},1,9950",
    )
    with pytest.raises(Refused) as told:
        trading.effect_of_file(desk, DEMO_DEAL, write(tmp_path, "\n".join(("side,asset_id,par,price", *rows))))
    assert [(f.cell, f.column) for f in told.value.faults] == [
        ("row 2", "par"),
        ("row 4", "asset_id"),
        ("row 5", "side"),
        ("row 6", "side"),
        ("row 6", "asset_id"),
        ("row 6", "par"),
        ("row 8", "price"),
    ]
    assert told.value.message.startswith("trades.csv, row 2, par: ")
    assert "(6 more faults: row 4, asset_id; row 5, side; row 6, side; row 6, asset_id; " in told.value.message
    assert told.value.faults[2].words == "trades.csv, row 5, side: “hold” is no side; write buy or sell."


def test_that_all_faults_of_a_file_are_listed_in_the_order_of_its_cells_and_none_that_follows_from_another(
    desk: Desk, held: list[str], workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three = held[:3]
    rows = [
        "side,asset_id,par,price,settlement,hue",
        "buy,NOPE,1e6,99,,",
        f"lend,{one},lots,9950,soon,",
        f"buy,{two},much,99,,",
        f"sell,{two},1e11,99,,",  # how much is held after row 4 nobody knows
        f"sell,{three},1e11,,soon,",
        ",,,,soon,",
        f"hold,{three},1,,,",  # whether it needs a price nobody knows
    ]
    file = write(tmp_path, "\n".join(rows))
    with pytest.raises(Refused) as told:
        trading.effect_of_file(desk, DEMO_DEAL, file)
    found = [(f.cell.removeprefix("row "), f.column) for f in told.value.faults]
    assert found == [
        *(("1", ""), ("2", "asset_id"), ("3", "side"), ("3", "par"), ("3", "price"), ("3", "settlement")),
        *(
            ("4", "par"),
            ("6", "par"),
            ("6", "settlement"),
            ("7", "side"),
            ("7", "asset_id"),
            ("7", "par"),
            ("7", "settlement"),
        ),
        ("8", "side"),
    ]
    assert main(["compliance", "--deal", DEMO_DEAL, "--trades", str(file), "--db", str(workspace)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("trades.csv, row 1: the column “hue” is not known")
    assert "(13 more faults: row 2, asset_id; row 3, side; row 3, par; " in lines[0]
    assert lines[1:] == [fault.words for fault in told.value.faults]
    assert "trades.csv, row 3, side: “lend” is no side; write buy or sell." in lines


def test_that_a_file_that_is_not_there_is_said(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read"):
        trading.effect_of_file(desk, DEMO_DEAL, tmp_path / "none.csv")


def test_that_written_trades_are_read_again(desk: Desk, held: list[str], tmp_path: Path) -> None:
    master = {fold(i): a for i, a in desk.master().items()}
    new = replace(desk.master()[held[0]], asset_id="NEW2", coupon_spread=0.0425)
    trades = (
        Trade(Side.SELL, held[0], 123456.78, 97.125),
        Trade(Side.BUY, "NEW2", 2e6, 99.0),
        Trade(Side.SELL, held[2], 5.0),
    )
    write_trades(tmp_path / "again.csv", trades, (new,))
    found = read_trades(tmp_path / "again.csv", master)
    assert found.trades == trades
    assert found.assets == (new,)


def test_that_a_new_asset_that_is_described_anew_is_judged_anew(desk: Desk, held: list[str]) -> None:
    new = replace(desk.master()[held[0]], asset_id="NEW3", coupon_spread=0.02)
    trade = [Trade(Side.BUY, "NEW3", 5e6, 99.0)]
    low = trading.effect_of(desk, DEMO_DEAL, trade, [new])
    high = trading.effect_of(desk, DEMO_DEAL, trade, [replace(new, coupon_spread=0.09)])
    assert high.after.spread > low.after.spread
    with pytest.raises(Refused, match="'NEW3' is not in the asset master"):
        trading.effect_of(desk, DEMO_DEAL, trade)


def test_that_the_ranking_scores_are_those_of_the_trades_on_the_command_line(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, data, _ = said(
        capsys,
        *("rank", "--deal", DEMO_DEAL, "--side", "buy", "--weights", "32=0.6,36=0.3,38=0.1", "--most", "3"),
        *("--filter", "country = USA and wal < 6", "--db", str(workspace)),
    )
    assert code == 0
    assert len(data["rows"]) == 3 < data["candidates"]
    row = data["rows"][0]
    file = write(tmp_path, f"side,asset_id,par,price\nbuy,{row['asset_id']},{row['par']},{row['price']}\n")
    _, judged, _ = said(capsys, "compliance", "--deal", DEMO_DEAL, "--trades", str(file), "--db", str(workspace))

    def quality(of: Any) -> float:
        tests = {t["number"]: of(t) | {"max": t["direction"] == "MAX"} for t in judged["tests"]}
        terms = {32: 0.6, 36: 0.3, 38: 0.1}
        return 100 * sum(
            w * (t["threshold"] / t["result"] if t["max"] else t["result"] / t["threshold"])
            for n, w in terms.items()
            for t in [tests[n]]
        )

    assert row["score"] == pytest.approx(quality(lambda t: t["after"]) - quality(lambda t: t), abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--side", "hold"), 2, "invalid choice"),
        (("--side", "buy", "--weights", "32"), 2, "'32' is no weight; write test=weight"),
        (("--side", "buy", "--weights", "32=1,32=2"), 2, "weighted twice"),
        (("--side", "buy", "--weights", "99=1"), 1, "Test 99 has a weight but no result"),
        (("--side", "buy", "--filter", "colour = red"), 1, "There is no field 'colour'"),
        (("--side", "sell", "--size", "-5"), 1, "The size -5 cannot be traded"),
    ],
)
def test_that_a_ranking_that_cannot_be_is_refused_with_a_remedy(
    workspace: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], code: int, words: str
) -> None:
    assert main(["rank", "--deal", DEMO_DEAL, "--db", str(workspace), *arguments]) == code
    assert words in capsys.readouterr().err


def test_that_a_bid_list_is_judged_against_every_deal(desk: Desk, held: list[str]) -> None:
    found = trading.fits(desk, f"{held[0]}\t2mm\t99\nwho knows\t1mm")
    assert list(found) == [DEMO_DEAL]
    first, second = found[DEMO_DEAL]
    assert first.fits is not None
    assert (second.fits, "not in the asset master" in second.problem) == (None, True)
    with pytest.raises(Refused, match="holds no names"):
        trading.fits(desk, "\n\n")


def test_that_a_list_in_a_file_is_judged_on_the_command_line(
    held: list[str], workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, f"{held[0]}\t2mm\t99\nwho knows\t1mm\n")
    code, data, _ = said(capsys, "bids", str(file), "--db", str(workspace))
    assert code == 0
    first, second = data[DEMO_DEAL]
    assert (first["asset_id"], first["par"], first["price"]) == (held[0], 2e6, 99.0)
    assert first["largest"] >= 0.0
    assert second["fits"] is None
    assert main(["bids", str(file), "--deal", DEMO_DEAL, "--side", "sell", "--db", str(workspace)]) == 0
    assert held[0] in capsys.readouterr().out
    assert main(["bids", str(tmp_path / "none.txt"), "--db", str(workspace)]) == 1


def test_that_a_projection_with_and_without_trades_tells_coverage_and_equity(
    desk: Desk, held: list[str], warm: None
) -> None:
    par = desk.book(DEMO_DEAL).deal.holdings[0].par
    found = trading.projected(desk, DEMO_DEAL, [Trade(Side.SELL, held[0], par, 60.0)])
    assert found.equity_change < 0.0
    assert all(c.after <= c.before + 1e-12 for c in found.coverage if "oc" in c.name.lower())
    nothing = trading.projected(desk, DEMO_DEAL, [])
    assert nothing.equity_change == 0.0
    assert nothing.irr_before == nothing.irr_after
