"""One schema for SQLite and PostgreSQL."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import re
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from hypothesis import HealthCheck, given, settings
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.schema import CreateIndex, CreateTable

from clo_desktop.faults import Refused
from clo_desktop.store import Correlations, ImportRecord, ReferenceTable, Store, bulk, open_store, schema
from clo_desktop.store.delta import delta_of
from clo_desktop.store.migrate import FOLDER
from clo_desktop.store.sync import copies
from clo_desktop.store.sync.server import StoreServer
from engine import terms
from engine.asset import COLUMNS, Asset
from tests.store.any_book import books, large_book
from tests.store.histories import SNAPSHOT, an_idea

NOW = dt.datetime.now(dt.UTC)

POSTGRES = PGDialect_psycopg()

EVERY_TABLE = terms.Book(
    terms.Deal(
        "every table",
        dates=(("Closing Date", dt.date(2012, 1, 1)),),
        limits=(terms.TestLimit(1, "Class A OC", "MIN"),),
        weights=(terms.ObjectiveWeight(1, "Spread"),),
        subordinated_payments=((dt.date(2012, 1, 1), None),),
        fees=(terms.Fee("Trustee"),),
    ),
    reference=terms.Reference(
        holidays=(dt.date(2012, 1, 1),),
        fixings=(terms.Fixing(dt.date(2012, 1, 1), "3M", 0.01),),
        vectors=(("ramp", (None,)),),
        sinks=(terms.Sink("A", dt.date(2012, 1, 1), 1.0),),
        curve=(terms.CurveNode(3.0, 0.01),),
        assumptions=(terms.CashFlowAssumption("ALL"),),
    ),
)

RECORDS = [
    (schema.holdings, terms.Holding),
    (schema.tranches, terms.Tranche),
    (schema.fees, terms.Fee),
    (schema.accounts, terms.Account),
    (schema.test_limits, terms.TestLimit),
    (schema.objective_weights, terms.ObjectiveWeight),
    (schema.payment_dates, terms.PaymentDate),
    (schema.fixings, terms.Fixing),
    (schema.sinks, terms.Sink),
    (schema.curve_nodes, terms.CurveNode),
    (schema.assets, Asset),
]


@pytest.mark.parametrize(("table", "record"), RECORDS, ids=lambda x: getattr(x, "name", ""))
def test_that_a_table_has_a_column_for_each_field_and_may_be_empty_where_the_field_may(
    table: sa.Table, record: type[Any]
) -> None:
    fields = {f.name: str(f.type) for f in dataclasses.fields(record)}
    columns = {c.name: c for c in table.columns if c.name not in ("id", "deal_id", "rank", "version")}
    assert list(columns) == list(fields)
    types = {"str": sa.Text, "float": sa.Double, "bool": sa.Boolean, "int": sa.Integer, "dt.date": sa.Date}
    for name, column in columns.items():
        assert isinstance(column.type, types[fields[name].removesuffix(" | None")]), name
        assert column.nullable == fields[name].endswith(" | None"), name


def test_that_the_asset_master_has_the_columns_of_the_declaration() -> None:
    assert [c.name for c in schema.assets.columns] == [*(c.name for c in COLUMNS), "version"]
    assert [c.name for c in schema.assets.primary_key] == ["asset_id"]


def test_that_postgresql_gets_its_own_types() -> None:
    created = {name: str(CreateTable(t).compile(dialect=POSTGRES)) for name, t in schema.metadata.tables.items()}
    for table in schema.metadata.tables.values():
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=POSTGRES))
    kinds = {kind for text in created.values() for kind in re.findall(r"^\t\w+ ([A-Z ]+?)(?: NOT NULL)?,", text, re.M)}
    assert kinds == {
        "INTEGER",
        "SERIAL",
        "TEXT",
        "DOUBLE PRECISION",
        "DATE",
        "BOOLEAN",
        "JSON",
        "BYTEA",
        "TIMESTAMP WITH TIME ZONE",
    }


def test_that_names_fit_postgresql() -> None:
    for table in schema.metadata.tables.values():
        for named in (table, *table.columns, *table.constraints, *table.indexes):
            assert len(str(named.name)) <= 63


def test_that_the_migration_is_written_for_postgresql_too() -> None:
    said = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": said, "target_metadata": schema.metadata}
    )
    with Operations.context(context):
        for revision in reversed(list(ScriptDirectory(str(FOLDER)).walk_revisions())):
            revision.module.upgrade()
    for name in schema.metadata.tables:
        assert f"CREATE TABLE {name} (" in said.getvalue()


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(book=books())
def test_that_every_statement_is_one_postgresql_understands(tmp_path_factory: Any, book: terms.Book) -> None:
    spoken: set[str] = set()

    def listen(_on: sa.Connection, statement: Any, *_: Any) -> None:
        if isinstance(statement, sa.ClauseElement):
            spoken.add(str(statement.compile(dialect=POSTGRES)))

    with (
        open_store(tmp_path_factory.mktemp("store") / "workspace.clo") as store,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(bulk, "_MOST", {})  # many rows go in by a way that each database has of its own
        sa.event.listen(store._engine, "before_execute", listen)
        _use_everything(store, book)
    said = "\n".join(spoken)
    for name in schema.metadata.tables:
        assert f"INSERT INTO {name} " in said or schema.metadata.tables[name].info.get("written_by") == "trigger"
        assert f"FROM {name}" in said or f"JOIN {name}" in said
    assert not re.search(r"PRAGMA|INSERT OR|rowid|sqlite_", said)
    assert "FOR UPDATE" in said
    assert "UPDATE assets" in said


def _use_everything(store: Store, book: terms.Book) -> None:
    full = large_book("Deal", 2)
    store.save(full, ImportRecord("Deal", "deal.xlsx", "ab" * 32, dt.datetime.now(dt.UTC), 2, 2, 1.0, 0))
    store.save(dataclasses.replace(full, assets={k: Asset(asset_id=k) for k in full.assets}))
    store.save(EVERY_TABLE)
    store.save(book)
    server = StoreServer(store)
    change = copies.operation(
        "Deal", 1, delta_of(full, dataclasses.replace(full, reference=EVERY_TABLE.reference)), NOW
    )
    server.apply(change)
    assert server.applied([change.op_id])
    server.deleted(server.marks()["Deal"])
    for summary in store.deals():
        store.load(summary.name)
        store.delete(summary.name)
    store.assets()
    store.imports()
    store.save(full, snapshot=SNAPSHOT)
    store.put_snapshot("Deal", SNAPSHOT)
    store.snapshots("Deal")
    store.drop_snapshot("Deal", SNAPSHOT.as_of)
    store.save_ideas("Deal", [an_idea()])
    store.save_ideas("Deal", store.ideas("Deal"), gone=["other"])
    store.save_scenario("Base", "cdr: 2%", "somebody", "first", ("house",))
    store.lock_scenario("Base", "somebody")
    store.unlock_scenario("Base", "somebody")
    store.tag_scenario("Base", ("house", "2024"))
    store.scenarios()
    store.scenario_versions("Base")
    store.delete_scenario("Base")
    for share in (0.1, 0.2):
        store.put_correlations(Correlations(("A", "B"), np.array([[1.0, share], [share, 1.0]]), "model"))
    store.put_setting("rounds", 3)
    store.put_reference_table(ReferenceTable("Industries", dt.date(2026, 3, 31), ({"code": 1},), "agency"))
    store.reference_tables()
    with pytest.raises(Refused):
        store.load("gone")
