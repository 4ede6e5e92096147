"""`clo sync`: the offline copies on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clo_desktop.cli import main
from clo_desktop.store import Store, open_store
from engine.terms import Book, Deal, Tranche
from tests.store.postgres import ADMIN, PASSWORD, Server

BASE = Book(Deal("Deal", tranches=(Tranche("A", 100.0, 100.0),)))
Clo = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def address(cluster: Server, served: str) -> str:
    found = cluster.address(served, ADMIN, PASSWORD)
    with open_store(found) as store:
        store.save(BASE)
        store.save(replace(BASE, deal=replace(BASE.deal, name="Other")))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "laptop.clo"


@pytest.fixture
def clo(file: Path, capsys: pytest.CaptureFixture[str]) -> Clo:
    """Runs `clo sync ...`: exit code, JSON, what stands on stderr."""

    def run(*arguments: str) -> tuple[int, Any, str]:
        code = main(["sync", *arguments, "--db", str(file), "--json"])
        said = capsys.readouterr()
        return code, json.loads(said.out), said.err

    return run


def spread(where: str | Path, value: float) -> None:
    with open_store(where) as store:
        book = store.load("Deal")
        tranche = replace(book.deal.tranches[0], spread=value)
        store.edit(book, replace(book, deal=replace(book.deal, tranches=(tranche,))))


def spread_of(store: Store) -> float | None:
    return store.load("Deal").deal.tranches[0].spread


def test_that_a_deal_is_pulled_changed_and_pushed(clo: Clo, address: str, file: Path) -> None:
    code, data, _ = clo("pull", "--all", "--server", address)
    assert (code, [copied["deal"] for copied in data["deals"]]) == (0, ["Deal", "Other"])
    spread(file, 0.01)
    code, data, _ = clo("status")
    assert (code, data["waiting"]) == (0, 1)
    [change] = data["copies"][0]["waiting"]
    assert (change["state"], change["rows"]) == ("waiting", {"tranches": 1})
    assert PASSWORD not in json.dumps(data)
    code, data, _ = clo("push", "--all", "--server", address)
    assert (code, [outcome["sent"] for outcome in data["deals"]]) == (0, [1, 0])
    assert clo("status")[1]["waiting"] == 0
    with open_store(address) as store:
        assert spread_of(store) == 0.01


def test_that_scenarios_come_with_a_pull_and_go_with_a_push(clo: Clo, address: str, file: Path) -> None:
    with open_store(address) as store:
        store.save_scenario("House", "cdr: 2%", store.person)
    _, data, _ = clo("pull", "--deal", "Deal", "--server", address)
    assert data["scenarios"] == {"came": ["House"], "sent": [], "apart": [], "refused": []}
    with open_store(file) as local:
        local.save_scenario("Own", "cdr: 4%", local.person)
    _, data, _ = clo("push", "--all", "--server", address)
    assert data["scenarios"]["sent"] == ["Own"]
    with open_store(address) as store:
        assert [one.name for one in store.scenarios()] == ["House", "Own"]


@pytest.mark.parametrize(("keep", "kept"), [("mine", 0.01), ("theirs", 0.05)])
def test_that_a_clash_is_shown_and_waits_for_keep(clo: Clo, address: str, file: Path, keep: str, kept: float) -> None:
    clo("pull", "--deal", "Deal", "--server", address)
    spread(file, 0.01)
    spread(address, 0.05)
    code, data, said = clo("push", "--deal", "Deal", "--server", address)
    [outcome] = data["deals"]
    assert (code, outcome["waiting"]) == (1, 1)
    assert outcome["clashes"] == [{"cell": "tranches · A · spread", "base": None, "mine": 0.01, "theirs": 0.05}]
    assert "--keep mine or --keep theirs" in said
    code, data, _ = clo("push", "--deal", "Deal", "--server", address, "--keep", keep)
    [outcome] = data["deals"]
    assert (code, outcome["waiting"]) == (0, 0)
    for where in (address, file):
        with open_store(where) as store:
            assert spread_of(store) == kept


def test_that_changes_that_were_not_sent_can_be_dropped(clo: Clo, address: str, file: Path) -> None:
    clo("pull", "--deal", "Deal", "--server", address)
    spread(file, 0.01)
    assert clo("drop", "--deal", "Deal")[1] == {"deal": "Deal", "dropped": 1}
    with open_store(file) as store:
        assert spread_of(store) is None


def test_that_a_server_that_is_away_leaves_everything_waiting(clo: Clo, address: str, file: Path) -> None:
    clo("pull", "--deal", "Deal", "--server", address)
    spread(file, 0.01)
    code, data, said = clo("push", "--all", "--server", f"postgresql://me:{PASSWORD}@localhost:1/away?sslmode=require")
    assert (code, data["error"]["code"]) == (1, "no-server")
    assert len(said.splitlines()) == 1
    assert PASSWORD not in said
    assert clo("status")[1]["waiting"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pull", "--all"], "needs --server"),
        (["pull", "--server", "x://y"], "Name the server and yourself"),
        (["drop"], "needs --deal NAME"),
    ],
)
def test_that_what_is_missing_is_said(clo: Clo, file: Path, arguments: list[str], sentence: str) -> None:
    open_store(file).close()
    code, _, said = clo(*arguments)
    assert code == 1
    assert sentence in said


def test_that_a_first_pull_and_a_clash_are_told_in_words(
    clo: Clo, address: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--db", str(file), "--deal", "Deal", "--server", address]
    assert main(["sync", "pull", *words]) == 0
    assert capsys.readouterr().out == "Deal: copied.\n"
    spread(file, 0.01)
    spread(address, 0.05)
    assert main(["sync", "push", *words]) == 1
    assert "base –, mine 0.01, theirs 0.05" in capsys.readouterr().err


def test_that_the_password_may_stand_in_a_variable(
    clo: Clo, address: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    bare = address.replace(f":{PASSWORD}@", "@")
    assert PASSWORD not in bare
    assert clo("pull", "--deal", "Deal", "--server", bare)[0] == 0
    assert main(["users", "list", "--db", bare]) == 0


def test_that_a_refused_pull_leaves_no_file_behind(clo: Clo, address: str, file: Path) -> None:
    code, _, said = clo("pull", "--deal", "Nope", "--server", address)
    assert code == 1
    assert 'There is no deal "Nope" on the server' in said
    assert not list(file.parent.iterdir())
