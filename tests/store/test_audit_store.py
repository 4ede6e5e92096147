"""The audit of an open store, alike on a file and on a server."""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from clo_desktop.store import Store, migrate, open_store, schema
from clo_desktop.store.audit import seals, server
from clo_desktop.store.audit.lines import Wanted
from clo_desktop.store.connection import address, connect, reading
from engine import terms
from tests.store.any_book import large_book

BOOK = large_book("Harbor 2024-1", 5)


@pytest.fixture(params=["sqlite", "postgresql"])
def audited(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with an audit: a file, or a server's schema of the deals."""
    if request.param == "sqlite":
        where = str(tmp_path / "workspace.clo")
    else:
        name = request.getfixturevalue("database")
        where = request.getfixturevalue("cluster").address(name)
        administrator = connect(address(where), 5.0)
        with administrator.begin() as on:
            on.exec_driver_sql("CREATE SCHEMA clo; CREATE SCHEMA sec; SET search_path = clo")
            migrate.upgrade(on, name)
            server.make_roles(on)
            server.apply(on, others=("sec",))
        administrator.dispose()
    with open_store(where) as store:
        yield store


def par_of_first(book: terms.Book, par: float) -> terms.Book:
    first, *others = book.deal.holdings
    return replace(book, deal=replace(book.deal, holdings=(replace(first, par=par), *others)))


def pending(store: Store) -> int:
    """How many lines of a server wait for their seal, without sealing them."""
    with reading(store._engine) as on:
        return int(on.exec_driver_sql("SELECT pending FROM audit.state()").scalar_one())


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_that_every_row_of_an_import_and_each_changed_row_of_an_edit_has_one_line(audited: Store) -> None:
    audited.save(BOOK)
    with audited._engine.connect() as on:
        rows = sum(
            on.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in schema.metadata.tables.values()
        )
    assert audited.audit.count() == rows
    audited.save(par_of_first(BOOK, 7.5))
    added = audited.audit.lines(limit=audited.audit.count() - rows)
    assert {line.resource_type for line in added} == {"holdings", "deals"}
    [held] = [line for line in added if line.resource_type == "holdings"]
    assert (held.resource_id, held.before, held.after) == (
        "Harbor 2024-1 / LX000000",
        {"par": 1_000_000},
        {"par": 7.5},
    )
    verdict = audited.audit.verify()
    assert verdict.whole, verdict.breaches
    assert (verdict.rows, verdict.pending) == (rows, 0), "who verifies seals first"


def test_that_lines_are_found_by_person_deal_table_asset_field_and_time(audited: Store) -> None:
    audited.save(BOOK)
    audited.save(replace(BOOK, deal=replace(BOOK.deal, name="Other / 50 %")))
    audited.save(par_of_first(BOOK, 7.5))
    trail = audited.audit
    persons, deals, tables = trail.choices()
    assert len(persons) == 1
    assert deals == ("Harbor 2024-1", "Other / 50 %")
    assert {"assets", "deals", "holdings", "tranches"} <= set(tables)
    total = trail.count()
    assert trail.count(Wanted(user=persons[0])) == total
    assert trail.count(Wanted(user="nobody")) == 0
    assert trail.count(Wanted(deal="Harbor 2024-1")) + trail.count(Wanted(deal="Other / 50 %")) + 5 == total
    assert trail.count(Wanted(table="tranches")) == 12
    assert {line.resource_type for line in trail.lines(Wanted(asset="LX000000"))} == {
        "assets",
        "deal_assets",
        "holdings",
    }
    mine = Wanted(deal="Other / 50 %", asset="LX000000")
    assert [line.resource_id for line in trail.lines(replace(mine, table="holdings"))] == ["Other / 50 % / LX000000"]
    assert trail.count(replace(mine, deal="Other / 50 _")) == 1, "the asset's own row; a pattern is no name"
    par = trail.lines(Wanted(deal="Harbor 2024-1", asset="LX000000", field="par"))
    assert [line.after["par"] for line in par] == [7.5, 1_000_000]
    middle = par[0].timestamp
    assert trail.count(Wanted(since=middle)) + trail.count(Wanted(until=middle)) == total
    assert trail.count(Wanted(since=dt.datetime.now(dt.UTC) + dt.timedelta(days=1))) == 0


def test_that_closing_keeps_the_head_and_verifying_compares_with_it(audited: Store) -> None:
    audited.save(BOOK)
    audited.audit.carry()
    known = audited.audit.known()
    assert known is not None
    assert known.link == (audited.audit.verify().head or known).link
    audited.save(par_of_first(BOOK, 7.5))
    audited.audit.carry()
    later = audited.audit.known()
    assert later is not None
    assert later.pos > known.pos


@pytest.mark.parametrize("audited", ["postgresql"], indirect=True)
def test_that_a_seal_that_fails_is_logged_and_closing_makes_up_for_it(
    audited: Store, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(seals, "_SEAL", "SELECT * FROM audit.no_seal()")
        audited.save(BOOK)
        wait_for(lambda: "wait for the next seal" in caplog.text)
    assert "wait for the next seal: function audit.no_seal() does not exist" in caplog.text
    assert pending(audited) > 0
    audited.audit.carry()
    known = audited.audit.known()
    assert known is not None
    assert pending(audited) == 0
    assert known.link == (audited.audit.verify().head or known).link


@pytest.mark.parametrize("audited", ["postgresql"], indirect=True)
def test_that_commits_close_together_share_a_seal_that_nobody_waits_for(
    audited: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seals, "PAUSE", 60.0)
    audited.save(BOOK)
    audited.save(par_of_first(BOOK, 7.5))
    assert pending(audited) == audited.audit.count() > 0
    seals.now(audited._engine)
    assert pending(audited) == 0
    with reading(audited._engine) as on:
        assert on.exec_driver_sql("SELECT count(*) FROM audit.chain").scalar() == 1


def test_that_a_file_put_back_to_an_older_state_is_seen_until_it_is_trusted(tmp_path: Path) -> None:
    place, old = tmp_path / "workspace.clo", tmp_path / "old.clo"
    with open_store(place) as store:
        store.save(BOOK)
    shutil.copy(place, old)
    with open_store(place) as store:
        store.save(par_of_first(BOOK, 7.5))
    shutil.copy(old, place)
    open_store(place).close()  # does not overwrite the head that is known
    with open_store(place) as store:
        verdict = store.audit.verify()
        assert [b.kind for b in verdict.breaches] == ["anchor"]
        assert verdict.head is not None
        store.audit.trust(verdict.head)
        assert store.audit.verify().whole


def test_that_versions_and_tags_of_a_scenario_are_called_by_its_name_also_when_it_is_gone(audited: Store) -> None:
    audited.save_scenario("House", "cdr: 2%", "ann", "", ["ours"])
    audited.save_scenario("House", "cdr: 3%", "ann", "", [])
    audited.delete_scenario("House")
    for table, names in (("scenario_versions", {"House@1", "House@2"}), ("scenario_tags", {"House: ours"})):
        found = audited.audit.lines(Wanted(table=table))
        assert {line.what for line in found} == names
        assert {line.resource_id for line in found} != names  # what is signed stays as it was written
    left_out = ("scenario_versions", "scenario_tags")
    assert {line.resource_type for line in audited.audit.lines(Wanted(without=left_out))} == {"scenarios"}
