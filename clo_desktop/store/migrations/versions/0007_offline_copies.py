"""Offline copies: which changes a server has applied, what is left of deleted deals, and in a file the outbox.

Triggers note deletions on both, and on a server tell listeners which deal has which version now; a trigger, since any
other program that changes a deal would forget.

Revision ID: 0007
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "applied_operations",
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("deal", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("op_id", name="pk_applied_operations"),
    )
    op.create_table(
        "deleted_deals",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_deleted_deals"),
    )
    if op.get_context().dialect.name == "sqlite":
        op.execute(_NOTE_DELETION)
        _make_copies()
    else:
        for statement in (_TELL, *_TELLING):
            op.execute(statement)


def _make_copies() -> None:
    op.create_table(
        "copies",
        sa.Column("deal", sa.Text(), nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("base", sa.LargeBinary(), nullable=False),
        sa.Column("pulled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("gone", sa.Text()),
        sa.PrimaryKeyConstraint("deal", name="pk_copies"),
    )
    op.create_table(
        "outbox",
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("deal", sa.Text(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=False),
        sa.Column("delta", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("place", name="pk_outbox"),
        sa.UniqueConstraint("op_id", name="uq_outbox_op_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_outbox_deal", "outbox", ["deal"])


_NOTE_DELETION = """
CREATE TRIGGER note_deletion AFTER DELETE ON deals BEGIN
    INSERT OR REPLACE INTO deleted_deals (number, version, deleted_at)
    VALUES (OLD.id, OLD.version, strftime('%Y-%m-%d %H:%M:%f', 'now') || '000');
END
"""

# Definer functions, so that a deletion is noted and every deal of a changed asset named whoever the change is made by.
# Their search path is pinned to the schema of the tables, whose name is the installation's.
_TELL = r"""
DO $do$
DECLARE
    here text := current_schema();
BEGIN
    EXECUTE format($f$
        CREATE FUNCTION %1$I.tell_deal() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $$
        BEGIN
            IF TG_OP = 'DELETE' THEN
                INSERT INTO deleted_deals (number, version, deleted_at) VALUES (OLD.id, OLD.version, clock_timestamp())
                ON CONFLICT (number) DO UPDATE SET version = excluded.version, deleted_at = excluded.deleted_at;
                PERFORM pg_notify('clo_deals', OLD.id || '\:0');
            ELSE
                PERFORM pg_notify('clo_deals', NEW.id || ':' || NEW.version);
            END IF;
            RETURN NULL;
        END
        $$$f$, here);
    EXECUTE format($f$
        CREATE FUNCTION %1$I.tell_assets() RETURNS trigger
        LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, %1$I, pg_temp AS $$
        BEGIN
            PERFORM pg_notify('clo_deals', d.id || ':' || d.version) FROM deals d
            WHERE d.id IN (SELECT l.deal_id FROM deal_assets l JOIN changed c ON c.asset_id = l.asset_id);
            RETURN NULL;
        END
        $$$f$, here);
    EXECUTE format('REVOKE EXECUTE ON FUNCTION %1$I.tell_deal(), %1$I.tell_assets() FROM PUBLIC', here);
END
$do$;
"""

_TELLING = (
    "CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON deals FOR EACH ROW EXECUTE FUNCTION tell_deal()",
    "CREATE TRIGGER tell AFTER UPDATE ON assets REFERENCING NEW TABLE AS changed"
    " FOR EACH STATEMENT EXECUTE FUNCTION tell_assets()",
)
