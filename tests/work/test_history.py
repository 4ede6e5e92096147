"""Snapshots and stored ideas on the command line, and what a fingerprint of a pool tells."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clo_desktop import cli
from clo_desktop.faults import Refused
from clo_desktop.store import IdeaRow, StoredIdea
from clo_desktop.work import history, stored_ideas
from clo_desktop.work.desk import Desk
from clo_desktop.work.fingerprint import differences, state_of
from engine.terms import Book
from tests.conftest import DEMO_DEAL


@pytest.fixture
def desk(workspace: Path) -> Any:
    made = Desk(workspace)
    yield made
    made.close()


def said(capsys: pytest.CaptureFixture[str], workspace: Path, *arguments: str, code: int = 0) -> Any:
    """What a command says as JSON."""
    assert cli.main([*arguments, "--db", str(workspace), "--json"]) == code
    return json.loads(capsys.readouterr().out)


# --- snapshots -------------------------------------------------------------------------------------------------------


def test_that_an_import_brings_a_snapshot_of_every_test(desk: Desk) -> None:
    (snapshot,) = desk.store.snapshots(DEMO_DEAL)
    done = desk.comply(DEMO_DEAL)
    assert (snapshot.as_of, snapshot.origin) == (done.as_of, "import")
    assert snapshot.book_hash == state_of(desk.book(DEMO_DEAL)).book_hash
    assert {(t.number, t.result, t.threshold, t.outcome) for t in snapshot.tests} == {
        (r.number, r.result, r.threshold, r.outcome.value) for r in done.results
    }


def test_that_the_commands_take_list_trace_and_remove_snapshots(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deal = ("--deal", DEMO_DEAL)
    taken = said(capsys, workspace, "snapshot", *deal)
    assert taken["replaced"] is not None
    day = taken["snapshot"]["as_of"]
    listed = said(capsys, workspace, "snapshots", *deal)["snapshots"]
    assert [(s["as_of"], s["origin"], len(s["tests"])) for s in listed] == [(day, "asked", 37)]
    (one,) = said(capsys, workspace, "snapshots", *deal, "--test", "29")["snapshots"]
    assert [t["number"] for t in one["tests"]] == [29]
    ahead = said(capsys, workspace, "snapshots", *deal, "--test", "35", "--ahead")["snapshots"]
    assert [s["origin"] for s in ahead[-4:]] == ["ahead"] * 4
    lives = [s["tests"][0]["result"] for s in ahead[-4:]]
    assert lives == sorted(lives, reverse=True)
    assert said(capsys, workspace, "snapshots", *deal)["snapshots"] == listed, "what was looked ahead to is not stored"
    assert said(capsys, workspace, "snapshots", *deal, "--test", "999", code=1)["error"]["code"] == "no-snapshot"
    assert said(capsys, workspace, "snapshots", *deal, "--remove", day) == {"removed": day}
    assert said(capsys, workspace, "snapshots", *deal)["snapshots"] == []
    assert said(capsys, workspace, "snapshots", *deal, "--remove", day, code=1)["error"]["code"] == "no-snapshot"


def test_that_a_deal_without_a_date_has_no_snapshot_and_says_why(desk: Desk) -> None:
    book = desk.book(DEMO_DEAL)
    undated = replace(desk.comply(DEMO_DEAL), as_of=None)
    with pytest.raises(Refused, match="no analysis date"):
        history.snapshot_of(book, undated, "asked")


# --- fingerprints ----------------------------------------------------------------------------------------------------


def test_that_a_fingerprint_is_the_same_before_and_after_storing(desk: Desk, tmp_path: Path) -> None:
    book = desk.book(DEMO_DEAL)
    first, *others = book.deal.holdings
    whole = replace(book, deal=replace(book.deal, holdings=(replace(first, par=1_000_000), *others)))
    desk.store.save(whole)
    assert state_of(desk.store.load(DEMO_DEAL)).book_hash == state_of(whole).book_hash


def changed(book: Book, what: str) -> Book:
    deal = book.deal
    first, *others = deal.holdings
    match what:
        case "par":
            return replace(book, deal=replace(deal, holdings=(replace(first, par=first.par + 1.0), *others)))
        case "gone":
            return replace(book, deal=replace(deal, holdings=tuple(others)))
        case "terms":
            asset = replace(book.assets[first.asset_id], market_value=50.0)
            return replace(book, assets={**book.assets, first.asset_id: asset})
        case "limit":
            limit, *rest = deal.limits
            return replace(book, deal=replace(deal, limits=(replace(limit, threshold=0.5), *rest)))
        case "date":
            dates = tuple((n, dt.date(2030, 1, 1) if n == "Analysis date" else v) for n, v in deal.current_dates)
            return replace(book, deal=replace(deal, current_dates=dates))
    raise AssertionError(what)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("par", "1 asset with another par"),
        ("gone", "1 asset no longer in the pool"),
        ("terms", "1 asset with other terms"),
        ("limit", "other limits"),
        ("date", "as of 2030-01-01 instead of 2025-03-31"),
    ],
)
def test_that_what_changed_in_a_pool_is_told(desk: Desk, what: str, words: str) -> None:
    book = desk.book(DEMO_DEAL)
    (told,) = differences(state_of(book), state_of(changed(book, what)))
    assert told.startswith(words)
    assert differences(state_of(book), state_of(book)) == ()


# --- ideas -----------------------------------------------------------------------------------------------------------


def put(desk: Desk, *rows: IdeaRow) -> StoredIdea:
    now = dt.datetime.now(dt.UTC)
    idea = StoredIdea("k", "Swap", rows, state_of(desk.book(DEMO_DEAL)), now, now, note="why", author="ann")
    (kept,) = desk.store.save_ideas(DEMO_DEAL, [idea])
    return kept


def test_that_ideas_are_listed_and_one_is_written_as_trades_that_compliance_reads(
    desk: Desk, workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asset = desk.book(DEMO_DEAL).deal.holdings[0].asset_id
    put(desk, IdeaRow("Sell", asset.lower(), "250k", "99.5", "2025-05-05"))
    deal = ("--deal", DEMO_DEAL)
    (idea,) = said(capsys, workspace, "ideas", *deal)["ideas"]
    assert (idea["idea"], idea["note"], idea["author"], idea["changed_since"]) == ("Swap", "why", "ann", [])
    file = tmp_path / "swap.csv"
    assert said(capsys, workspace, "ideas", *deal, "--idea", "swap", "--csv", str(file))["trades"] == 1
    assert file.read_text().splitlines()[1] == f"sell,{asset},250000.0,99.5,2025-05-05"
    again = said(capsys, workspace, "ideas", *deal, "--idea", "swap", "--csv", str(file), code=1)
    assert "--force" in again["error"]["message"]
    after = said(capsys, workspace, "compliance", *deal, "--trades", str(file))
    assert all("after" in test for test in after["tests"])
    assert said(capsys, workspace, "ideas", *deal, "--idea", "none", code=1)["error"]["code"] == "no-idea"


def test_that_an_idea_with_a_wrong_row_is_not_written(desk: Desk, tmp_path: Path) -> None:
    idea = put(desk, IdeaRow("Sell", "nobody knows this", "1m", "99"))
    with pytest.raises(Refused, match="Swap, row 1"):
        stored_ideas.write_csv(desk, DEMO_DEAL, idea, tmp_path / "swap.csv")
    assert not (tmp_path / "swap.csv").exists()
