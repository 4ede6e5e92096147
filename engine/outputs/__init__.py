"""The tables a user gets (spec: engine 10): named views with units on the arrays of a run."""

from engine.outputs.assets import asset_table, bucket_table, spread_table
from engine.outputs.risk import deal_tables, risk_table
from engine.outputs.run import run_tables
from engine.outputs.table import Field, Table, Unit

__all__ = [
    "Field",
    "Table",
    "Unit",
    "asset_table",
    "bucket_table",
    "deal_tables",
    "risk_table",
    "run_tables",
    "spread_table",
]
