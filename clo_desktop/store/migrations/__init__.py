"""The alembic environment of the store; `clo_desktop.store.migrate` runs it."""
