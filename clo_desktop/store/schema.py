"""The tables of the store: one schema for the SQLite file and the PostgreSQL server.

Columns carry the names of the attributes of `engine.terms` and `engine.asset`, so records and rows translate by name.
Rows of a deal keep their order in `position`, counted from 0. Money is in the deal's currency, rates and shares are
fractions per year, prices of assets percent of par. NULL is missing, never zero.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa

from engine.asset import COLUMNS, Kind

HEAD: Final = "0003"
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


def _of_deal(name: str, *columns: sa.Column[Any]) -> sa.Table:
    """A table of rows that belong to a deal, in the order of `position`."""
    return sa.Table(
        name,
        metadata,
        sa.Column("deal_id", sa.Integer, sa.ForeignKey("deals.id"), primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True),
        *columns,
    )


assets: Final = sa.Table(
    "assets",
    metadata,
    *(sa.Column(c.name, _type_of(c.kind), primary_key=c.kind is Kind.ID) for c in COLUMNS),
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
)

deal_assets: Final = _of_deal("deal_assets", _held_asset())
"""Which assets of the master a deal's book lists, whether it holds them or not."""

holdings: Final = _of_deal("holdings", _held_asset(), _number("par", required=True))

tranches: Final = _of_deal(
    "tranches",
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
    _count("number"),
    _text("name", required=True),
    _number("interest", required=True),
    _number("principal", required=True),
)

test_limits: Final = _of_deal(
    "test_limits",
    _count("number"),
    _text("name", required=True),
    _text("direction", required=True),
    _number("threshold"),
    _number("override"),
    _number("previous"),
)

objective_weights: Final = _of_deal(
    "objective_weights", _count("number"), _text("name", required=True), _number("result"), _number("weight")
)

payment_dates: Final = _of_deal(
    "payment_dates",
    _date("payment", required=True),
    _date("determination"),
    _date("collection_begin"),
    _date("collection_end"),
)

subordinated_payments: Final = _of_deal("subordinated_payments", _date("date", required=True), _number("amount"))

labelled_values: Final = sa.Table(
    "labelled_values",
    metadata,
    sa.Column("deal_id", sa.Integer, sa.ForeignKey("deals.id"), primary_key=True),
    sa.Column("block", sa.Text, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _text("label", required=True),
    *(sa.Column(name, kind) for name, kind in CELL.items()),
)
"""All label/value blocks of the deals; `block` is the attribute of `Deal`."""

holidays: Final = _of_deal("holidays", _date("date", required=True))

fixings: Final = _of_deal(
    "fixings", _date("date", required=True), _text("index", required=True), _number("rate", required=True)
)

vectors: Final = _of_deal("vectors", _text("name", required=True))

vector_entries: Final = sa.Table(
    "vector_entries",
    metadata,
    sa.Column("deal_id", sa.Integer, primary_key=True),
    sa.Column("vector", sa.Integer, primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _number("value"),
    sa.ForeignKeyConstraint(["deal_id", "vector"], ["vectors.deal_id", "vectors.position"]),
)
"""The entries of a vector; `vector` is the position of the vector in its deal."""

sinks: Final = _of_deal(
    "sinks", _text("asset_id", required=True), _date("date", required=True), _number("amount", required=True)
)

curve_nodes: Final = _of_deal("curve_nodes", _number("months", required=True), _number("rate", required=True))

cash_flow_assumptions: Final = _of_deal(
    "cash_flow_assumptions",
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

scenarios: Final = sa.Table(
    "scenarios",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    _text("owner", required=True),
    _text("locked_by"),
    sa.Column("locked_at", Moment),
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

OF_DEAL: Final = tuple(t for t in reversed(metadata.sorted_tables) if "deal_id" in t.c)
"""The tables of a deal's rows, in an order in which they may be emptied."""
