"""The verbs about a workspace file: backup, backups, restore, encrypt, decrypt, rekey, recovery-key."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from clo_desktop.cli import secrets
from clo_desktop.cli.common import Add, Answer, workspace_file
from clo_desktop.store.local.keys import Secret

_WRITE_DOWN = (
    "Print it or write it down, and keep it where the workspace is not: without key and recovery key nobody can"
)


def add_verbs(add: Add) -> None:
    """The options of each verb."""
    backup = add("backup", _backup, "Back up a workspace, which may be open; it is opened to prove that it is good.")
    backup.add_argument("--to", type=Path, metavar="FILE", help="write it there instead of beside the workspace")

    add("backups", _backups, "List the backups of a workspace, each with whether it opens.")

    restore = add("restore", _restore, "Put a backup in the place of a workspace; the former file is set aside.")
    restore.add_argument("backup", type=Path, metavar="BACKUP", nargs="?", help="its name (default: the newest good)")

    encrypt = add("encrypt", _encrypt, "Encrypt a workspace and its backups: by passphrase, or with the keyring's key.")
    _add_file(encrypt)
    _add_file(add("decrypt", _decrypt, "Make a plain workspace of an encrypted one, and of its backups."))
    rekey = add("rekey", _rekey, "Give an encrypted workspace and its backups a new key.")
    _add_file(rekey)
    rekey.add_argument("--new-key-file", type=Path, metavar="FILE", help="holds the new passphrase")
    _add_file(add("recovery-key", _recovery_key, "Show the recovery key of an encrypted workspace."))


def _add_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("workspace", metavar="FILE", nargs="?", help="the workspace (default: that of --db, or yours)")


def _backup(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import workspace

    file = workspace_file(options)
    if options.to is not None:
        to = secrets.with_secret(options, lambda secret: workspace.copy(file, secret, options.to))
        return Answer({"workspace": str(file), "backup": str(to)}, f"{file} was written to {to}.")
    made = secrets.with_secret(options, lambda secret: workspace.back_up(file, secret))
    return Answer({"workspace": str(file), "backup": str(made.file)}, f"{file} was backed up: {made.file}.")


def _backups(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import workspace

    file = workspace_file(options)
    found = workspace.proved(file, secrets.given(options))
    data: list[dict[str, Any]] = [
        {
            "backup": p.backup.file.name,
            "when": p.backup.when.isoformat(),
            "why": p.backup.why,
            "bytes": p.backup.size,
            "opens": not p.fault,
        }
        for p in found
    ]
    lines = [
        f"{p.backup.file.name}  {p.backup.words}, {p.backup.size / 1e6:.1f} MB, {p.fault or 'opens and is whole'}"
        for p in found
    ]
    return Answer({"workspace": str(file), "backups": data}, "\n".join(lines) or f"{file} has no backup.")


def _restore(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import workspace

    file = workspace_file(options)
    done = secrets.with_secret(options, lambda secret: workspace.restore(file, secret, options.backup))
    aside = f"; the former file is {done.aside}" if done.aside is not None else ""
    return Answer(
        {"workspace": str(file), "backup": str(done.backup.file), "former": str(done.aside or "")},
        f"{file} is as it was in the backup of {done.backup.words}{aside}.",
    )


def _encrypt(options: argparse.Namespace) -> Answer:
    from clo_desktop.store.local import cipher

    file = workspace_file(options)
    done = cipher.encrypt(file, secrets.given(options) or secrets.new(None))
    return _converted(done, "is encrypted")


def _decrypt(options: argparse.Namespace) -> Answer:
    from clo_desktop.store.local import cipher

    file = workspace_file(options)
    done = secrets.with_secret(options, lambda secret: cipher.decrypt(file, secret))
    return _converted(done, "is not encrypted any more")


def _rekey(options: argparse.Namespace) -> Answer:
    from clo_desktop.store.local import cipher, opening

    file = workspace_file(options)

    def checked(secret: Secret | None) -> Secret | None:
        opening.key_of(file, secret)  # before a new passphrase is asked for
        return secret

    old = secrets.with_secret(options, checked)
    new = secrets.new(options.new_key_file)
    return _converted(cipher.rekey(file, old, new), "has a new key")


def _recovery_key(options: argparse.Namespace) -> Answer:
    from clo_desktop.work import workspace

    file = workspace_file(options)
    key = secrets.with_secret(options, lambda secret: workspace.recovery_key(file, secret))
    words = f"{key}\n\nIt opens {file}. {_WRITE_DOWN} read it."
    return Answer({"workspace": str(file), "recovery_key": key}, words)


def _converted(done: Any, what: str) -> Answer:
    data = {
        "workspace": str(done.file),
        "recovery_key": done.recovery_key,
        "backups": done.backups,
        "left": [str(path) for path in done.left],
    }
    words = f"{done.file} {what}; backups changed with it: {done.backups}."
    if done.recovery_key:
        words += f"\nIts recovery key is\n\n{done.recovery_key}\n\n{_WRITE_DOWN} read it."
    left = f"These backups do not open and were left as they were: {', '.join(p.name for p in done.left)}."
    return Answer(data, f"{words}\n{left}" if done.left else words)
