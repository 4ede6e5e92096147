"""Backups: made while others write, proved, rotated, restored; and migrations that fail at any step."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store import connection, migrate, open_store, schema
from clo_desktop.store.local import backups, driver
from clo_desktop.store.local.keys import Secret
from clo_desktop.store.local.manner import Manner
from clo_desktop.work import workspace
from tests.store.local.worlds import KEY, OTHER_KEY, refused, stamped, stamps

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(params=["plain", "encrypted"])
def secret(request: pytest.FixtureRequest) -> Secret | None:
    return KEY if request.param == "encrypted" else None


def key(secret: Secret | None) -> bytes | None:
    return secret.key if secret is not None else None


@pytest.fixture
def manner(secret: Secret | None) -> Manner:
    return Manner(secret=secret, encrypt=secret is not None)


def test_that_thirty_backups_under_load_are_whole(tmp_path: Path, manner: Manner, secret: Secret | None) -> None:
    file = tmp_path / "workspace.clo"
    stop, saved = threading.Event(), []
    with open_store(file, manner=manner) as store:
        store.save(stamped("Deal", 0, 30))

        def save() -> None:
            with open_store(file, manner=manner) as other:
                while not stop.is_set():
                    other.save(stamped("Deal", len(saved) + 1, 30))
                    saved.append(len(saved) + 1)

        writer = threading.Thread(target=save)
        writer.start()
        found: list[tuple[int, float, int]] = []
        try:
            for number in range(30):
                before, place = len(saved), tmp_path / f"{number}.clo"
                backups.copy_to(file, key(secret), place)
                with open_store(place, manner=manner) as copy:
                    (stamp,) = stamps(copy.load("Deal"))
                found.append((before, stamp, len(saved) + 1))
        finally:
            stop.set()
            writer.join()
    assert len(found) == 30
    assert all(before <= stamp <= after for before, stamp, after in found)
    assert len({stamp for _, stamp, _ in found}) > 5  # it was written meanwhile


def test_that_the_ten_newest_are_kept(tmp_path: Path, manner: Manner) -> None:
    with open_store(tmp_path / "workspace.clo", manner=manner) as store:
        made = [store.back_up().file.name for _ in range(13)]
    kept = [backup.file.name for backup in backups.listed(tmp_path / "workspace.clo")]
    assert kept == made[:-11:-1]
    assert sorted(p.name for p in backups.folder_of(tmp_path / "workspace.clo").iterdir()) == sorted(kept)


def test_that_the_day_s_first_opening_is_backed_up_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    daily = Manner(daily=True)
    open_store(file, manner=daily).close()
    assert backups.listed(file) == ()  # nothing was in it
    for _ in range(2):
        open_store(file, manner=daily).close()
    (only,) = backups.listed(file)
    assert only.why == "day"
    yesterday = (only.when - dt.timedelta(days=1)).strftime("%Y%m%dT%H%M%S")
    only.file.rename(only.file.with_name(f"{yesterday}Z-day.clo"))
    open_store(file, manner=daily).close()
    assert len(backups.listed(file)) == 2


def test_that_an_opening_does_not_fail_for_its_backup(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    open_store(file).close()
    backups.folder_of(file).write_text("in the way")
    with open_store(file, manner=Manner(daily=True)) as store:
        assert store.notice.startswith("No backup was made")
        with pytest.raises(Refused, match="No backup was made"):
            store.back_up()


def test_that_restoring_gives_equal_rows_and_sets_the_former_file_aside(
    tmp_path: Path, manner: Manner, secret: Secret | None
) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=manner) as store:
        store.save(stamped("Deal", 1))
        kept = store.back_up()
        store.save(stamped("Deal", 2))
        store.save(stamped("Another", 2))
    with driver.connected(kept.file, key(secret), reading=True) as raw:
        before = driver.tables(raw)
    done = workspace.restore(file, secret, kept.file)
    with driver.connected(file, key(secret), reading=True) as raw:
        assert driver.tables(raw) == before
    with open_store(file, manner=manner) as store:
        assert [d.name for d in store.deals()] == ["Deal"]
        assert stamps(store.load("Deal")) == {1.0}
    assert done.aside is not None
    with open_store(done.aside, manner=manner) as store:
        assert stamps(store.load("Deal")) == {2.0}


def test_that_the_newest_good_backup_is_found_and_restored_in_place_of_a_damaged_file(
    tmp_path: Path, manner: Manner, secret: Secret | None
) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=manner) as store:
        for stamp in (1, 2, 3):
            store.save(stamped("Deal", stamp))
            store.back_up()
    newest = backups.listed(file)[0].file
    for damaged in (newest, file):
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[:8192] + b"\xff" * 8192 + whole[16384:])
    assert refused(file, manner).code == "damaged"
    proved = workspace.proved(file, secret)
    assert [bool(p.fault) for p in proved] == [True, False, False]
    with pytest.raises(Refused, match="damaged; choose another backup"):
        workspace.restore(file, secret, newest)
    assert refused(file, manner).code == "damaged"  # it was left alone
    assert workspace.restore(file, secret).backup == proved[1].backup
    with open_store(file, manner=manner) as store:
        assert stamps(store.load("Deal")) == {2.0}


def test_that_a_backup_of_another_key_is_not_restored(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=Manner(secret=KEY, encrypt=True)) as store:
        store.back_up()
    before = file.read_bytes()
    for wrong in (OTHER_KEY, None):
        with pytest.raises(Refused, match="has no backup that opens"):
            workspace.restore(file, wrong)
    assert file.read_bytes() == before


def test_that_a_workspace_is_never_copied_as_a_file() -> None:
    copies = re.compile(r"shutil\.(copy|move)|copyfile|copytree|copy2|sendfile|copy_file_range|write_bytes")
    own = ROOT / "clo_desktop"
    folders = [p for name in ("store", "cli", "dialogs") for p in (own / name).rglob("*.py")]
    sources = [
        *folders,
        *own.glob("*.py"),
        *(own / "work" / f"{n}.py" for n in ("workspace", "keeper", "session", "desk")),
    ]
    assert len(sources) > 50
    found = [f"{p.name}: {line}" for p in sources for line in p.read_text().splitlines() if copies.search(line)]
    assert found == []


# -- migrations -------------------------------------------------------------------------------------------------------

_NEXT = f'''
from alembic import op
import sqlalchemy as sa
revision = "9000"
down_revision = "{schema.HEAD}"

def upgrade():
    op.add_column("deals", sa.Column("colour", sa.Text()))
    op.execute("UPDATE deals SET colour = 'blue'")
    op.create_table("colours", sa.Column("name", sa.Text(), primary_key=True))
    op.execute("INSERT INTO colours SELECT DISTINCT colour FROM deals")
    op.create_index("ix_colours", "colours", ["name"])
    op.execute("DELETE FROM imports")
'''


_TEARING = """
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("UPDATE holdings SET asset_id = 'nobody'  WHERE rowid = (SELECT min(rowid) FROM holdings)")
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application has one migration more than the file."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.FOLDER, folder)
    (folder / "versions" / "9000_colours.py").write_text(_NEXT)
    monkeypatch.setattr(migrate, "FOLDER", folder)
    for module in (migrate, connection):
        monkeypatch.setattr(module, "HEAD", "9000")


@pytest.fixture
def stocked_file(tmp_path: Path, manner: Manner) -> Path:
    """A file with a deal, of the format before."""
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=manner) as store:
        store.save(stamped("Deal", 1, 20))
    return file


@pytest.fixture
def failing() -> Iterator[Callable[[int], None]]:
    """Has the n-th statement of a writing transaction fail, counted from its BEGIN."""
    limit, seen = [10**9], [0]

    def count(_on: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen[0] = 0 if statement == "BEGIN IMMEDIATE" else seen[0] + 1
        if seen[0] >= limit[0]:
            limit[0] = 10**9
            raise RuntimeError("power cut")

    sa.event.listen(sa.Engine, "before_cursor_execute", count)

    def fail_at(number: int) -> None:
        limit[0] = number
        seen[0] = -(10**9)

    yield fail_at
    sa.event.remove(sa.Engine, "before_cursor_execute", count)


def test_that_a_migration_is_backed_up_first(
    stocked_file: Path, manner: Manner, secret: Secret | None, next_version: None
) -> None:
    with open_store(stocked_file, manner=manner) as store, store._engine.connect() as on:
        assert on.execute(sa.text("SELECT name FROM colours")).scalar() == "blue"
        assert on.execute(sa.text("PRAGMA user_version")).scalar() == 9000
    (only,) = backups.listed(stocked_file)
    assert only.why == "migration"
    with driver.connected(only.file, key(secret), reading=True) as raw:
        assert driver.value(raw, "SELECT version_num FROM alembic_version") == schema.HEAD
        assert "colours" not in driver.tables(raw)


def test_that_a_migration_that_fails_at_any_step_leaves_the_file_as_it_was(
    stocked_file: Path, manner: Manner, secret: Secret | None, next_version: None, failing: Callable[[int], None]
) -> None:
    before, steps = stocked_file.read_bytes(), 0
    for step in range(1, 100):
        failing(step)
        try:
            open_store(stocked_file, manner=manner).close()
        except RuntimeError:
            steps += 1
        else:
            failing(10**9)
            break
        assert stocked_file.read_bytes() == before
        assert not stocked_file.with_name("workspace.clo-wal").exists()
        newest = backups.listed(stocked_file)[0]
        with (
            driver.connected(newest.file, key(secret), reading=True) as kept,
            driver.connected(stocked_file, key(secret), reading=True) as now,
        ):
            assert rows(kept) == rows(now)
    assert steps > 10
    with open_store(stocked_file, manner=manner) as store:
        assert stamps(store.load("Deal")) == {1.0}
        with store._engine.connect() as on:
            assert on.execute(sa.text("SELECT name FROM colours")).scalar() == "blue"
    assert len(backups.listed(stocked_file)) <= backups.KEPT


def rows(raw: driver.Raw) -> dict[str, list[Any]]:
    return {name: raw.execute(f'SELECT * FROM "{name}"').fetchall() for name in driver.tables(raw)}


def test_that_a_migration_which_tears_rows_apart_is_undone(
    stocked_file: Path, manner: Manner, next_version: None
) -> None:
    revision = migrate.FOLDER / "versions" / "9000_colours.py"
    revision.write_text(_NEXT + _TEARING)
    before = stocked_file.read_bytes()
    assert refused(stocked_file, manner).code == "migration"
    assert stocked_file.read_bytes() == before


def test_that_no_migration_happens_without_a_backup(stocked_file: Path, manner: Manner, next_version: None) -> None:
    backups.folder_of(stocked_file).write_text("in the way")
    before = stocked_file.read_bytes()
    assert "No backup was made" in refused(stocked_file, manner).message
    assert stocked_file.read_bytes() == before


def test_that_an_older_file_that_may_only_be_read_says_so(
    stocked_file: Path, manner: Manner, next_version: None
) -> None:
    from dataclasses import replace

    said = refused(stocked_file, replace(manner, reading=True))
    assert said.code == "read-only"
    assert "is of an older format" in said.message
