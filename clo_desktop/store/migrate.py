"""Bringing a database to the format this application writes, or saying why that cannot be.

The revisions are files beside this module, in a frozen application too; no alembic.ini is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store.connection import mark, reading, ready_of, spoken, writing
from clo_desktop.store.local import backups
from clo_desktop.store.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER: Final = Path(__file__).resolve().parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Create the tables, or migrate them, in one transaction that leaves nothing behind when it fails.

    A file is backed up first, and proved whole before the transaction ends. Raises Refused for a database written by a
    newer application, and where no backup can be made.
    """
    name, ready = spoken(engine.url), ready_of(engine)
    with reading(engine) as on:
        found = _revision(on)
        deals = _count_of_deals(on) if found is not None else 0
    if found == HEAD:
        return
    _check_known(found, name)
    if found is not None and ready is not None:
        if ready.reading_only:
            raise Refused(
                f"{name} is of an older format and cannot be brought up to date where it may only be read; copy it to a"
                " folder of your own (clo backup --to FILE) and open the copy.",
                code="read-only",
            )
        backups.make(ready.file, ready.key, "migration")
    with writing(engine) as on:
        _upgrade(on)
        if found is not None and ready is not None:
            _check_whole(on, name, deals)


def _count_of_deals(on: sa.Connection) -> int:
    return int(on.execute(sa.text("SELECT count(*) FROM deals")).scalar_one())


def _check_whole(on: sa.Connection, name: str, deals: int) -> None:
    """Refuse a migration that left a file which is not whole; the transaction is undone by that."""
    if (
        on.exec_driver_sql("PRAGMA integrity_check(1)").scalar() != "ok"
        or on.exec_driver_sql("PRAGMA foreign_key_check").first() is not None
        or _count_of_deals(on) != deals
    ):
        raise Refused(
            f"{name} could not be brought up to date and was left as it was; keep working with the former version of"
            " the application, or restore a backup.",
            code="migration",
        )


def _revision(on: sa.Connection) -> str | None:
    """The format of the database; None for an empty one."""
    if not sa.inspect(on).has_table("alembic_version"):
        return None
    table = sa.table("alembic_version", sa.column("version_num", sa.String))
    found = on.execute(sa.select(table.c.version_num)).scalar()
    return None if found is None else str(found)


def _check_known(found: str | None, name: str) -> None:
    """Refuse a format that no revision of ours has."""
    if found is None:
        return
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    try:
        ScriptDirectory.from_config(_config()).get_revision(found)
    except CommandError as reason:
        raise Refused(
            f"{name} was written by a newer CLO Desktop (its format is {found}, this one knows up to {HEAD});"
            " update the application.",
            code="newer",
        ) from reason


def _config() -> Config:
    # alembic takes 0.2 s to import, which a database that is up to date need not wait for
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(on: sa.Connection) -> None:
    from alembic import command

    config = _config()
    config.attributes["connection"] = on
    mark(on)
    command.upgrade(config, "head")
