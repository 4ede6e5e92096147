"""What is done with a workspace file as a whole: backups, restoring one, its key. The window and the command line share
it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from clo_desktop.faults import Refused
from clo_desktop.store.local import backups, driver, holder, opening
from clo_desktop.store.local.backups import Backup
from clo_desktop.store.local.keys import Secret, recovery_text


@dataclass(frozen=True, slots=True)
class Proved:
    """A backup, and what is wrong with it as a sentence; empty where it opens and is whole."""

    backup: Backup
    fault: str


@dataclass(frozen=True, slots=True)
class Restored:
    """A workspace that was restored. aside  where the former file stands now, None where there was none."""

    file: Path
    backup: Backup
    aside: Path | None


def back_up(file: Path, secret: Secret | None) -> Backup:
    """Back up a workspace beside it. Raises Refused."""
    return backups.make(_there(file), opening.key_of(file, secret), "asked")


def copy(file: Path, secret: Secret | None, to: Path) -> Path:
    """Write a workspace as it stands to `to`, from a network drive too. Raises Refused; nothing is overwritten."""
    if to.exists():
        raise Refused(f"{to} is there already; name a new file.", code="folder")
    with backups.speaking(file, "Nothing was copied"):
        backups.copy_to(_there(file), opening.key_of(file, secret), to)
    return to


def proved(file: Path, secret: Secret | None) -> tuple[Proved, ...]:
    """The backups of a workspace, the newest first, each opened to see whether it is good."""
    return tuple(Proved(b, backups.fault_of(b.file, _key_or_none(b.file, secret)) or "") for b in backups.listed(file))


def newest_good(file: Path, secret: Secret | None) -> Backup | None:
    """The newest backup that opens; None where there is none."""
    return backups.newest_good(file, lambda backup: _key_or_none(backup, secret))


def restore(file: Path, secret: Secret | None, backup: Path | None = None) -> Restored:
    """Put a backup (None: the newest good one) in the place of a workspace that nobody has open.

    The former file is set aside. Raises Refused; then the workspace is as it was.
    """
    known = {b.file.name: b for b in backups.listed(file)}
    if backup is None:
        chosen = newest_good(file, secret)
        if chosen is None:
            raise Refused(
                f"{file} has no backup that opens{' with this key' if secret else ''}; `clo backups` lists them with"
                " the reasons.",
                code="backup",
            )
    elif backup.name in known:
        chosen = known[backup.name]
    else:
        some = f"the newest is {next(iter(known))}" if known else "it has none"
        raise Refused(f"{file} has no backup {backup.name}; {some}.", code="backup")
    with holder.alone(file):
        aside = backups.restore(file, chosen.file, opening.key_of(chosen.file, secret))
    return Restored(file, chosen, aside)


def recovery_key(file: Path, secret: Secret | None) -> str:
    """The key of an encrypted workspace, for paper. Raises Refused for a plain one."""
    key = opening.key_of(_there(file), secret)
    if key is None:
        raise Refused(f"{file} is not encrypted, so it has no recovery key; `clo encrypt` encrypts it.", code="plain")
    return recovery_text(key)


def _there(file: Path) -> Path:
    if not file.exists():
        raise Refused(f"There is no workspace {file}; check the name.", code="store")
    return file


def _key_or_none(file: Path, secret: Secret | None) -> bytes | None:
    try:
        return opening.key_of(file, secret)
    except driver.errors(Refused, OSError):
        return None
