"""Rows of a deal get an identity of their own and a rank instead of a position; assets get a version.

A row put in or taken out no longer renumbers the rows after it, so an audit shows what was changed. The entries of a
vector move into its row. The columns are written out, since a later version of the code must not change what this
revision made.

Revision ID: 0004
"""

from __future__ import annotations

import json
from typing import Any, Final

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_KINDS: Final[dict[str, Any]] = {
    "text": sa.Text(),
    "number": sa.Double(),
    "count": sa.Integer(),
    "flag": sa.Boolean(),
    "date": sa.Date(),
}

_CELL: Final = "text:text number:number flag:flag date:date"

_TABLES: Final = {
    "accounts": "number:count! name:text! interest:number! principal:number!",
    "cash_flow_assumptions": "target:text! "
    + " ".join(
        f"{cell}_{kind}:{kind}"
        for cell in ("prepay", "default", "severity", "lag")
        for kind in ("text", "number", "flag", "date")
    ),
    "curve_nodes": "months:number! rate:number!",
    "deal_assets": "asset_id:text!",
    "fees": "name:text! basis:text unpaid:number fixed_amount:number day_count:text percentage:number "
    "interest_on_unpaid:flag interest_spread:number",
    "fixings": "date:date! index:text! rate:number!",
    "holdings": "asset_id:text! par:number!",
    "holidays": "date:date!",
    "labelled_values": f"block:text! label:text! {_CELL}",
    "objective_weights": "number:count! name:text! result:number weight:number",
    "payment_dates": "payment:date! determination:date collection_begin:date collection_end:date",
    "sinks": "asset_id:text! date:date! amount:number!",
    "subordinated_payments": "date:date! amount:number",
    "test_limits": "number:count! name:text! direction:text! threshold:number override:number previous:number",
    "tranches": "name:text! original_balance:number! current_balance:number! deferred_balance:number! price:number "
    "spread:number discount_margin:number deferrable:flag oc_trigger:number ic_trigger:number day_count:text "
    "is_equity:flag! coupon_type:text original_coupon:number",
}
"""The natural columns of each table; "!" marks those that must be there."""

_HOLD_ASSETS: Final = ("deal_assets", "holdings")

_BLOCKS: Final = ("current_dates", "dates", "quality_inputs", "cash_flow_inputs", "clo_inputs")


def upgrade() -> None:
    op.add_column("assets", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    for name, columns in _TABLES.items():
        _renew(name, columns)
    _renew_vectors()


def _columns(columns: str) -> list[sa.Column[Any]]:
    found = []
    for column in columns.split():
        name, kind = column.rstrip("!").split(":")
        found.append(sa.Column(name, _KINDS[kind], nullable=not column.endswith("!")))
    return found


def _renew(name: str, columns: str) -> None:
    """The table with the new identity and the rows it had."""
    kept = _set_aside(name)
    _create(name, *_columns(columns))
    names = ", ".join(f'"{c.name}"' for c in _columns(columns))
    if name == "labelled_values":
        order = " ".join(f"WHEN '{block}' THEN {i}" for i, block in enumerate(_BLOCKS))
        rank = f'row_number() OVER (PARTITION BY deal_id ORDER BY CASE "block" {order} END, "position") - 1'
    else:
        rank = '"position"'
    op.execute(
        f'INSERT INTO {name} (deal_id, "rank", {names}) '
        f'SELECT deal_id, {rank}, {names} FROM {kept} ORDER BY deal_id, "position"'
    )
    op.drop_table(kept)


def _create(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Double(), nullable=False),
        *columns,
        *(
            [sa.ForeignKeyConstraint(["asset_id"], ["assets.asset_id"], name=f"fk_{name}_asset_id_assets")]
            if name in _HOLD_ASSETS
            else []
        ),
        sa.ForeignKeyConstraint(["deal_id"], ["deals.id"], name=f"fk_{name}_deal_id_deals"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
        sqlite_autoincrement=True,
    )
    op.create_index(f"ix_{name}_deal_id", name, ["deal_id"])
    if name in _HOLD_ASSETS:
        op.create_index(f"ix_{name}_asset_id", name, ["asset_id"])


def _set_aside(name: str) -> str:
    """The rows of a table in another without keys; the table is gone, and its names are free."""
    kept = f"old_{name}"
    op.execute(f"CREATE TABLE {kept} AS SELECT * FROM {name}")
    op.drop_table(name)
    return kept


def _renew_vectors() -> None:
    entries = _set_aside("vector_entries")
    kept = _set_aside("vectors")
    _create("vectors", sa.Column("name", sa.Text(), nullable=False), sa.Column("entries", sa.JSON(), nullable=False))
    if op.get_context().dialect.name == "sqlite":
        _join_entries(kept, entries)  # the database's own JSON would round the numbers
    else:
        op.execute(
            f'INSERT INTO vectors (deal_id, "rank", name, entries) SELECT v.deal_id, v."position", v.name, '
            f'coalesce((SELECT json_agg(e.value ORDER BY e."position") FROM {entries} e '
            f"WHERE e.deal_id = v.deal_id AND e.vector = v.\"position\"), '[]') FROM {kept} v"
        )
    op.drop_table(entries)
    op.drop_table(kept)


def _join_entries(kept: str, entries: str) -> None:
    on = op.get_bind()
    found: dict[tuple[int, int], list[float | None]] = {}
    ordered = f'SELECT deal_id, vector, value FROM {entries} ORDER BY deal_id, vector, "position"'
    for deal_id, vector, value in on.execute(sa.text(ordered)):
        found.setdefault((deal_id, vector), []).append(value)
    rows = [
        {"deal_id": deal_id, "rank": place, "name": name, "entries": json.dumps(found.get((deal_id, place), []))}
        for deal_id, place, name in on.execute(sa.text(f'SELECT deal_id, "position", name FROM {kept}'))
    ]
    if rows:
        put = 'INSERT INTO vectors (deal_id, "rank", name, entries) VALUES (:deal_id, :rank, :name, :entries)'
        on.execute(sa.text(put), rows)
