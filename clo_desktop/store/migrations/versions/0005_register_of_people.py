"""The register of people on a shared server: users and which deals are assigned to them.

A workspace file has one user and no register. The tables stand in the schema `sec`, apart from the data; who may
touch them is said by resources/server.

Revision ID: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("hashed_password", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        sa.CheckConstraint("role IN ('viewer', 'analyst', 'manager', 'admin')", name="ck_users_role"),
        sa.CheckConstraint("hashed_password ~ '^\\$2a\\$[0-9]{2}\\$[./A-Za-z0-9]{53}$'", name="ck_users_bcrypt"),
        sa.CheckConstraint("email = lower(email) AND octet_length(email) <= 63", name="ck_users_email"),
        schema="sec",
    )
    op.create_table(
        "assignments",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["sec.users.id"], name="fk_assignments_user_id_users"),
        # deferred: whoever makes a deal is assigned to it an instant before it is there
        sa.ForeignKeyConstraint(
            ["deal_id"],
            ["deals.id"],
            name="fk_assignments_deal_id_deals",
            ondelete="CASCADE",
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("user_id", "deal_id", name="pk_assignments"),
        sa.CheckConstraint("access IN ('read', 'write')", name="ck_assignments_access"),
        schema="sec",
    )
    op.create_index("ix_assignments_deal_id", "assignments", ["deal_id"], schema="sec")
    op.create_table(
        "step_ups",  # who has said the password again, on which connection, when
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("connected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["sec.users.id"], name="fk_step_ups_user_id_users"),
        sa.PrimaryKeyConstraint("user_id", "pid", name="pk_step_ups"),
        schema="sec",
    )
