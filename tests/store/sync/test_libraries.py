"""The libraries of scenarios of files and their server: nothing is lost, nothing asks, nothing comes twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clo_desktop.faults import Refused
from clo_desktop.store import Store, scenarios
from clo_desktop.store.sync import libraries
from tests.store.sync.conftest import Laptop

Made = Callable[[], Laptop]


def texts(store: Store, name: str) -> list[str]:
    """What the versions of a scenario say, the oldest first."""
    return [one.text for one in reversed(store.scenario_versions(name))]


def owned_by(store: Store, name: str, owner: str) -> None:
    """As if somebody else had saved it."""
    with store.writing() as on:
        scenarios.put(on, [replace(one, owner=owner) for one in scenarios.library(on)[name]])


@pytest.fixture
def theirs(place: str, as_owner: Callable[[str], None]) -> Callable[[Store, str], None]:
    """Makes a scenario of the server that of somebody else."""

    def give(server: Store, name: str) -> None:
        if "://" in place:
            as_owner(f"UPDATE clo.scenarios SET owner = 'bo@desk.example' WHERE name = '{name}'")
        else:
            owned_by(server, name, "bo@desk.example")

    return give


def test_that_scenarios_come_with_versions_tags_and_lock_and_those_made_here_are_sent(laptop: Made) -> None:
    mine, other = laptop(), laptop()
    me = mine.server.store.person
    mine.server.store.save_scenario("Base", "cdr: 1%", me, "first", ("house",))
    mine.server.store.save_scenario("Base", "cdr: 2%", me)
    mine.server.store.lock_scenario("Base", me)
    mine.store.save_scenario("Own", "cdr: 3%", mine.store.person, "mine", ("mine",))
    done = mine.syncing.exchange()
    assert (done.came, done.sent, done.apart, done.refused) == (("Base",), ("Own",), (), ())
    there, here = mine.server.store.scenarios(), mine.store.scenarios()
    assert [(s.name, s.owner, s.tags, s.locked_by, s.note) for s in here] == [
        (s.name, s.owner, s.tags, s.locked_by, s.note) for s in there
    ]
    assert {s.owner for s in here} == {me}, "what was made here is that of the person signed in"
    assert texts(mine.store, "Base") == ["cdr: 1%", "cdr: 2%"]
    assert mine.syncing.exchange().words == "", "the second time there is nothing to do"
    other.syncing.exchange()
    assert texts(other.store, "Own") == ["cdr: 3%"]


def test_that_versions_of_both_sides_are_joined_the_own_ones_the_newest(laptop: Made) -> None:
    mine = laptop()
    me = mine.server.store.person
    mine.server.store.save_scenario("Base", "a", me)
    mine.syncing.exchange()
    mine.server.store.save_scenario("Base", "theirs", me)
    mine.store.save_scenario("Base", "mine", mine.store.person)
    done = mine.syncing.exchange()
    assert (done.came, done.sent) == (("Base",), ("Base",))
    for store in (mine.store, mine.server.store):
        assert texts(store, "Base") == ["a", "theirs", "mine"]


def test_that_what_is_changed_of_another_s_scenario_becomes_one_s_own(
    laptop: Made, theirs: Callable[[Store, str], None]
) -> None:
    mine = laptop()
    server = mine.server.store
    server.save_scenario("Base", "a", server.person)
    theirs(server, "Base")
    mine.syncing.exchange()
    mine.store.save_scenario("Base", "mine", mine.store.person)
    done = mine.syncing.exchange()
    [(name, own)] = done.apart
    assert (name, own, done.sent) == ("Base", f"Base of {server.person.partition('@')[0]}", (own,))
    for store in (mine.store, server):
        assert (texts(store, "Base"), texts(store, own)) == (["a"], ["mine"])
    assert mine.syncing.exchange().words == ""


def test_that_a_scenario_that_cannot_be_sent_stays_and_is_named(laptop: Made) -> None:
    mine = laptop()
    server = mine.server.store
    server.save_scenario("Base", "a", server.person)
    mine.syncing.exchange()
    server.lock_scenario("Base", "somebody")
    mine.store.save_scenario("Base", "mine", mine.store.person)
    done = mine.syncing.exchange()
    assert [name for name, _ in done.refused] == ["Base"]
    assert "locked by somebody" in done.words
    assert texts(mine.store, "Base") == ["a", "mine"]
    server.unlock_scenario("Base", "somebody")
    assert mine.syncing.exchange().sent == ("Base",)


def test_that_what_was_fetched_stays_though_the_server_deletes_it_and_is_not_sent_back(laptop: Made) -> None:
    mine = laptop()
    mine.store.save_scenario("Own", "a", mine.store.person)
    server = mine.server.store
    mine.syncing.exchange()
    owned_by(mine.store, "Own", "me@desk.example")
    server.delete_scenario("Own")
    assert mine.syncing.exchange().words == ""
    assert texts(mine.store, "Own") == ["a"]
    assert server.scenarios() == ()


def test_that_a_version_another_program_saves_meanwhile_is_not_lost(
    laptop: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = laptop()
    server = mine.server.store
    server.save_scenario("Base", "a", server.person)
    mine.syncing.exchange()
    server.save_scenario("Base", "b", server.person)
    put = libraries._put

    def late(local: Store, was: libraries.Versions, versions: libraries.Versions) -> libraries.Versions:
        local.save_scenario("Base", "meanwhile", local.person)
        return put(local, was, versions)

    with monkeypatch.context() as patch:
        patch.setattr(libraries, "_put", late)
        with pytest.raises(Refused, match="synchronise again"):
            mine.syncing.exchange()
    mine.syncing.exchange()
    assert texts(mine.store, "Base") == texts(server, "Base") == ["a", "b", "meanwhile"]


def test_that_a_pull_sends_nothing(laptop: Made) -> None:
    mine = laptop()
    mine.store.save_scenario("Own", "a", mine.store.person)
    mine.syncing.exchange(push=False)
    assert mine.server.store.scenarios() == ()


def test_that_an_answer_that_is_lost_sends_no_version_twice(laptop: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = laptop()
    server = mine.server.store
    mine.store.save_scenario("Own", "a", mine.store.person)
    save = server.save_scenario

    def lost(*arguments: object, **more: object) -> int:
        save(*arguments, **more)  # type: ignore[arg-type]
        raise Refused("The server cannot be reached; try again.", code="no-server")

    with monkeypatch.context() as patch:
        patch.setattr(server, "save_scenario", lost)
        with pytest.raises(Refused):
            mine.syncing.exchange()
    mine.syncing.exchange()
    assert texts(server, "Own") == texts(mine.store, "Own") == ["a"]


def test_that_two_people_s_laptops_and_the_server_end_alike_and_no_text_is_lost(laptop: Made) -> None:
    """A step saves a further version on one of two laptops or on the server, or brings a laptop and the server
    together."""
    laptops = {"A": laptop(), "B": laptop()}
    server = laptops["A"].server.store
    numbers = count()

    @settings(max_examples=12)
    @given(st.lists(st.tuples(st.sampled_from("ABS"), st.sampled_from("xy")), max_size=8))
    def check(steps: list[tuple[str, str]]) -> None:
        name, said = f"Scenario {next(numbers)}", []
        for number, (who, what) in enumerate(steps):
            if who in laptops and what == "y":
                laptops[who].syncing.exchange()
                continue
            store = server if who == "S" else laptops[who].store
            said.append(f"{who}{number}")
            store.save_scenario(name, said[-1], store.person)
        for _ in range(2):
            for one in laptops.values():
                one.syncing.exchange()
        for store in (server, *(one.store for one in laptops.values())):
            assert sorted(texts(store, name)) == sorted(said)
            assert texts(store, name) == texts(server, name)

    check()
