"""A workspace and its backups under another key: encrypted, decrypted, or with a new key.

The new file is written beside the old one, proved to hold the same rows, and then takes its place: at no moment is
there less than one whole file. What is encrypted is never written to the disk in plain on the way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from clo_desktop.faults import Refused
from clo_desktop.store.local import backups, driver, files, holder, keys, opening, vault
from clo_desktop.store.local.header import APPLICATION_ID, Kind, read_header
from clo_desktop.store.local.keys import Secret
from clo_desktop.store.refusals import refusal


@dataclass(frozen=True, slots=True)
class Converted:
    """What came of it. key  the new one, None for a plain file

    backups  how many of them, and of files set aside, were converted too; left  those that do not open
    """

    file: Path
    key: bytes | None = field(repr=False)
    backups: int
    left: tuple[Path, ...]

    @property
    def recovery_key(self) -> str:
        """The key for paper; empty for a plain file."""
        return keys.recovery_text(self.key) if self.key is not None else ""


def encrypt(file: Path, secret: Secret | None) -> Converted:
    """Encrypt a plain workspace and its backups with `secret`, or (None) with a new key that the keyring keeps.

    Raises Refused where it cannot be; then the workspace is as it was.
    """
    if _kind(file) is Kind.ENCRYPTED:
        raise Refused(f"{file} is encrypted already; `clo rekey` gives it another key.", code="encrypted")
    return _convert(file, None, *_new(secret))


def decrypt(file: Path, secret: Secret | None) -> Converted:
    """Make a plain workspace of an encrypted one, which `secret` or (None) the keyring opens. Raises Refused."""
    if _kind(file) is not Kind.ENCRYPTED:
        raise Refused(f"{file} is not encrypted; there is nothing to do.", code="plain")
    return _convert(file, opening.key_of(file, secret), None, b"")


def rekey(file: Path, secret: Secret | None, new: Secret | None) -> Converted:
    """Give an encrypted workspace, which `secret` or the keyring opens, the key of `new`, or one for the keyring.

    Its backups get the new key too. Raises Refused where it cannot be; then the workspace is as it was.
    """
    if _kind(file) is not Kind.ENCRYPTED:
        raise Refused(f"{file} is not encrypted; `clo encrypt` encrypts it.", code="plain")
    return _convert(file, opening.key_of(file, secret), *_new(new))


def _kind(file: Path) -> Kind:
    try:
        kind = read_header(file).kind
    except OSError as reason:
        raise Refused(f"{file} cannot be read ({reason.strerror}); name a file that you may read.") from reason
    if kind is Kind.NEW:
        raise Refused(f"There is no workspace {file}; check the name.", code="store")
    if kind is Kind.FOREIGN:
        raise Refused(f"{file} is not a workspace of CLO Desktop; choose another file.", code="no-workspace")
    return kind


def _new(secret: Secret | None) -> tuple[bytes, bytes]:
    """A new key with its salt."""
    salt = keys.new_salt()
    if secret is None:
        key = keys.new_key()
        vault.keep(salt, key)
        return key, salt
    if secret.passphrase and (fault := keys.check_passphrase(secret.passphrase)):
        raise Refused(fault, code="passphrase")
    return secret.key_for(salt), salt


def _convert(file: Path, old: bytes | None, new: bytes | None, salt: bytes) -> Converted:
    former = read_header(file).salt
    with holder.alone(file):
        try:
            _replace(file, old, new, salt)
        except BaseException:
            if salt:
                vault.forget(salt)
            raise
        done, left = 0, []
        for other in (*(backup.file for backup in backups.listed(file)), *backups.set_aside(file)):
            kind = read_header(other).kind
            try:
                _replace(other, old if kind is Kind.ENCRYPTED else None, new, salt)
                done += 1
            except (Refused, OSError):
                left.append(other)
    if former and not left:
        vault.forget(former)
    return Converted(file, new, done, tuple(left))


def _replace(file: Path, old: bytes | None, new: bytes | None, salt: bytes) -> None:
    """Write `file` anew under another key and put that in its place."""
    made = file.with_name(f".{file.name}.new")
    files.remove(made)
    try:
        with driver.connected(file, old, cipher=True) as source:
            if driver.value(source, "PRAGMA application_id") != APPLICATION_ID:
                raise Refused(f"{file} is not a workspace of CLO Desktop; choose another file.", code="no-workspace")
            if driver.value(source, "PRAGMA wal_checkpoint(TRUNCATE)") != 0:
                raise Refused(f"{file} is in use by another program; close that program first.", code="locked")
            driver.value(source, "PRAGMA journal_mode = DELETE")
            source.execute("BEGIN EXCLUSIVE")  # nobody writes between here and there
            source.execute("ROLLBACK")
            before = _write(source, made, new, salt)
        if (fault := backups.fault_of(made, new)) is not None:
            raise Refused(f"{file} was left as it was: {fault}", code="damaged")
        with driver.connected(made, new, reading=True) as written:
            if driver.tables(written) != before:
                raise Refused(f"{file} was left as it was: not every row was written; try again.", code="damaged")
        files.put(made, file)
    except driver.errors(OSError) as reason:
        raise refusal(reason, str(file)) from reason
    finally:
        files.remove(made)


def _write(source: driver.Raw, made: Path, new: bytes | None, salt: bytes) -> dict[str, int]:
    """All of `source` into a new file, with its marks; gives the rows of every table."""
    source.execute(f"ATTACH ? AS made KEY {_literal(new, salt)}", (str(made),))
    # a file of its own has no write-ahead log, and its folder is not asked for one
    driver.value(source, "PRAGMA made.journal_mode = DELETE")
    driver.value(source, "SELECT sqlcipher_export('made')")
    for mark in ("application_id", "user_version"):
        source.execute(f"PRAGMA made.{mark} = {driver.value(source, f'PRAGMA {mark}')}")
    source.execute("DETACH made")
    return driver.tables(source)


def _literal(key: bytes | None, salt: bytes) -> str:
    return "''" if key is None else driver.pragma_key(key, salt)
