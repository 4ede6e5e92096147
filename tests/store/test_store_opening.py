"""Opening, migrating and refusing databases."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from clo_desktop.faults import Refused
from clo_desktop.store import Store, migrate, open_store, schema
from clo_desktop.store.connection import address, connect, let_go, mark, writing
from clo_desktop.store.migrate import FOLDER
from clo_desktop.store.refusals import refusal
from clo_desktop.store.sync.tables import metadata as of_files
from engine.terms import Book, Deal
from tests.store.any_book import large_book

COMPARED = {
    "compare_type": True,
    "compare_server_default": True,
    "include_name": lambda name, kind, parents: kind != "table" or name not in ("audit_logs", "audit_trail"),
}
"""How the database is compared with the declared tables: those of the audit are no data of the store."""


def test_that_the_migrated_schema_is_the_one_the_code_declares(store: Store) -> None:
    with store._engine.connect() as on:
        context = MigrationContext.configure(on, opts=COMPARED)
        declared = [schema.metadata, *([of_files] if on.dialect.name == "sqlite" else [])]
        assert compare_metadata(context, declared) == []
        found = {t: {fk["name"] for fk in sa.inspect(on).get_foreign_keys(t)} for t in schema.metadata.tables}
        keys = {t: sa.inspect(on).get_pk_constraint(t) for t in schema.metadata.tables}
    for name, table in schema.metadata.tables.items():
        assert found[name] == {fk.name for fk in table.foreign_key_constraints}
        if not (store._engine.dialect.name == "sqlite" and table.dialect_options["sqlite"]["autoincrement"]):
            assert keys[name]["name"] == f"pk_{name}"  # SQLite has no name for a key that counts by itself
        assert keys[name]["constrained_columns"] == [c.name for c in table.primary_key]


def test_that_the_newest_migration_is_the_format_the_code_names() -> None:
    assert ScriptDirectory(str(FOLDER)).get_heads() == [schema.HEAD]


def test_that_a_failed_migration_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "workspace.clo"

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            open_store(file)
    with sqlite3.connect(file) as raw:
        assert raw.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
        assert raw.execute("PRAGMA application_id").fetchone() == (0,)
    with open_store(file) as store:
        store.save(large_book("Deal", 2))
        assert store.load("Deal") == large_book("Deal", 2)


def test_that_a_database_of_a_newer_application_is_refused_untouched(
    opened: Callable[[], Store], as_owner: Callable[[str], None]
) -> None:
    first = opened()
    as_owner("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(Refused, match=r"newer CLO Desktop \(its format is 9999.*update the application") as refused:
        opened()
    assert refused.value.code == "newer"
    with first._engine.connect() as on:
        assert on.execute(sa.text("SELECT version_num FROM alembic_version")).scalar() == "9999"


def test_that_two_who_save_the_same_deal_at_once_lose_nothing(place: str, opened: Callable[[], Store]) -> None:
    opened()
    stores = [open_store(place, patience=10.0) for _ in range(2)]
    refused: list[Refused] = []

    def save_often(store: Store, size: int) -> None:
        for i in range(10):
            book = large_book("Deal", size)
            try:  # each its own index, so that no save is the same as what is stored
                store.save(replace(book, deal=replace(book.deal, current_index=float(10 * size + i))))
            except Refused as reason:  # a server may say that the other was faster
                refused.append(reason)

    threads = [threading.Thread(target=save_often, args=(s, 3 + i)) for i, s in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with stores[0]._engine.connect() as on:
        version = on.execute(sa.select(schema.deals.c.version)).scalar_one()
    assert version == 20 - len(refused)
    assert len(stores[0].load("Deal").assets) in (3, 4)
    if "://" not in place:
        assert refused == []
    for store in stores:
        store.close()


def test_that_the_file_is_settled_for_safety(tmp_path: Path) -> None:
    with open_store(tmp_path / "deep" / "er" / "workspace.clo") as store, store._engine.connect() as on:
        found = {
            name: on.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "trusted_schema")
        }
        ours = on.exec_driver_sql("PRAGMA application_id").scalar()
    assert found == {
        "journal_mode": "wal",
        "synchronous": 2,  # FULL
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "trusted_schema": 1,
    }
    assert ours == int.from_bytes(b"CLOD")


def test_that_a_path_and_an_address_name_the_same_file(tmp_path: Path) -> None:
    file = tmp_path / "with space % and é.clo"
    with open_store(file) as store:
        store.save(Book(Deal("Deal")))
        assert store.name == str(file)
    with open_store(str(file)) as store:
        assert [d.name for d in store.deals()] == ["Deal"]
    url = sa.URL.create("sqlite", database=str(file)).render_as_string()
    with open_store(url) as store:
        assert [d.name for d in store.deals()] == ["Deal"]


def refuse(where: str | Path) -> Refused:
    with pytest.raises(Refused) as refused:
        open_store(where, patience=0.05)
    return refused.value


def test_that_a_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("these are notes, not deals")
    assert "is not a workspace of CLO Desktop; choose another file" in refuse(file).message
    assert file.read_text() == "these are notes, not deals"


def test_that_a_database_of_another_application_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    with sqlite3.connect(file) as raw:
        raw.execute("CREATE TABLE photos (id INTEGER)")
    raw.close()
    before = file.read_bytes()
    assert "is a database of another application; choose another file" in refuse(file).message
    assert file.read_bytes() == before


def test_that_an_empty_file_becomes_a_workspace(tmp_path: Path) -> None:
    file = tmp_path / "new.clo"
    file.touch()
    with open_store(file) as store:
        assert store.deals() == ()


def test_that_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file) as store:
        store.save(large_book("Deal", 300))
    whole = file.read_bytes()
    file.write_bytes(whole[:8192] + b"\xff" * 4096 + whole[12288:])
    assert refuse(file).message == f"{file} is damaged; `clo restore` puts a backup in its place."
    file.write_bytes(whole[: len(whole) // 2])
    assert refuse(file).code == "damaged"


def test_that_folders_which_cannot_hold_the_file_are_refused(tmp_path: Path) -> None:
    assert "is a folder; name a file in it" in refuse(tmp_path).message
    file = tmp_path / "file"
    file.write_text("in the way")
    assert "choose a folder you may write to" in refuse(file / "workspace.clo").message


def test_that_a_locked_database_is_refused_until_it_is_free(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    assert "is in use by another program; close that program or wait" in refuse(file).message
    other.execute("ROLLBACK")
    with open_store(file, patience=0.05) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Refused, match="in use by another program"):
            store.save(Book(Deal("Deal")))
        assert store.deals() == ()  # readers are not stopped by a writer
        other.execute("ROLLBACK")
        store.save(Book(Deal("Deal")))
    other.close()


def test_that_a_file_that_may_only_be_read_is_refused_on_saving(tmp_path: Path) -> None:
    with open_store(tmp_path / "workspace.clo") as store:
        sa.event.listen(store._engine, "checkout", lambda raw, *_: raw.execute("PRAGMA query_only = ON"))
        with pytest.raises(Refused, match="cannot be written; ask for the right to write there"):
            store.save(Book(Deal("Deal")))


def test_that_a_full_disk_is_refused_and_keeps_what_was_saved(tmp_path: Path) -> None:
    with open_store(tmp_path / "workspace.clo") as store:
        store.save(large_book("Deal", 3))
        sa.event.listen(store._engine, "checkout", lambda raw, *_: raw.execute("PRAGMA max_page_count = 1").fetchall())
        with pytest.raises(Refused, match="is full or was removed; nothing of this change was saved"):
            store.save(large_book("Deal", 3000))
        assert store.load("Deal") == large_book("Deal", 3)


@pytest.mark.parametrize("where", ["nonsense://host/name", "mysql+nonsense://host/name", "://"])
def test_that_an_address_nobody_understands_is_refused(where: str) -> None:
    assert "PostgreSQL" in refuse(where).message or "postgresql" in refuse(where).message


def test_that_a_server_out_of_reach_is_refused_without_its_password() -> None:
    message = refuse("postgresql://me:secret@127.0.0.1:1/clo?connect_timeout=2").message
    assert message.startswith("postgresql://me@127.0.0.1:1/clo cannot be reached; check the address")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("attempt to write a readonly database", "folder"),
        ("disk I/O error", "disk-full"),
        ('connection failed: FATAL:  database "nope" does not exist', "no-database"),
        ('connection to "h" failed: database "x" is starting up', "no-server"),
        ("could not serialize access due to concurrent update", "conflict"),
        ('FATAL:  password authentication failed for user "me"', "sign-in"),
        ("server closed the connection unexpectedly", "no-server"),
        ("something unheard of\nwith details", "database"),
        ("", "database"),
    ],
)
def test_that_what_a_database_says_becomes_a_sentence_with_a_remedy(said: str, code: str) -> None:
    refused = refusal(sqlite3.OperationalError(said), "workspace.clo")
    assert refused.code == code
    assert "workspace.clo" in refused.message
    assert "\n" not in refused.message
    assert any(mark in refused.message for mark in (";", ":"))


def test_that_a_workspace_of_the_first_format_keeps_its_deal(tmp_path: Path) -> None:
    place = tmp_path / "workspace.clo"
    engine = connect(address(place), 1.0)
    with writing(engine) as on:
        mark(on)
        command.upgrade(migrate._config(on), "0001")
        for statement in FIRST_FORMAT:
            on.exec_driver_sql(statement)
    let_go(engine)
    with open_store(place) as store:
        book = store.load("Old")
        assert [(h.asset_id, h.par) for h in book.deal.holdings] == [("B", 2.5), ("A", 1.5)]
        assert book.deal.dates == (("Closing Date", dt.date(2012, 1, 1)), ("Remark", "none"))
        assert book.deal.clo_inputs == (("Trustee", 7.0),)
        assert book.reference.vectors == (("ramp", (0.1 + 0.2, None, 1 / 3)), ("none", ()))
        assert (store.snapshots("Old"), store.ideas("Old"), store.scenarios()) == ((), (), ())
        written = store.version("Old")
        store.save(book)
        assert store.version("Old") == written  # ranks of old positions are as a save would make them


FIRST_FORMAT = (
    "INSERT INTO assets (asset_id, wal) VALUES ('A', 1.25), ('B', NULL)",
    "INSERT INTO deals VALUES (7, 'Old', 'EUR', NULL, 0.01, 3, '2026-11-24 10:00:00')",
    "INSERT INTO deal_assets VALUES (7, 0, 'A'), (7, 1, 'B')",
    "INSERT INTO holdings VALUES (7, 0, 'B', 2.5), (7, 1, 'A', 1.5)",
    "INSERT INTO labelled_values (deal_id, block, position, label, date, text, number) VALUES "
    "(7, 'clo_inputs', 0, 'Trustee', NULL, NULL, 7.0), (7, 'dates', 0, 'Closing Date', '2012-01-01', NULL, NULL), "
    "(7, 'dates', 1, 'Remark', NULL, 'none', NULL)",
    "INSERT INTO vectors VALUES (7, 0, 'ramp'), (7, 1, 'none')",
    f"INSERT INTO vector_entries VALUES (7, 0, 0, {0.1 + 0.2!r}), (7, 0, 1, NULL), (7, 0, 2, {1 / 3!r})",
)
