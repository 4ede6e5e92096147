"""The library of scenarios in the store: versions, locks, tags; on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import Store, open_store


def people(store: Store) -> tuple[str, str, str]:
    """Three who work with a file; on a server a person is who is signed in, and nobody else."""
    on_server = store.file is None
    return (store.person,) * 3 if on_server else ("ann", "ben", "cid")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "workspace.clo") as store:
        yield store


def test_that_every_save_is_a_version_and_old_ones_stay(store: Store) -> None:
    ann, ben, _ = people(store)
    assert store.save_scenario("Base", "cdr: 2%", ann, "first", ("house",)) == 1
    assert store.save_scenario("base", "cdr: 3%", ben, "higher", ("2026",)) == 2
    (only,) = store.scenarios()
    assert (only.name, only.owner, only.version, only.text, only.saved_by) == ("Base", ann, 2, "cdr: 3%", ben)
    assert only.tags == ("2026", "house")
    newest, first = store.scenario_versions("BASE")
    assert (newest.version, first.version, first.text, first.note, first.versions) == (2, 1, "cdr: 2%", "first", 2)
    assert first.saved_at <= newest.saved_at
    assert store.scenario_versions("other") == ()


def test_that_a_locked_scenario_is_not_changed_and_says_by_whom(local: Store) -> None:
    store = local
    store.save_scenario("Base", "cdr: 2%", "ann")
    store.lock_scenario("Base", "ben")
    before = store.scenarios()
    assert before[0].locked_by == "ben"
    for change in (
        lambda: store.save_scenario("Base", "cdr: 9%", "cid"),
        lambda: store.tag_scenario("Base", ("x",)),
        lambda: store.delete_scenario("Base"),
        lambda: store.lock_scenario("Base", "cid"),
    ):
        with pytest.raises(Refused, match=r"locked by ben since .* UTC; unlock it first"):
            change()
    with pytest.raises(Refused, match="ask ben to unlock it, or save a copy"):
        store.unlock_scenario("Base", "cid")
    assert store.scenarios() == before
    store.unlock_scenario("Base", "ann")  # the owner may
    assert store.save_scenario("Base", "cdr: 9%", "cid") == 2


def test_that_tags_are_those_given_last_and_deleting_takes_everything(store: Store) -> None:
    ann, _, _ = people(store)
    store.save_scenario("Base", "cdr: 2%", ann, tags=("a", "b"))
    store.tag_scenario("base", ("b", "c"))
    assert store.scenarios()[0].tags == ("b", "c")
    store.delete_scenario("base")
    assert store.scenarios() == ()
    with pytest.raises(Refused, match="There is no scenario Base"):
        store.delete_scenario("Base")
    assert store.save_scenario("Base", "cdr: 2%", ann) == 1


def test_that_what_was_saved_is_there_when_the_store_is_opened_again(opened: Callable[[], Store]) -> None:
    store = opened()
    store.save_scenario("Maturity wall", "title: “Grüße”\ncdr: 2%\n", people(store)[0])
    assert opened().scenarios()[0].text == "title: “Grüße”\ncdr: 2%\n"
