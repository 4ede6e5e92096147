"""Runs the revisions on the connection, and in the transaction, that `clo_desktop.store.migrate` hands over."""

from __future__ import annotations

from alembic import context

from clo_desktop.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # alembic assumes SQLite cannot; with an explicit BEGIN it can
)
with context.begin_transaction():
    context.run_migrations()
