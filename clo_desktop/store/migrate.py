"""Bringing a database to the format this application writes, or saying why that cannot be.

The revisions are files beside this module, in a frozen application too; no alembic.ini is needed.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from clo_desktop.faults import Refused
from clo_desktop.store.audit import workspace
from clo_desktop.store.connection import mark, reading, spoken, writing
from clo_desktop.store.schema import HEAD

FOLDER: Final = Path(__file__).resolve().parent / "migrations"


def migrate(engine: sa.Engine) -> None:
    """Create the tables, or migrate them, in one transaction that leaves nothing behind when it fails.

    Raises Refused for a database written by a newer application.
    """
    with reading(engine) as on:
        current = _revision(on) == HEAD
        if current and (on.dialect.name != "sqlite" or not workspace.altered(on)):
            return
    if current:
        with contextlib.suppress(Refused), writing(engine) as on:  # who may only read changes nothing unseen
            workspace.mend(on)
        return
    with writing(engine) as on:
        _upgrade(on, spoken(engine.url))


def _revision(on: sa.Connection) -> str | None:
    """The format of the database; None for an empty one."""
    if not sa.inspect(on).has_table("alembic_version"):
        return None
    table = sa.table("alembic_version", sa.column("version_num", sa.String))
    found = on.execute(sa.select(table.c.version_num)).scalar()
    return None if found is None else str(found)


def _upgrade(on: sa.Connection, name: str) -> None:
    # alembic takes 0.2 s to import, which a database that is up to date need not wait for
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = on
    found = _revision(on)
    if found is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(found)
        except CommandError as reason:
            raise Refused(
                f"{name} was written by a newer CLO Desktop (its format is {found}, this one knows up to {HEAD});"
                " update the application.",
                code="newer",
            ) from reason
    mark(on)
    if on.dialect.name != "sqlite":  # a server has its audit from `clo server init`
        command.upgrade(config, "head")
        return
    workspace.take_down(on)  # a migration rebuilds tables
    command.upgrade(config, "head")
    workspace.put_up(on)
