"""The tables of offline copies. They stand in a workspace file only, never on a server."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from clo_desktop.store.schema import NAMING, Moment

metadata: Final = sa.MetaData(naming_convention=NAMING)

copies: Final = sa.Table(
    "copies",
    metadata,
    sa.Column("deal", sa.Text, primary_key=True),
    sa.Column("server", sa.Text, nullable=False),
    sa.Column("mark", sa.Text, nullable=False),
    sa.Column("current", sa.Boolean, nullable=False),
    sa.Column("base", sa.LargeBinary, nullable=False),
    sa.Column("pulled_at", Moment, nullable=False),
    sa.Column("gone", sa.Text),
)
"""Each deal that is a copy, as the server had it.

server  its address without a password
base    the book, as compressed JSON
mark    the server's state at the last pull; `base` is that state if `current`, else one that has moved on
gone    why the server does not have the deal any more, as a sentence
"""

TRIGGERS: Final = {
    "note_deletion": """CREATE TRIGGER note_deletion AFTER DELETE ON deals BEGIN
    INSERT OR REPLACE INTO deleted_deals (number, version, deleted_at)
    VALUES (OLD.id, OLD.version, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000');
END"""
}
"""The triggers of a file, by name; on a server they stand in resources/server."""

outbox: Final = sa.Table(
    "outbox",
    metadata,
    sa.Column("place", sa.Integer, primary_key=True),
    sa.Column("op_id", sa.Text, nullable=False, unique=True),
    sa.Column("deal", sa.Text, nullable=False, index=True),
    sa.Column("base_version", sa.Integer, nullable=False),
    sa.Column("delta", sa.Text, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sqlite_autoincrement=True,
)
"""Changes of the copies that the server has not confirmed, in the order they were made; written with the change."""
