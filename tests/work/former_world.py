"""The five databases of the former system as tests make them."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.asset import COLUMNS


def table(file: Path, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    """A table in a file, which is made where it is not there."""
    on = sqlite3.connect(file)
    quoted = ", ".join(f'"{column}"' for column in columns)
    with on:
        on.execute(f'CREATE TABLE "{name}" ({quoted})')
        on.executemany(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(columns))})', rows)
    on.close()
    return file


ASSET = {
    "BLKRockID": "LX100", "Issue Name": "Acme TL B", "Issuer Name": "Acme", "ISSUER ID": "ACME", "Bond/Loan": "Loan",
    "Par Amount": 1_500_000, "Maturity": "2030-06-30", "Coupon Type": "FLOAT", "Payment Frequency": 4,
    "Coupon Spread": 0.0375, "Default Obligation": 0, "Country": "US", "Moody's Rating": "B2",
}  # fmt: skip


def assets(file: Path, *changes: dict[str, Any]) -> Path:
    """The table of assets, with every column; each change makes a row of `ASSET`."""
    heads = [column.header for column in COLUMNS]
    return table(file, "assets", heads, [[{**ASSET, **change}.get(head) for head in heads] for change in changes])


def correlations(file: Path, names: Sequence[str], rho: float = 0.25) -> Path:
    """Pairs of all names, once each."""
    rows = [(a, b, rho) for a, b in itertools.combinations(names, 2)]
    return table(file, "asset_correlations", ("borrower_1", "borrower_2", "correlation_coefficient"), rows)


def scenarios(file: Path) -> Path:
    rows = [("Mild", "CPR", 0.2, None), ("Mild", "CDR", 0.02, None), ("Mild", "Wobble", 1, None)]
    return table(file, "scenario_parameters", ("scenario_name", "parameter_name", "parameter_value", "period"), rows)


def config(file: Path) -> Path:
    rows = [("rounds", 3), ("paths", json.dumps({"out": "/out"})), ("db_password", "hunter2hunter2")]
    return table(file, "config", ("key", "value"), rows)


def reference(file: Path) -> Path:
    rows = [
        ("Moody's industries", "2026-03-31", json.dumps({"code": 1, "name": "Aerospace"})),
        ("Moody's industries", "2026-03-31", json.dumps({"code": 2, "name": "Automotive"})),
        ("Moody's industries", "2026-06-30", json.dumps([{"code": 1, "name": "Aerospace & Defence"}])),
        ("Moody's industries", "2026-06-30", "{broken"),
    ]
    return table(file, "reference_data", ("table_name", "as_of", "data"), rows)


def foreign(file: Path) -> Path:
    """A database of somebody else."""
    return table(file, "songs", ("title", "year"), [("Blue", 1971)])
