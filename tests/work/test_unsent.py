"""Edits that a server could not be told of wait in a file; here an SQLite file is the server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.local import vault
from clo_desktop.store.merge import Clashing, Side
from clo_desktop.work import desk as desks
from clo_desktop.work.desk import Desk
from engine.asset import Asset
from engine.terms import Book, Deal, Holding
from tests.store.local.worlds import MemoryKeyring

BOOK = Book(
    Deal("Deal", holdings=(Holding("LX1", 5.0), Holding("LX2", 5.0))),
    {name: Asset(asset_id=name, issue_name="Loan", market_value=99.0) for name in ("LX1", "LX2")},
)


@pytest.fixture(autouse=True)
def any_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    """The deal here has no terms to be tested."""
    monkeypatch.setattr(desks.study, "comply", lambda *_: None)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "server.clo")
    made.store.save(BOOK)
    made.keep_unsent(tmp_path / "unsent")
    yield made
    made.close()


def cut(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """No edit reaches the server any more."""

    def fail(*_: object) -> Book:
        raise Refused("The server cannot be reached.", code="no-server")

    monkeypatch.setattr(desk.store, "edit", fail)


def priced(book: Book, asset: str, value: float) -> Book:
    return replace(book, assets={**book.assets, asset: replace(book.assets[asset], market_value=value)})


def edit(desk: Desk, asset: str, value: float) -> Book:
    book = desk.book("Deal")
    return desk.edit(book, priced(book, asset, value))


def waiting(desk: Desk) -> tuple[int, bool]:
    assert desk.unsent is not None
    return desk.unsent.waiting, desk.unsent.away


def test_that_a_server_that_answers_is_told_and_no_file_is_made(desk: Desk, tmp_path: Path) -> None:
    edit(desk, "LX1", 91.0)
    assert waiting(desk) == (0, False)
    assert desk.store.load("Deal").assets["LX1"].market_value == 91.0
    assert not (tmp_path / "unsent").exists()


def test_that_edits_wait_are_read_as_made_and_sent_in_their_order(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as away:
        cut(desk, away)
        edit(desk, "LX1", 91.0)
        edit(desk, "LX2", 92.0)
        edit(desk, "LX1", 93.0)
    assert waiting(desk) == (3, True)
    assert desk.fresh("Deal").assets["LX1"].market_value == 93.0
    assert desk.store.load("Deal") == BOOK
    with open_store(tmp_path / "server.clo") as other:
        other.edit(BOOK, replace(BOOK, deal=replace(BOOK.deal, holdings=(Holding("LX1", 7.0), Holding("LX2", 5.0)))))
    [outcome] = desk.send_unsent()
    assert (outcome.sent, outcome.waiting, outcome.pulled) == (
        1,
        0,
        True,
    )  # on what others did, all that waited is one change
    stored = desk.fresh("Deal")
    assert [stored.assets[name].market_value for name in ("LX1", "LX2")] == [93.0, 92.0]
    assert stored.deal.holdings[0].par == 7.0
    assert stored == desk.store.load("Deal")


def test_that_a_refusal_that_is_no_absence_is_no_edit_that_waits(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> Book:
        raise Refused("You may not change Deal.", code="rights")

    monkeypatch.setattr(desk.store, "edit", refuse)
    with pytest.raises(Refused, match="may not change"):
        edit(desk, "LX1", 91.0)
    assert waiting(desk) == (0, False)


def test_that_a_clash_waits_until_a_side_is_chosen(desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with monkeypatch.context() as away:
        cut(desk, away)
        edit(desk, "LX1", 91.0)
    with open_store(tmp_path / "server.clo") as other:
        other.edit(BOOK, priced(BOOK, "LX1", 80.0))
    [outcome] = desk.send_unsent()
    assert isinstance(outcome.clashing, Clashing)
    assert waiting(desk)[0] == 1
    assert desk.book("Deal").assets["LX1"].market_value == 91.0
    [clash] = outcome.clashing.clashes
    [outcome] = desk.send_unsent(["Deal"], {clash.place: Side.THEIRS})
    assert outcome.waiting == waiting(desk)[0] == 0
    assert desk.book("Deal").assets["LX1"].market_value == 80.0


def test_that_edits_that_are_dropped_leave_the_deal_as_the_server_has_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        cut(desk, away)
        edit(desk, "LX1", 91.0)
    assert desk.drop_unsent("Deal") == 1
    assert waiting(desk)[0] == 0
    assert desk.book("Deal") == BOOK


def test_that_the_file_is_encrypted_where_a_keyring_keeps_its_key_and_one_that_does_not_open_is_passed_over(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keyring = MemoryKeyring()
    monkeypatch.setattr(vault, "system_keyring", lambda: keyring)
    cut(desk, monkeypatch)
    edit(desk, "LX1", 91.0)
    assert b"LX1" not in b"".join(file.read_bytes() for file in (tmp_path / "unsent").glob("*.clo*"))
    desk.close()
    keyring.kept.clear()
    again = Desk(tmp_path / "server.clo")
    with pytest.raises(Refused, match="keyring of this computer has no key"):
        again.keep_unsent(tmp_path / "unsent")
    cut(again, monkeypatch)
    edit(again, "LX2", 92.0)  # into another file: an edit is never refused for what cannot be read
    assert waiting(again)[0] == 1
    assert len(list((tmp_path / "unsent").glob("*.clo"))) == 2
    again.close()


def test_that_an_edit_that_can_be_kept_nowhere_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "unsent").write_text("no folder")
    cut(desk, monkeypatch)
    with pytest.raises(Refused, match="choose a folder you may write to"):
        edit(desk, "LX1", 91.0)
    assert desk.book("Deal") == BOOK
