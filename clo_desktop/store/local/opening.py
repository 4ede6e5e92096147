"""The checks of a workspace file before any database opens it: what it is, where it lies, who has it, its key.

Each refusal is a sentence with a way out; its code says which way the window can offer:
no-workspace, newer, damaged (a backup), network (a local copy), no-key and key (ask for it), folder, keyring.
"""

from __future__ import annotations

import os
from pathlib import Path

from clo_desktop.faults import Refused
from clo_desktop.store.local import backups, driver, holder, keys, places, vault
from clo_desktop.store.local.header import APPLICATION_ID, Header, Kind, read_header
from clo_desktop.store.local.manner import Manner, Ready


def prepare(file: Path, manner: Manner, newest: int) -> Ready:
    """Check `file`, find its key and take hold of it. newest  the format this application writes.

    Raises Refused for what cannot be opened; the file is as it was, and nothing is made beside it.
    """
    header = _look(file)
    _check_whole(file, header)
    key, salt = _key(file, header, manner, newest)
    sentence = _reading_only(file, header, manner)
    if header.kind is Kind.NEW and sentence:
        raise Refused(f"{sentence}; choose a folder you may write to.", code="folder")
    if sentence or not manner.alone:
        return Ready(file, key, salt, header.kind is Kind.NEW, sentence)
    try:
        taken = holder.take(file)
    except OSError as reason:
        why = reason.strerror or str(reason)
        raise Refused(f"{file} cannot be opened ({why}); choose a folder you may write to.", code="folder") from reason
    if isinstance(taken, str):
        return Ready(file, key, salt, False, _in_use(file, taken))
    return Ready(file, key, salt, header.kind is Kind.NEW, "", taken)


def key_of(file: Path, secret: keys.Secret | None) -> bytes | None:
    """The key of a file with this secret, or from the keyring; None for a plain file. Raises Refused."""
    header = read_header(file)
    if header.kind is not Kind.ENCRYPTED:
        return None
    key = secret.key_for(header.salt) if secret is not None else vault.find(header.salt)
    if key is None:
        raise Refused(
            f"{file} is encrypted (or no workspace) and the keyring of this computer has no key for it; give its"
            " passphrase or its recovery key (on the command line with --key-file FILE).",
            code="no-key",
        )
    if not driver.is_right_key(file, key):
        whose = "this key or passphrase" if secret is not None else "the key in the keyring"
        raise Refused(
            f"{file} does not open with {whose}: it is the wrong one, or the file is damaged; try again, use the"
            f" recovery key, or restore a backup (`clo restore`).",
            code="key",
        )
    return key


def _look(file: Path) -> Header:
    try:
        if file.is_dir():
            raise Refused(f"{file} is a folder; name a file in it.", code="no-workspace")
        header = read_header(file)
        if header.kind is Kind.NEW and (where := places.unsafe_place(file)):
            raise Refused(
                f"{file} lies {where}, where a workspace can be destroyed; choose a folder on this computer.",
                code="folder",
            )
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as reason:
        why = reason.strerror or str(reason)
        raise Refused(f"{file} cannot be opened ({why}); choose a folder you may write to.", code="folder") from reason
    return header


def _check_whole(file: Path, header: Header) -> None:
    """Refuse what is not ours, and an empty file that was a workspace once."""
    if header.kind is Kind.FOREIGN:
        raise Refused(
            f"{file} is not a workspace of CLO Desktop; choose another file or a new name.", code="no-workspace"
        )
    if header.kind is Kind.NEW and file.exists() and backups.listed(file):
        raise Refused(f"{file} is damaged: it is empty, it has backups; `clo restore`.", code="damaged")
    if header.kind is Kind.PLAIN and header.application not in (0, APPLICATION_ID):
        raise Refused(
            f"{file} is a database of another application; choose another file or a new name.", code="no-workspace"
        )


def _key(file: Path, header: Header, manner: Manner, newest: int) -> tuple[bytes | None, bytes]:
    """Key and salt; a newer format is refused here, before anything but the first page is read."""
    if header.kind is Kind.NEW:
        return _new_key(manner) if manner.encrypt else (None, b"")
    version = header.version
    key = key_of(file, manner.secret)
    if key is not None:
        with driver.connected(file, key, reading=True) as raw:
            version = driver.value(raw, "PRAGMA user_version")
    if version > newest:
        raise Refused(
            f"{file} was written by a newer CLO Desktop (its format is {version:04}, this one knows up to"
            f" {newest:04}); update the application.",
            code="newer",
        )
    if key is not None and manner.keep:
        vault.keep(header.salt, key)
    return key, b""


def _new_key(manner: Manner) -> tuple[bytes, bytes]:
    driver.module(True)  # refused where SQLCipher is missing
    salt = keys.new_salt()
    if manner.secret is not None:
        if manner.secret.passphrase and (fault := keys.check_passphrase(manner.secret.passphrase)):
            raise Refused(fault, code="passphrase")
        return manner.secret.key_for(salt), salt
    key = keys.new_key()
    vault.keep(salt, key)  # before the file is made: a key that is lost with a crash would be no key
    return key, salt


def _reading_only(file: Path, header: Header, manner: Manner) -> str:
    """Why the file may only be read, as a sentence, or nothing. Raises Refused for a network drive."""
    if header.kind is not Kind.NEW:
        if manner.reading:
            return f"{file} was opened to read only"
        if where := places.unsafe_place(file):
            raise Refused(
                f"{file} lies {where}, where a workspace can be destroyed while it is written; copy it to this"
                " computer and open the copy (on the command line: clo backup --to FILE).",
                code="network",
            )
        if not os.access(file, os.W_OK):
            return f"{file} may only be read: the file is protected against writing"
    if not os.access(file.parent, os.W_OK):
        return f"{file} may only be read: its folder is protected against writing"
    if who := holder.held_by_another(file):
        return _in_use(file, who)
    return ""


def _in_use(file: Path, who: str) -> str:
    return f"{file} may only be read: it is open for writing by {who}"
