"""What is checked before a workspace is opened, each with its sentence, and nothing changed by a refusal."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from clo_desktop.faults import Refused
from clo_desktop.store import open_store
from clo_desktop.store.local import backups, driver, holder, places
from clo_desktop.store.local.header import read_header
from clo_desktop.store.local.manner import Manner
from engine.terms import Book, Deal
from tests.store.local.worlds import KEY, around, encrypted, in_child, posix, refused, stamped, stamps

ALONE = Manner(alone=True)


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that other users may enter, which the folders of the tests are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def as_nobody() -> None:
    """Give up the rights of the administrator, for whom no file is protected."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)


@pytest.mark.parametrize("name", ["notes.txt", "picture.png", "noise"])
def test_that_a_foreign_file_is_refused_unopened(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    noise = random.Random(1)
    file.write_bytes(
        {"notes.txt": b"notes" * 2000, "picture.png": b"\x89PNG\r\n" + bytes(9000)}.get(name) or noise.randbytes(9000)
    )
    before = around(file)
    assert refused(file).code == ("no-key" if name == "noise" else "no-workspace")
    assert around(file) == before


def test_that_a_database_of_another_application_is_refused_unopened(tmp_path: Path) -> None:
    file = tmp_path / "photos.db"
    with sqlite3.connect(file) as raw:
        raw.execute("PRAGMA application_id = 77")
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("CREATE TABLE deals (id INTEGER)")
    raw.close()
    before = around(file)
    assert "is a database of another application" in refused(file).message
    assert around(file) == before


@pytest.mark.parametrize("is_encrypted", [False, True])
def test_that_a_newer_file_is_refused_unopened(tmp_path: Path, is_encrypted: bool) -> None:
    file = tmp_path / "workspace.clo"
    secret = KEY if is_encrypted else None
    open_store(file, manner=Manner(secret=secret, encrypt=is_encrypted)).close()
    with driver.connected(file, secret.key if secret else None) as raw:
        raw.execute("PRAGMA user_version = 9998")
    before = around(file)
    assert list(before) == ["workspace.clo"]
    said = refused(file, Manner(secret=secret, alone=True))
    assert said.code == "newer"
    assert "its format is 9998" in said.message
    assert "update the application" in said.message
    assert around(file) == before


def test_that_an_empty_file_which_has_backups_is_damaged_and_not_new(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file) as store:
        store.back_up()
    file.write_bytes(b"")
    assert refused(file).code == "damaged"
    assert file.read_bytes() == b""


# -- who writes ---------------------------------------------------------------------------------------------------


@posix
def test_that_a_second_process_is_told_who_writes_and_may_read(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=ALONE) as store:
        store.save(stamped("Deal", 1, 3))

        def second() -> tuple[str, set[float], str]:
            with open_store(file, manner=ALONE) as other:
                assert other.file is not None
                try:
                    other.save(Book(Deal("Another")))
                    said = "saved"
                except Refused as reason:
                    said = reason.message
                return other.file.reading_only, stamps(other.load("Deal")), said

        reason, found, said = in_child(second)
        assert "open for writing by" in reason
        assert f"process {os.getpid()}" in reason
        assert found == {1.0}
        assert said == f"{reason}; nothing was saved."
        store.save(stamped("Deal", 2, 3))  # the first is not disturbed
    assert in_child(second)[1:] == ({2.0}, "saved")  # and lets go
    assert not holder.lock_file(file).exists()


@posix
def test_that_the_command_line_reads_while_a_window_has_the_file(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    with open_store(file, manner=ALONE) as store:
        store.save(stamped("Deal", 1, 3))

        def command() -> tuple[int, str]:
            with open_store(file) as other:
                try:
                    other.save(Book(Deal("Another")))
                except Refused as reason:
                    return len(other.deals()), reason.code
                return 0, "saved"

        assert in_child(command) == (1, "read-only")


@posix
def test_that_a_process_that_dies_lets_go(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    open_store(file).close()

    def die() -> None:
        open_store(file, manner=ALONE)
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(EOFError):
        in_child(die)
    assert holder.lock_file(file).exists()
    with open_store(file, manner=ALONE) as store:
        assert store.file is not None
        assert store.file.reading_only == ""


def test_that_stores_of_one_process_hold_a_file_together(tmp_path: Path) -> None:
    file = tmp_path / "workspace.clo"
    first, second = (open_store(file, manner=ALONE) for _ in range(2))
    first.close()
    assert holder.lock_file(file).exists()
    second.save(Book(Deal("Deal")))
    second.close()
    assert not holder.lock_file(file).exists()


@posix
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_that_looking_at_an_open_file_and_backing_it_up_keep_its_locks(tmp_path: Path, is_encrypted: bool) -> None:
    import fcntl

    file = tmp_path / "workspace.clo"
    manner = Manner(secret=KEY if is_encrypted else None, encrypt=is_encrypted)

    def is_locked() -> bool:
        with file.open("r+b") as stream:
            try:
                fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)  # SQLite's shared bytes
            except OSError:
                return True
            return False

    with open_store(file, manner=manner) as store:
        assert in_child(is_locked)
        read_header(file)
        store.back_up()
        open_store(file, manner=manner).close()
        assert in_child(is_locked)
    assert not in_child(is_locked)


# -- where it lies --------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("protected", ["file", "folder"])
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_that_a_protected_file_is_read_and_not_written(open_to_all: Path, protected: str, is_encrypted: bool) -> None:
    file = open_to_all / "workspace.clo"
    secret = KEY if is_encrypted else None
    with open_store(file, manner=Manner(secret=secret, encrypt=is_encrypted)) as store:
        store.save(stamped("Deal", 1, 3))
    if protected == "file":
        open_to_all.chmod(0o777)
        file.chmod(0o444)
    else:
        file.chmod(0o666)
        open_to_all.chmod(0o555)
    before = around(file)

    def read() -> tuple[str, set[float], str]:
        as_nobody()
        with open_store(file, manner=Manner(secret=secret, alone=True, daily=True)) as store:
            assert store.file is not None
            try:
                store.save(Book(Deal("Another")))
                said = "saved"
            except Refused as reason:
                said = reason.message
            return store.file.reading_only, stamps(store.load("Deal")), said

    reason, found, said = in_child(read)
    assert f"{protected} is protected against writing" in reason
    assert found == {1.0}
    assert said == f"{reason}; nothing was saved."
    assert around(file) == before


@posix
def test_that_no_workspace_is_made_in_a_protected_folder(open_to_all: Path) -> None:
    def make() -> None:
        as_nobody()
        open_store(open_to_all / "new.clo")

    kind, code, message = in_child(make)
    assert (kind, code) == ("refused", "folder")
    assert "choose a folder you may write to" in message
    assert list(open_to_all.iterdir()) == []


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs"])
def test_that_a_network_drive_is_refused_and_a_copy_can_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = tmp_path / "share one" / "workspace.clo"
    with open_store(file) as store:
        store.save(stamped("Deal", 1, 3))
    before = around(file)
    mounts = tmp_path / "mounts"
    point = str(file.parent.resolve()).replace(" ", "\\040")
    mounts.write_text(f"none / ext4 rw 0 0\nserver:/x {point} {kind} rw 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", mounts)
    said = refused(file)
    assert said.code == "network"
    assert f"on a network drive ({kind})" in said.message
    assert "copy it to this computer" in said.message
    assert refused(file.with_name("new.clo")).code == "folder"
    backups.copy_to(file, None, tmp_path / "copy.clo")
    assert around(file) == before
    with open_store(tmp_path / "copy.clo") as copy:
        assert stamps(copy.load("Deal")) == {1.0}


def test_that_the_nearest_mount_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    home = tmp_path.resolve()
    mounts.write_text(f"a / nfs rw 0 0\nb {home} ext4 rw 0 0\nc {home}x nfs rw 0 0\nd {home}/sub nfs rw 0 0\n")
    monkeypatch.setattr(places, "MOUNTS", mounts)
    assert places.unsafe_place(tmp_path / "workspace.clo") == ""
    assert places.unsafe_place(tmp_path / "sub" / "deeper" / "workspace.clo") == "on a network drive (nfs)"


@pytest.mark.parametrize(
    "folder", ["Dropbox", "OneDrive - Bank", "Google Drive", "Library/Mobile Documents", "Nextcloud/deals"]
)
def test_that_a_synchronised_folder_is_refused(tmp_path: Path, folder: str) -> None:
    assert "synchronised with a cloud" in refused(tmp_path / folder / "workspace.clo").message
    assert not (tmp_path / folder).exists()


def test_that_common_words_are_no_cloud_but_in_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert places.unsafe_place(tmp_path / "work" / "box" / "workspace.clo") == ""
    assert "(Box)" in places.unsafe_place(tmp_path / "Box" / "workspace.clo")


def test_that_a_path_of_a_server_is_a_network_drive() -> None:
    assert places.unsafe_place(Path("//server/share/workspace.clo")) == "on a network drive (server)"


# -- full disks -----------------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("is_encrypted", [False, True])
def test_that_a_disk_that_fills_up_keeps_what_was_saved(tmp_path: Path, is_encrypted: bool) -> None:
    file = tmp_path / "workspace.clo"
    manner = Manner(secret=KEY, encrypt=True) if is_encrypted else Manner()
    with open_store(file, manner=manner) as store:
        store.save(stamped("Deal", 1))

    def fill() -> tuple[str, str]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        size = file.stat().st_size + 20_000
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        with open_store(file, manner=manner) as store:
            try:
                store.save(stamped("Deal", 2, 3000))
            except Refused as reason:
                return reason.code, reason.message
        return "saved", ""

    code, message = in_child(fill)
    assert code == "disk-full"
    assert "nothing of this change was saved: make room and save again" in message
    with open_store(file, manner=manner) as store:
        assert stamps(store.load("Deal")) == {1.0}


def test_that_a_full_encrypted_file_keeps_what_was_saved(tmp_path: Path) -> None:
    import sqlalchemy as sa

    with encrypted(tmp_path / "workspace.clo") as store:
        store.save(stamped("Deal", 1, 3))
        sa.event.listen(store._engine, "checkout", lambda raw, *_: raw.execute("PRAGMA max_page_count = 1").fetchall())
        with pytest.raises(Refused, match="is full or was removed; nothing of this change was saved"):
            store.save(stamped("Deal", 2, 3000))
        assert stamps(store.load("Deal")) == {1.0}
