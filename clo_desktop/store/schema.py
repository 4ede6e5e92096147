"""The tables of the store: one schema for the SQLite file and the PostgreSQL server.

Columns carry the names of the attributes of `engine.terms` and `engine.asset`, so records and rows translate by name.
A row of a deal is known by its natural columns (`table.info["known_by"]`) and keeps its place in `rank`, so that a
change touches only the rows it changes. Money is in the deal's currency, rates and shares are fractions per year,
prices of assets percent of par. NULL is missing, never zero.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from engine.asset import COLUMNS, Kind

HEAD: Final = "0007"
"""The newest migration: the format this application writes."""

NAMING: Final = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}

metadata: Final = sa.MetaData(naming_convention=NAMING)

CELL: Final[dict[str, type[sa.types.TypeEngine[Any]]]] = {
    "text": sa.Text,
    "number": sa.Double,
    "flag": sa.Boolean,
    "date": sa.Date,
}
"""The columns of a cell that may hold any `Value`; the type is the column that is not NULL."""

ASSUMPTIONS: Final = ("prepay", "default", "severity", "lag")
"""The cells of a row of the assumption table."""


class Moment(sa.TypeDecorator[dt.datetime]):
    """A point in time: aware on the Python side and UTC in the database, which may forget the zone (SQLite does)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("a moment without a time zone cannot be stored")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: sa.Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _type_of(kind: Kind) -> type[sa.types.TypeEngine[Any]]:
    match kind:
        case Kind.FLAG:
            return sa.Boolean
        case Kind.DATE:
            return sa.Date
        case Kind.COUNT:
            return sa.Integer
        case Kind.MONEY | Kind.RATE | Kind.SHARE | Kind.PRICE | Kind.YEARS:
            return sa.Double
        case Kind.ID | Kind.TEXT | Kind.CHOICE | Kind.MOODYS | Kind.SP:
            return sa.Text


def _text(name: str, *, required: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not required)


def _number(name: str, *, required: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=not required)


def _flag(name: str, *, required: bool = False) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=not required)


def _date(name: str, *, required: bool = False) -> sa.Column[dt.date]:
    return sa.Column(name, sa.Date, nullable=not required)


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, nullable=False)


def _held_asset() -> sa.Column[str]:
    return sa.Column("asset_id", sa.Text, sa.ForeignKey("assets.asset_id"), nullable=False, index=True)


def _of_deal(name: str, known_by: tuple[str, ...], *columns: sa.Column[Any]) -> sa.Table:
    """A table of rows that belong to a deal, in the order of `rank`; `known_by` names what a person knows a row by."""
    return sa.Table(
        name,
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("deal_id", sa.Integer, sa.ForeignKey("deals.id"), nullable=False, index=True),
        sa.Column("rank", sa.Double, nullable=False),
        *columns,
        info={"known_by": known_by},
        sqlite_autoincrement=True,  # the identity of a deleted row must not come back as another's
    )


assets: Final = sa.Table(
    "assets",
    metadata,
    *(sa.Column(c.name, _type_of(c.kind), primary_key=c.kind is Kind.ID) for c in COLUMNS),
    sa.Column("version", sa.Integer, nullable=False, server_default="1"),
    info={"known_by": ("asset_id",)},
)
"""The asset master, shared by all deals."""

deals: Final = sa.Table(
    "deals",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _text("currency", required=True),
    _number("original_index"),
    _number("current_index"),
    _count("version"),
    sa.Column("updated_at", Moment, nullable=False),
    info={"known_by": ("name",)},
)

deal_assets: Final = _of_deal("deal_assets", ("asset_id",), _held_asset())
"""Which assets of the master a deal's book lists, whether it holds them or not."""

holdings: Final = _of_deal("holdings", ("asset_id",), _held_asset(), _number("par", required=True))

tranches: Final = _of_deal(
    "tranches",
    ("name",),
    _text("name", required=True),
    _number("original_balance", required=True),
    _number("current_balance", required=True),
    _number("deferred_balance", required=True),
    _number("price"),
    _number("spread"),
    _number("discount_margin"),
    _flag("deferrable"),
    _number("oc_trigger"),
    _number("ic_trigger"),
    _text("day_count"),
    _flag("is_equity", required=True),
    _text("coupon_type"),
    _number("original_coupon"),
)

fees: Final = _of_deal(
    "fees",
    ("name",),
    _text("name", required=True),
    _text("basis"),
    _number("unpaid"),
    _number("fixed_amount"),
    _text("day_count"),
    _number("percentage"),
    _flag("interest_on_unpaid"),
    _number("interest_spread"),
)

accounts: Final = _of_deal(
    "accounts",
    ("number",),
    _count("number"),
    _text("name", required=True),
    _number("interest", required=True),
    _number("principal", required=True),
)

test_limits: Final = _of_deal(
    "test_limits",
    ("number",),
    _count("number"),
    _text("name", required=True),
    _text("direction", required=True),
    _number("threshold"),
    _number("override"),
    _number("previous"),
)

objective_weights: Final = _of_deal(
    "objective_weights",
    ("number",),
    _count("number"),
    _text("name", required=True),
    _number("result"),
    _number("weight"),
)

payment_dates: Final = _of_deal(
    "payment_dates",
    ("payment",),
    _date("payment", required=True),
    _date("determination"),
    _date("collection_begin"),
    _date("collection_end"),
)

subordinated_payments: Final = _of_deal(
    "subordinated_payments", ("date",), _date("date", required=True), _number("amount")
)

labelled_values: Final = _of_deal(
    "labelled_values",
    ("block", "label"),
    _text("block", required=True),
    _text("label", required=True),
    *(sa.Column(name, kind) for name, kind in CELL.items()),
)
"""All label/value blocks of the deals; `block` is the attribute of `Deal`."""

holidays: Final = _of_deal("holidays", ("date",), _date("date", required=True))

fixings: Final = _of_deal(
    "fixings",
    ("date", "index"),
    _date("date", required=True),
    _text("index", required=True),
    _number("rate", required=True),
)

vectors: Final = _of_deal(
    "vectors", ("name",), _text("name", required=True), sa.Column("entries", sa.JSON, nullable=False)
)
"""Named series of numbers; `entries` is a list of numbers and nulls."""

sinks: Final = _of_deal(
    "sinks",
    ("asset_id", "date"),
    _text("asset_id", required=True),
    _date("date", required=True),
    _number("amount", required=True),
)

curve_nodes: Final = _of_deal(
    "curve_nodes", ("months",), _number("months", required=True), _number("rate", required=True)
)

cash_flow_assumptions: Final = _of_deal(
    "cash_flow_assumptions",
    ("target",),
    _text("target", required=True),
    *(sa.Column(f"{cell}_{name}", kind) for cell in ASSUMPTIONS for name, kind in CELL.items()),
)

imports: Final = sa.Table(
    "imports",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _text("deal", required=True),
    _text("file_name", required=True),
    _text("sha256", required=True),
    sa.Column("imported_at", Moment, nullable=False),
    _count("assets"),
    _count("holdings"),
    _number("par", required=True),
    _count("warnings"),
)
"""What was imported and when. The deal is a name, not a key: the record outlives the deal."""


def _with(column: str, parent: str, kind: type[sa.types.TypeEngine[Any]] = sa.Integer, **more: Any) -> sa.Column[Any]:
    """The key of the row that this one goes with: both are deleted together."""
    return sa.Column(column, kind, sa.ForeignKey(parent, ondelete="CASCADE"), nullable=False, **more)


snapshots: Final = sa.Table(
    "snapshots",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _with("deal_id", "deals.id"),
    _date("as_of", required=True),
    sa.Column("taken_at", Moment, nullable=False),
    _text("origin", required=True),
    _text("book_hash", required=True),
    _text("readings", required=True),
    _number("principal_amount"),
    sa.UniqueConstraint("deal_id", "as_of"),
    info={"known_by": ("as_of",)},
)
"""A deal's tests as they stood, one a date. They outlive an import of the deal, and are deleted with it."""

snapshot_tests: Final = sa.Table(
    "snapshot_tests",
    metadata,
    _with("snapshot", "snapshots.id", primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _count("number"),
    *(_text(name, required=True) for name in ("name", "kind", "direction", "outcome")),
    *(_number(name) for name in ("result", "threshold", "cushion", "cushion_par", "cushion_names")),
    *(_number(name) for name in ("numerator", "denominator")),
    *(_text(name, required=True) for name in ("limit_source", "comment")),
    info={"known_by": ("number", "name")},
)

idea_pools: Final = sa.Table(
    "idea_pools",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    _with("deal_id", "deals.id"),
    _text("book_hash", required=True),
    _date("as_of"),
    _number("principal_cash", required=True),
    _text("inputs", required=True),
    sa.UniqueConstraint("deal_id", "book_hash"),
)
"""What pools looked like that ideas were made on; `inputs` is the hash of all but the positions."""

idea_pool_positions: Final = sa.Table(
    "idea_pool_positions",
    metadata,
    _with("pool", "idea_pools.id", primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _text("asset_id", required=True),
    _number("par", required=True),
    _text("terms", required=True),
    info={"unaudited": "a fingerprint of positions that are audited themselves"},
)
"""`terms` is the hash of the asset; the asset is a name, not a key: it may leave the master."""

ideas: Final = sa.Table(
    "ideas",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    _with("deal_id", "deals.id", index=True),
    _with("pool", "idea_pools.id"),
    _text("name", required=True),
    _text("note", required=True),
    _text("author"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    _count("version"),
    _flag("is_open", required=True),
    info={"known_by": ("name",)},
)
"""Ideas of trades, as a pad shows them beside each other."""

idea_rows: Final = sa.Table(
    "idea_rows",
    metadata,
    _with("idea", "ideas.key", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    *(_text(name, required=True) for name in ("side", "asset", "par", "price", "settlement")),
    info={"known_by": ("side", "asset")},
)
"""The trades of an idea, every cell as it was typed."""

idea_assets: Final = sa.Table(
    "idea_assets",
    metadata,
    _with("idea", "ideas.key", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _text("described", required=True),
)
"""Assets that only an idea knows: the columns of the asset master that are not blank, as JSON."""
scenarios: Final = sa.Table(
    "scenarios",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _text("owner", required=True),
    _text("locked_by"),
    sa.Column("locked_at", Moment),
    info={"known_by": ("name",)},
)
"""The library of scenarios. What a scenario says stands in its versions; the newest has the highest number."""

scenario_versions: Final = sa.Table(
    "scenario_versions",
    metadata,
    sa.Column("scenario_id", sa.Integer, sa.ForeignKey("scenarios.id"), primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    _text("text", required=True),
    _text("note", required=True),
    _text("saved_by", required=True),
    sa.Column("saved_at", Moment, nullable=False),
)
"""Every save of a scenario: `text` is the scenario file."""

scenario_tags: Final = sa.Table(
    "scenario_tags",
    metadata,
    sa.Column("scenario_id", sa.Integer, sa.ForeignKey("scenarios.id"), primary_key=True),
    sa.Column("tag", sa.Text, primary_key=True),
)
applied_operations: Final = sa.Table(
    "applied_operations",
    metadata,
    _text("op_id", required=True),
    _text("owner", required=True),
    _text("deal", required=True),
    _count("version"),
    sa.Column("applied_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("op_id"),
    info={"unaudited": "which change it was, the lines of the change say"},
)
"""Changes that were sent from offline copies and are in the deal, written in the transaction that applied them.

`version` is the deal's afterwards. The deal is a name, not a key: whoever asks what became of a change is answered
though the deal is gone.
"""

deleted_deals: Final = sa.Table(
    "deleted_deals",
    metadata,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    _count("version"),
    sa.Column("deleted_at", Moment, nullable=False),
    info={"written_by": "trigger", "unaudited": "the deletion itself is audited"},
)
"""What is left of a deleted deal: the `id` and `version` it had. No name, since everybody may read it."""

OF_DEAL: Final = tuple(t for t in reversed(metadata.sorted_tables) if "deal_id" in t.c)
"""The tables of a deal's rows, in an order in which they may be emptied."""

OF_BOOK: Final = tuple(t for t in OF_DEAL if "rank" in t.c)
"""Those of them that are the deal's book."""
