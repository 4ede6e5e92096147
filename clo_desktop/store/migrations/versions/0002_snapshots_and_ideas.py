"""Snapshots of a deal's tests by date, and ideas of trades with the pool they were made on.

Revision ID: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("book_hash", sa.Text(), nullable=False),
        sa.Column("readings", sa.Text(), nullable=False),
        sa.Column("principal_amount", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_snapshots_deal_id_deals", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_snapshots"),
        sa.UniqueConstraint("deal_id", "as_of", name="uq_snapshots_deal_id_as_of"),
    )
    op.create_table(
        "snapshot_tests",
        sa.Column("snapshot", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("result", sa.Double(), nullable=True),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("cushion", sa.Double(), nullable=True),
        sa.Column("cushion_par", sa.Double(), nullable=True),
        sa.Column("cushion_names", sa.Double(), nullable=True),
        sa.Column("numerator", sa.Double(), nullable=True),
        sa.Column("denominator", sa.Double(), nullable=True),
        sa.Column("limit_source", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["snapshot"], ["snapshots.id"], name="fk_snapshot_tests_snapshot_snapshots", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("snapshot", "position", name="pk_snapshot_tests"),
    )
    op.create_table(
        "idea_pools",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("book_hash", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=True),
        sa.Column("principal_cash", sa.Double(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_idea_pools_deal_id_deals", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_idea_pools"),
        sa.UniqueConstraint("deal_id", "book_hash", name="uq_idea_pools_deal_id_book_hash"),
    )
    op.create_table(
        "idea_pool_positions",
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("par", sa.Double(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pool"], ["idea_pools.id"], name="fk_idea_pool_positions_pool_idea_pools", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("pool", "position", name="pk_idea_pool_positions"),
    )
    op.create_table(
        "ideas",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("pool", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_ideas_deal_id_deals", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["pool"], ["idea_pools.id"], name="fk_ideas_pool_idea_pools", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_ideas"),
    )
    op.create_index("ix_ideas_deal_id", "ideas", ["deal_id"], unique=False)
    op.create_table(
        "idea_rows",
        sa.Column("idea", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("par", sa.Text(), nullable=False),
        sa.Column("price", sa.Text(), nullable=False),
        sa.Column("settlement", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["idea"], ["ideas.key"], name="fk_idea_rows_idea_ideas", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("idea", "position", name="pk_idea_rows"),
    )
    op.create_table(
        "idea_assets",
        sa.Column("idea", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("described", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["idea"], ["ideas.key"], name="fk_idea_assets_idea_ideas", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("idea", "position", name="pk_idea_assets"),
    )
