"""First light: the asset master, deals with everything of their books, and the history of imports.

The columns are written out, since a later version of the code must not change what this revision made.

Revision ID: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "assets",
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("issue_name", sa.Text(), nullable=True),
        sa.Column("issuer_name", sa.Text(), nullable=True),
        sa.Column("issuer_id", sa.Text(), nullable=True),
        sa.Column("tranche", sa.Text(), nullable=True),
        sa.Column("bond_loan", sa.Text(), nullable=True),
        sa.Column("par_amount", sa.Double(), nullable=True),
        sa.Column("maturity", sa.Date(), nullable=True),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.Column("payment_frequency", sa.Integer(), nullable=True),
        sa.Column("coupon_spread", sa.Double(), nullable=True),
        sa.Column("index_floor", sa.Double(), nullable=True),
        sa.Column("index_name", sa.Text(), nullable=True),
        sa.Column("coupon", sa.Double(), nullable=True),
        sa.Column("commitment_fee", sa.Double(), nullable=True),
        sa.Column("unfunded_amount", sa.Double(), nullable=True),
        sa.Column("facility_size", sa.Double(), nullable=True),
        sa.Column("moodys_industry", sa.Text(), nullable=True),
        sa.Column("sp_industry", sa.Text(), nullable=True),
        sa.Column("moodys_category", sa.Text(), nullable=True),
        sa.Column("sp_priority_category", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("seniority", sa.Text(), nullable=True),
        sa.Column("deferrable", sa.Boolean(), nullable=True),
        sa.Column("piking", sa.Boolean(), nullable=True),
        sa.Column("pik_amount", sa.Double(), nullable=True),
        sa.Column("defaulted", sa.Boolean(), nullable=True),
        sa.Column("date_of_default", sa.Date(), nullable=True),
        sa.Column("delayed_draw", sa.Boolean(), nullable=True),
        sa.Column("revolver", sa.Boolean(), nullable=True),
        sa.Column("letter_of_credit", sa.Boolean(), nullable=True),
        sa.Column("participation", sa.Boolean(), nullable=True),
        sa.Column("dip", sa.Boolean(), nullable=True),
        sa.Column("convertible", sa.Boolean(), nullable=True),
        sa.Column("structured_finance", sa.Boolean(), nullable=True),
        sa.Column("bridge_loan", sa.Boolean(), nullable=True),
        sa.Column("current_pay", sa.Boolean(), nullable=True),
        sa.Column("cov_lite", sa.Boolean(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("wal", sa.Double(), nullable=True),
        sa.Column("market_value", sa.Double(), nullable=True),
        sa.Column("first_lien_last_out", sa.Boolean(), nullable=True),
        sa.Column("moodys_rating", sa.Text(), nullable=True),
        sa.Column("moodys_recovery_rate", sa.Double(), nullable=True),
        sa.Column("moodys_dpr", sa.Text(), nullable=True),
        sa.Column("moodys_rating_warf", sa.Text(), nullable=True),
        sa.Column("moodys_facility_rating", sa.Text(), nullable=True),
        sa.Column("moodys_facility_outlook", sa.Text(), nullable=True),
        sa.Column("moodys_issuer_rating", sa.Text(), nullable=True),
        sa.Column("moodys_issuer_outlook", sa.Text(), nullable=True),
        sa.Column("moodys_senior_secured_rating", sa.Text(), nullable=True),
        sa.Column("moodys_senior_unsecured_rating", sa.Text(), nullable=True),
        sa.Column("moodys_subordinate_rating", sa.Text(), nullable=True),
        sa.Column("moodys_credit_estimate", sa.Text(), nullable=True),
        sa.Column("moodys_credit_estimate_date", sa.Date(), nullable=True),
        sa.Column("sp_facility_rating", sa.Text(), nullable=True),
        sa.Column("sp_issuer_rating", sa.Text(), nullable=True),
        sa.Column("sp_senior_secured_rating", sa.Text(), nullable=True),
        sa.Column("sp_subordinated_rating", sa.Text(), nullable=True),
        sa.Column("sp_recovery_rating", sa.Text(), nullable=True),
        sa.Column("dated_date", sa.Date(), nullable=True),
        sa.Column("issue_date", sa.Date(), nullable=True),
        sa.Column("first_payment_date", sa.Date(), nullable=True),
        sa.Column("amortization_type", sa.Text(), nullable=True),
        sa.Column("day_count", sa.Text(), nullable=True),
        sa.Column("index_cap", sa.Double(), nullable=True),
        sa.Column("business_day_convention", sa.Text(), nullable=True),
        sa.Column("payment_eom", sa.Boolean(), nullable=True),
        sa.Column("amount_issued", sa.Double(), nullable=True),
        sa.Column("credit_opinion", sa.Text(), nullable=True),
        sa.Column("credit_spread_adjustment", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("asset_id", name="pk_assets"),
    )
    op.create_table(
        "deals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("original_index", sa.Double(), nullable=True),
        sa.Column("current_index", sa.Double(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deals"),
        sa.UniqueConstraint("name", name="uq_deals_name"),
    )
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assets", sa.Integer(), nullable=False),
        sa.Column("holdings", sa.Integer(), nullable=False),
        sa.Column("par", sa.Double(), nullable=False),
        sa.Column("warnings", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
    )
    op.create_table(
        "accounts",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("interest", sa.Double(), nullable=False),
        sa.Column("principal", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_accounts_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_accounts"),
    )
    op.create_table(
        "cash_flow_assumptions",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("prepay_text", sa.Text(), nullable=True),
        sa.Column("prepay_number", sa.Double(), nullable=True),
        sa.Column("prepay_flag", sa.Boolean(), nullable=True),
        sa.Column("prepay_date", sa.Date(), nullable=True),
        sa.Column("default_text", sa.Text(), nullable=True),
        sa.Column("default_number", sa.Double(), nullable=True),
        sa.Column("default_flag", sa.Boolean(), nullable=True),
        sa.Column("default_date", sa.Date(), nullable=True),
        sa.Column("severity_text", sa.Text(), nullable=True),
        sa.Column("severity_number", sa.Double(), nullable=True),
        sa.Column("severity_flag", sa.Boolean(), nullable=True),
        sa.Column("severity_date", sa.Date(), nullable=True),
        sa.Column("lag_text", sa.Text(), nullable=True),
        sa.Column("lag_number", sa.Double(), nullable=True),
        sa.Column("lag_flag", sa.Boolean(), nullable=True),
        sa.Column("lag_date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_cash_flow_assumptions_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_cash_flow_assumptions"),
    )
    op.create_table(
        "curve_nodes",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("months", sa.Double(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_curve_nodes_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_curve_nodes"),
    )
    op.create_table(
        "deal_assets",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.asset_id"], name="fk_deal_assets_asset_id_assets"),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_deal_assets_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_deal_assets"),
    )
    op.create_index("ix_deal_assets_asset_id", "deal_assets", ["asset_id"])
    op.create_table(
        "fees",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=True),
        sa.Column("unpaid", sa.Double(), nullable=True),
        sa.Column("fixed_amount", sa.Double(), nullable=True),
        sa.Column("day_count", sa.Text(), nullable=True),
        sa.Column("percentage", sa.Double(), nullable=True),
        sa.Column("interest_on_unpaid", sa.Boolean(), nullable=True),
        sa.Column("interest_spread", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_fees_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_fees"),
    )
    op.create_table(
        "fixings",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("index", sa.Text(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_fixings_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_fixings"),
    )
    op.create_table(
        "holdings",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("par", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["asset_id"], ["assets.asset_id"], name="fk_holdings_asset_id_assets"),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_holdings_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_holdings"),
    )
    op.create_index("ix_holdings_asset_id", "holdings", ["asset_id"])
    op.create_table(
        "holidays",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_holidays_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_holidays"),
    )
    op.create_table(
        "labelled_values",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("flag", sa.Boolean(), nullable=True),
        sa.Column("date", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_labelled_values_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "block", "position", name="pk_labelled_values"),
    )
    op.create_table(
        "objective_weights",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("result", sa.Double(), nullable=True),
        sa.Column("weight", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_objective_weights_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_objective_weights"),
    )
    op.create_table(
        "payment_dates",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("payment", sa.Date(), nullable=False),
        sa.Column("determination", sa.Date(), nullable=True),
        sa.Column("collection_begin", sa.Date(), nullable=True),
        sa.Column("collection_end", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_payment_dates_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_payment_dates"),
    )
    op.create_table(
        "sinks",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_sinks_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_sinks"),
    )
    op.create_table(
        "subordinated_payments",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("date", sa.Date(), nullable=False),
        sa.Column("amount", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_subordinated_payments_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_subordinated_payments"),
    )
    op.create_table(
        "test_limits",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("override", sa.Double(), nullable=True),
        sa.Column("previous", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_test_limits_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_test_limits"),
    )
    op.create_table(
        "tranches",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("original_balance", sa.Double(), nullable=False),
        sa.Column("current_balance", sa.Double(), nullable=False),
        sa.Column("deferred_balance", sa.Double(), nullable=False),
        sa.Column("price", sa.Double(), nullable=True),
        sa.Column("spread", sa.Double(), nullable=True),
        sa.Column("discount_margin", sa.Double(), nullable=True),
        sa.Column("deferrable", sa.Boolean(), nullable=True),
        sa.Column("oc_trigger", sa.Double(), nullable=True),
        sa.Column("ic_trigger", sa.Double(), nullable=True),
        sa.Column("day_count", sa.Text(), nullable=True),
        sa.Column("is_equity", sa.Boolean(), nullable=False),
        sa.Column("coupon_type", sa.Text(), nullable=True),
        sa.Column("original_coupon", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_tranches_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_tranches"),
    )
    op.create_table(
        "vectors",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name="fk_vectors_deal_id_deals"),
        sa.PrimaryKeyConstraint("deal_id", "position", name="pk_vectors"),
    )
    op.create_table(
        "vector_entries",
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("vector", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("value", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["deal_id", "vector"],
            ["vectors.deal_id", "vectors.position"],
            name="fk_vector_entries_deal_id_vector_vectors",
        ),
        sa.PrimaryKeyConstraint("deal_id", "vector", "position", name="pk_vector_entries"),
    )


def downgrade() -> None:
    op.drop_table("vector_entries")
    op.drop_table("vectors")
    op.drop_table("tranches")
    op.drop_table("test_limits")
    op.drop_table("subordinated_payments")
    op.drop_table("sinks")
    op.drop_table("payment_dates")
    op.drop_table("objective_weights")
    op.drop_table("labelled_values")
    op.drop_table("holidays")
    op.drop_table("holdings")
    op.drop_table("fixings")
    op.drop_table("fees")
    op.drop_table("deal_assets")
    op.drop_table("curve_nodes")
    op.drop_table("cash_flow_assumptions")
    op.drop_table("accounts")
    op.drop_table("imports")
    op.drop_table("deals")
    op.drop_table("assets")
