"""The audit of a workspace file: its lines and the name of its trail. The triggers are put up after every migration.

A server has its audit from `clo server init`, out of reach of those who work with the data.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What a line says stands once, in the text that is signed; the columns other programs ask for are taken from it
_TABLES = (
    """CREATE TABLE audit_logs (
    seq INTEGER PRIMARY KEY,
    resource_type TEXT NOT NULL,
    resource_id TEXT NOT NULL,
    line TEXT NOT NULL,
    "user" TEXT AS (json_extract(line, '$.user')) VIRTUAL,
    action TEXT AS (json_extract(line, '$.action')) VIRTUAL,
    "timestamp" TEXT AS (json_extract(line, '$.timestamp')) VIRTUAL,
    ip_address TEXT AS (json_extract(line, '$.ip_address')) VIRTUAL,
    details TEXT AS (json_extract(line, '$.details')) VIRTUAL,
    txid INTEGER AS (json_extract(line, '$.txid')) VIRTUAL,
    mac TEXT AS (json_extract(line, '$.mac')) VIRTUAL
)""",
    "CREATE INDEX ix_audit_logs_resource_id ON audit_logs (resource_id)",
    "CREATE TABLE audit_trail (trail TEXT NOT NULL PRIMARY KEY)",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _TABLES:
            op.execute(statement)
