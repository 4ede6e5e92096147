"""Workspace files on the command line: backups, restoring, encryption, and never a question to a script."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import resources
from clo_desktop.__main__ import main
from clo_desktop.cli import secrets
from clo_desktop.store.local import vault
from clo_desktop.store.local.header import Kind, read_header
from clo_desktop.work.desk import Desk
from tests.store.local.worlds import MemoryKeyring

PHRASE, OTHER = "four words in a row", "six other words in a row"


@pytest.fixture(autouse=True)
def nobody_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """No terminal, no keyring, no variables: whoever asks a question fails."""
    for name in (secrets.KEY_VARIABLE, secrets.KEY_FILE_VARIABLE):
        monkeypatch.delenv(name, raising=False)

    def asked(*_: object) -> str:
        raise AssertionError("a script was asked")

    monkeypatch.setattr("getpass.getpass", asked)
    monkeypatch.setattr(vault, "system_keyring", lambda: vault.chosen(object()))


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(f"{PHRASE}\n")
    return file


class Told:
    def __init__(self, capsys: pytest.CaptureFixture[str], *arguments: object) -> None:
        self.code = main([str(a) for a in arguments])
        self.out, self.err = capsys.readouterr()
        self.data: Any = json.loads(self.out) if "--json" in arguments and self.out else None
        for secret in (PHRASE, OTHER):
            assert secret not in self.out + self.err

    @property
    def code_of_refusal(self) -> str:
        assert self.code == 1
        assert len(self.err.splitlines()) == 1
        return str(self.data["error"]["code"])


def test_that_backups_are_made_listed_and_restored(
    capsys: pytest.CaptureFixture[str], workspace: Path, tmp_path: Path
) -> None:
    made = Path(Told(capsys, "backup", "--db", workspace, "--json").data["backup"])
    assert made.parent == workspace.with_name("workspace.clo-backups")
    (listed,) = Told(capsys, "backups", "--db", workspace, "--json").data["backups"]
    assert (listed["backup"], listed["why"], listed["opens"]) == (made.name, "asked", True)
    assert "opens and is whole" in Told(capsys, "backups", "--db", workspace).out
    assert Told(capsys, "delete", "--db", workspace, "--deal", "Harbor 2024-1").code == 0
    assert Told(capsys, "restore", made.name, "--db", workspace, "--json").code == 0
    assert [d["deal"] for d in Told(capsys, "deals", "--db", workspace, "--json").data] == ["Harbor 2024-1"]
    assert Told(capsys, "restore", "none.clo", "--db", workspace, "--json").code_of_refusal == "backup"
    copy = tmp_path / "copy.clo"
    assert Told(capsys, "backup", "--db", workspace, "--to", copy).code == 0
    assert [d.name for d in Desk(copy).deals()] == ["Harbor 2024-1"]
    assert Told(capsys, "backup", "--db", workspace, "--to", copy, "--json").code_of_refusal == "folder"


def test_that_a_workspace_without_backups_says_so(capsys: pytest.CaptureFixture[str], workspace: Path) -> None:
    assert "has no backup" in Told(capsys, "backups", "--db", workspace).out
    assert Told(capsys, "restore", "--db", workspace, "--json").code_of_refusal == "backup"
    absent = workspace.with_name("absent.clo")
    for command in ("backup", "encrypt", "recovery-key"):
        assert Told(capsys, command, "--db", absent, "--json", "--key-file", workspace).code == 1
    assert not absent.exists()


def test_that_a_named_file_is_plain_unless_encryption_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, key_file: Path
) -> None:
    demo = resources.path("demo/harbor-2024-1.xlsx")
    for name, options in (("plain", ()), ("encrypted", ("--encrypt",))):
        file = tmp_path / f"{name}.clo"
        said = Told(capsys, "import", demo, "--deal", "H", "--db", file, "--key-file", key_file, *options)
        assert said.code == 0
        assert read_header(file).kind == Kind(name)
    refused = Told(capsys, "import", demo, "--deal", "H", "--db", tmp_path / "new.clo", "--encrypt", "--json")
    assert refused.code_of_refusal == "keyring"
    assert "--key-file" in refused.err
    assert not (tmp_path / "new.clo").exists()


def test_that_an_encrypted_workspace_opens_with_a_key_file_a_variable_or_its_recovery_key(
    capsys: pytest.CaptureFixture[str],
    workspace: Path,
    tmp_path: Path,
    key_file: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = Told(capsys, "encrypt", workspace, "--key-file", key_file, "--json").data["recovery_key"]
    assert Told(capsys, "deals", "--db", workspace, "--json").code_of_refusal == "no-key"
    assert Told(capsys, "deals", "--db", workspace, "--key-file", key_file).code == 0
    for name, value in ((secrets.KEY_VARIABLE, key.lower()), (secrets.KEY_FILE_VARIABLE, str(key_file))):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert Told(capsys, "deals", "--db", workspace).code == 0
    shown = Told(capsys, "recovery-key", workspace, "--key-file", key_file)
    assert shown.out.startswith(key)
    new = tmp_path / "new key"
    new.write_text(OTHER)
    changed = Told(capsys, "rekey", workspace, "--key-file", key_file, "--new-key-file", new, "--json").data
    assert changed["recovery_key"] != key
    wrong = Told(capsys, "deals", "--db", workspace, "--key-file", key_file, "--json")
    assert wrong.code_of_refusal == "key"
    assert "it is the wrong one, or the file is damaged" in wrong.err
    assert Told(capsys, "decrypt", workspace, "--key-file", new).code == 0
    assert Told(capsys, "deals", "--db", workspace).code == 0


def test_that_a_keyring_s_key_needs_no_words(
    capsys: pytest.CaptureFixture[str], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring = MemoryKeyring()
    monkeypatch.setattr(vault, "system_keyring", lambda: keyring)
    assert Told(capsys, "encrypt", workspace).code == 0
    assert Told(capsys, "deals", "--db", workspace).code == 0
    assert Told(capsys, "rekey", workspace).code == 0
    assert len(keyring.kept) == 1  # the former key is of no use any more
    assert Told(capsys, "deals", "--db", workspace).code == 0


def test_that_a_person_at_a_terminal_is_asked_and_may_mistype(
    capsys: pytest.CaptureFixture[str], workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = iter(["short", PHRASE, "another one than that", PHRASE, PHRASE, "wrong but long enough", PHRASE])
    monkeypatch.setattr("getpass.getpass", lambda *_: next(said))
    monkeypatch.setattr(secrets, "_is_person", lambda: True)
    encrypted = Told(capsys, "encrypt", workspace)
    assert encrypted.code == 0
    assert "The passphrase is short" in encrypted.err
    assert "The two differ" in encrypted.err
    opened = Told(capsys, "deals", "--db", workspace)
    assert opened.code == 0
    assert "wrong one, or the file is damaged" in opened.err


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_that_a_key_file_without_a_key_is_refused(
    capsys: pytest.CaptureFixture[str], workspace: Path, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    assert Told(capsys, "encrypt", workspace, "--key-file", file, "--json").code_of_refusal == "key"
    assert read_header(workspace).kind is Kind.PLAIN


def test_that_a_server_is_no_workspace_file(capsys: pytest.CaptureFixture[str]) -> None:
    said = Told(capsys, "backup", "--db", "postgresql://host/name", "--json")
    assert said.code_of_refusal == "store"


def test_that_no_terminal_means_no_question(monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:  # noqa: PTH123  a stream for sys.stdin
        monkeypatch.setattr(sys, "stdin", nothing)
        assert not secrets._is_person()


@pytest.mark.parametrize(
    "words", [("deals",), ("scenarios",), ("scenario", "show", "base"), ("audit", "list"), ("health",)]
)
def test_that_a_verb_that_reads_makes_no_workspace(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CLO_HOME", str(tmp_path / "home"))
    main(list(words))
    assert "internal" not in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.clo*"))


def test_that_a_workspace_that_is_gone_and_has_backups_names_the_way_back(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLO_HOME", str(tmp_path))
    own = tmp_path / "workspace.clo"
    Desk(own).close()
    assert main(["backup"]) == 0
    own.unlink()
    capsys.readouterr()
    assert main(["deals"]) == 1
    assert f"`clo restore` with --db {own}" in capsys.readouterr().err
    assert not own.exists()
    assert main(["restore", "--db", str(own)]) == 0
    assert main(["deals"]) == 0
