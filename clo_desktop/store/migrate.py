"""Bringing a database to the format this application writes, or saying why that cannot be.

The revisions are files beside this module, in a frozen application too; no alembic.ini is needed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store.audit import workspace
from clo_desktop.store.connection import mark, reading, ready_of, spoken, writing
from clo_desktop.store.local import backups
from clo_desktop.store.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER: Final = Path(__file__).resolve().parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Create the tables, or migrate them, in one transaction that leaves nothing behind when it fails.

    A file is backed up first, and proved whole before the transaction ends. A shared server is migrated by its
    administrator only (`clo server init`); here it is looked at. Raises Refused for a database written by a newer
    application, for a server that is not ready for this one, and where no backup can be made.
    """
    name, ready = spoken(engine.url), ready_of(engine)
    with reading(engine) as on:
        found = revision(on)
        if found == HEAD and (ready is None or not workspace.altered(on)):
            return
        if ready is None:
            raise _not_ready(on, found, name)
        if found is not None and found not in _revisions(on):
            raise _newer(found, name)
        deals = _count_of_deals(on) if found is not None else 0
    if found == HEAD:
        with contextlib.suppress(Refused), writing(engine) as on:  # who may only read changes nothing unseen
            workspace.mend(on)
        return
    if found is not None:
        if ready.reading_only:
            raise Refused(
                f"{name} is of an older format and cannot be brought up to date where it may only be read; copy it to a"
                " folder of your own (clo backup --to FILE) and open the copy.",
                code="read-only",
            )
        backups.make(ready.file, ready.key, "migration")
    with writing(engine) as on:
        upgrade(on, name)
        if found is not None:
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


def _not_ready(on: sa.Connection, found: str | None, name: str) -> Refused:
    if found is None:
        return Refused(
            f"{name} is not prepared for CLO Desktop, or you have no rights there; an administrator prepares it with"
            " `clo server init`.",
            code="not-prepared",
        )
    if found not in _revisions(on):
        return _newer(found, name)
    return Refused(
        f"{name} has the format {found} and this CLO Desktop needs {HEAD}; an administrator upgrades it with"
        " `clo server init`.",
        code="older",
    )


def revision(on: sa.Connection) -> str | None:
    """The format of the database; None for an empty one."""
    if not sa.inspect(on).has_table("alembic_version"):
        return None
    table = sa.table("alembic_version", sa.column("version_num", sa.String))
    found = on.execute(sa.select(table.c.version_num)).scalar()
    return None if found is None else str(found)


def upgrade(on: sa.Connection, name: str) -> None:
    """Bring the tables to the newest format, in the transaction of `on`. Raises Refused for a newer one."""
    from alembic import command

    found = revision(on)
    if found is not None and found not in _revisions(on):
        raise _newer(found, name)
    mark(on)
    if on.dialect.name != "sqlite":  # a server has its audit from `clo server init`
        command.upgrade(_config(on), "head")
        return
    workspace.take_down(on)  # a migration rebuilds tables
    command.upgrade(_config(on), "head")
    workspace.put_up(on)


def _revisions(on: sa.Connection) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(_config(on)).walk_revisions()}


def _config(on: sa.Connection) -> Config:
    # alembic takes 0.2 s to import, which a database that is up to date need not wait for
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = on
    return config


def _newer(found: str, name: str) -> Refused:
    return Refused(
        f"{name} was written by a newer CLO Desktop (its format is {found}, this one knows up to {HEAD});"
        " update the application.",
        code="newer",
    )
