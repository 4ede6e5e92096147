"""What the former system's databases hold beside deals: correlations, configuration, reference data.

Revision ID: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _signed() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
    )


def upgrade() -> None:
    op.create_table(
        "asset_correlations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("borrowers", sa.JSON(), nullable=False),
        sa.Column("packed", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *_signed(),
        sa.PrimaryKeyConstraint("id", name="pk_asset_correlations"),
    )
    op.create_table(
        "configuration",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        *_signed(),
        sa.PrimaryKeyConstraint("key", name="pk_configuration"),
    )
    op.create_table(
        "reference_data",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        *_signed(),
        sa.PrimaryKeyConstraint("id", name="pk_reference_data"),
        sa.UniqueConstraint("name", "as_of", name="uq_reference_data_name_as_of"),
    )
