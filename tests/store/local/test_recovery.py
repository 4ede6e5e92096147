"""What is not stored yet lies on this computer, encrypted where the workspace is, and is found once its window died."""

from __future__ import annotations

from pathlib import Path

from clo_desktop.store.local import recovery
from clo_desktop.store.local.recovery import Slip

WHERE = "workspace.clo"
KEY = bytes(range(32))


def test_that_a_window_that_lives_holds_its_file_and_one_that_died_leaves_it(tmp_path: Path) -> None:
    slip = Slip(tmp_path, WHERE, None)
    slip.write("first")
    slip.write("second")
    assert recovery.left(tmp_path, WHERE, None) == ()
    slip.leave()
    [left] = recovery.left(tmp_path, WHERE, None)
    assert left.text == "second"
    left.remove()
    assert recovery.left(tmp_path, WHERE, None) == ()


def test_that_another_workspace_does_not_see_it(tmp_path: Path) -> None:
    slip = Slip(tmp_path, WHERE, None)
    slip.write("ours")
    slip.leave()
    assert recovery.left(tmp_path, "other.clo", None) == ()


def test_that_what_an_encrypted_workspace_has_unsaved_is_nowhere_in_plain_text(tmp_path: Path) -> None:
    slip = Slip(tmp_path, WHERE, KEY)
    slip.write("Idea with the marker zebrafish")
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert everything
    assert b"zebrafish" not in everything
    slip.leave()
    [left] = recovery.left(tmp_path, WHERE, KEY)
    assert left.text == "Idea with the marker zebrafish"


def test_that_a_file_under_a_former_key_is_removed(tmp_path: Path) -> None:
    slip = Slip(tmp_path, WHERE, KEY)
    slip.write("of before")
    slip.leave()
    assert recovery.left(tmp_path, WHERE, KEY[::-1]) == ()
    assert list(tmp_path.iterdir()) == []


def test_that_what_is_dropped_is_gone(tmp_path: Path) -> None:
    slip = Slip(tmp_path, WHERE, None)
    slip.write("no longer unsaved")
    slip.drop()
    assert list(tmp_path.iterdir()) == []
    slip.write("unsaved again")
    assert len(list(tmp_path.iterdir())) >= 1
    slip.drop()


def test_that_the_same_password_gives_the_same_key_and_another_does_not(tmp_path: Path) -> None:
    where = "postgresql://ann@host/clo"
    assert recovery.key_from(tmp_path, where, "one two three") == recovery.key_from(tmp_path, where, "one two three")
    assert recovery.key_from(tmp_path, where, "one two three") != recovery.key_from(tmp_path, where, "another")
    assert recovery.key_from(tmp_path, "postgresql://bob@host/clo", "x") != recovery.key_from(tmp_path, where, "x")


def test_that_without_a_password_and_a_keyring_nothing_is_kept(tmp_path: Path) -> None:
    assert recovery.key_from(tmp_path, "postgresql://ann@host/clo", "") is None
