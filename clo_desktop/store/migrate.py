"""Bringing a database to the format this application writes, or saying why that cannot be.

The revisions are files beside this module, in a frozen application too; no alembic.ini is needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store.connection import mark, reading, spoken, writing
from clo_desktop.store.schema import HEAD

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER: Final = Path(__file__).resolve().parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Create the tables, or migrate them, in one transaction that leaves nothing behind when it fails.

    A shared server is migrated by its administrator only (`clo server init`); here it is looked at.

    Raises Refused for a database written by a newer application, and for a server that is not ready for this one.
    """
    name = spoken(engine.url)
    with reading(engine) as on:
        found = revision(on)
        if found == HEAD:
            return
        if engine.dialect.name != "sqlite":
            raise _not_ready(on, found, name)
    with writing(engine) as on:
        upgrade(on, name)


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
    command.upgrade(_config(on), "head")


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
